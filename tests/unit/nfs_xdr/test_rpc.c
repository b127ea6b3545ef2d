/* SPDX-License-Identifier: Apache-2.0 */
/* RPC headers, records on a stream, and bulk data: whatever way the bytes are
 * cut, the same messages come out; what is malformed gets its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nfs/xdr/record.h"
#include "nfs/xdr/rpc.h"

static size_t encode_call(struct rpc_call *call, uint8_t *wire, size_t size)
{
	struct xdr x;

	xdr_encode_init(&x, wire, size, SIZE_MAX);
	assert_true(xdr_rpc_call(&x, call));
	return xdr_length(&x);
}

static struct rpc_call some_call(void)
{
	return (struct rpc_call){
		.xid = 0x1234,
		.prog = 100003,
		.vers = 4,
		.proc = 1,
		.cred = { .flavor = AUTH_SYS },
		.sys = { .machinename = { "host", 4 },
			 .uid = 1000,
			 .gid = 100,
			 .ngids = 2,
			 .gids = { 4, 24 } },
	};
}

static void call_is_written_in_the_order_of_the_rfc(void **state)
{
	static const uint32_t words[] = { 0x1234,
					  0,
					  2,
					  100003,
					  4,
					  1,
					  1 /* sys */,
					  32,
					  0,
					  4,
					  0x686f7374 /* host */,
					  1000,
					  100,
					  2,
					  4,
					  24,
					  0,
					  0 };
	struct rpc_call call = some_call();
	uint8_t wire[256];

	assert_int_equal(encode_call(&call, wire, sizeof(wire)), sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(load_be32(wire + 4 * i), words[i]);
}

static void a_call_comes_back_and_any_cut_of_it_is_answered(void **state)
{
	struct rpc_call call = some_call(), got;
	struct rpc_reply reply;
	uint8_t wire[256];
	struct xdr x;
	size_t n = encode_call(&call, wire, sizeof(wire));

	xdr_decode_init(&x, wire, n, NULL);
	assert_true(rpc_call_decode(&x, &got, &reply));
	assert_int_equal(reply.status, RPC_SUCCESS);
	assert_int_equal(got.sys.uid, 1000);
	assert_int_equal(got.sys.gids[1], 24);
	for (size_t cut = 0; cut < n; cut++) {
		bool answer;

		xdr_decode_init(&x, wire, cut, NULL);
		answer = rpc_call_decode(&x, &got, &reply);
		assert_int_equal(answer, cut >= 8);
		if (answer)
			assert_int_not_equal(reply.status, RPC_SUCCESS);
	}
}

static void bad_calls_get_the_answer_of_the_rfc(void **state)
{
	struct rpc_call call = some_call(), got;
	struct rpc_reply reply;
	uint8_t wire[256];
	struct xdr x;
	size_t n = encode_call(&call, wire, sizeof(wire));

	store_be32(wire + 8, 3); /* RPC version */
	xdr_decode_init(&x, wire, n, NULL);
	assert_true(rpc_call_decode(&x, &got, &reply));
	assert_int_equal(reply.status, RPC_MISMATCH);
	assert_int_equal(reply.low, 2);

	store_be32(wire + 8, 2);
	store_be32(wire + 13 * 4, 17); /* groups */
	xdr_decode_init(&x, wire, n, NULL);
	assert_true(rpc_call_decode(&x, &got, &reply));
	assert_int_equal(reply.status, RPC_AUTH_ERROR);
	assert_int_equal(reply.auth_stat, AUTH_BADCRED);

	store_be32(wire + 4, RPC_MSG_REPLY);
	xdr_decode_init(&x, wire, n, NULL);
	assert_false(rpc_call_decode(&x, &got, &reply));
}

static void every_reply_comes_back(void **state)
{
	for (enum rpc_status s = RPC_SUCCESS; s <= RPC_AUTH_ERROR; s++) {
		struct rpc_reply r = { .xid = 9, .status = s }, got;
		uint8_t wire[64];
		struct xdr x;
		size_t n;

		if (s == RPC_PROG_MISMATCH || s == RPC_MISMATCH)
			r.low = 2, r.high = 4;
		if (s == RPC_AUTH_ERROR)
			r.auth_stat = AUTH_TOOWEAK;
		xdr_encode_init(&x, wire, sizeof(wire), SIZE_MAX);
		assert_true(xdr_rpc_reply(&x, &r));
		n = xdr_length(&x);
		xdr_decode_init(&x, wire, n, NULL);
		assert_true(xdr_rpc_reply(&x, &got));
		assert_int_equal(xdr_left(&x), 0);
		assert_int_equal(got.status, s);
		assert_int_equal(got.low, r.low);
		assert_int_equal(got.auth_stat, r.auth_stat);
		assert_string_not_equal(rpc_status_name(s), "unknown");
		for (size_t cut = 0; cut < n; cut++) {
			xdr_decode_init(&x, wire, cut, NULL);
			assert_false(xdr_rpc_reply(&x, &got));
		}
	}
}

