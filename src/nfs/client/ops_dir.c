/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READDIR: the reply is read entry by entry as it stands in the record, so a
 * large one needs no memory besides it.
 */
#include <errno.h>

#include "nfs/client/internal.h"

/* What is asked for with each name: enough for readdir(3), or for a lookup. */
static bitmap4 entry_attrs(bool plus)
{
	bitmap4 few = BITMAP4(FATTR4_TYPE, FATTR4_RDATTR_ERROR, FATTR4_FILEID,
			      FATTR4_MOUNTED_ON_FILEID);
	bitmap4 more = BITMAP4(FATTR4_RDATTR_ERROR, FATTR4_FILEHANDLE);

	if (!plus)
		return few;
	return bitmap4_or(&more, &attr_wanted);
}

static uint64_t fileid_of(const struct nfs4_attrs *a)
{
	return bitmap4_has(&a->have, FATTR4_MOUNTED_ON_FILEID)
		       ? a->mounted_on_fileid
		       : a->fileid;
}

struct reading {
	nfs_dirent_fn *fn;
	void *arg;
	bool plus;
	bool full; /* fn would not take the last one */
};

/* false: the entry makes no sense. */
static bool give(struct reading *r, const entry4 *e)
{
	struct nfs_dirent d = {
		.cookie = e->cookie,
		.name = e->name.data,
		.len = e->name.len,
	};
	struct nfs4_attrs a;
	struct nfs_attr attr;
	struct nfs_fh fh;

	memset(&a, 0, sizeof(a));
	if (!nfs4_attrs_decode(&e->attrs, NULL, &a))
		return false;
	d.fileid = fileid_of(&a);
	d.type = nfs4_type_to_mode(a.type);
	if (r->plus && bitmap4_has(&a.have, FATTR4_FILEHANDLE) &&
	    attr_from_fattr4(&e->attrs, &attr)) {
		fh = nfs_fh4_copy(a.filehandle);
		d.fh = &fh;
		d.attr = &attr;
	}
	r->full = !r->fn(r->arg, &d);
	return true;
}

static bool read_entries(struct xdr *x, struct reading *r, verifier4 *verf,
			 bool *eof)
{
	bool more = false;
	entry4 e;

	if (!xdr_verifier4(x, verf) || !xdr_bool(x, &more))
		return false;
	while (more) {
		if (!xdr_entry4(x, &e) || !give(r, &e))
			return false;
		if (r->full) {
			*eof = false;
			return true;
		}
		if (!xdr_bool(x, &more))
			return false;
	}
	return xdr_bool(x, eof);
}

int nfs_readdir(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *dir, uint64_t cookie, verifier4 *verf,
		size_t count, bool plus, nfs_dirent_fn *fn, void *arg,
		bool *eof)
{
	READDIR4args args = {
		.cookie = cookie,
		.cookieverf = *verf,
		.attr_request = entry_attrs(plus),
	};
	struct reading reading = { .fn = fn, .arg = arg, .plus = plus };
	struct call k;

	count = MAX(MIN(count, c->info.rsize), (size_t)4096);
	args.maxcount = args.dircount = (count4)count;
	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, dir);
		call_op_done(&k,
			     xdr_READDIR4args(call_op(&k, OP_READDIR), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_READDIR))
		call_result_done(&k,
				 read_entries(&k.results, &reading, verf, eof));
	return call_end(&k);
}
