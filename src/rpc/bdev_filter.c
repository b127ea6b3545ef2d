/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block devices that stand on others: delay, error, crypt.  A key is a call of
 * the ledger like any other, but its secret is told to nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "rpc/bdev.h"

static int set_base(struct rpc_call *call, struct block_spec *spec,
		    const char *member)
{
	struct block_device *d = bdev_find(call, member, BDEV_ANY);

	if (d == NULL)
		return call->code;
	strcpy(spec->base, block_name(d));
	return 0;
}

/* The call's parameters, with the base by its name. */
static json_t *params_on(struct rpc_call *call, const char *member,
			 const struct block_spec *spec)
{
	json_t *params = rpc_params_copy(call);

	json_object_set_new(params, member, json_string(spec->base));
	return params;
}

/* --------------------------------------------------------------- delay --- */

static const struct {
	const char *param, *type;
	size_t offset;
} times[] = {
	{ "avg_read_latency", "avg_read",
	  offsetof(struct block_spec, delay.avg_read) },
	{ "p99_read_latency", "p99_read",
	  offsetof(struct block_spec, delay.p99_read) },
	{ "avg_write_latency", "avg_write",
	  offsetof(struct block_spec, delay.avg_write) },
	{ "p99_write_latency", "p99_write",
	  offsetof(struct block_spec, delay.p99_write) },
};

static const uint64_t time_max = 3600000000; /* µs */

static int set_time(struct rpc_call *call, struct block_spec *spec, size_t i,
		    uint64_t us)
{
	if (us > time_max)
		return rpc_refuse(call, -EINVAL, "%s is more than an hour",
				  times[i].param);
	*(nsec *)((char *)spec + times[i].offset) = USEC(us);
	return 0;
}

static int delay_create(struct rpc_call *call)
{
	struct block_spec spec;
	int r = bdev_spec_start(call, &spec, BLOCK_DELAY,
				rpc_string(call, "name"));

	if (r == 0)
		r = set_base(call, &spec, "base_bdev_name");
	for (size_t i = 0; i < ARRAY_SIZE(times) && r == 0; i++)
		r = set_time(call, &spec, i,
			     rpc_uint64(call, times[i].param, 0));
	if (r != 0)
		return r;
	return bdev_create(call, &spec,
			   params_on(call, "base_bdev_name", &spec));
}

static int delay_update_latency(struct rpc_call *call)
{
	struct block_device *d =
		bdev_find(call, "delay_bdev_name", 1 << BLOCK_DELAY);
	const char *type = rpc_string(call, "latency_type");
	uint64_t us = rpc_uint64(call, "latency_us", 0);
	char path[LEDGER_PATH_SIZE];
	struct block_spec spec;
	size_t i = 0;
	int r;

	if (d == NULL)
		return call->code;
	while (strcmp(times[i].type, type) != 0)
		i++;
	block_get_spec(d, &spec);
	r = set_time(call, &spec, i, us);
	if (r == 0 && (r = block_delay_set(d, &spec)) < 0)
		rpc_fail(call, r, r, NULL);
	if (r == 0)
		r = rpc_path(call, path, "bdev", block_name(d));
	if (r != 0)
		return r;
	call->result = json_true();
	return rpc_record_member(call, path, times[i].param, json_integer(us));
}

static int delay_delete(struct rpc_call *call)
{
	return bdev_delete(call, 1 << BLOCK_DELAY);
}

/* --------------------------------------------------------------- error --- */

static int error_create(struct rpc_call *call)
{
	char name[BLOCK_NAME_MAX + 8];
	struct block_spec spec = {};
	int r = set_base(call, &spec, "base_name");
	char base[BLOCK_NAME_MAX + 1];

	if (r != 0)
		return r;
	strcpy(base, spec.base);
	snprintf(name, sizeof(name), "EE_%s", base);
	r = bdev_spec_start(call, &spec, BLOCK_ERROR, name);
	if (r != 0)
		return r;
	strcpy(spec.base, base);
	r = bdev_create(call, &spec, params_on(call, "base_name", &spec));
	if (r == 0) {
		json_decref(call->result);
		call->result = json_true(); /* as SPDK */
	}
	return r;
}

