/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/nvme.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { NVME_PORT = 4420, TEXT_SIZE = 512 };

/* A file of one line, without its end. */
static bool read_line(int dir, const char *name, char text[TEXT_SIZE])
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_SIZE - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* "traddr=10.77.0.1,trsvcid=4420,src_addr=10.77.0.2" */
static bool parse_address(const char *text, struct addr *out)
{
	char host[64] = "", bracketed[66];
	const char *service = strstr(text, "trsvcid=");
	unsigned port = NVME_PORT;

	if (sscanf(text, "traddr=%63[^,]", host) != 1)
		return false;
	if (service != NULL)
		port = strtoul(service + 8, NULL, 10);
	if (port == 0 || port > UINT16_MAX)
		return false;
	if (strchr(host, ':') == NULL)
		return addr_parse(out, host, port) == 0;
	snprintf(bracketed, sizeof(bracketed), "[%s]", host);
	return addr_parse(out, bracketed, port) == 0;
}

static bool read_ctrl(int dir, struct ctrl_seen *c)
{
	char text[TEXT_SIZE];

	if (!read_line(dir, "transport", text) || strcmp(text, "tcp") != 0)
		return false;
	/* Discovery controllers are nobody's path.  Before Linux 5.19 there is
	 * no such file. */
	if (read_line(dir, "cntrltype", text) && strcmp(text, "io") != 0)
		return false;
	if (!read_line(dir, "address", text) || !parse_address(text, &c->addr))
		return false;
	if (!read_line(dir, "state", text))
		return false;
	c->live = strcmp(text, "live") == 0;
	if (!read_line(dir, "subsysnqn", text))
		return false;
	return snprintf(c->subsystem, sizeof(c->subsystem), "%s", text) <
	       (int)sizeof(c->subsystem);
}

static struct ctrl_seen *next_entry(struct nvme_list *list)
{
	unsigned size = MAX(2 * list->size, 16u);
	struct ctrl_seen *grown;

	if (list->n == list->size) {
		if (list->n >= CTRLS_MAX)
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

static int add_ctrl(struct nvme_list *list, int dir, const char *name)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct ctrl_seen *c = next_entry(list);

	if (c == NULL)
		return -ENOMEM;
	if (fd < 0 || strlen(name) >= sizeof(c->name) || !read_ctrl(fd, c))
		return 0; /* none of ours, or just coming or going */
	strcpy(c->name, name);
	list->n++;
	return 0;
}

int nvme_list(const char *dir, struct nvme_list *list)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	memset(list, 0, sizeof(*list));
	if (d == NULL)
		return -errno;
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "nvme", 4) == 0)
			r = add_ctrl(list, dirfd(d), e->d_name);
	closedir(d);
	return r;
}

void nvme_list_fini(struct nvme_list *list)
{
	free(list->seen);
}
