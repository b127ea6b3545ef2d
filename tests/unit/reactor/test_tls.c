/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS on a stream: both ends know the key, or nobody gets through; bytes arrive
 * as on a plain stream, in both directions at once; what was bent on the way is
 * noticed.  With certificates: whom a client believes, and what it shows.  The
 * same in each world.
 */
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "reactor/stream.h"
#include "reactor/tls.h"
#include "worlds.h"

static struct tls_key good_key(bool sha384)
{
	struct tls_key k = {
		.identity = "NVMe0R01 host subsystem",
		.len = sha384 ? 48 : 32,
		.sha384 = sha384,
	};

	memset(k.key, 0x5a, k.len);
	return k;
}

struct server {
	struct listener *listener;
	struct stream *stream;
	int result;
	bool sha384, peek;
	char asked[64];
	struct completion done;
};

static bool find(void *arg, const char *identity, struct tls_key *key)
{
	struct server *s = arg;

	snprintf(s->asked, sizeof(s->asked), "%s", identity);
	if (strcmp(identity, "NVMe0R01 host subsystem") != 0)
		return false;
	*key = good_key(s->sha384);
	return true;
}

static void serve(void *arg)
{
	struct server *s = arg;
	struct stream *plain;
	uint8_t first[3];
	size_t n = s->peek ? sizeof(first) : 0;

	assert_int_equal(stream_accept(s->listener, &plain), 0);
	if (n > 0)
		assert_int_equal(stream_read_full(plain, first, n), 0);
	s->result = tls_accept(plain, first, n, find, s,
			       reactor_now() + SEC(30), &s->stream);
	completion_done(&s->done, s->result);
}

/* Both ends; the client's result. */
static int meet(struct server *s, const struct tls_key *key,
		struct stream **client)
{
	struct stream *plain;
	struct addr a;
	int r;

	assert_int_equal(addr_parse(&a, "127.101.0.3:0", 0), 0);
	assert_int_equal(stream_listen(&a, &s->listener), 0);
	completion_init(&s->done);
	task_spawn("server", serve, s);
	assert_int_equal(
		stream_connect(listener_addr(s->listener), NULL, &plain), 0);
	r = tls_connect(plain, key, reactor_now() + SEC(30), client);
	completion_wait(&s->done);
	listener_close(s->listener);
	return r;
}

static void meet_well(struct server *s, struct stream **client)
{
	struct tls_key key = good_key(s->sha384);

	assert_int_equal(meet(s, &key, client), 0);
	assert_int_equal(s->result, 0);
	assert_string_equal(s->asked, key.identity);
}

WORLD_TEST(both_ciphers_carry_bytes_both_ways)
{
	for (int i = 0; i < 4; i++) {
		struct server s = { .sha384 = i & 1, .peek = i & 2 };
		struct stream *client;
		char buf[6];

		meet_well(&s, &client);
		assert_int_equal(stream_write(client, "hello", 6), 0);
		assert_int_equal(stream_read_full(s.stream, buf, 6), 0);
		assert_string_equal(buf, "hello");
		assert_int_equal(stream_write(s.stream, "world", 6), 0);
		assert_int_equal(stream_read_full(client, buf, 6), 0);
		assert_string_equal(buf, "world");
		stream_close(client);
		stream_close(s.stream);
	}
}

WORLD_TEST(a_wrong_key_gets_nobody_through)
{
	struct tls_key key = good_key(false);
	struct server s = {};
	struct stream *client;

	key.key[0] ^= 1;
	assert_int_equal(meet(&s, &key, &client), -EACCES);
	assert_int_equal(s.result, -EACCES);

	key = good_key(false);
	key.identity = "NVMe0R01 stranger subsystem";
	assert_int_equal(meet(&s, &key, &client), -EACCES);
	assert_int_equal(s.result, -EACCES);
	assert_string_equal(s.asked, key.identity);
}

static void speak_plain(void *arg)
{
	struct stream *s;

	assert_int_equal(stream_connect(arg, NULL, &s), 0);
	for (int i = 0; i < 100; i++)
		if (stream_write(s, "GET / HTTP/1.0\r\n\r\n", 18) < 0)
			break;
	stream_close(s);
}

WORLD_TEST(who_does_not_speak_tls_is_told_apart)
{
	struct server s = {};
	struct addr a;

	assert_int_equal(addr_parse(&a, "127.101.0.3:0", 0), 0);
	assert_int_equal(stream_listen(&a, &s.listener), 0);
	completion_init(&s.done);
	a = *listener_addr(s.listener);
	task_spawn("plain", speak_plain, &a);
	serve(&s);
	assert_int_equal(s.result, -EPROTO);
	listener_close(s.listener);
}

WORLD_TEST(a_silent_peer_times_the_handshake_out)
{
	struct stream *plain, *out;
	struct listener *l;
	struct addr a;
	struct tls_key key = good_key(false);
	nsec start;

	assert_int_equal(addr_parse(&a, "127.101.0.3:0", 0), 0);
	assert_int_equal(stream_listen(&a, &l), 0);
	assert_int_equal(stream_connect(listener_addr(l), NULL, &plain), 0);
	start = reactor_now_precise();
	assert_int_equal(tls_connect(plain, &key, start + MSEC(50), &out),
			 -ETIMEDOUT);
	assert_true(reactor_now_precise() - start >= MSEC(50));
	listener_close(l);
}

