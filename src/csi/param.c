/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/param.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"
#include "csi/handle.h"

#define DEFAULT_START 50000
#define RANGE_WIDTH   10000

enum kind {
	TEXT,
	BOOL,
	ON_UNLESS_FALSE, /* nonsense leaves it on */
	ID,		 /* 0 to 4294967295 */
	POSITIVE_ID,
	COUNT,
};

/* What is said of a value that is not of its kind. */
static const char *const rules[] = {
	[BOOL] = "expected true or false",
	[ID] = "expected a whole number that is 0 or more",
	[POSITIVE_ID] = "expected a whole number that is greater than 0",
	[COUNT] = "expected a whole number that is 0 or more",
};

#define AT(member) offsetof(struct params, member)

static const struct row {
	const char *name;
	enum kind kind;
	size_t at;
	bool early;
} table[] = {
	{ "reuseAccessPoint", BOOL, AT(reuse), true },
	{ "enforceZoneAffinity", BOOL, AT(zone_affinity), true },
	{ "enableTagging", BOOL, AT(tagging), true },

	{ "provisioningMode", TEXT, AT(mode) },
	{ "fileSystemId", TEXT, AT(fs) },
	{ "fileSystemIdConfigRef", TEXT, AT(fs_config_ref) },
	{ "fileSystemIdSecretRef", TEXT, AT(fs_secret_ref) },
	{ "uid", ID, AT(uid) },
	{ "gid", ID, AT(gid) },
	{ "gidRangeStart", POSITIVE_ID, AT(gid_start) },
	{ "gidRangeEnd", POSITIVE_ID, AT(gid_end) },
	{ "directoryPerms", TEXT, AT(permissions) },
	{ "basePath", TEXT, AT(base_path) },
	{ "subPathPattern", TEXT, AT(pattern) },
	{ "ensureUniqueDirectory", ON_UNLESS_FALSE, AT(unique_directory) },
	{ "az", TEXT, AT(az) },

	/* Not upstream's. */
	{ "multipathing", BOOL, AT(multipathing) },
	{ "maxMultipathTargets", COUNT, AT(max_targets) },
	{ "protocol", TEXT, AT(protocol) },

	/* What external-provisioner adds with --extra-create-metadata. */
	{ "csi.storage.k8s.io/pv/name", TEXT, AT(pv_name) },
	{ "csi.storage.k8s.io/pvc/name", TEXT, AT(pvc_name) },
	{ "csi.storage.k8s.io/pvc/namespace", TEXT, AT(pvc_namespace) },
};

__attribute__((format(printf, 2, 3))) static int refuse(
	char err[PARAM_TEXT_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, PARAM_TEXT_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

/* ------------------------------------------------------------------- values */

int param_bool(const char *text, bool *out)
{
	*out = is_one_of(text, "1|t|T|TRUE|true|True");
	return *out || is_one_of(text, "0|f|F|FALSE|false|False") ? 0 : -EINVAL;
}

static int parse_number(const char *text, int64_t min, int64_t max,
			int64_t *out)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return -EINVAL;
	*out = strtoll(text, NULL, 10);
	return *out >= min && *out <= max ? 0 : -EINVAL;
}

static int set(void *to, enum kind kind, const char *value)
{
	bool on;

	switch (kind) {
	case TEXT:
		*(const char **)to = value;
		return 0;
	case BOOL:
		return param_bool(value, to);
	case ON_UNLESS_FALSE:
		*(bool *)to = param_bool(value, &on) < 0 || on;
		return 0;
	case ID:
		return parse_number(value, 0, UINT32_MAX, to);
	case POSITIVE_ID:
		return parse_number(value, 1, UINT32_MAX, to);
	case COUNT:
		return parse_number(value, 0, INT32_MAX, to);
	}
	return -EINVAL;
}

static const char *find(const struct param_pair *pairs, size_t n,
			const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i].key, key) == 0)
			return pairs[i].value;
	return NULL;
}

