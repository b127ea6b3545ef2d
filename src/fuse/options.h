/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `hawser mount` is told: source, directory, -o.  Options of the NFS
 * client are that room's (nfs_options_parse()); what is left is a table here.
 */
#ifndef FUSE_OPTIONS_H
#define FUSE_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "nfs/client/client.h"

struct mount_options {
	const char *source;	   /* "ADDRESS:/PATH" as given */
	const char *path;	   /* borrowed from it: "/PATH" */
	char mountpoint[PATH_MAX]; /* absolute */
	bool foreground;
	bool has_addr; /* -o addr= */
	struct nfs_options nfs;
	double actimeo;	     /* seconds that attributes and names are cached */
	bool allow_other;    /* than the one who mounts */
	unsigned read_ahead; /* KiB */
	char kernel[256];    /* for the kernel: ",ro,nosuid" */
};

/* The arguments from "mount" on.  0; 1: help was given; or -EINVAL after a
 * line on stderr. */
int mount_options_parse(struct mount_options *o, int argc, char **argv);

#endif
