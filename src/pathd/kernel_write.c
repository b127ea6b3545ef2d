/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/kernel_write.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "reactor/fd.h"
#include "reactor/reactor.h"

/* In the child of a process with threads: system calls, and nothing else. */
static _Noreturn void write_and_exit(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(errno & 0xff);
	_exit(0);
}

static int start(const char *file, const char *text, pid_t *pid)
{
	int process;

	*pid = fork();
	if (*pid == 0)
		write_and_exit(file, text);
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

static void wait_for_end(int process, pid_t pid, const char *file, nsec timeout)
{
	if (fd_wait(process, POLLIN, nsec_after(reactor_now(), timeout)) > 0)
		return;
	kill(pid, SIGKILL);
	if (fd_wait(process, POLLIN, nsec_after(reactor_now(), SEC(5))) > 0)
		return;
	log_error("%s: a write hangs in the kernel, and can't be killed", file);
	fd_wait(process, POLLIN, NSEC_NEVER);
}

int kernel_write(const char *file, const char *text, nsec timeout)
{
	pid_t pid;
	auto_close int process = start(file, text, &pid);

	if (process >= 0)
		wait_for_end(process, pid, file, timeout);
	else if (pid > 0)
		kill(pid, SIGKILL);
	return pid > 0 ? reap(pid) : process;
}