static int parse(struct params *p, const struct param_pair *pairs, size_t n,
		 bool early, char err[PARAM_TEXT_SIZE])
{
	for (const struct row *row = table; row < table + ARRAY_SIZE(table);
	     row++) {
		const char *value;

		if (row->early != early)
			continue;
		value = find(pairs, n, row->name);
		if (value != NULL &&
		    set((char *)p + row->at, row->kind, value) < 0)
			return refuse(err, "Invalid value '%.64s' of %s: %s",
				      value, row->name, rules[row->kind]);
	}
	return 0;
}

void params_init(struct params *p)
{
	*p = (struct params){ .tagging = true,
			      .unique_directory = true,
			      .mode = "",
			      .protocol = "",
			      .fs = "",
			      .fs_config_ref = "",
			      .fs_secret_ref = "",
			      .permissions = "700",
			      .base_path = "",
			      .pattern = "",
			      .az = "",
			      .pv_name = "",
			      .pvc_name = "",
			      .pvc_namespace = "",
			      .uid = -1,
			      .gid = -1,
			      .gid_start = -1,
			      .gid_end = -1 };
}

int params_parse_early(struct params *p, const struct param_pair *pairs,
		       size_t n, char err[PARAM_TEXT_SIZE])
{
	return parse(p, pairs, n, true, err);
}

/* -------------------------------------------------------------------- rules */

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\n")] == '\0';
}

static int check_fs(const struct params *p, char err[PARAM_TEXT_SIZE])
{
	int given = !is_blank(p->fs) + !is_blank(p->fs_config_ref) +
		    !is_blank(p->fs_secret_ref);

	if (given != 1)
		return refuse(err, "Exactly one of fileSystemId, "
				   "fileSystemIdConfigRef and "
				   "fileSystemIdSecretRef is needed");
	if (is_blank(p->fs))
		return refuse(err,
			      "%s is not there: this driver reads no "
			      "objects of the cluster; use fileSystemId",
			      is_blank(p->fs_config_ref)
				      ? "fileSystemIdSecretRef"
				      : "fileSystemIdConfigRef");
	if (!handle_is_id(p->fs, "fs-"))
		return refuse(err,
			      "fileSystemId '%.64s' is not the id of a "
			      "file system",
			      p->fs);
	return 0;
}

static int check_mode(const struct params *p, char err[PARAM_TEXT_SIZE])
{
	if (p->mode[0] == '\0')
		return refuse(err, "Missing provisioningMode parameter");
	if (strcmp(p->mode, "s3files-ap") == 0)
		return refuse(err, "Provisioning mode s3files-ap is not there: "
				   "Hawser has no S3 file systems");
	if (strcmp(p->mode, "efs-ap") != 0)
		return refuse(err,
			      "Provisioning mode %.64s is not supported. "
			      "Only Access point provisioning 'efs-ap' or "
			      "'s3files-ap' are supported",
			      p->mode);
	return 0;
}

static int check_protocol(const struct params *p, char err[PARAM_TEXT_SIZE])
{
	if (p->protocol[0] == '\0' || strcmp(p->protocol, "nfs") == 0)
		return 0;
	return refuse(err, "protocol '%.64s' is not known: nfs and nvme are",
		      p->protocol);
}

/* The ids are checked after what is asked for as a whole: so is the order in
 * which the upstream driver complains. */
int params_parse_late(struct params *p, const struct param_pair *pairs,
		      size_t n, char err[PARAM_TEXT_SIZE])
{
	char later[PARAM_TEXT_SIZE];
	int r = parse(p, pairs, n, false, later);

	if (check_fs(p, err) < 0 || check_mode(p, err) < 0 ||
	    check_protocol(p, err) < 0)
		return -EINVAL;
	if (r < 0)
		memcpy(err, later, PARAM_TEXT_SIZE);
	return r;
}

