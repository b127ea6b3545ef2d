/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between worlds.  io_uring and epoll share the real network
 * (socket.c) and the real disk (disk.c), and differ in four calls: how to wait
 * for events, how to watch a descriptor, how to drop that, and how to run a
 * file operation that would block.  The simulation replaces network and disk
 * as a whole.
 */
#ifndef REACTOR_BACKEND_H
#define REACTOR_BACKEND_H

#include "reactor/internal.h"

struct watch;
struct disk_op;

struct backend_ops {
	const char *name;
	const struct net_ops *net;
	const struct disk_ops *disk;
	bool virtual_time; /* wait() moves r->now; no other thread exists */

	/* At the beginning of each reactor_run(), on its thread. */
	int (*start)(struct reactor *r);
	void (*destroy)(struct reactor *r);

	/* Collects events and wakes tasks for them; their number.  Sleeps until
	 * the deadline at most, and not at all if that is 0. */
	int (*wait)(struct reactor *r, nsec deadline);

	/* As offload(). */
	int (*offload)(int (*fn)(void *arg), void *arg);

	/* The real worlds only.  Edges of w->fd go to watch_event() from now
	 * until unwatch(), which frees w when nothing refers to it any more. */
	int (*watch)(struct reactor *r, struct watch *w);
	void (*unwatch)(struct reactor *r, struct watch *w);
	/* Parks; the operation's result. */
	ssize_t (*disk_op)(struct reactor *r, struct disk_op *op);
	/* Does not; counts an errand until file_request_finish(). */
	void (*disk_submit)(struct reactor *r, int fd, struct file_request *q);
};

int epoll_create_backend(struct reactor *r);
int uring_create_backend(struct reactor *r);
extern const struct backend_ops epoll_backend, uring_backend;

/*
 * A descriptor with edge-triggered events.  readable and writable say "the last
 * call did not tell otherwise": users clear them when a call would block, or
 * when it came back short, and park until an edge sets them again.
 */
struct watch {
	int fd;
	struct reactor *reactor;
	struct task *reader, *writer; /* parked here */
	bool readable, writable;
	bool ended;	 /* the peer has, or the connection */
	bool registered; /* uring: a poll request is out */
	bool dropped;	 /* uring: unwatched, to be freed with its last event */
	struct list link; /* uring: of dropped ones */
};

/* For the running reactor.  NULL: errno says why. */
struct watch *watch_create(int fd);
/* NULL is allowed.  The descriptor may be closed at once. */
void watch_destroy(struct watch *w);
/* Parks until readable (writable); 0 or -ETIMEDOUT. */
int watch_wait_readable(struct watch *w, nsec deadline);
int watch_wait_writable(struct watch *w, nsec deadline);
/* For backends: poll(2)'s bits. */
void watch_event(struct watch *w, unsigned events);

/*
 * Streams.  Each kind has its struct stream as first member.
 */
struct stream {
	unsigned magic;
	const struct stream_ops *ops;
	nsec read_timeout, write_timeout;
	struct addr local, peer;
};

struct stream_ops { /* as the functions of stream.h */
	ssize_t (*readv)(struct stream *s, const struct iovec *iov, int n);
	int (*wait_readable)(struct stream *s, nsec deadline);
	int (*writev)(struct stream *s, struct iovec *iov, int n);
	void (*abort)(struct stream *s);
	void (*shutdown_write)(struct stream *s);
	void (*close)(struct stream *s);
	int (*peer_uid)(const struct stream *s, uid_t *uid);
	/* Optional. */
	void (*set_keepalive)(struct stream *s, nsec interval, nsec patience);
	void (*acknowledge)(struct stream *s);
	nsec (*silence)(const struct stream *s);
};

struct listener {
	unsigned magic;
	const struct listener_ops *ops;
	struct addr addr;
};

struct listener_ops {
	int (*accept)(struct listener *l, struct stream **out);
	void (*cancel)(struct listener *l);
	void (*close)(struct listener *l);
};

struct net_ops {
	int (*connect)(const struct addr *to, const struct addr *local,
		       nsec deadline, struct stream **out);
	int (*listen)(const struct addr *at, struct listener **out);
};

extern const struct net_ops socket_net;

void stream_init(struct stream *s, const struct stream_ops *ops);
void listener_init(struct listener *l, const struct listener_ops *ops);

/* The bytes in iov. */
static inline size_t iov_len(const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

/* The part of iov that is left after `done` bytes: moves *iov and *n on. */
void iov_advance(struct iovec **iov, int *n, size_t done);

/*
 * Files, likewise.
 */
struct file {
	unsigned magic;
	const struct disk_ops *ops;
};

struct disk_ops { /* as the functions of file.h */
	int (*open)(const char *path, int flags, mode_t mode,
		    struct file **out);
	void (*close)(struct file *f);
	ssize_t (*pread)(struct file *f, void *buf, size_t len,
			 uint64_t offset);
	int (*pwritev)(struct file *f, struct iovec *iov, int n,
		       uint64_t offset);
	int (*sync)(struct file *f);
	void (*start_writeback)(struct file *f, uint64_t offset, uint64_t len);
	int (*truncate)(struct file *f, uint64_t size);
	int (*allocate)(struct file *f, int mode, uint64_t offset,
			uint64_t len);
	int64_t (*seek)(struct file *f, uint64_t offset, int whence);
	int (*size)(struct file *f, uint64_t *size, uint64_t *allocated);
	int (*alignment)(struct file *f, struct file_alignment *out);
	int (*lock)(struct file *f, bool exclusive);
	void (*submit)(struct file *f, struct file_request *q);
	int (*unlink)(const char *path);
	int (*rename)(const char *from, const char *to);
	int (*sync_dir)(const char *path);
};

extern const struct disk_ops real_disk;

void file_init(struct file *f, const struct disk_ops *ops);

/* On its reactor: has done() called in this turn or the next. */
void file_request_finish(struct file_request *q, ssize_t result);

/* A system call on a file that may block. */
struct disk_op {
	enum disk_call {
		DISK_READ,
		DISK_WRITE,
		DISK_SYNC,
		DISK_TRUNCATE,
		DISK_ALLOCATE,
		DISK_SEEK,
		DISK_CLOSE,
		DISK_OPEN,
		DISK_UNLINK,
		DISK_RENAME,
		DISK_SYNC_DIR,
	} call;
	int fd;
	int flags; /* of open; mode of allocate; whence of seek */
	mode_t mode;
	const struct iovec *iov;
	int n;
	uint64_t offset, len;
	const char *path, *to;
};

/* Makes the call here and now: a count, 0, or -errno. */
ssize_t disk_op_run(const struct disk_op *op);
/* Has a worker thread make it, and parks. */
ssize_t disk_op_offload(const struct disk_op *op);
/* backend_ops.disk_submit, by a worker thread. */
void disk_submit_offload(struct reactor *r, int fd, struct file_request *q);

#endif
