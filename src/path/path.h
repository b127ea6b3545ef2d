/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The multipath core: which of N ways to a thing to use now.
 *
 * A path group is one thing (an NFS session, an NVMe namespace) that N paths
 * lead to.  Its owner tells it what happens (a connection came up, a reply
 * came, time passed) and does what it says (connect here, send this request
 * there, fail that one).  No I/O, no clock, no thread, no allocation on the way
 * of a request: pure logic, the same for NFS, NVMe and the simulation.
 *
 * A request is in exactly one place: nowhere (before submit and after done),
 * waiting in the group for a usable path, or in flight on one path, or fenced:
 * it was in flight on a path that was lost, must not run twice, and waits until
 * path_fenced() says that the old way can't execute it any more.
 *
 *	owner                                path group
 *	submit(g, &req, now)          --->   picks a path, or parks the request
 *	group_next(g, now, &action)   <---   CONNECT p, PROBE p, CLOSE p,
 *	                                     FENCE p, SEND req on p, FAIL req
 *	connected(p), failed(p),      --->
 *	probe_answered(p), heard(p),
 *	request_done(g, &req, ...)
 *	group_tick(g, now)            --->   at group_deadline(g), at the latest
 *
 * The owner drains path_group_next() after every event.  It hands in what
 * came over a path's present connection only: after CLOSE, or path_failed(),
 * nothing of the old connection counts any more.
 *
 * Not synchronised: one reactor owns a group.
 */
#ifndef PATH_PATH_H
#define PATH_PATH_H

#include "base/clock.h"
#include "base/list.h"

/* Connection state: id, name, what it does meanwhile, what it leaves on. */
#define PATH_STATES(S)                                                         \
	S(CONNECTING, "connecting", "an attempt is scheduled or runs",         \
	  "handshake done: live; failed or too slow: lost")                    \
	S(LIVE, "live", "carries requests", "silence: suspect; error: lost")   \
	S(SUSPECT, "suspect", "probe sent; new requests steer away",           \
	  "any answer: live; none in time: lost")                              \
	S(LOST, "lost", "its requests go elsewhere",                           \
	  "reconnect delay over: connecting")

enum path_state {
#define S(id, ...) PATH_##id,
	PATH_STATES(S)
#undef S
};
const char *path_state_name(enum path_state state);

/* Access state, in the words of NVMe's ANA; NFS paths are always optimized,
 * or non-optimized when in another zone. */
enum path_access {
	PATH_OPTIMIZED,
	PATH_NON_OPTIMIZED,
	PATH_INACCESSIBLE,
	PATH_PERSISTENT_LOSS,
	PATH_CHANGE,
};
const char *path_access_name(enum path_access access);

struct path_group;
struct path;

/* Where a request can be.  One function changes it. */
enum path_request_state {
	PATH_REQ_IDLE,
	PATH_REQ_WAITING,
	PATH_REQ_INFLIGHT,
	PATH_REQ_FENCED
};

/* Embedded in the owner's request; zero-initialised, memory is the owner's.
 * What the owner sets stays as it is until the request is idle again. */
struct path_request {
	struct list link;
	struct path *path; /* in flight on it, or was when it was lost */
	enum path_request_state state;
	bool needs_fence; /* set by the owner: must not go again before
			     path_fenced() (NVMe writes).  NFS: false */
	bool elsewhere;	  /* waiting: any path but `path` */
	unsigned tries;	  /* times it was sent */
	size_t bytes;	  /* set by the owner: weight for service-time */
	uint64_t order;	  /* of submission */
	nsec sent;
};

/* 0 in a field: the default that stands behind it. */
struct path_options {
	const char *policy;   /* "active-passive", "round-robin",
				 "queue-depth" (default), "service-time" */
	unsigned rr_min_io;   /* 1: requests in a row on a path, round-robin */
	nsec reconnect_delay; /* 100 ms: first pause before a lost path is
				 tried again; doubles with each failure … */
	nsec reconnect_max;   /* … up to 5 s … */
	nsec reconnect_alone; /* … or this, while no path is usable: 500 ms, but
				 within the two above */
	nsec connect_timeout;	   /* 3 s */
	nsec fast_io_fail_timeout; /* waiting requests fail that long after the
				      last usable path was lost;
				      < 0 (default): never */
	nsec ctrlr_loss_timeout;   /* a path that is lost that long is given up;
				      < 0 (default): never */
	/* A path with requests in flight and silent for `suspect_factor` times
	 * its usual latency (mean + 4 deviations), but no less than suspect_min
	 * and no more than suspect_max, turns suspect; without an answer to the
	 * probe for as long again, within [probe_min, probe_max], lost.  The
	 * upper bound holds while nothing is known about the connection.  The
	 * probe has probe_alone when there is no live path to move to. */
	unsigned suspect_factor;       /* 4 */
	nsec suspect_min, suspect_max; /* 20 ms, 150 ms */
	nsec probe_min, probe_max;     /* 40 ms, 200 ms */
	nsec probe_alone;	       /* probe_max, and no less */
	bool stay;	 /* active-passive forgets its favourite when that can't
			    be used: it doesn't go back there by itself */
	nsec idle_probe; /* a live path that carried nothing for that long is
			    probed, so that its loss is known before it is
			    needed: 5 s; < 0: never */
};

/* Defaults filled in; -EINVAL for an unknown policy or senseless numbers. */
int path_group_create(const struct path_options *options,
		      struct path_group **out);
/* All requests must be idle. */
void path_group_destroy(struct path_group *g);

