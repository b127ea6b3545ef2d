/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_INTERNAL_H
#define AWS_INTERNAL_H

#include <stddef.h>

#include "aws/aws.h"

struct aws_settings {
	char *endpoint; /* NULL: by environment and service, at each call */
	char *region, *key, *secret, *token, *ca; /* token, ca: may be NULL */
};

/* 0 or -errno with *e. */
int settings_load(struct aws_settings *s, const struct aws_options *o,
		  struct aws_error *e);
void settings_free(struct aws_settings *s);

/* "https://HOST[:PORT]" for `service` into `url`. */
void settings_endpoint(const struct aws_settings *s, const char *service,
		       char *url, size_t size);

/* `name` of section `section` in AWS's INI file at `path`, to be freed; NULL
 * where file, section or name are missing. */
char *ini_get(const char *path, const char *section, const char *name);

struct answer {
	int status;
	char *text; /* terminated; free() it */
	size_t len;
};

struct request {
	const char *service, *method, *path, *content_type;
	const char *body; /* NULL: none */
};

/* One exchange, tried again where that can help.  0 or -errno with *e. */
int exchange(struct aws_client *client, const struct request *request,
	     struct answer *answer, struct aws_error *e);

/* Fills *e in and returns `error`. */
__attribute__((format(printf, 3, 4))) int
aws_fail(struct aws_error *e, int error, const char *format, ...);

#endif
