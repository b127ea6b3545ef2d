/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: what is written arrives, in order; ends, aborts and time-outs are
 * seen by both sides as promised.  The same in each world. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "reactor/stream.h"
#include "worlds.h"

/* A listener, and one connection through it. */
struct pair {
	struct listener *listener;
	struct stream *client, *server;
};

static void connect_to(const char *at, struct pair *p)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, at, 0), 0);
	assert_int_equal(stream_listen(&a, &p->listener), 0);
	assert_int_equal(stream_connect(listener_addr(p->listener), NULL,
					&p->client),
			 0);
	assert_int_equal(stream_accept(p->listener, &p->server), 0);
}

static void pair_open(struct pair *p)
{
	connect_to("127.101.0.1:0", p);
}

static void pair_close(struct pair *p)
{
	stream_close(p->client);
	stream_close(p->server);
	listener_close(p->listener);
}

WORLD_TEST(both_ends_know_each_other)
{
	struct pair p;

	pair_open(&p);
	assert_true(addr_port(listener_addr(p.listener)) != 0);
	assert_true(
		addr_equal(stream_peer(p.client), listener_addr(p.listener)));
	assert_true(
		addr_equal(stream_local(p.server), listener_addr(p.listener)));
	assert_true(addr_equal(stream_peer(p.server), stream_local(p.client)));
	pair_close(&p);
}

WORLD_TEST(a_connection_comes_from_the_address_asked_for)
{
	struct stream_connect_options o = {};
	struct pair p;
	struct addr a, local;

	assert_int_equal(addr_parse(&a, "127.101.0.1", 0), 0);
	assert_int_equal(addr_parse(&local, "127.101.0.9", 0), 0);
	o.local = &local;
	assert_int_equal(stream_listen(&a, &p.listener), 0);
	assert_int_equal(
		stream_connect(listener_addr(p.listener), &o, &p.client), 0);
	assert_int_equal(stream_accept(p.listener, &p.server), 0);
	assert_true(addr_same_host(stream_peer(p.server), &local));
	pair_close(&p);
}

WORLD_TEST(nobody_listening_refuses)
{
	struct stream *s;
	struct pair p;
	struct addr gone;

	pair_open(&p);
	gone = *listener_addr(p.listener);
	pair_close(&p);
	assert_int_equal(stream_connect(&gone, NULL, &s), -ECONNREFUSED);
}

WORLD_TEST(an_address_in_use_is_refused)
{
	struct listener *second;
	struct pair p;

	pair_open(&p);
	assert_int_equal(stream_listen(listener_addr(p.listener), &second),
			 -EADDRINUSE);
	pair_close(&p);
}

enum { BULK = 8 << 20 };

