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

	/* TLS; strings "" where nothing is said. */
	bool tls, iam;
	unsigned verify; /* 0: the server's certificate is not looked at */
	char fs[64];	 /* its id, if that is before the colon */
	char host[256];	 /* that the certificate is for: what is before it */
	char access_point[64], region[65], profile[128];
	char credentials[PATH_MAX], ca_file[PATH_MAX];
};

/* The arguments from "mount" on.  0; 1: help was given; or -EINVAL after a
 * line on stderr. */
int mount_options_parse(struct mount_options *o, int argc, char **argv);

#endif
