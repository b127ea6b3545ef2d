/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations, by number: what COMPOUND must know before and after one runs.
 * Numbers without a row exist and are not supported.
 */
#include "nfs/server/internal.h"

/* Results of operations that change something, at most: the status apart. */
enum {
	STATEID = 16,
	CINFO = 20,
	BITMAP = 4 + 4 * BITMAP4_WORDS,
	OWNER = 8 + 4 + NFS4_OPAQUE_LIMIT,
	DENIED = 8 + 8 + 4 + OWNER,
	CHANNEL = 6 * 4 + 8,
};

static const struct nfsd_op ops[] = {
	[OP_ACCESS] = { nfsd_op_access, OP_METERED | OP_NEEDS_FH },
	[OP_CLOSE] = { nfsd_op_close,
		       OP_NEEDS_FH | OP_MUTATES | OP_READ_ONLY_OK, STATEID },
	[OP_COMMIT] = { nfsd_op_commit, OP_NEEDS_FH },
	[OP_CREATE] = { nfsd_op_create, OP_METERED | OP_NEEDS_FH | OP_MUTATES,
			CINFO + BITMAP },
	[OP_GETATTR] = { nfsd_op_getattr,
			 OP_METERED | OP_NEEDS_FH | OP_ENCODES },
	[OP_GETFH] = { nfsd_op_getfh, OP_NEEDS_FH | OP_ENCODES },
	[OP_LINK] = { nfsd_op_link,
		      OP_METERED | OP_NEEDS_FH | OP_NEEDS_SAVED_FH | OP_MUTATES,
		      CINFO },
	[OP_LOCK] = { nfsd_op_lock, OP_NEEDS_FH | OP_MUTATES | OP_READ_ONLY_OK,
		      DENIED },
	[OP_LOCKT] = { nfsd_op_lockt, OP_NEEDS_FH },
	[OP_LOCKU] = { nfsd_op_locku,
		       OP_NEEDS_FH | OP_MUTATES | OP_READ_ONLY_OK, STATEID },
	[OP_LOOKUP] = { nfsd_op_lookup, OP_METERED | OP_NEEDS_FH },
	[OP_LOOKUPP] = { nfsd_op_lookupp, OP_METERED | OP_NEEDS_FH },
	[OP_NVERIFY] = { nfsd_op_nverify, OP_METERED | OP_NEEDS_FH },
	[OP_OPEN] = { nfsd_op_open,
		      OP_METERED | OP_NEEDS_FH | OP_MUTATES | OP_READ_ONLY_OK,
		      STATEID + CINFO + 4 + BITMAP + 12 },
	[OP_OPEN_DOWNGRADE] = { nfsd_op_open_downgrade,
				OP_NEEDS_FH | OP_MUTATES | OP_READ_ONLY_OK,
				STATEID },
	[OP_PUTFH] = { nfsd_op_putfh, 0 },
	[OP_PUTPUBFH] = { nfsd_op_putrootfh, 0 },
	[OP_PUTROOTFH] = { nfsd_op_putrootfh, 0 },
	[OP_READ] = { nfsd_op_read, OP_NEEDS_FH | OP_ENCODES },
	[OP_READDIR] = { nfsd_op_readdir,
			 OP_METERED | OP_NEEDS_FH | OP_ENCODES },
	[OP_READLINK] = { nfsd_op_readlink, OP_METERED | OP_NEEDS_FH },
	[OP_REMOVE] = { nfsd_op_remove, OP_METERED | OP_NEEDS_FH | OP_MUTATES,
			CINFO },
	[OP_RENAME] = { nfsd_op_rename,
			OP_METERED | OP_NEEDS_FH | OP_NEEDS_SAVED_FH |
				OP_MUTATES,
			2 * CINFO },
	[OP_RESTOREFH] = { nfsd_op_restorefh, OP_NEEDS_SAVED_FH },
	[OP_SAVEFH] = { nfsd_op_savefh, OP_NEEDS_FH },
	[OP_SECINFO] = { nfsd_op_secinfo, OP_NEEDS_FH },
	[OP_SETATTR] = { nfsd_op_setattr, OP_METERED | OP_NEEDS_FH | OP_MUTATES,
			 BITMAP },
	[OP_VERIFY] = { nfsd_op_verify, OP_METERED | OP_NEEDS_FH },
	[OP_WRITE] = { nfsd_op_write, OP_NEEDS_FH | OP_MUTATES, 16 },

	[OP_BACKCHANNEL_CTL] = { nfsd_op_backchannel_ctl, 0 },
	[OP_BIND_CONN_TO_SESSION] = { nfsd_op_bind_conn_to_session, OP_SOLE },
	[OP_EXCHANGE_ID] = { nfsd_op_exchange_id, OP_SOLE },
	[OP_CREATE_SESSION] = { nfsd_op_create_session,
				OP_SOLE | OP_MUTATES | OP_READ_ONLY_OK,
				NFS4_SESSIONID_SIZE + 8 + 2 * CHANNEL },
	[OP_DESTROY_SESSION] = { nfsd_op_destroy_session, OP_SOLE },
	[OP_DESTROY_CLIENTID] = { nfsd_op_destroy_clientid, OP_SOLE },
	[OP_FREE_STATEID] = { nfsd_op_free_stateid, 0 },
	[OP_GET_DIR_DELEGATION] = { nfsd_op_get_dir_delegation, OP_NEEDS_FH },
	[OP_SECINFO_NO_NAME] = { nfsd_op_secinfo_no_name, OP_NEEDS_FH },
	[OP_SEQUENCE] = { nfsd_op_sequence, 0 },
	[OP_TEST_STATEID] = { nfsd_op_test_stateid, 0 },
	[OP_RECLAIM_COMPLETE] = { nfsd_op_reclaim_complete, 0 },

	[OP_ALLOCATE] = { nfsd_op_allocate,
			  OP_METERED | OP_NEEDS_FH | OP_MUTATES, 0 },
	[OP_DEALLOCATE] = { nfsd_op_deallocate,
			    OP_METERED | OP_NEEDS_FH | OP_MUTATES, 0 },
	[OP_IO_ADVISE] = { nfsd_op_io_advise, OP_NEEDS_FH },
	[OP_SEEK] = { nfsd_op_seek, OP_METERED | OP_NEEDS_FH },

	[OP_GETXATTR] = { nfsd_op_getxattr, OP_METERED | OP_NEEDS_FH },
	[OP_SETXATTR] = { nfsd_op_setxattr,
			  OP_METERED | OP_NEEDS_FH | OP_MUTATES, CINFO },
	[OP_LISTXATTRS] = { nfsd_op_listxattrs, OP_METERED | OP_NEEDS_FH },
	[OP_REMOVEXATTR] = { nfsd_op_removexattr,
			     OP_METERED | OP_NEEDS_FH | OP_MUTATES, CINFO },
};

const struct nfsd_op *nfsd_op_find(nfs_opnum4 op)
{
	if ((size_t)op >= ARRAY_SIZE(ops) || ops[op].run == NULL)
		return NULL;
	return &ops[op];
}
