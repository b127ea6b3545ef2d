/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session, and the task that keeps it.
 *
 *	no client id ── EXCHANGE_ID ──▶ client id ── CREATE_SESSION ──▶ session
 *	      ▲                            ▲  (STALE_CLIENTID: back)      │
 *	      │ other client id            │ BADSESSION, DEADSESSION, …   │
 *	      └── server restarted         └──────────────────────────────┤
 *	                                                                  ▼
 *	usable ◀── RECLAIM_COMPLETE ◀── opens and locks reclaimed ◀── new client
 *id?
 *
 * Mounting is the same as recovering from nothing.  While the session is not
 * usable, calls wait in slot_get(); those that were in flight learn from their
 * own replies that the old session is gone, and are written anew for the next.
 *
 * The same task renews the lease with an empty SEQUENCE when nothing else has.
 */
#include "nfs/client/internal.h"

#include <errno.h>

/* ------------------------------------------------------------- EXCHANGE_ID */

static bool same_bytes(struct xdr_bytes b, const uint8_t *own, uint32_t len)
{
	return b.len == len && (len == 0 || memcmp(b.data, own, len) == 0);
}

/* RFC 8881 section 2.10.5: paths may carry one session if server owner (major
 * and minor id) and scope are the same. */
static int check_identity(struct nfs_client *c, const EXCHANGE_ID4resok *r)
{
	struct identity *id = &c->identity;
	const server_owner4 *owner = &r->eir_server_owner;

	if (!id->known) {
		id->known = true;
		id->clientid = r->eir_clientid;
		id->minor_id = owner->so_minor_id;
		id->major_len = owner->so_major_id.len;
		id->scope_len = r->eir_server_scope.len;
		memcpy(id->major, owner->so_major_id.data, id->major_len);
		memcpy(id->scope, r->eir_server_scope.data, id->scope_len);
		return 0;
	}
	if (owner->so_minor_id != id->minor_id ||
	    !same_bytes(owner->so_major_id, id->major, id->major_len) ||
	    !same_bytes(r->eir_server_scope, id->scope, id->scope_len))
		return -EXDEV;
	return r->eir_clientid == id->clientid ? 0 : -ESTALE;
}

static void exchange_id_once(struct call *k, struct nfs_client *c)
{
	EXCHANGE_ID4args args = {
		.eia_clientowner = { c->boot, xdr_text(c->owner_id) },
		.has_impl_id = true,
		.eia_client_impl_id = { xdr_text("hawser"),
					xdr_text("hawser " HAWSER_VERSION),
					{} },
	};
	struct xdr *x = call_op(k, OP_EXCHANGE_ID);

	call_op_done(k, xdr_EXCHANGE_ID4args(x, &args));
	call_run(k);
}

int exchange_id(struct nfs_client *c, struct wire *w, EXCHANGE_ID4resok *out)
{
	struct nfs_cred cred = {};
	struct call k;
	int rc;

	call_init(&k, c, &cred, CALL_SESSIONLESS | CALL_RECOVERY);
	k.wire = w;
	while (call_start(&k))
		exchange_id_once(&k, c);
	if (call_result(&k, OP_EXCHANGE_ID))
		call_result_done(&k, xdr_EXCHANGE_ID4resok(&k.results, out));
	/* The identity is checked while the reply, which `out` borrows from,
	 * is still there. */
	rc = k.error == 0 ? check_identity(c, out) : 0;
	if (k.status == NFS4ERR_MINOR_VERS_MISMATCH && c->minorversion > 1) {
		call_end(&k);
		c->minorversion = 1;
		return exchange_id(c, w, out);
	}
	out->eir_server_owner.so_major_id.len = 0;
	out->eir_server_scope.len = 0;
	if (rc == 0)
		rc = call_end(&k);
	else
		call_end(&k);
	return rc;
}

/* ---------------------------------------------------------- CREATE_SESSION */

static channel_attrs4 fore_channel(const struct nfs_client *c)
{
	return (channel_attrs4){
		.ca_maxrequestsize = c->options.wsize + REPLY_OVERHEAD,
		.ca_maxresponsesize = c->options.rsize + REPLY_OVERHEAD,
		.ca_maxresponsesize_cached = 2048,
		.ca_maxoperations = 16,
		.ca_maxrequests = c->options.slots,
	};
}

static void session_begin(struct nfs_client *c, const CREATE_SESSION4resok *r)
{
	const channel_attrs4 *fore = &r->csr_fore_chan_attrs;
	struct session *s = &c->session;
	uint64_t generation = s->generation;

	*s = (struct session){
		.exists = true,
		.generation = generation + 1,
		.id = r->csr_sessionid,
		.nslots = MIN(fore->ca_maxrequests, c->options.slots),
		.target = SLOTS_MAX,
		.renewed = reactor_now(),
	};
	for (unsigned i = 0; i < s->nslots; i++)
		s->slots[i].sequence = 1;
	for (unsigned i = 0; i < CALLBACK_SLOTS; i++)
		s->cb_sequence[i] = 1;
	c->counters.sessions++;
	c->info.slots = s->nslots;
	c->info.rsize =
		MIN(c->options.rsize, (size_t)fore->ca_maxresponsesize - 512);
	c->info.wsize =
		MIN(c->options.wsize, (size_t)fore->ca_maxrequestsize - 1536);
}

