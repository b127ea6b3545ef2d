/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses: a task that accepts for each, connections handed to the reactors
 * in turn.  Taking an address away resets its connections at once, so that
 * clients turn to another path and do not wait for silence to be noticed.
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/server/conn.h"
#include "nfs/server/internal.h"
#include "nfs/server/listen.h"

/* --------------------------------------------------- a connection's life */

static void add_stats(struct nfs_server_stats *sum, const struct nfsd_conn *c)
{
#define ADD(member)                                                            \
	sum->member +=                                                         \
		atomic_load_explicit(&c->stats.member, memory_order_relaxed)
	ADD(compounds);
	ADD(operations);
	ADD(replays);
	ADD(bytes_read);
	ADD(bytes_written);
	ADD(bad_requests);
	ADD(reads);
	ADD(writes);
	ADD(metadata_reads);
	ADD(metadata_writes);
	ADD(bytes_metered);
	ADD(throttled);
#undef ADD
}

static void conn_main(void *arg)
{
	struct nfsd_conn *c = arg;
	struct nfs_server *srv = c->srv;

	nfsd_conn_run(c);
	pthread_mutex_lock(&srv->endpoints_lock);
	list_del(&c->link);
	add_stats(&srv->past, c);
	pthread_mutex_unlock(&srv->endpoints_lock);
	nfsd_conn_put(c);
	atomic_fetch_sub(&srv->nconns, 1); /* the last use of srv */
}

static bool admits(const struct nfsd_endpoint *ep, const struct stream *s)
{
	const struct nfs_server_options *o = &ep->srv->options;

	return o->admits == NULL ||
	       o->admits(o->admits_arg, &ep->addr, stream_peer(s));
}

static void start_conn(struct nfsd_endpoint *ep, struct stream *s)
{
	struct nfs_server *srv = ep->srv;
	struct reactor *r = srv->options.reactors != NULL
				    ? reactor_set_pick(srv->options.reactors)
				    : reactor_self();
	struct nfsd_conn *c;

	if (atomic_fetch_add(&srv->nconns, 1) >= srv->options.max_connections)
		goto refuse;
	if (!admits(ep, s))
		goto refuse;
	c = nfsd_conn_new(srv, s, r);
	if (c == NULL)
		goto refuse;
	pthread_mutex_lock(&srv->endpoints_lock);
	list_append(&ep->conns, &c->link);
	pthread_mutex_unlock(&srv->endpoints_lock);
	if (reactor_spawn(r, "nfs-conn", conn_main, c) == 0)
		return;
	pthread_mutex_lock(&srv->endpoints_lock);
	list_del(&c->link);
	pthread_mutex_unlock(&srv->endpoints_lock);
	nfsd_conn_put(c);
refuse:
	atomic_fetch_sub(&srv->nconns, 1);
	stream_close(s);
}

static void accept_main(void *arg)
{
	struct nfsd_endpoint *ep = arg;
	struct stream *s;
	int rc;

	while ((rc = stream_accept(ep->listener, &s)) != -ECANCELED) {
		if (rc == 0)
			start_conn(ep, s);
		else /* out of descriptors or memory: that passes */
			task_sleep(MSEC(10));
	}
	listener_close(ep->listener);
	completion_done(&ep->ended, 0);
}

/* ------------------------------------------------------------------ listen */

static struct nfsd_endpoint *find_locked(struct nfs_server *srv,
					 const struct addr *at)
{
	struct nfsd_endpoint *ep;

	list_for_each (ep, &srv->endpoints, link)
		if (addr_equal(&ep->addr, at))
			return ep;
	return NULL;
}

static int publish(struct nfsd_endpoint *ep)
{
	struct nfs_server *srv = ep->srv;
	int rc = 0;

	pthread_mutex_lock(&srv->endpoints_lock);
	if (find_locked(srv, &ep->addr) != NULL)
		rc = -EEXIST;
	else
		list_append(&srv->endpoints, &ep->link);
	pthread_mutex_unlock(&srv->endpoints_lock);
	return rc;
}

int nfs_server_listen(struct nfs_server *srv, struct addr *at)
{
	struct nfsd_endpoint *ep = calloc(1, sizeof(*ep));
	int rc;

	if (ep == NULL)
		return -ENOMEM;
	rc = stream_listen(at, &ep->listener);
	if (rc < 0)
		goto fail;
	ep->srv = srv;
	ep->addr = *listener_addr(ep->listener);
	ep->reactor = reactor_self();
	list_init(&ep->conns);
	rc = publish(ep);
	if (rc < 0)
		goto fail_close;
	rc = task_spawn("nfs-accept", accept_main, ep);
	if (rc < 0)
		goto fail_unlink;
	*at = ep->addr;
	return 0;

fail_unlink:
	pthread_mutex_lock(&srv->endpoints_lock);
	list_del(&ep->link);
	pthread_mutex_unlock(&srv->endpoints_lock);
fail_close:
	listener_close(ep->listener);
fail:
	free(ep);
	return rc;
}

