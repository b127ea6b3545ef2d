/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of NFSv4.1 (RFC 8881), NFSv4.2 (RFC 7862) and of extended attributes
 * (RFC 8276), under the names that the RFCs give them.  Numbers of lists that
 * are also wanted as text stand in X-macros.
 */
#ifndef NFS_XDR_NFS4_CONST_H
#define NFS_XDR_NFS4_CONST_H

#include <stdint.h>

enum {
	NFS4_PROGRAM = 100003,
	NFS_V4 = 4,
	NFSPROC4_NULL = 0,
	NFSPROC4_COMPOUND = 1,
	CB_NULL = 0, /* procedures of the callback program */
	CB_COMPOUND = 1,
	NFS_CB_VERSION = 1,
	NFS4_PORT = 2049,
};

enum {
	NFS4_FHSIZE = 128,
	NFS4_VERIFIER_SIZE = 8,
	NFS4_OTHER_SIZE = 12,
	NFS4_SESSIONID_SIZE = 16,
	NFS4_OPAQUE_LIMIT = 1024,
};
#define NFS4_UINT32_MAX UINT32_MAX
#define NFS4_UINT64_MAX UINT64_MAX

/* Status codes, RFC 8881 section 15.1, RFC 7862 section 11, RFC 8276. */
#define NFS4_STATUS_LIST(S)                                                    \
	S(NFS4_OK, 0)                                                          \
	S(NFS4ERR_PERM, 1)                                                     \
	S(NFS4ERR_NOENT, 2)                                                    \
	S(NFS4ERR_IO, 5)                                                       \
	S(NFS4ERR_NXIO, 6)                                                     \
	S(NFS4ERR_ACCESS, 13)                                                  \
	S(NFS4ERR_EXIST, 17)                                                   \
	S(NFS4ERR_XDEV, 18)                                                    \
	S(NFS4ERR_NOTDIR, 20)                                                  \
	S(NFS4ERR_ISDIR, 21)                                                   \
	S(NFS4ERR_INVAL, 22)                                                   \
	S(NFS4ERR_FBIG, 27)                                                    \
	S(NFS4ERR_NOSPC, 28)                                                   \
	S(NFS4ERR_ROFS, 30)                                                    \
	S(NFS4ERR_MLINK, 31)                                                   \
	S(NFS4ERR_NAMETOOLONG, 63)                                             \
	S(NFS4ERR_NOTEMPTY, 66)                                                \
	S(NFS4ERR_DQUOT, 69)                                                   \
	S(NFS4ERR_STALE, 70)                                                   \
	S(NFS4ERR_BADHANDLE, 10001)                                            \
	S(NFS4ERR_BAD_COOKIE, 10003)                                           \
	S(NFS4ERR_NOTSUPP, 10004)                                              \
	S(NFS4ERR_TOOSMALL, 10005)                                             \
	S(NFS4ERR_SERVERFAULT, 10006)                                          \
	S(NFS4ERR_BADTYPE, 10007)                                              \
	S(NFS4ERR_DELAY, 10008)                                                \
	S(NFS4ERR_SAME, 10009)                                                 \
	S(NFS4ERR_DENIED, 10010)                                               \
	S(NFS4ERR_EXPIRED, 10011)                                              \
	S(NFS4ERR_LOCKED, 10012)                                               \
	S(NFS4ERR_GRACE, 10013)                                                \
	S(NFS4ERR_FHEXPIRED, 10014)                                            \
	S(NFS4ERR_SHARE_DENIED, 10015)                                         \
	S(NFS4ERR_WRONGSEC, 10016)                                             \
	S(NFS4ERR_CLID_INUSE, 10017)                                           \
	S(NFS4ERR_RESOURCE, 10018) /* 4.0 only */                              \
	S(NFS4ERR_MOVED, 10019)                                                \
	S(NFS4ERR_NOFILEHANDLE, 10020)                                         \
	S(NFS4ERR_MINOR_VERS_MISMATCH, 10021)                                  \
	S(NFS4ERR_STALE_CLIENTID, 10022)                                       \
	S(NFS4ERR_STALE_STATEID, 10023)                                        \
	S(NFS4ERR_OLD_STATEID, 10024)                                          \
	S(NFS4ERR_BAD_STATEID, 10025)                                          \
	S(NFS4ERR_BAD_SEQID, 10026)                                            \
	S(NFS4ERR_NOT_SAME, 10027)                                             \
	S(NFS4ERR_LOCK_RANGE, 10028)                                           \
	S(NFS4ERR_SYMLINK, 10029)                                              \
	S(NFS4ERR_RESTOREFH, 10030)                                            \
	S(NFS4ERR_LEASE_MOVED, 10031) /* 4.0 only */                           \
	S(NFS4ERR_ATTRNOTSUPP, 10032)                                          \
	S(NFS4ERR_NO_GRACE, 10033)                                             \
	S(NFS4ERR_RECLAIM_BAD, 10034)                                          \
	S(NFS4ERR_RECLAIM_CONFLICT, 10035)                                     \
	S(NFS4ERR_BADXDR, 10036)                                               \
	S(NFS4ERR_LOCKS_HELD, 10037)                                           \
	S(NFS4ERR_OPENMODE, 10038)                                             \
	S(NFS4ERR_BADOWNER, 10039)                                             \
	S(NFS4ERR_BADCHAR, 10040)                                              \
	S(NFS4ERR_BADNAME, 10041)                                              \
	S(NFS4ERR_BAD_RANGE, 10042)                                            \
	S(NFS4ERR_LOCK_NOTSUPP, 10043)                                         \
	S(NFS4ERR_OP_ILLEGAL, 10044)                                           \
	S(NFS4ERR_DEADLOCK, 10045)                                             \
	S(NFS4ERR_FILE_OPEN, 10046)                                            \
	S(NFS4ERR_ADMIN_REVOKED, 10047)                                        \
	S(NFS4ERR_CB_PATH_DOWN, 10048)                                         \
	S(NFS4ERR_BADIOMODE, 10049)                                            \
	S(NFS4ERR_BADLAYOUT, 10050)                                            \
	S(NFS4ERR_BAD_SESSION_DIGEST, 10051)                                   \
	S(NFS4ERR_BADSESSION, 10052)                                           \
	S(NFS4ERR_BADSLOT, 10053)                                              \
	S(NFS4ERR_COMPLETE_ALREADY, 10054)                                     \
	S(NFS4ERR_CONN_NOT_BOUND_TO_SESSION, 10055)                            \
	S(NFS4ERR_DELEG_ALREADY_WANTED, 10056)                                 \
	S(NFS4ERR_BACK_CHAN_BUSY, 10057)                                       \
	S(NFS4ERR_LAYOUTTRYLATER, 10058)                                       \
	S(NFS4ERR_LAYOUTUNAVAILABLE, 10059)                                    \
	S(NFS4ERR_NOMATCHING_LAYOUT, 10060)                                    \
	S(NFS4ERR_RECALLCONFLICT, 10061)                                       \
	S(NFS4ERR_UNKNOWN_LAYOUTTYPE, 10062)                                   \
	S(NFS4ERR_SEQ_MISORDERED, 10063)                                       \
	S(NFS4ERR_SEQUENCE_POS, 10064)                                         \
	S(NFS4ERR_REQ_TOO_BIG, 10065)                                          \
	S(NFS4ERR_REP_TOO_BIG, 10066)                                          \
	S(NFS4ERR_REP_TOO_BIG_TO_CACHE, 10067)                                 \
	S(NFS4ERR_RETRY_UNCACHED_REP, 10068)                                   \
	S(NFS4ERR_UNSAFE_COMPOUND, 10069)                                      \
	S(NFS4ERR_TOO_MANY_OPS, 10070)                                         \
	S(NFS4ERR_OP_NOT_IN_SESSION, 10071)                                    \
	S(NFS4ERR_HASH_ALG_UNSUPP, 10072)                                      \
	S(NFS4ERR_CLIENTID_BUSY, 10074)                                        \
	S(NFS4ERR_PNFS_IO_HOLE, 10075)                                         \
	S(NFS4ERR_SEQ_FALSE_RETRY, 10076)                                      \
	S(NFS4ERR_BAD_HIGH_SLOT, 10077)                                        \
	S(NFS4ERR_DEADSESSION, 10078)                                          \
	S(NFS4ERR_ENCR_ALG_UNSUPP, 10079)                                      \
	S(NFS4ERR_PNFS_NO_LAYOUT, 10080)                                       \
	S(NFS4ERR_NOT_ONLY_OP, 10081)                                          \
	S(NFS4ERR_WRONG_CRED, 10082)                                           \
	S(NFS4ERR_WRONG_TYPE, 10083)                                           \
	S(NFS4ERR_DIRDELEG_UNAVAIL, 10084)                                     \
	S(NFS4ERR_REJECT_DELEG, 10085)                                         \
	S(NFS4ERR_RETURNCONFLICT, 10086)                                       \
	S(NFS4ERR_DELEG_REVOKED, 10087)                                        \
	S(NFS4ERR_PARTNER_NOTSUPP, 10088)                                      \
	S(NFS4ERR_PARTNER_NO_AUTH, 10089)                                      \
	S(NFS4ERR_UNION_NOTSUPP, 10090)                                        \
	S(NFS4ERR_OFFLOAD_DENIED, 10091)                                       \
	S(NFS4ERR_WRONG_LFS, 10092)                                            \
	S(NFS4ERR_BADLABEL, 10093)                                             \
	S(NFS4ERR_OFFLOAD_NO_REQS, 10094)                                      \
	S(NFS4ERR_NOXATTR, 10095)                                              \
	S(NFS4ERR_XATTR2BIG, 10096)

