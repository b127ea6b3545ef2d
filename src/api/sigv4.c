/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	signature = HMAC(key of the day, region and service, string to sign)
 *	string to sign = algorithm, time, scope, SHA-256(canonical request)
 *
 * read_signature() takes apart what came, from header or query; check_time()
 * and check_signature() judge it.  The canonical request is hashed piece by
 * piece and exists nowhere as a whole.
 */
#include "api/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

static const char algorithm[] = "AWS4-HMAC-SHA256";

enum { SIGNED_SIZE = 1024, VALUE_SIZE = 2048 };

/* A signature as it came. */
struct signature {
	const struct sigv4_request *r;
	struct sigv4_scope *scope;
	char *text; /* of the error */
	bool presigned;
	char date[17]; /* 20260131T235959Z */
	time_t time;
	long expires;		   /* seconds, of a presigned one */
	char headers[SIGNED_SIZE]; /* "host;x-amz-date" */
	char hex[2 * SIGV4_HASH + 1];
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

/* ------------------------------------------------------------- encoding */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t sigv4_unescape(char *text, bool query)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '%' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			*to++ = hex_digit(p[1]) << 4 | hex_digit(p[2]);
			p += 2;
		} else {
			*to++ = query && *p == '+' ? ' ' : *p;
		}
	}
	*to = '\0';
	return to - text;
}

/* RFC 3986: what is not unreserved becomes %XX.  `to` holds three times as
 * much, and a NUL. */
static char *escape(char *to, const char *from, size_t len, const char *safe)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; len > 0; len--, from++) {
		unsigned char c = *from;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || (c && strchr(safe, c))) {
			*to++ = c;
		} else {
			*to++ = '%';
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		}
	}
	*to = '\0';
	return to;
}

static void to_hex(const uint8_t *from, char hex[2 * SIGV4_HASH + 1])
{
	for (int i = 0; i < SIGV4_HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", from[i]);
}

/* -------------------------------------------------------------- the query */

struct pair {
	char *name, *value; /* encoded anew; both in one piece of memory */
};

struct pairs {
	struct pair list[SIGV4_PAIRS_MAX];
	size_t n;
};

static void pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->list[i].name);
	free(p);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->value, y->value);
}

static bool add_pair(struct pairs *p, const char *text, size_t len)
{
	auto_free char *copy = strndup(text, len);
	char *value, *to = malloc(3 * len + 2);
	size_t value_len = 0;

	if (copy == NULL || to == NULL || p->n == SIGV4_PAIRS_MAX) {
		free(to);
		return false;
	}
	value = strchr(copy, '=');
	if (value != NULL) {
		*value++ = '\0';
		value_len = sigv4_unescape(value, true);
	}
	p->list[p->n].name = to;
	to = escape(to, copy, sigv4_unescape(copy, true), "-._~") + 1;
	p->list[p->n].value = to;
	escape(to, value ? value : "", value_len, "-._~");
	p->n++;
	return true;
}

/* NULL: too many, or no memory. */
static struct pairs *pairs_read(const char *query)
{
	struct pairs *p = calloc(1, sizeof(*p));
	size_t len;

	for (; p != NULL && *query; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len > 0 && !add_pair(p, query, len)) {
			pairs_free(p);
			return NULL;
		}
	}
	if (p != NULL)
		qsort(p->list, p->n, sizeof(p->list[0]), compare_pairs);
	return p;
}

static const char *pairs_find(const struct pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return p->list[i].value;
	return NULL;
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
		    !copy_part(parts[i].to, parts[i].size, text, slash - text))
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
static bool take(const struct pairs *q, const char *name, char *to, size_t size)
{
	const char *value = pairs_find(q, name);

	if (value == NULL || strlen(value) >= size)
		return false;
	strcpy(to, value);
	sigv4_unescape(to, false);
	return true;
}

static enum sigv4_verdict read_query(struct signature *s, const struct pairs *q)
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

