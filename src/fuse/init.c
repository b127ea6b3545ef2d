/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake with the kernel (INIT), and what it makes the kernel do.
 *
 * - It caches no writes, since it would take no size and times from the server
 *   then: behind.c does it.
 * - It doesn't drop pages on its own judgement, which goes by the time of
 *   change: cache.c does, by the change attribute.
 * - It does not truncate within OPEN: it sends a SETATTR, which the server
 *   answers with the new attributes.
 * - It leaves it to the server to clear set-id bits (HANDLE_KILLPRIV_V2).
 *   Otherwise a write by somebody who isn't the owner would begin with a
 *   chmod that he isn't allowed, and any write with a question for a security
 *   attribute.
 * - Files opened past the page cache can be mapped all the same
 *   (DIRECT_IO_ALLOW_MMAP); those are all that are opened for appending.
 *
 * libfuse 3.14 knows the last two from neither side.  So its reply to INIT,
 * the first thing that it ever writes, passes through here on its way.
 */
#include <linux/fuse.h>
#include <sys/uio.h>

#include "fuse/ops.h"

#ifndef FUSE_DIRECT_IO_ALLOW_MMAP /* Linux 6.6 */
#define FUSE_DIRECT_IO_ALLOW_MMAP (1ULL << 36)
#endif

enum { BACKGROUND_MAX = 256, BUSY_FROM = 192 };

void ll_init(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *m = userdata;

	conn->want &= ~(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_AUTO_INVAL_DATA |
			FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_HANDLE_KILLPRIV);
	conn->want |= conn->capable &
		      (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS |
		       FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO);
	conn->max_write = MOUNT_IO_MAX;
	conn->max_read = MOUNT_IO_MAX;
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = BUSY_FROM;
	conn->time_gran = 1;
	completion_done(m->ready, 0);
}

void init_note_request(struct mount *m, const void *request, size_t size)
{
	const struct fuse_init_in *in =
		(const void *)((const struct fuse_in_header *)request + 1);

	if (size < sizeof(struct fuse_in_header) + sizeof(*in))
		return; /* from before Linux 5.17 */
	m->offered = in->flags;
	if (in->flags & FUSE_INIT_EXT)
		m->offered |= (uint64_t)in->flags2 << 32;
}

static void add_flags(const struct mount *m, struct fuse_init_out *out)
{
	uint64_t want = FUSE_HANDLE_KILLPRIV_V2 | FUSE_DIRECT_IO_ALLOW_MMAP;

	want &= m->offered;
	if (want >> 32)
		want |= FUSE_INIT_EXT;
	out->flags |= (uint32_t)want;
	out->flags2 |= (uint32_t)(want >> 32);
}

static ssize_t write_to_kernel(int fd, struct iovec *iov, int n, void *userdata)
{
	struct mount *m = userdata;
	const struct fuse_out_header *header = iov[0].iov_base;

	if (!m->init_answered && n > 1 && header->error == 0 &&
	    iov[1].iov_len >= sizeof(struct fuse_init_out))
		add_flags(m, iov[1].iov_base);
	m->init_answered = true;
	return writev(fd, iov, n);
}

static ssize_t read_from_kernel(int fd, void *buf, size_t len, void *userdata)
{
	return read(fd, buf, len);
}

int init_intercept(struct mount *m)
{
	static const struct fuse_custom_io io = {
		.writev = write_to_kernel,
		.read = read_from_kernel,
	};

	return fuse_session_custom_io(m->fuse, &io, fuse_session_fd(m->fuse));
}
