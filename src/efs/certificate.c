/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end of claims.h: it says who it is. */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aws/sign.h"
#include "base/util.h"
#include "efs/claims.h"

enum {
	/* As the clock of the server may differ, and as long as it takes until
	 * one is made again: one for each connection. */
	EARLIER_SECONDS = 15 * 60,
	LATER_SECONDS = 3 * 3600,

	UTF8_STRING = 0x0c,
	OCTET_STRING = 0x04,
	UTC_TIME = 0x17,
	SEQUENCE = 0x30,
	CONTEXT_0 = 0xa0,
};

/* ---------------------------------------------------------------- signature */

static bool hash_key(EVP_PKEY *key, uint8_t hash[SHA_DIGEST_LENGTH])
{
	X509_PUBKEY *public = NULL;
	const uint8_t *bits;
	int len;
	bool ok = X509_PUBKEY_set(&public, key) == 1 &&
		  X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, public) == 1;

	if (ok)
		SHA1(bits, (size_t)len, hash);
	X509_PUBKEY_free(public);
	return ok;
}

bool mount_claims_sign(struct mount_claims *c, EVP_PKEY *key,
		       const char *secret, const char *region, time_t now)
{
	struct sigv4_scope scope = { .service = MOUNT_CLAIMS_SERVICE };
	uint8_t hash[SHA_DIGEST_LENGTH];
	char text[MOUNT_STRING_SIZE];
	struct tm tm;

	if (!hash_key(key, hash))
		return false;
	sigv4_hex(hash, sizeof(hash), c->public_key);
	if (c->key[0] == '\0')
		return true;
	gmtime_r(&now, &tm);
	strftime(c->date, sizeof(c->date), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(scope.date, sizeof(scope.date), "%.8s", c->date);
	snprintf(scope.region, sizeof(scope.region), "%s", region);
	if (!mount_claims_string(c, region, text))
		return false;
	sigv4_sign(secret, &scope, text, c->signature);
	return true;
}

/* ---------------------------------------------------------------------- DER */

struct out {
	uint8_t data[MOUNT_CLAIMS_TOKEN + 512];
	size_t len;
};

/* An element; everything here fits into two bytes of length. */
static void put(struct out *o, int tag, const void *content, size_t len)
{
	uint8_t *p = o->data + o->len;

	*p++ = (uint8_t)tag;
	if (len >= 256) {
		*p++ = 0x82;
		*p++ = (uint8_t)(len >> 8);
	} else if (len >= 128) {
		*p++ = 0x81;
	}
	*p++ = (uint8_t)len;
	memcpy(p, content, len);
	o->len = (size_t)(p - o->data) + len;
}

static void put_text(struct out *o, int tag, const char *text)
{
	put(o, tag, text, strlen(text));
}

static void put_iam(struct out *o, const struct mount_claims *c)
{
	struct out fields = {}, token = {};
	char date[14];

	snprintf(date, sizeof(date), "%.6s%.6sZ", c->date + 2, c->date + 9);
	put_text(&fields, UTF8_STRING, c->key);
	put_text(&fields, OCTET_STRING, c->signature);
	put_text(&fields, UTC_TIME, date);
	put_text(&token, UTF8_STRING, c->token);
	if (c->token[0])
		put(&fields, CONTEXT_0, token.data, token.len);
	put(o, SEQUENCE, fields.data, fields.len);
}

static void put_program(struct out *o)
{
	struct out fields = {};

	put_text(&fields, UTF8_STRING, MOUNT_CLAIMS_PROGRAM);
	put_text(&fields, UTF8_STRING, HAWSER_VERSION);
	put(o, SEQUENCE, fields.data, fields.len);
}

/* -------------------------------------------------------------- certificate */

/* Its content is used up. */
static bool extend(X509 *x, ASN1_OBJECT *object, struct out *content)
{
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e = NULL;
	bool ok = data != NULL && object != NULL &&
		  ASN1_OCTET_STRING_set(data, content->data,
					(int)content->len) == 1;

	if (ok)
		e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, data);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(object);
	content->len = 0;
	return ok;
}

static bool extend_all(X509 *x, const struct mount_claims *c, EVP_PKEY *key)
{
	uint8_t hash[SHA_DIGEST_LENGTH];
	struct out o = {};
	bool ok = hash_key(key, hash);

	put(&o, OCTET_STRING, hash, sizeof(hash));
	ok = ok && extend(x, OBJ_nid2obj(NID_subject_key_identifier), &o);
	if (c->access_point[0]) {
		put_text(&o, UTF8_STRING, c->access_point);
		ok = ok && extend(x, OBJ_txt2obj(MOUNT_CLAIMS_ARC "1", 1), &o);
	}
	if (c->key[0]) {
		put_iam(&o, c);
		ok = ok && extend(x, OBJ_txt2obj(MOUNT_CLAIMS_ARC "2", 1), &o);
	}
	if (c->fs[0]) {
		put_text(&o, UTF8_STRING, c->fs);
		ok = ok && extend(x, OBJ_txt2obj(MOUNT_CLAIMS_ARC "3", 1), &o);
	}
	put_program(&o);
	return ok && extend(x, OBJ_txt2obj(MOUNT_CLAIMS_ARC "4", 1), &o);
}

static bool set_name(X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	if (host[0] == '\0')
		strcpy(host, "localhost");
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const uint8_t *)host, -1, -1,
					  0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

X509 *mount_claims_certificate(const struct mount_claims *c, EVP_PKEY *key,
			       time_t now)
{
	X509 *x = X509_new();

	if (x != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 0) == 1 &&
	    X509_time_adj_ex(X509_getm_notBefore(x), 0, -EARLIER_SECONDS,
			     &now) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), 0, LATER_SECONDS, &now) !=
		    NULL &&
	    set_name(x) && X509_set_pubkey(x, key) == 1 &&
	    extend_all(x, c, key) && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	ERR_clear_error();
	X509_free(x);
	return NULL;
}
