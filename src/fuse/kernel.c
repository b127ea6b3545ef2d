/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between /dev/fuse and the tasks.
 *
 * One task reads requests; each then runs in a task of its own, in which
 * libfuse takes it apart and calls the function of the table below:
 *
 *	reader()             fuse_session_receive_buf()
 *	  dispatch()         a task and a buffer for it
 *	    request_task()   fuse_session_process_buf()
 *	      ll_write()     … nfs_pwrite() parks … op_reply()
 *
 * So a function may keep using what it was given (names, data) until it
 * returns.  Many requests are in progress at a time; the kernel has at most one
 * for each thread of an application, and a bounded number for all read-ahead,
 * write-back and asynchronous I/O (init.c).
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fuse/ops.h"
#include "reactor/fd.h"

struct request {
	struct mount *mount;
	struct buffer *buffer; /* used: the request's size */
};

static uint32_t opcode(const struct buffer *buffer)
{
	return ((const struct fuse_in_header *)buffer->data)->opcode;
}

static void process(struct mount *m, struct buffer *buffer)
{
	const struct fuse_buf buf = { .size = buffer->used,
				      .mem = buffer->data };

	if (opcode(buffer) == FUSE_INIT)
		init_note_request(m, buffer->data, buffer->used);
	fuse_session_process_buf(m->fuse, &buf);
}

static void request_task(void *arg)
{
	struct request *r = arg;

	process(r->mount, r->buffer);
	buffer_give(&r->mount->buffers, r->buffer);
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
static struct buffer *shrink(struct mount *m, struct buffer *buffer)
{
	struct buffer *small;

	if (buffer->used > BUFFER_SMALL)
		return buffer;
	small = buffer_take(&m->buffers, buffer->used);
	if (small == NULL)
		return buffer;
	small->used = buffer->used;
	memcpy(small->data, buffer->data, buffer->used);
	return small;
}

static int start_task(struct mount *m, struct buffer *buffer)
{
	struct request *r = malloc(sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct request){ m, buffer };
	err = task_spawn("request", request_task, r);
	if (err < 0)
		free(r);
	return err;
}

/* Uses the buffer up, or returns it for the next request. */
static struct buffer *dispatch(struct mount *m, struct buffer *buffer)
{
	struct buffer *own;

	if (is_immediate(buffer)) {
		process(m, buffer);
		return buffer;
	}
	own = shrink(m, buffer);
	if (start_task(m, own) < 0) {
		/* Short of memory: one after the other, then. */
		process(m, own);
		buffer_give(&m->buffers, own);
	}
	return own == buffer ? NULL : buffer;
}

/* One request into the buffer: its size; 0: the kernel has closed its end. */
static int receive(struct mount *m, struct buffer *buffer)
{
	struct fuse_buf buf = { .mem = buffer->data };
	int n;

	for (;;) {
		n = fuse_session_receive_buf(m->fuse, &buf);
		if (n != -EAGAIN && n != -EINTR)
			return n;
		n = fd_wait(fuse_session_fd(m->fuse), POLLIN, NSEC_NEVER);
		if (n < 0)
			return n;
	}
}

static void reader(void *arg)
{
	struct mount *m = arg;
	struct buffer *buffer = NULL;
	int n = 0;

	while (!m->ending) {
		if (buffer == NULL)
			buffer = buffer_take(&m->buffers, BUFFER_LARGE);
		if (buffer == NULL) {
			task_sleep(MSEC(10)); /* until a request has ended */
			continue;
		}
		n = receive(m, buffer);
		if (n <= 0 || m->ending)
			break;
		buffer->used = (size_t)n;
		buffer = dispatch(m, buffer);
		task_yield();
	}
	if (n < 0)
		log_error("%s: /dev/fuse: %s", m->options->mountpoint,
			  strerror(-n));
	if (buffer != NULL)
		buffer_give(&m->buffers, buffer);
	m->fuse_gone = true;
	waitq_wake_all(&m->gone);
}

static const struct fuse_lowlevel_ops table = {
	.init = ll_init,
	.lookup = ll_lookup,
	.forget = ll_forget,
	.forget_multi = ll_forget_multi,
	.getattr = ll_getattr,
	.setattr = ll_setattr,
	.readlink = ll_readlink,
	.mknod = ll_mknod,
	.mkdir = ll_mkdir,
	.unlink = ll_remove,
	.rmdir = ll_remove,
	.symlink = ll_symlink,
	.rename = ll_rename,
	.link = ll_link,
	.open = ll_open,
	.create = ll_create,
	.read = ll_read,
	.write = ll_write,
	.flush = ll_flush,
	.release = ll_release,
	.fsync = ll_fsync,
	.opendir = ll_opendir,
	.readdir = ll_readdir,
	.readdirplus = ll_readdirplus,
	.releasedir = ll_releasedir,
	.fsyncdir = ll_fsyncdir,
	.statfs = ll_statfs,
	.setxattr = ll_setxattr,
	.getxattr = ll_getxattr,
	.listxattr = ll_listxattr,
	.removexattr = ll_removexattr,
	.getlk = ll_getlk,
	.setlk = ll_setlk,
	.flock = ll_flock,
	.fallocate = ll_fallocate,
	.copy_file_range = ll_copy_file_range,
	.lseek = ll_lseek,
};

/* The kernel checks permissions before it asks, by mode and owner; the server
 * checks again. */
static int add_arguments(const struct mount_options *o, struct fuse_args *args)
{
	char text[512];
	char *options = NULL;
	int r;

	snprintf(text, sizeof(text),
		 "subtype=hawser,default_permissions,max_read=%d%s%s",
		 MOUNT_IO_MAX, o->allow_other ? ",allow_other" : "", o->kernel);
	r = fuse_opt_add_opt(&options, text);
	if (r == 0) {
		snprintf(text, sizeof(text), "fsname=%s", o->source);
		r = fuse_opt_add_opt_escaped(&options, text);
	}
	if (r == 0)
		r = fuse_opt_add_arg(args, "hawser") |
		    fuse_opt_add_arg(args, "-o") |
		    fuse_opt_add_arg(args, options);
	free(options);
	return r;
}

/* Mounting may park nobody: until the kernel's INIT has been answered, all
 * that touches the mount waits, but mount(2) itself doesn't. */
static int kernel_mount(struct mount *m)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int fd;

	if (add_arguments(m->options, &args) == 0)
		m->fuse = fuse_session_new(&args, &table, sizeof(table), m);
	fuse_opt_free_args(&args);
	if (m->fuse == NULL)
		return -ENOMEM;
	if (fuse_session_mount(m->fuse, m->options->mountpoint) < 0)
		return -EIO; /* it has said why */
	fd = fuse_session_fd(m->fuse);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	return init_intercept(m);
}

int kernel_start(struct mount *m)
{
	struct completion ready;
	int r;

	completion_init(&ready);
	m->ready = &ready;
	r = kernel_mount(m);
	if (r == 0)
		r = task_spawn("reader", reader, m);
	if (r == 0)
		r = task_spawn("interrupted", op_watch_interrupted, m);
	if (r == 0)
		r = task_spawn("behind", behind_task, m);
	if (r < 0)
		return r;
	return completion_wait(&ready);
}

void kernel_stop(struct mount *m)
{
	if (m->fuse == NULL)
		return;
	fuse_session_unmount(m->fuse);
	fuse_session_destroy(m->fuse);
	m->fuse = NULL;
}
