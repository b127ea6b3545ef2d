/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of path/ share.
 *
 *	group.c     which path takes a request; the owner's to-do list
 *	path.c      the state machine of one path; events about it
 *	request.c   the state machine of one request; submit, done, cancel
 *	policy.c    four ways to choose among paths that are equally good
 *	timers.c    when something is due, and what happens then
 *	report.c    names, figures, and the check of all invariants
 *
 * Ownership: a group owns its paths.  Requests are the owner's; a request is
 * linked into exactly one list, the one its state names: group->waiting,
 * path->requests (in flight), path->fenced.  All three are in the order of
 * submission, so that a request that is moved gets back to its place.
 */
#ifndef PATH_INTERNAL_H
#define PATH_INTERNAL_H

#include "path/path.h"

/* Paths of a group by their index, one bit each. */
typedef uint64_t path_set;

static inline path_set path_bit(unsigned index)
{
	return (path_set)1 << index;
}

/* How good a path is for the next request.  Only the best take one: a live
 * path that is not optimized is still better than one that may be dead, and
 * that is better than to wait. */
enum path_rank {
	RANK_LIVE_OPTIMIZED,
	RANK_LIVE_NON_OPTIMIZED,
	RANK_SUSPECT_OPTIMIZED,
	RANK_SUSPECT_NON_OPTIMIZED,
	RANK_UNUSABLE,
};

enum { PATIENCE_MAX = 16 };

struct path {
	struct path_group *group;
	void *owner;
	char *label;
	unsigned index; /* in group->paths */

	enum path_state state; /* path_set_state() only */
	enum path_access access;
	nsec since;	 /* of the state */
	nsec up_since;	 /* connected the last time */
	nsec down_since; /* added, or lost, whichever was later */
	nsec delay;	 /* the last pause before an attempt; 0: none yet */

	bool attempt;	  /* CONNECT was handed out and is not answered */
	bool probing;	  /* a probe is not answered */
	bool fencing;	  /* a FENCE is wanted or not answered … */
	bool fence_again; /* … and will not cover what was lost since */
	bool given_up;	  /* stays lost */
	bool disabled;	  /* the same, until path_disable() takes it back */
	bool removed;	  /* path_fenced() frees it */
	unsigned todo;	  /* 1 << enum path_action_kind */
	struct list busy; /* in group->busy while todo is not 0 */

	/* Silence is counted from the last sign of life, or from when the
	 * first answer became due after a time in which none was. */
	nsec quiet;
	unsigned patience; /* probes answered since a request was; bounded */

	/* Smoothed as in RFC 6298, section 2, for this connection alone. */
	nsec latency, deviation;
	bool measured;	  /* there was a sample … */
	nsec measured_at; /* … the last one then */

	struct list requests, fenced;
	unsigned inflight;
	uint64_t load; /* sum of request_weight() in flight */

	uint64_t completed, bytes, failovers, losses;
};

/*
 * A policy chooses among paths of the same rank.  It is a pure function: the
 * group remembers the last choice and for how many requests in a row it held.
 */
struct path_policy {
	const char *name;
	bool exclusive; /* all requests take one path, the others stand by */
	/* The index of a member of `set`, which is not empty. */
	unsigned (*select)(const struct path_group *g, path_set set, nsec now);
};
const struct path_policy *path_policy_find(const char *name);

struct path_group {
	struct path_options options;
	const struct path_policy *policy;

	struct path *paths[PATH_MAX_PATHS]; /* in the order added, no gaps */
	unsigned count;
	path_set preferred; /* all of the best rank; 0: no path is usable */
	const struct path *favourite; /* of active-passive, or NULL */
	unsigned last, run; /* the last choice, and how often in a row */
#define NO_CHOICE UINT32_MAX

	struct list waiting; /* requests */
	unsigned waiting_count;
	uint64_t submitted;
	nsec stranded; /* since when none is usable; NSEC_NEVER: one is */
	bool gave_up;  /* some path, once */

	struct list busy; /* paths with something to do */
};

/* A request's share of a path's load: its bytes, and what any request costs
 * beside them. */
enum { REQUEST_OVERHEAD = 4096 };
static inline uint64_t request_weight(const struct path_request *r)
{
	return r->bytes + REQUEST_OVERHEAD;
}

/* An answer is due: silence means something. */
static inline bool path_expects(const struct path *p)
{
	return p->inflight > 0 || p->probing;
}

/* What was measured longer ago may not hold any more. */
#define PATH_STALE_AFTER SEC(1)
static inline bool path_estimate_holds(const struct path *p, nsec now)
{
	return p->measured && now - p->measured_at < PATH_STALE_AFTER;
}

/* group.c */
enum path_rank path_rank(const struct path *p);
path_set group_best(const struct path_group *g, const struct path *except);
void group_rerank(struct path_group *g, nsec now);
struct path *group_choose(struct path_group *g, const struct path_request *r,
			  nsec now);
nsec group_fail_at(const struct path_group *g);
void group_drop(struct path_group *g, struct path *p);

/* path.c */
struct path *path_new(struct path_group *g, const char *label, void *owner,
		      nsec now);
void path_free(struct path *p);
void path_set_state(struct path *p, enum path_state to, nsec now);
void path_lose(struct path *p, const char *why, nsec now); /* NULL: quietly */
void path_want(struct path *p, enum path_action_kind kind);
void path_sample(struct path *p, nsec latency, nsec now);

/* request.c */
void request_send(struct path_group *g, struct path_request *r, struct path *p,
		  nsec now);
void request_fail(struct path_group *g, struct path_request *r);
void requests_leave(struct path *p);
void requests_unfence(struct path *p);
void requests_forget(struct path_group *g, const struct path *p);

#endif
