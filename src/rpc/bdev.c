/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices: those that keep bytes, and what all kinds share. */
#include "rpc/bdev.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "rpc/events.h"

/* ------------------------------------------------------------- shared --- */

int bdev_spec_start(struct rpc_call *call, struct block_spec *spec,
		    enum block_kind kind, const char *name)
{
	const char *uuid = rpc_string(call, "uuid");

	memset(spec, 0, sizeof(*spec));
	spec->kind = kind;
	if (strlen(name) > BLOCK_NAME_MAX || name[0] == '\0')
		return rpc_refuse(call, -EINVAL,
				  "A device's name has 1 to %d bytes",
				  BLOCK_NAME_MAX);
	strcpy(spec->name, name);
	if (uuid != NULL && !uuid_parse(uuid, spec->uuid))
		return rpc_refuse(call, -EINVAL, "'%.64s' is not a UUID", uuid);
	return 0;
}

int bdev_create(struct rpc_call *call, const struct block_spec *spec,
		json_t *params)
{
	char path[LEDGER_PATH_SIZE], text[256] = "", uuid[UUID_TEXT_SIZE];
	struct block_device *d;
	int r = rpc_path(call, path, "bdev", spec->name);

	if (r == 0)
		r = rpc_check_new(call, path, -EEXIST);
	if (r == 0) {
		r = block_create(call->env->blocks, spec, &d, text);
		if (r < 0)
			rpc_fail(call, r, r, text);
	}
	if (r != 0) {
		json_decref(params);
		return r;
	}
	if (spec->kind != BLOCK_ERROR) /* whose name is made from the base's */
		json_object_set_new(params, "name", json_string(spec->name));
	json_object_set_new(params, "uuid",
			    json_string(uuid_format(block_uuid(d), uuid)));
	r = rpc_record(call, "bdev", path, params);
	if (r != 0) {
		block_destroy(d);
		return r;
	}
	rpc_event(call->env->events, "bdev_register", spec->name);
	call->result = json_string(spec->name);
	return 0;
}

static int no_such_device(struct rpc_call *call, const char *name)
{
	rpc_refuse(call, -ENODEV, "There is no device '%.64s'", name);
	return -ENODEV;
}

struct block_device *bdev_find(struct rpc_call *call, const char *member,
			       unsigned kinds)
{
	const char *name = rpc_string(call, member);
	struct block_device *d = block_find(call->env->blocks, name);
	struct block_spec spec;

	if (d == NULL) {
		no_such_device(call, name);
		return NULL;
	}
	block_get_spec(d, &spec);
	if (kinds & (1U << spec.kind))
		return d;
	rpc_refuse(call, -ENODEV,
		   "%s is not for '%.64s', which is of another "
		   "kind",
		   call->method->name, name);
	return NULL;
}

/* Has the call of the ledger a parameter with this value? */
static bool has_param(const struct ledger_entry *e, const char *member,
		      const char *value)
{
	const char *text =
		json_string_value(json_object_get(e->params, member));

	return text != NULL && strcmp(text, value) == 0;
}

/* The device that stands on `name`, or would. */
static const struct ledger_entry *find_above(const struct rpc_call *call,
					     const char *name)
{
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL)
		if (strncmp(e->path, "bdev\t", 5) == 0 &&
		    (has_param(e, "base_bdev_name", name) ||
		     has_param(e, "base_name", name)))
			return e;
	return NULL;
}

/* Namespaces go with their device. */
static void drop_namespaces(const struct rpc_call *call, const char *name)
{
	struct ledger *l = call->env->ledger;
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(l, e)) != NULL) {
		const char *device = json_string_value(json_object_get(
			json_object_get(e->params, "namespace"), "bdev_name"));

		if (strcmp(e->method, "nvmf_subsystem_add_ns") == 0 &&
		    device != NULL && strcmp(device, name) == 0)
			ledger_drop_below(l, e->path);
	}
}

