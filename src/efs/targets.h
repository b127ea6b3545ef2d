/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount targets: which a file system has, and which of them this host should
 * use.  Any thread; calls block, with the API for as long as aws.h says.
 */
#ifndef EFS_TARGETS_H
#define EFS_TARGETS_H

#include "aws/aws.h"
#include "path/select.h"

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
