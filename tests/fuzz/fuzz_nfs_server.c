/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server, its engine and its clients in one process, in virtual time.  The
 * input is a script: each step is taken from its next bytes, so that a mutation
 * changes a step and not the whole.  Steps are compounds that make some sense
 * (nonsense.h), in order or not, damaged or not; the making and ending of
 * clients, sessions and connections; time that passes; a restart.  Where the
 * input ends, numbers drawn from it go on.
 *
 * Wrong is: what the sanitizers and assertions say; an answer that is not
 * well-formed; a server that does not end.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../unit/nfs_server/nonsense.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rng.h"
#include "reactor/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WIRES = 3, CLIENTS = 2, SESSIONS = CLIENTS + 1, SLOTS = 2, STEPS = 40 };

#define LEASE SEC(10)
#define UUID  "fuzzed file sys."

struct script {
	const uint8_t *p, *end;
	struct rng rng; /* behind it */
	bool done;

	struct nfs_server *server;
	struct addr addr[2];
	struct wire w[WIRES];
	struct session s[SESSIONS];
	struct {
		clientid4 id;
		sequenceid4 seq;
	} clients[CLIENTS];
	struct nonsense nonsense;
	struct compound c;
	uint8_t *message;
	size_t len;
};

static struct reactor *reactor;
static struct engine *engine;
static struct store *store;
static char directory[64];

/* ------------------------------------------------------------ the script */

static uint64_t draw(void *arg, uint64_t n)
{
	struct script *f = arg;
	size_t width = n == 0 ? 8 : n <= 256 ? 1 : 2;
	uint64_t v = 0;

	if (f->p == f->end)
		return n == 0 ? rng_next(&f->rng) : rng_below(&f->rng, n);
	while (width-- > 0 && f->p < f->end)
		v = v << 8 | *f->p++;
	return n == 0 ? v : v % n;
}

static struct wire *any_wire(struct script *f)
{
	return &f->w[draw(f, WIRES)];
}

static struct session *any_session(struct script *f)
{
	return &f->s[draw(f, SESSIONS)];
}

/* ------------------------------------------------------------- messages */

/* Callbacks are answered half of the time, with success. */
static void answer_callback(struct script *f, struct wire *w, uint32_t xid)
{
	struct rpc_reply reply = { .xid = xid };
	COMPOUND4res_head head = { .n = 1 };
	uint8_t buffer[128] = {};
	struct xdr x;

	if (draw(f, 2) == 0)
		return;
	xdr_encode_init(&x, buffer, sizeof(buffer), SIZE_MAX);
	require(xdr_rpc_reply(&x, &reply) && xdr_COMPOUND4res_head(&x, &head));
	store_be32(xdr_inline(&x, 4), OP_CB_SEQUENCE);
	require(xdr_inline(&x, 4 + NFS4_SESSIONID_SIZE + 16) != NULL);
	wire_send(w, buffer, xdr_length(&x));
}

/* Whatever we sent, the answer is an answer. */
static void check_answer(struct script *f, struct wire *w, size_t len)
{
	struct compound *c = &f->c;
	COMPOUND4res_head head;
	struct rpc_reply reply;
	struct xdr x;

	arena_reset(&w->arena);
	xdr_decode_init(&x, w->buffer, len, &w->arena);
	require(xdr_rpc_reply(&x, &reply));
	c->nres = 0;
	if (reply.status != RPC_SUCCESS || xdr_left(&x) == 0)
		return;
	require(xdr_COMPOUND4res_head(&x, &head));
	for (unsigned i = 0; i < head.n; i++) {
		nfs_resop4 *r = &c->res[MIN(i, WIRE_OPS - 1u)];

		require(xdr_nfs_resop4(&x, r));
		require((r->status != NFS4_OK) ==
			(i + 1 == head.n && head.status != NFS4_OK));
	}
	require(xdr_left(&x) == 0);
	c->nres = MIN(head.n, (uint32_t)WIRE_OPS);
	c->status = head.status;
}

