/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateVolume: an access point, with a root directory and a user of its own.
 *
 *	check      parameters, name, capabilities, ids: nothing has been done
 *yet create     with a free gid if none is given.  The volume's name is the
 *	           client token, so EFS makes one access point for it, however
 *	           often it is asked.
 *	confirm    a gid that was chosen here: does nobody else have it?  Else
 *the access point, which nobody has seen, goes, and once more adopt      there
 *was one with that token: is it what is asked for?
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"
#include "csi/capability.h"
#include "csi/handle.h"
#include "csi/internal.h"
#include "csi/nvme.h"
#include "csi/param.h"
#include "csi/volume.h"

enum { ATTEMPTS = 8, NAME_PLAIN_MAX = EFS_TOKEN_SIZE - 1 };

struct creation {
	struct csi_call *call;
	const Csi__V1__CreateVolumeRequest *in;
	struct params params;
	struct gid_range range;
	int64_t capacity, limit; /* 0: none */
	char token[EFS_TOKEN_SIZE], root[EFS_PATH_SIZE];
	char zone[PATH_ZONE_SIZE];
	json_t *tags;
	struct efs_point point;
};

static struct efs *efs_of(const struct creation *c)
{
	return c->call->csi->efs;
}

static int refuse(struct creation *c, const char *why)
{
	return csi_refuse(c->call, GRPC_STATUS_INVALID_ARGUMENT, "%s", why);
}

/* -------------------------------------------------------------------- check */

static int check_capacity(struct creation *c)
{
	const Csi__V1__CapacityRange *range = c->in->capacity_range;

	if (range == NULL)
		return 0;
	if (range->required_bytes < 0 || range->limit_bytes < 0)
		return refuse(c, "capacity_range has a negative number");
	c->limit = range->limit_bytes;
	c->capacity = range->required_bytes ?: range->limit_bytes;
	if (c->limit > 0 && c->capacity > c->limit)
		return refuse(c, "capacity_range requires more than its limit");
	if (c->capacity > VOLUME_CAPACITY_MAX)
		return csi_refuse(c->call, GRPC_STATUS_OUT_OF_RANGE,
				  "a volume has at most %lld bytes",
				  VOLUME_CAPACITY_MAX);
	return 0;
}

static const char *find_secret(const struct creation *c, const char *key)
{
	return csi_map_get(c->in->n_secrets, c->in->secrets, key);
}

static int check_request(struct creation *c)
{
	const Csi__V1__CreateVolumeRequest *in = c->in;
	const char *why;

	if (in->name[0] == '\0')
		return refuse(c, "Volume name not provided");
	if (in->n_volume_capabilities == 0)
		return refuse(c, "Volume capabilities not provided");
	why = capability_refusal(in->volume_capabilities,
				 in->n_volume_capabilities);
	if (why != NULL)
		return refuse(c, why);
	if (in->volume_content_source != NULL)
		return refuse(c, "volume_content_source: there are no "
				 "snapshots and no clones");
	if (in->n_mutable_parameters > 0)
		return refuse(c, "mutable_parameters: there are none");
	return check_capacity(c);
}

static int check_secrets(struct creation *c)
{
	const char *cross = find_secret(c, "crossaccount");
	bool yes;

	if (cross != NULL && param_bool(cross, &yes) < 0)
		return refuse(c, "crossaccount parameter must have boolean "
				 "value.");
	if (find_secret(c, "awsRoleArn") != NULL)
		return refuse(c, "secret awsRoleArn: this driver does not "
				 "assume roles");
	return 0;
}

static int check_params(struct creation *c, const struct param_pair *pairs)
{
	size_t n = c->in->n_parameters;
	char err[PARAM_TEXT_SIZE];

	params_init(&c->params);
	if (params_parse_early(&c->params, pairs, n, err) < 0)
		return refuse(c, err);
	if (!c->params.tagging && json_array_size(c->call->csi->tags) > 0)
		return refuse(c, "enableTagging is false, but the driver was "
				 "started with --tags");
	if (check_request(c) < 0 || check_secrets(c) < 0)
		return -1;
	if (params_parse_late(&c->params, pairs, n, err) < 0 ||
	    params_check_ids(&c->params, &c->range, err) < 0)
		return refuse(c, err);
	return 0;
}

