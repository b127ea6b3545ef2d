/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that a client of an export has its root and its user and no other, by
 * name, by "..", by handle, and across directories.
 */
#include "wire.h"

#include <errno.h>

#include "nfs/server/internal.h"

static const uint32_t groups[] = { 7, 8 };
static const struct nfs_export app = {
	.name = "fsap-app",
	.number = 0xa11,
	.path = "/data/app",
	.create = true,
	.owner_uid = 1000,
	.owner_gid = 1001,
	.mode = 0755,
	.forces_user = true,
	.uid = 1000,
	.gid = 1001,
	.ngroups = 2,
	.groups = groups,
};
static const struct nfs_export other = {
	.name = "fsap-other",
	.number = 0xb22,
	.path = "/data",
};

struct scene {
	struct world world;
	struct wire w;
	struct session s;
	struct compound c;
};

static struct scene *scene_start(void *directory, nfs_rights_fn *rights)
{
	const struct nfs_server_options options = {
		.handle_key = "0123456789abcdef",
		.rights = rights,
	};
	struct scene *s = calloc(1, sizeof(*s));

	require(s != NULL);
	world_start(&s->world, directory, &options);
	require(nfs_server_export(s->world.server, &app) == 0);
	require(nfs_server_export(s->world.server, &other) == 0);
	wire_open(&s->w, &s->world.addr[0]);
	wire_mount(&s->w, "a", &s->s);
	return s;
}

static void scene_stop(struct scene *s)
{
	wire_close(&s->w);
	world_stop(&s->world);
	free(s);
}

static struct compound *begin(struct scene *s)
{
	session_begin(&s->s, &s->c, 0);
	return &s->c;
}

/* With the handle as the current one. */
static struct compound *at(struct scene *s, const struct nfs_fh *fh)
{
	s->c.n--; /* not PUTROOTFH */
	add(&s->c, OP_PUTFH)->opputfh.object = nfs_fh4_of(fh);
	return &s->c;
}

/* The handle to which these names lead from the root. */
static nfsstat4 walk(struct scene *s, const char *const *names,
		     struct nfs_fh *fh)
{
	struct compound *c = begin(s);
	nfsstat4 status;

	for (; *names; names++)
		add_lookup(c, *names);
	add(c, OP_GETFH);
	status = wire_call(&s->w, c);
	if (status == NFS4_OK)
		*fh = nfs_fh4_copy(c->res[c->n - 1].opgetfh.object);
	return status;
}

#define WALK(s, fh, ...) walk(s, (const char *const[]){ __VA_ARGS__, NULL }, fh)

static nfsstat4 up(struct scene *s, const struct nfs_fh *fh)
{
	begin(s);
	add(at(s, fh), OP_LOOKUPP);
	return wire_call(&s->w, &s->c);
}

static nfsstat4 make_dir(struct scene *s, const struct nfs_fh *fh,
			 const char *name, struct nfs_fh *made)
{
	nfsstat4 status;
	CREATE4args *arg;

	begin(s);
	arg = &add(at(s, fh), OP_CREATE)->opcreate;
	arg->objtype.type = NF4DIR;
	arg->objname = (component4){ name, strlen(name) };
	add(&s->c, OP_GETFH);
	status = wire_call(&s->w, &s->c);
	if (status == NFS4_OK && made != NULL)
		*made = nfs_fh4_copy(s->c.res[s->c.n - 1].opgetfh.object);
	return status;
}

static struct fattr attributes(struct scene *s, const char *path)
{
	struct fattr attr = { .ino = ENGINE_ROOT };
	char name[64];
	int len;

	for (; sscanf(path, "%63[^/]%n", name, &len) == 1;
	     path += len + (path[len] == '/'))
		require(engine_lookup(s->world.engine, NULL, attr.ino, name,
				      strlen(name), &attr) == 0);
	return attr;
}

static void root(void *arg)
{
	struct scene *s = scene_start(arg, NULL);
	struct nfs_fh fh, again, plain;
	struct fattr attr;

	/* It is made, with what is missing on the way. */
	require(WALK(s, &plain, "data") == NFS4ERR_NOENT);
	require(WALK(s, &plain, "fsap-none") == NFS4ERR_NOENT);
	require(WALK(s, &fh, "fsap-other") == NFS4ERR_NOENT);
	require(WALK(s, &fh, "fsap-app") == NFS4_OK);
	attr = attributes(s, "data/app");
	require(attr.uid == 1000 && attr.gid == 1001);
	require((attr.mode & 07777) == 0755);
	require(WALK(s, &again, "fsap-app") == NFS4_OK);
	require(fh.len == again.len && !memcmp(fh.data, again.data, fh.len));
	require(WALK(s, &plain, "data", "app") == NFS4_OK);
	require(plain.len != fh.len);
	/* Names of exports are known in the root only. */
	require(WALK(s, &again, "fsap-app", "fsap-other") == NFS4ERR_NOENT);
	require(WALK(s, &again, "data", "fsap-app") == NFS4ERR_NOENT);
	require(WALK(s, &again, "fsap-other", "app") == NFS4_OK);
	scene_stop(s);
}

