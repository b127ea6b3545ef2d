/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting, listening and accepting, for TCP and UNIX sockets.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/log.h"
#include "reactor/socket.h"

enum { BACKLOG = 1024 };

struct socket_listener {
	struct listener listener;
	int fd;
	bool cancelled;
	struct watch *watch;
};

static const struct listener_ops socket_listener_ops;

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

	err = socket_wait_writable(s, deadline);
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
		if (s->aborted)
			return -ECONNABORTED;
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
	s = socket_stream_create(fd, to);
	if (s == NULL)
		return -ENOMEM;
	*out = &s->stream; /* may be aborted from now on */
	err = begin_connect(s, to, local, deadline);
	if (err == -EINPROGRESS)
		err = finish_connect(s, deadline);
	if (err != 0) {
		*out = NULL;
		stream_close(&s->stream);
		return err;
	}
	learn_local(s->fd, &s->stream.local);
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
	s = socket_stream_create(fd, &peer);
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
