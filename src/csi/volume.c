/* SPDX-License-Identifier: Apache-2.0 */
/* The Controller service, but for what makes volumes and deletes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csi/capability.h"
#include "csi/handle.h"
#include "csi/nvme.h"
#include "csi/volume.h"

Csi__V1__Volume *volume_describe(struct csi_call *call,
				 const struct efs_point *p)
{
	Csi__V1__Volume *v = csi_message(call, &csi__v1__volume__descriptor);
	char handle[HANDLE_SIZE];

	v->volume_id =
		csi_printf(call, "%s", handle_format(p->fs, p->id, handle));
	v->capacity_bytes = p->capacity;
	return v;
}

Csi__V1__Topology *volume_topology(struct csi_call *call, const char *zone)
{
	Csi__V1__Topology *t =
		csi_message(call, &csi__v1__topology__descriptor);
	Csi__V1__Topology__SegmentsEntry *e = csi_message(
		call, &csi__v1__topology__segments_entry__descriptor);

	e->key = (char *)VOLUME_TOPOLOGY_ZONE;
	e->value = csi_printf(call, "%s", zone);
	t->n_segments = 1;
	t->segments = csi_alloc(call, sizeof(*t->segments));
	t->segments[0] = e;
	return t;
}

/* ------------------------------------------------------------ capabilities */

int csi_controller_capabilities(struct csi_call *call)
{
#define TYPE(name) CSI__V1__CONTROLLER_SERVICE_CAPABILITY__RPC__TYPE__##name
	static const Csi__V1__ControllerServiceCapability__RPC__Type types[] = {
		TYPE(CREATE_DELETE_VOLUME),
		TYPE(LIST_VOLUMES),
		TYPE(EXPAND_VOLUME),
		TYPE(GET_VOLUME),
		TYPE(SINGLE_NODE_MULTI_WRITER),
		TYPE(PUBLISH_UNPUBLISH_VOLUME) /* with NVMe only */
	};
	size_t n = ARRAY_SIZE(types) - !call->csi->options->nvme;
	Csi__V1__ControllerGetCapabilitiesResponse *out =
		(Csi__V1__ControllerGetCapabilitiesResponse *)call->response;

	out->capabilities =
		csi_alloc(call, ARRAY_SIZE(types) * sizeof(*out->capabilities));
	for (size_t i = 0; i < n; i++) {
		Csi__V1__ControllerServiceCapability *c = csi_message(
			call,
			&csi__v1__controller_service_capability__descriptor);

		c->type_case = CSI__V1__CONTROLLER_SERVICE_CAPABILITY__TYPE_RPC;
		c->rpc = csi_message(
			call,
			&csi__v1__controller_service_capability__rpc__descriptor);
		c->rpc->type = types[i];
		out->capabilities[out->n_capabilities++] = c;
	}
	return 0;
}

/* ---------------------------------------------------------------- existence */

static int no_volume(struct csi_call *call, const char *id)
{
	return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
			  "Volume not found, ID: %.200s", id);
}

/* Of a volume that is an access point, *point; of another, its file system
 * exists. */