typedef enum {
#define S(name, number) name = number,
	NFS4_STATUS_LIST(S)
#undef S
} nfsstat4;

/* Operations.  3..39 are of 4.0, up to 58 of 4.1, up to 71 of 4.2, the last
 * four of RFC 8276. */
#define NFS4_OP_LIST(O)                                                        \
	O(ACCESS, 3)                                                           \
	O(CLOSE, 4)                                                            \
	O(COMMIT, 5)                                                           \
	O(CREATE, 6)                                                           \
	O(DELEGPURGE, 7)                                                       \
	O(DELEGRETURN, 8)                                                      \
	O(GETATTR, 9)                                                          \
	O(GETFH, 10)                                                           \
	O(LINK, 11)                                                            \
	O(LOCK, 12)                                                            \
	O(LOCKT, 13)                                                           \
	O(LOCKU, 14)                                                           \
	O(LOOKUP, 15)                                                          \
	O(LOOKUPP, 16)                                                         \
	O(NVERIFY, 17)                                                         \
	O(OPEN, 18)                                                            \
	O(OPENATTR, 19)                                                        \
	O(OPEN_CONFIRM, 20) /* 4.0 only */                                     \
	O(OPEN_DOWNGRADE, 21)                                                  \
	O(PUTFH, 22)                                                           \
	O(PUTPUBFH, 23)                                                        \
	O(PUTROOTFH, 24)                                                       \
	O(READ, 25)                                                            \
	O(READDIR, 26)                                                         \
	O(READLINK, 27)                                                        \
	O(REMOVE, 28)                                                          \
	O(RENAME, 29)                                                          \
	O(RENEW, 30) /* 4.0 only */                                            \
	O(RESTOREFH, 31)                                                       \
	O(SAVEFH, 32)                                                          \
	O(SECINFO, 33)                                                         \
	O(SETATTR, 34)                                                         \
	O(SETCLIENTID, 35)	   /* 4.0 only */                              \
	O(SETCLIENTID_CONFIRM, 36) /* 4.0 only */                              \
	O(VERIFY, 37)                                                          \
	O(WRITE, 38)                                                           \
	O(RELEASE_LOCKOWNER, 39) /* 4.0 only */                                \
	O(BACKCHANNEL_CTL, 40)                                                 \
	O(BIND_CONN_TO_SESSION, 41)                                            \
	O(EXCHANGE_ID, 42)                                                     \
	O(CREATE_SESSION, 43)                                                  \
	O(DESTROY_SESSION, 44)                                                 \
	O(FREE_STATEID, 45)                                                    \
	O(GET_DIR_DELEGATION, 46)                                              \
	O(GETDEVICEINFO, 47)                                                   \
	O(GETDEVICELIST, 48)                                                   \
	O(LAYOUTCOMMIT, 49)                                                    \
	O(LAYOUTGET, 50)                                                       \
	O(LAYOUTRETURN, 51)                                                    \
	O(SECINFO_NO_NAME, 52)                                                 \
	O(SEQUENCE, 53)                                                        \
	O(SET_SSV, 54)                                                         \
	O(TEST_STATEID, 55)                                                    \
	O(WANT_DELEGATION, 56)                                                 \
	O(DESTROY_CLIENTID, 57)                                                \
	O(RECLAIM_COMPLETE, 58)                                                \
	O(ALLOCATE, 59)                                                        \
	O(COPY, 60)                                                            \
	O(COPY_NOTIFY, 61)                                                     \
	O(DEALLOCATE, 62)                                                      \
	O(IO_ADVISE, 63)                                                       \
	O(LAYOUTERROR, 64)                                                     \
	O(LAYOUTSTATS, 65)                                                     \
	O(OFFLOAD_CANCEL, 66)                                                  \
	O(OFFLOAD_STATUS, 67)                                                  \
	O(READ_PLUS, 68)                                                       \
	O(SEEK, 69)                                                            \
	O(WRITE_SAME, 70)                                                      \
	O(CLONE, 71)                                                           \
	O(GETXATTR, 72)                                                        \
	O(SETXATTR, 73)                                                        \
	O(LISTXATTRS, 74)                                                      \
	O(REMOVEXATTR, 75)

