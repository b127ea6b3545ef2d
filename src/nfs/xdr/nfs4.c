/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/xdr/nfs4.h"

const stateid4 stateid4_anonymous = { 0, { 0 } };
const stateid4 stateid4_read_bypass = {
	UINT32_MAX,
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff },
};
const stateid4 stateid4_current = { 1, { 0 } };
const stateid4 stateid4_invalid = { UINT32_MAX, { 0 } };

const char *nfsstat4_name(nfsstat4 status)
{
	switch (status) {
#define S(name, number)                                                        \
	case name:                                                             \
		return #name;
		NFS4_STATUS_LIST(S)
#undef S
	}
	return "unknown";
}

const char *nfs_opnum4_name(nfs_opnum4 op)
{
	switch (op) {
#define O(name, number)                                                        \
	case OP_##name:                                                        \
		return "OP_" #name;
		NFS4_OP_LIST(O)
#undef O
	case OP_ILLEGAL:
		return "OP_ILLEGAL";
	}
	return "unknown";
}

bool xdr_nfs_fh4(struct xdr *x, nfs_fh4 *v)
{
	return xdr_bytes(x, v, NFS4_FHSIZE);
}

bool xdr_component4(struct xdr *x, component4 *v)
{
	return xdr_bytes(x, v, UINT32_MAX);
}

bool xdr_verifier4(struct xdr *x, verifier4 *v)
{
	return xdr_fixed(x, v->b, sizeof(v->b));
}

bool xdr_sessionid4(struct xdr *x, sessionid4 *v)
{
	return xdr_fixed(x, v->b, sizeof(v->b));
}

bool xdr_stateid4(struct xdr *x, stateid4 *v)
{
	return xdr_u32(x, &v->seqid) &&
	       xdr_fixed(x, v->other, sizeof(v->other));
}

bool xdr_nfstime4(struct xdr *x, nfstime4 *v)
{
	return xdr_i64(x, &v->seconds) && xdr_u32(x, &v->nseconds);
}

bool xdr_fsid4(struct xdr *x, fsid4 *v)
{
	return xdr_u64(x, &v->major) && xdr_u64(x, &v->minor);
}

bool xdr_specdata4(struct xdr *x, specdata4 *v)
{
	return xdr_u32(x, &v->specdata1) && xdr_u32(x, &v->specdata2);
}

bool xdr_change_info4(struct xdr *x, change_info4 *v)
{
	return xdr_bool(x, &v->atomic) && xdr_u64(x, &v->before) &&
	       xdr_u64(x, &v->after);
}

static bool encode_bitmap(struct xdr *x, bitmap4 *v)
{
	uint32_t n = BITMAP4_WORDS;
	bool ok;

	while (n > 0 && v->word[n - 1] == 0)
		n--;
	ok = xdr_u32(x, &n);
	for (uint32_t i = 0; ok && i < n; i++)
		ok = xdr_u32(x, &v->word[i]);
	return ok;
}

bool xdr_bitmap4(struct xdr *x, bitmap4 *v)
{
	uint32_t n = 0, word = 0;

	if (!x->decoding)
		return encode_bitmap(x, v);
	*v = (bitmap4){};
	if (!xdr_u32(x, &n))
		return false;
	if (n > xdr_left(x) / 4)
		return xdr_fail(x, XDR_SHORT);
	for (uint32_t i = 0; i < n; i++) {
		if (!xdr_u32(x, &word))
			return false;
		if (i < BITMAP4_WORDS)
			v->word[i] = word;
		else if (word != 0)
			v->beyond = true;
	}
	return true;
}

bool xdr_fattr4(struct xdr *x, fattr4 *v)
{
	return xdr_bitmap4(x, &v->attrmask) &&
	       xdr_bytes(x, &v->attr_vals, UINT32_MAX);
}

bool xdr_state_owner4(struct xdr *x, state_owner4 *v)
{
	return xdr_u64(x, &v->clientid) &&
	       xdr_bytes(x, &v->owner, NFS4_OPAQUE_LIMIT);
}

bool xdr_client_owner4(struct xdr *x, client_owner4 *v)
{
	return xdr_verifier4(x, &v->co_verifier) &&
	       xdr_bytes(x, &v->co_ownerid, NFS4_OPAQUE_LIMIT);
}

bool xdr_server_owner4(struct xdr *x, server_owner4 *v)
{
	return xdr_u64(x, &v->so_minor_id) &&
	       xdr_bytes(x, &v->so_major_id, NFS4_OPAQUE_LIMIT);
}

bool xdr_nfs_impl_id4(struct xdr *x, nfs_impl_id4 *v)
{
	return xdr_bytes(x, &v->nii_domain, UINT32_MAX) &&
	       xdr_bytes(x, &v->nii_name, UINT32_MAX) &&
	       xdr_nfstime4(x, &v->nii_date);
}

bool xdr_nfsace4(struct xdr *x, nfsace4 *v)
{
	return xdr_u32(x, &v->type) && xdr_u32(x, &v->flag) &&
	       xdr_u32(x, &v->access_mask) && xdr_bytes(x, &v->who, UINT32_MAX);
}

bool xdr_netaddr4(struct xdr *x, netaddr4 *v)
{
	return xdr_bytes(x, &v->na_r_netid, UINT32_MAX) &&
	       xdr_bytes(x, &v->na_r_addr, UINT32_MAX);
}

bool xdr_pathname4(struct xdr *x, pathname4 *v)
{
	return xdr_array_of(x, v->n, v->component, UINT32_MAX, 4,
			    xdr_component4);
}

bool xdr_fs_location4(struct xdr *x, fs_location4 *v)
{
	return xdr_array_of(x, v->nserver, v->server, UINT32_MAX, 4,
			    xdr_component4) &&
	       xdr_pathname4(x, &v->rootpath);
}

bool xdr_fs_locations4(struct xdr *x, fs_locations4 *v)
{
	return xdr_pathname4(x, &v->fs_root) &&
	       xdr_array_of(x, v->nlocations, v->locations, UINT32_MAX, 8,
			    xdr_fs_location4);
}
