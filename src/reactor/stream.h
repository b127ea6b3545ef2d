/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of bytes: TCP, UNIX, or simulated.
 *
 * A stream belongs to the reactor of the task that first reads or writes it:
 * what stream_accept() returned may be handed to another reactor before that.
 * One task may read while another writes; not two of the same.
 *
 * Calls park until they can do their work; results are a count, 0, or -errno.
 */
#ifndef REACTOR_STREAM_H
#define REACTOR_STREAM_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/clock.h"

struct stream;
struct listener;

struct stream_connect_options {
	const struct addr *local; /* bind to it first; NULL: any */
	nsec timeout;		  /* 0: none but the kernel's own */
};

/* Nagle's algorithm is off on every stream.  -ETIMEDOUT, -ECONNREFUSED, …
 * While it is parked, *out is NULL or a stream that another task may
 * stream_abort(), and nothing else: -ECONNABORTED.  After an error *out is
 * NULL. */
int stream_connect(const struct addr *to,
		   const struct stream_connect_options *options,
		   struct stream **out);

/* A UNIX path that exists as a dead socket is replaced.  For TCP, port 0
 * chooses one: listener_addr() tells.  -EADDRINUSE, -EADDRNOTAVAIL, … */
int stream_listen(const struct addr *at, struct listener **out);
int stream_accept(struct listener *l, struct stream **out);
/* Makes a parked and all later stream_accept() return -ECANCELED.  The task
 * that accepts calls listener_close() afterwards. */
void listener_cancel(struct listener *l);
void listener_close(struct listener *l);
const struct addr *listener_addr(const struct listener *l);

/* At least one byte; 0: the peer has ended. */
ssize_t stream_read(struct stream *s, void *buf, size_t len);
ssize_t stream_readv(struct stream *s, const struct iovec *iov, int n);

/* All `len` bytes or an error; 0 bytes at a clean end is -ENODATA, an end in
 * the middle -ECONNRESET.  0 on success. */
int stream_read_full(struct stream *s, void *buf, size_t len);

/* Parks until stream_read() would not, without holding a buffer meanwhile.
 * 0, -ETIMEDOUT at the deadline, or -errno. */
int stream_wait_readable(struct stream *s, nsec deadline);

/* Writes everything or fails: 0 or -errno.  Uses up iov. */
int stream_writev(struct stream *s, struct iovec *iov, int n);
int stream_write(struct stream *s, const void *buf, size_t len);

/* A read or write that makes no progress for that long fails with -ETIMEDOUT.
 * NSEC_NEVER (the default): none.  stream_wait_readable() has its own. */
void stream_set_timeouts(struct stream *s, nsec read, nsec write);

/* Ends both directions at once: calls in progress and to come fail with
 * -ECONNABORTED, and the peer gets a reset.  A read in progress does not write
 * to its memory any more.  By any task of its reactor. */
void stream_abort(struct stream *s);

/* No more writes; the peer reads what was written and then the end.  Over TLS
 * it may park (tls.h). */
void stream_shutdown_write(struct stream *s);

/* Tells a TCP peer now that its data have arrived, where the kernel would wait
 * up to 40 ms for more, or for something to send with it: for when the peer may
 * wait for just that. */
void stream_acknowledge(struct stream *s);

/* Frees it.  No task may be inside a call on it. */
void stream_close(struct stream *s);

const struct addr *stream_local(const struct stream *s);
const struct addr *stream_peer(const struct stream *s);

/* The credentials of a UNIX peer: 0 or -ENOTSUP. */
int stream_peer_uid(const struct stream *s, uid_t *uid);

/*
 * Watching the peer.  stream_set_keepalive() has the kernel ask an idle TCP
 * peer for a sign of life each `interval` (whole seconds), and repeat what is
 * not acknowledged about as often (Linux 6.15 and later; before, at growing
 * intervals).  A peer that is silent all the same keeps the stream for
 * `patience`.
 *
 * stream_silence() is for how long the peer has acknowledged nothing although
 * it was asked; 0 if it owes no answer, or gave one.  On other streams: 0.
 */
void stream_set_keepalive(struct stream *s, nsec interval, nsec patience);
nsec stream_silence(const struct stream *s);

#endif
