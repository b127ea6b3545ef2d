/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access points.  There can be very many, so what is looked up by a call has a
 * table: by id, and by the token of whoever created it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "control/internal.h"
#include "store/store.h"

/* A token is unique in its file system. */
static uint64_t token_hash(const struct fs *fs, const char *token)
{
	char text[2 * CONTROL_ID_SIZE + 256];
	int n = snprintf(text, sizeof(text), "%s/%s", fs->id, token);

	return hash_bytes(text, MIN((size_t)n, sizeof(text) - 1));
}

static const char *token_of(const struct access_point *p)
{
	return attribute(p->attributes, "ClientToken");
}

struct access_point *point_alloc(struct fs *fs, const char *id, nsec created,
				 json_t *attributes)
{
	struct access_point *p = calloc(1, sizeof(*p));
	struct control *c = fs->control;

	if (p == NULL) {
		json_decref(attributes);
		return NULL;
	}
	p->fs = fs;
	snprintf(p->id, sizeof(p->id), "%s", id);
	p->created = created;
	p->attributes = attributes;
	list_append(&c->points, &p->link);
	htable_insert(&c->points_by_id, &p->by_id,
		      hash_bytes(p->id, strlen(p->id)));
	htable_insert(&c->points_by_token, &p->by_token,
		      token_hash(fs, token_of(p)));
	fs->n_points++;
	return p;
}

void point_free(struct access_point *p)
{
	struct control *c = p->fs->control;

	p->fs->n_points--;
	list_del(&p->link);
	htable_remove(&c->points_by_id, &p->by_id);
	htable_remove(&c->points_by_token, &p->by_token);
	json_decref(p->attributes);
	free(p);
}

static int compare_age(const void *a, const void *b)
{
	const struct access_point *const *x = a, *const *y = b;

	return ((*x)->created > (*y)->created) -
	       ((*x)->created < (*y)->created);
}

int points_sort(struct control *c)
{
	struct access_point **all = calloc(c->points_by_id.count + 1,
					   sizeof(*all)),
			    *p;
	size_t n = 0;

	if (all == NULL)
		return -ENOMEM;
	list_for_each (p, &c->points, link)
		all[n++] = p;
	qsort(all, n, sizeof(*all), compare_age);
	list_init(&c->points);
	for (size_t i = 0; i < n; i++)
		list_append(&c->points, &all[i]->link);
	free(all);
	return 0;
}

struct access_point *point_find(struct control *c, const char *id)
{
	struct access_point *p;

	htable_for_each_match (p, &c->points_by_id, hash_bytes(id, strlen(id)),
			       by_id)
		if (strcmp(p->id, id) == 0)
			return p;
	return NULL;
}

static struct access_point *point_by_token(const struct fs *fs,
					   const char *token)
{
	struct access_point *p;

	htable_for_each_match (p, &fs->control->points_by_token,
			       token_hash(fs, token), by_token)
		if (p->fs == fs && strcmp(token_of(p), token) == 0)
			return p;
	return NULL;
}

static int point_not_found(struct control_error *err, const char *id)
{
	return refuse(err, -ENOENT, "AccessPointNotFound",
		      "Access Point %.64s does not exist.", id);
}

static int internal_error(struct control_error *err, int error, const char *id)
{
	return refuse(err, error, "InternalServerError", "Access point %s: %s.",
		      id, strerror(-error));
}

static void describe(const struct access_point *p,
		     struct control_access_point *out)
{
	strcpy(out->id, p->id);
	strcpy(out->fs, p->fs->id);
	out->created = p->created;
	out->attributes = p->attributes;
}

/* ---------------------------------------------------------------- create */

static int check_new(const struct fs *fs, const char *token,
		     struct control_error *err)
{
	const struct access_point *other = point_by_token(fs, token);

	if (fs->state != CONTROL_AVAILABLE)
		return fs_not_available(err, fs);
	if (other != NULL) {
		refuse(err, -EEXIST, "AccessPointAlreadyExists",
		       "Access point %s already exists with client token "
		       "'%.64s'",
		       other->id, token);
		strcpy(err->resource, other->id);
		err->resource_is = "AccessPointId";
		return -EEXIST;
	}
	if (fs->n_points >= CONTROL_POINTS_MAX)
		return refuse(err, -EDQUOT, "AccessPointLimitExceeded",
			      "File system '%s' has %d access points, the most "
			      "that can be.",
			      fs->id, CONTROL_POINTS_MAX);
	return 0;
}

/* The way in, and what is behind it. */
static int open_up(struct access_point *p)
{
	int r = point_export(p);

	if (r < 0)
		return r;
	r = point_set_quota(p);
	if (r < 0) {
		point_clear_quota(p);
		point_unexport(p);
	}
	return r;
}

static int create_locked(struct fs *fs, const json_t *attributes,
			 struct control_access_point *out,
			 struct control_error *err)
{
	int r = check_new(fs, attribute(attributes, "ClientToken"), err);
	struct access_point *p;
	char id[CONTROL_ID_SIZE];

