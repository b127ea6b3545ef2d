/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes: from what an engine knows of an inode, and a server of itself,
 * to the struct that nfs/xdr encodes; and back for what can be set.
 */
#include <errno.h>

#include "nfs/server/export.h"
#include "nfs/server/internal.h"
#include "nfs/server/locations.h"

bitmap4 nfsd_attrs_supported(uint32_t minorversion)
{
	bitmap4 b = BITMAP4(
		FATTR4_SUPPORTED_ATTRS, FATTR4_TYPE, FATTR4_FH_EXPIRE_TYPE,
		FATTR4_CHANGE, FATTR4_SIZE, FATTR4_LINK_SUPPORT,
		FATTR4_SYMLINK_SUPPORT, FATTR4_NAMED_ATTR, FATTR4_FSID,
		FATTR4_UNIQUE_HANDLES, FATTR4_LEASE_TIME, FATTR4_RDATTR_ERROR,
		FATTR4_ACLSUPPORT, FATTR4_CANSETTIME, FATTR4_CASE_INSENSITIVE,
		FATTR4_CASE_PRESERVING, FATTR4_CHOWN_RESTRICTED,
		FATTR4_FILEHANDLE, FATTR4_FILEID, FATTR4_FILES_AVAIL,
		FATTR4_FILES_FREE, FATTR4_FILES_TOTAL, FATTR4_FS_LOCATIONS,
		FATTR4_HOMOGENEOUS, FATTR4_MAXFILESIZE, FATTR4_MAXLINK,
		FATTR4_MAXNAME, FATTR4_MAXREAD, FATTR4_MAXWRITE, FATTR4_MODE,
		FATTR4_NO_TRUNC, FATTR4_NUMLINKS, FATTR4_OWNER,
		FATTR4_OWNER_GROUP, FATTR4_RAWDEV, FATTR4_SPACE_AVAIL,
		FATTR4_SPACE_FREE, FATTR4_SPACE_TOTAL, FATTR4_SPACE_USED,
		FATTR4_TIME_ACCESS, FATTR4_TIME_ACCESS_SET, FATTR4_TIME_CREATE,
		FATTR4_TIME_DELTA, FATTR4_TIME_METADATA, FATTR4_TIME_MODIFY,
		FATTR4_TIME_MODIFY_SET, FATTR4_MOUNTED_ON_FILEID,
		FATTR4_SUPPATTR_EXCLCREAT);

	if (minorversion >= 2) {
		bitmap4_set(&b, FATTR4_CHANGE_ATTR_TYPE);
		bitmap4_set(&b, FATTR4_XATTR_SUPPORT);
	}
	return b;
}

static const bitmap4 *settable(void)
{
	static const bitmap4 b = { {
		1u << FATTR4_SIZE,
		1u << (FATTR4_MODE - 32) | 1u << (FATTR4_OWNER - 32) |
			1u << (FATTR4_OWNER_GROUP - 32) |
			1u << (FATTR4_TIME_ACCESS_SET - 32) |
			1u << (FATTR4_TIME_MODIFY_SET - 32),
		0,
	} };

	return &b;
}

static nfsstat4 fill_statfs(struct nfsd_compound *c, const bitmap4 *want,
			    struct nfs4_attrs *a)
{
	bitmap4 ours = BITMAP4(FATTR4_FILES_AVAIL, FATTR4_FILES_FREE,
			       FATTR4_FILES_TOTAL, FATTR4_SPACE_AVAIL,
			       FATTR4_SPACE_FREE, FATTR4_SPACE_TOTAL);
	struct engine_statfs s;
	int rc;

	ours = bitmap4_and(&ours, want);
	if (bitmap4_empty(&ours))
		return NFS4_OK;
	rc = engine_statfs(c->srv->engine, nfsd_export_tree(c->export), &s);
	if (rc < 0)
		return nfsd_status(rc);
	a->files_avail = s.avail_files;
	a->files_free = s.free_files;
	a->files_total = s.total_files;
	a->space_avail = s.avail_bytes;
	a->space_free = s.free_bytes;
	a->space_total = s.total_bytes;
	return NFS4_OK;
}

nfsstat4 nfsd_attrs_common(struct nfsd_compound *c, const bitmap4 *want,
			   struct nfs4_attrs *a)
{
	const struct nfs_server *srv = c->srv;