/* One answer, if it comes soon; false: none. */
static bool receive(struct script *f, struct wire *w)
{
	uint32_t xid, type;
	ssize_t len;

	for (;;) {
		if (stream_wait_readable(w->stream, reactor_now() + SEC(1)) < 0)
			return false;
		len = wire_receive(w);
		if (len < 0) { /* the server has ended it */
			wire_close(w);
			wire_open(w, &f->addr[draw(f, 2)]);
			return false;
		}
		require(rpc_peek(w->buffer, len, &xid, &type));
		if (type == RPC_MSG_CALL) {
			answer_callback(f, w, xid);
			continue;
		}
		check_answer(f, w, len);
		return true;
	}
}

/* Some bytes behind the headers change, or the record ends early. */
static void damage(struct script *f)
{
	enum { KEEP = 100 };
	uint64_t n = draw(f, 8);

	if (n > 4 || f->len <= KEEP)
		return;
	for (; n > 0; n--)
		f->message[KEEP + draw(f, 65536) % (f->len - KEEP)] =
			(uint8_t)draw(f, 256);
	if (draw(f, 4) == 0) {
		f->len = KEEP + draw(f, 65536) % (f->len - KEEP);
		record_header(f->message, f->len - RECORD_HEADER);
	}
}

static bool call(struct script *f, struct wire *w)
{
	f->len = 0;
	compound_encode(w, &f->c, w->xid++, f->message, WIRE_BUFFER, &f->len);
	damage(f);
	stream_write(w->stream, f->message, f->len);
	if (draw(f, 8) == 0) /* don't wait */
		return false;
	return receive(f, w);
}

/* ----------------------------------------------------------------- steps */

static void step_compound(struct script *f)
{
	static const int deltas[] = { 0, 0, 0, 0, 0, 0, -1, 1 };
	struct wire *w = any_wire(f);
	struct session *s = any_session(f);
	unsigned slot = (unsigned)draw(f, SLOTS);
	SEQUENCE4args *q;

	session_begin(s, &f->c, slot);
	q = &f->c.op[0].opsequence;
	q->sa_cachethis = draw(f, 2);
	q->sa_sequenceid += deltas[draw(f, ARRAY_SIZE(deltas))];
	f->c.minorversion = 1 + (uint32_t)draw(f, 2);
	w->uid = (uint32_t)draw(f, 2) * 1000;
	for (uint64_t n = draw(f, WIRE_OPS - 2); n > 0; n--)
		nonsense_add(&f->nonsense, &f->c);
	if (!call(f, w))
		return;
	if (f->c.nres == 0 || f->c.res[0].status != NFS4_OK)
		s->seq[slot]--;
	nonsense_learn(&f->nonsense, &f->c);
}

/* The same bytes again, maybe elsewhere. */
static void step_repeat(struct script *f)
{
	struct wire *w = any_wire(f);

	if (f->len == 0)
		return;
	stream_write(w->stream, f->message, f->len);
	receive(f, w);
}

static void step_exchange(struct script *f)
{
	static const uint32_t flags[] = { 0, 0,
					  EXCHGID4_FLAG_UPD_CONFIRMED_REC_A,
					  UINT32_MAX };
	struct wire *w = any_wire(f);
	unsigned k = (unsigned)draw(f, CLIENTS);
	EXCHANGE_ID4args *a;

	f->c = (struct compound){ .minorversion = 1 + (uint32_t)draw(f, 2) };
	w->uid = (uint32_t)draw(f, 2) * 1000;
	a = &add(&f->c, OP_EXCHANGE_ID)->opexchange_id;
	a->eia_clientowner.co_verifier.b[0] = (uint8_t)draw(f, 2);
	a->eia_clientowner.co_ownerid = xdr_text(k == 0 ? "a" : "b");
	a->eia_flags = flags[draw(f, ARRAY_SIZE(flags))];
	a->eia_state_protect.spa_how = draw(f, 8) == 0;
	if (!call(f, w) || f->c.nres != 1 || f->c.status != NFS4_OK)
		return;
	f->clients[k].id = f->c.res[0].opexchange_id.eir_clientid;
	f->clients[k].seq = f->c.res[0].opexchange_id.eir_sequenceid;
}

