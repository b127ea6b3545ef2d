/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVMe controllers and their namespaces, as the kernel's sysfs shows them.
 *
 *	/sys/class/nvme/nvme1/		a controller: one way to a subsystem
 *	    nvme0c1n1/			what native multipath makes one path of
 *	/sys/class/block/nvme0n1	… and the device above its paths
 *
 * Without native multipath nvme1/nvme1n1 is the device itself.
 */
#ifndef CONNECT_SYSFS_H
#define CONNECT_SYSFS_H

#include "connect/host.h"

enum { SYS_CTRLS_MAX = 1024, SYS_NAMESPACES_MAX = 1024 };

struct sys_ctrl {
	char name[CONNECT_DEVICE_SIZE]; /* "nvme0" */
	char nqn[CONNECT_NQN_SIZE], hostnqn[CONNECT_NQN_SIZE];
	char transport[16], state[24];
	struct addr addr; /* len 0: no IP address */
};

struct sys_namespace {
	char device[CONNECT_DEVICE_SIZE]; /* "nvme0n1" */
	struct connect_id id;
};

/* Fabrics controllers; *out is to be freed.  How many, or -ENOMEM. */
int sys_ctrls(const struct connect_host *h, struct sys_ctrl **out);
bool sys_ctrl_is_live(const struct sys_ctrl *c);
/* It will be live again without anybody's doing. */
bool sys_ctrl_is_coming(const struct sys_ctrl *c);
/* Is it that portal of that target?  hostnqn "": whoever the host says it is;
 * so it is, too, where the kernel doesn't tell. */
bool sys_ctrl_is(const struct sys_ctrl *c, const struct connect_target *t,
		 const struct connect_portal *p);

/* Of a controller; *out is to be freed.  How many, or -ENOMEM. */
int sys_namespaces(const struct connect_host *h, const char *controller,
		   struct sys_namespace **out);
/* Everything that both have is the same, and that is something. */
bool sys_namespace_is(const struct sys_namespace *n,
		      const struct connect_id *id);

/* Bytes of a block device; 0: there is none. */
uint64_t sys_size(const struct connect_host *h, const char *device);
/* "259:3"; "" */
void sys_number(const struct connect_host *h, const char *device,
		char out[CONNECT_DEVICE_SIZE]);
/* The device (an array, a map) whose name begins so and that holds this one;
 * false: none does. */
bool sys_holder(const struct connect_host *h, const char *device,
		const char *prefix, char out[CONNECT_DEVICE_SIZE]);

/* May the kernel have several paths to one namespace? */
bool sys_native_multipath(const struct connect_host *h);

#endif
