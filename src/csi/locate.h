/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a volume is: from its file system to the addresses that are mounted,
 * and the options of the mount.
 *
 *	addresses  those of mount options or of the volume's context; else mount
 *	           targets that EFS's API names, near ones first
 *	           (path/select.h); else, if it can't be asked, what
 *	           FS.efs.REGION.amazonaws.com resolves to
 *	options    addr=A,mounttargetip_1=B,…; tls and whom the certificate has
 *	           to be for, which is the name above; then the volume's own
 */
#ifndef CSI_LOCATE_H
#define CSI_LOCATE_H

#include "csi/handle.h"
#include "csi/mounter.h"
#include "path/select.h"

struct csi;

/* The client's bound. */
enum { LOCATE_MAX = 16 };

struct locate_wish {
	bool multipathing;
	size_t max_targets;  /* 0: all */
	const char *address; /* that one; NULL: any */
	char **flags;	     /* mount options of the volume */
	size_t n_flags;
	bool read_only, tls;
	/* Filled in by locate(); NULL: nothing is said.  Three are of TLS. */
	const char *host, *region, *ca_file, *client;
};

/* The name by which the kernel's table shows whose mount it is. */
void locate_source(const struct handle *h, char out[MOUNTER_SOURCE_SIZE]);

/* 0, or -errno and why in `err`.  Blocks. */
int locate(struct csi *csi, const struct handle *h,
	   const struct locate_wish *wish, struct mount_spec *out,
	   char err[MOUNTER_TEXT_SIZE]);

/* The pure half.  n 0: the volume's options say where it is.  -E2BIG: the
 * options are too long. */
int locate_options(const struct locate_wish *wish,
		   const struct path_candidate *targets, size_t n, char *out,
		   size_t size);

/* The value of an option among the volume's, in lower case: 1, and 0 if it is
 * not there.  An option without a value has "". */
int locate_flag(const struct locate_wish *wish, const char *name, char *value,
		size_t size);

#endif
