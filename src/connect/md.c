/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAID 1 over the legs, by mdadm.  What a leg's superblock says decides:
 *
 *	an array that runs holds a leg   it is the one: legs it lacks are added
 *	some leg has a superblock        they are assembled, degraded if need be
 *	none has one, all legs are there they are new: an array is created
 *
 * A leg without superblock that has anything else on it is never made part of
 * an array: that would be the end of what it has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/kernel.h"
#include "connect/sysfs.h"

/* ------------------------------------------------------------------- finding
 */

static bool has_device(const struct leg *leg)
{
	return leg->device[0] != '\0';
}

/* "/dev/md/NAME" is a link to "../md127". */
static bool find_by_name(struct stand *s)
{
	char path[PATH_MAX], to[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/dev/md/%s", s->host->root,
		 s->info->name);
	n = readlink(path, to, sizeof(to) - 1);
	if (n <= 3 || strncmp(to, "../", 3) != 0 ||
	    n - 3 >= CONNECT_DEVICE_SIZE)
		return false;
	to[n] = '\0';
	strcpy(s->device, to + 3);
	return connect_exists(s->host, "/sys/class/block/%s/md", s->device);
}

static bool find_by_legs(struct stand *s)
{
	for (unsigned i = 0; i < s->info->n_targets; i++)
		if (has_device(&s->legs[i]) &&
		    sys_holder(s->host, s->legs[i].device, "md", s->device))
			return true;
	return false;
}

bool md_find(struct stand *s)
{
	if (!find_by_legs(s) && !find_by_name(s))
		return false;
	if (connect_exists(s->host, "/dev/md/%s", s->info->name))
		snprintf(s->path, sizeof(s->path), "/dev/md/%s", s->info->name);
	else
		snprintf(s->path, sizeof(s->path), "/dev/%s", s->device);
	return true;
}

static bool is_running(const struct stand *s)
{
	char state[32];

	connect_read_or_empty(s->host, state, sizeof(state),
			      "/sys/class/block/%s/md/array_state", s->device);
	return !is_one_of(state, "inactive|clear|");
}

static void dev_path(const char *device, char out[CONNECT_DEVICE_SIZE + 8])
{
	snprintf(out, CONNECT_DEVICE_SIZE + 8, "/dev/%s", device);
}

/* -------------------------------------------------------------- superblocks */

/* The array's name in a leg's superblock: "any:v" is v.  False: it has none. */
static bool superblock(struct connect_host *h, const char *device,
		       char name[CONNECT_NAME_SIZE])
{
	char path[CONNECT_DEVICE_SIZE + 8], said[4096];
	const char *argv[] = { "mdadm", "--examine", "--export", path, NULL };
	const char *line, *colon;

	dev_path(device, path);
	if (h->ops->run(h, argv, 30, said, sizeof(said)) != 0)
		return false;
	name[0] = '\0';
	line = strstr(said, "MD_NAME=");
	if (line != NULL) {
		snprintf(name, CONNECT_NAME_SIZE, "%.*s",
			 (int)strcspn(line + 8, "\n"), line + 8);
		colon = strrchr(name, ':');
		if (colon != NULL)
			memmove(name, colon + 1, strlen(colon));
	}
	return strstr(said, "MD_UUID=") != NULL;
}

bool md_is_member(struct connect_host *h, const struct leg *leg)
{
	char name[CONNECT_NAME_SIZE];

	return superblock(h, leg->device, name);
}

/* Nothing is on it that anybody could miss. */
static int check_empty(struct stand *s, const char *device,
		       char text[CONNECT_TEXT])
{
	char path[CONNECT_DEVICE_SIZE + 8], said[512];
	const char *argv[] = { "wipefs", "--noheadings", "--output",
			       "TYPE",	 path,		 NULL };
	int rc;

	dev_path(device, path);
	rc = s->host->ops->run(s->host, argv, 30, said, sizeof(said));
	if (rc != 0)
		return refuse_with(text, rc < 0 ? rc : -EIO,
				   "%s: whether it is empty can't be told: "
				   "%.150s",
				   path, said);
	if (said[0] != '\0')
		return refuse_with(text, -EEXIST,
				   "%s has no RAID superblock, and is not "
				   "empty: %.*s",
				   path, (int)strcspn(said, "\n"), said);
	return 0;
}

/* ------------------------------------------------------ an array that runs */

/* "in_sync", "faulty", …; "": it is no part of it. */
static void member_state(const struct stand *s, const struct leg *leg,
			 char state[64])
{
	connect_read_or_empty(s->host, state, 64,
			      "/sys/class/block/%s/md/dev-%s/state", s->device,
			      leg->device);
}

/* What it has missed is copied to it: by the bitmap, if it was part of the
 * array before; all, if it is new. */
static int add_leg(struct stand *s, const struct leg *leg,
		   char text[CONNECT_TEXT])
{
	char path[CONNECT_DEVICE_SIZE + 8], name[CONNECT_NAME_SIZE];
	int rc = 0;

	dev_path(leg->device, path);
	if (!superblock(s->host, leg->device, name)) {
		rc = check_empty(s, leg->device, text);
		return rc < 0 ? rc
			      : connect_run(s->host, text, "mdadm", "--manage",
					    s->path, "--add", path, NULL);
	}
	if (strcmp(name, s->info->name) != 0)
		return refuse_with(text, -EEXIST,
				   "%s is part of another array, %.40s", path,
				   name);
	rc = connect_run(s->host, text, "mdadm", "--manage", s->path,
			 "--re-add", path, NULL);
	if (rc == -EIO)
		rc = connect_run(s->host, text, "mdadm", "--manage", s->path,
				 "--add", path, NULL);
	return rc;
}

