/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mount targets answer?  A client that is given a silent address first
 * may wait for it, the kernel's for minutes; and only here can be said what is
 * in the way.
 *
 *	CONNECTING ─▶ ASKED (NFS's NULL) ─▶ answered: error 0
 *
 * With TLS the connection is enough: the handshake is the client's business.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mount/internal.h"

enum { NFS_PORT = 2049, PATIENCE_MS = 3000, GRACE_MS = 200 };

struct probe {
	int fd;
	int error; /* EINPROGRESS: not known yet */
	bool asked;
};

/* An RPC record: call 1, version 2, NFS version 4, NULL, without credentials.
 */
static const uint32_t question[] = { 0x80000028, 1, 0, 2, 100003, 4,
				     0,		 0, 0, 0, 0 };

static unsigned port_of(const struct wish *w)
{
	const char *at = strstr(w->options, "port=");
	unsigned port = NFS_PORT;

	/* Not "noresvport": that has no '='. */
	if (at != NULL)
		sscanf(at, "port=%5u", &port);
	return port;
}

static void begin(struct probe *p, const struct addr *a)
{
	p->fd = socket(a->sa.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	p->error = p->fd < 0 ? errno : EINPROGRESS;
	p->asked = false;
	if (p->fd >= 0 && connect(p->fd, &a->sa, a->len) < 0)
		p->error = errno;
}

static void ask(struct probe *p)
{
	uint32_t record[ARRAY_SIZE(question)];

	for (size_t i = 0; i < ARRAY_SIZE(question); i++)
		record[i] = htonl(question[i]);
	p->asked = true;
	p->error = EINPROGRESS;
	if (send(p->fd, record, sizeof(record), MSG_NOSIGNAL) < 0)
		p->error = errno;
}

static void hear(struct probe *p)
{
	char byte;
	ssize_t n = recv(p->fd, &byte, 1, 0);

	p->error = n > 0 ? 0 : n == 0 ? ECONNRESET : errno;
	if (p->error == EAGAIN)
		p->error = EINPROGRESS;
}

static void go_on(struct probe *p, bool by_tls)
{
	socklen_t len = sizeof(p->error);

	if (p->asked) {
		hear(p);
		return;
	}
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &p->error, &len) < 0)
		p->error = errno;
	if (p->error == 0 && !by_tls)
		ask(p);
}

static int ms_until(const struct timespec *end)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (end->tv_sec - now.tv_sec) * 1000 +
	     (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* Until all are known, or time is up: a moment after the first that answers,
 * for those that are as near. */
static void wait_for(struct probe *probes, size_t n, bool by_tls)
{
	struct timespec end = in_ms(PATIENCE_MS);
	struct pollfd fds[PATH_SELECT_MAX];
	bool answered = false;
	size_t open;

	for (;;) {
		open = 0;
		for (size_t i = 0; i < n; i++) {
			bool waits = probes[i].error == EINPROGRESS;

			fds[i] = (struct pollfd){ waits ? probes[i].fd : -1,
						  probes[i].asked ? POLLIN
								  : POLLOUT,
						  0 };
			open += waits;
			if (probes[i].error == 0 && !answered) {
				answered = true;
				end = in_ms(GRACE_MS);
			}
		}
		if (open == 0 || poll(fds, n, ms_until(&end)) <= 0)
			return;
		for (size_t i = 0; i < n; i++)
			if (fds[i].revents)
				go_on(&probes[i], by_tls);
	}
}

static void reorder(struct site *p, const struct probe *probes)
{
	struct path_candidate sorted[PATH_SELECT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (probes[i].error == 0)
			sorted[n++] = p->list[i];
	for (size_t i = 0; i < p->n; i++)
		if (probes[i].error != 0)
			sorted[n++] = p->list[i];
	memcpy(p->list, sorted, n * sizeof(sorted[0]));
}

/* Nobody answers: what the first one says is what all say, mostly. */
static int explain(const struct site *p, const struct probe *first,
		   struct fault *f)
{
	char text[ADDR_TEXT_MAX];
	const char *hint = "is its server running?";
	int error = first->error == EINPROGRESS ? ETIMEDOUT : first->error;

	if (first->asked && error == ETIMEDOUT)
		hint = "it accepts connections, and says nothing";
	else if (first->asked)
		hint = "it accepts connections and ends them: does a security "
		       "group of the mount target let this host in?";
	else if (error == ETIMEDOUT)
		hint = "does a security group of the mount target let this "
		       "host in, by TCP on that port?";
	else if (error == EHOSTUNREACH || error == ENETUNREACH)
		hint = "is there a route to it?";
	addr_format(&p->list[0].address, text);
	f->passing = !first->asked || error == ETIMEDOUT;
	if (p->n == 1)
		return fault_set(f, -error, "%s: %s; %s", text, strerror(error),
				 hint);
	return fault_set(f, -error,
			 "none of %zu mount targets answers; %s: "
			 "%s; %s",
			 p->n, text, strerror(error), hint);
}

int site_probe(const struct wish *w, struct site *p, struct fault *f)
{
	struct probe probes[PATH_SELECT_MAX];

	p->live = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (addr_port(&p->list[i].address) == 0)
			addr_set_port(&p->list[i].address,
				      (uint16_t)port_of(w));
		begin(&probes[i], &p->list[i].address);
	}
	wait_for(probes, p->n, w->tls);
	for (size_t i = 0; i < p->n; i++) {
		p->live += probes[i].error == 0;
		if (probes[i].fd >= 0)
			close(probes[i].fd);
	}
	if (p->live == 0)
		return explain(p, &probes[0], f);
	reorder(p, probes);
	return 0;
}
