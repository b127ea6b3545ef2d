/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device-mapper's multipath over the legs.  Each leg is a path group of its
 * own: the first that works has all requests.
 *
 * If multipathd has put the legs together already, because they show the same
 * WWID, that is the device; but Linux 5.18 and later hide the second of two
 * such namespaces.  Otherwise a table of our own does it, for legs that show
 * any identifiers: it is the volume driver that says they are the same.  Nobody
 * but us brings a failed path of that table back (dm_up() does), and its
 * requests wait while there is none.
 *
 * Legs over native multipath take bios and no requests, so the map does, too
 * (queue_mode bio).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/kernel.h"
#include "connect/sysfs.h"

#define OURS "hawser-"

enum { TABLE_SIZE = 128 + 64 * CONNECT_TARGETS_MAX, NODE_MS = 2000 };

static bool has_device(const struct leg *leg)
{
	return leg->device[0] != '\0';
}

static void map_name(const struct stand *s, char out[CONNECT_NAME_SIZE + 16])
{
	snprintf(out, CONNECT_NAME_SIZE + 16, OURS "%s", s->info->name);
}

/* ------------------------------------------------------------------- finding
 */

static bool is_multipath(const struct stand *s)
{
	char uuid[160];

	connect_read_or_empty(s->host, uuid, sizeof(uuid),
			      "/sys/class/block/%s/dm/uuid", s->device);
	return strncmp(uuid, "mpath-", 6) == 0 ||
	       strncmp(uuid, OURS, strlen(OURS)) == 0;
}

static bool is_ours(const struct stand *s)
{
	char uuid[160];

	connect_read_or_empty(s->host, uuid, sizeof(uuid),
			      "/sys/class/block/%s/dm/uuid", s->device);
	return strncmp(uuid, OURS, strlen(OURS)) == 0;
}

static bool find_by_legs(struct stand *s)
{
	for (unsigned i = 0; i < s->info->n_targets; i++)
		if (has_device(&s->legs[i]) &&
		    sys_holder(s->host, s->legs[i].device, "dm-", s->device) &&
		    is_multipath(s))
			return true;
	return false;
}

static bool find_by_name(struct stand *s)
{
	char name[CONNECT_NAME_SIZE + 16], said[256];
	const char *argv[] = { "dmsetup",      "info",	    "--columns",
			       "--noheadings", "--options", "blkdevname",
			       name,	       NULL };

	map_name(s, name);
	if (s->host->ops->run(s->host, argv, 30, said, sizeof(said)) != 0 ||
	    strncmp(said, "dm-", 3) != 0)
		return false;
	snprintf(s->device, sizeof(s->device), "%.*s",
		 (int)strcspn(said, " \n"), said);
	return true;
}

bool dm_find(struct stand *s)
{
	char name[CONNECT_NAME_SIZE];

	if (!find_by_legs(s) && !find_by_name(s))
		return false;
	connect_read_or_empty(s->host, name, sizeof(name),
			      "/sys/class/block/%s/dm/name", s->device);
	snprintf(s->path, sizeof(s->path), "/dev/mapper/%s", name);
	return true;
}

/* ------------------------------------------------------------------- table */

/* All are as large as the smallest: one that is larger is being extended. */
static uint64_t sectors(const struct stand *s)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < s->info->n_targets; i++)
		if (has_device(&s->legs[i]))
			least = MIN(least, s->legs[i].size / 512);
	return least;
}

static int make_table(const struct stand *s, char table[TABLE_SIZE],
		      char text[CONNECT_TEXT])
{
	char number[CONNECT_DEVICE_SIZE], groups[64 * CONNECT_TARGETS_MAX];
	unsigned n = 0, used = 0;

	groups[0] = '\0';
	for (unsigned i = 0; i < s->info->n_targets; i++) {
		if (!has_device(&s->legs[i]))
			continue;
		sys_number(s->host, s->legs[i].device, number);
		if (number[0] == '\0')
			return refuse_with(text, -ENODEV, "/dev/%s has gone",
					   s->legs[i].device);
		used += snprintf(groups + used, sizeof(groups) - used,
				 " round-robin 0 1 1 %s 1", number);
		n++;
	}
	snprintf(table, TABLE_SIZE,
		 "0 %llu multipath 3 queue_if_no_path queue_mode bio 0 %u 1%s",
		 (unsigned long long)sectors(s), n, groups);
	return 0;
}

/* ------------------------------------------------------------ up and down */

static int check_sizes(const struct stand *s, char text[CONNECT_TEXT])
{
	const struct leg *first = NULL;

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		const struct leg *leg = &s->legs[i];

		if (!has_device(leg))
			continue;
		if (first == NULL)
			first = leg;
		if (leg->size != first->size)
			return refuse_with(
				text, -EINVAL,
				"/dev/%s and /dev/%s differ in size: they "
				"can't hold the same",
				first->device, leg->device);
	}
	return 0;
}

static int create(struct stand *s, char text[CONNECT_TEXT])
{
	char name[CONNECT_NAME_SIZE + 16], table[TABLE_SIZE];
	int rc = check_sizes(s, text);

	map_name(s, name);
	if (rc == 0)
		rc = make_table(s, table, text);
	/* Names of maps and their UUIDs have spaces of their own. */
	if (rc == 0)
		rc = connect_run(s->host, text, "dmsetup", "create", name,
				 "--uuid", name, "--table", table, NULL);
	return rc;
}

