/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves the rules of POSIX that depend on who asks: search and write
 * permission, sticky directories, set-id bits, ownership, times; and the errors
 * of names.
 */
#include <sys/xattr.h>

#include "fs.h"
#include "fsck.h"

static const uint32_t team[] = { 500 };
static const struct cred ann = { 1001, 101, 1, team };
static const struct cred bob = { 1002, 102, 1, team };

static struct engine *e; /* of the running case */

static uint64_t owned(uint64_t dir, const char *name, uint32_t mode,
		      uint32_t uid, uint32_t gid)
{
	uint64_t ino = 0;

	require(fs_make(e, NULL, dir, name, mode, &ino) == 0);
	require(fs_chown(e, NULL, ino, uid, gid) == 0);
	require(fs_chmod(e, NULL, ino, mode & 07777) == 0);
	return ino;
}

static uint32_t mode_of(uint64_t ino)
{
	return fs_attr(e, ino).mode & 07777;
}

static int remove_as(const struct cred *who, uint64_t dir, const char *name)
{
	return fs_remove(e, who, dir, name);
}

static void permissions(void *arg)
{
	uint64_t d = owned(1, "d", S_IFDIR | 0750, 1001, 500);
	uint64_t f = owned(d, "f", S_IFREG | 0640, 1001, 101);
	static const struct cred eve = { 1003, 103, 0, NULL };
	struct fattr attr;

	require(engine_lookup(e, &ann, d, "f", 1, &attr) == 0);
	require(engine_lookup(e, &bob, d, "f", 1, &attr) == 0); /* by group */
	require(engine_lookup(e, &eve, d, "f", 1, &attr) == -EACCES);
	require(fs_make(e, &bob, d, "x", S_IFREG | 0644, NULL) == -EACCES);
	require(fs_make(e, &bob, d, "f", S_IFREG | 0644, NULL) == -EEXIST);
	require(remove_as(&bob, d, "f") == -EACCES);
	require(remove_as(&bob, d, "none") == -ENOENT);
	require(remove_as(&eve, d, "none") == -EACCES);
	require(fs_link(e, &bob, f, d, "g") == -EACCES);
	require(fs_link(e, &ann, d, d, "g") == -EPERM);
	require(fs_make(e, &ann, d, "x", S_IFREG | 0644, NULL) == 0);
	require(remove_as(&ann, d, "x") == 0);

	attr = fs_attr(e, f);
	require(engine_access(&attr, &ann, 7) == (ENGINE_R | ENGINE_W));
	require(engine_access(&attr, &bob, 7) == 0);
	require(engine_access(&attr, &fs_root, 7) == (ENGINE_R | ENGINE_W));
	require(engine_access(&attr, NULL, 7) == 7);
}

static void sticky(void *arg)
{
	uint64_t d = owned(1, "d", S_IFDIR | 01777, 0, 0);
	uint64_t mine = owned(1, "mine", S_IFDIR | 0777, 1002, 102);

	owned(d, "ann", S_IFREG | 0666, 1001, 101);
	owned(d, "bob", S_IFREG | 0666, 1002, 102);
	require(remove_as(&bob, d, "ann") == -EPERM);
	require(fs_rename(e, &bob, d, "ann", mine, "x") == -EPERM);
	require(fs_rename(e, &bob, d, "bob", d, "ann") == -EPERM);
	require(fs_rename(e, &bob, d, "bob", mine, "x") == 0);
	require(remove_as(&ann, d, "ann") == 0);
	/* The directory's owner may, too. */
	require(fs_chown(e, NULL, d, 1002, -1) == 0);
	owned(d, "ann", S_IFREG | 0666, 1001, 101);
	require(remove_as(&bob, d, "ann") == 0);
}

