/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes.  One is one entry of the ledger: the volume_create that would make
 * it again as it is.  While its file comes or goes the entry is a volume_delete
 * instead, so that whatever interrupts creation or deletion, the next start
 * removes what is left, and only that.
 *
 *	           file and parts are made
 *	(creating) ───────────────────────▶ (there)
 *	  volume_delete                 volume_create
 *	     │                                │ deleted
 *	     │ fails, or a restart            ▼
 *	     └──────▶ (gone) ◀────────── (deleting)
 *	              no entry           volume_delete
 */
#include "control/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "reactor/reactor.h"
#include "rpc/events.h"
#include "rpc/nvmf.h"

static struct volume_place place_of(const struct rpc_call *call)
{
	return (struct volume_place){
		.control = call->env->control,
		.blocks = call->env->blocks,
		.nvmet = call->env->nvmet,
		.directory = call->env->directory,
	};
}

/* ----------------------------------------------------------------- JSON --- */

/* As it is written down. */
static json_t *volume_to_json(const struct volume *v, nsec created)
{
	json_t *addresses = json_array();
	char uuid[UUID_TEXT_SIZE];

	for (size_t i = 0; i < v->n_listeners; i++)
		json_array_append_new(addresses,
				      nvmf_describe_address(&v->listeners[i]));
	return json_pack("{s:s, s:s, s:I, s:i, s:s, s:s, s:b, s:i, s:I, s:o}",
			 "id", v->id, "name", v->name, "size",
			 (json_int_t)v->size, "block_size", (int)v->block_size,
			 "uuid", uuid_format(v->uuid, uuid), "nqn", v->nqn,
			 "own_subsystem", (int)v->own, "nsid", (int)v->nsid,
			 "created", (json_int_t)created, "listen_addresses",
			 addresses);
}

static bool copy_text(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

/* It becomes part of a path. */
static bool is_id(const char *id)
{
	return strncmp(id, "vol-", 4) == 0 && strlen(id) == 21 &&
	       strspn(id + 4, "0123456789abcdef") == 17;
}

/* From parameters that name everything; false: they don't. */
static bool volume_from_json(struct rpc_call *call, const json_t *params,
			     struct volume *v)
{
	const char *id, *name, *uuid, *nqn;
	json_t *addresses, *one;
	json_int_t size;
	int block_size, own, nsid;
	size_t i;

	memset(v, 0, sizeof(*v));
	if (json_unpack((json_t *)params,
			"{s:s, s:s, s:I, s:i, s:s, s:s, s:b, s:i, s:o}", "id",
			&id, "name", &name, "size", &size, "block_size",
			&block_size, "uuid", &uuid, "nqn", &nqn,
			"own_subsystem", &own, "nsid", &nsid,
			"listen_addresses", &addresses) < 0 ||
	    !is_id(id) || !copy_text(v->id, sizeof(v->id), id) ||
	    !copy_text(v->name, sizeof(v->name), name) ||
	    !copy_text(v->nqn, sizeof(v->nqn), nqn) ||
	    !uuid_parse(uuid, v->uuid) || size <= 0 || block_size <= 0 ||
	    json_array_size(addresses) > VOLUME_LISTENERS_MAX)
		return false;
	v->size = size;
	v->block_size = block_size;
	v->own = own;
	v->nsid = nsid;
	json_array_foreach(addresses, i, one) if (
		nvmf_address(call, one,
			     &v->listeners[v->n_listeners++])) return false;
	return true;
}

/* By id or name; NULL: refused. */
static struct ledger_entry *find(struct rpc_call *call)
{
	const char *wanted = rpc_string(call, "name");
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		const char *name =
			json_string_value(json_object_get(e->params, "name"));

		if (strncmp(e->path, "volume\t", 7) == 0 &&
		    (strcmp(e->path + 7, wanted) == 0 ||
		     (name != NULL && strcmp(name, wanted) == 0)))
			return e;
	}
	rpc_refuse(call, -ENOENT, "Volume '%.64s' does not exist", wanted);
	return NULL;
}

/* --------------------------------------------------------------- create --- */

