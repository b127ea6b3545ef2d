/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File handles: version, file system, inode number.
 *
 *	0    1       4        12      20
 *	┌────┬───────┬────────┬───────┐
 *	│ 1  │ 0     │ fsid   │ inode │
 *	└────┴───────┴────────┴───────┘
 *
 * Inode numbers are never used again, so a handle is good for ever and needs
 * no generation.  PUTFH only takes it apart: whether the file still exists is
 * found out by the operation that wants something of it (NFS4ERR_STALE).
 */
#include "nfs/server/internal.h"

enum { FH_VERSION = 1, FH_LEN = 20 };

struct nfs_fh nfsd_fh_make(const struct nfs_server *srv, uint64_t ino)
{
	struct nfs_fh fh = { .len = FH_LEN };

	fh.data[0] = FH_VERSION;
	store_be64(fh.data + 4, srv->fsid);
	store_be64(fh.data + 12, ino);
	return fh;
}

nfsstat4 nfsd_fh_parse(const struct nfs_server *srv, nfs_fh4 fh, uint64_t *ino)
{
	const uint8_t *p = fh.data;

	if (fh.len != FH_LEN || p[0] != FH_VERSION || p[1] || p[2] || p[3])
		return NFS4ERR_BADHANDLE;
	*ino = load_be64(p + 12);
	if (load_be64(p + 4) != srv->fsid || *ino == 0)
		return NFS4ERR_STALE;
	return NFS4_OK;
}

/* A new current file handle brings the anonymous stateid with it (RFC 8881
 * 16.2.3.1.2). */
void nfsd_set_cfh(struct nfsd_compound *c, uint64_t ino)
{
	c->cfh = ino;
	c->cfh_state = stateid4_anonymous;
}
