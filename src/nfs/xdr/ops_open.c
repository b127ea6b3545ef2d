/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on opens, locks and delegations (RFC 8881 section 18).
 */
#include "nfs/xdr/nfs4_ops.h"

/* A seqid that 4.1 has no use for: sent as 0, not looked at. */
static bool xdr_unused_seqid(struct xdr *x)
{
	uint32_t seqid = 0;

	return xdr_u32(x, &seqid);
}

bool xdr_CLOSE4args(struct xdr *x, CLOSE4args *v)
{
	return xdr_u32(x, &v->seqid) && xdr_stateid4(x, &v->open_stateid);
}

bool xdr_CLOSE4resok(struct xdr *x, CLOSE4resok *v)
{
	return xdr_stateid4(x, &v->open_stateid);
}

bool xdr_DELEGRETURN4args(struct xdr *x, DELEGRETURN4args *v)
{
	return xdr_stateid4(x, &v->deleg_stateid);
}

static bool xdr_locker4(struct xdr *x, locker4 *v)
{
	if (!xdr_bool(x, &v->new_lock_owner))
		return false;
	if (!v->new_lock_owner)
		return xdr_stateid4(x, &v->lock_stateid) && xdr_unused_seqid(x);
	return xdr_unused_seqid(x) && xdr_stateid4(x, &v->open_stateid) &&
	       xdr_unused_seqid(x) && xdr_state_owner4(x, &v->lock_owner);
}

bool xdr_LOCK4args(struct xdr *x, LOCK4args *v)
{
	return xdr_enum(x, &v->locktype, READ_LT, WRITEW_LT) &&
	       xdr_bool(x, &v->reclaim) && xdr_u64(x, &v->offset) &&
	       xdr_u64(x, &v->length) && xdr_locker4(x, &v->locker);
}

bool xdr_LOCK4resok(struct xdr *x, LOCK4resok *v)
{
	return xdr_stateid4(x, &v->lock_stateid);
}

bool xdr_LOCK4denied(struct xdr *x, LOCK4denied *v)
{
	return xdr_u64(x, &v->offset) && xdr_u64(x, &v->length) &&
	       xdr_enum(x, &v->locktype, READ_LT, WRITEW_LT) &&
	       xdr_state_owner4(x, &v->owner);
}

bool xdr_LOCKT4args(struct xdr *x, LOCKT4args *v)
{
	return xdr_enum(x, &v->locktype, READ_LT, WRITEW_LT) &&
	       xdr_u64(x, &v->offset) && xdr_u64(x, &v->length) &&
	       xdr_state_owner4(x, &v->owner);
}

bool xdr_LOCKU4args(struct xdr *x, LOCKU4args *v)
{
	return xdr_enum(x, &v->locktype, READ_LT, WRITEW_LT) &&
	       xdr_u32(x, &v->seqid) && xdr_stateid4(x, &v->lock_stateid) &&
	       xdr_u64(x, &v->offset) && xdr_u64(x, &v->length);
}

bool xdr_LOCKU4resok(struct xdr *x, LOCKU4resok *v)
{
	return xdr_stateid4(x, &v->lock_stateid);
}

static bool xdr_createhow4(struct xdr *x, createhow4 *v)
{
	if (!xdr_enum(x, &v->mode, UNCHECKED4, EXCLUSIVE4_1))
		return false;
	switch (v->mode) {
	case UNCHECKED4:
	case GUARDED4:
		return xdr_fattr4(x, &v->createattrs);
	case EXCLUSIVE4:
		return xdr_verifier4(x, &v->createverf);
	case EXCLUSIVE4_1:
		return xdr_verifier4(x, &v->createverf) &&
		       xdr_fattr4(x, &v->createattrs);
	}
	return false;
}

static bool xdr_openflag4(struct xdr *x, openflag4 *v)
{
	if (!xdr_enum(x, &v->opentype, OPEN4_NOCREATE, OPEN4_CREATE))
		return false;
	return v->opentype == OPEN4_NOCREATE || xdr_createhow4(x, &v->how);
}

static bool xdr_open_claim4(struct xdr *x, open_claim4 *v)
{
	if (!xdr_enum(x, &v->claim, CLAIM_NULL, CLAIM_DELEG_PREV_FH))
		return false;
	switch (v->claim) {
	case CLAIM_NULL:
	case CLAIM_DELEGATE_PREV:
		return xdr_component4(x, &v->file);
	case CLAIM_PREVIOUS:
		return xdr_enum(x, &v->delegate_type, OPEN_DELEGATE_NONE,
				OPEN_DELEGATE_NONE_EXT);
	case CLAIM_DELEGATE_CUR:
		return xdr_stateid4(x, &v->delegate_stateid) &&
		       xdr_component4(x, &v->file);
	case CLAIM_DELEG_CUR_FH:
		return xdr_stateid4(x, &v->delegate_stateid);
	case CLAIM_FH:
	case CLAIM_DELEG_PREV_FH:
		return true;
	}
	return false;
}

