/* SPDX-License-Identifier: Apache-2.0 */
/* Connection information: the shapes that are understood, what is refused and
 * in which words, and that what was parsed can be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "connect/info.h"

#define ONE "'target_nqn': 'nqn.2026-01.x:a', "
#define TWO "'target_nqn': 'nqn.2026-01.x:b', "
#define WAYS                                                                   \
	"'portals': [['10.1.1.1', 4420, 'tcp'], "                              \
	"['10.1.1.2', 4420, 'tcp']]"
#define UUID_A "'vol_uuid': '11111111-2222-3333-4444-555555555555'"
#define UUID_B "'vol_uuid': '11111111-2222-3333-4444-666666666666'"
#define LEG_A  "{" ONE UUID_A ", " WAYS "}"
#define LEG_B  "{" TWO UUID_B ", " WAYS "}"

static struct connect_info info;
static char text[CONNECT_TEXT];

/* JSON with ' for ". */
static int load(const char *json)
{
	char bytes[4096];
	size_t n = strlen(json);

	assert_true(n < sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		bytes[i] = json[i] == '\'' ? '"' : json[i];
	text[0] = '\0';
	return connect_info_load(bytes, n, &info, text);
}

/* It is refused, in words that have these in them. */
static void bad(const char *json, const char *words)
{
	assert_int_equal(load(json), -EINVAL);
	if (strstr(text, words) == NULL)
		fail_msg("'%s' is not in '%s' (%s)", words, text, json);
}

static void new_shape(void **state)
{
	char address[ADDR_TEXT_MAX];

	assert_int_equal(load("{" ONE UUID_A ", 'portals': ["
			      "['10.1.1.1', 4420, 'tcp'],"
			      "['fd00::1', '4421', 'RoCEv2']], 'x': {}}"),
			 0);
	assert_int_equal(info.kind, CONNECT_PLAIN);
	assert_int_equal(info.n_targets, 1);
	assert_string_equal(info.name, "11111111-2222-3333-4444-555555555555");
	assert_string_equal(info.targets[0].nqn, "nqn.2026-01.x:a");
	assert_int_equal(info.targets[0].n_portals, 2);
	assert_string_equal(addr_format(&info.targets[0].portals[1].addr,
					address),
			    "[fd00::1]:4421");
	assert_true(info.targets[0].portals[1].rdma);
	assert_false(info.targets[0].portals[0].rdma);
}

static void old_shape(void **state)
{
	assert_int_equal(
		load("{'nqn': 'nqn.x', 'transport_type': 'rdma',"
		     "'target_portal': '10.0.0.9', 'target_port': '4420',"
		     "'volume_nguid': '11111111222233334444555555555555',"
		     "'ns_id': 3, 'host_nqn': 'nqn.host', 'vol_uuid': null}"),
		0);
	assert_true(info.targets[0].portals[0].rdma);
	assert_true(info.targets[0].id.has_nguid);
	assert_false(info.targets[0].id.has_uuid);
	assert_int_equal(info.targets[0].id.nsid, 3);
	assert_string_equal(info.targets[0].hostnqn, "nqn.host");
}

static void mirror(void **state)
{
	assert_int_equal(load("{" UUID_A ", 'alias': 'vol-1', "
			      "'volume_replicas': [" LEG_A "," LEG_B "],"
			      "'replica_count': 0}"),
			 0);
	assert_int_equal(info.kind, CONNECT_MIRROR);
	assert_int_equal(info.replica_count, 2);
	assert_string_equal(info.name, "vol-1");
	assert_int_equal(load("{'alias': 'v', 'replica_count': 3, "
			      "'volume_replicas': [" LEG_A "," LEG_B "]}"),
			 0);
	assert_int_equal(info.replica_count, 3);
	/* One replica needs no name: it may be no mirror. */
	assert_int_equal(load("{'volume_replicas': [" LEG_A "]}"), 0);
	assert_false(info.has_alias);
	bad("{'volume_replicas': [" LEG_A "," LEG_B "]}", "alias is missing");
	bad("{'alias': 'v', 'replica_count': 1, "
	    "'volume_replicas': [" LEG_A "," LEG_B "]}",
	    "replica_count");
	bad("{'alias': 'v', 'volume_replicas': [" LEG_A "," LEG_A "]}",
	    "twice");
	bad("{'alias': 'v', 'volume_replicas': []}", "volume_replicas");
}

static void shared(void **state)
{
	assert_int_equal(load("{'vol_uuid': 'AAAAAAAA222233334444555555555555',"
			      "'dm_replicas': [" LEG_A "," LEG_B "],"
			      "'volume_replicas': null}"),
			 0);
	assert_int_equal(info.kind, CONNECT_SHARED);
	assert_string_equal(info.name, "aaaaaaaa-2222-3333-4444-555555555555");
	bad("{" UUID_A ", 'dm_replicas': [" LEG_A "], "
	    "'volume_replicas': [" LEG_B "]}",
	    "exclude each other");
	bad("{'dm_replicas': [" LEG_A "]}", "vol_uuid");
	bad("{" UUID_A ", 'dm_replicas': [{" UUID_A
	    ", 'volume_replicas': [" LEG_A "]}]}",
	    "RAID on top of device-mapper");
	bad("{'alias': 'v', 'volume_replicas': [" LEG_A ", {" UUID_B
	    ", 'dm_replicas': [" LEG_B "]}]}",
	    "volume_replicas[1]: ");
	bad("{" ONE UUID_A ", 'dm_replicas': [" LEG_A "]}", "target_nqn");
}

static void cinder_wraps_it(void **state)
{
	assert_int_equal(
		load("{'driver_volume_type': 'nvmeof', 'data': " LEG_A "}"), 0);
	assert_string_equal(info.targets[0].nqn, "nqn.2026-01.x:a");
}

static void flags(void **state)
{
	assert_int_equal(load("{" ONE WAYS ", 'access_mode': 'ro', "
			      "'enforce_multipath': true}"),
			 0);
	assert_true(info.read_only);
	assert_true(info.enforce_multipath);
	bad("{" ONE WAYS ", 'access_mode': 'rwx'}", "access_mode");
	bad("{" ONE WAYS ", 'enforce_multipath': 1}", "enforce_multipath");
}

static void what_is_wrong_is_named(void **state)
{
	bad("", "not JSON");
	bad("{", "not JSON");
	bad("[]", "object");
	bad("{}", "target_nqn");
	bad("{'target_nqn': 5}", "target_nqn is not a text");
	bad("{'target_nqn': 'nqn.a', 'nqn': 'nqn.b', " WAYS "}", "different");
	bad("{" ONE UUID_A "}", "portals");
	bad("{" ONE "'portals': {}}", "portals");
	bad("{" ONE "'portals': ['10.0.0.1']}", "portal 0");
	bad("{" ONE "'portals': [['host.example', 4420, 'tcp']]}", "address");
	bad("{" ONE "'portals': [['10.0.0.1', 0, 'tcp']]}", "port");
	bad("{" ONE "'portals': [['10.0.0.1', 65536, 'tcp']]}", "port");
	bad("{" ONE "'portals': [['10.0.0.1', '44x', 'tcp']]}", "port");
	bad("{" ONE "'portals': [['10.0.0.1', 4420, 7]]}", "transport");
	bad("{" ONE WAYS ", 'vol_uuid': 'x'}", "vol_uuid");
	bad("{" ONE WAYS ", 'vol_uuid': '00000000000000000000000000000000'}",
	    "vol_uuid");
	bad("{" ONE WAYS ", 'volume_eui64': '1'}", "volume_eui64");
	bad("{" ONE WAYS ", 'ns_id': -1}", "ns_id");
	bad("{" ONE WAYS ", 'ns_id': 1.5}", "ns_id");
	bad("{" ONE ONE WAYS "}", "not JSON"); /* a key that is there twice */
}

/* Texts go to command lines, to /dev/nvme-fabrics, and into names of files. */
static void texts_can_be_trusted(void **state)
{
	static const char *const names[] = {
		"nqn.a,nqn.b", "nqn.a b",	"nqn.a\\nb",
		"nqn.a;b",     "nqn.$(reboot)", "--help",
		"a",	       "nqn.\\u00e9",	"nqn.`id`",
	};
	static const char *const aliases[] = {
		"../v",
		"a/b",
		"-v",
		".v",
		"a b",
		"",
		"123456789012345678901234567890123",
	};
	char json[512];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(json, sizeof(json), "{'target_nqn': '%s', " WAYS "}",
			 names[i]);
		bad(json, "target_nqn");
		snprintf(json, sizeof(json),
			 "{" ONE "'host_nqn': '%s', " WAYS "}", names[i]);
		bad(json, "host_nqn");
	}
	bad("{'target_nqn': 'nqn.a\\u0000', " WAYS "}", "not JSON");
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		snprintf(json, sizeof(json),
			 "{'alias': '%s', 'volume_replicas': [" LEG_A "]}",
			 aliases[i]);
		bad(json, "alias");
	}
}

