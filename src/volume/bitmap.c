/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a mirror's map: a page that says which mirror it is, then a byte
 * for each region.  The file is locked while it is in use.
 *
 * The bits of a byte that the map does not use are a check of those it does:
 * for each byte by itself, because a page that was being written when the host
 * crashed may have some of the old bytes and some of the new ones, all good.
 * Version 1 had none, and stays as it is: to make it new is to risk it.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/hash.h"
#include "reactor/file.h"
#include "volume/internal.h"

#define MAGIC "HAWSERMR"

enum { VERSION = 2, UNCHECKED = 1, HEADER = 4096 };

/* Little-endian. */
struct header {
	char magic[8];
	uint32_t version, legs;
	uint64_t size;
	struct {
		char subnqn[VOLUME_NQN_SIZE];
		uint8_t uuid[16], nguid[16];
	} leg[VOLUME_MEMBERS_MAX];
	uint64_t check; /* of all before */
};

struct bitmap {
	struct file *file;
	struct bitmap_identity id;
	uint8_t map[MIRROR_REGIONS_MAX];    /* as it was opened */
	uint8_t sealed[MIRROR_REGIONS_MAX]; /* what is being saved */
};

static uint64_t make_check(const struct header *h)
{
	static const struct siphash_key key = { 0x6861, 0x7773 };

	return htole64(siphash24(&key, h, offsetof(struct header, check)));
}

static void to_header(const struct bitmap_identity *id, struct header *h)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, MAGIC, 8);
	h->version = htole32(VERSION);
	h->legs = htole32(id->legs);
	h->size = htole64(id->size);
	for (unsigned i = 0; i < id->legs; i++) {
		strcpy(h->leg[i].subnqn, id->leg[i].subnqn);
		memcpy(h->leg[i].uuid, id->leg[i].uuid, 16);
		memcpy(h->leg[i].nguid, id->leg[i].nguid, 16);
	}
	h->check = make_check(h);
}

static bool is_sane(const struct header *h)
{
	uint64_t size = le64toh(h->size);

	return memcmp(h->magic, MAGIC, 8) == 0 &&
	       (le32toh(h->version) == VERSION ||
		le32toh(h->version) == UNCHECKED) &&
	       h->check == make_check(h) && le32toh(h->legs) >= 2 &&
	       le32toh(h->legs) <= VOLUME_MEMBERS_MAX && size > 0;
}

/* Any bit that is flipped shows, and so do 0x00 and 0xff, which a medium that
 * has lost the byte may return. */
static uint8_t seal(uint8_t byte)
{
	static const uint8_t columns[8] = { 3, 5, 6, 7, [7] = 7 };
	uint8_t check = 5;

	byte &= MIRROR_ACTIVE | ((1 << MIRROR_LEGS_MAX) - 1);
	for (unsigned i = 0; i < 8; i++)
		check ^= byte >> i & 1 ? columns[i] : 0;
	return byte | check << MIRROR_LEGS_MAX;
}

static bool is_unknown(const struct bitmap_identity *id, unsigned leg)
{
	static const uint8_t none[16];

	return memcmp(id->leg[leg].uuid, none, 16) == 0 &&
	       memcmp(id->leg[leg].nguid, none, 16) == 0;
}

/* They are the same, in the same order; what is not known is learnt. */
static int compare(struct bitmap *b, const struct header *h,
		   struct bitmap_identity *id, const char *path,
		   char text[VOLUME_TEXT])
{
	if (le32toh(h->legs) != id->legs)
		return refuse_with(text, -EINVAL,
				   "%.120s is for %u replicas, not %u", path,
				   le32toh(h->legs), id->legs);
	for (unsigned i = 0; i < id->legs; i++) {
		if (strcmp(h->leg[i].subnqn, id->leg[i].subnqn) != 0 ||
		    (!is_unknown(id, i) &&
		     (memcmp(h->leg[i].uuid, id->leg[i].uuid, 16) != 0 ||
		      memcmp(h->leg[i].nguid, id->leg[i].nguid, 16) != 0)))
			return refuse_with(
				text, -EINVAL,
				"%.80s is not for these replicas, in this "
				"order: number %u is another",
				path, i + 1);
		memcpy(id->leg[i].uuid, h->leg[i].uuid, 16);
		memcpy(id->leg[i].nguid, h->leg[i].nguid, 16);
	}
	id->size = le64toh(h->size);
	b->id = *id;
	return 0;
}

