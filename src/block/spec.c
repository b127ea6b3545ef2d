/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a device can be made as it is specified, and if not, why, in words.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "block/registry.h"

int block_refuse(char text[256], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (text != NULL)
		vsnprintf(text, 256, format, args);
	va_end(args);
	return error;
}

const struct block_driver *block_driver_of(enum block_kind kind)
{
	static const struct block_driver *const drivers[] = {
		[BLOCK_MALLOC] = &block_malloc, [BLOCK_FILE] = &block_file,
		[BLOCK_DELAY] = &block_delay,	[BLOCK_ERROR] = &block_error,
		[BLOCK_CRYPT] = &block_crypt,
	};

	return kind < ARRAY_SIZE(drivers) ? drivers[kind] : NULL;
}

static int check_name(struct block_registry *reg, const struct block_spec *spec,
		      char text[256])
{
	size_t len = strnlen(spec->name, sizeof(spec->name));

	if (len == 0 || len > BLOCK_NAME_MAX)
		return block_refuse(text, -EINVAL,
				    "the name has to have 1 to %d bytes",
				    BLOCK_NAME_MAX);
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)spec->name[i]))
			return block_refuse(text, -EINVAL,
					    "the name may have only printable "
					    "characters, and no blanks");
	if (block_lookup(reg, spec->name) != NULL)
		return block_refuse(text, -EEXIST,
				    "there is a device \"%s\" already",
				    spec->name);
	return 0;
}

/* RFC 9562: random, version 4. */
static void make_uuid(uint8_t uuid[16])
{
	random_bytes(uuid, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static int check_uuid(struct block_registry *reg, struct block_spec *spec,
		      char text[256])
{
	static const uint8_t none[16];
	struct block_device *d;

	if (memcmp(spec->uuid, none, 16) == 0)
		make_uuid(spec->uuid);
	list_for_each (d, &reg->devices, link)
		if (memcmp(d->spec.uuid, spec->uuid, 16) == 0)
			return block_refuse(text, -EEXIST,
					    "device \"%s\" has this UUID",
					    d->spec.name);
	return 0;
}

static int check_sizes(const struct block_spec *spec, bool optional,
		       char text[256])
{
	uint32_t size = spec->block_size;

	if (size != 512 && size != 4096 && !(size == 0 && optional))
		return block_refuse(text, -EINVAL,
				    "the block size has to be 512 or 4096, "
				    "not %u",
				    size);
	if (spec->blocks == 0 && !optional)
		return block_refuse(text, -EINVAL,
				    "the number of blocks is missing");
	if (spec->blocks > INT64_MAX / (size != 0 ? size : 512))
		return block_refuse(text, -EINVAL, "too many blocks: %llu",
				    (unsigned long long)spec->blocks);
	return 0;
}

int block_spec_check(struct block_registry *reg, struct block_spec *spec,
		     char text[256])
{
	int err = check_name(reg, spec, text);

	if (err == 0)
		err = check_uuid(reg, spec, text);
	if (err == 0)
		err = check_sizes(spec, spec->kind != BLOCK_MALLOC, text);
	return err;
}
