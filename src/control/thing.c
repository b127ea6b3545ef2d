/* SPDX-License-Identifier: Apache-2.0 */
#include "control/thing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "reactor/reactor.h"
#include "store/store.h"

static const char *const kinds[THING_KINDS] = {
	[THING_VPC] = "vpc",	     [THING_SUBNET] = "subnet",
	[THING_GROUP] = "group",     [THING_KEY] = "kms-key",
	[THING_ALIAS] = "kms-alias",
};

const json_t *things(const struct control *c, enum thing_kind kind)
{
	return c->things[kind];
}

const json_t *thing_find(const struct control *c, enum thing_kind kind,
			 const char *id)
{
	return json_object_get(c->things[kind], id);
}

/* --------------------------------------------------------------- subnets */

const char *thing_vpc_of(const struct control *c, const char *subnet)
{
	const char *id =
		attribute(thing_find(c, THING_SUBNET, subnet), "VpcId");

	return id[0] ? id : THING_DEFAULT_VPC;
}

static void add_subnet(struct control *c, const char *id, const json_t *object)
{
	struct subnet *s = &c->subnets[c->n_subnets];

	if (c->n_subnets == CONTROL_SUBNETS_MAX ||
	    subnet_init(s, attribute(object, "CidrBlock"),
			attribute(object, "Zone")) < 0) {
		log_error("%s: can't be a subnet", id);
		return;
	}
	snprintf(s->id, sizeof(s->id), "%s", id);
	c->n_subnets++;
}

static void remove_subnet(struct control *c, const char *id)
{
	size_t left = 0;

	for (size_t i = 0; i < c->n_subnets; i++)
		if (strcmp(c->subnets[i].id, id) != 0)
			c->subnets[left++] = c->subnets[i];
	c->n_subnets = left;
}

static bool target_has(const struct mount_target *t, enum thing_kind kind,
		       const char *id)
{
	const json_t *groups = json_object_get(t->attributes, "SecurityGroups");

	if (kind == THING_SUBNET)
		return strcmp(t->subnet, id) == 0;
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (strcmp(json_string_value(json_array_get(groups, i)), id) ==
		    0)
			return kind == THING_GROUP;
	return false;
}

/* A group whose rules name it. */
static const char *group_that_names(struct control *c, const char *group)
{
	const char *id;
	json_t *other;

	json_object_foreach(c->things[THING_GROUP], id, other)
	{
		const json_t *rules = json_object_get(other, "Rules");

		if (strcmp(id, group) == 0)
			continue;
		for (size_t i = 0; i < json_array_size(rules); i++)
			if (strcmp(attribute(json_array_get(rules, i),
					     "GroupId"),
				   group) == 0)
				return id;
	}
	return NULL;
}

static const char *user_of(struct control *c, enum thing_kind kind,
			   const char *id)
{
	struct mount_target *t;
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		list_for_each (t, &fs->targets, link)
			if (target_has(t, kind, id))
				return t->id;
	return kind == THING_GROUP ? group_that_names(c, id) : NULL;
}

/* ---------------------------------------------------------------- records */

static int save(struct control *c, enum thing_kind kind, const char *id,
		const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	int r = -ENOMEM;

	if (text != NULL)
		r = store_put(c->store, kinds[kind], id, strlen(id), text,
			      strlen(text));
	free(text);
	return r;
}

struct loader {
	struct control *control;
	enum thing_kind kind;
};

static bool load_one(void *arg, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	json_t *object = json_loadb(value, value_len, 0, NULL);
	struct loader *l = arg;
	char id[STORE_KEY_MAX + 1];

	memcpy(id, key, key_len);
	id[key_len] = '\0';
	if (object == NULL) {
		log_error("%s %s can't be read; ignored", kinds[l->kind], id);
		return true;
	}
	if (l->kind == THING_SUBNET)
		add_subnet(l->control, id, object);
	json_object_set_new(l->control->things[l->kind], id, object);
	return true;
}

/* What is there from the beginning, unless it was changed. */
static int make_defaults(struct control *c)
{
	if (thing_find(c, THING_VPC, THING_DEFAULT_VPC) == NULL)
		json_object_set_new(c->things[THING_VPC], THING_DEFAULT_VPC,
				    json_pack("{s:s, s:b}", "CidrBlock",
					      "0.0.0.0/0", "IsDefault", 1));
	if (thing_find(c, THING_GROUP, THING_DEFAULT_GROUP) == NULL)
		json_object_set_new(
			c->things[THING_GROUP], THING_DEFAULT_GROUP,
			json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}, {s:s, s:s}]}",
				  "GroupName", "default", "Description",
				  "lets everybody in", "VpcId",
				  THING_DEFAULT_VPC, "Rules", "IpProtocol",
				  "-1", "CidrIp", "0.0.0.0/0", "IpProtocol",
				  "-1", "CidrIp", "::/0"));
	if (thing_find(c, THING_KEY, THING_DEFAULT_KEY) == NULL)
		json_object_set_new(
			c->things[THING_KEY], THING_DEFAULT_KEY,
			json_pack("{s:s, s:s, s:s}", "KeyState", "Enabled",
				  "Description",
				  "for file systems that name no key",
				  "KeyManager", "AWS"));
	if (thing_find(c, THING_ALIAS, THING_DEFAULT_ALIAS) == NULL)
		json_object_set_new(c->things[THING_ALIAS], THING_DEFAULT_ALIAS,
				    json_pack("{s:s}", "TargetKeyId",
					      THING_DEFAULT_KEY));
	return 0;
}

