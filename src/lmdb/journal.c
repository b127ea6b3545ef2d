/* SPDX-License-Identifier: Apache-2.0 */
#include "lmdb/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/util.h"

enum { MAGIC = 0x4a525748 /* "HWRJ" */, VERSION = 1 };

struct slot {
	uint64_t sum; /* of all that follows, metas included */
	uint32_t magic, version;
	uint64_t generation;
	uint64_t seq, at;
	struct siphash_key key;
	uint32_t page, unused;
};

/* A slot and the metas behind it: a block, and two pages. */
struct slot_image {
	struct slot slot;
	char padding[JOURNAL_BLOCK - sizeof(struct slot)];
	char metas[2 * JOURNAL_PAGE_MAX];
};

enum { SLOT_SIZE = sizeof(struct slot_image) };

static const size_t area = JOURNAL_SIZE - 2 * SLOT_SIZE;

/* -------------------------------------------------------------- in file --- */

static uint64_t in_file(uint64_t at)
{
	return 2 * SLOT_SIZE + at % area;
}

/* Records don't wrap: one that does not fit before the end is at the start. */
static uint64_t next_start(uint64_t at)
{
	return at + (area - at % area);
}

static uint64_t place_for(uint64_t at, size_t len)
{
	return at % area + len <= area ? at : next_start(at);
}

static int write_durably(int fd, const void *buf, size_t len, uint64_t offset)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		struct iovec iov = { (void *)p, len };

		n = pwritev2(fd, &iov, 1, offset, RWF_DSYNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= n;
		offset += n;
	}
	return 0;
}

