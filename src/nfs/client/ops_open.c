/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing.  Each nfs_open has an open-owner of its own, named by a
 * number, so the server's rules about several opens of one owner (upgrade, one
 * CLOSE for all) never come into play.
 */
#include <errno.h>

#include "nfs/client/internal.h"

struct nfs_cred open_cred(const struct nfs_open *o)
{
	return (struct nfs_cred){ o->uid, o->gid, o->ngids, o->gids };
}

/* Sequence 0 says "the present state of it" (RFC 8881 section 8.2.2), so that
 * requests that pass each other do not fail with NFS4ERR_OLD_STATEID. */
stateid4 open_stateid(const struct nfs_open *o)
{
	stateid4 id = o->stateid;

	id.seqid = 0;
	return id;
}

struct xdr_bytes owner_bytes(const struct nfs_client *c, const char *kind,
			     uint64_t id, char buf[64])
{
	int n = snprintf(buf, 64, "%s:%llx", kind, (unsigned long long)id);

	return (struct xdr_bytes){ buf, (uint32_t)n };
}

void open_args(const struct nfs_open *o, OPEN4args *args, char owner[64])
{
	*args = (OPEN4args){
		.share_access = o->access | OPEN4_SHARE_ACCESS_WANT_NO_DELEG,
		.share_deny = OPEN4_SHARE_DENY_NONE,
		.owner = { o->client->identity.clientid,
			   owner_bytes(o->client, "open", o->owner, owner) },
		.openhow = { .opentype = OPEN4_NOCREATE },
		.claim = { .claim = CLAIM_FH },
	};
}

static struct nfs_open *open_create(struct nfs_client *c,
				    const struct nfs_cred *cred, unsigned flags)
{
	struct nfs_open *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	MAGIC_SET(o, OPEN_MAGIC);
	o->client = c;
	o->owner = c->next_owner++;
	o->access = flags & NFS_OPEN_RDWR;
	o->uid = cred->uid;
	o->gid = cred->gid;
	o->ngids = MIN(cred->ngids, (uint32_t)RPC_MAX_GROUPS);
	for (uint32_t i = 0; i < o->ngids; i++)
		o->gids[i] = cred->gids[i];
	list_init(&o->link);
	list_init(&o->locks);
	waitq_init(&o->turn);
	return o;
}

static void open_free(struct nfs_open *o)
{
	struct lock_state *l, *next;

	list_for_each_safe (l, next, &o->locks, link) {
		ranges_fini(&l->ranges);
		free(l);
	}
	assert(o->file == NULL);
	list_del(&o->link);
	MAGIC_CLEAR(o);
	free(o);
}

/* The server has it open from here on: reclaim knows it. */
static void open_begins(struct nfs_open *o, const OPEN4resok *res)
{
	o->stateid = res->stateid;
	o->client_epoch = o->client->client_epoch;
	list_append(&o->client->opens, &o->link);
}

static void result_open(struct call *k, struct nfs_open *o)
{
	OPEN4resok res;

	if (!call_result(k, OP_OPEN))
		return;
	call_result_done(k, xdr_OPEN4resok(&k->results, &res));
	if (k->error == 0)
		open_begins(o, &res);
}

/* Opened, but the rest of the compound failed: nobody will close it. */
static void undo(struct nfs_open *o)
{
	/* Without a handle it can't be closed. */
	if (list_empty(&o->link) || o->fh.len == 0)
		open_free(o);
	else
		nfs_close(o);
}

/* --------------------------------------------------------------- by handle */

int nfs_open_fh(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, unsigned flags, struct nfs_open **out,
		struct nfs_attr *attr)
{
	struct nfs_open *o = open_create(c, cred, flags);
	char owner[64];
	OPEN4args args;
	struct call k;
	int rc;

	if (o == NULL)
		return -ENOMEM;
	o->fh = *fh;
	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		open_args(o, &args, owner);
		call_putfh(&k, fh);
		call_op_done(&k,
			     xdr_OPEN4args(call_op_effect(&k, OP_OPEN), &args));
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	result_open(&k, o);
	call_result_attr(&k, attr);
	rc = call_end(&k);
	if (rc < 0)
		undo(o);
	else
		*out = o;
	return rc;
}

/* ----------------------------------------------------------------- by name */

/* EXCLUSIVE4_1 is safe to repeat even when the server forgot the first one: it
 * knows the file by the verifier. */
static void set_create(OPEN4args *args, const struct nfs_open *o,
		       unsigned flags, const fattr4 *attrs)
{
	args->openhow.opentype = OPEN4_CREATE;
	args->openhow.how.createattrs = *attrs;
	args->openhow.how.mode = UNCHECKED4;
	if (flags & NFS_OPEN_EXCL) {
		uint64_t number = hash_u64(o->owner);

		args->openhow.how.mode = EXCLUSIVE4_1;
		args->openhow.how.createverf = o->client->boot;
		for (unsigned i = 0; i < NFS4_VERIFIER_SIZE; i++)
			args->openhow.how.createverf.b[i] ^=
				(uint8_t)(number >> (8 * i));
	}
}

