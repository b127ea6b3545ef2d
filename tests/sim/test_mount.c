/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting, paths that come and go, and giving up: the client ends up on the
 * right server, over all paths that lead there, and waits no longer than it was
 * told to.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "world.h"

#define ME (&world_cred)

static void mount_finds_all_paths(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_attr attr;

	world_await_live(c, WORLD_ADDRESSES);
	CHECK_OK(nfs_getattr(c, ME, nfs_root(c), &attr));
	CHECK(S_ISDIR(attr.mode));
	nfs_unmount(c);
}

static void mount_fails_when_nobody_is_there(struct world *w)
{
	struct nfs_client *c;
	struct nfs_options o;
	nsec before = reactor_now();
	char err[256];

	nfs_options_init(&o);
	CHECK_OK(nfs_options_parse(&o, "addr=127.101.9.9", err, sizeof(err)));
	CHECK(nfs_mount(&o, "/", &c, err, sizeof(err)) == -ECONNREFUSED);
	CHECK(reactor_now() - before < SEC(1));
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		sim_set_link(&w->addr[i], SIM_LINK_SILENT);
	nfs_options_init(&o);
	CHECK_OK(nfs_options_parse(&o, "addr=127.101.1.1", err, sizeof(err)));
	before = reactor_now();
	CHECK(nfs_mount(&o, "/", &c, err, sizeof(err)) == -ETIMEDOUT);
	CHECK(reactor_now() - before < SEC(14));
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		sim_set_link(&w->addr[i], SIM_LINK_UP);
}

static void mount_goes_by_the_addresses_that_answer(struct world *w)
{
	static const enum sim_link troubles[] = { SIM_LINK_SILENT,
						  SIM_LINK_REFUSED };
	struct nfs_client *c;
	nsec before;

	for (unsigned t = 0; t < ARRAY_SIZE(troubles); t++) {
		sim_set_link(&w->addr[0], troubles[t]);
		sim_set_link(&w->addr[1], troubles[t]);
		before = reactor_now();
		c = world_mount(w, "mounttargetip_1=127.101.2.1,"
				   "mounttargetip_2=127.101.3.1");
		CHECK(reactor_now() - before < SEC(5));
		sim_set_link(&w->addr[0], SIM_LINK_UP);
		sim_set_link(&w->addr[1], SIM_LINK_UP);
		world_await_live(c, WORLD_ADDRESSES);
		nfs_unmount(c);
	}
}

/* Same file system, other server owner and scope (RFC 8881 section 2.10.5). */
static void a_path_to_another_server_is_not_used(struct world *w)
{
	struct nfs_server_options other = { .uuid = "somebody else's" };
	struct nfs_path_info info[2];
	struct nfs_server *server;
	struct nfs_client *c;
	struct nfs_attr attr;
	struct addr at;

	CHECK_OK(addr_parse(&at, "127.101.60.1", 2049));
	CHECK_OK(nfs_server_create(w->engine, NULL, &other, &server));
	CHECK_OK(nfs_server_listen(server, &at));
	c = world_mount_as(w, "addr=127.101.1.1,mounttargetip_1=127.101.60.1,"
			      "notrunkdiscovery");
	task_sleep(SEC(2));
	for (int i = 0; i < 50; i++)
		CHECK_OK(nfs_getattr(c, ME, nfs_root(c), &attr));
	CHECK(nfs_get_paths(c, info, 2) == 2);
	CHECK(info[0].path.state == PATH_LIVE);
	CHECK(info[1].path.state != PATH_LIVE && info[1].path.requests == 0);
	nfs_unmount(c);
	nfs_server_destroy(server);
}

