/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of the current file: GETATTR, SETATTR, VERIFY, NVERIFY, ACCESS,
 * READLINK (RFC 8881 18.7, 18.30, 18.31, 18.15, 18.1, 18.24).
 */
#include <errno.h>

#include "nfs/server/internal.h"

/* What all of them start with.  The texts must live as long as `a`. */
static nfsstat4 current_attrs(struct nfsd_compound *c, const bitmap4 *want,
			      struct nfsd_attrs_texts *texts,
			      struct nfs4_attrs *a)
{
	struct fattr attr;
	nfsstat4 status;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	status = nfsd_attrs_common(c, want, a);
	if (status == NFS4_OK)
		nfsd_attrs_object(c, &attr, texts, a);
	return status;
}

nfsstat4 nfsd_op_getattr(struct nfsd_compound *c)
{
	const bitmap4 *want = &c->arg.opgetattr.attr_request;
	bitmap4 bad = bitmap4_and(want, &nfs4_attrs_write_only);
	struct nfsd_attrs_texts texts;
	struct nfs4_attrs a;
	nfsstat4 status;

	if (!bitmap4_empty(&bad))
		return NFS4ERR_INVAL;
	status = current_attrs(c, want, &texts, &a);
	if (status != NFS4_OK)
		return status;
	return nfs4_attrs_encode(c->out, want, &a) ? NFS4_OK : c->too_big;
}

/* VERIFY wants NFS4ERR_SAME, NVERIFY wants NFS4ERR_NOT_SAME. */
static nfsstat4 compare(struct nfsd_compound *c, const fattr4 *theirs,
			nfsstat4 wanted)
{
	bitmap4 supported = nfsd_attrs_supported(c->minorversion);
	struct nfsd_attrs_texts texts;
	struct nfs4_attrs a;
	nfsstat4 status = current_attrs(c, &theirs->attrmask, &texts, &a);

	if (status == NFS4_OK)
		status = nfs4_attrs_compare(theirs, &supported, &a);
	return status == wanted ? NFS4_OK : status;
}

nfsstat4 nfsd_op_verify(struct nfsd_compound *c)
{
	return compare(c, &c->arg.opverify.obj_attributes, NFS4ERR_SAME);
}

nfsstat4 nfsd_op_nverify(struct nfsd_compound *c)
{
	return compare(c, &c->arg.opnverify.obj_attributes, NFS4ERR_NOT_SAME);
}

/* ----------------------------------------------------------------- SETATTR */

/* A size is changed under an open for writing, or by somebody who may write;
 * the engine asks for the permission to write that the first one may not have
 * any more (open(O_CREAT | O_RDWR, 0400), ftruncate()). */
static int set_size_by_open(struct nfsd_compound *c, struct sattr *set)
{
	struct sattr size = { .mask = SATTR_SIZE, .size = set->size };
	int rc = engine_setattr(c->srv->engine, NULL, c->cfh, &size, NULL);

	set->mask &= ~SATTR_SIZE;
	if (rc == 0 && set->mask != 0)
		rc = engine_setattr(c->srv->engine, c->cred, c->cfh, set, NULL);
	return rc;
}

static nfsstat4 set_attrs(struct nfsd_compound *c, struct sattr *set)
{
	const stateid4 *id = &c->arg.opsetattr.stateid;
	struct nfsd_file *file = NULL;
	nfsstat4 status;
	int rc;

	if (set->mask & SATTR_SIZE) {
		status = nfsd_io_begin(c, id, OPEN4_SHARE_ACCESS_WRITE, &file);
		if (status != NFS4_OK)
			return status;
	}
	rc = engine_setattr(c->srv->engine, c->cred, c->cfh, set, NULL);
	if (rc == -EACCES && (set->mask & SATTR_SIZE) &&
	    !nfsd_stateid_is_special(c, id))
		rc = set_size_by_open(c, set);
	nfsd_file_put(file);
	return nfsd_status(rc);
}

nfsstat4 nfsd_op_setattr(struct nfsd_compound *c)
{
	struct sattr set;
	bitmap4 asked;
	nfsstat4 status;

	status = nfsd_attrs_to_set(c, &c->arg.opsetattr.obj_attributes, &set,
				   &asked);
	if (status == NFS4_OK && set.mask != 0)
		status = set_attrs(c, &set);
	if (status == NFS4_OK)
		c->res.opsetattr.attrsset = asked;
	return status;
}

/* ------------------------------------------------------------------ ACCESS */

/* Which permission an ACCESS bit needs, of a directory and of the rest. */
static const struct {
	uint32_t bit;
	unsigned dir, other;
} access_bits[] = {
	{ ACCESS4_READ, ENGINE_R, ENGINE_R },
	{ ACCESS4_LOOKUP, ENGINE_X, 0 },
	{ ACCESS4_MODIFY, ENGINE_W, ENGINE_W },
	{ ACCESS4_EXTEND, ENGINE_W, ENGINE_W },
	{ ACCESS4_DELETE, ENGINE_W, 0 },
	{ ACCESS4_EXECUTE, 0, ENGINE_X },
	{ ACCESS4_XAREAD, ENGINE_R, ENGINE_R },
	{ ACCESS4_XAWRITE, ENGINE_W, ENGINE_W },
	{ ACCESS4_XALIST, ENGINE_R, ENGINE_R },
};

nfsstat4 nfsd_op_access(struct nfsd_compound *c)
{
	uint32_t asked = c->arg.opaccess.access;
	unsigned granted;
	struct fattr attr;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	granted = engine_access(&attr, c->cred, ENGINE_R | ENGINE_W | ENGINE_X);
	if (nfsd_read_only(c))
		granted &= ~ENGINE_W;
	for (size_t i = 0; i < ARRAY_SIZE(access_bits); i++) {
		uint32_t bit = access_bits[i].bit;
		unsigned need = S_ISDIR(attr.mode) ? access_bits[i].dir
						   : access_bits[i].other;

		if (!(asked & bit) ||
		    (bit > ACCESS4_EXECUTE && c->minorversion < 2))
			continue;
		if (need != 0)
			c->res.opaccess.supported |= bit;
		if (need != 0 && (granted & need) == need)
			c->res.opaccess.access |= bit;
	}
	return NFS4_OK;
}

/* ---------------------------------------------------------------- READLINK */

nfsstat4 nfsd_op_readlink(struct nfsd_compound *c)
{
	char *target = arena_alloc(&c->call->arena, ENGINE_SYMLINK_MAX);
	struct fattr attr;
	ssize_t len;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	if (!S_ISLNK(attr.mode))
		return S_ISDIR(attr.mode) ? NFS4ERR_ISDIR : NFS4ERR_WRONG_TYPE;
	if (target == NULL)
		return NFS4ERR_DELAY;
	len = engine_readlink(c->srv->engine, c->cfh, target,
			      ENGINE_SYMLINK_MAX);
	if (len < 0)
		return nfsd_status((int)len);
	c->res.opreadlink.link = (linktext4){ target, (uint32_t)len };
	return NFS4_OK;
}
