/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/xdr/xdr.h"

/* Bulk data up to here is cheaper to copy than to send as a piece. */
enum { BULK_COPY_MAX = 512 };

void xdr_decode_init(struct xdr *x, const void *record, size_t len,
		     struct arena *arena)
{
	x->p = x->start = (uint8_t *)record; /* never written to */
	x->end = x->buffer_end = x->p + len;
	x->decoding = true;
	x->error = XDR_OK;
	x->arena = arena;
	x->limit = len;
	x->bulk_bytes = 0;
	x->nbulk = 0;
}

/* The buffer ends where the whole message would pass its limit. */
static void set_end(struct xdr *x)
{
	size_t room = x->limit - x->bulk_bytes;

	x->end = x->start + MIN((size_t)(x->buffer_end - x->start), room);
}

void xdr_encode_init(struct xdr *x, void *buffer, size_t size, size_t limit)
{
	x->p = x->start = buffer;
	x->buffer_end = x->start + size;
	x->decoding = false;
	x->error = XDR_OK;
	x->arena = NULL;
	x->limit = limit;
	x->bulk_bytes = 0;
	x->nbulk = 0;
	set_end(x);
}

bool xdr_fail(struct xdr *x, enum xdr_error error)
{
	if (x->error == XDR_OK)
		x->error = error;
	x->end = x->p; /* nothing more can be done by mistake */
	return false;
}

struct xdr_mark xdr_mark(const struct xdr *x)
{
	return (struct xdr_mark){ x->p, x->bulk_bytes, x->nbulk };
}

void xdr_rewind(struct xdr *x, struct xdr_mark mark)
{
	assert(!x->decoding && mark.p <= x->p && mark.nbulk <= x->nbulk);
	x->p = mark.p;
	x->bulk_bytes = mark.bulk_bytes;
	x->nbulk = mark.nbulk;
	x->error = XDR_OK;
	set_end(x);
}

bool xdr_fixed(struct xdr *x, void *v, size_t n)
{
	void *p = xdr_inline(x, n);

	if (p == NULL)
		return false;
	if (x->decoding)
		memcpy(v, p, n);
	else
		memcpy(p, v, n);
	return true;
}

bool xdr_bytes(struct xdr *x, struct xdr_bytes *v, uint32_t max)
{
	uint32_t len = x->decoding ? 0 : v->len;
	void *p;

	if (!xdr_u32(x, &len))
		return false;
	if (len > max)
		return xdr_fail(x, XDR_INVALID);
	p = xdr_inline(x, len);
	if (p == NULL)
		return false;
	if (x->decoding)
		*v = (struct xdr_bytes){ p, len };
	else if (len > 0)
		memcpy(p, v->data, len);
	return true;
}

bool xdr_bulk(struct xdr *x, struct xdr_bytes *v, uint32_t max)
{
	size_t padding;

	if (x->decoding || v->len <= BULK_COPY_MAX || x->nbulk == XDR_BULK_MAX)
		return xdr_bytes(x, v, max);
	if (v->len > max)
		return xdr_fail(x, XDR_INVALID);
	if (!xdr_u32(x, &v->len))
		return false;
	padding = -v->len & 3;
	if (x->limit - xdr_length(x) < v->len + padding ||
	    xdr_left(x) < padding)
		return xdr_fail(x, XDR_SHORT);
	x->bulk[x->nbulk].before = x->p;
	x->bulk[x->nbulk].bytes = *v;
	x->nbulk++;
	x->bulk_bytes += v->len;
	set_end(x);
	memset(x->p, 0, padding);
	x->p += padding;
	return true;
}

bool xdr_array(struct xdr *x, uint32_t *n, void **v, uint32_t max, size_t size,
	       size_t wire)
{
	uint32_t count = x->decoding ? 0 : *n;

	if (!xdr_u32(x, &count))
		return false;
	if (count > max)
		return xdr_fail(x, XDR_INVALID);
	if (!x->decoding)
		return true;
	if (count > xdr_left(x) / wire)
		return xdr_fail(x, XDR_SHORT);
	*v = NULL;
	if (count > 0) {
		*v = x->arena ? arena_calloc(x->arena, count, size) : NULL;
		if (*v == NULL)
			return xdr_fail(x, XDR_NOMEM);
	}
	*n = count;
	return true;
}

int xdr_iovec(const struct xdr *x, struct iovec *iov)
{
	uint8_t *from = x->start;
	int n = 0;

	for (unsigned i = 0; i < x->nbulk; i++) {
		uint8_t *to = x->bulk[i].before;

		if (to > from)
			iov[n++] = (struct iovec){ from, to - from };
		iov[n++] = (struct iovec){ (void *)x->bulk[i].bytes.data,
					   x->bulk[i].bytes.len };
		from = to;
	}
	if (x->p > from)
		iov[n++] = (struct iovec){ from, x->p - from };
	return n;
}

void xdr_flatten(const struct xdr *x, void *dst)
{
	struct iovec iov[2 * XDR_BULK_MAX + 1];
	int n = xdr_iovec(x, iov);
	char *to = dst;

	for (int i = 0; i < n; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}