static void moving_directories(void *arg)
{
	uint64_t a = owned(1, "a", S_IFDIR | 0777, 0, 0);
	uint64_t b = owned(1, "b", S_IFDIR | 0777, 0, 0);
	uint64_t sub = owned(a, "sub", S_IFDIR | 0555, 1001, 101);

	/* Its ".." would be written, within one directory it is not. */
	require(fs_rename(e, &bob, a, "sub", b, "sub") == -EACCES);
	require(fs_rename(e, &bob, a, "sub", a, "sup") == 0);
	require(fs_chmod(e, &ann, sub, 0755) == 0);
	require(fs_rename(e, &ann, a, "sup", b, "sub") == 0);
	require(fs_attr(e, sub).parent == b);
	require(fs_attr(e, a).nlink == 2 && fs_attr(e, b).nlink == 3);
	require(fs_rename(e, NULL, 1, "b", sub, "x") == -EINVAL);
	require(fs_rename(e, NULL, 1, "b", b, "x") == -EINVAL);
	require(fs_rename(e, NULL, b, "sub", 1, "b") == -ENOTEMPTY);
}

static void set_id(void *arg)
{
	uint64_t f = owned(1, "f", S_IFREG | 06777, 1001, 500);
	uint64_t lock = owned(1, "l", S_IFREG | 02767, 1001, 500);
	uint64_t d = owned(1, "d", S_IFDIR | 02777, 0, 500), sub, file;
	struct engine_node *n = fs_hold(e, f);
	struct iovec iov = { (char *)"x", 1 };
	struct create_spec spec = { .mode = S_IFREG | 06755,
				    .attrs = { .mask = SATTR_UID,
					       .uid = 1002 } };
	struct fattr attr;

	fs_write(n, "x", 1, 0); /* the server itself */
	require(engine_write(n, &fs_root, &iov, 1, 0, ENGINE_UNSTABLE) == 0);
	require(mode_of(f) == 06777);
	iov = (struct iovec){ (char *)"x", 1 };
	require(engine_write(n, &ann, &iov, 1, 0, ENGINE_UNSTABLE) == 0);
	require(mode_of(f) == 0777);
	require(fs_chmod(e, &ann, f, 06777) == 0);
	require(mode_of(f) == 06777);
	iov = (struct iovec){ (char *)"x", 1 };
	require(engine_write(n, &bob, &iov, 1, 0, ENGINE_UNSTABLE) == 0);
	require(mode_of(f) == 0777);
	engine_release(n);

	require(fs_chmod(e, NULL, f, 06777) == 0);
	require(fs_truncate(e, &bob, f, 0) == 0);
	require(mode_of(f) == 0777);
	require(fs_chmod(e, NULL, f, 06777) == 0);
	require(fs_chown(e, &ann, f, -1, 101) == 0);
	require(mode_of(f) == 0777);
	/* Not in the group: S_ISGID is not to be had. */
	require(fs_chown(e, NULL, f, -1, 102) == 0);
	require(fs_chmod(e, &ann, f, 02777) == 0);
	require(mode_of(f) == 0777);
	/* Without group execution it is no set-id bit. */
	require(fs_truncate(e, &bob, lock, 0) == 0);
	require(mode_of(lock) == 02767);

	require(fs_make(e, &ann, d, "sub", S_IFDIR | 0755, &sub) == 0);
	require(fs_attr(e, sub).gid == 500 && mode_of(sub) == 02755);
	require(fs_make(e, &ann, d, "file", S_IFREG | 0644, &file) == 0);
	require(fs_attr(e, file).gid == 500 && mode_of(file) == 0644);
	require(fs_attr(e, file).uid == 1001);

	/* Made for somebody else, with all that was asked for. */
	require(engine_create(e, &fs_root, d, "suid", 4, &spec, &attr, NULL,
			      NULL) == 0);
	require(attr.uid == 1002 && (attr.mode & 07777) == 06755);
	spec.attrs.uid = 1001;
	require(engine_create(e, &bob, d, "not", 3, &spec, &attr, NULL, NULL) ==
		-EPERM);
}

static void make_private(void *ino)
{
	require(fs_chmod(e, NULL, *(uint64_t *)ino, 0600) == 0);
}

static void set_id_and_chmod(void *arg)
{
	uint64_t f = owned(1, "f", S_IFREG | 06777, 1001, 500);
	struct engine_node *n = fs_hold(e, f);
	struct iovec iov = { (char *)"x", 1 };

	require(task_spawn("chmod", make_private, &f) == 0);
	task_yield(); /* it waits for its transaction */
	require(engine_write(n, &bob, &iov, 1, 0, ENGINE_UNSTABLE) == 0);
	require(mode_of(f) == 0600);
	engine_release(n);
}

