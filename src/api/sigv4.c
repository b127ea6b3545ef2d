/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	signature = HMAC(key of the day, region and service, string to sign)
 *	string to sign = algorithm, time, scope, SHA-256(canonical request)
 *
 * read_signature() takes apart what came, from header or query; check_time()
 * and check_signature() judge it.
 */
#include "api/sigv4.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/sigv4_canonical.h"
#include "base/util.h"

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* A signature as it came. */
struct signature {
	const struct sigv4_request *r;
	struct sigv4_scope *scope;
	char *text; /* of the error */
	bool presigned;
	char date[17]; /* 20260131T235959Z */
	time_t time;
	long expires; /* seconds, of a presigned one */
	char headers[SIGV4_NAMES_SIZE];
	char hex[SIGV4_HEX_SIZE];
};

__attribute__((format(printf, 3, 4))) static enum sigv4_verdict say(
	const struct signature *s, enum sigv4_verdict verdict,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->text, SIGV4_TEXT, format, args);
	va_end(args);
	return verdict;
}

/* ----------------------------------------------- what the request says */

static const char *header(const struct sigv4_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

static bool copy_part(char *to, size_t size, const char *from, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* Words of a scope get into ARNs and messages. */
static bool copy_word(char *to, size_t size, const char *from, size_t len)
{
	return copy_part(to, size, from, len) &&
	       strspn(to, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			  "0123456789-_.") == len;
}

/* AKIDEXAMPLE/20260131/us-east-1/elasticfilesystem/aws4_request */
static bool read_credential(struct sigv4_scope *s, const char *text, size_t len)
{
	struct {
		char *to;
		size_t size;
	} parts[] = {
		{ s->key, sizeof(s->key) },
		{ s->date, sizeof(s->date) },
		{ s->region, sizeof(s->region) },
		{ s->service, sizeof(s->service) },
	};
	const char *end = text + len, *slash;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		slash = memchr(text, '/', end - text);
		if (slash == NULL ||
		    !copy_word(parts[i].to, parts[i].size, text, slash - text))
			return false;
		text = slash + 1;
	}
	return (size_t)(end - text) == strlen("aws4_request") &&
	       memcmp(text, "aws4_request", end - text) == 0;
}

static bool read_time(struct signature *s, const char *text)
{
	struct tm tm = {};

	if (strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z' ||
	    sscanf(text, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	s->time = timegm(&tm);
	strcpy(s->date, text);
	return true;
}

/* The value of a part of the header: Credential=…, SignedHeaders=… */
static const char *part(const char *value, const char *name, size_t *len)
{
	size_t n = strlen(name);

	while (*value) {
		value += strspn(value, ", \t");
		*len = strcspn(value, ", \t");
		if (*len > n && strncmp(value, name, n) == 0) {
			*len -= n;
			return value + n;
		}
		value += *len;
	}
	return NULL;
}

static enum sigv4_verdict read_header(struct signature *s, const char *value)
{
	const char *credential, *headers, *signature, *date;
	size_t credential_len, headers_len, len;

	value += strlen(algorithm);
	credential = part(value, "Credential=", &credential_len);
	headers = part(value, "SignedHeaders=", &headers_len);
	signature = part(value, "Signature=", &len);
	if (credential == NULL || headers == NULL || signature == NULL)
		return say(s, SIGV4_INCOMPLETE,
			   "Authorization header requires '%s' parameter.",
			   credential == NULL ? "Credential"
			   : headers == NULL  ? "SignedHeaders"
					      : "Signature");
	if (!read_credential(s->scope, credential, credential_len))
		return say(s, SIGV4_INCOMPLETE,
			   "Credential must have exactly 5 slash-delimited "
			   "elements, e.g. keyid/date/region/service/term.");
	if (!copy_part(s->headers, sizeof(s->headers), headers, headers_len) ||
	    !copy_part(s->hex, sizeof(s->hex), signature, len))
		return say(s, SIGV4_INCOMPLETE,
			   "The Authorization header is malformed.");
	date = header(s->r, "x-amz-date");
	if (date == NULL)
		date = header(s->r, "date");
	if (date == NULL || !read_time(s, date))
		return say(s, SIGV4_INCOMPLETE,
			   "Authorization header requires existence of either "
			   "a 'X-Amz-Date' or a 'Date' header.");
	return SIGV4_VALID;
}

/* Values of pairs are encoded, which of these only concerns '/' and ';'. */
static bool take(const struct sigv4_pairs *q, const char *name, char *to,
		 size_t size)
{
	const char *value = sigv4_pairs_find(q, name);

	if (value == NULL || strlen(value) >= size)
		return false;
	strcpy(to, value);
	sigv4_unescape(to, false);
	return true;
}

static enum sigv4_verdict read_query(struct signature *s,
				     const struct sigv4_pairs *q)
{
	char credential[4 * SIGV4_WORD_MAX], date[32], expires[16];
	char *end;

	s->presigned = true;
	if (!take(q, "X-Amz-Credential", credential, sizeof(credential)) ||
	    !take(q, "X-Amz-Date", date, sizeof(date)) ||
	    !take(q, "X-Amz-Expires", expires, sizeof(expires)) ||
	    !take(q, "X-Amz-SignedHeaders", s->headers, sizeof(s->headers)) ||
	    !take(q, "X-Amz-Signature", s->hex, sizeof(s->hex)))
		return say(s, SIGV4_INCOMPLETE,
			   "AWS query-string parameters must include "
			   "'X-Amz-Algorithm', 'X-Amz-Credential', "
			   "'X-Amz-Signature', 'X-Amz-SignedHeaders', "
			   "'X-Amz-Date' and 'X-Amz-Expires'.");
	if (!read_credential(s->scope, credential, strlen(credential)))
		return say(s, SIGV4_INCOMPLETE,
			   "Credential must have exactly 5 slash-delimited "
			   "elements, e.g. keyid/date/region/service/term.");
	s->expires = strtol(expires, &end, 10);
	if (end == expires || *end || s->expires < 1 ||
	    s->expires > SIGV4_EXPIRES_MAX)
		return say(s, SIGV4_INCOMPLETE,
			   "X-Amz-Expires must be a number of seconds from 1 "
			   "to %d.",
			   SIGV4_EXPIRES_MAX);
	if (!read_time(s, date))
		return say(s, SIGV4_INCOMPLETE,
			   "X-Amz-Date must be formatted as "
			   "20260131T235959Z.");
	return SIGV4_VALID;
}

static unsigned count(const struct sigv4_request *r, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		n += strcasecmp(r->headers[i].name, name) == 0;
	return n;
}

static enum sigv4_verdict read_signature(struct signature *s,
					 const struct sigv4_pairs *q)
{
	const char *authorization = header(s->r, "authorization");

	if (count(s->r, "authorization") > 1)
		return say(s, SIGV4_INCOMPLETE,
			   "A request has one Authorization header.");
	if (authorization != NULL) {
		if (strncmp(authorization, algorithm, strlen(algorithm)) == 0)
			return read_header(s, authorization);
		return say(s, SIGV4_INCOMPLETE,
			   "Unsupported AWS 'algorithm': '%.*s'.",
			   (int)strnlen(authorization, 32), authorization);
	}
	if (sigv4_pairs_find(q, "X-Amz-Algorithm") == NULL)
		return say(s, SIGV4_UNSIGNED,
			   "Request is missing Authentication Token");
	if (strcmp(sigv4_pairs_find(q, "X-Amz-Algorithm"), algorithm) != 0)
		return say(s, SIGV4_INCOMPLETE,
			   "Unsupported AWS 'algorithm': '%.32s'.",
			   sigv4_pairs_find(q, "X-Amz-Algorithm"));
	return read_query(s, q);
}

/* --------------------------------------------------------------- judging */

static void format_time(time_t t, char text[17])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, 17, "%Y%m%dT%H%M%SZ", &tm);
}

static enum sigv4_verdict check_time(const struct signature *s)
{
	time_t now = s->r->now;
	char limit[17], clock[17];

	format_time(now, clock);
	if (strncmp(s->scope->date, s->date, 8) != 0)
		return say(s, SIGV4_MISMATCH,
			   "Date in Credential scope does not match YYYYMMDD "
			   "from ISO-8601 version of date from HTTP: '%s' != "
			   "'%.8s', from '%s'.",
			   s->scope->date, s->date, s->date);
	if (s->time > now + SIGV4_SKEW) {
		format_time(now + SIGV4_SKEW, limit);
		return say(s, SIGV4_EXPIRED,
			   "Signature not yet current: %s is still later than "
			   "%s (%s + 5 min.)",
			   s->date, limit, clock);
	}
	if (s->presigned && s->time + s->expires < now)
		return say(s, SIGV4_EXPIRED,
			   "Signature expired: %s + %ld s is now earlier than "
			   "%s",
			   s->date, s->expires, clock);
	if (!s->presigned && s->time < now - SIGV4_SKEW) {
		format_time(now - SIGV4_SKEW, limit);
		return say(s, SIGV4_EXPIRED,
			   "Signature expired: %s is now earlier than %s (%s - "
			   "5 min.)",
			   s->date, limit, clock);
	}
	return SIGV4_VALID;
}

static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ";"), list += *list == ';')
		if (strncasecmp(list, name, len) == 0 &&
		    (list[len] == ';' || list[len] == '\0'))
			return true;
	return false;
}

