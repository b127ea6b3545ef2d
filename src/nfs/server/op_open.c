/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OPEN (RFC 8881 18.16), in the order
 *
 *	may anybody open now (grace)? ─▶ find or create the file ─▶ may this
 *	caller have it? ─▶ share reservation ─▶ truncate if asked for
 *
 * No delegations are given; whoever asks for one is told so and why.
 */
#include <errno.h>

#include "nfs/server/callback.h"
#include "nfs/server/internal.h"

/* An OPEN on its way. */
struct opening {
	struct nfsd_compound *c;
	const OPEN4args *arg;
	struct nfsd_share share;
	struct sattr set; /* createattrs */
	bitmap4 asked;	  /* the same as a bitmap */
	struct fattr attr;
	bool ours; /* created by this OPEN, or by the one it repeats */
	change_info4 cinfo;
};

static nfsstat4 check_args(struct opening *o)
{
	const OPEN4args *arg = o->arg;

	o->share.access = arg->share_access & OPEN4_SHARE_ACCESS_BOTH;
	o->share.deny = arg->share_deny;
	if (o->share.access == 0 || o->share.deny > OPEN4_SHARE_DENY_BOTH)
		return NFS4ERR_INVAL;
	switch (arg->claim.claim) {
	case CLAIM_NULL:
		return nfsd_check_name(arg->claim.file);
	case CLAIM_PREVIOUS:
	case CLAIM_FH:
		return arg->openhow.opentype == OPEN4_CREATE ? NFS4ERR_INVAL
							     : NFS4_OK;
	case CLAIM_DELEGATE_CUR:
	case CLAIM_DELEG_CUR_FH:
		return NFS4ERR_BAD_STATEID; /* nobody has a delegation */
	case CLAIM_DELEGATE_PREV:
	case CLAIM_DELEG_PREV_FH:
		return NFS4ERR_NOTSUPP;
	}
	return NFS4ERR_INVAL;
}

/* New opens wait for the end of the grace period, and for the client's
 * RECLAIM_COMPLETE (RFC 8881 18.51.3). */
static nfsstat4 check_grace(const struct opening *o)
{
	struct nfsd_client *client = o->c->client;

	if (o->arg->claim.claim == CLAIM_PREVIOUS)
		return nfsd_grace_check_reclaim(client);
	if (nfsd_in_grace(o->c->srv) || !atomic_load(&client->reclaimed))
		return NFS4ERR_GRACE;
	return NFS4_OK;
}

/* --------------------------------------------------------- find or create */

static int look_up(struct opening *o)
{
	component4 name = o->arg->claim.file;

	return engine_lookup(o->c->srv->engine, o->c->cred, o->c->cfh,
			     name.data, name.len, &o->attr);
}

static int make(struct opening *o)
{
	const createhow4 *how = &o->arg->openhow.how;
	component4 name = o->arg->claim.file;
	struct create_spec spec = { .mode = S_IFREG | 0666, .attrs = o->set };
	struct change_info ci;
	bool existed = false;
	int rc;

	if (o->set.mask & SATTR_MODE)
		spec.mode = S_IFREG | o->set.mode;
	spec.attrs.mask &= ~SATTR_MODE;
	if (how->mode == EXCLUSIVE4 || how->mode == EXCLUSIVE4_1) {
		spec.exclusive = true;
		memcpy(&spec.verifier, how->createverf.b,
		       sizeof(spec.verifier));
	}
	rc = engine_create(o->c->srv->engine, o->c->cred, o->c->cfh, name.data,
			   name.len, &spec, &o->attr, &existed, &ci);
	if (rc < 0)
		return rc;
	o->ours = true;
	o->cinfo = nfsd_change_info(&ci);
	o->c->res.opopen.attrset = o->asked;
	return 0;
}

/* Most files that are opened with UNCHECKED4 exist, so it looks first. */
static int look_up_or_make(struct opening *o)
{
	int rc;

	do {
		rc = look_up(o);
		if (rc == -ENOENT)
			rc = make(o);
	} while (rc == -EEXIST); /* made by somebody else in between */
	return rc;
}

static nfsstat4 create_attrs(struct opening *o)
{
	const createhow4 *how = &o->arg->openhow.how;

	if (how->mode == EXCLUSIVE4)
		return NFS4_OK;
	return nfsd_attrs_to_set(o->c, &how->createattrs, &o->set, &o->asked);
}

/* The directory's change attribute, for an OPEN that does not change it. */
static int note_directory(struct opening *o)
{
	struct fattr dir;
	int rc = engine_getattr(o->c->srv->engine, o->c->cfh, &dir);

	if (rc == 0)
		o->cinfo = (change_info4){ true, dir.change, dir.change };
	return rc;
}

