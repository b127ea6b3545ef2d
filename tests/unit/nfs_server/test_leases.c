/* SPDX-License-Identifier: Apache-2.0 */
/* Leases, courtesy, and what a restart keeps. */
#include "wire.h"

static struct nfs_server_options options = { .lease = SEC(60) };

/* ---------------------------------------------------------------- leases */

static void wait_for_clients(struct world *world, unsigned most)
{
	struct nfs_server_stats stats;

	for (int i = 0;; i++) {
		nfs_server_get_stats(world->server, &stats);
		if (stats.clients <= most)
			return;
		require(i < 100000);
		task_sleep(USEC(200));
	}
}

static nfsstat4 open_f(struct wire *w, struct session *s)
{
	static struct compound c;

	session_begin(s, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_WRITE, 0, false);
	return wire_call(w, &c);
}

static void courtesy(void *arg)
{
	struct nfs_server_options brief = { .lease = SEC(1) };
	nsec start = reactor_now();
	struct world world;
	struct wire w;
	struct session a, b;
	static struct compound c;

	world_start(&world, arg, &brief);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "a", &a);
	wire_mount(&w, "b", &b);
	session_begin(&a, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_WRITE,
		 true);
	require(wire_call(&w, &c) == NFS4_OK);
	/* b holds nothing, so it goes; a is kept, and may come back. */
	wait_for_clients(&world, 1);
	session_begin(&b, &c, 0);
	require(wire_call(&w, &c) == NFS4ERR_BADSESSION);
	wire_mount(&w, "b", &b);
	session_begin(&a, &c, 0);
	require(wire_call(&w, &c) == NFS4_OK);
	require(open_f(&w, &b) == NFS4ERR_SHARE_DENIED);
	/* Until its lease is over, and somebody wants what it holds. */
	while (open_f(&w, &b) == NFS4ERR_SHARE_DENIED) {
		require(reactor_now() - start < SEC(60));
		task_sleep(MSEC(50));
	}
	require(open_f(&w, &b) == NFS4_OK);
	session_begin(&a, &c, 0);
	require(wire_call(&w, &c) == NFS4ERR_BADSESSION);
	wire_close(&w);
	world_stop(&world);
}

/* Many leases end at once, and each end takes its time: who comes back
 * meanwhile keeps what he gets. */
