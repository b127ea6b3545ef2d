/* SPDX-License-Identifier: Apache-2.0 */
/* Which mount targets a host uses: near ones first, zones in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "path/select.h"

/* "10.0.1.10/a 10.0.2.10/b" */
static size_t candidates(const char *text, struct path_candidate *list)
{
	size_t n = 0;
	char address[64];
	int used;

	memset(list, 0, PATH_SELECT_MAX * sizeof(*list));
	while (sscanf(text, " %63[^/ ]/%15[^ ]%n", address, list[n].zone,
		      &used) == 2) {
		assert_int_equal(addr_parse(&list[n].address, address, 0), 0);
		text += used;
		n++;
	}
	return n;
}

/* "1:10.0.1.5/24 2:10.0.2.5/24": index, address, prefix */
static size_t interfaces(const char *text, struct path_interface *list)
{
	size_t n = 0;
	char address[64];
	int used;

	while (sscanf(text, " %u:%63[^/ ]/%u%n", &list[n].index, address,
		      &list[n].prefix, &used) == 3) {
		assert_int_equal(addr_parse(&list[n].address, address, 0), 0);
		text += used;
		n++;
	}
	return n;
}

static void selects(const char *zone, const char *mine, size_t limit,
		    const char *from, const char *want)
{
	struct path_candidate list[PATH_SELECT_MAX];
	struct path_interface near[16];
	struct path_host host = { zone, near, interfaces(mine, near) };
	size_t n = path_select(&host, limit, list, candidates(from, list));
	char got[1024] = "", text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, addr_format_host(&list[i].address, text));
	}
	assert_string_equal(got, want);
}

#define THREE "10.0.1.1/a 10.0.2.1/b 10.0.3.1/c"

static void all_without_a_limit(void **state)
{
	selects("", "", 0, "", "");
	selects("", "", 0, THREE, "10.0.1.1 10.0.2.1 10.0.3.1");
	selects("", "", 9, THREE, "10.0.1.1 10.0.2.1 10.0.3.1");
	selects("", "", 2, THREE, "10.0.1.1 10.0.2.1");
}

static void the_own_zone_comes_first(void **state)
{
	selects("b", "", 0, THREE, "10.0.2.1 10.0.1.1 10.0.3.1");
	selects("c", "", 1, THREE, "10.0.3.1");
	selects("x", "", 1, THREE, "10.0.1.1");
}

static void then_zones_with_an_interface(void **state)
{
	selects("b", "1:10.0.3.9/24", 2, THREE, "10.0.2.1 10.0.3.1");
	selects("", "1:10.0.3.9/24", 2, THREE, "10.0.3.1 10.0.1.1");
	selects("", "1:10.0.3.9/24 2:10.0.2.9/24", 2, THREE,
		"10.0.2.1 10.0.3.1");
}

static void zones_take_turns(void **state)
{
	selects("", "", 3, "10.0.1.1/a 10.0.1.2/a 10.0.1.3/a 10.0.2.1/b",
		"10.0.1.1 10.0.2.1 10.0.1.2");
	selects("a", "", 3, "10.0.2.1/b 10.0.2.2/b 10.0.1.1/a",
		"10.0.1.1 10.0.2.1 10.0.2.2");
}

/* Two interfaces in a zone: two targets of it in each round. */
static void interfaces_weigh(void **state)
{
#define SIX "10.0.1.1/a 10.0.1.2/a 10.0.1.3/a 10.0.2.1/b 10.0.2.2/b 10.0.3.1/c"
	selects("a", "1:10.0.1.8/24 2:10.0.1.9/24", 3, SIX,
		"10.0.1.1 10.0.1.2 10.0.2.1");
	/* Two addresses of one interface are one interface. */
	selects("a", "1:10.0.1.8/24 1:10.0.1.9/24", 3, SIX,
		"10.0.1.1 10.0.2.1 10.0.3.1");
}

static void the_same_address_once(void **state)
{
	selects("", "", 0, "10.0.1.1/a 10.0.1.1/a 10.0.2.1/b",
		"10.0.1.1 10.0.2.1");
}

static void networks(void **state)
{
	static const struct {
		const char *interface, *address;
		bool want;
	} cases[] = {
		{ "1:10.0.1.5/24", "10.0.1.200", true },
		{ "1:10.0.1.5/24", "10.0.2.5", false },
		{ "1:10.0.1.5/23", "10.0.0.1", true },
		{ "1:10.0.1.5/25", "10.0.1.128", false },
		{ "1:10.0.1.5/32", "10.0.1.5", true },
		{ "1:10.0.1.5/0", "192.168.1.1", true },
		{ "1:10.0.1.5/33", "10.0.1.5", false },
		{ "1:10.0.1.5/24", "fd00::1", false },
		{ "1:fd00:0:0:1::5/64", "fd00:0:0:1::9", true },
		{ "1:fd00:0:0:1::5/64", "fd00:0:0:2::9", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_interface near;
		struct addr a;

		assert_int_equal(interfaces(cases[i].interface, &near), 1);
		assert_int_equal(addr_parse(&a, cases[i].address, 0), 0);
		assert_int_equal(path_interface_reaches(&near, &a),
				 cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_without_a_limit),
		cmocka_unit_test(the_own_zone_comes_first),
		cmocka_unit_test(then_zones_with_an_interface),
		cmocka_unit_test(zones_take_turns),
		cmocka_unit_test(interfaces_weigh),
		cmocka_unit_test(the_same_address_once),
		cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
