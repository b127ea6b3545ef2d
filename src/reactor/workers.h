/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads behind offload(): one pool for all reactors of the process,
 * because what they do is wait for the same disks.  Threads start when there
 * is work and nobody idle, up to the largest number that a living reactor
 * asked for, and end with the last reactor.
 */
#ifndef REACTOR_WORKERS_H
#define REACTOR_WORKERS_H

#include "base/list.h"

struct job {
	struct list link;
	void (*run)(struct job *job); /* after this the job may be gone */
};

void workers_get(int wanted); /* by each reactor that is created */
void workers_put(void);	      /* last one: waits for the threads to end */

void workers_submit(struct job *job); /* any thread */

/* offload() of the real world. */
int workers_call(int (*fn)(void *arg), void *arg);

#endif
