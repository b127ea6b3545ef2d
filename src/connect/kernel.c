/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/sysfs.h"

/* Of a replica, whose requests shall fail when it can't be reached, so that the
 * others go on without it. */
enum { REPLICA_FAIL_S = 5 };

bool kernel_has_nvme(struct connect_host *h)
{
	static const char *const load[] = { "modprobe", "--quiet", "nvme-tcp",
					    NULL };
	char said[256];

	if (!connect_exists(h, "/sys/class/nvme-fabrics") ||
	    !connect_exists(h, "/sys/module/nvme_tcp"))
		h->ops->run(h, load, 30, said, sizeof(said));
	return connect_exists(h, "/dev/nvme-fabrics");
}

void stand_warn(struct stand *s, const char *format, ...)
{
	char line[CONNECT_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_array_append_new(s->warnings, json_string(line));
}

/* ------------------------------------------------------------------ connect */

/* Does anybody want several paths to one namespace? */
static bool wants_multipath(const struct connect_info *info)
{
	for (unsigned i = 0; i < info->n_targets; i++)
		if (info->targets[i].n_portals > 1)
			return true;
	return false;
}

/* Without native multipath a second path would be a second device. */
static int check_multipath(struct stand *s, struct connect_options *o,
			   char text[CONNECT_TEXT])
{
	if (o->single_path || sys_native_multipath(s->host))
		return 0;
	if (o->enforce_multipath || s->info->enforce_multipath)
		return refuse_with(text, -EOPNOTSUPP,
				   "multipathing is enforced, but the kernel's "
				   "native NVMe multipath is off "
				   "(nvme_core.multipath)");
	o->single_path = true;
	if (wants_multipath(s->info))
		stand_warn(s, "the kernel's native NVMe multipath is off: one "
			      "path of each target is used");
	return 0;
}

static int check_paths(const struct stand *s, const struct connect_options *o,
		       char text[CONNECT_TEXT])
{
	for (unsigned i = 0; i < s->info->n_targets; i++) {
		const struct leg *leg = &s->legs[i];

		unsigned n = leg->target->n_named, live = leg_live_named(leg);

		if (leg->device[0] != '\0' && !o->impatient &&
		    live < o->min_paths)
			return refuse_with(text, -ENOTCONN,
					   "%.120s: %u of %u paths are live, "
					   "and %u are wanted",
					   leg->target->nqn, live, n,
					   o->min_paths);
	}
	return 0;
}

/* Of replicas one is enough, for now; which, md.c and dm.c judge. */
static int connect_legs(struct stand *s, const struct connect_options *o,
			char text[CONNECT_TEXT])
{
	char why[CONNECT_TEXT] = "";
	unsigned found = 0;
	int rc = 0;

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		rc = leg_connect(s->host, &s->info->targets[i], o, &s->legs[i],
				 why);
		found += rc == 0;
		if (rc < 0 && s->info->n_targets > 1)
			stand_warn(s, "a replica is missing: %s", why);
	}
	if (found > 0)
		return check_paths(s, o, text);
	return refuse_with(text, rc, "%s", why);
}

static void set_plain(struct stand *s)
{
	strcpy(s->device, s->legs[0].device);
	snprintf(s->path, sizeof(s->path), "/dev/%s", s->device);
}

/* One replica is a mirror only if it has been part of one. */
static bool is_mirror(const struct stand *s)
{
	return s->info->kind == CONNECT_MIRROR &&
	       (s->info->replica_count > 1 ||
		md_is_member(s->host, &s->legs[0]));
}

static int assemble(struct stand *s, char text[CONNECT_TEXT])
{
	if (s->info->kind == CONNECT_SHARED)
		return dm_up(s, text);
	if (!is_mirror(s)) {
		set_plain(s);
		return 0;
	}
	if (!s->info->has_alias)
		return refuse_with(text, -EINVAL,
				   "alias is missing, and the replica is part "
				   "of an array");
	return md_up(s, text);
}

static int set_read_only(struct stand *s, char text[CONNECT_TEXT])
{
	if (!s->info->read_only)
		return 0;
	return connect_run(s->host, text, "blockdev", "--setro", s->path, NULL);
}

int kernel_connect(struct stand *s, char text[CONNECT_TEXT])
{
	struct connect_options o = *s->options;
	int rc = check_multipath(s, &o, text);

	if (o.fast_io_fail_s == 0 && s->info->n_targets > 1)
		o.fast_io_fail_s = REPLICA_FAIL_S;
	if (rc == 0)
		rc = connect_legs(s, &o, text);
	if (rc == 0)
		rc = assemble(s, text);
	if (rc == 0)
		rc = set_read_only(s, text);
	for (unsigned i = 0; i < s->info->n_targets && rc < 0; i++)
		if (s->legs[i].target != NULL && !s->keep[i])
			leg_undo(s->host, &s->legs[i]);
	return rc;
}

