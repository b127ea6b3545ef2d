/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* So that the command finds the programs that belong to this one. */
static void put_own_folder_in_path(void)
{
	const char *old = getenv("PATH");
	char path[PATH_MAX + 4096];
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s:%s", exe,
			     old ? old : "/usr/bin:/bin") < sizeof(path))
		setenv("PATH", path, 1);
}

pid_t child_start(const char *command, const struct child_variable *variables)
{
	const char *argv[] = { "sh", "-c", command, NULL };
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int error;

	for (; variables->name; variables++)
		setenv(variables->name, variables->value, 1);
	put_own_folder_in_path();
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(&pid, "/bin/sh", NULL, &attr, (char **)argv,
			    environ);
	posix_spawnattr_destroy(&attr);
	return error ? -error : pid;
}

bool child_ended(pid_t pid, int *status)
{
	int s;

	if (waitpid(pid, &s, WNOHANG) != pid)
		return false;
	*status = WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s);
	return true;
}