int params_check_ids(const struct params *p, struct gid_range *range,
		     char err[PARAM_TEXT_SIZE])
{
	size_t digits = strspn(p->permissions, "01234567");

	if ((p->gid_start < 0) != (p->gid_end < 0))
		return refuse(err,
			      "Missing parameter %s: gidRangeStart and "
			      "gidRangeEnd belong together",
			      p->gid_start < 0 ? "gidRangeStart"
					       : "gidRangeEnd");
	if (p->gid_start >= 0 && p->gid_end <= p->gid_start)
		return refuse(err,
			      "gidRangeEnd %lld must be greater than "
			      "gidRangeStart %lld",
			      (long long)p->gid_end, (long long)p->gid_start);
	if (p->permissions[digits] != '\0' || digits < 3 || digits > 4)
		return refuse(err,
			      "directoryPerms '%.16s' is not three or "
			      "four octal digits",
			      p->permissions);
	range->start = p->gid_start < 0 ? DEFAULT_START : p->gid_start;
	range->end =
		p->gid_start < 0 ? DEFAULT_START + RANGE_WIDTH : p->gid_end;
	if (range->end - range->start > RANGE_WIDTH)
		range->end = range->start + RANGE_WIDTH;
	return 0;
}

/* --------------------------------------------------------------------- root */

enum { LONG_PATH = 1024 };

static const struct {
	const char *name;
	size_t at;
} variables[] = {
	{ "${.PVC.name}", AT(pvc_name) },
	{ "${.PVC.namespace}", AT(pvc_namespace) },
	{ "${.PV.name}", AT(pv_name) },
};

static const char *variable(const struct params *p, const char *text,
			    size_t *len)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		*len = strlen(variables[i].name);
		if (strncmp(text, variables[i].name, *len) == 0)
			return *(const char **)((const char *)p +
						variables[i].at);
	}
	return NULL;
}

/* The name of one directory. */
static bool is_component(const char *text)
{
	return strchr(text, '/') == NULL && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0;
}

/* The values of variables may be any names, but lead nowhere. */
static int expand(const struct params *p, char out[LONG_PATH],
		  char err[PARAM_TEXT_SIZE])
{
	const char *text = p->pattern, *value;
	size_t used = 0, len;

	while (*text) {
		value = variable(p, text, &len);
		if (value == NULL && (*text == '}' || !strncmp(text, "${", 2)))
			return refuse(err,
				      "subPathPattern '%.100s': at "
				      "'%.20s': the variables are "
				      "${.PVC.name}, ${.PVC.namespace} "
				      "and ${.PV.name}",
				      p->pattern, text);
		if (value != NULL && !is_component(value))
			return refuse(err,
				      "subPathPattern '%.100s': '%.64s' is not "
				      "the name of a directory",
				      p->pattern, value);
		if (value == NULL) {
			value = text;
			len = 1;
		}
		used += snprintf(out + used, LONG_PATH - used, "%.*s",
				 value == text ? 1 : LONG_PATH, value);
		if (used >= LONG_PATH)
			return refuse(err, "subPathPattern is too long");
		text += len;
	}
	return 0;
}

int params_root(const struct params *p, const char *volume, const char *unique,
		char root[EFS_PATH_SIZE], char err[PARAM_TEXT_SIZE])
{
	char name[LONG_PATH] = "", whole[2 * LONG_PATH + UUID_TEXT_SIZE + 2];
	char clean[sizeof(whole)], base[LONG_PATH];
	bool has_pattern = p->pattern[0] != '\0';
	unsigned slashes = 0;
	int r;

	if (!has_pattern)
		snprintf(name, sizeof(name), "%s", volume);
	else if ((r = expand(p, name, err)) < 0)
		return r;
	if (strlen(p->base_path) >= LONG_PATH)
		return refuse(err, "basePath is too long");
	snprintf(whole, sizeof(whole), "%s/%s%s%.36s", p->base_path, name,
		 has_pattern && p->unique_directory ? "-" : "",
		 has_pattern && p->unique_directory ? unique : "");
	if (handle_clean_path(whole, clean, sizeof(clean)) < 0 ||
	    handle_clean_path(p->base_path, base, sizeof(base)) < 0)
		return refuse(err, "basePath is too long");
	if (!handle_path_holds(base, clean))
		return refuse(err,
			      "subPathPattern '%.100s' leads out of basePath "
			      "'%.100s'",
			      p->pattern, p->base_path);
	for (const char *c = clean; *c; c++)
		slashes += *c == '/';
	if (strlen(clean) >= EFS_PATH_SIZE || slashes > 5)
		return refuse(err,
			      "Proposed path '%.120s' exceeds EFS limits: "
			      "at most 100 characters and 5 slashes",
			      clean);
	strcpy(root, clean);
	return 0;
}
