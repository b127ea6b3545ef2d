/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between socket.c (streams) and socket_net.c (how they come to be).
 */
#ifndef REACTOR_SOCKET_H
#define REACTOR_SOCKET_H

#include <errno.h>

#include "reactor/backend.h"

struct socket_stream {
	struct stream stream;
	int fd;
	bool tcp;
	bool aborted;
	struct watch *watch; /* NULL until something would have blocked */
};

/* Takes over the descriptor; NULL: no memory. */
struct socket_stream *socket_stream_create(int fd, const struct addr *peer);
/* Parks until it may be worth writing again: 0, -ETIMEDOUT, or why not. */
int socket_wait_writable(struct socket_stream *s, nsec deadline);

static inline int watch_lazily(struct watch **w, int fd)
{
	if (*w == NULL)
		*w = watch_create(fd);
	return *w != NULL ? 0 : -errno;
}

static inline bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

#endif
