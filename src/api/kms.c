/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KMS, version 2014-11-01: keys and aliases as resources.  They can be named
 * when a file system is created; nothing is encrypted with them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/efs.h"
#include "api/protocol.h"
#include "control/thing.h"
#include "reactor/reactor.h"

enum { LIST_MAX = 100, WINDOW_MIN = 7, WINDOW_MAX = 30, DAY = 24 * 3600 };

static struct control *control_of(const struct api_call *call)
{
	return call->server->options.control;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* ----------------------------------------------------------- descriptions */

static json_t *arn(const struct api_call *call, const char *kind,
		   const char *id)
{
	return json_sprintf("arn:aws:kms:%s:%s:%s%s", api_region(call),
			    api_account(call), kind, id);
}

static json_t *describe(const struct api_call *call, const char *id,
			const json_t *key)
{
	const char *state = text_of(key, "KeyState");
	const json_t *deletion = json_object_get(key, "DeletionDate");
	json_t *out = json_pack(
		"{s:s, s:s, s:o, s:I, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		"s:[s], s:b}",
		"AWSAccountId", api_account(call), "KeyId", id, "Arn",
		arn(call, "key/", id), "CreationDate",
		json_integer_value(json_object_get(key, "Created")), "Enabled",
		strcmp(state, "Enabled") == 0, "Description",
		text_of(key, "Description"), "KeyUsage", "ENCRYPT_DECRYPT",
		"KeyState", state, "Origin", "AWS_KMS", "KeyManager",
		text_of(key, "KeyManager")[0] ? "AWS" : "CUSTOMER", "KeySpec",
		"SYMMETRIC_DEFAULT", "CustomerMasterKeySpec",
		"SYMMETRIC_DEFAULT", "EncryptionAlgorithms",
		"SYMMETRIC_DEFAULT", "MultiRegion", 0);

	if (deletion != NULL)
		json_object_set(out, "DeletionDate", (json_t *)deletion);
	return out;
}

/* --------------------------------------------------------------- finding */

/* By id, ARN, alias or an alias's ARN. */
static int find_key(struct api_call *call, const char *name, const char **id,
		    const json_t **key)
{
	const char *alias = strstr(name, "alias/");
	const char *slash = strstr(name, ":key/");

	*id = slash ? slash + strlen(":key/") : name;
	if (alias != NULL)
		*id = text_of(thing_find(control_of(call), THING_ALIAS, alias),
			      "TargetKeyId");
	*key = thing_find(control_of(call), THING_KEY, *id);
	if (*key != NULL)
		return 0;
	return api_refuse(call, "NotFoundException",
			  alias ? "Alias arn:aws:kms:%s:%s:%s is not found."
				: "Key 'arn:aws:kms:%s:%s:key/%s' does not "
				  "exist",
			  api_region(call), api_account(call),
			  alias ? alias : *id);
}

/* ------------------------------------------------------------------- keys */

static int create_key(struct api_call *call)
{
	const char *description = api_string(call, "Description");
	char id[UUID_TEXT_SIZE];
	uint8_t uuid[UUID_BYTES];
	int r;

	uuid_random(uuid);
	uuid_format(uuid, id);
	r = thing_create(control_of(call), THING_KEY, NULL, id,
			 json_pack("{s:s, s:s}", "KeyState", "Enabled",
				   "Description",
				   description ? description : ""),
			 &call->error);
	if (r == 0)
		call->output = json_pack(
			"{s:o}", "KeyMetadata",
			describe(call, id,
				 thing_find(control_of(call), THING_KEY, id)));
	return r;
}

static int describe_key(struct api_call *call)
{
	const json_t *key;
	const char *id;
	int r = find_key(call, api_string(call, "KeyId"), &id, &key);

	if (r == 0)
		call->output = json_pack("{s:o}", "KeyMetadata",
					 describe(call, id, key));
	return r;
}

