/* SPDX-License-Identifier: Apache-2.0 */
/* The Controller's half of nvme.h: hawserd's volumes as those of CSI. */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "csi/capability.h"
#include "csi/nvme_daemon.h"
#include "csi/param.h"
#include "csi/volume.h"

enum {
	NAME_SIZE = 64,
	NAME_OWN = NAME_SIZE - 5, /* "csi:" before it */
	PORTALS_SIZE = 1024,
	MIB = 1 << 20,
};
#define DEFAULT_BYTES (1LL << 30)
#define MOST_BYTES    (1LL << 56)

/* ---------------------------------------------------------------- handles */

bool nvme_is_handle(const char *volume_id)
{
	return strncmp(volume_id, NVME_PREFIX, strlen(NVME_PREFIX)) == 0;
}

bool nvme_handle_parse(const char *volume_id, struct nvme_handle *out)
{
	const char *id = volume_id + strlen(NVME_PREFIX);
	const char *colon = strchr(id, ':');
	uint8_t uuid[UUID_BYTES];

	if (!nvme_is_handle(volume_id) || colon == NULL ||
	    colon - id != 4 + 17 || strncmp(id, "vol-", 4) != 0 ||
	    strspn(id + 4, "0123456789abcdef") != 17 ||
	    strlen(colon + 1) != UUID_TEXT_SIZE - 1 ||
	    !uuid_parse(colon + 1, uuid))
		return false;
	snprintf(out->id, sizeof(out->id), "%.21s", id);
	uuid_format(uuid, out->uuid);
	return true;
}

/* ----------------------------------------------------------- capabilities */

bool nvme_is_block(const Csi__V1__VolumeCapability *c)
{
	return c->access_type_case ==
	       CSI__V1__VOLUME_CAPABILITY__ACCESS_TYPE_BLOCK;
}

/* A file system on a device is one node's; devices can be shared. */
const char *nvme_capability_refuses(const Csi__V1__VolumeCapability *c)
{
	if (!capability_mode_is_known(c))
		return "Volume capability not supported: the access mode is "
		       "not known";
	if (nvme_is_block(c))
		return NULL;
	if (c->mount == NULL)
		return "Volume capability access type must be mount or block";
	if (!is_one_of(c->mount->fs_type, "|ext4|xfs"))
		return "Volume fstype not supported: ext4 or xfs";
	return capability_is_one_node(c)
		       ? NULL
		       : "Volume capability not supported: the file system of "
			 "an NVMe volume is one node's";
}

static const char *refusal(Csi__V1__VolumeCapability *const *list, size_t n)
{
	const char *why = NULL;

	for (size_t i = 0; i < n && why == NULL; i++)
		why = nvme_capability_refuses(list[i]);
	return why;
}

/* ----------------------------------------------------------------- answer */

static void add_context(struct csi_call *call, Csi__V1__Volume *v,
			const char *key, const char *value)
{
	Csi__V1__Volume__VolumeContextEntry *e = csi_message(
		call, &csi__v1__volume__volume_context_entry__descriptor);

	e->key = (char *)key;
	e->value = csi_printf(call, "%s", value);
	v->volume_context[v->n_volume_context++] = e;
}

/* "127.77.1.1:4420,…" */
static void list_portals(const json_t *volume, char text[PORTALS_SIZE])
{
	const json_t *a;
	size_t i, n = 0;

	text[0] = '\0';
	json_array_foreach(json_object_get(volume, "listen_addresses"), i, a)
	{
		bool v6 = strchr(nvme_text(a, "traddr"), ':') != NULL;

		if (n < PORTALS_SIZE)
			n += snprintf(text + n, PORTALS_SIZE - n, "%s%s%s%s:%s",
				      n ? "," : "", v6 ? "[" : "",
				      nvme_text(a, "traddr"), v6 ? "]" : "",
				      nvme_text(a, "trsvcid"));
	}
}

