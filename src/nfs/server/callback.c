/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CB_NOTIFY_LOCK (RFC 8881 20.11), the one callback that there is: a client
 * whose blocking lock was denied is told when it is worth asking again.  It is
 * a hint: clients ask now and then anyway, and a lost one costs time only.
 *
 *	LOCKU, CLOSE … ─▶ nfsd_notify_waiters ─▶ session.notices
 *	                                              │ one task at a time
 *	notify_main ─▶ send ─▶ nfsd_conn_send         ▼ for each session
 *	     ▲──────────── nfsd_callback_reply ◀── the reader
 *
 * The task runs on the reactor of the connection it sends on.  A connection
 * that does not answer carries no callbacks any more, and the next one that is
 * bound to the back channel gets the same sequence id again.
 */
#include <errno.h>

#include "nfs/server/callback.h"
#include "nfs/server/conn.h"
#include "nfs/server/internal.h"
#include "nfs/xdr/nfs4_cb.h"

enum { MAX_NOTICES = 64 }; /* of a session; more are dropped */
#define ANSWER_TIMEOUT SEC(3)

struct nfsd_notice {
	struct list link; /* session.notices */
	struct nfs_fh fh;
	uint32_t len;
	uint8_t owner[];
};

/* A callback that was sent; on the stack of its task. */
struct nfsd_callback {
	struct list link; /* conn.callbacks */
	uint32_t xid;
	struct task *task;
	bool done;
	nfsstat4 status; /* of CB_SEQUENCE */
};

/* ----------------------------------------------- the session's back side */

void nfsd_back_bind(struct nfsd_session *s, struct nfsd_conn *c)
{
	struct nfsd_conn *old = NULL;
	unsigned i;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < s->nbacks; i++)
		if (s->backs[i] == c)
			break;
	s->wants_back = true;
	if (i == s->nbacks && !s->dead) {
		if (s->nbacks == NFSD_MAX_BACKS) {
			old = s->backs[0];
			memmove(&s->backs[0], &s->backs[1],
				--s->nbacks * sizeof(s->backs[0]));
		}
		s->backs[s->nbacks++] = nfsd_conn_ref(c);
	}
	pthread_mutex_unlock(&s->lock);
	if (old != NULL)
		nfsd_conn_put(old);
}

void nfsd_back_set(struct nfsd_session *s, uint32_t program,
		   const callback_sec_parms4 *sec, uint32_t n)
{
	pthread_mutex_lock(&s->lock);
	s->cb_program = program;
	s->cb_flavor = RPCSEC_GSS; /* can't be done: no callbacks */
	for (uint32_t i = 0; i < n; i++) {
		if (sec[i].cb_secflavor == RPCSEC_GSS)
			continue;
		s->cb_flavor = sec[i].cb_secflavor;
		s->cb_uid = sec[i].cbsp_sys_cred.uid;
		s->cb_gid = sec[i].cbsp_sys_cred.gid;
		break;
	}
	pthread_mutex_unlock(&s->lock);
}

static void drop_notices(struct nfsd_session *s)
{
	struct nfsd_notice *n, *tmp;

	list_for_each_safe (n, tmp, &s->notices, link)
		free(n);
	list_init(&s->notices);
	s->nnotices = 0;
}

bool nfsd_back_exists(struct nfsd_session *s)
{
	bool exists;

	pthread_mutex_lock(&s->lock);
	exists = s->nbacks > 0 && s->cb_flavor != RPCSEC_GSS;
	pthread_mutex_unlock(&s->lock);
	return exists;
}

/* Of this session only (SEQ4_STATUS_CB_PATH_DOWN is about all of the client's,
 * which would take clients_lock); clients do the same about both. */
uint32_t nfsd_back_status(const struct nfsd_session *s)
{
	if (!s->wants_back)
		return 0;
	for (unsigned i = 0; i < s->nbacks; i++)
		if (!atomic_load_explicit(&s->backs[i]->ended,
					  memory_order_relaxed))
			return 0;
	return SEQ4_STATUS_CB_PATH_DOWN_SESSION;
}

void nfsd_back_drop(struct nfsd_session *s)
{
	drop_notices(s);
	while (s->nbacks > 0)
		nfsd_conn_put(s->backs[--s->nbacks]);
}