typedef enum {
#define O(name, number) OP_##name = number,
	NFS4_OP_LIST(O)
#undef O
		OP_ILLEGAL = 10044,
} nfs_opnum4;

enum {
	NFS4_OP_LAST_4_0 = OP_RELEASE_LOCKOWNER,
	NFS4_OP_LAST_4_1 = OP_RECLAIM_COMPLETE,
	NFS4_OP_LAST_4_2 = OP_REMOVEXATTR,
};

typedef enum {
	OP_CB_GETATTR = 3,
	OP_CB_RECALL = 4,
	OP_CB_LAYOUTRECALL = 5,
	OP_CB_NOTIFY = 6,
	OP_CB_PUSH_DELEG = 7,
	OP_CB_RECALL_ANY = 8,
	OP_CB_RECALLABLE_OBJ_AVAIL = 9,
	OP_CB_RECALL_SLOT = 10,
	OP_CB_SEQUENCE = 11,
	OP_CB_WANTS_CANCELLED = 12,
	OP_CB_NOTIFY_LOCK = 13,
	OP_CB_NOTIFY_DEVICEID = 14,
	OP_CB_OFFLOAD = 15,
	OP_CB_ILLEGAL = 10044,
} nfs_cb_opnum4;

typedef enum {
	NF4REG = 1,
	NF4DIR = 2,
	NF4BLK = 3,
	NF4CHR = 4,
	NF4LNK = 5,
	NF4SOCK = 6,
	NF4FIFO = 7,
	NF4ATTRDIR = 8,
	NF4NAMEDATTR = 9,
} nfs_ftype4;

