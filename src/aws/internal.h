/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_INTERNAL_H
#define AWS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/aws.h"

/* Each may be NULL: see aws.h. */
struct aws_settings {
	char *endpoint, *region, *profile, *file, *ca, *default_endpoint;
};

/* 0 or -ENOMEM. */
int settings_load(struct aws_settings *s, const struct aws_options *o);
void settings_free(struct aws_settings *s);

/* As things are now.  0 or -ENOENT with *e; free it in either case. */
int settings_key(const struct aws_settings *s, struct aws_key *key,
		 struct aws_error *e);

/* "https://HOST[:PORT]" for `service` into `url`; true: it was told, false: it
 * is AWS's own. */
bool settings_endpoint(const struct aws_settings *s, const char *service,
		       char *url, size_t size);

struct answer {
	int status;
	char *text; /* terminated; free() it */
	size_t len;
};

struct request {
	const char *service, *method, *path, *content_type;
	const char *target; /* X-Amz-Target; NULL: none */
	const char *body;   /* NULL: none */
	bool once; /* again only if it has certainly not been done */
};

/* One exchange, tried again where that can help.  0 or -errno with *e. */
int exchange(struct aws_client *client, const struct request *request,
	     struct answer *answer, struct aws_error *e);

/* What an answer says: *value becomes the caller's.  As in aws.h. */
int answer_read(const struct answer *answer, json_t **value,
		struct aws_error *e);

/* Fills *e in and returns `error`. */
__attribute__((format(printf, 3, 4))) int
aws_fail(struct aws_error *e, int error, const char *format, ...);

#endif
