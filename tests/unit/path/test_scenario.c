/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to requests when this or that happens to their paths: one story
 * per test, with the default timers unless the story is about a timer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/log.h"
#include "world.h"

static const struct path_options defaults;

/* A world that has measured its links: an hour's wear in a few steps. */
static struct world *warm(const struct path_options *o, unsigned paths)
{
	static struct world w;

	world_init(&w, o, paths);
	world_load(&w, MSEC(20), USEC(100), USEC(50));
	world_run(&w, MSEC(1));
	assert_int_equal(w.out, 0);
	w.longest = 0;
	return &w;
}

static struct path_info info(struct world *w, unsigned i)
{
	struct path_info out;

	path_get_info(w->links[i].path, &out);
	return out;
}

static void a_reset_moves_requests_at_once(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *jobs[8];

	for (int i = 0; i < 8; i++)
		jobs[i] = world_submit(w, MSEC(5), false);
	assert_int_equal(info(w, 0).inflight, 4);
	world_reset(w, 0);
	assert_int_equal(info(w, 0).state, PATH_LOST);
	assert_int_equal(info(w, 0).failovers, 4);
	assert_int_equal(info(w, 1).inflight, 8);
	world_run(w, MSEC(6));
	for (int i = 0; i < 8; i++)
		assert_int_equal(jobs[i]->ends, 1);
	assert_true(w->longest < MSEC(6));
	world_fini(w);
}

static void a_reset_path_comes_back_after_the_pause(void **state)
{
	struct world *w = warm(&defaults, 2);

	world_reset(w, 0);
	world_run(w, MSEC(99));
	assert_int_equal(world_state(w, 0), PATH_LOST);
	world_run(w, MSEC(2));
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_load(w, MSEC(2), USEC(100), 0);
	assert_true(info(w, 0).requests > 0);
	world_fini(w);
}

static void silence_on_a_lan_costs_less_than_150_ms(void **state)
{
	struct world *w = warm(&defaults, 3);

	world_link(w, 0, LINK_SILENT);
	world_load(w, MSEC(300), USEC(100), USEC(50));
	world_run(w, MSEC(1));
	assert_int_equal(w->out, 0);
	assert_int_equal(info(w, 0).losses, 1);
	assert_true(w->longest < MSEC(70));
	world_fini(w);
}

static void silence_of_an_unmeasured_path_costs_less_than_400_ms(void **state)
{
	static struct world w;

	world_init(&w, &defaults, 2);
	world_link(&w, 0, LINK_SILENT);
	world_submit(&w, 0, false);
	world_submit(&w, 0, false);
	world_run(&w, MSEC(400));
	assert_int_equal(w.done, 2);
	assert_true(w.longest < MSEC(360));
	world_fini(&w);
}

static void a_suspect_path_keeps_its_requests_and_gets_no_new_ones(void **state)
{
	struct world *w = warm(&defaults, 2);
	unsigned sent;

	world_link(w, 0, LINK_SILENT);
	for (int i = 0; i < 4; i++)
		world_submit(w, 0, false);
	world_run(w, MSEC(30));
	assert_int_equal(world_state(w, 0), PATH_SUSPECT);
	assert_int_equal(info(w, 0).inflight, 2);
	sent = w->links[0].sent;
	world_load(w, MSEC(5), USEC(100), 0);
	assert_int_equal(w->links[0].sent, sent);
	world_fini(w);
}

static void suspect_paths_are_used_when_there_is_no_other(void **state)
{
	struct world *w = warm(&defaults, 2);
	unsigned sent;

	world_link(w, 0, LINK_SILENT);
	world_link(w, 1, LINK_SILENT);
	for (int i = 0; i < 2; i++)
		world_submit(w, 0, false);
	world_run(w, MSEC(30));
	assert_int_equal(world_state(w, 0), PATH_SUSPECT);
	assert_int_equal(world_state(w, 1), PATH_SUSPECT);
	sent = w->links[0].sent + w->links[1].sent;
	world_submit(w, 0, false);
	assert_int_equal(path_group_waiting(w->group), 0);
	assert_int_equal(w->links[0].sent + w->links[1].sent, sent + 1);
	world_fini(w);
}

