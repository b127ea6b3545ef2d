/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the server whether the mount is denied, and why. */
#include <stdio.h>

#include "mount/internal.h"
#include "nfs/client/client.h"
#include "reactor/reactor.h"

struct question {
	struct reactor *reactor;
	const struct site *site;
	char *text;
	size_t size;
};

static void ask(void *arg)
{
	struct question *q = arg;
	struct nfs_options o;

	nfs_options_init(&o);
	nfs_explain(&o, &q->site->list[0].address, q->site->path, q->text,
		    q->size);
	reactor_stop(q->reactor);
}

void site_explain(const struct site *p, char *text, size_t size)
{
	struct question q = { .site = p, .text = text, .size = size };

	text[0] = '\0';
	if (reactor_create(&(struct reactor_options){}, &q.reactor) < 0)
		return;
	if (reactor_spawn(q.reactor, "explain", ask, &q) == 0)
		reactor_run(q.reactor);
	reactor_destroy(q.reactor);
}
