/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READ, WRITE, COMMIT (RFC 8881 18.22, 18.32, 18.3).
 *
 * Data is copied once: READ reads into the reply's buffer, or if there is much
 * of it into pooled memory that leaves as a piece of its own; WRITE writes out
 * of the receive buffer.
 */
#include <errno.h>
#include <string.h>

#include "nfs/server/internal.h"

/* Up to here data goes between the other results, in the same memory. */
enum { READ_INLINE_MAX = 32 << 10 };

/* ------------------------------------------------------- who may do I/O */

bool nfsd_stateid_is_special(const struct nfsd_compound *c, const stateid4 *id)
{
	stateid4 meant = nfsd_resolve_stateid(c, id);

	return stateid4_equal(&meant, &stateid4_anonymous) ||
	       stateid4_equal(&meant, &stateid4_read_bypass);
}

nfsstat4 nfsd_check_regular(uint32_t mode)
{
	if (S_ISREG(mode))
		return NFS4_OK;
	if (S_ISDIR(mode))
		return NFS4ERR_ISDIR;
	return S_ISLNK(mode) ? NFS4ERR_SYMLINK : NFS4ERR_WRONG_TYPE;
}

/* What a file that nobody may read, but everybody execute, must allow: the
 * client's kernel reads it to run it. */
static unsigned permissions(unsigned access)
{
	return (access & OPEN4_SHARE_ACCESS_READ ? ENGINE_R : 0) |
	       (access & OPEN4_SHARE_ACCESS_WRITE ? ENGINE_W : 0);
}

nfsstat4 nfsd_check_access(const struct fattr *attr, const struct cred *cred,
			   unsigned access)
{
	unsigned want = permissions(access);
	unsigned got = engine_access(attr, cred, want | ENGINE_X);

	if (got & ENGINE_X)
		got |= ENGINE_R;
	return (got & want) == want ? NFS4_OK : NFS4ERR_ACCESS;
}

/* Somebody's open denies this access.  If only his courtesy keeps it, he has
 * to go. */
static nfsstat4 wait_out_denial(struct nfsd_file *f, unsigned access)
{
	struct nfsd_client *culprit;
	struct nfsd_state *s;
	bool again;

	do {
		culprit = NULL;
		pthread_mutex_lock(&f->lock);
		s = nfsd_share_conflict(f, access, 0);
		if (s != NULL)
			culprit = nfsd_client_ref(s->owner->client);
		pthread_mutex_unlock(&f->lock);
		if (culprit == NULL)
			return NFS4_OK;
		again = nfsd_client_expel_expired(culprit);
		nfsd_client_put(culprit);
	} while (again);
	return NFS4ERR_LOCKED;
}

/* I/O without an open: like NFSv3, permission is checked each time; the owner
 * always may. */
static nfsstat4 begin_special(struct nfsd_compound *c, unsigned access,
			      bool bypass, struct nfsd_file **file)
{
	struct fattr attr;
	nfsstat4 status;
	int rc;

	if (nfsd_in_grace(c->srv))
		return NFS4ERR_GRACE;
	rc = engine_getattr(c->srv->engine, c->cfh, &attr);
	if (rc < 0)
		return nfsd_status(rc);
	status = nfsd_check_regular(attr.mode);
	if (status == NFS4_OK && attr.uid != c->cred->uid)
		status = nfsd_check_access(&attr, c->cred, access);
	if (status == NFS4_OK)
		status = nfsd_file_get(c->srv, c->cfh, file);
	if (status != NFS4_OK || bypass)
		return status;
	status = wait_out_denial(*file, access);
	if (status == NFS4_OK)
		return NFS4_OK;
	nfsd_file_put(*file);
	*file = NULL;
	return status;
}

static nfsstat4 begin_state(struct nfsd_compound *c, const stateid4 *id,
			    unsigned access, struct nfsd_file **file)
{
	const struct nfsd_state *open;
	struct nfsd_state *s;
	nfsstat4 status;

	pthread_mutex_lock(&c->client->lock);
	status = nfsd_state_find(c->client, id, NFSD_WANT_ANY, &s);
	if (status == NFS4_OK) {
		open = s->is_lock ? s->open : s;
		if (s->file->ino != c->cfh)
			status = NFS4ERR_BAD_STATEID;
		else if ((open->access & access) != access)
			status = NFS4ERR_OPENMODE;
		else
			*file = nfsd_file_ref(s->file);
	}
	pthread_mutex_unlock(&c->client->lock);
	return status;
}

nfsstat4 nfsd_io_begin(struct nfsd_compound *c, const stateid4 *id,
		       unsigned access, struct nfsd_file **file)
{
	stateid4 meant = nfsd_resolve_stateid(c, id);
	bool bypass;

	*file = NULL;
	bypass = access == OPEN4_SHARE_ACCESS_READ &&
		 stateid4_equal(&meant, &stateid4_read_bypass);
	if (nfsd_stateid_is_special(c, &meant))
		return begin_special(c, access, bypass, file);
	return begin_state(c, &meant, access, file);
}

/* -------------------------------------------------------------------- READ */