/* `d` is NULL if it could not be restored. */
static int check_delete(struct rpc_call *call, const char *name,
			const char *path, const struct block_device *d)
{
	const struct ledger_entry *above = find_above(call, name);

	if (above != NULL)
		return rpc_refuse(call, -EBUSY,
				  "'%.64s' is the base of '%.64s': delete that "
				  "first",
				  name, above->path + strlen("bdev\t"));
	if (rpc_entry(call, path) != NULL)
		return 0;
	if (d != NULL)
		return rpc_refuse(call, -EBUSY,
				  "'%.64s' belongs to a volume: it goes with "
				  "that",
				  name);
	return no_such_device(call, name);
}

int bdev_delete(struct rpc_call *call, unsigned kinds)
{
	const char *given = rpc_string(call, "name");
	char path[LEDGER_PATH_SIZE], name[BLOCK_NAME_MAX + 1];
	struct block_device *d = block_find(call->env->blocks, given);
	int r;

	if (d != NULL && bdev_find(call, "name", kinds) == NULL)
		return call->code;
	snprintf(name, sizeof(name), "%s", d ? block_name(d) : given);
	r = rpc_path(call, path, "bdev", name);
	if (r == 0)
		r = check_delete(call, name, path, d);
	if (r != 0)
		return r;
	drop_namespaces(call, name);
	r = rpc_forget(call, path);
	if (r != 0)
		return r;
	call->result = json_true();
	if (d == NULL)
		return 0;
	rpc_event(call->env->events, "bdev_unregister", name);
	r = block_destroy(d);
	return r < 0 ? rpc_fail(call, r, r, NULL) : 0;
}

/* -------------------------------------------------------------- malloc --- */

/* Malloc0, Malloc1, …: the first that is neither there nor expected. */
static void choose_name(const struct rpc_call *call, char name[32])
{
	char path[LEDGER_PATH_SIZE];
	unsigned i = 0;

	do {
		snprintf(name, 32, "Malloc%u", i++);
		ledger_path(path, "bdev", name, NULL);
	} while (block_find(call->env->blocks, name) != NULL ||
		 rpc_entry(call, path) != NULL);
}

static int malloc_create(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	struct block_spec spec;
	char chosen[32];
	int r;

	if (name == NULL) {
		choose_name(call, chosen);
		name = chosen;
	}
	r = bdev_spec_start(call, &spec, BLOCK_MALLOC, name);
	if (r != 0)
		return r;
	spec.blocks = rpc_uint64(call, "num_blocks", 0);
	spec.block_size = rpc_integer(call, "block_size", 0);
	if (spec.blocks == 0)
		return rpc_refuse(call, -EINVAL, "num_blocks is 0");
	return bdev_create(call, &spec, rpc_params_copy(call));
}

static int malloc_delete(struct rpc_call *call)
{
	return bdev_delete(call, 1 << BLOCK_MALLOC);
}

static int malloc_resize(struct rpc_call *call)
{
	struct block_device *d = bdev_find(call, "name", 1 << BLOCK_MALLOC);
	uint64_t mib = rpc_uint64(call, "new_size", 0), blocks;
	char path[LEDGER_PATH_SIZE];
	int r;

	if (d == NULL)
		return call->code;
	if (mib == 0 || mib > UINT64_MAX >> 24)
		return rpc_refuse(call, -EINVAL, "new_size can't be that");
	blocks = (mib << 20) / block_size(d);
	r = block_resize(d, blocks);
	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	call->result = json_true();
	r = rpc_path(call, path, "bdev", block_name(d));
	return r ? r
		 : rpc_record_member(call, path, "num_blocks",
				     json_integer(blocks));
}

/* --------------------------------------------------------------- files --- */

