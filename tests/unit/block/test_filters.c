/* SPDX-License-Identifier: Apache-2.0 */
/* DELAY, ERROR and CRYPT: what they do to requests, and what they leave alone.
 */
#include <errno.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "devices.h"
#include "reactor/sim.h"

static bool simulated(void)
{
	return strcmp(reactor_backend_name(reactor_self()), "simulation") == 0;
}

static struct block_spec crypt_spec(const char *name, const char *base,
				    size_t key_len)
{
	struct block_spec s = filter_spec(BLOCK_CRYPT, name, base);

	s.crypt.key_len = key_len;
	for (size_t i = 0; i < key_len; i++)
		s.crypt.key[i] = i * 7 + 1;
	return s;
}

/* All filters on top of each other do what a model says. */
WORLD_TEST(a_stack_of_filters_keeps_the_data)
{
	static const uint32_t sizes[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct block_registry *reg = registry_create();
		struct block_spec m = malloc_spec("m", sizes[i], 1024);
		struct block_spec d = filter_spec(BLOCK_DELAY, "d", "m");
		struct block_spec e = filter_spec(BLOCK_ERROR, "e", "d");
		struct block_spec c = crypt_spec("c", "e", 64);
		struct block_spec d2 = filter_spec(BLOCK_DELAY, "d2", "c");
		struct property p = { .seed = test_seed(),
				      .tasks = 4,
				      .requests = 60,
				      .cancel = 0.3,
				      .misaligned = true };

		d.delay.avg_read = d.delay.avg_write = USEC(100);
		d.delay.p99_read = d.delay.p99_write = USEC(500);
		d2.delay.avg_write = USEC(50);
		make(reg, &m);
		make(reg, &d);
		make(reg, &e);
		make(reg, &c);
		p.device = make(reg, &d2);
		property_run(&p);
		registry_destroy(reg);
	}
}

/* DELAY */

static nsec time_of(struct block_device *d, enum block_op op)
{
	nsec before = reactor_now_precise();
	char buf[512] = { 0 };

	require(transfer(d, op, 0, buf, 512) == 0);
	return reactor_now_precise() - before;
}

static struct block_device *delayed(struct block_registry *reg, nsec read,
				    nsec write)
{
	struct block_spec m = malloc_spec("m", 512, 64);
	struct block_spec d = filter_spec(BLOCK_DELAY, "d", "m");

	d.delay.avg_read = d.delay.p99_read = read;
	d.delay.avg_write = d.delay.p99_write = write;
	make(reg, &m);
	return make(reg, &d);
}

WORLD_TEST(reads_and_writes_take_their_time)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = delayed(reg, MSEC(5), MSEC(9));
	nsec more = simulated() ? 0 : SEC(2);
	static const struct {
		enum block_op op;
		nsec time;
	} rows[] = {
		{ BLOCK_READ, MSEC(5) },       { BLOCK_COMPARE, MSEC(5) },
		{ BLOCK_WRITE, MSEC(9) },      { BLOCK_WRITE_ZEROES, MSEC(9) },
		{ BLOCK_DEALLOCATE, MSEC(9) }, { BLOCK_FLUSH, 0 }
	};
	struct block_spec times;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		nsec t = time_of(d, rows[i].op);

		require(t >= rows[i].time && t <= rows[i].time + more);
	}
	block_get_spec(d, &times);
	times.delay.avg_read = times.delay.p99_read = MSEC(1);
	require(block_delay_set(d, &times) == 0);
	require(time_of(d, BLOCK_READ) >= MSEC(1));
	require(!simulated() || time_of(d, BLOCK_READ) == MSEC(1));
	block_get_spec(d, &times);
	require(times.delay.avg_read == MSEC(1));
	require(block_delay_set(block_find(reg, "m"), &times) == -EOPNOTSUPP);
	registry_destroy(reg);
}

WORLD_TEST(one_request_of_a_hundred_takes_longer)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = delayed(reg, USEC(10), 0);
	struct block_spec times;
	int late = 0;

	if (!simulated()) {
		registry_destroy(reg);
		return;
	}
	block_get_spec(d, &times);
	times.delay.p99_read = MSEC(1);
	require(block_delay_set(d, &times) == 0);
	for (int i = 0; i < 10000; i++) {
		nsec t = time_of(d, BLOCK_READ);

		require(t == USEC(10) || t == MSEC(1));
		late += t == MSEC(1);
	}
	require(late > 50 && late < 150);
	registry_destroy(reg);
}

/* Requests are held for long, shorter and longer ones mixed, and all but some
 * are cancelled: each that was not comes when its time has come. */
