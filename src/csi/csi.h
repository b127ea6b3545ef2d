/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSI driver: Hawser's file systems as volumes of a container orchestrator
 * (Container Storage Interface 1.13).  Identity, Controller and Node in one
 * process, on one UNIX socket.  It keeps nothing of its own: what it knows is
 * what EFS's API and the kernel's table of mounts say, so it may be killed and
 * started again at any moment.
 */
#ifndef CSI_CSI_H
#define CSI_CSI_H

#include <stdbool.h>
#include <stddef.h>

#define CSI_DEFAULT_NAME     "efs.csi.aws.com"
#define CSI_DEFAULT_ENDPOINT "unix://tmp/csi.sock"
#define CSI_DEFAULT_WORK_DIR "/var/lib/csi/pv"

/* Strings are borrowed until csi_run() returns. */
struct csi_options {
	const char *endpoint; /* "unix:///csi/csi.sock" */
	const char *name;     /* of the driver */
	const char *node_id;
	const char *zone;     /* of this node; "": not known */
	const char *api;      /* URL; NULL: as the environment says */
	const char *region;   /* NULL: the same */
	const char *tags;     /* "key:value key:value" for access points; "\"
				 before a ':' or a blank that is meant */
	const char *program;  /* hawser, which mounts */
	const char *cgroup;   /* daemons of mounts go there; NULL: nowhere */
	const char *work_dir; /* for mounts of its own */
	const char *ca_file;  /* for TLS at mount targets; NULL: the system's */
	const char *suffix;   /* of their names; NULL: as the API's URL says */
	/* Volumes that do not say whether: those are encrypted on their way, by
	 * default, if it can be known whose certificates to trust. */
	enum { CSI_ENCRYPT_IF_TRUSTED, CSI_ENCRYPT, CSI_NO_ENCRYPT } encrypt;
	const char *client;   /* that mounts: "fuse", "kernel", "auto" */
	bool delete_root_dir; /* DeleteVolume deletes what is in the volume */
	unsigned max_mounts;  /* mounts being made at the same time */
	bool nvme;	      /* volumes over NVMe, too; see nvme.h */
	const char *rpc;      /* hawserd's socket, for them */
};

/* Serves until SIGTERM or SIGINT: 0, or -errno and a line in the log. */
int csi_run(const struct csi_options *options);

#endif
