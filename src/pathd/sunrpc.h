/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's transports of RPC, as /sys/kernel/sunrpc shows them since Linux
 * 5.14: DIR/xprt-switches/switch-N/xprt-M-tcp/{dstaddr,xprt_info,xprt_state}.
 * Any thread; reads may block for a moment, and are for offload().
 */
#ifndef PATHD_SUNRPC_H
#define PATHD_SUNRPC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "pathd/trunk.h"

#define SUNRPC_DIR "/sys/kernel/sunrpc"

struct sunrpc_list {
	struct trunk_seen *seen; /* .home is not filled in */
	unsigned n, size;
};

/* All TCP transports below `dir`; 0 or -errno.  Those that come or go meanwhile
 * may be missing.  sunrpc_list_fini() also after an error. */
int sunrpc_list(const char *dir, struct sunrpc_list *list);
void sunrpc_list_fini(struct sunrpc_list *list);

/* What there is of one transport now, but for its names; `port` is its port if
 * it is not connected.  0 or -errno: -ENOENT when it is gone. */
int sunrpc_read(const char *dir, const char *transport, uint16_t port,
		struct trunk_seen *out);

/* The file which, when an address is written to it, makes the kernel drop the
 * connection and connect there. */
void sunrpc_address_file(const char *dir, const char *transport,
			 char out[PATH_MAX]);

#endif
