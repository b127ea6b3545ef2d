/* SPDX-License-Identifier: Apache-2.0 */
/* Proves how ranges of addresses are read, compared and walked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/subnet.h"

static struct subnet make(const char *cidr)
{
	struct subnet s;

	assert_int_equal(subnet_init(&s, cidr, "a"), 0);
	return s;
}

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, 0), 0);
	return a;
}

static bool contains(const struct subnet *s, const char *text)
{
	struct addr a = ip(text);

	return subnet_contains(s, &a);
}

static void a_range_is_an_address_with_a_prefix_and_no_host_bits(void **state)
{
	static const char *const bad[] = {
		"",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.1/24",
		"10.0.0.0/24x",
		"10.0.0/24",
		"10.0.0.0/-1",
		"10.0.0.0:80/24",
		"fd00::1/64",
		"fd00::/129",
		"unix:/x/24",
		"10.0.0.0/+24",
	};
	struct subnet s;

	assert_int_equal(subnet_init(&s, "10.1.0.0/16", "b"), 0);
	assert_string_equal(s.cidr, "10.1.0.0/16");
	assert_string_equal(s.zone, "b");
	assert_int_equal(subnet_init(&s, "0.0.0.0/0", "b"), 0);
	assert_int_equal(subnet_init(&s, "10.1.2.3/32", "b"), 0);
	assert_int_equal(subnet_init(&s, "fd00:1::/64", "b"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(subnet_init(&s, bad[i], "a"), -EINVAL);
	assert_int_equal(subnet_init(&s, "10.1.0.0/16", ""), -EINVAL);
}

/* It is in records on disk. */
static void the_id_of_a_range_never_changes(void **state)
{
	assert_string_equal(make("127.77.1.0/24").id,
			    "subnet-105449abe0a0e8b77");
	assert_string_not_equal(make("127.77.1.0/25").id,
				make("127.77.1.0/24").id);
	assert_string_equal(make("fd00:0::/64").id, make("fd00::/64").id);
}

static void an_address_is_in_a_range_if_the_prefix_is_the_same(void **state)
{
	struct subnet odd = make("10.1.32.0/19"), all = make("0.0.0.0/0"),
		      v6 = make("fd00:1::/33");

	assert_true(contains(&odd, "10.1.32.0"));
	assert_true(contains(&odd, "10.1.63.255"));
	assert_false(contains(&odd, "10.1.64.0"));
	assert_false(contains(&odd, "10.1.31.255"));
	assert_true(contains(&all, "1.2.3.4"));
	assert_false(contains(&all, "fd00::1"));
	assert_true(contains(&v6, "fd00:1:7fff::1"));
	assert_false(contains(&v6, "fd00:1:8000::1"));
}

static void ranges_overlap_if_one_is_in_the_other(void **state)
{
	struct subnet big = make("10.0.0.0/8"), small = make("10.1.0.0/16"),
		      other = make("11.1.0.0/16"), v6 = make("fd00::/8");

	assert_true(subnet_overlaps(&big, &small));
	assert_true(subnet_overlaps(&small, &big));
	assert_true(subnet_overlaps(&small, &small));
	assert_false(subnet_overlaps(&small, &other));
	assert_false(subnet_overlaps(&big, &v6));
}

static void all_of_a_loopback_range_is_local(void **state)
{
	struct subnet s = make("127.1.2.0/24"), one = make("127.1.2.3/32"),
		      big = make("127.0.0.0/8");
	char text[ADDR_TEXT_MAX];
	struct addr *list;

	assert_int_equal(subnet_local_addresses(&s, &list), 254);
	assert_string_equal(addr_format_host(&list[0], text), "127.1.2.1");
	assert_string_equal(addr_format_host(&list[253], text), "127.1.2.254");
	free(list);
	assert_int_equal(subnet_local_addresses(&one, &list), 1);
	assert_string_equal(addr_format_host(&list[0], text), "127.1.2.3");
	free(list);
	assert_int_equal(subnet_local_addresses(&big, &list),
			 SUBNET_LOOPBACK_MAX);
	free(list);
}

static void of_other_ranges_what_interfaces_have_is_local(void **state)
{
	struct subnet nobodys = make("0.1.2.0/24"), all = make("0.0.0.0/0");
	struct addr *list;
	int n;

	assert_int_equal(subnet_local_addresses(&nobodys, &list), 0);
	free(list);
	n = subnet_local_addresses(&all, &list); /* 127.0.0.1, at least */
	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		assert_true(subnet_contains(&all, &list[i]));
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_range_is_an_address_with_a_prefix_and_no_host_bits),
		cmocka_unit_test(the_id_of_a_range_never_changes),
		cmocka_unit_test(
			an_address_is_in_a_range_if_the_prefix_is_the_same),
		cmocka_unit_test(ranges_overlap_if_one_is_in_the_other),
		cmocka_unit_test(all_of_a_loopback_range_is_local),
		cmocka_unit_test(of_other_ranges_what_interfaces_have_is_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
