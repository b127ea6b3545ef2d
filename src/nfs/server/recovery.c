/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives a restart: a record for each client that may hold opens and
 * locks, and the number of this start.
 *
 * A client's record is written before its first open (at RECLAIM_COMPLETE,
 * without which it gets none) and deleted before anything it held can be given
 * to somebody else.  So after a crash the records name at least all who held
 * something, and nobody who has lost it (RFC 8881 8.4.2.1, 8.4.3).
 *
 *	kind "nfs_client", key uuid + client id      → client owner
 *	kind "nfs_epoch",  key uuid                  → number of starts
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/server/internal.h"
#include "store/store.h"

#define CLIENT_KIND "nfs_client"
#define EPOCH_KIND  "nfs_epoch"

enum { UUID_SIZE = 16, KEY_SIZE = UUID_SIZE + 8 };

static void make_key(const struct nfs_server *srv, clientid4 id,
		     uint8_t key[KEY_SIZE])
{
	memcpy(key, srv->options.uuid, UUID_SIZE);
	store_be64(key + UUID_SIZE, id);
}

/* ----------------------------------------------------------------- loading */

struct loading {
	struct nfs_server *srv;
	int error;
};

static bool load_client(void *arg, const void *key, size_t key_len,
			const void *value, size_t value_len)
{
	struct loading *l = arg;
	struct xdr_bytes owner = { value, (uint32_t)value_len };

	if (key_len != KEY_SIZE || value_len > NFS4_OPAQUE_LIMIT ||
	    memcmp(key, l->srv->options.uuid, UUID_SIZE) != 0)
		return true;
	l->error = nfsd_grace_add(
		l->srv, load_be64((const uint8_t *)key + UUID_SIZE), owner);
	return l->error == 0;
}

/* Client ids and stateids carry the number of the start, so that those of
 * before are recognised as stale.  Without a store the time has to do. */
static int draw_epoch(struct nfs_server *srv)
{
	auto_free void *value = NULL;
	uint8_t encoded[4];
	ssize_t len;

	if (srv->store == NULL) {
		srv->epoch = (uint32_t)(reactor_realtime() / MSEC(100));
		return 0;
	}
	len = store_get(srv->store, EPOCH_KIND, srv->options.uuid, UUID_SIZE,
			&value);
	if (len < 0 && len != -ENOENT)
		return (int)len;
	srv->epoch = 1 + (len == 4 ? load_be32(value) : 0);
	store_be32(encoded, srv->epoch);
	return store_put(srv->store, EPOCH_KIND, srv->options.uuid, UUID_SIZE,
			 encoded, sizeof(encoded));
}

int nfsd_records_load(struct nfs_server *srv)
{
	struct loading l = { .srv = srv };
	int rc = draw_epoch(srv);

	if (rc < 0 || srv->store == NULL)
		return rc;
	rc = store_for_each(srv->store, CLIENT_KIND, load_client, &l);
	return rc < 0 ? rc : l.error;
}

/* ----------------------------------------------------------------- changes */

int nfsd_record_put(struct nfsd_client *c)
{
	struct nfs_server *srv = c->srv;
	uint8_t key[KEY_SIZE];
	int rc;

	if (srv->store == NULL || atomic_load(&c->recorded))
		return 0;
	make_key(srv, c->id, key);
	rc = store_put(srv->store, CLIENT_KIND, key, sizeof(key), c->owner,
		       c->owner_len);
	if (rc < 0) {
		log_error("nfs %s: client record: %s", srv->owner_text,
			  strerror(-rc));
		return rc;
	}
	atomic_store(&c->recorded, true);
	if (atomic_load(&c->dead)) /* meanwhile; see nfsd_client_bury() */
		nfsd_record_delete(c);
	return 0;
}

void nfsd_record_delete_id(struct nfs_server *srv, clientid4 id)
{
	uint8_t key[KEY_SIZE];
	int rc;

	if (srv->store == NULL)
		return;
	make_key(srv, id, key);
	rc = store_delete(srv->store, CLIENT_KIND, key, sizeof(key));
	if (rc < 0)
		log_error("nfs %s: client record: %s", srv->owner_text,
			  strerror(-rc));
}

void nfsd_record_delete(struct nfsd_client *c)
{
	if (atomic_exchange(&c->recorded, false))
		nfsd_record_delete_id(c->srv, c->id);
}

/* ------------------------------------------------------------- forgetting */

enum { FORGET_BATCH = 256 };

struct forgetting {
	const uint8_t *uuid;
	uint8_t keys[FORGET_BATCH][KEY_SIZE];
	unsigned n;
};

static bool collect(void *arg, const void *key, size_t key_len,
		    const void *value, size_t value_len)
{
	struct forgetting *f = arg;

	if (key_len == KEY_SIZE && memcmp(key, f->uuid, UUID_SIZE) == 0)
		memcpy(f->keys[f->n++], key, KEY_SIZE);
	return f->n < FORGET_BATCH;
}

int nfs_server_forget(struct store *store, const uint8_t uuid[16])
{
	struct forgetting f = { .uuid = uuid };
	int rc;

	do {
		f.n = 0;
		rc = store_for_each(store, CLIENT_KIND, collect, &f);
		for (unsigned i = 0; rc == 0 && i < f.n; i++)
			rc = store_delete(store, CLIENT_KIND, f.keys[i],
					  KEY_SIZE);
	} while (rc == 0 && f.n == FORGET_BATCH);
	return rc < 0 ? rc : store_delete(store, EPOCH_KIND, uuid, UUID_SIZE);
}
