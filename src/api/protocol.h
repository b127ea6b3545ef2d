/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocols: how a service's operations and their input stand in a request, and
 * how results and errors are written.  ("AWS protocols" in the Smithy
 * documentation.)  Any thread; nothing here parks.
 */
#ifndef API_PROTOCOL_H
#define API_PROTOCOL_H

#include "api/internal.h"

struct api_auth_error {
	const char *code;
	unsigned status;
};

struct api_protocol {
	const char *content_type;
	const struct api_auth_error *auth_errors; /* by enum sigv4_verdict */
	const char *denied;  /* the code when a policy does not allow it */
	const char *invalid; /* the code when input does not fit */
	/* Finds call->operation and fills in call->input, which is not checked
	 * yet.  0, or refuses. */
	int (*parse)(struct api_call *call);
	/* The body, malloc'ed; NULL: no memory. */
	char *(*result)(const struct api_call *call);
	char *(*error)(const struct api_call *call);
};

extern const struct api_protocol api_rest_json;		   /* rest.c */
extern const struct api_protocol api_query, api_ec2_query; /* query.c */
extern const struct api_protocol api_json_10;
extern const struct api_protocol api_json; /* json.c */

/* From a request that may be authenticated to one that may be run. */
int api_parse(struct api_call *call);

/* The reply of a call that is done; *body is malloc'ed, or NULL. */
unsigned api_reply(struct api_call *call, char **body);

/* Of protocols whose output is a string: it, and an error's line. */
char *api_text_result(const struct api_call *call);
char *api_text_error(const struct api_call *call);

/* A JSON object in the body; new reference.  NULL, after having refused. */
json_t *api_parse_body(struct api_call *call);

#endif
