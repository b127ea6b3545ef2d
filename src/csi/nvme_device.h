/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device of an NVMe volume on this node: made and taken away by `hawser
 * connect` and `hawser disconnect`, with a loop device on what they give if
 * that is a file.  What there is is asked each time.  Calls block; any thread.
 */
#ifndef CSI_NVME_DEVICE_H
#define CSI_NVME_DEVICE_H

#include "csi/nvme.h"

enum { DEVICE_TEXT = 1024 };

/* What the connector says a volume is here. */
struct device {
	char path[PATH_MAX]; /* a block device */
	char file[PATH_MAX]; /* that it is on; "": none */
};

/* What is needed to connect. */
struct device_ways {
	const char *nqn, *portals; /* "10.0.0.1:4420,…" */
	bool single_path;
};

/* All return 0, or -errno and why in `err`. */
int device_connect(const struct csi *csi, const struct nvme_handle *h,
		   const struct device_ways *ways, struct device *out,
		   char err[DEVICE_TEXT]);
/* -ENODEV: it is not connected. */
int device_find(const struct csi *csi, const struct nvme_handle *h,
		struct device *out, char err[DEVICE_TEXT]);
/* Also of one that is not there. */
int device_disconnect(const struct csi *csi, const struct nvme_handle *h,
		      char err[DEVICE_TEXT]);
/* The volume has grown: so does the device. */
int device_extend(const struct csi *csi, const struct nvme_handle *h,
		  const struct device *d, char err[DEVICE_TEXT]);

/* "10.0.0.1:4420,[fd00::1]:4420" */
bool device_portals_are_valid(const char *text);

/* Whether what is mounted at a path is this device: the file system on it, or
 * its node.  Touches no file system. */
bool device_is_at(const struct device *d, const char *at,
		  const struct mounted *m);
/* The same for a device that is not known any more: as far as can be seen. */
bool device_may_be_at(const char *at, const struct mounted *m);

/* Runs a program, whose words end with NULL: 0, or -EIO with what it said. */
int device_run(char err[DEVICE_TEXT], const char *program, ...);

/* Which file system is on it: "" only if there is nothing at all on it. */
int device_type(const char *path, char type[32], char err[DEVICE_TEXT]);

#endif
