/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting: what the kernel is told, and the table of its requests. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fuse/ops.h"

static void note_init(void *arg, const void *request, size_t size)
{
	init_note_request(arg, request, size);
}

static void reader(void *arg)
{
	struct mount *m = arg;
	int r;

	m->pump.buffers = &m->buffers;
	m->pump.note_init = note_init;
	m->pump.arg = m;
	r = pump_run(&m->pump);
	if (r < 0)
		log_error("%s: /dev/fuse: %s", m->options->mountpoint,
			  strerror(-r));
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
	int r;

	if (add_arguments(m->options, &args) == 0)
		m->fuse = fuse_session_new(&args, &table, sizeof(table), m);
	fuse_opt_free_args(&args);
	if (m->fuse == NULL)
		return -ENOMEM;
	if (fuse_session_mount(m->fuse, m->options->mountpoint) < 0)
		return -EIO; /* it has said why */
	m->pump.fuse = m->fuse;
	r = pump_prepare(&m->pump);
	return r < 0 ? r : init_intercept(m);
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