static int error_delete(struct rpc_call *call)
{
	return bdev_delete(call, 1 << BLOCK_ERROR);
}

static int error_op(const char *io_type)
{
	static const struct {
		const char *name;
		int op;
	} ops[] = {
		{ "read", BLOCK_READ },
		{ "write", BLOCK_WRITE },
		{ "unmap", BLOCK_DEALLOCATE },
		{ "flush", BLOCK_FLUSH },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(ops[i].name, io_type) == 0)
			return ops[i].op;
	return -1;
}

static enum block_fault error_fault(const char *io_type, const char *type)
{
	if (strcmp(io_type, "clear") == 0)
		return BLOCK_FAULT_NONE;
	return strcmp(type, "failure") == 0	   ? BLOCK_FAULT_FAIL
	       : strcmp(type, "pending") == 0	   ? BLOCK_FAULT_PENDING
	       : strcmp(type, "corrupt_data") == 0 ? BLOCK_FAULT_CORRUPT
						   : BLOCK_FAULT_NOMEM;
}

/* Not written down: a fault is for now.  And not kept waiting by a change that
 * waits for the very requests that are to be let go. */
static int error_inject(struct rpc_call *call)
{
	struct block_device *d = bdev_find(call, "name", 1 << BLOCK_ERROR);
	const char *io_type = rpc_string(call, "io_type");
	struct block_injection what = {
		.fault = error_fault(io_type, rpc_string(call, "error_type")),
		.op = error_op(io_type),
		.count = rpc_integer(call, "num", 1),
		.queue_depth = rpc_integer(call, "queue_depth", 0),
		.corrupt_offset = rpc_uint64(call, "corrupt_offset", 0),
		.corrupt_value = rpc_integer(call, "corrupt_value", 0),
	};
	int r;

	if (d == NULL)
		return call->code;
	if (what.fault == BLOCK_FAULT_CORRUPT && what.corrupt_value == 0)
		return rpc_refuse(call, -EINVAL,
				  "corrupt_value is 1 to 255, not 0");
	r = block_inject(d, &what);
	if (r < 0)
		return rpc_fail(call, r, r, NULL);
	call->result = json_true();
	return 0;
}

/* -------------------------------------------------------------- crypto --- */

static int key_create(struct rpc_call *call)
{
	const char *key = rpc_string(call, "key");
	const char *key2 = rpc_string(call, "key2");
	size_t bytes = strlen(key) / 2;
	char path[LEDGER_PATH_SIZE];
	uint8_t raw[32];
	int r;

	if ((bytes != 16 && bytes != 32) || !hex_parse(key, raw, bytes))
		return rpc_refuse(call, -EINVAL,
				  "key has 32 or 64 hexadecimal digits");
	explicit_bzero(raw, sizeof(raw));
	if (key2 == NULL || !hex_parse(key2, raw, bytes))
		return rpc_refuse(call, -EINVAL,
				  "AES_XTS needs a key2 as long as key");
	explicit_bzero(raw, sizeof(raw));
	if (strcasecmp(key, key2) == 0)
		return rpc_refuse(call, -EINVAL, "key and key2 are the same");
	r = rpc_path(call, path, "accel", rpc_string(call, "name"));
	if (r == 0)
		r = rpc_check_new(call, path, -EEXIST);
	if (r != 0)
		return r;
	call->result = json_true();
	return rpc_record(call, "accel", path, rpc_params_copy(call));
}

static bool key_is_used(const struct rpc_call *call, const char *name)
{
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		const char *used = json_string_value(
			json_object_get(e->params, "key_name"));

		if (used != NULL && strcmp(used, name) == 0)
			return true;
	}
	return false;
}

static int key_destroy(struct rpc_call *call)
{
	const char *name = rpc_string(call, "key_name");
	char path[LEDGER_PATH_SIZE];
	int r = rpc_path(call, path, "accel", name);

	if (r == 0 && rpc_entry(call, path) == NULL)
		r = rpc_refuse(call, -ENOENT, "There is no key '%.64s'", name);
	if (r == 0 && key_is_used(call, name))
		r = rpc_refuse(call, -EBUSY, "A device uses key '%.64s'", name);
	if (r != 0)
		return r;
	call->result = json_true();
	return rpc_forget(call, path);
}

