/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves the life of file systems and mount targets: what may be done when,
 * what a restart brings back, and what a crash in the middle leaves.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../in_task.h"
#include "control/control.h"
#include "reactor/stream.h"
#include "store/store.h"

struct fixture {
	const char *directory;
	struct store *store;
	struct control *control;
	struct control_error err;
};

/* Own ranges for each process: several may run at the same time. */
static void make_subnets(struct subnet subnets[2])
{
	unsigned third = getpid() % 120 * 2;
	char cidr[32];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(cidr, sizeof(cidr), "127.103.%u.0/24", third + i);
		require(subnet_init(&subnets[i], cidr, i ? "b" : "a") == 0);
	}
}

static void start(struct fixture *f, const char *directory)
{
	struct subnet subnets[2];
	struct control_options options = {
		.directory = directory,
		.subnets = subnets,
		.n_subnets = 2,
	};
	char path[256];

	memset(f, 0, sizeof(*f));
	f->directory = directory;
	make_subnets(subnets);
	snprintf(path, sizeof(path), "%s/store", directory);
	require(store_open(path, &f->store) == 0);
	options.store = f->store;
	require(control_create(&options, &f->control) == 0);
}

static void stop(struct fixture *f)
{
	control_destroy(f->control);
	store_close(f->store);
}

static void restart(struct fixture *f)
{
	const char *directory = f->directory;

	stop(f);
	start(f, directory);
}

static struct control_fs create_fs(struct fixture *f, const char *name)
{
	struct control_fs fs;

	require(control_fs_create(f->control, name, &fs, &f->err) == 0);
	return fs;
}

static struct control_mount_target create_target(struct fixture *f,
						 const char *fs)
{
	struct control_mount_target_spec spec = { .fs = fs };
	struct control_mount_target t;

	require(control_mount_target_create(f->control, &spec, &t, &f->err) ==
		0);
	return t;
}

static int count_fs(struct fixture *f)
{
	struct control_fs *list;
	int n = control_fs_list(f->control, NULL, &list, &f->err);

	require(n >= 0);
	free(list);
	return n;
}

static void wait_until_gone(struct fixture *f, const char *fs)
{
	char path[256];

	for (int i = 0; count_fs(f) > 0; i++) {
		require(i < 2000);
		task_sleep(MSEC(5));
	}
	snprintf(path, sizeof(path), "%s/fs/%s", f->directory, fs);
	require(access(path, F_OK) < 0);
}

static bool not_empty(void *arg, const void *key, size_t key_len,
		      const void *value, size_t value_len)
{
	fprintf(stderr, "left: %.*s\n", (int)key_len, (const char *)key);
	return *(bool *)arg = false;
}

/* Also of what others keep there for a file system. */
static void require_empty(struct store *s)
{
	static const char *const kinds[] = { "fs", "mount-target", "nfs_client",
					     "nfs_epoch" };
	bool empty = true;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		require(store_for_each(s, kinds[i], not_empty, &empty) == 0);
	require(empty);
}

static bool answers(const struct addr *a)
{
	struct stream_connect_options options = { .timeout = SEC(5) };
	struct stream *s;
	int r = stream_connect(a, &options, &s);

	require(r == 0 || r == -ECONNREFUSED);
	if (r == 0)
		stream_close(s);
	return r == 0;
}

static bool refused(struct fixture *f, int r, int error, const char *code)
{
	bool as_expected = r == error && strcmp(f->err.code, code) == 0 &&
			   f->err.text[0] != '\0';

	if (!as_expected)
		fprintf(stderr, "%d %s: %s\n", r, f->err.code, f->err.text);
	return as_expected;
}

/* ---------------------------------------------------------- file systems */

