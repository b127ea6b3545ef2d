/* SPDX-License-Identifier: Apache-2.0 */
/* What hawser mount makes of its arguments, and names of mount points. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/tree.h"
#include "fuse/mountpoint.h"
#include "fuse/options.h"

static char directory[] = "/tmp/hawser-test-XXXXXX";
static struct mount_options o;

/* With one line on stderr when it is refused. */
static int parse(const char *source, const char *options)
{
	static char words[3][300], list[300]; /* options borrow from them */
	char *argv[] = { words[0], words[1], words[2], NULL, NULL, NULL };
	int argc = 3, r, fds[2], saved = dup(2);
	char said[1000] = "";
	ssize_t n;

	strcpy(words[0], "mount");
	snprintf(words[1], sizeof(words[1]), "%s", source);
	snprintf(words[2], sizeof(words[2]), "%s", directory);
	if (options != NULL) {
		snprintf(list, sizeof(list), "%s", options);
		argv[argc++] = (char *)"-o";
		argv[argc++] = list;
	}
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 2);
	r = mount_options_parse(&o, argc, argv);
	dup2(saved, 2);
	close(saved);
	close(fds[1]);
	n = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	if (r < 0) {
		assert_true(n > 1);
		assert_ptr_equal(strchr(said, '\n'), said + n - 1);
	} else {
		assert_int_equal(n, 0);
	}
	return r;
}

static const char *address(unsigned i)
{
	static char text[ADDR_TEXT_MAX];

	return addr_format_host(&o.nfs.address[i], text);
}

static void a_source_is_an_address_and_a_path(void **state)
{
	assert_int_equal(parse("127.77.1.1:/", NULL), 0);
	assert_string_equal(address(0), "127.77.1.1");
	assert_string_equal(o.path, "/");
	assert_string_equal(o.mountpoint, directory);
	assert_int_equal(parse("[2001:db8::1]:/a/b", NULL), 0);
	assert_string_equal(address(0), "2001:db8::1");
	assert_string_equal(o.path, "/a/b");
}

static void with_addr_the_source_is_only_a_name(void **state)
{
	assert_int_equal(parse("fs-0123:/x", "addr=127.77.1.1,"
					     "mounttargetip_1=127.77.2.1"),
			 0);
	assert_string_equal(address(0), "127.77.1.1");
	assert_int_equal(o.nfs.naddresses, 2);
	assert_string_equal(o.path, "/x");
}

static void options_are_told_apart(void **state)
{
	assert_int_equal(parse("127.0.0.1:/",
			       "ro,nosuid,actimeo=0.5,rsize=8192,"
			       "hard,x-systemd.automount,"
			       "readahead=100,proto=tcp"),
			 0);
	assert_true(o.nfs.ro);
	assert_non_null(strstr(o.kernel, ",ro"));
	assert_non_null(strstr(o.kernel, ",nosuid"));
	assert_null(strstr(o.kernel, "rsize"));
	assert_true(o.actimeo == 0.5);
	assert_int_equal(o.nfs.rsize, 8192);
	assert_int_equal(o.read_ahead, 100);
	assert_int_equal(parse("127.0.0.1:/", "noac"), 0);
	assert_true(o.actimeo == 0);
}

static void what_is_not_understood_is_refused(void **state)
{
	static const char *const sources[] = { "", "127.0.0.1", ":/", "/x",
					       "localhost.invalid/:" };
	static const char *const options[] = {
		"nonsense",   "actimeo",     "actimeo=", "actimeo=x",
		"actimeo=-1", "actimeo=nan", "soft",	 "rsize=x",
		"proto=udp",  "sec=krb5",    "iam",	 "readahead=1e9",
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		assert_int_equal(parse(sources[i], NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (parse("127.0.0.1:/", options[i]) != -EINVAL)
			fail_msg("'%s' was taken", options[i]);
}

static void tls_is_for_the_name_before_the_colon(void **state)
{
	assert_int_equal(parse("fs-0123abcd.efs.x.example:/",
			       "addr=127.0.0.1,tls,iam,cafile=/ca"),
			 0);
	assert_true(o.tls && o.iam && o.verify == 2);
	assert_string_equal(o.fs, "fs-0123abcd");
	assert_string_equal(o.host, "fs-0123abcd.efs.x.example");
	assert_string_equal(o.ca_file, "/ca");
	/* An address is looked for in the certificate by each connection. */
	assert_int_equal(parse("127.0.0.1:/", "tls,verify=0"), 0);
	assert_string_equal(o.host, "");
	assert_string_equal(o.fs, "");
	assert_int_equal(o.verify, 0);
	assert_int_equal(parse("fs-0123abcd:/", "addr=127.0.0.1,tls,"
						"tlshost=other,region=eu,"
						"accesspoint=fsap-1"),
			 0);
	assert_string_equal(o.host, "other");
	assert_string_equal(o.region, "eu");
	assert_string_equal(o.access_point, "fsap-1");
	assert_int_equal(parse("127.0.0.1:/", "accesspoint=fsap-1"), -EINVAL);
	assert_int_equal(parse("127.0.0.1:/", "tls,verify=3"), -EINVAL);
	assert_int_equal(parse("127.0.0.1:/", "tls,cafile="), -EINVAL);
}

static void the_kernels_options_have_a_bound(void **state)
{
	char list[290] = "";

	while (strlen(list) < 280)
		strcat(list, "noatime,");
	assert_int_equal(parse("127.0.0.1:/", list), -EINVAL);
}

static void names_of_mount_points_are_made_absolute(void **state)
{
	char path[PATH_MAX], want[PATH_MAX], here[PATH_MAX];

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkdir("d/.hidden", 0700), 0);
	assert_int_equal(symlink("d", "link"), 0);
	snprintf(want, sizeof(want), "%s/d", directory);
	static const char *const same[] = { "d",      "./d",  "d/",
					    "d//",    "link", "link/",
					    "d/../d", "d/.",  "d/.hidden/.." };
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		assert_int_equal(mountpoint_resolve(same[i], path), 0);
		assert_string_equal(path, want);
	}
	assert_int_equal(mountpoint_resolve("/", path), 0);
	assert_string_equal(path, "/");
	assert_int_equal(mountpoint_resolve("/tmp", path), 0);
	assert_string_equal(path, "/tmp");
	assert_int_equal(mountpoint_resolve("no/such/d", path), -ENOENT);
	assert_int_equal(chdir(here), 0);
}

static void nothing_of_ours_is_mounted_elsewhere(void **state)
{
	assert_int_equal(mountpoint_is_ours(directory), 0);
	assert_int_equal(mountpoint_is_ours("/"), 0);
}

static int make_directory(void **state)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	return tree_remove(directory, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_an_address_and_a_path),
		cmocka_unit_test(with_addr_the_source_is_only_a_name),
		cmocka_unit_test(options_are_told_apart),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(tls_is_for_the_name_before_the_colon),
		cmocka_unit_test(the_kernels_options_have_a_bound),
		cmocka_unit_test(names_of_mount_points_are_made_absolute),
		cmocka_unit_test(nothing_of_ours_is_mounted_elsewhere),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