static void step_create_session(struct script *f)
{
	static const uint32_t sizes[] = { 2 << 20, 0, 128, 300, 4096, 70000 };
	callback_sec_parms4 none = { .cb_secflavor = AUTH_NONE };
	struct wire *w = any_wire(f);
	unsigned k = (unsigned)draw(f, CLIENTS);
	struct session *s = any_session(f);
	channel_attrs4 channel = { .ca_maxrequestsize = 2 << 20,
				   .ca_maxresponsesize_cached = 2048,
				   .ca_maxoperations = 1 + WIRE_OPS,
				   .ca_maxrequests = SLOTS };
	CREATE_SESSION4args *a;

	channel.ca_maxresponsesize = sizes[draw(f, ARRAY_SIZE(sizes))];
	f->c = (struct compound){ .minorversion = 1 + (uint32_t)draw(f, 2) };
	w->uid = (uint32_t)draw(f, 2) * 1000;
	a = &add(&f->c, OP_CREATE_SESSION)->opcreate_session;
	a->csa_clientid = f->clients[k].id;
	a->csa_sequence = f->clients[k].seq + (draw(f, 4) == 0);
	a->csa_flags = (uint32_t)draw(f, 8);
	a->csa_fore_chan_attrs = a->csa_back_chan_attrs = channel;
	a->csa_sec_parms = &none;
	a->nsec_parms = (uint32_t)draw(f, 2);
	if (!call(f, w) || f->c.nres != 1 || f->c.status != NFS4_OK)
		return;
	*s = (struct session){};
	s->id = f->c.res[0].opcreate_session.csr_sessionid;
	f->clients[k].seq++;
}

/* The others that stand alone. */
static void step_sole(struct script *f)
{
	struct wire *w = any_wire(f);
	struct session *s = any_session(f);
	BIND_CONN_TO_SESSION4args *b;

	f->c = (struct compound){ .minorversion = 1 + (uint32_t)draw(f, 2) };
	switch (draw(f, 3)) {
	case 0:
		add(&f->c, OP_DESTROY_SESSION)
			->opdestroy_session.dsa_sessionid = s->id;
		break;
	case 1:
		add(&f->c, OP_DESTROY_CLIENTID)
			->opdestroy_clientid.dca_clientid =
			f->clients[draw(f, CLIENTS)].id;
		break;
	default:
		b = &add(&f->c, OP_BIND_CONN_TO_SESSION)
			     ->opbind_conn_to_session;
		b->bctsa_sessid = s->id;
		b->bctsa_dir = CDFC4_FORE + draw(f, 7);
		break;
	}
	call(f, w);
}

static void step_reclaim_complete(struct script *f)
{
	struct session *s = any_session(f);

	session_begin(s, &f->c, 0);
	add(&f->c, OP_RECLAIM_COMPLETE);
	if (call(f, any_wire(f)) && f->c.res[0].status != NFS4_OK)
		s->seq[0]--;
}

static void step_reconnect(struct script *f)
{
	struct wire *w = any_wire(f);

	if (draw(f, 2))
		stream_abort(w->stream);
	wire_close(w);
	wire_open(w, &f->addr[draw(f, 2)]);
}

static void start_server(struct script *f)
{
	struct nfs_server_options o = { .lease = LEASE,
					.root_squash = draw(f, 8) == 0,
					.max_clients = 4 };

	memcpy(o.uuid, UUID, sizeof(o.uuid));
	require(nfs_server_create(engine, store, &o, &f->server) == 0);
	for (int i = 0; i < 2; i++)
		require(nfs_server_listen(f->server, &f->addr[i]) == 0);
	require(nfs_server_publish(f->server, f->addr, 2) == 0);
	for (int i = 0; i < WIRES; i++)
		wire_open(&f->w[i], &f->addr[i % 2]);
}

static void stop_server(struct script *f)
{
	for (int i = 0; i < WIRES; i++)
		wire_close(&f->w[i]);
	nfs_server_destroy(f->server);
}

static void step(struct script *f)
{
	switch (draw(f, 32)) {
	case 0:
		task_sleep((nsec)(1 + draw(f, 4)) * LEASE / 2);
		break;
	case 1:
		step_exchange(f);
		break;
	case 2:
		step_create_session(f);
		break;
	case 3:
		step_sole(f);
		break;
	case 4:
		step_reclaim_complete(f);
		break;
	case 5:
		step_reconnect(f);
		break;
	case 6:
	case 7:
		step_repeat(f);
		break;
	case 8:
		receive(f, any_wire(f));
		break;
	case 9:
		if (draw(f, 4) == 0) {
			stop_server(f);
			start_server(f);
		}
		break;
	default:
		step_compound(f);
		break;
	}
}

