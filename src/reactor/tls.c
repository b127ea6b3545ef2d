/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream over a stream.  OpenSSL never sees a socket: it takes what came in
 * from `in` and leaves what is to go out in `out`, and none of its calls parks.
 * So reader and writer may both use it, each between two parks.
 *
 *	readv:  SSL_read ◀── in ◀── stream_read(lower)
 *	writev: SSL_write ──▶ out ──▶ stream_write(lower)
 *
 * Reading can make output too (a key update asks for an answer): whoever has
 * left something in `out` flushes it, one task at a time.
 *
 * Buffers exist while they hold something, so that an idle stream costs what
 * OpenSSL keeps, and nothing else.
 */
#include "reactor/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"
#include "reactor/backend.h"
#include "reactor/stream.h"
#include "reactor/task.h"
#include "reactor/tls_certificate.h"

enum {
	TLS_IN = 64 << 10,     /* bytes read at a time */
	TLS_CHUNK = 128 << 10, /* plain bytes written at a time */
};

struct tls_buffer {
	uint8_t *data;
	size_t begin, end, size;
};

struct tls_stream {
	struct stream stream;
	struct stream *lower;
	SSL *ssl;
	struct tls_buffer in, out;
	bool flushing; /* a task writes to lower */
	struct waitq turn;
	bool broken; /* OpenSSL must not be used any more */

	/* Of the handshake. */
	tls_find_fn *find;
	void *arg;
	const struct tls_key *key;
	char *why; /* TLS_WHY_SIZE bytes, or NULL */
};

/* ------------------------------------------------------------------ memory */

static void buffer_free(struct tls_buffer *b)
{
	free(b->data);
	*b = (struct tls_buffer){ 0 };
}

static bool buffer_append(struct tls_buffer *b, const void *data, size_t len)
{
	if (len == 0)
		return true;
	if (b->end + len > b->size) {
		size_t size = b->end + len + (b->end + len) / 2;
		uint8_t *bigger = realloc(b->data, size);

		if (bigger == NULL)
			return false;
		b->data = bigger;
		b->size = size;
	}
	memcpy(b->data + b->end, data, len);
	b->end += len;
	return true;
}

static size_t buffer_len(const struct tls_buffer *b)
{
	return b->end - b->begin;
}

/* What OpenSSL takes for its connection: the two buffers. */
static int bio_read(BIO *bio, char *buf, size_t len, size_t *done)
{
	struct tls_stream *t = BIO_get_data(bio);
	size_t n = buffer_len(&t->in);

	BIO_clear_retry_flags(bio);
	if (n == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	n = n < len ? n : len;
	memcpy(buf, t->in.data + t->in.begin, n);
	t->in.begin += n;
	*done = n;
	return 1;
}

static int bio_write(BIO *bio, const char *buf, size_t len, size_t *done)
{
	struct tls_stream *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!buffer_append(&t->out, buf, len))
		return 0;
	*done = len;
	return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;
static SSL_CTX *server_ctx, *client_ctx;

/* --------------------------------------------------------------------- keys */

static SSL_SESSION *make_session(SSL *ssl, const struct tls_key *key)
{
	static const uint8_t aes128[] = { 0x13, 0x01 },
			     aes256[] = { 0x13, 0x02 };
	const SSL_CIPHER *cipher =
		SSL_CIPHER_find(ssl, key->sha384 ? aes256 : aes128);
	SSL_SESSION *session = SSL_SESSION_new();

	if (session == NULL || cipher == NULL ||
	    SSL_SESSION_set1_master_key(session, key->key, key->len) != 1 ||
	    SSL_SESSION_set_cipher(session, cipher) != 1 ||
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
		SSL_SESSION_free(session);
		return NULL;
	}
	return session;
}

static bool find_key(SSL *ssl, const unsigned char *identity, size_t len,
		     struct tls_key *key)
{
	struct tls_stream *t = SSL_get_app_data(ssl);
	char name[1024];

	*key = (struct tls_key){ 0 };
	if (len >= sizeof(name) || memchr(identity, '\0', len) != NULL)
		return false;
	memcpy(name, identity, len);
	name[len] = '\0';
	return t->find(t->arg, name, key);
}

static int find_session(SSL *ssl, const unsigned char *identity, size_t len,
			SSL_SESSION **session)
{
	struct tls_key key;

	*session = NULL;
	if (find_key(ssl, identity, len, &key))
		*session = make_session(ssl, &key);
	OPENSSL_cleanse(&key, sizeof(key));
	return 1;
}

static void use_cipher(SSL *ssl, bool sha384)
{
	SSL_set_ciphersuites(ssl, sha384 ? "TLS_AES_256_GCM_SHA384"
					 : "TLS_AES_128_GCM_SHA256");
}

/*
 * OpenSSL chooses the cipher before it looks at the keys, and then ignores
 * those that go with the other one.  So the first key that the client names
 * (RFC 8446 4.2.11) and that we have decides.
 */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *p, *end;
	struct tls_key key;
	size_t len;
	bool found = false;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &p, &len) != 1 ||
	    len < 2)
		return SSL_CLIENT_HELLO_SUCCESS;
	end = p + MIN(len, (size_t)2 + load_be16(p));
	p += 2;
	while (!found && end - p >= 2) {
		len = load_be16(p);
		p += 2;
		if ((size_t)(end - p) < len + 4)
			break;
		found = find_key(ssl, p, len, &key);
		p += len + 4; /* the age of a ticket */
	}
	if (found)
		use_cipher(ssl, key.sha384);
	OPENSSL_cleanse(&key, sizeof(key));
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int use_session(SSL *ssl, const EVP_MD *md,
		       const unsigned char **identity, size_t *len,
		       SSL_SESSION **session)
{
	struct tls_stream *t = SSL_get_app_data(ssl);

	*session = make_session(ssl, t->key);
	if (*session == NULL)
		return 0;
	*identity = (const unsigned char *)t->key->identity;
	*len = strlen(t->key->identity);
	return 1;
}

