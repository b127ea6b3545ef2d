/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/sunrpc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { NFS_PORT = 2049, TEXT_SIZE = 1024 };

/* A small file, as text. */
static int read_text(int dir, const char *name, char text[TEXT_SIZE])
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_SIZE - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static int read_address(int dir, uint16_t port, struct addr *out)
{
	char text[TEXT_SIZE], bracketed[TEXT_SIZE + 2];
	int r = read_text(dir, "dstaddr", text);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strchr(text, ':') == NULL)
		return addr_parse(out, text, port);
	snprintf(bracketed, sizeof(bracketed), "[%s]", text);
	return addr_parse(out, bracketed, port);
}

/* The number behind "name=" in lines of such. */
static unsigned number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* Only what is connected tells its port, and how much waits for an answer. */
static int read_transport(int dir, struct trunk_seen *s)
{
	char info[TEXT_SIZE];
	uint16_t port = 0;
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	s->inode = st.st_ino;
	s->connected = read_text(dir, "xprt_info", info) == 0;
	if (s->connected) {
		s->pending = number(info, "\npending_q_len=");
		port = number(info, "\ndst_port=");
	}
	return read_address(dir, port, &s->addr);
}

static struct trunk_seen *next_entry(struct sunrpc_list *list)
{
	unsigned size = MAX(2 * list->size, 16u);
	struct trunk_seen *grown;

	if (list->n == list->size) {
		if (list->n >= TRANSPORTS_MAX)
			return NULL;
		grown = reallocarray(list->seen, size, sizeof(*grown));
		if (grown == NULL)
			return NULL;
		list->seen = grown;
		list->size = size;
	}
	memset(&list->seen[list->n], 0, sizeof(list->seen[0]));
	return &list->seen[list->n];
}

static bool is_tcp(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, "xprt-", 5) == 0 && len > 4 &&
	       strcmp(name + len - 4, "-tcp") == 0;
}

static int add_transport(struct sunrpc_list *list, int dir, const char *trunk,
			 const char *name)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct trunk_seen *s = next_entry(list);
	int n;

	if (s == NULL)
		return -ENOMEM;
	n = snprintf(s->name, sizeof(s->name), "%s/%s", trunk, name);
	if (fd < 0 || n >= (int)sizeof(s->name) || read_transport(fd, s) < 0)
		return 0; /* it is just coming or going */
	memcpy(s->trunk, s->name, strlen(trunk)); /* the entry is all 0 */
	list->n++;
	return 0;
}

/* A transport that is not connected has the port of the others. */
static void guess_ports(struct trunk_seen *s, unsigned n)
{
	uint16_t port = NFS_PORT;

	for (unsigned i = 0; i < n; i++)
		if (addr_port(&s[i].addr) != 0)
			port = addr_port(&s[i].addr);
	for (unsigned i = 0; i < n; i++)
		if (addr_port(&s[i].addr) == 0) {
			addr_set_port(&s[i].addr, port);
			s[i].guessed = true;
		}
}

static int add_trunk(struct sunrpc_list *list, int dir, const char *trunk)
{
	int fd = openat(dir, trunk, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned first = list->n;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (is_tcp(e->d_name))
			r = add_transport(list, fd, trunk, e->d_name);
	closedir(d);
	if (r == 0)
		guess_ports(list->seen + first, list->n - first);
	return r;
}

int sunrpc_list(const char *dir, struct sunrpc_list *list)
{
	char path[PATH_MAX];
	struct dirent *e;
	int r = 0;
	DIR *d;

	memset(list, 0, sizeof(*list));
	snprintf(path, sizeof(path), "%s/xprt-switches", dir);
	d = opendir(path);
	if (d == NULL)
		return -errno;
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "switch-", 7) == 0)
			r = add_trunk(list, dirfd(d), e->d_name);
	closedir(d);
	return r;
}

void sunrpc_list_fini(struct sunrpc_list *list)
{
	free(list->seen);
}

int sunrpc_read(const char *dir, const char *transport, uint16_t port,
		struct trunk_seen *out)
{
	char path[PATH_MAX];
	auto_close int fd = -1;
	int r;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%s/xprt-switches/%s", dir, transport);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : read_transport(fd, out);
	if (r == 0 && addr_port(&out->addr) == 0)
		addr_set_port(&out->addr, port);
	return r;
}

void sunrpc_address_file(const char *dir, const char *transport,
			 char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/xprt-switches/%s/dstaddr", dir, transport);
}
