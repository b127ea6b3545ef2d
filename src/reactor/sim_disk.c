/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated disk: names, open files, and what goes wrong.  The contents of
 * files are sim_inode.c.
 *
 * Changes of names are applied at once and logged with what undoes them:
 * file_sync_dir() forgets the log, and a power failure undoes a random tail of
 * it.  Durability of data and of names are not tied together, as POSIX has it:
 * who forgets one of them is caught.
 *
 * Directories are implied by the names in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#include "base/hash.h"
#include "reactor/sim_internal.h"

struct name {
	struct hnode node; /* in sim->names */
	struct sim_inode *inode;
	char path[];
};

/* What was at `path` before; NULL: nothing. */
struct undo {
	struct list link; /* in sim->name_log */
	struct sim_inode *was;
	bool first; /* of one operation: rename has two */
	char path[];
};

struct sim_file {
	struct file file;
	struct list link; /* in sim->open_files */
	struct sim_inode *inode;
	bool dead; /* of a power failure */
	enum { SIM_UNLOCKED, SIM_SHARED, SIM_EXCLUSIVE } lock;
	char path[];
};

static struct sim_file *sim_file_of(struct file *f)
{
	return container_of(f, struct sim_file, file);
}

/* Every operation takes a time and may fail. */
static int disk_work(void)
{
	struct sim *sim = sim_current();

	if (sim->faults.disk_max > 0)
		task_sleep(sim_random_delay(sim->faults.disk_min,
					    sim->faults.disk_max));
	return rng_chance(&sim->rng, sim->faults.disk_error) ? -EIO : 0;
}

static int file_work(struct sim_file *f)
{
	int err = f->dead ? -EIO : disk_work();

	return f->dead ? -EIO : err;
}

/* Names */

static uint64_t hash_path(const char *path)
{
	static const struct siphash_key fixed = { 1, 2 }; /* to replay */

	return siphash24(&fixed, path, strlen(path));
}

static struct name *name_find(struct sim *sim, const char *path)
{
	struct name *n;

	htable_for_each_match (n, &sim->names, hash_path(path), node)
		if (strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

static struct sim_inode *name_lookup(struct sim *sim, const char *path)
{
	struct name *n = name_find(sim, path);

	return n != NULL ? n->inode : NULL;
}

/* Makes `path` name the inode, or nothing. */
static void name_set(struct sim *sim, const char *path, struct sim_inode *inode)
{
	struct name *n = name_find(sim, path);

	sim_inode_ref(inode);
	if (n != NULL) {
		sim_inode_put(n->inode);
		htable_remove(&sim->names, &n->node);
		free(n);
	}
	if (inode == NULL)
		return;
	n = sim_alloc(sizeof(*n) + strlen(path) + 1);
	n->inode = inode;
	strcpy(n->path, path);
	htable_insert(&sim->names, &n->node, hash_path(path));
}

static void name_change(struct sim *sim, const char *path,
			struct sim_inode *inode, bool first)
{
	struct undo *u = sim_alloc(sizeof(*u) + strlen(path) + 1);

	u->was = sim_inode_ref(name_lookup(sim, path));
	u->first = first;
	strcpy(u->path, path);
	list_append(&sim->name_log, &u->link);
	name_set(sim, path, inode);
}

static void undo_free(struct undo *u)
{
	list_del(&u->link);
	sim_inode_put(u->was);
	free(u);
}

static bool is_below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(path, prefix, len) != 0)
		return false;
	return len == 0 || prefix[len - 1] == '/' || path[len] == '/' ||
	       path[len] == '\0';
}

/* Undoes a random tail of what the log has below the prefix. */
static void names_crash(struct sim *sim, const char *prefix)
{
	struct undo *u, *next;
	size_t operations = 0, lost;

	list_for_each (u, &sim->name_log, link)
		operations += is_below(u->path, prefix) && u->first;
	lost = rng_below(&sim->rng, operations + 1);
	for (u = list_last(&sim->name_log, struct undo, link);
	     u != NULL && &u->link != &sim->name_log; u = next) {
		next = list_entry(u->link.prev, struct undo, link);
		if (!is_below(u->path, prefix))
			continue;
		if (lost > 0)
			name_set(sim, u->path, u->was);
		lost -= lost > 0 && u->first;
		undo_free(u);
	}
}

/* The operations of file.h */

