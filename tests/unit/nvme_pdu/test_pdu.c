/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a PDU's header: what is right passes, and each thing that is
 * wrong gets the fatal error status and information of NVMe/TCP 3.6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nvme/pdu/pdu.h"

/* With both digests, 8-byte alignment. */
static const struct pdu_rules ctrl = { .ready = true,
				       .header_digest = true,
				       .data_digest = true,
				       .pda = 1,
				       .max_in_capsule = 4096,
				       .max_data = 131072 };
static const struct pdu_rules bare = { .ready = true,
				       .max_in_capsule = 4096,
				       .max_data = 131072 };
static const struct pdu_rules fresh = { .max_in_capsule = 8192 };

static uint8_t header[NVME_TCP_HEADER_MAX + NVME_TCP_DIGEST];

/* A good header of that type, with `data` bytes. */
static struct nvme_tcp_ch *make(enum nvme_tcp_type type, uint8_t flags,
				size_t hlen, uint32_t data)
{
	struct nvme_tcp_ch *ch = (void *)header;
	struct nvme_tcp_data *d = (void *)header;

	memset(header, 0, sizeof(header));
	pdu_set_common(ch, type, flags, hlen, data);
	if (ch->pdo % 8 != 0 && (flags & NVME_TCP_HDGSTF)) {
		ch->plen += 8 - ch->pdo % 8;
		ch->pdo += 8 - ch->pdo % 8;
	}
	if (type == NVME_TCP_H2C_DATA)
		d->length = data;
	pdu_put_header_digest(header);
	return ch;
}

static bool good(const struct pdu_rules *rules, struct pdu_fault *f)
{
	return pdu_check_common(rules, (void *)header, f) &&
	       pdu_check_header(rules, header, f);
}

static void expect_good(const struct pdu_rules *rules)
{
	struct pdu_fault f = {};

	assert_true(good(rules, &f));
}

static void expect(const struct pdu_rules *rules, enum nvme_tcp_fes fes,
		   uint32_t fei)
{
	struct pdu_fault f = {};

	assert_false(good(rules, &f));
	assert_int_equal(f.fes, fes);
	assert_int_equal(f.fei, fei);
}

enum { BOTH = NVME_TCP_HDGSTF | NVME_TCP_DDGSTF };

static void what_is_right_passes(void **state)
{
	make(NVME_TCP_ICREQ, 0, 128, 0);
	expect_good(&fresh);
	make(NVME_TCP_CAPSULE_CMD, NVME_TCP_HDGSTF, 72, 0);
	expect_good(&ctrl);
	make(NVME_TCP_CAPSULE_CMD, BOTH, 72, 4096);
	expect_good(&ctrl);
	assert_int_equal(pdu_data_size((void *)header), 4096);
	make(NVME_TCP_H2C_DATA, BOTH, 24, 131072);
	expect_good(&ctrl);
	make(NVME_TCP_H2C_DATA, 0, 24, 512);
	expect_good(&bare);
	make(NVME_TCP_H2C_TERM_REQ, 0, 24, 0);
	((struct nvme_tcp_ch *)header)->plen = 152;
	expect_good(&ctrl);
	assert_int_equal(pdu_data_size((void *)header), 128);
}

static void types_have_their_time_and_direction(void **state)
{
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 0);
	expect(&fresh, NVME_TCP_FES_SEQUENCE, 0);
	make(NVME_TCP_ICREQ, 0, 128, 0);
	expect(&bare, NVME_TCP_FES_SEQUENCE, 0);
	make(NVME_TCP_R2T, 0, 24, 0);
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 0);
	make(0x08, 0, 24, 0);
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 0);
	make(0xff, 0, 24, 0);
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 0);
}

static void lengths_and_offsets(void **state)
{
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 0)->hlen = 71;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 2);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 0)->plen = 71;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 4);
	make(NVME_TCP_ICREQ, 0, 128, 0)->plen = 129;
	expect(&fresh, NVME_TCP_FES_HEADER_FIELD, 4);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 4096)->pdo = 70;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 3);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 4096)->pdo = 74;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 3);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 4100);
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 4);
	make(NVME_TCP_H2C_DATA, 0, 24, 131076);
	expect(&bare, NVME_TCP_FES_LIMIT, 0);
	((struct nvme_tcp_ch *)header)->plen = 0xffffffff;
	expect(&bare, NVME_TCP_FES_LIMIT, 0);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 8)->plen = 80;
	((struct nvme_tcp_ch *)header)->pdo = 252;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 4);
	make(NVME_TCP_H2C_TERM_REQ, 0, 24, 0)->plen = 153;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 4);
	make(NVME_TCP_H2C_DATA, 0, 24, 512);
	((struct nvme_tcp_data *)header)->length = 508;
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 16);
}

