/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "fuse/mountpoint.h"
#include "status/status.h"

static int ready_fd = -1; /* the daemon's end of the pipe */
static int lock_fd = -1;  /* keeps others from mounting there meanwhile */
static enum log_level told_log_level;

static const char *command;

static int refuse(const char *mountpoint, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", command, mountpoint, why);
	return -1;
}

/* Whether a daemon is behind the socket, and not just dying: one that is killed
 * still accepts connections for a moment, but answers none.  One that is only
 * slow counts as there. */
static bool daemon_answers(const char *socket)
{
	static const struct timeval patience = { .tv_sec = 3 };
	auto_close int fd = status_connect(socket);
	char byte;
	ssize_t n;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, "paths\n", 6, MSG_NOSIGNAL) != 6)
		return false;
	n = recv(fd, &byte, 1, 0);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* A daemon that died left its mount behind: nobody can use it, or mount over
 * it. */
static int clean_mountpoint(const char *mountpoint)
{
	char socket[PATH_MAX];
	int r;

	if (mountpoint_is_ours(mountpoint) != 1)
		return 0;
	mountpoint_socket(mountpoint, socket);
	if (daemon_answers(socket))
		return refuse(mountpoint, "already mounted");
	r = mountpoint_unmount(mountpoint, true);
	return r < 0 ? refuse(mountpoint, strerror(-r)) : 0;
}

/* First of all the lock: one that is just mounting has no socket yet, and would
 * count as dead. */
int daemon_claim(const char *who, const char *mountpoint, mode_t type)
{
	struct stat st;

	command = who;
	lock_fd = mountpoint_lock(mountpoint);
	if (lock_fd == -EWOULDBLOCK)
		return refuse(mountpoint, "somebody else is mounting there");
	if (clean_mountpoint(mountpoint) < 0)
		return -1;
	if (stat(mountpoint, &st) < 0)
		return refuse(mountpoint, strerror(errno));
	if ((st.st_mode & S_IFMT) != type)
		return refuse(mountpoint, type == S_IFDIR
						  ? strerror(ENOTDIR)
						  : "not a regular file");
	return 0;
}

/* A descriptor for log lines: journald's (systemd-journald.service(8)), which
 * takes them with the priority in front; elsewhere they are lost. */
static int open_log(void)
{
	static const char header[] = "hawser-mount\n\n6\n1\n0\n0\n0\n";
	int fd = status_connect("/run/systemd/journal/stdout");

	if (fd >= 0 && write(fd, header, strlen(header)) > 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* The mount is usable: lets the command return, and goes on without it.  false:
 * the command was interrupted. */
static bool daemon_ready(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open_log();
	bool told = write(ready_fd, "", 1) == 1;

	mountpoint_unlock(lock_fd);
	log_level = told_log_level;
	close(ready_fd);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(null);
	close(log);
	return told;
}

static bool foreground_ready(void)
{
	mountpoint_unlock(lock_fd);
	return true;
}

/* The daemon's exit status, should it end before it is ready. */
static int wait_for_daemon(pid_t pid, int fd)
{
	char byte;
	int status;

	if (read(fd, &byte, 1) == 1)
		return EXIT_SUCCESS;
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		fprintf(stderr, "%s: the daemon died: %s\n", command,
			strsignal(WTERMSIG(status)));
	return EXIT_FAILURE;
}

static int run_here(daemon_fn *run, const void *arg, bool (*ready)(void))
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Memory that we ask for must not wait for pages that only we can
	 * write back.  Needs a right that not everybody has. */
	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	return run(arg, ready);
}

static int run_daemon(daemon_fn *run, const void *arg)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		fprintf(stderr, "%s: %s\n", command, strerror(errno));
		return EXIT_FAILURE;
	}
	if (pid > 0) {
		close(fds[1]);
		return wait_for_daemon(pid, fds[0]);
	}
	close(fds[0]);
	ready_fd = fds[1];
	/* Until it is usable, whoever called wants to know one thing. */
	told_log_level = log_level;
	if (log_level < LOG_DEBUG)
		log_level = LOG_ERROR;
	setsid();
	if (chdir("/") < 0)
		return EXIT_FAILURE;
	return run_here(run, arg, daemon_ready);
}

int daemon_run(const char *who, bool foreground, daemon_fn *run,
	       const void *arg)
{
	command = who;
	return foreground ? run_here(run, arg, foreground_ready)
			  : run_daemon(run, arg);
}
