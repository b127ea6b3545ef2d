/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated network: who listens where, how a connection comes to be, and
 * what tests do to the links.
 */
#include <errno.h>
#include <string.h>

#include "reactor/sim_net.h"

enum { BACKLOG = 1024, FIRST_PORT = 40000 };

static const nsec syn_timeout = SEC(127); /* of Linux */

struct sim_listener {
	struct listener listener;
	struct list link;
	struct list backlog;
	int backlog_len;
	bool cancelled;
	struct waitq waiting;
};

static const struct listener_ops sim_listener_ops;

static struct sim_address *address_get(const struct addr *addr)
{
	struct sim *sim = sim_current();
	struct sim_address *a;

	list_for_each (a, &sim->links, link)
		if (addr_equal(&a->addr, addr))
			return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	a->addr = *addr;
	list_init(&a->connections);
	waitq_init(&a->changed);
	list_append(&sim->links, &a->link);
	return a;
}

static bool is_wildcard(const struct addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
	case AF_INET6:
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
	default:
		return false;
	}
}

static bool reaches(const struct addr *to, const struct addr *listener)
{
	return addr_equal(to, listener) ||
	       (is_wildcard(listener) &&
		to->sa.sa_family == listener->sa.sa_family &&
		addr_port(to) == addr_port(listener));
}

static struct sim_listener *listener_find(const struct addr *to)
{
	struct sim_listener *l;

	list_for_each (l, &sim_current()->listeners, link)
		if (reaches(to, &l->listener.addr))
			return l;
	return NULL;
}

static void give_port(struct addr *a)
{
	struct sim *sim = sim_current();

	if (a->sa.sa_family == AF_UNIX || addr_port(a) != 0)
		return;
	addr_set_port(a, sim->next_port++);
	if (sim->next_port == 0)
		sim->next_port = FIRST_PORT;
}

static int sim_listen(const struct addr *at, struct listener **out)
{
	struct sim_listener *l;

	if (listener_find(at) != NULL)
		return -EADDRINUSE;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	listener_init(&l->listener, &sim_listener_ops);
	l->listener.addr = *at;
	give_port(&l->listener.addr);
	list_init(&l->backlog);
	waitq_init(&l->waiting);
	list_append(&sim_current()->listeners, &l->link);
	*out = &l->listener;
	return 0;
}

static struct sim_listener *sim_listener_of(struct listener *l)
{
	return container_of(l, struct sim_listener, listener);
}

static struct sim_connection *backlog_take(struct sim_listener *l)
{
	struct sim_connection *c =
		list_first(&l->backlog, struct sim_connection, queued);

	if (c != NULL) {
		list_del(&c->queued);
		l->backlog_len--;
	}
	return c;
}

static int sim_accept(struct listener *listener, struct stream **out)
{
	struct sim_listener *l = sim_listener_of(listener);
	struct sim_connection *c;

	for (;;) {
		if (l->cancelled)
			return -ECANCELED;
		c = backlog_take(l);
		if (c != NULL)
			break;
		waitq_wait(&l->waiting, NSEC_NEVER);
	}
	*out = &c->end[1].stream;
	return 0;
}

static void sim_listener_cancel(struct listener *listener)
{
	struct sim_listener *l = sim_listener_of(listener);

	l->cancelled = true;
	waitq_wake_all(&l->waiting);
}

static void sim_listener_close(struct listener *listener)
{
	struct sim_listener *l = sim_listener_of(listener);
	struct sim_connection *c;

	while ((c = backlog_take(l)) != NULL) {
		stream_abort(&c->end[1].stream);
		stream_close(&c->end[1].stream);
	}
	list_del(&l->link);
	free(l);
}

static const struct listener_ops sim_listener_ops = {
	.accept = sim_accept,
	.cancel = sim_listener_cancel,
	.close = sim_listener_close,
};

/* The caller's packet goes to the address, or the answer comes back: 0, or
 * -ETIMEDOUT while the link is silent, or -ECONNREFUSED. */
static int cross(struct sim_address *a, nsec deadline)
{
	do {
		task_sleep(sim_net_delay());
		while (a->state == SIM_LINK_SILENT)
			if (!waitq_wait(&a->changed, deadline))
				return -ETIMEDOUT;
	} while (a->state == SIM_LINK_SILENT);
	return a->state == SIM_LINK_REFUSED ? -ECONNREFUSED : 0;
}

static void local_address(const struct addr *to, const struct addr *asked,
			  struct addr *local)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

	*local = asked != NULL ? *asked : *to;
	if (asked == NULL && to->sa.sa_family == AF_INET)
		local->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (asked == NULL && to->sa.sa_family == AF_INET6)
		local->in6.sin6_addr = loopback6;
	if (asked == NULL)
		addr_set_port(local, 0);
	give_port(local);
}

static int sim_connect(const struct addr *to, const struct addr *asked,
		       nsec deadline, struct stream **out)
{
	struct sim_address *a = address_get(to);
	struct sim_listener *l;
	struct sim_connection *c;
	struct addr local;
	int err;

	deadline = MIN(deadline, reactor_now() + syn_timeout);
	local_address(to, asked, &local);
	err = cross(a, deadline);
	if (err != 0)
		return err;
	l = listener_find(to);
	if (l == NULL || l->cancelled || l->backlog_len >= BACKLOG) {
		err = cross(a, deadline);
		return err != 0 ? err : -ECONNREFUSED;
	}
	c = sim_connection_create(a, &local);
	list_append(&l->backlog, &c->queued);
	l->backlog_len++;
	waitq_wake_one(&l->waiting);
	err = cross(a, deadline);
	if (err == 0)
		err = c->end[0].error;
	if (err != 0)
		stream_abort(&c->end[0].stream);
	if (err != 0)
		stream_close(&c->end[0].stream);
	else
		*out = &c->end[0].stream;
	return err;
}

const struct net_ops sim_net = {
	.connect = sim_connect,
	.listen = sim_listen,
};

void sim_cut(const struct addr *listener)
{
	struct sim_address *a = address_get(listener);
	struct sim_connection *c;

	list_for_each (c, &a->connections, link)
		sim_connection_reset(c);
}

void sim_set_link(const struct addr *listener, enum sim_link state)
{
	struct sim_address *a = address_get(listener);
	enum sim_link before = a->state;
	struct sim_connection *c;

	a->state = state;
	if (state == before)
		return;
	if (state == SIM_LINK_SILENT)
		a->silent_since = reactor_now();
	list_for_each (c, &a->connections, link) {
		if (state == SIM_LINK_REFUSED)
			sim_connection_reset(c);
		else if (state == SIM_LINK_SILENT)
			sim_connection_pause(c);
		else
			sim_connection_resume(c);
	}
	waitq_wake_all(&a->changed);
}

void sim_net_init(struct sim *s)
{
	list_init(&s->links);
	list_init(&s->listeners);
	s->next_port = FIRST_PORT;
}

static void address_destroy(struct timers *timers, struct sim_address *a)
{
	while (!list_empty(&a->connections))
		sim_connection_destroy(timers,
				       list_first(&a->connections,
						  struct sim_connection, link));
	list_del(&a->link);
	free(a);
}

void sim_net_fini(struct sim *s, struct timers *timers)
{
	while (!list_empty(&s->listeners)) {
		struct sim_listener *l =
			list_first(&s->listeners, struct sim_listener, link);

		list_del(&l->link);
		free(l);
	}
	while (!list_empty(&s->links))
		address_destroy(timers, list_first(&s->links,
						   struct sim_address, link));
}
