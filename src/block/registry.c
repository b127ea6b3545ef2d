/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices there are, how they come and go, and what they tell of
 * themselves.
 *
 *	block_create()            block_destroy()       users closed, holds
 *	     │                         │                      ended
 *	     ▼                         ▼                        │
 *	    NEW ──── created ──▶ LIVE ────▶ GOING ──────────────┴──▶ freed
 *	     └────── failed: freed
 *
 * Only LIVE devices are found; names and UUIDs are taken in all states.
 */
#include "block/registry.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

int block_registry_create(struct block_registry **out)
{
	struct block_registry *reg = calloc(1, sizeof(*reg));

	if (reg == NULL)
		return -ENOMEM;
	MAGIC_SET(reg, BLOCK_REGISTRY_MAGIC);
	list_init(&reg->devices);
	waitq_init(&reg->released);
	*out = reg;
	return 0;
}

void block_registry_destroy(struct block_registry *reg)
{
	MAGIC_CHECK(reg, BLOCK_REGISTRY_MAGIC);
	assert(list_empty(&reg->devices));
	MAGIC_CLEAR(reg);
	free(reg);
}

/* "8-4-4-4-12" in either case: 0 or -EINVAL. */
static int parse_uuid(const char *text, uint8_t uuid[16])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	int digit = 0;

	if (strlen(text) != strlen(form))
		return -EINVAL;
	memset(uuid, 0, 16);
	for (size_t i = 0; form[i] != '\0'; i++) {
		char c = text[i] | 0x20;
		int value = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (form[i] == '-' ? text[i] != '-' : value < 0)
			return -EINVAL;
		if (form[i] == '-')
			continue;
		uuid[digit / 2] |= value << (digit % 2 ? 0 : 4);
		digit++;
	}
	return 0;
}

struct block_device *block_lookup(struct block_registry *reg, const char *name)
{
	uint8_t uuid[16];
	bool is_uuid = parse_uuid(name, uuid) == 0;
	struct block_device *d;

	list_for_each (d, &reg->devices, link)
		if (strcmp(d->spec.name, name) == 0 ||
		    (is_uuid && memcmp(d->spec.uuid, uuid, 16) == 0))
			return d;
	return NULL;
}

struct block_device *block_find(struct block_registry *reg, const char *name)
{
	struct block_device *d = block_lookup(reg, name);

	return d != NULL && d->state == BLOCK_LIVE ? d : NULL;
}

struct block_device *block_next(struct block_registry *reg,
				const struct block_device *after)
{
	const struct list *l = after != NULL ? &after->link : &reg->devices;

	while ((l = l->next) != &reg->devices) {
		struct block_device *d =
			list_entry(l, struct block_device, link);

		if (d->state == BLOCK_LIVE)
			return d;
	}
	return NULL;
}

/* Coming */

static struct block_device *device_create(struct block_registry *reg,
					  const struct block_driver *driver,
					  const struct block_spec *spec)
{
	struct block_device *d = calloc(1, driver->device_size);

	if (d == NULL)
		return NULL;
	MAGIC_SET(d, BLOCK_MAGIC);
	d->driver = driver;
	d->registry = reg;
	d->spec = *spec;
	list_init(&d->users);
	list_init(&d->link);
	return d;
}

static void device_free(struct block_device *d)
{
	if (d->base != NULL)
		block_close(&d->base_user);
	list_del(&d->link);
	waitq_wake_all(&d->registry->released);
	MAGIC_CLEAR(d);
	explicit_bzero(&d->spec, sizeof(d->spec));
	free(d);
}

static unsigned ops_with_emulated(unsigned ops)
{
	if (ops & block_bit(BLOCK_READ))
		ops |= block_bit(BLOCK_COMPARE);
	if (ops & block_bit(BLOCK_WRITE))
		ops |= block_bit(BLOCK_WRITE_ZEROES);
	return ops;
}

/* What the device can do follows from its driver and its base. */
static void set_abilities(struct block_device *d)
{
	d->ops = d->driver->ops;
	d->immediate = d->driver->immediate;
	if (d->base != NULL) {
		d->ops &= d->base->does;
		d->immediate &= d->base->immediate;
	}
	if (d->read_only)
		d->ops &= ~(block_bit(BLOCK_WRITE) |
			    block_bit(BLOCK_WRITE_ZEROES) |
			    block_bit(BLOCK_DEALLOCATE));
	d->does = ops_with_emulated(d->ops);
}