int things_load(struct control *c)
{
	struct loader l = { .control = c };
	int r = 0;

	for (l.kind = 0; l.kind < THING_KINDS && r == 0; l.kind++) {
		c->things[l.kind] = json_object();
		r = store_for_each(c->store, kinds[l.kind], load_one, &l);
	}
	return r < 0 ? r : make_defaults(c);
}

void things_free(struct control *c)
{
	for (int k = 0; k < THING_KINDS; k++)
		json_decref(c->things[k]);
}

/* ---------------------------------------------------------------- changes */

static int internal_error(struct control_error *err, int error, const char *id)
{
	return refuse(err, error, "InternalError", "%s: %s.", id,
		      strerror(-error));
}

static int create_locked(struct control *c, enum thing_kind kind,
			 const char *id, json_t *object,
			 struct control_error *err)
{
	int r;

	if (thing_find(c, kind, id) != NULL)
		return refuse(err, -EEXIST, "AlreadyExistsException",
			      "'%s' already exists.", id);
	if (json_object_size(c->things[kind]) >= THINGS_MAX ||
	    (kind == THING_SUBNET && c->n_subnets >= CONTROL_SUBNETS_MAX))
		return refuse(err, -EDQUOT, "ResourceLimitExceeded",
			      "There are too many of these: %s.", kinds[kind]);
	r = save(c, kind, id, object);
	if (r < 0)
		return internal_error(err, r, id);
	json_object_set(c->things[kind], id, object);
	if (kind == THING_SUBNET)
		add_subnet(c, id, object);
	return 0;
}

int thing_create_if(struct control *c, enum thing_kind kind, const char *prefix,
		    char *id, json_t *object, thing_check_fn *check, void *arg,
		    struct control_error *err)
{
	int r;

	if (prefix != NULL)
		make_id(id, prefix);
	json_object_set_new(object, "Created",
			    json_integer(reactor_realtime() / SEC(1)));
	task_write_lock(&c->lock);
	r = check ? check(arg, err) : 0;
	if (r == 0)
		r = create_locked(c, kind, id, object, err);
	task_write_unlock(&c->lock);
	json_decref(object);
	return r;
}

int thing_create(struct control *c, enum thing_kind kind, const char *prefix,
		 char *id, json_t *object, struct control_error *err)
{
	return thing_create_if(c, kind, prefix, id, object, NULL, NULL, err);
}

static int change_locked(struct control *c, enum thing_kind kind,
			 const char *id, control_change_fn *fn, void *arg,
			 struct control_error *err)
{
	const json_t *before = thing_find(c, kind, id);
	json_t *after;
	int r;

	if (before == NULL)
		return -ENOENT;
	r = attributes_change(before, fn, arg, &after, err);
	if (r < 0)
		return r;
	r = save(c, kind, id, after);
	if (r < 0) {
		json_decref(after);
		return internal_error(err, r, id);
	}
	json_object_set_new(c->things[kind], id, after);
	return 0;
}

int thing_change(struct control *c, enum thing_kind kind, const char *id,
		 control_change_fn *fn, void *arg, struct control_error *err)
{
	int r;

	task_write_lock(&c->lock);
	r = change_locked(c, kind, id, fn, arg, err);
	task_write_unlock(&c->lock);
	return r;
}

static int delete_locked(struct control *c, enum thing_kind kind,
			 const char *id, struct control_error *err)
{
	const char *user = user_of(c, kind, id);
	int r;

	if (thing_find(c, kind, id) == NULL)
		return -ENOENT;
	if (user != NULL)
		return refuse(err, -EBUSY, "DependencyViolation",
			      "'%s' is in use by %s.", id, user);
	r = store_delete(c->store, kinds[kind], id, strlen(id));
	if (r < 0)
		return internal_error(err, r, id);
	json_object_del(c->things[kind], id);
	if (kind == THING_SUBNET)
		remove_subnet(c, id);
	return 0;
}

int thing_delete_if(struct control *c, enum thing_kind kind, const char *id,
		    thing_check_fn *check, void *arg,
		    struct control_error *err)
{
	int r;

	task_write_lock(&c->lock);
	r = check ? check(arg, err) : 0;
	if (r == 0)
		r = delete_locked(c, kind, id, err);
	task_write_unlock(&c->lock);
	return r;
}

int thing_delete(struct control *c, enum thing_kind kind, const char *id,
		 struct control_error *err)
{
	return thing_delete_if(c, kind, id, NULL, NULL, err);
}
