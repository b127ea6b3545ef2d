/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edge between errno and the protocol: the one place that translates, and
 * what names may look like.
 */
#include <errno.h>

#include "base/log.h"
#include "nfs/server/internal.h"

nfsstat4 nfsd_status(int rc)
{
	if (rc >= 0)
		return NFS4_OK;
	switch (-rc) {
	case EPERM:
		return NFS4ERR_PERM;
	case ENOENT:
		return NFS4ERR_NOENT;
	case EIO:
		return NFS4ERR_IO;
	case ENXIO:
		return NFS4ERR_NXIO;
	case EACCES:
		return NFS4ERR_ACCESS;
	case EEXIST:
		return NFS4ERR_EXIST;
	case EXDEV:
		return NFS4ERR_XDEV;
	case ENOTDIR:
		return NFS4ERR_NOTDIR;
	case EISDIR:
		return NFS4ERR_ISDIR;
	case EINVAL:
		return NFS4ERR_INVAL;
	case EFBIG:
		return NFS4ERR_FBIG;
	case ENOSPC:
		return NFS4ERR_NOSPC;
	case EROFS:
		return NFS4ERR_ROFS;
	case EMLINK:
		return NFS4ERR_MLINK;
	case ENAMETOOLONG:
		return NFS4ERR_NAMETOOLONG;
	case ENOTEMPTY:
		return NFS4ERR_NOTEMPTY;
	case EDQUOT:
		return NFS4ERR_DQUOT;
	case ESTALE:
		return NFS4ERR_STALE;
	case EOPNOTSUPP:
		return NFS4ERR_NOTSUPP;
	case ENODATA:
		return NFS4ERR_NOXATTR;
	case E2BIG:
		return NFS4ERR_XATTR2BIG;
	case EAGAIN:
	case EBUSY:
	case ENOMEM:
		return NFS4ERR_DELAY;
	default:
		log_error("nfs: an engine says %s: SERVERFAULT", strerror(-rc));
		return NFS4ERR_SERVERFAULT;
	}
}

/* Any bytes make a name, except those with a meaning of their own. */
nfsstat4 nfsd_check_name(component4 name)
{
	const char *s = name.data;

	if (name.len == 0)
		return NFS4ERR_INVAL;
	if (name.len > ENGINE_NAME_MAX)
		return NFS4ERR_NAMETOOLONG;
	if (s[0] == '.' && (name.len == 1 || (name.len == 2 && s[1] == '.')))
		return NFS4ERR_BADNAME;
	if (memchr(s, '/', name.len) || memchr(s, '\0', name.len))
		return NFS4ERR_BADCHAR;
	return NFS4_OK;
}

nfsstat4 nfsd_status_dir(struct nfsd_compound *c, uint64_t dir, int rc)
{
	struct fattr attr;

	if (rc == -ENOTDIR && engine_getattr(c->srv->engine, dir, &attr) == 0 &&
	    S_ISLNK(attr.mode))
		return NFS4ERR_SYMLINK;
	return nfsd_status(rc);
}
