/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/pump.h"

#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <string.h>

#include "reactor/fd.h"
#include "reactor/task.h"

struct request {
	struct pump *pump;
	struct buffer *buffer; /* used: the request's size */
};

static uint32_t opcode(const struct buffer *buffer)
{
	return ((const struct fuse_in_header *)buffer->data)->opcode;
}

static void process(struct pump *p, struct buffer *buffer)
{
	const struct fuse_buf buf = { .size = buffer->used,
				      .mem = buffer->data };

	if (opcode(buffer) == FUSE_INIT && p->note_init != NULL)
		p->note_init(p->arg, buffer->data, buffer->used);
	fuse_session_process_buf(p->fuse, &buf);
}

static void request_task(void *arg)
{
	struct request *r = arg;

	process(r->pump, r->buffer);
	buffer_give(r->pump->buffers, r->buffer);
	free(r);
}

/* Requests that never park, and belong before those that come after them. */
static bool is_immediate(const struct buffer *buffer)
{
	switch (opcode(buffer)) {
	case FUSE_INIT:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return true;
	default:
		return false;
	}
}

/* A small request moves to a small buffer, so that the large one that it was
 * read into can take the next. */
static struct buffer *shrink(struct pump *p, struct buffer *buffer)
{
	struct buffer *small;

	if (buffer->used > BUFFER_SMALL)
		return buffer;
	small = buffer_take(p->buffers, buffer->used);
	if (small == NULL)
		return buffer;
	small->used = buffer->used;
	memcpy(small->data, buffer->data, buffer->used);
	return small;
}

static int start_task(struct pump *p, struct buffer *buffer)
{
	struct request *r = malloc(sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct request){ p, buffer };
	err = task_spawn("request", request_task, r);
	if (err < 0)
		free(r);
	return err;
}

/* Uses the buffer up, or returns it for the next request. */
static struct buffer *dispatch(struct pump *p, struct buffer *buffer)
{
	struct buffer *own;

	if (is_immediate(buffer)) {
		process(p, buffer);
		return buffer;
	}
	own = shrink(p, buffer);
	if (start_task(p, own) < 0) {
		/* Short of memory: one after the other, then. */
		process(p, own);
		buffer_give(p->buffers, own);
	}
	return own == buffer ? NULL : buffer;
}

/* One request into the buffer: its size; 0: the kernel has closed its end. */
static int receive(struct pump *p, struct buffer *buffer)
{
	struct fuse_buf buf = { .mem = buffer->data };
	int n;

	for (;;) {
		n = fuse_session_receive_buf(p->fuse, &buf);
		if (n != -EAGAIN && n != -EINTR)
			return n;
		n = fd_wait(fuse_session_fd(p->fuse), POLLIN, NSEC_NEVER);
		if (n < 0)
			return n;
	}
}

int pump_prepare(struct pump *p)
{
	int fd = fuse_session_fd(p->fuse);

	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno
								       : 0;
}

int pump_run(struct pump *p)
{
	struct buffer *buffer = NULL;
	int n = 0;

	while (!p->stop) {
		if (buffer == NULL)
			buffer = buffer_take(p->buffers, BUFFER_LARGE);
		if (buffer == NULL) {
			task_sleep(MSEC(10)); /* until a request has ended */
			continue;
		}
		n = receive(p, buffer);
		if (n <= 0 || p->stop)
			break;
		buffer->used = (size_t)n;
		buffer = dispatch(p, buffer);
		task_yield();
	}
	if (buffer != NULL)
		buffer_give(p->buffers, buffer);
	return MIN(n, 0);
}
