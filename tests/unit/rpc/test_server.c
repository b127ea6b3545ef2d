/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what the socket does with bytes: messages are answered in order
 * however they arrive, and a peer that sends nonsense, too much or nothing
 * costs nobody but itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../in_task.h"
#include "reactor/stream.h"
#include "rpc/rpc.h"

static const char request[] = "{\"id\":1,\"method\":\"no\"}";
static const char reply[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":"
			    "{\"code\":-32601,"
			    "\"message\":\"Method not found\"}}\n";

struct fixture {
	struct rpc_environment env;
	struct rpc_server *server;
	struct addr address;
	char path[128];
};

static void start(struct fixture *f, const char *directory)
{
	char text[160];

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "%s/rpc.sock", directory);
	snprintf(text, sizeof(text), "unix:%s", f->path);
	require(addr_parse(&f->address, text, 0) == 0);
	f->env.methods = rpc_hawserd_methods;
	require(rpc_server_create(f->path, &f->env, &f->server) == 0);
}

static struct stream *connect_to(struct fixture *f)
{
	struct stream_connect_options options = {};
	struct stream *s;

	require(stream_connect(&f->address, &options, &s) == 0);
	stream_set_timeouts(s, SEC(20), SEC(20));
	return s;
}

static void send_text(struct stream *s, const char *text)
{
	require(stream_write(s, text, strlen(text)) == 0);
}

static void expect_reply(struct stream *s)
{
	char buf[sizeof(reply)] = "";

	require(stream_read_full(s, buf, sizeof(reply) - 1) == 0);
	require(strcmp(buf, reply) == 0);
}

static void expect_end(struct stream *s)
{
	char c;
	ssize_t n = stream_read(s, &c, 1);

	require(n == 0 || n == -ECONNRESET || n == -EPIPE);
}

static void in_order(void *directory)
{
	struct fixture f;
	struct stream *s;
	char two[128];

	start(&f, directory);
	s = connect_to(&f);
	snprintf(two, sizeof(two), "%s \n%s", request, request);
	send_text(s, two);
	expect_reply(s);
	expect_reply(s);
	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		require(stream_write(s, request + i, 1) == 0);
		task_yield();
	}
	expect_reply(s);
	stream_shutdown_write(s);
	expect_end(s);
	stream_close(s);
	rpc_server_destroy(f.server);
}

static void messages_are_answered_in_order_however_they_arrive(void **state)
{
	in_task(in_order, *state);
}

static void nonsense(void *directory)
{
	struct stream *bad, *good;
	struct fixture f;

	start(&f, directory);
	good = connect_to(&f);
	bad = connect_to(&f);
	send_text(bad, "hello");
	expect_end(bad);
	stream_close(bad);
	bad = connect_to(&f);
	send_text(bad, "{]");
	expect_end(bad);
	stream_close(bad);
	send_text(good, request);
	expect_reply(good);
	stream_close(good);
	rpc_server_destroy(f.server);
}

static void what_is_no_json_ends_its_connection_only(void **state)
{
	in_task(nonsense, *state);
}

static void too_long(void *directory)
{
	static char block[1 << 16];
	struct fixture f;
	struct stream *s;
	int r = 0;

	memset(block, ' ', sizeof(block));
	start(&f, directory);
	s = connect_to(&f);
	send_text(s, "{");
	for (size_t sent = 0; r == 0; sent += sizeof(block)) {
		require(sent < 16 * (size_t)RPC_MESSAGE_MAX);
		r = stream_write(s, block, sizeof(block));
	}
	stream_close(s);
	rpc_server_destroy(f.server);
}

static void a_message_without_end_ends_its_connection(void **state)
{
	in_task(too_long, *state);
}

static void many(void *directory)
{
	struct stream *s[RPC_CONNECTIONS_MAX + 1], *last;
	struct fixture f;

	start(&f, directory);
	for (int i = 0; i <= RPC_CONNECTIONS_MAX; i++) {
		s[i] = connect_to(&f);
		send_text(s[i], request);
		if (i < RPC_CONNECTIONS_MAX)
			expect_reply(s[i]);
	}
	/* The last one is served once another has gone, and not before. */
	last = s[RPC_CONNECTIONS_MAX];
	require(stream_wait_readable(last, reactor_now() + MSEC(20)) ==
		-ETIMEDOUT);
	stream_close(s[0]);
	expect_reply(last);
	/* With all of these open it can still stop. */
	rpc_server_destroy(f.server);
	for (int i = 1; i <= RPC_CONNECTIONS_MAX; i++) {
		expect_end(s[i]);
		stream_close(s[i]);
	}
}

static void connections_have_a_bound_and_do_not_hold_up_the_end(void **state)
{
	in_task(many, *state);
}

static void again(void *directory)
{
	struct fixture f;
	struct stream *s;
	struct stat st;

	start(&f, directory);
	require(stat(f.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	rpc_server_destroy(f.server);
	start(&f, directory);
	s = connect_to(&f);
	send_text(s, request);
	expect_reply(s);
	stream_close(s);
	rpc_server_destroy(f.server);
}

static void a_socket_of_before_is_replaced_and_private(void **state)
{
	in_task(again, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			messages_are_answered_in_order_however_they_arrive),
		test_with_directory(what_is_no_json_ends_its_connection_only),
		test_with_directory(a_message_without_end_ends_its_connection),
		test_with_directory(
			connections_have_a_bound_and_do_not_hold_up_the_end),
		test_with_directory(a_socket_of_before_is_replaced_and_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
