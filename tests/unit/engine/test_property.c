/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves that the engine and a model of a POSIX file system agree: random calls
 * on both, results compared after each, whole trees now and then, across
 * reopening; and that what is on disk is consistent each time it is closed.
 *
 *	SEED=n STEPS=n test_engine_property	replays, or runs longer
 */
#include <sys/xattr.h>
#include <time.h>

#include "base/rng.h"
#include "fs.h"
#include "fsck.h"
#include "model.h"

enum { HELD_MAX = 6 };

static char long_name[256];
static const char *const names[] = { "a",   "b",    "c",       "\xff\x01",
				     "...", " x\n", long_name, "README" };

struct held {
	struct engine_node *node;
	struct model_inode *inode;
};

struct world {
	const char *directory;
	struct engine *e;
	struct model m;
	struct rng rng;
	struct held held[HELD_MAX];
	size_t nheld;
};

static size_t below(struct world *w, size_t n)
{
	return rng_below(&w->rng, n);
}

static const char *any_name(struct world *w)
{
	return names[below(w, ARRAY_SIZE(names))];
}

/* Of the given type, if there is one (the root is always). */
static struct model_inode *any_inode(struct world *w, uint32_t type)
{
	struct model_inode *i, *found = w->m.root;
	size_t n = 0;

	list_for_each (i, &w->m.inodes, link)
		if ((type == 0 || (i->mode & S_IFMT) == type) &&
		    below(w, ++n) == 0)
			found = i;
	return found;
}

static struct model_inode *any_dir(struct world *w)
{
	return any_inode(w, S_IFDIR);
}

/* What was said of the directory is what is there. */
static void check_ci(struct world *w, const struct model_inode *dir,
		     const struct change_info *ci, int r)
{
	if (r == 0)
		require(ci->after == fs_attr(w->e, dir->ino).change);
	if (r == 0)
		require(ci->before <= ci->after);
}

static void step_create(struct world *w)
{
	static const uint32_t types[] = { S_IFREG, S_IFREG,  S_IFREG,
					  S_IFDIR, S_IFDIR,  S_IFLNK,
					  S_IFIFO, S_IFSOCK, S_IFCHR };
	uint32_t type = types[below(w, ARRAY_SIZE(types))];
	struct create_spec spec = { .mode = type | below(w, 01000),
				    .target = "target",
				    .target_len = 6,
				    .rdev_major = S_ISCHR(type) ? 7 : 0 };
	struct model_inode *dir = any_inode(w, below(w, 20) ? S_IFDIR : 0);
	struct model_inode *made = NULL;
	const char *name = any_name(w);
	int expect = model_create(&w->m, dir, name, spec.mode, &made);
	struct change_info ci = {};
	struct fattr attr = {};
	int r = engine_create(w->e, &fs_root, dir->ino, name, strlen(name),
			      &spec, &attr, NULL, &ci);

	require(r == expect);
	if (r == -EEXIST)
		require(attr.ino == model_look(dir, name)->ino);
	if (r == 0)
		made->ino = attr.ino;
	check_ci(w, dir, &ci, r);
}

static void step_link(struct world *w)
{
	struct model_inode *i = any_inode(w, below(w, 10) ? S_IFREG : 0);
	struct model_inode *dir = any_dir(w);
	const char *name = any_name(w);
	struct change_info ci = {};
	int r = engine_link(w->e, &fs_root, i->ino, dir->ino, name,
			    strlen(name), &ci);

	require(r == model_link(&w->m, i, dir, name));
	check_ci(w, dir, &ci, r);
}

static void step_remove(struct world *w)
{
	struct model_inode *dir = any_dir(w);
	const char *name = any_name(w);
	struct change_info ci = {};
	int r = engine_remove(w->e, &fs_root, dir->ino, name, strlen(name),
			      ENGINE_REMOVE_ANY, &ci);

	require(r == model_remove(&w->m, dir, name));
	check_ci(w, dir, &ci, r);
}

static void step_rename(struct world *w)
{
	struct model_inode *from = any_dir(w), *to = any_dir(w);
	const char *from_name = any_name(w), *to_name = any_name(w);
	struct change_info ci[2] = {};
	int r = engine_rename(w->e, &fs_root, from->ino, from_name,
			      strlen(from_name), to->ino, to_name,
			      strlen(to_name), ci);

	require(r == model_rename(&w->m, from, from_name, to, to_name));
	check_ci(w, from, &ci[0], r);
	check_ci(w, to, &ci[1], r);
}

static void step_hold(struct world *w)
{
	struct model_inode *i = any_inode(w, below(w, 10) ? S_IFREG : 0);
	struct held *h = &w->held[w->nheld];

	if (w->nheld == HELD_MAX)
		return;
	*h = (struct held){ fs_hold(w->e, i->ino), i };
	i->held++;
	w->nheld++;
}

