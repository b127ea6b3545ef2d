/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file system carries, counted, and held to what it may carry.
 *
 * A compound is one operation of metering: of READ and WRITE each one, else the
 * first of those that look at the file system or change it.  What only keeps
 * sessions, opens and locks is free, and never waits; nor does NULL.
 *
 * An operation that may not go yet parks its task, in one line for the file
 * system, and whoever is at its head watches the time for all.  Nobody else
 * waits for them: they are not on the reader's stack, and may take up half of
 * what a connection, and half of what a reactor's connections may hold; what
 * comes beyond that is answered NFS4ERR_DELAY, and the client asks again.
 *
 *	take() ─▶ taken                          the usual
 *	   └────▶ in line ─▶ head ─▶ taken       parked
 *	   └────▶ NFS4ERR_DELAY                  the line is full
 *
 * A file system without a limit never comes near the lock.
 */
#include "base/log.h"
#include "nfs/server/internal.h"
#include "nfs/server/load.h"

/* The share of one file system in what throttled calls may hold. */
enum { LINE_CALLS = 2048 };
#define LINE_BYTES (16u << 20)

struct waiter {
	struct list link; /* meter.line */
	struct task *task;
	struct throughput_cost cost;
	bool taken;
};

void nfsd_meter_init(struct nfsd_meter *m)
{
	pthread_mutex_init(&m->lock, NULL);
	list_init(&m->line);
	throughput_init(&m->throughput, &(struct throughput_rule){},
			reactor_now());
}

void nfsd_meter_fini(struct nfsd_meter *m)
{
	assert(list_empty(&m->line));
	pthread_mutex_destroy(&m->lock);
}

/* ------------------------------------------------------------------- line */

static void wake_head(struct nfsd_meter *m)
{
	struct waiter *head = list_first(&m->line, struct waiter, link);

	if (head != NULL)
		task_wake(head->task);
}

/* Lets go who may; when the next one may. */
static nsec serve(struct nfsd_meter *m)
{
	struct waiter *w;
	nsec next;

	while ((w = list_first(&m->line, struct waiter, link)) != NULL) {
		next = throughput_take(&m->throughput, &w->cost, reactor_now());
		if (next != NSEC_NEVER)
			return next;
		list_del(&w->link);
		w->taken = true;
		task_wake(w->task); /* it can't be gone: it needs the lock */
	}
	return NSEC_NEVER;
}

/* With the lock, which is given back while the task is parked. */
static void wait_in_line(struct nfsd_meter *m, struct waiter *w)
{
	nsec until;

	list_append(&m->line, &w->link);
	while (!w->taken && !m->ending) {
		until = NSEC_NEVER;
		if (list_first(&m->line, struct waiter, link) == w)
			until = serve(m);
		if (w->taken) {
			wake_head(m); /* the next one watches the time */
			return;
		}
		pthread_mutex_unlock(&m->lock);
		task_park(until);
		pthread_mutex_lock(&m->lock);
	}
	if (!w->taken)
		list_del(&w->link);
}

/* Half of everything is for those that are not throttled. */
static bool line_is_full(const struct nfsd_meter *m, const struct nfsd_conn *c,
			 size_t bytes)
{
	return c->throttled + 1 > NFSD_CONN_CALLS / 2 ||
	       c->throttled_bytes + bytes > NFSD_CONN_BYTES / 2 ||
	       c->load->throttled + 1 > NFSD_LOAD_CALLS / 2 ||
	       c->load->throttled_bytes + bytes > NFSD_LOAD_BYTES / 2 ||
	       m->calls + 1 > LINE_CALLS || m->bytes + bytes > LINE_BYTES;
}

static void hold(struct nfsd_meter *m, struct nfsd_conn *c, int calls,
		 ssize_t bytes)
{
	m->calls += calls;
	m->bytes += bytes;
	c->throttled += calls;
	c->throttled_bytes += bytes;
	c->load->throttled += calls;
	c->load->throttled_bytes += bytes;
}

static nfsstat4 take(struct nfsd_compound *c,
		     const struct throughput_cost *cost)
{
	struct nfsd_meter *m = &c->srv->meter;
	struct nfsd_conn *conn = c->call->conn;
	struct waiter w = { .task = task_self(), .cost = *cost };
	size_t bytes = c->call->charged;
	nfsstat4 status = NFS4_OK;

	pthread_mutex_lock(&m->lock);
	if (m->ending || (list_empty(&m->line) &&
			  throughput_take(&m->throughput, cost,
					  reactor_now()) == NSEC_NEVER)) {
		pthread_mutex_unlock(&m->lock);
		return NFS4_OK;
	}
	nfsd_count(conn, throttled, 1);
	if (w.task == NULL || line_is_full(m, conn, bytes)) {
		status = NFS4ERR_DELAY;
	} else {
		hold(m, conn, 1, bytes);
		wait_in_line(m, &w);
		hold(m, conn, -1, -(ssize_t)bytes);
	}
	pthread_mutex_unlock(&m->lock);
	return status;
}

