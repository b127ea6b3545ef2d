/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target is an address that the host's kernel is connected to, and how it has
 * answered probes lately.  Logic alone: no I/O, no clock.
 *
 *	UNKNOWN ──answer──▶ ANSWERING ──failure──▶ FAILING
 *	   │                    ▲                     │
 *	   └──failure──────▶    └───────answer────────┘
 *
 * FAILING is not yet dead.  When everything fails at once, it is this host that
 * is cut off or slow, or the server that is down, and nothing that could be
 * done would help.  So a target is dead only beside another one that has
 * answered all the while: target_dead().
 */
#ifndef PATHD_TARGET_H
#define PATHD_TARGET_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/list.h"

enum target_kind { TARGET_NFS, TARGET_NVME };
enum target_state { TARGET_UNKNOWN, TARGET_ANSWERING, TARGET_FAILING };

/* So many probes in a row have to fail. */
enum { TARGET_FAILURES = 2 };

/* How long a target has to answer until it is trusted again: at first, and when
 * it has come and gone several times. */
#define TARGET_TRUST_MIN SEC(2)
#define TARGET_TRUST_MAX SEC(60)

struct target {
	struct list link; /* targets.all */
	struct addr addr;
	enum target_kind kind;
	unsigned users; /* that name it; none: it is dropped */
	bool watched;	/* it matters whether it answers: probe it */
	bool probed;	/* somebody does, and is a user */

	enum target_state state;
	unsigned failures;     /* in a row */
	nsec failed_at[2];     /* when the last two of them began */
	nsec failing_since;    /* … and the first */
	nsec answering_since;  /* the first answer of those in a row came */
	nsec answered;	       /* the last probe that was answered began */
	nsec latency;	       /* of that one */
	nsec trust;	       /* see above */
	uint64_t falls;	       /* from ANSWERING to TARGET_FAILURES */
	uint64_t probes, lost; /* all, and those without an answer */
};

struct targets {
	struct list all;
	unsigned count;
};

/* Bounds the probes and the memory. */
enum { TARGETS_MAX = 1024 };

void targets_init(struct targets *ts);

/* One more user.  NULL: no memory, or too many. */
struct target *target_get(struct targets *ts, enum target_kind kind,
			  const struct addr *addr);
void target_put(struct target *t);
/* Frees those without users. */
void targets_sweep(struct targets *ts);

/* A probe that began at `sent` has ended.  FELL: TARGET_FAILURES in a row, at
 * this moment; ROSE: it answers, for the first time or after a fall. */
enum target_news { TARGET_NO_NEWS, TARGET_FELL, TARGET_ROSE };
enum target_news target_probed(struct target *t, bool answered, nsec sent,
			       nsec now);
/* Nobody has probed it for a while. */
void target_reset(struct target *t);

/* The last TARGET_FAILURES probes of t have failed, each while the witness was
 * answering. */
bool target_dead(const struct target *t, const struct target *witness);

/* It answers, and has for long enough. */
bool target_trusted(const struct target *t, nsec now);

const char *target_state_name(enum target_state state);

#endif
