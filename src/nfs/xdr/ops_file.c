/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on files and names, RFC 8881 section 18, in its order; those that
 * deal with opens and locks are in ops_open.c.
 */
#include "nfs/xdr/nfs4_ops.h"

bool xdr_ACCESS4args(struct xdr *x, ACCESS4args *v)
{
	return xdr_u32(x, &v->access);
}

bool xdr_ACCESS4resok(struct xdr *x, ACCESS4resok *v)
{
	return xdr_u32(x, &v->supported) && xdr_u32(x, &v->access);
}

bool xdr_COMMIT4args(struct xdr *x, COMMIT4args *v)
{
	return xdr_u64(x, &v->offset) && xdr_u32(x, &v->count);
}

bool xdr_COMMIT4resok(struct xdr *x, COMMIT4resok *v)
{
	return xdr_verifier4(x, &v->writeverf);
}

static bool xdr_createtype4(struct xdr *x, createtype4 *v)
{
	if (!xdr_enum(x, &v->type, 0, UINT32_MAX))
		return false;
	switch (v->type) {
	case NF4LNK:
		return xdr_bulk(x, &v->linkdata, UINT32_MAX);
	case NF4BLK:
	case NF4CHR:
		return xdr_specdata4(x, &v->devdata);
	case NF4REG:
	case NF4DIR:
	case NF4SOCK:
	case NF4FIFO:
	case NF4ATTRDIR:
	case NF4NAMEDATTR:
		break;
	}
	return true;
}

bool xdr_CREATE4args(struct xdr *x, CREATE4args *v)
{
	return xdr_createtype4(x, &v->objtype) &&
	       xdr_component4(x, &v->objname) && xdr_fattr4(x, &v->createattrs);
}

bool xdr_CREATE4resok(struct xdr *x, CREATE4resok *v)
{
	return xdr_change_info4(x, &v->cinfo) && xdr_bitmap4(x, &v->attrset);
}

bool xdr_GETATTR4args(struct xdr *x, GETATTR4args *v)
{
	return xdr_bitmap4(x, &v->attr_request);
}

bool xdr_GETATTR4resok(struct xdr *x, GETATTR4resok *v)
{
	return xdr_fattr4(x, &v->obj_attributes);
}

bool xdr_GETFH4resok(struct xdr *x, GETFH4resok *v)
{
	return xdr_nfs_fh4(x, &v->object);
}

bool xdr_LINK4args(struct xdr *x, LINK4args *v)
{
	return xdr_component4(x, &v->newname);
}

bool xdr_LINK4resok(struct xdr *x, LINK4resok *v)
{
	return xdr_change_info4(x, &v->cinfo);
}

bool xdr_LOOKUP4args(struct xdr *x, LOOKUP4args *v)
{
	return xdr_component4(x, &v->objname);
}

bool xdr_NVERIFY4args(struct xdr *x, NVERIFY4args *v)
{
	return xdr_fattr4(x, &v->obj_attributes);
}

bool xdr_OPENATTR4args(struct xdr *x, OPENATTR4args *v)
{
	return xdr_bool(x, &v->createdir);
}

bool xdr_PUTFH4args(struct xdr *x, PUTFH4args *v)
{
	return xdr_nfs_fh4(x, &v->object);
}

bool xdr_READ4args(struct xdr *x, READ4args *v)
{
	return xdr_stateid4(x, &v->stateid) && xdr_u64(x, &v->offset) &&
	       xdr_u32(x, &v->count);
}

bool xdr_READ4resok(struct xdr *x, READ4resok *v)
{
	return xdr_bool(x, &v->eof) && xdr_bulk(x, &v->data, UINT32_MAX);
}

bool xdr_READDIR4args(struct xdr *x, READDIR4args *v)
{
	return xdr_u64(x, &v->cookie) && xdr_verifier4(x, &v->cookieverf) &&
	       xdr_u32(x, &v->dircount) && xdr_u32(x, &v->maxcount) &&
	       xdr_bitmap4(x, &v->attr_request);
}

bool xdr_entry4(struct xdr *x, entry4 *v)
{
	return xdr_u64(x, &v->cookie) && xdr_component4(x, &v->name) &&
	       xdr_fattr4(x, &v->attrs);
}

/* Counts the entries of the list ahead, so that the array can be allocated:
 * a list says only "one more" in front of each. */
