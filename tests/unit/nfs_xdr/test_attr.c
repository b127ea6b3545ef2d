/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: what is encoded is decoded, only what was asked for is sent, and
 * what a client may not set is refused with the status that the RFC names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include "base/rng.h"
#include "nfs/xdr/attr.h"

static fattr4 encode(const bitmap4 *want, const struct nfs4_attrs *a,
		     uint8_t *wire, size_t size)
{
	fattr4 f;
	struct xdr x;

	xdr_encode_init(&x, wire, size, SIZE_MAX);
	assert_true(nfs4_attrs_encode(&x, want, a));
	xdr_decode_init(&x, wire, xdr_length(&x), NULL);
	assert_true(xdr_fattr4(&x, &f));
	assert_int_equal(xdr_left(&x), 0);
	return f;
}

static struct nfs4_attrs some_attrs(void)
{
	static component4 names[] = { { "a", 1 }, { "bcd", 3 } };
	static utf8string servers[] = { { "192.0.2.1", 9 } };
	static fs_location4 location = { 1, servers, { 2, names } };

	return (struct nfs4_attrs){
		.have = nfs4_attrs_known,
		.supported_attrs = nfs4_attrs_known,
		.type = NF4DIR,
		.size = 0x123456789a,
		.fsid = { 1, 2 },
		.filehandle = { "handle", 6 },
		.fs_locations = { { 0, NULL }, 1, &location },
		.mode = 0755,
		.owner = { "0", 1 },
		.owner_group = { "1000", 4 },
		.time_modify = { -5, 999999999 },
		.time_modify_set = { SET_TO_CLIENT_TIME4, { 77, 1 } },
		.mode_umask_mode = 0666,
		.mode_umask_umask = 022,
		.xattr_support = true,
	};
}

