/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and sockets of the kernel: controllers as a tree of ordinary files,
 * writes that hang, and whose sockets are whose.
 */
#include "../in_task.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "pathd/kernel.h"
#include "pathd/nvme.h"
#include "pathd/sockets.h"

static char path[512];

static const char *in(const char *dir, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *dir, const char *name, const char *text)
{
	FILE *f = fopen(in(dir, name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_ctrl(const char *dir, const char *name, const char *transport,
		     const char *type, const char *address, const char *state)
{
	char own[300];

	snprintf(own, sizeof(own), "%s/%s", dir, name);
	assert_int_equal(mkdir(own, 0755), 0);
	put(own, "transport", transport);
	if (type != NULL)
		put(own, "cntrltype", type);
	put(own, "address", address);
	put(own, "state", state);
	put(own, "subsysnqn", "nqn.2022-02.io.example:a\n");
}

static void is(const struct nvme_list *l, const char *name, const char *address,
	       bool live)
{
	struct addr want;

	assert_int_equal(addr_parse(&want, address, 0), 0);
	for (unsigned i = 0; i < l->n; i++) {
		const struct ctrl_seen *c = &l->seen[i];

		if (strcmp(c->name, name) != 0)
			continue;
		assert_true(addr_equal(&c->addr, &want));
		assert_int_equal(c->live, live);
		assert_string_equal(c->subsystem, "nqn.2022-02.io.example:a");
		return;
	}
	fail_msg("no %s", name);
}

static void controllers_are_found(void **state)
{
	const char *dir = *state;
	struct nvme_list l;

	put_ctrl(dir, "nvme0", "tcp\n", "io\n",
		 "traddr=10.77.0.1,trsvcid=4421,src_addr=10.77.0.2\n",
		 "live\n");
	put_ctrl(dir, "nvme1", "tcp\n", NULL, "traddr=fd00::1,trsvcid=4420\n",
		 "connecting\n");
	put_ctrl(dir, "nvme2", "pcie\n", "io\n", "0000:01:00.0\n", "live\n");
	put_ctrl(dir, "nvme3", "tcp\n", "discovery\n",
		 "traddr=10.77.0.1,trsvcid=8009\n", "live\n");
	put_ctrl(dir, "nvme4", "tcp\n", "io\n", "nonsense\n", "live\n");
	assert_int_equal(nvme_list(dir, &l), 0);
	assert_int_equal(l.n, 2);
	is(&l, "nvme0", "10.77.0.1:4421", true);
	is(&l, "nvme1", "[fd00::1]:4420", false);
	nvme_list_fini(&l);
}

static void write_quickly(void *arg)
{
	char text[16] = "";
	FILE *f;

	put(arg, "file", "old");
	require(kernel_write(in(arg, "file"), "new", SEC(10), NULL) == 0);
	f = fopen(in(arg, "file"), "r");
	require(f != NULL && fgets(text, sizeof(text), f) != NULL);
	require(strcmp(text, "new") == 0);
	fclose(f);
	require(kernel_write(in(arg, "none"), "new", SEC(10), NULL) == -ENOENT);
}

static void a_write_is_made_and_its_error_told(void **state)
{
	in_task(write_quickly, *state);
}

/* Nobody reads the FIFO: to open it waits for ever. */
static void write_that_hangs(void *arg)
{
	nsec began = reactor_now();

	require(mkfifo(in(arg, "fifo"), 0600) == 0);
	require(kernel_write(in(arg, "fifo"), "new", MSEC(50), NULL) ==
		-ETIMEDOUT);
	require(reactor_now() - began >= MSEC(50));
}

static void a_write_that_hangs_is_ended(void **state)
{
	in_task(write_that_hangs, *state);
}

/* Somebody reads it now. */
static int read_fifo(void *arg)
{
	int *fd = arg;

	*fd = open(path, O_RDONLY | O_NONBLOCK);
	return 0;
}

static void write_with_relief(void *arg)
{
	int fd = -1;
	const struct kernel_relief relief = { read_fifo, &fd };
	char got[8] = "";

	require(mkfifo(in(arg, "fifo"), 0600) == 0);
	require(kernel_write(path, "new", SEC(60), &relief) == 0);
	require(read(fd, got, sizeof(got)) == 3 && strcmp(got, "new") == 0);
	close(fd);
}

static void what_ends_the_wait_is_called(void **state)
{
	in_task(write_with_relief, *state);
}

/* This process's own, and so not the kernel's. */
static void sockets_of_processes_are_left_out(void **state)
{
	struct addr a = { .len = sizeof(a.in) };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	static struct sockets s;

	assert_int_equal(addr_parse(&a, "127.0.0.1", 0), 0);
	assert_int_equal(bind(l, &a.sa, a.len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, &a.sa, &a.len), 0);
	assert_int_equal(connect(c, &a.sa, a.len), 0);
	if (sockets_list(&a, SOCKETS_CONNECTED, &s) == -EPROTONOSUPPORT)
		skip();
	assert_int_equal(s.n, 0);
	assert_int_equal(sockets_fingerprint(&s), 0);
	close(c);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(controllers_are_found),
		test_with_directory(a_write_is_made_and_its_error_told),
		test_with_directory(a_write_that_hangs_is_ended),
		test_with_directory(what_ends_the_wait_is_called),
		cmocka_unit_test(sockets_of_processes_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
