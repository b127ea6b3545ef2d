/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: the rate is what was asked for, nobody starves, and who waits can be
 * cancelled.  Rates are measured in the simulation's time. */
#include <errno.h>

#include "devices.h"

static bool simulated(void)
{
	return strcmp(reactor_backend_name(reactor_self()), "simulation") == 0;
}

/* Keeps `depth` requests going until `until`, and counts them. */
struct load {
	struct block_device *device;
	enum block_op op;
	size_t length;
	nsec until;
	uint64_t done, failed;
	unsigned running;
	struct task *waiter;
};

struct slot {
	struct block_request request;
	struct iovec iov;
	struct load *load;
	bool submitting, again;
};

/* A request that is done before block_submit() returns goes again from here,
 * not from its `done`. */
static void submit_slot(struct slot *s)
{
	s->submitting = true;
	do {
		s->again = false;
		block_submit(s->load->device, &s->request);
	} while (s->again);
	s->submitting = false;
}

static void again(struct block_request *r, int error)
{
	struct slot *s = container_of(r, struct slot, request);
	struct load *l = s->load;

	l->done += error == 0;
	l->failed += error != 0;
	if (error != 0 || reactor_now() >= l->until) {
		l->running--;
		task_wake(l->waiter);
	} else if (s->submitting) {
		s->again = true;
	} else {
		submit_slot(s);
	}
}

static void load_start(struct load *l, struct slot *slots, unsigned depth)
{
	static char buf[BLOCK_TRANSFER_MAX];

	l->waiter = task_self();
	l->running = depth;
	for (unsigned i = 0; i < depth; i++) {
		slots[i] = (struct slot){
			.request = { .op = l->op,
				     .length = l->length,
				     .iov = &slots[i].iov,
				     .niov = 1,
				     .done = again },
			.iov = { buf, l->length },
			.load = l,
		};
		submit_slot(&slots[i]);
	}
}

static void load_wait(struct load *l)
{
	while (l->running > 0)
		task_park(NSEC_NEVER);
}

static struct block_device *limited(struct block_registry *reg,
				    const struct block_limits *limits)
{
	struct block_spec m = malloc_spec("m", 512, 4096);
	struct block_device *d = make(reg, &m);

	require(block_set_limits(d, limits) == 0);
	return d;
}

static void check_rate(const struct block_limits *limits, enum block_op op,
		       size_t length, unsigned depth, uint64_t expected)
{
	struct block_registry *reg = registry_create();
	struct load l = { .device = limited(reg, limits),
			  .op = op,
			  .length = length };
	struct slot *slots = calloc(depth, sizeof(*slots));
	double off;

	l.until = reactor_now() + SEC(1);
	load_start(&l, slots, depth);
	task_sleep_until(l.until);
	off = (double)l.done / expected - 1;
	if (off < -0.02 || off > 0.02)
		fprintf(stderr, "%llu instead of %llu\n",
			(unsigned long long)l.done,
			(unsigned long long)expected);
	require(off >= -0.02 && off <= 0.02);
	require(l.failed == 0);
	load_wait(&l);
	registry_destroy(reg);
	free(slots);
}

WORLD_TEST(rates_are_what_was_asked_for)
{
	if (!simulated())
		return;
	check_rate(&(struct block_limits){ .ios_per_sec = 200 }, BLOCK_READ,
		   512, 1, 200);
	check_rate(&(struct block_limits){ .ios_per_sec = 10000 }, BLOCK_WRITE,
		   4096, 32, 10000);
	check_rate(&(struct block_limits){ .ios_per_sec = 300000 }, BLOCK_READ,
		   4096, 128, 300000);
	check_rate(&(struct block_limits){ .bytes_per_sec = 100 << 20 },
		   BLOCK_READ, 4096, 32, 25600);
	check_rate(&(struct block_limits){ .read_bytes_per_sec = 100 << 20 },
		   BLOCK_READ, 128 << 10, 4, 800);
	check_rate(&(struct block_limits){ .write_bytes_per_sec = 10 << 20,
					   .read_bytes_per_sec = 1 },
		   BLOCK_WRITE, 65536, 1, 160);
	/* The tightest of them counts. */
	check_rate(&(struct block_limits){ .ios_per_sec = 1000,
					   .bytes_per_sec = 2 << 20,
					   .read_bytes_per_sec = 100 << 20 },
		   BLOCK_READ, 4096, 8, 512);
}

/* In real time a machine may be slow, but nothing makes it too fast. */
WORLD_TEST(nobody_gets_more_than_the_limit)
{
	struct block_registry *reg = registry_create();
	struct load l = { .op = BLOCK_READ, .length = 512 };
	struct slot slots[16];
	nsec start = reactor_now();
	double seconds;

	l.device = limited(reg, &(struct block_limits){ .ios_per_sec = 5000 });
	l.until = start + MSEC(200);
	load_start(&l, slots, 16);
	load_wait(&l);
	seconds = (reactor_now() - start) / 1e9;
	require(l.done <= 5000 * (seconds + 0.02) + 16);
	require(l.done >= 16);
	registry_destroy(reg);
}