static bool count_entries(const struct xdr *x, uint32_t *n)
{
	struct xdr ahead = *x;
	bool more = false;
	entry4 e;

	for (*n = 0; xdr_bool(&ahead, &more) && more; (*n)++)
		if (!xdr_entry4(&ahead, &e))
			return false;
	return ahead.error == XDR_OK;
}

static bool decode_entries(struct xdr *x, READDIR4resok *v)
{
	bool more = false;

	if (!count_entries(x, &v->nentries))
		return xdr_fail(x, XDR_INVALID);
	v->entries = x->arena ? arena_calloc(x->arena, v->nentries,
					     sizeof(*v->entries))
			      : NULL;
	if (v->entries == NULL)
		return xdr_fail(x, XDR_NOMEM);
	for (uint32_t i = 0; i < v->nentries; i++)
		if (!xdr_bool(x, &more) || !xdr_entry4(x, &v->entries[i]))
			return false;
	return xdr_bool(x, &more);
}

static bool encode_entries(struct xdr *x, READDIR4resok *v)
{
	bool more = true, end = false;

	for (uint32_t i = 0; i < v->nentries; i++)
		if (!xdr_bool(x, &more) || !xdr_entry4(x, &v->entries[i]))
			return false;
	return xdr_bool(x, &end);
}

bool xdr_READDIR4resok(struct xdr *x, READDIR4resok *v)
{
	return xdr_verifier4(x, &v->cookieverf) &&
	       (x->decoding ? decode_entries(x, v) : encode_entries(x, v)) &&
	       xdr_bool(x, &v->eof);
}

bool xdr_READLINK4resok(struct xdr *x, READLINK4resok *v)
{
	return xdr_bytes(x, &v->link, UINT32_MAX);
}

bool xdr_REMOVE4args(struct xdr *x, REMOVE4args *v)
{
	return xdr_component4(x, &v->target);
}

bool xdr_REMOVE4resok(struct xdr *x, REMOVE4resok *v)
{
	return xdr_change_info4(x, &v->cinfo);
}

bool xdr_RENAME4args(struct xdr *x, RENAME4args *v)
{
	return xdr_component4(x, &v->oldname) && xdr_component4(x, &v->newname);
}

bool xdr_RENAME4resok(struct xdr *x, RENAME4resok *v)
{
	return xdr_change_info4(x, &v->source_cinfo) &&
	       xdr_change_info4(x, &v->target_cinfo);
}

bool xdr_SECINFO4args(struct xdr *x, SECINFO4args *v)
{
	return xdr_component4(x, &v->name);
}

/* secinfo4: what follows RPCSEC_GSS is skipped, and never sent. */
static bool xdr_secinfo4(struct xdr *x, uint32_t *flavor)
{
	struct xdr_bytes oid;
	uint32_t qop = 0, service = 0;

	if (!xdr_u32(x, flavor))
		return false;
	if (*flavor != RPCSEC_GSS)
		return true;
	if (!x->decoding)
		return xdr_fail(x, XDR_INVALID);
	return xdr_bytes(x, &oid, UINT32_MAX) && xdr_u32(x, &qop) &&
	       xdr_u32(x, &service);
}

bool xdr_SECINFO4resok(struct xdr *x, SECINFO4resok *v)
{
	return xdr_array_of(x, v->n, v->flavor, UINT32_MAX, 4, xdr_secinfo4);
}

bool xdr_SETATTR4args(struct xdr *x, SETATTR4args *v)
{
	return xdr_stateid4(x, &v->stateid) &&
	       xdr_fattr4(x, &v->obj_attributes);
}

bool xdr_SETATTR4res(struct xdr *x, SETATTR4res *v)
{
	return xdr_bitmap4(x, &v->attrsset);
}

bool xdr_WRITE4args(struct xdr *x, WRITE4args *v)
{
	return xdr_stateid4(x, &v->stateid) && xdr_u64(x, &v->offset) &&
	       xdr_enum(x, &v->stable, UNSTABLE4, FILE_SYNC4) &&
	       xdr_bulk(x, &v->data, UINT32_MAX);
}

bool xdr_WRITE4resok(struct xdr *x, WRITE4resok *v)
{
	return xdr_u32(x, &v->count) &&
	       xdr_enum(x, &v->committed, UNSTABLE4, FILE_SYNC4) &&
	       xdr_verifier4(x, &v->writeverf);
}