/* It has to be found again from wherever the next process starts. */
static int absolute_path(const char *filename, char *out, size_t size)
{
	char cwd[2048] = "";
	size_t n;

	if (filename[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return -errno;
	n = snprintf(out, size, "%s%s%s", cwd, cwd[0] ? "/" : "", filename);
	return n < size ? 0 : -ENAMETOOLONG;
}

static int file_create(struct rpc_call *call)
{
	struct block_spec spec;
	json_t *params;
	int r = bdev_spec_start(call, &spec, BLOCK_FILE,
				rpc_string(call, "name"));

	if (r != 0)
		return r;
	r = absolute_path(rpc_string(call, "filename"), spec.file.path,
			  sizeof(spec.file.path));
	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	spec.file.read_only = rpc_boolean(call, "readonly", false);
	spec.block_size = rpc_integer(call, "block_size", 0);
	params = rpc_params_copy(call);
	json_object_set_new(params, "filename", json_string(spec.file.path));
	return bdev_create(call, &spec, params);
}

static int file_delete(struct rpc_call *call)
{
	return bdev_delete(call, BDEV_FILES);
}

static int file_rescan(struct rpc_call *call)
{
	struct block_device *d = bdev_find(call, "name", BDEV_FILES);
	int r = d ? block_resize(d, 0) : call->code;

	if (r < 0 && d != NULL)
		return rpc_fail(call, r, r, NULL);
	call->result = json_true();
	return r;
}

/* -------------------------------------------------------------- limits --- */

static const char *const limit_names[] = { "rw_ios_per_sec",
					   "rw_mbytes_per_sec",
					   "r_mbytes_per_sec",
					   "w_mbytes_per_sec" };

/* Limits that are not given stay. */
static int set_qos_limit(struct rpc_call *call)
{
	struct block_device *d = bdev_find(call, "name", BDEV_ANY);
	char path[LEDGER_PATH_SIZE];
	struct block_limits l;
	uint64_t *const values[] = { &l.ios_per_sec, &l.bytes_per_sec,
				     &l.read_bytes_per_sec,
				     &l.write_bytes_per_sec };
	json_t *params = json_object();
	int r, given = 0;

	r = d ? rpc_path(call, path, "bdev", block_name(d), "qos") : call->code;
	if (r == 0)
		block_get_limits(d, &l);
	json_object_set_new(params, "name",
			    json_string(d ? block_name(d) : ""));
	for (int i = 0; r == 0 && i < 4; i++) {
		uint64_t unit = i == 0 ? 1 : MIB(1);
		uint64_t n =
			rpc_uint64(call, limit_names[i], *values[i] / unit);

		given += rpc_object(call, limit_names[i]) != NULL;
		if (n > INT64_MAX / unit)
			r = rpc_refuse(call, -EINVAL, "%s can't be that much",
				       limit_names[i]);
		*values[i] = n * unit;
		json_object_set_new(params, limit_names[i], json_integer(n));
	}
	if (r == 0 && given == 0)
		r = rpc_refuse(call, -EINVAL, "no limit is given");
	if (r == 0 && (r = block_set_limits(d, &l)) < 0)
		rpc_fail(call, r, r, NULL);
	if (r != 0) {
		json_decref(params);
		return r;
	}
	call->result = json_true();
	return rpc_record(call, "bdev", path, params);
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param malloc_create_params[] = {
	{ "num_blocks", RPC_UINT64, RPC_REQUIRED,
	  "size in blocks; on a command line, in MiB", "= %" },
	{ "block_size", RPC_INTEGER, RPC_REQUIRED, "bytes: 512 or 4096", "=" },
	{ "name", RPC_STRING, RPC_OPTIONAL,
	  "default: the first of Malloc0, Malloc1, … that is free",
	  "-b --name" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: a random one", "-u" },
	{ "physical_block_size", RPC_INTEGER, RPC_IGNORED, "a hint", "-p" },
	{ "optimal_io_boundary", RPC_INTEGER, RPC_IGNORED, "a hint", "-o" },
	{ "md_size", RPC_INTEGER, RPC_REFUSED, "metadata in each block", "-m" },
	{ "md_interleave", RPC_BOOLEAN, RPC_IGNORED, "of metadata", "-i" },
	{ "dif_type", RPC_INTEGER, RPC_REFUSED, "protection information",
	  "-t" },
	{ "dif_is_head_of_md", RPC_BOOLEAN, RPC_IGNORED,
	  "of protection information", "-d" },
	{ "dif_pi_format", RPC_INTEGER, RPC_REFUSED,
	  "of protection information", "-f" },
	{ "numa_id", RPC_INTEGER, RPC_IGNORED, "a hint", "-n" },
	{},
};
static const struct rpc_param malloc_resize_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device", "=" },
	{ "new_size", RPC_UINT64, RPC_REQUIRED, "in MiB", "=" },
	{},
};
static const struct rpc_param name_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device, or its UUID", "=" },
	{},
};
static const struct rpc_param aio_create_params[] = {
	{ "filename", RPC_STRING, RPC_REQUIRED,
	  "path of a file or a block device", "=" },
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device", "=" },
	{ "block_size", RPC_INTEGER, RPC_OPTIONAL,
	  "bytes: 512 or 4096; default: that of a block device, of a file 512",
	  "=" },
	{ "readonly", RPC_BOOLEAN, RPC_OPTIONAL, "writes are refused", "-r" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: a random one", "-u" },
	{ "fallocate", RPC_BOOLEAN, RPC_IGNORED,
	  "space is freed, where the file system can", "--fallocate" },
	{ "nowait", RPC_BOOLEAN, RPC_IGNORED, "nothing waits", "--no-wait" },
	{},
};
static const struct rpc_param qos_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device, or its UUID", "=" },
	{ "rw_ios_per_sec", RPC_UINT64, RPC_OPTIONAL,
	  "reads and writes; 0: no limit", "--rw-ios-per-sec" },
	{ "rw_mbytes_per_sec", RPC_UINT64, RPC_OPTIONAL,
	  "MiB read and written; 0: no limit", "--rw-mbytes-per-sec" },
	{ "r_mbytes_per_sec", RPC_UINT64, RPC_OPTIONAL, "MiB read; 0: no limit",
	  "--r-mbytes-per-sec" },
	{ "w_mbytes_per_sec", RPC_UINT64, RPC_OPTIONAL,
	  "MiB written; 0: no limit", "--w-mbytes-per-sec" },
	{},
};

const struct rpc_method rpc_bdev_methods[] = {
	{ "bdev_malloc_create", malloc_create,
	  "Creates a device in memory, and answers with its name. It is empty "
	  "again after a restart.",
	  malloc_create_params, RPC_CHANGES },
	{ "bdev_malloc_delete", malloc_delete,
	  "Deletes a device in memory; namespaces of it go, too.", name_params,
	  RPC_CHANGES },
	{ "bdev_malloc_resize", malloc_resize,
	  "Changes the size of a device in memory.", malloc_resize_params,
	  RPC_CHANGES },
	{ "bdev_aio_create", file_create,
	  "Makes a device of a file or a block device, and answers with its "
	  "name.",
	  aio_create_params, RPC_CHANGES },
	{ "bdev_aio_delete", file_delete,
	  "Deletes such a device, not the file; namespaces of it go, too.",
	  name_params, RPC_CHANGES },
	{ "bdev_aio_rescan", file_rescan,
	  "Takes notice of the file's new size.", name_params, RPC_CHANGES },
	{ "bdev_uring_create", file_create, "The same as bdev_aio_create.",
	  aio_create_params, RPC_CHANGES },
	{ "bdev_uring_delete", file_delete, "The same as bdev_aio_delete.",
	  name_params, RPC_CHANGES },
	{ "bdev_uring_rescan", file_rescan, "The same as bdev_aio_rescan.",
	  name_params, RPC_CHANGES },
	{ "bdev_set_qos_limit", set_qos_limit,
	  "Limits what a device does in a second; what is beyond waits.",
	  qos_params, RPC_CHANGES },
	{},
};
