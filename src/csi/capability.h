/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume is to be able to: the rules for VolumeCapability. */
#ifndef CSI_CAPABILITY_H
#define CSI_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "csi/proto/csi.pb-c.h"

/* NULL: all of them can be had; else why not. */
const char *capability_refusal(Csi__V1__VolumeCapability *const *list,
			       size_t n);
const char *capability_refuses(const Csi__V1__VolumeCapability *c);

bool capability_is_read_only(const Csi__V1__VolumeCapability *c);
/* One user on one node: a second target path is refused. */
bool capability_is_exclusive(const Csi__V1__VolumeCapability *c);

/* volume_mount_group; -1: none.  NULL, or why it is no group. */
const char *capability_group(const Csi__V1__VolumeCapability *c,
			     int64_t *group);
/* With an access mode at all. */
bool capability_mode_is_known(const Csi__V1__VolumeCapability *c);
/* One node at a time. */
bool capability_is_one_node(const Csi__V1__VolumeCapability *c);

#endif
