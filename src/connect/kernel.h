/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes as block devices of the kernel's: the calls of connect.h on that
 * side.  The caller holds the locks (record.h).
 */
#ifndef CONNECT_KERNEL_H
#define CONNECT_KERNEL_H

#include "connect/leg.h"

/* A volume and its legs; what the files of the kernel's side share. */
struct stand {
	struct connect_host *host;
	const struct connect_info *info;
	const struct connect_options *options;
	struct leg legs[CONNECT_TARGETS_MAX];
	/* Another volume that is connected here has that target's subsystem:
	 * its controllers stay. */
	bool keep[CONNECT_TARGETS_MAX];
	char device[CONNECT_DEVICE_SIZE];  /* "nvme0n1", "md127", "dm-0" */
	char path[CONNECT_NAME_SIZE + 24]; /* "/dev/nvme0n1", "/dev/md/v" */
	json_t *warnings;
};

/* Can NVMe over fabrics be used here?  Loads the module if it can be. */
bool kernel_has_nvme(struct connect_host *h);

int kernel_connect(struct stand *s, char text[CONNECT_TEXT]);
int kernel_look(struct stand *s, char text[CONNECT_TEXT]);
int kernel_release(struct stand *s, bool force, char text[CONNECT_TEXT]);
int kernel_extend(struct stand *s, uint64_t *bytes, char text[CONNECT_TEXT]);
json_t *kernel_report(const struct stand *s);

/*
 * md.c, dm.c: the device over those legs that have one.
 *
 * _up: it is there, with all of them in it; sets s->device and s->path.
 * _find: the same, if it is there already; false: it is not.
 * _down: it is there no more.
 * _grow: it is as large as its legs are.
 */
int md_up(struct stand *s, char text[CONNECT_TEXT]);
bool md_find(struct stand *s);
int md_down(struct stand *s, char text[CONNECT_TEXT]);
int md_grow(struct stand *s, char text[CONNECT_TEXT]);
/* Is that leg part of an array, whether or not it runs? */
bool md_is_member(struct connect_host *h, const struct leg *leg);

int dm_up(struct stand *s, char text[CONNECT_TEXT]);
bool dm_find(struct stand *s);
int dm_down(struct stand *s, char text[CONNECT_TEXT]);
int dm_grow(struct stand *s, char text[CONNECT_TEXT]);

/* A warning for the user. */
__attribute__((format(printf, 2, 3))) void stand_warn(struct stand *s,
						      const char *format, ...);

#endif
