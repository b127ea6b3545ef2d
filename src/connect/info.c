/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/info.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "base/uuid.h"

/* mdadm keeps so many bytes of an array's name. */
enum { ALIAS_MAX = 32 };

/* ------------------------------------------------------------ what it's called
 */

/* Fit to be a file, and no option of a program. */
static bool is_name(const char *name, size_t most)
{
	size_t len = strlen(name);

	if (len == 0 || len > most || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    strchr("._-", name[i]) == NULL)
			return false;
	return true;
}

/* FNV-1a: the same in every process, and only to tell names apart. */
static uint64_t digest(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3ULL;
	return h;
}

static void name_target(const struct connect_target *t,
			char name[CONNECT_NAME_SIZE])
{
	if (t->id.has_uuid)
		uuid_format(t->id.uuid, name);
	else if (t->id.has_nguid)
		hex_format(t->id.nguid, 16, name);
	else if (t->id.has_eui64)
		hex_format(t->id.eui64, 8, name);
	else
		snprintf(name, CONNECT_NAME_SIZE, "nqn-%016llx-%u",
			 (unsigned long long)digest(t->nqn), t->id.nsid);
}

/* --------------------------------------------------------------- the shapes */

/* Two targets that are one would make a mirror of one disk. */
static bool is_twice(const struct connect_info *info)
{
	for (unsigned i = 0; i < info->n_targets; i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(info->targets[i].nqn,
				   info->targets[k].nqn) == 0 &&
			    memcmp(&info->targets[i].id, &info->targets[k].id,
				   sizeof(info->targets[k].id)) == 0)
				return true;
	return false;
}

static int parse_replicas(const json_t *list, const char *key,
			  struct connect_info *info, char text[CONNECT_TEXT])
{
	const json_t *one;
	char what[40];
	size_t i;
	int rc;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return refuse_with(text, -EINVAL, "%s is not a list of targets",
				   key);
	if (json_array_size(list) > CONNECT_TARGETS_MAX)
		return refuse_with(text, -EINVAL, "%s: at most %d", key,
				   CONNECT_TARGETS_MAX);
	json_array_foreach(list, i, one)
	{
		snprintf(what, sizeof(what), "%s[%zu]: ", key, i);
		rc = connect_target_parse(
			one, what, &info->targets[info->n_targets++], text);
		if (rc < 0)
			return rc;
	}
	if (is_twice(info))
		return refuse_with(text, -EINVAL,
				   "%s: the same volume is there twice", key);
	return 0;
}

/* It may be absent when there is one replica, which then is no mirror unless
 * it turns out to be part of one. */
static int parse_alias(const json_t *j, struct connect_info *info,
		       char text[CONNECT_TEXT])
{
	const json_t *alias = connect_get(j, "alias");

	if (alias == NULL) {
		if (info->replica_count > 1)
			return refuse_with(text, -EINVAL,
					   "alias is missing: the name of the "
					   "array");
		name_target(&info->targets[0], info->name);
		return 0;
	}
	if (!json_is_string(alias) ||
	    !is_name(json_string_value(alias), ALIAS_MAX))
		return refuse_with(text, -EINVAL,
				   "alias is not a name of 1 to %d letters, "
				   "digits, '.', '_' and '-'",
				   ALIAS_MAX);
	strcpy(info->name, json_string_value(alias));
	info->has_alias = true;
	return 0;
}

static int parse_mirror(const json_t *j, const json_t *list,
			struct connect_info *info, char text[CONNECT_TEXT])
{
	const json_t *count = connect_get(j, "replica_count");
	json_int_t n = 0;
	int rc = parse_replicas(list, "volume_replicas", info, text);

	if (rc < 0)
		return rc;
	if (count != NULL && json_integer_value(count) == 0 &&
	    json_is_integer(count))
		count = NULL; /* as OpenStack has it */
	if (count != NULL && (!connect_number(count, CONNECT_TARGETS_MAX, &n) ||
			      n < info->n_targets))
		return refuse_with(text, -EINVAL,
				   "replica_count is not a number from that of "
				   "volume_replicas to %d",
				   CONNECT_TARGETS_MAX);
	info->kind = CONNECT_MIRROR;
	info->replica_count = n > 0 ? (unsigned)n : info->n_targets;
	return parse_alias(j, info, text);
}

static int parse_shared(const json_t *j, const json_t *list,
			struct connect_info *info, char text[CONNECT_TEXT])
{
	const char *value = json_string_value(connect_get(j, "vol_uuid"));
	struct connect_target whole = {};
	int rc = parse_replicas(list, "dm_replicas", info, text);

