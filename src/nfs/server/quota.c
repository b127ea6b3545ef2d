/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas of exports: the engine counts below a directory (engine_tree_set());
 * which one that is follows from the export's path, and may change when who
 * mounts the whole file system moves directories.  So it is looked up when the
 * quota is set and whenever somebody mounts the export; then another root is
 * counted, and the one before is not any more.
 *
 * `quota_lock` is held while the engine is told, so that it learns the last
 * word of those who set quotas and mount at the same time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "nfs/server/export.h"
#include "nfs/server/internal.h"

static int clear(struct nfs_server *srv, struct nfsd_export *e)
{
	uint64_t tree = atomic_load(&e->tree);
	int r;

	if (tree == 0)
		return 0;
	r = engine_tree_clear(srv->engine, tree);
	if (r < 0 && r != -ENOENT)
		return r;
	atomic_store(&e->tree, 0);
	return 0;
}

/* quota_lock is held. */
static int apply(struct nfs_server *srv, struct nfsd_export *e, uint64_t ino)
{
	struct engine_tree now;
	int r = 0;

	if (!atomic_load(&e->counted))
		return 0;
	if (atomic_load(&e->tree) != ino)
		r = clear(srv, e);
	if (r < 0)
		return r;
	r = engine_tree_get(srv->engine, ino, &now);
	if (r == -ENOENT || (r == 0 && (now.max_bytes != e->max_bytes ||
					now.max_files != e->max_files)))
		r = engine_tree_set(srv->engine, ino, e->max_bytes,
				    e->max_files);
	if (r == 0)
		atomic_store(&e->tree, ino);
	return r;
}

int nfsd_quota_apply(struct nfs_server *srv, struct nfsd_export *e,
		     uint64_t ino)
{
	int r;

	if (!atomic_load(&e->counted))
		return 0;
	task_write_lock(&srv->quota_lock);
	r = apply(srv, e, ino);
	task_write_unlock(&srv->quota_lock);
	if (r < 0)
		log_error("%s: setting its quota: %s", e->name, strerror(-r));
	return r;
}

static int set(struct nfs_server *srv, struct nfsd_export *e,
	       const struct nfs_quota *quota)
{
	uint64_t ino;
	int r;

	atomic_store(&e->counted, quota != NULL);
	if (quota == NULL)
		return clear(srv, e);
	e->max_bytes = quota->bytes;
	e->max_files = quota->files;
	r = nfsd_export_find_root(srv, e, false, &ino);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return apply(srv, e, ino);
}

int nfs_server_set_quota(struct nfs_server *srv, uint64_t number,
			 const struct nfs_quota *quota)
{
	struct nfsd_export *e = nfsd_export_find(srv, number);
	int r;

	if (e == NULL)
		return -ENOENT;
	task_write_lock(&srv->quota_lock);
	r = set(srv, e, quota);
	task_write_unlock(&srv->quota_lock);
	nfsd_export_put(e);
	return r;
}

int nfs_server_get_usage(struct nfs_server *srv, uint64_t number,
			 struct engine_tree *out)
{
	struct nfsd_export *e = nfsd_export_find(srv, number);
	uint64_t tree = nfsd_export_tree(e);

	nfsd_export_put(e);
	return tree ? engine_tree_get(srv->engine, tree, out) : -ENOENT;
}

/* ------------------------------------------------------------ the start --- */

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Those that are counted, sorted; NULL: out of memory. */
static uint64_t *counted_roots(struct nfs_server *srv, size_t *n)
{
	struct nfsd_export *e;
	uint64_t *roots;

	*n = 0;
	pthread_mutex_lock(&srv->exports_lock);
	roots = calloc(srv->exports.count + 1, sizeof(*roots));
	if (roots != NULL)
		htable_for_each (e, &srv->exports, by_number)
			if (atomic_load(&e->tree) != 0)
				roots[(*n)++] = atomic_load(&e->tree);
	pthread_mutex_unlock(&srv->exports_lock);
	if (roots != NULL)
		qsort(roots, *n, sizeof(*roots), compare);
	return roots;
}

static int drop_others(struct nfs_server *srv, const uint64_t *roots, size_t n)
{
	uint64_t tree = 0;
	int r;

	while ((r = engine_tree_next(srv->engine, &tree)) == 0) {
		if (bsearch(&tree, roots, n, sizeof(*roots), compare) != NULL)
			continue;
		r = engine_tree_clear(srv->engine, tree);
		if (r < 0 && r != -ENOENT) /* removed, but held */
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

int nfs_server_drop_quotas(struct nfs_server *srv)
{
	uint64_t *roots;
	size_t n;
	int r;

	task_write_lock(&srv->quota_lock);
	roots = counted_roots(srv, &n);
	r = roots ? drop_others(srv, roots, n) : -ENOMEM;
	task_write_unlock(&srv->quota_lock);
	free(roots);
	return r;
}
