/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The echo that bench_reactor.c measures: a client, and servers to compare.
 */
#ifndef BENCH_REACTOR_ECHO_H
#define BENCH_REACTOR_ECHO_H

enum { ECHO_REQUEST = 72, ECHO_REPLY = 4096, ECHO_DEPTH_MAX = 128 };

struct addr;

/* A server listens at the address and serves so many connections until they
 * have ended. */
typedef void echo_server(const struct addr *at, int connections);
echo_server echo_serve_bare, echo_serve_epoll, echo_serve_uring;

/* Replies a second, with `depth` requests under way on each connection. */
double echo_rate(echo_server *serve, int connections, int depth,
		 double seconds);

#endif
