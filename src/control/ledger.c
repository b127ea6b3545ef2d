/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records have kind "call"; the key is the order in 16 hexadecimal digits,
 * so that the store has them in order.
 */
#include "control/ledger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "store/store.h"

static const char kind[] = "call";

enum { KEY_SIZE = 17 };

/* One change that is being put together: the new entry takes the place of the
 * old one; either may be NULL. */
struct change {
	struct ledger_entry *old, *new;
	char key[KEY_SIZE];
	char *value;
};

struct ledger {
	struct store *store;
	struct task_rwlock lock;
	struct list entries;
	size_t n_entries;
	uint64_t last_order;

	struct change *changes;
	size_t n_changes, room;
	int failed; /* -errno: putting the changes together went wrong */
};

struct task_rwlock *ledger_lock(struct ledger *l)
{
	return &l->lock;
}

/* ------------------------------------------------------------- entries --- */

static void entry_free(struct ledger_entry *e)
{
	if (e == NULL)
		return;
	json_decref(e->params);
	free((char *)e->section);
	free((char *)e->path);
	free((char *)e->method);
	free(e);
}

/* `params` is taken. */
static struct ledger_entry *entry_new(const char *section, const char *path,
				      const char *method, json_t *params)
{
	struct ledger_entry *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		json_decref(params);
		return NULL;
	}
	list_init(&e->link);
	e->section = strdup(section);
	e->path = strdup(path);
	e->method = strdup(method);
	e->params = params;
	if (e->section && e->path && e->method && e->params)
		return e;
	entry_free(e);
	return NULL;
}

struct ledger_entry *ledger_next(const struct ledger *l,
				 const struct ledger_entry *after)
{
	const struct list *next = after ? after->link.next : l->entries.next;

	return next == &l->entries ? NULL
				   : list_entry((struct list *)next,
						struct ledger_entry, link);
}

struct ledger_entry *ledger_find(const struct ledger *l, const char *path)
{
	struct ledger_entry *e;

	list_for_each (e, &l->entries, link)
		if (strcmp(e->path, path) == 0)
			return e;
	return NULL;
}

bool ledger_is_below(const struct ledger_entry *e, const char *path)
{
	size_t len = strlen(path);

	return strncmp(e->path, path, len) == 0 &&
	       (e->path[len] == '\0' || e->path[len] == '\t');
}

bool ledger_path(char path[LEDGER_PATH_SIZE], ...)
{
	const char *part;
	size_t n = 0;
	va_list args;
	bool ok = true;

	va_start(args, path);
	while (ok && (part = va_arg(args, const char *)) != NULL) {
		for (const char *c = part; *c; c++)
			ok = ok && (unsigned char)*c >= ' ';
		n += snprintf(path + n, LEDGER_PATH_SIZE - n, "%s%s",
			      n ? "\t" : "", part);
		ok = ok && n < LEDGER_PATH_SIZE;
	}
	va_end(args);
	return ok;
}

/* ------------------------------------------------------------- changes --- */

/* The change of the entry that is there now, if one is being put together. */
static struct change *change_of(const struct ledger *l,
				const struct ledger_entry *old)
{
	for (size_t i = 0; old != NULL && i < l->n_changes; i++)
		if (l->changes[i].old == old)
			return &l->changes[i];
	return NULL;
}

static struct change *change_new(struct ledger *l, struct ledger_entry *old)
{
	size_t room = l->room ? l->room * 2 : 8;
	struct change *changes, *c = change_of(l, old);

	if (c != NULL)
		return c;
	if (l->n_changes == l->room) {
		changes = realloc(l->changes, room * sizeof(*changes));
		if (changes == NULL) {
			l->failed = -ENOMEM;
			return NULL;
		}
		l->changes = changes;
		l->room = room;
	}
	c = &l->changes[l->n_changes++];
	*c = (struct change){ .old = old };
	return c;
}

void ledger_set(struct ledger *l, const char *section, const char *path,
		const char *method, json_t *params)
{
	struct ledger_entry *old = ledger_find(l, path);
	struct ledger_entry *e = entry_new(section, path, method, params);
	struct change *c;

	if (e == NULL) {
		l->failed = -ENOMEM;
		return;
	}
	c = change_new(l, old);
	if (c == NULL) {
		entry_free(e);
		return;
	}
	entry_free(c->new);
	c->new = e;
	e->order = old ? old->order : ++l->last_order;
}

