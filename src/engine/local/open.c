/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing a file system, and making a new one.
 *
 *	DIR/		flock'ed while open
 *	DIR/meta/	the LMDB environment
 *	DIR/data/XX/	backing files, by the low byte of the inode number
 *
 * A new file system exists once its format record does; what an interrupted
 * start left before that is made again.
 */
#include "engine/local/engine.h"
#include "engine/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/rng.h"

/* Address space, not memory: room for half a billion files, and for several
 * hundred file systems in one process. */
#define MAP_SIZE (256ULL << 30)

static int failed(const char *path, int error)
{
	log_error("%s: %s", path, strerror(error));
	return -error;
}

static int make_dir(const struct local *l, const char *name)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s%s", l->dir, name);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return failed(path, errno);
}

static int sync_dir(const struct local *l, const char *name)
{
	char path[PATH_ROOM];
	int fd, r;

	snprintf(path, sizeof(path), "%s%s", l->dir, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int lock_dir(struct local *l)
{
	int r = make_dir(l, "");

	if (r < 0)
		return r;
	l->lock = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->lock < 0)
		return failed(l->dir, errno);
	if (flock(l->lock, LOCK_EX | LOCK_NB) < 0)
		return failed(l->dir, errno == EWOULDBLOCK ? EBUSY : errno);
	return 0;
}

static int make_dirs(struct local *l)
{
	static const char *const names[] = { "/meta", "/data" };
	char name[16];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = make_dir(l, names[i]);
	for (int i = 0; i < 256 && r == 0; i++) {
		snprintf(name, sizeof(name), "/data/%02x", i);
		r = make_dir(l, name);
	}
	return r;
}

static MDB_val text(const char *s)
{
	return (MDB_val){ strlen(s), (void *)s };
}

static int put_first_records(struct local *l, struct lmdb_write *w)
{
	nsec now = reactor_realtime();
	struct inode_rec root = { .version = 1,
				  .mode = S_IFDIR | 0755,
				  .nlink = 2,
				  .change = now,
				  .parent = ENGINE_ROOT,
				  .atime = now,
				  .mtime = now,
				  .ctime = now,
				  .btime = now };
	struct state_rec state = { .next_ino = ENGINE_ROOT + 1,
				   .clock = now,
				   .used_files = 1 };
	struct ino_key k;
	int r = lmdb_put(w, T_INODE, ino_key(&k, ENGINE_ROOT),
			 inode_rec_value(&root));

	if (r == 0)
		r = lmdb_put(w, T_SUPER, text("state"),
			     (MDB_val){ sizeof(state), &state });
	if (r == 0)
		r = lmdb_put(w, T_SUPER, text("format"),
			     (MDB_val){ sizeof(l->format), &l->format });
	return r;
}

static int make(struct local *l, struct lmdb_write *w)
{
	struct format_rec *f = &l->format;

	*f = (struct format_rec){ .magic = FORMAT_MAGIC,
				  .version = FORMAT_VERSION };
	random_bytes(f->uuid, sizeof(f->uuid));
	random_bytes(&f->hash_key, sizeof(f->hash_key));
	return put_first_records(l, w);
}

static int check_format(struct local *l, const MDB_val *value)
{
	if (value->mv_size == sizeof(l->format))
		memcpy(&l->format, value->mv_data, sizeof(l->format));
	if (value->mv_size != sizeof(l->format) ||
	    l->format.magic != FORMAT_MAGIC) {
		log_error("%s: not a file system of this kind", l->dir);
		return -EINVAL;
	}
	if (l->format.version < FORMAT_VERSION ||
	    l->format.version > FORMAT_VERSION_TREES) {
		log_error("%s: format version %u; this program knows %u to %u",
			  l->dir, l->format.version, FORMAT_VERSION,
			  FORMAT_VERSION_TREES);
		return -EINVAL;
	}
	return 0;
}

static int load_or_make(struct local *l)
{
	MDB_val key = text("format"), value;
	struct lmdb_write w;
	bool is_new;
	int r = lmdb_write_begin(l->db, &w);

	if (r < 0)
		return r;
	r = lmdb_errno(mdb_get(w.txn, l->db->tables[T_SUPER], &key, &value));
	is_new = r == -ENOENT;
	if (is_new)
		r = make(l, &w);
	else if (r == 0)
		r = check_format(l, &value);
	if (r < 0) {
		lmdb_write_abort(&w);
		return r;
	}
	r = lmdb_write_commit(&w);
	/* The records are there; now the names that lead to them. */
	if (r == 0 && is_new)
		r = sync_dir(l, "/data") ?: sync_dir(l, "");
	return r;
}

/* The parts that block, on a worker thread. */
static int open_files(void *arg)
{
	struct local *l = arg;
	char path[PATH_ROOM];
	int r = lock_dir(l);

	if (r == 0)
		r = make_dirs(l);
	snprintf(path, sizeof(path), "%s/meta", l->dir);
	if (r == 0)
		r = lmdb_open(path, MAP_SIZE, table_names, TABLES, &l->db);
	if (r == 0)
		r = load_or_make(l);
	return r < 0 ? r : marks_repair(l);
}

static int start(struct local *l)
{
	struct state_rec state;
	int r = state_read(l, &state);

	if (r < 0)
		return r;
	l->clock = l->clock_limit = state.clock;
	quota_committed(l, &state);
	l->grace = reap_any_left(l);
	return group_commit_create(l->db, &l->commits);
}

static int close_files(void *arg)
{
	struct local *l = arg;

	if (l->db != NULL)
		lmdb_close(l->db);
	if (l->lock >= 0)
		close(l->lock);
	return 0;
}

static void destroy(struct local *l)
{
	offload(close_files, l);
	reap_fini(l);
	walk_fini(l);
	trees_fini(l);
	for (int i = 0; i < LOCAL_SHARDS; i++) {
		htable_fini(&l->shards[i].nodes);
		pthread_mutex_destroy(&l->shards[i].lock);
	}
	MAGIC_CLEAR(l);
	free(l->dir);
	free(l);
}

static struct local *create(const char *directory)
{
	struct local *l = aligned_alloc(64, round_up(sizeof(*l), 64));

	if (l == NULL)
		return NULL;
	*l = (struct local){ .engine = { &engine_local_ops },
			     .lock = -1,
			     .dir = strdup(directory) };
	MAGIC_SET(l, LOCAL_MAGIC);
	for (int i = 0; i < LOCAL_SHARDS; i++)
		pthread_mutex_init(&l->shards[i].lock, NULL);
	reap_init(l);
	walk_init(l);
	trees_init(l);
	return l;
}

static int local_open(const char *directory, struct engine **out)
{
	struct local *l;
	int r;

	/* Room for what is put behind it. */
	if (strlen(directory) > PATH_ROOM - 64)
		return -ENAMETOOLONG;
	l = create(directory);
	if (l == NULL || l->dir == NULL) {
		free(l);
		return -ENOMEM;
	}
	r = offload(open_files, l);
	if (r == 0)
		r = start(l);
	if (r < 0) {
		destroy(l);
		return r;
	}
	walk_resume(l);
	*out = &l->engine;
	return 0;
}

static void local_close(struct engine *e)
{
	struct local *l = local_of(e);

	walk_stop(l);
	reap_stop(l); /* it looks at nodes */
	node_drop_failed(l);
	group_commit_destroy(l->commits);
	destroy(l);
}

struct engine_ops engine_local_ops = {
	.name = "local",
	.open = local_open,
	.close = local_close,
	.getattr = local_getattr,
	.setattr = local_setattr,
	.lookup = local_lookup,
	.create = local_create,
	.link = local_link,
	.remove = local_remove,
	.rename = local_rename,
	.readlink = local_readlink,
	.readdir = local_readdir,
	.hold = local_hold,
	.release = local_release,
	.node_ino = local_node_ino,
	.read = local_read,
	.write = local_write,
	.commit = local_commit,
	.statfs = local_statfs,
	.set_quota = local_set_quota,
	.begin_grace = local_begin_grace,
	.end_grace = local_end_grace,
	.tree_set = local_tree_set,
	.tree_clear = local_tree_clear,
	.tree_get = local_tree_get,
	.tree_next = local_tree_next,
	.seek = local_seek,
	.allocate = local_allocate,
	.deallocate = local_deallocate,
	.getxattr = local_getxattr,
	.setxattr = local_setxattr,
	.removexattr = local_removexattr,
	.listxattr = local_listxattr,
};
