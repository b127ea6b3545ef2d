/* SPDX-License-Identifier: Apache-2.0 */
/* The context of a volume (volumeAttributes of a PersistentVolume): what is
 * known of it besides its id, and the rules for it. */
#ifndef CSI_CONTEXT_H
#define CSI_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

struct csi_map_entry;

enum { CONTEXT_TEXT_SIZE = 256, CONTEXT_ADDRESS_SIZE = 64 };

struct context {
	bool encrypt_given, encrypt; /* encryptInTransit */
	bool crossaccount, multipathing;
	size_t max_targets;
	char address[CONTEXT_ADDRESS_SIZE]; /* mounttargetip, or that of the
					       zone in mounttargetipmap; "" */
};

/* 0, or -EINVAL and the reason in `err`. */
int context_parse(struct context *c, size_t n,
		  struct csi_map_entry *const *entries, const char *zone,
		  char err[CONTEXT_TEXT_SIZE]);

#endif
