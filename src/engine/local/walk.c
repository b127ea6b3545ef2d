/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: what is below a directory that has become the root of a tree, or is
 * none any more, gets to count where the directory does.  It goes from there
 * down, in rounds: a look at a snapshot finds some that count elsewhere, one
 * transaction moves them.  What is made or comes there in the meantime is right
 * already:
 *
 *  - a directory is looked into after it has been moved itself, and what is
 *    made in it since then counts where it does;
 *  - nothing is renamed between a directory that has been moved and one that
 *    has not (-EXDEV), and a directory that has not been moved is not renamed
 *    within one that has (-EAGAIN); a file that is renamed there is moved by
 *    that.
 *
 * The roots of other trees are left out.  Whatever goes wrong, or if the root
 * counts elsewhere by now, it begins again, and finds little to do.  That it is
 * not finished is on disk (TREE_WALK), and a start goes on.  It takes 8 bytes
 * of memory for each directory that it knows and has not looked into.
 */
#include <errno.h>

#include "base/log.h"
#include "engine/local/local.h"

enum {
	ROUND = 256, /* moved by a transaction */
	LOOK = 1024, /* looked at in a snapshot: about a millisecond */
};

#define RETRY SEC(1)

struct root {
	struct list link;
	uint64_t ino;
};

/* One to be moved, of `dir`. */
struct found {
	uint64_t dir;
	struct name d;
};

struct walk {
	struct change c;
	struct local *l;
	uint64_t root, tree; /* all are to count in `tree` */

	/* Directories that count there; the last one is being looked into. */
	uint64_t *dirs;
	size_t ndirs, room;
	uint64_t cookie; /* of the last one: so far */

	struct found found[ROUND];
	bool moved[ROUND];
	size_t nfound;
};

/* ------------------------------------------------------------ snapshot --- */

static int push(struct walk *w, uint64_t dir)
{
	uint64_t *more;

	if (w->ndirs == w->room) {
		more = realloc(w->dirs, (w->room * 2 + 64) * sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		w->dirs = more;
		w->room = w->room * 2 + 64;
	}
	w->dirs[w->ndirs++] = dir;
	return 0;
}

/* 1: it has to be moved.  2: it is a directory that was. */
static int judge(struct view *v, const struct walk *w, const struct name *d)
{
	struct inode_rec rec;
	int r = inode_get(v, d->ino, &rec);

	if (r < 0)
		return r == -ESTALE ? 0 : r;
	if (rec.tree == w->tree)
		return S_ISDIR(rec.mode) ? 2 : 0;
	return rec.tree == d->ino ? 0 : 1; /* the root of another one */
}

/* One entry of the last directory, which is taken off if there is none.  New
 * directories go below it: what was found first is looked into last. */
static int look_at_next(struct view *v, struct walk *w)
{
	uint64_t dir = w->dirs[w->ndirs - 1];
	struct name d = { .cookie = w->cookie };
	int r = dirent_next(v, dir, &d);

	if (r == -ENOENT) {
		w->ndirs--;
		w->cookie = 0;
		return 0;
	}
	if (r < 0)
		return r;
	w->cookie = d.cookie;
	r = judge(v, w, &d);
	if (r == 1)
		w->found[w->nfound++] = (struct found){ dir, d };
	if (r != 2)
		return r < 0 ? r : 0;
	w->dirs[w->ndirs - 1] = d.ino;
	return push(w, dir);
}

static int look(struct walk *w)
{
	struct view v;
	int r = view_begin(w->l, &v);

	if (r < 0)
		return r;
	w->nfound = 0;
	for (int i = 0; r == 0 && i < LOOK && w->ndirs > 0; i++) {
		if (w->nfound == ROUND)
			break;
		r = look_at_next(&v, w);
	}
	view_end(&v);
	return r;
}

/* --------------------------------------------------------- transaction --- */

static int check_root(struct view *v, const struct walk *w)
{
	struct inode_rec rec;
	int r = inode_get(v, w->root, &rec);

	if (r < 0)
		return r == -ESTALE ? -ECANCELED : r;
	return rec.tree == w->tree ? 0 : -ECANCELED;
}

static int check(struct view *v, struct change *c)
{
	return check_root(v, container_of(c, struct walk, c));
}

/* Unless it is gone, or the directory counts elsewhere. */
static int move_one(struct view *v, struct walk *w, const struct found *f,
		    bool *moved)
{
	struct inode_rec dir, rec;
	struct ino_key k;
	int r = inode_get(v, f->dir, &dir);

	if (r == 0 && dir.tree != w->tree)
		return 0;
	if (r == 0)
		r = dirent_check(v, f->dir, &f->d);
	if (r == 0)
		r = inode_get(v, f->d.ino, &rec);
	if (r < 0)
		return r == -ESTALE || r == -ENOENT ? 0 : r;
	if (rec.tree == f->d.ino)
		return 0;
	r = tree_move(v, &rec, w->tree);
	*moved = r == 0;
	return r < 0 ? r
		     : view_put(v, T_INODE, ino_key(&k, f->d.ino),
				inode_rec_value(&rec));
}

static int apply(struct view *v, struct change *c)
{
	struct walk *w = container_of(c, struct walk, c);
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->nfound; i++) {
		w->moved[i] = false;
		r = move_one(v, w, &w->found[i], &w->moved[i]);
	}
	return r;
}