static void release(struct world *w, size_t n)
{
	struct held h = w->held[n];

	w->held[n] = w->held[--w->nheld];
	engine_release(h.node);
	h.inode->held--;
	model_release(&w->m, h.inode);
}

static void step_release(struct world *w)
{
	if (w->nheld > 0)
		release(w, below(w, w->nheld));
}

static struct held *any_held_file(struct world *w)
{
	struct held *h = &w->held[below(w, HELD_MAX)];

	return h < &w->held[w->nheld] && S_ISREG(h->inode->mode) ? h : NULL;
}

static void step_write(struct world *w)
{
	static const size_t reach[] = { 100, 4096, 5000, 50000 };
	struct held *h = any_held_file(w);
	size_t offset = below(w, reach[below(w, ARRAY_SIZE(reach))]);
	size_t len = below(w, reach[below(w, ARRAY_SIZE(reach))]);
	uint64_t before;
	char *data;

	if (h == NULL)
		return;
	data = malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)rng_next(&w->rng);
	before = fs_attr(w->e, h->inode->ino).change;
	for (size_t done = 0; done < len;) { /* in pieces */
		size_t n = 1 + below(w, len - done);
		struct iovec iov[2] = { { data + done, n / 2 },
					{ data + done + n / 2, n - n / 2 } };

		require(engine_write(h->node, NULL, iov, 2, offset + done,
				     below(w, 8) ? ENGINE_UNSTABLE
						 : ENGINE_FILE_SYNC) == 0);
		done += n;
	}
	model_write(h->inode, data, len, len > 0 ? offset : 0);
	if (len > 0)
		require(fs_attr(w->e, h->inode->ino).change > before);
	free(data);
}

static void step_punch(struct world *w)
{
	struct held *h = any_held_file(w);
	uint64_t offset = below(w, 50000), len = 1 + below(w, 20000);

	if (h == NULL)
		return;
	require(engine_deallocate(h->node, offset, len) == 0);
	if (offset < h->inode->size)
		memset(h->inode->data + offset, 0,
		       MIN(len, h->inode->size - offset));
}

static void step_allocate(struct world *w)
{
	struct held *h = any_held_file(w);
	uint64_t offset = below(w, 50000), len = 1 + below(w, 20000);

	if (h == NULL)
		return;
	require(engine_allocate(h->node, offset, len) == 0);
	h->inode->size = MAX(h->inode->size, offset + len);
}

static void step_truncate(struct world *w)
{
	struct model_inode *i = any_inode(w, S_IFREG);
	uint64_t size = below(w, below(w, 2) ? 5000 : 60000);
	int r = fs_truncate(w->e, &fs_root, i->ino, size);

	require(r == (S_ISREG(i->mode) ? 0 : -EISDIR));
	if (r == 0)
		model_truncate(i, size);
}

static void step_setattr(struct world *w)
{
	struct model_inode *i = any_inode(w, 0);
	struct sattr set = { .mask = SATTR_MODE | SATTR_UID | SATTR_GID |
				     SATTR_MTIME,
			     .mode = below(w, 07777),
			     .uid = below(w, 3),
			     .gid = below(w, 3),
			     .mtime = { 1000 + below(w, 9), 5 } };
	struct fattr attr;

	require(engine_setattr(w->e, &fs_root, i->ino, &set, &attr) == 0);
	i->mode = (i->mode & S_IFMT) | set.mode;
	i->uid = set.uid;
	i->gid = set.gid;
	require(attr.mtime.tv_sec == set.mtime.tv_sec);
}

static void step_commit(struct world *w)
{
	struct held *h = any_held_file(w);

	if (h != NULL)
		require(engine_commit(h->node, 0, 0) == 0);
}

static void step_xattr(struct world *w)
{
	struct model_inode *i = any_inode(w, S_IFREG);
	char value[200];

	memset(value, (int)i->ino, sizeof(value));
	require(engine_setxattr(w->e, &fs_root, i->ino, "user.ino", 8, value,
				1 + i->ino % 200, 0, NULL) == 0);
	require(engine_getxattr(w->e, i->ino, "user.ino", 8, value, 200) ==
		(ssize_t)(1 + i->ino % 200));
	require(value[0] == (char)i->ino);
}

/* Directories are counted, or not any more; what the model does at once. */
static void step_tree(struct world *w)
{
	struct model_inode *dir = any_dir(w);
	bool set = dir->tree != dir->ino;

	if (dir->nlink == 0 || !model_set_tree(&w->m, dir, set))
		return;
	if (set)
		require(engine_tree_set(w->e, dir->ino, 0, 0) == 0);
	else
		require(engine_tree_clear(w->e, dir->ino) == 0);
	fs_wait_for_walks(w->e);
}

