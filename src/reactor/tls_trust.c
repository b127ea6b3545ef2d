/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a client believes, as OpenSSL wants it. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "reactor/tls.h"
#include "reactor/tls_certificate.h"

struct tls_trust {
	SSL_CTX *ctx;
};

SSL_CTX *tls_trust_ctx(const struct tls_trust *t)
{
	return t->ctx;
}

static struct tls_trust *create(int verify)
{
	struct tls_trust *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL) {
		free(t);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	/* No sessions are resumed: each connection shows its certificate. */
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					    SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS |
					 SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_verify(t->ctx, verify, NULL);
	return t;
}

int tls_trust_load(const char *file, struct tls_trust **out)
{
	struct tls_trust *t;
	int ok;

	if (file != NULL && access(file, R_OK) < 0)
		return -errno;
	t = create(SSL_VERIFY_PEER);
	if (t == NULL)
		return -ENOMEM;
	ok = file ? SSL_CTX_load_verify_file(t->ctx, file)
		  : SSL_CTX_set_default_verify_paths(t->ctx);
	if (ok != 1) {
		ERR_clear_error();
		tls_trust_free(t);
		return -EINVAL;
	}
	*out = t;
	return 0;
}

int tls_trust_all(struct tls_trust **out)
{
	*out = create(SSL_VERIFY_NONE);
	return *out ? 0 : -ENOMEM;
}

void tls_trust_free(struct tls_trust *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}