static int sim_open(const char *path, int flags, mode_t mode, struct file **out)
{
	struct sim *sim = sim_current();
	int err = disk_work();
	struct sim_inode *inode = name_lookup(sim, path);
	struct sim_file *f;

	if (err != 0)
		return err;
	if (inode == NULL && !(flags & O_CREAT))
		return -ENOENT;
	if (inode != NULL && (flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (inode == NULL) {
		inode = sim_inode_create();
		name_change(sim, path, inode, true);
	} else if (flags & O_TRUNC) {
		sim_inode_resize(inode, 0);
	}
	f = sim_alloc(sizeof(*f) + strlen(path) + 1);
	file_init(&f->file, &sim_disk);
	f->inode = sim_inode_ref(inode);
	strcpy(f->path, path);
	list_append(&sim->open_files, &f->link);
	*out = &f->file;
	return 0;
}

static void sim_file_free(struct sim_file *f)
{
	list_del(&f->link);
	sim_inode_put(f->inode);
	free(f);
}

static void sim_file_close(struct file *file)
{
	sim_file_free(sim_file_of(file));
}

static ssize_t sim_pread(struct file *file, void *buf, size_t len,
			 uint64_t offset)
{
	struct sim_file *f = sim_file_of(file);
	int err = file_work(f);

	if (err != 0)
		return err;
	if (offset >= f->inode->size)
		return 0;
	len = MIN(len, f->inode->size - offset);
	sim_inode_read(f->inode, buf, len, offset);
	return len;
}

static int sim_pwritev(struct file *file, struct iovec *iov, int n,
		       uint64_t offset)
{
	struct sim_file *f = sim_file_of(file);
	int err = file_work(f);

	for (int i = 0; err == 0 && i < n; i++) {
		sim_inode_write(f->inode, iov[i].iov_base, iov[i].iov_len,
				offset);
		offset += iov[i].iov_len;
	}
	return err;
}

static int sim_sync(struct file *file)
{
	struct sim_file *f = sim_file_of(file);
	int err = file_work(f);

	if (err == 0)
		sim_inode_sync(f->inode);
	return err;
}

static void sim_start_writeback(struct file *f, uint64_t offset, uint64_t len)
{
	/* A power failure writes back at random anyway. */
}

static int sim_truncate(struct file *file, uint64_t size)
{
	struct sim_file *f = sim_file_of(file);
	int err = file_work(f);

	if (err == 0)
		sim_inode_resize(f->inode, size);
	return err;
}

static int sim_allocate(struct file *file, int mode, uint64_t offset,
			uint64_t len)
{
	struct sim_file *f = sim_file_of(file);
	const int zeroes = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
	int err = file_work(f);

	if (err != 0)
		return err;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | zeroes))
		return -EOPNOTSUPP;
	if (mode & zeroes)
		sim_inode_zero(f->inode, offset, offset + len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		f->inode->size = MAX(f->inode->size, offset + len);
	return 0;
}

static int64_t sim_seek(struct file *file, uint64_t offset, int whence)
{
	struct sim_file *f = sim_file_of(file);
	int err = file_work(f);

	if (err != 0)
		return err;
	if (offset >= f->inode->size)
		return -ENXIO;
	return whence == SEEK_HOLE ? sim_inode_seek_hole(f->inode, offset)
				   : sim_inode_seek_data(f->inode, offset);
}

static int sim_size(struct file *file, uint64_t *size, uint64_t *allocated)
{
	struct sim_inode *inode = sim_file_of(file)->inode;

	if (sim_file_of(file)->dead)
		return -EIO;
	if (size != NULL)
		*size = inode->size;
	if (allocated != NULL)
		*allocated = sim_inode_allocated(inode);
	return 0;
}

static int sim_alignment(struct file *file, struct file_alignment *out)
{
	*out = (struct file_alignment){ 512, 512 };
	return 0;
}

static int sim_lock(struct file *file, bool exclusive)
{
	struct sim_file *f = sim_file_of(file), *other;

	list_for_each (other, &sim_current()->open_files, link)
		if (other != f && other->inode == f->inode &&
		    (other->lock == SIM_EXCLUSIVE ||
		     (other->lock == SIM_SHARED && exclusive)))
			return -EBUSY;
	f->lock = exclusive ? SIM_EXCLUSIVE : SIM_SHARED;
	return 0;
}

static ssize_t read_pieces(struct sim_inode *inode,
			   const struct file_request *q)
{
	uint64_t size = inode->size;
	ssize_t done = 0;

	for (int i = 0; i < q->n && q->offset + done < size; i++) {
		uint64_t at = q->offset + done;
		size_t len = MIN(q->iov[i].iov_len, size - at);

		sim_inode_read(inode, q->iov[i].iov_base, len, at);
		done += len;
	}
	return done;
}

static ssize_t write_pieces(struct sim_inode *inode,
			    const struct file_request *q)
{
	ssize_t done = 0;

	for (int i = 0; i < q->n; i++) {
		sim_inode_write(inode, q->iov[i].iov_base, q->iov[i].iov_len,
				q->offset + done);
		done += q->iov[i].iov_len;
	}
	if (q->durable)
		sim_inode_sync(inode);
	return done;
}

static ssize_t request_result(const struct file_request *q)
{
	struct sim_file *f = sim_file_of(q->file);
	struct sim *sim = sim_current();

	if (f->dead || rng_chance(&sim->rng, sim->faults.disk_error))
		return -EIO;
	switch (q->call) {
	case FILE_READ:
		return read_pieces(f->inode, q);
	case FILE_WRITE:
		return write_pieces(f->inode, q);
	case FILE_SYNC:
		sim_inode_sync(f->inode);
		return 0;
	}
	return -EINVAL;
}

static void request_due(struct timer *t)
{
	struct file_request *q = container_of(t, struct file_request, timer);

	file_request_finish(q, request_result(q));
}

static void sim_submit(struct file *file, struct file_request *q)
{
	struct sim_faults *f = &sim_current()->faults;

	timer_init(&q->timer, request_due);
	timer_set(&reactor_current->timers, &q->timer,
		  reactor_current->now +
			  sim_random_delay(f->disk_min, f->disk_max));
}

static int sim_unlink(const char *path)
{
	struct sim *sim = sim_current();
	int err = disk_work();

	if (err < 0 || name_lookup(sim, path) == NULL)
		return err;
	name_change(sim, path, NULL, true);
	return 1;
}

static int sim_rename(const char *from, const char *to)
{
	struct sim *sim = sim_current();
	int err = disk_work();
	struct sim_inode *inode = sim_inode_ref(name_lookup(sim, from));

	if (err == 0 && inode == NULL)
		err = -ENOENT;
	if (err == 0 && strcmp(from, to) != 0) {
		name_change(sim, to, inode, true);
		name_change(sim, from, NULL, false);
	}
	sim_inode_put(inode);
	return err;
}

static bool is_in_dir(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	const char *slash = strrchr(path, '/');

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return slash != NULL && (size_t)(slash - path) == len &&
	       strncmp(path, dir, len) == 0;
}

/* The log is in order: with the last change in that directory all that came
 * before it is durable. */
static int sim_sync_dir(const char *path)
{
	struct sim *sim = sim_current();
	struct undo *u, *last = NULL;
	int err = disk_work();

	if (err != 0)
		return err;
	list_for_each (u, &sim->name_log, link)
		if (is_in_dir(u->path, path) ||
		    (!u->first && last != NULL && u->link.prev == &last->link))
			last = u;
	if (last == NULL)
		return 0;
	while (list_first(&sim->name_log, struct undo, link) != last)
		undo_free(list_first(&sim->name_log, struct undo, link));
	undo_free(last);
	return 0;
}

const struct disk_ops sim_disk = {
	.open = sim_open,
	.close = sim_file_close,
	.pread = sim_pread,
	.pwritev = sim_pwritev,
	.sync = sim_sync,
	.start_writeback = sim_start_writeback,
	.truncate = sim_truncate,
	.allocate = sim_allocate,
	.seek = sim_seek,
	.size = sim_size,
	.alignment = sim_alignment,
	.lock = sim_lock,
	.submit = sim_submit,
	.unlink = sim_unlink,
	.rename = sim_rename,
	.sync_dir = sim_sync_dir,
};

void sim_crash_files(const char *prefix)
{
	struct sim *sim = sim_current();
	struct sim_file *f;
	struct name *n;

	list_for_each (f, &sim->open_files, link)
		if (is_below(f->path, prefix)) {
			f->dead = true;
			f->lock = SIM_UNLOCKED;
		}
	names_crash(sim, prefix);
	htable_for_each (n, &sim->names, node)
		if (is_below(n->path, prefix))
			sim_inode_crash(n->inode, &sim->rng);
}

void sim_disk_init(struct sim *s)
{
	list_init(&s->name_log);
	list_init(&s->open_files);
}

void sim_disk_fini(struct sim *s)
{
	struct name *n;

	while (!list_empty(&s->open_files))
		sim_file_free(
			list_first(&s->open_files, struct sim_file, link));
	while (!list_empty(&s->name_log))
		undo_free(list_first(&s->name_log, struct undo, link));
	while ((n = htable_pop_entry(&s->names, struct name, node)) != NULL) {
		sim_inode_put(n->inode);
		free(n);
	}
	htable_fini(&s->names);
}
