/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"

struct running {
	pid_t pid;
	int process; /* pidfd */
	int output;  /* -1: it has ended */
	char *text;
	size_t used, size;
};

/* The child has no descriptor of ours, and no signal blocked. */
static int spawn(const char *const *argv, int output, pid_t *pid)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	r = posix_spawnp(pid, argv[0], &actions, &attributes, (char **)argv,
			 environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(struct running *c, const char *const *argv)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* O_NONBLOCK is the reader's alone. */
	fcntl(fds[1], F_SETFL, 0);
	r = spawn(argv, fds[1], &c->pid);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	c->output = fds[0];
	c->process = syscall(SYS_pidfd_open, c->pid, 0);
	return 0;
}

/* What does not fit is read all the same: the child must not wait for us. */
static void take_output(struct running *c)
{
	char rest[512];
	ssize_t n;

	do {
		size_t room = c->size - 1 - c->used;

		n = read(c->output, room ? c->text + c->used : rest,
			 room ? room : sizeof(rest));
		if (n > 0 && room)
			c->used += n;
	} while (n > 0);
	if (n < 0 && errno == EAGAIN)
		return;
	close(c->output);
	c->output = -1;
}

static int ms_until(const struct timespec *end)
{
	struct timespec now;
	long long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (end->tv_sec - now.tv_sec) * 1000LL +
	     (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

/* false: time is up. */
static bool wait_for_exit(struct running *c, int timeout_s)
{
	struct timespec end;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_s;
	for (;;) {
		struct pollfd fds[] = { { c->process, POLLIN, 0 },
					{ c->output, POLLIN, 0 } };

		n = poll(fds, 2, ms_until(&end));
		if (n == 0)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0 && fds[1].revents && c->output >= 0)
			take_output(c);
		if (n > 0 && fds[0].revents)
			return true;
	}
}

static void end_text(struct running *c)
{
	while (c->used > 0 && c->text[c->used - 1] == '\n')
		c->used--;
	c->text[c->used] = '\0';
}

static int finish(struct running *c, bool in_time)
{
	int status = 0;

	if (!in_time)
		kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (c->output >= 0)
		take_output(c);
	if (c->output >= 0)
		close(c->output);
	if (c->process >= 0)
		close(c->process);
	end_text(c);
	if (!in_time)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int command_run(const char *const *argv, int timeout_s, char *text, size_t size)
{
	struct running c = { .text = text, .size = size };
	int r;

	text[0] = '\0';
	r = start(&c, argv);
	return r < 0 ? r : finish(&c, wait_for_exit(&c, timeout_s));
}
