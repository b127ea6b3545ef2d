/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The io_uring backend.  A descriptor is watched by one multishot poll request,
 * which posts edges as epoll would, but into shared memory: looking for events
 * costs no system call, and requests are submitted with the next sleep.
 *
 * DEFER_TASKRUN has the kernel finish requests only when this thread asks, so
 * nothing interrupts a running task; TASKRUN_FLAG tells when there is something
 * to ask for.  It takes Linux 6.1; where that, or io_uring as a whole, is
 * refused, the reactor is an epoll one.
 *
 * user_data is a pointer, and in its low bits what it points to.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <sys/syscall.h>

#include "reactor/backend.h"
#include "reactor/workers.h"

enum { SQ_ENTRIES = 256, CQ_ENTRIES = 4096 };

enum tag {
	TAG_NOTHING,
	TAG_WAKE,
	TAG_WATCH,
	TAG_DISK,
	TAG_REQUEST,
	TAG_MASK = 7
};

struct uring {
	struct io_uring ring;
	bool enabled;
	pthread_t thread; /* the only one that may enter the ring */
	struct list dropped;
};

struct ring_op {
	struct completion done;
} __attribute__((aligned(8)));

static struct uring *uring_of(struct reactor *r)
{
	return r->backend;
}

static struct io_uring_sqe *sqe_get(struct uring *u)
{
	struct io_uring_sqe *sqe;

	/* Full: the kernel takes what is there, which makes room. */
	while ((sqe = io_uring_get_sqe(&u->ring)) == NULL)
		io_uring_submit(&u->ring);
	return sqe;
}

static void sqe_tag(struct io_uring_sqe *sqe, void *ptr, enum tag tag)
{
	io_uring_sqe_set_data64(sqe, (uintptr_t)ptr | tag);
}

static void arm_wake(struct uring *u, int fd)
{
	struct io_uring_sqe *sqe = sqe_get(u);

	io_uring_prep_poll_multishot(sqe, fd, POLLIN);
	sqe_tag(sqe, NULL, TAG_WAKE);
}

static void arm_watch(struct uring *u, struct watch *w)
{
	struct io_uring_sqe *sqe = sqe_get(u);

	io_uring_prep_poll_multishot(sqe, w->fd, POLLIN | POLLOUT | POLLRDHUP);
	sqe_tag(sqe, w, TAG_WATCH);
	w->registered = true;
}

static bool has_opcodes(struct io_uring *ring)
{
	static const int needed[] = {
		IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_READV,
		IORING_OP_WRITEV,   IORING_OP_FSYNC,	    IORING_OP_FALLOCATE,
		IORING_OP_READ,	    IORING_OP_WRITE,
	};
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	bool all = probe != NULL;

	for (size_t i = 0; all && i < ARRAY_SIZE(needed); i++)
		all = io_uring_opcode_supported(probe, needed[i]);
	io_uring_free_probe(probe);
	return all;
}

/* The ring begins disabled: it will belong to the thread that enables it. */
static int ring_init(struct io_uring *ring)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE |
			 IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		.cq_entries = CQ_ENTRIES,
	};
	int err = io_uring_queue_init_params(SQ_ENTRIES, ring, &p);

	if (err != 0)
		return err == -EINVAL ? -ENOSYS : err; /* before 6.1 */
	if (has_opcodes(ring))
		return 0;
	io_uring_queue_exit(ring);
	return -ENOSYS;
}

int uring_create_backend(struct reactor *r)
{
	struct uring *u = calloc(1, sizeof(*u));
	int err;

	if (u == NULL)
		return -ENOMEM;
	err = ring_init(&u->ring);
	if (err != 0) {
		free(u);
		return err;
	}
	list_init(&u->dropped);
	r->backend = u;
	return 0;
}

/* The library of Debian 12 declares io_uring_enable_rings(), and lacks it. */
static int ring_enable(const struct io_uring *ring)
{
	int n = syscall(SYS_io_uring_register, ring->ring_fd,
			IORING_REGISTER_ENABLE_RINGS, NULL, 0);

	return n < 0 ? -errno : 0;
}

static int uring_start(struct reactor *r)
{
	struct uring *u = uring_of(r);
	int err;

	if (u->enabled)
		return pthread_equal(u->thread, pthread_self()) ? 0 : -EEXIST;
	err = ring_enable(&u->ring);
	if (err < 0)
		return err;
	u->thread = pthread_self();
	u->enabled = true;
	arm_wake(u, r->wake_fd);
	return 0;
}

static void watch_free(struct watch *w)
{
	list_del(&w->link);
	free(w);
}

static void uring_destroy(struct reactor *r)
{
	struct uring *u = uring_of(r);

	io_uring_queue_exit(&u->ring);
	while (!list_empty(&u->dropped))
		watch_free(list_first(&u->dropped, struct watch, link));
	free(u);
	workers_put();
}

/* A poll request ends by itself when the completion queue overflows. */
static void watch_completed(struct uring *u, struct watch *w, int res,
			    bool more)
{
	w->registered = more;
	if (w->dropped) {
		if (!more)
			watch_free(w);
		return;
	}
	watch_event(w, res < 0 ? POLLERR : res);
	if (!more && res >= 0)
		arm_watch(u, w);
}