/* ACCESS; the last three are of RFC 8276. */
enum {
	ACCESS4_READ = 0x01,
	ACCESS4_LOOKUP = 0x02,
	ACCESS4_MODIFY = 0x04,
	ACCESS4_EXTEND = 0x08,
	ACCESS4_DELETE = 0x10,
	ACCESS4_EXECUTE = 0x20,
	ACCESS4_XAREAD = 0x40,
	ACCESS4_XAWRITE = 0x80,
	ACCESS4_XALIST = 0x100,
};

/* Attribute numbers, RFC 8881 section 5, RFC 7862, RFC 8276. */
enum {
	FATTR4_SUPPORTED_ATTRS = 0,
	FATTR4_TYPE = 1,
	FATTR4_FH_EXPIRE_TYPE = 2,
	FATTR4_CHANGE = 3,
	FATTR4_SIZE = 4,
	FATTR4_LINK_SUPPORT = 5,
	FATTR4_SYMLINK_SUPPORT = 6,
	FATTR4_NAMED_ATTR = 7,
	FATTR4_FSID = 8,
	FATTR4_UNIQUE_HANDLES = 9,
	FATTR4_LEASE_TIME = 10,
	FATTR4_RDATTR_ERROR = 11,
	FATTR4_ACL = 12,
	FATTR4_ACLSUPPORT = 13,
	FATTR4_ARCHIVE = 14,
	FATTR4_CANSETTIME = 15,
	FATTR4_CASE_INSENSITIVE = 16,
	FATTR4_CASE_PRESERVING = 17,
	FATTR4_CHOWN_RESTRICTED = 18,
	FATTR4_FILEHANDLE = 19,
	FATTR4_FILEID = 20,
	FATTR4_FILES_AVAIL = 21,
	FATTR4_FILES_FREE = 22,
	FATTR4_FILES_TOTAL = 23,
	FATTR4_FS_LOCATIONS = 24,
	FATTR4_HIDDEN = 25,
	FATTR4_HOMOGENEOUS = 26,
	FATTR4_MAXFILESIZE = 27,
	FATTR4_MAXLINK = 28,
	FATTR4_MAXNAME = 29,
	FATTR4_MAXREAD = 30,
	FATTR4_MAXWRITE = 31,
	FATTR4_MIMETYPE = 32,
	FATTR4_MODE = 33,
	FATTR4_NO_TRUNC = 34,
	FATTR4_NUMLINKS = 35,
	FATTR4_OWNER = 36,
	FATTR4_OWNER_GROUP = 37,
	FATTR4_QUOTA_AVAIL_HARD = 38,
	FATTR4_QUOTA_AVAIL_SOFT = 39,
	FATTR4_QUOTA_USED = 40,
	FATTR4_RAWDEV = 41,
	FATTR4_SPACE_AVAIL = 42,
	FATTR4_SPACE_FREE = 43,
	FATTR4_SPACE_TOTAL = 44,
	FATTR4_SPACE_USED = 45,
	FATTR4_SYSTEM = 46,
	FATTR4_TIME_ACCESS = 47,
	FATTR4_TIME_ACCESS_SET = 48,
	FATTR4_TIME_BACKUP = 49,
	FATTR4_TIME_CREATE = 50,
	FATTR4_TIME_DELTA = 51,
	FATTR4_TIME_METADATA = 52,
	FATTR4_TIME_MODIFY = 53,
	FATTR4_TIME_MODIFY_SET = 54,
	FATTR4_MOUNTED_ON_FILEID = 55,
	FATTR4_DIR_NOTIF_DELAY = 56,
	FATTR4_DIRENT_NOTIF_DELAY = 57,
	FATTR4_DACL = 58,
	FATTR4_SACL = 59,
	FATTR4_CHANGE_POLICY = 60,
	FATTR4_FS_STATUS = 61,
	FATTR4_FS_LAYOUT_TYPES = 62,
	FATTR4_LAYOUT_HINT = 63,
	FATTR4_LAYOUT_TYPES = 64,
	FATTR4_LAYOUT_BLKSIZE = 65,
	FATTR4_LAYOUT_ALIGNMENT = 66,
	FATTR4_FS_LOCATIONS_INFO = 67,
	FATTR4_MDSTHRESHOLD = 68,
	FATTR4_RETENTION_GET = 69,
	FATTR4_RETENTION_SET = 70,
	FATTR4_RETENTEVT_GET = 71,
	FATTR4_RETENTEVT_SET = 72,
	FATTR4_RETENTION_HOLD = 73,
	FATTR4_MODE_SET_MASKED = 74,
	FATTR4_SUPPATTR_EXCLCREAT = 75,
	FATTR4_FS_CHARSET_CAP = 76,
	FATTR4_CLONE_BLKSIZE = 77,
	FATTR4_SPACE_FREED = 78,
	FATTR4_CHANGE_ATTR_TYPE = 79,
	FATTR4_SEC_LABEL = 80,
	FATTR4_MODE_UMASK = 81,
	FATTR4_XATTR_SUPPORT = 82,
};