WORLD_TEST(a_held_write_that_is_cancelled_never_lands)
{
	enum { N = 64 };
	struct block_registry *reg = registry_create();
	struct block_device *d = delayed(reg, 0, MSEC(200));
	struct block_device *m = block_find(reg, "m");
	struct io *io = calloc(N, sizeof(*io));
	char(*data)[512] = malloc(N * 512), buf[512];
	struct block_spec times;
	struct rng rng;

	rng_init(&rng, test_seed());
	for (int i = 0; i < N; i++) {
		memset(data[i], 'x', 512);
		block_get_spec(d, &times);
		times.delay.avg_write = times.delay.p99_write =
			MSEC(1 + rng_below(&rng, 40));
		require(block_delay_set(d, &times) == 0);
		io_start(d, &io[i], BLOCK_WRITE, i * 512, data[i], 512);
	}
	for (int i = 0; i < N; i++) {
		if (rng_chance(&rng, 0.1))
			task_sleep(MSEC(2));
		if (!io[i].done && rng_chance(&rng, 0.7))
			block_cancel(&io[i].request);
	}
	for (int i = 0; i < N; i++) {
		int err = io_wait(&io[i]);

		require(err == 0 || err == -ECANCELED);
	}
	task_sleep(MSEC(50));
	for (int i = 0; i < N; i++) {
		require(transfer(m, BLOCK_READ, i * 512, buf, 512) == 0);
		require(buf[0] == (io[i].error == 0 ? 'x' : 0));
	}
	registry_destroy(reg);
	free(io);
	free(data);
}

/* ERROR */

static struct block_device *faulty(struct block_registry *reg)
{
	struct block_spec m = malloc_spec("m", 512, 64);
	struct block_spec e = filter_spec(BLOCK_ERROR, "e", "m");

	make(reg, &m);
	return make(reg, &e);
}

WORLD_TEST(as_many_requests_fail_as_were_asked_for)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = faulty(reg);
	struct block_injection what = { .fault = BLOCK_FAULT_FAIL,
					.op = BLOCK_WRITE,
					.count = 2 };
	char buf[512] = "x";

	require(block_inject(d, &what) == 0);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0);
	buf[0] = 'x';
	require(transfer(d, BLOCK_WRITE, 0, buf, 512) == -EIO);
	require(transfer(d, BLOCK_WRITE, 0, buf, 512) == -EIO);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0 && buf[0] == 0);
	require(transfer(d, BLOCK_WRITE, 0, buf, 512) == 0);
	what.fault = BLOCK_FAULT_NOMEM;
	what.op = -1;
	what.count = 1;
	require(block_inject(d, &what) == 0);
	require(transfer(d, BLOCK_WRITE, 0, buf, 512) == -ENOMEM);
	require(transfer(d, BLOCK_FLUSH, 0, buf, 512) == -ENOMEM);
	require(transfer(d, BLOCK_DEALLOCATE, 0, buf, 512) == -ENOMEM);
	require(transfer(d, BLOCK_DEALLOCATE, 0, buf, 512) == 0);
	what.fault = BLOCK_FAULT_NONE;
	require(block_inject(d, &what) == 0);
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0);
	registry_destroy(reg);
}

WORLD_TEST(injections_that_make_no_sense_are_refused)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = faulty(reg);
	struct block_injection what = { .fault = BLOCK_FAULT_FAIL,
					.op = BLOCK_WRITE };

	require(block_inject(d, &what) == -EINVAL);
	what.count = 1;
	require(block_inject(block_find(reg, "m"), &what) == -EOPNOTSUPP);
	what.op = BLOCK_OPS;
	require(block_inject(d, &what) == -EINVAL);
	what.op = BLOCK_FLUSH;
	what.fault = BLOCK_FAULT_CORRUPT;
	what.corrupt_value = 1;
	require(block_inject(d, &what) == -EINVAL);
	what.op = -1;
	require(block_inject(d, &what) == 0);
	what.corrupt_value = 0;
	require(block_inject(d, &what) == -EINVAL);
	registry_destroy(reg);
}

WORLD_TEST(pending_requests_stay_until_they_are_let_go_or_cancelled)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = faulty(reg);
	struct block_injection what = { .fault = BLOCK_FAULT_PENDING,
					.op = BLOCK_WRITE,
					.count = 2 };
	char a[512] = "a", b[512] = "b", in[512];
	struct io first, second;

	require(block_inject(d, &what) == 0);
	io_start(d, &first, BLOCK_WRITE, 0, a, 512);
	io_start(d, &second, BLOCK_WRITE, 512, b, 512);
	task_sleep(MSEC(5));
	require(!first.done && !second.done);
	block_cancel(&second.request);
	require(io_wait(&second) == -ECANCELED);
	what.fault = BLOCK_FAULT_NONE;
	require(block_inject(d, &what) == 0);
	require(io_wait(&first) == 0);
	require(transfer(d, BLOCK_READ, 0, in, 512) == 0 && in[0] == 'a');
	require(transfer(d, BLOCK_READ, 512, in, 512) == 0 && in[0] == 0);
	registry_destroy(reg);
}

