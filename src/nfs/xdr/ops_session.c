/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on clients and sessions (RFC 8881 sections 18.33 to 18.51).
 */
#include "nfs/xdr/nfs4_ops.h"

/* An optional value is an array of at most one: T v<1>. */
static bool xdr_optional(struct xdr *x, bool *present)
{
	return xdr_bool(x, present);
}

static bool xdr_gss_cb_handles4(struct xdr *x, gss_cb_handles4 *v)
{
	return xdr_u32(x, &v->service) &&
	       xdr_bytes(x, &v->handle_from_server, UINT32_MAX) &&
	       xdr_bytes(x, &v->handle_from_client, UINT32_MAX);
}

bool xdr_callback_sec_parms4(struct xdr *x, callback_sec_parms4 *v)
{
	if (!xdr_u32(x, &v->cb_secflavor))
		return false;
	switch (v->cb_secflavor) {
	case AUTH_NONE:
		return true;
	case AUTH_SYS:
		return xdr_authsys_parms(x, &v->cbsp_sys_cred);
	case RPCSEC_GSS:
		return xdr_gss_cb_handles4(x, &v->cbsp_gss_handles);
	default:
		return xdr_fail(x, XDR_INVALID);
	}
}

bool xdr_BACKCHANNEL_CTL4args(struct xdr *x, BACKCHANNEL_CTL4args *v)
{
	return xdr_u32(x, &v->bca_cb_program) &&
	       xdr_array_of(x, v->nsec_parms, v->bca_sec_parms, NFS4_CB_SEC_MAX,
			    4, xdr_callback_sec_parms4);
}

bool xdr_BIND_CONN_TO_SESSION4args(struct xdr *x, BIND_CONN_TO_SESSION4args *v)
{
	return xdr_sessionid4(x, &v->bctsa_sessid) &&
	       xdr_enum(x, &v->bctsa_dir, CDFC4_FORE, CDFC4_BACK_OR_BOTH) &&
	       xdr_bool(x, &v->bctsa_use_conn_in_rdma_mode);
}

bool xdr_BIND_CONN_TO_SESSION4resok(struct xdr *x,
				    BIND_CONN_TO_SESSION4resok *v)
{
	return xdr_sessionid4(x, &v->bctsr_sessid) &&
	       xdr_enum(x, &v->bctsr_dir, CDFS4_FORE, CDFS4_BOTH) &&
	       xdr_bool(x, &v->bctsr_use_conn_in_rdma_mode);
}

static bool xdr_state_protect_ops4(struct xdr *x, state_protect_ops4 *v)
{
	return xdr_bitmap4(x, &v->spo_must_enforce) &&
	       xdr_bitmap4(x, &v->spo_must_allow);
}

/* sec_oid4 list<>: stepped over. */
static bool skip_oids(struct xdr *x)
{
	struct xdr_bytes oid;
	uint32_t n = 0;

	if (!xdr_u32(x, &n))
		return false;
	if (n > xdr_left(x) / 4)
		return xdr_fail(x, XDR_SHORT);
	while (n-- > 0)
		if (!xdr_bytes(x, &oid, UINT32_MAX))
			return false;
	return true;
}

/* ssv_sp_parms4: a server that refuses SSV need only get past it. */
static bool skip_ssv_parms(struct xdr *x, state_protect_ops4 *ops)
{
	uint32_t window = 0, handles = 0;

	return x->decoding ? xdr_state_protect_ops4(x, ops) && skip_oids(x) &&
				     skip_oids(x) && xdr_u32(x, &window) &&
				     xdr_u32(x, &handles)
			   : xdr_fail(x, XDR_INVALID);
}

static bool xdr_state_protect4_a(struct xdr *x, state_protect4_a *v)
{
	if (!xdr_enum(x, &v->spa_how, SP4_NONE, SP4_SSV))
		return false;
	switch (v->spa_how) {
	case SP4_NONE:
		return true;
	case SP4_MACH_CRED:
		return xdr_state_protect_ops4(x, &v->ops);
	case SP4_SSV:
		return skip_ssv_parms(x, &v->ops);
	}
	return false;
}

bool xdr_EXCHANGE_ID4args(struct xdr *x, EXCHANGE_ID4args *v)
{
	return xdr_client_owner4(x, &v->eia_clientowner) &&
	       xdr_u32(x, &v->eia_flags) &&
	       xdr_state_protect4_a(x, &v->eia_state_protect) &&
	       xdr_optional(x, &v->has_impl_id) &&
	       (!v->has_impl_id || xdr_nfs_impl_id4(x, &v->eia_client_impl_id));
}

