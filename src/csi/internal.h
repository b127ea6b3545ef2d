/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver inside: a process, and one call of its.
 *
 * server.c receives a call and looks its method up in method.c; the method's
 * handler runs in the thread that received it, may block, and fills the answer
 * in or refuses.  What calls share: `busy`, `gids` and `efs`, each with a lock
 * of its own, none of which is held while another is taken.
 */
#ifndef CSI_INTERNAL_H
#define CSI_INTERNAL_H

#include <grpc/status.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/util.h"
#include "csi/busy.h"
#include "csi/csi.h"
#include "csi/efs.h"
#include "csi/gid.h"
#include "csi/mounter.h"
#include "csi/proto/csi.pb-c.h"

enum {
	CSI_THREADS = 64,	      /* calls that run at the same time */
	CSI_MESSAGE_MAX = 256 << 10,  /* bytes of a request */
	CSI_ANSWER_MEMORY = 16 << 20, /* bytes that one call may need */
	CSI_TEXT_SIZE = 600,	      /* of a refusal */
};

struct csi {
	const struct csi_options *options;
	struct efs *efs;
	struct mounter mounter;
	struct busy busy;
	struct gid_pools gids;
	json_t *tags;	 /* of --tags: [{"Key": …, "Value": …}] */
	unsigned mounts; /* being made now; atomic */
	bool encrypt;	 /* volumes that do not say whether */
};

struct csi_call {
	struct csi *csi;
	struct arena arena; /* of the answer, and what is needed meanwhile */
	const ProtobufCMessage *request;
	ProtobufCMessage *response;
	grpc_status_code status;
	char text[CSI_TEXT_SIZE];
};

/* 0: the answer is in call->response; < 0: it was refused. */
typedef int csi_handler(struct csi_call *call);

struct csi_method {
	const char *path; /* "/csi.v1.Identity/Probe" */
	const ProtobufCMessageDescriptor *request, *response;
	csi_handler *handler;
};

/* NULL: there is none. */
const struct csi_method *csi_method_find(const char *path, size_t len);

/* Why not, for the caller; always -1. */
__attribute__((format(printf, 3, 4))) int csi_refuse(struct csi_call *call,
						     grpc_status_code status,
						     const char *format, ...);
/* The same for what EFS said: "`what`: …", with the status that its code has.
 */
int csi_refuse_efs(struct csi_call *call, const char *what,
		   const struct efs_error *err);

/* Zeroed memory of the call, initialised as a message; never NULL: a call that
 * would need more than CSI_ANSWER_MEMORY does not get there. */
void *csi_alloc(struct csi_call *call, size_t size);
void *csi_message(struct csi_call *call,
		  const ProtobufCMessageDescriptor *descriptor);
__attribute__((format(printf, 2, 3))) char *csi_printf(struct csi_call *call,
						       const char *format, ...);

/* Entries of any map<string, string>: protobuf-c has a type for each. */
struct csi_map_entry {
	ProtobufCMessage base;
	char *key, *value;
};
/* NULL: it is not there. */
const char *csi_map_get(size_t n, void *entries, const char *key);

/* Marks `key` as being worked on; refuses if it is (ABORTED). */
int csi_begin(struct csi_call *call, const char *what, const char *key);
void csi_end(struct csi_call *call, const char *key);

/* Whether it is one that an orchestrator may name: from the root on. */
bool csi_is_plain_path(const char *path);

/* -------------------------------------------------------------- handlers */

csi_handler csi_get_plugin_info, csi_get_plugin_capabilities, csi_probe;
csi_handler csi_create_volume, csi_delete_volume, csi_validate_capabilities,
	csi_list_volumes, csi_controller_capabilities, csi_expand_volume,
	csi_get_volume, csi_controller_publish, csi_controller_unpublish;
csi_handler csi_node_publish, csi_node_unpublish, csi_node_stats,
	csi_node_capabilities, csi_node_info, csi_node_stage, csi_node_unstage,
	csi_node_expand;

#endif
