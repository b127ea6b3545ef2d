/* SPDX-License-Identifier: Apache-2.0 */
/* What arrives on a connection, and how it is answered or ended: each test has
 * a server on loopback, and says something that may be no NFS at all. */
#include "wire.h"

#include <errno.h>

#include "nfs/server/load.h"

static struct nfs_server_options options = { .lease = SEC(60) };

struct rpc_case {
	uint32_t rpcvers, prog, vers, proc, flavor;
	enum rpc_status expected;
};

static enum rpc_status ask_rpc(struct wire *w, const struct rpc_case *t)
{
	struct rpc_call call = { .xid = 77,
				 .rpcvers = RPC_VERSION,
				 .prog = t->prog,
				 .vers = t->vers,
				 .proc = t->proc,
				 .cred.flavor = t->flavor };
	struct rpc_reply reply;
	uint8_t buffer[256];
	struct xdr x;
	ssize_t len;

	xdr_encode_init(&x, buffer, sizeof(buffer), SIZE_MAX);
	require(xdr_rpc_call(&x, &call));
	store_be32(buffer + 8, t->rpcvers);
	wire_send(w, buffer, xdr_length(&x));
	len = wire_receive(w);
	require(len > 0);
	xdr_decode_init(&x, w->buffer, len, NULL);
	require(xdr_rpc_reply(&x, &reply));
	require(reply.xid == 77);
	return reply.status;
}

static void rpc_errors(void *arg)
{
	static const struct rpc_case cases[] = {
		{ 2, NFS4_PROGRAM, 4, 0, AUTH_NONE, RPC_SUCCESS },
		{ 2, NFS4_PROGRAM, 4, 0, AUTH_TLS, RPC_SUCCESS },
		{ 2, NFS4_PROGRAM, 4, 1, RPCSEC_GSS, RPC_AUTH_ERROR },
		{ 2, NFS4_PROGRAM, 4, 1, 99, RPC_AUTH_ERROR },
		{ 2, NFS4_PROGRAM, 4, 2, AUTH_NONE, RPC_PROC_UNAVAIL },
		{ 2, NFS4_PROGRAM, 3, 0, AUTH_NONE, RPC_PROG_MISMATCH },
		{ 2, 100005, 3, 0, AUTH_NONE, RPC_PROG_UNAVAIL },
		{ 2, 400123, 1, 0, AUTH_NONE, RPC_SUCCESS },
		{ 2, 400123, 2, 0, AUTH_NONE, RPC_PROG_MISMATCH },
		{ 2, 400123, 1, 2, AUTH_NONE, RPC_GARBAGE_ARGS },
		{ 2, 400123, 1, 3, AUTH_NONE, RPC_PROC_UNAVAIL },
		{ 3, NFS4_PROGRAM, 4, 0, AUTH_NONE, RPC_MISMATCH },
		/* COMPOUND without arguments */
		{ 2, NFS4_PROGRAM, 4, 1, AUTH_NONE, RPC_GARBAGE_ARGS },
	};
	struct world world;
	struct wire w;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum rpc_status status = ask_rpc(&w, &cases[i]);

		if (status != cases[i].expected)
			fprintf(stderr, "case %zu: %s\n", i,
				rpc_status_name(status));
		require(status == cases[i].expected);
	}
	wire_close(&w);
	world_stop(&world);
}

static void null_call(uint8_t out[40])
{
	struct rpc_call call = {
		.xid = 5, .rpcvers = 2, .prog = NFS4_PROGRAM, .vers = NFS_V4
	};
	struct xdr x;

	xdr_encode_init(&x, out, 40, SIZE_MAX);
	require(xdr_rpc_call(&x, &call) && xdr_length(&x) == 40);
}

static void byte_by_byte(void *arg)
{
	uint8_t record[48], call[40];
	struct world world;
	struct wire w;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	/* Two fragments, of which the first is not the last. */
	null_call(call);
	store_be32(record, 12);
	memcpy(record + 4, call, 12);
	record_header(record + 16, 28);
	memcpy(record + 20, call + 12, 28);
	for (size_t i = 0; i < sizeof(record); i++) {
		require(stream_write(w.stream, record + i, 1) == 0);
		task_sleep(USEC(100));
	}
	require(wire_receive(&w) == 24);
	require(load_be32(w.buffer) == 5);
	wire_close(&w);
	world_stop(&world);
}

