/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/context.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "csi/internal.h"
#include "csi/param.h"

static int refuse(char err[CONTEXT_TEXT_SIZE], const char *key,
		  const char *value, const char *rule)
{
	snprintf(err, CONTEXT_TEXT_SIZE,
		 "Volume context property %s: '%.64s': %s", key, value, rule);
	return -EINVAL;
}

static bool is_address(const char *text)
{
	struct addr a;

	return strlen(text) < CONTEXT_ADDRESS_SIZE && text[0] &&
	       addr_parse(&a, text, 0) == 0 && a.sa.sa_family != AF_UNIX;
}

/* {"us-east-1a": "10.0.1.10", …}: that of the zone, else the first. */
static int parse_map(struct context *c, const char *value, const char *zone)
{
	json_t *map = json_loads(value, JSON_REJECT_DUPLICATES, NULL), *ip;
	const char *key, *text = NULL;
	int r = -EINVAL;

	json_object_foreach(map, key, ip)
	{
		if (!json_is_string(ip) || !is_address(json_string_value(ip)))
			goto out;
		if (text == NULL || strcmp(key, zone) == 0)
			text = json_string_value(ip);
	}
	if (text != NULL) {
		strcpy(c->address, text);
		r = 0;
	}
out:
	json_decref(map);
	return r;
}

static int parse_count(struct context *c, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end || n < 0 || n > INT32_MAX)
		return -EINVAL;
	c->max_targets = n;
	return 0;
}

static int parse_entry(struct context *c, const char *key, const char *value,
		       const char *zone, char err[CONTEXT_TEXT_SIZE])
{
	static const char boolean[] = "expected true or false";

	if (strcmp(key, "encryptInTransit") == 0) {
		c->encrypt_given = true;
		return param_bool(value, &c->encrypt) == 0
			       ? 0
			       : refuse(err, key, value, boolean);
	}
	if (strcmp(key, "crossaccount") == 0)
		return param_bool(value, &c->crossaccount) == 0
			       ? 0
			       : refuse(err, key, value, boolean);
	if (strcmp(key, "multipathing") == 0)
		return param_bool(value, &c->multipathing) == 0
			       ? 0
			       : refuse(err, key, value, boolean);
	if (strcmp(key, "maxMultipathTargets") == 0)
		return parse_count(c, value) == 0
			       ? 0
			       : refuse(err, key, value,
					"expected a whole number that is 0 or "
					"more");
	if (strcmp(key, "mounttargetip") == 0) {
		if (!is_address(value))
			return refuse(err, key, value,
				      "expected an IP address");
		strcpy(c->address, value);
		return 0;
	}
	if (strcmp(key, "mounttargetipmap") == 0)
		return parse_map(c, value, zone) == 0
			       ? 0
			       : refuse(err, key, value,
					"expected JSON, zones and IP "
					"addresses");
	if (strcmp(key, "storage.kubernetes.io/csiProvisionerIdentity") == 0 ||
	    strncmp(key, "csi.storage.k8s.io/", 19) == 0)
		return 0;
	snprintf(err, CONTEXT_TEXT_SIZE,
		 "Volume context property %.100s not supported", key);
	return -EINVAL;
}

int context_parse(struct context *c, size_t n,
		  struct csi_map_entry *const *entries, const char *zone,
		  char err[CONTEXT_TEXT_SIZE])
{
	int r = 0;

	*c = (struct context){};
	for (size_t i = 0; i < n && r == 0; i++)
		r = parse_entry(c, entries[i]->key, entries[i]->value, zone,
				err);
	return r;
}
