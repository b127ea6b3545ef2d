/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the NFS client that need no server: ranges of locks behave as a
 * map of bytes would, options are read or refused with a useful line, and every
 * status has an errno.  The rest is proved in tests/sim/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nfs/client/client.h"
#include "nfs/client/ranges.h"

/* ------------------------------------------------------------------ ranges */

enum { SPACE = 64 };

static void check_order(const struct ranges *r)
{
	for (size_t i = 0; i < r->n; i++) {
		assert_true(r->v[i].first <= r->v[i].last);
		if (i == 0)
			continue;
		assert_true(r->v[i - 1].last < r->v[i].first);
		/* Neighbours of one kind have melted. */
		assert_false(r->v[i - 1].last + 1 == r->v[i].first &&
			     r->v[i - 1].exclusive == r->v[i].exclusive);
	}
}

static void check_map(const struct ranges *r, const char *map)
{
	char got[SPACE];

	memset(got, '-', sizeof(got));
	for (size_t i = 0; i < r->n; i++)
		for (uint64_t b = r->v[i].first; b <= r->v[i].last && b < SPACE;
		     b++)
			got[b] = r->v[i].exclusive ? 'w' : 'r';
	assert_memory_equal(got, map, SPACE);
}

static void ranges_behave_as_a_map_of_bytes(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct ranges r = {};
		char map[SPACE];
		struct rng rng;

		rng_init(&rng, seed);
		memset(map, '-', sizeof(map));
		for (int i = 0; i < 100; i++) {
			bool exclusive = rng_chance(&rng, 0.5);
			uint64_t first = rng_below(&rng, SPACE);
			uint64_t len = rng_chance(&rng, 0.1)
					       ? UINT64_MAX
					       : 1 + rng_below(&rng, 20);
			bool set = rng_chance(&rng, 0.6);
			struct range range;

			assert_true(range_from_length(first, len, exclusive,
						      &range));
			assert_int_equal(set ? ranges_set(&r, range)
					     : ranges_clear(&r, range),
					 0);
			for (uint64_t b = first; b < SPACE && b <= range.last;
			     b++)
				map[b] = !set ? '-' : exclusive ? 'w' : 'r';
			check_order(&r);
			check_map(&r, map);
		}
		ranges_fini(&r);
	}
}

static void lengths_that_make_no_range_are_refused(void **state)
{
	struct range r;

	assert_false(range_from_length(5, 0, true, &r));
	assert_false(range_from_length(UINT64_MAX, 2, true, &r));
	assert_true(range_from_length(UINT64_MAX, 1, true, &r));
	assert_true(range_from_length(7, UINT64_MAX, true, &r));
	assert_true(range_length(&r) == UINT64_MAX);
	assert_true(range_from_length(7, 10, true, &r));
	assert_int_equal(range_length(&r), 10);
}

/* ----------------------------------------------------------------- options */

static int parse(struct nfs_options *o, const char *text, char *err)
{
	nfs_options_init(o);
	err[0] = '\0';
	return nfs_options_parse(o, text, err, 256);
}

static void options_are_read(void **state)
{
	struct nfs_options o;
	char err[256];

	assert_int_equal(
		parse(&o,
		      "addr=127.0.0.1,mounttargetip_1=127.0.0.2:99,"
		      "mounttargetip_2=127.0.0.3,rsize=64k,wsize=1m,timeo=25,"
		      "port=2050,nconnect=2,max_connect=8,policy=round-robin,"
		      "fast_io_fail_timeout=off,suspect_min=15ms,"
		      "reconnect_delay=0.25,connect_timeout=2s,ro,vers=4.1,"
		      "hard,notrunkdiscovery,slots=16,retrans=5",
		      err),
		0);
	assert_int_equal(o.naddresses, 3);
	assert_int_equal(addr_port(&o.address[1]), 99);
	assert_int_equal(o.port, 2050);
	assert_int_equal(o.rsize, 65536);
	assert_int_equal(o.wsize, 1 << 20);
	assert_true(o.timeo == MSEC(2500));
	assert_int_equal(o.nconnect, 2);
	assert_int_equal(o.max_connect, 8);
	assert_string_equal(o.policy, "round-robin");
	assert_true(o.path.fast_io_fail_timeout < 0);
	assert_true(o.path.suspect_min == MSEC(15));
	assert_true(o.path.reconnect_delay == MSEC(250));
	assert_true(o.path.connect_timeout == SEC(2));
	assert_true(o.ro);
	assert_false(o.discover);
	assert_int_equal(o.minorversion, 1);
	assert_int_equal(o.slots, 16);
	assert_int_equal(o.retrans, 5);
}