WORLD_TEST(a_fault_can_wait_for_a_queue_depth)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = faulty(reg);
	struct block_injection stick = { .fault = BLOCK_FAULT_PENDING,
					 .op = BLOCK_READ,
					 .count = 3 },
			       deep = { .fault = BLOCK_FAULT_FAIL,
					.op = BLOCK_WRITE,
					.count = 1,
					.queue_depth = 3 };
	char buf[3][512], w[512] = "w";
	struct io io[3];

	require(block_inject(d, &stick) == 0);
	require(block_inject(d, &deep) == 0);
	for (int i = 0; i < 3; i++) {
		require(transfer(d, BLOCK_WRITE, 0, w, 512) == 0);
		io_start(d, &io[i], BLOCK_READ, 0, buf[i], 512);
	}
	require(transfer(d, BLOCK_WRITE, 0, w, 512) == -EIO);
	stick.fault = BLOCK_FAULT_NONE;
	require(block_inject(d, &stick) == 0);
	for (int i = 0; i < 3; i++)
		require(io_wait(&io[i]) == 0);
	registry_destroy(reg);
}

WORLD_TEST(corruption_changes_the_bits_that_were_asked_for)
{
	struct block_registry *reg = registry_create();
	struct block_device *d = faulty(reg);
	struct block_injection what = { .fault = BLOCK_FAULT_CORRUPT,
					.op = BLOCK_WRITE,
					.count = 1,
					.corrupt_offset = 300,
					.corrupt_value = 0x81 };
	char buf[512] = { 0 }, in[512];
	struct iovec iov[3] = { { buf, 100 },
				{ buf + 100, 200 },
				{ buf + 300, 212 } };
	struct block_request r = {
		.op = BLOCK_WRITE, .length = 512, .iov = iov, .niov = 3
	};

	require(block_inject(d, &what) == 0);
	require(block_do(d, &r) == 0);
	require(buf[300] == 0); /* the submitter's is as it was */
	require(transfer(d, BLOCK_READ, 0, in, 512) == 0);
	for (int i = 0; i < 512; i++)
		require(in[i] == (i == 300 ? (char)0x81 : 0));
	what.op = BLOCK_READ;
	what.corrupt_offset = 0;
	require(block_inject(d, &what) == 0);
	require(transfer(d, BLOCK_READ, 0, in, 512) == 0);
	require(in[0] == (char)0x81 && in[300] == (char)0x81);
	require(transfer(d, BLOCK_READ, 0, in, 512) == 0 && in[0] == 0);
	/* Beyond the request's data there is nothing to corrupt. */
	what.corrupt_offset = UINT64_MAX;
	require(block_inject(d, &what) == 0);
	require(transfer(d, BLOCK_READ, 0, in, 512) == 0 && in[0] == 0);
	registry_destroy(reg);
}

/* CRYPT */

static void from_hex(uint8_t *out, const char *hex)
{
	for (; *hex != '\0'; hex += 2)
		sscanf(hex, "%2hhx", out++);
}

/* IEEE 1619-2007, Annex B: vector 4 (AES-128) and 10 (AES-256) have data units
 * of 512 bytes, 00 01 … ff 00 …; the beginnings of what they encrypt to. */
static const struct {
	const char *key;
	uint64_t unit;
	const char *begins;
} vectors[] = {
	{ "27182818284590452353602874713526"
	  "31415926535897932384626433832795",
	  0,
	  "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c" },
	{ "27182818284590452353602874713526"
	  "62497757247093699959574966967627"
	  "31415926535897932384626433832795"
	  "02884197169399375105820974944592",
	  0xff,
	  "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b" },
};

WORLD_TEST(data_are_encrypted_as_ieee_1619_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct block_registry *reg = registry_create();
		struct block_spec m = malloc_spec("m", 512, 256);
		struct block_spec c = filter_spec(BLOCK_CRYPT, "c", "m");
		struct block_device *d, *base = make(reg, &m);
		uint8_t buf[512], in[512], begins[32];

		c.crypt.key_len = strlen(vectors[i].key) / 2;
		from_hex(c.crypt.key, vectors[i].key);
		from_hex(begins, vectors[i].begins);
		d = make(reg, &c);
		for (int k = 0; k < 512; k++)
			buf[k] = k;
		require(transfer(d, BLOCK_WRITE, vectors[i].unit * 512, buf,
				 512) == 0);
		require(transfer(base, BLOCK_READ, vectors[i].unit * 512, in,
				 512) == 0);
		require(memcmp(in, begins, 32) == 0);
		registry_destroy(reg);
	}
}