static void back_in_time(void *arg)
{
	enum { N = 40 };
	struct nfs_server_options brief = { .lease = SEC(4) };
	static struct session s[N];
	static struct compound c;
	struct world world;
	struct wire w;
	char owner[8];

	world_start(&world, arg, &brief);
	wire_open(&w, &world.addr[0]);
	for (int i = 0; i < N; i++) {
		snprintf(owner, sizeof(owner), "%d", i);
		wire_mount(&w, owner, &s[i]);
	}
	session_begin(&s[0], &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	add(&c, OP_CLOSE)->opclose.open_stateid = stateid4_current;
	require(wire_call(&w, &c) == NFS4_OK);
	for (int i = 0; i < N; i++) { /* all at the same time */
		session_begin(&s[i], &c, 0);
		require(wire_call(&w, &c) == NFS4_OK);
	}
	wait_for_clients(&world, N - 1);
	if (open_f(&w, &s[N / 2]) == NFS4_OK) { /* it was not too late */
		wait_for_clients(&world, 1);
		session_begin(&s[N / 2], &c, 0);
		require(wire_call(&w, &c) == NFS4_OK);
	}
	wire_close(&w);
	world_stop(&world);
}

/* ----------------------------------------------------------------- restart */

static nfsstat4 reclaim(struct wire *w, struct session *s, nfs_fh4 fh,
			stateid4 *id)
{
	static struct compound c;
	nfsstat4 status;
	OPEN4args *o;

	session_begin(s, &c, 0);
	add(&c, OP_PUTFH)->opputfh.object = fh;
	o = &add(&c, OP_OPEN)->opopen;
	o->share_access = OPEN4_SHARE_ACCESS_BOTH;
	o->owner.owner = xdr_text("o");
	o->claim.claim = CLAIM_PREVIOUS;
	status = wire_call(w, &c);
	if (status == NFS4_OK)
		*id = c.res[3].opopen.stateid;
	return status;
}

static nfsstat4 open_new(struct wire *w, struct session *s)
{
	static struct compound c;

	session_begin(s, &c, 0);
	add_open(&c, "o", "g", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	return wire_call(w, &c);
}

static void new_client(struct wire *w, const char *owner, struct session *s)
{
	CREATE_SESSION4resok session;
	EXCHANGE_ID4resok client;

	*s = (struct session){};
	require(wire_exchange(w, owner, 9, 0, &client) == NFS4_OK);
	require(wire_create_session(w, client.eir_clientid,
				    client.eir_sequenceid,
				    &session) == NFS4_OK);
	s->id = session.csr_sessionid;
}

static nfsstat4 complete(struct wire *w, struct session *s)
{
	static struct compound c;

	session_begin(s, &c, 0);
	add(&c, OP_RECLAIM_COMPLETE);
	return wire_call(w, &c);
}

/* Its handle; it stays open. */
static struct nfs_fh open_f_kept(struct wire *w, struct session *s)
{
	static struct compound c;

	session_begin(s, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	add(&c, OP_GETFH);
	require(wire_call(w, &c) == NFS4_OK);
	return nfs_fh4_copy(c.res[3].opgetfh.object);
}

static void restart(void *arg)
{
	struct nfs_server_stats stats;
	struct world world;
	struct wire w;
	struct session a, b, stranger;
	stateid4 id;
	static struct compound c;
	struct nfs_fh fh;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "a", &a);
	wire_mount(&w, "b", &b);
	fh = open_f_kept(&w, &a);
	wire_close(&w);
	world_stop(&world);

	world_start(&world, arg, &options);
	nfs_server_get_stats(world.server, &stats);
	require(stats.in_grace);
	wire_open(&w, &world.addr[0]);
	session_begin(&a, &c, 0);
	require(wire_call(&w, &c) == NFS4ERR_BADSESSION);
	new_client(&w, "a", &a);
	new_client(&w, "stranger", &stranger);
	require(open_new(&w, &a) == NFS4ERR_GRACE);
	require(reclaim(&w, &stranger, nfs_fh4_of(&fh), &id) ==
		NFS4ERR_RECLAIM_BAD);
	require(reclaim(&w, &a, nfs_fh4_of(&fh), &id) == NFS4_OK);
	require(complete(&w, &a) == NFS4_OK);
	require(complete(&w, &a) == NFS4ERR_COMPLETE_ALREADY);
	require(reclaim(&w, &a, nfs_fh4_of(&fh), &id) == NFS4ERR_NO_GRACE);
	require(complete(&w, &stranger) == NFS4_OK);
	require(open_new(&w, &stranger) == NFS4ERR_GRACE);
	/* b has nothing to reclaim; it is the last that was waited for. */
	new_client(&w, "b", &b);
	require(complete(&w, &b) == NFS4_OK);
	require(open_new(&w, &stranger) == NFS4_OK);
	require(open_new(&w, &a) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

/* What was removed while it was open is still there after a restart, for
 * whoever reclaims it (OPEN4_RESULT_PRESERVE_UNLINKED), and goes when he closes
 * it. */
static void removed_but_open(void *arg)
{
	static struct compound c;
	struct engine_statfs before, after;
	struct world world;
	struct wire w;
	struct session a;
	struct nfs_fh fh;
	stateid4 id;

	world_start(&world, arg, &options);
	require(engine_statfs(world.engine, 0, &before) == 0);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "a", &a);
	session_begin(&a, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	add(&c, OP_GETFH);
	add(&c, OP_WRITE)->opwrite = (WRITE4args){ .stateid = stateid4_current,
						   .stable = FILE_SYNC4,
						   .data = xdr_text("kept") };
	add(&c, OP_PUTROOTFH);
	add(&c, OP_REMOVE)->opremove.target = xdr_text("f");
	require(wire_call(&w, &c) == NFS4_OK);
	fh = nfs_fh4_copy(c.res[3].opgetfh.object);
	wire_close(&w);
	world_stop(&world);

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	new_client(&w, "a", &a);
	require(reclaim(&w, &a, nfs_fh4_of(&fh), &id) == NFS4_OK);
	require(complete(&w, &a) == NFS4_OK);
	session_begin(&a, &c, 0);
	add(&c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&fh);
	add(&c, OP_READ)->opread = (READ4args){ .stateid = id, .count = 9 };
	require(wire_call(&w, &c) == NFS4_OK);
	require(xdr_bytes_equal(c.res[3].opread.data, xdr_text("kept")));
	session_begin(&a, &c, 0);
	add(&c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&fh);
	add(&c, OP_CLOSE)->opclose.open_stateid = id;
	require(wire_call(&w, &c) == NFS4_OK);
	for (int i = 0;; i++) {
		require(engine_statfs(world.engine, 0, &after) == 0);
		if (after.used_files == before.used_files)
			break;
		require(i < 100);
		task_sleep(MSEC(20));
	}
	wire_close(&w);
	world_stop(&world);
}

static nfsstat4 remove_f(struct wire *w, struct session *s)
{
	static struct compound c;

	session_begin(s, &c, 0);
	add(&c, OP_REMOVE)->opremove.target = xdr_text("f");
	return wire_call(w, &c);
}

/* Somebody removes a file in the grace period, before who had it open has
 * reclaimed that: it is kept for him all the same. */
static void removed_in_grace(void *arg)
{
	struct world world;
	struct wire w;
	struct session a, b;
	struct nfs_fh fh;
	stateid4 id;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "a", &a);
	fh = open_f_kept(&w, &a);
	wire_close(&w);
	world_stop(&world);

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	new_client(&w, "b", &b);
	require(complete(&w, &b) == NFS4_OK);
	require(remove_f(&w, &b) == NFS4_OK);
	task_sleep(MSEC(100)); /* so that it goes, if it goes */
	new_client(&w, "a", &a);
	require(reclaim(&w, &a, nfs_fh4_of(&fh), &id) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

/* Two that both say they had what excludes the other: one of them is wrong. */
static void reclaim_conflicts(void *arg)
{
	static struct compound c;
	struct session s[2];
	struct world world;
	struct nfs_fh fh;
	stateid4 id[2];
	struct wire w;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (int i = 0; i < 2; i++) {
		wire_mount(&w, i ? "b" : "a", &s[i]);
		fh = open_f_kept(&w, &s[i]);
	}
	wire_close(&w);
	world_stop(&world);

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (int i = 0; i < 2; i++) {
		new_client(&w, i ? "b" : "a", &s[i]);
		require(reclaim(&w, &s[i], nfs_fh4_of(&fh), &id[i]) == NFS4_OK);
		session_begin(&s[i], &c, 0);
		add(&c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&fh);
		add(&c, OP_LOCK)->oplock = (LOCK4args){
			.locktype = WRITE_LT,
			.reclaim = true,
			.length = 10,
			.locker = { .new_lock_owner = true,
				    .open_stateid = id[i],
				    .lock_owner.owner = xdr_text("l") },
		};
		require(wire_call(&w, &c) ==
			(i ? NFS4ERR_RECLAIM_CONFLICT : NFS4_OK));
	}
	session_begin(&s[1], &c, 0);
	add(&c, OP_PUTFH)->opputfh.object = nfs_fh4_of(&fh);
	add(&c, OP_OPEN)->opopen = (OPEN4args){
		.share_access = OPEN4_SHARE_ACCESS_READ,
		.share_deny = OPEN4_SHARE_DENY_WRITE,
		.owner.owner = xdr_text("p"),
		.claim.claim = CLAIM_PREVIOUS,
	};
	require(wire_call(&w, &c) == NFS4ERR_RECLAIM_CONFLICT);
	wire_close(&w);
	world_stop(&world);
}

/* Who lost his state to somebody else, and then the server restarts, must not
 * get it back (RFC 8881, 8.4.3). */
static void no_reclaim_of_what_was_lost(void *arg)
{
	struct nfs_server_options brief = { .lease = SEC(1), .grace = SEC(2) };
	struct world world;
	struct wire w;
	struct session a, b;
	static struct compound c;
	struct nfs_fh fh;
	stateid4 id;

	world_start(&world, arg, &brief);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "a", &a);
	session_begin(&a, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_BOTH,
		 true);
	add(&c, OP_GETFH);
	require(wire_call(&w, &c) == NFS4_OK);
	fh = nfs_fh4_copy(c.res[3].opgetfh.object);
	task_sleep(MSEC(1200));
	wire_mount(&w, "b", &b);
	session_begin(&b, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, OPEN4_SHARE_DENY_BOTH,
		 false);
	require(wire_call(&w, &c) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);

	world_start(&world, arg, &brief);
	wire_open(&w, &world.addr[0]);
	new_client(&w, "a", &a);
	require(reclaim(&w, &a, nfs_fh4_of(&fh), &id) == NFS4ERR_RECLAIM_BAD);
	require(complete(&w, &a) == NFS4_OK);
	require(open_new(&w, &a) == NFS4ERR_GRACE);
	/* b does not come back: the period ends by itself. */
	for (int i = 0; open_new(&w, &a) == NFS4ERR_GRACE; i++) {
		require(i < 100);
		task_sleep(MSEC(100));
	}
	wire_close(&w);
	world_stop(&world);
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(an_expired_client_keeps_its_state_until_it_is_wanted, courtesy)
IN_WORLD(who_comes_back_while_others_go_is_kept, back_in_time)
IN_WORLD(after_a_restart_old_clients_reclaim_first, restart)
IN_WORLD(a_removed_file_is_kept_for_who_had_it_open, removed_but_open)
IN_WORLD(what_is_removed_in_the_grace_period_can_be_reclaimed, removed_in_grace)
IN_WORLD(reclaims_that_exclude_each_other_are_told_so, reclaim_conflicts)
IN_WORLD(what_was_lost_is_not_reclaimed, no_reclaim_of_what_was_lost)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			an_expired_client_keeps_its_state_until_it_is_wanted),
		test_with_directory(who_comes_back_while_others_go_is_kept),
		test_with_directory(after_a_restart_old_clients_reclaim_first),
		test_with_directory(a_removed_file_is_kept_for_who_had_it_open),
		test_with_directory(
			what_is_removed_in_the_grace_period_can_be_reclaimed),
		test_with_directory(
			reclaims_that_exclude_each_other_are_told_so),
		test_with_directory(what_was_lost_is_not_reclaimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
