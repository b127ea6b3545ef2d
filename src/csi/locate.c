/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/locate.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "csi/internal.h"

enum { INTERFACES_MAX = 256 };

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

/* ---------------------------------------------------------------- addresses */

static int fail(char err[MOUNTER_TEXT_SIZE], int r, const char *format,
		const char *a, const char *b)
{
	snprintf(err, MOUNTER_TEXT_SIZE, format, a, b);
	return r;
}

/* The service has no API that answers: names may do.  How many, or -errno. */
static int by_name(struct csi *csi, const char *fs, const char *why,
		   struct path_candidate *out, char err[MOUNTER_TEXT_SIZE])
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char name[EFS_ID_SIZE + 128];
	int r;

	snprintf(name, sizeof(name), "%s.efs.%s.amazonaws.com", fs,
		 efs_region(csi->efs));
	r = getaddrinfo(name, NULL, &hints, &found);
	if (r != 0) {
		snprintf(err, MOUNTER_TEXT_SIZE,
			 "the mount targets of %s are not known: %s; and %s: "
			 "%s",
			 fs, why, name, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	memset(out, 0, sizeof(*out));
	memcpy(&out->address.sa, found->ai_addr, found->ai_addrlen);
	out->address.len = found->ai_addrlen;
	freeaddrinfo(found);
	return 1;
}

static size_t keep_zone(struct path_candidate *list, size_t n, const char *zone)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].zone, zone) == 0)
			list[kept++] = list[i];
	return kept;
}

static void say_why_single(const struct handle *h, const char *why)
{
	log_warn("%s: multipathing is asked for, but %s: a single mount target "
		 "is used, and what it tells of",
		 h->fs, why);
}

static size_t choose(struct csi *csi, const struct locate_wish *wish,
		     struct path_candidate *list, size_t n)
{
	struct path_interface interfaces[INTERFACES_MAX];
	struct path_host host = { .zone = csi->options->zone,
				  .interfaces = interfaces };
	size_t limit = wish->multipathing ? wish->max_targets : 1;

	host.n_interfaces = find_interfaces(interfaces, INTERFACES_MAX);
	if (limit == 0 || limit > LOCATE_MAX)
		limit = LOCATE_MAX;
	return path_select(&host, limit, list, n);
}

static int by_api(struct csi *csi, const struct handle *h,
		  const struct locate_wish *wish, struct path_candidate *list,
		  char err[MOUNTER_TEXT_SIZE])
{
	char zone[PATH_ZONE_SIZE];
	struct efs_error error;
	size_t n;

	if (efs_targets(csi->efs, h->fs, list, PATH_SELECT_MAX, &n, &error) <
	    0) {
		if (efs_not_found(&error))
			return fail(err, -ENOENT, "%s%s", error.text, "");
		if (wish->multipathing)
			say_why_single(h, error.text);
		return by_name(csi, h->fs, error.text, list, err);
	}
	if (n == 0)
		return fail(err, -EHOSTUNREACH,
			    "%s has no mount target that is available%s", h->fs,
			    "");
	if (locate_flag(wish, "az", zone, sizeof(zone)))
		n = keep_zone(list, n, zone);
	if (n == 0)
		return fail(err, -EHOSTUNREACH,
			    "%s has no mount target in zone %s", h->fs, zone);
	n = choose(csi, wish, list, n);
	if (wish->multipathing && n == 1 && wish->max_targets != 1)
		say_why_single(h, "it has one mount target");
	return (int)n;
}

static int given(const struct handle *h, const struct locate_wish *wish,
		 const char *text, struct path_candidate *out,
		 char err[MOUNTER_TEXT_SIZE])
{
	memset(out, 0, sizeof(*out));
	if (addr_parse(&out->address, text, 0) < 0)
		return fail(err, -EINVAL, "mounttargetip %s is no address%s",
			    text, "");
	if (wish->multipathing)
		say_why_single(h, "mounttargetip names one");
	return 1;
}

/* How many; 0: the options say it; or -errno. */
static int find_addresses(struct csi *csi, const struct handle *h,
			  const struct locate_wish *wish,
			  struct path_candidate *list,
			  char err[MOUNTER_TEXT_SIZE])
{
	char value[ADDR_TEXT_MAX];

	if (locate_flag(wish, "addr", value, sizeof(value)))
		return 0;
	if (locate_flag(wish, "mounttargetip", value, sizeof(value)))
		return given(h, wish, value, list, err);
	if (wish->address != NULL)
		return given(h, wish, wish->address, list, err);
	return by_api(csi, h, wish, list, err);
}

/* The name by which the kernel's table shows whose mount it is. */
static void set_source(const struct handle *h, char *out)
{
	if (h->point[0] == '\0')
		sprintf(out, "%s:%s", h->fs, h->path);
	else
		sprintf(out, "%s:/%s%s", h->fs, h->point,
			h->path[1] ? h->path : "");
}

int locate(struct csi *csi, const struct handle *h,
	   const struct locate_wish *wish, struct mount_spec *out,
	   char err[MOUNTER_TEXT_SIZE])
{
	static const struct locate_wish nothing;
	struct path_candidate list[PATH_SELECT_MAX];
	int n;

	if (wish == NULL)
		wish = &nothing;
	set_source(h, out->source);
	out->read_only = wish->read_only;
	n = find_addresses(csi, h, wish, list, err);
	if (n < 0)
		return n;
	if (locate_options(wish, list, n, out->options, sizeof(out->options)) <
	    0)
		return fail(err, -E2BIG, "too many mount options%s%s", "", "");
	return 0;
}
