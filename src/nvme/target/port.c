/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports: addresses that are listened on.  Listeners of several subsystems may
 * share one; the discovery subsystem answers on each.
 *
 * A connection goes to the reactor that has the fewest, where those that turned
 * out to be admin queues do not count: so the I/O queues of hosts spread.
 */
#include <errno.h>

#include "nvme/target/internal.h"

static struct nvmet_cpu *pick_cpu(struct nvmet *t)
{
	struct nvmet_cpu *best = &t->cpus[0];

	for (int i = 1; i < t->ncpus; i++)
		if (atomic_load(&t->cpus[i].load) < atomic_load(&best->load))
			best = &t->cpus[i];
	atomic_fetch_add(&best->load, 1);
	return best;
}

static void start(struct nvmet_port *port, struct stream *s)
{
	struct nvmet *t = port->t;
	struct nvmet_cpu *cpu = pick_cpu(t);
	struct nvmet_queue *q = nvmet_queue_create(port, s, cpu);

	if (q == NULL) {
		atomic_fetch_sub(&cpu->load, 1);
		stream_close(s);
		return;
	}
	pthread_mutex_lock(&t->lock);
	list_append(&port->queues, &q->in_port);
	t->nqueues++;
	pthread_mutex_unlock(&t->lock);
	nvmet_run_on(cpu->reactor, nvmet_queue_main, q);
}

static void accept_main(void *arg)
{
	struct nvmet_port *port = arg;
	struct stream *s;
	int rc;

	while ((rc = stream_accept(port->listener, &s)) != -ECANCELED) {
		if (rc == 0)
			start(port, s);
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