/* ----------------------------------------------------------------- records */

/* A stream of records in random fragments; record i has random length, and
 * bytes that depend on i. */
static size_t make_stream(struct rng *r, uint8_t *out, size_t *len, int n)
{
	uint8_t *p = out;

	for (int i = 0; i < n; i++) {
		size_t left;

		len[i] = rng_below(r, rng_chance(r, 0.1) ? 200000 : 3000);
		left = len[i];
		for (size_t at = 0; left > 0 || at == 0;) {
			size_t part = rng_chance(r, 0.7) || left == 0
					      ? left
					      : 1 + rng_below(r, left);

			store_be32(p, part | (part == left ? 0x80000000u : 0));
			p += 4;
			for (size_t k = 0; k < part; k++)
				*p++ = (uint8_t)(i * 7 + at + k);
			at += part;
			left -= part;
			if (left == 0)
				break;
		}
	}
	return p - out;
}

static void check_record(const struct record *rec, int i, size_t len)
{
	const uint8_t *d = rec->bytes.data;

	assert_int_equal(rec->bytes.len, len);
	for (size_t k = 0; k < len; k++)
		assert_int_equal(d[k], (uint8_t)(i * 7 + k));
}

static void one_stream(uint64_t seed)
{
	enum { N = 40, KEEP = 8 };
	static uint8_t stream[N * 210000];
	struct record kept[KEEP] = {};
	int kept_no[KEEP], next = 0, rc;
	struct record_reader reader;
	size_t len[N], total, at = 0;
	struct rng r;

	rng_init(&r, seed);
	total = make_stream(&r, stream, len, N);
	record_reader_init(&reader, 200000);
	while (at < total) {
		struct record rec;
		void *p;
		size_t n = record_reader_room(&reader, &p);

		assert_true(n > 0);
		n = MIN(n, 1 + rng_below(&r, rng_chance(&r, 0.5) ? 20 : 70000));
		n = MIN(n, total - at);
		memcpy(p, stream + at, n);
		record_reader_filled(&reader, n);
		at += n;
		while ((rc = record_reader_next(&reader, &rec)) > 0) {
			int k = rng_below(&r, KEEP);

			check_record(&rec, next, len[next]);
			/* Some records outlive the next reads. */
			if (kept[k].block != NULL) {
				check_record(&kept[k], kept_no[k],
					     len[kept_no[k]]);
				record_put(&kept[k]);
			}
			kept[k] = rec;
			kept_no[k] = next++;
		}
		assert_int_equal(rc, 0);
		if (rng_chance(&r, 0.1))
			record_reader_idle(&reader);
	}
	assert_int_equal(next, N);
	assert_false(record_reader_partial(&reader));
	record_reader_fini(&reader);
	for (int k = 0; k < KEEP; k++)
		if (kept[k].block != NULL)
			record_put(&kept[k]);
}

static void records_survive_any_cutting(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		print_message("seed %lu\r", (unsigned long)seed);
		one_stream(seed);
	}
}

static int feed(const void *bytes, size_t n, size_t max)
{
	struct record_reader reader;
	struct record rec;
	void *p;
	int rc;

	record_reader_init(&reader, max);
	assert_true(record_reader_room(&reader, &p) >= n);
	memcpy(p, bytes, n);
	record_reader_filled(&reader, n);
	rc = record_reader_next(&reader, &rec);
	if (rc > 0)
		record_put(&rec);
	record_reader_fini(&reader);
	return rc;
}

static void records_are_bounded(void **state)
{
	assert_int_equal(feed("\x80\0\0\4abcd", 8, 4), 1);
	assert_int_equal(feed("\x80\0\0\4abc", 7, 4), 0);
	assert_int_equal(feed("\x80\0\0\5", 4, 4), -EMSGSIZE);
	assert_int_equal(feed("\0\0\0\2ab\x80\0\0\3", 10, 4), -EMSGSIZE);
	assert_int_equal(feed("\0\0\0\0", 4, 4), -EPROTO);
	assert_int_equal(feed("\x80\0\0\0", 4, 4), 1);
}

