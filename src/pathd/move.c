/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A move of a transport: the record first, then the kernel's file, and then
 * what the kernel has made of it.  A cut of a controller closes its sockets,
 * and the kernel does the rest.
 */
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/kernel.h"
#include "pathd/record.h"
#include "pathd/sunrpc.h"
#include "reactor/reactor.h"

/* A write that waits for the transport's lock longer than that may have missed
 * that it was free; to try again is cheap. */
#define WRITE_TIMEOUT MSEC(500)

struct mover {
	struct pathd *pathd;
	struct transport *transport;
};

struct reading {
	const char *dir;
	const struct transport *transport;
	struct addr addr;
};

static int read_address(void *arg)
{
	struct reading *r = arg;

	return sunrpc_read_address(r->dir, r->transport->name,
				   addr_port(&r->transport->at->addr),
				   &r->addr);
}

static int change_address(const struct pathd *p, const struct transport *t)
{
	char file[PATH_MAX], address[ADDR_TEXT_MAX];
	const struct record record = { .inode = t->inode,
				       .home = t->home->addr,
				       .from = t->at->addr,
				       .goal = t->goal->addr };
	int r = record_save(p->records, t->name, &record);

	if (r < 0)
		return r;
	sunrpc_address_file(p->sunrpc, t->name, file);
	return kernel_write(file, addr_format_host(&t->goal->addr, address),
			    WRITE_TIMEOUT);
}

static void tell(struct pathd *p, const struct transport *t,
		 const struct addr *now_at, int error, nsec began)
{
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	addr_format(&t->at->addr, from);
	addr_format(&t->goal->addr, to);
	if (now_at != NULL && addr_equal(now_at, &t->goal->addr)) {
		p->moves++;
		log_info("%s: moved from %s %s %s in %lld ms", t->name, from,
			 t->goal == t->home ? "back to" : "to", to,
			 (long long)((reactor_now() - began) / MSEC(1)));
	} else {
		p->failed_moves++;
		log_warn("%s: can't be moved from %s to %s: %s", t->name, from,
			 to, error ? strerror(-error) : "somebody else did");
	}
}

static void mover_main(void *arg)
{
	struct mover m = *(struct mover *)arg;
	struct transport *t = m.transport;
	struct reading now = { .dir = m.pathd->sunrpc, .transport = t };
	nsec began = reactor_now();
	int error = change_address(m.pathd, t);
	struct addr *now_at =
		offload(read_address, &now) == 0 ? &now.addr : NULL;

	free(arg);
	tell(m.pathd, t, now_at, error, began);
	if (now_at != NULL && addr_equal(now_at, &t->home->addr))
		record_remove(m.pathd->records, t->name);
	transport_moved(&m.pathd->trunks, t, now_at, reactor_now());
	pathd_move(m.pathd);
}

static bool start(struct pathd *p, struct transport *t)
{
	struct mover *m = malloc(sizeof(*m));

	if (m == NULL)
		return false;
	*m = (struct mover){ p, t };
	if (task_spawn("move", mover_main, m) == 0)
		return true;
	free(m);
	return false;
}

void pathd_move(struct pathd *p)
{
	struct transport *t;

	while ((t = trunks_next_move(&p->trunks, reactor_now())) != NULL)
		if (!start(p, t))
			transport_moved(&p->trunks, t, NULL, reactor_now());
}
