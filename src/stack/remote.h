/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the APIs that AWS's services have, of hawserd's as of any
 * other endpoint's.  Requests are signed (SigV4, by libcurl) and blocking: it
 * is for programs that do one thing and end, not for a reactor.
 *
 * A call returns 0 and a new reference in *out (NULL where the answer is
 * empty), or -EREMOTEIO if the service refused it, -EHOSTUNREACH if there was
 * no answer, -EPROTO if it was none of that protocol; remote_error() then says
 * more, until the next call.  One thread at a time uses a client.
 */
#ifndef STACK_REMOTE_H
#define STACK_REMOTE_H

#include <jansson.h>
#include <stdbool.h>

struct remote;

struct remote_options {
	/* NULL: $HAWSER_API_URL, $AWS_ENDPOINT_URL, where hawserd listens by
	 * default.  {service} and {region} in it are replaced. */
	const char *endpoint;
	const char *profile; /* NULL: $AWS_PROFILE, or "default" */
	const char *region;  /* NULL: $AWS_REGION, …, that of the profile */
};

struct remote_error {
	char code[64];	/* "FileSystemNotFound"; "": not from the service */
	char text[512]; /* one line, for people */
};

/* Finds endpoint, region and keys: those of the environment, else of the first
 * file that has the profile ($AWS_SHARED_CREDENTIALS_FILE,
 * $HAWSER_AWS_CREDENTIALS, ~/.aws/credentials, and what hawserd wrote into its
 * state directory).  -ENOENT: there are no keys, and `why` says where they were
 * looked for. */
int remote_open(const struct remote_options *options, struct remote **out,
		struct remote_error *why);
void remote_close(struct remote *a);
const char *remote_endpoint(const struct remote *a);
const char *remote_region(const struct remote *a);

/* REST-JSON, of EFS.  The path may have a query, whose names are sorted and
 * whose values are encoded.  The body's reference is taken; NULL: none. */
int remote_rest(struct remote *a, const char *method, const char *path,
		json_t *body, json_t **out);
/* AWS JSON: "GraniteServiceVersion20100801.DescribeAlarms", by version 1.0 or
 * 1.1, of a service by its name in signatures ("monitoring"). */
int remote_json(struct remote *a, const char *service, const char *version,
		const char *target, json_t *body, json_t **out);
/* EC2's query protocol.  The parameters are an object of texts; the answer is
 * XML, told as remote_xml_parse() does. */
int remote_ec2(struct remote *a, const char *action, json_t *parameters,
	       json_t **out);

const struct remote_error *remote_error(const struct remote *a);
/* Did the last call fail with that code of the service's? */
bool remote_failed_with(const struct remote *a, const char *code);

/* As a value in a path's query; malloc'ed. */
char *remote_escape(const struct remote *a, const char *text);

/* The text of a member; "" if there is none. */
const char *remote_text(const json_t *object, const char *name);

/* The elements below the root: an object, the text of what has no elements in
 * it, a list of what has only <item>s or <member>s.  NULL: not XML. */
json_t *remote_xml_parse(const char *text, size_t len);

#endif