/* What a new file gets in the same operation, and in `later` what has to be set
 * afterwards: EXCLUSIVE4_1 takes only some attributes (suppattr_exclcreat). */
static void split_create(const struct nfs_client *c, unsigned flags,
			 const struct nfs_setattr *create,
			 struct nfs_setattr *now, struct nfs_setattr *later)
{
	*now = create != NULL ? *create : (struct nfs_setattr){};
	*later = *now;
	if (flags & NFS_OPEN_EXCL)
		now->mask = attr_allowed(now->mask, &c->exclcreat);
	later->mask &= ~now->mask;
}

static void open_by_name(struct call *k, struct nfs_open *o,
			 const struct nfs_fh *dir, component4 name,
			 unsigned flags, const fattr4 *attrs)
{
	char owner[64];
	OPEN4args args;

	open_args(o, &args, owner);
	args.claim = (open_claim4){ .claim = CLAIM_NULL, .file = name };
	if (flags & NFS_OPEN_CREATE)
		set_create(&args, o, flags, attrs);
	call_putfh(k, dir);
	call_op_done(k, xdr_OPEN4args(call_op_effect(k, OP_OPEN), &args));
	call_getfh(k);
	call_getattr(k);
	call_run(k);
}

static int open_named(struct nfs_open *o, const struct nfs_cred *cred,
		      const struct nfs_fh *dir, component4 name, unsigned flags,
		      const struct nfs_setattr *create, struct nfs_attr *attr)
{
	char memory[512];
	struct arena arena;
	fattr4 attrs;
	struct call k;

	arena_init(&arena, memory, sizeof(memory), KIB(4));
	if (!attr_pack(create, &arena, &attrs)) {
		arena_fini(&arena);
		return -ENOMEM;
	}
	call_init(&k, o->client, cred, CALL_CACHED);
	while (call_start(&k))
		open_by_name(&k, o, dir, name, flags, &attrs);
	call_result(&k, OP_PUTFH);
	result_open(&k, o);
	call_result_fh(&k, &o->fh);
	call_result_attr(&k, attr);
	arena_fini(&arena);
	return call_end(&k);
}

int nfs_open(struct nfs_client *c, const struct nfs_cred *cred,
	     const struct nfs_fh *dir, const char *name, size_t len,
	     unsigned flags, const struct nfs_setattr *create,
	     struct nfs_open **out, struct nfs_fh *fh, struct nfs_attr *attr)
{
	struct nfs_open *o = open_create(c, cred, flags);
	struct nfs_setattr now, later;
	struct nfs_attr there = {};
	int rc;

	if (o == NULL)
		return -ENOMEM;
	if (attr == NULL)
		attr = &there;
	split_create(c, flags, create, &now, &later);
	rc = open_named(o, cred, dir, (component4){ name, (uint32_t)len },
			flags, &now, attr);
	/* By itself, since what is kept of it has to be safe before. */
	if (rc == 0 && flags & NFS_OPEN_TRUNC && attr->size > 0) {
		later.mask |= NFS_SET_SIZE;
		later.size = 0;
	}
	if (rc == 0 && later.mask != 0)
		rc = nfs_setattr(c, cred, &o->fh,
				 o->access & NFS_OPEN_WRITE ? o : NULL, &later,
				 attr);
	if (rc < 0) {
		undo(o);
		return rc;
	}
	if (fh != NULL)
		*fh = o->fh;
	*out = o;
	return 0;
}

/* ----------------------------------------------------------------- closing */

static int close_on_server(struct nfs_open *o)
{
	struct nfs_cred cred = open_cred(o);
	CLOSE4args args = {};
	CLOSE4resok res;
	struct call k;

	call_init(&k, o->client, &cred, CALL_CACHED);
	while (!o->lost && call_start(&k)) {
		args.open_stateid = open_stateid(o);
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_CLOSE4args(call_op_effect(&k, OP_CLOSE),
						&args));
		call_run(&k);
	}
	if (o->lost)
		return call_end(&k);
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_CLOSE))
		call_result_done(&k, xdr_CLOSE4resok(&k.results, &res));
	/* A state that is gone is closed. */
	switch (k.status) {
	case NFS4ERR_EXPIRED:
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_STALE_STATEID:
	case NFS4ERR_ADMIN_REVOKED:
		k.error = 0;
		break;
	default:
		break;
	}
	return call_end(&k);
}

int nfs_close(struct nfs_open *o)
{
	int rc, closed;

	MAGIC_CHECK(o, OPEN_MAGIC);
	rc = o->nkept > 0 ? keep_sync(o->client, &o->fh) : 0;
	unlock_everything(o);
	closed = close_on_server(o);
	while (o->recovering)
		waitq_wait(&o->turn, NSEC_NEVER);
	keep_forget(o);
	open_free(o);
	return rc < 0 ? rc : closed;
}

const struct nfs_fh *nfs_open_handle(const struct nfs_open *o)
{
	return &o->fh;
}
