/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a file system: its files are removed by a task of their own, on a
 * worker thread, because there can be millions.  The record goes last, so
 * whatever interrupts this, the next start takes it up again.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/tree.h"
#include "control/internal.h"
#include "control/metric.h"
#include "nfs/server/server.h"
#include "reactor/file.h"
#include "reactor/reactor.h"

struct tree {
	const char *path;
	const bool *stop;
};

static int remove_tree(void *arg)
{
	const struct tree *tree = arg;

	return tree_remove(tree->path, tree->stop);
}

static int remove_data(struct fs *fs)
{
	struct control *c = fs->control;
	char path[FS_PATH_SIZE];
	int r;

	fs_path(c, fs->id, path);
	r = offload(remove_tree, &(struct tree){ path, &c->stopping });
	if (r == -ECANCELED)
		return r;
	if (r == 0)
		r = file_sync_dir(fs_path(c, "", path));
	if (r < 0)
		log_error("%s: removing its data: %s", fs->id, strerror(-r));
	return r;
}

static int forget_clients(struct fs *fs)
{
	uint8_t uuid[16];
	int r;

	fs_uuid(fs, uuid);
	r = nfs_server_forget(fs->control->store, uuid);
	if (r < 0)
		log_error("%s: forgetting its clients: %s", fs->id,
			  strerror(-r));
	return r;
}

/* Those that a crash has left. */
static int remove_points(struct fs *fs)
{
	struct control *c = fs->control;
	int r;

	task_write_lock(&c->lock);
	r = points_remove(fs);
	task_write_unlock(&c->lock);
	return r;
}

static void remove_task(void *arg)
{
	struct fs *fs = arg;
	struct control *c = fs->control;

	if (remove_points(fs) == 0 && remove_data(fs) == 0 &&
	    forget_clients(fs) == 0 && credits_forget(fs) == 0 &&
	    fs_forget(fs) == 0) {
		metric_forget(c, fs->id);
		log_debug("%s: its data is gone", fs->id);
		task_write_lock(&c->lock);
		fs_free(fs);
		task_write_unlock(&c->lock);
	}
	background_end(c);
}

void fs_remove_in_background(struct fs *fs)
{
	struct control *c = fs->control;

	if (background_start(c, "fs remove", remove_task, fs) < 0)
		log_warn("%s: no task to remove its data; the next start does",
			 fs->id);
}