	if (rc < 0)
		return rc;
	info->kind = CONNECT_SHARED;
	/* It need not be the UUID of any of them. */
	if (value == NULL || !connect_digits(value, whole.id.uuid, 16))
		return refuse_with(text, -EINVAL,
				   "vol_uuid is not a UUID: with dm_replicas "
				   "it names the device");
	whole.id.has_uuid = true;
	name_target(&whole, info->name);
	return 0;
}

static int parse_plain(const json_t *j, struct connect_info *info,
		       char text[CONNECT_TEXT])
{
	int rc = connect_target_parse(j, "", &info->targets[0], text);

	info->kind = CONNECT_PLAIN;
	info->n_targets = 1;
	if (rc == 0)
		name_target(&info->targets[0], info->name);
	return rc;
}

static int parse_shape(const json_t *j, struct connect_info *info,
		       char text[CONNECT_TEXT])
{
	const json_t *mirror = connect_get(j, "volume_replicas");
	const json_t *shared = connect_get(j, "dm_replicas");
	bool plain = connect_get(j, "target_nqn") != NULL ||
		     connect_get(j, "nqn") != NULL;

	if (mirror != NULL && shared != NULL)
		return refuse_with(text, -EINVAL,
				   "volume_replicas (RAID) and dm_replicas "
				   "(device-mapper) exclude each other");
	if (plain && (mirror != NULL || shared != NULL))
		return refuse_with(text, -EINVAL,
				   "a target_nqn beside replicas: it belongs "
				   "into each of them");
	if (mirror != NULL)
		return parse_mirror(j, mirror, info, text);
	if (shared != NULL)
		return parse_shared(j, shared, info, text);
	return parse_plain(j, info, text);
}

/* ---------------------------------------------------------------- the rest */

static int parse_flags(const json_t *j, struct connect_info *info,
		       char text[CONNECT_TEXT])
{
	const json_t *mode = connect_get(j, "access_mode");
	const json_t *enforce = connect_get(j, "enforce_multipath");
	const char *name = json_string_value(mode);

	if (mode != NULL && (name == NULL || !is_one_of(name, "ro|rw")))
		return refuse_with(text, -EINVAL,
				   "access_mode is neither ro nor rw");
	if (enforce != NULL && !json_is_boolean(enforce))
		return refuse_with(text, -EINVAL,
				   "enforce_multipath is neither true nor "
				   "false");
	info->read_only = name != NULL && strcmp(name, "ro") == 0;
	info->enforce_multipath = json_is_true(enforce);
	return 0;
}

int connect_info_parse(const json_t *j, struct connect_info *out,
		       char text[CONNECT_TEXT])
{
	const json_t *data = connect_get(j, "data");
	int rc;

	memset(out, 0, sizeof(*out));
	if (json_is_object(data) &&
	    connect_get(j, "driver_volume_type") != NULL)
		j = data;
	if (!json_is_object(j))
		return refuse_with(text, -EINVAL,
				   "connection information is a JSON object");
	rc = parse_shape(j, out, text);
	return rc == 0 ? parse_flags(j, out, text) : rc;
}

int connect_info_load(const char *bytes, size_t len, struct connect_info *out,
		      char text[CONNECT_TEXT])
{
	json_error_t error;
	json_t *j;
	int rc;

	if (len > CONNECT_JSON_MAX)
		return refuse_with(text, -EINVAL, "more than %d bytes",
				   CONNECT_JSON_MAX);
	j = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (j == NULL)
		return refuse_with(text, -EINVAL, "not JSON: line %d: %s",
				   error.line, error.text);
	rc = connect_info_parse(j, out, text);
	json_decref(j);
	return rc;
}

json_t *connect_info_dump(const struct connect_info *info)
{
	json_t *j, *list;

	if (info->kind == CONNECT_PLAIN) {
		j = connect_target_dump(&info->targets[0]);
	} else {
		list = json_array();
		for (unsigned i = 0; i < info->n_targets; i++)
			json_array_append_new(
				list, connect_target_dump(&info->targets[i]));
		j = info->kind == CONNECT_MIRROR
			    ? json_pack("{s:i, s:o}", "replica_count",
					(int)info->replica_count,
					"volume_replicas", list)
			    : json_pack("{s:s, s:o}", "vol_uuid", info->name,
					"dm_replicas", list);
	}
	if (info->has_alias)
		json_object_set_new(j, "alias", json_string(info->name));
	json_object_set_new(j, "access_mode",
			    json_string(info->read_only ? "ro" : "rw"));
	json_object_set_new(j, "enforce_multipath",
			    json_boolean(info->enforce_multipath));
	return j;
}