enum { /* fh_expire_type */
       FH4_PERSISTENT = 0,
       FH4_NOEXPIRE_WITH_OPEN = 1,
       FH4_VOLATILE_ANY = 2,
       FH4_VOL_MIGRATION = 4,
       FH4_VOL_RENAME = 8,
};

typedef enum { /* RFC 7862 section 12.2.3 */
	       NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR = 0,
	       NFS4_CHANGE_TYPE_IS_VERSION_COUNTER = 1,
	       NFS4_CHANGE_TYPE_IS_VERSION_COUNTER_NOPNFS = 2,
	       NFS4_CHANGE_TYPE_IS_TIME_METADATA = 3,
	       NFS4_CHANGE_TYPE_IS_UNDEFINED = 4,
} change_attr_type4;

typedef enum { SET_TO_SERVER_TIME4 = 0, SET_TO_CLIENT_TIME4 = 1 } time_how4;

/* ----------------------------------------------------------- open and lock */

enum {
	OPEN4_SHARE_ACCESS_READ = 1,
	OPEN4_SHARE_ACCESS_WRITE = 2,
	OPEN4_SHARE_ACCESS_BOTH = 3,
	OPEN4_SHARE_DENY_NONE = 0,
	OPEN4_SHARE_DENY_READ = 1,
	OPEN4_SHARE_DENY_WRITE = 2,
	OPEN4_SHARE_DENY_BOTH = 3,
	/* Hints and wishes in share_access, 4.1. */
	OPEN4_SHARE_ACCESS_WANT_DELEG_MASK = 0xFF00,
	OPEN4_SHARE_ACCESS_WANT_NO_PREFERENCE = 0x0000,
	OPEN4_SHARE_ACCESS_WANT_READ_DELEG = 0x0100,
	OPEN4_SHARE_ACCESS_WANT_WRITE_DELEG = 0x0200,
	OPEN4_SHARE_ACCESS_WANT_ANY_DELEG = 0x0300,
	OPEN4_SHARE_ACCESS_WANT_NO_DELEG = 0x0400,
	OPEN4_SHARE_ACCESS_WANT_CANCEL = 0x0500,
	OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL = 0x10000,
	OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED = 0x20000,
};