static void all_attributes_come_back(void **state)
{
	struct nfs4_attrs a = some_attrs(), b = {};
	uint8_t wire[2048], again[2048];
	struct arena arena;
	struct xdr x;
	fattr4 f = encode(&a.have, &a, wire, sizeof(wire));

	arena_init(&arena, NULL, 0, KIB(16));
	assert_true(nfs4_attrs_decode(&f, &arena, &b));
	assert_memory_equal(b.have.word, nfs4_attrs_known.word,
			    sizeof(b.have.word));
	assert_false(b.have.beyond);
	assert_int_equal(b.size, a.size);
	assert_int_equal(b.time_modify.seconds, -5);
	assert_int_equal(b.fs_locations.locations[0].rootpath.n, 2);
	assert_int_equal(b.mode_umask_umask, 022);
	xdr_encode_init(&x, again, sizeof(again), SIZE_MAX);
	assert_true(nfs4_attrs_encode(&x, &b.have, &b));
	assert_memory_equal(wire, again, xdr_length(&x));

	/* Cut anywhere, it is refused. */
	for (uint32_t cut = 0; cut < f.attr_vals.len; cut++) {
		fattr4 part = { f.attrmask, { f.attr_vals.data, cut } };

		assert_false(nfs4_attrs_decode(&part, &arena, &b));
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void only_what_was_asked_for_and_is_there_is_sent(void **state)
{
	struct nfs4_attrs a = some_attrs();
	bitmap4 want = BITMAP4(FATTR4_SIZE, FATTR4_ACL, FATTR4_MODE);
	uint8_t wire[256];
	fattr4 f;

	bitmap4_clear(&a.have, FATTR4_MODE);
	f = encode(&want, &a, wire, sizeof(wire));
	assert_int_equal(f.attrmask.word[0], 1 << FATTR4_SIZE);
	assert_int_equal(f.attrmask.word[1], 0);
	assert_int_equal(f.attr_vals.len, 8);
}

static void setting_answers_with_the_right_status(void **state)
{
	const bitmap4 all = nfs4_attrs_known;
	const bitmap4 supported =
		bitmap4_without(&all, &BITMAP4(FATTR4_ARCHIVE, FATTR4_HIDDEN));
	static const struct {
		uint32_t word[3];
		const char *vals;
		uint32_t len;
		nfsstat4 status;
	} cases[] = {
		{ {}, "", 0, NFS4_OK },
		{ { 1 << 4 }, "\0\0\0\0\0\0\0\1", 8, NFS4_OK },
		{ { 1 << 4 }, "\0\0\0\0\0\0\0", 7, NFS4ERR_BADXDR },
		{ { 1 << 4 }, "\0\0\0\0\0\0\0\1\0\0\0\0", 12, NFS4ERR_BADXDR },
		{ { 1 << FATTR4_ARCHIVE }, "\0\0\0\1", 4, NFS4ERR_ATTRNOTSUPP },
		{ { 1 << FATTR4_FSID }, "0123456789abcdef", 16, NFS4ERR_INVAL },
		{ { 0, 1 << 1 }, "\0\0\x01\xff", 4, NFS4_OK },
		{ { 0, 1 << 1 }, "\0\0\x10\0", 4, NFS4ERR_INVAL },
		/* time_modify_set: by the server; by the client; too many ns */
		{ { 0, 1 << 22 }, "\0\0\0", 4, NFS4_OK },
		{ { 0, 1 << 22 },
		  "\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\2",
		  16,
		  NFS4_OK },
		{ { 0, 1 << 22 },
		  "\0\0\0\1\0\0\0\0\0\0\0\1\x3b\x9a\xca\0",
		  16,
		  NFS4ERR_INVAL },
		{ { 0, 1 << 22 }, "\0\0\0\2", 4, NFS4ERR_BADXDR },
	};
	struct nfs4_attrs out;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fattr4 f = { { { cases[i].word[0], cases[i].word[1],
				 cases[i].word[2] } },
			     { cases[i].vals, cases[i].len } };

		assert_int_equal(nfs4_attrs_decode_set(&f, &supported, &out),
				 cases[i].status);
	}
	fattr4 beyond = { { {}, true }, { "", 0 } };
	assert_int_equal(nfs4_attrs_decode_set(&beyond, &supported, &out),
			 NFS4ERR_ATTRNOTSUPP);
}

static void verify_compares_values(void **state)
{
	struct nfs4_attrs a = some_attrs(), b = some_attrs();
	bitmap4 readable = bitmap4_without(&a.have, &nfs4_attrs_write_only);
	uint8_t wire[2048];
	fattr4 f;

	bitmap4_clear(&readable, FATTR4_RDATTR_ERROR);
	f = encode(&readable, &a, wire, sizeof(wire));
	assert_int_equal(nfs4_attrs_compare(&f, &a.have, &a), NFS4ERR_SAME);
	b.owner_group = xdr_text("1001");
	assert_int_equal(nfs4_attrs_compare(&f, &a.have, &b), NFS4ERR_NOT_SAME);
	f.attr_vals.len -= 4;
	assert_int_equal(nfs4_attrs_compare(&f, &a.have, &a), NFS4ERR_BADXDR);

	f = encode(&BITMAP4(FATTR4_TIME_MODIFY_SET), &a, wire, sizeof(wire));
	assert_int_equal(nfs4_attrs_compare(&f, &a.have, &a), NFS4ERR_INVAL);
	f = encode(&BITMAP4(FATTR4_RDATTR_ERROR), &a, wire, sizeof(wire));
	assert_int_equal(nfs4_attrs_compare(&f, &a.have, &a), NFS4ERR_INVAL);
	f = encode(&BITMAP4(FATTR4_HIDDEN), &a, wire, sizeof(wire));
	assert_int_equal(
		nfs4_attrs_compare(&f, &BITMAP4(FATTR4_TYPE, FATTR4_SIZE), &a),
		NFS4ERR_ATTRNOTSUPP);
}

static void packed_attributes_can_be_set(void **state)
{
	struct nfs4_attrs a = some_attrs(), b = {};
	struct arena arena;
	fattr4 f;

	a.have = nfs4_attrs_settable;
	arena_init(&arena, NULL, 0, KIB(8));
	assert_true(nfs4_attrs_pack(&a, &arena, &f));
	assert_int_equal(nfs4_attrs_decode_set(&f, &nfs4_attrs_known, &b),
			 NFS4_OK);
	assert_int_equal(b.mode, 0755);
	assert_int_equal(b.time_modify_set.time.seconds, 77);
	arena_fini(&arena);
}

static void ids_are_numbers_as_text(void **state)
{
	static const uint32_t ids[] = { 0, 7, 1000, 4294967295u };
	char buf[NFS4_ID_TEXT_MAX];
	uint32_t id;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_true(nfs4_id_parse(nfs4_id_format(ids[i], buf), &id));
		assert_int_equal(id, ids[i]);
	}
	assert_true(nfs4_id_parse(xdr_text("12@example.org"), &id));
	assert_int_equal(id, 12);
	assert_false(nfs4_id_parse(xdr_text(""), &id));
	assert_false(nfs4_id_parse(xdr_text("@x"), &id));
	assert_false(nfs4_id_parse(xdr_text("root"), &id));
	assert_false(nfs4_id_parse(xdr_text("4294967296"), &id));
}

static void types_map_both_ways(void **state)
{
	static const uint32_t modes[] = { S_IFREG, S_IFDIR,  S_IFLNK, S_IFBLK,
					  S_IFCHR, S_IFSOCK, S_IFIFO };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		assert_int_equal(
			nfs4_type_to_mode(nfs4_type_from_mode(modes[i])),
			modes[i]);
	assert_int_equal(nfs4_type_from_mode(0), 0);
	assert_int_equal(nfs4_type_to_mode(NF4ATTRDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_attributes_come_back),
		cmocka_unit_test(only_what_was_asked_for_and_is_there_is_sent),
		cmocka_unit_test(setting_answers_with_the_right_status),
		cmocka_unit_test(verify_compares_values),
		cmocka_unit_test(packed_attributes_can_be_set),
		cmocka_unit_test(ids_are_numbers_as_text),
		cmocka_unit_test(types_map_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
