/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as block devices, on a machine that is made up: what is connected,
 * what is not, what stays, and that a process killed at any call is completed
 * by the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "connect/record.h"
#include "machine.h"

#define U1     "11111111-2222-3333-4444-555555555551"
#define U2     "11111111-2222-3333-4444-555555555552"
#define U3     "11111111-2222-3333-4444-555555555553"
#define WAYS   "'portals': [['10.1.1.1', 4420, 'tcp'], ['10.1.1.2', 4420, '']]"
#define PLAIN  "{'target_nqn': 'nqn.a', 'vol_uuid': '" U1 "', " WAYS "}"
#define SECOND "{'target_nqn': 'nqn.a', 'vol_uuid': '" U2 "', " WAYS "}"
#define LEFT   "{'target_nqn': 'nqn.b', 'vol_uuid': '" U1 "', " WAYS "}"
#define RIGHT                                                                  \
	"{'target_nqn': 'nqn.c', 'vol_uuid': '" U3 "',"                        \
	"'portals': [['10.1.1.3', 4420, 'tcp']]}"
#define MIRROR "{'alias': 'v', 'volume_replicas': [" LEFT "," RIGHT "]}"
#define SHARED "{'vol_uuid': '" U2 "', 'dm_replicas': [" LEFT "," RIGHT "]}"
#define MAP    "/dev/mapper/hawser-" U2

static struct machine m;
static struct connect_info info;
static struct connect_options options;
static char text[CONNECT_TEXT];

static int new_machine(void **state)
{
	machine_init(&m);
	memset(&options, 0, sizeof(options));
	m.targets[0] = (struct machine_target){
		"nqn.a",
		{ { .nsid = 1, .uuid = U1, .sectors = 2048 },
		  { .nsid = 2, .uuid = U2, .sectors = 4096 } }
	};
	m.targets[1] = (struct machine_target){
		"nqn.b", { { .nsid = 1, .uuid = U1, .sectors = 65536 } }
	};
	m.targets[2] = (struct machine_target){
		"nqn.c", { { .nsid = 1, .uuid = U3, .sectors = 65536 } }
	};
	return 0;
}

static int end_machine(void **state)
{
	machine_fini(&m);
	return 0;
}

static void parse(const char *json)
{
	char bytes[2048];
	size_t n = strlen(json);

	assert_true(n < sizeof(bytes));
	for (size_t i = 0; i < n; i++)
		bytes[i] = json[i] == '\'' ? '"' : json[i];
	if (connect_info_load(bytes, n, &info, text) < 0)
		fail_msg("%s: %s", json, text);
}

/* Connects; the path and the number of live paths are these. */
static void connects(const char *json, const char *path, unsigned live)
{
	json_t *j = NULL;
	int rc;

	parse(json);
	rc = connect_volume(&m.host, &info, &options, &j, text);
	if (rc < 0)
		fail_msg("%s: %s", json, text);
	assert_string_equal(json_string_value(json_object_get(j, "path")),
			    path);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(j, "paths"), "live")),
			 live);
	json_decref(j);
}