static Csi__V1__Volume *describe(struct csi_call *call, const json_t *volume)
{
	Csi__V1__Volume *v = csi_message(call, &csi__v1__volume__descriptor);
	char portals[PORTALS_SIZE];

	list_portals(volume, portals);
	v->volume_id =
		csi_printf(call, NVME_PREFIX "%s:%s", nvme_text(volume, "id"),
			   nvme_text(volume, "uuid"));
	v->capacity_bytes = nvme_number(volume, "size");
	v->volume_context = csi_alloc(call, 4 * sizeof(void *));
	add_context(call, v, "protocol", "nvme");
	add_context(call, v, "nqn", nvme_text(volume, "nqn"));
	add_context(call, v, "portals", portals);
	return v;
}

/* ----------------------------------------------------------------- create */

struct wanted {
	char name[NAME_SIZE];
	int64_t bytes, limit; /* limit 0: none */
	int block_size;
	bool single_path;
};

static bool has_control(const char *name)
{
	while (*name && !iscntrl((unsigned char)*name))
		name++;
	return *name != '\0';
}

/* No other volume of hawserd's is taken for one of this driver's. */
static void set_name(const char *name, char out[NAME_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t n = 4;
	unsigned len;

	if (strlen(name) <= NAME_OWN && !has_control(name)) {
		snprintf(out, NAME_SIZE, "csi:%s", name);
		return;
	}
	EVP_Digest(name, strlen(name), digest, &len, EVP_sha256(), NULL);
	strcpy(out, "csi:");
	for (unsigned i = 0; i < 28; i++)
		n += snprintf(out + n, NAME_SIZE - n, "%02x", digest[i]);
}

static int refuse(struct csi_call *call, const char *why)
{
	return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT, "%s", why);
}

static int set_size(struct csi_call *call, const Csi__V1__CapacityRange *range,
		    struct wanted *w)
{
	if (range != NULL &&
	    (range->required_bytes < 0 || range->limit_bytes < 0))
		return refuse(call, "capacity_range has a negative number");
	w->limit = range ? range->limit_bytes : 0;
	w->bytes = range ? range->required_bytes : 0;
	if (w->bytes > MOST_BYTES)
		return csi_refuse(call, GRPC_STATUS_OUT_OF_RANGE,
				  "a volume has at most %lld bytes",
				  MOST_BYTES);
	if (w->bytes == 0)
		w->bytes =
			w->limit ? MIN(w->limit, DEFAULT_BYTES) : DEFAULT_BYTES;
	if (range == NULL || range->required_bytes > 0)
		w->bytes = (w->bytes + MIB - 1) / MIB * MIB;
	else
		w->bytes = w->bytes / MIB * MIB;
	if (w->bytes == 0 || (w->limit > 0 && w->bytes > w->limit))
		return csi_refuse(call, GRPC_STATUS_OUT_OF_RANGE,
				  "a volume has a whole number of MiB, and "
				  "none is within the capacity_range");
	return 0;
}

static int set_params(struct csi_call *call,
		      const Csi__V1__CreateVolumeRequest *in, struct wanted *w)
{
	const char *block =
		csi_map_get(in->n_parameters, in->parameters, "blockSize");
	const char *multi =
		csi_map_get(in->n_parameters, in->parameters, "multipathing");
	bool all = true;

	if (block != NULL && !is_one_of(block, "512|4096"))
		return refuse(call, "blockSize is 512 or 4096");
	if (multi != NULL && param_bool(multi, &all) < 0)
		return refuse(call, "multipathing: expected true or false");
	w->block_size = block ? atoi(block) : 4096;
	w->single_path = !all;
	return 0;
}

static int check(struct csi_call *call, const Csi__V1__CreateVolumeRequest *in,
		 struct wanted *w)
{
	const char *why;

