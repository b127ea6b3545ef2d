/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's NVMe/TCP controllers.  Its native multipath moves requests off a
 * path by itself, but notices that a path is silent only when a keep alive goes
 * unanswered, which takes seconds.  What it wants is to be told: when the
 * sockets of a controller are closed, it does at once what it would do then.
 * It also connects anew by itself, so there is no state to keep here, and
 * nothing to bring back.
 *
 * Logic alone: no I/O, no clock.
 */
#ifndef PATHD_CTRL_H
#define PATHD_CTRL_H

#include "pathd/target.h"

enum { CTRL_NAME = 32, CTRL_NQN = 224, CTRLS_MAX = 1024 };

/* A controller whose sockets could not be closed, or that is live again. */
#define CTRL_PAUSE SEC(2)

struct ctrl {
	struct list link; /* ctrls.all */
	char name[CTRL_NAME];
	char subsystem[CTRL_NQN];
	struct target *target; /* a user */
	bool live;
	bool seen;
	nsec retry_at;
	uint64_t cuts;
};

struct ctrls {
	struct targets *targets;
	struct list all;
	unsigned count;
};

/* What a scan reads of a controller. */
struct ctrl_seen {
	char name[CTRL_NAME];
	char subsystem[CTRL_NQN];
	struct addr addr;
	bool live;
};

void ctrls_init(struct ctrls *cs, struct targets *targets);
void ctrls_fini(struct ctrls *cs);

/* A scan: all that there are, between begin and end. */
void ctrls_scan_begin(struct ctrls *cs);
/* False: no memory, or too many. */
bool ctrls_see(struct ctrls *cs, const struct ctrl_seen *seen);
void ctrls_scan_end(struct ctrls *cs);

/* Whether its subsystem has a controller at another address, too. */
bool ctrl_is_one_of_several(const struct ctrls *cs, const struct ctrl *c);

/* A live one whose address is dead beside that of another one of its subsystem,
 * or NULL.  It will not be named again for CTRL_PAUSE. */
struct ctrl *ctrls_next_dead(struct ctrls *cs, nsec now);

#endif
