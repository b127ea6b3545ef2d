/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Basic types of NFSv4.1 and 4.2, under the names that the RFCs give them, and
 * their XDR.  The operations are in nfs4_ops.h, attributes in attr.h.
 *
 * What is variable in length (names, handles, owners) is borrowed: see xdr.h.
 * Who keeps a file handle copies it (nfs_fh4_copy() into a struct nfs_fh).
 */
#ifndef NFS_XDR_NFS4_H
#define NFS_XDR_NFS4_H

#include "nfs/xdr/nfs4_const.h"
#include "nfs/xdr/xdr.h"

/* "NFS4ERR_NOENT", "OP_READ"; "unknown" for numbers that have no name. */
const char *nfsstat4_name(nfsstat4 status);
const char *nfs_opnum4_name(nfs_opnum4 op);

/* Declares the description of a type. */
#define XDR_TYPE(T) bool xdr_##T(struct xdr *x, T *v)

typedef uint64_t clientid4, offset4, length4, changeid4, nfs_cookie4;
typedef uint32_t seqid4, sequenceid4, slotid4, count4, mode4;

typedef struct xdr_bytes nfs_fh4;    /* opaque<NFS4_FHSIZE> */
typedef struct xdr_bytes component4; /* a name; any bytes arrive here */
typedef struct xdr_bytes utf8string;
typedef struct xdr_bytes linktext4;
XDR_TYPE(nfs_fh4);
XDR_TYPE(component4);

/* A file handle of one's own. */
struct nfs_fh {
	uint32_t len;
	uint8_t data[NFS4_FHSIZE];
};
static inline bool nfs_fh_equal(const struct nfs_fh *a, const struct nfs_fh *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}
static inline struct nfs_fh nfs_fh4_copy(nfs_fh4 fh)
{
	struct nfs_fh own = { .len = fh.len };

	memcpy(own.data, fh.data, MIN(fh.len, (uint32_t)NFS4_FHSIZE));
	return own;
}
static inline nfs_fh4 nfs_fh4_of(const struct nfs_fh *fh)
{
	return (nfs_fh4){ fh->data, fh->len };
}

typedef struct {
	uint8_t b[NFS4_VERIFIER_SIZE];
} verifier4;
XDR_TYPE(verifier4);

typedef struct {
	uint8_t b[NFS4_SESSIONID_SIZE];
} sessionid4;
XDR_TYPE(sessionid4);