static SSL_CTX *make_ctx(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_ciphersuites(
		ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
	SSL_CTX_set_psk_find_session_callback(ctx, find_session);
	SSL_CTX_set_psk_use_session_callback(ctx, use_session);
	return ctx;
}

static void start_library(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
				  "stream");
	if (bio_method == NULL)
		return;
	BIO_meth_set_read_ex(bio_method, bio_read);
	BIO_meth_set_write_ex(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
	server_ctx = make_ctx(TLS_server_method());
	client_ctx = make_ctx(TLS_client_method());
}

/* -------------------------------------------------------------------- bytes */

/* Sends what is in `out`.  Parks. */
static int flush(struct tls_stream *t)
{
	int r = 0;

	while (t->flushing)
		waitq_wait(&t->turn, NSEC_NEVER);
	t->flushing = true;
	while (r == 0 && buffer_len(&t->out) > 0) {
		struct tls_buffer taken = t->out;

		t->out = (struct tls_buffer){ 0 };
		t->lower->write_timeout = t->stream.write_timeout;
		r = stream_write(t->lower, taken.data + taken.begin,
				 buffer_len(&taken));
		/* Kept for the next, unless somebody has begun one. */
		taken.begin = taken.end = 0;
		if (t->out.data == NULL)
			t->out = taken;
		else
			buffer_free(&taken);
	}
	t->flushing = false;
	waitq_wake_one(&t->turn);
	return r;
}

/* More input: a count, 0 at the end, or -errno.  Parks. */
static ssize_t fill(struct tls_stream *t)
{
	ssize_t n;

	if (t->in.size < TLS_IN) { /* none, or what had been read already */
		free(t->in.data);
		t->in.size = 0;
		t->in.data = malloc(TLS_IN);
		if (t->in.data == NULL)
			return -ENOMEM;
		t->in.size = TLS_IN;
	}
	/* OpenSSL takes all there is before it asks for more. */
	t->in.begin = t->in.end = 0;
	t->lower->read_timeout = t->stream.read_timeout;
	n = stream_read(t->lower, t->in.data, t->in.size);
	if (n > 0)
		t->in.end = n;
	return n;
}

/* A call of OpenSSL has failed: 1 when it is to be made again, 0 at the end, or
 * -errno.  Parks. */
static int settle(struct tls_stream *t, int result)
{
	int why = SSL_get_error(t->ssl, result);
	ssize_t n;
	int r = 0;

	if (buffer_len(&t->out) > 0)
		r = flush(t);
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (why != SSL_ERROR_WANT_READ) {
		t->broken = true;
		ERR_clear_error();
		return -EPROTO;
	}
	if (r < 0)
		return r;
	n = fill(t);
	return n > 0 ? 1 : n;
}

static ssize_t tls_readv(struct stream *s, const struct iovec *iov, int n)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);
	size_t total = 0, done;
	int r;

	for (int i = 0; i < n; i++) {
		uint8_t *p = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		while (left > 0) {
			if (t->broken)
				return total > 0 ? (ssize_t)total : -EPROTO;
			ERR_clear_error(); /* others' */
			r = SSL_read_ex(t->ssl, p, left, &done);
			if (r == 1) {
				p += done;
				left -= done;
				total += done;
				continue;
			}
			if (total > 0 && SSL_want_read(t->ssl))
				return total;
			r = settle(t, r);
			if (r <= 0)
				return total > 0 ? (ssize_t)total : r;
		}
	}
	return total;
}

