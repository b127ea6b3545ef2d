/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside api/: a request on its way.
 *
 *	http.c      bytes ─▶ struct api_call
 *	auth.c      who signed it?
 *	protocol.c  which operation of which service, with what input?
 *	field.c     does the input fit the operation's table?
 *	call.c      ─▶ reactor: operation->run() ─▶ back
 *	protocol.c  result or error as the service's protocol writes it
 *
 * A call belongs to the thread of its connection, but for the time between
 * api_call_start() and its end, when it belongs to its task on the reactor.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <jansson.h>
#include <pthread.h>

#include "api/api.h"
#include "api/field.h"
#include "api/sigv4.h"
#include "base/uuid.h"
#include "control/control.h"
#include "control/key.h"
#include "control/rights.h"
#include "reactor/task.h"

struct MHD_Connection;
struct api_call;
struct api_protocol;
struct reactor;

enum {
	API_METHOD_MAX = 16,
	API_HEADERS_MAX = 100,
	API_ACCOUNT_LEN = 12,
};

/* An operation of a service: a row of its table. */
struct api_operation {
	const char *name; /* NULL ends the table */
	/* Puts a new reference into call->output (NULL: nothing to say) and
	 * returns 0, or refuses.  Runs in a task; may park. */
	int (*run)(struct api_call *call);
	const struct api_field *fields; /* of the input; NULL: none */
	/* REST: method, path with {Field}s, and the status of success. */
	const char *method, *path;
	unsigned status;
};

/* The status that comes with an error's code. */
struct api_error {
	const char *code; /* NULL ends the table */
	unsigned status;
};

struct api_service {
	const char *name; /* as the credential scope spells it */
	const struct api_protocol *protocol;
	const struct api_operation *operations;
	const struct api_error *errors; /* others are 400; NULL: all */
	const char *xmlns;		/* of the query protocols */
	const char *target; /* of JSON: what stands before operations */
	const char *prefix; /* of actions in policies; NULL: the name */
	/* The same service for requests that have X-Amz-Target; NULL: none. */
	const struct api_service *by_target;
};

/* services.c: NULL: there is no such service. */
const struct api_service *api_service_find(const char *name);

struct api_call {
	struct api_server *server;
	struct MHD_Connection *connection;

	/* As it came. */
	char method[API_METHOD_MAX];
	char peer[ADDR_TEXT_MAX]; /* the client's address, without port */
	bool secure;		  /* by HTTPS */
	char *uri;		  /* the whole, encoded */
	char *path;		  /* a part of uri, encoded */
	const char *query;	  /* the same; "" if there is none */
	char *body;		  /* NUL-terminated, if there is one */
	size_t body_len, body_size;
	bool begun, too_large, answered;

	/* Who and what. */
	struct sigv4_scope scope;
	char user[ACCESS_KEY_USER_MAX + 1];
	json_t *policy;			   /* of the key; NULL: none */
	const struct api_service *service; /* known at first: an open one */
	const struct api_operation *operation;
	json_t *input; /* an object that fits the table */
	char id[UUID_TEXT_SIZE];

	/* The result. */
	json_t *output;
	const char *content_type; /* NULL: the protocol's */
	json_t *headers;	  /* more of them, by name; or NULL */
	unsigned status;  /* of an error; 0: there is none */
	const char *code; /* of it */
	struct control_error error;
};

/* call.c */
struct api_call *api_call_new(struct api_server *s, const char *uri);
void api_call_free(struct api_call *call);
/* Runs the operation on the reactor, then resumes the connection.  0, or
 * refuses. */
int api_call_start(struct api_call *call);

/* protocol.c */
/* Fills in the error, and returns -EINVAL for the caller to return. */
__attribute__((format(printf, 3, 4))) int api_refuse(struct api_call *call,
						     const char *code,
						     const char *format, ...);

/* auth.c: 0, or refuses.  The service is found in any case. */
int api_authenticate(struct api_call *call);

/* What is told of the account, and of the region that the request names. */
const char *api_account(const struct api_call *call);
const char *api_region(const struct api_call *call);

/* authorize.c: may the caller do what he asks for?  0, or refuses.  On the
 * reactor. */
int api_authorize(struct api_call *call);

/* console.c: the console, if that is what the URI names; or NULL. */
const struct api_service *api_console_for(const struct api_server *s,
					  const char *uri);

/* http.c */
struct api_http;
struct api_server {
	struct api_options options;
	struct reactor *reactor; /* the control's */
	struct api_http *http, *https, *metrics;

	/* Calls that run on the reactor, and whether more may come. */
	pthread_mutex_t lock;
	unsigned running;
	bool stopping;
	struct waitq changed; /* woken on the reactor when `running` is 0 */
};

/* A header of the request, or NULL. */
const char *api_header(const struct api_call *call, const char *name);
/* How many there are; up to `max` of them are in the list. */
size_t api_headers(const struct api_call *call, struct sigv4_header *list,
		   size_t max);
void api_http_resume(struct api_call *call); /* any thread */

#endif
