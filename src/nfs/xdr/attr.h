/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File attributes (fattr4): a table by attribute number, one row for each that
 * a POSIX file server gives, and a struct with a member for each.
 *
 * A server fills the members it has (or can have), says so in `have`, and
 * encodes those that a client asked for.  A client decodes what came and looks
 * at `have`.  Numbers without a row (ACLs, retention, pNFS) are not encoded; a
 * client that gets one can't know where it ends, so decoding fails there.
 */
#ifndef NFS_XDR_ATTR_H
#define NFS_XDR_ATTR_H

#include <time.h>

#include "nfs/xdr/nfs4.h"

typedef struct {
	time_how4 set_it;
	nfstime4 time; /* SET_TO_CLIENT_TIME4 */
} settime4;

struct nfs4_attrs {
	bitmap4 have; /* which members count */

	bitmap4 supported_attrs;
	nfs_ftype4 type;
	uint32_t fh_expire_type;
	changeid4 change;
	uint64_t size;
	bool link_support, symlink_support, named_attr, unique_handles;
	fsid4 fsid;
	uint32_t lease_time; /* seconds */
	nfsstat4 rdattr_error;
	uint32_t aclsupport;
	bool archive, cansettime, case_insensitive, case_preserving;
	bool chown_restricted, hidden, homogeneous, no_trunc, system;
	nfs_fh4 filehandle; /* borrowed */
	uint64_t fileid, mounted_on_fileid;
	uint64_t files_avail, files_free, files_total;
	fs_locations4 fs_locations; /* borrowed, arena */
	uint64_t maxfilesize, maxread, maxwrite;
	uint32_t maxlink, maxname;
	mode4 mode; /* 07777 */
	uint32_t numlinks;
	utf8string owner, owner_group; /* borrowed; see nfs4_id_format() */
	specdata4 rawdev;
	uint64_t quota_avail_hard, quota_avail_soft, quota_used;
	uint64_t space_avail, space_free, space_total, space_used;
	nfstime4 time_access, time_create, time_delta, time_metadata;
	nfstime4 time_modify;
	settime4 time_access_set, time_modify_set;
	mode4 mode_set_masked_value, mode_set_masked_mask;
	bitmap4 suppattr_exclcreat;
	uint32_t clone_blksize;
	change_attr_type4 change_attr_type;
	mode4 mode_umask_mode, mode_umask_umask;
	bool xattr_support;
};

/* All that the table knows; those that can be set; and those that can only be
 * set (GETATTR of one of them is NFS4ERR_INVAL). */
extern const bitmap4 nfs4_attrs_known, nfs4_attrs_settable,
	nfs4_attrs_write_only;

/* Encodes, as a fattr4, the attributes that are both in `want` and in
 * a->have. */
bool nfs4_attrs_encode(struct xdr *x, const bitmap4 *want,
		       const struct nfs4_attrs *a);

/* The same into memory of the arena, for arguments (createattrs).  false: no
 * memory. */
bool nfs4_attrs_pack(const struct nfs4_attrs *a, struct arena *arena,
		     fattr4 *out);

/* Decodes what a server sent; `arena` for fs_locations (may be NULL if it was
 * not asked for).  false: malformed, or an attribute that we don't know. */
bool nfs4_attrs_decode(const fattr4 *f, struct arena *arena,
		       struct nfs4_attrs *out);

/*
 * Decodes what a client wants to set (SETATTR, createattrs).  In this order:
 * NFS4ERR_ATTRNOTSUPP  one that is not in `supported`
 * NFS4ERR_INVAL        one that can't be set; a time, type or mode that can't
 * be NFS4ERR_BADXDR       malformed, or longer than its bitmap says
 */
nfsstat4 nfs4_attrs_decode_set(const fattr4 *f, const bitmap4 *supported,
			       struct nfs4_attrs *out);

/*
 * VERIFY and NVERIFY: compares what the client sent with `a`, value by value
 * as encoded.  NFS4ERR_SAME, NFS4ERR_NOT_SAME, or
 * NFS4ERR_ATTRNOTSUPP  one that is not in `supported`
 * NFS4ERR_INVAL        a write-only one, or rdattr_error
 */
nfsstat4 nfs4_attrs_compare(const fattr4 *f, const bitmap4 *supported,
			    const struct nfs4_attrs *a);

/* Owners are numbers as text (RFC 8881 section 5.9): "1000". */
enum { NFS4_ID_TEXT_MAX = 11 };
utf8string nfs4_id_format(uint32_t id, char buf[NFS4_ID_TEXT_MAX]);
/* true: *id is set.  What follows an '@' is not looked at. */
bool nfs4_id_parse(utf8string text, uint32_t *id);

/* stat(2)'s type bits and NFS' own; 0 for what the other side lacks. */
nfs_ftype4 nfs4_type_from_mode(uint32_t st_mode);
uint32_t nfs4_type_to_mode(nfs_ftype4 type);

static inline nfstime4 nfs4_time(struct timespec t)
{
	return (nfstime4){ t.tv_sec, (uint32_t)t.tv_nsec };
}
static inline struct timespec nfs4_timespec(nfstime4 t)
{
	return (struct timespec){ t.seconds, t.nseconds };
}

#endif