static bool ended(struct wire *w)
{
	uint8_t byte;

	return stream_read(w->stream, &byte, 1) <= 0;
}

/* What can't be answered ends this connection, and no other. */
static void nonsense(void *arg)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
	} cases[] = {
		{ { 0xff, 0xff, 0xff, 0xff }, 4 }, /* 2 GiB */
		{ { 0x7f, 0xff, 0xff, 0xff }, 4 }, /* the same, not the last */
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, 8 }, /* empty fragments */
		{ { 0x80, 0, 0, 0 }, 4 },	   /* an empty record */
		{ { 0x80, 0, 0, 2, 'h', 'i' }, 6 }, { "GET / HTTP/", 12 },
	};
	struct world world;
	struct wire good, bad;
	uint8_t call[40];

	world_start(&world, arg, &options);
	wire_open(&good, &world.addr[0]);
	null_call(call);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		wire_open(&bad, &world.addr[0]);
		require(stream_write(bad.stream, cases[i].bytes,
				     cases[i].len) == 0);
		require(ended(&bad));
		wire_close(&bad);
		wire_send(&good, call, sizeof(call));
		require(wire_receive(&good) == 24);
	}
	wire_close(&good);
	world_stop(&world);
}

/* A tag comes back with the reply, so a long one leaves no room in it: whatever
 * its length, the server answers or refuses, and lives. */
static void long_tags(void *arg)
{
	enum { MOST = 160 << 10 };
	static const uint32_t lengths[] = { 0, 1, 128, 129, 1024, MOST };
	uint8_t *message = malloc(MOST + 256);
	char *tag = calloc(1, MOST);
	struct world world;
	struct wire w;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	for (uint32_t i = 0; i < 3000; i++) {
		/* Those that just fill the 128 KiB of a reply, one by one. */
		uint32_t len = i < ARRAY_SIZE(lengths) ? lengths[i]
						       : (128 << 10) - 2 * i;
		struct rpc_call call = { .xid = i,
					 .rpcvers = RPC_VERSION,
					 .prog = NFS4_PROGRAM,
					 .vers = NFS_V4,
					 .proc = NFSPROC4_COMPOUND };
		COMPOUND4args_head head = { .tag = { tag, len },
					    .minorversion = 1,
					    .n = 1 };
		nfs_argop4 op = { .argop = OP_PUTROOTFH };
		struct rpc_reply reply;
		struct xdr x;
		ssize_t got;

		xdr_encode_init(&x, message, MOST + 256, SIZE_MAX);
		require(xdr_rpc_call(&x, &call) &&
			xdr_COMPOUND4args_head(&x, &head) &&
			xdr_nfs_argop4(&x, &op));
		wire_send(&w, message, xdr_length(&x));
		got = wire_receive(&w);
		require(got > 0);
		xdr_decode_init(&x, w.buffer, got, NULL);
		require(xdr_rpc_reply(&x, &reply));
		require(reply.status ==
			(len <= 1024 ? RPC_SUCCESS : RPC_GARBAGE_ARGS));
	}
	wire_close(&w);
	world_stop(&world);
	free(message);
	free(tag);
}

static void pipeline(void *directory, bool one_at_a_time)
{
	enum { N = 2000, SIZE = 200 };
	uint8_t *out = malloc(N * SIZE);
	static struct compound c = { .minorversion = 1 };
	bool seen[N + 1] = {};
	struct world world;
	struct wire w;
	size_t len = 0;

	world_start(&world, directory, &options);
	wire_open(&w, &world.addr[0]);
	c.n = 0;
	add(&c, OP_PUTROOTFH);
	for (uint32_t xid = 1; xid <= N; xid++)
		compound_encode(&w, &c, xid, out, N * SIZE, &len);
	require(stream_write(w.stream, out, len) == 0);
	for (int i = 0; i < N; i++) {
		uint32_t xid = wire_answer(&w, &c);

		require(xid >= 1 && xid <= N && !seen[xid]);
		seen[xid] = true;
		if (one_at_a_time)
			require(xid == (uint32_t)i + 1);
		require(c.status == NFS4ERR_OP_NOT_IN_SESSION);
	}
	wire_close(&w);
	world_stop(&world);
	free(out);
}