static int check_name(struct rpc_call *call, const char *name)
{
	struct ledger_entry *e = NULL;

	if (strlen(name) > BLOCK_NAME_MAX || name[0] == '\0')
		return rpc_refuse(call, -EINVAL,
				  "A volume's name has 1 to %d bytes",
				  BLOCK_NAME_MAX);
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return rpc_refuse(call, -EINVAL,
					  "A volume's name has no control "
					  "characters");
	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		const char *other =
			json_string_value(json_object_get(e->params, "name"));

		if (strncmp(e->path, "volume\t", 7) == 0 && other != NULL &&
		    strcmp(other, name) == 0)
			return rpc_refuse(call, -EEXIST,
					  "Volume '%.64s' exists already",
					  name);
	}
	return 0;
}

/* The first nsid of the subsystem that is neither there nor expected. */
static uint32_t free_nsid(struct rpc_call *call, struct nvmet_subsystem *s,
			  const char *nqn)
{
	char path[LEDGER_PATH_SIZE], number[16];
	struct nvmet_namespace ns;

	for (uint32_t nsid = 1;; nsid++) {
		snprintf(number, sizeof(number), "%u", nsid);
		if (ledger_path(path, "subsystem", nqn, "ns", number, NULL) &&
		    rpc_entry(call, path) != NULL)
			continue;
		if (!nvmet_namespace_next(s, nsid - 1, &ns) || ns.nsid != nsid)
			return nsid;
	}
}

static int choose(struct rpc_call *call, const struct volume_place *p,
		  struct volume *v)
{
	const char *name = rpc_string(call, "name");
	const char *nqn = rpc_string(call, "subsystem");
	int block_size = rpc_integer(call, "block_size", 4096);
	struct nvmet_subsystem *s;
	int r = check_name(call, name);

	if (r != 0)
		return r;
	if (rpc_object(call, "id") != NULL) /* all was chosen before */
		return volume_from_json(call, call->params, v)
			       ? 0
			       : rpc_refuse(call, -EINVAL,
					    "With an id all the rest has to be "
					    "given, too");
	memset(v, 0, sizeof(*v));
	strcpy(v->name, name);
	v->size = rpc_uint64(call, "size", 0);
	if (block_size != 512 && block_size != 4096)
		return rpc_refuse(call, -EINVAL,
				  "block_size is 512 or 4096, not %d",
				  block_size);
	v->block_size = block_size;
	if (v->size == 0 || v->size % block_size != 0)
		return rpc_refuse(call, -EINVAL,
				  "The size is a multiple of %d bytes",
				  block_size);
	r = volume_name(p, v);
	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	v->own = nqn == NULL;
	v->nsid = 1;
	if (v->own)
		return 0;
	s = nvmet_subsystem_find(p->nvmet, nqn);
	if (s == NULL || !copy_text(v->nqn, sizeof(v->nqn), nqn))
		return rpc_refuse(call, -ENODEV,
				  "There is no subsystem '%.200s'", nqn);
	v->nsid = free_nsid(call, s, nqn);
	return 0;
}

/* NVMe/TCP with its defaults, if nobody has set it up yet; its entry becomes
 * part of the change that is being put together. */
static int need_transport(struct rpc_call *call, const struct volume_place *p)
{
	struct nvmet_transport tr = {};
	char text[256] = "";
	int r;

	if (nvmet_get_transport(p->nvmet) != NULL)
		return 0;
	r = nvmet_set_transport(p->nvmet, &tr, text);
	if (r < 0)
		return rpc_fail(call, r, r, text);
	ledger_set(call->env->ledger, "nvmf", "transport\tTCP",
		   "nvmf_create_transport",
		   nvmf_describe_transport(nvmet_get_transport(p->nvmet)));
	return rpc_commit(call);
}

static int make_parts(struct rpc_call *call, const struct volume_place *p,
		      struct volume *v)
{
	int port = rpc_integer(call, "port", VOLUME_PORT);
	char text[256] = "";
	int r;

	if (port < 1 || port > UINT16_MAX)
		return rpc_refuse(call, -EINVAL, "Port %d is not in 1..65535",
				  port);
	r = volume_start(p, v, true, text);
	if (r == 0 && v->own && v->n_listeners == 0)
		r = volume_listen(p, v, port, text);
	return r < 0 ? rpc_fail(call, r, r, text) : 0;
}

