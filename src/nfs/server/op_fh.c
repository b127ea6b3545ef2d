/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The current and the saved file handle: PUTFH, PUTROOTFH, PUTPUBFH, GETFH,
 * SAVEFH, RESTOREFH (RFC 8881 18.19 to 18.21, 18.8, 18.28, 18.27), LOOKUP and
 * LOOKUPP (18.13, 18.14), SECINFO and SECINFO_NO_NAME (18.29, 18.45).
 */
#include <errno.h>

#include "nfs/server/internal.h"

nfsstat4 nfsd_op_putfh(struct nfsd_compound *c)
{
	uint64_t ino;
	nfsstat4 status = nfsd_fh_parse(c->srv, c->arg.opputfh.object, &ino);

	if (status == NFS4_OK)
		nfsd_set_cfh(c, ino);
	return status;
}

/* Also PUTPUBFH: there is no other public place. */
nfsstat4 nfsd_op_putrootfh(struct nfsd_compound *c)
{
	nfsd_set_cfh(c, ENGINE_ROOT);
	return NFS4_OK;
}

nfsstat4 nfsd_op_getfh(struct nfsd_compound *c)
{
	struct nfs_fh fh = nfsd_fh_make(c->srv, c->cfh);
	nfs_fh4 object = nfs_fh4_of(&fh);

	return xdr_nfs_fh4(c->out, &object) ? NFS4_OK : c->too_big;
}

nfsstat4 nfsd_op_savefh(struct nfsd_compound *c)
{
	c->sfh = c->cfh;
	c->sfh_state = c->cfh_state;
	return NFS4_OK;
}

nfsstat4 nfsd_op_restorefh(struct nfsd_compound *c)
{
	c->cfh = c->sfh;
	c->cfh_state = c->sfh_state;
	return NFS4_OK;
}

/* ------------------------------------------------------------------ lookup */

static nfsstat4 look_up(struct nfsd_compound *c, const char *name, size_t len,
			uint64_t *ino)
{
	struct fattr attr;
	int rc = engine_lookup(c->srv->engine, c->cred, c->cfh, name, len,
			       &attr);

	if (rc < 0)
		return nfsd_status_dir(c, c->cfh, rc);
	*ino = attr.ino;
	return NFS4_OK;
}

nfsstat4 nfsd_op_lookup(struct nfsd_compound *c)
{
	component4 name = c->arg.oplookup.objname;
	nfsstat4 status = nfsd_check_name(name);
	uint64_t ino;

	if (status == NFS4_OK)
		status = look_up(c, name.data, name.len, &ino);
	if (status == NFS4_OK)
		nfsd_set_cfh(c, ino);
	return status;
}

/* Nothing is above the root, though a POSIX root is its own parent. */
static nfsstat4 look_up_parent(struct nfsd_compound *c, uint64_t *ino)
{
	if (c->cfh == ENGINE_ROOT)
		return NFS4ERR_NOENT;
	return look_up(c, "..", 2, ino);
}

nfsstat4 nfsd_op_lookupp(struct nfsd_compound *c)
{
	uint64_t ino;
	nfsstat4 status = look_up_parent(c, &ino);

	if (status == NFS4_OK)
		nfsd_set_cfh(c, ino);
	return status;
}

/* ----------------------------------------------------------------- SECINFO */

/* AUTH_SYS is what there is.  The current file handle is used up (RFC 8881
 * 2.6.3.1.1.8). */
static nfsstat4 answer_secinfo(struct nfsd_compound *c)
{
	static uint32_t flavor = AUTH_SYS;

	c->res.opsecinfo.n = 1;
	c->res.opsecinfo.flavor = &flavor;
	c->cfh = 0;
	return NFS4_OK;
}

nfsstat4 nfsd_op_secinfo(struct nfsd_compound *c)
{
	component4 name = c->arg.opsecinfo.name;
	nfsstat4 status = nfsd_check_name(name);
	uint64_t ino;

	if (status == NFS4_OK)
		status = look_up(c, name.data, name.len, &ino);
	return status == NFS4_OK ? answer_secinfo(c) : status;
}

nfsstat4 nfsd_op_secinfo_no_name(struct nfsd_compound *c)
{
	nfsstat4 status = NFS4_OK;
	uint64_t ino;

	if (c->arg.opsecinfo_no_name.style == SECINFO_STYLE4_PARENT)
		status = look_up_parent(c, &ino);
	return status == NFS4_OK ? answer_secinfo(c) : status;
}