enum { BULK = 3 << 20 };

static char pattern(size_t i)
{
	return (char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void write_bulk(void *arg)
{
	char *data = malloc(BULK);
	struct iovec iov[8];
	size_t done = 0;

	for (size_t i = 0; i < BULK; i++)
		data[i] = pattern(i);
	while (done < BULK) {
		int n = 0;

		for (; n < 8 && done < BULK; n++) {
			size_t len = MIN((size_t)(n * 19973), BULK - done);

			iov[n] = (struct iovec){ data + done, len };
			done += len;
		}
		assert_int_equal(stream_writev(arg, iov, n), 0);
	}
	stream_shutdown_write(arg);
	free(data);
}

static void read_bulk(struct stream *s)
{
	char *buf = malloc(100000);
	size_t got = 0, wrong = 0;
	ssize_t n;

	while (stream_wait_readable(s, NSEC_NEVER) == 0 &&
	       (n = stream_read(s, buf, 100000)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += buf[i] != pattern(got + i);
		got += n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, BULK);
	assert_int_equal(wrong, 0);
	free(buf);
}

struct reader {
	struct stream *stream;
	struct completion done;
};

static void read_there(void *arg)
{
	struct reader *r = arg;

	read_bulk(r->stream);
	completion_done(&r->done, 0);
}

WORLD_TEST(megabytes_cross_in_both_directions_at_once)
{
	struct server s = { .sha384 = true };
	struct stream *client;
	struct reader there;

	meet_well(&s, &client);
	there.stream = s.stream;
	completion_init(&there.done);
	task_spawn("writer", write_bulk, client);
	task_spawn("writer", write_bulk, s.stream);
	task_spawn("reader", read_there, &there);
	read_bulk(client);
	completion_wait(&there.done);
	stream_close(client);
	stream_close(s.stream);
}

/* Between the two, one byte of what the client sends is changed. */
struct middle {
	struct listener *listener;
	struct addr to;
	unsigned at; /* which byte */
	struct completion done;
};

static void pass_on(void *arg)
{
	struct middle *m = arg;
	struct stream *in, *out;
	uint8_t buf[4096];
	unsigned seen = 0;
	ssize_t n;

	assert_int_equal(stream_accept(m->listener, &in), 0);
	assert_int_equal(stream_connect(&m->to, NULL, &out), 0);
	/* One message each way is the handshake; the client's second flight
	 * goes with its data. */
	n = stream_read(in, buf, sizeof(buf));
	assert_int_equal(stream_write(out, buf, n), 0);
	n = stream_read(out, buf, sizeof(buf));
	assert_int_equal(stream_write(in, buf, n), 0);
	while ((n = stream_read(in, buf, sizeof(buf))) > 0) {
		if (m->at >= seen && m->at < seen + n)
			buf[m->at - seen] ^= 1;
		seen += n;
		if (stream_write(out, buf, n) < 0)
			break;
	}
	stream_close(in);
	stream_close(out);
	completion_done(&m->done, 0);
}

WORLD_TEST(a_byte_that_was_changed_on_the_way_is_noticed)
{
	struct server s = {};
	struct middle m = { .at = 150 };
	struct tls_key key = good_key(false);
	struct stream *plain, *client;
	char buf[200] = "";
	struct addr a;
	int r;

	assert_int_equal(addr_parse(&a, "127.101.0.3:0", 0), 0);
	assert_int_equal(stream_listen(&a, &s.listener), 0);
	assert_int_equal(stream_listen(&a, &m.listener), 0);
	m.to = *listener_addr(s.listener);
	completion_init(&s.done);
	completion_init(&m.done);
	task_spawn("server", serve, &s);
	task_spawn("middle", pass_on, &m);
	assert_int_equal(
		stream_connect(listener_addr(m.listener), NULL, &plain), 0);
	assert_int_equal(
		tls_connect(plain, &key, reactor_now() + SEC(30), &client), 0);
	assert_int_equal(stream_write(client, buf, sizeof(buf)), 0);
	assert_int_equal(completion_wait(&s.done), 0);
	do
		r = stream_read(s.stream, buf, sizeof(buf));
	while (r > 0);
	assert_int_equal(r, -EPROTO);
	assert_int_equal(stream_read(s.stream, buf, 1), -EPROTO);
	stream_close(s.stream);
	stream_close(client);
	completion_wait(&m.done);
	listener_close(s.listener);
	listener_close(m.listener);
}

/* ------------------------------------------------------------ certificates */

struct holder { /* a server with a certificate */
	struct listener *listener;
	struct tls_certificate *own;
	struct stream *stream;
	int result, shown; /* bytes of the client's certificate */
	struct completion done;
};

static X509 *self_signed(EVP_PKEY *key, const char *host)
{
	X509 *x = X509_new();
	X509_EXTENSION *e;

	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, host);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

/* Leaves PREFIX.cert and PREFIX.key. */
static void write_pem(const char *prefix, const char *host)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = self_signed(key, host);
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s.cert", prefix);
	f = fopen(path, "w");
	PEM_write_X509(f, x);
	fclose(f);
	snprintf(path, sizeof(path), "%s.key", prefix);
	f = fopen(path, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void hold(void *arg)
{
	struct holder *h = arg;
	struct stream *plain;
	uint8_t *der = NULL;

	assert_int_equal(stream_accept(h->listener, &plain), 0);
	h->result = tls_accept_certificate(plain, NULL, 0, h->own,
					   reactor_now() + SEC(30), &h->stream);
	h->shown = h->result == 0 ? tls_peer_certificate(h->stream, &der) : 0;
	OPENSSL_free(der);
	completion_done(&h->done, 0);
}

/* The client's result. */
static int visit(struct holder *h, const struct tls_client *client, char *why)
{
	struct stream *plain, *s;
	struct addr a;
	int r;

	assert_int_equal(addr_parse(&a, "127.101.0.3:0", 0), 0);
	assert_int_equal(stream_listen(&a, &h->listener), 0);
	completion_init(&h->done);
	task_spawn("holder", hold, h);
	assert_int_equal(
		stream_connect(listener_addr(h->listener), NULL, &plain), 0);
	r = tls_connect_certificate(plain, client, reactor_now() + SEC(30), why,
				    &s);
	if (r == 0) {
		char buf[6];

		assert_int_equal(stream_write(s, "hello", 6), 0);
		completion_wait(&h->done);
		assert_int_equal(stream_read_full(h->stream, buf, 6), 0);
		assert_string_equal(buf, "hello");
		stream_close(s);
	}
	completion_wait(&h->done);
	if (h->result == 0)
		stream_close(h->stream);
	listener_close(h->listener);
	return r;
}

WORLD_TEST(a_client_believes_whom_it_was_told_to)
{
	char directory[] = "/tmp/test-tls-XXXXXX", why[TLS_WHY_SIZE];
	char prefix[64], cert[80], key[80];
	struct tls_trust *trust, *anybody, *system, *none;
	struct tls_client client = {};
	struct holder h = {};

	assert_non_null(mkdtemp(directory));
	snprintf(prefix, sizeof(prefix), "%s/a", directory);
	snprintf(cert, sizeof(cert), "%s.cert", prefix);
	snprintf(key, sizeof(key), "%s.key", prefix);
	write_pem(prefix, "DNS:*.efs.example,IP:127.101.0.3");
	assert_int_equal(tls_certificate_load(cert, key, &h.own), 0);
	assert_int_equal(tls_trust_load(cert, &trust), 0);
	assert_int_equal(tls_trust_load(NULL, &system), 0);
	assert_int_equal(tls_trust_all(&anybody), 0);
	assert_int_equal(tls_trust_load(key, &none), -EINVAL);

	client.trust = trust;
	assert_int_equal(visit(&h, &client, why), 0);
	assert_int_equal(h.shown, 0);
	client.host = "fs-1.efs.example";
	assert_int_equal(visit(&h, &client, why), 0);
	client.host = "127.101.0.3";
	assert_int_equal(visit(&h, &client, why), 0);

	client.host = "fs-1.efs.elsewhere";
	assert_int_equal(visit(&h, &client, why), -EKEYREJECTED);
	assert_non_null(strstr(why, "ostname mismatch"));
	client.host = "127.101.0.4";
	assert_int_equal(visit(&h, &client, why), -EKEYREJECTED);
	client.host = "fs-1.efs.example";
	client.trust = system;
	assert_int_equal(visit(&h, &client, why), -EKEYREJECTED);
	assert_non_null(strstr(why, "certificate"));

	client.trust = anybody;
	client.host = NULL;
	client.key = EVP_EC_gen("P-256");
	client.certificate = self_signed(client.key, "DNS:me");
	assert_int_equal(visit(&h, &client, why), 0);
	assert_true(h.shown > 100);

	X509_free(client.certificate);
	EVP_PKEY_free(client.key);
	tls_trust_free(trust);
	tls_trust_free(system);
	tls_trust_free(anybody);
	tls_certificate_free(h.own);
	unlink(cert);
	unlink(key);
	rmdir(directory);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(both_ciphers_carry_bytes_both_ways),
	cmocka_unit_test(a_wrong_key_gets_nobody_through),
	cmocka_unit_test(who_does_not_speak_tls_is_told_apart),
	cmocka_unit_test(a_silent_peer_times_the_handshake_out),
	cmocka_unit_test(megabytes_cross_in_both_directions_at_once),
	cmocka_unit_test(a_byte_that_was_changed_on_the_way_is_noticed),
	cmocka_unit_test(a_client_believes_whom_it_was_told_to),
};

int main(void)
{
	return run_in_worlds("tls", tests, ARRAY_SIZE(tests));
}