static void a_pause_of_the_other_end_loses_no_path(void **state)
{
	struct world *w = warm(&defaults, 3);

	for (int i = 0; i < 3; i++)
		world_link(w, i, LINK_SILENT);
	world_load(w, MSEC(20), MSEC(1), 0);
	world_run(w, MSEC(50));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_state(w, i), PATH_SUSPECT);
		path_heard(w->links[i].path, w->now);
		assert_int_equal(world_state(w, i), PATH_LIVE);
	}
	assert_int_equal(info(w, 0).losses, 0);
	world_fini(w);
}

static void a_slow_fsync_is_probed_and_never_lost(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *fsync = world_submit(w, SEC(1), false);
	unsigned i = fsync->r.path == w->links[1].path;

	world_run(w, SEC(2));
	assert_int_equal(fsync->ends, 1);
	assert_int_equal(fsync->r.tries, 1);
	assert_int_equal(info(w, 0).losses + info(w, 1).losses, 0);
	/* 20, 40, 80, then every 150 ms: patience grows. */
	assert_in_range(w->links[i].probes, 5, 12);
	world_fini(w);
}

static void an_owner_that_was_stopped_finds_its_paths(void **state)
{
	struct world *w = warm(&defaults, 2);

	for (int i = 0; i < 2; i++)
		world_submit(w, SEC(90), false);
	w->now += SEC(60);
	path_group_tick(w->group, w->now);
	assert_int_equal(world_state(w, 0), PATH_SUSPECT);
	assert_int_equal(world_state(w, 1), PATH_SUSPECT);
	world_run(w, MSEC(1));
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	assert_int_equal(world_state(w, 1), PATH_LIVE);
	assert_int_equal(info(w, 0).losses + info(w, 1).losses, 0);
	world_fini(w);
}

static void idleness_is_not_silence(void **state)
{
	struct world *w = warm(&defaults, 1);

	world_run(w, SEC(4));
	world_submit(w, MSEC(10), false);
	world_run(w, MSEC(15));
	assert_int_equal(w->links[0].probes, 0);
	assert_int_equal(w->out, 0);
	world_fini(w);
}

static void a_sign_of_life_saves_a_probe_that_was_not_sent(void **state)
{
	struct world *w = warm(&defaults, 1);
	struct path *p = w->links[0].path;
	struct job *job = world_submit(w, MSEC(25), false);

	w->now += MSEC(20);
	path_group_tick(w->group, w->now);
	assert_int_equal(world_state(w, 0), PATH_SUSPECT);
	path_heard(p, w->now);
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_run(w, SEC(4)); /* and it is not waited for */
	assert_int_equal(w->links[0].probes, 0);
	assert_int_equal(job->ends, 1);
	world_fini(w);
}

static void a_path_that_got_slower_is_lost_once(void **state)
{
	struct world *w = warm(&defaults, 2);

	w->links[0].rtt = MSEC(120); /* another route */
	world_load(w, SEC(5), MSEC(1), 0);
	assert_int_equal(info(w, 0).losses, 1);
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	assert_true(info(w, 0).latency > MSEC(100));
	world_fini(w);
}

static void an_idle_path_is_probed_and_its_loss_found(void **state)
{
	struct world *w = warm(&defaults, 2);

	world_run(w, SEC(16));
	assert_int_equal(w->links[0].probes, 3);
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_link(w, 0, LINK_SILENT);
	world_run(w, MSEC(5400));
	assert_int_equal(info(w, 0).losses, 1);
	world_fini(w);
}

