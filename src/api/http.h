/* SPDX-License-Identifier: Apache-2.0 */
/* One listening address of the API: a daemon of libmicrohttpd. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/internal.h"

struct api_http;

/* PEM texts; NULL: plain HTTP.  Borrowed. */
struct api_tls {
	const char *certificate, *key;
};

/* -EADDRINUSE, -EADDRNOTAVAIL, …; `at` is updated if its port was 0.  `open`:
 * this service is all that is served here, and needs no signature.  Blocks for
 * a moment: not on a reactor. */
int api_http_start(struct api_server *s, struct addr *at,
		   const struct api_tls *tls, const struct api_service *open,
		   struct api_http **out);
/* To be called every second: ends connections of clients that are too slow. */
void api_http_enforce(struct api_http *h);
/* No new connections.  Requests that are read go on. */
void api_http_quiesce(struct api_http *h);
/* Ends all connections; no call may be on the reactor.  Blocks until the
 * threads have ended. */
void api_http_stop(struct api_http *h);

#endif
