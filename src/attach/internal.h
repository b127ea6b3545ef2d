/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of attach/ share.
 *
 *	main.c	 the command line
 *	serve.c  from the attaching to the end
 *	ops.c	 requests for the file
 */
#ifndef ATTACH_INTERNAL_H
#define ATTACH_INTERNAL_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "fuse/pump.h"
#include "reactor/reactor.h"
#include "volume/volume.h"

enum { ATTACH_IO_MAX = 1 << 20 };

struct attach_options {
	struct volume_options volume;
	char file[PATH_MAX]; /* absolute */
	bool foreground, read_only, allow_other, no_create;
};

/* One reactor's; a task for each request. */
struct attach {
	const struct attach_options *options;
	struct volume *volume;
	struct fuse_session *fuse;
	struct buffers buffers;
	struct pump pump;
	struct timespec since; /* its times */
	unsigned ops;	       /* requests in progress */
	struct waitq changed;  /* ops, gone */
	struct completion *ready;
	bool gone; /* the kernel has closed its end */
};

/* ops.c */
extern const struct fuse_lowlevel_ops attach_ops;

/* serve.c: the exit status, as daemon_fn. */
int attach_serve(const void *options, bool (*ready)(void));

#endif