static void refuses(const char *json, int error, const char *words)
{
	json_t *j = NULL;

	parse(json);
	text[0] = '\0';
	assert_int_equal(connect_volume(&m.host, &info, &options, &j, text),
			 error);
	assert_null(j);
	if (strstr(text, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, text);
}

static int release(const char *json)
{
	parse(json);
	return connect_release(&m.host, &info, &options, false, text);
}

static bool is_known(const char *json)
{
	struct connect_record *r = malloc(sizeof(*r));
	bool known;

	parse(json);
	known = connect_record_read(&m.host, info.name, r, NULL) == 0;
	free(r);
	return known;
}

/* ------------------------------------------------------------------ one target
 */

static void every_portal_is_connected_once(void **state)
{
	connects(PLAIN, "/dev/nvme0n1", 2);
	assert_int_equal(machine_logged(&m, "add nqn.a"), 2);
	assert_int_equal(machine_logged(&m, "fast -1"), 2);
	machine_forget(&m);
	connects(PLAIN, "/dev/nvme0n1", 2);
	assert_int_equal(machine_logged(&m, "add"), 0);
	connects(SECOND, "/dev/nvme0n2", 2);
	assert_int_equal(machine_logged(&m, "add"), 0);
}

static void a_dead_portal_is_told_or_refused(void **state)
{
	m.dead = "10.1.1.1";
	connects(PLAIN, "/dev/nvme0n1", 1);
	assert_int_equal(release(PLAIN), 0);
	machine_remove(&m, "/sys/class/nvme");
	options.min_paths = 2;
	refuses(PLAIN, -ENOTCONN, "1 of 2 paths are live, and 2 are wanted");
	m.dead = "10.1.1.3";
	options.min_paths = 1;
	refuses(RIGHT, -ENOTCONN, "connection refused");
	assert_false(is_known(RIGHT));
}

/* What a failed call has connected is disconnected; what was there stays. */
static void a_failure_leaves_nothing_behind(void **state)
{
	m.targets[0].namespaces[1].nsid = 0;
	refuses(SECOND, -ENODEV, "none is it");
	assert_int_equal(machine_controllers(&m), 0);
	connects(PLAIN, "/dev/nvme0n1", 2);
	refuses(SECOND, -ENODEV, "none is it");
	assert_int_equal(machine_controllers(&m), 2);
	assert_int_equal(release(PLAIN), 0);
	m.targets[0].namespaces[0].nsid = 0;
	refuses(SECOND, -ENODEV, "none is it");
	assert_int_equal(machine_controllers(&m), 0);
	assert_false(is_known(SECOND));
}

static void one_path_is_enough_if_one_is_wanted(void **state)
{
	m.dead = "10.1.1.1";
	options.single_path = true;
	connects(PLAIN, "/dev/nvme0n1", 1);
	assert_int_equal(machine_logged(&m, "add"), 2);
	m.dead = NULL;
	machine_forget(&m);
	connects(PLAIN, "/dev/nvme0n1", 1);
	assert_int_equal(machine_logged(&m, "add"), 0);
}

static void without_native_multipath_there_is_one_path(void **state)
{
	machine_put(&m, "N", "/sys/module/nvme_core/parameters/multipath");
	options.enforce_multipath = true;
	refuses(PLAIN, -EOPNOTSUPP, "enforced");
	assert_int_equal(machine_logged(&m, "add"), 0);
	options.enforce_multipath = false;
	refuses("{'target_nqn': 'nqn.a', " WAYS ", 'enforce_multipath': true}",
		-EOPNOTSUPP, "enforced");
	connects(PLAIN, "/dev/nvme0n1", 1);
	assert_int_equal(machine_logged(&m, "add"), 1);
}

#define BY(ids) "{'target_nqn': 'nqn.a', " ids ", " WAYS "}"

static void namespaces_are_found_by_all_that_is_given(void **state)
{
	struct machine_namespace *n = m.targets[0].namespaces;

	n[1].nguid = U3;
	n[1].eui = "00 11 22 33 44 55 66 77";
	connects(BY("'ns_id': 2"), "/dev/nvme0n2", 2);
	connects(BY("'volume_eui64': '0011223344556677'"), "/dev/nvme0n2", 2);
	connects(BY("'volume_nguid': '" U3 "'"), "/dev/nvme0n2", 2);
	connects(BY("'volume_nguid': '" U3 "', 'vol_uuid': '" U2
		    "', 'ns_id': 2"),
		 "/dev/nvme0n2", 2);
	refuses(BY("'volume_nguid': '" U1 "', 'vol_uuid': '" U2 "'"), -ENODEV,
		"none is it");
	refuses(BY("'vol_uuid': '" U1 "', 'ns_id': 2"), -ENODEV, "none is it");
	refuses("{'target_nqn': 'nqn.a', " WAYS "}", -EINVAL, "say which");
	connects("{'target_nqn': 'nqn.b', " WAYS "}", "/dev/nvme1n1", 2);
}

/* The kernel shows an NGUID in the place of a UUID that isn't there. */
static void an_nguid_alone_is_found_by_either(void **state)
{
	m.targets[1].namespaces[0].uuid = NULL;
	m.targets[1].namespaces[0].nguid = U2;
	connects("{'target_nqn': 'nqn.b', 'volume_nguid': '" U2
		 "', 'vol_uuid': '" U3 "', " WAYS "}",
		 "/dev/nvme1n1", 2);
	connects("{'target_nqn': 'nqn.b', 'vol_uuid': '" U2 "', " WAYS "}",
		 "/dev/nvme1n1", 2);
}

static void shared_controllers_stay(void **state)
{
	connects(PLAIN, "/dev/nvme0n1", 2);
	connects(SECOND, "/dev/nvme0n2", 2);
	assert_int_equal(release(SECOND), 0);
	assert_int_equal(machine_controllers(&m), 2);
	/* The other namespace has gone, but its volume is still connected. */
	connects(SECOND, "/dev/nvme0n2", 2);
	for (int c = 0; c < 2; c++)
		machine_remove(&m, "/sys/class/nvme/nvme%d/nvme0c%dn2", c, c);
	assert_int_equal(release(PLAIN), 0);
	assert_int_equal(machine_controllers(&m), 2);
	for (int c = 0; c < 2; c++)
		machine_remove(&m, "/sys/class/nvme/nvme%d/nvme0c%dn1", c, c);
	assert_int_equal(release(SECOND), 0);
	assert_int_equal(machine_controllers(&m), 0);
	assert_int_equal(release(SECOND), 0); /* again */
}

static void a_device_in_use_stays(void **state)
{
	connects(LEFT, "/dev/nvme1n1", 2);
	machine_put(&m, "", "/busy/dev/nvme1n1");
	assert_int_equal(release(LEFT), -EBUSY);
	assert_int_equal(machine_controllers(&m), 2);
	assert_true(is_known(LEFT));
	assert_int_equal(connect_release(&m.host, &info, &options, true, text),
			 0);
	assert_int_equal(machine_controllers(&m), 0);
	assert_false(is_known(LEFT));
}

static void it_grows(void **state)
{
	uint64_t bytes;

	connects(LEFT, "/dev/nvme1n1", 2);
	m.targets[1].namespaces[0].after = 131072;
	assert_int_equal(connect_extend(&m.host, &info, &options, &bytes, text),
			 0);
	assert_int_equal(bytes, 131072 * 512);
	parse(RIGHT);
	assert_int_equal(connect_extend(&m.host, &info, &options, &bytes, text),
			 -ENODEV);
}

/* Two subsystems with the same UUID: two volumes can't have one name. */
static void a_name_is_one_volumes(void **state)
{
	connects(PLAIN, "/dev/nvme0n1", 2);
	refuses(LEFT, -EBUSY, "from another subsystem");
	assert_int_equal(release(LEFT), 0);
	assert_true(is_known(PLAIN));
	assert_int_equal(machine_controllers(&m), 2);
}

static void it_is_found_by_its_device(void **state)
{
	struct connect_options o = {};

	connects(LEFT, "/dev/nvme1n1", 2);
	memset(&info, 0, sizeof(info));
	assert_int_equal(connect_find(&m.host, "/dev/nvme1n1", &info, &o, text),
			 0);
	assert_string_equal(info.targets[0].nqn, "nqn.b");
	assert_int_equal(connect_find(&m.host, U1, &info, &o, text), 0);
	assert_int_equal(connect_find(&m.host, "/dev/nvme0n1", &info, &o, text),
			 -ENOENT);
}

/* -------------------------------------------------------------------- RAID 1
 */

static void a_new_mirror_is_created_of_all(void **state)
{
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "fast 5"), 3);
	assert_int_equal(
		machine_logged(
			&m, "mdadm --create /dev/md/v --run --name v --level "
			    "1 --bitmap internal --homehost any --failfast "
			    "--assume-clean --raid-devices 2 /dev/nvme1n1 "
			    "/dev/nvme2n1\n"),
		1);
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "mdadm"), 0);
	assert_int_equal(release(MIRROR), 0);
	assert_int_equal(machine_logged(&m, "mdadm --stop"), 1);
	assert_int_equal(machine_controllers(&m), 0);
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "--create"), 0);
	assert_int_equal(machine_logged(&m, "--assemble --run"), 1);
}

