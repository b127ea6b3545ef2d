/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exports: ways into the file system with a root and an identity of their own
 * (EFS's access points; struct nfs_export in server.h).
 *
 *	LOOKUP "fsap-…" in the root ─▶ a handle that carries the export
 *	PUTFH of such a handle      ─▶ the compound runs as the export's user
 *	LOOKUP, READDIR, …          ─▶ handles of the same export
 *
 * A handle of an export is signed (fh.c), so a client can't make one for an
 * inode that it was not led to.  LOOKUPP ends at the root: upwards, the way has
 * to lead there still.  An inode to which a client has a handle stays in its
 * reach when somebody else moves it out of the root.
 *
 * References: one while it is in server.exports; one for each compound's
 * current and saved handle; one for the connection that used it last, which is
 * how the hot path comes by it without a lock.
 */
#ifndef NFS_SERVER_EXPORT_H
#define NFS_SERVER_EXPORT_H

#include "nfs/server/state.h"

struct nfsd_compound;
struct nfsd_conn;

struct nfsd_export {
	struct hnode by_number, by_name; /* server.exports, under the lock */
	atomic_int refs;
	atomic_bool gone;	   /* its handles are stale */
	atomic_uint_fast64_t root; /* inode; 0: not looked up yet */
	/* quota.c; to change under server.quota_lock. */
	atomic_bool counted;
	uint64_t max_bytes, max_files;
	atomic_uint_fast64_t tree; /* the root that is counted; 0: none yet */
	struct nfs_export is;	   /* with its own copies */
	struct cred cred;	   /* if it forces a user */
	uint32_t groups[NFS_EXPORT_GROUPS_MAX];
	char name[NFS_EXPORT_NAME_MAX + 1], path[NFS_EXPORT_PATH_MAX + 1];
	char label[NFS_EXPORT_LABEL_MAX + 1];
};

/* One reference, or NULL. */
struct nfsd_export *nfsd_export_find_name(struct nfs_server *srv,
					  const char *name, size_t len);
struct nfsd_export *nfsd_export_by_number(struct nfsd_conn *c, uint64_t number);
void nfsd_export_put(struct nfsd_export *e);		    /* NULL is fine */
struct nfsd_export *nfsd_export_ref(struct nfsd_export *e); /* NULL is fine */

/* The export that a name in the root means, and the inode of its root, which is
 * made if it may be.  NFS4ERR_NOENT and *out NULL: the name is none's.  Parks.
 */
nfsstat4 nfsd_export_look_up(struct nfsd_compound *c, component4 name,
			     struct nfsd_export **out, uint64_t *ino);

/* The root, which is made if it is missing and `make`.  Parks. */
int nfsd_export_find_root(struct nfs_server *srv, struct nfsd_export *e,
			  bool make, uint64_t *ino);
/* quota.c: `ino` is the root of the export: counted, if it is to be.  Parks. */
int nfsd_quota_apply(struct nfs_server *srv, struct nfsd_export *e,
		     uint64_t ino);
/* What statfs is asked for by who came by it (NULL: the root). */
static inline uint64_t nfsd_export_tree(const struct nfsd_export *e)
{
	return e != NULL ? atomic_load(&e->tree) : 0;
}
/* One reference, or NULL. */
struct nfsd_export *nfsd_export_find(struct nfs_server *srv, uint64_t number);
/* The inode of its root, as above.  NFS4ERR_ACCESS: who calls has no right to
 * it.  Parks. */
nfsstat4 nfsd_export_enter(struct nfsd_compound *c, struct nfsd_export *e,
			   uint64_t *ino);

/* May `ino`, a directory, be reached from the compound's export?  Parks. */
nfsstat4 nfsd_export_check_inside(struct nfsd_compound *c, uint64_t ino);
/* Is the current file handle the root of its export? */
nfsstat4 nfsd_export_is_root(struct nfsd_compound *c, bool *is);

/* What the compound's caller may do by an export, or the root: NFS_RIGHT_*. */
unsigned nfsd_rights(struct nfsd_compound *c, const struct nfsd_export *e);

void nfsd_exports_fini(struct nfs_server *srv);

#endif
