/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "reactor/reactor.h"

struct key_file {
	const char *path;
	char *key; /* of KEYFILE_SIZE bytes; NULL: only look */
	char text[256];
};

__attribute__((format(printf, 3, 4))) static int complain(struct key_file *f,
							  int error,
							  const char *format,
							  ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return error;
}

static int check_file(struct key_file *f, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return complain(f, -errno, "Key file %.160s: %s", f->path,
				strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(f, -EPERM, "Key file %.160s is not a file",
				f->path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return complain(f, -EPERM,
				"Invalid permissions for key file '%.160s': "
				"0%o; 0600 is needed",
				f->path, (unsigned)st.st_mode & 07777);
	if (st.st_uid != geteuid())
		return complain(f, -EPERM, "Key file %.160s is somebody else's",
				f->path);
	return 0;
}

static int read_text(struct key_file *f, int fd)
{
	ssize_t n = read(fd, f->key, KEYFILE_SIZE - 1);

	if (n <= 0 || n == KEYFILE_SIZE - 1)
		return complain(f, -EINVAL, "Key file %.160s holds no key",
				f->path);
	f->key[n] = '\0';
	f->key[strcspn(f->key, "\r\n")] = '\0';
	return 0;
}

/* On a worker thread. */
static int open_file(void *arg)
{
	struct key_file *f = arg;
	auto_close int fd = -1;
	int r;

	if (f->path[0] != '/')
		return complain(f, -EPERM,
				"The path of a key file is absolute, not "
				"'%.160s'",
				f->path);
	fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return complain(f, -errno, "Key file %.160s: %s", f->path,
				strerror(errno));
	r = check_file(f, fd);
	return r == 0 && f->key != NULL ? read_text(f, fd) : r;
}

int keyfile_read(const char *path, char *key, char text[256])
{
	struct key_file f = { .path = path, .key = key };
	int r = offload(open_file, &f);

	if (r < 0)
		memcpy(text, f.text, sizeof(f.text));
	return r;
}
