/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A move of a transport: the record first, then the kernel's file, and then
 * what the kernel has made of it.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/kernel.h"
#include "pathd/record.h"
#include "pathd/sockets.h"
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
	const struct pathd *pathd;
	const struct transport *transport;
	struct trunk_seen seen;
};

static int read_transport(void *arg)
{
	struct reading *r = arg;

	return sunrpc_read(r->pathd->sunrpc, r->transport->name,
			   addr_port(&r->transport->at->addr), &r->seen);
}

/* What the kernel has of it now; NULL: it is gone. */
static const struct addr *read_address(struct reading *r)
{
	return offload(read_transport, r) == 0 ? &r->seen.addr : NULL;
}

/* It would be connected anew, but all is well: the kernel was first. */
static bool is_well(struct reading *r)
{
	return r->transport->goal == r->transport->at &&
	       read_address(r) != NULL && r->seen.connected &&
	       r->seen.pending == 0;
}

/* The transport's lock is held by an attempt to connect, which takes many
 * seconds when nobody answers.  It ends with its socket; that of another
 * transport to the dead address is no loss. */
static int end_attempts(void *arg)
{
	struct sockets *s = malloc(sizeof(*s));
	int r = s ? sockets_list(arg, SOCKETS_CONNECTING, s) : -ENOMEM;

	if (r == 0)
		r = sockets_close(s);
	free(s);
	return r;
}

static int change_address(const struct pathd *p, const struct transport *t)
{
	char file[PATH_MAX], address[ADDR_TEXT_MAX];
	const struct record record = { .inode = t->inode,
				       .home = t->home->addr,
				       .from = t->at->addr,
				       .goal = t->goal->addr };
	struct addr at = t->at->addr;
	const struct kernel_relief relief = { end_attempts, &at };
	int r = record_save(p->records, t->name, &record);

	if (r < 0)
		return r;
	sunrpc_address_file(p->sunrpc, t->name, file);
	return kernel_write(file, addr_format_host(&t->goal->addr, address),
			    WRITE_TIMEOUT, &relief);
}

/* It is tried each second, for as long as it takes. */
static bool is_power_of_two(uint64_t n)
{
	return (n & (n - 1)) == 0;
}

static void tell(struct pathd *p, const struct transport *t,
		 const struct addr *now_at, int error, nsec began)
{
	bool moved = now_at != NULL && addr_equal(now_at, &t->goal->addr);
	long long ms = (reactor_now() - began) / MSEC(1);
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	addr_format(&t->at->addr, from);
	addr_format(&t->goal->addr, to);
	p->moves += moved && t->goal != t->at;
	p->failed_moves += !moved;
	if (!moved && is_power_of_two(t->failures + 1))
		log_warn("%s: can't be moved from %s to %s, tried %llu times: "
			 "%s",
			 t->name, from, to, (unsigned long long)t->failures + 1,
			 error ? strerror(-error) : "somebody else did");
	else if (!moved)
		return;
	else if (t->goal == t->at)
		log_info("%s: connected to %s anew, in %lld ms", t->name, to,
			 ms);
	else
		log_info("%s: moved from %s %s %s in %lld ms", t->name, from,
			 t->goal == t->home ? "back to" : "to", to, ms);
}

static void mover_main(void *arg)
{
	struct pathd *p = ((struct mover *)arg)->pathd;
	struct transport *t = ((struct mover *)arg)->transport;
	struct reading now = { .pathd = p, .transport = t };
	nsec began = reactor_now();
	const struct addr *now_at = &t->at->addr;
	int error;

	free(arg);
	if (!is_well(&now)) {
		error = change_address(p, t);
		now_at = read_address(&now);
		tell(p, t, now_at, error, began);
	}
	if (now_at != NULL && addr_equal(now_at, &t->home->addr))
		record_remove(p->records, t->name);
	transport_moved(&p->trunks, t, now_at, reactor_now());
	pathd_move(p);
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