static bool sensible(const CREATE_SESSION4resok *r)
{
	return r->csr_fore_chan_attrs.ca_maxrequests >= 1 &&
	       r->csr_fore_chan_attrs.ca_maxrequestsize >= 8192 &&
	       r->csr_fore_chan_attrs.ca_maxresponsesize >= 8192 &&
	       r->csr_fore_chan_attrs.ca_maxoperations >= 8;
}

static int create_session(struct nfs_client *c, sequenceid4 sequence)
{
	callback_sec_parms4 sec = { .cb_secflavor = AUTH_NONE };
	CREATE_SESSION4args args = {
		.csa_clientid = c->identity.clientid,
		.csa_sequence = sequence,
		.csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
		.csa_fore_chan_attrs = fore_channel(c),
		.csa_back_chan_attrs = { .ca_maxrequestsize = 4096,
					 .ca_maxresponsesize = 4096,
					 .ca_maxoperations = 4,
					 .ca_maxrequests = CALLBACK_SLOTS },
		.csa_cb_program = CALLBACK_PROGRAM,
		.nsec_parms = 1,
		.csa_sec_parms = &sec,
	};
	CREATE_SESSION4resok res;
	struct nfs_cred cred = {};
	struct call k;
	struct xdr *x;

	call_init(&k, c, &cred, CALL_SESSIONLESS | CALL_RECOVERY);
	while (call_start(&k)) {
		x = call_op(&k, OP_CREATE_SESSION);
		call_op_done(&k, xdr_CREATE_SESSION4args(x, &args));
		call_run(&k);
	}
	if (call_result(&k, OP_CREATE_SESSION))
		call_result_done(&k,
				 xdr_CREATE_SESSION4resok(&k.results, &res) &&
					 sensible(&res));
	if (k.error == 0)
		session_begin(c, &res);
	if (k.status == NFS4ERR_STALE_CLIENTID ||
	    k.status == NFS4ERR_SEQ_MISORDERED) {
		call_end(&k);
		return -EAGAIN;
	}
	return call_end(&k);
}

static int reclaim_complete(struct nfs_client *c)
{
	RECLAIM_COMPLETE4args args = { .rca_one_fs = false };
	struct nfs_cred cred = {};
	struct call k;
	struct xdr *x;

	call_init(&k, c, &cred, CALL_RECOVERY | CALL_CACHED);
	while (call_start(&k)) {
		x = call_op(&k, OP_RECLAIM_COMPLETE);
		call_op_done(&k, xdr_RECLAIM_COMPLETE4args(x, &args));
		call_run(&k);
	}
	call_result(&k, OP_RECLAIM_COMPLETE);
	if (k.status == NFS4ERR_COMPLETE_ALREADY)
		k.error = 0;
	return call_end(&k);
}

/* ---------------------------------------------------------------- the task */

/* The connections that there were before the session: the one that created it
 * is bound to it; the others are for its back channel, too. */
static void bind_others(struct nfs_client *c)
{
	struct wire *wires[PATH_MAX_PATHS];
	unsigned n = 0;
	struct conn *conn;

	list_for_each (conn, &c->conns, link)
		if (conn->wire != NULL && conn->wire->up && n < PATH_MAX_PATHS)
			wires[n++] = conn->wire;
	if (n < 2)
		return;
	for (unsigned i = 0; i < n; i++) {
		bool there = false;

		/* Binding parks: is it still the one? */
		list_for_each (conn, &c->conns, link)
			there |= conn->wire == wires[i];
		if (there)
			wire_bind(wires[i]);
	}
}

/* From whatever there is to a usable session: 0, -EAGAIN to begin again, or
 * what is in the way. */
static int establish(struct nfs_client *c)
{
	EXCHANGE_ID4resok id;
	int rc = exchange_id(c, NULL, &id);

	if (rc == -ESTALE) {
		log_info("nfs: the server has forgotten us: new client id");
		c->identity.clientid = id.eir_clientid;
		c->client_epoch++;
		c->reclaim = true;
	} else if (rc < 0) {
		if (rc == -EXDEV)
			paths_fail(c, rc);
		return rc;
	}
	rc = create_session(c, id.eir_sequenceid);
	if (rc < 0)
		return rc;
	if (c->reclaim) {
		rc = reclaim_all(c);
		if (rc == 0)
			rc = reclaim_complete(c);
		if (rc == 0)
			rc = keep_restore_all(c);
		if (rc < 0)
			return c->session.exists ? rc : -EAGAIN;
		c->reclaim = false;
	}
	if (!c->session.exists)
		return -EAGAIN;
	c->session.usable = true;
	waitq_wake_all(&c->usable);
	waitq_wake_all(&c->slots);
	bind_others(c);
	return 0;
}

