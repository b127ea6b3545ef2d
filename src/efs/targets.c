/* SPDX-License-Identifier: Apache-2.0 */
#include "efs/targets.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/percent.h"

enum {
	INTERFACES_MAX = 256,
	MARKER_SIZE = 1024,
	PAGES_MAX = 100, /* a service that pages for ever */
};

/* ----------------------------------------------------------------- the API */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool parse_target(const json_t *from, struct path_candidate *out)
{
	const char *address = text_of(from, "IpAddress");

	if (*address == '\0')
		address = text_of(from, "Ipv6Address");
	snprintf(out->zone, sizeof(out->zone), "%s",
		 text_of(from, "AvailabilityZoneName"));
	return strcmp(text_of(from, "LifeCycleState"), "available") == 0 &&
	       addr_parse(&out->address, address, 0) == 0;
}

/* One page from `marker` on ("": the first), which becomes the next one's. */
static int ask_page(struct aws_client *aws, const char *fs,
		    char marker[MARKER_SIZE], json_t **body,
		    struct aws_error *why)
{
	char path[3 * MARKER_SIZE + 200], encoded[3 * MARKER_SIZE + 1];
	int r;

	percent_encode(encoded, marker, strlen(marker), "");
	snprintf(path, sizeof(path),
		 "/2015-02-01/mount-targets?FileSystemId=%.64s%s%s", fs,
		 marker[0] ? "&Marker=" : "", encoded);
	r = aws_rest(aws, "elasticfilesystem", "GET", path, NULL, body, why);
	snprintf(marker, MARKER_SIZE, "%s", text_of(*body, "NextMarker"));
	return r;
}

int targets_list(struct aws_client *aws, const char *fs,
		 struct path_candidate *list, size_t max, size_t *n,
		 struct aws_error *why)
{
	char marker[MARKER_SIZE] = "";
	int r, pages = 0;

	*n = 0;
	do {
		json_t *body = NULL, *targets;

		r = ask_page(aws, fs, marker, &body, why);
		targets = json_object_get(body, "MountTargets");
		for (size_t i = 0; r == 0 && i < json_array_size(targets); i++)
			if (*n < max &&
			    parse_target(json_array_get(targets, i), &list[*n]))
				++*n;
		json_decref(body);
	} while (r == 0 && marker[0] && ++pages < PAGES_MAX);
	return r;
}

/* -------------------------------------------------------------------- names */

int targets_resolve(const char *name, struct path_candidate *list, size_t max,
		    char err[TARGETS_TEXT_SIZE])
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	size_t n = 0;
	int r = getaddrinfo(name, NULL, &hints, &found);

	if (r != 0) {
		snprintf(err, TARGETS_TEXT_SIZE, "%.255s: %s", name,
			 gai_strerror(r));
		return r == EAI_AGAIN ? -EAGAIN : -EHOSTUNREACH;
	}
	for (const struct addrinfo *i = found; i && n < max; i = i->ai_next) {
		memset(&list[n], 0, sizeof(list[n]));
		memcpy(&list[n].address.sa, i->ai_addr, i->ai_addrlen);
		list[n++].address.len = i->ai_addrlen;
	}
	freeaddrinfo(found);
	return (int)n;
}

/* --------------------------------------------------------------- interfaces */

static unsigned prefix_of(const struct sockaddr *mask)
{
	const uint8_t *bytes;
	size_t size;
	unsigned bits = 0;

	if (mask == NULL)
		return 0;
	if (mask->sa_family == AF_INET) {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)mask)
				->sin_addr;
		size = 4;
	} else {
		bytes = ((const struct sockaddr_in6 *)mask)->sin6_addr.s6_addr;
		size = 16;
	}
	for (size_t i = 0; i < size; i++)
		bits += __builtin_popcount(bytes[i]);
	return bits;
}

static bool take_interface(const struct ifaddrs *from,
			   struct path_interface *out)
{
	int family = from->ifa_addr ? from->ifa_addr->sa_family : AF_UNSPEC;

	if (!(from->ifa_flags & IFF_UP) || (from->ifa_flags & IFF_LOOPBACK) ||
	    (family != AF_INET && family != AF_INET6))
		return false;
	memset(out, 0, sizeof(*out));
	out->index = if_nametoindex(from->ifa_name);
	out->address.len = family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
	memcpy(&out->address.sa, from->ifa_addr, out->address.len);
	out->prefix = prefix_of(from->ifa_netmask);
	return true;
}

/* getifaddrs() asks the kernel by netlink. */
static size_t find_interfaces(struct path_interface *list, size_t max)
{
	struct ifaddrs *all = NULL;
	size_t n = 0;

	if (getifaddrs(&all) < 0) {
		log_warn("the interfaces of this host can't be listed: %s",
			 strerror(errno));
		return 0;
	}
	for (const struct ifaddrs *i = all; i && n < max; i = i->ifa_next)
		n += take_interface(i, &list[n]);
	freeifaddrs(all);
	return n;
}

/* ------------------------------------------------------------------- choice */

size_t targets_keep_zone(struct path_candidate *list, size_t n,
			 const char *zone)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].zone, zone) == 0)
			list[kept++] = list[i];
	return kept;
}

size_t targets_choose(const char *zone, size_t limit,
		      struct path_candidate *list, size_t n)
{
	struct path_interface interfaces[INTERFACES_MAX];
	struct path_host host = { .zone = zone, .interfaces = interfaces };

	host.n_interfaces = find_interfaces(interfaces, INTERFACES_MAX);
	return path_select(&host, limit, list, n);
}