static void digests_are_as_agreed(void **state)
{
	make(NVME_TCP_CAPSULE_CMD, NVME_TCP_HDGSTF, 72, 0);
	expect(&bare, NVME_TCP_FES_HEADER_FIELD, 1);
	make(NVME_TCP_CAPSULE_CMD, 0, 72, 0);
	expect(&ctrl, NVME_TCP_FES_HEADER_FIELD, 1);
	make(NVME_TCP_CAPSULE_CMD, NVME_TCP_HDGSTF, 72, 4096);
	expect(&ctrl, NVME_TCP_FES_HEADER_FIELD, 1);
	make(NVME_TCP_CAPSULE_CMD, NVME_TCP_HDGSTF, 72, 0);
	header[72] ^= 1;
	expect(&ctrl, NVME_TCP_FES_HDGST, *(uint32_t *)(header + 72));
}

static void parameters_of_the_connection(void **state)
{
	struct nvme_tcp_ic *ic = (void *)header;
	const struct pdu_rules host = { .host = true };

	make(NVME_TCP_ICREQ, 0, 128, 0);
	ic->pfv = 1;
	expect(&fresh, NVME_TCP_FES_UNSUPPORTED, 8);
	make(NVME_TCP_ICREQ, 0, 128, 0);
	ic->pda = 32;
	expect(&fresh, NVME_TCP_FES_HEADER_FIELD, 10);
	make(NVME_TCP_ICRESP, 0, 128, 0);
	ic->max = 4092;
	expect(&host, NVME_TCP_FES_HEADER_FIELD, 12);
	ic->max = 4096;
	expect_good(&host);
}

/* Also where that is no power of two. */
static void data_begin_where_the_receiver_wants(void **state)
{
	struct nvme_tcp_cmd cmd;
	struct nvme_tcp_ch *ch = &cmd.ch;

	for (uint8_t pda = 0; pda <= NVME_TCP_PDA_MAX; pda++) {
		for (unsigned digest = 0; digest < 2; digest++) {
			const struct pdu_rules rules = {
				.ready = true,
				.header_digest = digest,
				.pda = pda,
				.max_in_capsule = 512,
			};
			uint8_t flags = digest ? NVME_TCP_HDGSTF : 0;
			size_t pad, size = sizeof(cmd) + 4 * digest;
			struct pdu_fault f;

			pdu_set_common(ch, NVME_TCP_CAPSULE_CMD, flags,
				       sizeof(cmd), 512);
			pad = pdu_align_data(ch, 4 * (pda + 1));
			assert_true(pdu_check_common(&rules, ch, &f));
			assert_int_equal(ch->pdo, size + pad);
			assert_int_equal(ch->plen, size + pad + 512);
			assert_in_range(pad, 0, 4 * (pda + 1) - 1);
		}
	}
}

static void a_digest_is_that_of_iscsi(void **state)
{
	/* RFC 3720, B.4 */
	uint8_t zeroes[32] = {};

	assert_int_equal(pdu_digest(zeroes, 32), 0x8a9136aa);
	assert_int_equal(pdu_digest_end(pdu_digest_add(
				 pdu_digest_add(PDU_DIGEST_START, zeroes, 5),
				 zeroes + 5, 27)),
			 0x8a9136aa);
}

static void a_termination_carries_the_header(void **state)
{
	const struct pdu_fault fault = { NVME_TCP_FES_HEADER_FIELD, 3, "" };
	uint8_t out[sizeof(struct nvme_tcp_term) + NVME_TCP_TERM_DATA_MAX];
	const struct nvme_tcp_term *t = (void *)out;

	make(NVME_TCP_CAPSULE_CMD, 0, 72, 0);
	assert_int_equal(pdu_make_term(out, false, &fault, header, 72), 96);
	assert_int_equal(t->ch.type, NVME_TCP_C2H_TERM_REQ);
	assert_int_equal(t->ch.plen, 96);
	assert_int_equal(t->fei, 3);
	assert_memory_equal(t + 1, header, 72);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_passes),
		cmocka_unit_test(types_have_their_time_and_direction),
		cmocka_unit_test(lengths_and_offsets),
		cmocka_unit_test(digests_are_as_agreed),
		cmocka_unit_test(parameters_of_the_connection),
		cmocka_unit_test(data_begin_where_the_receiver_wants),
		cmocka_unit_test(a_digest_is_that_of_iscsi),
		cmocka_unit_test(a_termination_carries_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
