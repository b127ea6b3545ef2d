/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/host.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"

enum { ARGUMENTS_MAX = 32, RUN_TIMEOUT_S = 60 };

static int whole_path(const struct connect_host *h, char out[PATH_MAX],
		      const char *path, va_list args)
{
	int n = snprintf(out, PATH_MAX, "%s", h->root);

	n += vsnprintf(out + n, PATH_MAX - n, path, args);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;
	int rc;

	line[0] = '\0';
	if (f == NULL)
		return -errno;
	errno = 0;
	rc = fgets(line, (int)size, f) == NULL && errno != 0 ? -errno : 0;
	fclose(f);
	n = strlen(line);
	while (n > 0 && strchr(" \t\r\n", line[n - 1]) != NULL)
		n--;
	line[n] = '\0';
	return rc;
}

int connect_read(const struct connect_host *h, char *line, size_t size,
		 const char *path, ...)
{
	char whole[PATH_MAX];
	va_list args;
	int rc;

	va_start(args, path);
	rc = whole_path(h, whole, path, args);
	va_end(args);
	return rc < 0 ? rc : read_line(whole, line, size);
}

void connect_read_or_empty(const struct connect_host *h, char *line,
			   size_t size, const char *path, ...)
{
	char whole[PATH_MAX];
	va_list args;

	line[0] = '\0';
	va_start(args, path);
	if (whole_path(h, whole, path, args) == 0)
		read_line(whole, line, size);
	va_end(args);
}

bool connect_exists(const struct connect_host *h, const char *path, ...)
{
	char whole[PATH_MAX];
	va_list args;
	int rc;

	va_start(args, path);
	rc = whole_path(h, whole, path, args);
	va_end(args);
	return rc == 0 && access(whole, F_OK) == 0;
}

unsigned connect_list(const struct connect_host *h, const char *path,
		      bool (*want)(const char *name),
		      char (*out)[CONNECT_DEVICE_SIZE], unsigned most)
{
	char whole[PATH_MAX];
	struct dirent **entries;
	unsigned taken = 0;
	int n;

	snprintf(whole, sizeof(whole), "%s%s", h->root, path);
	n = scandir(whole, &entries, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (taken < most && name[0] != '.' &&
		    strlen(name) < CONNECT_DEVICE_SIZE && want(name))
			strcpy(out[taken++], name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return taken;
}

static int say(const char *const *argv, int rc, const char *said,
	       char text[CONNECT_TEXT])
{
	const char *last = strrchr(said, '\n');

	if (rc < 0)
		return refuse_with(text, rc, "%s: %s", argv[0],
				   rc == -ENOENT ? "no such program"
						 : strerror(-rc));
	return refuse_with(text, -EIO, "%s %s: %.180s", argv[0],
			   argv[1] ? argv[1] : "",
			   last	     ? last + 1
			   : said[0] ? said
				     : "it failed");
}

int connect_run(struct connect_host *h, char text[CONNECT_TEXT],
		const char *program, ...)
{
	const char *argv[ARGUMENTS_MAX + 1] = { program };
	auto_free char *said = malloc(CONNECT_OUTPUT);
	unsigned n = 1;
	va_list args;
	int rc;

	if (said == NULL)
		return -ENOMEM;
	va_start(args, program);
	while (n < ARGUMENTS_MAX &&
	       (argv[n] = va_arg(args, const char *)) != NULL)
		n++;
	va_end(args);
	argv[n] = NULL;
	rc = h->ops->run(h, argv, RUN_TIMEOUT_S, said, CONNECT_OUTPUT);
	return rc == 0 ? 0 : say(argv, rc, said, text);
}
