/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets, exchanges and keys: the text forms that nvme-cli writes, responses
 * and TLS keys computed by another program, both sides against each other with
 * each hash and group, and whatever a peer may send instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/util.h"
#include "nvme/auth/auth.h"

#include "nvme/auth/internal.h"

static const char host[] = "nqn.2014-08.org.example:host";
static const char subsystem[] = "nqn.2014-08.org.example:volume";

static const uint8_t key32[32] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
	0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};
/* nvme gen-dhchap-key --secret 0011… --key-length 32 --hmac 0 */
static const char text32[] =
	"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:";

static void hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void secrets_are_read_and_written_as_nvme_cli_does(void **state)
{
	char text[NVME_SECRET_TEXT_MAX];
	struct nvme_secret s;

	assert_int_equal(nvme_secret_parse(&s, NVME_SECRET_DHCHAP, text32), 0);
	assert_int_equal(s.len, sizeof(key32));
	assert_int_equal(s.hash, NVME_AUTH_HASH_NONE);
	assert_memory_equal(s.bytes, key32, sizeof(key32));
	nvme_secret_format(&s, NVME_SECRET_DHCHAP, text);
	assert_string_equal(text, text32);
}

static void secrets_of_every_length_survive_their_text(void **state)
{
	struct nvme_secret s, back;
	char text[NVME_SECRET_TEXT_MAX];

	for (int h = NVME_AUTH_HASH_NONE; h <= NVME_AUTH_SHA512; h++) {
		nvme_secret_generate(&s, h);
		nvme_secret_format(&s, NVME_SECRET_DHCHAP, text);
		assert_int_equal(
			nvme_secret_parse(&back, NVME_SECRET_DHCHAP, text), 0);
		assert_int_equal(back.len, s.len);
		assert_int_equal(back.hash, h);
		assert_memory_equal(back.bytes, s.bytes, s.len);
	}
}

static void what_is_no_secret_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"DHHC-1",
		"DHHC-1:",
		"DHHC-1:00",
		"DHHC-1:00:",
		"DHHC-1:00::",
		"DHHC-1:04:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:",
		"DHHC-2:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:",
		"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU",
		"DHHC-1:00:BBEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:",
		"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMN:",
		"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:x",
		"DHHC-1:00: ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:",
		("NVMeTLSkey-1:01:ABEiM0RVZneImaq7zN3u/"
		 "wARIjNEVWZ3iJmqu8zd7v8qDMNU:"),
	};
	struct nvme_secret s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(nvme_secret_parse(&s, NVME_SECRET_DHCHAP,
						   bad[i]),
				 -EINVAL);
	/* 48 bytes are what hash 2 wants. */
	assert_int_equal(
		nvme_secret_parse(&s, NVME_SECRET_TLS,
				  "NVMeTLSkey-1:02:ABEiM0RVZneImaq7zN3u/"
				  "wARIjNEVWZ3iJmqu8zd7v8qDMNU:"),
		-EINVAL);
}

static void a_response_is_what_the_specification_says(void **state)
{
	struct nvme_secret s = { .len = 32, .hash = NVME_AUTH_SHA256 };
	uint8_t challenge[48], out[AUTH_DIGEST_MAX];
	struct auth_response r = {
		.hash = NVME_AUTH_SHA384,
		.secret = &s,
		.role = "HostHost",
		.own_nqn = host,
		.peer_nqn = subsystem,
		.seqnum = 0x01020304,
		.t_id = 0x0506,
		.challenge = challenge,
	};
	char text[2 * 48 + 1];

	memcpy(s.bytes, key32, 32);
	for (size_t i = 0; i < sizeof(challenge); i++)
		challenge[i] = i;
	assert_true(auth_respond(&r, out));
	hex(out, 48, text);
	assert_string_equal(text, "d4e215dabfffd0acf2716f1c1d88f84e"
				  "999ca2fc7718f55bcaeeac246c8b50cd"
				  "f56b655577acbc15f557d37d8d2b126b");
}

static void a_tls_key_is_what_the_specification_says(void **state)
{
	char h[224], s[224], text[2 * 32 + 1];
	struct nvme_secret secret;
	struct nvme_psk psk;

	assert_int_equal(
		nvme_secret_parse(&secret, NVME_SECRET_TLS,
				  "NVMeTLSkey-1:01:ABEiM0RVZneImaq7zN3u/"
				  "wARIjNEVWZ3iJmqu8zd7v8qDMNU:"),
		0);
	assert_int_equal(nvme_psk_derive(&psk, &secret, host, subsystem), 0);
	assert_string_equal(psk.identity,
			    "NVMe0R01 nqn.2014-08.org.example:host "
			    "nqn.2014-08.org.example:volume");
	hex(psk.key, psk.len, text);
	assert_string_equal(text, "2ad1f4a71e597d35ba5d84afda117bd2"
				  "9282e6125454a7217b3fddb2a6ef8b28");

	assert_int_equal(nvme_psk_parse_identity(psk.identity, h, s), 0);
	assert_string_equal(h, host);
	assert_string_equal(s, subsystem);
	assert_int_equal(nvme_psk_parse_identity("NVMe0R01 x", h, s), -EINVAL);
	assert_int_equal(nvme_psk_parse_identity("NVMe0R03 x y", h, s),
			 -EINVAL);
	assert_int_equal(nvme_psk_parse_identity("NVMe0R01 x y z", h, s),
			 -EINVAL);
}