static void record_deletion(struct rpc_call *call, const struct volume *v,
			    const char *path)
{
	ledger_set(call->env->ledger, "volume", path, "volume_delete",
		   json_pack("{s:s}", "name", v->id));
}

static void undo(struct rpc_call *call, const struct volume_place *p,
		 const struct volume *v, const char *path)
{
	int r;

	volume_stop(p, v);
	r = volume_remove_file(p, v->id);
	if (r < 0)
		log_error("%s: removing its file: %s; the next start does",
			  v->id, strerror(-r));
	if (r < 0)
		return;
	ledger_drop_below(call->env->ledger, path);
	ledger_commit(call->env->ledger);
}

static int restore(struct rpc_call *call, const struct volume_place *p)
{
	char text[256];
	struct volume v;
	int r;

	if (!volume_from_json(call, call->params, &v))
		return rpc_refuse(call, -EINVAL, "It can't be read");
	r = volume_start(p, &v, false, text);
	call->result = json_true();
	return r < 0 ? rpc_fail(call, r, r, text) : 0;
}

static json_t *describe(const struct rpc_call *call,
			const struct ledger_entry *e);

static int volume_create(struct rpc_call *call)
{
	struct volume_place p = place_of(call);
	char path[LEDGER_PATH_SIZE];
	struct volume v;
	int r;

	if (call->replay)
		return restore(call, &p);
	r = choose(call, &p, &v);
	if (r == 0)
		r = need_transport(call, &p);
	if (r != 0)
		return r;
	ledger_path(path, "volume", v.id, NULL);
	r = rpc_check_new(call, path, -EEXIST);
	if (r != 0)
		return r;
	record_deletion(call, &v, path);
	r = rpc_commit(call);
	if (r != 0)
		return r;
	r = make_parts(call, &p, &v);
	if (r == 0) {
		ledger_set(call->env->ledger, "volume", path, "volume_create",
			   volume_to_json(&v, rpc_uint64(call, "created",
							 reactor_realtime())));
		r = rpc_commit(call);
	}
	if (r != 0) {
		undo(call, &p, &v, path);
		return r;
	}
	log_info("%s: volume '%s' of %llu bytes", v.id, v.name,
		 (unsigned long long)v.size);
	rpc_event(call->env->events, "bdev_register", v.id);
	call->result = describe(call, rpc_entry(call, path));
	return 0;
}

/* ------------------------------------------------- delete, resize, show --- */

/* Also the replay of one that was cut short. */
static int finish_deletion(struct rpc_call *call, const struct volume_place *p,
			   const char *id)
{
	char path[LEDGER_PATH_SIZE];
	int r = volume_remove_file(p, id);

	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	ledger_path(path, "volume", id, NULL);
	call->result = json_true();
	return rpc_forget(call, path);
}

static int volume_delete(struct rpc_call *call)
{
	struct volume_place p = place_of(call);
	char path[LEDGER_PATH_SIZE], below[LEDGER_PATH_SIZE];
	struct ledger_entry *e;
	struct volume v;
	int r;

	if (call->replay)
		return finish_deletion(call, &p, rpc_string(call, "name"));
	e = find(call);
	if (e == NULL)
		return call->code;
	if (!volume_from_json(call, e->params, &v)) /* is being deleted */
		return finish_deletion(call, &p, e->path + strlen("volume\t"));
	strcpy(path, e->path);
	record_deletion(call, &v, path);
	if (v.own && ledger_path(below, "subsystem", v.nqn, NULL))
		ledger_drop_below(call->env->ledger, below);
	r = rpc_commit(call);
	if (r != 0)
		return r;
	volume_stop(&p, &v);
	rpc_event(call->env->events, "bdev_unregister", v.id);
	log_info("%s: volume '%s' is deleted", v.id, v.name);
	return finish_deletion(call, &p, v.id);
}

static int volume_resize(struct rpc_call *call)
{
	const struct ledger_entry *e = find(call);
	uint64_t size = rpc_uint64(call, "size", 0);
	struct block_device *d;
	int r;

	if (e == NULL)
		return call->code;
	d = block_find(call->env->blocks, e->path + strlen("volume\t"));
	if (d == NULL)
		return rpc_refuse(call, -EIO,
				  "The volume could not be restored: %.160s",
				  e->text);
	if (size % block_size(d) != 0 || size / block_size(d) < block_count(d))
		return rpc_refuse(call, -EINVAL,
				  "The new size is a multiple of %u bytes, and "
				  "not less than it was",
				  block_size(d));
	r = block_resize(d, size / block_size(d));
	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	r = rpc_record_member(call, e->path, "size", json_integer(size));
	if (r != 0)
		return r;
	e = find(call);
	call->result = describe(call, e);
	return 0;
}

