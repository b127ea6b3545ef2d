/* SPDX-License-Identifier: Apache-2.0 */
#include "echo.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/util.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

static void die(const char *what, int err)
{
	fprintf(stderr, "echo: %s: %s\n", what, strerror(err));
	exit(1);
}

/* Where the scheduler puts two threads that wake each other decides more than
 * what they do; so client and server get a core of their own. */
static void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core % sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static int tcp_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;

	if (fd < 0)
		die("socket", errno);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

/* What the servers do with the bytes is the same for all.  A reply is the
 * request's first 72 bytes and a body that never changes. */
struct service {
	int fd; /* of the bare loop */
	char in[ECHO_DEPTH_MAX * ECHO_REQUEST];
	size_t have; /* bytes of an incomplete request */
	struct iovec out[2 * ECHO_DEPTH_MAX];
};

static char body[ECHO_REPLY - ECHO_REQUEST];

/* The number of iovecs to write. */
static int service_answer(struct service *s, size_t got)
{
	int n = 0;

	s->have += got;
	for (size_t at = 0; at + ECHO_REQUEST <= s->have; at += ECHO_REQUEST) {
		s->out[n++] = (struct iovec){ s->in + at, ECHO_REQUEST };
		s->out[n++] = (struct iovec){ body, sizeof(body) };
	}
	return n;
}

/* After the answers are written. */
static void service_next(struct service *s)
{
	size_t done = s->have - s->have % ECHO_REQUEST;

	memmove(s->in, s->in + done, s->have - done);
	s->have -= done;
}

/* The peer: nothing but system calls. */

static void advance(struct iovec **iov, int *n, size_t done)
{
	for (; *n > 0 && done >= (*iov)->iov_len; (*iov)++, (*n)--)
		done -= (*iov)->iov_len;
	if (*n > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

static void bare_write(int fd, struct iovec *iov, int n)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	while (n > 0) {
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };

		done = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (done >= 0)
			advance(&iov, &n, done);
		else if (errno == EAGAIN)
			poll(&writable, 1, -1);
		else
			return;
	}
}

static void bare_accept(int listener, int epfd)
{
	struct service *s = calloc(1, sizeof(*s));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	int on = 1;

	s->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &ev);
}

/* False: the connection has ended. */
static bool bare_serve(struct service *s)
{
	ssize_t n = recv(s->fd, s->in + s->have, sizeof(s->in) - s->have, 0);

	if (n < 0)
		return true;
	if (n == 0) {
		close(s->fd);
		free(s);
		return false;
	}
	bare_write(s->fd, s->out, service_answer(s, n));
	service_next(s);
	return true;
}

void echo_serve_bare(const struct addr *at, int connections)
{
	int listener = tcp_socket(0), epfd = epoll_create1(EPOLL_CLOEXEC), n;
	struct epoll_event ev[64];

	if (bind(listener, &at->sa, at->len) != 0 ||
	    listen(listener, connections) != 0)
		die("listen", errno);
	for (int i = 0; i < connections; i++)
		bare_accept(listener, epfd);
	while (connections > 0) {
		n = epoll_wait(epfd, ev, ARRAY_SIZE(ev), -1);
		for (int i = 0; i < n; i++)
			connections -= !bare_serve(ev[i].data.ptr);
	}
	close(epfd);
	close(listener);
}

/* The reactor. */

struct server {
	struct reactor *reactor;
	const struct addr *at;
	int connections;
};

static void connection_task(void *arg)
{
	struct service *s = calloc(1, sizeof(*s));
	struct stream *stream = arg;
	ssize_t n;

	while ((n = stream_read(stream, s->in + s->have,
				sizeof(s->in) - s->have)) > 0) {
		if (stream_writev(stream, s->out, service_answer(s, n)) != 0)
			break;
		service_next(s);
	}
	free(s);
	stream_close(stream);
}