void ledger_drop(struct ledger *l, struct ledger_entry *e)
{
	struct change *c = change_new(l, e);

	if (c == NULL)
		return;
	entry_free(c->new);
	c->new = NULL;
}

void ledger_drop_below(struct ledger *l, const char *path)
{
	struct ledger_entry *e;

	list_for_each (e, &l->entries, link)
		if (ledger_is_below(e, path))
			ledger_drop(l, e);
}

static json_t *entry_to_json(const struct ledger_entry *e)
{
	return json_pack("{s:s, s:s, s:s, s:O}", "section", e->section, "path",
			 e->path, "method", e->method, "params", e->params);
}

/* What the change is on disk. */
static int encode(struct change *c, struct store_change *out)
{
	const struct ledger_entry *e = c->new ? c->new : c->old;
	json_t *object;

	snprintf(c->key, KEY_SIZE, "%016llx", (unsigned long long)e->order);
	*out = (struct store_change){ .key = c->key, .key_len = KEY_SIZE - 1 };
	if (c->new == NULL)
		return 0;
	object = entry_to_json(c->new);
	c->value = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (c->value == NULL)
		return -ENOMEM;
	out->value = c->value;
	out->value_len = strlen(c->value);
	return 0;
}

static int write_changes(struct ledger *l)
{
	auto_free struct store_change *list =
		calloc(l->n_changes + 1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->n_changes && r == 0; i++)
		r = encode(&l->changes[i], &list[i]);
	return r < 0 ? r : store_apply(l->store, kind, list, l->n_changes);
}

/* In memory, too. */
static void put_in_force(struct ledger *l, struct change *c)
{
	if (c->new != NULL) {
		list_append(c->old ? &c->old->link : &l->entries,
			    &c->new->link);
		l->n_entries++;
	}
	if (c->old != NULL) {
		list_del(&c->old->link);
		l->n_entries--;
	}
	entry_free(c->old);
	c->old = c->new = NULL;
}

int ledger_commit(struct ledger *l)
{
	int r = l->failed;

	if (r == 0 && l->n_entries + l->n_changes > LEDGER_ENTRIES_MAX)
		r = -EDQUOT;
	if (r == 0 && l->n_changes > 0)
		r = write_changes(l);
	for (size_t i = 0; i < l->n_changes; i++) {
		if (r == 0)
			put_in_force(l, &l->changes[i]);
		entry_free(l->changes[i].new);
		free(l->changes[i].value);
	}
	l->n_changes = 0;
	l->failed = 0;
	if (r < 0)
		log_error("configuration: writing a change: %s", strerror(-r));
	return r;
}

/* ---------------------------------------------------------------- open --- */

static struct ledger_entry *entry_from_json(const json_t *object)
{
	const char *section, *path, *method;
	json_t *params;

	if (json_unpack((json_t *)object, "{s:s, s:s, s:s, s:o}", "section",
			&section, "path", &path, "method", &method, "params",
			&params) < 0 ||
	    !json_is_object(params))
		return NULL;
	return entry_new(section, path, method, json_incref(params));
}

static bool load_one(void *arg, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	struct ledger *l = arg;
	json_t *object = json_loadb(value, value_len, 0, NULL);
	struct ledger_entry *e = object ? entry_from_json(object) : NULL;
	char digits[KEY_SIZE] = "";

	json_decref(object);
	memcpy(digits, key, MIN(key_len, sizeof(digits) - 1));
	l->last_order = strtoull(digits, NULL, 16);
	if (e == NULL) {
		log_error("configuration: call %s can't be read; ignored",
			  digits);
		return true;
	}
	e->order = l->last_order;
	list_append(&l->entries, &e->link);
	l->n_entries++;
	return true;
}

int ledger_open(struct store *store, struct ledger **out)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return -ENOMEM;
	l->store = store;
	task_rwlock_init(&l->lock);
	list_init(&l->entries);
	r = store_for_each(store, kind, load_one, l);
	if (r < 0) {
		log_error("reading the configuration: %s", strerror(-r));
		ledger_close(l);
		return r;
	}
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l)
{
	struct ledger_entry *e, *tmp;

	list_for_each_safe (e, tmp, &l->entries, link) {
		list_del(&e->link);
		entry_free(e);
	}
	task_rwlock_fini(&l->lock);
	free(l->changes);
	free(l);
}
