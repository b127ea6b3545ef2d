/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches: where tasks meet descriptors.  And the two public calls that are
 * little more than a watch.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "reactor/backend.h"
#include "reactor/fd.h"

struct watch *watch_create(int fd)
{
	struct reactor *r = reactor_current;
	struct watch *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return NULL;
	w->fd = fd;
	w->reactor = r;
	list_init(&w->link);
	err = r->ops->watch(r, w);
	if (err != 0) {
		free(w);
		errno = -err;
		return NULL;
	}
	return w;
}

void watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	assert(w->reader == NULL && w->writer == NULL);
	w->reactor->ops->unwatch(w->reactor, w);
}

void watch_event(struct watch *w, unsigned events)
{
	const unsigned both = EPOLLERR | EPOLLHUP;

	if (events & (EPOLLRDHUP | both))
		w->ended = true;
	if (events & (EPOLLIN | EPOLLRDHUP | both)) {
		w->readable = true;
		if (w->reader != NULL)
			task_wake(w->reader);
	}
	if (events & (EPOLLOUT | both)) {
		w->writable = true;
		if (w->writer != NULL)
			task_wake(w->writer);
	}
}

static int wait_for(struct watch *w, struct task **who, const bool *flag,
		    nsec deadline)
{
	int err = 0;

	assert(w->reactor == reactor_current && *who == NULL);
	*who = task_self();
	while (!*flag && err == 0)
		if (!task_park(deadline) && !*flag)
			err = -ETIMEDOUT;
	*who = NULL;
	return err;
}

int watch_wait_readable(struct watch *w, nsec deadline)
{
	return wait_for(w, &w->reader, &w->readable, deadline);
}

int watch_wait_writable(struct watch *w, nsec deadline)
{
	return wait_for(w, &w->writer, &w->writable, deadline);
}

int fd_wait(int fd, short events, nsec deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct watch *w;
	int err = 0;

	if (reactor_current->ops->watch == NULL)
		return -ENOTSUP; /* the simulation has no descriptors */
	if (poll(&p, 1, 0) > 0)
		return p.revents;
	w = watch_create(fd);
	if (w == NULL)
		return -errno;
	/* Edges are of either kind: one park for both, and a second look. */
	w->reader = w->writer = task_self();
	while (err == 0 && poll(&p, 1, 0) == 0)
		if (!task_park(deadline) && poll(&p, 1, 0) == 0)
			err = -ETIMEDOUT;
	w->reader = w->writer = NULL;
	watch_destroy(w);
	return err != 0 ? err : p.revents;
}

int signal_wait(const sigset_t *set)
{
	struct signalfd_siginfo info;
	auto_close int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	int events;

	if (fd < 0)
		return -errno;
	for (;;) {
		events = fd_wait(fd, POLLIN, NSEC_NEVER);
		if (events < 0)
			return events;
		if (read(fd, &info, sizeof(info)) == sizeof(info))
			return info.ssi_signo;
	}
}
