/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that break the protocol: each violation ends that connection, with the
 * termination request that NVMe/TCP 3.6 asks for, and no other; a data digest
 * that is wrong costs the command only.
 */
#include <errno.h>

#include "world.h"

static uint8_t data[131072], back[131072];

struct set {
	struct host admin, io, other;
};

static void open_all(struct world *w, struct set *s)
{
	int id = host_admin(&s->admin, &w->path[0], SUBNQN, 0);
	int other;

	require(id > 0);
	require(host_io(&s->io, &w->path[0], SUBNQN, id, 1, 0) == 0);
	other = host_admin(&s->other, &w->path[1], SUBNQN, 0);
	require(other > 0 && other != id);
}

static void close_all(struct set *s)
{
	uint64_t vs;

	require(host_property_get(&s->other, NVME_PROP_VS, &vs) == 0);
	require(vs == NVME_VS(2, 3, 0));
	host_close(&s->io);
	host_close(&s->admin);
	host_close(&s->other);
}

/* What comes next is a termination request, and then the end. */
static void expect_term(struct host *h, enum nvme_tcp_fes fes, uint32_t fei)
{
	const struct nvme_tcp_term *t = (void *)h->pdu;
	uint8_t rest[NVME_TCP_TERM_DATA_MAX];

	require(host_receive(h) == -ECONNABORTED);
	require(t->fes == fes && t->fei == fei);
	require(stream_read_full(h->s, rest, t->ch.plen - t->ch.hlen) == 0);
	require(stream_read(h->s, rest, 1) <= 0);
}

static struct nvme_tcp_cmd read_command(void)
{
	struct nvme_tcp_cmd c = {};

	pdu_set_common(&c.ch, NVME_TCP_CAPSULE_CMD, 0, sizeof(c), 0);
	c.sqe = (struct nvme_sqe){ .opc = NVME_IO_READ,
				   .flags = NVME_SQE_PSDT_SGL,
				   .nsid = 1,
				   .sgl1 = { .len = 512,
					     .type = NVME_SGL_TRANSPORT } };
	return c;
}

struct bad_header {
	size_t offset;
	uint8_t value;
	enum nvme_tcp_fes fes;
	uint32_t fei;
};

static void headers(struct world *w)
{
	static const struct bad_header cases[] = {
		{ 0, 0x08, NVME_TCP_FES_HEADER_FIELD, 0 },
		{ 0, NVME_TCP_R2T, NVME_TCP_FES_HEADER_FIELD, 0 },
		{ 0, NVME_TCP_ICREQ, NVME_TCP_FES_SEQUENCE, 0 },
		{ 1, NVME_TCP_HDGSTF, NVME_TCP_FES_HEADER_FIELD, 1 },
		{ 2, 73, NVME_TCP_FES_HEADER_FIELD, 2 },
		{ 4, 71, NVME_TCP_FES_HEADER_FIELD, 4 },
		{ 6, 1, NVME_TCP_FES_HEADER_FIELD, 3 }, /* data, and no pdo */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvme_tcp_cmd c = read_command();
		struct set s;

		open_all(w, &s);
		((uint8_t *)&c)[cases[i].offset] = cases[i].value;
		require(stream_write(s.io.s, &c, sizeof(c)) == 0);
		expect_term(&s.io, cases[i].fes, cases[i].fei);
		close_all(&s);
	}
}

static void a_bad_header_ends_its_connection_only(void **state)
{
	in_world(1, NULL, headers);
	in_real_world(2, NULL, headers);
}

/* ---------------------------------------------------------------- transfers */

enum { TTAG = 1, CCCID, OFFSET, TOO_LONG, NO_LAST, EARLY_LAST };

static void bad_transfer(struct world *w, int what, enum nvme_tcp_fes fes,
			 uint32_t fei)
{
	struct host_op op = { .out = data, .silent = true };
	struct nvme_tcp_data d = {};
	uint32_t len = what == TOO_LONG ? 8192 + 4 : 8192;
	struct set s;

	open_all(w, &s);
	host_set_rw(&op, NVME_IO_WRITE, 1, 0, 8192);
	require(host_start(&s.io, &op) == 0);
	require(host_receive(&s.io) == 0);
	if (what == EARLY_LAST)
		len = 4096;
	pdu_set_common(&d.ch, NVME_TCP_H2C_DATA, 0, sizeof(d), len);
	d.ch.flags = what == NO_LAST ? 0 : NVME_TCP_LAST_PDU;
	d.cccid = op.r2t.cccid + (what == CCCID);
	d.ttag = op.r2t.ttag + (what == TTAG);
	d.offset = what == OFFSET ? 4 : 0;
	d.length = len;
	require(stream_write(s.io.s, &d, sizeof(d)) == 0);
	expect_term(&s.io, fes, fei);
	close_all(&s);
}

