/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports: addresses that are listened on.  Listeners of several subsystems may
 * share one; the discovery subsystem answers on each.
 *
 * A connection goes to the reactor that has the fewest, where those that turned
 * out to be admin queues do not count: so the I/O queues of hosts spread.  One
 * too many, or one that there is no memory for, is closed at once.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "nvme/target/internal.h"

#define REFUSED_QUIET SEC(60)

static struct nvmet_cpu *pick_cpu(struct nvmet *t)
{
	struct nvmet_cpu *best = &t->cpus[0];

	for (int i = 1; i < t->ncpus; i++)
		if (atomic_load(&t->cpus[i].load) < atomic_load(&best->load))
			best = &t->cpus[i];
	atomic_fetch_add(&best->load, 1);
	return best;
}

static bool is_full(struct nvmet *t)
{
	bool full;

	pthread_mutex_lock(&t->lock);
	full = t->nqueues >= t->conf.max_connections;
	pthread_mutex_unlock(&t->lock);
	return full;
}

/* 0, or -errno: the stream is still the caller's. */
static int start(struct nvmet_port *port, struct stream *s)
{
	struct nvmet *t = port->t;
	struct nvmet_cpu *cpu;
	struct nvmet_queue *q;
	int rc;

	if (is_full(t))
		return -EUSERS;
	cpu = pick_cpu(t);
	q = nvmet_queue_create(port, s, cpu);
	if (q == NULL) {
		rc = -ENOMEM;
		goto fail;
	}
	pthread_mutex_lock(&t->lock);
	list_append(&port->queues, &q->in_port);
	t->nqueues++;
	pthread_mutex_unlock(&t->lock);
	rc = reactor_spawn(cpu->reactor, "nvmet-queue", nvmet_queue_main, q);
	if (rc == 0)
		return 0;
	pthread_mutex_lock(&t->lock);
	list_del(&q->in_port);
	t->nqueues--;
	pthread_mutex_unlock(&t->lock);
	q->stream = NULL;
	nvmet_queue_put(q);
fail:
	atomic_fetch_sub(&cpu->load, 1);
	return rc;
}

/* A line a minute: who floods us shall not flood the log. */
static void tell_refused(struct nvmet_port *port, const struct addr *peer,
			 int rc)
{
	struct nvmet *t = port->t;
	char text[ADDR_TEXT_MAX];

	t->refused++;
	if (t->refused_told != 0 &&
	    reactor_now() - t->refused_told < REFUSED_QUIET)
		return;
	t->refused_told = reactor_now();
	log_warn("nvme host %s: connection refused, one of %lu so far: %s",
		 addr_format(peer, text), t->refused,
		 rc == -EUSERS ? "there are max_connections" : strerror(-rc));
}

static void start_or_close(struct nvmet_port *port, struct stream *s)
{
	int rc = start(port, s);

	if (rc == 0)
		return;
	tell_refused(port, stream_peer(s), rc);
	stream_close(s);
}

static void accept_main(void *arg)
{
	struct nvmet_port *port = arg;
	struct stream *s;
	int rc;

	while ((rc = stream_accept(port->listener, &s)) != -ECANCELED) {
		if (rc == 0)
			start_or_close(port, s);
		else /* out of descriptors or memory: that passes */
			task_sleep(MSEC(10));
	}
	listener_close(port->listener);
	completion_done(&port->ended, 0);
}

static struct nvmet_port *find(struct nvmet *t, const struct addr *addr)
{
	struct nvmet_port *port;

	list_for_each (port, &t->ports, link)
		if (addr_equal(&port->addr, addr))
			return port;
	return NULL;
}

static int create(struct nvmet *t, const struct addr *addr,
		  struct nvmet_port **out)
{
	struct nvmet_port *port = calloc(1, sizeof(*port));
	int rc;

	if (port == NULL)
		return -ENOMEM;
	rc = stream_listen(addr, &port->listener);
	if (rc < 0)
		goto fail;
	port->t = t;
	port->addr = *listener_addr(port->listener);
	port->id = ++t->last_portid;
	list_init(&port->queues);
	rc = task_spawn("nvmet-accept", accept_main, port);
	if (rc < 0)
		goto fail_close;
	pthread_mutex_lock(&t->lock);
	list_append(&t->ports, &port->link);
	pthread_mutex_unlock(&t->lock);
	*out = port;
	return 0;

fail_close:
	listener_close(port->listener);
fail:
	free(port);
	return rc;
}

int nvmet_port_get(struct nvmet *t, const struct addr *addr,
		   struct nvmet_port **out)
{
	struct nvmet_port *port = find(t, addr);
	int rc;

	if (port == NULL) {
		rc = create(t, addr, &port);
		if (rc < 0)
			return rc;
	}
	port->users++;
	*out = port;
	return 0;
}

/* Those that belong to no subsystem, and discovery controllers. */
static bool end_queues(struct nvmet_port *port)
{
	struct nvmet_queue *q;
	bool some;

	pthread_mutex_lock(&port->t->lock);
	some = !list_empty(&port->queues);
	list_for_each (q, &port->queues, in_port)
		if (!port->ending)
			nvmet_queue_end_later(q);
	port->ending = true;
	pthread_mutex_unlock(&port->t->lock);
	return some;
}

void nvmet_port_put(struct nvmet_port *port)
{
	if (--port->users > 0)
		return;
	pthread_mutex_lock(&port->t->lock);
	list_del(&port->link);
	pthread_mutex_unlock(&port->t->lock);
	completion_init(&port->ended);
	listener_cancel(port->listener);
	completion_wait(&port->ended);
	while (end_queues(port))
		task_sleep(MSEC(1));
	free(port);
}
