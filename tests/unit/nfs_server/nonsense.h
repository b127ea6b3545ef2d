/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compounds that no client would send, though most of their operations are
 * well-formed: for test_nonsense, which draws them from a seed, and for the
 * fuzzer, which draws them from its input.
 */
#ifndef TESTS_NFS_SERVER_NONSENSE_H
#define TESTS_NFS_SERVER_NONSENSE_H

#include "wire.h"

struct nonsense {
	/* Where all choices come from: below n, or if that is 0 any number. */
	uint64_t (*draw)(void *arg, uint64_t n);
	void *arg;
	uint8_t noise[256];

	/* learnt from answers */
	stateid4 stateids[8];
	struct nfs_fh fhs[8];
	unsigned learnt;
	unsigned ok; /* results */

	stateid4 tested[2];
};

/* Appends an operation to a compound; it borrows from `p`. */
void nonsense_add(struct nonsense *p, struct compound *c);
/* Remembers what an answer gave, to ask for it later. */
void nonsense_learn(struct nonsense *p, const struct compound *c);

#endif