static void owners(void *arg)
{
	uint64_t f = owned(1, "f", S_IFREG | 0644, 1001, 101);

	require(fs_chmod(e, &bob, f, 0600) == -EPERM);
	require(fs_chown(e, &ann, f, 1002, -1) == -EPERM);
	require(fs_chown(e, &ann, f, 1001, 500) == 0); /* of his groups */
	require(fs_chown(e, &ann, f, -1, 101) == 0);
	require(fs_chown(e, &ann, f, -1, 102) == -EPERM);
	require(fs_chown(e, &bob, f, -1, 102) == -EPERM);
	require(fs_chown(e, &fs_root, f, 1002, 7) == 0);
	require(fs_attr(e, f).uid == 1002 && fs_attr(e, f).gid == 7);
	require(fs_truncate(e, &ann, f, 0) == -EACCES);
	require(fs_truncate(e, &bob, f, 10) == 0);
}

static int set_times(const struct cred *who, uint64_t ino, unsigned mask)
{
	struct sattr set = { .mask = mask,
			     .atime = { 1000, 1 },
			     .mtime = { 5000000000, 999999999 } };

	return engine_setattr(e, who, ino, &set, NULL);
}

static void times(void *arg)
{
	const unsigned now = SATTR_ATIME_NOW | SATTR_MTIME_NOW;
	const unsigned given = SATTR_ATIME | SATTR_MTIME;
	uint64_t f = owned(1, "f", S_IFREG | 0646, 1001, 101);
	struct fattr before, after;

	require(set_times(&bob, f, given) == -EPERM);
	require(set_times(&bob, f, now) == 0); /* he may write */
	require(fs_chmod(e, NULL, f, 0644) == 0);
	require(set_times(&bob, f, now) == -EACCES);
	require(set_times(&ann, f, given) == 0);
	before = fs_attr(e, f);
	require(before.atime.tv_sec == 1000 && before.atime.tv_nsec == 1);
	require(before.mtime.tv_sec == 5000000000);
	require(before.mtime.tv_nsec == 999999999);
	require(set_times(&ann, f, now) == 0);
	after = fs_attr(e, f);
	require(after.mtime.tv_sec < before.mtime.tv_sec);
	require(after.change > before.change);
	require(after.btime.tv_sec == before.btime.tv_sec);
}

static void parents_change(void *arg)
{
	uint64_t d = fs_dir(e, 1, "d"), f;
	struct fattr a, b;

	a = fs_attr(e, d);
	f = fs_file(e, d, "f");
	b = fs_attr(e, d);
	require(b.change > a.change);
	require(b.mtime.tv_nsec != a.mtime.tv_nsec ||
		b.mtime.tv_sec != a.mtime.tv_sec);
	a = fs_attr(e, f);
	require(fs_link(e, NULL, f, d, "g") == 0);
	b = fs_attr(e, f);
	require(b.change > a.change && b.nlink == 2);
	require(b.mtime.tv_nsec == a.mtime.tv_nsec);
	require(fs_remove(e, NULL, d, "g") == 0);
	require(fs_attr(e, f).change > b.change);
}

static int make_named(const char *name, size_t len)
{
	struct create_spec spec = { .mode = S_IFREG | 0644 };

	return engine_create(e, NULL, 1, name, len, &spec, NULL, NULL, NULL);
}

static void names(void *arg)
{
	char name[256], c[2] = {};
	struct fattr attr;

	memset(name, 'n', 256);
	require(make_named(name, 256) == -ENAMETOOLONG);
	require(make_named(name, 255) == 0);
	require(engine_lookup(e, NULL, 1, name, 255, &attr) == 0);
	require(make_named("", 0) == -EINVAL);
	require(make_named(".", 1) == -EINVAL);
	require(make_named("..", 2) == -EINVAL);
	require(make_named("a/b", 3) == -EINVAL);
	require(make_named("a\0b", 3) == -EINVAL);
	for (int i = 1; i < 256; i++) {
		c[0] = (char)i;
		require(make_named(c, 1) ==
			(i == '/' || i == '.' ? -EINVAL : 0));
	}
	require(engine_lookup(e, NULL, attr.ino, "x", 1, &attr) == -ENOTDIR);
	require(engine_lookup(e, NULL, 1, "..", 2, &attr) == 0);
	require(attr.ino == ENGINE_ROOT);
	require(engine_getattr(e, 999999, &attr) == -ESTALE);
}

