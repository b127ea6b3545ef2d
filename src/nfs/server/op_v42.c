/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NFSv4.2 (RFC 7862): SEEK, ALLOCATE, DEALLOCATE, IO_ADVISE; and what clients
 * may ask for and never get: GET_DIR_DELEGATION.
 */
#include <errno.h>

#include "nfs/server/internal.h"

nfsstat4 nfsd_op_seek(struct nfsd_compound *c)
{
	const SEEK4args *arg = &c->arg.opseek;
	int whence = arg->sa_what == NFS4_CONTENT_DATA ? SEEK_DATA : SEEK_HOLE;
	struct nfsd_file *f;
	struct fattr attr;
	nfsstat4 status;
	int64_t found;
	int rc;

	if (arg->sa_what != NFS4_CONTENT_DATA &&
	    arg->sa_what != NFS4_CONTENT_HOLE)
		return NFS4ERR_UNION_NOTSUPP;
	status =
		nfsd_io_begin(c, &arg->sa_stateid, OPEN4_SHARE_ACCESS_READ, &f);
	if (status != NFS4_OK)
		return status;
	if (arg->sa_offset > ENGINE_FILE_SIZE_MAX)
		found = -ENXIO;
	else
		found = engine_seek(f->held, arg->sa_offset, whence);
	nfsd_file_put(f);
	rc = engine_getattr(c->srv->engine, c->cfh, &attr);
	if (found == -ENXIO && rc == 0 && arg->sa_offset < attr.size)
		found = (int64_t)attr.size; /* a hole is the rest of it */
	if (found < 0 || rc < 0)
		return nfsd_status(found < 0 ? (int)found : rc);
	c->res.opseek.sr_offset = found;
	c->res.opseek.sr_eof = (uint64_t)found >= attr.size;
	return NFS4_OK;
}

typedef int range_fn(struct engine_node *node, uint64_t offset, uint64_t len);

static nfsstat4 change_range(struct nfsd_compound *c, const ALLOCATE4args *arg,
			     range_fn *fn)
{
	struct nfsd_file *f;
	nfsstat4 status;
	int rc;

	if (arg->length == 0 || arg->length > ENGINE_FILE_SIZE_MAX ||
	    arg->offset > ENGINE_FILE_SIZE_MAX - arg->length)
		return arg->length == 0 ? NFS4ERR_INVAL : NFS4ERR_FBIG;
	status = nfsd_io_begin(c, &arg->stateid, OPEN4_SHARE_ACCESS_WRITE, &f);
	if (status != NFS4_OK)
		return status;
	rc = fn(f->held, arg->offset, arg->length);
	nfsd_file_put(f);
	return nfsd_status(rc);
}

nfsstat4 nfsd_op_allocate(struct nfsd_compound *c)
{
	return change_range(c, &c->arg.opallocate,
			    c->srv->engine->ops->allocate);
}

nfsstat4 nfsd_op_deallocate(struct nfsd_compound *c)
{
	return change_range(c, &c->arg.opdeallocate,
			    c->srv->engine->ops->deallocate);
}

/* No hint is acted upon. */
nfsstat4 nfsd_op_io_advise(struct nfsd_compound *c)
{
	struct nfsd_file *f;
	nfsstat4 status =
		nfsd_io_begin(c, &c->arg.opio_advise.iaa_stateid, 0, &f);

	nfsd_file_put(f);
	return status;
}

nfsstat4 nfsd_op_get_dir_delegation(struct nfsd_compound *c)
{
	c->res.opget_dir_delegation.gddrnf_status = GDD4_UNAVAIL;
	return NFS4_OK;
}