typedef enum { OPEN4_NOCREATE = 0, OPEN4_CREATE = 1 } opentype4;

typedef enum {
	UNCHECKED4 = 0,
	GUARDED4 = 1,
	EXCLUSIVE4 = 2,
	EXCLUSIVE4_1 = 3,
} createmode4;

typedef enum {
	OPEN_DELEGATE_NONE = 0,
	OPEN_DELEGATE_READ = 1,
	OPEN_DELEGATE_WRITE = 2,
	OPEN_DELEGATE_NONE_EXT = 3,
} open_delegation_type4;

typedef enum {
	CLAIM_NULL = 0,
	CLAIM_PREVIOUS = 1,
	CLAIM_DELEGATE_CUR = 2,
	CLAIM_DELEGATE_PREV = 3,
	CLAIM_FH = 4,
	CLAIM_DELEG_CUR_FH = 5,
	CLAIM_DELEG_PREV_FH = 6,
} open_claim_type4;

typedef enum {
	WND4_NOT_WANTED = 0,
	WND4_CONTENTION = 1,
	WND4_RESOURCE = 2,
	WND4_NOT_SUPP_FTYPE = 3,
	WND4_WRITE_DELEG_NOT_SUPP_FTYPE = 4,
	WND4_NOT_SUPP_UPGRADE = 5,
	WND4_NOT_SUPP_DOWNGRADE = 6,
	WND4_CANCELLED = 7,
	WND4_IS_DIR = 8,
} why_no_delegation4;

typedef enum { NFS_LIMIT_SIZE = 1, NFS_LIMIT_BLOCKS = 2 } limit_by4;