static void handle(struct reactor *r, const struct io_uring_cqe *cqe)
{
	struct uring *u = uring_of(r);
	void *ptr = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TAG_MASK);
	bool more = cqe->flags & IORING_CQE_F_MORE;

	switch ((enum tag)(cqe->user_data & TAG_MASK)) {
	case TAG_WAKE:
		if (!more)
			arm_wake(u, r->wake_fd);
		break;
	case TAG_WATCH:
		watch_completed(u, ptr, cqe->res, more);
		break;
	case TAG_DISK:
		completion_done(&((struct ring_op *)ptr)->done, cqe->res);
		break;
	case TAG_REQUEST:
		r->errands--;
		file_request_finish(ptr, cqe->res);
		break;
	case TAG_NOTHING:
	case TAG_MASK:
		break;
	}
}

static int reap(struct reactor *r)
{
	struct uring *u = uring_of(r);
	struct io_uring_cqe *cqe;
	unsigned head;
	int n = 0;

	io_uring_for_each_cqe(&u->ring, head, cqe)
	{
		handle(r, cqe);
		n++;
	}
	io_uring_cq_advance(&u->ring, n);
	return n;
}

static bool kernel_has_work(const struct io_uring *ring)
{
	const unsigned wanted = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;

	return io_uring_sq_ready(ring) > 0 ||
	       (__atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED) & wanted);
}

static void sleep_in_ring(struct io_uring *ring, nsec deadline)
{
	struct io_uring_cqe *cqe;
	struct __kernel_timespec kts;
	struct timespec ts;

	if (deadline == NSEC_NEVER) {
		io_uring_submit_and_wait(ring, 1);
		return;
	}
	ts = nsec_to_timespec(MAX(deadline - clock_read(CLOCK_MONOTONIC), 0));
	kts.tv_sec = ts.tv_sec;
	kts.tv_nsec = ts.tv_nsec;
	io_uring_submit_and_wait_timeout(ring, &cqe, 1, &kts, NULL);
}

/* What the calls here return does not matter: what was not submitted, or not
 * waited for, is so in the next turn. */
static int uring_wait(struct reactor *r, nsec deadline)
{
	struct io_uring *ring = &uring_of(r)->ring;

	if (deadline != 0)
		sleep_in_ring(ring, deadline);
	else if (kernel_has_work(ring))
		io_uring_submit_and_get_events(ring);
	return reap(r);
}

static int uring_watch(struct reactor *r, struct watch *w)
{
	arm_watch(uring_of(r), w);
	return 0;
}

static void uring_unwatch(struct reactor *r, struct watch *w)
{
	struct uring *u = uring_of(r);
	struct io_uring_sqe *sqe;

	list_append(&u->dropped, &w->link);
	if (!w->registered) {
		watch_free(w);
		return;
	}
	w->dropped = true;
	/* Not POLL_REMOVE, which gives up when an event is just under way: the
	 * ring would keep the file, and the peer never see it closed. */
	sqe = sqe_get(u);
	io_uring_prep_cancel64(sqe, (uintptr_t)w | TAG_WATCH, 0);
	sqe_tag(sqe, NULL, TAG_NOTHING);
}

static ssize_t uring_disk_op(struct reactor *r, struct disk_op *op)
{
	struct ring_op ring_op;
	struct io_uring_sqe *sqe = sqe_get(uring_of(r));

	switch (op->call) {
	case DISK_READ:
		io_uring_prep_readv(sqe, op->fd, op->iov, op->n, op->offset);
		break;
	case DISK_WRITE:
		io_uring_prep_writev(sqe, op->fd, op->iov, op->n, op->offset);
		break;
	case DISK_SYNC:
		io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
		break;
	case DISK_ALLOCATE:
		io_uring_prep_fallocate(sqe, op->fd, op->flags, op->offset,
					op->len);
		break;
	default:
		assert(!"not an operation of the ring");
	}
	sqe_tag(sqe, &ring_op, TAG_DISK);
	errand_init(&ring_op.done);
	return completion_wait(&ring_op.done);
}

/* One piece of memory is cheaper for the kernel than a list of one. */
static void prep_transfer(struct io_uring_sqe *sqe, int fd,
			  const struct file_request *q)
{
	const struct iovec *iov = q->iov;
	bool one = q->n == 1;

	if (q->call == FILE_READ && one)
		io_uring_prep_read(sqe, fd, iov->iov_base, iov->iov_len,
				   q->offset);
	else if (q->call == FILE_READ)
		io_uring_prep_readv(sqe, fd, iov, q->n, q->offset);
	else if (one)
		io_uring_prep_write(sqe, fd, iov->iov_base, iov->iov_len,
				    q->offset);
	else
		io_uring_prep_writev(sqe, fd, iov, q->n, q->offset);
	if (q->durable)
		sqe->rw_flags = RWF_DSYNC;
}

static void uring_disk_submit(struct reactor *r, int fd, struct file_request *q)
{
	struct io_uring_sqe *sqe = sqe_get(uring_of(r));

	if (q->call == FILE_SYNC)
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	else
		prep_transfer(sqe, fd, q);
	sqe_tag(sqe, q, TAG_REQUEST);
	r->errands++;
}

const struct backend_ops uring_backend = {
	.name = "io_uring",
	.net = &socket_net,
	.disk = &real_disk,
	.start = uring_start,
	.destroy = uring_destroy,
	.wait = uring_wait,
	.offload = workers_call,
	.watch = uring_watch,
	.unwatch = uring_unwatch,
	.disk_op = uring_disk_op,
	.disk_submit = uring_disk_submit,
};