static int make_link(const char *target, size_t len, uint64_t *ino)
{
	struct create_spec spec = { .mode = S_IFLNK | 0777,
				    .target = target,
				    .target_len = len };
	struct fattr attr;
	int r = engine_create(e, NULL, 1, "l", 1, &spec, &attr, NULL, NULL);

	*ino = attr.ino;
	return r;
}

static void symlinks(void *arg)
{
	char target[ENGINE_SYMLINK_MAX + 1], back[ENGINE_SYMLINK_MAX + 1];
	uint64_t ino;

	memset(target, 't', sizeof(target));
	require(make_link(target, ENGINE_SYMLINK_MAX + 1, &ino) ==
		-ENAMETOOLONG);
	require(make_link(target, 0, &ino) == -ENOENT);
	require(make_link(target, ENGINE_SYMLINK_MAX, &ino) == 0);
	require(fs_attr(e, ino).size == ENGINE_SYMLINK_MAX);
	require(engine_readlink(e, ino, back, sizeof(back)) ==
		ENGINE_SYMLINK_MAX);
	require(memcmp(back, target, ENGINE_SYMLINK_MAX) == 0);
	require(engine_readlink(e, ino, back, 5) == 5);
	require(engine_readlink(e, 1, back, 5) == -EINVAL);
}

static void exclusive(void *arg)
{
	struct create_spec spec = { .mode = S_IFREG | 0600,
				    .exclusive = true,
				    .verifier = 0x1122334455667788 };
	struct fattr first, second;
	bool existed;

	require(engine_create(e, &ann, 1, "f", 1, &spec, &first, &existed,
			      NULL) == -EACCES);
	require(fs_chmod(e, NULL, 1, 0777) == 0);
	require(engine_create(e, &ann, 1, "f", 1, &spec, &first, &existed,
			      NULL) == 0 &&
		!existed);
	require(engine_create(e, &ann, 1, "f", 1, &spec, &second, &existed,
			      NULL) == 0 &&
		existed);
	require(second.ino == first.ino);
	spec.verifier++;
	require(engine_create(e, &ann, 1, "f", 1, &spec, &second, &existed,
			      NULL) == -EEXIST);
	spec.exclusive = false;
	require(engine_create(e, &ann, 1, "f", 1, &spec, &second, &existed,
			      NULL) == -EEXIST);
	require(second.ino == first.ino);
}

static void kinds(void *arg)
{
	uint64_t d = fs_dir(e, 1, "d");

	fs_file(e, 1, "f");
	fs_file(e, d, "f");
	require(engine_remove(e, NULL, 1, "d", 1, ENGINE_REMOVE_NONDIR, NULL) ==
		-EISDIR);
	require(engine_remove(e, NULL, 1, "f", 1, ENGINE_REMOVE_DIR, NULL) ==
		-ENOTDIR);
	require(engine_remove(e, NULL, 1, "d", 1, ENGINE_REMOVE_DIR, NULL) ==
		-ENOTEMPTY);
	require(remove_as(NULL, d, "f") == 0);
	require(engine_remove(e, NULL, 1, "d", 1, ENGINE_REMOVE_DIR, NULL) ==
		0);
	require(fs_make(e, NULL, d, "x", S_IFREG, NULL) == -ESTALE);
	require(fs_attr(e, 1).nlink == 2);
}

static void many_links(void *arg)
{
	uint64_t d = fs_dir(e, 1, "d"), f = fs_file(e, d, "f");
	struct sattr set = {};
	char name[32];
	int r = 0;

	/* A few are enough: the bound itself is a constant. */
	for (int i = 0; i < 300 && r == 0; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		r = fs_link(e, NULL, f, d, name);
	}
	require(r == 0 && fs_attr(e, f).nlink == 301);
	require(engine_setattr(e, &bob, f, &set, NULL) == 0); /* nothing */
}