static void user(void *arg)
{
	struct scene *s = scene_start(arg, NULL);
	struct nfs_fh fh, dir, plain;
	struct fattr attr;

	s->w.uid = s->w.gid = 0; /* root is that user, too */
	require(WALK(s, &fh, "fsap-app") == NFS4_OK);
	require(make_dir(s, &fh, "d", &dir) == NFS4_OK);
	attr = attributes(s, "data/app/d");
	require(attr.uid == 1000 && attr.gid == 1001);
	/* In one that is not his he may not. */
	require(WALK(s, &plain, "data", "app") == NFS4_OK);
	require(make_dir(s, &plain, "r", &dir) == NFS4_OK);
	attr = attributes(s, "data/app/r");
	require(engine_setattr(s->world.engine, NULL, attr.ino,
			       &(struct sattr){ .mask = SATTR_MODE,
						.mode = 0755 },
			       NULL) == 0);
	require(WALK(s, &dir, "fsap-app", "r") == NFS4_OK);
	require(make_dir(s, &dir, "x", NULL) == NFS4ERR_ACCESS);
	/* Without a user of its own the caller is who he is. */
	s->w.uid = s->w.gid = 1234;
	require(WALK(s, &fh, "fsap-other") == NFS4_OK);
	require(make_dir(s, &fh, "y", NULL) == NFS4ERR_ACCESS);
	scene_stop(s);
}

static void upwards(void *arg)
{
	struct scene *s = scene_start(arg, NULL);
	struct nfs_fh fh, dir;
	struct fattr app_dir, d;

	s->w.uid = s->w.gid = 0;
	require(WALK(s, &fh, "fsap-app") == NFS4_OK);
	require(make_dir(s, &fh, "d", &dir) == NFS4_OK);
	require(up(s, &fh) == NFS4ERR_NOENT);
	require(up(s, &dir) == NFS4_OK);
	require(WALK(s, &fh, "fsap-app", "..") != NFS4_OK);
	/* Somebody else moves it out: the way up leads out, too. */
	app_dir = attributes(s, "data/app");
	d = attributes(s, "data");
	require(engine_rename(s->world.engine, NULL, app_dir.ino, "d", 1, d.ino,
			      "d", 1, NULL) == 0);
	require(up(s, &dir) == NFS4ERR_ACCESS);
	scene_stop(s);
}

static void handles(void *arg)
{
	struct scene *s = scene_start(arg, NULL);
	struct nfs_fh fh, bent;

	require(WALK(s, &fh, "fsap-app") == NFS4_OK);
	for (uint32_t i = 0; i < fh.len; i++) {
		bent = fh;
		bent.data[i] ^= 1;
		begin(s);
		add(at(s, &bent), OP_GETFH);
		require(wire_call(&s->w, &s->c) != NFS4_OK);
	}
	begin(s);
	add(at(s, &fh), OP_GETFH);
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	/* Nobody's any more. */
	require(nfs_server_unexport(s->world.server, app.number) == 0);
	begin(s);
	add(at(s, &fh), OP_GETFH);
	require(wire_call(&s->w, &s->c) == NFS4ERR_STALE);
	require(WALK(s, &fh, "fsap-app") == NFS4ERR_NOENT);
	require(nfs_server_unexport(s->world.server, app.number) == -ENOENT);
	scene_stop(s);
}

/* LINK and RENAME between two exports, or out of one. */
static void across(void *arg)
{
	struct scene *s = scene_start(arg, NULL);
	struct nfs_fh fh, plain;
	RENAME4args *r;

	s->w.uid = s->w.gid = 0;
	require(WALK(s, &fh, "fsap-app") == NFS4_OK);
	require(make_dir(s, &fh, "d", NULL) == NFS4_OK);
	require(WALK(s, &plain, "data") == NFS4_OK);
	begin(s);
	add(at(s, &fh), OP_SAVEFH);
	add(&s->c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&plain);
	r = &add(&s->c, OP_RENAME)->oprename;
	r->oldname = r->newname = (component4){ "d", 1 };
	require(wire_call(&s->w, &s->c) == NFS4ERR_XDEV);
	/* What was saved comes back with its user. */
	begin(s);
	add(at(s, &fh), OP_SAVEFH);
	add(&s->c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&plain);
	add(&s->c, OP_RESTOREFH);
	add(&s->c, OP_LOOKUPP);
	require(wire_call(&s->w, &s->c) == NFS4ERR_NOENT);
	scene_stop(s);
}

static uint64_t used(struct scene *s)
{
	struct engine_tree t;
	int r = nfs_server_get_usage(s->world.server, app.number, &t);

	require(r == 0 || r == -ENOENT);
	return r == 0 ? t.used_files : 0;
}