/* What was on its way is kept, and goes by the new table. */
static int load_table(struct stand *s, const char *name,
		      char text[CONNECT_TEXT])
{
	char table[TABLE_SIZE];
	int rc = make_table(s, table, text);

	if (rc == 0)
		rc = connect_run(s->host, text, "dmsetup", "reload", name,
				 "--table", table, NULL);
	if (rc == 0)
		rc = connect_run(s->host, text, "dmsetup", "resume",
				 "--noflush", name, NULL);
	return rc;
}

/* What the status says of a leg: " 259:1 A …" (active), F (failed); '\0': it is
 * not in the table. */
static char path_state(const struct stand *s, const struct leg *leg,
		       const char *status)
{
	char number[CONNECT_DEVICE_SIZE], word[CONNECT_DEVICE_SIZE + 2];
	const char *at;

	sys_number(s->host, leg->device, number);
	snprintf(word, sizeof(word), " %s ", number);
	at = strstr(status, word);
	return at != NULL ? at[strlen(word)] : '\0';
}

static int reinstate(struct stand *s, const struct leg *leg, const char *name,
		     char text[CONNECT_TEXT])
{
	char number[CONNECT_DEVICE_SIZE], message[CONNECT_DEVICE_SIZE + 16];

	sys_number(s->host, leg->device, number);
	snprintf(message, sizeof(message), "reinstate_path %s", number);
	return connect_run(s->host, text, "dmsetup", "message", name, "0",
			   message, NULL);
}

/* Each leg is in the table, and is used if it can be. */
static int mend(struct stand *s, const char *name, char text[CONNECT_TEXT])
{
	const char *argv[] = { "dmsetup", "status", name, NULL };
	char status[2048];
	int rc;

	rc = s->host->ops->run(s->host, argv, 30, status, sizeof(status));
	if (rc != 0)
		return refuse_with(text, rc < 0 ? rc : -EIO,
				   "dmsetup status: %.200s", status);
	for (unsigned i = 0; i < s->info->n_targets; i++)
		if (has_device(&s->legs[i]) &&
		    path_state(s, &s->legs[i], status) == '\0')
			return load_table(s, name, text);
	for (unsigned i = 0; i < s->info->n_targets && rc == 0; i++)
		if (has_device(&s->legs[i]) && leg_live(&s->legs[i]) > 0 &&
		    path_state(s, &s->legs[i], status) == 'F')
			rc = reinstate(s, &s->legs[i], name, text);
	return rc;
}

/* udev makes it, and takes it away, where there is one. */
static int settle_node(struct stand *s, bool there, char text[CONNECT_TEXT])
{
	long long end = s->host->ops->now(s->host) + NODE_MS;

	while (connect_exists(s->host, "%s", s->path) != there) {
		if (s->host->ops->now(s->host) >= end)
			return connect_run(s->host, text, "dmsetup", "mknodes",
					   NULL);
		s->host->ops->pause(s->host, 100);
	}
	return 0;
}

/* multipathd looks after its map; but it has to have all legs in it, which it
 * puts together one by one. */
static int check_foreign(struct stand *s, char text[CONNECT_TEXT])
{
	long long end = s->host->ops->now(s->host) + NODE_MS;
	char holder[CONNECT_DEVICE_SIZE];

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		const struct leg *leg = &s->legs[i];

		while (has_device(leg) &&
		       (!sys_holder(s->host, leg->device, "dm-", holder) ||
			strcmp(holder, s->device) != 0)) {
			if (s->host->ops->now(s->host) >= end)
				return refuse_with(
					text, -EBUSY,
					"%s is multipathd's, and /dev/%s is "
					"not in it: have it leave both alone",
					s->path, leg->device);
			s->host->ops->pause(s->host, 100);
		}
	}
	return 0;
}

int dm_up(struct stand *s, char text[CONNECT_TEXT])
{
	char name[CONNECT_NAME_SIZE + 16];
	int rc = 0;

	map_name(s, name);
	if (!dm_find(s)) {
		rc = create(s, text);
		if (dm_find(s))
			rc = 0; /* ours, or multipathd was faster */
		else if (rc == 0)
			rc = refuse_with(text, -EIO,
					 "%s: dmsetup has made no device",
					 name);
	} else if (is_ours(s)) {
		rc = mend(s, name, text);
	}
	if (rc < 0)
		return rc;
	return is_ours(s) ? settle_node(s, true, text) : check_foreign(s, text);
}

int dm_down(struct stand *s, char text[CONNECT_TEXT])
{
	const char *name = strrchr(s->path, '/') + 1;
	int rc;

	if (!is_ours(s))
		return connect_run(s->host, text, "multipath", "-f", name,
				   NULL);
	/* What still waits for a path would wait for ever. */
	connect_run(s->host, text, "dmsetup", "message", name, "0",
		    "fail_if_no_path", NULL);
	rc = connect_run(s->host, text, "dmsetup", "remove", "--retry", name,
			 NULL);
	return rc == 0 ? settle_node(s, false, text) : rc;
}

int dm_grow(struct stand *s, char text[CONNECT_TEXT])
{
	const char *name = strrchr(s->path, '/') + 1;

	if (!is_ours(s))
		return connect_run(s->host, text, "multipathd", "resize", "map",
				   name, NULL);
	return load_table(s, name, text);
}
