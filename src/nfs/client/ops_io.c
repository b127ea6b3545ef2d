/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data: READ and WRITE, COMMIT, and the calls of 4.2 on ranges of a file.
 */
#include <errno.h>
#include <unistd.h>

#include "nfs/client/internal.h"

/* -------------------------------------------------------------------- READ */

/* One request: bytes, or -errno. */
static ssize_t read_once(struct nfs_open *o, void *buf, size_t len,
			 uint64_t offset, bool *eof)
{
	struct nfs_cred cred = open_cred(o);
	READ4args args = { .offset = offset, .count = (count4)len };
	READ4resok res = {};
	struct call k;
	int rc;

	call_init(&k, o->client, &cred, 0);
	k.open = o;
	while (call_start(&k)) {
		args.stateid = open_stateid(o);
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_READ4args(call_op(&k, OP_READ), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_READ))
		call_result_done(&k, xdr_READ4resok(&k.results, &res) &&
					     res.data.len <= len);
	if (k.error == 0) {
		memcpy(buf, res.data.data, res.data.len);
		*eof = res.eof;
	}
	rc = call_end(&k);
	return rc < 0 ? rc : (ssize_t)res.data.len;
}

ssize_t nfs_read(struct nfs_open *o, void *buf, size_t len, uint64_t offset,
		 bool *eof)
{
	size_t done = 0, part;
	ssize_t n;

	MAGIC_CHECK(o, OPEN_MAGIC);
	*eof = false;
	do {
		if (o->lost)
			return -EIO;
		part = MIN(len - done, o->client->info.rsize);
		n = read_once(o, (char *)buf + done, part, offset + done, eof);
		if (n < 0)
			return done > 0 ? (ssize_t)done : n;
		done += n;
	} while (done < len && !*eof && n > 0);
	return (ssize_t)done;
}

/* ------------------------------------------------------------------- WRITE */

ssize_t write_request(struct nfs_open *o, const void *buf, size_t len,
		      uint64_t offset, stable_how4 stable, unsigned flags,
		      stable_how4 *committed, verifier4 *verf)
{
	struct nfs_cred cred = open_cred(o);
	WRITE4args args = {
		.offset = offset,
		.stable = stable,
		.data = { buf, (uint32_t)len },
	};
	WRITE4resok res = {};
	struct call k;
	int rc;

	MAGIC_CHECK(o, OPEN_MAGIC);
	if (o->lost)
		return -EIO;
	if (len > o->client->info.wsize)
		return -EINVAL;
	/* Kept in the reply cache, so that one that was overtaken by a write of
	 * somebody else is not run again. */
	call_init(&k, o->client, &cred, CALL_CACHED | flags);
	k.open = flags & CALL_RECOVERY ? NULL : o; /* no mending within it */
	while (call_start(&k)) {
		args.stateid = open_stateid(o);
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_WRITE4args(call_op_effect(&k, OP_WRITE),
						&args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_WRITE))
		call_result_done(&k, xdr_WRITE4resok(&k.results, &res) &&
					     res.count <= len);
	if (committed != NULL)
		*committed = res.committed;
	if (verf != NULL)
		*verf = res.writeverf;
	rc = call_end(&k);
	return rc < 0 ? rc : (ssize_t)res.count;
}

ssize_t nfs_write(struct nfs_open *o, const void *buf, size_t len,
		  uint64_t offset, stable_how4 stable, stable_how4 *committed,
		  verifier4 *verf)
{
	return write_request(o, buf, len, offset, stable, 0, committed, verf);
}

int nfs_commit(struct nfs_open *o, uint64_t offset, uint32_t len,
	       verifier4 *verf)
{
	struct nfs_cred cred = open_cred(o);
	COMMIT4args args = { offset, len };
	COMMIT4resok res = {};
	struct call k;

	MAGIC_CHECK(o, OPEN_MAGIC);
	call_init(&k, o->client, &cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, &o->fh);
		call_op_done(&k,
			     xdr_COMMIT4args(call_op(&k, OP_COMMIT), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_COMMIT))
		call_result_done(&k, xdr_COMMIT4resok(&k.results, &res));
	if (verf != NULL)
		*verf = res.writeverf;
	return call_end(&k);
}

/* ------------------------------------------------------------- 4.2: ranges */