static void a_flapping_path_is_left_alone_longer_each_time(void **state)
{
	struct world *w = warm(&defaults, 2);
	unsigned attempts = w->links[0].attempts;

	for (int i = 0; i < 2000; i++) { /* breaks 5 ms after it came up */
		world_run(w, MSEC(5));
		world_reset(w, 0);
	}
	/* 100 + 200 + … + 3200 ms, then 5 s each, in 10 s */
	assert_in_range(w->links[0].attempts - attempts, 6, 8);
	world_run(w, SEC(6));
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_run(w, SEC(6));
	world_reset(w, 0); /* it has held: the pause is short again */
	world_run(w, MSEC(110));
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_fini(w);
}

static void with_all_paths_down_requests_wait_and_go_in_order(void **state)
{
	struct world *w = warm(&defaults, 3);
	struct job *jobs[30];

	for (int i = 0; i < 15; i++)
		jobs[i] = world_submit(w, MSEC(1), false);
	world_link(w, 1, LINK_REFUSED); /* out of the order of submission */
	world_link(w, 0, LINK_REFUSED);
	world_link(w, 2, LINK_REFUSED);
	for (int i = 15; i < 30; i++)
		jobs[i] = world_submit(w, MSEC(1), false);
	assert_int_equal(path_group_waiting(w->group), 30);
	world_run(w, SEC(60));
	assert_int_equal(path_group_waiting(w->group), 30);
	world_link(w, 1, LINK_UP);
	world_run(w, SEC(6));
	for (int i = 0; i < 30; i++) {
		assert_int_equal(jobs[i]->ends, 1);
		assert_int_equal(jobs[i]->error, 0);
		assert_true(i == 0 || jobs[i]->r.sent >= jobs[i - 1]->r.sent);
	}
	world_fini(w);
}

static void fast_io_fail_ends_the_wait(void **state)
{
	struct path_options o = { .fast_io_fail_timeout = SEC(2) };
	struct world *w = warm(&o, 2);
	struct job *early, *late;

	world_link(w, 0, LINK_REFUSED);
	world_link(w, 1, LINK_REFUSED);
	early = world_submit(w, 0, false);
	world_run(w, MSEC(1999));
	assert_int_equal(early->ends, 0);
	world_run(w, MSEC(1));
	assert_int_equal(early->ends, 1);
	assert_int_equal(early->error, -ETIMEDOUT);
	late = world_submit(w, 0, false);
	assert_int_equal(late->error, -ETIMEDOUT);
	world_link(w, 0, LINK_UP);
	world_run(w, SEC(6));
	late = world_submit(w, 0, false);
	world_run(w, MSEC(1));
	assert_int_equal(late->ends, 1);
	assert_int_equal(late->error, 0);
	world_fini(w);
}

static void ctrlr_loss_gives_a_path_up_and_the_last_one_fails_all(void **state)
{
	struct path_options o = { .ctrlr_loss_timeout = SEC(10) };
	struct world *w = warm(&o, 2);
	struct job *job;

	world_link(w, 0, LINK_SILENT);
	world_submit(w, 0, false);
	world_submit(w, 0, false);
	world_run(w, SEC(11));
	assert_int_equal(w->links[0].given_up, 1);
	assert_int_equal(w->links[1].given_up, 0);
	world_remove(w, 0);
	world_link(w, 1, LINK_REFUSED);
	job = world_submit(w, 0, false);
	world_run(w, MSEC(9999));
	assert_int_equal(job->ends, 0);
	world_run(w, MSEC(1));
	assert_int_equal(w->links[1].given_up, 1);
	assert_int_equal(job->error, -ENODEV);
	world_remove(w, 1);
	job = world_submit(w, 0, false);
	assert_int_equal(job->error, -ENODEV);
	world_add(w, 2); /* there is hope again */
	job = world_submit(w, 0, false);
	world_run(w, MSEC(1));
	assert_int_equal(job->error, 0);
	assert_int_equal(job->ends, 1);
	world_fini(w);
}

