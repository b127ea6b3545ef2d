/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that nobody has named: the discovery service at one of a member's
 * live paths tells which others its subsystem has, and of each change.  What
 * comes is attached, and detached when it is not listed any more; what a user
 * has named stays.
 *
 *	nobody asked ──▶ watched ──(the service is lost)──▶ watched elsewhere
 *	     │ ▲                                                  │
 *	     └─┴─ none of them has such a service: later again ◀──┘
 *
 * While a service is lost, what it told holds.
 */
#include "volume/internal.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

#define LOOK	  SEC(2)
#define ASK_AGAIN SEC(60)

static int watch(struct member *m, const struct addr *addr,
		 char text[VOLUME_TEXT])
{
	struct member_keys keys;
	struct nvmei_attach a;
	int rc;

	if (m->watch != NULL)
		return nvmei_watch_move(m->watch, addr, text);
	rc = member_attachment(m, addr, &keys, &a, text);
	if (rc == 0)
		rc = nvmei_watch_start(m->volume->host, &a, &m->watch, text);
	explicit_bzero(&keys, sizeof(keys));
	return rc;
}

static unsigned list_live(const struct member *m,
			  struct addr out[PATH_MAX_PATHS])
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	unsigned n = nvmei_get_paths(m->nvme, paths, ARRAY_SIZE(paths));
	unsigned live = 0;

	for (unsigned i = 0; i < n; i++)
		if (paths[i].path.state == PATH_LIVE &&
		    strcmp(paths[i].subnqn, m->options->subnqn) == 0)
			out[live++] = paths[i].addr;
	return live;
}

/* Asks those that are live, until one answers. */
static int ask(struct member *m, char text[VOLUME_TEXT])
{
	struct addr live[PATH_MAX_PATHS];
	unsigned n = list_live(m, live);
	int rc = -ENOTCONN;

	snprintf(text, VOLUME_TEXT, "no path is live");
	for (unsigned i = 0; i < n && rc < 0 && !m->volume->closing; i++)
		rc = watch(m, &live[i], text);
	return rc;
}

static void ask_or_wait(struct member *m)
{
	char text[VOLUME_TEXT];

	if (ask(m, text) == 0 || m->volume->closing)
		return;
	if (m->ask_again == 0)
		log_info("%s: no discovery service tells of other addresses: "
			 "%s",
			 m->options->subnqn, text);
	m->ask_again = reactor_now() + ASK_AGAIN;
}

static void look_after(struct member *m)
{
	if (m->watch != NULL && nvmei_watch_is_up(m->watch))
		m->ask_again = 0;
	else if (m->nvme != NULL && reactor_now() >= m->ask_again)
		ask_or_wait(m);
}

void discover_task(void *volume)
{
	struct volume *v = volume;
	nsec next;

	while (!v->closing) {
		for (unsigned i = 0; i < v->n_members; i++)
			look_after(&v->members[i]);
		next = reactor_now() + LOOK;
		while (!v->closing && reactor_now() < next)
			waitq_wait(&v->change, next);
	}
	v->tasks--;
	waitq_wake_all(&v->change);
}
