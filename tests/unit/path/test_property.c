/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random events in random order, by seed, and what must hold whatever comes:
 *
 *	no request is lost, none ends twice, none is sent while it is out
 *	who waits is served in the order of submission, and at once
 *	new requests take the best path that there is
 *	no path that is as good as the others is passed over for ever
 *	nothing lasts longer than its timer says
 *	a request that needs a fence goes nowhere before it
 *	path_group_check(), after every step
 *
 * The owner here keeps its contract, but the events are as rude as a network
 * makes them: answers that come late or that nobody asked for, connections that
 * come up after they were given up, paths removed with everything on them.
 *
 *	HAWSER_SEED=n HAWSER_STEPS=m test_path_property	runs one seed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/rng.h"
#include "path/path.h"

enum { SLOTS = 6, REQUESTS = 24, SEEDS = 60, STEPS = 50000 };

struct slot {
	struct path *path; /* NULL: free */
	bool removed;	   /* still there until it is fenced */
	bool fence_out;	   /* FENCE was handed out, no answer yet */
	uint64_t fence_at; /* step when it was */
	unsigned passed;   /* over, since it should have had its turn */
	nsec answered;	   /* a request, the last time */
	nsec sign;	   /* of life, the last one */
};

struct item {
	struct path_request r;
	bool out;	    /* between submit and its one end */
	uint64_t fenced_at; /* step when it was seen fenced first; 0: is not */
	struct slot *fenced_on;
};

struct model {
	struct path_group *g;
	struct path_options o;
	struct rng rng;
	nsec now;
	uint64_t step;
	struct slot slots[SLOTS];
	struct item items[REQUESTS];
	nsec stranded;	     /* since when no path is usable; -1: one is */
	struct slot *fenced; /* path_fenced() was this step's event */
	bool undrained;	     /* an event was, and path_group_next() not yet */
	bool repeats;	     /* a RETRY was answered in this step */
	uint64_t ended, sent, moved;
};

static struct model m; /* one at a time; the signal handler reads it */
static uint64_t seed;

#define must(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#condition);                                   \
			abort();                                               \
		}                                                              \
	} while (0)

static void say_seed(int sig)
{
	fprintf(stderr, "seed %llu, step %llu, %lld us, %s\n",
		(unsigned long long)seed, (unsigned long long)m.step,
		(long long)m.now / 1000, path_group_policy(m.g));
	signal(sig, SIG_DFL);
	raise(sig);
}

/* ------------------------------------------------ what is right, said anew */

static struct path_info info(const struct slot *s)
{
	struct path_info out;

	path_get_info(s->path, &out);
	return out;
}

static bool in_use(const struct slot *s)
{
	return s->path && !s->removed;
}

/* 0 is best; 9: unusable. */
static int rank(const struct slot *s)
{
	struct path_info i;

	if (!in_use(s))
		return 9;
	i = info(s);
	if (i.access != PATH_OPTIMIZED && i.access != PATH_NON_OPTIMIZED)
		return 9;
	if (i.state != PATH_LIVE && i.state != PATH_SUSPECT)
		return 9;
	return 2 * (i.state == PATH_SUSPECT) + (i.access != PATH_OPTIMIZED);
}

static int best_rank(void)
{
	int best = 9;

	for (int i = 0; i < SLOTS; i++)
		best = MIN(best, rank(&m.slots[i]));
	return best;
}

static struct slot *slot_of(const struct path *p)
{
	return p ? path_owner(p) : NULL;
}

/* Would be a fair choice now: if this is so for long, it must be chosen. */
static bool is_due(const struct slot *s, int best, unsigned least)
{
	const char *policy = path_group_policy(m.g);

	if (best == 9 || rank(s) != best)
		return false;
	if (strcmp(policy, "round-robin") == 0)
		return true;
	if (strcmp(policy, "queue-depth") == 0)
		return info(s).inflight == least;
	if (strcmp(policy, "service-time") == 0)
		return info(s).inflight == 0 && m.now - s->answered > SEC(1);
	return false; /* active-passive: the others stand by */
}

static unsigned least_inflight(int best)
{
	unsigned least = UINT32_MAX;

	for (int i = 0; i < SLOTS; i++)
		if (best < 9 && rank(&m.slots[i]) == best)
			least = MIN(least, info(&m.slots[i]).inflight);
	return least;
}

/* A turn is to be given: who may expect it. */
static void expect_turn(bool due[SLOTS])
{
	int best = best_rank();
	unsigned least = least_inflight(best);

	for (int i = 0; i < SLOTS; i++)
		due[i] = is_due(&m.slots[i], best, least);
}

