/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting and unmounting; finding the server's other addresses.
 */
#include "nfs/client/client.h"

#include <errno.h>

#include "base/rng.h"
#include "nfs/client/internal.h"

/* ------------------------------------------------------------------- tasks */

int client_spawn(struct nfs_client *c, const char *name, task_fn *fn, void *arg)
{
	int rc = task_spawn(name, fn, arg);

	if (rc == 0)
		c->tasks++;
	return rc;
}

void client_task_ended(struct nfs_client *c)
{
	c->tasks--;
	waitq_wake_all(&c->task_ended);
}

/* -------------------------------------------------------------- life cycle */

/* The server knows us by this; `boot` tells one life of us from the next, so
 * that it can drop what an earlier one left (RFC 8881 section 2.4). */
static void name_client(struct nfs_client *c)
{
	uint64_t unique;

	random_bytes(&c->boot, sizeof(c->boot));
	random_bytes(&unique, sizeof(unique));
	if (gethostname(c->hostname, sizeof(c->hostname) - 1) != 0)
		strcpy(c->hostname, "localhost");
	snprintf(c->owner_id, sizeof(c->owner_id), "hawser/%s/%d/%llx",
		 c->hostname, (int)getpid(), (unsigned long long)unique);
}

static struct nfs_client *client_create(const struct nfs_options *o)
{
	struct nfs_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	MAGIC_SET(c, CLIENT_MAGIC);
	c->options = *o;
	if (c->options.policy[0] != '\0')
		c->options.path.policy = c->options.policy;
	c->minorversion = o->minorversion;
	c->next_xid = 1;
	c->next_owner = 1;
	c->reclaim = true; /* a new client has to say that it has nothing */
	list_init(&c->conns);
	list_init(&c->opens);
	waitq_init(&c->usable);
	waitq_init(&c->slots);
	waitq_init(&c->lock_news);
	waitq_init(&c->task_ended);
	name_client(c);
	return c;
}

static void client_free(struct nfs_client *c)
{
	htable_fini(&c->calls);
	htable_fini(&c->files);
	MAGIC_CLEAR(c);
	free(c);
}

static int start(struct nfs_client *c)
{
	int rc = 0;

	for (unsigned i = 0; i < c->options.naddresses && rc == 0; i++) {
		struct addr *a = &c->options.address[i];

		if (addr_port(a) == 0)
			addr_set_port(a, c->options.port);
		rc = paths_add(c, a);
		if (rc == -EEXIST) /* named twice */
			rc = 0;
	}
	return rc == 0 ? session_start(c) : rc;
}

/* ---------------------------------------------------------------- mounting */

/* Every path has been tried, and none is left that might do. */
static bool hopeless(const struct nfs_client *c)
{
	const struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL || conn->connects == 0)
			return false;
	return c->establish_error != 0;
}

static int wait_for_session(struct nfs_client *c)
{
	nsec deadline = nsec_after(reactor_now(), c->options.mount_timeout);

	while (!c->session.usable) {
		if (hopeless(c))
			return c->establish_error;
		if (!waitq_wait(&c->usable, deadline))
			return c->establish_error ? c->establish_error
						  : -ETIMEDOUT;
	}
	return 0;
}

static int get_root(struct nfs_client *c, const struct nfs_cred *cred)
{
	struct call k;

	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_op(&k, OP_PUTROOTFH);
		call_getfh(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTROOTFH);
	call_result_fh(&k, &c->root);
	return call_end(&k);
}

static int walk(struct nfs_client *c, const struct nfs_cred *cred,
		const char *path)
{
	size_t len;
	int rc = 0;

	while (rc == 0) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		rc = nfs_lookup(c, cred, &c->root, path, len, &c->root, NULL);
		path += len;
	}
	return rc;
}

/* What is borrowed from the record goes with it. */
static void copy_locations(const struct call *k, struct arena *arena,
			   struct nfs4_attrs *a)
{
	for (uint32_t i = 0; k->error == 0 && i < a->fs_locations.nlocations;
	     i++) {
		fs_location4 *l = &a->fs_locations.locations[i];

		for (uint32_t n = 0; n < l->nserver; n++)
			l->server[n].data = arena_strndup(
				arena, l->server[n].data, l->server[n].len);
	}
}

/* A call of its own, because servers differ in what they support here. */
int client_get_attrs(struct nfs_client *c, const struct nfs_cred *cred,
		     unsigned flags, const bitmap4 *want, struct arena *arena,
		     struct nfs4_attrs *a)
{
	GETATTR4args args = { *want };
	GETATTR4resok res;
	struct call k;

