/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target becomes a device:
 *
 *	survey	 which portals have a controller, and how that is
 *	add	 one for each that has none
 *	settle	 if none is live, one that the kernel is connecting may be soon
 *	search	 the namespace, on what is live
 */
#include "connect/leg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "base/uuid.h"
#include "connect/identity.h"
#include "connect/sysfs.h"

enum { POLL_MS = 100, SEARCH_MS = 10000, SETTLE_MS = 10000, SIZE_MS = 5000 };

/* ------------------------------------------------------------------ survey */

static const struct sys_ctrl *pick(const struct sys_ctrl *list, int n,
				   const struct connect_target *t,
				   const struct connect_portal *p)
{
	for (int i = 0; i < n; i++)
		if (sys_ctrl_is(&list[i], t, p) &&
		    (sys_ctrl_is_live(&list[i]) ||
		     sys_ctrl_is_coming(&list[i])))
			return &list[i];
	return NULL;
}

static int survey(struct connect_host *h, struct leg *leg)
{
	struct sys_ctrl *list;
	int n = sys_ctrls(h, &list);

	for (unsigned i = 0; i < leg->target->n_portals && n >= 0; i++) {
		struct leg_path *p = &leg->paths[i];
		const struct sys_ctrl *c =
			pick(list, n, leg->target, &leg->target->portals[i]);

		snprintf(p->controller, sizeof(p->controller), "%s",
			 c ? c->name : "");
		snprintf(p->state, sizeof(p->state), "%s",
			 c ? c->state : "absent");
	}
	free(list);
	return n < 0 ? n : 0;
}

static bool is_live(const struct leg_path *p)
{
	return strcmp(p->state, "live") == 0;
}

static unsigned count_live(const struct leg *leg, unsigned of)
{
	unsigned n = 0;

	for (unsigned i = 0; i < of; i++)
		n += is_live(&leg->paths[i]);
	return n;
}

unsigned leg_live(const struct leg *leg)
{
	return count_live(leg, leg->target->n_portals);
}

unsigned leg_live_named(const struct leg *leg)
{
	return count_live(leg, leg->target->n_named);
}

/* --------------------------------------------------------------------- add */

static int default_to(int value, int otherwise)
{
	return value == 0 ? otherwise : value;
}

static void add(struct connect_host *h, struct leg *leg, unsigned i,
		const struct connect_options *o)
{
	const struct connect_target *t = leg->target;
	struct leg_path *p = &leg->paths[i];
	char hostnqn[CONNECT_NQN_SIZE], hostid[40];
	struct connect_way way = {
		.nqn = t->nqn,
		.portal = &t->portals[i],
		.hostnqn = hostnqn,
		.hostid = hostid,
		.ctrl_loss_s = default_to(o->ctrl_loss_s, -1),
		.fast_io_fail_s = default_to(o->fast_io_fail_s, -1),
		.reconnect_delay_s = default_to(o->reconnect_delay_s, 2),
	};
	int rc;

	identity_host(h, hostnqn, hostid);
	if (t->hostnqn[0] != '\0')
		strcpy(hostnqn, t->hostnqn);
	p->why[0] = '\0';
	rc = h->ops->add(h, &way, p->controller, p->why);
	p->added = rc == 0;
	if (rc < 0 && p->why[0] == '\0')
		snprintf(p->why, sizeof(p->why), "%s", strerror(-rc));
}

static int add_missing(struct connect_host *h, struct leg *leg,
		       const struct connect_options *o)
{
	unsigned live = leg_live(leg), tried = 0;

	if (o->no_add)
		return 0;
	for (unsigned i = 0; i < leg->target->n_portals; i++) {
		struct leg_path *p = &leg->paths[i];

		if (p->controller[0] != '\0' || (o->single_path && live > 0))
			continue;
		add(h, leg, i, o);
		live += p->added;
		tried++;
	}
	return tried > 0 ? survey(h, leg) : 0;
}

/* ------------------------------------------------------------------ settle */