static void pipelined(void *arg)
{
	pipeline(arg, false);
}

/* As if other connections of this reactor held all that is allowed. */
static void crowded(void *arg)
{
	nfsd_load_self()->bytes += NFSD_LOAD_BYTES;
	pipeline(arg, true);
	nfsd_load_self()->bytes -= NFSD_LOAD_BYTES;
	require(nfsd_load_self()->bytes == 0 && nfsd_load_self()->calls == 0);
}

/* A peer that asks for more and more and reads nothing is not served for ever:
 * its requests stay where they are. */
static void greedy_body(struct world *world)
{
	enum { FILE_SIZE = 1 << 20, READS = 64 };
	struct nfs_server_stats before, after = {};
	uint64_t unmoved;
	struct session s;
	static struct compound c;
	struct wire w;
	uint8_t *data = calloc(1, FILE_SIZE);
	stateid4 open;
	int rounds;

	wire_open(&w, &world->addr[0]);
	wire_mount(&w, "greedy", &s);
	session_begin(&s, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	require(wire_call(&w, &c) == NFS4_OK);
	open = c.res[2].opopen.stateid;
	session_begin(&s, &c, 0);
	add_lookup(&c, "f");
	add(&c, OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = open, .data = { data, FILE_SIZE } };
	require(wire_call(&w, &c) == NFS4_OK);
	require(c.res[3].opwrite.count == FILE_SIZE);

	/* Without a session's slots to hold it back: retries of the last
	 * request are answered from the cache, so READs need new slots; eight
	 * of them, again and again. */
	nfs_server_get_stats(world->server, &before);
	for (rounds = 0; rounds < READS; rounds++)
		for (unsigned slot = 0; slot < 8; slot++) {
			session_begin(&s, &c, slot);
			add_lookup(&c, "f");
			add(&c, OP_READ)->opread =
				(READ4args){ .stateid = open,
					     .count = FILE_SIZE };
			wire_post(&w, &c);
		}
	do { /* until nothing moves any more */
		unmoved = after.bytes_read;
		task_sleep(MSEC(200));
		nfs_server_get_stats(world->server, &after);
	} while (after.bytes_read == before.bytes_read ||
		 after.bytes_read != unmoved);
	/* Socket buffers take some megabytes, the server 16 and one each. */
	require(after.bytes_read - before.bytes_read < MIB(80));
	for (int i = 0; i < 8 * READS; i++)
		require(wire_answer(&w, &c) != 0);
	wire_close(&w);
	free(data);
}

static void greedy(void *arg)
{
	struct world world;

	world_start(&world, arg, &options);
	greedy_body(&world);
	world_stop(&world);
}

/* Small replies count, too, until they are written. */
static void unread(void *arg)
{
	enum { SIZE = 32 << 10, ROUNDS = 8, SLOTS = 64 };
	static struct compound c;
	uint8_t *data = calloc(1, SIZE);
	struct world world;
	struct session s;
	struct wire w;
	stateid4 open;

	world_start(&world, arg, &options);
	wire_open(&w, &world.addr[0]);
	wire_mount(&w, "unread", &s);
	session_begin(&s, &c, 0);
	add_open(&c, "o", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	add(&c, OP_WRITE)->opwrite = (WRITE4args){ .stateid = stateid4_current,
						   .data = { data, SIZE } };
	require(wire_call(&w, &c) == NFS4_OK);
	open = c.res[2].opopen.stateid;
	for (int i = 0; i < ROUNDS * SLOTS; i++) {
		session_begin(&s, &c, i % SLOTS);
		add_lookup(&c, "f");
		add(&c, OP_READ)->opread =
			(READ4args){ .stateid = open, .count = SIZE };
		wire_post(&w, &c);
	}
	for (int i = 0; nfsd_load_self()->bytes < MIB(1); i++) {
		require(i < 1000);
		task_sleep(MSEC(10));
	}
	for (int i = 0; i < ROUNDS * SLOTS; i++)
		require(wire_answer(&w, &c) != 0);
	wire_close(&w);
	world_stop(&world);
	free(data);
}

static void too_many(void *arg)
{
	struct nfs_server_options few = { .max_connections = 3 };
	struct world world;
	struct wire w[4];
	uint8_t call[40];

	world_start(&world, arg, &few);
	null_call(call);
	for (int i = 0; i < 4; i++) {
		wire_open(&w[i], &world.addr[i % 2]);
		wire_send(&w[i], call, sizeof(call));
		if (i < 3)
			require(wire_receive(&w[i]) == 24);
		else
			require(ended(&w[i]));
	}
	for (int i = 0; i < 4; i++)
		wire_close(&w[i]);
	world_stop(&world);
}

/* One that says nothing, one that said something once, and one with a session:
 * the first two make room. */
static void unused(void *arg)
{
	struct nfs_server_options hasty = { .lease = SEC(60),
					    .unused_timeout = MSEC(300) };
	static struct compound c;
	struct session s;
	struct world world;
	struct wire w[3];
	uint8_t call[40];

	world_start(&world, arg, &hasty);
	null_call(call);
	for (int i = 0; i < 3; i++)
		wire_open(&w[i], &world.addr[0]);
	wire_mount(&w[2], "used", &s);
	wire_send(&w[1], call, sizeof(call));
	require(wire_receive(&w[1]) == 24);
	require(ended(&w[0]));
	require(ended(&w[1]));
	task_sleep(hasty.unused_timeout); /* of w[2]'s, twice by now */
	session_begin(&s, &c, 0);
	require(wire_call(&w[2], &c) == NFS4_OK);
	for (int i = 0; i < 3; i++)
		wire_close(&w[i]);
	world_stop(&world);
}

static void taken_away(void *arg)
{
	struct session s;
	static struct compound c;
	struct world world;
	struct wire w[2];

	world_start(&world, arg, &options);
	wire_open(&w[0], &world.addr[0]);
	wire_open(&w[1], &world.addr[1]);
	wire_mount(&w[0], "trunk", &s);
	require(nfs_server_unlisten(world.server, &world.addr[0]) == 0);
	require(ended(&w[0]));
	/* The session lives on, on a connection that it has not seen yet. */
	session_begin(&s, &c, 0);
	require(wire_call(&w[1], &c) == NFS4_OK);
	require(nfs_server_unlisten(world.server, &world.addr[0]) == -ENOENT);
	require(nfs_server_listen(world.server, &world.addr[0]) == 0);
	require(nfs_server_listen(world.server, &world.addr[0]) < 0);
	wire_close(&w[0]);
	wire_open(&w[0], &world.addr[0]);
	session_begin(&s, &c, 1);
	require(wire_call(&w[0], &c) == NFS4_OK);
	wire_close(&w[0]);
	wire_close(&w[1]);
	world_stop(&world);
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(every_rpc_error_is_told_at_once, rpc_errors)
IN_WORLD(a_record_may_come_byte_by_byte, byte_by_byte)
IN_WORLD(nonsense_ends_its_own_connection_only, nonsense)
IN_WORLD(a_tag_of_any_length_is_survived, long_tags)
IN_WORLD(thousands_of_pipelined_calls_are_all_answered, pipelined)
IN_WORLD(in_a_crowd_each_connection_has_one_call_at_a_time, crowded)
IN_WORLD(who_does_not_read_replies_gets_no_more_memory, greedy)
IN_WORLD(replies_that_nobody_reads_count, unread)
IN_WORLD(connections_beyond_the_limit_are_closed, too_many)
IN_WORLD(connections_that_nobody_uses_end, unused)
IN_WORLD(taking_an_address_away_resets_its_connections, taken_away)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(every_rpc_error_is_told_at_once),
		test_with_directory(a_record_may_come_byte_by_byte),
		test_with_directory(nonsense_ends_its_own_connection_only),
		test_with_directory(a_tag_of_any_length_is_survived),
		test_with_directory(
			thousands_of_pipelined_calls_are_all_answered),
		test_with_directory(
			in_a_crowd_each_connection_has_one_call_at_a_time),
		test_with_directory(
			who_does_not_read_replies_gets_no_more_memory),
		test_with_directory(replies_that_nobody_reads_count),
		test_with_directory(connections_beyond_the_limit_are_closed),
		test_with_directory(connections_that_nobody_uses_end),
		test_with_directory(
			taking_an_address_away_resets_its_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