	memset(a, 0, sizeof(*a));
	call_init(&k, c, cred, flags);
	while (call_start(&k)) {
		call_putfh(&k, &c->root);
		call_op_done(&k,
			     xdr_GETATTR4args(call_op(&k, OP_GETATTR), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_GETATTR))
		call_result_done(&k,
				 xdr_GETATTR4resok(&k.results, &res) &&
					 nfs4_attrs_decode(&res.obj_attributes,
							   arena, a));
	copy_locations(&k, arena, a);
	return call_end(&k);
}

static int get_server_info(struct nfs_client *c, const struct nfs_cred *cred,
			   bool *has_locations)
{
	const bitmap4 want =
		BITMAP4(FATTR4_SUPPORTED_ATTRS, FATTR4_LEASE_TIME,
			FATTR4_MAXFILESIZE, FATTR4_MAXLINK, FATTR4_MAXNAME,
			FATTR4_MAXREAD, FATTR4_MAXWRITE,
			FATTR4_SUPPATTR_EXCLCREAT, FATTR4_XATTR_SUPPORT);
	struct nfs4_attrs a;
	int rc = client_get_attrs(c, cred, 0, &want, NULL, &a);

	if (rc < 0)
		return rc;
#define HAS(n) bitmap4_has(&a.have, n)
	c->info.minorversion = c->minorversion;
	c->info.lease_time = MAX(a.lease_time, 1u);
	c->info.maxname = HAS(FATTR4_MAXNAME) ? a.maxname : 255;
	c->info.maxlink = a.maxlink;
	c->info.maxfilesize =
		HAS(FATTR4_MAXFILESIZE) ? a.maxfilesize : INT64_MAX;
	c->info.xattr_support = a.xattr_support;
	c->exclcreat = HAS(FATTR4_SUPPATTR_EXCLCREAT) ? a.suppattr_exclcreat
						      : nfs4_attrs_settable;
	if (HAS(FATTR4_MAXREAD) && a.maxread >= 4096)
		c->options.rsize = MIN(c->options.rsize, a.maxread);
	if (HAS(FATTR4_MAXWRITE) && a.maxwrite >= 4096)
		c->options.wsize = MIN(c->options.wsize, a.maxwrite);
#undef HAS
	c->info.rsize = MIN(c->info.rsize, c->options.rsize);
	c->info.wsize = MIN(c->info.wsize, c->options.wsize);
	*has_locations = bitmap4_has(&a.supported_attrs, FATTR4_FS_LOCATIONS);
	return 0;
}

static int attach(struct nfs_client *c, const char *path, const char **what)
{
	struct nfs_cred root = {};
	bool has_locations = false;
	int rc;

	*what = "cannot connect";
	rc = start(c);
	if (rc == 0)
		rc = wait_for_session(c);
	if (rc < 0)
		return rc;
	*what = "no such directory or access point";
	rc = get_root(c, &root);
	if (rc == 0)
		rc = walk(c, &root, path);
	if (rc == 0)
		rc = get_server_info(c, &root, &has_locations);
	if (rc == 0 && c->options.discover && has_locations)
		rc = discover_start(c);
	return rc;
}

/* An address that is up is asked, whichever. */
static void explain(struct nfs_client *c, const char *path)
{
	const struct conn *conn;
	struct addr to;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL && conn->wire->up) {
			to = conn->address;
			nfs_explain(&c->options, &to, path, c->establish_why,
				    sizeof(c->establish_why));
			return; /* the list may have changed */
		}
}

int nfs_mount(const struct nfs_options *o, const char *path,
	      struct nfs_client **out, char *err, size_t errsize)
{
	struct nfs_client *c;
	const char *what = "";
	char text[ADDR_TEXT_MAX];
	int rc;

	if (o->naddresses == 0) {
		snprintf(err, errsize, "no address given: say addr=ADDRESS");
		return -EINVAL;
	}
	c = client_create(o);
	if (c == NULL)
		return -ENOMEM;
	rc = paths_init(c);
	if (rc < 0) {
		snprintf(err, errsize,
			 rc == -EINVAL
				 ? "suspect_min, probe_min and reconnect_delay "
				   "can be no more than suspect_max, probe_max "
				   "and reconnect_max; no time more than 3600s"
				 : "no memory");
		client_free(c);
		return rc;
	}
	rc = attach(c, path, &what);
	if (rc == -EACCES && c->establish_why[0] == '\0')
		explain(c, path);
	if (rc < 0) {
		snprintf(err, errsize, "%s:%s: %s: %s%s%s",
			 addr_format_host(&o->address[0], text), path, what,
			 strerror(-rc), c->establish_why[0] ? ": " : "",
			 c->establish_why);
		nfs_unmount(c);
		return rc;
	}
	*out = c;
	return 0;
}

void nfs_unmount(struct nfs_client *c)
{
	MAGIC_CHECK(c, CLIENT_MAGIC);
	assert(list_empty(&c->opens));
	session_stop(c); /* discover.c's task, too */
	paths_fini(c);
	client_free(c);
}

/* ----------------------------------------------------------------- reports */

const struct nfs_fh *nfs_root(const struct nfs_client *c)
{
	return &c->root;
}

void nfs_get_info(const struct nfs_client *c, struct nfs_info *out)
{
	*out = c->info;
}

void nfs_get_counters(const struct nfs_client *c, struct nfs_counters *out)
{
	*out = c->counters;
	out->waiting = path_group_waiting(c->group);
	out->inflight = (unsigned)c->calls.count;
}
