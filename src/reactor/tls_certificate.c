/* SPDX-License-Identifier: Apache-2.0 */
/* A server's certificate, as OpenSSL wants it. */
#include "reactor/tls_certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "reactor/tls.h"

struct tls_certificate {
	SSL_CTX *ctx;
};

SSL_CTX *tls_certificate_ctx(const struct tls_certificate *c)
{
	return c->ctx;
}

/* Whoever signed it, it is the client's. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
	return 1;
}

/* RFC 9289 5.1: NFS over TLS is "sunrpc"; who names nothing gets on, too. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
			   unsigned char *len, const unsigned char *in,
			   unsigned n, void *arg)
{
	static const unsigned char ours[] = "\6sunrpc";

	if (SSL_select_next_proto((unsigned char **)out, len, ours,
				  sizeof(ours) - 1, in,
				  n) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_NOACK;
}

static bool set_up(SSL_CTX *ctx, const char *certificate, const char *key)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* No sessions are resumed: a client shows his certificate each time. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
	       SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(ctx) == 1;
}

int tls_certificate_load(const char *certificate, const char *key,
			 struct tls_certificate **out)
{
	struct tls_certificate *c;

	if (access(certificate, R_OK) < 0 || access(key, R_OK) < 0)
		return -errno;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->ctx = SSL_CTX_new(TLS_server_method());
	if (c->ctx == NULL || !set_up(c->ctx, certificate, key)) {
		ERR_clear_error();
		tls_certificate_free(c);
		return -EINVAL;
	}
	*out = c;
	return 0;
}

void tls_certificate_free(struct tls_certificate *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}