static void done(struct change *c, int result)
{
	struct walk *w = container_of(c, struct walk, c);

	for (size_t i = 0; result == 0 && i < w->nfound; i++) {
		uint64_t ino = w->found[i].d.ino;
		struct shard *s = shard_lock(c->l, ino);
		struct node *n = shard_find(s, ino);

		if (n != NULL && w->moved[i])
			quota_node_moved(n, w->tree);
		shard_unlock(s);
	}
}

static int move(struct walk *w)
{
	uint64_t at = w->ndirs > 0 ? w->dirs[w->ndirs - 1] : 0;
	int r;

	if (w->nfound == 0)
		return 0;
	w->c = (struct change){ .check = check, .apply = apply, .done = done };
	r = local_change(w->l, &w->c);
	if (w->ndirs > 0)
		w->ndirs--; /* the last one stays it */
	for (size_t i = 0; r == 0 && i < w->nfound; i++)
		if (w->moved[i] && S_ISDIR(w->found[i].d.type))
			r = push(w, w->found[i].d.ino);
	return r == 0 && at != 0 ? push(w, at) : r;
}

/* ---------------------------------------------------------------- whole --- */

static int finish_check(struct view *v, struct change *c)
{
	struct walk *w = container_of(c, struct walk, c);
	int r = check_root(v, w);
	struct tree_rec t;

	if (r < 0)
		return r;
	r = tree_load(v, w->root, &t);
	if (r == -ENOENT || (r == 0 && !(t.flags & TREE_WALK)))
		return CHANGE_NOTHING;
	return r;
}

static int finish_apply(struct view *v, struct change *c)
{
	struct walk *w = container_of(c, struct walk, c);
	struct tree_rec t;
	int r = tree_load(v, w->root, &t);

	t.flags &= ~TREE_WALK;
	return r < 0 ? r : tree_store(v, w->root, &t);
}

static int finish(struct walk *w)
{
	w->c = (struct change){ .check = finish_check, .apply = finish_apply };
	return local_change(w->l, &w->c);
}

static bool is_stopped(struct local *l)
{
	return __atomic_load_n(&l->walker.stop, __ATOMIC_RELAXED);
}

/* -ECANCELED: the root counts elsewhere by now; -ESTALE: it is gone. */
static int walk_all(struct walk *w)
{
	struct inode_rec rec = {};
	struct view v;
	int r = view_begin(w->l, &v);

	if (r < 0)
		return r;
	r = inode_get(&v, w->root, &rec);
	view_end(&v);
	w->tree = rec.tree;
	w->ndirs = w->cookie = 0;
	if (r == 0)
		r = push(w, w->root);
	while (r == 0 && w->ndirs > 0 && !is_stopped(w->l)) {
		r = look(w);
		if (r == 0)
			r = move(w);
		task_yield();
	}
	return r < 0 || is_stopped(w->l) ? r : finish(w);
}

static void walk_root(struct walk *w)
{
	int r = -ECANCELED;

	while (!is_stopped(w->l)) {
		r = walk_all(w);
		if (r >= 0 || r == -ESTALE)
			return;
		if (r != -ECANCELED) {
			log_warn("%s: counting below inode %lu: %s", w->l->dir,
				 w->root, strerror(-r));
			task_sleep(RETRY);
		}
	}
}

/* 0: none is queued, and the walker has ended. */
static uint64_t take(struct local *l)
{
	struct walker *p = &l->walker;
	struct completion *idle = NULL;
	struct root *root;
	uint64_t ino = 0;

	pthread_mutex_lock(&p->lock);
	root = list_first(&p->queue, struct root, link);
	if (root != NULL && !p->stop) {
		list_del(&root->link);
		ino = root->ino;
	} else {
		root = NULL;
		p->busy = false;
		idle = p->idle;
	}
	pthread_mutex_unlock(&p->lock);
	free(root);
	if (idle != NULL)
		completion_done(idle, 0);
	return ino;
}

static void walker(void *arg)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct local *l = arg;
	uint64_t root;

	while ((root = take(l)) != 0) {
		if (w == NULL)
			continue; /* the next start has it again */
		w->l = l;
		w->root = root;
		walk_root(w);
	}
	if (w != NULL)
		free(w->dirs);
	free(w);
}

void walk_start(struct local *l, uint64_t ino)
{
	struct root *root = malloc(sizeof(*root));
	struct walker *p = &l->walker;
	bool start;

	if (root == NULL)
		return;
	root->ino = ino;
	pthread_mutex_lock(&p->lock);
	list_append(&p->queue, &root->link);
	start = !p->busy;
	p->busy = true;
	pthread_mutex_unlock(&p->lock);
	if (start && task_spawn("walker", walker, l) < 0)
		walker(l);
}

void walk_resume(struct local *l)
{
	uint64_t id = 0;

	while (tree_next_with(l, &id, TREE_WALK, 0) == 0)
		walk_start(l, id);
}

void walk_init(struct local *l)
{
	pthread_mutex_init(&l->walker.lock, NULL);
	list_init(&l->walker.queue);
}

void walk_stop(struct local *l)
{
	struct walker *p = &l->walker;
	struct completion idle;
	bool wait;

	completion_init(&idle);
	pthread_mutex_lock(&p->lock);
	wait = p->busy;
	__atomic_store_n(&p->stop, true, __ATOMIC_RELAXED);
	p->idle = &idle;
	pthread_mutex_unlock(&p->lock);
	if (wait)
		completion_wait(&idle);
}

void walk_fini(struct local *l)
{
	struct root *root;

	while ((root = list_first(&l->walker.queue, struct root, link)) !=
	       NULL) {
		list_del(&root->link);
		free(root);
	}
	pthread_mutex_destroy(&l->walker.lock);
}
