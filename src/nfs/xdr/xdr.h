/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XDR (RFC 4506), both ways with one description.
 *
 * A type is described by one function, bool xdr_T(struct xdr *x, T *v).  The
 * direction is in the cursor: when encoding, *v is written to it; when
 * decoding, *v is filled from it.  Server and client share the description, so
 * they cannot disagree.  false: it could not be done, x->error says why, and
 * nothing more may be done with the cursor (except xdr_rewind()).
 *
 *	struct xdr x;
 *	xdr_decode_init(&x, record, len, &arena);
 *	if (!xdr_stateid4(&x, &id) || !xdr_u64(&x, &offset))
 *		return NFS4ERR_BADXDR;
 *
 * Decoding reads one contiguous record and is total: whatever the bytes are,
 * it ends, within the record, and *v is either complete or not used.  Strings
 * and opaque data are borrowed from the record; arrays come from the arena,
 * whose limit bounds them (and no array is allocated longer than the rest of
 * the record could fill).
 *
 * Encoding writes into one bounded buffer.  Bulk data (of READ, of WRITE) is
 * not copied: xdr_bulk() notes where it stands, and xdr_iovec() gives the
 * whole as pieces for one gather write.  The bytes have to stay there until
 * then.
 *
 * No I/O, no lock, any thread.
 */
#ifndef NFS_XDR_XDR_H
#define NFS_XDR_XDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/util.h"

/* Borrowed bytes: a string, a file handle, an owner.  Not NUL-terminated. */
struct xdr_bytes {
	const void *data;
	uint32_t len;
};

enum xdr_error {
	XDR_OK,
	XDR_SHORT,   /* the record ends too early; the buffer is full */
	XDR_INVALID, /* a value or length that the type does not have */
	XDR_NOMEM,   /* the arena's limit */
};

enum { XDR_BULK_MAX = 8 }; /* pieces of bulk data in one message */

struct xdr {
	uint8_t *p;   /* next byte */
	uint8_t *end; /* behind the last one that may be used */
	bool decoding;
	enum xdr_error error;

	/* decoding */
	struct arena *arena; /* borrowed; NULL: arrays can't be decoded */

	/* encoding */
	uint8_t *start;
	uint8_t *buffer_end;
	size_t limit;	   /* of the whole message, bulk data included */
	size_t bulk_bytes; /* noted so far */
	unsigned nbulk;
	struct {
		uint8_t *before; /* comes after the buffer up to here */
		struct xdr_bytes bytes;
	} bulk[XDR_BULK_MAX];
};

void xdr_decode_init(struct xdr *x, const void *record, size_t len,
		     struct arena *arena);

/* `limit` bounds the whole message, bulk data included, for channels that have
 * such a bound; SIZE_MAX: only the buffer's size counts. */
void xdr_encode_init(struct xdr *x, void *buffer, size_t size, size_t limit);

/* Bytes that are left of the record; room that is left in the buffer. */
static inline size_t xdr_left(const struct xdr *x)
{
	return x->end - x->p;
}

/* Encoding: length of the message so far, bulk data included. */
static inline size_t xdr_length(const struct xdr *x)
{
	return (x->p - x->start) + x->bulk_bytes;
}

/* The message as pieces, at most 2 * XDR_BULK_MAX + 1; their number. */
int xdr_iovec(const struct xdr *x, struct iovec *iov);

/* Copies the message into one piece (a reply cache); dst has xdr_length(). */
void xdr_flatten(const struct xdr *x, void *dst);

/* Encoding: a point to which xdr_rewind() goes back, forgetting what came
 * after, errors too. */
struct xdr_mark {
	uint8_t *p;
	size_t bulk_bytes;
	unsigned nbulk;
};
struct xdr_mark xdr_mark(const struct xdr *x);
void xdr_rewind(struct xdr *x, struct xdr_mark mark);

/* Always false. */
bool xdr_fail(struct xdr *x, enum xdr_error error);

/*
 * Room for n bytes (rounded up to XDR's unit of 4, the padding zeroed when
 * encoding), or NULL.  Encoding: to fill in, now or later (back-patching with
 * store_be32()).  Decoding: to read.
 */
