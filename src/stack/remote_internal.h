/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of aws/ share. */
#ifndef STACK_REMOTE_INTERNAL_H
#define STACK_REMOTE_INTERNAL_H

#include <curl/curl.h>

#include "stack/remote.h"

enum { AWS_WORD = 256, AWS_TOKEN = 4096 };

struct remote_keys {
	char id[AWS_WORD], secret[AWS_WORD];
	char token[AWS_TOKEN]; /* of a session; "": none */
	char region[64];       /* "": the profile says none */
};

struct remote {
	CURL *curl;
	struct remote_keys keys;
	char *endpoint;
	char region[64];
	struct remote_error error;
};

struct request {
	const char *service, *method, *path;
	const char *content_type; /* of the body */
	const char *target;	  /* X-Amz-Target; NULL: none */
	const char *body;	  /* NULL: none */
};

struct answer {
	char *text;
	size_t len;
	long status;
};

/* client.c: 0 and an answer with a status below 300, or an error of aws.h.
 * answer->text is malloc'ed, whatever happens. */
int remote_call(struct remote *a, const struct request *r,
		struct answer *answer);

/* profile.c: false, if there are none; `where` gets the places that were looked
 * at, for people. */
bool remote_keys_find(const char *profile, struct remote_keys *keys,
		      char *where, size_t size);

#endif
