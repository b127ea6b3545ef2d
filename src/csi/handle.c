/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/handle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

bool handle_is_id(const char *text, const char *prefix)
{
	size_t at = strlen(prefix), digits;

	if (strncmp(text, prefix, at) != 0)
		return false;
	digits = strspn(text + at, "0123456789abcdef");
	return text[at + digits] == '\0' && digits >= 8 && digits <= 40;
}

/* Cuts the last component off. */
static void go_up(char *out)
{
	char *slash = strrchr(out, '/');

	if (slash != NULL)
		*slash = '\0';
}

int handle_clean_path(const char *path, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (; *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		if (len == 2 && strncmp(path, "..", 2) == 0) {
			go_up(out);
			used = strlen(out);
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			if (used + 1 + len >= size)
				return -EINVAL;
			used += sprintf(out + used, "/%.*s", (int)len, path);
		}
		path += len;
	}
	if (used == 0)
		strcpy(out, "/");
	return 0;
}

bool handle_path_holds(const char *root, const char *other)
{
	size_t len = strlen(root);

	if (strcmp(root, "/") == 0)
		return true;
	return strncmp(root, other, len) == 0 &&
	       (other[len] == '/' || other[len] == '\0');
}

/* The next field: up to a ':' or the end.  -EINVAL: it doesn't fit. */
static int next_field(const char **text, char *field, size_t size)
{
	size_t len = strcspn(*text, ":");

	if (len >= size)
		return -EINVAL;
	memcpy(field, *text, len);
	field[len] = '\0';
	*text += len;
	if (**text == ':')
		++*text;
	return 0;
}

static const char *skip_type(const char *text, bool *s3files)
{
	*s3files = strncmp(text, "s3files:", 8) == 0;
	if (*s3files)
		return text + 8;
	return strncmp(text, "efs:", 4) == 0 ? text + 4 : text;
}

int handle_parse(const char *text, struct handle *out)
{
	char path[HANDLE_PATH_SIZE];

	memset(out, 0, sizeof(*out));
	text = skip_type(text, &out->s3files);
	if (next_field(&text, out->fs, sizeof(out->fs)) < 0 ||
	    next_field(&text, path, sizeof(path)) < 0 ||
	    next_field(&text, out->point, sizeof(out->point)) < 0 ||
	    *text != '\0')
		return -EINVAL;
	if (!handle_is_id(out->fs, "fs-"))
		return -EINVAL;
	if (out->point[0] && !handle_is_id(out->point, "fsap-"))
		return -EINVAL;
	return handle_clean_path(path, out->path, sizeof(out->path));
}

const char *handle_format(const char *fs, const char *point,
			  char text[HANDLE_SIZE])
{
	snprintf(text, HANDLE_SIZE, "efs:%s::%s", fs, point);
	return text;
}
