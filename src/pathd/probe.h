/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a target for a sign of life, over TCP, from the same host and so by the
 * same way as the kernel's own requests.  NFS: a NULL call (RFC 5531, section
 * 12.1), on a connection that is kept.  NVMe: the ICReq with which a connection
 * begins (NVMe/TCP 1.0, 3.6.2.2), on a new one each time.
 */
#ifndef PATHD_PROBE_H
#define PATHD_PROBE_H

#include "pathd/target.h"
#include "reactor/stream.h"

struct probe {
	struct stream *stream; /* NULL: none */
	uint32_t xid;
};

/* Parks until there was an answer, for `timeout` at most: 0 or -errno. */
int probe_send(struct probe *p, enum target_kind kind, const struct addr *to,
	       nsec timeout);
void probe_fini(struct probe *p);

#endif
