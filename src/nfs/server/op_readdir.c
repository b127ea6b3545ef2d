/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READDIR (RFC 8881 18.23), written straight into the reply.
 *
 * The engine's cookies stay valid as long as their entry exists, across
 * restarts too, so the cookie verifier is constant and a directory can be read
 * over any number of requests while it changes.
 */
#include "nfs/server/internal.h"

/* The list's end and the eof flag come after the entries. */
enum { TAIL = 8, ENTRY_HEAD = 4 + 8 + 4 };

struct listing {
	struct nfsd_compound *c;
	const bitmap4 *want;
	struct nfs4_attrs attrs; /* what all entries have in common */
	size_t left;		 /* of maxcount and of the reply */
	size_t names_left;	 /* of dircount */
	unsigned entries;
};

static bool encode_entry(struct xdr *x, struct listing *l,
			 const struct engine_dirent *e)
{
	struct nfsd_attrs_texts texts;
	component4 name = { e->name, (uint32_t)e->name_len };
	uint64_t cookie = e->cookie;
	bool more = true;

	if (!xdr_bool(x, &more) || !xdr_u64(x, &cookie) ||
	    !xdr_component4(x, &name))
		return false;
	if (e->attr != NULL)
		nfsd_attrs_object(l->c, e->attr, &texts, &l->attrs);
	return nfs4_attrs_encode(x, l->want, &l->attrs);
}

static bool add_entry(void *arg, const struct engine_dirent *e)
{
	struct listing *l = arg;
	struct xdr *x = l->c->out;
	struct xdr_mark mark = xdr_mark(x);
	size_t before = xdr_length(x), names = ENTRY_HEAD + e->name_len;

	/* dircount is a hint, and the first entry is not subject to it. */
	if (l->names_left < names && l->entries > 0)
		return false;
	if (!encode_entry(x, l, e) || xdr_length(x) - before > l->left) {
		xdr_rewind(x, mark);
		return false;
	}
	l->left -= xdr_length(x) - before;
	l->names_left -= MIN(names, l->names_left);
	l->entries++;
	return true;
}

/* Attributes that are asked for one by one of the inode; the rest is known
 * without reading it. */
static bool needs_inode(const bitmap4 *want)
{
	bitmap4 constant = BITMAP4(FATTR4_RDATTR_ERROR, FATTR4_SUPPORTED_ATTRS,
				   FATTR4_LEASE_TIME, FATTR4_FSID);
	bitmap4 rest = bitmap4_without(want, &constant);

	return !bitmap4_empty(&rest);
}

static nfsstat4 list(struct nfsd_compound *c, struct listing *l)
{
	const READDIR4args *arg = &c->arg.opreaddir;
	bool more = false, eof = false;
	int rc;

	rc = engine_readdir(c->srv->engine, c->cfh, arg->cookie,
			    needs_inode(l->want), add_entry, l, &eof);
	if (rc < 0)
		return nfsd_status_dir(c, c->cfh, rc);
	if (l->entries == 0 && !eof)
		return NFS4ERR_TOOSMALL;
	if (!xdr_bool(c->out, &more) || !xdr_bool(c->out, &eof))
		return c->too_big;
	return NFS4_OK;
}

static nfsstat4 may_list(struct nfsd_compound *c)
{
	struct fattr attr;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	if (!S_ISDIR(attr.mode))
		return S_ISLNK(attr.mode) ? NFS4ERR_SYMLINK : NFS4ERR_NOTDIR;
	return engine_access(&attr, c->cred, ENGINE_R) ? NFS4_OK
						       : NFS4ERR_ACCESS;
}

nfsstat4 nfsd_op_readdir(struct nfsd_compound *c)
{
	const READDIR4args *arg = &c->arg.opreaddir;
	bitmap4 bad = bitmap4_and(&arg->attr_request, &nfs4_attrs_write_only);
	struct listing l = { .c = c, .want = &arg->attr_request };
	verifier4 verifier = {};
	size_t room = MIN((size_t)arg->maxcount, nfsd_compound_room(c));
	nfsstat4 status;

	if (!bitmap4_empty(&bad))
		return NFS4ERR_INVAL;
	if (arg->cookie == 1 || arg->cookie == 2)
		return NFS4ERR_BAD_COOKIE;
	if (arg->cookie != 0 && !verifier4_equal(arg->cookieverf, verifier))
		return NFS4ERR_NOT_SAME;
	status = may_list(c);
	if (status == NFS4_OK)
		status = nfsd_attrs_common(c, l.want, &l.attrs);
	if (status != NFS4_OK)
		return status;
	if (room < sizeof(verifier) + TAIL)
		return NFS4ERR_TOOSMALL;
	l.left = room - sizeof(verifier) - TAIL;
	l.names_left = arg->dircount == 0 ? SIZE_MAX : arg->dircount;
	if (!xdr_verifier4(c->out, &verifier))
		return c->too_big;
	return list(c, &l);
}
