/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect: volumes over NVMe as devices of this host, from connection
 * information as volume drivers give it (info.h).
 *
 * On a host whose kernel has NVMe over fabrics that is a block device of the
 * kernel's: the namespace itself, over all portals if the kernel has native
 * multipath; an array (md, RAID 1) over volume_replicas; a map of device-mapper
 * over dm_replicas.  On any other host it is a file, which `hawser attach`
 * serves with the initiator in user space.
 *
 * Every call can be made again: what is there stays, what is missing is added.
 * So a process that is killed in the middle leaves nothing that the next call
 * stumbles over.  Calls for the same subsystem wait for each other, in whatever
 * process they are made.
 *
 * Calls block; any thread.  Errors are negative errnos with a text for people.
 */
#ifndef CONNECT_CONNECT_H
#define CONNECT_CONNECT_H

#include "connect/host.h"

enum connect_side {
	CONNECT_AUTO,	/* the kernel's, if it has NVMe over fabrics */
	CONNECT_KERNEL, /* block devices */
	CONNECT_USER,	/* files */
};

/* Zero-initialised: the defaults in brackets. */
struct connect_options {
	enum connect_side side;
	bool single_path;	/* the first portal that works is enough */
	bool enforce_multipath; /* refused where it isn't possible */
	unsigned min_paths;	/* of each target that have to be live [1] */
	bool new_mirror;	/* USER: this host may begin a mirror's map */
	/* [0: 2], [0: -1, never], [0: -1 for a plain volume, 5 for a replica,
	 * so that the others go on without it] */
	int reconnect_delay_s, ctrl_loss_s, fast_io_fail_s;
	char file[PATH_MAX]; /* USER: [/run/hawser/volumes/NAME] */
	/* For who comes again, as connect_keep() does: only what is connected
	 * (-ENOENT), without waiting for anybody; without making controllers.
	 */
	bool known_only, impatient, no_add;
};

/*
 * Connects the volume, and waits for its device.  *result is an object:
 *
 *	"type"	   "block", or "file"
 *	"path"	   "/dev/nvme0n1", "/dev/md/NAME", "/dev/mapper/hawser-NAME"
 *	"name"	   what the volume is called here
 *	"kind"	   "plain", "mirror", "shared"
 *	"side"	   "kernel", "user"
 *	"size"	   bytes
 *	"paths"	   { "wanted": N, "live": N, "learned": N } over all targets:
 *		   portals that were named, those of them that are live, and
 *		   live ones that were learned of by discovery
 *	"targets"  [{ "nqn", "device", "portals": [{ "address", "port",
 *		   "transport", "state", "controller", "error" }…] }…]
 *	"warnings" [text…]
 *
 * -ENOTCONN: no portal, or fewer than wanted, can be reached; -ENODEV: the
 * volume is not there; -EOPNOTSUPP: this host can't do that; -EIO: a program
 * failed; -EBUSY.  Then what this call has connected is disconnected again.
 */
int connect_volume(struct connect_host *h, const struct connect_info *info,
		   const struct connect_options *o, json_t **result,
		   char text[CONNECT_TEXT]);

/* How it is: as connect_volume(), but nothing is changed. -ENODEV: it is not
 * connected. */
int connect_look(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, json_t **result,
		 char text[CONNECT_TEXT]);

/*
 * Writes what is cached, and takes the device away.  A controller that shows
 * any other namespace stays.  0 if it is not there already.  -EBUSY: it is in
 * use, and nothing was done; with `force`, what can be done is done.
 */
int connect_release(struct connect_host *h, const struct connect_info *info,
		    const struct connect_options *o, bool force,
		    char text[CONNECT_TEXT]);

/* The volume was made larger: so is the device.  *bytes: its size now. */
int connect_extend(struct connect_host *h, const struct connect_info *info,
		   const struct connect_options *o, uint64_t *bytes,
		   char text[CONNECT_TEXT]);

/* What a volume driver has to know of this host: "nqn", "nvme_hostid", "uuid",
 * "system uuid", "nvme_native_multipath", and "side".  /etc/nvme/hostnqn and
 * hostid are made if there are none. */
json_t *connect_properties(struct connect_host *h);

/* Connection information by the name or the device of what is connected; what
 * connect_volume() was given, that is.  -ENOENT. */
int connect_find(struct connect_host *h, const char *name_or_device,
		 struct connect_info *out, struct connect_options *o,
		 char text[CONNECT_TEXT]);

/*
 * Keeps block devices as they were asked for, for ever: controllers that are
 * missing are made again, replicas that can be reached again go back into their
 * array or map, and addresses that a target's discovery log has come to list
 * are connected, too.  It looks every `interval_ms`, and when the kernel tells
 * of a controller.  Killed at any moment, the next one goes on.  -EBUSY:
 * another does so already; it does not return otherwise.
 */
int connect_keep(struct connect_host *h, unsigned interval_ms,
		 char text[CONNECT_TEXT]);

/* ------------------------------------------------------------- commands */

int connect_main(int argc, char **argv);
int disconnect_main(int argc, char **argv);
int connector_keep_main(int argc, char **argv);
int connector_properties_main(int argc, char **argv);
int connector_show_main(int argc, char **argv);
int connector_extend_main(int argc, char **argv);

#endif