bool xdr_OPEN4args(struct xdr *x, OPEN4args *v)
{
	return xdr_u32(x, &v->seqid) && xdr_u32(x, &v->share_access) &&
	       xdr_u32(x, &v->share_deny) && xdr_state_owner4(x, &v->owner) &&
	       xdr_openflag4(x, &v->openhow) && xdr_open_claim4(x, &v->claim);
}

static bool xdr_nfs_space_limit4(struct xdr *x, open_delegation4 *v)
{
	if (!xdr_enum(x, &v->limitby, NFS_LIMIT_SIZE, NFS_LIMIT_BLOCKS))
		return false;
	if (v->limitby == NFS_LIMIT_SIZE)
		return xdr_u64(x, &v->filesize);
	return xdr_u32(x, &v->num_blocks) && xdr_u32(x, &v->bytes_per_block);
}

static bool xdr_open_none_delegation4(struct xdr *x, open_delegation4 *v)
{
	if (!xdr_enum(x, &v->ond_why, WND4_NOT_WANTED, WND4_IS_DIR))
		return false;
	if (v->ond_why != WND4_CONTENTION && v->ond_why != WND4_RESOURCE)
		return true;
	return xdr_bool(x, &v->ond_server_will);
}

static bool xdr_open_delegation4(struct xdr *x, open_delegation4 *v)
{
	if (!xdr_enum(x, &v->delegation_type, OPEN_DELEGATE_NONE,
		      OPEN_DELEGATE_NONE_EXT))
		return false;
	switch (v->delegation_type) {
	case OPEN_DELEGATE_NONE:
		return true;
	case OPEN_DELEGATE_READ:
		return xdr_stateid4(x, &v->stateid) &&
		       xdr_bool(x, &v->recall) &&
		       xdr_nfsace4(x, &v->permissions);
	case OPEN_DELEGATE_WRITE:
		return xdr_stateid4(x, &v->stateid) &&
		       xdr_bool(x, &v->recall) && xdr_nfs_space_limit4(x, v) &&
		       xdr_nfsace4(x, &v->permissions);
	case OPEN_DELEGATE_NONE_EXT:
		return xdr_open_none_delegation4(x, v);
	}
	return false;
}

bool xdr_OPEN4resok(struct xdr *x, OPEN4resok *v)
{
	return xdr_stateid4(x, &v->stateid) && xdr_change_info4(x, &v->cinfo) &&
	       xdr_u32(x, &v->rflags) && xdr_bitmap4(x, &v->attrset) &&
	       xdr_open_delegation4(x, &v->delegation);
}

bool xdr_OPEN_DOWNGRADE4args(struct xdr *x, OPEN_DOWNGRADE4args *v)
{
	return xdr_stateid4(x, &v->open_stateid) && xdr_u32(x, &v->seqid) &&
	       xdr_u32(x, &v->share_access) && xdr_u32(x, &v->share_deny);
}

bool xdr_OPEN_DOWNGRADE4resok(struct xdr *x, OPEN_DOWNGRADE4resok *v)
{
	return xdr_stateid4(x, &v->open_stateid);
}

bool xdr_FREE_STATEID4args(struct xdr *x, FREE_STATEID4args *v)
{
	return xdr_stateid4(x, &v->fsa_stateid);
}

bool xdr_TEST_STATEID4args(struct xdr *x, TEST_STATEID4args *v)
{
	return xdr_array_of(x, v->n, v->ts_stateids, UINT32_MAX,
			    4 + NFS4_OTHER_SIZE, xdr_stateid4);
}

static bool xdr_nfsstat4(struct xdr *x, nfsstat4 *v)
{
	return xdr_enum(x, v, 0, UINT32_MAX);
}

bool xdr_TEST_STATEID4resok(struct xdr *x, TEST_STATEID4resok *v)
{
	return xdr_array_of(x, v->n, v->tsr_status_codes, UINT32_MAX, 4,
			    xdr_nfsstat4);
}

bool xdr_GET_DIR_DELEGATION4args(struct xdr *x, GET_DIR_DELEGATION4args *v)
{
	return xdr_bool(x, &v->gdda_signal_deleg_avail) &&
	       xdr_bitmap4(x, &v->gdda_notification_types) &&
	       xdr_nfstime4(x, &v->gdda_child_attr_delay) &&
	       xdr_nfstime4(x, &v->gdda_dir_attr_delay) &&
	       xdr_bitmap4(x, &v->gdda_child_attributes) &&
	       xdr_bitmap4(x, &v->gdda_dir_attributes);
}

bool xdr_GET_DIR_DELEGATION4resok(struct xdr *x, GET_DIR_DELEGATION4resok *v)
{
	return xdr_enum(x, &v->gddrnf_status, GDD4_UNAVAIL, GDD4_UNAVAIL) &&
	       xdr_bool(x, &v->gddrnf_will_signal_deleg_avail);
}
