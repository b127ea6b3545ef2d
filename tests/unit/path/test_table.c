/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every pair of paths in every connection state and access state, under every
 * policy, with every verdict: where a request goes, against a table that was
 * written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/log.h"
#include "path/path.h"

enum { STATES = 4, ACCESSES = 5, VERDICTS = 3, WAIT = 9 };

/* The lower the better; WAIT: takes no request. */
static const int rank[STATES][ACCESSES] = {
	/*		     optimized, non-opt., inacc., persistent, change */
	[PATH_CONNECTING] = { WAIT, WAIT, WAIT, WAIT, WAIT },
	[PATH_LIVE] = { 0, 1, WAIT, WAIT, WAIT },
	[PATH_SUSPECT] = { 2, 3, WAIT, WAIT, WAIT },
	[PATH_LOST] = { WAIT, WAIT, WAIT, WAIT, WAIT },
};

static const char *const policies[] = { "active-passive", "round-robin",
					"queue-depth", "service-time" };

struct pair {
	struct path_group *g;
	struct path *p[2];
	nsec now;
};

static void drain(struct pair *t)
{
	struct path_action a;

	while (path_group_next(t->g, t->now, &a))
		assert_true(a.kind != PATH_ACT_FAIL);
	path_group_check(t->g);
}

static void connect(struct pair *t, int i)
{
	drain(t);
	path_connected(t->p[i], t->now);
}

/* Silence, until the path is in doubt, and no longer. */
static void doubt(struct pair *t, int i)
{
	struct path_request r = { 0 };
	struct path_info info;

	assert_ptr_equal(path_group_submit(t->g, &r, t->now), t->p[i]);
	t->now += MSEC(150);
	path_group_tick(t->g, t->now);
	path_request_cancel(t->g, &r);
	path_get_info(t->p[i], &info);
	assert_int_equal(info.state, PATH_SUSPECT);
}