/* What changes the meaning of a request has to be signed. */
static enum sigv4_verdict check_headers(const struct signature *s)
{
	const struct sigv4_request *r = s->r;

	if (!is_listed(s->headers, "host"))
		return say(s, SIGV4_MISMATCH,
			   "'Host' or ':authority' must be a 'SignedHeader' in "
			   "the AWS Authorization.");
	for (size_t i = 0; i < r->n_headers; i++)
		if (strncasecmp(r->headers[i].name, "x-amz-", 6) == 0 &&
		    !is_listed(s->headers, r->headers[i].name))
			return say(s, SIGV4_MISMATCH,
				   "'%.64s' must be a 'SignedHeader' in the "
				   "AWS Authorization.",
				   r->headers[i].name);
	return SIGV4_VALID;
}

static void sign(const struct signature *s, const char *secret,
		 const uint8_t request[SIGV4_HASH], char hex[SIGV4_HEX_SIZE])
{
	const struct sigv4_scope *scope = s->scope;
	char text[512];

	sigv4_hex(request, SIGV4_HASH, hex);
	snprintf(text, sizeof(text), "%s\n%s\n%s/%s/%s/aws4_request\n%s",
		 algorithm, s->date, scope->date, scope->region, scope->service,
		 hex);
	sigv4_sign(secret, scope, text, hex);
}

