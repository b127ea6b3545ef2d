/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cut: the kernel's connections to a dead address are closed, all of them,
 * since it does not say which are whose.  Before that each controller there is
 * reset by another one of its subsystem, so that none of its writes is left.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/sockets.h"
#include "reactor/reactor.h"

/* ----------------------------------------------------- which instance is it */

struct question {
	struct pathd *pathd;
	char name[CTRL_NAME];
	struct addr addr;
	struct fence_identity identity;
	uint64_t fingerprint;
};

static uint64_t fingerprint_of(const struct addr *to)
{
	struct sockets *s = malloc(sizeof(*s));
	uint64_t print = 0;

	if (s != NULL && sockets_list(to, SOCKETS_CONNECTED, s) == 0)
		print = sockets_fingerprint(s);
	free(s);
	return print;
}

/* The same sockets before and after: it is the instance they belong to. */
static int identify(void *arg)
{
	struct question *q = arg;
	int r;

	q->fingerprint = fingerprint_of(&q->addr);
	if (q->fingerprint == 0)
		return -ENOTCONN;
	r = fence_identify(q->name, &q->identity);
	if (r < 0)
		return r;
	return fingerprint_of(&q->addr) == q->fingerprint ? 0 : -EAGAIN;
}

static void question_main(void *arg)
{
	struct question *q = arg;
	int r = offload(identify, q);

	if (r == -EAGAIN || r == -ENOTCONN)
		log_debug("%s: not now: %s", q->name, strerror(-r));
	else if (r < 0)
		log_warn("%s: does not identify itself: %s", q->name,
			 strerror(-r));
	else if (q->identity.ccrl == 0)
		log_info("%s: its target resets no controllers; when it is "
			 "silent, the kernel's keep alive has to find out",
			 q->name);
	ctrls_identified(&q->pathd->ctrls, q->name,
			 r == 0 ? &q->identity : NULL, q->fingerprint);
	free(q);
}

void pathd_identify(struct pathd *p)
{
	struct question *q;
	struct ctrl *c;

	while ((c = ctrls_next_unknown(&p->ctrls)) != NULL) {
		q = calloc(1, sizeof(*q));
		if (q != NULL) {
			q->pathd = p;
			q->addr = c->target->addr;
			strcpy(q->name, c->name);
		}
		if (q == NULL || task_spawn("identify", question_main, q) < 0) {
			c->asked = false;
			free(q);
			return;
		}
	}
}

/* ----------------------------------------------------------------- the cut */

enum { LOST_MAX = 64 /* controllers at one address */ };

struct cut {
	struct pathd *pathd;
	struct addr addr;
	uint64_t fingerprint;
	unsigned n;
	struct {
		char name[CTRL_NAME], by[CTRL_NAME];
		struct fence_identity identity;
	} lost[LOST_MAX];
	unsigned closed;
};

static int fence_and_close(struct cut *c, struct sockets *s)
{
	int r = sockets_list(&c->addr, SOCKETS_CONNECTED, s);

	if (r == 0 && sockets_fingerprint(s) != c->fingerprint)
		r = -ESTALE; /* instances that we know nothing of */
	for (unsigned i = 0; r == 0 && i < c->n; i++)
		r = fence_reset(c->lost[i].by, &c->lost[i].identity);
	c->closed = s->n;
	return r < 0 ? r : sockets_close(s);
}

static int cut(void *arg)
{
	struct sockets *s = malloc(sizeof(*s));
	int r = s ? fence_and_close(arg, s) : -ENOMEM;

	free(s);
	return r;
}

static void cut_main(void *arg)
{
	struct cut *c = arg;
	char address[ADDR_TEXT_MAX];
	nsec began = reactor_now();
	int r = offload(cut, c);

	addr_format(&c->addr, address);
	if (r == -ESTALE)
		ctrls_forget(&c->pathd->ctrls, &c->addr);
	if (r < 0)
		log_warn("%s: its controllers stay as they are: %s", address,
			 strerror(-r));
	for (unsigned i = 0; r == 0 && i < c->n; i++)
		log_info("%s: reset by %s", c->lost[i].name, c->lost[i].by);
	if (r == 0) {
		c->pathd->cuts++;
		log_info("%s: %u connections closed, in %lld ms", address,
			 c->closed,
			 (long long)((reactor_now() - began) / MSEC(1)));
	}
	free(c);
}

/* All controllers at that address that the kernel takes for live, or -errno
 * when one of them could not be reset. */
static int gather(struct cut *c, const struct ctrls *cs,
		  const struct target *target)
{
	struct ctrl *i, *by;

	list_for_each (i, &cs->all, link) {
		if (i->target != target || !i->live)
			continue;
		by = ctrl_witness(cs, i);
		if (by == NULL || i->identity.ccrl == 0)
			return -EOPNOTSUPP;
		if (i->fingerprint == 0 ||
		    (c->n > 0 && i->fingerprint != c->fingerprint))
			return -ESTALE;
		if (c->n == LOST_MAX)
			return -E2BIG;
		c->fingerprint = i->fingerprint;
		strcpy(c->lost[c->n].name, i->name);
		strcpy(c->lost[c->n].by, by->name);
		c->lost[c->n++].identity = i->identity;
	}
	return 0;
}

static int start(struct pathd *p, const struct target *target)
{
	struct cut *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->pathd = p;
	c->addr = target->addr;
	r = gather(c, &p->ctrls, target);
	if (r == 0)
		r = task_spawn("cut", cut_main, c);
	if (r < 0)
		free(c);
	return r;
}

void pathd_cut(struct pathd *p)
{
	char address[ADDR_TEXT_MAX];
	struct ctrl *c;
	int r;

	while ((c = ctrls_next_dead(&p->ctrls, reactor_now())) != NULL) {
		r = start(p, c->target);
		if (r < 0)
			log_warn("%s: its controllers are left to the kernel: "
				 "%s",
				 addr_format(&c->target->addr, address),
				 strerror(-r));
	}
}
