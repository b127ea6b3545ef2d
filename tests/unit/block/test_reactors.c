/* SPDX-License-Identifier: Apache-2.0 */
/* Several reactors on the same blocks: each block is always as one of them
 * wrote it.  Under ThreadSanitizer, also that nothing is shared unguarded. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "devices.h"

enum { THREADS = 3, ROUNDS = 2000, BLOCKS = 4 };

struct hammer {
	struct reactor *reactor;
	pthread_t thread;
	struct block_device *device;
	int number;
	struct completion done; /* of the main reactor */
};

/* One value in all of a block. */
static void check_blocks(const char *buf, size_t n, size_t block)
{
	for (size_t i = 0; i < n; i++)
		for (size_t at = 1; at < block; at++)
			require(buf[i * block + at] == buf[i * block]);
}

static void hammer_task(void *arg)
{
	struct hammer *h = arg;
	size_t block = block_size(h->device);
	char *buf = aligned_alloc(4096, 4096 * BLOCKS);
	struct rng rng;

	rng_init(&rng, h->number);
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = 1 + rng_below(&rng, BLOCKS);
		uint64_t at = rng_below(&rng, BLOCKS - n + 1) * block;
		int what = rng_below(&rng, 8), err;

		if (what < 3) {
			memset(buf, rng_next(&rng), n * block);
			err = transfer(h->device, BLOCK_WRITE, at, buf,
				       n * block);
			require(err == 0 || err == -ENOSPC);
		} else if (what == 3) {
			err = transfer(h->device, BLOCK_WRITE_ZEROES, at, NULL,
				       n * block);
			require(err == 0 || err == -ENOSPC);
		} else {
			err = transfer(h->device, BLOCK_READ, at, buf,
				       n * block);
			require(err == 0 || err == -ENOSPC);
			if (err == 0)
				check_blocks(buf, n, block);
		}
	}
	free(buf);
	completion_done(&h->done, 0);
}

static void *run_reactor(void *arg)
{
	reactor_run(arg);
	return NULL;
}

static void hammer_start(struct hammer *h, struct block_device *d, int number)
{
	struct reactor_options o = { .backend = world_backend() };

	*h = (struct hammer){ .device = d, .number = number };
	completion_init(&h->done);
	require(reactor_create(&o, &h->reactor) == 0);
	require(reactor_spawn(h->reactor, "hammer", hammer_task, h) == 0);
	require(pthread_create(&h->thread, NULL, run_reactor, h->reactor) == 0);
}

/* Requests of all threads at once, with what this one does to the device. */
static void hammer_device(struct block_device *d,
			  void (*meanwhile)(struct block_device *d))
{
	struct hammer h[THREADS];

	require(transfer(d, BLOCK_WRITE_ZEROES, 0, NULL,
			 (uint64_t)BLOCKS * block_size(d)) == 0);
	for (int i = 0; i < THREADS; i++)
		hammer_start(&h[i], d, i);
	if (meanwhile != NULL)
		meanwhile(d);
	for (int i = 0; i < THREADS; i++)
		completion_wait(&h[i].done);
	/* The lanes go before their reactors. */
	require(block_destroy(d) == 0);
	for (int i = 0; i < THREADS; i++) {
		reactor_stop(h[i].reactor);
		pthread_join(h[i].thread, NULL);
		reactor_destroy(h[i].reactor);
	}
}

static void resize_often(struct block_device *d)
{
	for (int i = 0; i < 50; i++) {
		require(block_resize(d, i % 2 ? BLOCKS : BLOCKS / 2) == 0);
		task_yield();
	}
	require(block_resize(d, BLOCKS) == 0);
}

static void limit_often(struct block_device *d)
{
	for (int i = 0; i < 20; i++) {
		struct block_limits l = { .ios_per_sec = i % 2 ? 50000 : 0 };
		struct block_stats s;

		require(block_set_limits(d, &l) == 0);
		block_get_stats(d, &s);
		task_sleep(MSEC(1));
	}
	require(block_set_limits(d, &(struct block_limits){ 0 }) == 0);
}

WORLD_TEST(blocks_in_memory_are_never_torn)
{
	static const uint32_t sizes[] = { 512, 4096 };
	struct block_registry *reg = registry_create();

	for (int i = 0; i < 2; i++) {
		struct block_spec m = malloc_spec("m", sizes[i], BLOCKS);

		hammer_device(make(reg, &m), NULL);
		hammer_device(make(reg, &m), resize_often);
		hammer_device(make(reg, &m), limit_often);
	}
	registry_destroy(reg);
}

static void hammer_file(const char *dir, uint32_t block)
{
	struct block_registry *reg = registry_create();
	struct block_spec s = { .kind = BLOCK_FILE,
				.name = "f",
				.block_size = block,
				.blocks = BLOCKS,
				.file = { .create = true, .delete = true } };

	snprintf(s.file.path, sizeof(s.file.path), "%s/f", dir);
	hammer_device(make(reg, &s), NULL);
	registry_destroy(reg);
}

WORLD_TEST(blocks_of_files_are_never_torn)
{
	hammer_file(world_dir(), 512);
	hammer_file(world_dir(), 4096);
}

static void stop_and_go(struct block_device *d)
{
	static const struct block_injection
		stick = { .fault = BLOCK_FAULT_PENDING,
			  .op = BLOCK_WRITE,
			  .count = 1 },
		go = { .fault = BLOCK_FAULT_NONE, .op = -1 };

	for (int i = 0; i < 50; i++) {
		require(block_inject(d, &stick) == 0);
		task_yield();
		require(block_inject(d, &go) == 0);
	}
}

WORLD_TEST(a_stack_of_filters_serves_several_reactors)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 4096, BLOCKS);
	struct block_spec d = filter_spec(BLOCK_DELAY, "d", "m");
	struct block_spec c = filter_spec(BLOCK_CRYPT, "c", "d");
	struct block_spec e = filter_spec(BLOCK_ERROR, "e", "c");
	struct block_stats s;

	d.delay.p99_read = USEC(100);
	c.crypt.key_len = 32;
	c.crypt.key[0] = 1;
	make(reg, &m);
	make(reg, &d);
	make(reg, &c);
	hammer_device(make(reg, &e), stop_and_go);
	block_get_stats(block_find(reg, "m"), &s);
	require(s.ios[BLOCK_READ] > 0 && s.ios[BLOCK_WRITE] > 0);
	registry_destroy(reg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(blocks_in_memory_are_never_torn),
	cmocka_unit_test(blocks_of_files_are_never_torn),
	cmocka_unit_test(a_stack_of_filters_serves_several_reactors),
};

int main(void)
{
	return run_in_real_worlds("reactors", tests, ARRAY_SIZE(tests));
}
