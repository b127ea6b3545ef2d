/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's NVMe/TCP controllers.  Its native multipath moves requests off a
 * path by itself, but notices that a path is silent only when a keep alive goes
 * unanswered, which takes seconds.  What it wants is to be told: when the
 * sockets of a controller are closed, it does at once what it would do then.
 * It also connects anew by itself, so there is nothing to bring back.
 *
 *	new, or live again ─▶ which instance is it? ─▶ known
 *	known ─▶ dead beside another ─▶ reset by that one ─▶ sockets closed
 *
 * It is reset first (fence.h), because the kernel sends its writes again at
 * once, and the earlier the less likely it is that those on their way have
 *died. A controller that can't be reset is left to the kernel's patience.
 *
 * Logic alone: no I/O, no clock.
 */
#ifndef PATHD_CTRL_H
#define PATHD_CTRL_H

#include "pathd/fence.h"
#include "pathd/target.h"

enum { CTRL_NAME = 32, CTRL_NQN = 224, CTRLS_MAX = 1024 };

/* Between two attempts at one address. */
#define CTRL_PAUSE SEC(5)

struct ctrl {
	struct list link; /* ctrls.all */
	char name[CTRL_NAME];
	char subsystem[CTRL_NQN];
	struct target *target; /* a user */
	bool live;
	bool seen;
	bool asked; /* which instance it is: somebody is finding out */
	struct fence_identity identity;
	uint64_t fingerprint; /* of the address's sockets, while it was so; 0:
				 not known */
	nsec retry_at;
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

/* One of which it is not known which instance it is, and that would say; or
 * NULL.  Who gets it answers with ctrls_identified(), by its name: by then it
 * may be gone. */
struct ctrl *ctrls_next_unknown(struct ctrls *cs);
/* identity NULL: not found out. */
void ctrls_identified(struct ctrls *cs, const char *name,
		      const struct fence_identity *identity,
		      uint64_t fingerprint);

/* The sockets at that address are others than those it was found out with. */
void ctrls_forget(struct ctrls *cs, const struct addr *at);

/* A live one whose address is dead beside that of another one of its subsystem,
 * or NULL.  No one of that address will be named again for CTRL_PAUSE. */
struct ctrl *ctrls_next_dead(struct ctrls *cs, nsec now);

/* A live one of the same subsystem beside whose address c's is dead; or NULL.
 */
struct ctrl *ctrl_witness(const struct ctrls *cs, const struct ctrl *c);

#endif
