/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any compound, by the table of operations: for tests and tools.
 */
#include <errno.h>

#include "nfs/client/internal.h"

enum { COMPOUND_BUFFER = 64 << 10 };

/* A reply with data in it is not for the server's cache, and need not be. */
static unsigned flags_for(const nfs_argop4 *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		switch (ops[i].argop) {
		case OP_READ:
		case OP_READ_PLUS:
		case OP_READDIR:
		case OP_READLINK:
		case OP_GETXATTR:
		case OP_LISTXATTRS:
			return 0;
		default:
			break;
		}
	return CALL_CACHED;
}

static void write_ops(struct call *k, nfs_argop4 *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (k->effect == UINT32_MAX)
			k->effect = k->nops; /* who knows what it does */
		k->nops++;
		call_op_done(k, xdr_nfs_argop4(&k->message.xdr, &ops[i]));
	}
	call_run(k);
}

/* Strings in the results are borrowed from the reply: it has to stay as long
 * as the arena does. */
static int read_results(struct call *k, nfs_resop4 *results, unsigned n,
			struct arena *arena)
{
	size_t left = xdr_left(&k->results);
	void *copy = arena_alloc(arena, left);
	unsigned count = MIN(k->nresults - 1, n);
	struct xdr x;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, k->results.p, left);
	xdr_decode_init(&x, copy, left, arena);
	for (unsigned i = 0; i < count; i++)
		if (!xdr_nfs_resop4(&x, &results[i]))
			return -EIO;
	return (int)count;
}

int nfs_compound(struct nfs_client *c, const struct nfs_cred *cred,
		 nfs_argop4 *ops, unsigned n, nfs_resop4 *results,
		 struct arena *arena)
{
	struct call k;
	int count = 0, rc;

	call_init(&k, c, cred, flags_for(ops, n));
	k.buffer = malloc(COMPOUND_BUFFER);
	k.size = COMPOUND_BUFFER;
	if (k.buffer == NULL)
		return -ENOMEM;
	while (call_start(&k))
		write_ops(&k, ops, n);
	if (k.error == 0)
		count = read_results(&k, results, n, arena);
	rc = call_end(&k);
	return rc < 0 ? rc : count;
}
