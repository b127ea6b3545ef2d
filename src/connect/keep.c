/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is connected stays as it was asked for.  Connecting again does what is
 * missing, so keeping is connecting again, for ever:
 *
 *	every round	each volume of the records, without waiting: its array
 *			or map
 *	every sixth	its controllers, too: those that are missing, and those
 *			that the discovery log at one of its addresses lists
 *
 * A round begins after the interval, or when the kernel tells of a controller
 * (uevents).  It also learns if that is of a discovery log that has changed: a
 * persistent discovery controller (nvme discover --persistent) makes new
 * addresses known at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/refuse.h"
#include "base/util.h"
#include "connect/identity.h"
#include "connect/kernel.h"
#include "connect/record.h"

enum { VOLUMES_MAX = 1024, ADD_ROUNDS = 6, QUIET_MS = 200 };

/* What was said of a volume last, so that only news are told. */
struct told {
	char name[CONNECT_NAME_SIZE];
	char text[CONNECT_TEXT];
};

struct keeper {
	struct connect_host *host;
	struct told told[VOLUMES_MAX];
	unsigned n_told;
	int events; /* netlink; -1: none */
	struct connect_record record;
};

static void tell(struct keeper *k, const char *name, const char *text)
{
	unsigned i = 0;

	while (i < k->n_told && strcmp(k->told[i].name, name) != 0)
		i++;
	if (i == VOLUMES_MAX)
		i = 0; /* some will be told twice */
	if (i == k->n_told)
		k->n_told++;
	else if (strcmp(k->told[i].name, name) == 0 &&
		 strcmp(k->told[i].text, text) == 0)
		return;
	snprintf(k->told[i].name, sizeof(k->told[i].name), "%s", name);
	snprintf(k->told[i].text, sizeof(k->told[i].text), "%s", text);
	log_info("%s: %s", name, text);
}

/* ---------------------------------------------------------------- adding */

/* Another host's loopback addresses are none of this one's. */
static unsigned drop_loopback(struct connect_portal *list, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (!addr_is_loopback(&list[i].addr))
			list[kept++] = list[i];
	return kept;
}

/* Asks where it is connected: who serves a subsystem there lists it. */
static void learn(struct keeper *k, struct connect_target *t)
{
	struct connect_portal found[CONNECT_PORTALS_MAX];
	char hostnqn[CONNECT_NQN_SIZE], hostid[40], text[CONNECT_TEXT];
	struct leg *leg = malloc(sizeof(*leg));
	struct connect_way way = { .nqn = t->nqn,
				   .hostnqn = hostnqn,
				   .hostid = hostid };
	int n = -1;

	if (leg == NULL)
		return;
	identity_host(k->host, hostnqn, hostid);
	if (t->hostnqn[0] != '\0')
		strcpy(hostnqn, t->hostnqn);
	leg_look(k->host, t, leg, text);
	for (unsigned i = 0; i < t->n_portals && n < 0; i++) {
		way.portal = &t->portals[i];
		if (strcmp(leg->paths[i].state, "live") == 0 &&
		    !way.portal->rdma)
			n = k->host->ops->discover(k->host, &way, found,
						   ARRAY_SIZE(found));
	}
	free(leg);
	if (n > 0 && !addr_is_loopback(&way.portal->addr))
		n = (int)drop_loopback(found, (unsigned)n);
	if (n > 0 && connect_target_add_portals(t, found, (unsigned)n) > 0)
		log_info("%s: now at %u addresses", t->nqn, t->n_portals);
}

/* ------------------------------------------------------------------- rounds */

static void keep_one(struct keeper *k, bool adding)
{
	struct connect_record *r = &k->record;
	struct connect_options o = r->options;
	char text[CONNECT_TEXT];
	json_t *result = NULL, *paths;
	int rc;

	o.known_only = o.impatient = true;
	o.no_add = !adding;
	for (unsigned i = 0; i < r->info.n_targets && adding; i++)
		if (!o.single_path)
			learn(k, &r->info.targets[i]);
	rc = connect_volume(k->host, &r->info, &o, &result, text);
	if (rc == -ENOENT)
		return; /* it was disconnected meanwhile */
	paths = json_object_get(result, "paths");
	if (rc == 0)
		snprintf(
			text, sizeof(text), "%d of %d paths are live",
			(int)json_integer_value(json_object_get(paths, "live")),
			(int)json_integer_value(
				json_object_get(paths, "wanted")));
	tell(k, r->info.name, text);
	json_decref(result);
}

static void keep_all(struct keeper *k, bool adding)
{
	for (unsigned i = 0;
	     i < VOLUMES_MAX && connect_record_nth(k->host, i, &k->record); i++)
		if (k->record.side == CONNECT_KERNEL &&
		    k->record.path[0] != '\0')
			keep_one(k, adding);
}

/* ------------------------------------------------------------------- events */

static int listen_for_events(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum event { NOTHING, CONTROLLER, DISCOVERY_LOG };

/* "change@/devices/virtual/nvme-fabrics/ctl/nvme0", and KEY=VALUE… behind it,
 * each with its zero. */
static enum event read_event(const char *message, size_t len)
{
	static const char log[] = "NVME_AEN=0x70f002"; /* notice, log page */

	if (strncmp(message, "change@", 7) != 0 ||
	    strstr(message, "/nvme-fabrics/") == NULL)
		return NOTHING;
	return memmem(message, len, log, sizeof(log)) != NULL ? DISCOVERY_LOG
							      : CONTROLLER;
}

/* What matters most of them.  Lost ones are no matter: the next round comes. */
static enum event take_events(int fd)
{
	enum event most = NOTHING, one;
	char message[4096];
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message) - 1, 0)) > 0) {
		message[n] = '\0';
		one = read_event(message, (size_t)n + 1);
		most = MAX(most, one);
	}
	return most;
}

/* Until the interval is over, or there is something to see to. */
static enum event wait_for_event(struct keeper *k, unsigned interval_ms)
{
	long long end = k->host->ops->now(k->host) + interval_ms, left;
	struct pollfd p = { .fd = k->events, .events = POLLIN };
	enum event first, more;

	while ((left = end - k->host->ops->now(k->host)) > 0) {
		if (poll(&p, k->events >= 0, (int)left) <= 0)
			continue;
		first = take_events(k->events);
		if (first == NOTHING)
			continue;
		k->host->ops->pause(k->host, QUIET_MS);
		more = take_events(k->events);
		return MAX(first, more);
	}
	return NOTHING;
}

/* ---------------------------------------------------------------------- life
 */

static int be_the_only_one(const struct connect_host *h,
			   char text[CONNECT_TEXT])
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/run/hawser", h->root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/run/hawser/connect", h->root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/run/hawser/connect/keeper", h->root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse_with(text, -errno, "%.200s: %s", path,
				   strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return refuse_with(text, -EBUSY, "another one runs already");
	}
	return fd;
}

int connect_keep(struct connect_host *h, unsigned interval_ms,
		 char text[CONNECT_TEXT])
{
	struct keeper *k = calloc(1, sizeof(*k));
	int fd = be_the_only_one(h, text);
	enum event event = NOTHING;

	if (k == NULL || fd < 0) {
		free(k);
		return fd < 0 ? fd : -ENOMEM;
	}
	k->host = h;
	k->events = listen_for_events();
	notify("READY=1");
	/* Learning makes events itself: it must not be made by them. */
	for (unsigned round = 0;; round += event == NOTHING) {
		keep_all(k,
			 event == DISCOVERY_LOG ||
				 (event == NOTHING && round % ADD_ROUNDS == 0));
		event = wait_for_event(k, interval_ms);
	}
}
