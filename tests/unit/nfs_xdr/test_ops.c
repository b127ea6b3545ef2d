/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation's arguments and results, both ways: what was decoded encodes
 * to bytes that decode to the same; cut at any byte they are refused; and a
 * buffer that is one byte too small is refused, not overrun.
 *
 * The values come from random records, made of words that are mostly small, so
 * that many of them are valid; each operation has to be seen often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nfs/xdr/nfs4_cb.h"
#include "nfs/xdr/nfs4_ops.h"

enum { RECORD = 768, TRIES = 60000, ENOUGH = 20 };

/* What is round-tripped: a description, and room for its value. */
union value {
	nfs_argop4 arg;
	nfs_resop4 res;
	nfs_cb_argop4 cb_arg;
	nfs_cb_resop4 cb_res;
};

static bool arg_fn(struct xdr *x, void *v)
{
	return xdr_nfs_argop4(x, v);
}
static bool res_fn(struct xdr *x, void *v)
{
	return xdr_nfs_resop4(x, v);
}
static bool cb_arg_fn(struct xdr *x, void *v)
{
	return xdr_nfs_cb_argop4(x, v);
}
static bool cb_res_fn(struct xdr *x, void *v)
{
	return xdr_nfs_cb_resop4(x, v);
}

static void random_record(struct rng *r, uint8_t *p, size_t len, uint32_t op)
{
	static const uint32_t likely_words[] = { 0, 0, 1, 1, 2, 3, 4, 5, 8 };

	for (size_t i = 0; i < len; i += 4)
		store_be32(p + i,
			   rng_chance(r, 0.97)
				   ? likely_words[rng_below(
					     r, ARRAY_SIZE(likely_words))]
				   : (uint32_t)rng_next(r));
	store_be32(p, op);
}

static bool decode(xdr_fn *fn, const void *p, size_t len, struct arena *a,
		   union value *v, size_t *used)
{
	struct xdr x;
	bool ok;

	xdr_decode_init(&x, p, len, a);
	ok = fn(&x, v);
	assert_true(ok == (x.error == XDR_OK));
	*used = len - xdr_left(&x);
	return ok;
}

static size_t encode(xdr_fn *fn, union value *v, void *out, size_t size)
{
	struct xdr x;

	xdr_encode_init(&x, out, size, SIZE_MAX);
	if (!fn(&x, v))
		return 0;
	assert_true(xdr_length(&x) <= size);
	return xdr_length(&x);
}