/* -------------------------------------------------------------- a script */

struct found {
	uint64_t ino;
	bool is_directory;
	char name[ENGINE_NAME_MAX];
	size_t len;
};

static bool take_first(void *arg, const struct engine_dirent *e)
{
	struct found *found = arg;

	if (found->len > 0)
		return false;
	found->ino = e->ino;
	found->is_directory = S_ISDIR(e->type);
	found->len = e->name_len;
	memcpy(found->name, e->name, e->name_len);
	return true;
}

static void empty(uint64_t dir)
{
	struct found found;
	bool eof;

	for (;;) {
		found.len = 0;
		require(engine_readdir(engine, dir, 0, false, take_first,
				       &found, &eof) == 0);
		if (found.len == 0)
			return;
		if (found.is_directory)
			empty(found.ino);
		require(engine_remove(engine, NULL, dir, found.name, found.len,
				      ENGINE_REMOVE_ANY, NULL) == 0);
	}
}

/* A session for each client, and one more for the last. */
static void mount_all(struct script *f)
{
	CREATE_SESSION4resok session;
	EXCHANGE_ID4resok client;

	for (int i = 0; i < CLIENTS; i++) {
		wire_mount(&f->w[i], i == 0 ? "a" : "b", &f->s[i]);
		f->clients[i].id = f->s[i].clientid;
		f->clients[i].seq = 2;
	}
	require(wire_exchange(&f->w[0], "b", 1, 0, &client) == NFS4_OK);
	require(wire_create_session(&f->w[0], client.eir_clientid,
				    client.eir_sequenceid,
				    &session) == NFS4_OK);
	f->s[CLIENTS].id = session.csr_sessionid;
	f->clients[CLIENTS - 1].seq++;
}

static void run(void *arg)
{
	struct script *f = arg;
	struct sattr open_to_all = { .mask = SATTR_MODE, .mode = 0777 };

	start_server(f);
	mount_all(f);
	for (int i = 0; i < STEPS; i++)
		step(f);
	stop_server(f);
	require(nfs_server_forget(store, (const uint8_t *)UUID) == 0);
	empty(ENGINE_ROOT);
	engine_setattr(engine, NULL, ENGINE_ROOT, &open_to_all, NULL);
	f->done = true;
	reactor_stop(reactor);
}

static void start(void *arg)
{
	struct sattr open_to_all = { .mask = SATTR_MODE, .mode = 0777 };
	char path[80];

	snprintf(path, sizeof(path), "%s/fs", directory);
	require(engine_open("local", path, &engine) == 0);
	engine_setattr(engine, NULL, ENGINE_ROOT, &open_to_all, NULL);
	snprintf(path, sizeof(path), "%s/store", directory);
	require(store_open(path, &store) == 0);
	reactor_stop(reactor);
}

static void clean_up(void)
{
	tree_remove(directory, NULL);
}

/* The engine's database is on real files, where flushing costs nothing. */
static void set_up(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(directory, sizeof(directory), "%s/hawser-fuzz-XXXXXX", base);
	require(mkdtemp(directory) != NULL);
	atexit(clean_up);
	log_set_level("error");
	require(reactor_create_sim(1, &reactor) == 0);
	require(reactor_spawn(reactor, "start", start, NULL) == 0);
	reactor_run(reactor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct siphash_key key;
	static struct script f;
	static uint8_t message[WIRE_BUFFER];

	if (reactor == NULL)
		set_up();
	f = (struct script){ .p = data, .end = data + size };
	f.message = message;
	rng_init(&f.rng, siphash24(&key, data, size));
	f.nonsense.draw = draw;
	f.nonsense.arg = &f;
	for (size_t i = 0; i < sizeof(f.nonsense.noise); i++)
		f.nonsense.noise[i] = (uint8_t)(i * 167);
	for (int i = 0; i < 2; i++)
		require(addr_parse(&f.addr[i], i ? "127.0.0.2" : "127.0.0.1",
				   2049) == 0);
	require(reactor_spawn(reactor, "script", run, &f) == 0);
	reactor_run(reactor);
	require(f.done);
	return 0;
}
