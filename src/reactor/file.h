/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for tasks.  What is in the page cache is served at once; what is not
 * goes through io_uring, or a worker thread with epoll, while the task is
 * parked.  Any reactor may use a file, several tasks at once.
 *
 * Results are a count, 0, or -errno.
 */
#ifndef REACTOR_FILE_H
#define REACTOR_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/list.h"
#include "reactor/task.h"
#include "reactor/timer.h"
#include "reactor/workers.h"

struct file;

/* Flags and mode as openat(2); O_CLOEXEC is implied. */
int file_open(const char *path, int flags, mode_t mode, struct file **out);
void file_close(struct file *f); /* does not park for the data */

/* Short only at the end of the file. */
ssize_t file_pread(struct file *f, void *buf, size_t len, uint64_t offset);

/* Writes everything or fails: 0 or -errno.  Uses up iov. */
int file_pwritev(struct file *f, struct iovec *iov, int n, uint64_t offset);
int file_pwrite(struct file *f, const void *buf, size_t len, uint64_t offset);

/* On disk when it returns: the data, and what is needed to find them. */
int file_sync(struct file *f);
/* Has it written back soon, or not: waits for nothing, promises nothing. */
void file_start_writeback(struct file *f, uint64_t offset, uint64_t len);

int file_truncate(struct file *f, uint64_t size);
/* mode as fallocate(2): FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, … */
int file_allocate(struct file *f, int mode, uint64_t offset, uint64_t len);
/* whence: SEEK_DATA or SEEK_HOLE.  The offset, or -ENXIO beyond the end. */
int64_t file_seek(struct file *f, uint64_t offset, int whence);
/* Size and allocated bytes; either may be NULL.  Of a block device: how large
 * it is, twice. */
int file_size(struct file *f, uint64_t *size, uint64_t *allocated);

/*
 * For O_DIRECT: what memory addresses and lengths of memory, and offsets and
 * lengths in the file, have to be multiples of.  -EOPNOTSUPP: not known.
 */
struct file_alignment {
	uint32_t memory, offset;
};
int file_alignment(struct file *f, struct file_alignment *out);

/* So that nobody else who asks opens it: exclusively, or with others who share
 * it.  Until it is closed.  -EBUSY; 0 also where there are no locks. */
int file_lock(struct file *f, bool exclusive);

/*
 * For hot paths: without a task, and without a look into the page cache, which
 * with O_DIRECT would wait for the disk.  done() is called on the loop's stack,
 * in a later turn, with the result of preadv(2), pwritev(2) or fdatasync(2),
 * and must not park.  The request and its memory are the reactor's until then.
 */
struct file_request {
	enum { FILE_READ, FILE_WRITE, FILE_SYNC } call;
	bool durable; /* FILE_WRITE: on disk when it is done */
	struct file *file;
	const struct iovec *iov;
	int n;
	uint64_t offset;
	void (*done)(struct file_request *q, ssize_t result);

	/* The reactor's. */
	ssize_t result;
	struct reactor *reactor;
	struct list finished;
	struct message message;
	union {
		struct job job;
		struct timer timer;
	};
};
void file_submit(struct file_request *q);

/* Names.  file_sync_dir() makes what was done in a directory durable. */
int file_unlink(const char *path); /* 1; 0: there is no such file */
int file_rename(const char *from, const char *to);
int file_sync_dir(const char *path);

#endif