/* --------------------------------------------------------------------- look */

static bool find_device(struct stand *s)
{
	if (s->info->kind == CONNECT_SHARED)
		return dm_find(s);
	if (s->info->kind == CONNECT_MIRROR && md_find(s))
		return true;
	if (s->info->n_targets > 1 || s->legs[0].device[0] == '\0')
		return false;
	set_plain(s);
	return true;
}

/* What there is of the legs. */
static void look(struct stand *s, char text[CONNECT_TEXT])
{
	for (unsigned i = 0; i < s->info->n_targets; i++)
		leg_look(s->host, &s->info->targets[i], &s->legs[i], text);
}

int kernel_look(struct stand *s, char text[CONNECT_TEXT])
{
	look(s, text);
	if (find_device(s))
		return 0;
	return refuse_with(text, -ENODEV, "%s: it is not connected",
			   s->info->name);
}

/* ------------------------------------------------------------------ release */

static int take_down(struct stand *s, char text[CONNECT_TEXT])
{
	if (s->info->kind == CONNECT_SHARED)
		return dm_down(s, text);
	if (strncmp(s->device, "md", 2) == 0)
		return md_down(s, text);
	return 0;
}

/* The first device that says it is in use ends it. */
static int flush(struct stand *s, char text[CONNECT_TEXT])
{
	int rc = s->host->ops->flush(s->host, s->path);

	if (rc == -EBUSY)
		return refuse_with(text, rc, "%s is in use", s->path);
	return rc < 0 ? refuse_with(text, rc, "%s: it can't be flushed: %s",
				    s->path, strerror(-rc))
		      : 0;
}

int kernel_release(struct stand *s, bool force, char text[CONNECT_TEXT])
{
	int rc = 0;

	look(s, text);
	if (find_device(s)) {
		rc = flush(s, text);
		if (rc == 0 || force)
			rc = take_down(s, text);
		if (rc < 0 && !force)
			return rc;
	}
	for (unsigned i = 0; i < s->info->n_targets; i++)
		if (!s->keep[i])
			leg_release(s->host, &s->legs[i]);
	return rc;
}

/* ------------------------------------------------------------------- extend */

int kernel_extend(struct stand *s, uint64_t *bytes, char text[CONNECT_TEXT])
{
	int rc = kernel_look(s, text);

	for (unsigned i = 0; i < s->info->n_targets && rc == 0; i++)
		if (s->legs[i].device[0] != '\0')
			rc = leg_rescan(s->host, &s->legs[i], text);
	if (rc == 0 && s->info->kind == CONNECT_SHARED)
		rc = dm_grow(s, text);
	else if (rc == 0 && strncmp(s->device, "md", 2) == 0)
		rc = md_grow(s, text);
	*bytes = sys_size(s->host, s->device);
	return rc;
}

/* ------------------------------------------------------------------- report */

static json_t *report_portal(const struct connect_portal *portal,
			     const struct leg_path *p)
{
	char address[ADDR_TEXT_MAX];
	json_t *j =
		json_pack("{s:s, s:i, s:s, s:s}", "address",
			  connect_portal_host(portal, address), "port",
			  (int)addr_port(&portal->addr), "transport",
			  connect_portal_transport(portal), "state", p->state);

	if (p->controller[0] != '\0')
		json_object_set_new(j, "controller",
				    json_string(p->controller));
	if (p->why[0] != '\0')
		json_object_set_new(j, "error", json_string(p->why));
	return j;
}

static json_t *report_leg(const struct leg *leg)
{
	json_t *portals = json_array();

	for (unsigned i = 0; i < leg->target->n_portals; i++)
		json_array_append_new(portals,
				      report_portal(&leg->target->portals[i],
						    &leg->paths[i]));
	return json_pack("{s:s, s:s, s:o}", "nqn", leg->target->nqn, "device",
			 leg->device, "portals", portals);
}

json_t *kernel_report(const struct stand *s)
{
	json_t *targets = json_array();
	unsigned wanted = 0, named = 0, all = 0;

	for (unsigned i = 0; i < s->info->n_targets; i++) {
		json_array_append_new(targets, report_leg(&s->legs[i]));
		wanted += s->info->targets[i].n_named;
		named += leg_live_named(&s->legs[i]);
		all += leg_live(&s->legs[i]);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:{s:i, s:i, s:i}, s:o}",
			 "type", "block", "path", s->path, "device", s->device,
			 "side", "kernel", "size",
			 (json_int_t)sys_size(s->host, s->device), "paths",
			 "wanted", (int)wanted, "live", (int)named, "learned",
			 (int)(all - named), "targets", targets);
}