enum { /* OPEN4resok.rflags */
       OPEN4_RESULT_CONFIRM = 2,
       OPEN4_RESULT_LOCKTYPE_POSIX = 4,
       OPEN4_RESULT_PRESERVE_UNLINKED = 8,
       OPEN4_RESULT_MAY_NOTIFY_LOCK = 0x20,
};

typedef enum {
	READ_LT = 1,
	WRITE_LT = 2,
	READW_LT = 3,  /* blocking */
	WRITEW_LT = 4, /* blocking */
} nfs_lock_type4;

typedef enum {
	UNSTABLE4 = 0,
	DATA_SYNC4 = 1,
	FILE_SYNC4 = 2,
} stable_how4;

typedef enum {
	NFS4_CONTENT_DATA = 0,
	NFS4_CONTENT_HOLE = 1,
} data_content4;

typedef enum {
	SETXATTR4_EITHER = 0,
	SETXATTR4_CREATE = 1,
	SETXATTR4_REPLACE = 2,
} setxattr_option4;

typedef enum {
	SECINFO_STYLE4_CURRENT_FH = 0,
	SECINFO_STYLE4_PARENT = 1,
} secinfo_style4;

typedef enum { GDD4_OK = 0, GDD4_UNAVAIL = 1 } gddrnf4_status;

typedef enum { NL4_NAME = 1, NL4_URL = 2, NL4_NETADDR = 3 } netloc_type4;

/* ---------------------------------------------------- clients and sessions */

enum { /* eia_flags, eir_flags */
       EXCHGID4_FLAG_SUPP_MOVED_REFER = 0x1,
       EXCHGID4_FLAG_SUPP_MOVED_MIGR = 0x2,
       EXCHGID4_FLAG_SUPP_FENCE_OPS = 0x4, /* 4.2 */
       EXCHGID4_FLAG_BIND_PRINC_STATEID = 0x100,
       EXCHGID4_FLAG_USE_NON_PNFS = 0x10000,
       EXCHGID4_FLAG_USE_PNFS_MDS = 0x20000,
       EXCHGID4_FLAG_USE_PNFS_DS = 0x40000,
       EXCHGID4_FLAG_MASK_PNFS = 0x70000,
       EXCHGID4_FLAG_UPD_CONFIRMED_REC_A = 0x40000000,
};
#define EXCHGID4_FLAG_CONFIRMED_R 0x80000000u

typedef enum {
	SP4_NONE = 0,
	SP4_MACH_CRED = 1,
	SP4_SSV = 2
} state_protect_how4;

enum { /* csa_flags, csr_flags */
       CREATE_SESSION4_FLAG_PERSIST = 1,
       CREATE_SESSION4_FLAG_CONN_BACK_CHAN = 2,
       CREATE_SESSION4_FLAG_CONN_RDMA = 4,
};

typedef enum {
	CDFC4_FORE = 1,
	CDFC4_BACK = 2,
	CDFC4_FORE_OR_BOTH = 3,
	CDFC4_BACK_OR_BOTH = 7,
} channel_dir_from_client4;

typedef enum {
	CDFS4_FORE = 1,
	CDFS4_BACK = 2,
	CDFS4_BOTH = 3,
} channel_dir_from_server4;

enum { /* sr_status_flags */
       SEQ4_STATUS_CB_PATH_DOWN = 0x1,
       SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRING = 0x2,
       SEQ4_STATUS_CB_GSS_CONTEXTS_EXPIRED = 0x4,
       SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED = 0x8,
       SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED = 0x10,
       SEQ4_STATUS_ADMIN_STATE_REVOKED = 0x20,
       SEQ4_STATUS_RECALLABLE_STATE_REVOKED = 0x40,
       SEQ4_STATUS_LEASE_MOVED = 0x80,
       SEQ4_STATUS_RESTART_RECLAIM_NEEDED = 0x100,
       SEQ4_STATUS_CB_PATH_DOWN_SESSION = 0x200,
       SEQ4_STATUS_BACKCHANNEL_FAULT = 0x400,
       SEQ4_STATUS_DEVID_CHANGED = 0x800,
       SEQ4_STATUS_DEVID_DELETED = 0x1000,
};

#endif
