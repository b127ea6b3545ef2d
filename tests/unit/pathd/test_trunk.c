/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transports move where, and when none does.  Time is a number here; a
 * round of probes takes TICK.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "pathd/trunk.h"

#define TICK MSEC(200)

enum { A, B, C, ADDRESSES };

static struct world {
	struct targets targets;
	struct trunks trunks;
	unsigned n;		     /* transports, from A on */
	struct addr at[ADDRESSES];   /* where the kernel has them */
	struct addr home[ADDRESSES]; /* what a record says; len 0: nothing */
	bool answers[ADDRESSES];
	bool stuck; /* the kernel does not do what it is told */
	nsec now;
	unsigned moves, anew; /* to elsewhere; to where it is */
} w;

static struct addr address(int i)
{
	char text[32];
	struct addr a;

	snprintf(text, sizeof(text), "10.77.%d.1", i);
	assert_int_equal(addr_parse(&a, text, 2049), 0);
	return a;
}

static void scan(void)
{
	trunks_scan_begin(&w.trunks);
	for (unsigned i = 0; i < w.n; i++) {
		struct trunk_seen s = { .trunk = "switch-0",
					.inode = 100 + i,
					.home = w.home[i],
					.addr = w.at[i] };

		snprintf(s.name, sizeof(s.name), "switch-0/xprt-%u-tcp", i);
		assert_true(trunks_see(&w.trunks, &s, w.now));
	}
	trunks_scan_end(&w.trunks);
	targets_sweep(&w.targets);
}

static void start(unsigned n)
{
	memset(&w, 0, sizeof(w));
	w.now = SEC(1000);
	w.n = n;
	for (int i = 0; i < ADDRESSES; i++) {
		w.at[i] = address(i);
		w.answers[i] = true;
	}
	targets_init(&w.targets);
	trunks_init(&w.trunks, &w.targets);
	scan();
}

static void end(void)
{
	trunks_fini(&w.trunks);
	targets_sweep(&w.targets);
	assert_int_equal(w.targets.count, 0);
	assert_int_equal(w.trunks.count, 0);
}

static void move_all(void)
{
	struct transport *t;

	while ((t = trunks_next_move(&w.trunks, w.now)) != NULL) {
		unsigned i = t->inode - 100;

		if (!w.stuck)
			w.at[i] = t->goal->addr;
		w.anew += t->goal == t->at;
		w.moves += t->goal != t->at;
		transport_moved(&w.trunks, t, &w.at[i], w.now);
	}
}

/* Everybody is probed; those that are silent take until the end of it. */
static void probe_all(void)
{
	struct target *t;
	nsec sent = w.now;

	w.now += TICK;
	list_for_each (t, &w.targets.all, link)
		for (int i = 0; i < ADDRESSES; i++) {
			struct addr a = address(i);

			if (addr_equal(&t->addr, &a))
				target_probed(t, w.answers[i], sent,
					      w.answers[i] ? sent + 1 : w.now);
		}
	move_all();
}

static void run(nsec duration)
{
	for (nsec until = w.now + duration; w.now < until;)
		probe_all();
}

static void is_at(unsigned transport, int where)
{
	struct addr a = address(where);

	assert_true(addr_equal(&w.at[transport], &a));
}

static void a_dead_address_is_left_within_two_probes(void **state)
{
	start(2);
	run(SEC(1));
	w.answers[A] = false;
	run(2 * TICK);
	is_at(0, B);
	is_at(1, B);
	assert_int_equal(w.moves, 1);
	end();
}

static void one_lost_probe_moves_nothing(void **state)
{
	start(2);
	for (int i = 0; i < 20; i++) {
		run(SEC(1));
		w.answers[A] = false;
		run(TICK);
		w.answers[A] = true;
	}
	assert_int_equal(w.moves, 0);
	end();
}

static void who_comes_back_is_used_again(void **state)
{
	start(2);
	run(SEC(1));
	w.answers[A] = false;
	run(SEC(10));
	w.answers[A] = true;
	run(SEC(1));
	is_at(0, B);
	run(SEC(2));
	is_at(0, A);
	assert_int_equal(w.moves, 2);
	end();
}

