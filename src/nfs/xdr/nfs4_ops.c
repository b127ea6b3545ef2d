/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operations, and the compound around them.
 */
#include "nfs/xdr/nfs4_ops.h"

/* Operations whose arguments are those of another one. */
bool xdr_VERIFY4args(struct xdr *x, VERIFY4args *v)
{
	return xdr_NVERIFY4args(x, v);
}

bool xdr_DEALLOCATE4args(struct xdr *x, DEALLOCATE4args *v)
{
	return xdr_ALLOCATE4args(x, v);
}

bool xdr_OFFLOAD_STATUS4args(struct xdr *x, OFFLOAD_STATUS4args *v)
{
	return xdr_OFFLOAD_CANCEL4args(x, v);
}

bool xdr_READ_PLUS4args(struct xdr *x, READ_PLUS4args *v)
{
	return xdr_READ4args(x, v);
}

/* The descriptions under one function type. */
#define A(OP, member)                                                          \
	static bool args_##OP(struct xdr *x, void *v)                          \
	{                                                                      \
		return xdr_##OP##4args(x, v);                                  \
	}
#define R(OP, member)                                                          \
	static bool resok_##OP(struct xdr *x, void *v)                         \
	{                                                                      \
		return xdr_##OP##4resok(x, v);                                 \
	}
NFS4_ARGS(A)
NFS4_RESOKS(R)
#undef A
#undef R

#define NO_ARGS(N)                                                             \
	N(GETFH)                                                               \
	N(LOOKUPP)                                                             \
	N(PUTPUBFH)                                                            \
	N(PUTROOTFH)                                                           \
	N(READLINK)                                                            \
	N(RESTOREFH)                                                           \
	N(SAVEFH)

#define FIRST_MINOR(number)                                                    \
	((number) <= NFS4_OP_LAST_4_0	? 0                                    \
	 : (number) <= NFS4_OP_LAST_4_1 ? 1                                    \
					: 2)

static const struct nfs4_op_info ops[] = {
#define O(OP, number)                                                          \
	[number].name = #OP, [number].minorversion = FIRST_MINOR(number),
#define A(OP, member)                                                          \
	[OP_##OP].known = true, [OP_##OP].has_args = true,                     \
	[OP_##OP].args = args_##OP,
#define R(OP, member) [OP_##OP].has_resok = true, [OP_##OP].resok = resok_##OP,
#define N(OP)	      [OP_##OP].known = true,
	NFS4_OP_LIST(O) NFS4_ARGS(A) NFS4_RESOKS(R) NO_ARGS(N)
#undef O
#undef A
#undef R
#undef N
		/* SECINFO_NO_NAME has the result of SECINFO. */
		[OP_SECINFO_NO_NAME]
			.has_resok = true,
	[OP_SECINFO_NO_NAME].resok = resok_SECINFO,
};

const struct nfs4_op_info *nfs4_op_find(uint32_t op)
{
	return op < ARRAY_SIZE(ops) ? &ops[op] : &ops[0];
}

/* The union's members all begin where it begins. */
#define OPERANDS(v) ((void *)&(v)->opaccess)
static_assert(offsetof(nfs_argop4, opaccess) == offsetof(nfs_argop4, opwrite),
	      "operands share one place");

bool xdr_nfs_argop4(struct xdr *x, nfs_argop4 *v)
{
	const struct nfs4_op_info *info;
	uint32_t op = x->decoding ? 0 : v->argop;

	if (!xdr_u32(x, &op))
		return false;
	info = nfs4_op_find(op);
	v->argop = info->name != NULL ? op : OP_ILLEGAL;
	if (!info->known)
		return xdr_fail(x, XDR_INVALID);
	return info->args == NULL || info->args(x, OPERANDS(v));
}

/* What follows a status that is not NFS4_OK. */
static bool xdr_failed_result(struct xdr *x, nfs_resop4 *v)
{
	if (v->status == NFS4ERR_DENIED &&
	    (v->resop == OP_LOCK || v->resop == OP_LOCKT))
		return xdr_LOCK4denied(x, &v->denied);
	if (v->status == NFS4ERR_OFFLOAD_NO_REQS && v->resop == OP_COPY)
		return xdr_copy_requirements4(x, &v->requirements);
	return true;
}

bool xdr_nfs_resop4(struct xdr *x, nfs_resop4 *v)
{
	const struct nfs4_op_info *info;

	if (!xdr_enum(x, &v->resop, 0, UINT32_MAX) ||
	    !xdr_enum(x, &v->status, 0, UINT32_MAX))
		return false;
	if (v->resop == OP_SETATTR)
		return xdr_SETATTR4res(x, &v->opsetattr);
	if (v->status != NFS4_OK)
		return xdr_failed_result(x, v);
	info = nfs4_op_find(v->resop);
	if (!info->known)
		return xdr_fail(x, XDR_INVALID);
	return info->resok == NULL || info->resok(x, OPERANDS(v));
}

bool xdr_COMPOUND4args_head(struct xdr *x, COMPOUND4args_head *v)
{
	return xdr_bytes(x, &v->tag, UINT32_MAX) &&
	       xdr_u32(x, &v->minorversion) && xdr_u32(x, &v->n);
}

bool xdr_COMPOUND4res_head(struct xdr *x, COMPOUND4res_head *v)
{
	return xdr_enum(x, &v->status, 0, UINT32_MAX) &&
	       xdr_bytes(x, &v->tag, UINT32_MAX) && xdr_u32(x, &v->n);
}

bool nfs4_compound_begin(struct xdr *x, utf8string tag,
			 struct nfs4_compound_patch *patch)
{
	patch->status = xdr_inline(x, 4);
	if (patch->status == NULL || !xdr_bytes(x, &tag, UINT32_MAX))
		return false;
	patch->count = xdr_inline(x, 4);
	return patch->count != NULL;
}

void nfs4_compound_end(const struct nfs4_compound_patch *patch, nfsstat4 status,
		       uint32_t n)
{
	store_be32(patch->status, status);
	store_be32(patch->count, n);
}