static enum sigv4_verdict read_signature(struct signature *s,
					 const struct pairs *q)
{
	const char *authorization = header(s->r, "authorization");

	if (authorization != NULL) {
		if (strncmp(authorization, algorithm, strlen(algorithm)) == 0)
			return read_header(s, authorization);
		return say(s, SIGV4_INCOMPLETE,
			   "Unsupported AWS 'algorithm': '%.*s'.",
			   (int)strnlen(authorization, 32), authorization);
	}
	if (pairs_find(q, "X-Amz-Algorithm") == NULL)
		return say(s, SIGV4_UNSIGNED,
			   "Request is missing Authentication Token");
	if (strcmp(pairs_find(q, "X-Amz-Algorithm"), algorithm) != 0)
		return say(s, SIGV4_INCOMPLETE,
			   "Unsupported AWS 'algorithm': '%.32s'.",
			   pairs_find(q, "X-Amz-Algorithm"));
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

static void put(EVP_MD_CTX *hash, const char *text)
{
	EVP_DigestUpdate(hash, text, strlen(text));
}

/* Without dot segments and double slashes, then encoded once more. */
static bool put_path(EVP_MD_CTX *hash, const char *path)
{
	size_t len = strlen(path), n = 0;
	auto_free char *clean = malloc(len + 2);
	auto_free char *out = malloc(3 * len + 4);
	const char *p = path;

	if (clean == NULL || out == NULL)
		return false;
	while (*p) {
		size_t part_len = strcspn(p, "/");

		if (part_len == 2 && memcmp(p, "..", 2) == 0) {
			while (n > 0 && clean[--n] != '/')
				;
		} else if (part_len > 0 && !(part_len == 1 && *p == '.')) {
			clean[n++] = '/';
			memcpy(clean + n, p, part_len);
			n += part_len;
		}
		p += part_len;
		if (*p == '/')
			p++;
	}
	if (n == 0 || path[len - 1] == '/')
		clean[n++] = '/';
	escape(out, clean, n, "/-._~");
	put(hash, out);
	put(hash, "\n");
	return true;
}

static void put_query(EVP_MD_CTX *hash, const struct pairs *q)
{
	const char *between = "";

	for (size_t i = 0; i < q->n; i++) {
		if (strcmp(q->list[i].name, "X-Amz-Signature") == 0)
			continue;
		put(hash, between);
		put(hash, q->list[i].name);
		put(hash, "=");
		put(hash, q->list[i].value);
		between = "&";
	}
	put(hash, "\n");
}

/* Trimmed, with single spaces. */
static void put_value(EVP_MD_CTX *hash, const char *value)
{
	const char *between = "";

	for (;;) {
		size_t len;

		value += strspn(value, " \t");
		len = strcspn(value, " \t");
		if (len == 0)
			return;
		put(hash, between);
		EVP_DigestUpdate(hash, value, len);
		value += len;
		between = " ";
	}
}

/* false: there is no such header. */
static bool put_header(EVP_MD_CTX *hash, const struct sigv4_request *r,
		       const char *name)
{
	const char *between = ":";
	bool found = false;

	put(hash, name);
	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcasecmp(r->headers[i].name, name) != 0)
			continue;
		put(hash, between);
		put_value(hash, r->headers[i].value);
		between = ",";
		found = true;
	}
	put(hash, "\n");
	return found;
}

static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list != NULL) {
		if (strncasecmp(list, name, len) == 0 &&
		    (list[len] == ';' || list[len] == '\0'))
			return true;
		list = strchr(list, ';');
		list += list != NULL;
	}
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

static bool put_headers(EVP_MD_CTX *hash, const struct signature *s)
{
	char list[SIGNED_SIZE], *save = NULL;
	int n = 0;

	strcpy(list, s->headers);
	for (char *name = strtok_r(list, ";", &save); name != NULL;
	     name = strtok_r(NULL, ";", &save))
		if (++n > SIGV4_SIGNED_MAX || !put_header(hash, s->r, name))
			return false;
	put(hash, "\n");
	put(hash, s->headers);
	put(hash, "\n");
	return true;
}

static bool hash_request(const struct signature *s, const struct pairs *q,
			 uint8_t out[SIGV4_HASH])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	char body[2 * SIGV4_HASH + 1];
	bool ok;

	ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
	if (ok) {
		put(hash, s->r->method);
		put(hash, "\n");
		ok = put_path(hash, s->r->path);
	}
	if (ok) {
		put_query(hash, q);
		ok = put_headers(hash, s);
	}
	if (ok) {
		to_hex(s->r->body, body);
		put(hash, body);
		ok = EVP_DigestFinal_ex(hash, out, NULL) == 1;
	}
	EVP_MD_CTX_free(hash);
	return ok;
}

static void hmac(uint8_t key[SIGV4_HASH], const char *text)
{
	HMAC(EVP_sha256(), key, SIGV4_HASH, (const uint8_t *)text, strlen(text),
	     key, NULL);
}

static void sign(const struct signature *s, const char *secret,
		 const uint8_t request[SIGV4_HASH],
		 char hex[2 * SIGV4_HASH + 1])
{
	const struct sigv4_scope *scope = s->scope;
	char first[SIGV4_SECRET_MAX + 5], text[512];
	uint8_t key[SIGV4_HASH];

	to_hex(request, hex);
	snprintf(text, sizeof(text), "%s\n%s\n%s/%s/%s/aws4_request\n%s",
		 algorithm, s->date, scope->date, scope->region, scope->service,
		 hex);
	snprintf(first, sizeof(first), "AWS4%s", secret);
	HMAC(EVP_sha256(), first, strlen(first), (const uint8_t *)scope->date,
	     strlen(scope->date), key, NULL);
	hmac(key, scope->region);
	hmac(key, scope->service);
	hmac(key, "aws4_request");
	hmac(key, text);
	to_hex(key, hex);
	OPENSSL_cleanse(first, sizeof(first));
}

static enum sigv4_verdict check_signature(const struct signature *s,
					  const struct pairs *q,
					  const char *secret)
{
	char wanted[2 * SIGV4_HASH + 1];
	uint8_t hash[SIGV4_HASH];
	bool same = false;

	if (hash_request(s, q, hash)) { /* else a signed header is missing */
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

static enum sigv4_verdict judge(struct signature *s, const struct pairs *q,
				sigv4_secret_fn *find, void *arg)
{
	enum sigv4_verdict verdict = read_signature(s, q);
	char secret[SIGV4_SECRET_MAX + 1];

	if (verdict != SIGV4_VALID)
		return verdict;
	if (!find(arg, s->scope->key, secret))
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
	struct pairs *q;

	memset(scope, 0, sizeof(*scope));
	q = pairs_read(r->query);
	if (q == NULL)
		return say(&s, SIGV4_INCOMPLETE,
			   "The query has more than %d parameters.",
			   SIGV4_PAIRS_MAX);
	verdict = judge(&s, q, secret, arg);
	pairs_free(q);
	return verdict;
}
