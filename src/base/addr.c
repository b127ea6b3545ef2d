/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static int parse_unix(struct addr *a, const char *path)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(a->un.sun_path))
		return -EINVAL;
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, len + 1);
	a->len = offsetof(struct sockaddr_un, sun_path) + len + 1;
	return 0;
}

static int parse_port(const char *text, uint16_t *port)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > 65535)
		return -EINVAL;
	*port = n;
	return 0;
}

static int parse_host(struct addr *a, const char *host)
{
	if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->len = sizeof(a->in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->len = sizeof(a->in6);
		return 0;
	}
	return -EINVAL;
}

int addr_parse(struct addr *a, const char *text, uint16_t port)
{
	char host[INET6_ADDRSTRLEN + 1];
	const char *end, *colon;
	size_t len;

	memset(a, 0, sizeof(*a));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(a, text + 5);

	colon = strrchr(text, ':');
	if (text[0] == '[') {
		end = strchr(++text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') == colon) {
		end = colon;
	} else { /* a bare host, IPv6 with its many colons included */
		end = text + strlen(text);
		colon = NULL;
	}
	len = end - text;
	if (len >= sizeof(host) ||
	    (colon != NULL && parse_port(colon + 1, &port) != 0))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (parse_host(a, host) != 0)
		return -EINVAL;
	addr_set_port(a, port);
	return 0;
}

const char *addr_format_host(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	buf[0] = '\0';
	if (a->len == 0)
		strcpy(buf, "none");
	else if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, buf, INET_ADDRSTRLEN);
	else if (a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, INET6_ADDRSTRLEN);
	else
		stpcpy(stpcpy(buf, "unix:"), a->un.sun_path);
	return buf;
}

const char *addr_format(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	bool v6 = a->len != 0 && a->sa.sa_family == AF_INET6;
	size_t n;

	buf[0] = '[';
	addr_format_host(a, buf + v6);
	n = strlen(buf);
	if (a->len != 0 && a->sa.sa_family != AF_UNIX)
		snprintf(buf + n, ADDR_TEXT_MAX - n, v6 ? "]:%u" : ":%u",
			 addr_port(a));
	return buf;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	if (a->len != b->len || a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->len == 0)
		return true;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
			      sizeof(a->in6.sin6_addr)) == 0;
	default:
		return strcmp(a->un.sun_path, b->un.sun_path) == 0;
	}
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_is_any(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

uint16_t addr_port(const struct addr *a)
{
	if (a->len != 0 && a->sa.sa_family == AF_INET)
		return ntohs(a->in.sin_port);
	if (a->len != 0 && a->sa.sa_family == AF_INET6)
		return ntohs(a->in6.sin6_port);
	return 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (a->len != 0 && a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->len != 0 && a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}