static char pattern(size_t i)
{
	return (char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void write_bulk(void *arg)
{
	char *data = malloc(BULK);
	struct iovec iov[16];
	size_t done = 0;

	for (size_t i = 0; i < BULK; i++)
		data[i] = pattern(i);
	while (done < BULK) {
		int n = 0;

		for (; n < 16 && done < BULK; n++) {
			size_t len = MIN((size_t)(1 + n * 9973), BULK - done);

			iov[n] = (struct iovec){ data + done, len };
			done += len;
		}
		assert_int_equal(stream_writev(arg, iov, n), 0);
	}
	stream_shutdown_write(arg);
	free(data);
}

WORLD_TEST(megabytes_arrive_complete_and_in_order)
{
	char *buf = malloc(100000);
	size_t got = 0, wrong = 0;
	struct pair p;
	ssize_t n;

	pair_open(&p);
	task_spawn("writer", write_bulk, p.client);
	while ((n = stream_read(p.server, buf, 100000)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += buf[i] != pattern(got + i);
		got += n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, BULK);
	assert_int_equal(wrong, 0);
	pair_close(&p);
	free(buf);
}

WORLD_TEST(one_task_may_read_while_another_writes)
{
	char *buf = malloc(BULK);
	struct pair p;

	pair_open(&p);
	task_spawn("there", write_bulk, p.client);
	task_spawn("back", write_bulk, p.server);
	assert_int_equal(stream_read_full(p.server, buf, BULK), 0);
	assert_int_equal(stream_read_full(p.client, buf, BULK), 0);
	assert_int_equal(buf[BULK - 1], pattern(BULK - 1));
	pair_close(&p);
	free(buf);
}

WORLD_TEST(read_full_tells_a_clean_end_from_a_broken_one)
{
	struct pair p;
	char buf[8];

	pair_open(&p);
	assert_int_equal(stream_write(p.client, "abcdefgh12", 10), 0);
	stream_shutdown_write(p.client);
	assert_int_equal(stream_read_full(p.server, buf, 8), 0);
	assert_memory_equal(buf, "abcdefgh", 8);
	assert_int_equal(stream_read_full(p.server, buf, 8), -ECONNRESET);
	assert_int_equal(stream_read_full(p.server, buf, 8), -ENODATA);
	pair_close(&p);
}

WORLD_TEST(a_half_closed_stream_still_carries_the_other_direction)
{
	struct pair p;
	char buf[2];

	pair_open(&p);
	stream_shutdown_write(p.client);
	assert_int_equal(stream_read(p.server, buf, 2), 0);
	assert_int_equal(stream_write(p.server, "ok", 2), 0);
	assert_int_equal(stream_read_full(p.client, buf, 2), 0);
	pair_close(&p);
}

WORLD_TEST(a_silent_peer_times_a_read_out)
{
	struct pair p;
	char c;

	pair_open(&p);
	stream_set_timeouts(p.server, MSEC(5), NSEC_NEVER);
	assert_int_equal(stream_read(p.server, &c, 1), -ETIMEDOUT);
	assert_int_equal(stream_wait_readable(p.server,
					      reactor_now() + MSEC(5)),
			 -ETIMEDOUT);
	assert_int_equal(stream_write(p.client, "x", 1), 0);
	assert_int_equal(stream_wait_readable(p.server, reactor_now() + SEC(5)),
			 0);
	assert_int_equal(stream_read(p.server, &c, 1), 1);
	pair_close(&p);
}

WORLD_TEST(a_peer_that_does_not_read_times_a_write_out)
{
	char *data = calloc(1, 64 << 20);
	struct pair p;

	pair_open(&p);
	stream_set_timeouts(p.client, NSEC_NEVER, MSEC(20));
	assert_int_equal(stream_write(p.client, data, 64 << 20), -ETIMEDOUT);
	pair_close(&p);
	free(data);
}

static int read_result;

static void read_one(void *arg)
{
	char c;

	read_result = stream_read(arg, &c, 1);
}

WORLD_TEST(an_abort_ends_calls_in_progress_and_resets_the_peer)
{
	struct pair p;
	char c;

	pair_open(&p);
	read_result = 1;
	task_spawn("reader", read_one, p.client);
	task_yield();
	assert_int_equal(read_result, 1); /* parked */
	stream_abort(p.client);
	task_yield();
	assert_int_equal(read_result, -ECONNABORTED);
	assert_int_equal(stream_read(p.client, &c, 1), -ECONNABORTED);
	assert_int_equal(stream_write(p.client, &c, 1), -ECONNABORTED);
	assert_int_equal(stream_read(p.server, &c, 1), -ECONNRESET);
	pair_close(&p);
}

static void wait_one(void *arg)
{
	read_result = stream_wait_readable(arg, NSEC_NEVER);
}

WORLD_TEST(wait_readable_sees_data_the_end_and_an_abort)
{
	struct pair p;
	char c;

	pair_open(&p);
	read_result = 1;
	task_spawn("waiter", wait_one, p.server);
	task_sleep(MSEC(2));
	assert_int_equal(read_result, 1);
	assert_int_equal(stream_write(p.client, "x", 1), 0);
	task_sleep(MSEC(20));
	assert_int_equal(read_result, 0);
	assert_int_equal(stream_read(p.server, &c, 1), 1);

	read_result = 1;
	task_spawn("waiter", wait_one, p.server);
	task_sleep(MSEC(2));
	assert_int_equal(read_result, 1);
	stream_shutdown_write(p.client);
	task_sleep(MSEC(20));
	assert_int_equal(read_result, 0);
	assert_int_equal(stream_read(p.server, &c, 1), 0);

	task_spawn("waiter", wait_one, p.client);
	task_yield();
	stream_abort(p.client);
	task_yield();
	assert_int_equal(read_result, -ECONNABORTED);
	pair_close(&p);
}

static void cancel_soon(void *arg)
{
	task_sleep(MSEC(2));
	listener_cancel(arg);
}

WORLD_TEST(a_cancelled_listener_lets_its_task_go)
{
	struct stream *s;
	struct pair p;

	pair_open(&p);
	task_spawn("cancel", cancel_soon, p.listener);
	assert_int_equal(stream_accept(p.listener, &s), -ECANCELED);
	assert_int_equal(stream_accept(p.listener, &s), -ECANCELED);
	pair_close(&p);
}

WORLD_TEST(a_unix_peer_is_known_by_its_uid_and_a_dead_socket_is_replaced)
{
	char at[128];
	struct pair p;
	uid_t uid;
	char c;

	snprintf(at, sizeof(at), "unix:%s/sock", world_dir());
	connect_to(at, &p);
	assert_int_equal(stream_peer_uid(p.server, &uid), 0);
	assert_int_equal(uid, getuid());
	assert_int_equal(stream_write(p.client, "x", 1), 0);
	assert_int_equal(stream_read(p.server, &c, 1), 1);
	pair_close(&p);
	connect_to(at, &p);
	pair_close(&p);
}

/* Many connections at once, each with requests under way in both directions. */
static int echoes;

static void echo(void *arg)
{
	struct stream *s = arg;
	char buf[512];
	ssize_t n;

	while ((n = stream_read(s, buf, sizeof(buf))) > 0)
		assert_int_equal(stream_write(s, buf, n), 0);
	stream_close(s);
}

static void accept_all(void *arg)
{
	struct stream *s;

	while (stream_accept(arg, &s) == 0)
		assert_int_equal(task_spawn("echo", echo, s), 0);
	listener_close(arg);
}

static void ping(void *arg)
{
	char out[300], in[300];
	struct stream *s;

	assert_int_equal(stream_connect(arg, NULL, &s), 0);
	for (int i = 0; i < 20; i++) {
		memset(out, i, sizeof(out));
		assert_int_equal(stream_write(s, out, sizeof(out)), 0);
		assert_int_equal(stream_read_full(s, in, sizeof(in)), 0);
		assert_memory_equal(in, out, sizeof(in));
	}
	stream_close(s);
	echoes++;
}

WORLD_TEST(hundreds_of_connections_echo)
{
	enum { N = 200 };
	struct listener *l;
	struct addr a;

	echoes = 0;
	assert_int_equal(addr_parse(&a, "127.101.0.2", 0), 0);
	assert_int_equal(stream_listen(&a, &l), 0);
	a = *listener_addr(l);
	task_spawn("accept", accept_all, l);
	for (int i = 0; i < N; i++)
		assert_int_equal(task_spawn("ping", ping, &a), 0);
	while (echoes < N)
		task_sleep(MSEC(1));
	listener_cancel(l);
	task_sleep(MSEC(20)); /* the echoes see the ends */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(both_ends_know_each_other),
	cmocka_unit_test(a_connection_comes_from_the_address_asked_for),
	cmocka_unit_test(nobody_listening_refuses),
	cmocka_unit_test(an_address_in_use_is_refused),
	cmocka_unit_test(megabytes_arrive_complete_and_in_order),
	cmocka_unit_test(one_task_may_read_while_another_writes),
	cmocka_unit_test(read_full_tells_a_clean_end_from_a_broken_one),
	cmocka_unit_test(
		a_half_closed_stream_still_carries_the_other_direction),
	cmocka_unit_test(a_silent_peer_times_a_read_out),
	cmocka_unit_test(a_peer_that_does_not_read_times_a_write_out),
	cmocka_unit_test(an_abort_ends_calls_in_progress_and_resets_the_peer),
	cmocka_unit_test(wait_readable_sees_data_the_end_and_an_abort),
	cmocka_unit_test(a_cancelled_listener_lets_its_task_go),
	cmocka_unit_test(
		a_unix_peer_is_known_by_its_uid_and_a_dead_socket_is_replaced),
	cmocka_unit_test(hundreds_of_connections_echo),
};

int main(void)
{
	return run_in_worlds("streams", tests, ARRAY_SIZE(tests));
}