static int tls_wait_readable(struct stream *s, nsec deadline)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	if (t->broken || SSL_pending(t->ssl) > 0 || buffer_len(&t->in) > 0)
		return 0;
	buffer_free(&t->in);
	if (!t->flushing && buffer_len(&t->out) == 0)
		buffer_free(&t->out);
	return stream_wait_readable(t->lower, deadline);
}

static int write_chunk(struct tls_stream *t, struct iovec **iov, int *n)
{
	size_t gathered = 0, done;

	while (*n > 0 && gathered < TLS_CHUNK) {
		if ((*iov)->iov_len == 0) {
			iov_advance(iov, n, 0);
			continue;
		}
		if (t->broken || SSL_write_ex(t->ssl, (*iov)->iov_base,
					      (*iov)->iov_len, &done) != 1) {
			t->broken = true;
			ERR_clear_error();
			return -EPROTO;
		}
		gathered += done;
		iov_advance(iov, n, done);
	}
	return flush(t);
}

static int tls_writev(struct stream *s, struct iovec *iov, int n)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);
	int r = 0;

	while (r == 0 && n > 0)
		r = write_chunk(t, &iov, &n);
	return r;
}

/* ---------------------------------------------------------------- the rest */

static void tls_abort(struct stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	stream_abort(t->lower);
}

static void tls_shutdown_write(struct stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	if (!t->broken) {
		SSL_shutdown(t->ssl);
		flush(t);
	}
	stream_shutdown_write(t->lower);
}

static void tls_close(struct stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	SSL_free(t->ssl);
	buffer_free(&t->in);
	buffer_free(&t->out);
	stream_close(t->lower);
	free(t);
}

static int tls_peer_uid(const struct stream *s, uid_t *uid)
{
	return -ENOTSUP;
}

static void tls_set_keepalive(struct stream *s, nsec interval, nsec patience)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	stream_set_keepalive(t->lower, interval, patience);
}

static void tls_acknowledge(struct stream *s)
{
	struct tls_stream *t = container_of(s, struct tls_stream, stream);

	stream_acknowledge(t->lower);
}

static nsec tls_silence(const struct stream *s)
{
	const struct tls_stream *t =
		container_of(s, const struct tls_stream, stream);

	return stream_silence(t->lower);
}

static const struct stream_ops tls_ops = {
	.readv = tls_readv,
	.wait_readable = tls_wait_readable,
	.writev = tls_writev,
	.abort = tls_abort,
	.shutdown_write = tls_shutdown_write,
	.close = tls_close,
	.peer_uid = tls_peer_uid,
	.set_keepalive = tls_set_keepalive,
	.acknowledge = tls_acknowledge,
	.silence = tls_silence,
};

/* --------------------------------------------------------------- handshake */

static pthread_once_t started = PTHREAD_ONCE_INIT;

static struct tls_stream *tls_new(struct stream *lower, SSL_CTX *ctx)
{
	struct tls_stream *t = calloc(1, sizeof(*t));
	BIO *bio;

	pthread_once(&started, start_library);
	if (t == NULL || ctx == NULL || bio_method == NULL)
		goto fail;
	stream_init(&t->stream, &tls_ops);
	t->stream.local = lower->local;
	t->stream.peer = lower->peer;
	t->lower = lower;
	waitq_init(&t->turn);
	t->ssl = SSL_new(ctx);
	bio = BIO_new(bio_method);
	if (t->ssl == NULL || bio == NULL)
		goto fail;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	return t;
fail:
	if (t != NULL)
		SSL_free(t->ssl);
	free(t);
	stream_close(lower);
	return NULL;
}

/* A handshake that the keys have made fail, as an error of its own: whoever
 * looks for the mistake should not have to look at the protocol. */
static int why_no_handshake(void)
{
	unsigned long e = ERR_peek_error();

	switch (ERR_GET_REASON(e)) {
	case SSL_R_BAD_PSK:
	case SSL_R_BAD_PSK_IDENTITY:
	case SSL_R_BINDER_DOES_NOT_VERIFY:
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
	case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER:
		return -EACCES;
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return -EKEYREJECTED;
	default:
		return -EPROTO;
	}
}

