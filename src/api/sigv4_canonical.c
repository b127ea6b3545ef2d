/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sigv4_canonical.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/percent.h"
#include "base/util.h"

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

/* -------------------------------------------------------------- the query */

struct pair {
	char *name, *value; /* encoded anew; both in one piece of memory */
};

struct sigv4_pairs {
	struct pair list[SIGV4_PAIRS_MAX];
	size_t n;
};

void sigv4_pairs_free(struct sigv4_pairs *p)
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

static bool add_pair(struct sigv4_pairs *p, const char *text, size_t len)
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
	to = percent_encode(to, copy, sigv4_unescape(copy, true), "") + 1;
	p->list[p->n].value = to;
	percent_encode(to, value ? value : "", value_len, "");
	p->n++;
	return true;
}

struct sigv4_pairs *sigv4_pairs_read(const char *query)
{
	struct sigv4_pairs *p = calloc(1, sizeof(*p));
	size_t len;

	for (; p != NULL && *query; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len > 0 && !add_pair(p, query, len)) {
			sigv4_pairs_free(p);
			return NULL;
		}
	}
	if (p != NULL)
		qsort(p->list, p->n, sizeof(p->list[0]), compare_pairs);
	return p;
}

const char *sigv4_pairs_find(const struct sigv4_pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return p->list[i].value;
	return NULL;
}

/* ---------------------------------------------------------- the request */

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
	percent_encode(out, clean, n, "/");
	put(hash, out);
	put(hash, "\n");
	return true;
}

static void put_query(EVP_MD_CTX *hash, const struct sigv4_pairs *q,
		      bool presigned)
{
	const char *between = "";

	for (size_t i = 0; i < q->n; i++) {
		if (presigned &&
		    strcmp(q->list[i].name, "X-Amz-Signature") == 0)
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

static bool put_headers(EVP_MD_CTX *hash, const struct sigv4_request *r,
			const char *names)
{
	char list[SIGV4_NAMES_SIZE], *save = NULL;
	int n = 0;

	if (strlen(names) >= sizeof(list))
		return false;
	strcpy(list, names);
	for (char *name = strtok_r(list, ";", &save); name != NULL;
	     name = strtok_r(NULL, ";", &save))
		if (++n > SIGV4_SIGNED_MAX || !put_header(hash, r, name))
			return false;
	put(hash, "\n");
	put(hash, names);
	put(hash, "\n");
	return true;
}

bool sigv4_canonical_hash(const struct sigv4_request *r,
			  const struct sigv4_pairs *q, bool presigned,
			  const char *names, uint8_t out[SIGV4_HASH])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	char body[SIGV4_HEX_SIZE];
	bool ok;

	ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
	if (ok) {
		put(hash, r->method);
		put(hash, "\n");
		ok = put_path(hash, r->path);
	}
	if (ok) {
		put_query(hash, q, presigned);
		ok = put_headers(hash, r, names);
	}
	if (ok) {
		sigv4_hex(r->body, SIGV4_HASH, body);
		put(hash, body);
		ok = EVP_DigestFinal_ex(hash, out, NULL) == 1;
	}
	EVP_MD_CTX_free(hash);
	return ok;
}