static int keys_get(struct rpc_call *call)
{
	const char *wanted = rpc_string(call, "key_name");
	struct ledger_entry *e = NULL;

	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		const json_t *name = json_object_get(e->params, "name");

		if (strncmp(e->path, "accel\t", 6) != 0 ||
		    (wanted && strcmp(json_string_value(name), wanted) != 0))
			continue;
		json_array_append_new(
			call->result,
			json_pack("{s:O, s:O, s:s}", "name", name, "cipher",
				  json_object_get(e->params, "cipher"),
				  "tweak_mode", "SIMPLE_LBA"));
	}
	if (wanted && json_array_size(call->result) == 0)
		return rpc_refuse(call, -ENOENT, "There is no key '%.64s'",
				  wanted);
	return 0;
}

static int set_key(struct rpc_call *call, struct block_spec *spec)
{
	const char *name = rpc_string(call, "key_name"), *halves[2];
	char path[LEDGER_PATH_SIZE];
	const struct ledger_entry *e;
	int r = rpc_path(call, path, "accel", name);
	size_t n;

	if (r != 0)
		return r;
	e = rpc_entry(call, path);
	if (e == NULL)
		return rpc_refuse(call, -EINVAL, "There is no key '%.64s'",
				  name);
	halves[0] = json_string_value(json_object_get(e->params, "key"));
	halves[1] = json_string_value(json_object_get(e->params, "key2"));
	n = halves[0] ? strlen(halves[0]) / 2 : 0;
	if (n == 0 || n > 32 || halves[1] == NULL ||
	    !hex_parse(halves[0], spec->crypt.key, n) ||
	    !hex_parse(halves[1], spec->crypt.key + n, n))
		return rpc_refuse(call, -EINVAL, "Key '%.64s' can't be read",
				  name);
	spec->crypt.key_len = 2 * n;
	return 0;
}

static int crypto_create(struct rpc_call *call)
{
	struct block_spec spec;
	int r = bdev_spec_start(call, &spec, BLOCK_CRYPT,
				rpc_string(call, "name"));

	if (r == 0)
		r = set_base(call, &spec, "base_bdev_name");
	if (r == 0)
		r = set_key(call, &spec);
	if (r == 0)
		r = bdev_create(call, &spec,
				params_on(call, "base_bdev_name", &spec));
	explicit_bzero(&spec, sizeof(spec));
	return r;
}