static void turn_taken(const bool due[SLOTS], const struct path *by)
{
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &m.slots[i];

		s->passed = due[i] && s->path != by ? s->passed + 1 : 0;
		must(s->passed <= SLOTS * m.o.rr_min_io);
	}
}

static void forget_turns(void)
{
	for (int i = 0; i < SLOTS; i++)
		m.slots[i].passed = 0;
}

/* ------------------------------------------------------------ the owner */

static struct item *item_of(struct path_request *r)
{
	return container_of(r, struct item, r);
}

static void ended(struct item *it)
{
	must(it->out && it->r.state == PATH_REQ_IDLE);
	it->out = false;
	m.ended++;
}

static void sent(struct item *it, const struct path *p)
{
	must(it->out && it->r.state == PATH_REQ_INFLIGHT && it->r.path == p);
	must(rank(slot_of(p)) < 9);
	must(it->r.sent == m.now);
	slot_of(p)->passed = 0;
	m.sent++;
	m.moved += it->r.tries > 1;
}

/* A request comes out of the queue: it was the first in it. */
static void was_first(const struct item *it)
{
	for (int i = 0; i < REQUESTS; i++)
		must(m.items[i].r.state != PATH_REQ_WAITING ||
		     m.items[i].r.order > it->r.order);
}

static void handle(const struct path_action *a)
{
	struct slot *s = slot_of(a->path);

	switch (a->kind) {
	case PATH_ACT_FENCE:
		must(!s->fence_out);
		s->fence_out = true;
		s->fence_at = m.step;
		break;
	case PATH_ACT_SEND:
		must(in_use(s));
		was_first(item_of(a->request));
		sent(item_of(a->request), a->path);
		break;
	case PATH_ACT_FAIL:
		was_first(item_of(a->request));
		must(best_rank() == 9);
		must(a->error == -ENODEV || m.o.fast_io_fail_timeout > 0);
		ended(item_of(a->request));
		break;
	case PATH_ACT_GIVE_UP:
		must(m.o.ctrlr_loss_timeout > 0);
		break;
	case PATH_ACT_CLOSE:
	case PATH_ACT_CONNECT:
	case PATH_ACT_PROBE:
		must(in_use(s));
		break;
	}
}

static void drain(void)
{
	struct path_action a;
	unsigned limit = 2 * REQUESTS + 8 * SLOTS;

	while (path_group_next(m.g, m.now, &a)) {
		handle(&a);
		must(limit-- > 0);
	}
	for (int i = 0; i < SLOTS; i++) /* was it freed? */
		if (m.slots[i].removed && !m.slots[i].fence_out)
			m.slots[i] = (struct slot){ 0 };
}

/* -------------------------------------------------------------- events */

static struct slot *any_slot(bool used)
{
	struct slot *s = &m.slots[rng_below(&m.rng, SLOTS)];

	return used == in_use(s) && (used || !s->path) ? s : NULL;
}

static struct item *any_item(void)
{
	return &m.items[rng_below(&m.rng, REQUESTS)];
}

static void do_submit(void)
{
	struct item *it = any_item();
	bool due[SLOTS], queue = path_group_waiting(m.g) > 0;
	int best = best_rank();
	struct path *p;

	if (it->out)
		return;
	it->out = true;
	it->fenced_at = 0;
	it->r.needs_fence = rng_chance(&m.rng, 0.3);
	it->r.bytes = rng_below(&m.rng, 1 << 20);
	expect_turn(due);
	p = path_group_submit(m.g, &it->r, m.now);
	must((p == NULL) == (queue || best == 9));
	if (!p)
		return;
	must(rank(slot_of(p)) == best);
	sent(it, p);
	turn_taken(due, p);
}

static void do_answer(void)
{
	struct item *it = any_item();
	enum path_verdict verdict = PATH_DONE;

	if (it->r.state != PATH_REQ_INFLIGHT)
		return;
	if (rng_chance(&m.rng, 0.05))
		verdict = rng_chance(&m.rng, 0.5) ? PATH_RETRY_HERE
						  : PATH_RETRY_ELSEWHERE;
	slot_of(it->r.path)->answered = slot_of(it->r.path)->sign = m.now;
	path_request_done(m.g, &it->r, verdict, it->r.bytes, m.now);
	if (verdict == PATH_DONE)
		ended(it);
	else
		m.repeats = true;
}

/* Also what an owner does with an answer that comes over an old path. */
static void do_cancel(void)
{
	struct item *it = any_item();

	path_request_cancel(m.g, &it->r);
	if (it->out)
		ended(it);
	it->fenced_at = 0;
}

static void do_add(void)
{
	struct slot *s = any_slot(false);

	if (!s)
		return;
	must(path_add(m.g, "p", s, m.now, &s->path) == 0);
	forget_turns();
}

