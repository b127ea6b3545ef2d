/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "reactor/fd.h"
#include "reactor/reactor.h"

/* In the child of a process with threads: system calls, and nothing else.
 * 0 or an errno. */
struct call {
	int (*make)(const struct call *c);
	const char *file; /* or mount point */
	const char *text;
	const struct kernel_relief *relief;
};

/* It must not keep our lock when we are killed. */
static _Noreturn void child_main(const struct call *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	_exit(c->make(c) & 0xff);
}

static int start(const struct call *c, pid_t *pid)
{
	int process;

	*pid = fork();
	if (*pid == 0)
		child_main(c);
	if (*pid < 0)
		return -errno;
	process = syscall(SYS_pidfd_open, *pid, 0);
	return process < 0 ? -errno : process;
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ETIMEDOUT;
}

static bool ends(int process, nsec timeout)
{
	return fd_wait(process, POLLIN, nsec_after(reactor_now(), timeout)) > 0;
}

static void wait_for_end(int process, pid_t pid, const struct call *c,
			 nsec timeout)
{
	if (c->relief != NULL) {
		if (ends(process, KERNEL_PATIENCE))
			return;
		offload(c->relief->give, c->relief->arg);
	}
	if (ends(process, timeout))
		return;
	kill(pid, SIGKILL);
	if (ends(process, SEC(5)))
		return;
	log_error("%s: a call hangs in the kernel, and can't be killed",
		  c->file);
	fd_wait(process, POLLIN, NSEC_NEVER);
}

static int make(const struct call *c, nsec timeout)
{
	pid_t pid;
	auto_close int process = start(c, &pid);

	if (process >= 0)
		wait_for_end(process, pid, c, timeout);
	else if (pid > 0)
		kill(pid, SIGKILL);
	return pid > 0 ? reap(pid) : process;
}

/* ------------------------------------------------------------- the calls */

static int write_text(const struct call *c)
{
	int fd = open(c->file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, c->text, strlen(c->text)) < 0)
		return errno;
	return 0;
}

int kernel_write(const char *file, const char *text, nsec timeout,
		 const struct kernel_relief *relief)
{
	const struct call c = { write_text, file, text, relief };

	return make(&c, timeout);
}

/* As mount -o remount, but all options stay as they are, but for one. */
static int rediscover(const struct call *c)
{
	int fs =
		fspick(AT_FDCWD, c->file, FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);

	if (fs < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "trunkdiscovery", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return errno;
	return 0;
}

int kernel_discover(const char *mountpoint, nsec timeout)
{
	const struct call c = { rediscover, mountpoint };

	return make(&c, timeout);
}