static void refuses_every_cut(xdr_fn *fn, const uint8_t *wire, size_t len)
{
	char stack[4096];
	struct arena a;
	union value v;
	size_t used;

	arena_init(&a, stack, sizeof(stack), KIB(64));
	for (size_t cut = 0; cut < len; cut++) {
		/* A copy that ends there, so that reading on is seen. */
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, wire, cut);
		assert_false(decode(fn, part, cut, &a, &v, &used));
		free(part);
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* true if the record held a value. */
static bool round_trip(xdr_fn *fn, const uint8_t *record)
{
	union value v1, v2;
	uint8_t b1[RECORD], b2[RECORD];
	struct arena a;
	size_t used, n1, n2;

	memset(&v1, 0, sizeof(v1));
	memset(&v2, 0, sizeof(v2));
	arena_init(&a, NULL, 0, KIB(64));
	if (!decode(fn, record, RECORD, &a, &v1, &used)) {
		arena_fini(&a);
		return false;
	}
	n1 = encode(fn, &v1, b1, sizeof(b1));
	assert_true(n1 > 0 && n1 <= used);
	assert_true(decode(fn, b1, n1, &a, &v2, &used));
	assert_int_equal(used, n1);
	n2 = encode(fn, &v2, b2, sizeof(b2));
	assert_int_equal(n2, n1);
	assert_memory_equal(b1, b2, n1);
	refuses_every_cut(fn, b1, n1);
	for (size_t size = 0; size < n1; size += 4) {
		uint8_t *small = malloc(size ? size : 1);

		assert_int_equal(encode(fn, &v1, small, size), 0);
		free(small);
	}
	arena_fini(&a);
	return true;
}

static void try_often(xdr_fn *fn, uint32_t op, const char *what)
{
	struct rng r;
	uint8_t record[RECORD];
	int seen = 0;

	rng_init(&r, 0x4e465334 + op);
	for (int i = 0; i < TRIES && seen < ENOUGH; i++) {
		random_record(&r, record, sizeof(record), op);
		seen += round_trip(fn, record);
	}
	if (seen < ENOUGH)
		print_error("operation %u: %s: only %d of %d tries\n", op, what,
			    seen, TRIES);
	assert_true(seen >= ENOUGH);
}

/* SECINFO's and EXCHANGE_ID's exotic arms decode but can't be encoded; random
 * records with them would look like failures. */
static bool one_way(const uint8_t *record)
{
	uint32_t op = load_be32(record);

	return op == OP_EXCHANGE_ID || op == OP_SECINFO ||
	       op == OP_SECINFO_NO_NAME;
}

static void every_operation_round_trips(void **state)
{
	uint8_t first[4];

	for (uint32_t op = 0; op <= NFS4_OP_LAST_4_2; op++) {
		const struct nfs4_op_info *info = nfs4_op_find(op);

		store_be32(first, op);
		if (!info->known || one_way(first))
			continue;
		try_often(arg_fn, op, "arguments");
		try_often(res_fn, op, "result");
	}
}

static void every_callback_round_trips(void **state)
{
	try_often(cb_arg_fn, OP_CB_SEQUENCE, "arguments");
	try_often(cb_arg_fn, OP_CB_NOTIFY_LOCK, "arguments");
	try_often(cb_arg_fn, OP_CB_RECALL, "arguments");
	try_often(cb_res_fn, OP_CB_SEQUENCE, "result");
	try_often(cb_res_fn, OP_CB_RECALL, "result");
}

static void exchange_id_round_trips(void **state)
{
	nfs_argop4 arg = { .argop = OP_EXCHANGE_ID };
	nfs_resop4 res = { .resop = OP_EXCHANGE_ID };
	EXCHANGE_ID4args *a = &arg.opexchange_id;
	EXCHANGE_ID4resok *r = &res.opexchange_id;
	uint8_t wire[512];
	size_t n;

	a->eia_clientowner.co_ownerid = xdr_text("hawser client");
	a->eia_state_protect.spa_how = SP4_MACH_CRED;
	a->eia_state_protect.ops.spo_must_allow = BITMAP4(OP_READ, OP_CLOSE);
	a->has_impl_id = true;
	a->eia_client_impl_id.nii_domain = xdr_text("example.org");
	a->eia_client_impl_id.nii_name = xdr_text("test");
	n = encode(arg_fn, (union value *)&arg, wire, sizeof(wire));
	assert_true(n > 0);
	memset(wire + n, 0, sizeof(wire) - n);
	assert_true(round_trip(arg_fn, memcpy((uint8_t[RECORD]){}, wire, n)));

	r->eir_server_owner.so_major_id = xdr_text("major");
	r->eir_server_scope = xdr_text("scope");
	n = encode(res_fn, (union value *)&res, wire, sizeof(wire));
	assert_true(n > 0);
	assert_true(round_trip(res_fn, memcpy((uint8_t[RECORD]){}, wire, n)));
}

static void ssv_protection_and_gss_flavors_are_stepped_over(void **state)
{
	/* verifier, owner "", flags, SP4_SSV: two bitmaps of no words, hash
	 * algorithms {"ab"}, encryption algorithms {}, window, handles; no
	 * implementation id */
	static const uint32_t words[] = { OP_EXCHANGE_ID, 1, 2, 0, 0,
					  SP4_SSV,	  0, 0, 1, 2,
					  0x61620000,	  0, 9, 9, 0 };
	/* AUTH_SYS; RPCSEC_GSS with oid "x", qop, service; AUTH_NONE */
	static const uint32_t flavors[] = { OP_SECINFO, NFS4_OK,    3,
					    AUTH_SYS,	RPCSEC_GSS, 1,
					    0x78000000, 0,	    1,
					    AUTH_NONE };
	uint8_t wire[128];
	struct arena arena;
	union value v;
	size_t used;

	arena_init(&arena, NULL, 0, KIB(4));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		store_be32(wire + 4 * i, words[i]);
	assert_true(decode(arg_fn, wire, sizeof(words), &arena, &v, &used));
	assert_int_equal(used, sizeof(words));
	assert_int_equal(v.arg.opexchange_id.eia_state_protect.spa_how,
			 SP4_SSV);
	for (size_t i = 0; i < ARRAY_SIZE(flavors); i++)
		store_be32(wire + 4 * i, flavors[i]);
	assert_true(decode(res_fn, wire, sizeof(flavors), &arena, &v, &used));
	assert_int_equal(used, sizeof(flavors));
	assert_int_equal(v.res.opsecinfo.n, 3);
	assert_int_equal(v.res.opsecinfo.flavor[2], AUTH_NONE);
	arena_fini(&arena);
}

static void illegal_and_unsupported_operations_are_told_apart(void **state)
{
	static const struct {
		uint32_t number;
		nfs_opnum4 argop;
		bool has_name, known;
	} cases[] = {
		{ 0, OP_ILLEGAL, false, false },
		{ 2, OP_ILLEGAL, false, false },
		{ 76, OP_ILLEGAL, false, false },
		{ 10044, OP_ILLEGAL, false, false },
		{ 0xffffffff, OP_ILLEGAL, false, false },
		{ OP_SETCLIENTID, OP_SETCLIENTID, true, false },
		{ OP_LAYOUTGET, OP_LAYOUTGET, true, false },
	};
	uint8_t wire[64] = {};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nfs4_op_info *info = nfs4_op_find(cases[i].number);
		nfs_argop4 v;
		struct xdr x;

		store_be32(wire, cases[i].number);
		xdr_decode_init(&x, wire, sizeof(wire), NULL);
		assert_false(xdr_nfs_argop4(&x, &v));
		assert_int_equal(x.error, XDR_INVALID);
		assert_int_equal(v.argop, cases[i].argop);
		assert_int_equal(info->name != NULL, cases[i].has_name);
		assert_int_equal(info->known, cases[i].known);
	}
}