static bool xdr_state_protect4_r(struct xdr *x, state_protect4_r *v)
{
	if (!xdr_enum(x, &v->spr_how, SP4_NONE, SP4_MACH_CRED))
		return false;
	return v->spr_how == SP4_NONE || xdr_state_protect_ops4(x, &v->ops);
}

bool xdr_EXCHANGE_ID4resok(struct xdr *x, EXCHANGE_ID4resok *v)
{
	return xdr_u64(x, &v->eir_clientid) && xdr_u32(x, &v->eir_sequenceid) &&
	       xdr_u32(x, &v->eir_flags) &&
	       xdr_state_protect4_r(x, &v->eir_state_protect) &&
	       xdr_server_owner4(x, &v->eir_server_owner) &&
	       xdr_bytes(x, &v->eir_server_scope, NFS4_OPAQUE_LIMIT) &&
	       xdr_optional(x, &v->has_impl_id) &&
	       (!v->has_impl_id || xdr_nfs_impl_id4(x, &v->eir_server_impl_id));
}

bool xdr_channel_attrs4(struct xdr *x, channel_attrs4 *v)
{
	return xdr_u32(x, &v->ca_headerpadsize) &&
	       xdr_u32(x, &v->ca_maxrequestsize) &&
	       xdr_u32(x, &v->ca_maxresponsesize) &&
	       xdr_u32(x, &v->ca_maxresponsesize_cached) &&
	       xdr_u32(x, &v->ca_maxoperations) &&
	       xdr_u32(x, &v->ca_maxrequests) &&
	       xdr_optional(x, &v->has_rdma_ird) &&
	       (!v->has_rdma_ird || xdr_u32(x, &v->ca_rdma_ird));
}

bool xdr_CREATE_SESSION4args(struct xdr *x, CREATE_SESSION4args *v)
{
	return xdr_u64(x, &v->csa_clientid) && xdr_u32(x, &v->csa_sequence) &&
	       xdr_u32(x, &v->csa_flags) &&
	       xdr_channel_attrs4(x, &v->csa_fore_chan_attrs) &&
	       xdr_channel_attrs4(x, &v->csa_back_chan_attrs) &&
	       xdr_u32(x, &v->csa_cb_program) &&
	       xdr_array_of(x, v->nsec_parms, v->csa_sec_parms, NFS4_CB_SEC_MAX,
			    4, xdr_callback_sec_parms4);
}

bool xdr_CREATE_SESSION4resok(struct xdr *x, CREATE_SESSION4resok *v)
{
	return xdr_sessionid4(x, &v->csr_sessionid) &&
	       xdr_u32(x, &v->csr_sequence) && xdr_u32(x, &v->csr_flags) &&
	       xdr_channel_attrs4(x, &v->csr_fore_chan_attrs) &&
	       xdr_channel_attrs4(x, &v->csr_back_chan_attrs);
}

bool xdr_DESTROY_SESSION4args(struct xdr *x, DESTROY_SESSION4args *v)
{
	return xdr_sessionid4(x, &v->dsa_sessionid);
}

bool xdr_SECINFO_NO_NAME4args(struct xdr *x, SECINFO_NO_NAME4args *v)
{
	return xdr_enum(x, &v->style, SECINFO_STYLE4_CURRENT_FH,
			SECINFO_STYLE4_PARENT);
}

bool xdr_SEQUENCE4args(struct xdr *x, SEQUENCE4args *v)
{
	return xdr_sessionid4(x, &v->sa_sessionid) &&
	       xdr_u32(x, &v->sa_sequenceid) && xdr_u32(x, &v->sa_slotid) &&
	       xdr_u32(x, &v->sa_highest_slotid) &&
	       xdr_bool(x, &v->sa_cachethis);
}

bool xdr_SEQUENCE4resok(struct xdr *x, SEQUENCE4resok *v)
{
	return xdr_sessionid4(x, &v->sr_sessionid) &&
	       xdr_u32(x, &v->sr_sequenceid) && xdr_u32(x, &v->sr_slotid) &&
	       xdr_u32(x, &v->sr_highest_slotid) &&
	       xdr_u32(x, &v->sr_target_highest_slotid) &&
	       xdr_u32(x, &v->sr_status_flags);
}

bool xdr_DESTROY_CLIENTID4args(struct xdr *x, DESTROY_CLIENTID4args *v)
{
	return xdr_u64(x, &v->dca_clientid);
}

bool xdr_RECLAIM_COMPLETE4args(struct xdr *x, RECLAIM_COMPLETE4args *v)
{
	return xdr_bool(x, &v->rca_one_fs);
}
