/* SPDX-License-Identifier: Apache-2.0 */
/* The side that asks, without a reactor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "status/status.h"

void status_directory(char out[PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0 || runtime == NULL)
		runtime = "/run";
	snprintf(out, PATH_MAX, "%s/hawser", runtime);
}

void status_path(const char *kind, char out[PATH_MAX])
{
	size_t len;

	status_directory(out);
	len = strlen(out);
	snprintf(out + len, PATH_MAX - len, "/volume-%s-%d.sock", kind,
		 (int)getpid());
}

int status_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

json_t *status_ask(const char *path)
{
	static const struct timeval patience = { .tv_sec = 3 };
	auto_close int fd = status_connect(path);
	json_t *report;
	FILE *f;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, "paths\n", 6, MSG_NOSIGNAL) != 6)
		return NULL;
	f = fdopen(dup(fd), "r");
	if (f == NULL)
		return NULL;
	report = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(f);
	return report;
}
