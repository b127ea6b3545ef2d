/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the path group, which decides, and the wires, which do.  Also the
 * ticker: a task that tells the group when time has passed, and closes
 * connections on which a request waits for longer than timeo although they
 * answer probes (the server has lost it).
 */
#include "nfs/client/internal.h"

#include <errno.h>

static void send_call(struct conn *conn, struct call *k)
{
	struct nfs_counters *counters = &k->client->counters;

	if (k->request.tries > 1)
		counters->repeats++;
	wire_send(conn->wire, &k->message);
}

static void act(struct nfs_client *c, const struct path_action *a)
{
	struct conn *conn = a->path ? path_owner(a->path) : NULL;

	switch (a->kind) {
	case PATH_ACT_CLOSE:
		if (conn->wire != NULL)
			wire_kill(conn->wire);
		break;
	case PATH_ACT_CONNECT:
		if (wire_start(conn) < 0)
			path_failed(conn->path, reactor_now());
		break;
	case PATH_ACT_PROBE:
		if (wire_probe(conn->wire) < 0)
			log_warn("nfs: %s: no memory for a probe", conn->label);
		break;
	case PATH_ACT_SEND:
		send_call(conn, container_of(a->request, struct call, request));
		break;
	case PATH_ACT_FAIL:
		call_fail(container_of(a->request, struct call, request),
			  a->error);
		break;
	case PATH_ACT_GIVE_UP:
		log_warn("nfs: %s: given up", conn->label);
		break;
	case PATH_ACT_FENCE: /* nothing of ours needs one */
		path_fenced(a->path, reactor_now());
		break;
	}
}

void paths_drain(struct nfs_client *c)
{
	struct path_action a;

	if (c->dead)
		return;
	while (path_group_next(c->group, reactor_now(), &a))
		act(c, &a);
	if (path_group_deadline(c->group) < c->tick_at && c->ticker != NULL)
		task_wake(c->ticker);
}

/* ------------------------------------------------------------------ ticker */

/* A wire whose oldest request has waited for too long. */
static struct wire *overdue(struct nfs_client *c, nsec now)
{
	struct conn *conn;
	struct call *k;

	htable_for_each (k, &c->calls, by_xid) {
		if (k->request.state != PATH_REQ_INFLIGHT ||
		    now - k->request.sent < c->options.timeo)
			continue;
		conn = path_owner(k->request.path);
		if (k->request.tries >= c->options.retrans)
			log_warn("nfs: %s: a request has no answer after "
				 "%u tries",
				 conn->label, k->request.tries);
		return conn->wire;
	}
	return NULL;
}

static void check_overdue(struct nfs_client *c, nsec *next)
{
	nsec now = reactor_now();
	struct wire *w;

	if (now < *next)
		return;
	*next = now + MAX(c->options.timeo / 4, MSEC(100));
	w = overdue(c, now);
	if (w != NULL)
		wire_fail(w, -ETIMEDOUT);
}

static void ticker(void *arg)
{
	struct nfs_client *c = arg;
	nsec overdue_at = 0;

	while (!c->stopping) {
		check_overdue(c, &overdue_at);
		c->tick_at = MIN(path_group_deadline(c->group), overdue_at);
		if (reactor_now() < c->tick_at)
			task_park(c->tick_at);
		path_group_tick(c->group, reactor_now());
		c->tick_at = 0; /* awake: nobody needs to wake us */
		paths_drain(c);
	}
	c->ticker = NULL;
	client_task_ended(c);
}

static void ticker_starts(void *arg)
{
	struct nfs_client *c = arg;

	c->ticker = task_self();
	ticker(c);
}

/* -------------------------------------------------------------- life cycle */

static int add_conn(struct nfs_client *c, const struct addr *address,
		    unsigned number)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	char text[ADDR_TEXT_MAX];
	int rc;

	if (conn == NULL)
		return -ENOMEM;
	conn->client = c;
	conn->address = *address;
	addr_format(address, text);
	if (number == 0)
		snprintf(conn->label, sizeof(conn->label), "%s", text);
	else
		snprintf(conn->label, sizeof(conn->label), "%s#%u", text,
			 number + 1);
	rc = path_add(c->group, conn->label, conn, reactor_now(), &conn->path);
	if (rc < 0) {
		free(conn);
		return rc;
	}
	list_append(&c->conns, &conn->link);
	return 0;
}

int paths_add(struct nfs_client *c, const struct addr *address)
{
	struct conn *conn;
	int rc = 0;

	list_for_each (conn, &c->conns, link)
		if (addr_equal(&conn->address, address))
			return -EEXIST;
	for (unsigned i = 0; i < c->options.nconnect && rc == 0; i++)
		rc = add_conn(c, address, i);
	paths_drain(c);
	return rc;
}

static void remove_conn(struct conn *conn)
{
	if (conn->wire != NULL)
		wire_kill(conn->wire);
	list_del(&conn->link);
	path_remove(conn->path, reactor_now());
	free(conn);
}

int nfs_add_path(struct nfs_client *c, const struct addr *address)
{
	return paths_add(c, address);
}

int nfs_remove_path(struct nfs_client *c, const struct addr *address)
{
	struct conn *conn, *next;
	int rc = -ENOENT;

	list_for_each_safe (conn, next, &c->conns, link)
		if (addr_equal(&conn->address, address)) {
			remove_conn(conn);
			rc = 0;
		}
	paths_drain(c);
	return rc;
}

int paths_init(struct nfs_client *c)
{
	int rc = path_group_create(&c->options.path, &c->group);

	if (rc < 0)
		return rc;
	c->tick_at = NSEC_NEVER;
	rc = client_spawn(c, "nfs-ticker", ticker_starts, c);
	if (rc < 0) {
		path_group_destroy(c->group);
		return rc;
	}
	while (c->ticker == NULL)
		task_yield();
	return 0;
}

void paths_fail(struct nfs_client *c, int error)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL && conn->wire->up)
			wire_fail(conn->wire, error);
}

bool paths_any_up(const struct nfs_client *c, const struct wire *except)
{
	const struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL && conn->wire != except &&
		    conn->wire->up)
			return true;
	return false;
}

void paths_kill(struct nfs_client *c)
{
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL)
			wire_kill(conn->wire);
}

void paths_fini(struct nfs_client *c)
{
	struct conn *conn, *next;

	paths_kill(c);
	if (c->ticker != NULL)
		task_wake(c->ticker);
	while (c->tasks > 0)
		waitq_wait(&c->task_ended, NSEC_NEVER);
	path_group_destroy(c->group);
	list_for_each_safe (conn, next, &c->conns, link) {
		list_del(&conn->link);
		free(conn);
	}
}

/* ----------------------------------------------------------------- reports */

unsigned nfs_get_paths(const struct nfs_client *c, struct nfs_path_info *out,
		       unsigned n)
{
	const struct conn *conn;
	unsigned count = 0;

	list_for_each (conn, &c->conns, link) {
		if (count < n) {
			out[count] = (struct nfs_path_info){
				.address = conn->address,
				.probes = conn->probes,
				.connects = conn->connects,
				.sent = conn->sent,
				.received = conn->received,
			};
			path_get_info(conn->path, &out[count].path);
		}
		count++;
	}
	return count;
}

const char *nfs_policy(const struct nfs_client *c)
{
	return path_group_policy(c->group);
}

int nfs_set_policy(struct nfs_client *c, const char *policy)
{
	int rc = path_group_set_policy(c->group, policy);

	paths_drain(c);
	return rc;
}
