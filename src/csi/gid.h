/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which group id a new access point gets: the lowest of its range that no other
 * of the file system has.  Any thread.
 *
 *	gid_take()	the access points are listed; the gid is taken: nobody
 *			else in this process gets it
 *	(created)
 *	gid_is_alone()	listed again: does another access point have it, which
 *			another process made at the same time?
 *	gid_return()	from here on it is the list that says that it is used
 *
 * Of two processes that choose the same gid, the one that lists last sees the
 * other's access point, because both list after they created: never do both
 * keep it.  Both may give up; they choose again, at random.
 *
 * A list is asked for once for all calls that wait for one: each gets one that
 * was begun after its call.
 */
#ifndef CSI_GID_H
#define CSI_GID_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "csi/efs.h"

/* Calls `each` for every access point; as efs_point_each(). */
typedef int gid_list_fn(void *arg, const char *fs, efs_point_fn *each,
			void *each_arg, struct efs_error *err);

struct gid_pools {
	gid_list_fn *list;
	void *arg;
	pthread_mutex_t lock; /* of everything here, but never while listing */
	struct list pools;    /* of file systems that are being looked at */
};

struct gid_range {
	uint32_t start, end; /* both included */
};

void gid_pools_init(struct gid_pools *pools, gid_list_fn *list, void *arg);
void gid_pools_fini(struct gid_pools *pools);

/* attempt: 0; later ones choose at random, to part from who chose the same.
 * 0; -ENOSPC: none is free; -ENOMEM; -EIO: the list could not be had, *err. */
int gid_take(struct gid_pools *pools, const char *fs,
	     const struct gid_range *range, unsigned attempt, uint32_t *gid,
	     struct efs_error *err);
void gid_return(struct gid_pools *pools, const char *fs, uint32_t gid);
/* 1; 0: another access point than `id` has it; -EIO. */
int gid_is_alone(struct gid_pools *pools, const char *fs, uint32_t gid,
		 const char *id, struct efs_error *err);

#endif
