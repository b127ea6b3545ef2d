/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of directories: CREATE, REMOVE, RENAME, LINK (RFC 8881 18.4, 18.25,
 * 18.26, 18.9).  Each is one call of the engine, which decides permission and
 * existence and reports the change attributes atomically.
 */
#include <errno.h>

#include "nfs/server/internal.h"

change_info4 nfsd_change_info(const struct change_info *ci)
{
	return (change_info4){ true, ci->before, ci->after };
}

static nfsstat4 create_spec(const createtype4 *type, struct create_spec *spec)
{
	switch (type->type) {
	case NF4DIR:
	case NF4SOCK:
	case NF4FIFO:
		break;
	case NF4LNK:
		if (type->linkdata.len == 0)
			return NFS4ERR_INVAL;
		if (type->linkdata.len > ENGINE_SYMLINK_MAX)
			return NFS4ERR_NAMETOOLONG;
		spec->target = type->linkdata.data;
		spec->target_len = type->linkdata.len;
		break;
	case NF4BLK:
	case NF4CHR:
		spec->rdev_major = type->devdata.specdata1;
		spec->rdev_minor = type->devdata.specdata2;
		break;
	default: /* regular files are made by OPEN */
		return NFS4ERR_BADTYPE;
	}
	spec->mode = nfs4_type_to_mode(type->type);
	return NFS4_OK;
}

/* Devices are root's. */
static bool may_make(const struct cred *cred, nfs_ftype4 type)
{
	return (type != NF4BLK && type != NF4CHR) || cred->uid == 0;
}

nfsstat4 nfsd_op_create(struct nfsd_compound *c)
{
	const CREATE4args *arg = &c->arg.opcreate;
	struct create_spec spec = {};
	struct change_info ci;
	struct fattr attr;
	bool existed;
	nfsstat4 status;
	int rc;

	status = create_spec(&arg->objtype, &spec);
	if (status == NFS4_OK)
		status = nfsd_check_name(arg->objname);
	if (status == NFS4_OK)
		status = nfsd_attrs_to_set(c, &arg->createattrs, &spec.attrs,
					   &c->res.opcreate.attrset);
	if (status != NFS4_OK)
		return status;
	if (spec.attrs.mask & SATTR_SIZE)
		return NFS4ERR_INVAL;
	if (!may_make(c->cred, arg->objtype.type))
		return NFS4ERR_PERM;
	spec.mode |= spec.attrs.mask & SATTR_MODE ? spec.attrs.mode : 0777;
	spec.attrs.mask &= ~SATTR_MODE;
	rc = engine_create(c->srv->engine, c->cred, c->cfh, arg->objname.data,
			   arg->objname.len, &spec, &attr, &existed, &ci);
	if (rc < 0)
		return nfsd_status_dir(c, c->cfh, rc);
	c->res.opcreate.cinfo = nfsd_change_info(&ci);
	nfsd_set_cfh(c, attr.ino);
	return NFS4_OK;
}

nfsstat4 nfsd_op_remove(struct nfsd_compound *c)
{
	component4 name = c->arg.opremove.target;
	nfsstat4 status = nfsd_check_name(name);
	struct change_info ci;
	int rc;

	if (status != NFS4_OK)
		return status;
	rc = engine_remove(c->srv->engine, c->cred, c->cfh, name.data, name.len,
			   ENGINE_REMOVE_ANY, &ci);
	if (rc < 0)
		return nfsd_status_dir(c, c->cfh, rc);
	c->res.opremove.cinfo = nfsd_change_info(&ci);
	return NFS4_OK;
}

/* Which of the two directories is none? */
static nfsstat4 rename_status(struct nfsd_compound *c, int rc)
{
	nfsstat4 status = nfsd_status_dir(c, c->sfh, rc);

	return status == NFS4ERR_NOTDIR ? nfsd_status_dir(c, c->cfh, rc)
					: status;
}

nfsstat4 nfsd_op_rename(struct nfsd_compound *c)
{
	const RENAME4args *arg = &c->arg.oprename;
	struct change_info ci[2];
	nfsstat4 status = nfsd_check_name(arg->oldname);
	int rc;

	if (status == NFS4_OK)
		status = nfsd_check_name(arg->newname);
	if (status == NFS4_OK && c->export != c->saved_export)
		status = NFS4ERR_XDEV;
	if (status != NFS4_OK)
		return status;
	rc = engine_rename(c->srv->engine, c->cred, c->sfh, arg->oldname.data,
			   arg->oldname.len, c->cfh, arg->newname.data,
			   arg->newname.len, ci);
	if (rc < 0)
		return rename_status(c, rc);
	c->res.oprename.source_cinfo = nfsd_change_info(&ci[0]);
	c->res.oprename.target_cinfo = nfsd_change_info(&ci[1]);
	return NFS4_OK;
}

nfsstat4 nfsd_op_link(struct nfsd_compound *c)
{
	component4 name = c->arg.oplink.newname;
	nfsstat4 status = nfsd_check_name(name);
	struct change_info ci;
	struct fattr attr;
	int rc;

	if (status == NFS4_OK && c->export != c->saved_export)
		status = NFS4ERR_XDEV;
	if (status != NFS4_OK)
		return status;
	rc = engine_getattr(c->srv->engine, c->sfh, &attr);
	if (rc == 0 && S_ISDIR(attr.mode))
		return NFS4ERR_ISDIR;
	if (rc == 0)
		rc = engine_link(c->srv->engine, c->cred, c->sfh, c->cfh,
				 name.data, name.len, &ci);
	if (rc < 0)
		return nfsd_status_dir(c, c->cfh, rc);
	c->res.oplink.cinfo = nfsd_change_info(&ci);
	return NFS4_OK;
}