static void a_new_mirror_takes_nothing_from_anybody(void **state)
{
	m.dead = "10.1.1.3";
	refuses(MIRROR, -ENODEV, "1 of 2 are there");
	m.dead = NULL;
	m.signature = "ext4";
	refuses(MIRROR, -EEXIST, "not empty: ext4");
	assert_int_equal(machine_logged(&m, "--create"), 0);
	assert_int_equal(machine_controllers(&m), 0);
}

static void a_mirror_runs_without_a_replica_and_takes_it_back(void **state)
{
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(release(MIRROR), 0);
	m.dead = "10.1.1.3";
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 2);
	assert_int_equal(machine_logged(&m, "/dev/md/v /dev/nvme1n1\n"), 1);
	m.dead = NULL;
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "--re-add /dev/nvme2n1"), 1);
	/* One that failed while it was in use, and can be reached again. */
	machine_put(&m, "faulty",
		    "/sys/class/block/md127/md/dev-nvme1n1/state");
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "--remove /dev/nvme1n1"), 1);
	assert_int_equal(machine_logged(&m, "--re-add /dev/nvme1n1"), 1);
}

static void a_replica_of_another_array_is_refused(void **state)
{
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(release(MIRROR), 0);
	m.array_name = "w";
	refuses(MIRROR, -EEXIST, "part of another array, w");
}

