/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for a lock is called back when it is free. */
#include "wire.h"

#include <errno.h>

#include "nfs/xdr/nfs4_cb.h"

static struct nfs_server_options options = { .lease = SEC(60) };

/* Two clients, a connection each; b's has a back channel and another one may
 * be added. */
struct scene {
	struct world world;
	struct wire wa, wb, more;
	struct session a, b;
	struct compound c;
	stateid4 open_a, open_b;
	uint32_t rflags;
};

static stateid4 open_file(struct scene *s, struct wire *w, struct session *who)
{
	session_begin(who, &s->c, 0);
	add_open(&s->c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	require(wire_call(w, &s->c) == NFS4_OK);
	s->rflags = s->c.res[2].opopen.rflags;
	return s->c.res[2].opopen.stateid;
}

static void bind_back(struct scene *s, struct wire *w, struct session *who)
{
	BIND_CONN_TO_SESSION4args *a;

	s->c = (struct compound){ .minorversion = 1 };
	a = &add(&s->c, OP_BIND_CONN_TO_SESSION)->opbind_conn_to_session;
	a->bctsa_sessid = who->id;
	a->bctsa_dir = CDFC4_FORE_OR_BOTH;
	require(wire_call(w, &s->c) == NFS4_OK);
	require(s->c.res[0].opbind_conn_to_session.bctsr_dir == CDFS4_BOTH);
}

static struct scene *scene_start(void *directory)
{
	struct scene *s = calloc(1, sizeof(*s));

	require(s != NULL);
	world_start(&s->world, directory, &options);
	wire_open(&s->wa, &s->world.addr[0]);
	wire_open(&s->wb, &s->world.addr[0]);
	wire_open(&s->more, &s->world.addr[1]);
	wire_mount(&s->wa, "a", &s->a);
	wire_mount(&s->wb, "b", &s->b);
	s->open_a = open_file(s, &s->wa, &s->a);
	require(!(s->rflags & OPEN4_RESULT_MAY_NOTIFY_LOCK));
	bind_back(s, &s->wb, &s->b);
	s->open_b = open_file(s, &s->wb, &s->b);
	require(s->rflags & OPEN4_RESULT_MAY_NOTIFY_LOCK);
	return s;
}

static void scene_stop(struct scene *s)
{
	wire_close(&s->wa);
	wire_close(&s->wb);
	wire_close(&s->more);
	world_stop(&s->world);
	free(s);
}

static nfsstat4 lock(struct scene *s, struct wire *w, struct session *who,
		     stateid4 open, const char *owner)
{
	session_begin(who, &s->c, 0);
	add_lookup(&s->c, "f");
	add(&s->c, OP_LOCK)->oplock = (LOCK4args){
		.locktype = WRITEW_LT,
		.length = 10,
		.locker = { .new_lock_owner = true,
			    .open_stateid = open,
			    .lock_owner.owner = xdr_text(owner) },
	};
	return wire_call(w, &s->c);
}

static void unlock_a(struct scene *s, stateid4 id)
{
	session_begin(&s->a, &s->c, 0);
	add_lookup(&s->c, "f");
	add(&s->c, OP_LOCKU)->oplocku = (LOCKU4args){ .locktype = WRITE_LT,
						      .lock_stateid = id,
						      .length = 10 };
	require(wire_call(&s->wa, &s->c) == NFS4_OK);
}

/* The next message is CB_SEQUENCE with this sequence id, and CB_NOTIFY_LOCK for
 * that owner; its xid. */
static uint32_t expect_notice(struct scene *s, struct wire *w, uint32_t seqid,
			      const char *owner)
{
	ssize_t len = wire_receive(w);
	CB_COMPOUND4args_head head;
	struct rpc_reply reply;
	struct rpc_call call;
	nfs_cb_argop4 op;
	struct xdr x;

	require(len > 0);
	xdr_decode_init(&x, w->buffer, len, &w->arena);
	require(rpc_call_decode(&x, &call, &reply));
	require(call.vers == NFS_CB_VERSION && call.proc == CB_COMPOUND);
	require(xdr_CB_COMPOUND4args_head(&x, &head) && head.n == 2);
	require(head.minorversion == 1);
	require(xdr_nfs_cb_argop4(&x, &op) && op.argop == OP_CB_SEQUENCE);
	require(sessionid4_equal(op.opcbsequence.csa_sessionid, s->b.id));
	require(op.opcbsequence.csa_sequenceid == seqid);
	require(xdr_nfs_cb_argop4(&x, &op) && op.argop == OP_CB_NOTIFY_LOCK);
	require(xdr_bytes_equal(op.opcbnotify_lock.cnla_lock_owner.owner,
				xdr_text(owner)));
	require(xdr_left(&x) == 0);
	return call.xid;
}

static void answer(struct scene *s, struct wire *w, uint32_t xid,
		   uint32_t seqid)
{
	struct rpc_reply reply = { .xid = xid };
	COMPOUND4res_head head = { .n = 2 };
	nfs_cb_resop4 sequence = {
		.resop = OP_CB_SEQUENCE,
		.opcbsequence = { .csr_sessionid = s->b.id,
				  .csr_sequenceid = seqid },
	};
	nfs_cb_resop4 notify = { .resop = OP_CB_NOTIFY_LOCK };
	uint8_t buffer[256];
	struct xdr x;

	xdr_encode_init(&x, buffer, sizeof(buffer), SIZE_MAX);
	require(xdr_rpc_reply(&x, &reply) && xdr_COMPOUND4res_head(&x, &head) &&
		xdr_nfs_cb_resop4(&x, &sequence) &&
		xdr_nfs_cb_resop4(&x, &notify));
	wire_send(w, buffer, xdr_length(&x));
}

static void told(void *arg)
{
	struct scene *s = scene_start(arg);
	stateid4 held;
	uint32_t xid;

	for (uint32_t round = 1; round <= 3; round++) {
		require(lock(s, &s->wa, &s->a, s->open_a, "x") == NFS4_OK);
		held = s->c.res[3].oplock.lock_stateid;
		require(lock(s, &s->wb, &s->b, s->open_b, "y") ==
			NFS4ERR_DENIED);
		unlock_a(s, held);
		xid = expect_notice(s, &s->wb, round, "y");
		answer(s, &s->wb, xid, round);
		require(lock(s, &s->wb, &s->b, s->open_b, "y") == NFS4_OK);
		held = s->c.res[3].oplock.lock_stateid;
		session_begin(&s->b, &s->c, 0);
		add_lookup(&s->c, "f");
		add(&s->c, OP_LOCKU)->oplocku = (LOCKU4args){
			.locktype = WRITE_LT, .lock_stateid = held, .length = 10
		};
		require(wire_call(&s->wb, &s->c) == NFS4_OK);
	}
	scene_stop(s);
}

/* The lock goes with its open, and with its client. */
static void told_of_close(void *arg)
{
	struct scene *s = scene_start(arg);

	require(lock(s, &s->wa, &s->a, s->open_a, "x") == NFS4_OK);
	require(lock(s, &s->wb, &s->b, s->open_b, "y") == NFS4ERR_DENIED);
	session_begin(&s->a, &s->c, 0);
	add_lookup(&s->c, "f");
	add(&s->c, OP_CLOSE)->opclose.open_stateid = s->open_a;
	require(wire_call(&s->wa, &s->c) == NFS4_OK);
	answer(s, &s->wb, expect_notice(s, &s->wb, 1, "y"), 1);
	scene_stop(s);
}

/* The latest connection gets it; it dies, so the other one does. */
static void silent_path(void *arg)
{
	struct scene *s = scene_start(arg);
	stateid4 held;

	bind_back(s, &s->more, &s->b);
	require(lock(s, &s->wa, &s->a, s->open_a, "x") == NFS4_OK);
	held = s->c.res[3].oplock.lock_stateid;
	require(lock(s, &s->wb, &s->b, s->open_b, "y") == NFS4ERR_DENIED);
	unlock_a(s, held);
	expect_notice(s, &s->more, 1, "y");
	stream_abort(s->more.stream);
	answer(s, &s->wb, expect_notice(s, &s->wb, 1, "y"), 1);
	scene_stop(s);
}

/* No answer at all: nobody but b is worse off, and the server ends in time. */
static void no_answer(void *arg)
{
	struct scene *s = scene_start(arg);
	stateid4 held;
	nsec start;

	require(lock(s, &s->wa, &s->a, s->open_a, "x") == NFS4_OK);
	held = s->c.res[3].oplock.lock_stateid;
	require(lock(s, &s->wb, &s->b, s->open_b, "y") == NFS4ERR_DENIED);
	unlock_a(s, held);
	expect_notice(s, &s->wb, 1, "y");
	require(lock(s, &s->wb, &s->b, s->open_b, "y") == NFS4_OK);
	start = reactor_now();
	scene_stop(s);
	require(reactor_now() - start < SEC(2));
}

static uint32_t status_flags(struct scene *s, struct wire *w,
			     struct session *who)
{
	session_begin(who, &s->c, 0);
	require(wire_call(w, &s->c) == NFS4_OK);
	return s->c.res[0].opsequence.sr_status_flags;
}

/* SEQUENCE says so, and the client binds another connection. */
static void no_path(void *arg)
{
	struct scene *s = scene_start(arg);

	require(status_flags(s, &s->more, &s->b) == 0);
	stream_abort(s->wb.stream);
	for (int i = 0; status_flags(s, &s->more, &s->b) == 0; i++) {
		require(i < 1000);
		task_sleep(MSEC(1));
	}
	require(status_flags(s, &s->more, &s->b) ==
		SEQ4_STATUS_CB_PATH_DOWN_SESSION);
	bind_back(s, &s->more, &s->b);
	require(status_flags(s, &s->more, &s->b) == 0);
	/* Who never wanted a back channel does not miss it. */
	require(status_flags(s, &s->wa, &s->a) == 0);
	scene_stop(s);
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(who_waits_for_a_lock_is_told_when_it_is_free, told)
IN_WORLD(a_close_tells_it_too, told_of_close)
IN_WORLD(a_path_that_dies_hands_over_to_another, silent_path)
IN_WORLD(a_client_is_told_that_it_can_not_be_called, no_path)
IN_WORLD(a_client_that_does_not_answer_harms_nobody, no_answer)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			who_waits_for_a_lock_is_told_when_it_is_free),
		test_with_directory(a_close_tells_it_too),
		test_with_directory(a_path_that_dies_hands_over_to_another),
		test_with_directory(a_client_is_told_that_it_can_not_be_called),
		test_with_directory(a_client_that_does_not_answer_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