static void server_task(void *arg)
{
	struct server *server = arg;
	struct reactor_stats stats;
	struct listener *l;
	struct stream *stream;
	int err = stream_listen(server->at, &l);

	if (err != 0)
		die("listen", -err);
	for (int i = 0; i < server->connections; i++) {
		err = stream_accept(l, &stream);
		if (err != 0)
			die("accept", -err);
		task_spawn("connection", connection_task, stream);
	}
	do {
		task_sleep(MSEC(10));
		reactor_get_stats(server->reactor, &stats);
	} while (stats.tasks > 1);
	listener_close(l);
	reactor_stop(server->reactor);
}

static void serve(enum reactor_backend backend, const struct addr *at,
		  int connections)
{
	struct reactor_options o = { .backend = backend };
	struct server server = { .at = at, .connections = connections };
	int err = reactor_create(&o, &server.reactor);

	if (err != 0)
		die("reactor", -err);
	reactor_spawn(server.reactor, "server", server_task, &server);
	reactor_run(server.reactor);
	reactor_destroy(server.reactor);
}

void echo_serve_epoll(const struct addr *at, int connections)
{
	serve(REACTOR_EPOLL, at, connections);
}

void echo_serve_uring(const struct addr *at, int connections)
{
	serve(REACTOR_URING, at, connections);
}

/* The client: blocking, and as fast as it can be. */

static void free_address(struct addr *at)
{
	int fd = tcp_socket(0);

	addr_parse(at, "127.0.0.1:0", 0);
	if (bind(fd, &at->sa, at->len) != 0 ||
	    getsockname(fd, &at->sa, &at->len) != 0)
		die("bind", errno);
	close(fd);
}

static int client_connect(const struct addr *to)
{
	for (;;) {
		int fd = tcp_socket(0);

		if (connect(fd, &to->sa, to->len) == 0)
			return fd;
		close(fd); /* not there yet */
		usleep(1000);
	}
}

static nsec now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return nsec_from_timespec(ts);
}

struct client {
	struct addr at;
	int connections, depth; /* of each */
	double seconds, rate;
};

struct client_connection {
	int fd, ready; /* requests to send */
	size_t have;   /* bytes of an incomplete reply */
};

static void client_send(struct client_connection *c)
{
	static const char requests[ECHO_DEPTH_MAX * ECHO_REQUEST];

	if (c->ready > 0 &&
	    send(c->fd, requests, c->ready * ECHO_REQUEST, MSG_NOSIGNAL) <= 0)
		die("send", errno);
	c->ready = 0;
}

/* The number of replies, for each of which a request is sent. */
static int client_turn(struct client_connection *c)
{
	static char replies[ECHO_DEPTH_MAX * ECHO_REPLY];
	ssize_t n = recv(c->fd, replies, sizeof(replies), 0);
	int count;

	if (n <= 0)
		die("recv", errno);
	c->have += n;
	count = c->ready = c->have / ECHO_REPLY;
	c->have %= ECHO_REPLY;
	client_send(c);
	return count;
}

/* Waits for its connections in turn: what the others bring meanwhile waits in
 * their sockets. */
static void *client_thread(void *arg)
{
	struct client *client = arg;
	struct client_connection *c = calloc(client->connections, sizeof(*c));
	nsec start, until;
	long count = 0;

	pin(1);
	for (int i = 0; i < client->connections; i++)
		c[i] = (struct client_connection){
			.fd = client_connect(&client->at),
			.ready = client->depth,
		};
	start = now();
	until = start + (nsec)(SEC(1) * client->seconds);
	for (int i = 0; i < client->connections; i++)
		client_send(&c[i]);
	while (now() < until)
		for (int i = 0; i < client->connections; i++)
			count += client_turn(&c[i]);
	client->rate = count / ((double)(now() - start) / SEC(1));
	for (int i = 0; i < client->connections; i++)
		close(c[i].fd);
	free(c);
	return NULL;
}

double echo_rate(echo_server *server, int connections, int depth,
		 double seconds)
{
	struct client c = { .connections = connections,
			    .depth = depth,
			    .seconds = seconds };
	pthread_t thread;

	pin(0);
	free_address(&c.at);
	pthread_create(&thread, NULL, client_thread, &c);
	server(&c.at, connections);
	pthread_join(thread, NULL);
	return c.rate;
}
