/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources as records: kind "fs", "mount-target" or "access-point", key the
 * id, value a JSON object.  A file system that is down is not written: only
 * creating, available and deleting outlive the process.  Members that are not
 * known are ignored, so that an older hawserd can read what a newer one wrote.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"
#include "control/internal.h"
#include "store/store.h"

static const char kind_fs[] = "fs", kind_target[] = "mount-target",
		  kind_point[] = "access-point";

static int save(struct store *store, const char *kind, const char *id,
		json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = -ENOMEM;

	if (text != NULL)
		r = store_put(store, kind, id, strlen(id), text, strlen(text));
	free(text);
	json_decref(object);
	if (r < 0)
		log_error("%s: writing its record: %s", id, strerror(-r));
	return r;
}

static int forget(struct store *store, const char *kind, const char *id)
{
	int r = store_delete(store, kind, id, strlen(id));

	if (r < 0)
		log_error("%s: removing its record: %s", id, strerror(-r));
	return r;
}

int fs_save(const struct fs *fs)
{
	char key[2 * sizeof(fs->handle_key) + 1];

	hex_format(fs->handle_key, sizeof(fs->handle_key), key);
	return save(fs->control->store, kind_fs, fs->id,
		    json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "id", fs->id,
			      "name", fs->name, "state",
			      control_state_name(fs->state), "handle_key", key,
			      "created", (json_int_t)fs->created, "attributes",
			      fs->attributes));
}

int fs_forget(const struct fs *fs)
{
	return forget(fs->control->store, kind_fs, fs->id);
}

int target_save(const struct mount_target *t)
{
	char address[ADDR_TEXT_MAX];

	return save(
		t->fs->control->store, kind_target, t->id,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:O}", "id",
			  t->id, "fs", t->fs->id, "subnet", t->subnet, "zone",
			  t->zone, "address", addr_format(&t->address, address),
			  "up", (int)t->want_up, "created",
			  (json_int_t)t->created, "attributes", t->attributes));
}

int target_forget(const struct mount_target *t)
{
	return forget(t->fs->control->store, kind_target, t->id);
}

int point_save(const struct access_point *p)
{
	return save(p->fs->control->store, kind_point, p->id,
		    json_pack("{s:s, s:s, s:I, s:O}", "id", p->id, "fs",
			      p->fs->id, "created", (json_int_t)p->created,
			      "attributes", p->attributes));
}

int point_forget(const struct access_point *p)
{
	return forget(p->fs->control->store, kind_point, p->id);
}

int points_forget(struct control *c, const struct store_change *ids, size_t n)
{
	int r = store_apply(c->store, kind_point, ids, n);

	if (r < 0)
		log_error("removing records of access points: %s",
			  strerror(-r));
	return r;
}

/* Of a record that has some, else what there is. */
static void take_attributes(json_t **attributes, json_t *object)
{
	json_t *own = json_object_get(object, "attributes");

	if (json_is_object(own)) {
		json_decref(*attributes);
		*attributes = json_incref(own);
	}
}

static bool copy_text(char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		return false;
	strcpy(to, from);
	return true;
}

static bool parse_state(enum control_state *state, const char *name)
{
	for (int s = CONTROL_CREATING; s <= CONTROL_DELETING; s++) {
		if (strcmp(name, control_state_name(s)) == 0) {
			*state = s;
			return true;
		}
	}
	return false;
}

static bool load_fs(struct control *c, json_t *object)
{
	const char *id, *name, *state;
	json_int_t created;
	struct fs *fs;

	if (json_unpack(object, "{s:s, s:s, s:s, s:I}", "id", &id, "name",
			&name, "state", &state, "created", &created) < 0)
		return false;
	fs = fs_alloc(c);
	if (fs == NULL)
		return false;
	if (!copy_text(fs->id, sizeof(fs->id), id) ||
	    !copy_text(fs->name, sizeof(fs->name), name) ||
	    !parse_state(&fs->state, state)) {
		fs_free(fs);
		return false;
	}
	fs->has_key = hex_parse(attribute(object, "handle_key"), fs->handle_key,
				sizeof(fs->handle_key));
	fs->created = created;
	created_before(c, created);
	if (name[0] != '\0') /* of a record without attributes */
		json_object_set_new(fs->attributes, "Tags",
				    json_pack("[{s:s, s:s}]", "Key", "Name",
					      "Value", name));
	take_attributes(&fs->attributes, object);
	fs_set_name(fs);
	fs_insert(fs);
	return true;
}

static bool load_target(struct control *c, json_t *object)
{
	const char *id, *fs_id, *subnet, *zone, *address;
	struct mount_target *t;
	json_int_t created;
	struct fs *fs;
	int up;

	if (json_unpack(object, "{s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "id",
			&id, "fs", &fs_id, "subnet", &subnet, "zone", &zone,
			"address", &address, "up", &up, "created",
			&created) < 0)
		return false;
	fs = fs_find(c, fs_id);
	if (fs == NULL)
		return false;
	t = target_alloc(fs, created);
	if (t == NULL)
		return false;
	if (!copy_text(t->id, sizeof(t->id), id) ||
	    !copy_text(t->subnet, sizeof(t->subnet), subnet) ||
	    !copy_text(t->zone, sizeof(t->zone), zone) ||
	    addr_parse(&t->address, address, CONTROL_PORT) < 0) {
		target_free(t);
		return false;
	}
	created_before(c, created);
	t->want_up = up;
	take_attributes(&t->attributes, object);
	return true;
}

static bool load_point(struct control *c, json_t *object)
{
	json_t *attributes;
	const char *id, *fs_id;
	json_int_t created;
	struct fs *fs;

	if (json_unpack(object, "{s:s, s:s, s:I, s:o}", "id", &id, "fs", &fs_id,
			"created", &created, "attributes", &attributes) < 0 ||
	    !json_is_object(attributes) || strlen(id) >= CONTROL_ID_SIZE)
		return false;
	fs = fs_find(c, fs_id);
	created_before(c, created);
	return fs != NULL &&
	       point_alloc(fs, id, created, json_incref(attributes)) != NULL;
}

struct loader {
	struct control *control;
	bool (*load)(struct control *c, json_t *object);
};

static bool load_one(void *arg, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	struct loader *l = arg;
	json_t *object = json_loadb(value, value_len, 0, NULL);

	/* Left as it is: whoever can read it may still want it. */
	if (object == NULL || !l->load(l->control, object))
		log_error("record %.*s can't be read; ignored", (int)key_len,
			  (const char *)key);
	json_decref(object);
	return true;
}

int records_load(struct control *c)
{
	struct loader fs = { c, load_fs }, targets = { c, load_target },
		      points = { c, load_point };
	int r = store_for_each(c->store, kind_fs, load_one, &fs);

	if (r == 0)
		r = store_for_each(c->store, kind_target, load_one, &targets);
	if (r == 0)
		r = store_for_each(c->store, kind_point, load_one, &points);
	return r < 0 ? r : points_sort(c);
}