static int find(struct csi_call *call, const char *id, struct efs_point *point)
{
	struct efs *efs = call->csi->efs;
	char zone[PATH_ZONE_SIZE];
	struct efs_error err;
	struct handle h;
	int r;

	memset(point, 0, sizeof(*point));
	if (id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume ID not provided");
	if (handle_parse(id, &h) < 0 || h.s3files)
		return no_volume(call, id);
	r = h.point[0] ? efs_point_get(efs, h.point, point, &err)
		       : efs_fs_zone(efs, h.fs, zone, &err);
	if (r == 0 && (h.point[0] == '\0' || strcmp(point->fs, h.fs) == 0))
		return 0;
	if (r == 0 || efs_not_found(&err))
		return no_volume(call, id);
	return csi_refuse_efs(call, "Failed to describe volume", &err);
}

int volume_exists(struct csi_call *call, const char *id)
{
	struct efs_point point;

	return find(call, id, &point);
}

/* What is confirmed is said again.  The answer borrows it: it is encoded before
 * the request goes. */
void volume_confirm(struct csi_call *call,
		    Csi__V1__ValidateVolumeCapabilitiesResponse *out,
		    const Csi__V1__ValidateVolumeCapabilitiesRequest *in)
{
	Csi__V1__ValidateVolumeCapabilitiesResponse__Confirmed *c = csi_message(
		call,
		&csi__v1__validate_volume_capabilities_response__confirmed__descriptor);

	c->n_volume_capabilities = in->n_volume_capabilities;
	c->volume_capabilities = in->volume_capabilities;
	out->confirmed = c;
}

int csi_validate_capabilities(struct csi_call *call)
{
	const Csi__V1__ValidateVolumeCapabilitiesRequest *in =
		(const Csi__V1__ValidateVolumeCapabilitiesRequest *)
			call->request;
	Csi__V1__ValidateVolumeCapabilitiesResponse *out =
		(Csi__V1__ValidateVolumeCapabilitiesResponse *)call->response;
	struct efs_point point;
	const char *why;

	if (in->volume_id[0] && in->n_volume_capabilities == 0)
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume capabilities not provided");
	if (nvme_is_handle(in->volume_id))
		return nvme_validate(call);
	if (find(call, in->volume_id, &point) < 0)
		return -1;
	why = capability_refusal(in->volume_capabilities,
				 in->n_volume_capabilities);
	if (why == NULL)
		volume_confirm(call, out, in);
	else
		out->message = csi_printf(call, "%s", why);
	return 0;
}

int csi_get_volume(struct csi_call *call)
{
	const Csi__V1__ControllerGetVolumeRequest *in =
		(const Csi__V1__ControllerGetVolumeRequest *)call->request;
	Csi__V1__ControllerGetVolumeResponse *out =
		(Csi__V1__ControllerGetVolumeResponse *)call->response;
	struct efs_point point;

	if (nvme_is_handle(in->volume_id))
		return nvme_get_volume(call);
	if (find(call, in->volume_id, &point) < 0)
		return -1;
	out->volume = volume_describe(call, &point);
	out->volume->volume_id = in->volume_id; /* as whoever asks has it */
	out->status = csi_message(
		call,
		&csi__v1__controller_get_volume_response__volume_status__descriptor);
	return 0;
}

/* --------------------------------------------------------------------- list */

enum { ENOUGH = 5000 }; /* entries: an answer has less than 1 MiB */

struct listing {
	struct csi_call *call;
	Csi__V1__ListVolumesResponse *out;
	size_t size;
};

static Csi__V1__ListVolumesResponse__Entry **grow(
	struct listing *l, Csi__V1__ListVolumesResponse__Entry **entries,
	size_t n)
{
	Csi__V1__ListVolumesResponse__Entry **more;

	if (n < l->size)
		return entries;
	l->size = l->size ? 2 * l->size : 64;
	more = csi_alloc(l->call, l->size * sizeof(*more));
	if (n > 0)
		memcpy(more, entries, n * sizeof(*more));
	return more;
}

static void add_volume(void *arg, Csi__V1__Volume *v)
{
	struct listing *l = arg;
	Csi__V1__ListVolumesResponse__Entry *e = csi_message(
		l->call, &csi__v1__list_volumes_response__entry__descriptor);

	e->volume = v;
	l->out->entries = grow(l, l->out->entries, l->out->n_entries);
	l->out->entries[l->out->n_entries++] = e;
}

static void add_point(void *arg, const struct efs_point *p)
{
	struct listing *l = arg;

	if (p->is_ours)
		add_volume(l, volume_describe(l->call, p));
}

/* Pages of the service's, of which only volumes are left.  One page if a number
 * is asked for: it may have fewer entries, or none.  Else as many as an answer
 * can well have. */
static int list_pages(struct listing *l, unsigned max, char *next,
		      struct efs_error *err)
{
	struct efs *efs = l->call->csi->efs;
	int r;

	do
		r = efs_point_page(efs, NULL, max, next, add_point, l, err);
	while (r == 0 && max == 0 && next[0] && l->out->n_entries < ENOUGH);
	return r;
}

/* Behind the access points; a token says how many were told already. */
static int list_nvme(struct listing *l, size_t from, size_t max,
		     char next[EFS_NEXT_SIZE])
{
	size_t before = l->out->n_entries;
	size_t room = max ? max - MIN(before, max) : ENOUGH;
	bool more = false;
	int r = 0;

	if (l->call->csi->options->nvme)
		r = nvme_list_volumes(l->call, from, room, add_volume, l,
				      &more);
	next[0] = '\0';
	if (more)
		snprintf(next, EFS_NEXT_SIZE, NVME_PREFIX "%zu",
			 from + l->out->n_entries - before);
	return r;
}

static int list_points(struct listing *l, const char *starting_token,
		       unsigned max, char next[EFS_NEXT_SIZE])
{
	struct efs_error err;

	strcpy(next, starting_token);
	if (list_pages(l, max, next, &err) == 0)
		return 0;
	if (starting_token[0] && err.status == 400)
		return csi_refuse(l->call, GRPC_STATUS_ABORTED,
				  "starting_token: %s", err.text);
	return csi_refuse_efs(l->call, "Failed to list Access points", &err);
}

int csi_list_volumes(struct csi_call *call)
{
	const Csi__V1__ListVolumesRequest *in =
		(const Csi__V1__ListVolumesRequest *)call->request;
	Csi__V1__ListVolumesResponse *out =
		(Csi__V1__ListVolumesResponse *)call->response;
	struct listing listing = { .call = call, .out = out };
	const char *token = in->starting_token;
	char next[EFS_NEXT_SIZE] = "";
	size_t from = 0;
	int r = 0;

	if (in->max_entries < 0)
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "max_entries is negative");
	if (strlen(token) >= sizeof(next))
		return csi_refuse(call, GRPC_STATUS_ABORTED,
				  "starting_token is not one that was given");
	if (nvme_is_handle(token))
		from = strtoul(token + strlen(NVME_PREFIX), NULL, 10);
	else
		r = list_points(&listing, token, in->max_entries, next);
	if (r == 0 && next[0] == '\0')
		r = list_nvme(&listing, from, in->max_entries, next);
	if (r < 0)
		return r;
	out->next_token = csi_printf(call, "%s", next);
	return 0;
}