	memset(a, 0, sizeof(*a));
	a->supported_attrs = nfsd_attrs_supported(c->minorversion);
	a->have = a->supported_attrs;
	bitmap4_clear(&a->have, FATTR4_TIME_ACCESS_SET);
	bitmap4_clear(&a->have, FATTR4_TIME_MODIFY_SET);
	a->fh_expire_type = FH4_PERSISTENT;
	a->link_support = a->symlink_support = true;
	a->unique_handles = true;
	a->fsid.major = srv->fsid;
	a->fsid.minor = c->export ? c->export->is.number : 0;
	a->lease_time = (uint32_t)(srv->options.lease / SEC(1));
	a->cansettime = a->case_preserving = a->chown_restricted = true;
	a->homogeneous = a->no_trunc = true;
	a->maxfilesize = ENGINE_FILE_SIZE_MAX;
	a->maxlink = ENGINE_LINK_MAX;
	a->maxname = ENGINE_NAME_MAX;
	a->maxread = NFSD_MAX_READ;
	a->maxwrite = NFSD_MAX_WRITE;
	a->time_delta.nseconds = 1;
	a->suppattr_exclcreat = *settable();
	a->change_attr_type = NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR;
	a->xattr_support = true;
	if (bitmap4_has(want, FATTR4_FS_LOCATIONS) &&
	    !nfsd_locations_get(c->srv, &c->call->arena, &a->fs_locations))
		return NFS4ERR_DELAY;
	return fill_statfs(c, want, a);
}

void nfsd_attrs_object(const struct nfsd_compound *c, const struct fattr *attr,
		       struct nfsd_attrs_texts *texts, struct nfs4_attrs *a)
{
	texts->fh = nfsd_fh_of(c, attr->ino);
	a->filehandle = nfs_fh4_of(&texts->fh);
	a->type = nfs4_type_from_mode(attr->mode);
	a->change = attr->change;
	a->size = attr->size;
	a->fileid = a->mounted_on_fileid = attr->ino;
	a->mode = attr->mode & 07777;
	a->numlinks = attr->nlink;
	a->owner = nfs4_id_format(attr->uid, texts->owner);
	a->owner_group = nfs4_id_format(attr->gid, texts->group);
	a->rawdev = (specdata4){ attr->rdev_major, attr->rdev_minor };
	a->space_used = attr->space_used;
	a->time_access = nfs4_time(attr->atime);
	a->time_create = nfs4_time(attr->btime);
	a->time_metadata = nfs4_time(attr->ctime);
	a->time_modify = nfs4_time(attr->mtime);
}

/* ----------------------------------------------------------------- setting */

static void set_time(const settime4 *t, struct timespec *out, unsigned *mask,
		     unsigned to_given, unsigned to_now)
{
	if (t->set_it == SET_TO_SERVER_TIME4) {
		*mask |= to_now;
	} else {
		*mask |= to_given;
		*out = nfs4_timespec(t->time);
	}
}

/* Owners that are no numbers can't be mapped. */
static nfsstat4 set_owner(const struct nfs4_attrs *a, struct sattr *out)
{
	if (bitmap4_has(&a->have, FATTR4_OWNER)) {
		if (!nfs4_id_parse(a->owner, &out->uid))
			return NFS4ERR_BADOWNER;
		out->mask |= SATTR_UID;
	}
	if (bitmap4_has(&a->have, FATTR4_OWNER_GROUP)) {
		if (!nfs4_id_parse(a->owner_group, &out->gid))
			return NFS4ERR_BADOWNER;
		out->mask |= SATTR_GID;
	}
	return NFS4_OK;
}

nfsstat4 nfsd_attrs_to_set(struct nfsd_compound *c, const fattr4 *f,
			   struct sattr *out, bitmap4 *set)
{
	bitmap4 supported = nfsd_attrs_supported(c->minorversion);
	struct nfs4_attrs a;
	nfsstat4 status = nfs4_attrs_decode_set(f, &supported, &a);
	bitmap4 refused;

	memset(out, 0, sizeof(*out));
	memset(set, 0, sizeof(*set));
	if (status != NFS4_OK)
		return status;
	refused = bitmap4_without(&a.have, settable());
	if (!bitmap4_empty(&refused)) /* time_create */
		return NFS4ERR_INVAL;
	if (bitmap4_has(&a.have, FATTR4_SIZE)) {
		if (a.size > ENGINE_FILE_SIZE_MAX)
			return NFS4ERR_FBIG;
		out->mask |= SATTR_SIZE;
		out->size = a.size;
	}
	if (bitmap4_has(&a.have, FATTR4_MODE)) {
		out->mask |= SATTR_MODE;
		out->mode = a.mode & 07777;
	}
	if (bitmap4_has(&a.have, FATTR4_TIME_ACCESS_SET))
		set_time(&a.time_access_set, &out->atime, &out->mask,
			 SATTR_ATIME, SATTR_ATIME_NOW);
	if (bitmap4_has(&a.have, FATTR4_TIME_MODIFY_SET))
		set_time(&a.time_modify_set, &out->mtime, &out->mask,
			 SATTR_MTIME, SATTR_MTIME_NOW);
	*set = a.have;
	return set_owner(&a, out);
}