/* Each costs a move of what is behind it: a peer can't make it thousands. */
static void fragments_are_bounded(void **state)
{
	enum { SIZE = RECORD_HEADER + 1 };
	uint8_t bytes[RECORD_MAX_FRAGMENTS * SIZE];
	uint8_t *last = bytes + sizeof(bytes) - SIZE;

	for (uint8_t *p = bytes; p <= last; p += SIZE)
		memcpy(p, "\0\0\0\1x", SIZE);
	assert_int_equal(feed(bytes, sizeof(bytes), 1 << 20), -EPROTO);
	record_header(last, 1);
	assert_int_equal(feed(bytes, sizeof(bytes), 1 << 20), 1);
}

/* --------------------------------------------------------------- bulk data */

static void bulk_data_is_not_copied_but_stands_in_its_place(void **state)
{
	static char data[5001];
	struct xdr_bytes bulk = { data, 5001 }, small = { "abc", 3 }, got;
	uint8_t buffer[64], flat[6000];
	uint32_t before = 1, after = 2, n = 0;
	struct iovec iov[2 * XDR_BULK_MAX + 1];
	struct xdr x;
	int pieces;

	memset(data, 'd', sizeof(data));
	xdr_encode_init(&x, buffer, sizeof(buffer), 8000);
	assert_true(xdr_u32(&x, &before) && xdr_bulk(&x, &bulk, UINT32_MAX) &&
		    xdr_bulk(&x, &small, UINT32_MAX) && xdr_u32(&x, &after));
	assert_int_equal(xdr_length(&x), 4 + 4 + 5004 + 4 + 4 + 4);
	pieces = xdr_iovec(&x, iov);
	assert_int_equal(pieces, 3);
	assert_ptr_equal(iov[1].iov_base, data);

	xdr_flatten(&x, flat);
	xdr_decode_init(&x, flat, xdr_length(&x), NULL);
	assert_true(xdr_u32(&x, &n) && n == 1 &&
		    xdr_bulk(&x, &got, UINT32_MAX) && got.len == 5001 &&
		    xdr_bulk(&x, &got, UINT32_MAX) && got.len == 3 &&
		    xdr_u32(&x, &n) && n == 2 && xdr_left(&x) == 0);
}

static void bulk_data_counts_towards_the_limit_and_rewinds(void **state)
{
	static char data[1000];
	struct xdr_bytes bulk = { data, 1000 };
	uint8_t buffer[256];
	struct xdr_mark mark;
	uint32_t word = 0;
	struct xdr x;

	xdr_encode_init(&x, buffer, sizeof(buffer), 2100);
	mark = xdr_mark(&x);
	assert_true(xdr_bulk(&x, &bulk, UINT32_MAX));
	assert_true(xdr_bulk(&x, &bulk, UINT32_MAX));
	for (int i = 0; i < (2100 - 2008) / 4; i++)
		assert_true(xdr_u32(&x, &word));
	assert_false(xdr_u32(&x, &word));
	assert_int_equal(x.error, XDR_SHORT);
	xdr_rewind(&x, mark);
	assert_int_equal(xdr_length(&x), 0);
	assert_true(xdr_bulk(&x, &bulk, UINT32_MAX));
	assert_true(xdr_bulk(&x, &bulk, UINT32_MAX));
	assert_false(xdr_bulk(&x, &bulk, UINT32_MAX));
	xdr_rewind(&x, mark);
	assert_false(xdr_bulk(&x, &bulk, 999));
	assert_int_equal(x.error, XDR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_is_written_in_the_order_of_the_rfc),
		cmocka_unit_test(
			a_call_comes_back_and_any_cut_of_it_is_answered),
		cmocka_unit_test(bad_calls_get_the_answer_of_the_rfc),
		cmocka_unit_test(every_reply_comes_back),
		cmocka_unit_test(records_survive_any_cutting),
		cmocka_unit_test(records_are_bounded),
		cmocka_unit_test(fragments_are_bounded),
		cmocka_unit_test(
			bulk_data_is_not_copied_but_stands_in_its_place),
		cmocka_unit_test(
			bulk_data_counts_towards_the_limit_and_rewinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