/* By the library directly: XTS over each block, tweak as dm-crypt's plain64. */
static void decrypt(const struct block_spec *c, uint64_t unit, uint8_t *data,
		    int size)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tweak[16] = { 0 };
	int n;

	store_le64(tweak, unit);
	require(EVP_DecryptInit_ex(ctx,
				   c->crypt.key_len == 32 ? EVP_aes_128_xts()
							  : EVP_aes_256_xts(),
				   NULL, c->crypt.key, tweak) == 1);
	require(EVP_DecryptUpdate(ctx, data, &n, data, size) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

WORLD_TEST(others_can_decrypt_what_was_written)
{
	enum { N = 16 };

	for (int i = 0; i < 4; i++) {
		uint32_t size = i % 2 ? 512 : 4096;
		struct block_registry *reg = registry_create();
		struct block_spec m = malloc_spec("m", size, N);
		struct block_spec c = crypt_spec("c", "m", i < 2 ? 32 : 64);
		struct block_device *base = make(reg, &m), *d = make(reg, &c);
		uint8_t *out = malloc(N * size), *in = malloc(N * size);

		random_bytes(out, N * size);
		memcpy(in, out, N * size);
		require(transfer(d, BLOCK_WRITE, 0, in, N * size) == 0);
		require(transfer(base, BLOCK_READ, 0, in, N * size) == 0);
		require(memcmp(in, out, size) != 0);
		for (int k = 0; k < N; k++)
			decrypt(&c, k, in + k * size, size);
		require(memcmp(in, out, N * size) == 0);
		registry_destroy(reg);
		free(out);
		free(in);
	}
}

WORLD_TEST(zeroes_of_an_encrypted_device_are_encrypted_too)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 1024);
	struct block_spec c = crypt_spec("c", "m", 32);
	struct block_device *base = make(reg, &m), *d = make(reg, &c);
	char buf[512], zeroes[512] = { 0 };

	require(transfer(d, BLOCK_WRITE_ZEROES, 0, NULL, 1024 * 512) == 0);
	for (int i = 0; i < 1024; i++) {
		require(transfer(d, BLOCK_READ, i * 512, buf, 512) == 0);
		require(memcmp(buf, zeroes, 512) == 0);
		require(transfer(base, BLOCK_READ, i * 512, buf, 512) == 0);
		require(memcmp(buf, zeroes, 512) != 0);
	}
	require(!block_supports(d, BLOCK_DEALLOCATE));
	registry_destroy(reg);
}

WORLD_TEST(keys_are_checked_and_not_given_out)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16);
	struct block_spec c = crypt_spec("c", "m", 48), out;
	struct block_device *d;
	char text[256];

	make(reg, &m);
	require(block_create(reg, &c, &d, text) == -EINVAL);
	require(strstr(text, "32 or 64 bytes") != NULL);
	c.crypt.key_len = 32;
	memset(c.crypt.key, 7, 64);
	require(block_create(reg, &c, &d, text) == -EINVAL);
	require(strstr(text, "halves") != NULL);
	c.crypt.key[0] = 1;
	d = make(reg, &c);
	block_get_spec(d, &out);
	for (size_t i = 0; i < sizeof(out.crypt.key); i++)
		require(out.crypt.key[i] == 0);
	require(out.crypt.key_len == 32);
	registry_destroy(reg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_stack_of_filters_keeps_the_data),
	cmocka_unit_test(reads_and_writes_take_their_time),
	cmocka_unit_test(one_request_of_a_hundred_takes_longer),
	cmocka_unit_test(a_held_write_that_is_cancelled_never_lands),
	cmocka_unit_test(as_many_requests_fail_as_were_asked_for),
	cmocka_unit_test(injections_that_make_no_sense_are_refused),
	cmocka_unit_test(
		pending_requests_stay_until_they_are_let_go_or_cancelled),
	cmocka_unit_test(a_fault_can_wait_for_a_queue_depth),
	cmocka_unit_test(corruption_changes_the_bits_that_were_asked_for),
	cmocka_unit_test(data_are_encrypted_as_ieee_1619_says),
	cmocka_unit_test(others_can_decrypt_what_was_written),
	cmocka_unit_test(zeroes_of_an_encrypted_device_are_encrypted_too),
	cmocka_unit_test(keys_are_checked_and_not_given_out),
};

int main(void)
{
	return run_in_worlds("filters", tests, ARRAY_SIZE(tests));
}
