/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few macros that every file may use.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of which *ptr is the given member. */
#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b)                                                              \
	({                                                                     \
		__typeof__(a) min_a_ = (a);                                    \
		__typeof__(b) min_b_ = (b);                                    \
		min_a_ < min_b_ ? min_a_ : min_b_;                             \
	})
#define MAX(a, b)                                                              \
	({                                                                     \
		__typeof__(a) max_a_ = (a);                                    \
		__typeof__(b) max_b_ = (b);                                    \
		max_a_ > max_b_ ? max_a_ : max_b_;                             \
	})

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define KIB(n)	    ((size_t)(n) << 10)
#define MIB(n)	    ((size_t)(n) << 20)
#define GIB(n)	    ((uint64_t)(n) << 30)

/* The first multiple of `to` (a power of two) that is not below n. */
static inline size_t round_up(size_t n, size_t to)
{
	assert((to & (to - 1)) == 0);
	return (n + to - 1) & ~(to - 1);
}

/* Is `text` one of "a|b|c"? */
static inline bool is_one_of(const char *text, const char *values)
{
	size_t len = strlen(text), n;

	for (;; values += n + 1) {
		n = strcspn(values, "|");
		if (n == len && memcmp(values, text, len) == 0)
			return true;
		if (values[n] == '\0')
			return false;
	}
}

/*
 * Cleanup on leaving the scope; a function that hands ownership out sets the
 * variable to NULL (or -1) first.
 */
static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define auto_free  __attribute__((cleanup(cleanup_free_)))
#define auto_close __attribute__((cleanup(cleanup_close_)))

/*
 * Objects that outlive a request carry a magic number as first member, so that
 * a use after free or a mixed-up pointer dies at the first function entered.
 */
#define MAGIC_SET(obj, value)	((obj)->magic = (value))
#define MAGIC_CHECK(obj, value) assert((obj) != NULL && (obj)->magic == (value))
#define MAGIC_CLEAR(obj)	((obj)->magic = 0xdeadf00dU)

#endif
