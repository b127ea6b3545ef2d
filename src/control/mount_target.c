/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets.  One exists once it listens and its record is on disk, in this
 * order: so what a crash leaves half made is nothing, and what could not listen
 * was never promised.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "nfs/server/server.h"
#include "reactor/reactor.h"

/* Oldest first. */
static void insert(struct mount_target *t)
{
	struct mount_target *before;

	list_for_each (before, &t->fs->targets, link)
		if (before->created > t->created)
			break;
	list_append(&before->link, &t->link); /* the head, if none is younger */
}

struct mount_target *target_alloc(struct fs *fs, nsec created)
{
	struct mount_target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fs = fs;
	t->created = created;
	t->want_up = true;
	t->attributes = json_object();
	insert(t);
	fs->n_targets++;
	return t;
}

void target_free(struct mount_target *t)
{
	t->fs->n_targets--;
	list_del(&t->link);
	json_decref(t->attributes);
	free(t);
}

int target_listen(struct mount_target *t)
{
	int r = t->fs->server ? nfs_server_listen(t->fs->server, &t->address)
			      : -ENODEV;

	t->is_up = r == 0;
	return r;
}

static void target_unlisten(struct mount_target *t)
{
	if (t->is_up)
		nfs_server_unlisten(t->fs->server, &t->address);
	t->is_up = false;
}

static enum control_state state_of(const struct mount_target *t)
{
	if (t->deleting)
		return CONTROL_DELETING;
	if (!t->want_up)
		return CONTROL_DOWN;
	return t->is_up ? CONTROL_AVAILABLE : CONTROL_ERROR;
}

static void describe(const struct mount_target *t,
		     struct control_mount_target *out)
{
	memset(out, 0, sizeof(*out));
	strcpy(out->id, t->id);
	strcpy(out->fs, t->fs->id);
	strcpy(out->subnet, t->subnet);
	strcpy(out->zone, t->zone);
	out->state = state_of(t);
	out->created = t->created;
	out->address = t->address;
	out->attributes = t->attributes;
}

static struct mount_target *target_find(struct control *c, const char *id)
{
	struct mount_target *t;
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (strcmp(t->id, id) == 0)
				return t;
	return NULL;
}

static int target_not_found(struct control_error *err, const char *id)
{
	return refuse(err, -ENOENT, "MountTargetNotFound",
		      "Mount target '%.64s' does not exist.", id);
}

static int internal_error(struct control_error *err, int error,
			  const struct mount_target *t)
{
	return refuse(err, error, "InternalServerError", "Mount target %s: %s.",
		      t->id, strerror(-error));
}

void targets_publish(struct fs *fs)
{
	struct addr list[CONTROL_TARGETS_MAX];
	struct mount_target *t;
	size_t n = 0;
	int r;

	if (fs->server == NULL)
		return;
	list_for_each (t, &fs->targets, link)
		if (!t->deleting && n < CONTROL_TARGETS_MAX)
			list[n++] = t->address;
	r = nfs_server_publish(fs->server, list, n);
	if (r < 0)
		log_error("%s: publishing its addresses: %s", fs->id,
			  strerror(-r));
}

/* ------------------------------------------------------------ create --- */

static int listen_on_given(struct mount_target *t, const struct addr *a,
			   struct control_error *err)
{
	char text[ADDR_TEXT_MAX];
	int r;

	t->address = *a;
	r = target_listen(t);
	if (r == -EADDRNOTAVAIL) { /* it may come */
		log_warn("%s: %s is not there yet", t->id,
			 addr_format(a, text));
		start_targets_later(t->fs->control);
		return 0;
	}
	if (r == 0)
		return 0;
	return refuse(err, r,
		      r == -EADDRINUSE ? "IpAddressInUse" : "BadRequest",
		      "%s can't be listened on: %s.", addr_format(a, text),
		      strerror(-r));
}

struct candidates {
	const struct subnet *subnet;
	struct addr *list;
};

static int find_candidates(void *arg)
{
	struct candidates *c = arg;

	return subnet_local_addresses(c->subnet, &c->list);
}

/* Others on this host may hold an address, so trying is the only test. */
static int listen_on_free(struct mount_target *t, const struct place *place,
			  struct control_error *err)
{
	struct candidates found = { .subnet = place->subnet };
	int n = offload(find_candidates, &found);
	struct addr at;
	int r = n < 0 ? n : -EADDRNOTAVAIL;

	for (int i = 0; i < n && r < 0; i++) {
		if (place_host_in_use(t->fs->control, &found.list[i]))
			continue;
		t->address = found.list[i];
		addr_set_port(&t->address, place->port);
		r = target_listen(t);
	}
	free(found.list);
	if (r == 0)
		return 0;
	if (place->may_wait && place_pick(t->fs->control, place, &at))
		return listen_on_given(t, &at, err);
	return refuse(err, r, "NoFreeAddressesInSubnet",
		      "This host has no free address in subnet %s (%s).",
		      place->subnet->id, place->subnet->cidr);
}

static int create_at(struct fs *fs, const struct place *place,
		     const json_t *attributes, struct control_mount_target *out,
		     struct control_error *err)
{
	struct mount_target *t = target_alloc(fs, created_now(fs->control));
	char text[ADDR_TEXT_MAX];
	int r;

