/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a StorageClass: their names, what each may be, and what is
 * said of one that is not.  Names that are not known are ignored, as the
 * upstream driver does.
 */
#ifndef CSI_PARAM_H
#define CSI_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csi/gid.h"

struct param_pair {
	const char *key, *value;
};

/* Texts are borrowed from the pairs; "" or -1: not given. */
struct params {
	bool reuse, zone_affinity, tagging, unique_directory, multipathing;
	const char *mode, *protocol;
	const char *fs, *fs_config_ref, *fs_secret_ref;
	const char *permissions, *base_path, *pattern, *az;
	const char *pv_name, *pvc_name, *pvc_namespace;
	int64_t uid, gid, gid_start, gid_end, max_targets;
};

enum { PARAM_TEXT_SIZE = 256 };

/* Those that are looked at before everything else in a request, and those after
 * its name and capabilities: 0, or -EINVAL and the reason in `err`. */
void params_init(struct params *p);
int params_parse_early(struct params *p, const struct param_pair *pairs,
		       size_t n, char err[PARAM_TEXT_SIZE]);
int params_parse_late(struct params *p, const struct param_pair *pairs,
		      size_t n, char err[PARAM_TEXT_SIZE]);

/* After the ids: what of uid, gid and the range contradicts.  *range is what
 * gids are to be taken from. */
int params_check_ids(const struct params *p, struct gid_range *range,
		     char err[PARAM_TEXT_SIZE]);

/* The root directory of the volume: basePath and the volume's name, or what
 * subPathPattern makes of the names, and `unique` behind it unless
 * ensureUniqueDirectory is off. */
int params_root(const struct params *p, const char *volume, const char *unique,
		char root[EFS_PATH_SIZE], char err[PARAM_TEXT_SIZE]);

/* As Go's strconv.ParseBool: 0 or -EINVAL. */
int param_bool(const char *text, bool *out);

#endif