static void note_why(const struct tls_stream *t)
{
	long verdict = SSL_get_verify_result(t->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (t->why == NULL)
		return;
	if (verdict != X509_V_OK)
		snprintf(t->why, TLS_WHY_SIZE, "the server's certificate: %s",
			 X509_verify_cert_error_string(verdict));
	else
		snprintf(t->why, TLS_WHY_SIZE, "TLS: %s",
			 reason ? reason : "the handshake failed");
}

static int shake_hands(struct tls_stream *t, nsec deadline)
{
	for (;;) {
		nsec left = deadline - reactor_now();
		int done, r;

		ERR_clear_error(); /* others' */
		done = SSL_do_handshake(t->ssl);
		r = 0;
		if (done != 1 && SSL_get_error(t->ssl, done) == SSL_ERROR_SSL) {
			r = why_no_handshake();
			note_why(t);
		}
		if (deadline != NSEC_NEVER) {
			if (left <= 0)
				return -ETIMEDOUT;
			t->stream.read_timeout = left;
			t->stream.write_timeout = left;
		}
		if (done == 1)
			return flush(t);
		if (r < 0) {
			flush(t); /* the alert */
			ERR_clear_error();
			return r;
		}
		r = settle(t, done);
		if (r <= 0)
			return r == 0 ? -ECONNRESET : r;
	}
}

static int start(struct tls_stream *t, nsec deadline, struct stream **out)
{
	int r = shake_hands(t, deadline);

	t->key = NULL;
	t->arg = NULL;
	t->why = NULL;
	if (r < 0) {
		stream_close(&t->stream);
		return r;
	}
	stream_set_timeouts(&t->stream, NSEC_NEVER, NSEC_NEVER);
	*out = &t->stream;
	return 0;
}

static int start_server(struct tls_stream *t, const void *already, size_t len,
			nsec deadline, struct stream **out)
{
	SSL_set_accept_state(t->ssl);
	if (!buffer_append(&t->in, already, len)) {
		stream_close(&t->stream);
		return -ENOMEM;
	}
	return start(t, deadline, out);
}

int tls_accept(struct stream *lower, const void *already, size_t len,
	       tls_find_fn *find, void *arg, nsec deadline, struct stream **out)
{
	struct tls_stream *t;

	pthread_once(&started, start_library);
	t = tls_new(lower, server_ctx);
	if (t == NULL)
		return -ENOMEM;
	t->find = find;
	t->arg = arg;
	return start_server(t, already, len, deadline, out);
}

int tls_connect(struct stream *lower, const struct tls_key *key, nsec deadline,
		struct stream **out)
{
	struct tls_stream *t;

	pthread_once(&started, start_library);
	t = tls_new(lower, client_ctx);
	if (t == NULL)
		return -ENOMEM;
	SSL_set_connect_state(t->ssl);
	use_cipher(t->ssl, key->sha384);
	t->key = key;
	return start(t, deadline, out);
}

/* ------------------------------------------------------------ certificates */

int tls_accept_certificate(struct stream *lower, const void *already,
			   size_t len, const struct tls_certificate *own,
			   nsec deadline, struct stream **out)
{
	struct tls_stream *t = tls_new(lower, tls_certificate_ctx(own));

	if (t == NULL)
		return -ENOMEM;
	return start_server(t, already, len, deadline, out);
}

static bool set_host(SSL *ssl, const char *host)
{
	struct in6_addr literal;

	if (host == NULL)
		return true;
	if (inet_pton(AF_INET, host, &literal) == 1 ||
	    inet_pton(AF_INET6, host, &literal) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
						     host) == 1;
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool set_up_client(SSL *ssl, const struct tls_client *client)
{
	SSL_set_connect_state(ssl);
	return set_host(ssl, client->host) &&
	       (client->certificate == NULL ||
		(SSL_use_certificate(ssl, client->certificate) == 1 &&
		 SSL_use_PrivateKey(ssl, client->key) == 1));
}

int tls_connect_certificate(struct stream *lower,
			    const struct tls_client *client, nsec deadline,
			    char why[TLS_WHY_SIZE], struct stream **out)
{
	struct tls_stream *t = tls_new(lower, tls_trust_ctx(client->trust));

	why[0] = '\0';
	if (t == NULL)
		return -ENOMEM;
	if (!set_up_client(t->ssl, client)) {
		ERR_clear_error();
		stream_close(&t->stream);
		return -EINVAL;
	}
	t->why = why;
	return start(t, deadline, out);
}

int tls_peer_certificate(const struct stream *s, uint8_t **der)
{
	const struct tls_stream *t =
		container_of(s, const struct tls_stream, stream);
	X509 *x = SSL_get0_peer_certificate(t->ssl);

	*der = NULL;
	return x == NULL ? 0 : i2d_X509(x, der);
}
