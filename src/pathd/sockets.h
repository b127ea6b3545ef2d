/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP connections of this host's kernel to an address, as opposed to those
 * of processes.  Any thread; for offload().
 */
#ifndef PATHD_SOCKETS_H
#define PATHD_SOCKETS_H

#include <linux/inet_diag.h>

#include "base/addr.h"

enum { SOCKETS_MAX = 1024 /* a controller has one for each queue */ };

struct sockets {
	struct addr to;
	unsigned n;
	struct {
		struct inet_diag_sockid id;
		uint32_t inode;
	} found[SOCKETS_MAX];
};

enum sockets_state { SOCKETS_CONNECTED, SOCKETS_CONNECTING };

/* Those to `to` that are in that state.  0 or -errno; -E2BIG: too many. */
int sockets_list(const struct addr *to, enum sockets_state state,
		 struct sockets *s);

/* Tells a set of sockets from any other there ever was; 0: there is none. */
uint64_t sockets_fingerprint(const struct sockets *s);

/* Closes them without waiting for the other end: their owners see
 * ECONNABORTED.  0 or -errno: -EOPNOTSUPP when the kernel can't
 * (CONFIG_INET_DIAG_DESTROY). */
int sockets_close(const struct sockets *s);

#endif