/* -------------------------------------------------------------- exchanges */

struct pair {
	struct nvme_auth *host, *ctrl;
	unsigned messages;
};

static void pair_create(struct pair *p, const struct nvme_auth_options *h,
			const struct nvme_auth_options *c)
{
	p->messages = 0;
	assert_int_equal(nvme_auth_create(false, h, &p->host), 0);
	assert_int_equal(nvme_auth_create(true, c, &p->ctrl), 0);
}

static void pair_destroy(struct pair *p)
{
	nvme_auth_destroy(p->host);
	nvme_auth_destroy(p->ctrl);
}

static bool over(const struct nvme_auth *a)
{
	return nvme_auth_state(a) == NVME_AUTH_DONE ||
	       nvme_auth_state(a) == NVME_AUTH_FAILED;
}

/* Until neither has anything to say.  Message number `bent` arrives with some
 * bytes changed. */
static void pair_run(struct pair *p, struct rng *rng, unsigned bent)
{
	uint8_t m[NVME_AUTH_MESSAGE_MAX];

	for (;;) {
		bool from_host = nvme_auth_state(p->host) == NVME_AUTH_SENDS;
		struct nvme_auth *from = from_host ? p->host : p->ctrl;
		struct nvme_auth *to = from_host ? p->ctrl : p->host;
		size_t len;

		if (nvme_auth_state(from) != NVME_AUTH_SENDS)
			return;
		len = nvme_auth_send(from, m);
		assert_in_range(len, 8, sizeof(m));
		if (++p->messages == bent) {
			for (unsigned n = 1 + rng_below(rng, 4); n > 0; n--)
				m[rng_below(rng, len)] ^=
					1 + rng_below(rng, 255);
			if (rng_chance(rng, 0.3))
				len = rng_below(rng, len + 1);
		}
		if (!over(to))
			nvme_auth_receive(to, m, len);
		assert_true(p->messages < 10);
	}
}

static struct nvme_auth_options with_secrets(bool bidirectional)
{
	struct nvme_auth_options o = {
		.host_nqn = host,
		.subsystem_nqn = subsystem,
		.host_secret = { .len = 32, .hash = NVME_AUTH_SHA256 },
	};

	memcpy(o.host_secret.bytes, key32, 32);
	if (bidirectional) {
		o.ctrl_secret.len = 48;
		o.ctrl_secret.hash = NVME_AUTH_SHA384;
		memset(o.ctrl_secret.bytes, 7, 48);
	}
	return o;
}

static void every_hash_and_group_works(void **state)
{
	for (int h = NVME_AUTH_SHA256; h <= NVME_AUTH_SHA512; h++) {
		for (int g = NVME_AUTH_DH_NULL; g <= NVME_AUTH_FFDHE8192; g++) {
			struct nvme_auth_options o = with_secrets(g % 2);
			struct pair p;

			o.hashes = 1u << h;
			o.groups = 1u << g;
			pair_create(&p, &o, &o);
			pair_run(&p, NULL, 0);
			assert_int_equal(nvme_auth_state(p.host),
					 NVME_AUTH_DONE);
			assert_int_equal(nvme_auth_state(p.ctrl),
					 NVME_AUTH_DONE);
			assert_int_equal(p.messages, g % 2 ? 5 : 4);
			pair_destroy(&p);
		}
	}
}

/* A worker may still compute for one whose names are gone already. */
static void options_are_for_the_call_only(void **state)
{
	struct nvme_auth_options o = with_secrets(true);
	char names[2][224];
	struct pair p;

	strcpy(names[0], host);
	strcpy(names[1], subsystem);
	o.host_nqn = names[0];
	o.subsystem_nqn = names[1];
	assert_int_equal(nvme_auth_create(false, &o, &p.host), 0);
	memset(names, 'x', sizeof(names));
	names[0][223] = names[1][223] = '\0';
	o.host_nqn = host;
	o.subsystem_nqn = subsystem;
	assert_int_equal(nvme_auth_create(true, &o, &p.ctrl), 0);
	p.messages = 0;
	pair_run(&p, NULL, 0);
	assert_int_equal(nvme_auth_state(p.host), NVME_AUTH_DONE);
	assert_int_equal(nvme_auth_state(p.ctrl), NVME_AUTH_DONE);
	pair_destroy(&p);
}

