/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers in byte order, at any alignment.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ACCESSORS_(bits, order)                                          \
	static inline uint##bits##_t load_##order##bits(const void *p)         \
	{                                                                      \
		uint##bits##_t v;                                              \
		memcpy(&v, p, sizeof(v));                                      \
		return order##bits##toh(v);                                    \
	}                                                                      \
	static inline void store_##order##bits(void *p, uint##bits##_t v)      \
	{                                                                      \
		v = hto##order##bits(v);                                       \
		memcpy(p, &v, sizeof(v));                                      \
	}

BYTES_ACCESSORS_(16, be)
BYTES_ACCESSORS_(32, be)
BYTES_ACCESSORS_(64, be)
BYTES_ACCESSORS_(16, le)
BYTES_ACCESSORS_(32, le)
BYTES_ACCESSORS_(64, le)

#endif