/* -------------------------------------------------------------- operations */

static bool is_limited(const struct nfsd_compound *c)
{
	return atomic_load_explicit(&c->srv->meter.limited,
				    memory_order_relaxed);
}

static nfsstat4 meter(struct nfsd_compound *c,
		      const struct throughput_cost *cost)
{
	c->metered = true;
	return is_limited(c) ? take(c, cost) : NFS4_OK;
}

/* What came of it: part of the totals once it has been done. */
static void count_metered(struct nfsd_compound *c,
			  const struct throughput_cost *cost)
{
	nfsd_count(c->call->conn, bytes_metered, (uint64_t)cost->bytes);
}

nfsstat4 nfsd_meter_op(struct nfsd_compound *c, const struct nfsd_op *op)
{
	bool changes =
		(op->flags & OP_MUTATES) && !(op->flags & OP_READ_ONLY_OK);
	struct throughput_cost cost =
		changes ? throughput_write_cost(0) : throughput_read_cost(0);
	nfsstat4 status;

	if (!(op->flags & OP_METERED) || c->metered)
		return NFS4_OK;
	status = meter(c, &cost);
	if (status != NFS4_OK)
		return status;
	if (changes)
		nfsd_count(c->call->conn, metadata_writes, 1);
	else
		nfsd_count(c->call->conn, metadata_reads, 1);
	count_metered(c, &cost);
	return NFS4_OK;
}

nfsstat4 nfsd_meter_read(struct nfsd_compound *c, size_t bytes)
{
	struct throughput_cost cost = throughput_read_cost(bytes);

	return meter(c, &cost);
}

void nfsd_meter_read_done(struct nfsd_compound *c, size_t asked, size_t got)
{
	struct nfsd_meter *m = &c->srv->meter;
	struct throughput_cost cost = throughput_read_cost(got);
	struct throughput_cost more = throughput_read_cost(asked);

	nfsd_count(c->call->conn, reads, 1);
	nfsd_count(c->call->conn, bytes_read, got);
	count_metered(c, &cost);
	more.bytes -= cost.bytes;
	if (more.bytes <= 0 || !is_limited(c))
		return;
	pthread_mutex_lock(&m->lock);
	throughput_give_back(&m->throughput, &more);
	pthread_mutex_unlock(&m->lock);
}

nfsstat4 nfsd_meter_write(struct nfsd_compound *c, size_t bytes)
{
	struct throughput_cost cost = throughput_write_cost(bytes);

	return meter(c, &cost);
}

void nfsd_meter_write_done(struct nfsd_compound *c, size_t bytes)
{
	struct throughput_cost cost = throughput_write_cost(bytes);

	nfsd_count(c->call->conn, writes, 1);
	nfsd_count(c->call->conn, bytes_written, bytes);
	count_metered(c, &cost);
}

/* ------------------------------------------------------------ what is said */

void nfs_server_set_throughput(struct nfs_server *srv,
			       const struct throughput_rule *rule)
{
	struct nfsd_meter *m = &srv->meter;

	pthread_mutex_lock(&m->lock);
	throughput_set_rule(&m->throughput, rule, reactor_now());
	atomic_store(&m->limited, throughput_is_limited(rule));
	wake_head(m);
	pthread_mutex_unlock(&m->lock);
}

void nfs_server_set_stored(struct nfs_server *srv, uint64_t bytes)
{
	struct nfsd_meter *m = &srv->meter;

	pthread_mutex_lock(&m->lock);
	throughput_set_stored(&m->throughput, bytes, reactor_now());
	wake_head(m);
	pthread_mutex_unlock(&m->lock);
}

void nfs_server_set_credits(struct nfs_server *srv, double credits, nsec ago)
{
	struct nfsd_meter *m = &srv->meter;

	pthread_mutex_lock(&m->lock);
	throughput_set_credits(&m->throughput, credits, ago, reactor_now());
	wake_head(m);
	pthread_mutex_unlock(&m->lock);
}

void nfsd_meter_get_stats(struct nfsd_meter *m, struct nfs_server_stats *out)
{
	pthread_mutex_lock(&m->lock);
	out->permitted = throughput_permitted(&m->throughput, reactor_now());
	out->credits = throughput_credits(&m->throughput, reactor_now());
	out->waiting = m->calls;
	pthread_mutex_unlock(&m->lock);
}

void nfsd_meter_end(struct nfsd_meter *m)
{
	struct waiter *w;

	pthread_mutex_lock(&m->lock);
	m->ending = true;
	list_for_each (w, &m->line, link)
		task_wake(w->task);
	pthread_mutex_unlock(&m->lock);
}
