/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api: the AWS APIs that clients of Amazon EFS call, over HTTP and HTTPS, such
 * that the stock `aws` command, boto3 and the AWS SDKs need only an endpoint
 * URL and a key.
 *
 * libmicrohttpd reads requests on threads of its own (http.c).  There a request
 * is bounded, its signature checked, its service and operation found and its
 * input checked against the operation's table; whoever may not call costs the
 * event loops nothing.  What is left is handed to the control's reactor, runs
 * there as a task, and its result goes back to the thread that writes it.
 *
 * Calls are made from tasks of the control's reactor, and may park.
 */
#ifndef API_API_H
#define API_API_H

#include "base/addr.h"

struct access_keys;
struct api_server;
struct control;

enum {
	API_BODY_MAX = 256 << 10, /* bytes of a request's body */
	API_HEAD_MAX = 32 << 10,  /* bytes of its line and headers */
	API_CONNECTIONS_MAX = 256,
	/* A client has that long for a request, for reading its answer, and
	 * from one to the next; that long when three quarters of the
	 * connections are there. */
	API_WAIT_SECONDS = 60,
	API_CROWDED_SECONDS = 3,
};

/* The console (console/): its page, and where what it shows comes from. */
struct api_file {
	const char *name, *type, *text; /* name NULL ends a list */
};
/* JSON, malloc'ed; NULL: no memory.  `what` is "state" or "history"; the others
 * are as they came, "" and 0 if they did not.  In a task; may park. */
typedef char *api_look_fn(void *arg, const char *what, const char *fs,
			  int hours);
struct api_console {
	const struct api_file *files;
	const char *shut; /* for who may not look */
	api_look_fn *look;
	void *arg;
};

struct api_options {
	struct control *control; /* borrowed, like all of them */
	struct access_keys *keys;
	struct addr http, https; /* len 0: not served; port 0: any */
	struct addr metrics;	 /* the same; /metrics for Prometheus */
	const struct api_console *console; /* NULL: none; at /console */
	const char *certificate, *private_key; /* PEM files for https */
};

/* Serves until it is destroyed.  An address that can't be listened on yet is
 * logged, and tried again until it can.  0, -ENOMEM, or what is wrong with the
 * certificate, after having logged it. */
int api_server_create(const struct api_options *options,
		      struct api_server **out);
void api_server_destroy(struct api_server *s);

/* "http://127.0.0.1:8077"; "" as long as there is nothing to be told. */
enum { API_URL_SIZE = 80 };
void api_server_url(const struct api_server *s, char url[API_URL_SIZE]);
void api_server_metrics_url(const struct api_server *s, char url[API_URL_SIZE]);

#endif