static enum sigv4_verdict check_signature(const struct signature *s,
					  const struct sigv4_pairs *q,
					  const char *secret)
{
	char wanted[SIGV4_HEX_SIZE];
	uint8_t hash[SIGV4_HASH];
	bool same = false;

	/* Else a signed header is missing. */
	if (sigv4_canonical_hash(s->r, q, s->presigned, s->headers, hash)) {
		sign(s, secret, hash, wanted);
		same = strlen(s->hex) == 2 * SIGV4_HASH &&
		       CRYPTO_memcmp(s->hex, wanted, 2 * SIGV4_HASH) == 0;
		OPENSSL_cleanse(wanted, sizeof(wanted));
	}
	if (same)
		return SIGV4_VALID;
	return say(s, SIGV4_MISMATCH,
		   "The request signature we calculated does not match the "
		   "signature you provided. Check your AWS Secret Access Key "
		   "and signing method. Consult the service documentation for "
		   "details.");
}

/* Keys have no sessions here: nobody gave out a token. */
static bool has_token(const struct sigv4_request *r,
		      const struct sigv4_pairs *q)
{
	return header(r, "x-amz-security-token") != NULL ||
	       sigv4_pairs_find(q, "X-Amz-Security-Token") != NULL;
}

static enum sigv4_verdict judge(struct signature *s,
				const struct sigv4_pairs *q,
				sigv4_secret_fn *find, void *arg)
{
	enum sigv4_verdict verdict = read_signature(s, q);
	char secret[SIGV4_SECRET_MAX + 1];

	if (verdict != SIGV4_VALID)
		return verdict;
	if (has_token(s->r, q) || !find(arg, s->scope->key, secret))
		return say(s, SIGV4_UNKNOWN_KEY,
			   "The security token included in the request is "
			   "invalid.");
	verdict = check_time(s);
	if (verdict == SIGV4_VALID)
		verdict = check_headers(s);
	if (verdict == SIGV4_VALID)
		verdict = check_signature(s, q, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return verdict;
}

enum sigv4_verdict sigv4_check(const struct sigv4_request *r,
			       sigv4_secret_fn *secret, void *arg,
			       struct sigv4_scope *scope, char text[SIGV4_TEXT])
{
	struct signature s = { .r = r, .scope = scope, .text = text };
	enum sigv4_verdict verdict;
	struct sigv4_pairs *q;

	memset(scope, 0, sizeof(*scope));
	q = sigv4_pairs_read(r->query);
	if (q == NULL)
		return say(&s, SIGV4_INCOMPLETE,
			   "The query has more than %d parameters.",
			   SIGV4_PAIRS_MAX);
	verdict = judge(&s, q, secret, arg);
	sigv4_pairs_free(q);
	return verdict;
}