/* ------------------------------------------------------------------- expand */

static int grow_to(struct csi_call *call, const struct efs_point *p,
		   const Csi__V1__CapacityRange *range, int64_t *bytes)
{
	struct efs_error err;

	*bytes = MAX(p->capacity, range->required_bytes);
	if (range->limit_bytes > 0 && *bytes > range->limit_bytes)
		return csi_refuse(call, GRPC_STATUS_OUT_OF_RANGE,
				  "the volume has %lld bytes, which is more "
				  "than the limit",
				  (long long)p->capacity);
	if (*bytes > VOLUME_CAPACITY_MAX)
		return csi_refuse(call, GRPC_STATUS_OUT_OF_RANGE,
				  "a volume has at most %lld bytes",
				  VOLUME_CAPACITY_MAX);
	if (*bytes == p->capacity)
		return 0;
	if (efs_point_set_capacity(call->csi->efs, p, *bytes, &err) < 0)
		return csi_refuse_efs(call, "Failed to tag Access point", &err);
	return 0;
}

static int expand(struct csi_call *call,
		  const Csi__V1__ControllerExpandVolumeRequest *in)
{
	Csi__V1__ControllerExpandVolumeResponse *out =
		(Csi__V1__ControllerExpandVolumeResponse *)call->response;
	struct efs_point point;

	if (find(call, in->volume_id, &point) < 0)
		return -1;
	if (point.id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume %.200s is no access point and has no "
				  "capacity of its own",
				  in->volume_id);
	return grow_to(call, &point, in->capacity_range, &out->capacity_bytes);
}

int csi_expand_volume(struct csi_call *call)
{
	const Csi__V1__ControllerExpandVolumeRequest *in =
		(const Csi__V1__ControllerExpandVolumeRequest *)call->request;
	const Csi__V1__CapacityRange *range = in->capacity_range;
	int r;

	if (in->volume_id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume ID not provided");
	if (range == NULL ||
	    (range->required_bytes <= 0 && range->limit_bytes <= 0) ||
	    range->required_bytes < 0 || range->limit_bytes < 0)
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Capacity range not provided");
	if (csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = nvme_is_handle(in->volume_id) ? nvme_expand_volume(call)
					  : expand(call, in);
	csi_end(call, in->volume_id);
	return r;
}
