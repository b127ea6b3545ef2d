/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O by one host: what is written is read, in capsules and by R2T, with and
 * without digests, with many commands at once; and errors are the commands'
 * own.
 */
#include "world.h"

static uint8_t pattern[256 << 10], back[256 << 10];

static void fill(uint64_t seed)
{
	struct rng r;

	rng_init(&r, seed);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = rng_next(&r);
}

struct pair {
	struct host admin, io;
	int cntlid;
};

static void connect_pair(struct world *w, struct pair *p, uint8_t digests)
{
	p->cntlid = host_admin(&p->admin, &w->path[0], SUBNQN, 0);
	require(p->cntlid > 0);
	require(host_io(&p->io, &w->path[0], SUBNQN, p->cntlid, 1, digests) ==
		0);
}

static void close_pair(struct pair *p)
{
	host_close(&p->io);
	host_close(&p->admin);
}

static void sizes(struct world *w, uint8_t digests)
{
	static const uint32_t lengths[] = { 512,   4096,  4608,
					    16384, 65536, 131072 };
	struct pair p;

	connect_pair(w, &p, digests);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		fill(i);
		memset(back, 0, sizeof(back));
		require(host_write(&p.io, 1, i, pattern, lengths[i]) == 0);
		require(host_read(&p.io, 1, i, back, lengths[i]) == 0);
		require(memcmp(pattern, back, lengths[i]) == 0);
	}
	require(p.io.success_flags > 0);
	close_pair(&p);
}

static void plain(struct world *w)
{
	sizes(w, 0);
}

static void with_digests(struct world *w)
{
	sizes(w, NVME_TCP_HDGSTF | NVME_TCP_DDGSTF);
}

static void reads_what_was_written(void **state)
{
	in_world(1, NULL, plain);
	in_real_world(1, NULL, plain);
	in_real_world(2, NULL, plain);
}

static void digests_are_made_and_checked(void **state)
{
	in_world(2, NULL, with_digests);
	in_real_world(2, NULL, with_digests);
}

static void many(struct world *w)
{
	enum { N = 100, LEN = 8192 };
	static struct host_op ops[N];
	static uint8_t buffers[N][LEN];
	struct pair p;

	connect_pair(w, &p, 0);
	fill(7);
	for (int i = 0; i < N; i++) {
		ops[i] = (struct host_op){ .out = pattern + 16 * i };
		host_set_rw(&ops[i], NVME_IO_WRITE, 1, i * 16, LEN);
		require(host_start(&p.io, &ops[i]) == 0);
	}
	for (int i = 0; i < N; i++)
		require(host_wait(&p.io, &ops[i]) == 0);
	for (int i = 0; i < N; i++) {
		ops[i] = (struct host_op){ .in = buffers[i] };
		host_set_rw(&ops[i], NVME_IO_READ, 1, i * 16, LEN);
		require(host_start(&p.io, &ops[i]) == 0);
	}
	for (int i = 0; i < N; i++) {
		require(host_wait(&p.io, &ops[i]) == 0);
		require(memcmp(buffers[i], pattern + 16 * i, LEN) == 0);
	}
	close_pair(&p);
}

static void many_commands_at_once(void **state)
{
	in_world(3, NULL, many);
	in_real_world(2, NULL, many);
}

static int run_raw(struct host *h, uint8_t opc, uint32_t nsid, uint64_t slba,
		   uint32_t len, void *in)
{
	struct host_op op = { .in = in };

	host_set_rw(&op, opc, nsid, slba, len);
	return host_run(h, &op);
}

static void errors(struct world *w)
{
	struct host_op op = { .in = back };
	struct pair p;

	connect_pair(w, &p, 0);
	require(host_read(&p.io, 2, 0, back, 512) ==
		(NVME_SC_INVALID_NS | NVME_SC_DNR));
	require(host_read(&p.io, 1, 8192, back, 512) ==
		(NVME_SC_LBA_OUT_OF_RANGE | NVME_SC_DNR));
	require(host_read(&p.io, 1, UINT64_MAX, back, 512) ==
		(NVME_SC_LBA_OUT_OF_RANGE | NVME_SC_DNR));
	require(host_read(&p.io, 1, 0, back, 256 << 10) ==
		(NVME_SC_INVALID_FIELD | NVME_SC_DNR));
	require(run_raw(&p.io, 0x7e, 1, 0, 512, back) ==
		(NVME_SC_INVALID_OPCODE | NVME_SC_DNR));
	host_set_rw(&op, NVME_IO_READ, 1, 0, 1024);
	op.len = 512; /* a descriptor that is too short */
	require(host_run(&p.io, &op) ==
		(NVME_SC_SGL_LENGTH_INVALID | NVME_SC_DNR));
	require(host_read(&p.io, 1, 0, back, 512) == 0);
	close_pair(&p);
}

static void errors_are_the_commands_own(void **state)
{
	in_world(4, NULL, errors);
}

static void others(struct world *w)
{
	struct nvme_dsm_range range = { .slba = 16, .nlb = 8 };
	struct host_op op = { .out = &range, .len = sizeof(range) };
	struct pair p;

	connect_pair(w, &p, 0);
	fill(9);
	require(host_write(&p.io, 1, 0, pattern, 16384) == 0);
	require(run_raw(&p.io, NVME_IO_FLUSH, 1, 0, 512, NULL) == 0);
	require(run_raw(&p.io, NVME_IO_WRITE_ZEROES, 1, 8, 4096, NULL) == 0);
	op.sqe = (struct nvme_sqe){ .opc = NVME_IO_DSM,
				    .nsid = 1,
				    .cdw11 = NVME_DSM_AD };
	op.capsule = true;
	require(host_run(&p.io, &op) == 0);
	memset(pattern + 4096, 0, 4096);
	memset(pattern + 8192, 0, 4096);
	require(host_read(&p.io, 1, 0, back, 16384) == 0);
	require(memcmp(back, pattern, 16384) == 0);
	op = (struct host_op){ .out = pattern };
	host_set_rw(&op, NVME_IO_COMPARE, 1, 0, 16384);
	require(host_run(&p.io, &op) == 0);
	pattern[5]++;
	op.sqe.sgl1 = (struct nvme_sgl){};
	require(host_run(&p.io, &op) == (NVME_SC_COMPARE_FAILED | NVME_SC_DNR));
	close_pair(&p);
}

static void flush_zeroes_deallocate_compare(void **state)
{
	in_world(5, NULL, others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(digests_are_made_and_checked),
		cmocka_unit_test(many_commands_at_once),
		cmocka_unit_test(errors_are_the_commands_own),
		cmocka_unit_test(flush_zeroes_deallocate_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