WORLD_TEST(what_is_not_limited_does_not_wait)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = limited(
		reg, &(struct block_limits){ .write_bytes_per_sec = 1 });
	char buf[512] = { 0 };
	struct io io;

	require(transfer(d, BLOCK_WRITE, 0, buf, 512) == 0); /* the credit */
	io_start(d, &io, BLOCK_WRITE, 0, buf, 512);
	require(!io.done);
	block_cancel(&io.request);
	require(io_wait(&io) == -ECANCELED);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0);
	registry_destroy(reg);
}

WORLD_TEST(requests_wait_in_turn_and_large_ones_do_not_starve)
{
	enum { N = 40 };
	struct block_registry *reg = registry_create();
	struct block_device *d = limited(
		reg, &(struct block_limits){ .bytes_per_sec = 1 << 20 });
	struct io *io = calloc(N, sizeof(*io));
	char *buf = calloc(1, 65536);
	int seen = 0;

	for (int i = 0; i < N; i++)
		io_start(d, &io[i], BLOCK_READ, 0, buf,
			 i == N / 2 ? 65536 : 512);
	while (seen < N) {
		task_sleep(USEC(100));
		while (seen < N && io[seen].done)
			seen++;
		for (int i = seen; i < N; i++)
			require(!io[i].done);
	}
	free(io);
	free(buf);
	registry_destroy(reg);
}

WORLD_TEST(new_limits_are_for_those_who_wait_as_well)
{
	struct block_registry *reg = registry_create();
	struct block_device *d =
		limited(reg, &(struct block_limits){ .ios_per_sec = 1 });
	nsec start = reactor_now();
	char buf[512];
	struct io io[8];

	for (int i = 0; i < 8; i++)
		io_start(d, &io[i], BLOCK_READ, 0, buf, 512);
	task_sleep(MSEC(5));
	require(!io[1].done);
	require(block_set_limits(
			d, &(struct block_limits){ .ios_per_sec = 1000 }) == 0);
	for (int i = 0; i < 8; i++)
		require(io_wait(&io[i]) == 0);
	require(!simulated() || reactor_now() - start < MSEC(30));
	require(block_set_limits(d, &(struct block_limits){ .ios_per_sec =
								    1 }) == 0);
	for (int i = 0; i < 8; i++)
		io_start(d, &io[i], BLOCK_READ, 0, buf, 512);
	require(block_set_limits(d, &(struct block_limits){ 0 }) == 0);
	for (int i = 0; i < 8; i++)
		require(io_wait(&io[i]) == 0);
	require(!simulated() || reactor_now() - start < MSEC(60));
	registry_destroy(reg);
}

WORLD_TEST(a_waiting_write_that_is_cancelled_never_lands)
{
	enum { N = 30 };
	struct block_registry *reg = registry_create();
	struct block_device *d =
		limited(reg, &(struct block_limits){ .ios_per_sec = 1000 });
	struct io *io = calloc(N, sizeof(*io));
	char(*data)[512] = malloc(N * 512), buf[512];
	int cancelled = 0;
	struct rng rng;

	rng_init(&rng, test_seed());
	for (int i = 0; i < N; i++) {
		memset(data[i], 'x', 512);
		io_start(d, &io[i], BLOCK_WRITE, i * 512, data[i], 512);
	}
	for (int i = 0; i < N; i++)
		if (rng_chance(&rng, 0.6) && !io[i].done)
			block_cancel(&io[i].request);
	for (int i = 0; i < N; i++)
		cancelled += io_wait(&io[i]) == -ECANCELED;
	require(cancelled > 0);
	require(block_set_limits(d, &(struct block_limits){ 0 }) == 0);
	for (int i = 0; i < N; i++) {
		require(transfer(d, BLOCK_READ, i * 512, buf, 512) == 0);
		require(buf[0] == (io[i].error == 0 ? 'x' : 0));
	}
	free(io);
	free(data);
	registry_destroy(reg);
}

WORLD_TEST(a_limited_device_keeps_its_data)
{
	struct block_registry *reg = registry_create();
	struct block_limits limits = { .ios_per_sec = 20000,
				       .read_bytes_per_sec = 200 << 20 };
	struct property p = {
		.seed = test_seed(), .tasks = 4, .requests = 150, .cancel = 0.3
	};

	p.device = limited(reg, &limits);
	property_run(&p);
	block_get_limits(p.device, &limits);
	require(limits.ios_per_sec == 20000);
	registry_destroy(reg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rates_are_what_was_asked_for),
	cmocka_unit_test(nobody_gets_more_than_the_limit),
	cmocka_unit_test(what_is_not_limited_does_not_wait),
	cmocka_unit_test(requests_wait_in_turn_and_large_ones_do_not_starve),
	cmocka_unit_test(new_limits_are_for_those_who_wait_as_well),
	cmocka_unit_test(a_waiting_write_that_is_cancelled_never_lands),
	cmocka_unit_test(a_limited_device_keeps_its_data),
};

int main(void)
{
	return run_in_worlds("limits", tests, ARRAY_SIZE(tests));
}
