/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashing: SipHash-2-4 where a peer chooses the input (its key is secret, so
 * nobody can aim for collisions), a mixer where we choose it.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash24(const struct siphash_key *key, const void *data, size_t len);

/* Spreads the bits of an integer key (the finalizer of MurmurHash3). */
static inline uint64_t hash_u64(uint64_t x)
{
	x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
	x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

/* SipHash with a key drawn once for this process; for in-memory tables. */
uint64_t hash_bytes(const void *data, size_t len);

#endif
