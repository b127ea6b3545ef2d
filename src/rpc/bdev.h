/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bdev_* methods share. */
#ifndef RPC_BDEV_H
#define RPC_BDEV_H

#include "block/block.h"
#include "rpc/internal.h"

/* Fills in name and UUID from the call; 0 or refuses. */
int bdev_spec_start(struct rpc_call *call, struct block_spec *spec,
		    enum block_kind kind, const char *name);
/* Creates the device, writes the call down with `params` (taken) and the name
 * and UUID that were chosen, and answers with the name. */
int bdev_create(struct rpc_call *call, const struct block_spec *spec,
		json_t *params);
/* The device of the call's parameter `member`; of one of the kinds in the set
 * (1 << kind).  NULL: refused. */
struct block_device *bdev_find(struct rpc_call *call, const char *member,
			       unsigned kinds);
/* The whole of a bdev_…_delete method. */
int bdev_delete(struct rpc_call *call, unsigned kinds);

/* What bdev_get_iostat tells: of anything, of what has a name, and the whole,
 * of which `list` becomes a part.  Times are in ticks of a nanosecond. */
json_t *bdev_describe_stats(const struct block_stats *st);
json_t *bdev_describe_use(const char *name, const struct block_stats *st);
json_t *bdev_wrap_stats(json_t *list);

enum {
	BDEV_ANY = ~0U,
	BDEV_FILES = 1 << BLOCK_FILE,
};

#endif
