/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/report.h"

#include <stdio.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "status/show.h"

static json_t *report_path(const struct nfs_path_info *p, nsec now)
{
	char address[ADDR_TEXT_MAX];

	return json_pack(
		"{s:s, s:s, s:b, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I}",
		"address", addr_format(&p->address, address), "state",
		path_state_name(p->path.state), "preferred", p->path.preferred,
		"state_ms", (json_int_t)((now - p->path.since) / MSEC(1)),
		"inflight", (int)p->path.inflight, "latency_us",
		(json_int_t)(p->path.latency / USEC(1)), "requests",
		(json_int_t)p->path.requests, "sent", (json_int_t)p->sent,
		"received", (json_int_t)p->received, "failovers",
		(json_int_t)p->path.failovers, "losses",
		(json_int_t)p->path.losses, "probes", (json_int_t)p->probes,
		"connects", (json_int_t)p->connects, "deviation_us",
		(json_int_t)(p->path.deviation / USEC(1)));
}

static json_t *report_paths(const struct mount *m)
{
	struct nfs_path_info paths[PATH_MAX_PATHS];
	unsigned n = nfs_get_paths(m->nfs, paths, ARRAY_SIZE(paths));
	json_t *list = json_array();

	for (unsigned i = 0; i < MIN(n, ARRAY_SIZE(paths)); i++)
		json_array_append_new(list,
				      report_path(&paths[i], reactor_now()));
	return list;
}

static json_t *report_counters(const struct mount *m)
{
	struct nfs_counters c;

	nfs_get_counters(m->nfs, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:I}",
			 "calls", (json_int_t)c.calls, "repeats",
			 (json_int_t)c.repeats, "delays", (json_int_t)c.delays,
			 "sessions", (json_int_t)c.sessions, "reclaims",
			 (json_int_t)c.reclaims, "rewrites",
			 (json_int_t)c.rewrites, "waiting", (int)c.waiting,
			 "inflight", (int)c.inflight, "longest_stall_us",
			 (json_int_t)(c.longest_stall / USEC(1)));
}

/* File names are bytes; those that are no UTF-8 are shown as '?'. */
static json_t *make_text(const char *bytes)
{
	json_t *value = json_string(bytes);
	char ascii[PATH_MAX];
	size_t n;

	if (value != NULL)
		return value;
	for (n = 0; bytes[n] && n < sizeof(ascii) - 1; n++)
		ascii[n] = bytes[n] & 0x80 ? '?' : bytes[n];
	return json_stringn(ascii, n);
}

json_t *report(const struct mount *m)
{
	struct nfs_info info;

	nfs_get_info(m->nfs, &info);
	return json_pack("{s:o, s:o, s:i, s:s, s:s, s:I, s:I, s:i, s:i, s:I, "
			 "s:o, s:o}",
			 "mountpoint", make_text(m->options->mountpoint),
			 "source", make_text(m->options->source), "pid",
			 (int)getpid(), "version",
			 info.minorversion == 2 ? "4.2" : "4.1", "policy",
			 nfs_policy(m->nfs), "rsize", (json_int_t)info.rsize,
			 "wsize", (json_int_t)info.wsize, "slots",
			 (int)info.slots, "requests", (int)m->ops, "inodes",
			 (json_int_t)m->inodes.count, "counters",
			 report_counters(m), "paths", report_paths(m));
}

/* ------------------------------------------------------------ for people */

static void print_path(const json_t *p)
{
	char wait[SHOW_CELL], sent[SHOW_CELL], received[SHOW_CELL];

	printf("%c %-22s  %-10s %6d %8s %10lld %6s %8s\n",
	       json_is_true(json_object_get(p, "preferred")) ? '*' : ' ',
	       show_text(p, "address"), show_text(p, "state"),
	       (int)show_number(p, "inflight"),
	       show_latency(show_number(p, "latency_us"), wait),
	       (long long)show_number(p, "requests"),
	       show_bytes(show_number(p, "sent"), sent),
	       show_bytes(show_number(p, "received"), received));
}

void report_print(const json_t *r)
{
	const json_t *counters = json_object_get(r, "counters");
	const json_t *paths = json_object_get(r, "paths"), *p;
	size_t i;

	printf("%s on %s\n", show_text(r, "source"),
	       show_text(r, "mountpoint"));
	printf("NFS %s, policy %s, %d requests wait for a path\n",
	       show_text(r, "version"), show_text(r, "policy"),
	       (int)show_number(counters, "waiting"));
	printf("%lld were repeated on another path, the longest stall was "
	       "%.0f ms\n",
	       (long long)show_number(counters, "repeats"),
	       (double)show_number(counters, "longest_stall_us") / 1000);
	printf("  %-22s  %-10s %6s %8s %10s %6s %8s\n", "PATH", "STATE",
	       "FLIGHT", "LATENCY", "REQUESTS", "SENT", "RECEIVED");
	json_array_foreach((json_t *)paths, i, p)
	{
		print_path(p);
	}
}
