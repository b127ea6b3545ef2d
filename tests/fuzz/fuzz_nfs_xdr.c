/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes come: decoding ends, within the record and the arena's limit;
 * and what was decoded encodes to something that decodes again.  The first
 * byte chooses what the rest is taken for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nfs/xdr/attr.h"
#include "nfs/xdr/nfs4_cb.h"
#include "nfs/xdr/nfs4_ops.h"
#include "nfs/xdr/record.h"
#include "nfs/xdr/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool arg_fn(struct xdr *x, void *v)
{
	return xdr_nfs_argop4(x, v);
}
static bool res_fn(struct xdr *x, void *v)
{
	return xdr_nfs_resop4(x, v);
}
static bool cb_fn(struct xdr *x, void *v)
{
	return xdr_nfs_cb_argop4(x, v);
}

/* Arms that decode but are never sent. */
static bool one_way(uint32_t op)
{
	return op == OP_EXCHANGE_ID || op == OP_SECINFO ||
	       op == OP_SECINFO_NO_NAME;
}

static void operation(xdr_fn *fn, const uint8_t *data, size_t size,
		      struct arena *a)
{
	static uint8_t out[1 << 20];
	union {
		nfs_argop4 arg;
		nfs_resop4 res;
		nfs_cb_argop4 cb;
	} v;
	struct xdr x;

	memset(&v, 0, sizeof(v));
	xdr_decode_init(&x, data, size, a);
	if (!fn(&x, &v) || (fn != cb_fn && one_way(load_be32(data))))
		return;
	xdr_encode_init(&x, out, sizeof(out), SIZE_MAX);
	if (!fn(&x, &v))
		abort();
	size = xdr_length(&x);
	uint8_t *flat = malloc(size);
	xdr_flatten(&x, flat);
	xdr_decode_init(&x, flat, size, a);
	if (!fn(&x, &v) || xdr_left(&x) != 0)
		abort();
	free(flat);
}

static void attributes(const uint8_t *data, size_t size, struct arena *a)
{
	struct nfs4_attrs attrs;
	struct xdr x;
	fattr4 f;

	memset(&attrs, 0, sizeof(attrs));
	xdr_decode_init(&x, data, size, a);
	if (!xdr_fattr4(&x, &f))
		return;
	nfs4_attrs_decode_set(&f, &nfs4_attrs_known, &attrs);
	if (nfs4_attrs_decode(&f, a, &attrs))
		nfs4_attrs_compare(&f, &nfs4_attrs_known, &attrs);
}

static void rpc(const uint8_t *data, size_t size)
{
	struct rpc_reply reply;
	struct rpc_call call;
	struct xdr x;

	xdr_decode_init(&x, data, size, NULL);
	rpc_call_decode(&x, &call, &reply);
	xdr_decode_init(&x, data, size, NULL);
	xdr_rpc_reply(&x, &reply);
}

static void records(const uint8_t *data, size_t size)
{
	struct record_reader r;
	struct record rec;
	void *p;
	int rc = 0;

	record_reader_init(&r, 1 << 20);
	while (size > 0 && rc >= 0) {
		size_t n = record_reader_room(&r, &p);

		n = MIN(MIN(n, size), (size_t)1 + data[0]);
		memcpy(p, data, n);
		record_reader_filled(&r, n);
		data += n;
		size -= n;
		while ((rc = record_reader_next(&r, &rec)) > 0)
			record_put(&rec);
	}
	record_reader_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;

	if (size < 5)
		return 0;
	arena_init(&a, NULL, 0, KIB(256));
	switch (*data++ % 6) {
	case 0:
		operation(arg_fn, data, size - 1, &a);
		break;
	case 1:
		operation(res_fn, data, size - 1, &a);
		break;
	case 2:
		operation(cb_fn, data, size - 1, &a);
		break;
	case 3:
		attributes(data, size - 1, &a);
		break;
	case 4:
		rpc(data, size - 1);
		break;
	case 5:
		records(data, size - 1);
		break;
	}
	arena_fini(&a);
	return 0;
}
