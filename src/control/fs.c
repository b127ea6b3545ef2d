/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems: created, listed, deleted.
 *
 * The record is written before there is data (creating) and removed after the
 * data is gone (deleting), so a crash can leave a record without data, but no
 * data that no record names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/internal.h"
#include "engine/engine.h"
#include "nfs/server/server.h"
#include "reactor/file.h"
#include "reactor/reactor.h"

const char *fs_path(const struct control *c, const char *id,
		    char buf[FS_PATH_SIZE])
{
	snprintf(buf, FS_PATH_SIZE, "%s/fs%s%s", c->directory, id[0] ? "/" : "",
		 id);
	return buf;
}

struct fs *fs_alloc(struct control *c)
{
	struct fs *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return NULL;
	fs->control = c;
	list_init(&fs->link);
	list_init(&fs->targets);
	return fs;
}

void fs_free(struct fs *fs)
{
	struct mount_target *t, *tmp;

	list_for_each_safe (t, tmp, &fs->targets, link)
		target_free(t);
	if (!list_empty(&fs->link))
		fs->control->n_fs--;
	list_del(&fs->link);
	free(fs);
}

void fs_insert(struct fs *fs)
{
	struct control *c = fs->control;
	struct fs *before;

	list_for_each (before, &c->fs, link)
		if (before->created > fs->created)
			break;
	list_append(&before->link, &fs->link); /* &c->fs, if none is younger */
	c->n_fs++;
}

struct fs *fs_find(struct control *c, const char *id)
{
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		if (strcmp(fs->id, id) == 0)
			return fs;
	return NULL;
}

int fs_not_found(struct control_error *err, const char *id)
{
	return refuse(err, -ENOENT, "FileSystemNotFound",
		      "File system '%.64s' does not exist.", id);
}

int fs_not_available(struct control_error *err, const struct fs *fs)
{
	return refuse(err, -EBUSY, "IncorrectFileSystemLifeCycleState",
		      "File system '%s' is %s, not available.", fs->id,
		      control_state_name(fs->state));
}

/* The digits of the id: it, too, names the file system for ever. */
void fs_uuid(const struct fs *fs, uint8_t uuid[16])
{
	const char *digits = strchr(fs->id, '-') + 1;
	unsigned byte;

	memset(uuid, 0, 16);
	for (int i = 0; i < 16 && sscanf(digits, "%2x", &byte) == 1; i++) {
		uuid[i] = byte;
		digits += strnlen(digits, 2);
	}
}

int fs_start(struct fs *fs)
{
	struct control *c = fs->control;
	struct nfs_server_options options = {
		.reactors = c->reactors,
		.lease = c->lease,
		.root_squash = c->root_squash,
	};
	char path[FS_PATH_SIZE];
	int r;

	r = engine_open("local", fs_path(c, fs->id, path), &fs->engine);
	if (r < 0) {
		log_error("%s: opening %s: %s", fs->id, path, strerror(-r));
		return r;
	}
	fs_uuid(fs, options.uuid);
	r = nfs_server_create(fs->engine, c->store, &options, &fs->server);
	if (r < 0) {
		log_error("%s: starting its server: %s", fs->id, strerror(-r));
		engine_close(fs->engine);
		fs->engine = NULL;
	}
	return r;
}

void fs_stop(struct fs *fs)
{
	if (fs->engine == NULL)
		return;
	nfs_server_destroy(fs->server);
	engine_close(fs->engine);
	fs->server = NULL;
	fs->engine = NULL;
}

static void describe(struct fs *fs, struct control_fs *out)
{
	struct engine_statfs st = {};

	memset(out, 0, sizeof(*out));
	strcpy(out->id, fs->id);
	strcpy(out->name, fs->name);
	out->state = fs->state;
	out->created = fs->created;
	out->mount_targets = fs->n_targets;
	if (fs->engine != NULL && engine_statfs(fs->engine, &st) == 0) {
		out->used_bytes = st.used_bytes;
		out->used_files = st.used_files;
	}
}

static int create_locked(struct control *c, const char *name,
			 struct control_fs *out)
{
	struct fs *fs = fs_alloc(c);
	char path[FS_PATH_SIZE];
	int r;