static void do_remove(void)
{
	struct slot *s = any_slot(true);

	if (!s)
		return;
	s->removed = true;
	path_remove(s->path, m.now);
	forget_turns();
}

static void do_fenced(void)
{
	struct slot *s = &m.slots[rng_below(&m.rng, SLOTS)];

	if (!s->path || (s->removed && !s->fence_out))
		return;
	if (s->fence_out)
		m.fenced = s;
	s->fence_out = false; /* nobody asked: rude, and without effect */
	path_fenced(s->path, m.now);
}

static void do_policy(void)
{
	static const char *const names[] = { "active-passive", "round-robin",
					     "queue-depth", "service-time" };

	must(path_group_set_policy(m.g, names[rng_below(&m.rng, 4)]) == 0);
	forget_turns();
}

static void do_connection(void)
{
	struct slot *s = any_slot(true);

	if (!s)
		return;
	s->sign = m.now;
	switch (rng_below(&m.rng, 8)) {
	case 0:
		path_failed(s->path, m.now);
		break;
	case 1:
		path_heard(s->path, m.now);
		break;
	case 2:
	case 3:
		path_probe_answered(s->path, m.now);
		break;
	default:
		path_connected(s->path, m.now);
		break;
	}
}

static void do_access(void)
{
	struct slot *s = any_slot(true);

	if (s)
		path_set_access(s->path,
				rng_chance(&m.rng, 0.6)
					? PATH_OPTIMIZED
					: (enum path_access)rng_below(&m.rng,
								      5),
				m.now);
}

/* When the oldest request in flight on it was sent; now: none is. */
static nsec oldest_sent(const struct slot *s)
{
	nsec oldest = m.now;

	for (int i = 0; i < REQUESTS; i++)
		if (m.items[i].r.state == PATH_REQ_INFLIGHT &&
		    m.items[i].r.path == s->path)
			oldest = MIN(oldest, m.items[i].r.sent);
	return oldest;
}

/* The state of a path ended when its timer said: asked after a tick. */
static void check_timers(void)
{
	for (int i = 0; i < SLOTS; i++) {
		struct path_info p;
		nsec lasted;

		if (!in_use(&m.slots[i]))
			continue;
		p = info(&m.slots[i]);
		lasted = m.now - p.since;
		if (p.state == PATH_LIVE)
			must(m.now - MAX(m.slots[i].sign,
					 oldest_sent(&m.slots[i])) <
			     m.o.suspect_max);
		if (p.state == PATH_SUSPECT)
			must(lasted < m.o.probe_max);
		if (p.state == PATH_CONNECTING)
			must(lasted < m.o.connect_timeout);
		if (p.state == PATH_LOST && m.o.ctrlr_loss_timeout < 0)
			must(lasted < m.o.reconnect_max);
	}
}

/* Mostly in small steps, often to the deadline, sometimes past it. */
static void do_time(void)
{
	nsec deadline = path_group_deadline(m.g), step;

	if (m.undrained)
		return;
	step = (nsec)rng_below(&m.rng, MSEC(2));
	if (rng_chance(&m.rng, 0.1) && deadline != NSEC_NEVER)
		step = MAX(deadline - m.now, 0);
	if (rng_chance(&m.rng, 0.001))
		step = (nsec)rng_below(&m.rng, SEC(20));
	m.now += step;
	path_group_tick(m.g, m.now);
	must(path_group_deadline(m.g) > m.now || path_group_waiting(m.g) > 0);
	check_timers();
}

static void random_event(void)
{
	uint64_t dice = rng_below(&m.rng, 1000);

	if (dice < 350)
		do_submit();
	else if (dice < 650)
		do_answer();
	else if (dice < 850)
		do_time();
	else if (dice < 940)
		do_connection();
	else if (dice < 955)
		do_fenced();
	else if (dice < 970)
		do_cancel();
	else if (dice < 980)
		do_access();
	else if (dice < 990)
		do_add();
	else if (dice < 993)
		do_remove();
	else if (dice < 995)
		do_policy();
}

/* ---------------------------------------------------------- after each step */

static void check_requests(void)
{
	unsigned waiting = 0;

	for (int i = 0; i < REQUESTS; i++) {
		const struct path_request *r = &m.items[i].r;

		must(m.items[i].out == (r->state != PATH_REQ_IDLE));
		waiting += r->state == PATH_REQ_WAITING;
		if (r->state == PATH_REQ_INFLIGHT)
			must(in_use(slot_of(r->path)));
	}
	must(waiting == path_group_waiting(m.g));
	must(waiting == 0 || best_rank() == 9); /* served at once */
}