static void fs_life(void *directory)
{
	struct control_fs fs, other, *list;
	struct fixture f;

	start(&f, directory);
	fs = create_fs(&f, "käse");
	other = create_fs(&f, NULL);
	require(strncmp(fs.id, "fs-", 3) == 0);
	require(strlen(fs.id) == 3 + 17);
	require(strspn(fs.id + 3, "0123456789abcdef") == 17);
	require(strcmp(fs.id, other.id) != 0);
	require(fs.state == CONTROL_AVAILABLE);

	restart(&f);
	require(control_fs_list(f.control, NULL, &list, &f.err) == 2);
	require(strcmp(list[0].id, fs.id) == 0);
	require(strcmp(list[0].name, "käse") == 0);
	require(list[0].created == fs.created);
	require(list[0].state == CONTROL_AVAILABLE);
	require(strcmp(list[1].id, other.id) == 0);
	free(list);

	require(control_fs_delete(f.control, fs.id, &f.err) == 0);
	require(control_fs_delete(f.control, other.id, &f.err) == 0);
	wait_until_gone(&f, fs.id);
	require(refused(&f, control_fs_delete(f.control, fs.id, &f.err),
			-ENOENT, "FileSystemNotFound"));
	require(refused(&f, control_fs_list(f.control, "fs-no", &list, &f.err),
			-ENOENT, "FileSystemNotFound"));
	restart(&f);
	require(count_fs(&f) == 0);
	require_empty(f.store);
	stop(&f);
}

static void a_file_system_is_there_from_creation_to_deletion(void **state)
{
	in_task(fs_life, *state);
}

static void bad_names(void *directory)
{
	char longest[CONTROL_NAME_MAX + 2];
	struct control_fs fs;
	struct fixture f;

	start(&f, directory);
	memset(longest, 'x', sizeof(longest));
	longest[CONTROL_NAME_MAX + 1] = '\0';
	require(refused(&f, control_fs_create(f.control, longest, &fs, &f.err),
			-EINVAL, "BadRequest"));
	require(refused(&f, control_fs_create(f.control, "a\nb", &fs, &f.err),
			-EINVAL, "BadRequest"));
	require(count_fs(&f) == 0);
	longest[CONTROL_NAME_MAX] = '\0';
	create_fs(&f, longest);
	stop(&f);
}

static void a_name_is_a_line_of_bounded_length(void **state)
{
	in_task(bad_names, *state);
}

/* -------------------------------------------------------- mount targets */

static void target_life(void *directory)
{
	struct control_mount_target a, b, c, *list;
	struct control_fs fs;
	struct fixture f;

	start(&f, directory);
	fs = create_fs(&f, NULL);
	a = create_target(&f, fs.id);
	b = create_target(&f, fs.id);
	c = create_target(&f, fs.id);
	require(strncmp(a.id, "fsmt-", 5) == 0 && strlen(a.id) == 5 + 17);
	/* First a way through each subnet, then more. */
	require(strcmp(a.subnet, b.subnet) != 0);
	require(strcmp(a.zone, b.zone) != 0);
	require(strcmp(a.subnet, c.subnet) == 0);
	require(!addr_same_host(&a.address, &c.address));
	require(addr_port(&a.address) == 2049);
	require(answers(&a.address) && answers(&b.address));

	require(refused(&f, control_fs_delete(f.control, fs.id, &f.err), -EBUSY,
			"FileSystemInUse"));
	require(control_mount_target_delete(f.control, b.id, &f.err) == 0);
	require(!answers(&b.address));

	restart(&f);
	require(answers(&a.address) && answers(&c.address));
	require(!answers(&b.address));
	require(control_mount_target_list(f.control, NULL, fs.id, &list,
					  &f.err) == 2);
	free(list);
	require(control_mount_target_list(f.control, c.id, NULL, &list,
					  &f.err) == 1);
	require(addr_equal(&list[0].address, &c.address));
	require(strcmp(list[0].zone, c.zone) == 0);
	require(list[0].state == CONTROL_AVAILABLE);
	free(list);

	require(control_mount_target_delete(f.control, a.id, &f.err) == 0);
	require(control_mount_target_delete(f.control, c.id, &f.err) == 0);
	require(refused(&f,
			control_mount_target_delete(f.control, c.id, &f.err),
			-ENOENT, "MountTargetNotFound"));
	require(control_fs_delete(f.control, fs.id, &f.err) == 0);
	wait_until_gone(&f, fs.id);
	stop(&f);
}

static void a_mount_target_serves_from_creation_to_deletion(void **state)
{
	in_task(target_life, *state);
}