static int crypto_delete(struct rpc_call *call)
{
	return bdev_delete(call, 1 << BLOCK_CRYPT);
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param name_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device, or its UUID", "=" },
	{},
};
static const struct rpc_param delay_create_params[] = {
	{ "base_bdev_name", RPC_STRING, RPC_REQUIRED, "of the base",
	  "-b --base-bdev-name" },
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device", "-d --name" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: a random one", "-u" },
	{ "avg_read_latency", RPC_UINT64, RPC_REQUIRED,
	  "µs that a read waits before it reaches the base", "-r" },
	{ "p99_read_latency", RPC_UINT64, RPC_REQUIRED,
	  "the same for one read in a hundred", "-t --nine-nine-read-latency" },
	{ "avg_write_latency", RPC_UINT64, RPC_REQUIRED,
	  "µs that a write waits", "-w" },
	{ "p99_write_latency", RPC_UINT64, RPC_REQUIRED,
	  "the same for one write in a hundred",
	  "-n --nine-nine-write-latency" },
	{},
};
static const struct rpc_param delay_update_params[] = {
	{ "delay_bdev_name", RPC_STRING, RPC_REQUIRED, "of the device", "=" },
	{ "latency_type", RPC_STRING, RPC_REQUIRED, "which of its times", "=",
	  "avg_read|avg_write|p99_read|p99_write" },
	{ "latency_us", RPC_UINT64, RPC_REQUIRED, "µs", "=" },
	{},
};
static const struct rpc_param error_create_params[] = {
	{ "base_name", RPC_STRING, RPC_REQUIRED,
	  "of the base; the device is called EE_ and that", "=" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: a random one", "--uuid" },
	{},
};
static const struct rpc_param error_inject_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device", "=" },
	{ "io_type", RPC_STRING, RPC_REQUIRED,
	  "requests that it is done to; clear ends it", "=",
	  "clear|read|write|unmap|flush|all" },
	{ "error_type", RPC_STRING, RPC_REQUIRED, "what is done to them", "=",
	  "failure|pending|corrupt_data|nomem" },
	{ "num", RPC_INTEGER, RPC_OPTIONAL, "to how many; default: 1", "-n" },
	{ "queue_depth", RPC_INTEGER, RPC_OPTIONAL,
	  "only when that many are in progress", "-q" },
	{ "corrupt_offset", RPC_UINT64, RPC_OPTIONAL,
	  "byte of the data to change", "-o" },
	{ "corrupt_value", RPC_INTEGER, RPC_OPTIONAL,
	  "1 to 255: what it is XORed with", "-v" },
	{ "nvme_sct", RPC_INTEGER, RPC_REFUSED, "an NVMe status",
	  "--nvme-sct" },
	{ "nvme_sc", RPC_INTEGER, RPC_REFUSED, "an NVMe status", "--nvme-sc" },
	{},
};
static const struct rpc_param key_create_params[] = {
	{ "cipher", RPC_STRING, RPC_REQUIRED, "only this one", "-c",
	  "AES_XTS" },
	{ "key", RPC_STRING, RPC_REQUIRED,
	  "32 or 64 hexadecimal digits (AES-128, AES-256)", "-k" },
	{ "key2", RPC_STRING, RPC_OPTIONAL,
	  "the other key of XTS; as long as the first, and different", "-e" },
	{ "tweak_mode", RPC_STRING, RPC_OPTIONAL, "only this one", "-t",
	  "SIMPLE_LBA" },
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "-n" },
	{},
};
static const struct rpc_param key_destroy_params[] = {
	{ "key_name", RPC_STRING, RPC_REQUIRED, "of the key", "-n --name" },
	{},
};
static const struct rpc_param keys_get_params[] = {
	{ "key_name", RPC_STRING, RPC_OPTIONAL, "only this one", "-k" },
	{},
};
static const struct rpc_param crypto_create_params[] = {
	{ "base_bdev_name", RPC_STRING, RPC_REQUIRED, "of the base", "=" },
	{ "name", RPC_STRING, RPC_REQUIRED, "of the device", "=" },
	{ "key_name", RPC_STRING, RPC_REQUIRED, "see accel_crypto_key_create",
	  "-n --key-name" },
	{ "uuid", RPC_STRING, RPC_OPTIONAL, "default: a random one", "--uuid" },
	{},
};

const struct rpc_method rpc_bdev_filter_methods[] = {
	{ "bdev_delay_create", delay_create,
	  "Creates a device whose requests wait before they reach its base.",
	  delay_create_params, RPC_CHANGES },
	{ "bdev_delay_update_latency", delay_update_latency,
	  "Changes how long requests of such a device wait.",
	  delay_update_params, RPC_CHANGES },
	{ "bdev_delay_delete", delay_delete, "Deletes such a device.",
	  name_params, RPC_CHANGES },
	{ "bdev_error_create", error_create,
	  "Creates a device whose requests fail on demand.",
	  error_create_params, RPC_CHANGES },
	{ "bdev_error_inject_error", error_inject,
	  "Has the next requests of such a device fail, wait, or change "
	  "their data.",
	  error_inject_params },
	{ "bdev_error_delete", error_delete, "Deletes such a device.",
	  name_params, RPC_CHANGES },
	{ "accel_crypto_key_create", key_create,
	  "Names a key for bdev_crypto_create. It is kept in the state "
	  "directory, and told to nobody.",
	  key_create_params, RPC_CHANGES },
	{ "accel_crypto_key_destroy", key_destroy,
	  "Deletes a key that no device uses.", key_destroy_params,
	  RPC_CHANGES },
	{ "accel_crypto_keys_get", keys_get,
	  "Lists the keys, without their secrets.", keys_get_params,
	  RPC_READS },
	{ "bdev_crypto_create", crypto_create,
	  "Creates a device whose data is encrypted on its base (AES-XTS).",
	  crypto_create_params, RPC_CHANGES },
	{ "bdev_crypto_delete", crypto_delete, "Deletes such a device.",
	  name_params, RPC_CHANGES },
	{},
};