static void any_compound_can_be_sent(struct world *w)
{
	nfs_argop4 ops[] = {
		{ .argop = OP_PUTROOTFH },
		{ .argop = OP_GETFH },
		{ .argop = OP_GETATTR,
		  .opgetattr = { BITMAP4(FATTR4_TYPE, FATTR4_FILEID) } },
		{ .argop = OP_LOOKUP, .oplookup = { { "missing", 7 } } },
		{ .argop = OP_GETFH },
	};
	struct nfs_client *c = world_mount(w, NULL);
	nfs_resop4 res[ARRAY_SIZE(ops)];
	struct arena arena;

	arena_init(&arena, NULL, 0, KIB(16));
	CHECK(nfs_compound(c, ME, ops, ARRAY_SIZE(ops), res, &arena) == 4);
	CHECK(res[1].status == NFS4_OK && res[1].opgetfh.object.len > 0);
	CHECK(res[2].opgetattr.obj_attributes.attr_vals.len == 12);
	CHECK(res[3].resop == OP_LOOKUP && res[3].status == NFS4ERR_NOENT);
	arena_fini(&arena);
	nfs_unmount(c);
}

static void mount_of_a_missing_directory_says_so(struct world *w)
{
	struct nfs_client *c;
	struct nfs_options o;
	char err[256];

	nfs_options_init(&o);
	CHECK_OK(nfs_options_parse(&o, "addr=127.101.1.1", err, sizeof(err)));
	CHECK(nfs_mount(&o, "/no/such", &c, err, sizeof(err)) == -ENOENT);
}

static void fast_io_fail_fails_and_recovers(struct world *w)
{
	struct nfs_client *c = world_mount(w, "fast_io_fail_timeout=1,slots=4");
	struct nfs_attr attr;
	nsec before;

	world_await_live(c, WORLD_ADDRESSES);
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < WORLD_ADDRESSES; i++)
			sim_set_link(&w->addr[i], SIM_LINK_REFUSED);
		before = reactor_now();
		CHECK(nfs_getattr(c, ME, nfs_root(c), &attr) == -ETIMEDOUT);
		CHECK(reactor_now() - before < SEC(4));
		for (int i = 0; i < WORLD_ADDRESSES; i++)
			sim_set_link(&w->addr[i], SIM_LINK_UP);
		world_await_live(c, WORLD_ADDRESSES);
		CHECK_OK(nfs_getattr(c, ME, nfs_root(c), &attr));
	}
	nfs_unmount(c);
}

static void unmount_does_not_hang_on_silence(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	nsec before;

	world_await_live(c, WORLD_ADDRESSES);
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		sim_set_link(&w->addr[i], SIM_LINK_SILENT);
	before = reactor_now();
	nfs_unmount(c);
	CHECK(reactor_now() - before < SEC(5));
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		sim_set_link(&w->addr[i], SIM_LINK_UP);
}

static void paths_come_and_go_in_use(struct world *w)
{
	struct nfs_client *c = world_mount(w, "notrunkdiscovery");
	struct nfs_attr attr;

	world_await_live(c, 1);
	CHECK_OK(nfs_add_path(c, &w->addr[1]));
	CHECK(nfs_add_path(c, &w->addr[1]) == -EEXIST);
	world_await_live(c, 2);
	CHECK_OK(nfs_remove_path(c, &w->addr[0]));
	CHECK(nfs_remove_path(c, &w->addr[0]) == -ENOENT);
	CHECK_OK(nfs_getattr(c, ME, nfs_root(c), &attr));
	CHECK_OK(nfs_set_policy(c, "round-robin"));
	CHECK(nfs_set_policy(c, "by-the-moon") == -EINVAL);
	CHECK(!strcmp(nfs_policy(c), "round-robin"));
	nfs_unmount(c);
}

int main(int argc, char **argv)
{
	static const struct world_test tests[] = {
#define T(fn, seeds) { #fn, fn, seeds }
		T(mount_finds_all_paths, 3),
		T(mount_fails_when_nobody_is_there, 1),
		T(mount_goes_by_the_addresses_that_answer, 3),
		T(a_path_to_another_server_is_not_used, 2),
		T(any_compound_can_be_sent, 1),
		T(mount_of_a_missing_directory_says_so, 1),
		T(fast_io_fail_fails_and_recovers, 2),
		T(unmount_does_not_hang_on_silence, 2),
		T(paths_come_and_go_in_use, 2),
#undef T
		{},
	};

	return world_main(tests, argc, argv);
}