int64_t nfs_seek(struct nfs_open *o, uint64_t offset, int whence)
{
	struct nfs_cred cred = open_cred(o);
	SEEK4args args = {
		.sa_offset = offset,
		.sa_what = whence == SEEK_HOLE ? NFS4_CONTENT_HOLE
					       : NFS4_CONTENT_DATA,
	};
	SEEK4resok res = {};
	struct call k;
	int rc;

	if (o->client->minorversion < 2)
		return -EOPNOTSUPP;
	call_init(&k, o->client, &cred, 0);
	k.open = o;
	while (call_start(&k)) {
		args.sa_stateid = open_stateid(o);
		call_putfh(&k, &o->fh);
		call_op_done(&k, xdr_SEEK4args(call_op(&k, OP_SEEK), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_SEEK))
		call_result_done(&k, xdr_SEEK4resok(&k.results, &res));
	rc = call_end(&k);
	if (rc < 0)
		return rc;
	/* No more data: the end has no offset (RFC 7862 section 15.11.3). */
	if (res.sr_eof && whence != SEEK_HOLE)
		return -ENXIO;
	return (int64_t)res.sr_offset;
}

static int on_range(struct nfs_open *o, nfs_opnum4 op, uint64_t offset,
		    uint64_t len)
{
	struct nfs_cred cred = open_cred(o);
	ALLOCATE4args args = { .offset = offset, .length = len };
	struct call k;
	int rc;

	if (o->client->minorversion < 2)
		return -EOPNOTSUPP;
	if (o->lost)
		return -EIO;
	rc = keep_sync(o->client, &o->fh);
	if (rc < 0)
		return rc;
	call_init(&k, o->client, &cred, CALL_CACHED);
	k.open = o;
	while (call_start(&k)) {
		args.stateid = open_stateid(o);
		call_putfh(&k, &o->fh);
		call_op_done(&k,
			     xdr_ALLOCATE4args(call_op_effect(&k, op), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result(&k, op);
	return call_end(&k);
}

int nfs_allocate(struct nfs_open *o, uint64_t offset, uint64_t len)
{
	return on_range(o, OP_ALLOCATE, offset, len);
}

int nfs_deallocate(struct nfs_open *o, uint64_t offset, uint64_t len)
{
	return on_range(o, OP_DEALLOCATE, offset, len);
}

static void copy_once(struct call *k, struct nfs_open *from, COPY4args *args,
		      struct nfs_open *to)
{
	args->ca_src_stateid = open_stateid(from);
	args->ca_dst_stateid = open_stateid(to);
	call_putfh(k, &from->fh);
	call_op(k, OP_SAVEFH);
	call_putfh(k, &to->fh);
	call_op_done(k, xdr_COPY4args(call_op_effect(k, OP_COPY), args));
	call_run(k);
}

int64_t nfs_copy(struct nfs_open *from, uint64_t from_offset,
		 struct nfs_open *to, uint64_t to_offset, uint64_t len)
{
	struct nfs_cred cred = open_cred(to);
	COPY4args args = {
		.ca_src_offset = from_offset,
		.ca_dst_offset = to_offset,
		.ca_count = len,
		.ca_consecutive = true,
		.ca_synchronous = true,
	};
	COPY4resok res = {};
	verifier4 verf;
	struct call k;
	int rc;

	if (to->client->minorversion < 2)
		return -EOPNOTSUPP;
	if (from->lost || to->lost)
		return -EIO;
	rc = keep_sync(to->client, &to->fh);
	if (rc < 0)
		return rc;
	call_init(&k, to->client, &cred, CALL_CACHED);
	k.open = to;
	while (call_start(&k))
		copy_once(&k, from, &args, to);
	call_result(&k, OP_PUTFH);
	call_result(&k, OP_SAVEFH);
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_COPY))
		call_result_done(&k, xdr_COPY4resok(&k.results, &res) &&
					     !res.cr_response.has_callback_id);
	rc = call_end(&k);
	if (rc == 0 && res.cr_response.wr_committed != FILE_SYNC4) {
		rc = nfs_commit(to, 0, 0, &verf);
		if (rc == 0 &&
		    !verifier4_equal(verf, res.cr_response.wr_writeverf))
			return nfs_copy(from, from_offset, to, to_offset, len);
	}
	return rc < 0 ? rc : (int64_t)res.cr_response.wr_count;
}
