/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets: which a file system has, and which of them this host should
 * use.  Any thread; calls block, with the API for as long as aws.h says.
 */
#ifndef EFS_TARGETS_H
#define EFS_TARGETS_H

#include <stdbool.h>

#include "aws/aws.h"
#include "path/select.h"

/* The name that EFS gives a file system, "FS.efs.REGION.SUFFIX"; suffix NULL:
 * that of AWS, or, if somebody else's API is asked, of hawserd's certificate.
 */
enum { TARGETS_NAME_SIZE = 256 };
void targets_name(const struct aws_client *aws, const char *fs,
		  const char *suffix, char name[TARGETS_NAME_SIZE]);

/*
 * The mount targets that this host should use, near ones first: those that the
 * API names; if it can't be asked, what the name resolves to.
 */
struct targets_wish {
	const char *fs;
	const char *zone;      /* none but that one's; NULL: any */
	const char *host_zone; /* where this host is; NULL: not known */
	const char *suffix;    /* of targets_name() */
	size_t limit;	       /* 0: as many as there are */
};
struct targets_found {
	bool named;	/* by the name: the API could not be asked */
	bool passing;	/* later it may be otherwise */
	char text[800]; /* why there are none; or why the API was not */
};
/* `list` has room for PATH_SELECT_MAX.  How many; -ENOENT: there is no such
 * file system; -EHOSTUNREACH. */
int targets_find(struct aws_client *aws, const struct targets_wish *w,
		 struct path_candidate *list, struct targets_found *f);

/* Its steps. */

/* By EFS's API (DescribeMountTargets): those that are available, up to `max`;
 * *n of them.  0, or as aws_rest() with *why. */
int targets_list(struct aws_client *aws, const char *fs,
		 struct path_candidate *list, size_t max, size_t *n,
		 struct aws_error *why);

/* What a name resolves to, up to `max`, of no zone: how many, or -EHOSTUNREACH
 * and why in `err`; -EAGAIN: nobody could be asked. */
enum { TARGETS_TEXT_SIZE = 400 };
int targets_resolve(const char *name, struct path_candidate *list, size_t max,
		    char err[TARGETS_TEXT_SIZE]);

/* Only those of that zone: how many are left. */
size_t targets_keep_zone(struct path_candidate *list, size_t n,
			 const char *zone);

/* In the order of preference, for this host with its interfaces (netlink) in
 * `zone` ("": not known), as path_select() says; limit 0: as many as there are.
 * How many to use. */
size_t targets_choose(const char *zone, size_t limit,
		      struct path_candidate *list, size_t n);

#endif
