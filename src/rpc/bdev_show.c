/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of block devices, and what they have done. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "reactor/reactor.h"
#include "rpc/bdev.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ------------------------------------------------------- bdev_get_bdevs --- */

static const char *product_name(enum block_kind kind)
{
	static const char *const names[] = {
		[BLOCK_MALLOC] = "Malloc disk",
		[BLOCK_FILE] = "AIO disk",
		[BLOCK_DELAY] = "delay",
		[BLOCK_ERROR] = "Error Injection Disk",
		[BLOCK_CRYPT] = "crypto",
	};

	return names[kind];
}

static json_t *describe_limits(const struct block_device *d)
{
	struct block_limits l;

	block_get_limits(d, &l);
	return json_pack("{s:I, s:I, s:I, s:I}", "rw_ios_per_sec",
			 (json_int_t)l.ios_per_sec, "rw_mbytes_per_sec",
			 (json_int_t)(l.bytes_per_sec / MIB(1)),
			 "r_mbytes_per_sec",
			 (json_int_t)(l.read_bytes_per_sec / MIB(1)),
			 "w_mbytes_per_sec",
			 (json_int_t)(l.write_bytes_per_sec / MIB(1)));
}

static json_t *describe_io_types(const struct block_device *d)
{
	static const char *const never[] = {
		"reset",	   "nvme_admin",  "nvme_io",
		"nvme_io_md",	   "zcopy",	  "get_zone_info",
		"zone_management", "zone_append", "compare_and_write",
		"seek_hole",	   "seek_data",	  "copy",
		"nvme_iov_md",	   "nvme_nssr",	  "write_uncorrectable",
	};
	json_t *out =
		json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "read",
			  (int)block_supports(d, BLOCK_READ), "write",
			  (int)block_supports(d, BLOCK_WRITE), "unmap",
			  (int)block_supports(d, BLOCK_DEALLOCATE), "flush",
			  (int)block_supports(d, BLOCK_FLUSH), "write_zeroes",
			  (int)block_supports(d, BLOCK_WRITE_ZEROES), "compare",
			  (int)block_supports(d, BLOCK_COMPARE), "abort", 1);

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		json_object_set_new(out, never[i], json_false());
	return out;
}

static json_t *describe_driver(const struct block_spec *s)
{
	switch (s->kind) {
	case BLOCK_FILE:
		return json_pack("{s:{s:s, s:b, s:b}}", "aio", "filename",
				 s->file.path, "readonly",
				 (int)s->file.read_only, "fallocate", 1);
	case BLOCK_DELAY:
		return json_pack("{s:{s:s, s:s, s:I, s:I, s:I, s:I}}", "delay",
				 "name", s->name, "base_bdev_name", s->base,
				 "avg_read_latency",
				 (json_int_t)(s->delay.avg_read / USEC(1)),
				 "p99_read_latency",
				 (json_int_t)(s->delay.p99_read / USEC(1)),
				 "avg_write_latency",
				 (json_int_t)(s->delay.avg_write / USEC(1)),
				 "p99_write_latency",
				 (json_int_t)(s->delay.p99_write / USEC(1)));
	case BLOCK_ERROR:
		return json_pack("{s:{s:s, s:s}}", "error", "name", s->name,
				 "base_bdev_name", s->base);
	case BLOCK_CRYPT:
		return json_pack("{s:{s:s, s:s}}", "crypto", "name", s->name,
				 "base_bdev_name", s->base);
	case BLOCK_MALLOC:
		break;
	}
	return json_object();
}