/* A page of a kind; `show` makes a list's item. */
static int list(struct api_call *call, enum thing_kind kind, const char *member,
		json_t *(*show)(const struct api_call *call, const char *id,
				const json_t *object))
{
	size_t left = api_integer(call, "Limit", LIST_MAX);
	size_t skip = strtoul(api_string(call, "Marker") ?: "0", NULL, 10);
	size_t at = 0;
	json_t *out = json_array(), *object, *item;
	const char *id;

	call->output = json_pack("{s:o, s:b}", member, out, "Truncated", 0);
	json_object_foreach((json_t *)things(control_of(call), kind), id,
			    object)
	{
		if (at++ < skip)
			continue;
		item = show(call, id, object);
		if (item == NULL)
			continue;
		if (left == 0) {
			json_decref(item);
			json_object_set_new(call->output, "Truncated",
					    json_true());
			json_object_set_new(call->output, "NextMarker",
					    json_sprintf("%zu", at - 1));
			return 0;
		}
		json_array_append_new(out, item);
		left--;
	}
	return 0;
}

static json_t *show_key(const struct api_call *call, const char *id,
			const json_t *key)
{
	return json_pack("{s:s, s:o}", "KeyId", id, "KeyArn",
			 arn(call, "key/", id));
}

static int list_keys(struct api_call *call)
{
	return list(call, THING_KEY, "Keys", show_key);
}

/* A change of state: from which, to which. */
struct turn {
	struct api_call *call;
	const char *to;
	bool from_pending;   /* only a key whose deletion is pending; else only
				one whose is not */
	json_int_t deletion; /* seconds since 1970; 0: none */
};

static int turn_key(void *arg, json_t *key, struct control_error *err)
{
	struct turn *t = arg;
	bool pending = strcmp(text_of(key, "KeyState"), "PendingDeletion") == 0;

	if (pending != t->from_pending)
		return api_refuse(t->call, "KMSInvalidStateException",
				  "The key is %spending deletion.",
				  pending ? "" : "not ");
	json_object_set_new(key, "KeyState", json_string(t->to));
	json_object_del(key, "DeletionDate");
	if (t->deletion != 0)
		json_object_set_new(key, "DeletionDate",
				    json_integer(t->deletion));
	return 0;
}

static int turn(struct api_call *call, struct turn t, char id[UUID_TEXT_SIZE])
{
	const json_t *key;
	const char *found;
	int r = find_key(call, api_string(call, "KeyId"), &found, &key);

	if (r < 0)
		return r;
	snprintf(id, UUID_TEXT_SIZE, "%s", found);
	t.call = call;
	return thing_change(control_of(call), THING_KEY, id, turn_key, &t,
			    &call->error);
}

static int enable_key(struct api_call *call)
{
	char id[UUID_TEXT_SIZE];

	return turn(call, (struct turn){ .to = "Enabled" }, id);
}

static int disable_key(struct api_call *call)
{
	char id[UUID_TEXT_SIZE];

	return turn(call, (struct turn){ .to = "Disabled" }, id);
}

static int schedule_key_deletion(struct api_call *call)
{
	json_int_t days = api_integer(call, "PendingWindowInDays", WINDOW_MAX);
	struct turn t = { .to = "PendingDeletion",
			  .deletion =
				  reactor_realtime() / SEC(1) + days * DAY };
	char id[UUID_TEXT_SIZE];
	int r = turn(call, t, id);

	if (r == 0)
		call->output = json_pack("{s:o, s:I, s:s, s:I}", "KeyId",
					 arn(call, "key/", id), "DeletionDate",
					 t.deletion, "KeyState", t.to,
					 "PendingWindowInDays", days);
	return r;
}

static int cancel_key_deletion(struct api_call *call)
{
	char id[UUID_TEXT_SIZE];
	int r = turn(call,
		     (struct turn){ .to = "Disabled", .from_pending = true },
		     id);

	if (r == 0)
		call->output =
			json_pack("{s:o}", "KeyId", arn(call, "key/", id));
	return r;
}

/* ---------------------------------------------------------------- aliases */

static int check_alias(struct api_call *call)
{
	if (strncmp(api_string(call, "AliasName"), "alias/aws/", 10) != 0)
		return 0;
	return api_refuse(call, "NotAuthorizedException",
			  "Aliases that begin with alias/aws/ are reserved.");
}

