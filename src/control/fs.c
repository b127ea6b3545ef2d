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
#include "base/rng.h"
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
	fs->attributes = json_object();
	pthread_mutex_init(&fs->policy_lock, NULL);
	return fs;
}

void fs_free(struct fs *fs)
{
	struct access_point *p, *next;
	struct mount_target *t, *tmp;

	list_for_each_safe (t, tmp, &fs->targets, link)
		target_free(t);
	if (fs->n_points > 0)
		list_for_each_safe (p, next, &fs->control->points, link)
			if (p->fs == fs)
				point_free(p);
	if (!list_empty(&fs->link))
		fs->control->n_fs--;
	list_del(&fs->link);
	json_decref(fs->attributes);
	json_decref(fs->policy);
	pthread_mutex_destroy(&fs->policy_lock);
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

/* Of what is being deleted nobody wants anything any more. */
struct fs *fs_find_live(struct control *c, const char *id)
{
	struct fs *fs = fs_find(c, id);

	return fs != NULL && fs->state != CONTROL_DELETING ? fs : NULL;
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
	struct access_point *p;
	struct nfs_server_options options = {
		.reactors = c->reactors,
		.lease = c->lease,
		.root_squash = c->root_squash,
		.admits = target_admits,
		.admits_arg = fs,
		.rights = fs_rights,
		.rights_arg = fs,
		.tls = c->tls,
		.identify = fs_identify,
		.identify_arg = fs,
	};
	char path[FS_PATH_SIZE];
	const char *region;
	int r;

	r = engine_open("local", fs_path(c, fs->id, path), &fs->engine);
	if (r < 0) {
		log_error("%s: opening %s: %s", fs->id, path, strerror(-r));
		return r;
	}
	fs_set_quota(fs);
	fs_set_policy(fs);
	region = attribute(fs->attributes, "Region");
	snprintf(fs->region, sizeof(fs->region), "%s",
		 region[0] ? region : CONTROL_REGION);
	fs_uuid(fs, options.uuid);
	memcpy(options.handle_key, fs->handle_key, sizeof(fs->handle_key));
	r = nfs_server_create(fs->engine, c->store, &options, &fs->server);
	if (r < 0) {
		log_error("%s: starting its server: %s", fs->id, strerror(-r));
		engine_close(fs->engine);
		fs->engine = NULL;
		return r;
	}
	fs->throughput = (struct throughput_rule){};
	fs_set_throughput(fs);
	fs_set_stored(fs);
	fs_load_credits(fs);
	if (fs->n_points > 0)
		list_for_each (p, &c->points, link)
			if (p->fs == fs && point_export(p) == 0)
				point_set_quota(p);
	fs_drop_quotas(fs);
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

/* The name is what the tag says, as far as it fits. */
void fs_set_name(struct fs *fs)
{
	const char *name = attribute_tag(fs->attributes, "Name");

	snprintf(fs->name, sizeof(fs->name), "%s", name ? name : "");
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
	out->attributes = fs->attributes;
	if (fs->engine != NULL && engine_statfs(fs->engine, 0, &st) == 0) {
		out->used_bytes = st.used_bytes;
		out->used_files = st.used_files;
	}
}

void fs_make_key(struct fs *fs)
{
	random_bytes(fs->handle_key, sizeof(fs->handle_key));
	fs->has_key = true;
}

static struct fs *fs_new(struct control *c, const json_t *attributes)
{
	struct fs *fs = fs_alloc(c);

	if (fs == NULL)
		return NULL;
	make_id(fs->id, "fs-");
	fs_make_key(fs);
	json_object_update(fs->attributes, (json_t *)attributes);
	if (attribute(fs->attributes, "CreationToken")[0] == '\0')
		json_object_set_new(fs->attributes, "CreationToken",
				    json_string(fs->id));
	fs_set_name(fs);
	fs->created = created_now(c);
	fs->state = CONTROL_CREATING;
	return fs;
}

static int create_locked(struct control *c, const json_t *attributes,
			 struct control_fs *out)
{
	struct fs *fs = fs_new(c, attributes);
	char path[FS_PATH_SIZE];
	int r;

	if (fs == NULL)
		return -ENOMEM;
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

static const struct fs *fs_by_token(struct control *c, const char *token)
{
	struct fs *fs;

	if (token[0] == '\0')
		return NULL;
	list_for_each (fs, &c->fs, link)
		if (fs->state != CONTROL_DELETING &&
		    strcmp(attribute(fs->attributes, "CreationToken"), token) ==
			    0)
			return fs;
	return NULL;
}

static bool zone_exists(const struct control *c, const char *zone)
{
	for (size_t i = 0; i < c->n_subnets; i++)
		if (strcmp(c->subnets[i].zone, zone) == 0)
			return true;
	return false;
}

static int check_new(struct control *c, const json_t *attributes,
		     struct control_error *err)
{
	const char *token = attribute(attributes, "CreationToken");
	const char *zone = attribute(attributes, "Zone");
	const char *name = attribute_tag(attributes, "Name");
	const struct fs *other = fs_by_token(c, token);

	if (name != NULL &&
	    (strlen(name) > CONTROL_NAME_MAX || !printable(name)))
		return refuse(err, -EINVAL, "BadRequest",
			      "A name has up to %d bytes, without control "
			      "characters.",
			      CONTROL_NAME_MAX);
	if (other != NULL) {
		refuse(err, -EEXIST, "FileSystemAlreadyExists",
		       "File system '%s' already exists with creation token "
		       "'%.64s'",
		       other->id, token);
		strcpy(err->resource, other->id);
		err->resource_is = "FileSystemId";
		return -EEXIST;
	}
	if (zone[0] && !zone_exists(c, zone))
		return refuse(err, -EINVAL, "UnsupportedAvailabilityZone",
			      "There is no subnet in zone '%.64s'.", zone);
	if (c->n_fs >= CONTROL_FS_MAX)
		return refuse(
			err, -EDQUOT, "FileSystemLimitExceeded",
			"There are %d file systems, the most that can be.",
			CONTROL_FS_MAX);
	return 0;
}

int control_fs_create_as(struct control *c, const json_t *attributes,
			 struct control_fs *out, struct control_error *err)
{
	int r;

	task_write_lock(&c->lock);
	r = check_new(c, attributes, err);
	if (r == 0 && (r = create_locked(c, attributes, out)) < 0)
		refuse(err, r, "InternalServerError",
		       "The file system can't be created: %s.", strerror(-r));
	task_write_unlock(&c->lock);
	return r;
}

int control_fs_create(struct control *c, const char *name,
		      struct control_fs *out, struct control_error *err)
{
	json_t *attributes = name && name[0]
				     ? json_pack("{s:[{s:s, s:s}]}", "Tags",
						 "Key", "Name", "Value", name)
				     : json_object();
	int r;

	if (attributes == NULL)
		return refuse(err, -EINVAL, "BadRequest", "A name is UTF-8.");
	r = control_fs_create_as(c, attributes, out, err);
	json_decref(attributes);
	return r;
}

/* ---------------------------------------------------------------- change */

static int change_locked(struct fs *fs, control_change_fn *fn, void *arg,
			 struct control_error *err)
{
	json_t *before = fs->attributes;
	int r;

	if (fs->state != CONTROL_AVAILABLE)
		return fs_not_available(err, fs);
	r = attributes_change(before, fn, arg, &fs->attributes, err);
	if (r < 0)
		return r;
	r = fs_save(fs);
	if (r < 0) {
		json_decref(fs->attributes);
		fs->attributes = before;
		return refuse(err, r, "InternalServerError",
			      "File system '%s' can't be changed: %s.", fs->id,
			      strerror(-r));
	}
	fs_set_name(fs);
	fs_set_quota(fs);
	fs_set_throughput(fs);
	if (strcmp(attribute(before, "Policy"),
		   attribute(fs->attributes, "Policy")) != 0)
		fs_set_policy(fs);
	json_decref(before);
	return 0;
}

int control_fs_change(struct control *c, const char *id, control_change_fn *fn,
		      void *arg, struct control_fs *out,
		      struct control_error *err)
{
	struct fs *fs;
	int r;

	task_write_lock(&c->lock);
	fs = fs_find_live(c, id);
	r = fs ? change_locked(fs, fn, arg, err) : fs_not_found(err, id);
	if (r == 0)
		describe(fs, out);
	task_write_unlock(&c->lock);
	return r;
}

/* ---------------------------------------------------------------- delete */

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
	if (json_object_get(fs->attributes, "Replication") != NULL)
		return refuse(err, -EBUSY, "FileSystemInUse",
			      "File system '%s' has a replication "
			      "configuration: delete it first.",
			      fs->id);
	fs->state = CONTROL_DELETING;
	r = fs_save(fs);
	if (r < 0) {
		fs->state = before;
		return refuse(err, r, "InternalServerError",
			      "File system '%s' can't be deleted: %s.", fs->id,
			      strerror(-r));
	}
	log_info("%s: deleted", fs->id);
	points_remove(fs);
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
	struct control_fs *out = calloc(id ? 1 : c->n_fs + 1, sizeof(*out));
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

int control_fs_each_connection(struct control *c, const char *id,
			       void (*fn)(void *arg, const struct addr *local,
					  const struct addr *peer, nsec since),
			       void *arg, struct control_error *err)
{
	struct fs *fs = fs_find(c, id);

	if (fs == NULL)
		return fs_not_found(err, id);
	if (fs->server == NULL)
		return fs_not_available(err, fs);
	nfs_server_for_each_connection(fs->server, fn, arg);
	return 0;
}
