/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers use: refusals, memory, maps. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "csi/internal.h"

int csi_refuse(struct csi_call *call, grpc_status_code status,
	       const char *format, ...)
{
	va_list args;

	call->status = status;
	va_start(args, format);
	vsnprintf(call->text, sizeof(call->text), format, args);
	va_end(args);
	return -1;
}

static grpc_status_code status_of(const struct efs_error *err)
{
	if (err->status == 0)
		return GRPC_STATUS_UNAVAILABLE; /* nobody answered */
	if (err->status == 403 || strstr(err->code, "AccessDenied"))
		return GRPC_STATUS_UNAUTHENTICATED;
	if (strcmp(err->code, "FileSystemNotFound") == 0)
		return GRPC_STATUS_INVALID_ARGUMENT;
	return GRPC_STATUS_INTERNAL;
}

int csi_refuse_efs(struct csi_call *call, const char *what,
		   const struct efs_error *err)
{
	grpc_status_code status = status_of(err);

	if (status == GRPC_STATUS_UNAUTHENTICATED)
		return csi_refuse(call, status,
				  "Access Denied. Please ensure you have the "
				  "right AWS permissions: %s: %s",
				  what, err->text);
	if (status == GRPC_STATUS_INVALID_ARGUMENT)
		return csi_refuse(call, status,
				  "File System does not exist: %s", err->text);
	return csi_refuse(call, status, "%s: %s%s%s", what, err->code,
			  err->code[0] ? ": " : "", err->text);
}

void *csi_alloc(struct csi_call *call, size_t size)
{
	void *p = arena_zalloc(&call->arena, size);

	if (p == NULL)
		abort();
	return p;
}

void *csi_message(struct csi_call *call,
		  const ProtobufCMessageDescriptor *descriptor)
{
	void *message = csi_alloc(call, descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	return message;
}

char *csi_printf(struct csi_call *call, const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;
	char *out;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		abort();
	out = csi_alloc(call, n + 1);
	memcpy(out, text, n + 1);
	return out;
}

#define SAME_AS_ENTRY(type)                                                    \
	static_assert(sizeof(type) == sizeof(struct csi_map_entry) &&          \
			      offsetof(type, key) ==                           \
				      offsetof(struct csi_map_entry, key) &&   \
			      offsetof(type, value) ==                         \
				      offsetof(struct csi_map_entry, value),   \
		      "maps have entries of one shape")
SAME_AS_ENTRY(Csi__V1__CreateVolumeRequest__ParametersEntry);
SAME_AS_ENTRY(Csi__V1__CreateVolumeRequest__SecretsEntry);
SAME_AS_ENTRY(Csi__V1__NodePublishVolumeRequest__VolumeContextEntry);
SAME_AS_ENTRY(Csi__V1__NodeStageVolumeRequest__VolumeContextEntry);

const char *csi_map_get(size_t n, void *entries, const char *key)
{
	struct csi_map_entry **list = entries;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i]->key, key) == 0)
			return list[i]->value;
	return NULL;
}

int csi_begin(struct csi_call *call, const char *what, const char *key)
{
	if (busy_enter(&call->csi->busy, key))
		return 0;
	return csi_refuse(call, GRPC_STATUS_ABORTED,
			  "An operation on %s %s is in progress", what, key);
}

void csi_end(struct csi_call *call, const char *key)
{
	busy_leave(&call->csi->busy, key);
}
