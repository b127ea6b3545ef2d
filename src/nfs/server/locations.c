/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs_locations (RFC 8881 11.16): one location, the root, on all the published
 * addresses.  A client that sees several knows that it may trunk over them.
 *
 * A server is written as its address; with a port other than 2049 as a
 * universal address (RFC 5665: the port as two decimal bytes behind it), which
 * is how the RFC says a port is given.
 */
#include <errno.h>
#include <stdio.h>

#include "nfs/server/internal.h"
#include "nfs/server/locations.h"

struct nfsd_locations {
	size_t n;
	struct location {
		char text[ADDR_TEXT_MAX + 8];
	} servers[];
};

static void format(const struct addr *a, struct location *l)
{
	char host[ADDR_TEXT_MAX];
	unsigned port = addr_port(a);

	addr_format_host(a, host);
	if (port == NFS4_PORT)
		snprintf(l->text, sizeof(l->text), "%s", host);
	else
		snprintf(l->text, sizeof(l->text), "%s.%u.%u", host, port >> 8,
			 port & 255);
}

int nfs_server_publish(struct nfs_server *srv, const struct addr *addrs,
		       size_t n)
{
	struct nfsd_locations *new, *old;

	new = malloc(sizeof(*new) + n * sizeof(new->servers[0]));
	if (new == NULL)
		return -ENOMEM;
	new->n = n;
	for (size_t i = 0; i < n; i++)
		format(&addrs[i], &new->servers[i]);
	pthread_mutex_lock(&srv->locations_lock);
	old = srv->locations;
	srv->locations = new;
	pthread_mutex_unlock(&srv->locations_lock);
	free(old);
	return 0;
}

static bool copy(const struct nfsd_locations *l, struct arena *arena,
		 fs_location4 *out)
{
	out->server = arena_calloc(arena, l->n, sizeof(out->server[0]));
	if (out->server == NULL)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const char *text = l->servers[i].text;
		char *own = arena_strndup(arena, text, strlen(text));

		if (own == NULL)
			return false;
		out->server[i] = xdr_text(own);
	}
	out->nserver = l->n;
	return true;
}

bool nfsd_locations_get(struct nfs_server *srv, struct arena *arena,
			fs_locations4 *out)
{
	fs_location4 *location = arena_zalloc(arena, sizeof(*location));
	bool ok = location != NULL;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&srv->locations_lock);
	if (ok && srv->locations != NULL && srv->locations->n > 0) {
		ok = copy(srv->locations, arena, location);
		out->nlocations = 1;
		out->locations = location;
	}
	pthread_mutex_unlock(&srv->locations_lock);
	return ok;
}

void nfsd_locations_fini(struct nfs_server *srv)
{
	free(srv->locations);
}