	if (t == NULL)
		return refuse(err, -ENOMEM, "InternalServerError",
			      "Out of memory.");
	make_id(t->id, "fsmt-");
	strcpy(t->subnet, place->subnet->id);
	strcpy(t->zone, place->subnet->zone);
	json_object_update(t->attributes, (json_t *)attributes);
	r = place->address.len ? listen_on_given(t, &place->address, err)
			       : listen_on_free(t, place, err);
	if (r == 0) {
		r = target_save(t);
		if (r < 0)
			internal_error(err, r, t);
	}
	if (r < 0) {
		target_unlisten(t);
		target_free(t);
		return r;
	}
	targets_publish(fs);
	log_info("%s: %s on %s", t->id, fs->id, addr_format(&t->address, text));
	describe(t, out);
	return 0;
}

static int create_locked(struct control *c,
			 const struct control_mount_target_spec *spec,
			 struct control_mount_target *out,
			 struct control_error *err)
{
	struct fs *fs = fs_find_live(c, spec->fs);
	struct place place;
	int r;

	if (fs == NULL)
		return fs_not_found(err, spec->fs);
	if (fs->state != CONTROL_AVAILABLE)
		return fs_not_available(err, fs);
	if (fs->n_targets >= CONTROL_TARGETS_MAX)
		return refuse(err, -EDQUOT, "NetworkInterfaceLimitExceeded",
			      "File system '%s' has %d mount targets, the most "
			      "that can be.",
			      fs->id, CONTROL_TARGETS_MAX);
	r = place_find(fs, spec, &place, err);
	return r < 0 ? r : create_at(fs, &place, spec->attributes, out, err);
}

int control_mount_target_create(struct control *c,
				const struct control_mount_target_spec *spec,
				struct control_mount_target *out,
				struct control_error *err)
{
	int r;

	task_write_lock(&c->lock);
	r = create_locked(c, spec, out, err);
	task_write_unlock(&c->lock);
	return r;
}

/* ------------------------------------------------- change and delete --- */

static int delete_locked(struct mount_target *t, struct control_error *err)
{
	int r;

	t->deleting = true;
	r = target_forget(t);
	if (r < 0) {
		t->deleting = false;
		return internal_error(err, r, t);
	}
	log_info("%s: deleted", t->id);
	targets_publish(t->fs);
	target_unlisten(t);
	target_free(t);
	return 0;
}

int control_mount_target_delete(struct control *c, const char *id,
				struct control_error *err)
{
	struct mount_target *t;
	int r;

	task_write_lock(&c->lock);
	t = target_find(c, id);
	r = t ? delete_locked(t, err) : target_not_found(err, id);
	task_write_unlock(&c->lock);
	return r;
}

static int set_state_locked(struct mount_target *t, bool up,
			    struct control_error *err)
{
	bool before = t->want_up;
	int r = 0;

	if (up && !t->is_up)
		r = listen_on_given(t, &t->address, err);
	if (r < 0 || up == before)
		return r;
	t->want_up = up;
	r = target_save(t);
	if (r < 0) {
		t->want_up = before;
		if (up)
			target_unlisten(t);
		return internal_error(err, r, t);
	}
	if (!up)
		target_unlisten(t);
	log_info("%s: %s", t->id, up ? "up" : "down");
	return 0;
}

int control_mount_target_set_state(struct control *c, const char *id, bool up,
				   struct control_mount_target *out,
				   struct control_error *err)
{
	struct mount_target *t;
	int r;

	task_write_lock(&c->lock);
	t = target_find(c, id);
	r = t ? set_state_locked(t, up, err) : target_not_found(err, id);
	if (r == 0)
		describe(t, out);
	task_write_unlock(&c->lock);
	return r;
}

static int change_locked(struct mount_target *t, control_change_fn *fn,
			 void *arg, struct control_error *err)
{
	json_t *before = t->attributes;
	int r = attributes_change(before, fn, arg, &t->attributes, err);

	if (r < 0)
		return r;
	r = target_save(t);
	if (r < 0) {
		json_decref(t->attributes);
		t->attributes = before;
		return internal_error(err, r, t);
	}
	json_decref(before);
	return 0;
}

int control_mount_target_change(struct control *c, const char *id,
				control_change_fn *fn, void *arg,
				struct control_mount_target *out,
				struct control_error *err)
{
	struct mount_target *t;
	int r;

	task_write_lock(&c->lock);
	t = target_find(c, id);
	r = t ? change_locked(t, fn, arg, err) : target_not_found(err, id);
	if (r == 0)
		describe(t, out);
	task_write_unlock(&c->lock);
	return r;
}

/* -------------------------------------------------------------- list --- */

static int list_locked(struct control *c, const char *id, const char *fs_id,
		       struct control_mount_target **list,
		       struct control_error *err)
{
	struct control_mount_target *out;
	struct mount_target *t;
	struct fs *fs;
	int n = 0;

	if (fs_id != NULL && fs_find_live(c, fs_id) == NULL)
		return fs_not_found(err, fs_id);
	list_for_each (fs, &c->fs, link)
		n += fs->n_targets;
	out = calloc(n + 1, sizeof(*out));
	if (out == NULL)
		return refuse(err, -ENOMEM, "InternalServerError",
			      "Out of memory.");
	n = 0;
	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if ((id == NULL || strcmp(t->id, id) == 0) &&
			    (fs_id == NULL || strcmp(fs->id, fs_id) == 0))
				describe(t, &out[n++]);
	if (id != NULL && n == 0) {
		free(out);
		return target_not_found(err, id);
	}
	*list = out;
	return n;
}

int control_mount_target_list(struct control *c, const char *id, const char *fs,
			      struct control_mount_target **list,
			      struct control_error *err)
{
	int r;

	task_read_lock(&c->lock);
	r = list_locked(c, id, fs, list, err);
	task_read_unlock(&c->lock);
	return r;
}
