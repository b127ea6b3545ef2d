/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed requests to a service of AWS's, or one that speaks like it: where it
 * is, who asks, and one request at a time, by libcurl.  Any thread.
 *
 * What the options don't say is found where AWS's own tools look: the variables
 * AWS_ENDPOINT_URL_EFS, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION,
 * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE,
 * AWS_SHARED_CREDENTIALS_FILE, AWS_CA_BUNDLE and the file ~/.aws/credentials,
 * which is read again for each request, so that a key can be replaced.
 * HAWSER_API_URL and HAWSER_AWS_CREDENTIALS, which hawserd --run sets, come
 * after them.
 */
#ifndef CSI_AWS_H
#define CSI_AWS_H

#include <stddef.h>

enum { AWS_WORD_SIZE = 256, AWS_TOKEN_SIZE = 4096 };

struct aws_key {
	char id[AWS_WORD_SIZE], secret[AWS_WORD_SIZE];
	char token[AWS_TOKEN_SIZE]; /* "": none */
};

/* The key of a profile out of the text of a credentials file: 0, or -ENOENT. */
int aws_key_parse(const char *text, const char *profile, struct aws_key *key);
/* 0, or -errno and why in `err`. */
int aws_key_find(struct aws_key *key, char *err, size_t size);

struct aws;

struct aws_reply {
	int status; /* of HTTP; 0: nobody answered, see `error` */
	char *body; /* with a NUL; NULL: none.  The caller frees it */
	size_t len;
	char type[64];	 /* x-amzn-ErrorType, up to a ':' */
	char error[256]; /* status 0: what libcurl said */
};

/* url, region NULL: as the environment says.  0 or -errno. */
int aws_create(const char *url, const char *region, struct aws **out);
void aws_destroy(struct aws *a);
const char *aws_url(const struct aws *a);
const char *aws_signs_for(const struct aws *a);

/* `path` with its query, whose parameters are sorted and encoded; body NULL:
 * none, else JSON.  What has no answer or one that asks for patience is tried
 * again, for a few seconds. */
void aws_request(struct aws *a, const char *method, const char *path,
		 const char *body, struct aws_reply *reply);

/* Encodes a value of a query; `out` has room for 3 * strlen(text) + 1. */
const char *aws_escape(const char *text, char *out);

#endif