	if (r == 0)
		r = point_check_quota(fs, NULL, NULL, attributes, err);
	if (r < 0)
		return r;
	make_id(id, "fsap-");
	p = point_alloc(fs, id, created_now(fs->control),
			json_deep_copy(attributes));
	if (p == NULL)
		return internal_error(err, -ENOMEM, id);
	r = point_save(p);
	if (r == 0 && (r = open_up(p)) < 0)
		point_forget(p);
	if (r < 0) {
		point_free(p);
		return internal_error(err, r, id);
	}
	log_debug("%s: created in %s", p->id, fs->id);
	describe(p, out);
	return 0;
}

int control_access_point_create(struct control *c, const char *fs_id,
				const json_t *attributes,
				struct control_access_point *out,
				struct control_error *err)
{
	struct fs *fs;
	int r;

	task_write_lock(&c->lock);
	fs = fs_find_live(c, fs_id);
	r = fs ? create_locked(fs, attributes, out, err)
	       : fs_not_found(err, fs_id);
	task_write_unlock(&c->lock);
	return r;
}

/* ----------------------------------------------------- change and delete */

static int save_changed(struct access_point *p, const json_t *before,
			struct control_error *err)
{
	int r = point_check_quota(p->fs, p, before, p->attributes, err);

	if (r < 0)
		return r;
	r = point_save(p);
	return r < 0 ? internal_error(err, r, p->id) : 0;
}

static int change_locked(struct access_point *p, control_change_fn *fn,
			 void *arg, struct control_error *err)
{
	json_t *before = p->attributes;
	int r = attributes_change(before, fn, arg, &p->attributes, err);

	if (r < 0)
		return r;
	r = save_changed(p, before, err);
	if (r < 0) {
		json_decref(p->attributes);
		p->attributes = before;
		return r;
	}
	json_decref(before);
	r = point_set_quota(p);
	return r < 0 ? internal_error(err, r, p->id) : 0;
}

int control_access_point_change(struct control *c, const char *id,
				control_change_fn *fn, void *arg,
				struct control_access_point *out,
				struct control_error *err)
{
	struct access_point *p;
	int r;

	task_write_lock(&c->lock);
	p = point_find(c, id);
	r = p ? change_locked(p, fn, arg, err) : point_not_found(err, id);
	if (r == 0)
		describe(p, out);
	task_write_unlock(&c->lock);
	return r;
}

static int delete_locked(struct access_point *p, struct control_error *err)
{
	int r = point_clear_quota(p);

	if (r == 0)
		r = point_forget(p);
	if (r < 0)
		return internal_error(err, r, p->id);
	log_debug("%s: deleted", p->id);
	point_unexport(p);
	point_free(p);
	return 0;
}

int control_access_point_delete(struct control *c, const char *id,
				struct control_error *err)
{
	struct access_point *p;
	int r;

	task_write_lock(&c->lock);
	p = point_find(c, id);
	r = p ? delete_locked(p, err) : point_not_found(err, id);
	task_write_unlock(&c->lock);
	return r;
}

enum { BATCH = 256 };

/* Some of them; how many, or -errno. */
static int remove_some(struct fs *fs)
{
	struct store_change *changes = calloc(BATCH, sizeof(*changes));
	struct access_point *batch[BATCH], *p;
	int n = 0, r;

	if (changes == NULL)
		return -ENOMEM;
	list_for_each (p, &fs->control->points, link) {
		if (n == BATCH)
			break;
		if (p->fs == fs) {
			changes[n].key = p->id;
			changes[n].key_len = strlen(p->id);
			batch[n++] = p;
		}
	}
	r = n ? points_forget(fs->control, changes, n) : 0;
	for (int i = 0; i < n && r == 0; i++)
		point_free(batch[i]);
	free(changes);
	return r < 0 ? r : n;
}

int points_remove(struct fs *fs)
{
	int r;

	do
		r = remove_some(fs);
	while (r > 0);
	return r;
}

/* -------------------------------------------------------------- list --- */

int control_access_point_find(struct control *c, const char *id,
			      struct control_access_point *out,
			      struct control_error *err)
{
	const struct access_point *p = point_find(c, id);

	if (p == NULL)
		return point_not_found(err, id);
	describe(p, out);
	return 0;
}

int control_access_point_list(struct control *c, const char *fs_id, nsec after,
			      struct control_access_point *list, int max,
			      struct control_error *err)
{
	const struct fs *fs = fs_id ? fs_find_live(c, fs_id) : NULL;
	struct access_point *p;
	int n = 0;

	if (fs_id != NULL && fs == NULL)
		return fs_not_found(err, fs_id);
	list_for_each (p, &c->points, link) {
		if (n == max)
			break;
		if (p->created > after && (fs == NULL || p->fs == fs))
			describe(p, &list[n++]);
	}
	return n;
}
