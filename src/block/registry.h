/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between registry.c (which devices there are), spec.c (what they may be made
 * from) and user.c (who uses them).  All of it runs in tasks of the registry's
 * reactor; as any call may park, devices say in `state` whether they are there
 * yet, or no more, and a task that goes on with one after parking holds it.
 */
#ifndef BLOCK_REGISTRY_H
#define BLOCK_REGISTRY_H

#include "block/driver.h"

enum { BLOCK_REGISTRY_MAGIC = 0xb10c0002 };

struct block_registry {
	unsigned magic;
	struct list devices;   /* in order of creation, of any state */
	struct waitq released; /* a hold, or a use, has ended */
};

/* Of any state: names are taken from the beginning to the end. */
struct block_device *block_lookup(struct block_registry *reg, const char *name);

/* NULL: there is no such kind. */
const struct block_driver *block_driver_of(enum block_kind kind);
/* spec.c: fills in defaults that need no file.  0, or -EINVAL, -EEXIST,
 * -ENODEV, with text. */
int block_spec_check(struct block_registry *reg, struct block_spec *spec,
		     char text[256]);
__attribute__((format(printf, 3, 4))) int block_refuse(char text[256],
						       int error,
						       const char *format, ...);

/* user.c */
enum block_news { BLOCK_RESIZED = 1 << 0, BLOCK_REMOVED = 1 << 1 };
/* Tells those who use it now; parks. */
void block_tell(struct block_device *d, enum block_news news);
/* Opens spec.base for the filter d, and takes over what it has. */
int block_base_open(struct block_device *d, char text[256]);
bool block_is_base(const struct block_device *d);

static inline void block_hold(struct block_device *d)
{
	d->holds++;
}
static inline void block_release(struct block_device *d)
{
	d->holds--;
	waitq_wake_all(&d->registry->released);
}

#endif