static void an_array_found_in_pieces_is_assembled_whole(void **state)
{
	connects(MIRROR, "/dev/md/v", 3);
	machine_put(&m, "inactive", "/sys/class/block/md127/md/array_state");
	machine_forget(&m);
	connects(MIRROR, "/dev/md/v", 3);
	assert_int_equal(machine_logged(&m, "--stop"), 1);
	assert_int_equal(machine_logged(&m, "--assemble"), 1);
}

static void one_replica_is_a_mirror_only_if_it_was_one(void **state)
{
	static const char one[] =
		"{'alias': 'v', 'volume_replicas': [" LEFT "]}";

	connects(one, "/dev/nvme1n1", 2);
	assert_int_equal(machine_logged(&m, "--create"), 0);
	assert_int_equal(release(one), 0);
	machine_put(&m, "v", "/member/nvme1n1");
	connects(one, "/dev/md/v", 2);
	assert_int_equal(release(one), 0);
	refuses("{'volume_replicas': [" LEFT "]}", -EINVAL, "alias");
}

/* ------------------------------------------------------------- device-mapper
 */

#define TABLE "0 65536 multipath 3 queue_if_no_path queue_mode bio 0 "

static void a_map_has_a_group_for_each_replica(void **state)
{
	connects(SHARED, MAP, 3);
	assert_int_equal(machine_logged(&m,
					TABLE "2 1 round-robin 0 1 1 259:11 1 "
					      "round-robin 0 1 1 259:21 1\n"),
			 1);
	assert_int_equal(machine_logged(&m, "fast 5"), 3);
	machine_forget(&m);
	connects(SHARED, MAP, 3);
	assert_int_equal(machine_logged(&m, "dmsetup create"), 0);
	assert_int_equal(machine_logged(&m, "reload"), 0);
	assert_int_equal(machine_logged(&m, "reinstate_path"), 0);
	machine_put(&m, "", "/failed/2");
	connects(SHARED, MAP, 3);
	assert_int_equal(machine_logged(&m, "reinstate_path 259:11"), 0);
	assert_int_equal(machine_logged(&m, "reinstate_path 259:21"), 1);
	assert_int_equal(release(SHARED), 0);
	assert_int_equal(machine_logged(&m, "fail_if_no_path"), 1);
	assert_int_equal(machine_logged(&m, "dmsetup remove"), 1);
	assert_int_equal(machine_controllers(&m), 0);
}

static void a_replica_that_was_missing_joins_the_map(void **state)
{
	m.dead = "10.1.1.3";
	connects(SHARED, MAP, 2);
	assert_int_equal(machine_logged(&m, TABLE "1 1 round-robin 0 1 1 "
						  "259:11 1\n"),
			 1);
	m.dead = NULL;
	machine_forget(&m);
	connects(SHARED, MAP, 3);
	assert_int_equal(machine_logged(&m, "dmsetup reload"), 1);
	assert_int_equal(machine_logged(&m, "dmsetup resume --noflush"), 1);
}

static void replicas_of_one_volume_are_of_one_size(void **state)
{
	m.targets[2].namespaces[0].sectors = 65528;
	refuses(SHARED, -EINVAL, "differ in size");
	assert_int_equal(machine_controllers(&m), 0);
}

static void the_map_of_multipathd_is_used(void **state)
{
	connects(LEFT, "/dev/nvme1n1", 2);
	machine_put(&m, "", "/sys/class/block/nvme1n1/holders/dm-7");
	machine_put(&m, "mpath-uuid.1", "/sys/class/block/dm-7/dm/uuid");
	machine_put(&m, "mpatha", "/sys/class/block/dm-7/dm/name");
	refuses(SHARED, -EBUSY, "/dev/nvme2n1 is not in it");
	machine_put(&m, "", "/sys/class/block/nvme2n1/holders/dm-7");
	machine_forget(&m);
	connects(SHARED, "/dev/mapper/mpatha", 3);
	assert_int_equal(machine_logged(&m, "dmsetup"), 0);
	assert_int_equal(release(SHARED), 0);
	assert_int_equal(machine_logged(&m, "multipath -f mpatha"), 1);
}