/* Secrets stay with the driver. */
static void settle_spec(struct block_device *d)
{
	d->spec.block_size = 1U << d->shift;
	d->spec.blocks = block_count(d);
	if (d->spec.kind == BLOCK_CRYPT)
		explicit_bzero(d->spec.crypt.key, sizeof(d->spec.crypt.key));
}

static int device_start(struct block_device *d, const struct block_spec *spec,
			char text[256])
{
	int err = block_spec_check(d->registry, &d->spec, text);

	if (err != 0)
		return err;
	list_append(&d->registry->devices, &d->link); /* the name is taken */
	if (d->driver->filter)
		err = block_base_open(d, text);
	if (err == 0)
		err = d->driver->create(d, spec, text);
	return err;
}

int block_create(struct block_registry *reg, const struct block_spec *spec,
		 struct block_device **out, char text[256])
{
	const struct block_driver *driver = block_driver_of(spec->kind);
	struct block_device *d;
	int err;

	MAGIC_CHECK(reg, BLOCK_REGISTRY_MAGIC);
	if (text != NULL)
		text[0] = '\0';
	if (driver == NULL)
		return block_refuse(text, -EINVAL, "there is no such kind");
	d = device_create(reg, driver, spec);
	if (d == NULL)
		return block_refuse(text, -ENOMEM, "no memory");
	err = device_start(d, spec, text);
	if (err != 0) {
		device_free(d);
		return err;
	}
	set_abilities(d);
	settle_spec(d);
	d->state = BLOCK_LIVE;
	log_info("block: %s: %s of %llu blocks of %u bytes", d->spec.name,
		 driver->name, (unsigned long long)d->spec.blocks,
		 d->spec.block_size);
	*out = d;
	return 0;
}

/* Going */

int block_destroy(struct block_device *d)
{
	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (d->state != BLOCK_LIVE)
		return -ENODEV;
	if (block_is_base(d))
		return -EBUSY;
	d->state = BLOCK_GOING;
	block_tell(d, BLOCK_REMOVED);
	while (!list_empty(&d->users) || d->holds > 0)
		waitq_wait(&d->registry->released, NSEC_NEVER);
	block_lanes_destroy(d);
	if (d->driver->destroy != NULL)
		d->driver->destroy(d);
	log_info("block: %s: removed", d->spec.name);
	device_free(d);
	return 0;
}

/* Changes */

int block_resize(struct block_device *d, uint64_t blocks)
{
	int err;

	MAGIC_CHECK(d, BLOCK_MAGIC);
	if (d->driver->resize == NULL)
		return -EOPNOTSUPP;
	if (d->state != BLOCK_LIVE)
		return -ENODEV;
	if (blocks > (uint64_t)INT64_MAX >> d->shift)
		return -EINVAL;
	block_hold(d);
	err = d->driver->resize(d, blocks);
	if (err == 0) {
		d->spec.blocks = block_count(d);
		log_info("block: %s: has %llu blocks now", d->spec.name,
			 (unsigned long long)d->spec.blocks);
		block_tell(d, BLOCK_RESIZED);
	}
	block_release(d);
	return err;
}

int block_set_limits(struct block_device *d, const struct block_limits *l)
{
	int err;

	MAGIC_CHECK(d, BLOCK_MAGIC);
	block_hold(d);
	d->limits = *l;
	block_limit_store(d, l);
	err = block_lanes_do(d, block_limit_changed);
	block_release(d);
	return err;
}

/* What they tell */

void block_get_spec(const struct block_device *d, struct block_spec *out)
{
	*out = d->spec;
	out->blocks = block_count(d);
}

void block_get_limits(const struct block_device *d, struct block_limits *out)
{
	*out = d->limits;
}

const char *block_name(const struct block_device *d)
{
	return d->spec.name;
}

const uint8_t *block_uuid(const struct block_device *d)
{
	return d->spec.uuid;
}

uint32_t block_size(const struct block_device *d)
{
	return 1U << d->shift;
}

uint64_t block_count(const struct block_device *d)
{
	return atomic_load_explicit(&d->blocks, memory_order_relaxed);
}

bool block_read_only(const struct block_device *d)
{
	return d->read_only;
}

bool block_supports(const struct block_device *d, enum block_op op)
{
	return d->does & block_bit(op);
}