static void transfers(struct world *w)
{
	bad_transfer(w, TTAG, NVME_TCP_FES_HEADER_FIELD, 10);
	bad_transfer(w, CCCID, NVME_TCP_FES_HEADER_FIELD, 8);
	bad_transfer(w, OFFSET, NVME_TCP_FES_OUT_OF_RANGE, 0);
	bad_transfer(w, TOO_LONG, NVME_TCP_FES_OUT_OF_RANGE, 0);
	bad_transfer(w, NO_LAST, NVME_TCP_FES_HEADER_FIELD, 1);
	bad_transfer(w, EARLY_LAST, NVME_TCP_FES_HEADER_FIELD, 1);
}

static void a_bad_transfer_ends_its_connection(void **state)
{
	in_world(2, NULL, transfers);
}

static void pieces(struct world *w)
{
	struct host_op op = { .out = data, .silent = true };
	struct set s;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	open_all(w, &s);
	host_set_rw(&op, NVME_IO_WRITE, 1, 0, sizeof(data));
	require(host_start(&s.io, &op) == 0);
	require(host_receive(&s.io) == 0);
	require(host_send_data(&s.io, &op, 4096 - 4) == 0);
	require(host_wait(&s.io, &op) == 0);
	require(host_read(&s.io, 1, 0, back, sizeof(back)) == 0);
	require(memcmp(data, back, sizeof(data)) == 0);
	close_all(&s);
}

static void data_may_come_in_pieces(void **state)
{
	in_world(3, NULL, pieces);
}

/* ------------------------------------------------------------------- digest */

static void digest(struct world *w)
{
	struct {
		struct nvme_tcp_cmd c;
		uint32_t header_digest;
		uint8_t data[512];
		uint32_t digest;
	} pdu = { .c = read_command() };
	struct host admin, io;
	int id = host_admin(&admin, &w->path[0], SUBNQN, 0);
	struct host_op op = {};

	require(host_io(&io, &w->path[0], SUBNQN, id, 1,
			NVME_TCP_HDGSTF | NVME_TCP_DDGSTF) == 0);
	pdu_set_common(&pdu.c.ch, NVME_TCP_CAPSULE_CMD,
		       NVME_TCP_HDGSTF | NVME_TCP_DDGSTF, sizeof(pdu.c), 512);
	pdu.c.sqe.opc = NVME_IO_WRITE;
	pdu.c.sqe.cid = 77;
	pdu.c.sqe.sgl1.type = NVME_SGL_DATA_OFFSET;
	pdu_put_header_digest(&pdu);
	pdu.digest = pdu_digest(pdu.data, 512) ^ 1;
	op.sqe.cid = 77;
	io.ops[77] = &op;
	require(stream_write(io.s, &pdu, sizeof(pdu)) == 0);
	require(host_wait(&io, &op) == NVME_SC_TRANSIENT_TRANSPORT);
	require(host_read(&io, 1, 0, back, 512) == 0);
	pdu.header_digest ^= 1;
	require(stream_write(io.s, &pdu, sizeof(pdu)) == 0);
	expect_term(&io, NVME_TCP_FES_HDGST, pdu.header_digest);
	host_close(&io);
	host_close(&admin);
}

static void a_wrong_data_digest_costs_the_command_only(void **state)
{
	in_world(4, NULL, digest);
}

/* ---------------------------------------------------------------------- time
 */

static void setup_time(struct world *w)
{
	struct host h = {};
	nsec began = reactor_now();
	char c;

	require(stream_connect(&w->path[0], NULL, &h.s) == 0);
	require(stream_read(h.s, &c, 1) <= 0);
	require(reactor_now() - began > SEC(29));
	require(reactor_now() - began < SEC(33));
	host_close(&h);
	began = reactor_now();
	require(host_open(&h, &w->path[0], 0) == 0); /* and no Connect */
	require(stream_read(h.s, &c, 1) <= 0);
	require(reactor_now() - began < SEC(33));
	host_close(&h);
}

static void a_connection_that_is_no_queue_in_time_ends(void **state)
{
	in_world(5, NULL, setup_time);
}

/* More commands than the queue has entries, and none of their replies read. */
static void flood(struct world *w)
{
	struct nvme_tcp_cmd c = read_command();
	struct set s;
	int rc = 0;

	open_all(w, &s);
	c.sqe.cdw12 = 131072 / 512 - 1;
	c.sqe.sgl1.len = 131072;
	for (int i = 0; i < 10000000 && rc == 0; i++)
		rc = stream_write(s.io.s, &c, sizeof(c));
	require(rc < 0);
	close_all(&s);
}

static void a_host_that_floods_is_ended(void **state)
{
	in_real_world(2, NULL, flood);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_header_ends_its_connection_only),
		cmocka_unit_test(a_bad_transfer_ends_its_connection),
		cmocka_unit_test(data_may_come_in_pieces),
		cmocka_unit_test(a_wrong_data_digest_costs_the_command_only),
		cmocka_unit_test(a_connection_that_is_no_queue_in_time_ends),
		cmocka_unit_test(a_host_that_floods_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
