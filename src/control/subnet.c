/* SPDX-License-Identifier: Apache-2.0 */
#include "control/subnet.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/util.h"

/* The bytes of an IP address, in network order; 0 bytes if it is none. */
static size_t ip_bytes(const struct addr *a, const uint8_t **bytes)
{
	switch (a->len ? a->sa.sa_family : AF_UNSPEC) {
	case AF_INET:
		*bytes = (const uint8_t *)&a->in.sin_addr;
		return sizeof(a->in.sin_addr);
	case AF_INET6:
		*bytes = (const uint8_t *)&a->in6.sin6_addr;
		return sizeof(a->in6.sin6_addr);
	default:
		return 0;
	}
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

static bool host_bits_zero(const uint8_t *ip, size_t len, unsigned prefix)
{
	for (unsigned bit = prefix; bit < len * 8; bit++)
		if (ip[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

/* Any key does, as long as it never changes. */
static void make_id(struct subnet *s)
{
	static const struct siphash_key high = { 1, 0 }, low = { 2, 0 };
	size_t len = strlen(s->cidr);

	snprintf(s->id, sizeof(s->id), "subnet-%01x%016llx",
		 (unsigned)(siphash24(&high, s->cidr, len) & 0xf),
		 (unsigned long long)siphash24(&low, s->cidr, len));
}

/* "10.1.0.0/16"; without a range, if it may be, the address alone. */
static int parse(struct subnet *s, const char *cidr, bool alone)
{
	const char *slash = strchr(cidr, '/');
	char text[ADDR_TEXT_MAX], *end;
	const uint8_t *ip;
	size_t len;

	memset(s, 0, sizeof(*s));
	len = slash ? (size_t)(slash - cidr) : strlen(cidr);
	if ((slash == NULL && !alone) || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, cidr, len);
	text[len] = '\0';
	if (addr_parse(&s->network, text, 0) < 0 || addr_port(&s->network) != 0)
		return -EINVAL;
	len = ip_bytes(&s->network, &ip);
	s->prefix = len * 8;
	if (slash == NULL)
		return len ? 0 : -EINVAL;
	s->prefix = strtoul(slash + 1, &end, 10);
	if (len == 0 || slash[1] < '0' || slash[1] > '9' || *end != '\0' ||
	    s->prefix > len * 8)
		return -EINVAL;
	return 0;
}

int subnet_init(struct subnet *s, const char *cidr, const char *zone)
{
	char text[ADDR_TEXT_MAX];
	const uint8_t *ip;
	size_t len;

	if (zone[0] == '\0' || strlen(zone) >= sizeof(s->zone) ||
	    parse(s, cidr, false) < 0)
		return -EINVAL;
	len = ip_bytes(&s->network, &ip);
	if (!host_bits_zero(ip, len, s->prefix))
		return -EINVAL;
	snprintf(s->cidr, sizeof(s->cidr), "%.48s/%u",
		 addr_format_host(&s->network, text), s->prefix);
	strcpy(s->zone, zone);
	make_id(s);
	return 0;
}

int subnet_around(struct subnet *s, const char *address)
{
	char text[ADDR_TEXT_MAX];
	const uint8_t *ip;
	uint8_t *bytes;
	size_t len;

	if (parse(s, address, true) < 0)
		return -EINVAL;
	len = ip_bytes(&s->network, &ip);
	bytes = (uint8_t *)ip;
	for (unsigned bit = s->prefix; bit < len * 8; bit++)
		bytes[bit / 8] &= ~(0x80 >> bit % 8);
	snprintf(s->cidr, sizeof(s->cidr), "%.48s/%u",
		 addr_format_host(&s->network, text), s->prefix);
	return 0;
}

bool subnet_contains(const struct subnet *s, const struct addr *a)
{
	const uint8_t *net, *ip;
	size_t len = ip_bytes(a, &ip);

	return len != 0 && len == ip_bytes(&s->network, &net) &&
	       same_prefix(net, ip, s->prefix);
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
	return a->prefix <= b->prefix ? subnet_contains(a, &b->network)
				      : subnet_contains(b, &a->network);
}

static bool is_loopback_range(const struct subnet *s)
{
	return s->network.sa.sa_family == AF_INET && s->prefix >= 8 &&
	       ntohl(s->network.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Without the range's own address and the last one, as usual in IPv4. */
static int loopback_addresses(const struct subnet *s, struct addr **out)
{
	uint32_t base = ntohl(s->network.in.sin_addr.s_addr);
	uint32_t size = 1U << (32 - s->prefix);
	uint32_t first = size > 2, n = size > 2 ? size - 2 : size;
	struct addr *list;

	n = MIN(n, (uint32_t)SUBNET_LOOPBACK_MAX);
	list = calloc(n, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		list[i] = s->network;
		list[i].in.sin_addr.s_addr = htonl(base + first + i);
	}
	*out = list;
	return n;
}

static bool from_interface(struct addr *a, const struct ifaddrs *i)
{
	if (i->ifa_addr == NULL)
		return false;
	memset(a, 0, sizeof(*a));
	switch (i->ifa_addr->sa_family) {
	case AF_INET:
		memcpy(&a->in, i->ifa_addr, a->len = sizeof(a->in));
		a->in.sin_port = 0;
		return true;
	case AF_INET6:
		memcpy(&a->in6, i->ifa_addr, a->len = sizeof(a->in6));
		a->in6.sin6_port = 0;
		return true;
	default:
		return false;
	}
}

static int interface_addresses(const struct subnet *s, struct addr **out)
{
	struct ifaddrs *all, *i;
	struct addr *list, a;
	int n = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (i = all; i != NULL; i = i->ifa_next)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (list == NULL) {
		freeifaddrs(all);
		return -ENOMEM;
	}
	n = 0;
	for (i = all; i != NULL; i = i->ifa_next)
		if (from_interface(&a, i) && subnet_contains(s, &a))
			list[n++] = a;
	freeifaddrs(all);
	*out = list;
	return n;
}

int subnet_local_addresses(const struct subnet *s, struct addr **out)
{
	return is_loopback_range(s) ? loopback_addresses(s, out)
				    : interface_addresses(s, out);
}
