/* SPDX-License-Identifier: Apache-2.0 */
/* A tree is deleted, and nothing that only looks like a part of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/command.h"
#include "csi/wipe.h"

static void run(const char *script)
{
	char said[1000];
	const char *argv[] = { "sh", "-ec", script, NULL };

	assert_int_equal(command_run(argv, 60, said, sizeof(said)), 0);
}

static int in_new_directory(void **state)
{
	char *directory = strdup("/tmp/hawser-wipe-XXXXXX");

	*state = directory;
	return mkdtemp(directory) == NULL || chdir(directory) < 0;
}

static int remove_it(void **state)
{
	run("rm -rf \"$PWD\"");
	free(*state);
	return chdir("/");
}

static void everything_in_it(void **state)
{
	run("mkdir -p d/a/b/c d/.hidden/x out && touch d/f d/a/f out/f &&"
	    "mkfifo d/p && ln d/f d/hard && chmod 0 d/a/b/c &&"
	    "i=0; while [ $i -lt 500 ]; do : >d/a/b/$i; i=$((i + 1)); done;"
	    "chmod 500 d/a/b");
	assert_int_equal(wipe_directory("d"), 0);
	run("test -d d && test -z \"$(ls -A d)\" && test -f out/f");
	assert_int_equal(wipe_directory("d"), 0);
}

static void links_are_not_followed(void **state)
{
	run("mkdir -p l/a kept/k && touch kept/f && ln -s ../kept l/k &&"
	    "ln -s ../../kept l/a/k && ln -s / l/root && ln -s .. l/up");
	assert_int_equal(wipe_directory("l"), 0);
	run("test -f kept/f && test -d kept/k && test -z \"$(ls -A l)\"");
}

/* Deeper than there are descriptors, or room in a path. */
static void deep_ones(void **state)
{
	run("mkdir deep && cd deep && python3 -c '\n"
	    "import os\n"
	    "for i in range(3000):\n"
	    "    os.mkdir(\"d\")\n"
	    "    os.chdir(\"d\")\n"
	    "    open(\"f\", \"w\").close()\n'");
	assert_int_equal(wipe_directory("deep"), 0);
	run("test -z \"$(ls -A deep)\"");
}

static void what_is_not_there(void **state)
{
	assert_int_equal(wipe_directory("nowhere"), -ENOENT);
	run("touch file");
	assert_int_equal(wipe_directory("file"), -ENOTDIR);
	run("test -f file");
}

static void programs(void **state)
{
	char said[20];

	assert_int_equal(command_run((const char *[]){ "sh", "-c",
						       "echo no >&2; exit 3",
						       NULL },
				     60, said, sizeof(said)),
			 3);
	assert_string_equal(said, "no");
	assert_int_equal(command_run((const char *[]){ "/nowhere", NULL }, 60,
				     said, sizeof(said)),
			 -ENOENT);
	assert_int_equal(command_run((const char *[]){ "sleep", "60", NULL }, 1,
				     said, sizeof(said)),
			 -ETIMEDOUT);
	/* More than fits, and a child that goes on with the pipe. */
	assert_int_equal(command_run((const char *[]){ "sh", "-c",
						       "seq 100000; sleep 60 &",
						       NULL },
				     30, said, sizeof(said)),
			 0);
	assert_string_equal(said, "1\n2\n3\n4\n5\n6\n7\n8\n9\n1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_in_it,
						in_new_directory, remove_it),
		cmocka_unit_test_setup_teardown(links_are_not_followed,
						in_new_directory, remove_it),
		cmocka_unit_test_setup_teardown(deep_ones, in_new_directory,
						remove_it),
		cmocka_unit_test_setup_teardown(what_is_not_there,
						in_new_directory, remove_it),
		cmocka_unit_test(programs),
	};

	return cmocka_run_group_tests_name("wipe", tests, NULL, NULL);
}
