/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trunk is one NFS session of the kernel's over several connections, its
 * transports.  Which of them should be connected to which of the trunk's
 * addresses is decided here: logic alone, no I/O, no clock.
 *
 *	        home dead beside another target
 *	HOME ───────────────────────────────────▶ MOVING ──done──▶ AWAY
 *	 ▲ ▲                                       │  ▲             │
 *	 │ └───────────────failed─────────────────┘  │             │
 *	 │                                            │ refuge dead,│
 *	 └──done── MOVING ◀── home trusted again ─────┴─────────────┘
 *
 * When an address was dead and nothing better was there, the transport moves to
 * where it is, once the address answers: what TCP holds would wait for its next
 * attempt, which the longer the silence was the later comes.
 *
 * Where a transport is says the kernel: a move is done, or has failed, by what
 * is read afterwards.  What it can't say is where a transport belongs: that is
 * remembered by the owner of all this (trunk_seen.home).
 *
 * A transport without addresses to choose from (the trunk has one alone, or
 * it is of IPv6, which Linux 6.1 can't be told to change) is left alone.
 */
#ifndef PATHD_TRUNK_H
#define PATHD_TRUNK_H

#include "pathd/target.h"

enum { TRUNK_NAME = 80, TRANSPORTS_MAX = 4096 };

/* After a failed move, until the next attempt; doubles. */
#define MOVE_PAUSE_MIN MSEC(100)
#define MOVE_PAUSE_MAX SEC(1)

enum transport_state { TRANSPORT_HOME, TRANSPORT_MOVING, TRANSPORT_AWAY };

struct transport {
	struct list link; /* trunk.transports */
	struct trunk *trunk;
	char name[TRUNK_NAME]; /* "switch-0/xprt-1-tcp" */
	uint64_t inode;	       /* tells it from a later one of that name */

	enum transport_state state;
	struct target *home, *at; /* at: where it was seen last; users both */
	struct target *goal;	  /* while MOVING, or else NULL; a user */
	uint64_t falls;		  /* of `at`, when it was connected there */
	nsec since;		  /* of the state */
	nsec retry_at, pause;	  /* after moves that failed */
	unsigned pending;	  /* requests without an answer */
	bool connected;
	bool seen, gone;	  /* in the scan that runs; in the last one */
	uint64_t moves, failures; /* failures: since the last move */
};

struct trunk {
	struct list link;      /* trunks.all */
	char name[TRUNK_NAME]; /* "switch-0" */
	struct list transports;
};

struct trunks {
	struct targets *targets;
	struct list all;
	unsigned count; /* transports */
};

/* What a scan reads of a transport. */
struct trunk_seen {
	char trunk[TRUNK_NAME], name[TRUNK_NAME];
	uint64_t inode;
	struct addr addr;
	struct addr home; /* where it belongs, when it is new; len 0: there */
	unsigned pending;
	bool connected;
	bool guessed; /* the port of addr: only a connection tells */
};

bool trunk_seen_at(const struct trunk_seen *s, const struct addr *a);

void trunks_init(struct trunks *ts, struct targets *targets);
void trunks_fini(struct trunks *ts);

/* A scan: all transports that there are, between begin and end. */
void trunks_scan_begin(struct trunks *ts);
/* False: no memory, or too many. */
bool trunks_see(struct trunks *ts, const struct trunk_seen *seen, nsec now);
void trunks_scan_end(struct trunks *ts);
bool trunks_known(const struct trunks *ts, const char *name, uint64_t inode);

/* A transport that should move, and is MOVING to t->goal from now on; or NULL.
 * Who gets it answers with transport_moved(). */
struct transport *trunks_next_move(struct trunks *ts, nsec now);
/* What the kernel has of its address now; NULL: not known. It may be gone, and
 * then be freed here. */
void transport_moved(struct trunks *ts, struct transport *t,
		     const struct addr *now_at, nsec now);

/* More than one address, so that there is something to choose. */
bool trunk_is_wide(const struct trunk *t);
/* Each transport is where an address answers: at home, or away from one that
 * has been dead for `patience`, as one is that was taken away for good. */
bool trunk_is_settled(const struct trunk *t, nsec patience, nsec now);

const char *transport_state_name(enum transport_state state);

#endif