static void up_and_down(void *directory)
{
	struct control_mount_target t, now;
	struct fixture f;
	struct control_fs fs;

	start(&f, directory);
	fs = create_fs(&f, NULL);
	t = create_target(&f, fs.id);
	require(control_mount_target_set_state(f.control, t.id, false, &now,
					       &f.err) == 0);
	require(now.state == CONTROL_DOWN && !answers(&t.address));
	restart(&f);
	require(!answers(&t.address));
	require(control_mount_target_set_state(f.control, t.id, false, &now,
					       &f.err) == 0);
	require(now.state == CONTROL_DOWN);
	require(control_mount_target_set_state(f.control, t.id, true, &now,
					       &f.err) == 0);
	require(now.state == CONTROL_AVAILABLE && answers(&t.address));
	restart(&f);
	require(answers(&t.address));
	stop(&f);
}

static void what_was_taken_down_stays_down_until_it_is_up(void **state)
{
	in_task(up_and_down, *state);
}

static void places(void *directory)
{
	struct control_mount_target t, other;
	struct control_mount_target_spec spec = {};
	char host[ADDR_TEXT_MAX];
	const struct subnet *subnets;
	struct control_fs fs;
	struct fixture f;

	start(&f, directory);
	fs = create_fs(&f, NULL);
	t = create_target(&f, fs.id);
	require(control_subnets(f.control, &subnets) == 2);
	spec.fs = fs.id;
#define create_is_refused(error, code)                                         \
	refused(&f,                                                            \
		control_mount_target_create(f.control, &spec, &other, &f.err), \
		error, code)

	spec.address = addr_format_host(&t.address, host);
	require(create_is_refused(-EADDRINUSE, "IpAddressInUse"));
	spec.subnet = subnets[1].id; /* the address is in the other one */
	require(create_is_refused(-EINVAL, "BadRequest"));
	spec.subnet = "subnet-no";
	require(create_is_refused(-ENOENT, "SubnetNotFound"));
	spec.subnet = NULL;
	spec.address = "10.0.0.1";
	require(create_is_refused(-EINVAL, "BadRequest"));
	spec.address = "nonsense";
	require(create_is_refused(-EINVAL, "BadRequest"));
	spec.address = NULL;
	spec.port = 65536;
	require(create_is_refused(-EINVAL, "BadRequest"));
	spec.port = 0;
	spec.fs = "fs-no";
	require(create_is_refused(-ENOENT, "FileSystemNotFound"));

	/* The same address with another port, and a subnet by its id. */
	spec = (struct control_mount_target_spec){ .fs = fs.id, .port = 3049 };
	spec.address = addr_format_host(&t.address, host);
	require(control_mount_target_create(f.control, &spec, &other, &f.err) ==
		0);
	require(addr_port(&other.address) == 3049 && answers(&other.address));
	spec.address = NULL;
	spec.subnet = subnets[1].id;
	require(control_mount_target_create(f.control, &spec, &other, &f.err) ==
		0);
	require(strcmp(other.subnet, subnets[1].id) == 0);
	stop(&f);
}

static void a_place_that_can_not_be_is_refused_with_its_reason(void **state)
{
	in_task(places, *state);
}

static void occupied(void *directory)
{
	struct control_mount_target t, *list;
	struct listener *stranger;
	struct addr first;
	struct control_fs fs;
	struct fixture f;

	start(&f, directory);
	fs = create_fs(&f, NULL);
	t = create_target(&f, fs.id);
	first = t.address;
	require(control_mount_target_delete(f.control, t.id, &f.err) == 0);
	/* Somebody else's now: the next one is taken. */
	require(stream_listen(&first, &stranger) == 0);
	t = create_target(&f, fs.id);
	require(!addr_same_host(&t.address, &first));
	listener_close(stranger);

	/* Taken while we were down: an error to be seen, until it is free. */
	stop(&f);
	require(stream_listen(&t.address, &stranger) == 0);
	start(&f, directory);
	require(control_mount_target_list(f.control, t.id, NULL, &list,
					  &f.err) == 1);
	require(list[0].state == CONTROL_ERROR);
	free(list);
	listener_close(stranger);
	for (int i = 0; !answers(&t.address); i++) {
		require(i < 2000);
		task_sleep(MSEC(5));
	}
	require(control_mount_target_list(f.control, t.id, NULL, &list,
					  &f.err) == 1);
	require(list[0].state == CONTROL_AVAILABLE);
	free(list);
	stop(&f);
}

static void addresses_that_others_hold_are_left_alone(void **state)
{
	in_task(occupied, *state);
}

/* --------------------------------------------------------------- crashes */