/* An empty SEQUENCE: 0 or -errno. */
static int renew_lease(struct nfs_client *c)
{
	struct nfs_cred cred = {};
	struct call k;

	call_init(&k, c, &cred, CALL_RECOVERY);
	while (c->session.exists && call_start(&k))
		call_run(&k);
	return call_end(&k);
}

static nsec lease_check_at(const struct nfs_client *c)
{
	nsec lease = SEC(c->info.lease_time ? c->info.lease_time : 30);

	return c->session.renewed + lease / 3;
}

static void make_session(struct nfs_client *c, nsec *pause)
{
	int rc = establish(c);

	if (rc == 0) {
		*pause = 0;
		return;
	}
	if (rc != -EAGAIN) {
		c->establish_error = rc;
		if (*pause == 0)
			log_warn("nfs: no session: %s", strerror(-rc));
	}
	*pause = MIN(MAX(2 * *pause, MSEC(10)), SEC(2));
	if (!c->stopping)
		task_park(nsec_after(reactor_now(), *pause));
}

static void manager(void *arg)
{
	struct nfs_client *c = arg;
	nsec pause = 0;

	c->manager = task_self();
	while (!c->stopping) {
		if (!c->session.usable)
			make_session(c, &pause);
		else if (reactor_now() < lease_check_at(c))
			task_park(lease_check_at(c));
		else if (renew_lease(c) < 0 && c->session.usable)
			task_park(reactor_now() + SEC(1));
	}
	c->manager = NULL;
	client_task_ended(c);
}

int session_start(struct nfs_client *c)
{
	return client_spawn(c, "nfs-session", manager, c);
}

int session_wait(struct nfs_client *c, nsec deadline)
{
	while (!c->session.usable)
		if (!waitq_wait(&c->usable, deadline))
			return -ETIMEDOUT;
	return 0;
}

void session_broken(struct nfs_client *c, uint64_t generation, nfsstat4 why)
{
	struct session *s = &c->session;

	if (!s->exists || s->generation != generation)
		return;
	log_info("nfs: session lost: %s", nfsstat4_name(why));
	s->exists = s->usable = false;
	if (c->manager != NULL)
		task_wake(c->manager);
}

void session_needs_reclaim(struct nfs_client *c)
{
	if (c->reclaim || !c->session.usable)
		return;
	c->reclaim = true;
	c->client_epoch++;
	session_broken(c, c->session.generation, NFS4ERR_STALE_STATEID);
}

/* ----------------------------------------------------------------- the end */

static void destroy(struct nfs_client *c, nfs_opnum4 op)
{
	DESTROY_SESSION4args session = { c->session.id };
	DESTROY_CLIENTID4args client = { c->identity.clientid };
	struct nfs_cred cred = {};
	struct call k;
	struct xdr *x;

	call_init(&k, c, &cred, CALL_SESSIONLESS | CALL_RECOVERY);
	while (call_start(&k)) {
		x = call_op(&k, op);
		call_op_done(&k,
			     op == OP_DESTROY_SESSION
				     ? xdr_DESTROY_SESSION4args(x, &session)
				     : xdr_DESTROY_CLIENTID4args(x, &client));
		call_run(&k);
	}
	call_result(&k, op);
	call_end(&k);
}

struct farewell {
	struct nfs_client *client;
	struct task *waiter;
	bool done;
};

static void say_goodbye(void *arg)
{
	struct farewell *f = arg;
	struct nfs_client *c = f->client;

	destroy(c, OP_DESTROY_SESSION);
	destroy(c, OP_DESTROY_CLIENTID);
	f->done = true;
	task_wake(f->waiter);
	client_task_ended(c);
}

void session_stop(struct nfs_client *c)
{
	struct farewell f = { .client = c, .waiter = task_self() };
	nsec deadline = reactor_now() + SEC(1);
	struct call *k;

	c->stopping = true;
	if (c->manager != NULL)
		task_wake(c->manager);
	if (c->explorer != NULL)
		task_wake(c->explorer);
	f.done = !c->session.usable || !paths_any_up(c, NULL) ||
		 client_spawn(c, "nfs-farewell", say_goodbye, &f) < 0;
	c->session.usable = false;
	while (!f.done && reactor_now() < deadline)
		task_park(deadline);
	/* Whatever our own tasks still wait for will not come; and no wire may
	 * go on writing what they gave it. */
	c->dead = true;
	paths_kill(c);
	while ((k = hnode_entry_(htable_iterate(&c->calls, NULL), struct call,
				 by_xid)) != NULL) {
		path_request_cancel(c->group, &k->request);
		call_fail(k, -ESHUTDOWN);
	}
	while (c->manager != NULL || c->explorer != NULL || !f.done)
		waitq_wait(&c->task_ended, NSEC_NEVER);
}
