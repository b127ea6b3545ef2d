/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/identity.h"

enum {
	POLL_MS = 100,
	PATHS_MS = 5000,
	GROW_MS = 3000,
	BUSY_MS = 1000,
	ATTACH_S = 120
};

static void file_of(const struct connect_host *h,
		    const struct connect_info *info,
		    const struct connect_options *o, char out[PATH_MAX])
{
	if (o->file[0] != '\0')
		snprintf(out, PATH_MAX, "%s", o->file);
	else
		snprintf(out, PATH_MAX, "%s/run/hawser/volumes/%s", h->root,
			 info->name);
}

static void map_of(const struct connect_host *h,
		   const struct connect_info *info, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/var/lib/hawser/mirrors/%s.map", h->root,
		 info->name);
}

static void make_parents(const char *file)
{
	char path[PATH_MAX];

	for (const char *slash = strchr(file + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - file), file);
		mkdir(path, 0755);
	}
}

/* It is what says that somebody may be attaching the volume, also when we are
 * killed: `hawser attach` makes none, and doesn't go on without. */
static bool make_file(const char *file)
{
	int fd;

	make_parents(file);
	fd = open(file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* -------------------------------------------------------------- the report */

/* What the daemon of that file says; NULL: there is none. */
static json_t *ask(struct connect_host *h, const char *file)
{
	const char *argv[] = { h->program, "paths", file, "--json", NULL };
	auto_free char *said = malloc(CONNECT_OUTPUT);
	json_t *list = NULL, *report;

	if (said != NULL && h->ops->run(h, argv, 30, said, CONNECT_OUTPUT) == 0)
		list = json_loads(said, 0, NULL);
	report = json_array_get(list, 0);
	json_incref(report);
	json_decref(list);
	if (!json_is_array(json_object_get(report, "paths"))) {
		json_decref(report);
		return NULL;
	}
	return report;
}

/* Is that path one of the target's?  Its address, too. */
static bool is_path_of(const json_t *path, const struct connect_target *t,
		       struct connect_portal *out)
{
	const char *nqn = json_string_value(json_object_get(path, "source"));
	const char *at = json_string_value(json_object_get(path, "address"));

	memset(out, 0, sizeof(*out));
	return nqn != NULL && strcmp(nqn, t->nqn) == 0 && at != NULL &&
	       addr_parse(&out->addr, at, 0) == 0;
}

static const char *state_of(const json_t *path)
{
	const char *state = json_string_value(json_object_get(path, "state"));

	return state != NULL ? state : "absent";
}

static const char *path_state(const json_t *report,
			      const struct connect_target *t,
			      const struct connect_portal *p)
{
	struct connect_portal at;
	const json_t *path;
	size_t i;

	json_array_foreach(json_object_get(report, "paths"), i, path)
	{
		if (is_path_of(path, t, &at) && addr_equal(&at.addr, &p->addr))
			return state_of(path);
	}
	return "absent";
}

/* What it was told, and what the attachment has learned since. */
static void all_portals(const json_t *report, const struct connect_target *t,
			struct connect_target *out)
{
	struct connect_portal at;
	const json_t *path;
	size_t i;

	*out = *t;
	json_array_foreach(json_object_get(report, "paths"), i, path)
	{
		if (is_path_of(path, t, &at))
			connect_target_add_portals(out, &at, 1);
	}
}

/* Of the first n portals. */
static unsigned count_live(const json_t *report, const struct connect_target *t,
			   unsigned n)
{
	unsigned live = 0;

	for (unsigned i = 0; i < n; i++)
		live += strcmp(path_state(report, t, &t->portals[i]), "live") ==
			0;
	return live;
}

static json_t *report_target(const json_t *report,
			     const struct connect_target *t)
{
	json_t *portals = json_array();
	char address[ADDR_TEXT_MAX];
	const struct connect_portal *p;

	for (unsigned i = 0; i < t->n_portals; i++) {
		p = &t->portals[i];
		json_array_append_new(
			portals,
			json_pack("{s:s, s:i, s:s, s:s}", "address",
				  connect_portal_host(p, address), "port",
				  (int)addr_port(&p->addr), "transport", "tcp",
				  "state", path_state(report, t, p)));
	}
	return json_pack("{s:s, s:s, s:o}", "nqn", t->nqn, "device", "",
			 "portals", portals);
}

static json_t *make_result(const struct connect_info *info, const char *file,
			   const json_t *report)
{
	json_t *targets = json_array();
	unsigned wanted = 0, named = 0, all = 0;
	struct connect_target t;

	for (unsigned i = 0; i < info->n_targets; i++) {
		all_portals(report, &info->targets[i], &t);
		json_array_append_new(targets, report_target(report, &t));
		wanted += t.n_named;
		named += count_live(report, &t, t.n_named);
		all += count_live(report, &t, t.n_portals);
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:{s:i, s:i, s:i}, s:o}", "type",
			 "file", "path", file, "side", "user", "size",
			 json_integer_value(json_object_get(report, "size")),
			 "paths", "wanted", (int)wanted, "live", (int)named,
			 "learned", (int)(all - named), "targets", targets);
}

/* ----------------------------------------------------------------- connect */

/* Of a mirror, "source" is the first replica that was found. */
static bool is_same(const struct connect_info *info, const json_t *report)
{
	const char *source =
		json_string_value(json_object_get(report, "source"));

	for (unsigned i = 0; i < info->n_targets && source != NULL; i++)
		if (strcmp(source, info->targets[i].nqn) == 0)
			return true;
	return false;
}

static int check_map(const struct connect_host *h,
		     const struct connect_info *info,
		     const struct connect_options *o, struct user_place *p,
		     char map[PATH_MAX], char text[CONNECT_TEXT])
{
	bool mirror = info->kind == CONNECT_MIRROR && info->replica_count > 1;

	map_of(h, info, map);
	p->map = map;
	p->new_map = mirror && access(map, F_OK) < 0;
	if (p->new_map && !o->new_mirror)
		return refuse_with(
			text, -ENOENT,
			"%.100s: this host has no map of what each "
			"replica lacks; bring it from the last host, "
			"or, if the volume is new, begin one with "
			"--new-mirror",
			map);
	if (p->new_map)
		make_parents(map);
	return 0;
}

/* Of `hawser attach`, whose words these are. */
static int error_of(int rc, const char *said)
{
	if (rc < 0)
		return rc;
	if (strstr(said, "else is mounting") || strstr(said, "already mounted"))
		return -EALREADY;
	return strstr(said, "has no volume") ? -ENODEV : -ENOTCONN;
}

static int attach(struct connect_host *h, const struct connect_info *info,
		  const struct connect_options *o, const struct user_place *p,
		  char text[CONNECT_TEXT])
{
	struct user_words *w = malloc(sizeof(*w));
	char said[1024];
	int rc;

	if (w == NULL)
		return -ENOMEM;
	rc = user_plan(info, o, p, w, text);
	if (rc == 0) {
		rc = h->ops->run(h, w->argv, ATTACH_S, said, sizeof(said));
		if (rc != 0)
			rc = refuse_with(text, error_of(rc, said), "%.250s",
					 rc < 0 ? strerror(-rc) : said);
	}
	free(w);
	return rc;
}

/* What a process that was killed had started may still be at it, and then is
 * what we want. */
static int attach_or_wait(struct connect_host *h,
			  const struct connect_info *info,
			  const struct connect_options *o,
			  const struct user_place *p, char text[CONNECT_TEXT])
{
	long long end = h->ops->now(h) + ATTACH_S * 1000;
	json_t *report;
	int rc = attach(h, info, o, p, text);

	while (rc == -EALREADY && h->ops->now(h) < end) {
		report = ask(h, p->file);
		json_decref(report);
		if (report != NULL)
			return 0;
		h->ops->pause(h, POLL_MS);
		rc = attach(h, info, o, p, text);
	}
	return rc;
}

/* With one path only, the first that works. */
static int attach_some(struct connect_host *h, const struct connect_info *info,
		       const struct connect_options *o, struct user_place *p,
		       char text[CONNECT_TEXT])
{
	unsigned most = 0;
	int rc = -ENOTCONN;

	p->portal = -1;
	if (!o->single_path)
		return attach_or_wait(h, info, o, p, text);
	for (unsigned i = 0; i < info->n_targets; i++)
		most = MAX(most, info->targets[i].n_named);
	for (unsigned i = 0; i < most && rc == -ENOTCONN; i++) {
		p->portal = (int)i;
		rc = attach_or_wait(h, info, o, p, text);
	}
	return rc;
}

static int start(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, const char *file,
		 char text[CONNECT_TEXT])
{
	char hostnqn[CONNECT_NQN_SIZE], hostid[40], map[PATH_MAX];
	struct user_place p = { .program = h->program,
				.hostnqn = hostnqn,
				.hostid = hostid,
				.file = file };
	int rc = check_map(h, info, o, &p, map, text);
	bool made;

	if (rc < 0)
		return rc;
	identity_host(h, hostnqn, hostid);
	made = make_file(file);
	rc = attach_some(h, info, o, &p, text);
	if (rc < 0 && made)
		unlink(file);
	return rc;
}

/* Has each target so many live paths?  Of several targets, one that has none
 * is a replica that is missing, as long as there is another. */
static bool has_enough(const json_t *report, const struct connect_info *info,
		       unsigned wanted)
{
	unsigned found = 0, live;

	for (unsigned i = 0; i < info->n_targets; i++) {
		live = count_live(report, &info->targets[i],
				  info->targets[i].n_named);
		if (live < wanted && (live > 0 || info->n_targets == 1))
			return false;
		found += live > 0;
	}
	return found > 0;
}

/* The report as soon as there are that many live paths, or what there is when
 * that has taken too long. */
static json_t *wait_for_paths(struct connect_host *h,
			      const struct connect_info *info, const char *file,
			      unsigned wanted, bool *enough)
{
	long long end = h->ops->now(h) + PATHS_MS;
	json_t *report;

	for (;;) {
		report = ask(h, file);
		*enough = report != NULL && has_enough(report, info, wanted);
		if (*enough || h->ops->now(h) >= end)
			return report;
		json_decref(report);
		h->ops->pause(h, POLL_MS);
	}
}

static void warn_of_new(const json_t *report, const struct connect_info *info,
			json_t *warnings)
{
	char address[ADDR_TEXT_MAX], line[CONNECT_TEXT];
	const struct connect_portal *p;

	for (unsigned i = 0; i < info->n_targets; i++)
		for (unsigned k = 0; k < info->targets[i].n_named; k++) {
			p = &info->targets[i].portals[k];
			if (strcmp(path_state(report, &info->targets[i], p),
				   "absent") != 0)
				continue;
			snprintf(line, sizeof(line), "no path by %s",
				 addr_format(&p->addr, address));
			json_array_append_new(warnings, json_string(line));
		}
}

int user_connect(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, json_t **result,
		 json_t *warnings, char text[CONNECT_TEXT])
{
	char file[PATH_MAX];
	json_t *report;
	bool enough, ours = false;
	int rc = 0;

	file_of(h, info, o, file);
	report = ask(h, file);
	if (report != NULL && !is_same(info, report))
		rc = refuse_with(text, -EBUSY, "%.200s is another volume",
				 file);
	if (report == NULL) {
		rc = start(h, info, o, file, text);
		ours = rc == 0;
	}
	json_decref(report);
	if (rc < 0)
		return rc;
	report = wait_for_paths(h, info, file, o->min_paths, &enough);
	if (enough) {
		warn_of_new(report, info, warnings);
		*result = make_result(info, file, report);
	} else {
		rc = refuse_with(text, -ENOTCONN,
				 "fewer than %u paths of a target are live",
				 o->min_paths);
		if (ours)
			user_release(h, info, o, true, NULL);
	}
	json_decref(report);
	return rc;
}

/* -------------------------------------------------------------------- others
 */

int user_look(struct connect_host *h, const struct connect_info *info,
	      const struct connect_options *o, json_t **result,
	      char text[CONNECT_TEXT])
{
	char file[PATH_MAX];
	json_t *report;

	file_of(h, info, o, file);
	report = ask(h, file);
	if (report == NULL)
		return refuse_with(text, -ENODEV, "%s: it is not connected",
				   info->name);
	*result = make_result(info, file, report);
	json_decref(report);
	return 0;
}

/* Who only looks for its name is in the way for a moment. */
static int unmount(struct connect_host *h, const char *file, bool force,
		   char *said, size_t size)
{
	const char *argv[] = { h->program, "umount", force ? "-l" : file,
			       force ? file : NULL, NULL };
	long long end = h->ops->now(h) + BUSY_MS;
	int rc;

	for (;;) {
		rc = h->ops->run(h, argv, 60, said, size);
		if (rc <= 0 || strstr(said, "in use") == NULL ||
		    h->ops->now(h) >= end)
			return rc;
		h->ops->pause(h, POLL_MS);
	}
}

/* Also what a dead daemon has left. */
static bool is_mounted(const char *file)
{
	char above[PATH_MAX];
	struct stat here, there;

	if (stat(file, &here) < 0)
		return errno == ENOTCONN;
	snprintf(above, sizeof(above), "%.*s",
		 (int)(strrchr(file, '/') - file + 1), file);
	return stat(above, &there) == 0 && here.st_dev != there.st_dev;
}

/* One that a user has named may be older than the volume, and have something in
 * it. */
static bool is_empty(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && st.st_size == 0;
}

/* 0; 1: it has been attached meanwhile; or -errno, with text. */
static int release(struct connect_host *h, const char *file, bool force,
		   char text[CONNECT_TEXT])
{
	json_t *report = ask(h, file);
	char said[512];
	int rc;

	if (report == NULL && access(file, F_OK) < 0)
		return 0;
	rc = unmount(h, file, force, said, sizeof(said));
	if (rc > 0 && report == NULL)
		rc = 0; /* nothing was mounted any more */
	json_decref(report);
	if (rc != 0)
		return refuse_with(text,
				   rc < 0		    ? rc
				   : strstr(said, "in use") ? -EBUSY
							    : -EIO,
				   "%.250s", rc < 0 ? strerror(-rc) : said);
	if (is_mounted(file))
		return 1;
	return is_empty(file) && unlink(file) < 0 && errno == EBUSY;
}

int user_release(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, bool force,
		 char text[CONNECT_TEXT])
{
	char file[PATH_MAX];
	int rc = 1;

	file_of(h, info, o, file);
	for (unsigned n = 0; n < 3 && rc == 1; n++)
		rc = release(h, file, force, text);
	return rc == 1 ? refuse_with(text, -EBUSY,
				     "%.200s: it is attached again and again",
				     file)
		       : rc;
}

static uint64_t ask_size(struct connect_host *h, const char *file)
{
	json_t *report = ask(h, file);
	uint64_t size =
		(uint64_t)json_integer_value(json_object_get(report, "size"));

	json_decref(report);
	return size;
}

/* The target tells of it by an event, which may still be on its way. */
int user_extend(struct connect_host *h, const struct connect_info *info,
		const struct connect_options *o, uint64_t known,
		uint64_t *bytes, char text[CONNECT_TEXT])
{
	long long end = h->ops->now(h) + GROW_MS;
	char file[PATH_MAX];

	file_of(h, info, o, file);
	*bytes = ask_size(h, file);
	while (*bytes != 0 && *bytes == known && h->ops->now(h) < end) {
		h->ops->pause(h, POLL_MS);
		*bytes = ask_size(h, file);
	}
	return *bytes != 0 ? 0
			   : refuse_with(text, -ENODEV,
					 "%s: it is not connected", info->name);
}