static struct param_pair *pairs_of(struct creation *c)
{
	size_t n = c->in->n_parameters;
	struct param_pair *pairs = csi_alloc(c->call, n * sizeof(*pairs));

	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct param_pair){ c->in->parameters[i]->key,
						c->in->parameters[i]->value };
	return pairs;
}

/* -------------------------------------------------------------------- names */

static void hash(const char *text, char out[EFS_TOKEN_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;

	EVP_Digest(text, strlen(text), digest, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
}

/* It can be a token and the name of a directory: not too long, and neither ".."
 * nor with a '/' in it. */
static bool is_plain(const char *name)
{
	size_t len = strlen(name);

	return len <= NAME_PLAIN_MAX && name[0] != '.' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static void set_plain(const char *name, char out[EFS_TOKEN_SIZE])
{
	if (is_plain(name))
		strcpy(out, name);
	else
		hash(name, out);
}

static int set_names(struct creation *c)
{
	char name[EFS_TOKEN_SIZE], unique[UUID_TEXT_SIZE];
	uint8_t uuid[UUID_BYTES];
	char err[PARAM_TEXT_SIZE];

	set_plain(c->in->name, name);
	if (c->params.pv_name[0] == '\0')
		c->params.pv_name = c->in->name;
	uuid_random(uuid);
	if (params_root(&c->params, name, uuid_format(uuid, unique), c->root,
			err) < 0)
		return refuse(c, err);
	if (!c->params.reuse)
		strcpy(c->token, name);
	else if (c->params.pvc_name[0])
		hash(c->params.pvc_name, c->token);
	else
		return refuse(c, "reuseAccessPoint needs the name of the claim "
				 "(csi.storage.k8s.io/pvc/name)");
	return 0;
}

static void add_tag(json_t *tags, const char *key, const char *value)
{
	json_array_append_new(tags, json_pack("{s:s, s:s}", "Key", key, "Value",
					      value));
}

/* with: EFS_TAG_QUOTA, or EFS_TAG_CAPACITY where there can be no quota. */
static void set_tags(struct creation *c, const char *with)
{
	char bytes[24];

	json_decref(c->tags);
	c->tags = json_array();
	if (!c->params.tagging)
		return;
	add_tag(c->tags, EFS_TAG_CLUSTER, "true");
	json_array_extend(c->tags, c->call->csi->tags);
	if (c->capacity == 0)
		return;
	snprintf(bytes, sizeof(bytes), "%lld", (long long)c->capacity);
	add_tag(c->tags, with, bytes);
}

/* -------------------------------------------------------------------- adopt */

__attribute__((format(printf, 2, 3))) static int is_another(struct creation *c,
							    const char *format,
							    ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return csi_refuse(c->call, GRPC_STATUS_ALREADY_EXISTS,
			  "Invalid existing access point: %s: %s", c->point.id,
			  text);
}

static int check_id(struct creation *c, const char *name, int64_t wanted,
		    uint32_t there)
{
	if (wanted >= 0 && wanted != there)
		return is_another(c, "its %s is %u, not %lld", name, there,
				  (long long)wanted);
	if (wanted < 0 && (there < c->range.start || there > c->range.end) &&
	    there != c->params.uid && there != c->params.gid)
		return is_another(c, "its %s %u is not in %u-%u", name, there,
				  c->range.start, c->range.end);
	return 0;
}

static int check_base_path(struct creation *c)
{
	char base[EFS_PATH_SIZE];

	if (handle_clean_path(c->params.base_path, base, sizeof(base)) < 0 ||
	    !handle_path_holds(base, c->point.path))
		return is_another(c, "its root %s is not below %s",
				  c->point.path, base);
	return 0;
}

/* The capacity of one without the tag is not known: any will do. */
static int check_there(struct creation *c)
{
	const struct efs_point *p = &c->point;

	if (strcmp(p->fs, c->params.fs) != 0)
		return is_another(c, "it is in %s", p->fs);
	if (!p->has_user)
		return is_another(c, "it has no user");
	if (check_base_path(c) < 0 ||
	    check_id(c, "uid", c->params.uid, p->uid) < 0 ||
	    check_id(c, "gid", c->params.gid, p->gid) < 0)
		return -1;
	if (p->capacity > 0 && (p->capacity < c->capacity ||
				(c->limit > 0 && p->capacity > c->limit)))
		return is_another(c, "it has %lld bytes, not %lld",
				  (long long)p->capacity,
				  (long long)c->capacity);
	return 0;
}

static int adopt(struct creation *c, const char *id)
{
	struct efs_error err;

	if (efs_point_get(efs_of(c), id, &c->point, &err) < 0)
		return csi_refuse_efs(c->call,
				      "Failed to describe Access point", &err);
	return check_there(c);
}

struct search {
	const char *token;
	char id[EFS_ID_SIZE];
};

static void compare_token(void *arg, const struct efs_point *p)
{
	struct search *s = arg;

	if (strcmp(p->token, s->token) == 0)
		strcpy(s->id, p->id);
}

/* No gid is left for another one, but it may be there already. */
static int adopt_or_refuse(struct creation *c)
{
	struct search search = { .token = c->token };
	struct efs_error err;

	if (efs_point_each(efs_of(c), c->params.fs, compare_token, &search,
			   &err) == 0 &&
	    search.id[0])
		return adopt(c, search.id);
	return csi_refuse(c->call, GRPC_STATUS_INTERNAL,
			  "Failed to locate a free GID for given file system: "
			  "%s: %u-%u are used",
			  c->params.fs, c->range.start, c->range.end);
}

/* ------------------------------------------------------------------- create */

static int ask_for_point(struct creation *c, uint32_t gid,
			 struct efs_error *err)
{
	const struct params *p = &c->params;
	const struct efs_point_spec spec = {
		.fs = p->fs,
		.token = c->token,
		.path = c->root,
		.permissions = p->permissions,
		.uid = p->uid < 0 ? gid : p->uid,
		.gid = p->gid < 0 ? gid : p->gid,
		.tags = c->tags,
	};

	return efs_point_create(efs_of(c), &spec, &c->point, err);
}

/* A directory that several volumes may share, and one has a quota there: a
 * directory has one, so that of this volume is only kept. */
static bool may_share(const struct creation *c, const struct efs_error *err)
{
	return strcmp(err->code, "BadRequest") == 0 && c->capacity > 0 &&
	       c->params.pattern[0] && !c->params.unique_directory;
}

/* 1: it is there now, made by this call; 0: it was there before. */
static int create_point(struct creation *c, uint32_t gid)
{
	struct efs_error err;

	if (ask_for_point(c, gid, &err) == 0)
		return 1;
	if (may_share(c, &err)) {
		set_tags(c, EFS_TAG_CAPACITY);
		if (ask_for_point(c, gid, &err) == 0)
			return 1;
	}
	if (strcmp(err.code, "AccessPointAlreadyExists") == 0)
		return adopt(c, err.resource);
	return csi_refuse_efs(c->call, "Failed to create Access point", &err);
}

/* 1: done; 0: another process took the same gid, which was given up. */
static int confirm(struct creation *c, uint32_t gid)
{
	struct efs_error err;
	int r = gid_is_alone(&c->call->csi->gids, c->params.fs, gid,
			     c->point.id, &err);

	if (r < 0) /* a repetition finds it */
		return csi_refuse_efs(c->call, "Failed to list Access points",
				      &err);
	if (r == 1)
		return 1;
	log_info("%s: gid %u is another's, too; once more", c->point.id, gid);
	if (efs_point_delete(efs_of(c), c->point.id, &err) < 0 &&
	    !efs_not_found(&err))
		return csi_refuse_efs(c->call, "Failed to delete Access point",
				      &err);
	return 0;
}

/* As above; 1 also for one that was there before. */
static int create_with_gid(struct creation *c, unsigned attempt)
{
	struct gid_pools *gids = &c->call->csi->gids;
	struct efs_error err;
	uint32_t gid;
	int r = gid_take(gids, c->params.fs, &c->range, attempt, &gid, &err);

	if (r == -ENOSPC)
		return adopt_or_refuse(c) < 0 ? -1 : 1;
	if (r == -EIO)
		return csi_refuse_efs(c->call, "Failed to list Access points",
				      &err);
	if (r < 0)
		return csi_refuse(c->call, GRPC_STATUS_INTERNAL, "%s",
				  strerror(-r));
	r = create_point(c, gid);
	if (r == 1)
		r = confirm(c, gid);
	else if (r == 0)
		r = 1;
	gid_return(gids, c->params.fs, gid);
	return r;
}

static int create(struct creation *c)
{
	int r = 0;

	if (c->params.uid >= 0 && c->params.gid >= 0)
		return create_point(c, 0);
	for (unsigned i = 0; i < ATTEMPTS && r == 0; i++)
		r = create_with_gid(c, i);
	if (r == 0)
		return csi_refuse(c->call, GRPC_STATUS_ABORTED,
				  "others take the same gids of %s; try again",
				  c->params.fs);
	return r;
}

/* ------------------------------------------------------------------- answer */

static int find_zone(struct creation *c)
{
	struct efs_error err;

	if (!c->params.zone_affinity)
		return 0;
	if (efs_fs_zone(efs_of(c), c->params.fs, c->zone, &err) < 0)
		return csi_refuse_efs(c->call, "Failed to describe file system",
				      &err);
	return 0;
}

static void add_context(struct creation *c, Csi__V1__Volume *v, const char *key,
			const char *value)
{
	Csi__V1__Volume__VolumeContextEntry *e = csi_message(
		c->call, &csi__v1__volume__volume_context_entry__descriptor);

	e->key = (char *)key;
	e->value = (char *)value;
	v->volume_context[v->n_volume_context++] = e;
}

static void answer(struct creation *c)
{
	Csi__V1__CreateVolumeResponse *out =
		(Csi__V1__CreateVolumeResponse *)c->call->response;
	Csi__V1__Volume *v = volume_describe(c->call, &c->point);

	if (v->capacity_bytes == 0) /* not kept: enableTagging is false */
		v->capacity_bytes = c->capacity;
	v->volume_context = csi_alloc(c->call, 2 * sizeof(void *));
	if (c->params.multipathing) {
		add_context(c, v, "multipathing", "true");
		add_context(c, v, "maxMultipathTargets",
			    csi_printf(c->call, "%lld",
				       (long long)c->params.max_targets));
	}
	if (c->zone[0]) {
		v->n_accessible_topology = 1;
		v->accessible_topology =
			csi_alloc(c->call, sizeof(*v->accessible_topology));
		v->accessible_topology[0] = volume_topology(c->call, c->zone);
	}
	out->volume = v;
}

static int create_named(struct creation *c)
{
	int r = find_zone(c);

	if (r < 0)
		return r;
	set_tags(c, EFS_TAG_QUOTA);
	r = create(c);
	json_decref(c->tags);
	if (r < 0)
		return r;
	answer(c);
	return 0;
}

int csi_create_volume(struct csi_call *call)
{
	struct creation c = {
		.call = call,
		.in = (const Csi__V1__CreateVolumeRequest *)call->request
	};
	const char *protocol = csi_map_get(c.in->n_parameters, c.in->parameters,
					   "protocol");
	int r;

	if (protocol != NULL && strcmp(protocol, "nvme") == 0)
		return nvme_create_volume(call);
	if (check_params(&c, pairs_of(&c)) < 0 || set_names(&c) < 0 ||
	    csi_begin(call, "volume", c.token) < 0)
		return -1;
	r = create_named(&c);
	csi_end(call, c.token);
	return r;
}