static void bounds(void **state)
{
	char json[4000];
	size_t n;

	n = snprintf(json, sizeof(json), "{" ONE "'portals': [");
	for (int i = 1; i <= CONNECT_PORTALS_MAX + 1; i++)
		n += snprintf(json + n, sizeof(json) - n,
			      "['10.0.0.%d', 4420, 'tcp'],", i);
	snprintf(json + n - 1, sizeof(json) - n, "]}");
	bad(json, "at most 16 portals");
	n = snprintf(json, sizeof(json), "{'alias': 'v', 'volume_replicas': [");
	for (int i = 0; i <= CONNECT_TARGETS_MAX; i++)
		n += snprintf(json + n, sizeof(json) - n, "%s,", LEG_A);
	snprintf(json + n - 1, sizeof(json) - n, "]}");
	bad(json, "at most 8");
	/* The same portal twice is one. */
	assert_int_equal(load("{" ONE "'portals': [['10.0.0.1', 4420, 'tcp'],"
			      "['10.0.0.1', 4420, 'TCP']]}"),
			 0);
	assert_int_equal(info.targets[0].n_portals, 1);
}

static void dump_parses_to_the_same(void **state)
{
	static const char *const shapes[] = {
		LEG_A,
		"{" ONE WAYS ", 'ns_id': 7, 'host_nqn': 'nqn.h', "
		"'volume_eui64': '0011223344556677', 'access_mode': 'ro'}",
		"{'alias': 'v', 'volume_replicas': [" LEG_A "," LEG_B "]}",
		"{'volume_replicas': [" LEG_A "]}",
		"{" UUID_A ", 'dm_replicas': [" LEG_A "," LEG_B "]}",
	};
	struct connect_info again;
	json_t *j;

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		assert_int_equal(load(shapes[i]), 0);
		j = connect_info_dump(&info);
		assert_int_equal(connect_info_parse(j, &again, text), 0);
		assert_memory_equal(&info, &again, sizeof(info));
		json_decref(j);
	}
}