static void arrays_are_bounded_by_record_and_arena(void **state)
{
	uint8_t wire[4 + 4 + 16 * 64] = {};
	struct arena arena;
	nfs_argop4 v;
	struct xdr x;

	/* More stateids than the record holds: refused, nothing allocated. */
	store_be32(wire, OP_TEST_STATEID);
	store_be32(wire + 4, 0x10000000);
	arena_init(&arena, NULL, 0, GIB(64));
	xdr_decode_init(&x, wire, sizeof(wire), &arena);
	assert_false(xdr_nfs_argop4(&x, &v));
	assert_int_equal(x.error, XDR_SHORT);
	assert_int_equal(arena.used, 0);

	/* As many as it holds, but more than the arena allows. */
	store_be32(wire + 4, 64);
	arena.limit = 512;
	xdr_decode_init(&x, wire, sizeof(wire), &arena);
	assert_false(xdr_nfs_argop4(&x, &v));
	assert_int_equal(x.error, XDR_NOMEM);
	arena_fini(&arena);
}

/* Words of a record, as the RFC's text gives the order of the members: this
 * is where a description that is wrong in both directions shows. */
static void words_equal(const uint8_t *wire, size_t len, const uint32_t *words,
			size_t n)
{
	assert_int_equal(len, 4 * n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(load_be32(wire + 4 * i), words[i]);
}

static void open_is_written_in_the_order_of_the_rfc(void **state)
{
	nfs_argop4 v = {
		.argop = OP_OPEN,
		.opopen = {
			.share_access = OPEN4_SHARE_ACCESS_BOTH,
			.share_deny = OPEN4_SHARE_DENY_WRITE,
			.owner = { 7, { "own", 3 } },
			.openhow = { OPEN4_CREATE,
				     { .mode = EXCLUSIVE4_1,
				       .createattrs = { { { 1 << 4 } },
							{ "12345678", 8 } },
				       .createverf = { "verifier" } } },
			.claim = { .claim = CLAIM_NULL,
				   .file = { "name", 4 } },
		},
	};
	const uint32_t words[] = {
		18,	    0,	  3,	      2,
		0,	    7,	  3,	      0x6f776e00 /* own */,
		1,	    3,	  0x76657269, 0x66696572 /* verifier */,
		1,	    0x10, 8,	      0x31323334,
		0x35363738, 0,	  4,	      0x6e616d65 /* name */,
	};
	uint8_t wire[256];

	words_equal(wire, encode(arg_fn, (union value *)&v, wire, sizeof(wire)),
		    words, ARRAY_SIZE(words));
}

static void lock_is_written_in_the_order_of_the_rfc(void **state)
{
	nfs_argop4 v = {
		.argop = OP_LOCK,
		.oplock = { .locktype = WRITEW_LT,
			    .offset = 0x100000002,
			    .length = UINT64_MAX,
			    .locker = { .new_lock_owner = true,
					.open_stateid = { 5, "abcdefghijkl" },
					.lock_owner = { 9, { "me", 2 } } } },
	};
	const uint32_t words[] = {
		12,	    4, 0, 1, 2,		 0xffffffff,
		0xffffffff, 1, 0, 5, 0x61626364, 0x65666768,
		0x696a6b6c, 0, 0, 9, 2,		 0x6d650000,
	};
	uint8_t wire[256];

	words_equal(wire, encode(arg_fn, (union value *)&v, wire, sizeof(wire)),
		    words, ARRAY_SIZE(words));
}

static void sequence_is_written_in_the_order_of_the_rfc(void **state)
{
	nfs_argop4 v = {
		.argop = OP_SEQUENCE,
		.opsequence = { { "0123456789abcdef" }, 11, 12, 13, true },
	};
	nfs_resop4 r = {
		.resop = OP_SEQUENCE,
		.opsequence = { { "0123456789abcdef" }, 11, 12, 13, 14, 15 },
	};
	const uint32_t words[] = { 53,	       0x30313233, 0x34353637,
				   0x38396162, 0x63646566, 11,
				   12,	       13,	   1 };
	const uint32_t reply[] = { 53,	       0,	   0x30313233,
				   0x34353637, 0x38396162, 0x63646566,
				   11,	       12,	   13,
				   14,	       15 };
	uint8_t wire[256];

	words_equal(wire, encode(arg_fn, (union value *)&v, wire, sizeof(wire)),
		    words, ARRAY_SIZE(words));
	words_equal(wire, encode(res_fn, (union value *)&r, wire, sizeof(wire)),
		    reply, ARRAY_SIZE(reply));
}

static void readdir_entries_are_a_list_on_the_wire(void **state)
{
	entry4 e[2] = { { .cookie = 3, .name = { "a", 1 } },
			{ .cookie = 4, .name = { "bc", 2 } } };
	nfs_resop4 v = { .resop = OP_READDIR,
			 .opreaddir = { { "01234567" }, 2, e, true } };
	const uint32_t words[] = {
		26, 0, 0x30313233, 0x34353637, 1, 0, 3, 1, 0x61000000, 0, 0, 1,
		0,  4, 2,	   0x62630000, 0, 0, 0, 1,
	};
	uint8_t wire[256];

	words_equal(wire, encode(res_fn, (union value *)&v, wire, sizeof(wire)),
		    words, ARRAY_SIZE(words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_round_trips),
		cmocka_unit_test(every_callback_round_trips),
		cmocka_unit_test(exchange_id_round_trips),
		cmocka_unit_test(
			ssv_protection_and_gss_flavors_are_stepped_over),
		cmocka_unit_test(
			illegal_and_unsupported_operations_are_told_apart),
		cmocka_unit_test(arrays_are_bounded_by_record_and_arena),
		cmocka_unit_test(open_is_written_in_the_order_of_the_rfc),
		cmocka_unit_test(lock_is_written_in_the_order_of_the_rfc),
		cmocka_unit_test(sequence_is_written_in_the_order_of_the_rfc),
		cmocka_unit_test(readdir_entries_are_a_list_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
