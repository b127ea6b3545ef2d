/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is being worked on, by name.  A second call for the same thing is turned
 * away at once instead of waiting: whoever called tries again.  Any thread.
 */
#ifndef CSI_BUSY_H
#define CSI_BUSY_H

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"

struct busy {
	pthread_mutex_t lock;
	struct list names; /* as many as there are calls: few */
};

void busy_init(struct busy *b);
void busy_fini(struct busy *b);
/* false: somebody else works on it, or there is no memory. */
bool busy_enter(struct busy *b, const char *name);
void busy_leave(struct busy *b, const char *name);

#endif
