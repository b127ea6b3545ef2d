/* SPDX-License-Identifier: Apache-2.0 */
/* Clients, sessions and slots: that a request takes effect once, whatever
 * happens to its connections; who becomes which client. */
#include "wire.h"

static struct nfs_server_options options = { .lease = SEC(60) };

static void add_mkdir(struct compound *c, const char *name)
{
	CREATE4args *a = &add(c, OP_CREATE)->opcreate;

	a->objtype.type = NF4DIR;
	a->objname = xdr_text(name);
}

static void cached(struct compound *c, bool yes)
{
	c->op[0].opsequence.sa_cachethis = yes;
}

/* ------------------------------------------------------------------ slots */

/* The reply is there when the repeat comes, on another connection. */
static void repeat_after(void *arg)
{
	struct world world;
	struct wire w[2];
	struct session s;
	static struct compound c, again;

	world_start(&world, arg, &options);
	for (int i = 0; i < 2; i++)
		wire_open(&w[i], &world.addr[i]);
	wire_mount(&w[0], "c", &s);
	session_begin(&s, &c, 0);
	cached(&c, true);
	add_mkdir(&c, "d");
	again = c;
	require(wire_call(&w[0], &c) == NFS4_OK);
	require(wire_call(&w[1], &again) == NFS4_OK);
	require(again.nres == 3);
	require(again.res[2].opcreate.cinfo.after ==
		c.res[2].opcreate.cinfo.after);
	for (int i = 0; i < 2; i++)
		wire_close(&w[i]);
	world_stop(&world);
}

/* The original still waits for its commit when the repeats come: all get the
 * one reply, though nobody asked for it to be cached. */
static void repeat_during(void *arg)
{
	enum { N = 4 };
	struct nfs_server_stats stats;
	struct world world;
	struct wire w[N];
	struct session s;
	static struct compound c, answer;
	changeid4 after = 0;

	world_start(&world, arg, &options);
	for (int i = 0; i < N; i++)
		wire_open(&w[i], &world.addr[i % 2]);
	wire_mount(&w[0], "c", &s);
	for (int i = 0; i < 20; i++) {
		char name[] = { 'd', 'a' + i, 0 };

		session_begin(&s, &c, 0);
		add_mkdir(&c, name);
		for (int k = 0; k < N; k++)
			wire_post(&w[k], &c);
		for (int k = 0; k < N; k++) {
			require(wire_answer(&w[k], &answer) != 0);
			if (answer.status == NFS4ERR_RETRY_UNCACHED_REP)
				continue; /* that one came too late */
			require(answer.status == NFS4_OK);
			if (after != 0 && k > 0)
				require(answer.res[2].opcreate.cinfo.after ==
					after);
			after = answer.res[2].opcreate.cinfo.after;
		}
		after = 0;
	}
	nfs_server_get_stats(world.server, &stats);
	require(stats.replays == 20 * (N - 1));
	for (int i = 0; i < N; i++)
		wire_close(&w[i]);
	world_stop(&world);
}

/* The connection dies with the request on it. */
static void repeat_after_loss(void *arg)
{
	struct world world;
	struct wire w;
	struct session s;
	static struct compound c;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "c", &s);
	for (int i = 0; i < 20; i++) {
		char name[] = { 'd', 'a' + i, 0 };

		session_begin(&s, &c, 1);
		cached(&c, true);
		add_mkdir(&c, name);
		wire_post(&w, &c);
		if (i % 2)
			task_sleep(MSEC(i));
		stream_abort(w.stream);
		wire_close(&w);
		wire_open(&w, &world.addr[i % 2]);
		require(wire_call(&w, &c) == NFS4_OK);
	}
	wire_close(&w);
	world_stop(&world);
}

/* A path delivers nothing any more, and what the server wants to send on it
 * piles up: repeats on another path don't wait behind that. */
