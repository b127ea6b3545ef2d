/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who uses a device: claims, and news for the users.  A filter is a user of its
 * base, and passes the news on to its own users.
 *
 * Telling may park, and users may come and go meanwhile: so each user carries
 * what it has not been told yet, and the search begins anew after each call.
 */
#include <errno.h>
#include <string.h>

#include "block/registry.h"

static struct block_user *next_to_tell(struct block_device *d,
				       enum block_news news)
{
	struct block_user *u;

	list_for_each (u, &d->users, link)
		if (u->news & news)
			return u;
	return NULL;
}

void block_tell(struct block_device *d, enum block_news news)
{
	struct block_user *u;

	list_for_each (u, &d->users, link)
		u->news |= news;
	while ((u = next_to_tell(d, news)) != NULL) {
		u->news &= ~news;
		if (news == BLOCK_RESIZED && u->resized != NULL)
			u->resized(u);
		else if (news == BLOCK_REMOVED)
			u->removed(u);
	}
}

static int open_device(struct block_device *d, bool write, struct block_user *u)
{
	if (d == NULL || d->state != BLOCK_LIVE)
		return -ENODEV;
	if (write && d->read_only)
		return -EROFS;
	if (write && d->writer != NULL)
		return -EBUSY;
	if (write)
		d->writer = u;
	u->device = d;
	u->news = 0;
	list_append(&d->users, &u->link);
	return 0;
}

int block_open(struct block_registry *reg, const char *name, bool write,
	       struct block_user *u)
{
	MAGIC_CHECK(reg, BLOCK_REGISTRY_MAGIC);
	return open_device(block_find(reg, name), write, u);
}

void block_close(struct block_user *u)
{
	struct block_device *d = u->device;

	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (d->writer == u)
		d->writer = NULL;
	list_del(&u->link);
	u->device = NULL;
	waitq_wake_all(&d->registry->released);
}

const char *block_claimed_by(const struct block_device *d)
{
	return d->writer != NULL ? d->writer->name : NULL;
}

/* Filters */

static void base_resized(struct block_user *u)
{
	struct block_device *d =
		container_of(u, struct block_device, base_user);

	block_hold(d);
	atomic_store(&d->blocks, block_count(d->base));
	if (d->state == BLOCK_LIVE)
		block_tell(d, BLOCK_RESIZED);
	block_release(d);
}

/* A base is not destroyed. */
static void base_removed(struct block_user *u)
{
	assert(!"the base of a device has been removed");
}

bool block_is_base(const struct block_device *d)
{
	struct block_user *u;

	list_for_each (u, &d->users, link)
		if (u->removed == base_removed)
			return true;
	return false;
}

static unsigned depth_of(const struct block_device *d)
{
	return d == NULL ? 0 : 1 + depth_of(d->base);
}

static int check_base(const struct block_device *d,
		      const struct block_device *base, char text[256])
{
	const struct block_spec *s = &d->spec;
	uint64_t blocks;

	if (base == NULL || base->state != BLOCK_LIVE)
		return block_refuse(text, -ENODEV, "there is no device \"%s\"",
				    s->base);
	if (depth_of(base) >= BLOCK_LAYERS_MAX)
		return block_refuse(text, -EINVAL,
				    "\"%s\" is %d devices high already",
				    s->base, BLOCK_LAYERS_MAX);
	if (s->block_size != 0 && s->block_size != block_size(base))
		return block_refuse(text, -EINVAL,
				    "\"%s\" has blocks of %u bytes, not %u",
				    s->base, block_size(base), s->block_size);
	blocks = block_count(base);
	if (s->blocks != 0 && s->blocks != blocks)
		return block_refuse(text, -EINVAL,
				    "\"%s\" has %llu blocks, not %llu", s->base,
				    (unsigned long long)blocks,
				    (unsigned long long)s->blocks);
	return 0;
}

int block_base_open(struct block_device *d, char text[256])
{
	struct block_device *base = block_find(d->registry, d->spec.base);
	int err = check_base(d, base, text);

	if (err != 0)
		return err;
	d->base_user = (struct block_user){
		.name = d->spec.name,
		.resized = base_resized,
		.removed = base_removed,
	};
	err = open_device(base, !base->read_only, &d->base_user);
	if (err != 0)
		return block_refuse(text, err, "\"%s\" is in use by \"%s\"",
				    d->spec.base, base->writer->name);
	d->base = base;
	d->shift = base->shift;
	d->read_only = base->read_only;
	atomic_store(&d->blocks, block_count(base));
	return 0;
}