/* A leg that failed and can be reached again stays out of the array until
 * somebody brings it back. */
static void mend(struct stand *s)
{
	char text[CONNECT_TEXT], state[64], path[CONNECT_DEVICE_SIZE + 8];

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		const struct leg *leg = &s->legs[i];

		if (!has_device(leg) || leg_live(leg) == 0)
			continue;
		member_state(s, leg, state);
		if (state[0] != '\0' && strstr(state, "faulty") == NULL)
			continue;
		dev_path(leg->device, path);
		if (state[0] != '\0')
			connect_run(s->host, text, "mdadm", "--manage", s->path,
				    "--remove", path, NULL);
		if (add_leg(s, leg, text) < 0)
			stand_warn(s, "%s", text);
	}
}

/* ------------------------------------------------------ to have it running */

/* mdadm with these words, and the devices of the legs that are members (or of
 * all). */
static int run_with_legs(struct stand *s, const char *const *words,
			 bool members_only, char text[CONNECT_TEXT])
{
	char paths[CONNECT_TARGETS_MAX][CONNECT_DEVICE_SIZE + 8];
	const char *argv[24 + CONNECT_TARGETS_MAX];
	char said[1024];
	unsigned n = 0;
	int rc;

	while (words[n] != NULL && n < 24) {
		argv[n] = words[n];
		n++;
	}
	for (unsigned i = 0; i < s->info->n_targets; i++) {
		const struct leg *leg = &s->legs[i];

		if (!has_device(leg) ||
		    (members_only && !md_is_member(s->host, leg)))
			continue;
		dev_path(leg->device, paths[i]);
		argv[n++] = paths[i];
	}
	argv[n] = NULL;
	rc = s->host->ops->run(s->host, argv, 60, said, sizeof(said));
	if (rc == 0)
		return 0;
	return refuse_with(text, rc < 0 ? rc : -EIO, "mdadm %s: %.200s",
			   argv[1], rc < 0 ? strerror(-rc) : said);
}

static int check_names(struct stand *s, unsigned *members,
		       char text[CONNECT_TEXT])
{
	char name[CONNECT_NAME_SIZE];

	*members = 0;
	for (unsigned i = 0; i < s->info->n_targets; i++) {
		if (!has_device(&s->legs[i]) ||
		    !superblock(s->host, s->legs[i].device, name))
			continue;
		*members += 1;
		if (strcmp(name, s->info->name) != 0)
			return refuse_with(text, -EEXIST,
					   "/dev/%s is part of another array, "
					   "%.40s",
					   s->legs[i].device, name);
	}
	return 0;
}

static int assemble(struct stand *s, const char *path, char text[CONNECT_TEXT])
{
	const char *const words[] = { "mdadm",	    "--assemble", "--run",
				      "--homehost", "any",	  path,
				      NULL };

	return run_with_legs(s, words, true, text);
}

static int create(struct stand *s, const char *path, char text[CONNECT_TEXT])
{
	char count[16];
	const char *const words[] = { "mdadm",
				      "--create",
				      path,
				      "--run",
				      "--name",
				      s->info->name,
				      "--level",
				      "1",
				      "--bitmap",
				      "internal",
				      "--homehost",
				      "any",
				      "--failfast",
				      "--assume-clean",
				      "--raid-devices",
				      count,
				      NULL };
	unsigned n = 0;
	int rc;

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		if (!has_device(&s->legs[i]))
			continue;
		rc = check_empty(s, s->legs[i].device, text);
		if (rc < 0)
			return rc;
		n++;
	}
	if (n < s->info->replica_count)
		return refuse_with(text, -ENODEV,
				   "%s: a new array needs all of its replicas, "
				   "and %u of %u are there",
				   s->info->name, n, s->info->replica_count);
	snprintf(count, sizeof(count), "%u", n);
	return run_with_legs(s, words, false, text);
}

/* One that was found by pieces, and waits for the rest, is no use. */
static int stop_idle(struct stand *s, char text[CONNECT_TEXT])
{
	char path[CONNECT_DEVICE_SIZE + 8];

	dev_path(s->device, path);
	return connect_run(s->host, text, "mdadm", "--stop", path, NULL);
}

int md_up(struct stand *s, char text[CONNECT_TEXT])
{
	char path[CONNECT_NAME_SIZE + 16];
	unsigned members;
	int rc = 0;

	if (md_find(s)) {
		if (is_running(s)) {
			mend(s);
			return 0;
		}
		rc = stop_idle(s, text);
	}
	snprintf(path, sizeof(path), "/dev/md/%s", s->info->name);
	if (rc == 0)
		rc = check_names(s, &members, text);
	if (rc == 0)
		rc = members > 0 ? assemble(s, path, text)
				 : create(s, path, text);
	if (rc < 0)
		return rc;
	if (!md_find(s))
		return refuse_with(text, -EIO, "%s: mdadm has made no array",
				   path);
	mend(s);
	return 0;
}

int md_down(struct stand *s, char text[CONNECT_TEXT])
{
	return stop_idle(s, text);
}

int md_grow(struct stand *s, char text[CONNECT_TEXT])
{
	return connect_run(s->host, text, "mdadm", "--grow", s->path, "--size",
			   "max", NULL);
}
