/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets that appear later: the kernel asks a server for its addresses
 * at the mount, and then when it is told to.  While an address is dead, that
 * would hold up unmounting and sync(2) for up to ten seconds; so it is done
 * while all known addresses answer, or have not for so long that they may be
 * gone for good, and seldom after it has taken long.
 */
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/kernel.h"
#include "reactor/reactor.h"

#define DISCOVER_TIMEOUT SEC(60)
#define DISCOVER_LONG	 SEC(1)
#define DISCOVER_MAX	 SEC(3600)

enum { SERVERS_MAX = 64, ADDRESS_SIZE = 64, LINE_SIZE = 8192 };

/* One mount of each server that has several transports. */
struct servers {
	unsigned n;
	struct {
		char address[ADDRESS_SIZE];
		char mountpoint[PATH_MAX];
	} found[SERVERS_MAX];
};

static void get_option(const struct mntent *m, const char *name,
		       char value[ADDRESS_SIZE])
{
	const char *at = hasmntopt(m, name);

	value[0] = '\0';
	if (at != NULL && at[strlen(name)] == '=')
		snprintf(value, ADDRESS_SIZE, "%.*s",
			 (int)strcspn(at + strlen(name) + 1, ","),
			 at + strlen(name) + 1);
}

static bool is_known(const struct servers *s, const char *address)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->found[i].address, address) == 0)
			return true;
	return false;
}

/* max_connect is shown when it is more than 1: who wants one connection gets no
 * others. */
static void add(struct servers *s, const struct mntent *m)
{
	char address[ADDRESS_SIZE], connections[ADDRESS_SIZE];

	if (strcmp(m->mnt_type, "nfs4") != 0)
		return;
	get_option(m, "max_connect", connections);
	get_option(m, "addr", address);
	if (connections[0] == '\0' || address[0] == '\0' ||
	    is_known(s, address) || s->n == SERVERS_MAX ||
	    strlen(m->mnt_dir) >= PATH_MAX)
		return;
	strcpy(s->found[s->n].address, address);
	strcpy(s->found[s->n++].mountpoint, m->mnt_dir);
}

static int find_servers(void *arg)
{
	struct servers *s = arg;
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *line = malloc(LINE_SIZE);
	struct mntent m;

	while (f != NULL && line != NULL &&
	       getmntent_r(f, &m, line, LINE_SIZE) != NULL)
		add(s, &m);
	if (f != NULL)
		endmntent(f);
	free(line);
	return 0;
}

/* An address that has been dead all the while since the last time counts as
 * taken away: the kernel does not try it if the server does not name it. */
static bool all_are_settled(const struct pathd *p)
{
	nsec now = reactor_now();
	struct trunk *k;

	list_for_each (k, &p->trunks.all, link)
		if (trunk_is_wide(k) &&
		    !trunk_is_settled(k, p->options.discover, now))
			return false;
	return true;
}

/* The next scan finds what is new. */
static void discover(const char *mountpoint)
{
	int r = kernel_discover(mountpoint, DISCOVER_TIMEOUT);

	if (r < 0)
		log_warn("%s: its addresses can't be discovered: %s",
			 mountpoint, strerror(-r));
}

static void discover_all(struct pathd *p)
{
	struct servers *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return;
	offload(find_servers, s);
	for (unsigned i = 0; i < s->n; i++)
		if (all_are_settled(p))
			discover(s->found[i].mountpoint);
	free(s);
}

void pathd_discoverer(void *arg)
{
	struct pathd *p = arg;
	nsec pause = p->options.discover, began;

	for (;;) {
		task_sleep(pause);
		began = reactor_now();
		discover_all(p);
		pause = reactor_now() - began < DISCOVER_LONG
				? p->options.discover
				: MIN(2 * pause, DISCOVER_MAX);
	}
}