static void quota(void *arg)
{
	static const struct nfs_quota three = { .files = 3 };
	struct scene *s = scene_start(arg, NULL);
	struct nfs_server *srv = s->world.server;
	struct engine *e = s->world.engine;
	struct engine_tree t;
	uint64_t first, left;
	struct nfs_fh fh;

	s->w.uid = s->w.gid = 0;
	require(nfs_server_set_quota(srv, 0xbad, &three) == -ENOENT);
	require(nfs_server_set_quota(srv, app.number, &three) == 0);
	require(used(s) == 0); /* no root yet */
	require(WALK(s, &fh, "fsap-app") == NFS4_OK && used(s) == 1);
	first = attributes(s, "data/app").ino;
	require(make_dir(s, &fh, "a", NULL) == NFS4_OK);
	require(make_dir(s, &fh, "b", NULL) == NFS4_OK);
	require(make_dir(s, &fh, "c", NULL) == NFS4ERR_DQUOT);
	/* Another directory is its root now. */
	require(engine_rename(e, NULL, attributes(s, "data").ino, "app", 3,
			      ENGINE_ROOT, "old", 3, NULL) == 0);
	require(WALK(s, &fh, "fsap-app") == NFS4_OK && used(s) == 1);
	require(engine_tree_get(e, first, &t) == -ENOENT);
	/* What is left of others goes at a start, and what is not stays. */
	left = attributes(s, "data").ino;
	require(engine_tree_set(e, left, 0, 0) == 0);
	require(nfs_server_drop_quotas(srv) == 0 && used(s) == 1);
	require(engine_tree_get(e, left, &t) == -ENOENT);
	require(nfs_server_set_quota(srv, app.number, NULL) == 0);
	require(used(s) == 0);
	require(make_dir(s, &fh, "a", NULL) == NFS4_OK);
	require(make_dir(s, &fh, "b", NULL) == NFS4_OK);
	require(make_dir(s, &fh, "c", NULL) == NFS4_OK);
	scene_stop(s);
}

static void a_quota_follows_the_root(void **state)
{
	in_task(quota, *state);
}

static unsigned asked;

static unsigned ask(void *arg, const char *label, const struct addr *peer,
		    const struct nfs_identity *who, char why[NFS_WHY_SIZE])
{
	asked++;
	return NFS_RIGHTS_ALL;
}

static void rights(void *directory)
{
	struct scene *s = scene_start(directory, ask);
	struct nfs_fh fh;

	asked = 0;
	for (int i = 0; i < 5; i++) {
		require(WALK(s, &fh, "fsap-app") == NFS4_OK);
		require(WALK(s, &fh, "fsap-other") == NFS4_OK);
	}
	require(asked > 0 && asked <= 3); /* the root is a way, too */
	nfs_server_rights_changed(s->world.server);
	asked = 0;
	require(WALK(s, &fh, "fsap-other") == NFS4_OK);
	require(asked > 0);
	scene_stop(s);
}

static void rights_are_asked_for_once(void **state)
{
	in_task(rights, *state);
}

/* The owner of a client as the server keeps it. */
static struct xdr_bytes kept_as(struct nfsd_call *call, const char *principal,
				const char *owner, size_t len)
{
	struct nfsd_compound c = { .call = call };
	struct xdr_bytes bytes = { (const uint8_t *)owner, len };

	strcpy(call->conn->who.principal, principal);
	require(nfsd_identity_owner(&c, 0, &bytes));
	return bytes;
}

static void nobody_can_have_the_owner_of_somebody(void **state)
{
	struct nfsd_conn conn = {};
	struct nfsd_call *call = calloc(1, sizeof(*call));
	struct xdr_bytes bob;

	call->conn = &conn;
	arena_init(&call->arena, NULL, 0, 4096);
	bob = kept_as(call, "bob", "a", 1);
	assert_int_equal(kept_as(call, "", "a", 1).len, 1);
	conn.who.secure = true;
	assert_true(kept_as(call, "", "a", 1).len > 1);
	conn.who.secure = false;
	assert_false(xdr_bytes_equal(
		bob, kept_as(call, "", (const char *)bob.data, bob.len)));
	assert_false(xdr_bytes_equal(bob, kept_as(call, "eve", "a", 1)));
	assert_false(xdr_bytes_equal(kept_as(call, "", "a\0", 2),
				     kept_as(call, "", "a\0\0", 3)));
	arena_fini(&call->arena);
	free(call);
}

static void a_root_is_made_and_reached_by_name_only(void **state)
{
	in_task(root, *state);
}

static void everybody_is_the_user_of_the_export(void **state)
{
	in_task(user, *state);
}

static void the_way_up_ends_at_the_root(void **state)
{
	in_task(upwards, *state);
}

static void handles_can_not_be_made_up(void **state)
{
	in_task(handles, *state);
}

static void nothing_moves_between_exports(void **state)
{
	in_task(across, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(a_root_is_made_and_reached_by_name_only),
		test_with_directory(everybody_is_the_user_of_the_export),
		test_with_directory(the_way_up_ends_at_the_root),
		test_with_directory(handles_can_not_be_made_up),
		test_with_directory(nothing_moves_between_exports),
		test_with_directory(a_quota_follows_the_root),
		test_with_directory(rights_are_asked_for_once),
		cmocka_unit_test(nobody_can_have_the_owner_of_somebody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