static void set_up(struct pair *t, const char *policy, const int state[2],
		   const int access[2])
{
	struct path_options o = { .policy = policy,
				  .idle_probe = -1,
				  .connect_timeout = SEC(60) };

	t->now = SEC(1);
	assert_int_equal(path_group_create(&o, &t->g), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(path_add(t->g, "x", NULL, t->now, &t->p[i]),
				 0);
	/* The doubtful first: while one is live, no request goes to them. */
	for (int i = 0; i < 2; i++)
		if (state[i] == PATH_SUSPECT) {
			connect(t, i);
			doubt(t, i);
		}
	for (int i = 0; i < 2; i++) {
		if (state[i] == PATH_LIVE || state[i] == PATH_LOST)
			connect(t, i);
		if (state[i] == PATH_LOST)
			path_failed(t->p[i], t->now);
		path_set_access(t->p[i], access[i], t->now);
	}
	drain(t);
	for (int i = 0; i < 2; i++) {
		struct path_info info;

		path_get_info(t->p[i], &info);
		assert_int_equal(info.state, state[i]);
		assert_int_equal(info.access, access[i]);
	}
}

/* Four requests: on the better path; on both if they are as good and the
 * policy shares; nowhere if neither can. */
static void check_choice(struct pair *t, bool shares, const int ranks[2],
			 struct path_request r[4])
{
	int best = MIN(ranks[0], ranks[1]), used[2] = { 0 };

	for (int i = 0; i < 4; i++) {
		struct path *p = path_group_submit(t->g, &r[i], t->now);

		path_group_check(t->g);
		assert_int_equal(p == NULL, best == WAIT);
		if (!p)
			continue;
		assert_int_equal(ranks[p == t->p[1]], best);
		used[p == t->p[1]]++;
	}
	if (best == WAIT)
		assert_int_equal(path_group_waiting(t->g), 4);
	else if (ranks[0] == ranks[1])
		assert_true(used[0] == 2 ? shares
					 : !shares && used[0] % 4 == 0);
}

static void check_verdict(struct pair *t, const int ranks[2],
			  struct path_request *r, enum path_verdict verdict)
{
	struct path *here = r->path;
	int there = here == t->p[0];
	struct path *expected = here;

	path_request_done(t->g, r, verdict, 0, t->now);
	drain(t);
	if (verdict == PATH_DONE) {
		assert_int_equal(r->state, PATH_REQ_IDLE);
		return;
	}
	if (verdict == PATH_RETRY_ELSEWHERE && ranks[there] != WAIT)
		expected = t->p[there];
	assert_int_equal(r->state, PATH_REQ_INFLIGHT);
	assert_ptr_equal(r->path, expected);
	assert_int_equal(r->tries, 2);
}

static void check_cell(const char *policy, const int state[2],
		       const int access[2], enum path_verdict verdict)
{
	int ranks[2] = { rank[state[0]][access[0]], rank[state[1]][access[1]] };
	struct path_request r[4] = { 0 };
	struct pair t;

	set_up(&t, policy, state, access);
	check_choice(&t, policy != policies[0], ranks, r);
	if (r[0].state == PATH_REQ_INFLIGHT)
		check_verdict(&t, ranks, &r[0], verdict);
	for (int i = 0; i < 4; i++)
		path_request_cancel(t.g, &r[i]);
	path_group_check(t.g);
	path_group_destroy(t.g);
}

static void every_state_access_policy_and_verdict(void **unused)
{
	const unsigned cells = STATES * ACCESSES;

	for (unsigned i = 0; i < cells * cells; i++) {
		unsigned a = i / cells, b = i % cells;
		int state[2] = { a % STATES, b % STATES };
		int access[2] = { a / STATES, b / STATES };

		for (unsigned p = 0; p < ARRAY_SIZE(policies); p++)
			for (unsigned v = 0; v < VERDICTS; v++)
				check_cell(policies[p], state, access, v);
	}
}

static void options_that_make_no_sense_are_refused(void **unused)
{
	static const struct path_options bad[] = {
		{ .policy = "fastest" },
		{ .reconnect_delay = -1 },
		{ .reconnect_delay = SEC(2), .reconnect_max = SEC(1) },
		{ .connect_timeout = -1 },
		{ .suspect_min = MSEC(2), .suspect_max = MSEC(1) },
		{ .probe_min = MSEC(2), .probe_max = MSEC(1) },
		{ .probe_max = SEC(1000000) },
		{ .suspect_factor = 1000000 },
	};
	struct path_options fine = { .reconnect_delay = SEC(9),
				     .suspect_min = SEC(1) };
	struct path_group *g;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(path_group_create(&bad[i], &g), -EINVAL);
	assert_int_equal(path_group_create(&fine, &g), 0);
	assert_string_equal(path_group_policy(g), "queue-depth");
	assert_int_equal(path_group_set_policy(g, "fastest"), -EINVAL);
	assert_int_equal(path_group_set_policy(g, "round-robin"), 0);
	assert_string_equal(path_group_policy(g), "round-robin");
	path_group_destroy(g);
}

static void a_group_holds_64_paths(void **unused)
{
	struct path_options o = { .policy = "round-robin" };
	struct path_request r[128] = { 0 };
	struct path *p[PATH_MAX_PATHS], *extra;
	struct path_group *g;
	struct path_action a;

	assert_int_equal(path_group_create(&o, &g), 0);
	for (int i = 0; i < PATH_MAX_PATHS; i++)
		assert_int_equal(path_add(g, "x", NULL, 1, &p[i]), 0);
	assert_int_equal(path_add(g, "x", NULL, 1, &extra), -ENOSPC);
	while (path_group_next(g, 1, &a))
		path_connected(a.path, 1);
	for (int i = 0; i < 128; i++)
		assert_ptr_equal(path_group_submit(g, &r[i], 1), p[i % 64]);
	path_remove(p[0], 2); /* its two move to the 63 others, in turn */
	while (path_group_next(g, 2, &a))
		assert_int_equal(a.kind, PATH_ACT_SEND);
	assert_ptr_equal(r[0].path, p[1]);
	assert_ptr_equal(r[64].path, p[2]);
	path_group_check(g);
	for (int i = 0; i < 128; i++)
		path_request_cancel(g, &r[i]);
	path_group_destroy(g);
}

static void round_robin_takes_rr_min_io_in_a_row(void **unused)
{
	struct path_options o = { .policy = "round-robin", .rr_min_io = 3 };
	struct path_request r[12] = { 0 };
	struct path *p[2];
	struct path_group *g;
	struct path_action a;

	assert_int_equal(path_group_create(&o, &g), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(path_add(g, "x", NULL, 1, &p[i]), 0);
	while (path_group_next(g, 1, &a))
		path_connected(a.path, 1);
	for (int i = 0; i < 12; i++)
		path_group_submit(g, &r[i], 1);
	for (int i = 3; i < 12; i++) {
		assert_ptr_not_equal(r[i].path, r[i - 3].path);
		if (i % 3)
			assert_ptr_equal(r[i].path, r[i - 1].path);
	}
	for (int i = 0; i < 12; i++)
		path_request_cancel(g, &r[i]);
	path_group_destroy(g);
}

static void the_active_path_is_the_first_unless_one_is_in_use(void **unused)
{
	struct path_options o = { .policy = "active-passive" };
	struct path_request r[3] = { 0 };
	struct path_group *g;
	struct path_action a;
	struct path *p[3];

	assert_int_equal(path_group_create(&o, &g), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(path_add(g, "x", NULL, 1, &p[i]), 0);
	while (path_group_next(g, 1, &a))
		if (a.path == p[2])
			path_connected(p[2], 1);
	assert_ptr_equal(path_group_submit(g, &r[0], 1), p[2]);
	path_connected(p[0], 1);
	path_connected(p[1], 1);
	assert_ptr_equal(path_group_submit(g, &r[1], 1), p[2]);
	path_remove(p[2], 1);
	while (path_group_next(g, 1, &a))
		assert_ptr_equal(a.path, p[0]);
	assert_ptr_equal(path_group_submit(g, &r[2], 1), p[0]);
	for (int i = 0; i < 3; i++)
		path_request_cancel(g, &r[i]);
	path_group_destroy(g);
}

static void a_removal_skips_nobodys_turn(void **unused)
{
	struct path_options o = { .policy = "round-robin" };
	struct path_request r[6] = { 0 };
	struct path *p[5];
	struct path_group *g;
	struct path_action a;

	assert_int_equal(path_group_create(&o, &g), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(path_add(g, "x", NULL, 1, &p[i]), 0);
	while (path_group_next(g, 1, &a))
		path_connected(a.path, 1);
	assert_ptr_equal(path_group_submit(g, &r[0], 1), p[0]);
	path_request_done(g, &r[0], PATH_DONE, 0, 1);
	path_remove(p[0], 1); /* the last choice, and the first path */
	assert_ptr_equal(path_group_submit(g, &r[1], 1), p[1]);
	assert_ptr_equal(path_group_submit(g, &r[2], 1), p[2]);
	path_request_done(g, &r[1], PATH_DONE, 0, 1);
	path_remove(p[1], 1); /* before the last choice */
	assert_ptr_equal(path_group_submit(g, &r[3], 1), p[3]);
	path_remove(p[4], 1); /* behind it */
	assert_ptr_equal(path_group_submit(g, &r[4], 1), p[2]);
	assert_ptr_equal(path_group_submit(g, &r[5], 1), p[3]);
	for (int i = 0; i < 6; i++)
		path_request_cancel(g, &r[i]);
	path_group_destroy(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_access_policy_and_verdict),
		cmocka_unit_test(options_that_make_no_sense_are_refused),
		cmocka_unit_test(a_group_holds_64_paths),
		cmocka_unit_test(round_robin_takes_rr_min_io_in_a_row),
		cmocka_unit_test(
			the_active_path_is_the_first_unless_one_is_in_use),
		cmocka_unit_test(a_removal_skips_nobodys_turn),
	};

	log_set_level("error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
