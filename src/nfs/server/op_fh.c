/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The current and the saved file handle: PUTFH, PUTROOTFH, PUTPUBFH, GETFH,
 * SAVEFH, RESTOREFH (RFC 8881 18.19 to 18.21, 18.8, 18.28, 18.27), LOOKUP and
 * LOOKUPP (18.13, 18.14), SECINFO and SECINFO_NO_NAME (18.29, 18.45).
 */
#include <errno.h>

#include "nfs/server/export.h"
#include "nfs/server/internal.h"

/* Who comes by an export has nothing but that. */
static bool is_own(const struct nfsd_compound *c, uint64_t export)
{
	uint64_t own = c->call->conn->who.export;

	return own == 0 || own == export;
}

nfsstat4 nfsd_op_putfh(struct nfsd_compound *c)
{
	struct nfsd_export *e = NULL;
	uint64_t ino, number;
	nfsstat4 status =
		nfsd_fh_parse(c->srv, c->arg.opputfh.object, &number, &ino);

	if (status != NFS4_OK)
		return status;
	if (!is_own(c, number))
		return NFS4ERR_ACCESS;
	if (number != 0) {
		e = nfsd_export_by_number(c->call->conn, number);
		if (e == NULL)
			return NFS4ERR_STALE;
	}
	nfsd_set_export(c, e);
	nfsd_set_cfh(c, ino);
	return NFS4_OK;
}

/* Who may not enter his export is shown the root of all, and nothing else: see
 * is_a_look_at_the_root(). */
static void show_root(struct nfsd_compound *c)
{
	nfsd_set_export(c, NULL);
	nfsd_set_cfh(c, ENGINE_ROOT);
	c->rights = 0;
}

static nfsstat4 enter_own(struct nfsd_compound *c, uint64_t number)
{
	struct nfsd_export *e = nfsd_export_by_number(c->call->conn, number);
	nfsstat4 status = NFS4ERR_ACCESS;
	uint64_t ino;

	if (e != NULL)
		status = nfsd_export_enter(c, e, &ino);
	if (status == NFS4_OK) {
		nfsd_set_export(c, e);
		nfsd_set_cfh(c, ino);
		return NFS4_OK;
	}
	nfsd_export_put(e);
	if (status != NFS4ERR_ACCESS)
		return status;
	show_root(c);
	return NFS4_OK;
}

/* Also PUTPUBFH: there is no other public place. */
nfsstat4 nfsd_op_putrootfh(struct nfsd_compound *c)
{
	uint64_t number = c->call->conn->who.export;
	nfsstat4 status = NFS4_OK;

	if (number != 0) {
		status = enter_own(c, number);
	} else {
		nfsd_set_export(c, NULL);
		nfsd_set_cfh(c, ENGINE_ROOT);
	}
	c->by_root = status == NFS4_OK;
	return status;
}

nfsstat4 nfsd_op_getfh(struct nfsd_compound *c)
{
	struct nfs_fh fh = nfsd_fh_of(c, c->cfh);
	nfs_fh4 object = nfs_fh4_of(&fh);

	return xdr_nfs_fh4(c->out, &object) ? NFS4_OK : c->too_big;
}

nfsstat4 nfsd_op_savefh(struct nfsd_compound *c)
{
	c->sfh = c->cfh;
	c->sfh_state = c->cfh_state;
	nfsd_export_put(c->saved_export);
	c->saved_export = nfsd_export_ref(c->export);
	return NFS4_OK;
}

nfsstat4 nfsd_op_restorefh(struct nfsd_compound *c)
{
	c->cfh = c->sfh;
	c->cfh_state = c->sfh_state;
	nfsd_set_export(c, nfsd_export_ref(c->saved_export));
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

/* In the root an export's name comes first. */
static nfsstat4 look_up_name(struct nfsd_compound *c, component4 name,
			     struct nfsd_export **e, uint64_t *ino)
{
	nfsstat4 status = nfsd_check_name(name);

	*e = NULL;
	if (status != NFS4_OK)
		return status;
	if (c->cfh == ENGINE_ROOT && c->export == NULL) {
		status = nfsd_export_look_up(c, name, e, ino);
		if (*e != NULL || status != NFS4ERR_NOENT)
			return status;
	}
	if (!(c->rights & NFS_RIGHT_MOUNT))
		return NFS4ERR_ACCESS;
	return look_up(c, name.data, name.len, ino);
}

nfsstat4 nfsd_op_lookup(struct nfsd_compound *c)
{
	struct nfsd_export *e;
	uint64_t ino;
	nfsstat4 status = look_up_name(c, c->arg.oplookup.objname, &e, &ino);

	if (status != NFS4_OK)
		return status;
	if (e != NULL)
		nfsd_set_export(c, e);
	nfsd_set_cfh(c, ino);
	return NFS4_OK;
}

/* Nothing is above the root, though a POSIX root is its own parent; nor above
 * that of an export. */
static nfsstat4 look_up_parent(struct nfsd_compound *c, uint64_t *ino)
{
	nfsstat4 status = NFS4_OK;
	bool is_root = c->cfh == ENGINE_ROOT;

	if (!is_root && c->export != NULL)
		status = nfsd_export_is_root(c, &is_root);
	if (status != NFS4_OK)
		return status;
	if (is_root)
		return NFS4ERR_NOENT;
	status = look_up(c, "..", 2, ino);
	if (status == NFS4_OK && c->export != NULL)
		status = nfsd_export_check_inside(c, *ino);
	return status;
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
	struct nfsd_export *e;
	uint64_t ino;
	nfsstat4 status = look_up_name(c, c->arg.opsecinfo.name, &e, &ino);

	nfsd_export_put(e);
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
