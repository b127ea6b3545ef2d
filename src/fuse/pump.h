/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between /dev/fuse and the tasks.
 *
 * One task reads requests; each then runs in a task of its own, in which
 * libfuse takes it apart and calls the function of the owner's table:
 *
 *	pump_run()           fuse_session_receive_buf()
 *	  dispatch()         a task and a buffer for it
 *	    request_task()   fuse_session_process_buf()
 *	      ll_write()     … nfs_pwrite() parks … op_reply()
 *
 * So a function may keep using what it was given (names, data) until it
 * returns.  Many requests are in progress at a time; the kernel has at most one
 * for each thread of an application, and a bounded number for all read-ahead,
 * write-back and asynchronous I/O (INIT).
 */
#ifndef FUSE_PUMP_H
#define FUSE_PUMP_H

#include <stdbool.h>

#include "fuse/buffer.h"

struct fuse_session;

struct pump {
	struct fuse_session *fuse;
	struct buffers *buffers;
	bool stop; /* no more requests are taken */
	/* Sees the kernel's INIT as it is; may be NULL. */
	void (*note_init)(void *arg, const void *request, size_t size);
	void *arg;
};

/* Makes the session's descriptor ready for it: 0 or -errno. */
int pump_prepare(struct pump *p);
/* Parks until the kernel has closed its end (0), or -errno. */
int pump_run(struct pump *p);

#endif
