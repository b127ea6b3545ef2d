/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a simulated file: a sparse table of pages.  A page that was
 * changed since the last sync also keeps what is on disk; a power failure mixes
 * both, sector by sector.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "reactor/sim_internal.h"

enum { PAGE = 4096, SECTOR = 512 };

struct page {
	struct hnode node; /* in inode->pages */
	uint64_t index;
	char *data; /* NULL: a hole */
	bool dirty;
	char *durable; /* of a dirty page; NULL: a hole */
};

static struct page *page_find(struct sim_inode *inode, uint64_t index)
{
	struct page *p;

	htable_for_each_match (p, &inode->pages, hash_u64(index), node)
		if (p->index == index)
			return p;
	return NULL;
}

static struct page *page_get(struct sim_inode *inode, uint64_t index)
{
	struct page *p = page_find(inode, index);

	if (p == NULL) {
		p = sim_alloc(sizeof(*p));
		p->index = index;
		htable_insert(&inode->pages, &p->node, hash_u64(index));
	}
	return p;
}

/* Before the first change since a sync. */
static void page_dirty(struct page *p)
{
	if (p->dirty)
		return;
	p->dirty = true;
	p->durable = p->data;
	if (p->data == NULL)
		return;
	p->data = sim_alloc(PAGE);
	memcpy(p->data, p->durable, PAGE);
}

static void page_write(struct sim_inode *inode, uint64_t index, size_t at,
		       const char *from, size_t len)
{
	struct page *p = page_get(inode, index);

	page_dirty(p);
	if (p->data == NULL)
		p->data = sim_alloc(PAGE);
	memcpy(p->data + at, from, len);
}

static void page_zero(struct sim_inode *inode, uint64_t index, size_t at,
		      size_t len)
{
	struct page *p = page_find(inode, index);

	if (p == NULL || p->data == NULL)
		return;
	page_dirty(p);
	memset(p->data + at, 0, len);
	if (len == PAGE) {
		free(p->data);
		p->data = NULL;
	}
}

static void page_clean(struct page *p)
{
	free(p->durable);
	p->durable = NULL;
	p->dirty = false;
}

static void page_crash(struct page *p, struct rng *rng)
{
	static const char zeroes[PAGE];
	const char *old = p->durable != NULL ? p->durable : zeroes;

	if (!p->dirty)
		return;
	if (p->data == NULL)
		p->data = sim_alloc(PAGE);
	for (size_t at = 0; at < PAGE; at += SECTOR)
		if (rng_chance(rng, 0.5))
			memcpy(p->data + at, old + at, SECTOR);
	page_clean(p);
}

struct sim_inode *sim_inode_create(void)
{
	return sim_alloc(sizeof(struct sim_inode));
}

struct sim_inode *sim_inode_ref(struct sim_inode *inode)
{
	if (inode != NULL)
		inode->refs++;
	return inode;
}

void sim_inode_put(struct sim_inode *inode)
{
	struct page *p;

	if (inode == NULL || --inode->refs > 0)
		return;
	while ((p = htable_pop_entry(&inode->pages, struct page, node)) !=
	       NULL) {
		free(p->data);
		free(p->durable);
		free(p);
	}
	htable_fini(&inode->pages);
	free(inode);
}

void sim_inode_write(struct sim_inode *inode, const char *from, size_t len,
		     uint64_t offset)
{
	while (len > 0) {
		size_t at = offset % PAGE, part = MIN(len, PAGE - at);

		page_write(inode, offset / PAGE, at, from, part);
		from += part;
		offset += part;
		len -= part;
		inode->size = MAX(inode->size, offset);
	}
}

void sim_inode_read(struct sim_inode *inode, char *to, size_t len,
		    uint64_t offset)
{
	while (len > 0) {
		size_t at = offset % PAGE, part = MIN(len, PAGE - at);
		struct page *p = page_find(inode, offset / PAGE);

		if (p != NULL && p->data != NULL)
			memcpy(to, p->data + at, part);
		else
			memset(to, 0, part);
		to += part;
		offset += part;
		len -= part;
	}
}

/* Whole pages are found in the table, as the range may be most of 2^64. */
void sim_inode_zero(struct sim_inode *inode, uint64_t from, uint64_t to)
{
	struct page *p;

	htable_for_each (p, &inode->pages, node) {
		uint64_t start = MAX(from, p->index * PAGE);
		uint64_t end = MIN(to, (p->index + 1) * PAGE);

		if (start < end)
			page_zero(inode, p->index, start % PAGE, end - start);
	}
}

void sim_inode_resize(struct sim_inode *inode, uint64_t size)
{
	if (size < inode->size)
		sim_inode_zero(inode, size, UINT64_MAX);
	inode->size = size;
}

void sim_inode_sync(struct sim_inode *inode)
{
	struct page *p;

	htable_for_each (p, &inode->pages, node)
		page_clean(p);
	inode->durable_size = inode->size;
}

/* A size that is not durable comes after the data or before, or not at all. */
void sim_inode_crash(struct sim_inode *inode, struct rng *rng)
{
	struct page *p;

	htable_for_each (p, &inode->pages, node)
		page_crash(p, rng);
	if (rng_chance(rng, 0.5))
		inode->size = inode->durable_size;
	sim_inode_zero(inode, inode->size, UINT64_MAX);
	sim_inode_sync(inode);
}

static bool has_data(struct sim_inode *inode, uint64_t index)
{
	struct page *p = page_find(inode, index);

	return p != NULL && p->data != NULL;
}

int64_t sim_inode_seek_hole(struct sim_inode *inode, uint64_t offset)
{
	if (!has_data(inode, offset / PAGE))
		return offset;
	offset -= offset % PAGE;
	while (offset < inode->size && has_data(inode, offset / PAGE))
		offset += PAGE;
	return MIN(offset, inode->size);
}

int64_t sim_inode_seek_data(struct sim_inode *inode, uint64_t offset)
{
	uint64_t best = UINT64_MAX;
	struct page *p;

	htable_for_each (p, &inode->pages, node)
		if (p->data != NULL && p->index >= offset / PAGE)
			best = MIN(best, p->index);
	if (best == UINT64_MAX)
		return -ENXIO;
	return MAX(offset, best * PAGE);
}

uint64_t sim_inode_allocated(struct sim_inode *inode)
{
	uint64_t bytes = 0;
	struct page *p;

	htable_for_each (p, &inode->pages, node)
		bytes += p->data != NULL ? PAGE : 0;
	return bytes;
}