	if (!call->csi->options->nvme)
		return refuse(call, "protocol nvme: the driver was started "
				    "without --nvme");
	if (in->name[0] == '\0')
		return refuse(call, "Volume name not provided");
	if (in->n_volume_capabilities == 0)
		return refuse(call, "Volume capabilities not provided");
	why = refusal(in->volume_capabilities, in->n_volume_capabilities);
	if (why != NULL)
		return refuse(call, why);
	if (in->volume_content_source != NULL)
		return refuse(call, "volume_content_source: there are no "
				    "snapshots and no clones");
	set_name(in->name, w->name);
	return set_params(call, in, w) < 0
		       ? -1
		       : set_size(call, in->capacity_range, w);
}

/* Is what is there what is wanted? */
static int check_there(struct csi_call *call, const struct wanted *w,
		       const json_t *volume)
{
	int64_t bytes = nvme_number(volume, "size");

	if (bytes >= w->bytes && (w->limit == 0 || bytes <= w->limit) &&
	    nvme_number(volume, "block_size") == w->block_size)
		return 0;
	return csi_refuse(call, GRPC_STATUS_ALREADY_EXISTS,
			  "volume %s exists, with %lld bytes in blocks of %lld",
			  w->name, (long long)bytes,
			  (long long)nvme_number(volume, "block_size"));
}

/* Nobody may connect whom ControllerPublishVolume has not let in.  Done again
 * for a volume that is there, as whoever made it may not have come to it. */
static int close_door(struct csi_call *call, const json_t *volume)
{
	int r = nvme_ask(call, "nvmf_subsystem_allow_any_host",
			 json_pack("{s:s, s:b}", "nqn",
				   nvme_text(volume, "nqn"), "allow_any_host",
				   0),
			 NULL);

	return r == 1 ? csi_refuse(call, GRPC_STATUS_ABORTED,
				   "volume %s has gone; try again",
				   nvme_text(volume, "name"))
		      : r;
}

static int create(struct csi_call *call, const struct wanted *w)
{
	Csi__V1__CreateVolumeResponse *out =
		(Csi__V1__CreateVolumeResponse *)call->response;
	json_t *volume = NULL;
	int r = nvme_get(call, w->name, &volume);

	if (r == 0)
		r = check_there(call, w, volume);
	else if (r == 1)
		r = nvme_ask(call, "volume_create",
			     json_pack("{s:s, s:I, s:i}", "name", w->name,
				       "size", (json_int_t)w->bytes,
				       "block_size", w->block_size),
			     &volume);
	if (r == 0)
		r = close_door(call, volume);
	if (r == 0) {
		out->volume = describe(call, volume);
		if (w->single_path)
			add_context(call, out->volume, "multipathing", "false");
	}
	json_decref(volume);
	return r;
}

int nvme_create_volume(struct csi_call *call)
{
	const Csi__V1__CreateVolumeRequest *in =
		(const Csi__V1__CreateVolumeRequest *)call->request;
	struct wanted w;
	int r;

	if (check(call, in, &w) < 0 || csi_begin(call, "volume", w.name) < 0)
		return -1;
	r = create(call, &w);
	csi_end(call, w.name);
	return r;
}

/* ----------------------------------------------------------------- delete */

static int delete_unused(struct csi_call *call, const json_t *volume)
{
	json_t *hosts = NULL;
	int r = nvme_hosts(call, volume, &hosts);

	if (r == 0 && json_array_size(hosts) > 0)
		r = csi_refuse(call, GRPC_STATUS_FAILED_PRECONDITION,
			       "volume %s is published to the host %.200s",
			       nvme_text(volume, "id"),
			       nvme_text(json_array_get(hosts, 0), "nqn"));
	json_decref(hosts);
	if (r == 0)
		r = nvme_ask(call, "volume_delete",
			     json_pack("{s:s}", "name",
				       nvme_text(volume, "id")),
			     NULL);
	return r;
}