/* This connection carries no callbacks.  Wants session.lock. */
static void unbind(struct nfsd_session *s, struct nfsd_conn *c)
{
	for (unsigned i = 0; i < s->nbacks; i++) {
		if (s->backs[i] != c)
			continue;
		memmove(&s->backs[i], &s->backs[i + 1],
			(--s->nbacks - i) * sizeof(s->backs[0]));
		nfsd_conn_put(c);
		return;
	}
}

/* ----------------------------------------------------------------- sending */

static bool encode(struct xdr *x, struct nfsd_session *s,
		   const struct nfsd_notice *n, uint32_t xid)
{
	struct rpc_call rpc = {
		.xid = xid,
		.prog = s->cb_program,
		.vers = NFS_CB_VERSION,
		.proc = CB_COMPOUND,
		.cred.flavor = s->cb_flavor,
		.sys = { .uid = s->cb_uid, .gid = s->cb_gid },
	};
	CB_COMPOUND4args_head head = { .minorversion = s->minorversion,
				       .n = 2 };
	nfs_cb_argop4 sequence = {
		.argop = OP_CB_SEQUENCE,
		.opcbsequence = { .csa_sessionid = s->id,
				  .csa_sequenceid = s->cb_seqid },
	};
	nfs_cb_argop4 notify = {
		.argop = OP_CB_NOTIFY_LOCK,
		.opcbnotify_lock = {
			.cnla_fh = nfs_fh4_of(&n->fh),
			.cnla_lock_owner = { s->client->id,
					     { n->owner, n->len } },
		},
	};

	return xdr_rpc_call(x, &rpc) && xdr_CB_COMPOUND4args_head(x, &head) &&
	       xdr_nfs_cb_argop4(x, &sequence) && xdr_nfs_cb_argop4(x, &notify);
}

/* true: the client has taken it. */
static bool send_notice(struct nfsd_session *s, struct nfsd_conn *c,
			const struct nfsd_notice *n)
{
	struct nfsd_callback cb = { .task = task_self() };
	nsec deadline = reactor_now() + ANSWER_TIMEOUT;
	struct nfsd_call *call;
	bool ok;

	if (c->broken || c->stream == NULL)
		return false;
	call = nfsd_call_outgoing(c);
	if (call == NULL)
		return false;
	cb.xid = ++c->callback_xid;
	pthread_mutex_lock(&s->lock);
	ok = encode(&call->out, s, n, cb.xid);
	pthread_mutex_unlock(&s->lock);
	if (!ok) {
		nfsd_conn_give_back(c, 0);
		nfsd_call_free(call);
		return false;
	}
	nfsd_call_finish_outgoing(call);
	list_append(&c->callbacks, &cb.link);
	nfsd_conn_send(call);
	while (!cb.done && reactor_now() < deadline)
		task_park(deadline);
	list_del(&cb.link);
	return cb.done && cb.status == NFS4_OK;
}

void nfsd_callback_reply(struct nfsd_conn *c, const struct record *record)
{
	nfs_cb_resop4 sequence = { .status = NFS4ERR_BADXDR };
	COMPOUND4res_head head;
	struct nfsd_callback *cb;
	struct rpc_reply reply;
	struct xdr x;

	xdr_decode_init(&x, record->bytes.data, record->bytes.len, NULL);
	if (!xdr_rpc_reply(&x, &reply))
		return;
	if (reply.status != RPC_SUCCESS || !xdr_COMPOUND4res_head(&x, &head) ||
	    head.n == 0 || !xdr_nfs_cb_resop4(&x, &sequence))
		sequence.status = NFS4ERR_BADXDR;
	list_for_each (cb, &c->callbacks, link)
		if (cb->xid == reply.xid) {
			cb->done = true;
			cb->status = sequence.status;
			task_wake(cb->task);
			return;
		}
}

void nfsd_callback_fail_all(struct nfsd_conn *c)
{
	struct nfsd_callback *cb;

	list_for_each (cb, &c->callbacks, link) {
		cb->done = true;
		cb->status = NFS4ERR_IO;
		task_wake(cb->task);
	}
}

/* ---------------------------------------------------------------- notifying */

/* The task, its session and connection: a reference of each. */
struct notifier {
	struct nfsd_session *session;
	struct nfsd_conn *conn;
};

static void notify_main(void *arg);

/* Wants session.lock and session.notifying.  Goes on with the connection bound
 * last; false: there is none, and the notices go. */