static void repeat_past_a_stuck_path(void *arg)
{
	enum { READS = 60, SIZE = 1 << 20 };
	static struct compound c, answer;
	struct world world;
	struct wire w[2];
	struct session s;
	uint8_t *data = calloc(1, SIZE);
	stateid4 open;
	nsec start;

	world_start(&world, arg, &options);
	for (int i = 0; i < 2; i++)
		wire_open(&w[i], &world.addr[i]);
	wire_mount(&w[0], "c", &s);
	session_begin(&s, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	require(wire_call(&w[0], &c) == NFS4_OK);
	open = c.res[2].opopen.stateid;
	session_begin(&s, &c, 0);
	add_lookup(&c, "f");
	add(&c, OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = open, .data = { data, SIZE } };
	require(wire_call(&w[0], &c) == NFS4_OK);
	for (int path = 0; path < 2; path++) {
		for (unsigned slot = 1; slot <= READS; slot++) {
			session_begin(&s, &c, slot);
			s.seq[slot] -= path == 0;
			add_lookup(&c, "f");
			add(&c, OP_READ)->opread =
				(READ4args){ .stateid = open, .count = SIZE };
			wire_post(&w[path], &c);
		}
		if (path == 0)
			task_sleep(MSEC(200));
	}
	start = reactor_now();
	for (int i = 0; i < READS; i++) {
		require(wire_answer(&w[1], &answer) != 0);
		require(answer.status == NFS4_OK ||
			answer.status == NFS4ERR_DELAY ||
			answer.status == NFS4ERR_RETRY_UNCACHED_REP);
	}
	require(reactor_now() - start < SEC(5));
	for (int i = 0; i < 2; i++)
		wire_close(&w[i]);
	world_stop(&world);
	free(data);
}

static void slot_rules(void *arg)
{
	struct world world;
	struct wire w;
	struct session s;
	static struct compound c, other;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "c", &s);

	session_begin(&s, &c, 0);
	cached(&c, true);
	add_mkdir(&c, "d");
	require(wire_call(&w, &c) == NFS4_OK);
	/* The same sequence id with something else in it. */
	session_begin(&s, &other, 0);
	other.op[0].opsequence.sa_sequenceid = --s.seq[0];
	add_mkdir(&other, "e");
	require(wire_call(&w, &other) == NFS4ERR_SEQ_FALSE_RETRY);
	/* The same, by somebody else. */
	w.uid = 5;
	require(wire_call(&w, &c) == NFS4ERR_SEQ_FALSE_RETRY);
	w.uid = 0;
	/* One ahead, one behind. */
	other.op[0].opsequence.sa_sequenceid = s.seq[0] + 2;
	require(wire_call(&w, &other) == NFS4ERR_SEQ_MISORDERED);
	other.op[0].opsequence.sa_sequenceid = s.seq[0] - 1;
	require(wire_call(&w, &other) == NFS4ERR_SEQ_MISORDERED);
	/* A slot that there is not. */
	other.op[0].opsequence.sa_slotid = 64;
	require(wire_call(&w, &other) == NFS4ERR_BADSLOT);
	/* What was not to be cached is not repeated, either. */
	session_begin(&s, &c, 0);
	add_mkdir(&c, "e");
	require(wire_call(&w, &c) == NFS4_OK);
	require(wire_call(&w, &c) == NFS4ERR_RETRY_UNCACHED_REP);
	require(c.nres == 2 && c.res[0].status == NFS4_OK);
	/* Nothing of all that has used up a sequence id. */
	session_begin(&s, &c, 0);
	add_lookup(&c, "e");
	require(wire_call(&w, &c) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

/* A reply that is too long to be cached: known before anything is changed. */
static void too_big_to_cache(void *arg)
{
	struct world world;
	struct wire w;
	struct session s;
	static struct compound c;
	char name[] = "dx";
	unsigned made = 0;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "c", &s);
	/* File handles fill the 2048 bytes, then comes a CREATE. */
	for (int fill = 1; fill < WIRE_OPS - 2; fill++) {
		session_begin(&s, &c, 0);
		cached(&c, true);
		for (int i = 0; i < fill; i++)
			add(&c, OP_GETATTR)->opgetattr.attr_request =
				BITMAP4(FATTR4_SUPPORTED_ATTRS,
					FATTR4_FS_LOCATIONS, FATTR4_TIME_CREATE,
					FATTR4_TIME_MODIFY, FATTR4_TIME_ACCESS,
					FATTR4_OWNER, FATTR4_SIZE,
					FATTR4_FILEHANDLE, FATTR4_SPACE_FREE,
					FATTR4_MAXREAD, FATTR4_MAXWRITE);
		name[1] = 'a' + fill;
		add_mkdir(&c, name);
		if (wire_call(&w, &c) == NFS4_OK) {
			made++;
			continue;
		}
		require(c.status == NFS4ERR_REP_TOO_BIG_TO_CACHE);
		session_begin(&s, &c, 0);
		add_lookup(&c, name);
		require(wire_call(&w, &c) == NFS4ERR_NOENT);
	}
	require(made > 0 && made < WIRE_OPS - 3);
	wire_close(&w);
	world_stop(&world);
}

/* So does a SEQUENCE whose own result does not fit. */
static void too_big_for_sequence(void *arg)
{
	static struct compound c;
	CREATE_SESSION4args *a;
	EXCHANGE_ID4resok client;
	struct session s = {};
	struct world world;
	struct wire w;
	char tag[129] = {};

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	require(wire_exchange(&w, "c", 1, 0, &client) == NFS4_OK);
	c = (struct compound){ .minorversion = 1 };
	a = &add(&c, OP_CREATE_SESSION)->opcreate_session;
	a->csa_clientid = client.eir_clientid;
	a->csa_sequence = client.eir_sequenceid;
	a->csa_fore_chan_attrs = a->csa_back_chan_attrs =
		(channel_attrs4){ .ca_maxrequestsize = 1024,
				  .ca_maxresponsesize = 128,
				  .ca_maxresponsesize_cached = 128,
				  .ca_maxoperations = 8,
				  .ca_maxrequests = 1 };
	require(wire_call(&w, &c) == NFS4_OK);
	s.id = c.res[0].opcreate_session.csr_sessionid;
	for (size_t len = 0; len <= 128; len += 4) {
		memset(tag, 't', len);
		tag[len] = 0;
		w.tag = tag;
		session_begin(&s, &c, 0);
		c.n = 1;
		if (wire_call(&w, &c) == NFS4_OK)
			continue;
		require(c.status == NFS4ERR_REP_TOO_BIG);
		w.tag = "";
		add(&c, OP_PUTROOTFH);
		require(wire_call(&w, &c) == NFS4_OK);
	}
	wire_close(&w);
	world_stop(&world);
}

/* ---------------------------------------------------------------- clients */

/* RFC 8881, 18.35.4: what EXCHANGE_ID says to each combination. */
static void exchange_cases(void *arg)
{
	static const struct {
		bool confirmed, same_verifier, same_principal, update;
		nfsstat4 expected;
		bool same_id;
	} cases[] = {
		/* no confirmed record: always a new client, never an update */
		{ false, false, false, false, NFS4_OK, false },
		{ false, true, true, false, NFS4_OK, false },
		{ false, true, true, true, NFS4ERR_NOENT, false },
		/* a confirmed one that is in use */
		{ true, true, true, false, NFS4_OK, true },
		{ true, false, true, false, NFS4_OK, false },
		{ true, true, false, false, NFS4ERR_CLID_INUSE, false },
		{ true, false, false, false, NFS4ERR_CLID_INUSE, false },
		{ true, true, true, true, NFS4_OK, true },
		{ true, false, true, true, NFS4ERR_NOT_SAME, false },
		{ true, true, false, true, NFS4ERR_PERM, false },
	};
	struct world world;
	struct wire w;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char owner[] = { 'o', 'a' + i, 0 };
		EXCHANGE_ID4resok first, second;
		CREATE_SESSION4resok session;
		uint32_t flags =
			cases[i].update ? EXCHGID4_FLAG_UPD_CONFIRMED_REC_A : 0;

		w.uid = 0;
		require(wire_exchange(&w, owner, 1, 0, &first) == NFS4_OK);
		if (cases[i].confirmed)
			require(wire_create_session(&w, first.eir_clientid,
						    first.eir_sequenceid,
						    &session) == NFS4_OK);
		w.uid = cases[i].same_principal ? 0 : 1;
		if (wire_exchange(&w, owner, cases[i].same_verifier ? 1 : 2,
				  flags, &second) != cases[i].expected) {
			fprintf(stderr, "case %zu\n", i);
			abort();
		}
		if (cases[i].expected == NFS4_OK)
			require((first.eir_clientid == second.eir_clientid) ==
				cases[i].same_id);
	}
	wire_close(&w);
	world_stop(&world);
}

