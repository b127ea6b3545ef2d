/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of which only a part is read or written.  A write reads the block,
 * changes it, and writes it; meanwhile nobody else writes that block, or what
 * he had written were undone.  So everything that writes holds its blocks:
 * whole ones shared, since among them any order may win, and these exclusively.
 */
#include <errno.h>
#include <string.h>

#include "volume/internal.h"

static void hold_granted(struct range_hold *r)
{
	struct volume_hold *h = container_of(r, struct volume_hold, range);

	completion_done(&h->granted, 0);
}

void volume_take(struct volume *v, struct volume_hold *h, uint64_t offset,
		 uint64_t len, bool shared)
{
	h->range = (struct range_hold){ .start = offset,
					.end = offset + len,
					.shared = shared,
					.granted = hold_granted };
	completion_init(&h->granted);
	if (!range_take(&v->blocks, &h->range))
		completion_wait(&h->granted);
}

void volume_release(struct volume *v, struct volume_hold *h)
{
	range_release(&v->blocks, &h->range);
}

int edge_read(struct volume *v, void *data, size_t len, uint64_t offset)
{
	uint32_t size = volume_block_size(v), skip = offset & (size - 1);
	auto_free char *block = malloc(size);
	int rc;

	if (block == NULL)
		return -ENOMEM;
	rc = blocks_do(v, BLOCK_READ, block, size, offset - skip, 0);
	if (rc == 0)
		memcpy(data, block + skip, len);
	return rc;
}

static int change(struct volume *v, char *block, const void *data, size_t len,
		  uint64_t offset, unsigned flags)
{
	uint32_t size = volume_block_size(v), skip = offset & (size - 1);
	int rc = blocks_do(v, BLOCK_READ, block, size, offset - skip, 0);

	if (rc < 0)
		return rc;
	if (data != NULL)
		memcpy(block + skip, data, len);
	else
		memset(block + skip, 0, len);
	return blocks_do(v, BLOCK_WRITE, block, size, offset - skip,
			 flags & VOLUME_FUA ? BLOCK_FUA : 0);
}

int edge_write(struct volume *v, const void *data, size_t len, uint64_t offset,
	       unsigned flags)
{
	uint32_t size = volume_block_size(v);
	auto_free char *block = malloc(size);
	struct volume_hold hold;
	int rc;

	if (block == NULL)
		return -ENOMEM;
	volume_take(v, &hold, offset & ~(uint64_t)(size - 1), size, false);
	rc = change(v, block, data, len, offset, flags);
	volume_release(v, &hold);
	return rc;
}
