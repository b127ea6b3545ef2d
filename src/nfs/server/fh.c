/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File handles: version, file system, inode number; and by which export it was
 * reached.
 *
 *	0    1       4        12      20       28          36
 *	┌────┬───────┬────────┬───────┐
 *	│ 1  │ 0     │ fsid   │ inode │
 *	├────┼───────┼────────┼───────┼────────┬───────────┐
 *	│ 2  │ 0     │ fsid   │ inode │ export │ signature │
 *	└────┴───────┴────────┴───────┴────────┴───────────┘
 *
 * Inode numbers are never used again, so a handle is good for ever and needs
 * no generation.  PUTFH only takes it apart: whether the file still exists is
 * found out by the operation that wants something of it (NFS4ERR_STALE).  The
 * signature keeps a client of an export from making handles by itself.
 */
#include "nfs/server/export.h"
#include "nfs/server/internal.h"

enum {
	FH_VERSION = 1,
	FH_LEN = 20,
	FH_VERSION_EXPORT = 2,
	FH_LEN_EXPORT = 36,
	FH_SIGNED = 28,
};

static uint64_t sign(const struct nfs_server *srv, const uint8_t *fh)
{
	const uint8_t *k = srv->options.handle_key;
	struct siphash_key key = { load_be64(k), load_be64(k + 8) };

	return siphash24(&key, fh, FH_SIGNED);
}

struct nfs_fh nfsd_fh_make(const struct nfs_server *srv, uint64_t export,
			   uint64_t ino)
{
	struct nfs_fh fh = { .len = export ? FH_LEN_EXPORT : FH_LEN };

	fh.data[0] = export ? FH_VERSION_EXPORT : FH_VERSION;
	store_be64(fh.data + 4, srv->fsid);
	store_be64(fh.data + 12, ino);
	if (export == 0)
		return fh;
	store_be64(fh.data + 20, export);
	store_be64(fh.data + FH_SIGNED, sign(srv, fh.data));
	return fh;
}

struct nfs_fh nfsd_fh_of(const struct nfsd_compound *c, uint64_t ino)
{
	return nfsd_fh_make(c->srv, c->export ? c->export->is.number : 0, ino);
}

nfsstat4 nfsd_fh_parse(const struct nfs_server *srv, nfs_fh4 fh,
		       uint64_t *export, uint64_t *ino)
{
	const uint8_t *p = fh.data;
	bool exported = fh.len == FH_LEN_EXPORT;

	if ((!exported && fh.len != FH_LEN) ||
	    p[0] != (exported ? FH_VERSION_EXPORT : FH_VERSION) || p[1] ||
	    p[2] || p[3])
		return NFS4ERR_BADHANDLE;
	*ino = load_be64(p + 12);
	if (load_be64(p + 4) != srv->fsid || *ino == 0)
		return NFS4ERR_STALE;
	*export = exported ? load_be64(p + 20) : 0;
	if (exported && load_be64(p + FH_SIGNED) != sign(srv, p))
		return NFS4ERR_BADHANDLE;
	return NFS4_OK;
}

/* A new current file handle brings the anonymous stateid with it (RFC 8881
 * 16.2.3.1.2). */
void nfsd_set_cfh(struct nfsd_compound *c, uint64_t ino)
{
	c->cfh = ino;
	c->by_root = false;
	c->cfh_state = stateid4_anonymous;
}

bool nfsd_read_only(const struct nfsd_compound *c)
{
	return c->srv->options.read_only || !(c->rights & NFS_RIGHT_WRITE);
}

void nfsd_set_export(struct nfsd_compound *c, struct nfsd_export *e)
{
	const struct nfs_server_options *o = &c->srv->options;

	nfsd_export_put(c->export);
	c->export = e;
	c->rights = nfsd_rights(c, e);
	c->cred = e != NULL && e->is.forces_user ? &e->cred : &c->call->cred;
	if ((c->rights & NFS_RIGHT_ROOT) || c->cred->uid != 0)
		return;
	c->squashed = (struct cred){ o->anon_uid, o->anon_gid, 0, NULL };
	c->cred = &c->squashed;
}