static inline bool verifier4_equal(verifier4 a, verifier4 b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}
static inline bool sessionid4_equal(sessionid4 a, sessionid4 b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

typedef struct {
	uint32_t seqid;
	uint8_t other[NFS4_OTHER_SIZE];
} stateid4;
XDR_TYPE(stateid4);

/* Special stateids, RFC 8881 section 8.2.3. */
extern const stateid4 stateid4_anonymous;   /* all zero */
extern const stateid4 stateid4_read_bypass; /* all ones */
extern const stateid4 stateid4_current;	    /* seqid 1, other zero */
extern const stateid4 stateid4_invalid;	    /* seqid all ones, other zero */
static inline bool stateid4_equal(const stateid4 *a, const stateid4 *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

typedef struct {
	int64_t seconds;
	uint32_t nseconds;
} nfstime4;
XDR_TYPE(nfstime4);

typedef struct {
	uint64_t major, minor;
} fsid4;
XDR_TYPE(fsid4);

typedef struct {
	uint32_t specdata1, specdata2; /* major, minor */
} specdata4;
XDR_TYPE(specdata4);

typedef struct {
	bool atomic;
	changeid4 before, after;
} change_info4;
XDR_TYPE(change_info4);

/*
 * bitmap4 of attributes, hints and operations: three words cover all numbers
 * that the RFCs define.  What a peer sends above them is remembered only as
 * "there was more": GETATTR ignores it, SETATTR refuses it.
 */
enum { BITMAP4_WORDS = 3 };
typedef struct {
	uint32_t word[BITMAP4_WORDS];
	bool beyond; /* decoded: bits above 95 were set */
} bitmap4;
XDR_TYPE(bitmap4); /* encodes no trailing zero words */

static inline bool bitmap4_has(const bitmap4 *b, unsigned n)
{
	return n < 32 * BITMAP4_WORDS && (b->word[n / 32] >> (n % 32) & 1);
}
static inline void bitmap4_set(bitmap4 *b, unsigned n)
{
	b->word[n / 32] |= 1u << (n % 32);
}
static inline void bitmap4_clear(bitmap4 *b, unsigned n)
{
	b->word[n / 32] &= ~(1u << (n % 32));
}
static inline bool bitmap4_empty(const bitmap4 *b)
{
	return (b->word[0] | b->word[1] | b->word[2]) == 0 && !b->beyond;
}
static inline bitmap4 bitmap4_and(const bitmap4 *a, const bitmap4 *b)
{
	return (bitmap4){ { a->word[0] & b->word[0], a->word[1] & b->word[1],
			    a->word[2] & b->word[2] } };
}
static inline bitmap4 bitmap4_or(const bitmap4 *a, const bitmap4 *b)
{
	return (bitmap4){ { a->word[0] | b->word[0], a->word[1] | b->word[1],
			    a->word[2] | b->word[2] },
			  a->beyond || b->beyond };
}
/* a without b; keeps a's `beyond`. */
static inline bitmap4 bitmap4_without(const bitmap4 *a, const bitmap4 *b)
{
	return (bitmap4){ { a->word[0] & ~b->word[0], a->word[1] & ~b->word[1],
			    a->word[2] & ~b->word[2] },
			  a->beyond };
}
/* BITMAP4(FATTR4_TYPE, FATTR4_SIZE): a constant. */
#define BITMAP4_BIT_(w, n) ((n) / 32 == (w) ? 1u << ((n) % 32) : 0)
#define BITMAP4_WORD_(w, ...)                                                  \
	({                                                                     \
		uint32_t word_ = 0;                                            \
		const unsigned bits_[] = { __VA_ARGS__ };                      \
		for (unsigned i_ = 0; i_ < ARRAY_SIZE(bits_); i_++)            \
			word_ |= BITMAP4_BIT_(w, bits_[i_]);                   \
		word_;                                                         \
	})
#define BITMAP4(...)                                                           \
	((bitmap4){ { BITMAP4_WORD_(0, __VA_ARGS__),                           \
		      BITMAP4_WORD_(1, __VA_ARGS__),                           \
		      BITMAP4_WORD_(2, __VA_ARGS__) } })

/* Attributes as they travel; attr.h looks inside. */
typedef struct {
	bitmap4 attrmask;
	struct xdr_bytes attr_vals;
} fattr4;
XDR_TYPE(fattr4);

typedef struct {
	clientid4 clientid; /* ignored by 4.1 servers: it is the session's */
	struct xdr_bytes owner;
} state_owner4;
XDR_TYPE(state_owner4);
typedef state_owner4 open_owner4, lock_owner4;

typedef struct {
	verifier4 co_verifier;
	struct xdr_bytes co_ownerid;
} client_owner4;
XDR_TYPE(client_owner4);

typedef struct {
	uint64_t so_minor_id;
	struct xdr_bytes so_major_id;
} server_owner4;
XDR_TYPE(server_owner4);

typedef struct {
	utf8string nii_domain, nii_name;
	nfstime4 nii_date;
} nfs_impl_id4;
XDR_TYPE(nfs_impl_id4);

typedef struct {
	uint32_t type, flag, access_mask;
	utf8string who;
} nfsace4;
XDR_TYPE(nfsace4);

typedef struct {
	utf8string na_r_netid, na_r_addr;
} netaddr4;
XDR_TYPE(netaddr4);

/* fs_locations, RFC 8881 section 11.16. */
typedef struct {
	uint32_t n;
	component4 *component;
} pathname4;
XDR_TYPE(pathname4);
typedef struct {
	uint32_t nserver;
	utf8string *server;
	pathname4 rootpath;
} fs_location4;
XDR_TYPE(fs_location4);
typedef struct {
	pathname4 fs_root;
	uint32_t nlocations;
	fs_location4 *locations;
} fs_locations4;
XDR_TYPE(fs_locations4);

#endif