static nfsstat4 find_by_name(struct opening *o)
{
	nfsstat4 status = NFS4_OK;
	int rc = note_directory(o);

	if (rc < 0)
		return nfsd_status(rc);
	if (o->arg->openhow.opentype == OPEN4_NOCREATE) {
		rc = look_up(o);
	} else if (nfsd_read_only(o->c)) {
		rc = look_up(o);
		rc = rc == -ENOENT ? -EROFS : rc;
	} else {
		status = create_attrs(o);
		if (status != NFS4_OK)
			return status;
		rc = o->arg->openhow.how.mode == UNCHECKED4 ? look_up_or_make(o)
							    : make(o);
	}
	return rc < 0 ? nfsd_status_dir(o->c, o->c->cfh, rc) : NFS4_OK;
}

static bool wants_truncate(const struct opening *o)
{
	return !o->ours && o->arg->openhow.opentype == OPEN4_CREATE &&
	       (o->set.mask & SATTR_SIZE) && o->set.size == 0;
}

static nfsstat4 find(struct opening *o)
{
	nfsstat4 status;

	if (o->arg->claim.claim != CLAIM_NULL)
		return nfsd_status(
			engine_getattr(o->c->srv->engine, o->c->cfh, &o->attr));
	status = find_by_name(o);
	if (status == NFS4_OK && wants_truncate(o))
		o->share.once = OPEN4_SHARE_ACCESS_WRITE;
	return status;
}

/* Who reclaims had the permission when he opened; who creates a file may use
 * it whatever its mode says. */
static nfsstat4 check_file(const struct opening *o)
{
	nfsstat4 status = nfsd_check_regular(o->attr.mode);

	if (status != NFS4_OK)
		return status;
	if (nfsd_read_only(o->c) &&
	    (o->share.access & OPEN4_SHARE_ACCESS_WRITE))
		return NFS4ERR_ROFS;
	if (o->ours || o->arg->claim.claim == CLAIM_PREVIOUS)
		return NFS4_OK;
	return nfsd_check_access(&o->attr, o->c->cred,
				 o->share.access | o->share.once);
}

/* ------------------------------------------------------------------- open */

static nfsstat4 truncate_file(struct opening *o)
{
	struct sattr set = { .mask = SATTR_SIZE };
	int rc = engine_setattr(o->c->srv->engine, o->c->cred, o->attr.ino,
				&set, NULL);

	if (rc == 0)
		o->c->res.opopen.attrset = BITMAP4(FATTR4_SIZE);
	return nfsd_status(rc);
}

static void take_back(struct nfsd_client *client, const stateid4 *id)
{
	struct nfsd_dropped *files = NULL;
	struct nfsd_state *s;

	pthread_mutex_lock(&client->lock);
	if (nfsd_state_find(client, id, NFSD_WANT_OPEN, &s) == NFS4_OK)
		nfsd_state_drop(s, &files);
	pthread_mutex_unlock(&client->lock);
	nfsd_files_put(files);
}

static nfsstat4 open_file(struct opening *o, stateid4 *id)
{
	struct nfsd_client *client = o->c->client;
	struct nfsd_file *f;
	nfsstat4 status = nfsd_file_get(o->c->srv, o->attr.ino, &f);
	bool is_new;

	if (status != NFS4_OK)
		return status;
	status = nfsd_open_add(client, o->arg->owner.owner, f, &o->share, id,
			       &is_new);
	if (status == NFS4ERR_SHARE_DENIED &&
	    o->arg->claim.claim == CLAIM_PREVIOUS)
		status = NFS4ERR_RECLAIM_CONFLICT;
	if (status == NFS4_OK && o->share.once != 0) {
		status = truncate_file(o);
		if (status != NFS4_OK && is_new)
			take_back(client, id);
	}
	nfsd_file_put(f);
	return status;
}

static void no_delegation(uint32_t share_access, open_delegation4 *d)
{
	uint32_t want = share_access & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;

	d->delegation_type = OPEN_DELEGATE_NONE;
	if (want == OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE)
		return;
	d->delegation_type = OPEN_DELEGATE_NONE_EXT;
	d->ond_why = want == OPEN4_SHARE_ACCESS_WANT_NO_DELEG ? WND4_NOT_WANTED
		     : want == OPEN4_SHARE_ACCESS_WANT_CANCEL ? WND4_CANCELLED
							      : WND4_RESOURCE;
}

nfsstat4 nfsd_op_open(struct nfsd_compound *c)
{
	struct opening o = { .c = c, .arg = &c->arg.opopen };
	OPEN4resok *res = &c->res.opopen;
	nfsstat4 status;

	status = check_args(&o);
	if (status == NFS4_OK)
		status = check_grace(&o);
	if (status == NFS4_OK)
		status = find(&o);
	if (status == NFS4_OK)
		status = check_file(&o);
	if (status == NFS4_OK)
		status = open_file(&o, &res->stateid);
	if (status != NFS4_OK)
		return status;
	res->cinfo = o.cinfo;
	res->rflags =
		OPEN4_RESULT_LOCKTYPE_POSIX | OPEN4_RESULT_PRESERVE_UNLINKED;
	if (nfsd_back_exists(c->session))
		res->rflags |= OPEN4_RESULT_MAY_NOTIFY_LOCK;
	no_delegation(o.arg->share_access, &res->delegation);
	nfsd_set_cfh(c, o.attr.ino);
	c->cfh_state = res->stateid;
	return NFS4_OK;
}