/* SPDK tells what a device likes; ours have no preferences. */
static void add_preferences(json_t *out)
{
	static const char *const names[] = {
		"preferred_write_alignment",   "preferred_write_granularity",
		"optimal_write_size",	       "preferred_unmap_alignment",
		"preferred_unmap_granularity",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_object_set_new(out, names[i], json_integer(0));
}

static json_t *describe(const struct block_device *d)
{
	const char *user = block_claimed_by(d);
	char uuid[UUID_TEXT_SIZE];
	struct block_spec spec;
	json_t *out;

	block_get_spec(d, &spec);
	uuid_format(block_uuid(d), uuid);
	out = json_pack("{s:s, s:[s], s:s, s:I, s:I, s:s, s:i, s:o, s:b}",
			"name", block_name(d), "aliases", uuid, "product_name",
			product_name(spec.kind), "block_size",
			(json_int_t)block_size(d), "num_blocks",
			(json_int_t)block_count(d), "uuid", uuid, "numa_id", -1,
			"assigned_rate_limits", describe_limits(d), "claimed",
			(int)(user != NULL));
	if (user != NULL)
		json_object_set_new(out, "claim_type",
				    json_string("exclusive_write"));
	if (user != NULL)
		json_object_set_new(out, "claimed_by", json_string(user));
	add_preferences(out);
	json_object_set_new(out, "zoned", json_false());
	json_object_set_new(out, "supported_io_types", describe_io_types(d));
	json_object_set_new(out, "driver_specific", describe_driver(&spec));
	explicit_bzero(&spec, sizeof(spec));
	return out;
}

/* A device that is on its way may be waited for. */
static struct block_device *wait_for(struct rpc_call *call, const char *name)
{
	nsec deadline = nsec_after(
		reactor_now(),
		MSEC(MIN(rpc_uint64(call, "timeout", 0), (uint64_t)86400000)));
	struct block_device *d;

	while ((d = block_find(call->env->blocks, name)) == NULL &&
	       reactor_now() < deadline)
		task_sleep(MSEC(5));
	return d;
}

static int get_bdevs(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	struct block_device *d = NULL;

	if (name != NULL) {
		d = wait_for(call, name);
		if (d == NULL)
			return rpc_refuse(call, -ENODEV,
					  "There is no device '%.64s'", name);
		call->result = json_pack("[o]", describe(d));
		return 0;
	}
	call->result = json_array();
	while ((d = block_next(call->env->blocks, d)) != NULL)
		json_array_append_new(call->result, describe(d));
	return 0;
}

/* There is nothing to examine: what stands on a device is configured. */
static int wait_for_examine(struct rpc_call *call)
{
	call->result = json_true();
	return 0;
}

/* ------------------------------------------------------ bdev_get_iostat --- */

static const struct {
	enum block_op op;
	const char *bytes, *ios, *latency;
} rows[] = {
	{ BLOCK_READ, "bytes_read", "num_read_ops", "read_latency_ticks" },
	{ BLOCK_WRITE, "bytes_written", "num_write_ops",
	  "write_latency_ticks" },
	{ BLOCK_DEALLOCATE, "bytes_unmapped", "num_unmap_ops",
	  "unmap_latency_ticks" },
	{ BLOCK_FLUSH, NULL, "num_flush_ops", "flush_latency_ticks" },
	{ BLOCK_WRITE_ZEROES, "bytes_zeroed", "num_write_zeroes_ops",
	  "write_zeroes_latency_ticks" },
	{ BLOCK_COMPARE, "bytes_compared", "num_compare_ops",
	  "compare_latency_ticks" },
};

json_t *bdev_describe_stats(const struct block_stats *st)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].bytes)
			json_object_set_new(out, rows[i].bytes,
					    number(st->bytes[rows[i].op]));
		json_object_set_new(out, rows[i].ios,
				    number(st->ios[rows[i].op]));
		json_object_set_new(out, rows[i].latency,
				    number(st->latency[rows[i].op]));
	}
	json_object_set_new(out, "io_error",
			    st->errors ? json_pack("{s:I}", "failed",
						   (json_int_t)st->errors)
				       : json_object());
	return out;
}

json_t *bdev_describe_use(const char *name, const struct block_stats *st)
{
	json_t *out = json_pack("{s:s}", "name", name);
	json_t *stats = bdev_describe_stats(st);

	json_object_update(out, stats);
	json_decref(stats);
	json_object_set_new(out, "driver_specific", json_object());
	return out;
}

json_t *bdev_wrap_stats(json_t *list)
{
	return json_pack("{s:I, s:I, s:o}", "tick_rate", (json_int_t)SEC(1),
			 "ticks", (json_int_t)reactor_now(), "bdevs", list);
}

static json_t *describe_device(const struct block_device *d)
{
	struct block_stats st;

	block_get_stats(d, &st);
	return bdev_describe_use(block_name(d), &st);
}

static int named_stats(struct rpc_call *call, const json_t *names, json_t *list)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		struct block_device *d = block_find(call->env->blocks, name);

		if (d == NULL)
			return rpc_refuse(call, -ENODEV,
					  "There is no device '%.64s'", name);
		json_array_append_new(list, describe_device(d));
	}
	return 0;
}

static int get_iostat(struct rpc_call *call)
{
	const json_t *names = rpc_object(call, "names");
	struct block_device *d = NULL;
	json_t *list = json_array();
	int r = 0;

	if (names != NULL)
		r = named_stats(call, names, list);
	else
		while ((d = block_next(call->env->blocks, d)) != NULL)
			json_array_append_new(list, describe_device(d));
	call->result = bdev_wrap_stats(list);
	return r;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param get_bdevs_params[] = {
	{ "name", RPC_STRING, RPC_OPTIONAL, "only this one; or its UUID",
	  "-b --name" },
	{ "timeout", RPC_UINT64, RPC_OPTIONAL,
	  "milliseconds to wait for it, if it is not there",
	  "-t --timeout-ms" },
	{},
};
static const struct rpc_param get_iostat_params[] = {
	{ "names", RPC_STRINGS, RPC_OPTIONAL, "only of these", "--names" },
	{ "per_channel", RPC_BOOLEAN, RPC_REFUSED, "for each event loop",
	  "-c" },
	{},
};

const struct rpc_method rpc_bdev_show_methods[] = {
	{ "bdev_get_bdevs", get_bdevs, "Lists the block devices.",
	  get_bdevs_params },
	{ "bdev_wait_for_examine", wait_for_examine,
	  "Returns at once: devices are not looked for." },
	{ "bdev_get_iostat", get_iostat,
	  "Tells what block devices have done since they were created.",
	  get_iostat_params },
	{},
};