static nfsstat4 read_inline(struct nfsd_compound *c, struct nfsd_file *f,
			    size_t count)
{
	const READ4args *arg = &c->arg.opread;
	struct xdr *x = c->out;
	uint8_t *head = xdr_inline(x, 8);
	struct xdr_mark mark = xdr_mark(x);
	void *data = head == NULL ? NULL : xdr_inline(x, count);
	bool eof = false;
	ssize_t n;

	if (data == NULL)
		return c->too_big;
	n = engine_read(f->held, data, count, arg->offset, &eof);
	if (n < 0)
		return nfsd_status((int)n);
	xdr_rewind(x, mark);
	xdr_inline(x, n); /* as much as there was, padded */
	store_be32(head, eof);
	store_be32(head + 4, (uint32_t)n);
	nfsd_meter_read_done(c, count, n);
	return NFS4_OK;
}

static nfsstat4 read_bulk(struct nfsd_compound *c, struct nfsd_file *f,
			  size_t count)
{
	const READ4args *arg = &c->arg.opread;
	READ4resok *res = &c->res.opread;
	nfsstat4 status;
	void *data;
	ssize_t n;

	status = nfsd_compound_bulk(c, count, &data);
	if (status != NFS4_OK)
		return status;
	n = engine_read(f->held, data, count, arg->offset, &res->eof);
	if (n < 0)
		return nfsd_status((int)n);
	res->data = (struct xdr_bytes){ data, (uint32_t)n };
	nfsd_meter_read_done(c, count, n);
	return xdr_READ4resok(c->out, res) ? NFS4_OK : c->too_big;
}

nfsstat4 nfsd_op_read(struct nfsd_compound *c)
{
	const READ4args *arg = &c->arg.opread;
	size_t count = MIN(arg->count, (uint32_t)NFSD_MAX_READ);
	size_t room = nfsd_compound_reply_left(c);
	struct nfsd_file *f;
	nfsstat4 status;

	/* eof, length, padding */
	if (room < 12)
		return c->too_big;
	count = MIN(count, room - 12); /* a short read is better than none */
	status = nfsd_meter_read(c, count);
	if (status == NFS4_OK)
		status = nfsd_io_begin(c, &arg->stateid,
				       OPEN4_SHARE_ACCESS_READ, &f);
	if (status != NFS4_OK)
		return status;
	if (count <= READ_INLINE_MAX && count + 12 <= nfsd_compound_room(c))
		status = read_inline(c, f, count);
	else
		status = read_bulk(c, f, count);
	nfsd_file_put(f);
	return status;
}

/* ------------------------------------------------------------ WRITE, COMMIT */

/*
 * RFC 8881 18.32.3: another one whenever what was written UNSTABLE may be lost,
 * that is for each start of the server, and when the engine has dropped
 * something: its commits have told one client, and this tells the others.
 * WRITE asks before it writes, COMMIT after it has committed: so a loss that
 * comes between is seen.
 */
static verifier4 write_verifier(const struct nfs_server *srv)
{
	uint64_t v = srv->write_verifier + engine_losses(srv->engine);
	verifier4 verf;

	memcpy(verf.b, &v, sizeof(verf.b));
	return verf;
}

nfsstat4 nfsd_op_write(struct nfsd_compound *c)
{
	const WRITE4args *arg = &c->arg.opwrite;
	WRITE4resok *res = &c->res.opwrite;
	struct iovec iov = { (void *)arg->data.data, arg->data.len };
	struct nfsd_file *f;
	nfsstat4 status;
	int rc = 0;

	if (arg->offset > (uint64_t)ENGINE_FILE_SIZE_MAX - arg->data.len)
		return NFS4ERR_FBIG;
	status = nfsd_meter_write(c, arg->data.len);
	if (status == NFS4_OK)
		status = nfsd_io_begin(c, &arg->stateid,
				       OPEN4_SHARE_ACCESS_WRITE, &f);
	if (status != NFS4_OK)
		return status;
	res->writeverf = write_verifier(c->srv);
	if (arg->data.len > 0)
		rc = engine_write(f->held, c->cred, &iov, 1, arg->offset,
				  (enum engine_stable)arg->stable);
	nfsd_file_put(f);
	if (rc < 0)
		return nfsd_status(rc);
	res->count = arg->data.len;
	res->committed = arg->stable;
	nfsd_meter_write_done(c, arg->data.len);
	return NFS4_OK;
}

nfsstat4 nfsd_op_commit(struct nfsd_compound *c)
{
	const COMMIT4args *arg = &c->arg.opcommit;
	struct fattr attr;
	struct nfsd_file *f;
	nfsstat4 status;
	int rc = engine_getattr(c->srv->engine, c->cfh, &attr);

	if (rc < 0)
		return nfsd_status(rc);
	status = nfsd_check_regular(attr.mode);
	if (status == NFS4_OK)
		status = nfsd_file_get(c->srv, c->cfh, &f);
	if (status != NFS4_OK)
		return status;
	rc = engine_commit(f->held, arg->offset, arg->count);
	nfsd_file_put(f);
	c->res.opcommit.writeverf = write_verifier(c->srv);
	return nfsd_status(rc);
}
