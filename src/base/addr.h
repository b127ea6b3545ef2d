/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network address as a value: IPv4, IPv6 or UNIX.  The text forms are
 * "192.0.2.1:2049", "[2001:db8::1]:2049" and "unix:/run/x.sock"; a host alone
 * takes the default port.  Names are not resolved here.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t len; /* of the member in use; 0: no address */
};

enum { ADDR_TEXT_MAX = sizeof(struct sockaddr_un) + 8 };

/* 0 or -EINVAL. */
int addr_parse(struct addr *a, const char *text, uint16_t default_port);

/* With port; returns buf. */
const char *addr_format(const struct addr *a, char buf[ADDR_TEXT_MAX]);
/* Without port and brackets. */
const char *addr_format_host(const struct addr *a, char buf[ADDR_TEXT_MAX]);

bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);
/* Of a host itself: another one's is none of ours. */
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);	  /* 0.0.0.0, [::] */
uint16_t addr_port(const struct addr *a); /* 0 for UNIX */
void addr_set_port(struct addr *a, uint16_t port);

#endif
