/* SPDX-License-Identifier: Apache-2.0 */
/* MALLOC: data, sizes and memory; the same in each world. */
#include <errno.h>
#include <sys/mman.h>

#include "devices.h"

WORLD_TEST(random_requests_do_what_a_model_says)
{
	struct block_registry *reg = registry_create();
	struct block_spec small = malloc_spec("small", 512, 1024);
	struct block_spec large = malloc_spec("large", 4096, 1024);
	struct property p = { .seed = test_seed(),
			      .tasks = 4,
			      .requests = 500,
			      .cancel = 0.1,
			      .misaligned = true };

	p.device = make(reg, &small);
	property_run(&p);
	p.device = make(reg, &large);
	property_run(&p);
	registry_destroy(reg);
}

WORLD_TEST(a_request_has_to_fit)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 4096, 16);
	struct block_device *d = make(reg, &spec);
	static char buf[4096 * 17];

	require(transfer(d, BLOCK_READ, 0, buf, 4096) == 0);
	require(transfer(d, BLOCK_READ, 0, buf, 0) == -EINVAL);
	require(transfer(d, BLOCK_READ, 512, buf, 4096) == -EINVAL);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == -EINVAL);
	require(transfer(d, BLOCK_READ, 0, buf, 4096 * 17) == -ENOSPC);
	require(transfer(d, BLOCK_WRITE, 15 * 4096, buf, 8192) == -ENOSPC);
	require(transfer(d, BLOCK_WRITE, -4096ULL, buf, 8192) == -ENOSPC);
	require(transfer(d, BLOCK_READ, 0, buf, 2 << 20) == -EINVAL);
	require(transfer(d, BLOCK_OPS, 0, buf, 4096) == -EOPNOTSUPP);
	registry_destroy(reg);
}

static int done_with;

static void note(struct block_request *r, int error)
{
	done_with = error;
}

WORLD_TEST(memory_that_is_valid_only_now_can_be_written)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 512, 16);
	struct block_device *d = make(reg, &spec);
	char buf[512] = "now", in[512];
	struct iovec iov = { buf, 512 };
	struct block_request r = { .op = BLOCK_WRITE,
				   .offset = 512,
				   .length = 512,
				   .iov = &iov,
				   .niov = 1,
				   .done = note };

	done_with = 1;
	require(block_submit_now(d, &r) == 0);
	require(done_with == 0);
	memset(buf, 0, 512);
	require(transfer(d, BLOCK_READ, 512, in, 512) == 0);
	require(strcmp(in, "now") == 0);
	r.op = BLOCK_FLUSH;
	require(block_submit_now(d, &r) == -EAGAIN);
	/* Limits may make it wait: then it does not begin. */
	r.op = BLOCK_WRITE;
	require(block_set_limits(d, &(struct block_limits){
					    .ios_per_sec = 1000000 }) == 0);
	require(block_submit_now(d, &r) == -EAGAIN);
	registry_destroy(reg);
}

/* ThreadSanitizer's shadows are resident, too. */
#ifdef __SANITIZE_THREAD__
enum { RESIDENT_TELLS = false };
#elif defined(__has_feature)
enum { RESIDENT_TELLS = !__has_feature(thread_sanitizer) };
#else
enum { RESIDENT_TELLS = true };
#endif

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages;

	require(f != NULL && fscanf(f, "%*u %lu", &pages) == 1);
	fclose(f);
	return pages * 4096;
}

static void give_back(enum block_op op)
{
	enum { SIZE = 64 << 20, PIECE = 1 << 20 };
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 512, SIZE / 512);
	struct block_device *d = make(reg, &spec);
	char *buf = malloc(PIECE);
	size_t before, full, after;

	memset(buf, 'x', PIECE);
	before = resident();
	for (size_t at = 0; at < SIZE; at += PIECE)
		require(transfer(d, BLOCK_WRITE, at, buf, PIECE) == 0);
	full = resident();
	require(full > before + SIZE / 2);
	require(transfer(d, op, 512, NULL, SIZE - 1024) == 0);
	after = resident();
	require(after < before + SIZE / 8 || !RESIDENT_TELLS);
	require(transfer(d, BLOCK_READ, 0, buf, 8192) == 0);
	require(buf[511] == 'x' && buf[512] == 0 && buf[8191] == 0);
	require(transfer(d, BLOCK_READ, SIZE - 8192, buf, 8192) == 0);
	require(buf[0] == 0 && buf[7679] == 0 && buf[7680] == 'x');
	free(buf);
	registry_destroy(reg);
}