static const char *state_of(const struct ledger_entry *e)
{
	if (strcmp(e->method, "volume_delete") == 0)
		return "deleting";
	return e->error ? "error" : "available";
}

static json_t *describe(const struct rpc_call *call,
			const struct ledger_entry *e)
{
	const struct volume_place p = place_of(call);
	const char *id = e->path + strlen("volume\t");
	const struct block_device *d = block_find(call->env->blocks, id);
	json_t *out = json_pack("{s:s, s:s}", "id", id, "state", state_of(e));
	json_t *created = json_object_get(e->params, "created");

	json_object_update_missing(out, e->params);
	json_object_set_new(out, "used_bytes",
			    json_integer((json_int_t)volume_used(&p, id)));
	if (d != NULL)
		json_object_set_new(out, "size",
				    json_integer((json_int_t)(block_count(d) *
							      block_size(d))));
	if (created != NULL)
		json_object_set_new(
			out, "created",
			rpc_describe_time(json_integer_value(created)));
	if (e->error)
		json_object_set_new(out, "message", json_string(e->text));
	return out;
}

static int volume_get(struct rpc_call *call)
{
	struct ledger_entry *e = NULL;

	if (rpc_string(call, "name") != NULL) {
		e = find(call);
		if (e == NULL)
			return call->code;
		call->result = json_pack("[o]", describe(call, e));
		return 0;
	}
	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL)
		if (strncmp(e->path, "volume\t", 7) == 0)
			json_array_append_new(call->result, describe(call, e));
	return 0;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param create_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "no other volume has it",
	  "--name" },
	{ "size", RPC_UINT64, RPC_REQUIRED, "bytes", "--size" },
	{ "block_size", RPC_INTEGER, RPC_OPTIONAL,
	  "bytes: 512 or 4096; default: 4096", "--block-size" },
	{ "subsystem", RPC_STRING, RPC_OPTIONAL,
	  "NQN of one to put it into; default: one of its own, with a "
	  "listener in every subnet, for any host",
	  "--subsystem" },
	{ "port", RPC_INTEGER, RPC_OPTIONAL, "of the listeners; default: 4420",
	  "--port" },
	{ "id", RPC_STRING, RPC_OPTIONAL,
	  "with this, all the rest is taken as a saved configuration has it" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "with id" },
	{ "nqn", RPC_STRING, RPC_OPTIONAL, "with id: of the subsystem" },
	{ "own_subsystem", RPC_BOOLEAN, RPC_OPTIONAL,
	  "with id: the subsystem is the volume's" },
	{ "nsid", RPC_INTEGER, RPC_OPTIONAL, "with id: in the subsystem" },
	{ "created", RPC_UINT64, RPC_OPTIONAL,
	  "with id: nanoseconds since 1970" },
	{ "listen_addresses", RPC_OBJECTS, RPC_OPTIONAL,
	  "with id: of its own subsystem", .fields = nvmf_address_fields },
	{},
};
static const struct rpc_param name_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the volume, or its id", "=" },
	{},
};
static const struct rpc_param get_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL, "only this one; or its id", "=" },
	{},
};
static const struct rpc_param resize_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the volume, or its id", "=" },
	{ "size", RPC_UINT64, RPC_REQUIRED, "bytes; not less than now", "=" },
	{},
};

const struct rpc_method rpc_volume_methods[] = {
	{ "volume_create", volume_create,
	  "Creates a thin volume, and serves it over NVMe/TCP.", create_params,
	  RPC_CHANGES },
	{ "volume_get", volume_get, "Lists the volumes.", get_params,
	  RPC_READS },
	{ "volume_resize", volume_resize, "Makes a volume larger.",
	  resize_params, RPC_CHANGES },
	{ "volume_delete", volume_delete,
	  "Deletes a volume and its data; hosts are disconnected.", name_params,
	  RPC_CHANGES },
	{},
};