static void a_path_is_given_up_in_the_middle_of_an_attempt(void **state)
{
	struct path_options o = { .ctrlr_loss_timeout = SEC(1) };
	struct world *w = warm(&o, 2);

	world_link(w, 0, LINK_SILENT);
	world_reset(w, 0);
	world_run(w, MSEC(999));
	assert_int_equal(world_state(w, 0), PATH_CONNECTING);
	assert_int_equal(w->links[0].closes, 0);
	world_run(w, MSEC(1));
	assert_int_equal(w->links[0].closes, 1);
	assert_int_equal(w->links[0].given_up, 1);
	world_link(w, 0, LINK_UP);
	world_run(w, SEC(60));
	assert_int_equal(world_state(w, 0), PATH_LOST);
	world_fini(w);
}

static void a_disabled_path_rests_and_without_another_all_fails(void **state)
{
	struct path_options o = { .ctrlr_loss_timeout = SEC(10) };
	struct world *w = warm(&o, 2);
	unsigned attempts = w->links[0].attempts;
	struct job *job;

	world_disable(w, 0, true);
	world_run(w, SEC(60));
	assert_int_equal(world_state(w, 0), PATH_LOST);
	assert_int_equal(w->links[0].attempts, attempts);
	assert_int_equal(w->links[0].given_up, 0);
	job = world_submit(w, 0, false);
	world_run(w, MSEC(1));
	assert_int_equal(job->error, 0);
	world_disable(w, 1, true);
	job = world_submit(w, 0, false);
	assert_int_equal(job->error, -ENODEV);
	world_disable(w, 0, false);
	job = world_submit(w, 0, false);
	world_run(w, MSEC(1));
	assert_int_equal(job->ends, 1);
	assert_int_equal(job->error, 0);
	world_fini(w);
}

static void a_favourite_takes_over_again_unless_it_is_told_to_stay(void **state)
{
	for (int stay = 0; stay < 2; stay++) {
		struct path_options o = { .policy = "active-passive",
					  .stay = stay };
		struct world *w = warm(&o, 2);
		unsigned sent;

		path_group_favour(w->group, w->links[1].path);
		world_reset(w, 1);
		world_run(w, SEC(1));
		assert_int_equal(world_state(w, 1), PATH_LIVE);
		world_submit(w, 0, false);
		world_run(w, MSEC(1));
		sent = w->links[1].sent;
		world_submit(w, 0, false);
		world_run(w, MSEC(1));
		assert_int_equal(w->links[1].sent, sent + !stay);
		world_fini(w);
	}
}

static void a_write_waits_for_the_fence_and_a_read_does_not(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *write[2], *read[2];

	for (int i = 0; i < 2; i++) {
		write[i] = world_submit(w, MSEC(2), true);
		world_submit(w, MSEC(2), false);
		read[i] = world_submit(w, MSEC(2), false);
		world_submit(w, MSEC(2), false);
	}
	assert_ptr_equal(write[0]->r.path, read[0]->r.path);
	world_reset(w, write[0]->r.path == w->links[1].path);
	assert_int_equal(read[0]->r.state, PATH_REQ_INFLIGHT);
	assert_int_equal(write[0]->r.state, PATH_REQ_FENCED);
	world_run(w, MSEC(4));
	assert_int_equal(read[1]->ends, 1);
	assert_int_equal(write[1]->ends, 0);
	world_run(w, MSEC(4));
	assert_int_equal(write[0]->ends, 1);
	assert_int_equal(write[1]->ends, 1);
	assert_int_equal(write[0]->r.tries, 2);
	world_fini(w);
}

static void a_fence_does_not_cover_what_was_lost_after_it(void **state)
{
	struct world *w = warm(&defaults, 1);
	struct job *first, *second;

	w->links[0].fence = MSEC(500);
	first = world_submit(w, SEC(9), true);
	world_reset(w, 0);
	world_run(w, MSEC(150)); /* back, and the fence still runs */
	second = world_submit(w, SEC(9), true);
	world_reset(w, 0);
	assert_int_equal(second->r.state, PATH_REQ_FENCED);
	world_run(w, MSEC(400));
	assert_int_equal(w->links[0].fences, 2);
	assert_int_equal(first->r.state, PATH_REQ_FENCED);
	assert_int_equal(second->r.state, PATH_REQ_FENCED);
	world_run(w, MSEC(500));
	assert_int_equal(first->r.state, PATH_REQ_INFLIGHT);
	assert_int_equal(second->r.state, PATH_REQ_INFLIGHT);
	world_fini(w);
}

