/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options out of addresses and of what the volume says, and the command
 * that they are for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "csi/locate.h"

/* What addresses and flags ("a|b") become. */
static void becomes(struct locate_wish wish, const char *addresses, char *flags,
		    const char *want)
{
	struct path_candidate targets[LOCATE_MAX] = {};
	char out[MOUNTER_OPTIONS_SIZE], text[256];
	char *list[32], *save = NULL, *retry;
	size_t n = 0;

	strcpy(text, addresses);
	for (char *a = strtok_r(text, " ", &save); a;
	     a = strtok_r(NULL, " ", &save))
		assert_int_equal(addr_parse(&targets[n++].address, a, 0), 0);
	wish.flags = list;
	for (char *f = strtok_r(flags, "|", &save); f;
	     f = strtok_r(NULL, "|", &save))
		list[wish.n_flags++] = f;
	assert_int_equal(locate_options(&wish, targets, n, out, sizeof(out)),
			 0);
	/* Where the driver's own end, and those of the volume begin. */
	retry = strstr(out, "retry=0");
	assert_non_null(retry);
	retry -= retry > out;
	memmove(retry, retry + 8, strlen(retry + 8) + 1);
	assert_string_equal(out, want);
}
#define BECOMES(addresses, flags, want, ...)                                   \
	becomes((struct locate_wish){ __VA_ARGS__ }, addresses,                \
		(char[]){ flags }, want)

static void one_address(void **state)
{
	BECOMES("10.0.1.10", "", "addr=10.0.1.10,notrunkdiscovery");
	BECOMES("10.0.1.10", "", "addr=10.0.1.10,notrunkdiscovery,ro",
		.read_only = true);
	BECOMES("fd00::1", "", "addr=fd00::1,notrunkdiscovery");
}

/* The seed's own line. */
static void several_addresses(void **state)
{
	BECOMES("10.0.1.10 10.0.2.10 10.0.3.10", "",
		"addr=10.0.1.10,mounttargetip_1=10.0.2.10,"
		"mounttargetip_2=10.0.3.10",
		.multipathing = true);
	BECOMES("10.0.1.10 10.0.2.10", "",
		"addr=10.0.1.10,mounttargetip_1=10.0.2.10,max_connect=2",
		.multipathing = true, .max_targets = 2);
	/* One is known, three are wanted: the server tells of the others. */
	BECOMES("10.0.1.10", "", "addr=10.0.1.10,max_connect=3",
		.multipathing = true, .max_targets = 3);
	BECOMES("10.0.1.10", "", "addr=10.0.1.10", .multipathing = true);
}

static void the_volumes_own(void **state)
{
	BECOMES("10.0.1.10", "rsize=1048576|wsize=1048576|timeo=600|retrans=2",
		"addr=10.0.1.10,notrunkdiscovery,rsize=1048576,wsize=1048576,"
		"timeo=600,retrans=2");
	BECOMES("10.0.1.10", "RSIZE=4096|rsize=4096,noatime|noatime|,,",
		"addr=10.0.1.10,notrunkdiscovery,rsize=4096,noatime");
	BECOMES("10.0.1.10", "ro|ro", "addr=10.0.1.10,notrunkdiscovery,ro",
		.read_only = true);
	BECOMES("10.0.1.10",
		"az=x|mounttargetip=1.2.3.4|awscredsuri=/a|"
		"accesspoint=fsap-01234567",
		"addr=10.0.1.10,notrunkdiscovery");
	/* Who knows better. */
	BECOMES("10.0.1.10", "trunkdiscovery", "addr=10.0.1.10,trunkdiscovery");
	BECOMES("10.0.1.10", "max_connect=3", "addr=10.0.1.10,max_connect=3");
	BECOMES("", "addr=10.0.9.9|mounttargetip_1=10.0.9.10",
		"addr=10.0.9.9,mounttargetip_1=10.0.9.10");
}

/* Which client, and for how long to try: as the volume says, or the driver. */
static void of_the_helper(void **state)
{
	char *own[] = { (char *)"client=kernel", (char *)"retry=1",
			(char *)"bg" };
	struct locate_wish wish = { .client = "fuse", .flags = own };
	char out[MOUNTER_OPTIONS_SIZE];

	assert_int_equal(locate_options(&wish, NULL, 0, out, sizeof(out)), 0);
	assert_string_equal(out, "client=fuse,retry=0");
	wish.n_flags = 3;
	assert_int_equal(locate_options(&wish, NULL, 0, out, sizeof(out)), 0);
	assert_string_equal(out, "client=kernel,retry=1");
}

static void too_many(void **state)
{
	char big[300], *flags[40];
	struct locate_wish wish = { .flags = flags, .n_flags = 40 };
	char out[MOUNTER_OPTIONS_SIZE], text[40][sizeof(big) + 4];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 40; i++) {
		snprintf(text[i], sizeof(text[i]), "%s%d", big, i);
		flags[i] = text[i];
	}
	assert_int_equal(locate_options(&wish, NULL, 0, out, sizeof(out)),
			 -E2BIG);
}

static void values_of_flags(void **state)
{
	char *flags[] = { (char *)"ro,az=us-east-1a", (char *)"TLS" };
	struct locate_wish wish = { .flags = flags, .n_flags = 2 };
	char value[32];

	assert_int_equal(locate_flag(&wish, "az", value, sizeof(value)), 1);
	assert_string_equal(value, "us-east-1a");
	assert_int_equal(locate_flag(&wish, "tls", value, sizeof(value)), 1);
	assert_string_equal(value, "");
	assert_int_equal(locate_flag(&wish, "a", value, sizeof(value)), 0);
}

static void is_command(const struct mounter *m, const char *options,
		       const char *const *want)
{
	struct mount_spec spec = { .source = "fs-1:/" };
	const char *argv[MOUNTER_WORDS];
	size_t i;

	strcpy(spec.options, options);
	mounter_command(m, &spec, "/at", argv);
	for (i = 0; want[i]; i++)
		assert_string_equal(argv[i], want[i]);
	assert_null(argv[i]);
}

static void commands(void **state)
{
	const struct mounter plain = { "/bin/hawser", NULL };
	const struct mounter moved = { "hawser", "/sys/fs/cgroup/x" };

	is_command(&plain, "",
		   (const char *[]){ "/bin/hawser", "mount.hawser", "--",
				     "fs-1:/", "/at", NULL });
	is_command(&plain, "addr=1.2.3.4",
		   (const char *[]){ "/bin/hawser", "mount.hawser", "-o",
				     "addr=1.2.3.4", "--", "fs-1:/", "/at",
				     NULL });
	is_command(&moved, "",
		   (const char *[]){ "sh", "-c",
				     "echo $$ >\"$0/cgroup.procs\" && "
				     "exec \"$@\"",
				     "/sys/fs/cgroup/x", "hawser",
				     "mount.hawser", "--", "fs-1:/", "/at",
				     NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address),
		cmocka_unit_test(several_addresses),
		cmocka_unit_test(the_volumes_own),
		cmocka_unit_test(of_the_helper),
		cmocka_unit_test(too_many),
		cmocka_unit_test(values_of_flags),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
