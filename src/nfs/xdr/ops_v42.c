/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of NFSv4.2 (RFC 7862 section 15) and of extended attributes (RFC
 * 8276 section 8.4).
 */
#include "nfs/xdr/nfs4_ops.h"

bool xdr_ALLOCATE4args(struct xdr *x, ALLOCATE4args *v)
{
	return xdr_stateid4(x, &v->stateid) && xdr_u64(x, &v->offset) &&
	       xdr_u64(x, &v->length);
}

bool xdr_netloc4(struct xdr *x, netloc4 *v)
{
	if (!xdr_enum(x, &v->nl_type, NL4_NAME, NL4_NETADDR))
		return false;
	if (v->nl_type == NL4_NETADDR)
		return xdr_netaddr4(x, &v->nl_addr);
	return xdr_bytes(x, &v->nl_name, UINT32_MAX);
}

bool xdr_COPY4args(struct xdr *x, COPY4args *v)
{
	return xdr_stateid4(x, &v->ca_src_stateid) &&
	       xdr_stateid4(x, &v->ca_dst_stateid) &&
	       xdr_u64(x, &v->ca_src_offset) && xdr_u64(x, &v->ca_dst_offset) &&
	       xdr_u64(x, &v->ca_count) && xdr_bool(x, &v->ca_consecutive) &&
	       xdr_bool(x, &v->ca_synchronous) &&
	       xdr_array_of(x, v->nsource_server, v->ca_source_server,
			    NFS4_NETLOC_MAX, 8, xdr_netloc4);
}

bool xdr_write_response4(struct xdr *x, write_response4 *v)
{
	return xdr_bool(x, &v->has_callback_id) &&
	       (!v->has_callback_id || xdr_stateid4(x, &v->wr_callback_id)) &&
	       xdr_u64(x, &v->wr_count) &&
	       xdr_enum(x, &v->wr_committed, UNSTABLE4, FILE_SYNC4) &&
	       xdr_verifier4(x, &v->wr_writeverf);
}

bool xdr_copy_requirements4(struct xdr *x, copy_requirements4 *v)
{
	return xdr_bool(x, &v->cr_consecutive) &&
	       xdr_bool(x, &v->cr_synchronous);
}

bool xdr_COPY4resok(struct xdr *x, COPY4resok *v)
{
	return xdr_write_response4(x, &v->cr_response) &&
	       xdr_copy_requirements4(x, &v->cr_requirements);
}

bool xdr_CLONE4args(struct xdr *x, CLONE4args *v)
{
	return xdr_stateid4(x, &v->cl_src_stateid) &&
	       xdr_stateid4(x, &v->cl_dst_stateid) &&
	       xdr_u64(x, &v->cl_src_offset) && xdr_u64(x, &v->cl_dst_offset) &&
	       xdr_u64(x, &v->cl_count);
}

bool xdr_IO_ADVISE4args(struct xdr *x, IO_ADVISE4args *v)
{
	return xdr_stateid4(x, &v->iaa_stateid) && xdr_u64(x, &v->iaa_offset) &&
	       xdr_u64(x, &v->iaa_count) && xdr_bitmap4(x, &v->iaa_hints);
}

bool xdr_IO_ADVISE4resok(struct xdr *x, IO_ADVISE4resok *v)
{
	return xdr_bitmap4(x, &v->ior_hints);
}

bool xdr_OFFLOAD_CANCEL4args(struct xdr *x, OFFLOAD_CANCEL4args *v)
{
	return xdr_stateid4(x, &v->oca_stateid);
}

bool xdr_OFFLOAD_STATUS4resok(struct xdr *x, OFFLOAD_STATUS4resok *v)
{
	return xdr_u64(x, &v->osr_count) && xdr_bool(x, &v->has_complete) &&
	       (!v->has_complete ||
		xdr_enum(x, &v->osr_complete, 0, UINT32_MAX));
}

bool xdr_read_plus_content(struct xdr *x, read_plus_content *v)
{
	if (!xdr_enum(x, &v->rpc_content, NFS4_CONTENT_DATA,
		      NFS4_CONTENT_HOLE) ||
	    !xdr_u64(x, &v->offset))
		return false;
	if (v->rpc_content == NFS4_CONTENT_HOLE)
		return xdr_u64(x, &v->length);
	return xdr_bulk(x, &v->data, UINT32_MAX);
}

bool xdr_READ_PLUS4resok(struct xdr *x, READ_PLUS4resok *v)
{
	return xdr_bool(x, &v->rpr_eof) &&
	       xdr_array_of(x, v->n, v->rpr_contents, UINT32_MAX, 16,
			    xdr_read_plus_content);
}

bool xdr_SEEK4args(struct xdr *x, SEEK4args *v)
{
	return xdr_stateid4(x, &v->sa_stateid) && xdr_u64(x, &v->sa_offset) &&
	       xdr_enum(x, &v->sa_what, 0, UINT32_MAX);
}

bool xdr_SEEK4resok(struct xdr *x, SEEK4resok *v)
{
	return xdr_bool(x, &v->sr_eof) && xdr_u64(x, &v->sr_offset);
}

bool xdr_GETXATTR4args(struct xdr *x, GETXATTR4args *v)
{
	return xdr_component4(x, &v->gxa_name);
}

bool xdr_GETXATTR4resok(struct xdr *x, GETXATTR4resok *v)
{
	return xdr_bulk(x, &v->gxr_value, UINT32_MAX);
}

bool xdr_SETXATTR4args(struct xdr *x, SETXATTR4args *v)
{
	return xdr_enum(x, &v->sxa_option, SETXATTR4_EITHER,
			SETXATTR4_REPLACE) &&
	       xdr_component4(x, &v->sxa_key) &&
	       xdr_bulk(x, &v->sxa_value, UINT32_MAX);
}

bool xdr_SETXATTR4resok(struct xdr *x, SETXATTR4resok *v)
{
	return xdr_change_info4(x, &v->sxr_info);
}

bool xdr_LISTXATTRS4args(struct xdr *x, LISTXATTRS4args *v)
{
	return xdr_u64(x, &v->lxa_cookie) && xdr_u32(x, &v->lxa_maxcount);
}

bool xdr_LISTXATTRS4resok(struct xdr *x, LISTXATTRS4resok *v)
{
	return xdr_u64(x, &v->lxr_cookie) &&
	       xdr_array_of(x, v->n, v->lxr_names, UINT32_MAX, 4,
			    xdr_component4) &&
	       xdr_bool(x, &v->lxr_eof);
}

bool xdr_REMOVEXATTR4args(struct xdr *x, REMOVEXATTR4args *v)
{
	return xdr_component4(x, &v->rxa_name);
}

bool xdr_REMOVEXATTR4resok(struct xdr *x, REMOVEXATTR4resok *v)
{
	return xdr_change_info4(x, &v->rxr_info);
}
