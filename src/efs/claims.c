/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate of a client of amazon-efs-utils, as it was found in
 * certificates that it made (no specification of it is public):
 *
 *	1.3.6.1.4.1.4843.7.1  access point, UTF8String
 *	1.3.6.1.4.1.4843.7.2  SEQUENCE of key id (UTF8String), signature (OCTET
 *			      STRING of hex digits), time (UTCTime), and [0]
 *			      session token (UTF8String)
 *	1.3.6.1.4.1.4843.7.3  file system, UTF8String
 *	1.3.6.1.4.1.4843.7.4  SEQUENCE of where it runs ("unknown", "k8s"; ours:
 *			      "hawser") and version (UTF8String)
 *
 * The signature is Signature Version 4 over a request that is never sent:
 * "Connect" to the file system as host, with the SHA-1 of the certificate's
 * public key as a parameter.
 */
#include "efs/claims.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sign.h"
#include "base/percent.h"
#include "base/util.h"

/* ------------------------------------------------------------------- ASN.1 */

/* A piece of DER that is being read; `left` < 0: it was malformed. */
struct der {
	const uint8_t *p;
	long left;
};

/* The next element must have that tag: its content. */
static struct der take(struct der *d, int class, int tag)
{
	const uint8_t *p = d->p;
	struct der content = { NULL, -1 };
	int found, found_class, r;
	long len;

	if (d->left <= 0)
		goto bad;
	r = ASN1_get_object(&p, &len, &found, &found_class, d->left);
	if ((r & 0x81) || found != tag || found_class != class)
		goto bad; /* malformed, or of indefinite length */
	content = (struct der){ p, len };
	d->left -= p - d->p + len;
	d->p = p + len;
	return content;
bad:
	ERR_clear_error();
	d->left = -1;
	return content;
}

/* Ids, hex digits, base64: what is none of these would get into a log. */
static bool is_word(struct der d)
{
	for (long i = 0; i < d.left; i++)
		if (d.p[i] <= ' ' || d.p[i] > '~')
			return false;
	return d.left > 0;
}

static bool text_of(struct der d, char *out, size_t size)
{
	if (!is_word(d) || (size_t)d.left >= size)
		return false;
	memcpy(out, d.p, d.left);
	out[d.left] = '\0';
	return true;
}

static bool take_text(struct der *d, int tag, char *out, size_t size)
{
	return text_of(take(d, V_ASN1_UNIVERSAL, tag), out, size);
}

/* "yymmddhhmmssZ" as SigV4 has it. */
static bool take_time(struct der *d, char out[17])
{
	char t[32];

	if (!take_text(d, V_ASN1_UTCTIME, t, sizeof(t)) || strlen(t) != 13 ||
	    strspn(t, "0123456789") != 12 || t[12] != 'Z')
		return false;
	snprintf(out, 17, "20%.6sT%.6sZ", t, t + 6);
	return true;
}

static bool read_iam(struct der d, struct mount_claims *out)
{
	struct der s = take(&d, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE), token;

	if (!take_text(&s, V_ASN1_UTF8STRING, out->key, sizeof(out->key)) ||
	    !take_text(&s, V_ASN1_OCTET_STRING, out->signature,
		       sizeof(out->signature)) ||
	    !take_time(&s, out->date))
		return false;
	if (s.left == 0)
		return true;
	token = take(&s, V_ASN1_CONTEXT_SPECIFIC, 0);
	return take_text(&token, V_ASN1_UTF8STRING, out->token,
			 sizeof(out->token));
}

/* The content of the extension `oid`; left < 0: it is not there. */
static struct der extension(X509 *x, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(x, object, -1);
	const ASN1_OCTET_STRING *data;

	ASN1_OBJECT_free(object);
	if (at < 0)
		return (struct der){ NULL, -1 };
	data = X509_EXTENSION_get_data(X509_get_ext(x, at));
	return (struct der){ ASN1_STRING_get0_data(data),
			     ASN1_STRING_length(data) };
}

/* Absent is fine. */
static bool read_text(X509 *x, const char *oid, char *out, size_t size)
{
	struct der d = extension(x, oid);

	return d.left < 0 || take_text(&d, V_ASN1_UTF8STRING, out, size);
}

/* Nothing depends on it that would be worth a refusal. */
static void read_program(X509 *x, struct mount_claims *out)
{
	struct der d = extension(x, MOUNT_CLAIMS_ARC "4"), s;

	s = take(&d, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE);
	if (!take_text(&s, V_ASN1_UTF8STRING, out->program,
		       sizeof(out->program)))
		out->program[0] = '\0';
}