	if (fs == NULL)
		return -ENOMEM;
	make_id(fs->id, "fs-");
	strcpy(fs->name, name);
	fs->created = reactor_realtime();
	fs->state = CONTROL_CREATING;
	r = fs_save(fs);
	if (r < 0) {
		fs_free(fs);
		return r;
	}
	fs_insert(fs);
	r = fs_start(fs);
	if (r == 0)
		r = file_sync_dir(fs_path(c, "", path));
	if (r == 0) {
		fs->state = CONTROL_AVAILABLE;
		r = fs_save(fs);
	}
	if (r < 0) {
		fs_stop(fs);
		fs->state = CONTROL_DELETING;
		fs_remove_in_background(fs);
		return r;
	}
	log_info("%s: created", fs->id);
	describe(fs, out);
	return 0;
}

static bool printable(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			return false;
	return true;
}

int control_fs_create(struct control *c, const char *name,
		      struct control_fs *out, struct control_error *err)
{
	int r;

	name = name ? name : "";
	if (strlen(name) > CONTROL_NAME_MAX || !printable(name))
		return refuse(err, -EINVAL, "BadRequest",
			      "A name has up to %d bytes, without control "
			      "characters.",
			      CONTROL_NAME_MAX);
	task_write_lock(&c->lock);
	if (c->n_fs >= CONTROL_FS_MAX)
		r = refuse(err, -EDQUOT, "FileSystemLimitExceeded",
			   "There are %d file systems, the most that can be.",
			   CONTROL_FS_MAX);
	else if ((r = create_locked(c, name, out)) < 0)
		refuse(err, r, "InternalServerError",
		       "The file system can't be created: %s.", strerror(-r));
	task_write_unlock(&c->lock);
	return r;
}

static int delete_locked(struct fs *fs, struct control_error *err)
{
	enum control_state before = fs->state;
	int r;

	if (fs->state == CONTROL_DELETING)
		return refuse(err, -EBUSY, "IncorrectFileSystemLifeCycleState",
			      "File system '%s' is being deleted.", fs->id);
	if (fs->n_targets != 0)
		return refuse(err, -EBUSY, "FileSystemInUse",
			      "File system '%s' has %u mount targets: delete "
			      "them first.",
			      fs->id, fs->n_targets);
	fs->state = CONTROL_DELETING;
	r = fs_save(fs);
	if (r < 0) {
		fs->state = before;
		return refuse(err, r, "InternalServerError",
			      "File system '%s' can't be deleted: %s.", fs->id,
			      strerror(-r));
	}
	log_info("%s: deleted", fs->id);
	fs_stop(fs);
	fs_remove_in_background(fs);
	return 0;
}

int control_fs_delete(struct control *c, const char *id,
		      struct control_error *err)
{
	struct fs *fs;
	int r;

	task_write_lock(&c->lock);
	fs = fs_find(c, id);
	r = fs ? delete_locked(fs, err) : fs_not_found(err, id);
	task_write_unlock(&c->lock);
	return r;
}

static int list_locked(struct control *c, const char *id,
		       struct control_fs **list, struct control_error *err)
{
	struct control_fs *out = calloc(c->n_fs + 1, sizeof(*out));
	struct fs *fs;
	int n = 0;

	if (out == NULL)
		return refuse(err, -ENOMEM, "InternalServerError",
			      "Out of memory.");
	list_for_each (fs, &c->fs, link)
		if (id == NULL || strcmp(fs->id, id) == 0)
			describe(fs, &out[n++]);
	if (id != NULL && n == 0) {
		free(out);
		return fs_not_found(err, id);
	}
	*list = out;
	return n;
}

int control_fs_list(struct control *c, const char *id, struct control_fs **list,
		    struct control_error *err)
{
	int r;

	task_read_lock(&c->lock);
	r = list_locked(c, id, list, err);
	task_read_unlock(&c->lock);
	return r;
}

int control_fs_stats(struct control *c, const char *id,
		     struct nfs_server_stats *out, struct control_error *err)
{
	struct fs *fs = fs_find(c, id);

	if (fs == NULL)
		return fs_not_found(err, id);
	if (fs->server == NULL)
		return fs_not_available(err, fs);
	nfs_server_get_stats(fs->server, out);
	return 0;
}