static uint32_t count_bad(const struct bitmap *b, uint32_t regions)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < regions; i++)
		bad += b->map[i] != seal(b->map[i]);
	return bad;
}

static int read_all(struct bitmap *b, struct bitmap_identity *id,
		    const char *path, char text[VOLUME_TEXT])
{
	struct header h;
	uint32_t regions, bad;
	ssize_t n = file_pread(b->file, &h, sizeof(h), 0);
	int rc;

	if (n < 0)
		return refuse_with(text, (int)n, "%.150s: %s", path,
				   strerror((int)-n));
	if (n != sizeof(h) || !is_sane(&h))
		return refuse_with(text, -EINVAL,
				   "%.150s is no bitmap of a mirror", path);
	rc = compare(b, &h, id, path, text);
	if (rc < 0)
		return rc;
	regions = mirror_regions(id->size);
	n = file_pread(b->file, b->map, regions, HEADER);
	if (n != regions)
		return refuse_with(text, -EIO, "%.150s is too short", path);
	if (le32toh(h.version) == UNCHECKED)
		return 0;
	bad = count_bad(b, regions);
	return bad == 0 ? 0
			: refuse_with(text, -EINVAL,
				      "%.100s is damaged in %u places: make a "
				      "new one, "
				      "with the replica first that is known to "
				      "be right",
				      path, bad);
}

static int open_file(const char *path, int flags, struct bitmap **out,
		     char text[VOLUME_TEXT])
{
	struct bitmap *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return -ENOMEM;
	rc = file_open(path, O_RDWR | flags, 0600, &b->file);
	if (rc < 0) {
		free(b);
		return refuse_with(text, rc, "%.150s: %s", path, strerror(-rc));
	}
	rc = file_lock(b->file, true);
	if (rc < 0) {
		bitmap_close(b);
		return refuse_with(text, -EBUSY, "%.150s is in use", path);
	}
	*out = b;
	return 0;
}

int bitmap_open(const char *path, struct bitmap_identity *id,
		struct bitmap **out, char text[VOLUME_TEXT])
{
	int rc = open_file(path, 0, out, text);

	if (rc < 0)
		return rc;
	rc = read_all(*out, id, path, text);
	if (rc < 0) {
		bitmap_close(*out);
		*out = NULL;
	}
	return rc;
}

static int sync_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(directory, sizeof(directory), "%.*s",
		 slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return file_sync_dir(directory);
}

/* All but the first lack everything.  The header comes last: a crash leaves
 * nothing that could be taken for a bitmap. */
static int write_new(struct bitmap *b, const struct bitmap_identity *id,
		     const char *path)
{
	struct header h;
	int rc;

	b->id = *id;
	memset(b->map, (1 << id->legs) - 2, mirror_regions(id->size));
	rc = bitmap_save(b, b->map, 0, mirror_regions(id->size));
	to_header(id, &h);
	if (rc == 0)
		rc = file_pwrite(b->file, &h, sizeof(h), 0);
	if (rc == 0)
		rc = file_sync(b->file);
	return rc == 0 ? sync_directory(path) : rc;
}

int bitmap_create(const char *path, const struct bitmap_identity *id,
		  struct bitmap **out, char text[VOLUME_TEXT])
{
	int rc = open_file(path, O_CREAT | O_EXCL, out, text);

	if (rc < 0)
		return rc;
	rc = write_new(*out, id, path);
	if (rc == 0)
		return 0;
	bitmap_close(*out);
	*out = NULL;
	file_unlink(path);
	return refuse_with(text, rc, "%.150s: %s", path, strerror(-rc));
}

void bitmap_close(struct bitmap *b)
{
	file_close(b->file);
	free(b);
}

const uint8_t *bitmap_map(const struct bitmap *b)
{
	return b->map;
}

bool bitmap_matches(const struct bitmap *b, const struct bitmap_identity *id,
		    unsigned leg)
{
	return memcmp(b->id.leg[leg].uuid, id->leg[leg].uuid, 16) == 0 &&
	       memcmp(b->id.leg[leg].nguid, id->leg[leg].nguid, 16) == 0;
}

int bitmap_save(struct bitmap *b, const void *bytes, uint32_t offset,
		uint32_t len)
{
	const uint8_t *plain = bytes;
	int rc;

	for (uint32_t i = 0; i < len; i++)
		b->sealed[i] = seal(plain[i]);
	rc = file_pwrite(b->file, b->sealed, len, HEADER + offset);
	return rc == 0 ? file_sync(b->file) : rc;
}
