/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's tree of transports, as a tree of ordinary files. */
#include "../in_task.h"

#include <errno.h>
#include <sys/stat.h>

#include "pathd/sunrpc.h"

static const char info[] = "last_used=4294912345\ncur_cong=0\ncong_win=256\n"
			   "max_num_slots=65536\nmin_num_slots=2\nnum_reqs=3\n"
			   "binding_q_len=0\nsending_q_len=0\n"
			   "pending_q_len=%u\nbacklog_q_len=0\nmain_xprt=1\n"
			   "src_port=789\ntasks_queuelen=0\ndst_port=%u\n";

static void put(const char *dir, const char *file, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_transport(const char *dir, const char *name,
			  const char *address, unsigned port, unsigned pending)
{
	char file[256], text[512];

	snprintf(file, sizeof(file), "xprt-switches/%s/dstaddr", name);
	snprintf(text, sizeof(text), "%s\n", address);
	put(dir, file, text);
	if (port == 0)
		return; /* not connected: reading it is ENOTCONN */
	snprintf(file, sizeof(file), "xprt-switches/%s/xprt_info", name);
	snprintf(text, sizeof(text), info, pending, port);
	put(dir, file, text);
}

static const struct trunk_seen *find(const struct sunrpc_list *l,
				     const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->seen[i].name, name) == 0)
			return &l->seen[i];
	return NULL;
}

static void is(const struct sunrpc_list *l, const char *name,
	       const char *address, unsigned pending)
{
	const struct trunk_seen *s = find(l, name);
	struct addr want;

	assert_non_null(s);
	assert_int_equal(addr_parse(&want, address, 0), 0);
	assert_true(addr_equal(&s->addr, &want));
	assert_int_equal(s->pending, pending);
	assert_int_not_equal(s->inode, 0);
	assert_int_equal(s->home.len, 0);
}

static void transports_are_found(void **state)
{
	struct sunrpc_list l;

	put_transport(*state, "switch-0/xprt-0-tcp", "10.77.0.1", 20490, 7);
	put_transport(*state, "switch-0/xprt-1-tcp", "10.77.1.1", 0, 0);
	put_transport(*state, "switch-3/xprt-2-tcp", "fd00::1", 2049, 0);
	put_transport(*state, "switch-4/xprt-9-tcp", "10.77.9.1", 0, 0);
	put_transport(*state, "switch-5/xprt-5-udp", "10.77.5.1", 111, 0);
	put(*state, "xprt-switches/switch-0/xprt_switch_info", "num_xprts=2\n");
	assert_int_equal(sunrpc_list(*state, &l), 0);
	assert_int_equal(l.n, 4);
	is(&l, "switch-0/xprt-0-tcp", "10.77.0.1:20490", 7);
	is(&l, "switch-3/xprt-2-tcp", "[fd00::1]:2049", 0);
	/* Those that are not connected: the port of the others, or NFS's. */
	is(&l, "switch-0/xprt-1-tcp", "10.77.1.1:20490", 0);
	is(&l, "switch-4/xprt-9-tcp", "10.77.9.1:2049", 0);
	assert_true(find(&l, "switch-0/xprt-0-tcp")->connected);
	assert_false(find(&l, "switch-0/xprt-1-tcp")->connected);
	assert_false(find(&l, "switch-0/xprt-0-tcp")->guessed);
	assert_true(find(&l, "switch-0/xprt-1-tcp")->guessed);
	assert_string_equal(find(&l, "switch-3/xprt-2-tcp")->trunk, "switch-3");
	sunrpc_list_fini(&l);
}

static void a_kernel_without_them_says_so(void **state)
{
	struct sunrpc_list l;

	assert_int_equal(sunrpc_list(*state, &l), -ENOENT);
	sunrpc_list_fini(&l);
}

static void many_are_found(void **state)
{
	struct sunrpc_list l;
	char name[64];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "switch-%d/xprt-%d-tcp", i / 4, i);
		put_transport(*state, name, "10.77.0.1", 2049, 0);
	}
	assert_int_equal(sunrpc_list(*state, &l), 0);
	assert_int_equal(l.n, 100);
	sunrpc_list_fini(&l);
}

static void is_now(const struct trunk_seen *s, const char *address,
		   bool connected, unsigned pending)
{
	struct addr want;

	assert_int_equal(addr_parse(&want, address, 0), 0);
	assert_true(addr_equal(&s->addr, &want));
	assert_int_equal(s->connected, connected);
	assert_int_equal(s->pending, pending);
}

static void one_transport_is_read_and_its_file_named(void **state)
{
	char file[PATH_MAX], want[PATH_MAX];
	struct trunk_seen s;

	put_transport(*state, "switch-0/xprt-0-tcp", "10.77.0.1", 2049, 3);
	put_transport(*state, "switch-0/xprt-1-tcp", "10.77.1.1", 0, 0);
	assert_int_equal(sunrpc_read(*state, "switch-0/xprt-0-tcp", 1, &s), 0);
	is_now(&s, "10.77.0.1:2049", true, 3);
	assert_int_equal(sunrpc_read(*state, "switch-0/xprt-1-tcp", 20490, &s),
			 0);
	is_now(&s, "10.77.1.1:20490", false, 0);
	assert_int_equal(sunrpc_read(*state, "switch-0/xprt-2-tcp", 1, &s),
			 -ENOENT);
	sunrpc_address_file(*state, "switch-0/xprt-0-tcp", file);
	snprintf(want, sizeof(want),
		 "%s/xprt-switches/switch-0/xprt-0-tcp/dstaddr",
		 (char *)*state);
	assert_string_equal(file, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(transports_are_found),
		test_with_directory(a_kernel_without_them_says_so),
		test_with_directory(many_are_found),
		test_with_directory(one_transport_is_read_and_its_file_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
