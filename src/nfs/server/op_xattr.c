/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes (RFC 8276).  Names on the wire lack the prefix "user.",
 * which is the one namespace there is.
 */
#include <errno.h>
#include <sys/xattr.h>

#include "nfs/server/internal.h"

#define PREFIX "user."
enum { PREFIX_LEN = sizeof(PREFIX) - 1 };

struct name {
	char text[ENGINE_XATTR_NAME_MAX];
	size_t len;
};

static nfsstat4 full_name(component4 short_name, struct name *n)
{
	if (short_name.len == 0 ||
	    memchr(short_name.data, '\0', short_name.len) != NULL)
		return NFS4ERR_INVAL;
	if (short_name.len > sizeof(n->text) - PREFIX_LEN)
		return NFS4ERR_NAMETOOLONG;
	memcpy(n->text, PREFIX, PREFIX_LEN);
	memcpy(n->text + PREFIX_LEN, short_name.data, short_name.len);
	n->len = PREFIX_LEN + short_name.len;
	return NFS4_OK;
}

/* The engine asks for write permission itself, with the change. */
static nfsstat4 may_read(struct nfsd_compound *c)
{
	struct fattr attr;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	return engine_access(&attr, c->cred, ENGINE_R) ? NFS4_OK
						       : NFS4ERR_ACCESS;
}

nfsstat4 nfsd_op_getxattr(struct nfsd_compound *c)
{
	struct xdr_bytes *value = &c->res.opgetxattr.gxr_value;
	struct name n;
	nfsstat4 status = full_name(c->arg.opgetxattr.gxa_name, &n);
	ssize_t len;
	void *data;

	if (status == NFS4_OK)
		status = may_read(c);
	if (status != NFS4_OK)
		return status;
	status = nfsd_compound_bulk(c, ENGINE_XATTR_SIZE_MAX, &data);
	if (status != NFS4_OK)
		return status;
	len = engine_getxattr(c->srv->engine, c->cfh, n.text, n.len, data,
			      ENGINE_XATTR_SIZE_MAX);
	if (len < 0)
		return nfsd_status((int)len);
	*value = (struct xdr_bytes){ data, (uint32_t)len };
	return NFS4_OK;
}

nfsstat4 nfsd_op_setxattr(struct nfsd_compound *c)
{
	const SETXATTR4args *arg = &c->arg.opsetxattr;
	int flags = arg->sxa_option == SETXATTR4_CREATE	   ? XATTR_CREATE
		    : arg->sxa_option == SETXATTR4_REPLACE ? XATTR_REPLACE
							   : 0;
	struct change_info ci;
	struct name n;
	nfsstat4 status = full_name(arg->sxa_key, &n);
	int rc;

	if (status != NFS4_OK)
		return status;
	if (arg->sxa_value.len > ENGINE_XATTR_SIZE_MAX)
		return NFS4ERR_XATTR2BIG;
	rc = engine_setxattr(c->srv->engine, c->cred, c->cfh, n.text, n.len,
			     arg->sxa_value.data, arg->sxa_value.len, flags,
			     &ci);
	if (rc < 0)
		return nfsd_status(rc);
	c->res.opsetxattr.sxr_info = nfsd_change_info(&ci);
	return NFS4_OK;
}

nfsstat4 nfsd_op_removexattr(struct nfsd_compound *c)
{
	struct change_info ci;
	struct name n;
	nfsstat4 status = full_name(c->arg.opremovexattr.rxa_name, &n);
	int rc;

	if (status != NFS4_OK)
		return status;
	rc = engine_removexattr(c->srv->engine, c->cred, c->cfh, n.text, n.len,
				&ci);
	if (rc < 0)
		return nfsd_status(rc);
	c->res.opremovexattr.rxr_info = nfsd_change_info(&ci);
	return NFS4_OK;
}

/* -------------------------------------------------------------- LISTXATTRS */

/* Fills the names behind the cookie, which counts names, as far as they fit:
 * each takes its length, itself and padding. */
static nfsstat4 take_names(struct nfsd_compound *c, char *list, size_t len,
			   size_t room)
{
	LISTXATTRS4resok *res = &c->res.oplistxattrs;
	uint64_t index = 0;
	size_t next;

	for (size_t at = 0; at < len; at = next) {
		size_t n = strnlen(list + at, len - at);

		next = at + n + 1;
		if (n <= PREFIX_LEN || memcmp(list + at, PREFIX, PREFIX_LEN))
			continue;
		if (index++ < c->arg.oplistxattrs.lxa_cookie)
			continue;
		n -= PREFIX_LEN;
		if (room < 4 + round_up(n, 4))
			return res->n == 0 ? NFS4ERR_TOOSMALL : NFS4_OK;
		room -= 4 + round_up(n, 4);
		res->lxr_names[res->n++] =
			(component4){ list + at + PREFIX_LEN, (uint32_t)n };
		res->lxr_cookie = index;
	}
	res->lxr_eof = true;
	return NFS4_OK;
}

nfsstat4 nfsd_op_listxattrs(struct nfsd_compound *c)
{
	enum { FIXED = 8 + 4 + 4 }; /* cookie, count, eof */
	LISTXATTRS4resok *res = &c->res.oplistxattrs;
	size_t room = MIN((size_t)c->arg.oplistxattrs.lxa_maxcount,
			  nfsd_compound_room(c));
	nfsstat4 status = may_read(c);
	ssize_t len;
	void *list;

	if (status != NFS4_OK)
		return status;
	if (room < FIXED)
		return NFS4ERR_TOOSMALL;
	status = nfsd_compound_bulk(c, ENGINE_XATTR_SIZE_MAX, &list);
	if (status != NFS4_OK)
		return status;
	len = engine_listxattr(c->srv->engine, c->cfh, list,
			       ENGINE_XATTR_SIZE_MAX);
	if (len < 0)
		return nfsd_status((int)len);
	/* None of our names takes less of the list than a prefix, a byte and
	 * a NUL. */
	res->lxr_names =
		arena_calloc(&c->call->arena, len / (PREFIX_LEN + 2) + 1,
			     sizeof(res->lxr_names[0]));
	if (res->lxr_names == NULL)
		return NFS4ERR_DELAY;
	res->lxr_cookie = c->arg.oplistxattrs.lxa_cookie;
	return take_names(c, list, len, room - FIXED);
}