static void a_removed_path_stays_until_it_is_fenced(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *a = world_submit(w, MSEC(1), true);
	struct job *b = world_submit(w, MSEC(1), true);
	unsigned i = a->r.path == w->links[1].path;

	world_remove(w, i);
	assert_ptr_equal(path_group_iterate(w->group, NULL), b->r.path);
	assert_null(path_group_iterate(w->group, b->r.path));
	assert_int_equal(a->r.state, PATH_REQ_FENCED);
	assert_true(path_group_is_fencing(w->group));
	world_run(w, MSEC(10));
	assert_false(path_group_is_fencing(w->group));
	assert_int_equal(a->ends, 1);
	assert_int_equal(b->ends, 1);
	world_fini(w);
}

static void paths_come_and_go_under_load(void **state)
{
	static struct world w;

	world_init(&w, &defaults, 1);
	for (unsigned i = 1; i < 6; i++) {
		world_add(&w, i);
		world_load(&w, MSEC(3), USEC(20), USEC(300));
		assert_int_equal(path_group_set_policy(w.group,
						       i & 1 ? "round-robin"
							     : "service-time"),
				 0);
		world_remove(&w, i - 1);
		w.links[i - 1].path = NULL;
	}
	world_run(&w, MSEC(2));
	assert_int_equal(w.out, 0);
	assert_int_equal(w.failed, 0);
	assert_true(w.longest < MSEC(2));
	world_fini(&w);
}

static void a_connect_that_hangs_is_closed_and_tried_again(void **state)
{
	struct world *w = warm(&defaults, 1);

	world_link(w, 0, LINK_SILENT);
	world_reset(w, 0);
	world_run(w, MSEC(3200));
	assert_int_equal(w->links[0].closes, 1);
	world_link(w, 0, LINK_UP);
	world_run(w, MSEC(300));
	assert_int_equal(world_state(w, 0), PATH_LIVE);
	world_fini(w);
}

static void a_connection_nobody_waits_for_is_closed(void **state)
{
	struct world *w = warm(&defaults, 1);

	world_reset(w, 0);
	path_connected(w->links[0].path, w->now);
	world_run(w, 0);
	assert_int_equal(w->links[0].closes, 1);
	assert_int_equal(world_state(w, 0), PATH_LOST);
	world_fini(w);
}

static void access_states_steer_and_release_what_waits(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct path *a = w->links[0].path, *b = w->links[1].path;
	struct job *job;

	path_set_access(a, PATH_NON_OPTIMIZED, w->now);
	assert_ptr_equal(world_submit(w, 0, false)->r.path, b);
	assert_ptr_equal(world_submit(w, 0, false)->r.path, b);
	path_set_access(b, PATH_INACCESSIBLE, w->now);
	assert_ptr_equal(world_submit(w, 0, false)->r.path, a);
	path_set_access(a, PATH_CHANGE, w->now);
	job = world_submit(w, 0, false);
	assert_int_equal(job->r.state, PATH_REQ_WAITING);
	path_set_access(b, PATH_NON_OPTIMIZED, w->now);
	world_run(w, 0);
	assert_ptr_equal(job->r.path, b);
	world_fini(w);
}

static void a_retry_goes_where_the_verdict_says(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *job = world_submit(w, SEC(9), false);
	struct path *p = job->r.path;

	path_request_done(w->group, &job->r, PATH_RETRY_HERE, 0, w->now);
	world_run(w, 0);
	assert_ptr_equal(job->r.path, p);
	path_request_done(w->group, &job->r, PATH_RETRY_ELSEWHERE, 0, w->now);
	world_run(w, 0);
	assert_ptr_not_equal(job->r.path, p);
	assert_int_equal(job->r.tries, 3);
	w->event_count = 0; /* the two replies that this made up */
	world_fini(w);
}

