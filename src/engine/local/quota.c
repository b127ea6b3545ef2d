/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quota: what a file system may hold.  Files are counted in the transaction
 * that makes one.  Of bytes there are those that are committed, and those that
 * live nodes have grown by since (node.growing): a write that would grow them
 * beyond the quota is refused.  Writes that run at the same time are not
 * counted among each other: so many may go beyond.
 */
#include <errno.h>

#include "engine/local/local.h"

static uint64_t get(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

int local_set_quota(struct engine *e, uint64_t bytes, uint64_t files)
{
	struct local *l = local_of(e);

	__atomic_store_n(&l->quota.bytes, bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&l->quota.files, files, __ATOMIC_RELAXED);
	return 0;
}

void quota_committed(struct local *l, const struct state_rec *state)
{
	__atomic_store_n(&l->quota.used, state->used_bytes, __ATOMIC_RELAXED);
}

int quota_check_file(struct local *l, const struct state_rec *state)
{
	uint64_t files = get(&l->quota.files);

	return files != 0 && state->used_files >= files ? -EDQUOT : 0;
}

uint64_t quota_space_after(const struct node *n, uint64_t end, uint64_t len)
{
	uint64_t size = MAX(n->size, end);

	if (!n->backed)
		return size;
	return MIN(n->space + round_up(len, 4096) + 4096, round_up(size, 4096));
}

int quota_check_write(struct node *n, uint64_t end, uint64_t len)
{
	struct local *l = node_local(n);
	uint64_t bytes = get(&l->quota.bytes), after, before;
	struct shard *s;
	int64_t used;

	if (bytes == 0 || len == 0)
		return 0;
	s = shard_lock(l, n->ino);
	before = n->space;
	after = quota_space_after(n, end, len);
	shard_unlock(s);
	if (after <= before)
		return 0;
	used = get(&l->quota.used) +
	       __atomic_load_n(&l->quota.growing, __ATOMIC_RELAXED);
	return used < 0 || used + (after - before) <= bytes ? 0 : -EDQUOT;
}

void quota_grown(struct node *n, int64_t bytes)
{
	n->growing += bytes;
	__atomic_fetch_add(&node_local(n)->quota.growing, bytes,
			   __ATOMIC_RELAXED);
}

void quota_covered(struct node *n, int64_t bytes)
{
	if (bytes > 0 && n->growing > 0)
		quota_grown(n, -MIN(bytes, n->growing));
}

void quota_limit_statfs(struct local *l, struct engine_statfs *st)
{
	uint64_t bytes = get(&l->quota.bytes), files = get(&l->quota.files);
	uint64_t left;

	if (bytes != 0) {
		left = bytes > st->used_bytes ? bytes - st->used_bytes : 0;
		st->total_bytes = bytes;
		st->free_bytes = MIN(st->free_bytes, left);
		st->avail_bytes = MIN(st->avail_bytes, left);
	}
	if (files != 0) {
		left = files > st->used_files ? files - st->used_files : 0;
		st->total_files = files;
		st->free_files = MIN(st->free_files, left);
		st->avail_files = MIN(st->avail_files, left);
	}
}