/* Each return costs the requests in flight a reconnection. */
static void who_comes_and_goes_is_trusted_later_each_time(void **state)
{
	start(2);
	run(SEC(1));
	for (int i = 0; i < 100; i++) {
		w.answers[A] = !w.answers[A];
		run(SEC(3));
	}
	assert_in_range(w.moves, 2, 8);
	w.answers[A] = true;
	run(SEC(70));
	is_at(0, A);
	end();
}

static void a_dead_server_moves_nothing(void **state)
{
	start(2);
	run(SEC(1));
	for (int i = 0; i < 10; i++) {
		w.answers[A] = w.answers[B] = false;
		run(SEC(5));
		w.answers[A] = w.answers[B] = true;
		run(SEC(5));
	}
	assert_int_equal(w.moves, 0);
	assert_int_equal(w.anew, 2 * 10);
	end();
}

/* Its TCP connection may wait for its next attempt for long. */
static void what_could_not_move_is_connected_anew(void **state)
{
	start(2);
	run(SEC(1));
	w.answers[A] = w.answers[B] = false;
	run(SEC(5));
	w.answers[B] = true;
	run(TICK);
	assert_int_equal(w.anew, 1);
	run(SEC(5));
	assert_int_equal(w.anew, 1);
	w.answers[A] = true;
	run(SEC(5));
	assert_int_equal(w.anew, 1);
	end();
}

/* Until it is connected nobody knows its port. */
static void a_guessed_port_is_no_move(void **state)
{
	struct trunk_seen s = { .trunk = "switch-0",
				.name = "switch-0/xprt-0-tcp",
				.inode = 1,
				.guessed = true };
	struct addr home;

	start(0);
	assert_int_equal(addr_parse(&s.addr, "10.77.1.1:20490", 0), 0);
	assert_int_equal(addr_parse(&s.home, "10.77.0.1:20490", 0), 0);
	home = s.home;
	assert_true(trunks_see(&w.trunks, &s, w.now));
	addr_set_port(&s.addr, 2049);
	trunks_scan_begin(&w.trunks);
	assert_true(trunks_see(&w.trunks, &s, w.now));
	trunks_scan_end(&w.trunks);
	assert_true(addr_equal(
		&list_first(&list_first(&w.trunks.all, struct trunk, link)
				     ->transports,
			    struct transport, link)
			 ->home->addr,
		&home));
	end();
}

/* It starts to listen at one address after the other. */
static void a_server_that_starts_moves_nothing(void **state)
{
	start(2);
	w.answers[A] = w.answers[B] = false;
	run(SEC(5));
	w.answers[B] = true;
	run(TICK);
	w.answers[A] = true;
	run(SEC(5));
	assert_int_equal(w.moves, 0);
	end();
}

static void both_dead_and_one_back(void **state)
{
	start(2);
	run(SEC(1));
	w.answers[A] = w.answers[B] = false;
	run(SEC(5));
	w.answers[B] = true;
	run(SEC(1));
	is_at(0, B);
	is_at(1, B);
	end();
}

static void a_refuge_that_dies_is_left_for_the_next(void **state)
{
	start(3);
	run(SEC(1));
	w.answers[A] = false;
	run(SEC(1));
	w.answers[w.at[0].in.sin_addr.s_addr == address(B).in.sin_addr.s_addr
			  ? B
			  : C] = false;
	run(SEC(1));
	for (unsigned i = 0; i < 3; i++) {
		int live = w.answers[B] ? B : C;

		is_at(i, live);
	}
	end();
}

static void refuges_share_the_load(void **state)
{
	start(3);
	w.n = 3;
	run(SEC(1));
	w.answers[A] = false;
	run(SEC(1));
	w.answers[B] = false;
	run(SEC(1));
	w.answers[A] = true;
	run(SEC(10));
	is_at(0, A);
	is_at(2, C);
	w.answers[B] = true;
	run(SEC(70));
	for (unsigned i = 0; i < 3; i++)
		is_at(i, i);
	end();
}

static void a_trunk_of_one_address_is_left_alone(void **state)
{
	start(1);
	w.answers[A] = false;
	run(SEC(5));
	assert_int_equal(w.moves, 0);
	assert_false(
		trunk_is_wide(list_first(&w.trunks.all, struct trunk, link)));
	end();
}