/* Out of the fence only by an answer to a FENCE that was asked for later. */
static void check_fences(void)
{
	for (int i = 0; i < REQUESTS; i++) {
		struct item *it = &m.items[i];
		bool fenced = it->r.state == PATH_REQ_FENCED;

		if (fenced && !it->fenced_at) {
			must(it->r.needs_fence);
			it->fenced_at = m.step;
			it->fenced_on = slot_of(it->r.path);
		} else if (!fenced && it->fenced_at) {
			must(m.fenced == it->fenced_on);
			must(it->fenced_on->path == NULL ||
			     it->fenced_on->fence_at >= it->fenced_at);
			it->fenced_at = 0;
		}
	}
}

static void check_fast_fail(void)
{
	if (best_rank() < 9 || (m.stranded < 0 && !path_group_waiting(m.g)))
		m.stranded = best_rank() < 9 ? -1 : m.stranded;
	else if (m.stranded < 0)
		m.stranded = m.now;
	if (m.stranded >= 0 && m.o.fast_io_fail_timeout > 0 &&
	    m.now - m.stranded >= m.o.fast_io_fail_timeout)
		must(path_group_waiting(m.g) == 0);
}

static void step(void)
{
	m.repeats = false;
	do {
		m.step++;
		m.fenced = NULL;
		random_event();
		path_group_check(m.g);
		check_fences();
		if (best_rank() < 9) /* be it for a moment */
			m.stranded = -1;
		m.undrained = true;
	} while (rng_chance(&m.rng, 0.2)); /* more, before it looks again */
	drain();
	m.undrained = false;
	path_group_check(m.g);
	check_requests();
	check_fast_fail();
	if (m.repeats)
		forget_turns();
}

static void begin(void)
{
	memset(&m, 0, sizeof(m));
	rng_init(&m.rng, seed);
	m.now = SEC(1 + rng_below(&m.rng, 100));
	m.stranded = -1;
	m.o = (struct path_options){
		.rr_min_io = 1 + rng_below(&m.rng, 4),
		.reconnect_delay = MSEC(1 + rng_below(&m.rng, 100)),
		.reconnect_max = SEC(1),
		.connect_timeout = MSEC(500),
		.fast_io_fail_timeout =
			rng_chance(&m.rng, 0.5) ? MSEC(300) : -1,
		.ctrlr_loss_timeout = rng_chance(&m.rng, 0.3) ? SEC(1) : -1,
		.suspect_min = MSEC(1),
		.suspect_max = MSEC(20),
		.probe_min = MSEC(1),
		.probe_max = MSEC(30),
		.idle_probe = rng_chance(&m.rng, 0.8) ? MSEC(50) : -1,
	};
	must(path_group_create(&m.o, &m.g) == 0);
}

/* All links are well again: everything that is out ends. */
static void heal(void)
{
	do_add();
	for (int turn = 0; turn < 10000; turn++) {
		bool out = false;

		for (int i = 0; i < SLOTS; i++) {
			struct slot *s = &m.slots[i];

			if (s->path && s->fence_out) {
				s->fence_out = false;
				path_fenced(s->path, m.now);
				drain();
			}
			if (!in_use(s))
				continue;
			path_set_access(s->path, PATH_OPTIMIZED, m.now);
			path_connected(s->path, m.now);
			path_probe_answered(s->path, m.now);
		}
		drain();
		for (int i = 0; i < REQUESTS; i++) {
			struct item *it = &m.items[i];

			if (it->r.state == PATH_REQ_INFLIGHT) {
				path_request_done(m.g, &it->r, PATH_DONE, 0,
						  m.now);
				ended(it);
			}
			out |= it->out;
		}
		path_group_check(m.g);
		if (!out)
			return;
		m.now = MIN(path_group_deadline(m.g), m.now + MSEC(10));
		path_group_tick(m.g, m.now);
		drain();
		do_add();
	}
	must(!"a request never ended");
}

static void run_seed(uint64_t which, uint64_t steps)
{
	seed = which;
	begin();
	while (m.step < steps)
		step();
	heal();
	must(steps < 10000 || (m.sent > steps / 20 && m.moved > 0));
	path_group_destroy(m.g);
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void whatever_happens_the_promises_hold(void **state)
{
	uint64_t one = from_env("HAWSER_SEED", 0);
	uint64_t steps = from_env("HAWSER_STEPS", STEPS);
	uint64_t ended_in_all = 0;

	if (one) {
		run_seed(one, steps);
		return;
	}
	for (uint64_t i = 1; i <= SEEDS; i++) {
		run_seed(i, steps);
		ended_in_all += m.ended;
	}
	print_message("%llu requests in %llu events\n",
		      (unsigned long long)ended_in_all,
		      (unsigned long long)(SEEDS * steps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_the_promises_hold),
	};

	log_set_level("error");
	signal(SIGABRT, say_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