static inline void *xdr_inline(struct xdr *x, size_t n)
{
	size_t padded = (n + 3) & ~(size_t)3;
	uint8_t *p = x->p;

	if (unlikely(padded < n || (size_t)(x->end - p) < padded)) {
		xdr_fail(x, XDR_SHORT);
		return NULL;
	}
	if (padded != n && !x->decoding)
		memset(p + n, 0, padded - n);
	x->p += padded;
	return p;
}

static inline bool xdr_u32(struct xdr *x, uint32_t *v)
{
	uint8_t *p = x->p;

	if (unlikely((size_t)(x->end - p) < 4))
		return xdr_fail(x, XDR_SHORT);
	if (x->decoding)
		*v = load_be32(p);
	else
		store_be32(p, *v);
	x->p = p + 4;
	return true;
}

static inline bool xdr_u64(struct xdr *x, uint64_t *v)
{
	uint8_t *p = x->p;

	if (unlikely((size_t)(x->end - p) < 8))
		return xdr_fail(x, XDR_SHORT);
	if (x->decoding)
		*v = load_be64(p);
	else
		store_be64(p, *v);
	x->p = p + 8;
	return true;
}

static inline bool xdr_i64(struct xdr *x, int64_t *v)
{
	return xdr_u64(x, (uint64_t *)v);
}

/* Only 0 and 1 are booleans. */
static inline bool xdr_bool(struct xdr *x, bool *v)
{
	uint32_t n = x->decoding ? 0 : *v;

	if (!xdr_u32(x, &n))
		return false;
	if (unlikely(n > 1))
		return xdr_fail(x, XDR_INVALID);
	*v = n;
	return true;
}

/* An enum of which [min, max] are the members; *v is any enum variable. */
#define xdr_enum(x, v, min, max)                                               \
	({                                                                     \
		struct xdr *enum_x_ = (x);                                     \
		__typeof__(v) enum_v_ = (v);                                   \
		uint32_t enum_n_ = enum_x_->decoding ? 0 : (uint32_t)*enum_v_; \
		const uint32_t enum_lo_ = (min), enum_hi_ = (max);             \
		bool enum_ok_ = xdr_u32(enum_x_, &enum_n_);                    \
		if (enum_ok_ && enum_n_ - enum_lo_ > enum_hi_ - enum_lo_)      \
			enum_ok_ = xdr_fail(enum_x_, XDR_INVALID);             \
		if (enum_ok_)                                                  \
			*enum_v_ = (__typeof__(*enum_v_))enum_n_;              \
		enum_ok_;                                                      \
	})

/* opaque v[n]: n bytes of the caller's. */
bool xdr_fixed(struct xdr *x, void *v, size_t n);

/* opaque v<max>, string v<max>: decoding borrows, encoding copies. */
bool xdr_bytes(struct xdr *x, struct xdr_bytes *v, uint32_t max);

/* The same for bulk data: encoding only notes where it stands.  Data shorter
 * than some hundred bytes is copied all the same. */
bool xdr_bulk(struct xdr *x, struct xdr_bytes *v, uint32_t max);

/*
 * T v<max>: the count, and when decoding an array for it in the arena, zeroed.
 * `wire` is the least number of bytes that one element takes, so that a count
 * the record can't hold is refused before anything is allocated.
 * Then: for (i = 0; i < v->n; i++) xdr_T(x, &v->v[i])
 */
bool xdr_array(struct xdr *x, uint32_t *n, void **v, uint32_t max, size_t size,
	       size_t wire);

#define xdr_array_of(x, n, v, max, wire, fn)                                   \
	({                                                                     \
		bool arr_ok_ = xdr_array((x), &(n), (void **)&(v), (max),      \
					 sizeof(*(v)), (wire));                \
		for (uint32_t arr_i_ = 0; arr_ok_ && arr_i_ < (n); arr_i_++)   \
			arr_ok_ = fn((x), &(v)[arr_i_]);                       \
		arr_ok_;                                                       \
	})

/* Any description, for tables of them. */
typedef bool xdr_fn(struct xdr *x, void *v);

static inline bool xdr_bytes_equal(struct xdr_bytes a, struct xdr_bytes b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

/* xdr_text("name"): the bytes of a C string. */
static inline struct xdr_bytes xdr_text(const char *s)
{
	return (struct xdr_bytes){ s, (uint32_t)strlen(s) };
}

#endif