static void a_repeat_forgets_a_path_that_was_removed(void **state)
{
	struct world *w = warm(&defaults, 2);
	struct job *job = world_submit(w, 0, false);
	unsigned i = job->r.path == w->links[1].path;

	path_request_done(w->group, &job->r, PATH_RETRY_HERE, 0, w->now);
	assert_ptr_equal(job->r.path, w->links[i].path);
	world_remove(w, i);
	assert_ptr_equal(job->r.path, w->links[!i].path);
	world_run(w, MSEC(1));
	assert_int_equal(job->ends, 1);
	world_fini(w);
}

static void service_time_finds_a_path_that_has_recovered(void **state)
{
	struct path_options o = { .policy = "service-time" };
	struct world *w = warm(&o, 2);
	unsigned before;

	w->links[0].rtt = MSEC(15);
	world_load(w, SEC(3), USEC(500), 0);
	before = w->links[0].sent;
	world_load(w, SEC(1), USEC(500), 0);
	assert_in_range(w->links[0].sent - before, 1, 100);
	w->links[0].rtt = USEC(50);
	world_load(w, SEC(30), USEC(500), 0);
	before = w->links[0].sent;
	world_load(w, SEC(1), USEC(500), 0);
	assert_in_range(w->links[0].sent - before, 500, 2000);
	world_fini(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_moves_requests_at_once),
		cmocka_unit_test(a_reset_path_comes_back_after_the_pause),
		cmocka_unit_test(silence_on_a_lan_costs_less_than_150_ms),
		cmocka_unit_test(
			silence_of_an_unmeasured_path_costs_less_than_400_ms),
		cmocka_unit_test(
			a_suspect_path_keeps_its_requests_and_gets_no_new_ones),
		cmocka_unit_test(suspect_paths_are_used_when_there_is_no_other),
		cmocka_unit_test(a_pause_of_the_other_end_loses_no_path),
		cmocka_unit_test(a_slow_fsync_is_probed_and_never_lost),
		cmocka_unit_test(
			a_path_is_given_up_in_the_middle_of_an_attempt),
		cmocka_unit_test(
			a_disabled_path_rests_and_without_another_all_fails),
		cmocka_unit_test(
			a_favourite_takes_over_again_unless_it_is_told_to_stay),
		cmocka_unit_test(an_owner_that_was_stopped_finds_its_paths),
		cmocka_unit_test(idleness_is_not_silence),
		cmocka_unit_test(
			a_sign_of_life_saves_a_probe_that_was_not_sent),
		cmocka_unit_test(a_path_that_got_slower_is_lost_once),
		cmocka_unit_test(a_repeat_forgets_a_path_that_was_removed),
		cmocka_unit_test(an_idle_path_is_probed_and_its_loss_found),
		cmocka_unit_test(
			a_flapping_path_is_left_alone_longer_each_time),
		cmocka_unit_test(
			with_all_paths_down_requests_wait_and_go_in_order),
		cmocka_unit_test(fast_io_fail_ends_the_wait),
		cmocka_unit_test(
			ctrlr_loss_gives_a_path_up_and_the_last_one_fails_all),
		cmocka_unit_test(
			a_write_waits_for_the_fence_and_a_read_does_not),
		cmocka_unit_test(a_fence_does_not_cover_what_was_lost_after_it),
		cmocka_unit_test(a_removed_path_stays_until_it_is_fenced),
		cmocka_unit_test(paths_come_and_go_under_load),
		cmocka_unit_test(
			a_connect_that_hangs_is_closed_and_tried_again),
		cmocka_unit_test(a_connection_nobody_waits_for_is_closed),
		cmocka_unit_test(access_states_steer_and_release_what_waits),
		cmocka_unit_test(a_retry_goes_where_the_verdict_says),
		cmocka_unit_test(service_time_finds_a_path_that_has_recovered),
	};

	log_set_level("error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