static void senseless_options_are_refused_with_what_would_do(void **state)
{
	static const struct {
		const char *text, *expect; /* in the message */
	} cases[] = {
		{ "rsize=5000", "multiple of 4096" },
		{ "rsize=", "needs a value" },
		{ "rsize", "needs a value" },
		{ "rsize=99999999999999999999", "multiple of 4096" },
		{ "addr=localhost", "IP address" },
		{ "port=0", "from 1 to 65535" },
		{ "port=70000", "from 1 to 65535" },
		{ "nconnect=17", "from 1 to 16" },
		{ "nconnect=-1", "from 1 to 16" },
		{ "nconnect=2x", "from 1 to 16" },
		{ "policy=fastest", "queue-depth" },
		{ "ro=1", "takes no value" },
		{ "vers=3", "4.1 or 4.2" },
		{ "suspect_min=-5", "0.15" },
		{ "suspect_min=off", "0.15" },
		{ "idle_probe=never", "or off" },
		{ "connect_timeout=5m", "0.15" },
	};
	struct nfs_options o;
	char err[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&o, cases[i].text, err), -EINVAL);
		if (strstr(err, cases[i].expect) == NULL)
			fail_msg("%s: %s", cases[i].text, err);
	}
}

static void foreign_options_are_left_to_others(void **state)
{
	struct nfs_options o;
	char err[256];

	assert_int_equal(parse(&o, "allow_other", err), -ENOENT);
	assert_string_equal(err, "allow_other");
	assert_int_equal(parse(&o, "mounttargetip_x=1.2.3.4", err), -ENOENT);
}

static void there_is_an_end_to_addresses(void **state)
{
	struct nfs_options o;
	char err[256], text[64];
	int rc = 0;

	nfs_options_init(&o);
	for (int i = 0; i < NFS_MAX_ADDRESSES; i++) {
		snprintf(text, sizeof(text), "mounttargetip_%d=127.0.0.%d", i,
			 i + 1);
		assert_int_equal(nfs_options_parse(&o, text, err, 256), 0);
	}
	rc = nfs_options_parse(&o, "addr=127.0.1.1", err, 256);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(err, "at most"));
}

/* ------------------------------------------------------------------- errno */

static void every_status_has_an_errno(void **state)
{
#define S(name, number)                                                        \
	assert_true((nfs_errno(name) == 0) == (name == NFS4_OK));
	NFS4_STATUS_LIST(S)
#undef S
	assert_int_equal(nfs_errno(NFS4ERR_NOENT), -ENOENT);
	assert_int_equal(nfs_errno(NFS4ERR_NOTEMPTY), -ENOTEMPTY);
	assert_int_equal(nfs_errno(NFS4ERR_DENIED), -EAGAIN);
	assert_int_equal(nfs_errno(NFS4ERR_STALE), -ESTALE);
	assert_int_equal(nfs_errno((nfsstat4)12345678), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_behave_as_a_map_of_bytes),
		cmocka_unit_test(lengths_that_make_no_range_are_refused),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(
			senseless_options_are_refused_with_what_would_do),
		cmocka_unit_test(foreign_options_are_left_to_others),
		cmocka_unit_test(there_is_an_end_to_addresses),
		cmocka_unit_test(every_status_has_an_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
