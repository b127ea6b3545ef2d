/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of the daemon.  It has no orderly end: it may be killed at any
 * moment, so a signal to stop just ends it.  Transports that are away stay
 * there, and work; the next pathd brings them back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/notify.h"
#include "pathd/internal.h"
#include "pathd/record.h"
#include "reactor/fd.h"
#include "reactor/reactor.h"
#include "status/status.h"

/* Few calls block, and each thread's stack is locked in memory. */
enum { WORKERS = 4 };

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static void in_directory(const char *name, char out[PATH_MAX])
{
	char directory[PATH_MAX];

	status_directory(directory);
	if (snprintf(out, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
		out[0] = '\0';
}

void pathd_socket(char out[PATH_MAX])
{
	in_directory("pathd", out);
}

/* Two of them would undo what the other does.  The lock goes with the process.
 */
static int claim(void)
{
	char path[PATH_MAX];
	int fd;

	status_directory(path);
	mkdir(path, 0755);
	in_directory("pathd.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	log_error("another hawser pathd runs");
	close(fd);
	return -EBUSY;
}

/* When memory is short because files that are mounted can't be written back,
 * what gets them going again must not wait for memory. */
static void stay_in_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_debug("mlockall: %s", strerror(errno));
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0)
		log_debug("PR_SET_IO_FLUSHER: %s", strerror(errno));
}

static void on_signal(void *arg)
{
	sigset_t *set = arg;

	signal_wait(set);
	notify("STOPPING=1");
	_exit(EXIT_SUCCESS);
}

static int prepare(struct pathd *p)
{
	int r;

	if (snprintf(p->sunrpc, sizeof(p->sunrpc), "%s/kernel/sunrpc",
		     p->options.sysfs) >= (int)sizeof(p->sunrpc) ||
	    snprintf(p->nvme, sizeof(p->nvme), "%s/class/nvme",
		     p->options.sysfs) >= (int)sizeof(p->nvme))
		return -ENAMETOOLONG;
	in_directory("pathd.away", p->records);
	r = record_open(p->records);
	if (r < 0)
		log_error("%s: %s", p->records, strerror(-r));
	return r;
}

static void run(void *arg)
{
	struct pathd *p = arg;
	struct status *status;
	char socket[PATH_MAX];
	int r = pathd_scan(p);

	if (r < 0)
		_exit(EXIT_FAILURE);
	pathd_socket(socket);
	r = status_start(socket, pathd_report, p, &status);
	if (r < 0)
		log_warn("%s: %s", socket, strerror(-r));
	notify("READY=1");
	if (p->options.discover > 0)
		task_spawn("discover", pathd_discoverer, p);
	pathd_scanner(p);
}

int pathd_serve(const struct pathd_options *options)
{
	static struct pathd p;
	static sigset_t set;
	struct reactor_options ro = { .workers = WORKERS, .max_poll = -1 };
	struct reactor *r;
	int rc = claim();

	if (rc < 0)
		return rc;
	p.options = *options;
	targets_init(&p.targets);
	trunks_init(&p.trunks, &p.targets);
	ctrls_init(&p.ctrls, &p.targets);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	stay_in_memory();
	rc = prepare(&p);
	if (rc == 0)
		rc = reactor_create(&ro, &r);
	if (rc < 0)
		return rc;
	reactor_spawn(r, "signals", on_signal, &set);
	reactor_spawn(r, "pathd", run, &p);
	reactor_run(r);
	return 0;
}