static void leave_record(struct fixture *f, const char *id, const char *state)
{
	char record[256], path[256];
	FILE *data;

	snprintf(record, sizeof(record),
		 "{\"id\":\"%s\",\"name\":\"\",\"state\":\"%s\","
		 "\"created\":1}",
		 id, state);
	require(store_put(f->store, "fs", id, strlen(id), record,
			  strlen(record)) == 0);
	snprintf(path, sizeof(path), "%s/fs/%s", f->directory, id);
	require(mkdir(path, 0700) == 0);
	strcat(path, "/file");
	data = fopen(path, "w");
	require(data != NULL);
	fclose(data);
}

static void half_done(void *directory)
{
	static const char created[] = "fs-00000000000000001",
			  deleted[] = "fs-00000000000000002";
	struct fixture f;

	start(&f, directory);
	leave_record(&f, created, "creating");
	leave_record(&f, deleted, "deleting");
	restart(&f);
	wait_until_gone(&f, created);
	wait_until_gone(&f, deleted);
	restart(&f);
	require(count_fs(&f) == 0);
	stop(&f);
}

static void what_a_crash_left_half_done_is_gone(void **state)
{
	in_task(half_done, *state);
}

static void bad_record(void *directory)
{
	static const char junk[] = "{\"id\":5}", text[] = "no json";
	struct fixture f;
	void *value;

	start(&f, directory);
	create_fs(&f, NULL);
	require(store_put(f.store, "fs", "x", 1, junk, strlen(junk)) == 0);
	require(store_put(f.store, "mount-target", "y", 1, text,
			  strlen(text)) == 0);
	restart(&f);
	require(count_fs(&f) == 1);
	require(store_get(f.store, "fs", "x", 1, &value) > 0);
	free(value);
	stop(&f);
}

static void a_record_that_can_not_be_read_harms_no_other(void **state)
{
	in_task(bad_record, *state);
}

/* Makes a record as if the clock had been ahead. */
static bool put_ahead(void *arg, const void *key, size_t key_len,
		      const void *value, size_t value_len)
{
	json_t *object = json_loadb(value, value_len, 0, NULL);
	nsec created = json_integer_value(json_object_get(object, "created"));
	char *text;

	json_object_set_new(object, "created", json_integer(created + SEC(99)));
	text = json_dumps(object, 0);
	require(store_put(arg, "access-point", key, key_len, text,
			  strlen(text)) == 0);
	free(text);
	json_decref(object);
	return true;
}

static void clock_steps_back(void *directory)
{
	struct control_access_point points[2], p;
	json_t *token = json_pack("{s:s}", "ClientToken", "a");
	struct control_fs fs;
	struct fixture f;
	nsec after = 0;

	start(&f, directory);
	fs = create_fs(&f, NULL);
	require(control_access_point_create(f.control, fs.id, token, &p,
					    &f.err) == 0);
	control_destroy(f.control);
	require(store_for_each(f.store, "access-point", put_ahead, f.store) ==
		0);
	store_close(f.store);
	start(&f, directory);
	json_object_set_new(token, "ClientToken", json_string("b"));
	require(control_access_point_create(f.control, fs.id, token, &p,
					    &f.err) == 0);
	for (int i = 0; i < 2; i++) { /* as a client that reads pages */
		require(control_access_point_list(f.control, fs.id, after,
						  &points[i], 1, &f.err) == 1);
		after = points[i].created;
	}
	require(strcmp(points[1].id, p.id) == 0);
	require(control_access_point_list(f.control, fs.id, after, points, 1,
					  &f.err) == 0);
	json_decref(token);
	stop(&f);
}

static void no_page_skips_what_came_when_the_clock_was_set_back(void **state)
{
	in_task(clock_steps_back, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			a_file_system_is_there_from_creation_to_deletion),
		test_with_directory(a_name_is_a_line_of_bounded_length),
		test_with_directory(
			a_mount_target_serves_from_creation_to_deletion),
		test_with_directory(
			what_was_taken_down_stays_down_until_it_is_up),
		test_with_directory(
			a_place_that_can_not_be_is_refused_with_its_reason),
		test_with_directory(addresses_that_others_hold_are_left_alone),
		test_with_directory(what_a_crash_left_half_done_is_gone),
		test_with_directory(
			a_record_that_can_not_be_read_harms_no_other),
		test_with_directory(
			no_page_skips_what_came_when_the_clock_was_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
