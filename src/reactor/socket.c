/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams over TCP and UNIX sockets.
 *
 * Each call first tries the system call, and only when that would block parks
 * on the socket's watch, which is created at the first such occasion.  A TCP
 * read that came back short has emptied the socket: the next one parks without
 * asking again.  (Not so on UNIX sockets, where a read also stops where the
 * sender's credentials change.)
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>

#include "reactor/socket.h"

static const struct stream_ops socket_ops;

static struct socket_stream *sock_of(const struct stream *s)
{
	return container_of(s, struct socket_stream, stream);
}

static nsec deadline_of(nsec timeout)
{
	return nsec_after(reactor_now(), timeout);
}

/* The socket had nothing: 0 when it is worth trying again. */
static int wait_readable(struct socket_stream *s, nsec deadline)
{
	int err = watch_lazily(&s->watch, s->fd);

	if (err == 0)
		err = watch_wait_readable(s->watch, deadline);
	return s->aborted ? -ECONNABORTED : err;
}

int socket_wait_writable(struct socket_stream *s, nsec deadline)
{
	int err = watch_lazily(&s->watch, s->fd);

	if (err == 0)
		err = watch_wait_writable(s->watch, deadline);
	return s->aborted ? -ECONNABORTED : err;
}

/* What one read found.  The end has no edge of its own if it came together
 * with the last data, so a short read means nothing once it is there. */
static void note_read(struct socket_stream *s, ssize_t got, size_t asked)
{
	struct watch *w = s->watch;

	if (w != NULL &&
	    (got < 0 || (s->tcp && (size_t)got < asked && !w->ended)))
		w->readable = false;
}

static bool may_have_data(const struct socket_stream *s)
{
	return s->watch == NULL || s->watch->readable;
}

/* recvmsg(2) without the message, for the usual single buffer. */
static ssize_t receive(struct socket_stream *s, const struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = (void *)iov, .msg_iovlen = n };

	if (n == 1)
		return recv(s->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT);
	return recvmsg(s->fd, &msg, MSG_DONTWAIT);
}

static ssize_t socket_readv(struct stream *stream, const struct iovec *iov,
			    int n)
{
	struct socket_stream *s = sock_of(stream);
	ssize_t got;
	int err;

	task_breathe();
	n = MIN(n, IOV_MAX);
	for (;;) {
		if (s->aborted)
			return -ECONNABORTED;
		if (may_have_data(s)) {
			got = receive(s, iov, n);
			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0 && !would_block())
				return -errno;
			note_read(s, got, iov_len(iov, n));
			if (got >= 0)
				return got;
		}
		err = wait_readable(s, deadline_of(stream->read_timeout));
		if (err != 0)
			return err;
	}
}

static int socket_wait_readable(struct stream *stream, nsec deadline)
{
	struct socket_stream *s = sock_of(stream);
	int err;
	char c;

	for (;;) {
		if (s->aborted)
			return -ECONNABORTED;
		if (may_have_data(s)) {
			if (recv(s->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) >= 0)
				return 0;
			if (!would_block()) /* let the read say it */
				return 0;
			note_read(s, -1, 1);
		}
		err = wait_readable(s, deadline);
		if (err != 0)
			return err;
	}
}

static int socket_writev(struct stream *stream, struct iovec *iov, int n)
{
	struct socket_stream *s = sock_of(stream);
	ssize_t done;
	int err;

	task_breathe();
	iov_advance(&iov, &n, 0);
	while (n > 0) {
		struct msghdr msg = { .msg_iov = iov,
				      .msg_iovlen = MIN(n, IOV_MAX) };

		if (s->aborted)
			return -ECONNABORTED;
		done = sendmsg(s->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done >= 0) {
			iov_advance(&iov, &n, done);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (!would_block())
			return -errno;
		if (s->watch != NULL)
			s->watch->writable = false;
		err = socket_wait_writable(s,
					   deadline_of(stream->write_timeout));
		if (err != 0)
			return err;
	}
	return 0;
}

/* Connecting a TCP socket to "nowhere" resets it at once, while others still
 * wait on the descriptor; closing it would have to wait for them. */
static void reset_socket(struct socket_stream *s)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (s->tcp)
		connect(s->fd, &nowhere, sizeof(nowhere));
	else
		shutdown(s->fd, SHUT_RDWR);
}

static void socket_abort(struct stream *stream)
{
	struct socket_stream *s = sock_of(stream);

	if (s->aborted)
		return;
	s->aborted = true;
	reset_socket(s);
	if (s->watch != NULL)
		watch_event(s->watch, EPOLLHUP);
}

static void socket_shutdown_write(struct stream *s)
{
	shutdown(sock_of(s)->fd, SHUT_WR);
}

static void socket_close(struct stream *stream)
{
	struct socket_stream *s = sock_of(stream);

	watch_destroy(s->watch);
	close(s->fd);
	free(s);
}

static int socket_peer_uid(const struct stream *stream, uid_t *uid)
{
	struct socket_stream *s = sock_of(stream);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (s->tcp ||
	    getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -ENOTSUP;
	*uid = cred.uid;
	return 0;
}

/* From linux/tcp.h of 6.15; older kernels refuse it, which is harmless. */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif

static void set_option(struct socket_stream *s, int level, int option,
		       int value)
{
	setsockopt(s->fd, level, option, &value, sizeof(value));
}

static void socket_set_keepalive(struct stream *stream, nsec interval,
				 nsec patience)
{
	struct socket_stream *s = sock_of(stream);
	int seconds = interval / SEC(1);

	if (!s->tcp)
		return;
	set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
	set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
	set_option(s, IPPROTO_TCP, TCP_RTO_MAX_MS, seconds * 1000);
	set_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT, patience / MSEC(1));
	set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static void socket_acknowledge(struct stream *stream)
{
	struct socket_stream *s = sock_of(stream);

	if (s->tcp)
		set_option(s, IPPROTO_TCP, TCP_QUICKACK, 1);
}

static nsec socket_silence(const struct stream *stream)
{
	struct socket_stream *s = sock_of(stream);
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (!s->tcp ||
	    getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    (info.tcpi_unacked == 0 && info.tcpi_probes == 0))
		return 0;
	return MSEC(info.tcpi_last_ack_recv);
}

static const struct stream_ops socket_ops = {
	.readv = socket_readv,
	.wait_readable = socket_wait_readable,
	.writev = socket_writev,
	.abort = socket_abort,
	.shutdown_write = socket_shutdown_write,
	.close = socket_close,
	.peer_uid = socket_peer_uid,
	.set_keepalive = socket_set_keepalive,
	.acknowledge = socket_acknowledge,
	.silence = socket_silence,
};

struct socket_stream *socket_stream_create(int fd, const struct addr *peer)
{
	struct socket_stream *s = calloc(1, sizeof(*s));
	int on = 1;

	if (s == NULL) {
		close(fd);
		return NULL;
	}
	stream_init(&s->stream, &socket_ops);
	s->fd = fd;
	s->tcp = peer->sa.sa_family != AF_UNIX;
	s->stream.peer = *peer;
	if (s->tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return s;
}
