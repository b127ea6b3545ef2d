/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The epoll backend.  Descriptors are registered once, edge-triggered, so a
 * busy stream costs no system call but its reads and writes; file operations
 * that would block go to the worker threads.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "reactor/backend.h"
#include "reactor/workers.h"

enum { BATCH = 128 };

/* There is no state but the descriptor, which is kept as a pointer. */
static int epoll_fd(const struct reactor *r)
{
	return (int)(intptr_t)r->backend;
}

static int epoll_add(int epfd, int fd, unsigned events, void *ptr)
{
	struct epoll_event ev = { .events = events | EPOLLET, .data.ptr = ptr };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

int epoll_create_backend(struct reactor *r)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = epoll_add(fd, r->wake_fd, EPOLLIN, NULL);
	if (err != 0) {
		close(fd);
		return err;
	}
	r->backend = (void *)(intptr_t)fd;
	return 0;
}

static int epoll_start(struct reactor *r)
{
	return 0;
}

static void epoll_destroy(struct reactor *r)
{
	close(epoll_fd(r));
	workers_put();
}

static int wait_msec(struct reactor *r, struct epoll_event *ev, nsec timeout)
{
	int msec = -1;

	if (timeout != NSEC_NEVER)
		msec = MIN((timeout + MSEC(1) - 1) / MSEC(1), INT32_MAX);
	return epoll_wait(epoll_fd(r), ev, BATCH, msec);
}

static int wait_nsec(struct reactor *r, struct epoll_event *ev, nsec timeout)
{
	static _Atomic bool refused; /* by a seccomp filter older than 5.11 */
	struct timespec ts = nsec_to_timespec(timeout);
	int n = -1;

	if (!refused)
		n = epoll_pwait2(epoll_fd(r), ev, BATCH, &ts, NULL);
	if (n < 0 && (refused || errno == ENOSYS || errno == EPERM)) {
		refused = true;
		n = wait_msec(r, ev, timeout);
	}
	return n;
}

static int epoll_wait_events(struct reactor *r, nsec deadline)
{
	struct epoll_event ev[BATCH];
	nsec timeout = deadline;
	int n;

	if (deadline != 0 && deadline != NSEC_NEVER)
		timeout = MAX(deadline - clock_read(CLOCK_MONOTONIC), 0);
	if (timeout == 0 || timeout == NSEC_NEVER)
		n = wait_msec(r, ev, timeout);
	else
		n = wait_nsec(r, ev, timeout);
	for (int i = 0; i < n; i++)
		if (ev[i].data.ptr != NULL) /* else it was wake_fd */
			watch_event(ev[i].data.ptr, ev[i].events);
	return n;
}

static int epoll_watch(struct reactor *r, struct watch *w)
{
	return epoll_add(epoll_fd(r), w->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP,
			 w);
}

static void epoll_unwatch(struct reactor *r, struct watch *w)
{
	epoll_ctl(epoll_fd(r), EPOLL_CTL_DEL, w->fd, NULL);
	free(w);
}

static ssize_t epoll_disk_op(struct reactor *r, struct disk_op *op)
{
	return disk_op_offload(op);
}

const struct backend_ops epoll_backend = {
	.name = "epoll",
	.net = &socket_net,
	.disk = &real_disk,
	.start = epoll_start,
	.destroy = epoll_destroy,
	.wait = epoll_wait_events,
	.offload = workers_call,
	.watch = epoll_watch,
	.unwatch = epoll_unwatch,
	.disk_op = epoll_disk_op,
	.disk_submit = disk_submit_offload,
};