static void compare_usage(struct world *w, const struct model_inode *root)
{
	uint64_t files = model_count(&w->m, root->ino);
	struct engine_tree t;

	for (int i = 0; i < 2000; i++) { /* what was removed goes later */
		require(engine_tree_get(w->e, root->ino, &t) == 0);
		if (t.used_files == files)
			return;
		task_sleep(MSEC(5));
	}
	require(t.used_files == files);
}

/* ------------------------------------------------------ whole trees --- */

struct listing {
	struct world *w;
	struct model_inode *dir;
	size_t room, taken;
	uint64_t last;
};

static bool take(void *arg, const struct engine_dirent *d)
{
	struct listing *l = arg;
	struct model_inode *i;
	char name[256] = {};

	if (l->room == 0)
		return false;
	require(d->cookie > MAX(l->last, 2UL));
	memcpy(name, d->name, d->name_len);
	i = model_look(l->dir, name);
	require(i != NULL && i->ino == d->ino);
	require(d->type == (i->mode & S_IFMT));
	require(d->attr == NULL || d->attr->nlink == i->nlink);
	l->last = d->cookie;
	l->room--;
	l->taken++;
	return true;
}

static void compare_dir(struct world *w, struct model_inode *dir)
{
	struct listing l = { .w = w, .dir = dir };
	struct model_name *n;
	struct fattr attr;
	size_t count = 0;
	bool eof = false;

	while (!eof) {
		l.room = 1 + below(w, 5);
		require(engine_readdir(w->e, dir->ino, l.last, below(w, 2),
				       take, &l, &eof) == 0);
	}
	list_for_each (n, &dir->names, link) {
		require(fs_look(w->e, dir->ino, n->name) == n->inode->ino);
		count++;
	}
	require(count == l.taken);
	if (dir->nlink > 0) {
		require(engine_lookup(w->e, NULL, dir->ino, "..", 2, &attr) ==
			0);
		require(attr.ino == dir->parent->ino);
	}
}

static void compare_file(struct world *w, struct model_inode *i)
{
	struct engine_node *n = fs_hold(w->e, i->ino);
	char *buf = malloc(MODEL_SIZE_MAX + 100);
	bool eof;

	require(engine_read(n, buf, MODEL_SIZE_MAX + 100, 0, &eof) ==
		(ssize_t)i->size);
	require(eof);
	require(memcmp(buf, i->data, i->size) == 0);
	free(buf);
	engine_release(n);
}

static void compare(struct world *w)
{
	struct model_inode *i;

	list_for_each (i, &w->m.inodes, link) {
		struct fattr attr = fs_attr(w->e, i->ino);

		require(attr.mode == i->mode && attr.nlink == i->nlink);
		require(attr.uid == i->uid && attr.gid == i->gid);
		if (S_ISDIR(i->mode))
			compare_dir(w, i);
		else
			require(attr.size == i->size);
		if (S_ISREG(i->mode))
			compare_file(w, i);
		if (i->tree == i->ino && i->nlink > 0)
			compare_usage(w, i);
	}
}

static void reopen(struct world *w)
{
	while (w->nheld > 0)
		release(w, 0);
	engine_close(w->e);
	require(fsck(w->directory, true));
	w->e = fs_open(w->directory);
	compare(w);
}

static const struct {
	void (*step)(struct world *w);
	unsigned weight;
} steps[] = {
	{ step_create, 30 },  { step_link, 8 },	     { step_remove, 14 },
	{ step_rename, 20 },  { step_hold, 12 },     { step_release, 6 },
	{ step_write, 40 },   { step_truncate, 10 }, { step_punch, 4 },
	{ step_allocate, 3 }, { step_setattr, 8 },   { step_commit, 8 },
	{ step_xattr, 4 },    { step_tree, 4 },	     { reopen, 1 },
};

static void one_step(struct world *w)
{
	unsigned sum = 0, pick;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		sum += steps[i].weight;
	pick = below(w, sum);
	for (i = 0; pick >= steps[i].weight; i++)
		pick -= steps[i].weight;
	steps[i].step(w);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);

	return s != NULL ? strtoul(s, NULL, 0) : otherwise;
}

static void run(void *directory)
{
	unsigned nsteps = from_environment("STEPS", 2500);
	struct world w = { .directory = directory };

	rng_init(&w.rng, from_environment("SEED", time(NULL)));
	printf("SEED=%lu\n", w.rng.state);
	fflush(stdout);
	memset(long_name, 'n', 255);
	model_init(&w.m);
	w.e = fs_open(directory);
	for (unsigned i = 0; i < nsteps; i++) {
		one_step(&w);
		if (i % 250 == 249)
			compare(&w);
	}
	reopen(&w);
	engine_close(w.e);
	model_fini(&w.m);
}

static void random_calls_have_the_effects_of_a_posix_file_system(void **state)
{
	in_task(run, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			random_calls_have_the_effects_of_a_posix_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
