/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start: everything that the store names is brought back.  What fails stays
 * as an error to be seen, so that one bad disk or missing interface does not
 * take down the rest; addresses that can't be listened on yet are tried again
 * until they can.  One is in use for a moment after a kill: the kernel closes
 * what io_uring held a little later than the process ends.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/internal.h"
#include "reactor/file.h"
#include "reactor/reactor.h"

static const nsec try_again_soon = MSEC(10), try_again_later = SEC(1);
enum { SOON_TRIES = 100 };

/* Tries the targets that should be up; the number of those that are not. */
static unsigned start_targets(struct control *c)
{
	struct mount_target *t;
	unsigned missing = 0;
	struct fs *fs;

	task_write_lock(&c->lock);
	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (fs->server != NULL && t->want_up && !t->is_up)
				missing += target_listen(t) < 0;
	task_write_unlock(&c->lock);
	return missing;
}

static void log_missing(struct control *c)
{
	char text[ADDR_TEXT_MAX];
	struct mount_target *t;
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (fs->server != NULL && t->want_up && !t->is_up)
				log_error("%s: %s can't be listened on yet",
					  t->id,
					  addr_format(&t->address, text));
}

static void start_targets_task(void *arg)
{
	struct control *c = arg;

	while (!c->stopping && start_targets(c) > 0)
		waitq_wait(&c->background_changed,
			   nsec_after(reactor_now(), try_again_later));
	c->starting = false;
	background_end(c);
}

void start_targets_later(struct control *c)
{
	if (!c->starting)
		c->starting = background_start(c, "start targets",
					       start_targets_task, c) == 0;
}

static void start_all_targets(struct control *c)
{
	unsigned missing = start_targets(c);

	for (int i = 0; missing > 0 && i < SOON_TRIES; i++) {
		task_sleep(try_again_soon);
		missing = start_targets(c);
	}
	if (missing == 0)
		return;
	log_missing(c);
	start_targets_later(c);
}

static void restore_fs(struct fs *fs)
{
	if (!fs->has_key) {
		fs_make_key(fs);
		fs_save(fs);
	}
	if (fs->state != CONTROL_AVAILABLE) {
		fs->state = CONTROL_DELETING;
		fs_remove_in_background(fs);
	} else if (fs_start(fs) < 0) {
		fs->state = CONTROL_ERROR;
	} else {
		targets_publish(fs);
	}
}

static int make_directory(void *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_fs_directory(struct control *c)
{
	char path[FS_PATH_SIZE];
	int r = offload(make_directory, (void *)fs_path(c, "", path));

	if (r == 0)
		r = file_sync_dir(c->directory);
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r;
}

int restore(struct control *c)
{
	struct fs *fs, *tmp;
	int r = make_fs_directory(c);

	if (r < 0)
		return r;
	r = things_load(c);
	if (r == 0)
		r = records_load(c);
	if (r < 0) {
		log_error("reading the resources: %s", strerror(-r));
		return r;
	}
	task_write_lock(&c->lock);
	list_for_each_safe (fs, tmp, &c->fs, link)
		restore_fs(fs);
	task_write_unlock(&c->lock);
	start_all_targets(c);
	return 0;
}
