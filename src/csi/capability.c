/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/capability.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MODE(name) CSI__V1__VOLUME_CAPABILITY__ACCESS_MODE__MODE__##name

/* A file system can be had in every mode: many nodes write to it anyway. */
bool capability_mode_is_known(const Csi__V1__VolumeCapability *c)
{
	return c->access_mode != NULL && c->access_mode->mode > MODE(UNKNOWN) &&
	       c->access_mode->mode <= MODE(SINGLE_NODE_MULTI_WRITER);
}

const char *capability_refuses(const Csi__V1__VolumeCapability *c)
{
	const Csi__V1__VolumeCapability__MountVolume *m = c->mount;

	if (!capability_mode_is_known(c))
		return "Volume capability not supported: the access mode is "
		       "not known";
	if (c->access_type_case ==
	    CSI__V1__VOLUME_CAPABILITY__ACCESS_TYPE_BLOCK)
		return "Volume capability not supported: only filesystem "
		       "volumes are supported";
	if (c->access_type_case !=
		    CSI__V1__VOLUME_CAPABILITY__ACCESS_TYPE_MOUNT ||
	    m == NULL)
		return "Volume capability access type must be mount";
	for (size_t i = 0; i < m->n_mount_flags; i++)
		if (strcmp(m->mount_flags[i], "crossaccount") == 0)
			return "mount option crossaccount is set by the "
			       "driver, not in mountOptions";
	if (m->fs_type[0] && !is_one_of(m->fs_type, "efs|s3files"))
		return "Volume fstype not supported: expected none or efs";
	return NULL;
}

const char *capability_refusal(Csi__V1__VolumeCapability *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *why = capability_refuses(list[i]);

		if (why != NULL)
			return why;
	}
	return NULL;
}

const char *capability_group(const Csi__V1__VolumeCapability *c, int64_t *group)
{
	bool mount = c->access_type_case ==
		     CSI__V1__VOLUME_CAPABILITY__ACCESS_TYPE_MOUNT;
	const char *text = mount ? c->mount->volume_mount_group : "";
	size_t len = strlen(text);

	*group = -1;
	if (len == 0)
		return NULL;
	if (len > 10 || strspn(text, "0123456789") != len)
		return "volume_mount_group is not a number";
	*group = strtoll(text, NULL, 10);
	return *group < UINT32_MAX ? NULL : "volume_mount_group is too large";
}

bool capability_is_read_only(const Csi__V1__VolumeCapability *c)
{
	return c->access_mode->mode == MODE(SINGLE_NODE_READER_ONLY) ||
	       c->access_mode->mode == MODE(MULTI_NODE_READER_ONLY);
}

bool capability_is_one_node(const Csi__V1__VolumeCapability *c)
{
	return c->access_mode->mode < MODE(MULTI_NODE_READER_ONLY) ||
	       c->access_mode->mode > MODE(MULTI_NODE_MULTI_WRITER);
}

bool capability_is_exclusive(const Csi__V1__VolumeCapability *c)
{
	return c->access_mode->mode == MODE(SINGLE_NODE_SINGLE_WRITER);
}
