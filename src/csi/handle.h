/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a volume id says:
 *
 *	efs:fs-…[:SUBPATH[:fsap-…]]	as the driver writes it
 *	fs-…[:SUBPATH[:fsap-…]]		as older ones did
 *
 * Either may be written by hand, for a volume that nobody created.  "s3files"
 * instead of "efs" is understood, and is of no use here.
 */
#ifndef CSI_HANDLE_H
#define CSI_HANDLE_H

#include <stdbool.h>

#include "csi/efs.h"

enum { HANDLE_PATH_SIZE = 1024, HANDLE_SIZE = 256 };

struct handle {
	bool s3files;
	char fs[EFS_ID_SIZE];
	char path[HANDLE_PATH_SIZE]; /* from the root: "/" or "/a/b" */
	char point[EFS_ID_SIZE];     /* "": none */
};

/* 0; -EINVAL: it is none. */
int handle_parse(const char *text, struct handle *out);
/* That of an access point. */
const char *handle_format(const char *fs, const char *point,
			  char text[HANDLE_SIZE]);

/* "fs-" or "fsap-", and 8 to 40 hexadecimal digits in lower case. */
bool handle_is_id(const char *text, const char *prefix);

/* Without "", "." and "..", which never lead above the root.  0 or -EINVAL: it
 * is too long. */
int handle_clean_path(const char *path, char *out, size_t size);

/* Whether `other` is `root` or below it; both are clean. */
bool handle_path_holds(const char *root, const char *other);

#endif