/* Changes the policy under load: 0 or -EINVAL. */
int path_group_set_policy(struct path_group *g, const char *policy);
const char *path_group_policy(const struct path_group *g);
unsigned path_group_rr_min_io(const struct path_group *g);

/* Requests in a row on a path, round-robin: 0 or -EINVAL (0). */
int path_group_set_rr_min_io(struct path_group *g, unsigned n);
/* Active-passive takes this path whenever none is better; NULL: whichever it is
 * on, as at first. */
void path_group_favour(struct path_group *g, const struct path *p);

/* A new path starts CONNECTING: an action follows.  `owner` is handed back by
 * path_owner().  -ENOMEM, -ENOSPC beyond PATH_MAX_PATHS. */
enum { PATH_MAX_PATHS = 64 };
int path_add(struct path_group *g, const char *label, void *owner, nsec now,
	     struct path **out);
/* Its requests move as if it were lost; frees it.  The owner closes the
 * connection.  Where requests of it must be fenced, a FENCE action follows if
 * none is under way, and path_fenced() frees it. */
void path_remove(struct path *p, nsec now);
void *path_owner(const struct path *p);
/* It leads over another address now.  Without memory it keeps its label. */
void path_set_label(struct path *p, const char *label);

/* ---------------------------------------------------------------- events in */

void path_connected(struct path *p, nsec now);
/* The connection attempt failed, or the live connection broke. */
void path_failed(struct path *p, nsec now);
/* A lost path that waits for its next attempt makes it now. */
void path_retry(struct path *p, nsec now);
void path_probe_answered(struct path *p, nsec now);
/* By an order from outside: it is lost, and not tried again before the order is
 * taken back, and then at once.  The owner closes the connection.  Requests
 * that only such paths could take fail: -ENODEV. */
void path_disable(struct path *p, bool disabled, nsec now);
/* Any sign of life (part of a long reply arrived): it is not silent. */
void path_heard(struct path *p, nsec now);
void path_set_access(struct path *p, enum path_access access, nsec now);
/* The answer to FENCE: what was in flight on the lost path can't be executed by
 * it any more.  (When the path was lost again in between, FENCE comes again.)
 */
void path_fenced(struct path *p, nsec now);
/* Time is passing: to be called at path_group_deadline() at the latest.  The
 * deadline changes with every event; one that is in the past is due now. */
void path_group_tick(struct path_group *g, nsec now);
nsec path_group_deadline(const struct path_group *g);

/* ----------------------------------------------------------------- requests */

/* The path to send it on now, or NULL: it waits, and a SEND or FAIL action
 * will come for it. */
struct path *path_group_submit(struct path_group *g, struct path_request *r,
			       nsec now);

enum path_verdict {
	PATH_DONE,	      /* completed, well or badly: it is idle now */
	PATH_RETRY_HERE,      /* the other end asks for it: same path again */
	PATH_RETRY_ELSEWHERE, /* this path can't do it (ANA, draining) */
};
/* The reply for an in-flight request came over its path; `bytes` is what it
 * moved, for the statistics.  With RETRY_* a SEND action follows (or FAIL), on
 * the same path, or another, if there is one that can be used.  (A reply that
 * still came over an earlier path answers the request as well: cancel it here
 * and complete it; it says nothing about the path that it is on now.) */
void path_request_done(struct path_group *g, struct path_request *r,
		       enum path_verdict verdict, size_t bytes, nsec now);

/* Takes a request back, wherever it is; harmless when it is idle. */
void path_request_cancel(struct path_group *g, struct path_request *r);

/* -------------------------------------------------------------- actions out */

/* Those of one path come in this order. */
enum path_action_kind {
	PATH_ACT_CLOSE,	  /* drop the connection (of a silent path, or a connect
			     attempt that took too long); no answer */
	PATH_ACT_FENCE,	  /* make sure; answer with path_fenced().  Only if
			     requests with needs_fence were in flight */
	PATH_ACT_GIVE_UP, /* ctrlr_loss_timeout: the path will not come back;
			     the owner calls path_remove() when it likes */
	PATH_ACT_CONNECT, /* start an attempt; answer with path_connected() or
			     path_failed() */
	PATH_ACT_PROBE,	  /* send something small; answer with
			     path_probe_answered() */
	PATH_ACT_SEND,	  /* send `request` on `path` */
	PATH_ACT_FAIL,	  /* complete `request` with `error`; it is idle now.
			     -ETIMEDOUT: fast_io_fail_timeout; -ENODEV: all
			     paths were given up, or disabled */
};

struct path_action {
	enum path_action_kind kind;
	struct path *path;
	struct path_request *request;
	int error; /* -errno */
};

/* The next thing to do; false when there is none.  Call it after every event
 * until it is false. */
bool path_group_next(struct path_group *g, nsec now, struct path_action *out);

/* ------------------------------------------------------------------ reports */

struct path_info {
	const char *label;
	enum path_state state;
	enum path_access access;
	bool preferred; /* takes requests now, by the policy */
	unsigned inflight;
	nsec latency, deviation; /* smoothed */
	nsec since;		 /* of the present state */
	uint64_t requests, bytes, failovers /* requests moved away */, losses;
};
void path_get_info(const struct path *p, struct path_info *out);
/* Paths in the order they were added: NULL after the last. */
struct path *path_group_iterate(const struct path_group *g,
				const struct path *after);
unsigned path_group_waiting(const struct path_group *g);
/* Is there a path, maybe a removed one, that path_fenced() is awaited for? */
bool path_group_is_fencing(const struct path_group *g);
/* Asserts every invariant; for tests. */
void path_group_check(const struct path_group *g);

#endif