int nvme_delete_volume(struct csi_call *call)
{
	const Csi__V1__DeleteVolumeRequest *in =
		(const Csi__V1__DeleteVolumeRequest *)call->request;
	struct nvme_handle h;
	json_t *volume = NULL;
	int r;

	if (!nvme_handle_parse(in->volume_id, &h))
		return 0; /* nobody made it */
	if (!call->csi->options->nvme)
		return csi_refuse(call, GRPC_STATUS_FAILED_PRECONDITION,
				  "the driver was started without --nvme");
	if (csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = nvme_get(call, h.id, &volume);
	if (r == 0 && strcmp(nvme_text(volume, "uuid"), h.uuid) == 0)
		r = delete_unused(call, volume);
	json_decref(volume);
	csi_end(call, in->volume_id);
	return r == 1 ? 0 : r;
}

/* ----------------------------------------------------------------- others */

int nvme_list_volumes(struct csi_call *call, size_t from, size_t room,
		      nvme_list_fn *add, void *arg, bool *more)
{
	json_t *list = NULL, *volume;
	int r = nvme_ask(call, "volume_get", NULL, &list);
	size_t i, n = 0;

	*more = false;
	json_array_foreach(list, i, volume)
	{
		if (strncmp(nvme_text(volume, "name"), "csi:", 4) != 0 ||
		    n++ < from)
			continue;
		*more = n - from > room;
		if (*more)
			break;
		add(arg, describe(call, volume));
	}
	json_decref(list);
	return r;
}

int nvme_validate(struct csi_call *call)
{
	const Csi__V1__ValidateVolumeCapabilitiesRequest *in =
		(const Csi__V1__ValidateVolumeCapabilitiesRequest *)
			call->request;
	Csi__V1__ValidateVolumeCapabilitiesResponse *out =
		(Csi__V1__ValidateVolumeCapabilitiesResponse *)call->response;
	json_t *volume = NULL;
	const char *why;

	if (nvme_find(call, in->volume_id, &volume) < 0)
		return -1;
	json_decref(volume);
	why = refusal(in->volume_capabilities, in->n_volume_capabilities);
	if (why == NULL)
		volume_confirm(call, out, in);
	else
		out->message = csi_printf(call, "%s", why);
	return 0;
}

int nvme_get_volume(struct csi_call *call)
{
	const Csi__V1__ControllerGetVolumeRequest *in =
		(const Csi__V1__ControllerGetVolumeRequest *)call->request;
	Csi__V1__ControllerGetVolumeResponse *out =
		(Csi__V1__ControllerGetVolumeResponse *)call->response;
	json_t *volume = NULL;

	if (nvme_find(call, in->volume_id, &volume) < 0)
		return -1;
	out->volume = describe(call, volume);
	out->status = csi_message(
		call,
		&csi__v1__controller_get_volume_response__volume_status__descriptor);
	json_decref(volume);
	return 0;
}

static int grow(struct csi_call *call, const json_t *volume,
		const struct wanted *w, int64_t *bytes)
{
	*bytes = MAX(nvme_number(volume, "size"), w->bytes);
	if (w->limit > 0 && *bytes > w->limit)
		return csi_refuse(call, GRPC_STATUS_OUT_OF_RANGE,
				  "the volume has %lld bytes, which is more "
				  "than the limit",
				  (long long)nvme_number(volume, "size"));
	if (*bytes == nvme_number(volume, "size"))
		return 0;
	return nvme_ask(call, "volume_resize",
			json_pack("{s:s, s:I}", "name", nvme_text(volume, "id"),
				  "size", (json_int_t)*bytes),
			NULL);
}

/* The range has been checked; the volume is marked as being worked on. */
int nvme_expand_volume(struct csi_call *call)
{
	const Csi__V1__ControllerExpandVolumeRequest *in =
		(const Csi__V1__ControllerExpandVolumeRequest *)call->request;
	Csi__V1__ControllerExpandVolumeResponse *out =
		(Csi__V1__ControllerExpandVolumeResponse *)call->response;
	struct wanted w = {};
	json_t *volume = NULL;
	int r = set_size(call, in->capacity_range, &w);

	if (r == 0)
		r = nvme_find(call, in->volume_id, &volume);
	if (r == 0)
		r = grow(call, volume, &w, &out->capacity_bytes);
	out->node_expansion_required = true;
	json_decref(volume);
	return r;
}