static bool read_public_key(X509 *x, char hex[41])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len;

	if (X509_pubkey_digest(x, EVP_sha1(), hash, &len) != 1 || len != 20)
		return false;
	sigv4_hex(hash, len, hex);
	return true;
}

static bool read_times(X509 *x, struct mount_claims *out)
{
	struct tm begin, end;

	if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &begin) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x), &end) != 1)
		return false;
	out->begin = timegm(&begin);
	out->end = timegm(&end);
	return true;
}

static const char *read_claims(X509 *x, struct mount_claims *out)
{
	struct der iam = extension(x, MOUNT_CLAIMS_ARC "2");

	if (!read_text(x, MOUNT_CLAIMS_ARC "3", out->fs, sizeof(out->fs)))
		return "its file system is malformed";
	if (!read_text(x, MOUNT_CLAIMS_ARC "1", out->access_point,
		       sizeof(out->access_point)))
		return "its access point is malformed";
	if (iam.left >= 0 && !read_iam(iam, out))
		return "its signature is malformed";
	if (iam.left >= 0 && out->fs[0] == '\0')
		return "it is signed, and names no file system";
	if (!read_times(x, out))
		return "its validity is malformed";
	if (!read_public_key(x, out->public_key))
		return "it has no key";
	read_program(x, out);
	return NULL;
}

bool mount_claims_read(const uint8_t *der, size_t len, struct mount_claims *out,
		       const char **fault)
{
	X509 *x = d2i_X509(NULL, &der, (long)len);

	memset(out, 0, sizeof(*out));
	*fault = x != NULL ? read_claims(x, out) : "it is malformed";
	X509_free(x);
	ERR_clear_error();
	return *fault == NULL;
}

/* -------------------------------------------------------------------- time */

static bool is_within(time_t t, time_t begin, time_t end)
{
	return t >= begin - MOUNT_CLAIMS_SKEW && t <= end + MOUNT_CLAIMS_SKEW;
}

bool mount_claims_current(const struct mount_claims *c, time_t now)
{
	struct tm tm = { 0 };
	time_t made;

	if (strptime(c->date, "%Y%m%dT%H%M%SZ", &tm) == NULL)
		return false;
	made = timegm(&tm);
	return made <= now + MOUNT_CLAIMS_SKEW &&
	       made >= now - MOUNT_CLAIMS_SECONDS &&
	       is_within(made, c->begin, c->end) &&
	       is_within(now, c->begin, c->end);
}

/* --------------------------------------------------------------- signature */

/* A value of the query. */
static void quote(const char *text, FILE *out)
{
	char *quoted = malloc(3 * strlen(text) + 1);

	if (quoted == NULL)
		return; /* the signature will not be right, then */
	percent_encode(quoted, text, strlen(text), "");
	fputs(quoted, out);
	free(quoted);
}

static void write_request(const struct mount_claims *c, const char *region,
			  FILE *out)
{
	fprintf(out, "GET\n/\nAction=Connect&PublicKeyHash=%s", c->public_key);
	fputs("&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=", out);
	quote(c->key, out);
	fprintf(out, "%%2F%.8s%%2F", c->date);
	quote(region, out);
	fputs("%2F" MOUNT_CLAIMS_SERVICE "%2Faws4_request", out);
	fprintf(out, "&X-Amz-Date=%s&X-Amz-Expires=%d", c->date,
		MOUNT_CLAIMS_SECONDS);
	if (c->token[0]) {
		fputs("&X-Amz-Security-Token=", out);
		quote(c->token, out);
	}
	/* No empty line behind the headers, unlike everywhere else. */
	fprintf(out, "&X-Amz-SignedHeaders=host\nhost:%s\nhost\n", c->fs);
	fputs("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
	      "5",
	      out); /* of nothing */
}

bool mount_claims_string(const struct mount_claims *c, const char *region,
			 char text[MOUNT_STRING_SIZE])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	char hex[2 * SIGV4_HASH + 1];
	auto_free char *request = NULL;
	size_t size;
	FILE *out = open_memstream(&request, &size);
	unsigned len;

	if (out == NULL)
		return false;
	write_request(c, region, out);
	if (fclose(out) != 0 ||
	    EVP_Digest(request, size, hash, &len, EVP_sha256(), NULL) != 1)
		return false;
	sigv4_hex(hash, len, hex);
	snprintf(text, MOUNT_STRING_SIZE,
		 "AWS4-HMAC-SHA256\n%s\n%.8s/%s/" MOUNT_CLAIMS_SERVICE
		 "/aws4_request\n%s",
		 c->date, c->date, region, hex);
	return true;
}