/* Milliseconds within which the kernel tries each of them again. */
static long long patience(struct connect_host *h, const struct leg *leg)
{
	long long most = 0, delay;
	char line[16];

	for (unsigned i = 0; i < leg->target->n_portals; i++) {
		if (leg->paths[i].controller[0] == '\0')
			continue;
		connect_read_or_empty(h, line, sizeof(line),
				      "/sys/class/nvme/%s/reconnect_delay",
				      leg->paths[i].controller);
		delay = strtoll(line, NULL, 10);
		most = MAX(most,
			   SETTLE_MS + (delay > 0 && delay < 3600 ? delay * 1000
								  : 10000));
	}
	return most;
}

static const char *last_why(const struct leg *leg)
{
	const char *why = "no portal answers";

	for (unsigned i = 0; i < leg->target->n_portals; i++)
		if (leg->paths[i].why[0] != '\0')
			why = leg->paths[i].why;
	return why;
}

static int settle(struct connect_host *h, struct leg *leg,
		  char text[CONNECT_TEXT])
{
	long long end = h->ops->now(h) + patience(h, leg);
	int rc = 0;

	while (rc == 0 && leg_live(leg) == 0 && h->ops->now(h) < end) {
		h->ops->pause(h, POLL_MS);
		rc = survey(h, leg);
	}
	if (rc < 0)
		return rc;
	if (leg_live(leg) == 0)
		return refuse_with(text, -ENOTCONN,
				   "%.120s: no connection: %.100s",
				   leg->target->nqn, last_why(leg));
	return 0;
}

/* ------------------------------------------------------------------ search */

static bool is_any(const struct connect_id *id)
{
	return !id->has_uuid && !id->has_nguid && !id->has_eui64 &&
	       id->nsid == 0;
}

/* 0 and leg->device; -ENODEV with the number that is there; -EINVAL. */
static int search_ctrl(struct connect_host *h, struct leg *leg,
		       const char *controller, char text[CONNECT_TEXT])
{
	const struct connect_id *id = &leg->target->id;
	struct sys_namespace *list;
	int n = sys_namespaces(h, controller, &list), rc = -ENODEV;

	refuse_with(text, 0, "%.120s has %d namespaces, and none is it",
		    leg->target->nqn, n);
	for (int i = 0; i < n; i++) {
		if (!is_any(id) && !sys_namespace_is(&list[i], id))
			continue;
		if (is_any(id) && n > 1) {
			rc = refuse_with(text, -EINVAL,
					 "%.100s has %d namespaces: say which, "
					 "by vol_uuid, volume_nguid, "
					 "volume_eui64 or ns_id",
					 leg->target->nqn, n);
			break;
		}
		strcpy(leg->device, list[i].device);
		leg->nsid = list[i].id.nsid;
		leg->size = sys_size(h, leg->device);
		rc = 0;
		break;
	}
	free(list);
	return n < 0 ? n : rc;
}

/* On those that are live first: but what connects again has shown it, too. */
static int search(struct connect_host *h, struct leg *leg,
		  char text[CONNECT_TEXT])
{
	int rc = refuse_with(text, -ENODEV, "%.120s: it is not connected",
			     leg->target->nqn);

	for (unsigned live = 0; live < 2; live++)
		for (unsigned i = 0; i < leg->target->n_portals; i++) {
			const struct leg_path *p = &leg->paths[i];

			if (p->controller[0] == '\0' ||
			    is_live(p) == (live > 0))
				continue;
			rc = search_ctrl(h, leg, p->controller, text);
			if (rc != -ENODEV)
				return rc;
		}
	return rc;
}

static void rescan(struct connect_host *h, const struct leg *leg)
{
	char path[96];

	for (unsigned i = 0; i < leg->target->n_portals; i++) {
		if (!is_live(&leg->paths[i]))
			continue;
		snprintf(path, sizeof(path),
			 "/sys/class/nvme/%s/rescan_controller",
			 leg->paths[i].controller);
		h->ops->write(h, path, "1");
	}
}

static int search_for_a_while(struct connect_host *h, struct leg *leg,
			      char text[CONNECT_TEXT])
{
	long long end = h->ops->now(h) + SEARCH_MS;
	int rc = search(h, leg, text);

	for (unsigned n = 0; rc == -ENODEV && h->ops->now(h) < end; n++) {
		if (n % 10 == 0)
			rescan(h, leg); /* its event may have been lost */
		h->ops->pause(h, POLL_MS);
		rc = survey(h, leg);
		if (rc == 0)
			rc = search(h, leg, text);
	}
	return rc;
}