/* ---------------------------------------------------------------- killed */

/* Ends the process before the n-th call; false: it needs fewer. */
static bool die_at(unsigned n, bool releasing)
{
	json_t *j = NULL;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		m.calls = 0;
		m.die_at = n;
		if (releasing)
			connect_release(&m.host, &info, &options, false, text);
		else
			connect_volume(&m.host, &info, &options, &j, text);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

static void killed_anywhere(const char *json, const char *path, unsigned live)
{
	unsigned n = 1, died = 1;

	for (; died; n++) {
		parse(json);
		died = die_at(n, false);
		connects(json, path, live);
		assert_int_equal(machine_controllers(&m), live);
		parse(json);
		die_at(n, true);
		assert_int_equal(release(json), 0);
		assert_int_equal(machine_controllers(&m), 0);
		assert_false(is_known(json));
	}
	assert_in_range(n, 4, 100);
}

static void killed_at_any_call_it_is_completed(void **state)
{
	killed_anywhere(LEFT, "/dev/nvme1n1", 2);
	killed_anywhere(MIRROR, "/dev/md/v", 3);
	killed_anywhere(SHARED, MAP, 3);
}

/* -------------------------------------------------------------- the keeper */

static bool eventually_controllers(unsigned n)
{
	for (int i = 0; i < 1000 && machine_controllers(&m) != n; i++)
		usleep(10000);
	return machine_controllers(&m) == n;
}

static void the_keeper_connects_what_is_missing_and_what_is_new(void **state)
{
	pid_t pid;

	m.dead = "10.1.1.2";
	connects(PLAIN, "/dev/nvme0n1", 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		m.dead = NULL;
		m.listed = "10.1.1.9";
		connect_keep(&m.host, 10, text);
		_exit(1);
	}
	assert_true(eventually_controllers(3));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	connects(PLAIN, "/dev/nvme0n1", 2); /* of those that are named */
	assert_int_equal(release(LEFT), 0); /* another one */
	assert_int_equal(machine_controllers(&m), 3);
	for (int c = 0; c < 3; c++)
		machine_remove(&m, "/sys/class/nvme/nvme%d/nvme0c%dn2", c, c);
	assert_int_equal(release(PLAIN), 0);
	assert_int_equal(machine_controllers(&m), 0);
}

/* What was disconnected meanwhile stays so. */
static void who_comes_again_connects_nothing_new(void **state)
{
	options.known_only = options.impatient = true;
	refuses(PLAIN, -ENOENT, "not connected");
	assert_int_equal(machine_controllers(&m), 0);
	assert_false(is_known(PLAIN));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_machine, end_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_portal_is_connected_once),
		TEST(a_dead_portal_is_told_or_refused),
		TEST(a_failure_leaves_nothing_behind),
		TEST(one_path_is_enough_if_one_is_wanted),
		TEST(without_native_multipath_there_is_one_path),
		TEST(namespaces_are_found_by_all_that_is_given),
		TEST(an_nguid_alone_is_found_by_either),
		TEST(shared_controllers_stay),
		TEST(a_device_in_use_stays),
		TEST(it_grows),
		TEST(a_name_is_one_volumes),
		TEST(it_is_found_by_its_device),
		TEST(a_new_mirror_is_created_of_all),
		TEST(a_new_mirror_takes_nothing_from_anybody),
		TEST(a_mirror_runs_without_a_replica_and_takes_it_back),
		TEST(a_replica_of_another_array_is_refused),
		TEST(an_array_found_in_pieces_is_assembled_whole),
		TEST(one_replica_is_a_mirror_only_if_it_was_one),
		TEST(a_map_has_a_group_for_each_replica),
		TEST(a_replica_that_was_missing_joins_the_map),
		TEST(replicas_of_one_volume_are_of_one_size),
		TEST(the_map_of_multipathd_is_used),
		TEST(killed_at_any_call_it_is_completed),
		TEST(the_keeper_connects_what_is_missing_and_what_is_new),
		TEST(who_comes_again_connects_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
