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
#include <sys/stat.h>

#include "base/log.h"
#include "reactor/backend.h"

enum { BACKLOG = 1024 };

struct socket_stream {
	struct stream stream;
	int fd;
	bool tcp;
	bool aborted;
	struct watch *watch; /* NULL until something would have blocked */
};

struct socket_listener {
	struct listener listener;
	int fd;
	bool cancelled;
	struct watch *watch;
};

static const struct stream_ops socket_ops;
static const struct listener_ops socket_listener_ops;

static struct socket_stream *sock_of(const struct stream *s)
{
	return container_of(s, struct socket_stream, stream);
}

static int watch_lazily(struct watch **w, int fd)
{
	if (*w == NULL)
		*w = watch_create(fd);
	return *w != NULL ? 0 : -errno;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
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

static int wait_writable(struct socket_stream *s, nsec deadline)
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
		err = wait_writable(s, deadline_of(stream->write_timeout));
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
	.silence = socket_silence,
};

static int open_socket(const struct addr *a)
{
	int fd = socket(a->sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd >= 0 ? fd : -errno;
}

static void learn_local(int fd, struct addr *a)
{
	a->len = sizeof(a->un);
	if (getsockname(fd, &a->sa, &a->len) != 0)
		a->len = 0;
}

/* Takes over the descriptor. */
static struct socket_stream *stream_of(int fd, const struct addr *peer)
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

static int bind_local(int fd, const struct addr *local)
{
	int on = 1;

	/* Lets connect(2) choose the port, which then need only be unique for
	 * this peer: thousands of connections from one address. */
	if (addr_port(local) == 0)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
			   sizeof(on));
	return bind(fd, &local->sa, local->len) == 0 ? 0 : -errno;
}

static int finish_connect(struct socket_stream *s, nsec deadline)
{
	socklen_t len = sizeof(int);
	int err;

	err = wait_writable(s, deadline);
	if (err != 0)
		return err;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return -errno;
	return -err;
}

static int begin_connect(struct socket_stream *s, const struct addr *to,
			 const struct addr *local, nsec deadline)
{
	int err = local != NULL ? bind_local(s->fd, local) : 0;

	if (err != 0)
		return err;
	while (connect(s->fd, &to->sa, to->len) != 0) {
		/* The backlog of a UNIX listener is full: nothing tells when
		 * it is no longer. */
		if (errno != EAGAIN || s->tcp)
			return -errno;
		if (reactor_now() >= deadline)
			return -ETIMEDOUT;
		task_sleep(MSEC(1));
	}
	return 0;
}

static int socket_connect(const struct addr *to, const struct addr *local,
			  nsec deadline, struct stream **out)
{
	int fd = open_socket(to), err;
	struct socket_stream *s;

	if (fd < 0)
		return fd;
	s = stream_of(fd, to);
	if (s == NULL)
		return -ENOMEM;
	err = begin_connect(s, to, local, deadline);
	if (err == -EINPROGRESS)
		err = finish_connect(s, deadline);
	if (err != 0) {
		socket_close(&s->stream);
		return err;
	}
	learn_local(s->fd, &s->stream.local);
	*out = &s->stream;
	return 0;
}

/* A socket that nobody listens on any more is in the way: remove it. */
static int remove_dead_socket(const struct addr *at)
{
	auto_close int fd = open_socket(at);
	struct stat st;

	if (fd < 0)
		return fd;
	if (lstat(at->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode) ||
	    connect(fd, &at->sa, at->len) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(at->un.sun_path) == 0 ? 0 : -errno;
}

static int bind_listener(int fd, const struct addr *at)
{
	int on = 1, err;

	if (at->sa.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->sa.sa_family == AF_INET6) /* 0.0.0.0 is another listener */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &at->sa, at->len) == 0)
		return 0;
	err = -errno;
	if (err != -EADDRINUSE || at->sa.sa_family != AF_UNIX)
		return err;
	err = remove_dead_socket(at);
	if (err != 0)
		return err;
	return bind(fd, &at->sa, at->len) == 0 ? 0 : -errno;
}

static int socket_listen(const struct addr *at, struct listener **out)
{
	auto_close int fd = open_socket(at);
	struct socket_listener *l;
	int err;

	if (fd < 0)
		return fd;
	err = bind_listener(fd, at);
	if (err != 0)
		return err;
	if (listen(fd, BACKLOG) != 0)
		return -errno;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	listener_init(&l->listener, &socket_listener_ops);
	learn_local(fd, &l->listener.addr);
	l->fd = fd;
	fd = -1;
	*out = &l->listener;
	return 0;
}

/* Errors of the connection rather than of the listener: accept(2). */
static bool peer_was_lost(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ENOPROTOOPT:
		return true;
	default:
		return false;
	}
}

/* 0: accepted or worth trying again (*fd < 0). */
static int try_accept(struct socket_listener *l, int *fd, struct addr *peer)
{
	char text[ADDR_TEXT_MAX];

	peer->len = sizeof(peer->un);
	*fd = accept4(l->fd, &peer->sa, &peer->len,
		      SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*fd >= 0 || peer_was_lost(errno))
		return 0;
	if (would_block()) {
		if (l->watch != NULL)
			l->watch->readable = false;
		if (watch_lazily(&l->watch, l->fd) != 0)
			return -errno;
		return watch_wait_readable(l->watch, NSEC_NEVER);
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
	    errno != ENOBUFS)
		return -errno;
	log_warn("listener %s: %s; the next try is in 100 ms",
		 addr_format(&l->listener.addr, text), strerror(errno));
	task_sleep(MSEC(100));
	return 0;
}

static int socket_accept(struct listener *listener, struct stream **out)
{
	struct socket_listener *l =
		container_of(listener, struct socket_listener, listener);
	struct socket_stream *s;
	struct addr peer = {};
	int fd = -1, err;

	while (fd < 0) {
		if (l->cancelled)
			return -ECANCELED;
		err = try_accept(l, &fd, &peer);
		if (err != 0)
			return err;
	}
	s = stream_of(fd, &peer);
	if (s == NULL)
		return -ENOMEM;
	learn_local(fd, &s->stream.local);
	*out = &s->stream;
	return 0;
}

static void socket_listener_cancel(struct listener *listener)
{
	struct socket_listener *l =
		container_of(listener, struct socket_listener, listener);

	l->cancelled = true;
	if (l->watch != NULL)
		watch_event(l->watch, EPOLLHUP);
}

static void socket_listener_close(struct listener *listener)
{
	struct socket_listener *l =
		container_of(listener, struct socket_listener, listener);

	watch_destroy(l->watch);
	if (l->listener.addr.sa.sa_family == AF_UNIX)
		unlink(l->listener.addr.un.sun_path);
	/* A poll that io_uring has not let go of yet keeps the socket open
	 * beyond close(); it must not take connections any more. */
	shutdown(l->fd, SHUT_RDWR);
	close(l->fd);
	free(l);
}

static const struct listener_ops socket_listener_ops = {
	.accept = socket_accept,
	.cancel = socket_listener_cancel,
	.close = socket_listener_close,
};

const struct net_ops socket_net = {
	.connect = socket_connect,
	.listen = socket_listen,
};
