/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task that watches the clock of a server: ends the grace period, and lets
 * clients go whose lease is over.
 *
 * A client that holds something keeps it beyond its lease, by courtesy, until
 * somebody else wants it (nfsd_client_expel_expired()) or a day has passed: a
 * client that was cut off for an hour then finds everything as it was.  One
 * that holds nothing, or was never confirmed, goes at once.
 */
#include "nfs/server/internal.h"

static bool is_due(struct nfsd_client *c)
{
	nsec idle = reactor_now() - atomic_load(&c->renewed);

	if (idle <= c->srv->options.lease || nfsd_client_busy(c, NULL))
		return false;
	return !c->confirmed || idle > NFSD_COURTESY || c->nstates == 0;
}

enum { BATCH = 64 };

/* With a reference each. */
static unsigned find_due(struct nfs_server *srv, struct nfsd_client *due[BATCH])
{
	struct nfsd_client *c;
	unsigned n = 0;

	pthread_mutex_lock(&srv->clients_lock);
	list_for_each (c, &srv->clients, all) {
		if (n == BATCH)
			break;
		pthread_mutex_lock(&c->lock);
		if (is_due(c))
			due[n++] = nfsd_client_ref(c);
		pthread_mutex_unlock(&c->lock);
	}
	pthread_mutex_unlock(&srv->clients_lock);
	return n;
}

static void expire_clients(struct nfs_server *srv)
{
	struct nfsd_client *due[BATCH];
	unsigned n;

	do {
		n = find_due(srv, due);
		for (unsigned i = 0; i < n; i++) {
			nfsd_client_expel(due[i], is_due, "its lease is over");
			nfsd_client_put(due[i]);
		}
	} while (n == BATCH && !atomic_load(&srv->stopping));
}

static void expire_main(void *arg)
{
	struct nfs_server *srv = arg;
	nsec pause = MIN(srv->options.lease / 4, SEC(1));

	srv->expire_task = task_self();
	while (!atomic_load(&srv->stopping)) {
		nfsd_grace_tick(srv);
		expire_clients(srv);
		task_park(reactor_now() + pause);
	}
	srv->expire_task = NULL;
	completion_done(&srv->expire_ended, 0);
}

int nfsd_expire_start(struct nfs_server *srv)
{
	srv->expire_reactor = reactor_self();
	return task_spawn("nfs-expire", expire_main, srv);
}

/* On the task's own reactor, where it can't end under our hands. */
static void wake(void *arg)
{
	struct nfs_server *srv = arg;

	if (srv->expire_task != NULL)
		task_wake(srv->expire_task);
	completion_done(&srv->expire_woken, 0);
}

void nfsd_expire_stop(struct nfs_server *srv)
{
	completion_init(&srv->expire_ended);
	completion_init(&srv->expire_woken);
	atomic_store(&srv->stopping, true);
	while (reactor_spawn(srv->expire_reactor, "nfs-expire-stop", wake,
			     srv) < 0)
		task_sleep(MSEC(1));
	completion_wait(&srv->expire_woken);
	completion_wait(&srv->expire_ended);
}
