/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an attached file:
 *
 *	start   the volume is opened, the file mounted, INIT answered
 *	serve   until the kernel closes its end (somebody has unmounted it), or
 *	        a signal asks us to unmount
 *	end     requests finish, the volume is closed
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attach/internal.h"
#include "base/log.h"
#include "fuse/mountpoint.h"
#include "reactor/fd.h"

/* What waits for paths when it is unmounted gets so long. */
#define GRACE SEC(10)

struct run {
	struct attach attach;
	struct reactor *reactor;
	bool (*ready)(void);
	bool signals_end;
	int status;
};

static void complain(const struct attach *a, const char *why)
{
	fprintf(stderr, "hawser attach: %s: %s\n", a->options->file, why);
}

static void pump_task(void *arg)
{
	struct attach *a = arg;
	int rc = pump_run(&a->pump);

	if (rc < 0)
		log_error("%s: /dev/fuse: %s", a->options->file, strerror(-rc));
	a->gone = true;
	waitq_wake_all(&a->changed);
}

static int mount_file(struct attach *a)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	const struct attach_options *o = a->options;
	struct completion ready;
	char text[128];
	int rc;

	snprintf(text, sizeof(text),
		 "subtype=hawser,fsname=volume,default_permissions,max_read=%d"
		 "%s%s",
		 ATTACH_IO_MAX, o->allow_other ? ",allow_other" : "",
		 o->read_only ? ",ro" : "");
	if (fuse_opt_add_arg(&args, "hawser") == 0 &&
	    fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, text) == 0)
		a->fuse = fuse_session_new(&args, &attach_ops,
					   sizeof(attach_ops), a);
	fuse_opt_free_args(&args);
	if (a->fuse == NULL)
		return -ENOMEM;
	if (fuse_session_mount(a->fuse, o->file) < 0)
		return -EIO; /* it has said why */
	completion_init(&ready);
	a->ready = &ready;
	a->pump.fuse = a->fuse;
	a->pump.buffers = &a->buffers;
	rc = pump_prepare(&a->pump);
	if (rc == 0)
		rc = task_spawn("pump", pump_task, a);
	return rc < 0 ? rc : completion_wait(&ready);
}

static int start(struct attach *a)
{
	char text[VOLUME_TEXT], socket[PATH_MAX];
	int rc = volume_open(&a->options->volume, &a->volume, text);

	if (rc < 0) {
		complain(a, text);
		return rc;
	}
	rc = mount_file(a);
	if (rc < 0) {
		complain(a, strerror(-rc));
		return rc;
	}
	mountpoint_socket(a->options->file, socket);
	volume_announce(a->volume, a->options->file, socket);
	return 0;
}

/* ------------------------------------------------------------------- the end
 */

static int unmount_file(void *arg)
{
	const struct attach *a = arg;

	return mountpoint_unmount(a->options->file, true);
}

static void on_signal(void *arg)
{
	struct run *run = arg;
	struct attach *a = &run->attach;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal_wait(&set);
	if (a->volume == NULL && a->fuse == NULL && !a->gone) {
		complain(a, "interrupted");
		_exit(EXIT_FAILURE);
	}
	if (!a->gone && offload(unmount_file, a) < 0)
		log_warn("%s: cannot unmount", a->options->file);
	run->signals_end = true;
	waitq_wake_all(&a->changed);
}

static bool finish_requests(struct attach *a)
{
	nsec until = reactor_now() + GRACE;

	while (a->ops > 0 && reactor_now() < until)
		waitq_wait(&a->changed, until);
	if (a->ops > 0)
		log_error("%s: %u requests still wait for a path; given up",
			  a->options->file, a->ops);
	return a->ops == 0;
}

/* Nothing but a signal ends the wait for one. */
static void end_signals(struct run *run)
{
	if (!run->signals_end)
		kill(getpid(), SIGTERM);
	while (!run->signals_end)
		waitq_wait(&run->attach.changed, NSEC_NEVER);
}

/* False: requests are left, and the process just ends. */
static bool end(struct run *run)
{
	struct attach *a = &run->attach;

	a->pump.stop = true;
	if (!finish_requests(a))
		return false;
	if (a->fuse != NULL) {
		fuse_session_unmount(a->fuse);
		fuse_session_destroy(a->fuse);
	}
	a->gone = true;
	end_signals(run);
	if (a->volume != NULL)
		volume_close(a->volume);
	buffers_fini(&a->buffers);
	return true;
}

static void attach_task(void *arg)
{
	struct run *run = arg;
	struct attach *a = &run->attach;
	int rc = task_spawn("signals", on_signal, run);

	run->signals_end = rc < 0;
	if (rc == 0)
		rc = start(a);
	if (rc == 0) {
		if (!run->ready())
			kill(getpid(), SIGTERM); /* nobody wants it any more */
		while (!a->gone)
			waitq_wait(&a->changed, NSEC_NEVER);
	}
	if (!end(run))
		_exit(EXIT_FAILURE);
	run->status = rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	reactor_stop(run->reactor);
}

int attach_serve(const void *options, bool (*ready)(void))
{
	static struct run run = { .status = EXIT_FAILURE };
	int rc;

	run.ready = ready;
	run.attach.options = options;
	buffers_init(&run.attach.buffers);
	waitq_init(&run.attach.changed);
	clock_gettime(CLOCK_REALTIME, &run.attach.since);
	rc = reactor_create(&(struct reactor_options){}, &run.reactor);
	if (rc == 0)
		rc = reactor_spawn(run.reactor, "attach", attach_task, &run);
	if (rc < 0) {
		complain(&run.attach, strerror(-rc));
		return EXIT_FAILURE;
	}
	reactor_run(run.reactor);
	reactor_destroy(run.reactor);
	return run.status;
}
