/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server as a whole: defaults, tables, start and end.
 */
#include <errno.h>
#include <stdio.h>

#include "base/rng.h"
#include "nfs/server/export.h"
#include "nfs/server/internal.h"
#include "nfs/server/listen.h"
#include "nfs/server/locations.h"

static int set_options(struct nfs_server *srv,
		       const struct nfs_server_options *options)
{
	struct nfs_server_options *o = &srv->options;

	*o = *options;
	if (o->lease == 0)
		o->lease = SEC(30);
	if (o->lease < SEC(1) || o->lease > SEC(3600) || o->lease % SEC(1))
		return -EINVAL;
	if (o->grace == 0)
		o->grace = o->lease;
	if (o->anon_uid == 0 && o->anon_gid == 0)
		o->anon_uid = o->anon_gid = 65534;
	if (o->unused_timeout == 0)
		o->unused_timeout = SEC(60);
	if (o->max_connections == 0)
		o->max_connections = 4096;
	if (o->max_clients == 0)
		o->max_clients = 16384;
	return 0;
}

/* What follows from the uuid.  The text is server owner and scope. */
static void set_names(struct nfs_server *srv)
{
	const uint8_t *u = srv->options.uuid;
	int n = snprintf(srv->owner_text, sizeof(srv->owner_text), "hawser-");

	for (int i = 0; i < 16; i++)
		n += snprintf(srv->owner_text + n, sizeof(srv->owner_text) - n,
			      "%02x", u[i]);
	srv->fsid = load_be64(u) ^ load_be64(u + 8);
}

static void init_tables(struct nfs_server *srv)
{
	pthread_mutex_init(&srv->clients_lock, NULL);
	pthread_mutex_init(&srv->locations_lock, NULL);
	pthread_mutex_init(&srv->exports_lock, NULL);
	task_rwlock_init(&srv->quota_lock);
	pthread_mutex_init(&srv->endpoints_lock, NULL);
	nfsd_meter_init(&srv->meter);
	list_init(&srv->clients);
	list_init(&srv->endpoints);
	for (int i = 0; i < NFSD_FILE_SHARDS; i++)
		pthread_mutex_init(&srv->files[i].lock, NULL);
}

static void fini_tables(struct nfs_server *srv)
{
	nfsd_grace_fini(srv);
	nfsd_locations_fini(srv);
	nfsd_exports_fini(srv);
	htable_fini(&srv->by_id);
	htable_fini(&srv->confirmed);
	htable_fini(&srv->unconfirmed);
	htable_fini(&srv->sessions);
	for (int i = 0; i < NFSD_FILE_SHARDS; i++) {
		assert(srv->files[i].files.count == 0);
		htable_fini(&srv->files[i].files);
		pthread_mutex_destroy(&srv->files[i].lock);
	}
	pthread_mutex_destroy(&srv->clients_lock);
	pthread_mutex_destroy(&srv->locations_lock);
	pthread_mutex_destroy(&srv->exports_lock);
	task_rwlock_fini(&srv->quota_lock);
	pthread_mutex_destroy(&srv->endpoints_lock);
	nfsd_meter_fini(&srv->meter);
	MAGIC_CLEAR(srv);
	free(srv);
}

int nfs_server_create(struct engine *engine, struct store *store,
		      const struct nfs_server_options *options,
		      struct nfs_server **out)
{
	struct nfs_server *srv = calloc(1, sizeof(*srv));
	int rc;

	if (srv == NULL)
		return -ENOMEM;
	MAGIC_SET(srv, NFSD_SERVER_MAGIC);
	init_tables(srv);
	srv->engine = engine;
	srv->store = store;
	rc = set_options(srv, options);
	if (rc < 0)
		goto fail;
	set_names(srv);
	random_bytes(&srv->write_verifier, sizeof(srv->write_verifier));
	rc = nfsd_records_load(srv);
	if (rc < 0)
		goto fail;
	nfsd_grace_begin(srv);
	rc = nfsd_expire_start(srv);
	if (rc < 0)
		goto fail;
	*out = srv;
	return 0;

fail:
	fini_tables(srv);
	return rc;
}

/* Without their records: those are for the next start. */
static void forget_clients(struct nfs_server *srv)
{
	struct nfsd_client *c;

	for (;;) {
		pthread_mutex_lock(&srv->clients_lock);
		c = list_first(&srv->clients, struct nfsd_client, all);
		if (c != NULL)
			nfsd_client_ref(c);
		pthread_mutex_unlock(&srv->clients_lock);
		if (c == NULL)
			return;
		atomic_store(&c->recorded, false);
		nfsd_client_expel(c, NULL, "the server ends");
		nfsd_client_put(c);
	}
}

void nfs_server_destroy(struct nfs_server *srv)
{
	MAGIC_CHECK(srv, NFSD_SERVER_MAGIC);
	nfsd_meter_end(&srv->meter);
	nfsd_unlisten_all(srv);
	nfsd_expire_stop(srv);
	if (srv->store != NULL) /* they may reclaim files without a name */
		engine_begin_grace(srv->engine);
	forget_clients(srv);
	fini_tables(srv);
}