static void xattrs(void *arg)
{
	uint64_t f = owned(1, "f", S_IFREG | 0644, 1001, 101);
	char *big = calloc(1, ENGINE_XATTR_SIZE_MAX + 1), list[64];
	struct change_info ci;

	require(engine_setxattr(e, &ann, f, "user.a", 6, "one", 3, 0, &ci) ==
		0);
	require(ci.after > ci.before && fs_attr(e, f).change == ci.after);
	require(engine_setxattr(e, &bob, f, "user.b", 6, "x", 1, 0, NULL) ==
		-EACCES);
	require(engine_setxattr(e, &ann, f, "trusted.a", 9, "x", 1, 0, NULL) ==
		-EOPNOTSUPP);
	require(engine_setxattr(e, &ann, f, "user.a", 6, "x", 1, XATTR_CREATE,
				NULL) == -EEXIST);
	require(engine_setxattr(e, &ann, f, "user.b", 6, "x", 1, XATTR_REPLACE,
				NULL) == -ENODATA);
	require(engine_setxattr(e, &ann, f, "user.big", 8, big,
				ENGINE_XATTR_SIZE_MAX, 0, NULL) == 0);
	require(engine_setxattr(e, &ann, f, "user.big", 8, big,
				ENGINE_XATTR_SIZE_MAX + 1, 0, NULL) == -E2BIG);
	require(engine_getxattr(e, f, "user.a", 6, NULL, 0) == 3);
	require(engine_getxattr(e, f, "user.a", 6, list, 2) == -ERANGE);
	require(engine_getxattr(e, f, "user.c", 6, list, 2) == -ENODATA);
	require(engine_listxattr(e, f, NULL, 0) == 16);
	require(engine_listxattr(e, f, list, 10) == -ERANGE);
	require(engine_listxattr(e, f, list, 64) == 16);
	require(memcmp(list, "user.a\0user.big", 16) == 0);
	require(engine_removexattr(e, &ann, f, "user.a", 6, &ci) == 0);
	require(engine_removexattr(e, &ann, f, "user.a", 6, &ci) == -ENODATA);
	require(engine_listxattr(e, f, NULL, 0) == 9);
	require(remove_as(NULL, 1, "f") == 0); /* with what is left */
	free(big);
}

struct one {
	void (*body)(void *arg);
	const char *directory;
};

static void with_engine(void *arg)
{
	struct one *one = arg;

	e = fs_open(one->directory);
	one->body(NULL);
	engine_close(e);
	require(fsck(one->directory, true));
}

#define CASE(sentence, body)                                                   \
	static void sentence(void **state)                                     \
	{                                                                      \
		in_task(with_engine, &(struct one){ body, *state });           \
	}
CASE(only_who_has_permission_searches_and_writes, permissions)
CASE(a_sticky_directory_protects_what_is_in_it, sticky)
CASE(a_directory_moves_only_where_it_can, moving_directories)
CASE(set_id_bits_go_when_others_write, set_id)
CASE(clearing_set_id_bits_undoes_no_chmod, set_id_and_chmod)
CASE(owner_and_group_are_changed_by_those_who_may, owners)
CASE(times_are_set_by_those_who_may, times)
CASE(a_change_shows_in_parents_and_in_the_change_attribute, parents_change)
CASE(names_are_any_bytes_but_slash_and_nul, names)
CASE(symbolic_links_keep_their_target, symlinks)
CASE(exclusive_creation_knows_its_own_file, exclusive)
CASE(remove_takes_the_kind_that_was_asked_for, kinds)
CASE(a_file_has_many_names, many_links)
CASE(xattrs_are_kept_and_bounded, xattrs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			only_who_has_permission_searches_and_writes),
		test_with_directory(a_sticky_directory_protects_what_is_in_it),
		test_with_directory(a_directory_moves_only_where_it_can),
		test_with_directory(set_id_bits_go_when_others_write),
		test_with_directory(clearing_set_id_bits_undoes_no_chmod),
		test_with_directory(
			owner_and_group_are_changed_by_those_who_may),
		test_with_directory(times_are_set_by_those_who_may),
		test_with_directory(
			a_change_shows_in_parents_and_in_the_change_attribute),
		test_with_directory(names_are_any_bytes_but_slash_and_nul),
		test_with_directory(symbolic_links_keep_their_target),
		test_with_directory(exclusive_creation_knows_its_own_file),
		test_with_directory(remove_takes_the_kind_that_was_asked_for),
		test_with_directory(a_file_has_many_names),
		test_with_directory(xattrs_are_kept_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