static int read_fully(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = pread(fd, buf, len, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static uint64_t sum_of(const struct siphash_key *key, const void *buf,
		       size_t len)
{
	return siphash24(key, (const char *)buf + sizeof(uint64_t),
			 len - sizeof(uint64_t));
}

/* ---------------------------------------------------------------- slots --- */

static const struct siphash_key slot_key = { MAGIC, VERSION };

static size_t image_size(size_t page)
{
	return offsetof(struct slot_image, metas) + 2 * page;
}

static int write_slot(struct journal *j, struct journal_place place,
		      const void *metas)
{
	struct slot_image *image = calloc(1, sizeof(*image));
	uint64_t generation = j->generation + 1;
	int r;

	if (image == NULL)
		return -ENOMEM;
	image->slot = (struct slot){ .magic = MAGIC,
				     .version = VERSION,
				     .generation = generation,
				     .seq = place.seq,
				     .at = place.at,
				     .key = j->key,
				     .page = j->page };
	memcpy(image->metas, metas, 2 * j->page);
	image->slot.sum = sum_of(&slot_key, image, image_size(j->page));
	r = write_durably(j->fd, image, image_size(j->page),
			  generation % 2 * SLOT_SIZE);
	free(image);
	if (r == 0)
		j->generation = generation;
	return r;
}

static bool slot_is_whole(const struct slot_image *image)
{
	const struct slot *s = &image->slot;

	return s->magic == MAGIC && s->page <= JOURNAL_PAGE_MAX &&
	       s->sum == sum_of(&slot_key, image, image_size(s->page));
}

static int load_slots(struct journal *j, void *metas)
{
	struct slot_image *image = calloc(1, sizeof(*image));
	int r = image == NULL ? -ENOMEM : 0;

	j->generation = 0;
	for (int i = 0; i < 2 && r == 0; i++) {
		const struct slot *s = &image->slot;

		r = read_fully(j->fd, image, sizeof(*image), i * SLOT_SIZE);
		if (r < 0 || !slot_is_whole(image) ||
		    s->generation <= j->generation)
			continue;
		if (s->version != VERSION) {
			r = -EINVAL;
			break;
		}
		j->generation = s->generation;
		j->key = s->key;
		j->page = s->page;
		j->head = (struct journal_place){ s->seq, s->at };
		j->tail = s->at;
		memcpy(metas, image->metas, 2 * s->page);
	}
	free(image);
	return r == 0 && j->generation == 0 ? -EIO : r;
}

int journal_checkpoint(struct journal *j, struct journal_place place,
		       const void *metas)
{
	int r = write_slot(j, place, metas);

	if (r == 0)
		__atomic_store_n(&j->tail, place.at, __ATOMIC_RELEASE);
	return r;
}

/* ----------------------------------------------------- create and open --- */

static int fill(int fd)
{
	const size_t part = 1 << 20;
	char *zeroes = calloc(1, part);
	int r = zeroes == NULL ? -ENOMEM : 0;
	ssize_t n;

	for (uint64_t at = 0; at < JOURNAL_SIZE && r == 0; at += part) {
		n = pwrite(fd, zeroes, part, at);
		if (n != (ssize_t)part) /* less than all: no more space */
			r = n < 0 ? -errno : -ENOSPC;
	}
	free(zeroes);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int sync_parent(const char *path)
{
	char dir[4096];
	int fd, r;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* It has its name only when it is whole. */
int journal_create(struct journal *j, const char *path, size_t page,
		   const void *metas)
{
	char new[4096];
	int r;

	*j = (struct journal){ .page = page };
	snprintf(new, sizeof(new), "%s.new", path);
	j->fd = open(new, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (j->fd < 0)
		return -errno;
	random_bytes(&j->key, sizeof(j->key));
	r = fill(j->fd);
	if (r == 0)
		r = write_slot(j, j->head, metas);
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_parent(path);
	if (r < 0) {
		journal_close(j);
		unlink(new);
	}
	return r;
}

int journal_open(struct journal *j, const char *path, void *metas)
{
	int r;

	*j = (struct journal){};
	j->fd = open(path, O_RDWR | O_CLOEXEC);
	if (j->fd < 0)
		return -errno;
	r = load_slots(j, metas);
	if (r < 0) {
		log_error("%s: %s", path,
			  r == -EIO	 ? "no checkpoint can be read"
			  : r == -EINVAL ? "of another version"
					 : strerror(-r));
		journal_close(j);
	}
	return r;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* -------------------------------------------------------------- records --- */

static size_t padded(size_t len)
{
	return round_up(len, JOURNAL_BLOCK);
}

/* 1: the record that should be at `at` is there, and whole; 0: it is not. */
static int read_record(const struct journal *j, uint64_t at,
		       struct journal_record *buf)
{
	int r = read_fully(j->fd, buf, JOURNAL_BLOCK, in_file(at));

	if (r < 0)
		return r;
	if (buf->seq != j->head.seq || buf->length < sizeof(*buf) ||
	    buf->length > JOURNAL_RECORD_MAX ||
	    place_for(at, padded(buf->length)) != at)
		return 0;
	r = read_fully(j->fd, buf, padded(buf->length), in_file(at));
	if (r < 0)
		return r;
	return buf->sum == sum_of(&j->key, buf, buf->length);
}

static int next_record(struct journal *j, struct journal_record *buf)
{
	uint64_t at = j->head.at;
	int r = read_record(j, at, buf);

	if (r == 0) {
		at = next_start(at);
		r = read_record(j, at, buf);
	}
	if (r > 0) {
		j->head.at = at + padded(buf->length);
		j->head.seq++;
	}
	return r;
}

int journal_replay(struct journal *j, journal_fn *fn, void *arg)
{
	struct journal_record *buf = malloc(JOURNAL_RECORD_MAX);
	int r = buf == NULL ? -ENOMEM : 1;

	while (r > 0) {
		r = next_record(j, buf);
		if (r > 0)
			r = fn(arg, buf + 1, buf->length - sizeof(*buf)) ?: 1;
	}
	free(buf);
	return r;
}

static int wipe(struct journal *j, uint64_t at)
{
	static const char zeroes[JOURNAL_BLOCK];

	return write_durably(j->fd, zeroes, sizeof(zeroes), in_file(at));
}

size_t journal_used(const struct journal *j)
{
	return j->head.at - __atomic_load_n(&j->tail, __ATOMIC_ACQUIRE);
}

/* Before the end, there may be room lost of up to a record's length. */
bool journal_has_room(const struct journal *j)
{
	return journal_used(j) + 2 * JOURNAL_RECORD_MAX <= area;
}

int journal_append(struct journal *j, struct journal_record *record,
		   size_t length)
{
	const size_t len = padded(length);
	const uint64_t at = place_for(j->head.at, len);
	int r;

	assert(len <= JOURNAL_RECORD_MAX);
	if (!journal_has_room(j))
		return -ENOSPC;
	/* The next one may be too long for this place. */
	if (j->spoilt) {
		r = wipe(j, j->head.at);
		if (r < 0)
			return r;
		j->spoilt = false;
	}
	memset((char *)record + length, 0, len - length);
	record->seq = j->head.seq;
	record->length = length;
	record->unused = 0;
	record->sum = sum_of(&j->key, record, length);
	r = write_durably(j->fd, record, len, in_file(at));
	if (r < 0) {
		j->spoilt = true;
		return r;
	}
	j->head = (struct journal_place){ j->head.seq + 1, at + len };
	return 0;
}

void journal_take_back(struct journal *j, struct journal_place place,
		       size_t length)
{
	j->spoilt = wipe(j, place_for(place.at, padded(length))) < 0;
	j->head = place;
}