static void a_move_that_fails_is_tried_again_more_and_more_seldom(void **state)
{
	start(2);
	run(SEC(1));
	w.stuck = true;
	w.answers[A] = false;
	run(SEC(20));
	assert_in_range(w.moves, 15, 30);
	w.stuck = false;
	run(SEC(10));
	is_at(0, B);
	end();
}

static void who_starts_anew_brings_back_what_was_away(void **state)
{
	start(0);
	w.n = 2;
	w.home[0] = address(A);
	w.at[0] = address(B);
	w.answers[A] = false;
	run(TICK);
	scan();
	run(SEC(5));
	is_at(0, B);
	w.answers[A] = true;
	run(SEC(5));
	is_at(0, A);
	end();
}

static void where_somebody_else_moves_it_is_its_home(void **state)
{
	start(2);
	run(SEC(1));
	w.at[0] = address(C);
	scan();
	run(SEC(10));
	is_at(0, C);
	w.answers[C] = false;
	run(SEC(1));
	is_at(0, B);
	end();
}

static void a_transport_may_go_while_it_moves(void **state)
{
	struct transport *t;

	start(2);
	run(SEC(1));
	w.answers[A] = false;
	w.now += TICK;
	for (int i = 0; i < 2; i++) {
		struct target *target;

		w.now += TICK;
		list_for_each (target, &w.targets.all, link)
			target_probed(
				target,
				addr_port(&target->addr) &&
					target->addr.in.sin_addr.s_addr !=
						address(A).in.sin_addr.s_addr,
				w.now, w.now + 1);
	}
	t = trunks_next_move(&w.trunks, w.now);
	assert_non_null(t);
	w.n = 0;
	scan();
	transport_moved(&w.trunks, t, NULL, w.now);
	assert_true(list_empty(&w.trunks.all));
	end();
}

static bool settled(nsec patience)
{
	struct trunk *k = list_first(&w.trunks.all, struct trunk, link);

	return trunk_is_settled(k, patience, w.now);
}

static void an_address_that_stays_away_is_not_waited_for(void **state)
{
	start(2);
	probe_all();
	assert_true(settled(SEC(5)));
	w.answers[B] = false;
	for (int i = 0; i < 20; i++)
		probe_all();
	assert_int_equal(w.moves, 1);
	assert_false(settled(SEC(5)));
	for (int i = 0; i < 20; i++)
		probe_all();
	assert_true(settled(SEC(5)));
	w.answers[A] = false;
	probe_all();
	assert_false(settled(SEC(5)));
	end();
}

/* Linux 6.1 spoils a transport when it is given such an address. */
static void ipv6_is_left_alone(void **state)
{
	start(0);
	w.n = 2;
	assert_int_equal(addr_parse(&w.at[0], "[fd00::1]:2049", 0), 0);
	assert_int_equal(addr_parse(&w.at[1], "[fd00::2]:2049", 0), 0);
	scan();
	for (int i = 0; i < 10; i++) {
		struct target *t;

		w.now += TICK;
		list_for_each (t, &w.targets.all, link)
			target_probed(t, addr_equal(&t->addr, &w.at[1]), w.now,
				      w.now + 1);
		move_all();
	}
	assert_int_equal(w.moves, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_address_is_left_within_two_probes),
		cmocka_unit_test(one_lost_probe_moves_nothing),
		cmocka_unit_test(who_comes_back_is_used_again),
		cmocka_unit_test(who_comes_and_goes_is_trusted_later_each_time),
		cmocka_unit_test(a_dead_server_moves_nothing),
		cmocka_unit_test(what_could_not_move_is_connected_anew),
		cmocka_unit_test(a_guessed_port_is_no_move),
		cmocka_unit_test(a_server_that_starts_moves_nothing),
		cmocka_unit_test(both_dead_and_one_back),
		cmocka_unit_test(a_refuge_that_dies_is_left_for_the_next),
		cmocka_unit_test(refuges_share_the_load),
		cmocka_unit_test(a_trunk_of_one_address_is_left_alone),
		cmocka_unit_test(
			a_move_that_fails_is_tried_again_more_and_more_seldom),
		cmocka_unit_test(who_starts_anew_brings_back_what_was_away),
		cmocka_unit_test(where_somebody_else_moves_it_is_its_home),
		cmocka_unit_test(a_transport_may_go_while_it_moves),
		cmocka_unit_test(an_address_that_stays_away_is_not_waited_for),
		cmocka_unit_test(ipv6_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
