/* SPDX-License-Identifier: Apache-2.0 */
#include "efs/secure.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/aws.h"
#include "base/addr.h"
#include "base/util.h"
#include "efs/claims.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"
#include "reactor/tls.h"

enum { KEY_BITS = 3072 }; /* amazon-efs-utils' */

struct secure {
	struct aws_client *aws; /* NULL: no IAM */
	struct tls_trust *trust;
	EVP_PKEY *key;
	struct mount_claims claims; /* all that stays the same */
	char *host;
	bool any_host;
};

__attribute__((format(printf, 3, 4))) static int fail(
	char err[SECURE_TEXT_SIZE], int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, SECURE_TEXT_SIZE, format, args);
	va_end(args);
	return r;
}

/* ------------------------------------------------------------------ beginning
 */

static int load_trust(struct secure *s, const struct secure_options *o,
		      char err[SECURE_TEXT_SIZE])
{
	int r = o->verify ? tls_trust_load(o->ca_file, &s->trust)
			  : tls_trust_all(&s->trust);

	if (r < 0)
		return fail(err, r, "cafile %s: %s",
			    o->ca_file ? o->ca_file : "of the system",
			    r == -EINVAL ? "there is no certificate in it"
					 : strerror(-r));
	return 0;
}

static int open_aws(struct secure *s, const struct secure_options *o,
		    char err[SECURE_TEXT_SIZE])
{
	struct aws_options options = {
		.region = o->region,
		.profile = o->profile,
		.credentials_file = o->credentials_file,
	};
	struct aws_error why;
	struct aws_key key;
	int r;

	if (!o->iam)
		return 0;
	if (s->claims.fs[0] == '\0')
		return fail(err, -EINVAL,
			    "iam signs for a file system: mount "
			    "fs-ID:/PATH, with addr=ADDRESS if need be");
	r = aws_open(&s->aws, &options, &why);
	if (r < 0)
		return fail(err, r, "%s", why.message);
	r = aws_key_get(s->aws, &key, &why);
	aws_key_free(&key);
	return r < 0 ? fail(err, -EACCES, "iam: %s", why.message) : 0;
}

static int begin(struct secure *s, const struct secure_options *o,
		 char err[SECURE_TEXT_SIZE])
{
	int r;

	if (strlen(o->fs) >= sizeof(s->claims.fs) ||
	    (o->access_point &&
	     strlen(o->access_point) >= sizeof(s->claims.access_point)))
		return fail(err, -EINVAL, "an id is too long");
	strcpy(s->claims.fs, o->fs);
	if (o->access_point != NULL)
		strcpy(s->claims.access_point, o->access_point);
	s->any_host = !o->verify;
	if (o->host != NULL && (s->host = strdup(o->host)) == NULL)
		return fail(err, -ENOMEM, "no memory");
	r = load_trust(s, o, err);
	if (r == 0)
		r = open_aws(s, o, err);
	if (r < 0)
		return r;
	s->key = EVP_RSA_gen(KEY_BITS);
	return s->key ? 0 : fail(err, -ENOMEM, "no key can be made");
}

int secure_create(const struct secure_options *o, struct secure **out,
		  char err[SECURE_TEXT_SIZE])
{
	struct secure *s = calloc(1, sizeof(*s));
	int r = s ? begin(s, o, err) : fail(err, -ENOMEM, "no memory");

	if (r < 0) {
		secure_destroy(s);
		return r;
	}
	*out = s;
	return 0;
}

void secure_destroy(struct secure *s)
{
	if (s == NULL)
		return;
	if (s->aws != NULL)
		aws_close(s->aws);
	tls_trust_free(s->trust);
	EVP_PKEY_free(s->key);
	free(s->host);
	free(s);
}

/* ---------------------------------------------------------------- connecting
 */

struct order {
	struct secure *s;
	X509 *certificate;
	char *err;
	size_t size;
};

/* The key of now, which may be another than a moment ago. */
static int take_key(const struct secure *s, struct mount_claims *c,
		    struct aws_key *key, struct order *o)
{
	struct aws_error why;

	*key = (struct aws_key){ 0 };
	if (s->aws == NULL)
		return 0;
	if (aws_key_get(s->aws, key, &why) < 0) {
		snprintf(o->err, o->size, "iam: %s", why.message);
		return -EACCES;
	}
	if (strlen(key->id) >= sizeof(c->key) ||
	    (key->token && strlen(key->token) >= sizeof(c->token))) {
		snprintf(o->err, o->size, "iam: the access key is too long");
		return -EINVAL;
	}
	strcpy(c->key, key->id);
	strcpy(c->token, key->token ? key->token : "");
	return 0;
}

/* Reads the key from its file and signs twice: not for a reactor. */
static int make_certificate(void *arg)
{
	struct order *o = arg;
	const struct secure *s = o->s;
	struct mount_claims c = s->claims;
	struct aws_key key;
	time_t now = time(NULL);
	int r = take_key(s, &c, &key, o);

	if (r == 0 && mount_claims_sign(&c, s->key, key.secret,
					s->aws ? aws_region(s->aws) : "", now))
		o->certificate = mount_claims_certificate(&c, s->key, now);
	aws_key_free(&key);
	return r == 0 && o->certificate == NULL ? -ENOMEM : r;
}

int secure_connect(void *secure, const struct addr *to, struct stream *lower,
		   nsec deadline, struct stream **out, char *err, size_t size)
{
	struct secure *s = secure;
	struct order order = { .s = s, .err = err, .size = size };
	char address[ADDR_TEXT_MAX], why[TLS_WHY_SIZE];
	struct tls_client client = { .trust = s->trust, .key = s->key };
	int r = offload(make_certificate, &order);

	*out = NULL;
	if (r < 0) {
		stream_close(lower);
		return r;
	}
	addr_format_host(to, address);
	if (!s->any_host)
		client.host = s->host ? s->host : address;
	client.certificate = order.certificate;
	r = tls_connect_certificate(lower, &client, deadline, why, out);
	X509_free(order.certificate);
	if (r == -EKEYREJECTED)
		snprintf(err, size,
			 "%s (expected: %s, and one that leads to those of "
			 "cafile)",
			 why, client.host ? client.host : "any");
	else if (r == -ECONNRESET || r == -EPIPE)
		snprintf(err, size,
			 "it ends the TLS handshake: does it have TLS, and do "
			 "its "
			 "security groups let this host in?");
	else if (r < 0)
		snprintf(err, size, "%s", why);
	return r;
}