/* Drivers fill in all keys, and services keep them in databases. */
static void null_is_absent(void **state)
{
	assert_int_equal(load("{" ONE UUID_A ", " WAYS ", 'alias': null,"
			      "'volume_replicas': null, 'dm_replicas': null,"
			      "'replica_count': null, 'nqn': null,"
			      "'target_portal': null, 'target_port': null,"
			      "'transport_type': null, 'host_nqn': null,"
			      "'volume_nguid': null, 'ns_id': null,"
			      "'access_mode': null, 'enforce_multipath': null,"
			      "'device_path': null, 'qos_specs': null,"
			      "'encrypted': null, 'learned': null}"),
			 0);
	assert_int_equal(info.kind, CONNECT_PLAIN);
	assert_int_equal(load("{'target_nqn': null, 'nqn': null, 'portals':"
			      "null, 'alias': 'v', 'replica_count': '2',"
			      "'volume_replicas': [" LEG_A "," LEG_B "]}"),
			 0);
	assert_int_equal(info.kind, CONNECT_MIRROR);
	assert_int_equal(info.replica_count, 2);
	assert_int_equal(
		load("{'target_nqn': null, 'volume_replicas': null," UUID_A
		     ", 'dm_replicas': [" LEG_A "," LEG_B "]}"),
		0);
	assert_int_equal(info.kind, CONNECT_SHARED);
	assert_int_equal(load("{" ONE WAYS ", 'ns_id': 0, 'volume_nguid': ''}"),
			 0);
	assert_int_equal(load("{" ONE WAYS ", 'ns_id': ''}"), 0);
	bad("{" ONE WAYS ", 'ns_id': 'x'}", "ns_id");
	bad("{" ONE WAYS ", 'ns_id': true}", "ns_id");
}

/* Without any identifier the name is made of the subsystem's, and is the same
 * each time. */
static void a_name_for_each(void **state)
{
	char name[CONNECT_NAME_SIZE];

	assert_int_equal(load("{" ONE WAYS "}"), 0);
	strcpy(name, info.name);
	assert_int_equal(load("{" TWO WAYS "}"), 0);
	assert_string_not_equal(name, info.name);
	assert_int_equal(load("{" ONE WAYS ", 'ns_id': 2}"), 0);
	assert_string_not_equal(name, info.name);
	assert_int_equal(load("{" ONE WAYS "}"), 0);
	assert_string_equal(name, info.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_shape),
		cmocka_unit_test(old_shape),
		cmocka_unit_test(mirror),
		cmocka_unit_test(shared),
		cmocka_unit_test(cinder_wraps_it),
		cmocka_unit_test(flags),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(texts_can_be_trusted),
		cmocka_unit_test(bounds),
		cmocka_unit_test(dump_parses_to_the_same),
		cmocka_unit_test(null_is_absent),
		cmocka_unit_test(a_name_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