/* ---------------------------------------------------------------- unlisten */

struct abort_order {
	struct nfsd_conn *conn;
	struct nfsd_endpoint *ep;
	struct completion done;
};

static void abort_conn(void *arg)
{
	struct abort_order *o = arg;

	nfsd_conn_abort(o->conn);
	completion_done(&o->done, 0);
}

static void cancel_listener(void *arg)
{
	struct abort_order *o = arg;

	listener_cancel(o->ep->listener);
	completion_done(&o->done, 0);
}

/* Runs fn(o) as a task of r, and waits for it. */
static void run_on(struct reactor *r, task_fn *fn, struct abort_order *o)
{
	completion_init(&o->done);
	while (reactor_spawn(r, "nfs-abort", fn, o) < 0)
		task_sleep(MSEC(1));
	completion_wait(&o->done);
}

/* Some connection that has not been told yet, with a reference: it is taken
 * out of the endpoint's list. */
static struct nfsd_conn *pop_conn(struct nfsd_endpoint *ep)
{
	struct nfsd_conn *c;

	pthread_mutex_lock(&ep->srv->endpoints_lock);
	c = list_first(&ep->conns, struct nfsd_conn, link);
	if (c != NULL) {
		list_del(&c->link);
		nfsd_conn_ref(c);
	}
	pthread_mutex_unlock(&ep->srv->endpoints_lock);
	return c;
}

static void endpoint_end(struct nfsd_endpoint *ep)
{
	struct abort_order o = { .ep = ep };

	completion_init(&ep->ended);
	run_on(ep->reactor, cancel_listener, &o);
	completion_wait(&ep->ended);
	while ((o.conn = pop_conn(ep)) != NULL) {
		run_on(o.conn->reactor, abort_conn, &o);
		nfsd_conn_put(o.conn);
	}
	free(ep);
}

int nfs_server_unlisten(struct nfs_server *srv, const struct addr *at)
{
	struct nfsd_endpoint *ep;

	pthread_mutex_lock(&srv->endpoints_lock);
	ep = find_locked(srv, at);
	if (ep != NULL)
		list_del(&ep->link);
	pthread_mutex_unlock(&srv->endpoints_lock);
	if (ep == NULL)
		return -ENOENT;
	endpoint_end(ep);
	return 0;
}

void nfsd_unlisten_all(struct nfs_server *srv)
{
	struct nfsd_endpoint *ep;

	for (;;) {
		pthread_mutex_lock(&srv->endpoints_lock);
		ep = list_first(&srv->endpoints, struct nfsd_endpoint, link);
		if (ep != NULL)
			list_del(&ep->link);
		pthread_mutex_unlock(&srv->endpoints_lock);
		if (ep == NULL)
			break;
		endpoint_end(ep);
	}
	while (atomic_load(&srv->nconns) > 0 ||
	       atomic_load(&srv->nnotifiers) > 0)
		task_sleep(MSEC(1));
}

/* ----------------------------------------------------------------- numbers */

void nfs_server_get_stats(struct nfs_server *srv, struct nfs_server_stats *out)
{
	struct nfsd_endpoint *ep;
	struct nfsd_conn *c;

	pthread_mutex_lock(&srv->clients_lock);
	unsigned clients = srv->nclients, sessions = srv->nsessions;
	pthread_mutex_unlock(&srv->clients_lock);

	pthread_mutex_lock(&srv->endpoints_lock);
	*out = srv->past;
	list_for_each (ep, &srv->endpoints, link)
		list_for_each (c, &ep->conns, link)
			add_stats(out, c);
	pthread_mutex_unlock(&srv->endpoints_lock);
	out->connections = atomic_load(&srv->nconns);
	out->clients = clients;
	out->sessions = sessions;
	out->in_grace = nfsd_in_grace(srv);
	nfsd_meter_get_stats(&srv->meter, out);
}

void nfs_server_for_each_connection(struct nfs_server *srv,
				    nfs_server_conn_fn *fn, void *arg)
{
	struct nfsd_endpoint *ep;
	struct nfsd_conn *c;

	pthread_mutex_lock(&srv->endpoints_lock);
	list_for_each (ep, &srv->endpoints, link)
		list_for_each (c, &ep->conns, link)
			fn(arg, &c->local, &c->peer, c->since);
	pthread_mutex_unlock(&srv->endpoints_lock);
}