static int create_alias(struct api_call *call)
{
	const char *name = api_string(call, "AliasName"), *id;
	char own[300];
	const json_t *key;
	int r = find_key(call, api_string(call, "TargetKeyId"), &id, &key);

	if (r == 0)
		r = check_alias(call);
	if (r < 0)
		return r;
	snprintf(own, sizeof(own), "%s", name);
	return thing_create(control_of(call), THING_ALIAS, NULL, own,
			    json_pack("{s:s}", "TargetKeyId", id),
			    &call->error);
}

static int delete_alias(struct api_call *call)
{
	const char *name = api_string(call, "AliasName");
	int r = check_alias(call);

	if (r == 0)
		r = thing_delete(control_of(call), THING_ALIAS, name,
				 &call->error);
	if (r == -ENOENT)
		return api_refuse(call, "NotFoundException",
				  "Alias %.256s is not found.", name);
	return r;
}

static json_t *show_alias(const struct api_call *call, const char *name,
			  const json_t *alias)
{
	const char *wanted = api_string(call, "KeyId");
	const char *target = text_of(alias, "TargetKeyId");

	if (wanted != NULL && strstr(wanted, target) == NULL)
		return NULL;
	return json_pack("{s:s, s:o, s:s}", "AliasName", name, "AliasArn",
			 arn(call, "", name), "TargetKeyId", target);
}

static int list_aliases(struct api_call *call)
{
	return list(call, THING_ALIAS, "Aliases", show_alias);
}

/* -------------------------------------------------------------- the table */

#define PAGE                                                                   \
	{ "Limit", API_INTEGER, .min = 1, .max = 1000 },                       \
	{                                                                      \
		"Marker", API_STRING, .min = 1, .max = 320                     \
	}
#define KEY_ID(needed)                                                         \
	{                                                                      \
		"KeyId", API_STRING, needed, .min = 1, .max = 2048             \
	}

static struct api_pattern alias_name = { "^alias/[a-zA-Z0-9/_-]+$" };

#define ALIAS                                                                  \
	{                                                                      \
		"AliasName", API_STRING, true, .min = 1, .max = 256,           \
					       .pattern = &alias_name          \
	}

static const struct api_field create_key_fields[] = {
	{ "Description", API_STRING, .max = 8192 },
	{ "KeyUsage", API_STRING, .values = "ENCRYPT_DECRYPT" },
	{ "KeySpec", API_STRING, .values = "SYMMETRIC_DEFAULT" },
	{},
};
static const struct api_field the_key[] = { KEY_ID(true), {} };
static const struct api_field schedule[] = {
	KEY_ID(true),
	{ "PendingWindowInDays", API_INTEGER, .min = WINDOW_MIN,
	  .max = WINDOW_MAX },
	{},
};
static const struct api_field keys[] = { PAGE, {} };
static const struct api_field aliases[] = { PAGE, KEY_ID(false), {} };
static const struct api_field create_alias_fields[] = {
	ALIAS, { "TargetKeyId", API_STRING, true, .min = 1, .max = 2048 }, {}
};
static const struct api_field the_alias[] = { ALIAS, {} };

static const struct api_operation operations[] = {
	{ "CancelKeyDeletion", cancel_key_deletion, the_key },
	{ "CreateAlias", create_alias, create_alias_fields },
	{ "CreateKey", create_key, create_key_fields },
	{ "DeleteAlias", delete_alias, the_alias },
	{ "DescribeKey", describe_key, the_key },
	{ "DisableKey", disable_key, the_key },
	{ "EnableKey", enable_key, the_key },
	{ "ListAliases", list_aliases, aliases },
	{ "ListKeys", list_keys, keys },
	{ "ScheduleKeyDeletion", schedule_key_deletion, schedule },
	{},
};

const struct api_service api_kms = {
	.name = "kms",
	.protocol = &api_json,
	.operations = operations,
	.target = "TrentService.",
};