static bool notify_start(struct nfsd_session *s)
{
	struct notifier *n = NULL;

	if (s->nbacks > 0 && s->cb_flavor != RPCSEC_GSS && !s->dead)
		n = malloc(sizeof(*n));
	if (n != NULL) {
		n->session = nfsd_session_ref(s);
		n->conn = nfsd_conn_ref(s->backs[s->nbacks - 1]);
		atomic_fetch_add(&s->srv->nnotifiers, 1);
		if (reactor_spawn(n->conn->reactor, "nfs-notify", notify_main,
				  n) == 0)
			return true;
		atomic_fetch_sub(&s->srv->nnotifiers, 1);
		nfsd_session_put(s); /* not the last: the caller has one */
		nfsd_conn_put(n->conn);
		free(n);
	}
	drop_notices(s);
	s->notifying = false;
	return false;
}

static struct nfsd_notice *next_notice(struct nfsd_session *s)
{
	struct nfsd_notice *n;

	pthread_mutex_lock(&s->lock);
	n = list_first(&s->notices, struct nfsd_notice, link);
	if (n != NULL) {
		list_del(&n->link);
		s->nnotices--;
	} else {
		s->notifying = false;
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* Back to the front of the queue, for another connection. */
static void hand_over(struct nfsd_session *s, struct nfsd_conn *c,
		      struct nfsd_notice *n)
{
	pthread_mutex_lock(&s->lock);
	unbind(s, c);
	list_prepend(&s->notices, &n->link);
	s->nnotices++;
	notify_start(s);
	pthread_mutex_unlock(&s->lock);
}

static void notify_main(void *arg)
{
	struct notifier *me = arg;
	struct nfsd_session *s = me->session;
	struct nfs_server *srv = s->srv;
	struct nfsd_notice *n;

	while ((n = next_notice(s)) != NULL) {
		if (!send_notice(s, me->conn, n)) {
			hand_over(s, me->conn, n);
			break;
		}
		s->cb_seqid++; /* only ever one task does this */
		free(n);
	}
	nfsd_conn_put(me->conn);
	nfsd_session_put(s);
	free(me);
	atomic_fetch_sub(&srv->nnotifiers, 1); /* the last use of srv */
}

static void add_notice(struct nfsd_session *s, struct nfsd_notice *n)
{
	pthread_mutex_lock(&s->lock);
	if (s->dead || s->nbacks == 0 || s->nnotices >= MAX_NOTICES) {
		free(n);
	} else {
		list_append(&s->notices, &n->link);
		s->nnotices++;
		if (!s->notifying) {
			s->notifying = true;
			notify_start(s);
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* Some session of the client that has a back channel; one reference. */
static struct nfsd_session *find_session(struct nfs_server *srv, clientid4 id)
{
	struct nfsd_session *s, *found = NULL;
	struct nfsd_client *c;
	bool usable;

	pthread_mutex_lock(&srv->clients_lock);
	c = nfsd_client_find(srv, id);
	if (c != NULL)
		list_for_each (s, &c->sessions, by_client) {
			pthread_mutex_lock(&s->lock);
			usable = s->nbacks > 0;
			pthread_mutex_unlock(&s->lock);
			if (usable) {
				found = nfsd_session_ref(s);
				break;
			}
		}
	pthread_mutex_unlock(&srv->clients_lock);
	return found;
}

static void notify(struct nfsd_file *f, const struct nfsd_waiter *w)
{
	struct nfsd_session *s = find_session(f->srv, w->client);
	struct nfsd_notice *n;

	if (s == NULL)
		return;
	n = malloc(sizeof(*n) + w->len);
	if (n != NULL) {
		n->fh = nfsd_fh_make(f->srv, w->export, f->ino);
		n->len = w->len;
		memcpy(n->owner, w->owner, w->len);
		add_notice(s, n);
	}
	nfsd_session_put(s);
}

/* One by one, as nothing of a client may be locked under a file. */
void nfsd_notify_waiters(struct nfsd_file *f)
{
	struct nfsd_waiter *w;

	for (;;) {
		pthread_mutex_lock(&f->lock);
		w = nfsd_waiter_next_free(f, reactor_now());
		pthread_mutex_unlock(&f->lock);
		if (w == NULL)
			return;
		notify(f, w);
		free(w);
	}
}
