/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of files in use, by inode, in shards.
 *
 * An entry exists as long as somebody has a reference to it: an open, a lock
 * stateid, a READ without an open.  It holds the engine's node, so a file that
 * is removed while it is open stays readable until the last CLOSE.
 */
#include <errno.h>

#include "nfs/server/internal.h"

static struct nfsd_file_shard *shard_of(struct nfs_server *srv, uint64_t ino)
{
	return &srv->files[hash_u64(ino) % NFSD_FILE_SHARDS];
}

static struct nfsd_file *find_locked(struct nfsd_file_shard *shard,
				     uint64_t ino)
{
	struct nfsd_file *f;

	htable_for_each_match (f, &shard->files, hash_u64(ino), node)
		if (f->ino == ino) {
			atomic_fetch_add(&f->refs, 1);
			return f;
		}
	return NULL;
}

static struct nfsd_file *file_new(struct nfs_server *srv, uint64_t ino)
{
	struct nfsd_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->srv = srv;
	f->ino = ino;
	atomic_init(&f->refs, 1);
	pthread_mutex_init(&f->lock, NULL);
	list_init(&f->opens);
	list_init(&f->ranges);
	list_init(&f->waiters);
	return f;
}

static void file_free(struct nfsd_file *f)
{
	assert(list_empty(&f->opens) && list_empty(&f->ranges));
	nfsd_waiters_drop(f);
	if (f->held != NULL)
		engine_release(f->held);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Two tasks may make the same file known at once: the second one finds the
 * first one's entry, and its own goes. */
static struct nfsd_file *publish(struct nfsd_file *f)
{
	struct nfsd_file_shard *shard = shard_of(f->srv, f->ino);
	struct nfsd_file *first;

	pthread_mutex_lock(&shard->lock);
	first = find_locked(shard, f->ino);
	if (first == NULL)
		htable_insert(&shard->files, &f->node, hash_u64(f->ino));
	pthread_mutex_unlock(&shard->lock);
	if (first == NULL)
		return f;
	file_free(f);
	return first;
}

nfsstat4 nfsd_file_get(struct nfs_server *srv, uint64_t ino,
		       struct nfsd_file **out)
{
	struct nfsd_file_shard *shard = shard_of(srv, ino);
	struct nfsd_file *f;
	int rc;

	pthread_mutex_lock(&shard->lock);
	f = find_locked(shard, ino);
	pthread_mutex_unlock(&shard->lock);
	if (f == NULL) {
		f = file_new(srv, ino);
		if (f == NULL)
			return NFS4ERR_DELAY;
		rc = engine_hold(srv->engine, ino, &f->held);
		if (rc < 0) {
			file_free(f);
			return nfsd_status(rc);
		}
		f = publish(f);
	}
	*out = f;
	return NFS4_OK;
}

struct nfsd_file *nfsd_file_ref(struct nfsd_file *f)
{
	atomic_fetch_add(&f->refs, 1);
	return f;
}

/* The last reference is only ever given back under the shard's lock, so that
 * find_locked() never finds a file that is about to go. */
void nfsd_file_put(struct nfsd_file *f)
{
	struct nfsd_file_shard *shard;
	bool last;
	int refs;

	if (f == NULL)
		return;
	refs = atomic_load(&f->refs);
	while (refs > 1)
		if (atomic_compare_exchange_weak(&f->refs, &refs, refs - 1))
			return;
	shard = shard_of(f->srv, f->ino);
	pthread_mutex_lock(&shard->lock);
	last = atomic_fetch_sub(&f->refs, 1) == 1;
	if (last)
		htable_remove(&shard->files, &f->node);
	pthread_mutex_unlock(&shard->lock);
	if (last)
		file_free(f);
}
