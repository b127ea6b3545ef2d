/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: the sockets by which daemons tell what they serve, a mount or a
 * volume, and how its paths are.  `hawser paths` asks all of them.
 *
 * A line "paths" is answered by a line of JSON, the owner's report; anything
 * else by { "error": … }.  The connection stays open as long as the daemon
 * lives: who waits for its end reads until there is nothing more.
 *
 * status_start() to status_end() are for tasks of one reactor.
 */
#ifndef STATUS_STATUS_H
#define STATUS_STATUS_H

#include <jansson.h>
#include <limits.h>

struct status;

/* A new reference, of an object, or an array of them; NULL: no memory. */
typedef json_t *status_report_fn(void *arg);

/* Where the sockets are: /run/hawser for root, else under $XDG_RUNTIME_DIR. */
void status_directory(char out[PATH_MAX]);

/* The path of this process's socket as that kind of thing, "nbdkit". */
void status_path(const char *kind, char out[PATH_MAX]);

/* Serves on a socket of that path in there; a dead one is replaced.  0 or
 * -errno, and then *out is NULL. */
int status_start(const char *path, status_report_fn *report, void *arg,
		 struct status **out);
/* No new clients, and no socket; s may be NULL here and below. */
void status_stop(struct status *s);
/* For those that wait, it is the end.  Frees it; parks. */
void status_end(struct status *s);

/* The other side, which blocks: connects to a daemon's socket; the descriptor,
 * or -errno. */
int status_connect(const char *path);
/* Its report; NULL when there is none, or it hangs. */
json_t *status_ask(const char *path);

#endif