static void assert_both_fail(const struct nvme_auth_options *h,
			     const struct nvme_auth_options *c)
{
	struct pair p;

	pair_create(&p, h, c);
	pair_run(&p, NULL, 0);
	assert_int_equal(nvme_auth_state(p.host), NVME_AUTH_FAILED);
	assert_int_equal(nvme_auth_state(p.ctrl), NVME_AUTH_FAILED);
	pair_destroy(&p);
}

static void a_wrong_key_or_name_fails_on_both_sides(void **state)
{
	struct nvme_auth_options c = with_secrets(true), h = c;

	h.groups = c.groups = 1u << NVME_AUTH_DH_NULL;
	h.host_secret.bytes[31] ^= 1;
	assert_both_fail(&h, &c);
	h = c;
	h.ctrl_secret.bytes[0] ^= 1;
	assert_both_fail(&h, &c);
	h = c;
	h.host_nqn = "nqn.2014-08.org.example:other";
	assert_both_fail(&h, &c);
	h = c;
	h.subsystem_nqn = "nqn.2014-08.org.example:other";
	assert_both_fail(&h, &c);
	h = c;
	c.ctrl_secret.len = 0;
	assert_both_fail(&h, &c);
}

static void without_anything_in_common_it_fails(void **state)
{
	struct nvme_auth_options c = with_secrets(false), h = c;

	c.hashes = 1u << NVME_AUTH_SHA512;
	h.hashes = 1u << NVME_AUTH_SHA256;
	assert_both_fail(&h, &c);
	h.hashes = c.hashes;
	c.groups = 1u << NVME_AUTH_FFDHE2048;
	h.groups = 1u << NVME_AUTH_DH_NULL;
	assert_both_fail(&h, &c);
}

/* A host that does not ask for it is not told the controller's response. */
static void a_host_may_leave_the_controller_unproven(void **state)
{
	struct nvme_auth_options c = with_secrets(true),
				 h = with_secrets(false);
	struct pair p;

	h.groups = 1u << NVME_AUTH_DH_NULL;
	pair_create(&p, &h, &c);
	pair_run(&p, NULL, 0);
	assert_int_equal(nvme_auth_state(p.host), NVME_AUTH_DONE);
	assert_int_equal(nvme_auth_state(p.ctrl), NVME_AUTH_DONE);
	assert_int_equal(p.messages, 4);
	pair_destroy(&p);
}

/*
 * The peer may send anything: it costs the exchange, never more.  Above all, a
 * changed message that matters never leaves the controller content: whatever
 * the host does wrong in its reply, or without the key, is not DONE.
 */
static void bent_messages_are_survived(void **state)
{
	struct nvme_auth_options o = with_secrets(true);
	struct rng rng;

	rng_init(&rng, 1);
	for (int i = 0; i < 2000; i++) {
		struct pair p;

		o.groups = 1u << (i % 50 == 0 ? NVME_AUTH_FFDHE2048
					      : NVME_AUTH_DH_NULL);
		pair_create(&p, &o, &o);
		pair_run(&p, &rng, 1 + i % 5);
		pair_destroy(&p);
	}
}

static void random_bytes_never_authenticate(void **state)
{
	struct nvme_auth_options o = with_secrets(false);
	uint8_t m[256], out[NVME_AUTH_MESSAGE_MAX];
	struct nvme_auth *a;
	struct rng rng;

	rng_init(&rng, 2);
	o.groups = 1u << NVME_AUTH_DH_NULL;
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(nvme_auth_create(true, &o, &a), 0);
		for (int n = 0; n < 5 && !over(a); n++) {
			for (size_t k = 0; k < sizeof(m); k++)
				m[k] = rng_below(&rng, 4) ? rng_below(&rng, 5)
							  : rng_next(&rng);
			if (nvme_auth_state(a) == NVME_AUTH_SENDS)
				nvme_auth_send(a, out);
			else
				nvme_auth_receive(a, m, rng_below(&rng, 257));
		}
		assert_true(nvme_auth_state(a) != NVME_AUTH_DONE);
		nvme_auth_destroy(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_read_and_written_as_nvme_cli_does),
		cmocka_unit_test(secrets_of_every_length_survive_their_text),
		cmocka_unit_test(what_is_no_secret_is_refused),
		cmocka_unit_test(a_response_is_what_the_specification_says),
		cmocka_unit_test(a_tls_key_is_what_the_specification_says),
		cmocka_unit_test(every_hash_and_group_works),
		cmocka_unit_test(options_are_for_the_call_only),
		cmocka_unit_test(a_wrong_key_or_name_fails_on_both_sides),
		cmocka_unit_test(without_anything_in_common_it_fails),
		cmocka_unit_test(a_host_may_leave_the_controller_unproven),
		cmocka_unit_test(bent_messages_are_survived),
		cmocka_unit_test(random_bytes_never_authenticate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