/* A restarted client's old session works until the new record is confirmed. */
static void client_restart(void *arg)
{
	struct world world;
	struct wire w;
	struct session s;
	static struct compound c;
	EXCHANGE_ID4resok new;
	CREATE_SESSION4resok session;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "c", &s);
	require(wire_exchange(&w, "c", 2, 0, &new) == NFS4_OK);
	session_begin(&s, &c, 0);
	require(wire_call(&w, &c) == NFS4_OK);
	require(wire_create_session(&w, new.eir_clientid, new.eir_sequenceid,
				    &session) == NFS4_OK);
	session_begin(&s, &c, 0);
	require(wire_call(&w, &c) == NFS4ERR_BADSESSION);
	/* A repeat of CREATE_SESSION makes no second session. */
	sessionid4 id = session.csr_sessionid;
	require(wire_create_session(&w, new.eir_clientid, new.eir_sequenceid,
				    &session) == NFS4_OK);
	require(sessionid4_equal(id, session.csr_sessionid));
	wire_close(&w);
	world_stop(&world);
}

/* A client id is easy to guess; who has not got it can't use it up. */
static void not_his_client(void *arg)
{
	struct world world;
	struct wire w;
	EXCHANGE_ID4resok client;
	CREATE_SESSION4resok session;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	require(wire_exchange(&w, "c", 1, 0, &client) == NFS4_OK);
	w.uid = 1;
	require(wire_create_session(&w, client.eir_clientid,
				    client.eir_sequenceid,
				    &session) == NFS4ERR_CLID_INUSE);
	w.uid = 0;
	require(wire_create_session(&w, client.eir_clientid,
				    client.eir_sequenceid,
				    &session) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

static nfsstat4 destroy_session(struct wire *w, struct session *s)
{
	static struct compound c;

	c = (struct compound){ .minorversion = 2 };
	add(&c, OP_DESTROY_SESSION)->opdestroy_session.dsa_sessionid = s->id;
	return wire_call(w, &c);
}

static nfsstat4 bind_conn(struct wire *w, struct session *s)
{
	static struct compound c;
	BIND_CONN_TO_SESSION4args *a;

	c = (struct compound){ .minorversion = 1 };
	a = &add(&c, OP_BIND_CONN_TO_SESSION)->opbind_conn_to_session;
	a->bctsa_sessid = s->id;
	a->bctsa_dir = CDFC4_FORE;
	return wire_call(w, &c);
}

/* When the end of a session, or the return of a client, has been answered,
 * nothing of before is still on its way (RFC 7862, 14.4). */
static void fence(void *arg)
{
	static struct compound c, answer;
	struct session s, other;
	struct world world;
	struct wire w[2];

	world_start(&world, arg, &options);
	for (int i = 0; i < 2; i++)
		wire_open(&w[i], &world.addr[i]);
	wire_mount(&w[1], "other", &other);
	for (int i = 0; i < 20; i++) {
		char name[] = { 'd', 'a' + i, 0 };
		EXCHANGE_ID4resok again;
		nfsstat4 status;

		wire_mount(&w[0], name, &s);
		session_begin(&s, &c, 0);
		add_mkdir(&c, name);
		wire_post(&w[0], &c);
		if (i % 2)
			task_sleep(USEC(100 * i));
		do
			status = i < 10 ? destroy_session(&w[1], &s)
					: wire_exchange(&w[1], name, 2, 0,
							&again);
		while (status == NFS4ERR_DELAY);
		require(status == NFS4_OK);
		session_begin(&other, &c, 0);
		add_lookup(&c, name);
		status = wire_call(&w[1], &c);
		require(status == NFS4_OK || status == NFS4ERR_NOENT);
		if (status == NFS4ERR_NOENT) /* it came too late, and did not */
			require(i < 10);
		require(wire_answer(&w[0], &answer) != 0);
		session_begin(&other, &c, 0);
		add_lookup(&c, name);
		require(wire_call(&w[1], &c) == status);
		if (i < 10)
			require(bind_conn(&w[0], &s) == NFS4ERR_BADSESSION);
	}
	c = (struct compound){ .minorversion = 2 };
	add(&c, OP_EXCHANGE_ID)->opexchange_id = (EXCHANGE_ID4args){
		.eia_clientowner.co_ownerid = xdr_text("fenced"),
		.eia_flags = EXCHGID4_FLAG_SUPP_FENCE_OPS,
	};
	require(wire_call(&w[0], &c) == NFS4_OK);
	require(c.res[0].opexchange_id.eir_flags &
		EXCHGID4_FLAG_SUPP_FENCE_OPS);
	c.minorversion = 1;
	require(wire_call(&w[0], &c) == NFS4ERR_INVAL);
	for (int i = 0; i < 2; i++)
		wire_close(&w[i]);
	world_stop(&world);
}

/* Records that are never confirmed push out each other, not clients. */
static void flood(void *arg)
{
	struct nfs_server_options few = { .max_clients = 20 };
	struct nfs_server_stats stats;
	struct world world;
	struct wire w;
	struct session s;
	static struct compound c;
	EXCHANGE_ID4resok res;
	char owner[16];

	world_start(&world, arg, &few);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "good", &s);
	for (int i = 0; i < 200; i++) {
		snprintf(owner, sizeof(owner), "%d", i);
		require(wire_exchange(&w, owner, 1, 0, &res) == NFS4_OK);
	}
	nfs_server_get_stats(world.server, &stats);
	require(stats.clients == 20);
	session_begin(&s, &c, 0);
	require(wire_call(&w, &c) == NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

/* As the memory for reply caches is used up, sessions get fewer slots, down to
 * none; and all of them again when the others have gone. */
static void reply_cache_bound(void *arg)
{
	CREATE_SESSION4resok session = {};
	EXCHANGE_ID4resok client;
	nfsstat4 status = NFS4_OK;
	size_t promised = 0;
	sequenceid4 refused_seq;
	clientid4 refused;
	struct world world;
	struct wire w;
	char owner[16];
	int i, k;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (i = 0; i < 80 && status == NFS4_OK; i++) {
		snprintf(owner, sizeof(owner), "%d", i);
		require(wire_exchange(&w, owner, 1, 0, &client) == NFS4_OK);
		for (k = 0; k < 64 && status == NFS4_OK; k++) {
			status = wire_create_session(&w, client.eir_clientid,
						     client.eir_sequenceid + k,
						     &session);
			if (status == NFS4_OK)
				promised += session.csr_fore_chan_attrs
						    .ca_maxrequests *
					    2048;
		}
	}
	require(status == NFS4ERR_DELAY);
	require(promised > MIB(400) && promised <= MIB(512));
	refused = client.eir_clientid;
	refused_seq = client.eir_sequenceid + k - 1;
	/* Nobody is locked out, and a restarted client's old sessions go. */
	for (i = 0; i < 2; i++) {
		require(wire_exchange(&w, i ? "new" : "0", 2, 0, &client) ==
			NFS4_OK);
		for (k = 0; k < 2; k++)
			require(wire_create_session(&w, client.eir_clientid,
						    client.eir_sequenceid + k,
						    &session) == NFS4_OK);
		require(session.csr_fore_chan_attrs.ca_maxrequests == 64);
	}
	/* Who was told to come later has not used up his sequence id. */
	require(wire_create_session(&w, refused, refused_seq, &session) ==
		NFS4_OK);
	wire_close(&w);
	world_stop(&world);
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(a_repeat_on_another_connection_gets_the_kept_reply, repeat_after)
IN_WORLD(repeats_of_a_running_request_get_its_one_reply, repeat_during)
IN_WORLD(a_request_survives_its_connection_and_is_done_once, repeat_after_loss)
IN_WORLD(repeats_do_not_wait_behind_a_stuck_path, repeat_past_a_stuck_path)
IN_WORLD(slots_tell_repeats_from_mistakes, slot_rules)
IN_WORLD(what_could_not_be_cached_is_not_done, too_big_to_cache)
IN_WORLD(a_sequence_that_can_not_be_answered_uses_up_nothing,
	 too_big_for_sequence)
IN_WORLD(exchange_id_follows_the_cases_of_the_rfc, exchange_cases)
IN_WORLD(a_restarted_client_replaces_its_old_self, client_restart)
IN_WORLD(a_client_is_confirmed_by_who_asked_for_it, not_his_client)
IN_WORLD(nothing_of_before_outlives_the_end_of_a_session, fence)
IN_WORLD(unconfirmed_clients_push_out_only_each_other, flood)
IN_WORLD(reply_caches_take_a_bounded_amount_of_memory, reply_cache_bound)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			a_repeat_on_another_connection_gets_the_kept_reply),
		test_with_directory(
			repeats_of_a_running_request_get_its_one_reply),
		test_with_directory(
			a_request_survives_its_connection_and_is_done_once),
		test_with_directory(repeats_do_not_wait_behind_a_stuck_path),
		test_with_directory(slots_tell_repeats_from_mistakes),
		test_with_directory(what_could_not_be_cached_is_not_done),
		test_with_directory(
			a_sequence_that_can_not_be_answered_uses_up_nothing),
		test_with_directory(exchange_id_follows_the_cases_of_the_rfc),
		test_with_directory(a_restarted_client_replaces_its_old_self),
		test_with_directory(a_client_is_confirmed_by_who_asked_for_it),
		test_with_directory(
			nothing_of_before_outlives_the_end_of_a_session),
		test_with_directory(
			unconfirmed_clients_push_out_only_each_other),
		test_with_directory(
			reply_caches_take_a_bounded_amount_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
