/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock_diag(7) lists sockets and, since Linux 4.5, closes them.  It does not
 * say which are the kernel's own; those of processes are the ones that some
 * process has open.
 */
#include "pathd/sockets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"

enum { BUFFER_SIZE = 32768 };

/* Bits by the numbers of TCP's states. */
static const uint32_t state_bits[] = {
	[SOCKETS_CONNECTED] = 1 << 1,  /* ESTABLISHED */
	[SOCKETS_CONNECTING] = 1 << 2, /* SYN_SENT */
};

#ifndef SOCK_DESTROY
#define SOCK_DESTROY 21
#endif

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static int send_request(int fd, uint16_t type, uint16_t flags, int family,
			uint32_t states, const struct inet_diag_sockid *id)
{
	struct request r = {
		.head = { .nlmsg_len = sizeof(r),
			  .nlmsg_type = type,
			  .nlmsg_flags = NLM_F_REQUEST | flags },
		.body = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = states,
			  .id = *id },
	};

	return send(fd, &r, sizeof(r), 0) < 0 ? -errno : 0;
}

static bool goes_there(const struct inet_diag_msg *m, const struct addr *to)
{
	if (m->id.idiag_dport != htobe16(addr_port(to)))
		return false;
	if (to->sa.sa_family == AF_INET)
		return memcmp(m->id.idiag_dst, &to->in.sin_addr, 4) == 0;
	return memcmp(m->id.idiag_dst, &to->in6.sin6_addr, 16) == 0;
}

/* True: that was the last one. */
static bool take_message(struct sockets *s, const struct nlmsghdr *h, int *rc)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
		return true;
	if (!goes_there(m, &s->to))
		return false;
	if (s->n == SOCKETS_MAX) {
		*rc = -E2BIG;
		return true;
	}
	s->found[s->n].id = m->id;
	s->found[s->n++].inode = m->idiag_inode;
	return false;
}

/* The kernel leaves out those with another port. */
static int ask_for_all(int fd, enum sockets_state state,
		       const struct sockets *s)
{
	const struct inet_diag_sockid id = {
		.idiag_dport = htobe16(addr_port(&s->to)),
		.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};

	return send_request(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
			    s->to.sa.sa_family, state_bits[state], &id);
}

static int list_all(int fd, enum sockets_state state, struct sockets *s)
{
	_Alignas(struct nlmsghdr) static __thread char buf[BUFFER_SIZE];
	int r = ask_for_all(fd, state, s), end = 0;

	while (r == 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)buf;

		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			if (take_message(s, h, &end))
				return end;
	}
	return r;
}

static void strike_out(struct sockets *s, unsigned long inode)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->found[i].inode == inode)
			s->found[i--] = s->found[--s->n];
}

static void strike_out_those_of(struct sockets *s, const char *pid)
{
	char path[64], text[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		ssize_t n =
			readlinkat(dirfd(d), e->d_name, text, sizeof(text) - 1);

		if (n <= 0)
			continue;
		text[n] = '\0';
		if (strncmp(text, "socket:[", 8) == 0)
			strike_out(s, strtoul(text + 8, NULL, 10));
	}
	if (d != NULL)
		closedir(d);
}

static int strike_out_those_of_processes(struct sockets *s)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	if (d == NULL)
		return -errno;
	while (s->n > 0 && (e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			strike_out_those_of(s, e->d_name);
	closedir(d);
	return 0;
}

/* One that is gone by now is -ENOENT, and as good. */
static int destroy(int fd, int family, const struct inet_diag_sockid *id)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;
	int r = send_request(fd, SOCK_DESTROY, NLM_F_ACK, family, ~0U, id);

	if (r < 0)
		return r;
	if (recv(fd, &answer, sizeof(answer), MSG_TRUNC) < 0)
		return -errno;
	if (answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error == -ENOENT ? 0 : answer.error.error;
}

static int open_diag(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

int sockets_list(const struct addr *to, enum sockets_state state,
		 struct sockets *s)
{
	auto_close int fd = open_diag();
	int r;

	s->to = *to;
	s->n = 0;
	r = fd < 0 ? fd : list_all(fd, state, s);
	return r < 0 ? r : strike_out_those_of_processes(s);
}

/* The kernel gives each socket a cookie that no other gets. */
uint64_t sockets_fingerprint(const struct sockets *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->n; i++) {
		const uint32_t *cookie = s->found[i].id.idiag_cookie;

		sum += hash_u64((uint64_t)cookie[1] << 32 | cookie[0]);
	}
	return s->n == 0 ? 0 : sum | 1;
}

int sockets_close(const struct sockets *s)
{
	auto_close int fd = open_diag();
	int r = fd < 0 ? fd : 0;

	for (unsigned i = 0; r == 0 && i < s->n; i++)
		r = destroy(fd, s->to.sa.sa_family, &s->found[i].id);
	return r;
}
