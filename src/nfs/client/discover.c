/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses lead to the server: it tells, in fs_locations of the root
 * (RFC 8881, 11.10 and 11.16), at the mount, then every `rediscover`, and a
 * moment after a path was lost.  What is listed is added.  What came that way,
 * is not listed any more and has no connection, is taken away; what the user
 * named stays.
 *
 * That an address is the same server is checked when it connects.
 */
#include "nfs/client/internal.h"

#define A_MOMENT SEC(2)

/* "192.0.2.1", "2001:db8::1", "192.0.2.1:20490", or a universal address with
 * the port in two more numbers, "192.0.2.1.80.10" (RFC 8881, 11.16). */
static bool parse_server(utf8string text, uint16_t port, struct addr *out)
{
	unsigned a, b, c, d, high, low;
	char buf[64], host[32];
	int end = 0;

	if (text.data == NULL || text.len >= sizeof(buf))
		return false;
	memcpy(buf, text.data, text.len);
	buf[text.len] = '\0';
	if (sscanf(buf, "%3u.%3u.%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &high,
		   &low, &end) == 6 &&
	    buf[end] == '\0' && high < 256 && low < 256) {
		snprintf(host, sizeof(host), "%u.%u.%u.%u", a, b, c, d);
		return addr_parse(out, host, (uint16_t)(high << 8 | low)) == 0;
	}
	return addr_parse(out, buf, port) == 0;
}

static bool is_up(const struct nfs_client *c, const struct addr *address)
{
	const struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (addr_equal(&conn->address, address) && conn->wire != NULL &&
		    conn->wire->up)
			return true;
	return false;
}

/* One that the user named and that is no mount target any more takes no place
 * of another. */
static unsigned count_addresses(const struct nfs_client *c)
{
	const struct conn *conn;
	unsigned n = 0;

	list_for_each (conn, &c->conns, link)
		if (conn->listed || is_up(c, &conn->address))
			n++;
	return n / c->options.nconnect;
}

static struct conn *find(struct nfs_client *c, const struct addr *address)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (addr_equal(&conn->address, address))
			return conn;
	return NULL;
}

static void mark(struct nfs_client *c, const struct addr *address)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		conn->listed |= addr_equal(&conn->address, address);
}

static void add(struct nfs_client *c, const struct addr *address)
{
	struct conn *conn;

	if (find(c, address) != NULL ||
	    count_addresses(c) >= c->options.max_connect)
		return;
	paths_add(c, address);
	list_for_each (conn, &c->conns, link)
		conn->found |= addr_equal(&conn->address, address);
	mark(c, address);
}

static struct conn *find_gone(struct nfs_client *c)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->found && !conn->listed && !is_up(c, &conn->address))
			return conn;
	return NULL;
}

static void remove_gone(struct nfs_client *c)
{
	struct conn *conn;
	struct addr address;

	while ((conn = find_gone(c)) != NULL) {
		address = conn->address; /* which goes with it */
		log_info("nfs: %s: is no mount target any more", conn->label);
		nfs_remove_path(c, &address);
	}
}

typedef void address_fn(struct nfs_client *c, const struct addr *address);

static void for_each_address(struct nfs_client *c, const fs_locations4 *all,
			     address_fn *fn)
{
	struct addr address;

	for (uint32_t i = 0; i < all->nlocations; i++) {
		const fs_location4 *l = &all->locations[i];

		for (uint32_t n = 0; n < l->nserver; n++)
			if (parse_server(l->server[n], c->options.port,
					 &address))
				fn(c, &address);
	}
}

/* Those that are gone go first: there may be room for no more than are there.
 */
static void take(struct nfs_client *c, const fs_locations4 *all)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		conn->listed = false;
	for_each_address(c, all, mark);
	remove_gone(c);
	for_each_address(c, all, add);
}

/* Parks. */
static void discover(struct nfs_client *c)
{
	const bitmap4 want = BITMAP4(FATTR4_FS_LOCATIONS);
	struct nfs_cred root = {};
	struct nfs4_attrs a;
	struct arena arena;

	arena_init(&arena, NULL, 0, KIB(64));
	/* Not kept from ending by a session that does not come. */
	if (client_get_attrs(c, &root, CALL_RECOVERY, &want, &arena, &a) == 0 &&
	    a.fs_locations.nlocations > 0)
		take(c, &a.fs_locations);
	arena_fini(&arena);
}

static void explorer(void *arg)
{
	struct nfs_client *c = arg;

	c->explorer = task_self();
	while (!c->stopping) {
		if (reactor_now() < c->explore_at) {
			task_park(c->explore_at);
			continue;
		}
		c->explore_at =
			nsec_after(reactor_now(), c->options.rediscover);
		if (c->session.usable)
			discover(c);
	}
	c->explorer = NULL;
	client_task_ended(c);
}

int discover_start(struct nfs_client *c)
{
	discover(c);
	c->explore_at = nsec_after(reactor_now(), c->options.rediscover);
	if (c->options.rediscover == NSEC_NEVER)
		return 0;
	return client_spawn(c, "nfs-explorer", explorer, c);
}

void discover_soon(struct nfs_client *c)
{
	if (c->explorer == NULL)
		return;
	c->explore_at = MIN(c->explore_at, nsec_after(reactor_now(), A_MOMENT));
	task_wake(c->explorer);
}