WORLD_TEST(deallocated_memory_is_given_back)
{
	give_back(BLOCK_DEALLOCATE);
	give_back(BLOCK_WRITE_ZEROES);
}

WORLD_TEST(a_device_that_nobody_wrote_to_costs_no_memory)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 4096, GIB(256) / 4096);
	size_t before = resident();
	struct block_device *d = make(reg, &spec);
	char buf[4096];

	require(transfer(d, BLOCK_READ, GIB(100), buf, 4096) == 0);
	require(transfer(d, BLOCK_DEALLOCATE, 0, NULL, GIB(256)) == 0);
	require(resident() < before + MIB(8) || !RESIDENT_TELLS);
	registry_destroy(reg);
}

WORLD_TEST(a_new_size_keeps_the_data_and_brings_zeroes)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 512, 8);
	struct block_device *d = make(reg, &spec);
	char buf[4096];

	memset(buf, 'x', sizeof(buf));
	require(transfer(d, BLOCK_WRITE, 0, buf, 4096) == 0);
	require(block_resize(d, 3) == 0 && block_count(d) == 3);
	require(transfer(d, BLOCK_READ, 0, buf, 2048) == -ENOSPC);
	require(block_resize(d, GIB(1) / 512) == 0);
	require(transfer(d, BLOCK_READ, 0, buf, 4096) == 0);
	require(buf[0] == 'x' && buf[1535] == 'x');
	for (int i = 1536; i < 4096; i++)
		require(buf[i] == 0);
	require(transfer(d, BLOCK_READ, GIB(1) - 512, buf, 512) == 0);
	require(buf[0] == 0);
	require(block_resize(d, 0) == -EINVAL);
	require(block_resize(d, UINT64_MAX / 512) == -EINVAL);
	require(block_resize(d, GIB(1 << 20) / 512) == -ENOMEM);
	require(block_count(d) == GIB(1) / 512);
	registry_destroy(reg);
}

WORLD_TEST(requests_are_counted)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = malloc_spec("m", 512, 8);
	struct block_device *d = make(reg, &spec);
	struct block_stats s;
	char buf[1024];

	require(transfer(d, BLOCK_WRITE, 0, buf, 1024) == 0);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0);
	require(transfer(d, BLOCK_READ, 512, buf, 512) == 0);
	require(transfer(d, BLOCK_FLUSH, 0, NULL, 0) == 0);
	buf[0]++;
	require(transfer(d, BLOCK_COMPARE, 512, buf, 512) == -EILSEQ);
	block_get_stats(d, &s);
	require(s.ios[BLOCK_WRITE] == 1 && s.bytes[BLOCK_WRITE] == 1024);
	require(s.ios[BLOCK_READ] == 2 && s.bytes[BLOCK_READ] == 1024);
	require(s.ios[BLOCK_FLUSH] == 1 && s.bytes[BLOCK_FLUSH] == 0);
	require(s.ios[BLOCK_COMPARE] == 0 && s.errors == 1);
	registry_destroy(reg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(random_requests_do_what_a_model_says),
	cmocka_unit_test(a_request_has_to_fit),
	cmocka_unit_test(memory_that_is_valid_only_now_can_be_written),
	cmocka_unit_test(deallocated_memory_is_given_back),
	cmocka_unit_test(a_device_that_nobody_wrote_to_costs_no_memory),
	cmocka_unit_test(a_new_size_keeps_the_data_and_brings_zeroes),
	cmocka_unit_test(requests_are_counted),
};

int main(void)
{
	return run_in_worlds("malloc", tests, ARRAY_SIZE(tests));
}