/* ------------------------------------------------------------------- calls */

int leg_look(struct connect_host *h, const struct connect_target *t,
	     struct leg *leg, char text[CONNECT_TEXT])
{
	int rc;

	memset(leg, 0, sizeof(*leg));
	leg->target = t;
	rc = survey(h, leg);
	return rc == 0 ? search(h, leg, text) : rc;
}

int leg_connect(struct connect_host *h, const struct connect_target *t,
		const struct connect_options *o, struct leg *leg,
		char text[CONNECT_TEXT])
{
	int rc;

	memset(leg, 0, sizeof(*leg));
	leg->target = t;
	rc = survey(h, leg);
	if (rc == 0)
		rc = add_missing(h, leg, o);
	if (rc == 0 && o->impatient)
		return search(h, leg, text);
	if (rc == 0)
		rc = settle(h, leg, text);
	return rc == 0 ? search_for_a_while(h, leg, text) : rc;
}

static void delete_ctrl(struct connect_host *h, struct leg_path *p)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/nvme/%s/delete_controller",
		 p->controller);
	h->ops->write(h, path, "1");
	p->controller[0] = '\0';
}

/* Does it show another namespace than ours? */
static bool is_shared(struct connect_host *h, const struct leg *leg,
		      const char *controller)
{
	struct sys_namespace *list;
	int n = sys_namespaces(h, controller, &list), others = 0;

	for (int i = 0; i < n; i++)
		others += strcmp(list[i].device, leg->device) != 0;
	free(list);
	return n < 0 || others > 0;
}

/* Has anybody built on one of its namespaces? */
static bool is_held(struct connect_host *h, const char *controller)
{
	char holder[CONNECT_DEVICE_SIZE];
	struct sys_namespace *list;
	int n = sys_namespaces(h, controller, &list), held = 0;

	for (int i = 0; i < n; i++)
		held += sys_holder(h, list[i].device, "", holder);
	free(list);
	return n < 0 || held > 0;
}

void leg_undo(struct connect_host *h, struct leg *leg)
{
	for (unsigned i = 0; i < leg->target->n_portals; i++) {
		struct leg_path *p = &leg->paths[i];

		if (p->added && p->controller[0] != '\0' &&
		    !is_held(h, p->controller))
			delete_ctrl(h, p);
		p->added = false;
	}
}

unsigned leg_release(struct connect_host *h, const struct leg *leg)
{
	struct leg gone = *leg;
	unsigned shared = 0;

	for (unsigned i = 0; i < leg->target->n_portals; i++) {
		struct leg_path *p = &gone.paths[i];

		if (p->controller[0] == '\0')
			continue;
		if (is_shared(h, leg, p->controller))
			shared++;
		else
			delete_ctrl(h, p);
	}
	return shared;
}

int leg_rescan(struct connect_host *h, struct leg *leg, char text[CONNECT_TEXT])
{
	long long end = h->ops->now(h) + SIZE_MS;
	const char *controller = NULL;
	uint64_t wanted = 0;
	int rc;

	rescan(h, leg);
	for (unsigned i = 0; i < leg->target->n_portals; i++)
		if (is_live(&leg->paths[i]))
			controller = leg->paths[i].controller;
	if (controller == NULL)
		return refuse_with(text, -ENOTCONN, "%.120s: no path is live",
				   leg->target->nqn);
	rc = h->ops->size(h, controller, leg->nsid, &wanted);
	if (rc < 0)
		return refuse_with(text, rc, "%s: identify: %s", controller,
				   strerror(-rc));
	while ((leg->size = sys_size(h, leg->device)) != wanted) {
		if (h->ops->now(h) >= end)
			return refuse_with(text, -ETIMEDOUT,
					   "%s has %llu bytes, and the kernel "
					   "shows %llu",
					   leg->device,
					   (unsigned long long)wanted,
					   (unsigned long long)leg->size);
		h->ops->pause(h, POLL_MS);
	}
	return 0;
}
