/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leg: one target of connection information, as a block device of this host.
 * It is the whole volume, or a replica of it.
 */
#ifndef CONNECT_LEG_H
#define CONNECT_LEG_H

#include "connect/connect.h"

/* The way by one portal, as it was found or made. */
struct leg_path {
	char controller[CONNECT_DEVICE_SIZE]; /* "": there is none */
	char state[24];
	bool added; /* by this process */
	char why[CONNECT_TEXT];
};

struct leg {
	const struct connect_target *target;
	struct leg_path paths[CONNECT_PORTALS_MAX];
	char device[CONNECT_DEVICE_SIZE]; /* "nvme0n1"; "": none */
	uint32_t nsid;
	uint64_t size;
};

/*
 * Connects what is not connected of the target's portals (with o->single_path:
 * until one is live) and finds the namespace.  Again, it changes nothing that
 * is as it should be.  0; -ENOTCONN: no portal can be reached; -ENODEV: no such
 * namespace is there; with text.  What was added stays, also after an error:
 * leg_undo().
 */
int leg_connect(struct connect_host *h, const struct connect_target *t,
		const struct connect_options *o, struct leg *leg,
		char text[CONNECT_TEXT]);
/* The same without connecting anything, and without waiting. */
int leg_look(struct connect_host *h, const struct connect_target *t,
	     struct leg *leg, char text[CONNECT_TEXT]);
unsigned leg_live(const struct leg *leg);
/* Of the portals that were named. */
unsigned leg_live_named(const struct leg *leg);

/* Takes away controllers that leg_connect() has added, but for those of which
 * somebody has a namespace in use by now. */
void leg_undo(struct connect_host *h, struct leg *leg);
/* Takes away the target's controllers, but for those that show any other
 * namespace.  How many those are. */
unsigned leg_release(struct connect_host *h, const struct leg *leg);

/* Has the size of the namespace read again, and waits until the block device
 * has it. */
int leg_rescan(struct connect_host *h, struct leg *leg,
	       char text[CONNECT_TEXT]);

#endif
