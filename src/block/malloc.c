/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MALLOC: blocks in memory.  The memory is anonymous: the kernel gives a page
 * when it is first written, and takes it back when it is deallocated.
 *
 * Requests of several reactors may meet on a block.  So each page is copied
 * under a lock, one of LOCKS by the page's number; uncontended, that takes 20
 * ns.  What concerns many pages (deallocation) takes all locks it needs in the
 * order of the table; what concerns all of them (a new size, which may move the
 * memory) takes all.  Whoever copies holds one at a time.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "block/registry.h"

enum {
	PAGE_SHIFT = 12,
	PAGE = 1 << PAGE_SHIFT,
	LOCKS = 64, /* as many as ThreadSanitizer lets a thread hold */
	ZERO_AT_ONCE = 1 << 20, /* bytes; more is a worker's job */
	ZERO_LOCKED = 4 << 20,	/* bytes, while others wait */
};

/* Of all devices. */
static struct page_lock {
	pthread_mutex_t mutex;
} __attribute__((aligned(64))) locks[LOCKS] = {
	[0 ... LOCKS - 1] = { PTHREAD_MUTEX_INITIALIZER },
};

struct malloc_device {
	struct block_device device;
	unsigned first_lock; /* so that devices begin at different ones */
	/* Changed with all locks held. */
	char *memory;
	size_t size;
};

static struct malloc_device *malloc_of(struct block_device *d)
{
	return container_of(d, struct malloc_device, device);
}

static pthread_mutex_t *lock_of(struct malloc_device *m, uint64_t page)
{
	return &locks[(m->first_lock + page) % LOCKS].mutex;
}

/* The locks of n pages from `first`. */
static void lock_pages(struct malloc_device *m, uint64_t first, uint64_t n,
		       int (*what)(pthread_mutex_t *mutex))
{
	uint64_t from = (m->first_lock + first) % LOCKS;
	uint64_t end = from + MIN(n, (uint64_t)LOCKS);
	uint64_t wrapped = end > LOCKS ? end - LOCKS : 0;

	for (uint64_t i = 0; i < wrapped; i++)
		what(&locks[i].mutex);
	for (uint64_t i = from; i < end - wrapped; i++)
		what(&locks[i].mutex);
}

/* READ, WRITE, COMPARE */

static int copy_piece(char *memory, char *data, size_t len, enum block_op op)
{
	if (op == BLOCK_READ)
		memcpy(data, memory, len);
	else if (op == BLOCK_WRITE)
		memcpy(memory, data, len);
	else if (memcmp(memory, data, len) != 0)
		return -EILSEQ;
	return 0;
}

/* What lies in one page; its lock is held. */
static int copy_locked(struct malloc_device *m, enum block_op op, uint64_t at,
		       size_t left, struct block_cursor *data)
{
	size_t len;
	char *piece;
	int err = at + left <= m->size ? 0 : -ENOSPC; /* it shrank */

	for (; err == 0 && left > 0; at += len, left -= len) {
		piece = block_cursor_next(data, left, &len);
		err = copy_piece(m->memory + at, piece, len, op);
	}
	return err;
}

static int copy(struct malloc_device *m, const struct block_request *r)
{
	struct block_cursor data = { r->iov, 0 };
	uint64_t at = r->offset, end = at + r->length;
	int err = 0;

	while (err == 0 && at < end) {
		pthread_mutex_t *lock = lock_of(m, at >> PAGE_SHIFT);
		size_t len = MIN(end - at, PAGE - at % PAGE);

		pthread_mutex_lock(lock);
		err = copy_locked(m, r->op, at, len, &data);
		pthread_mutex_unlock(lock);
		at += len;
	}
	return err;
}

/* WRITE_ZEROES, DEALLOCATE */

/* Pages as a whole go back to the kernel; locked memory does not. */
static int zero_locked(struct malloc_device *m, uint64_t at, uint64_t end)
{
	char *from = m->memory + at;

	if (end > m->size)
		return -ENOSPC;
	if (at % PAGE != 0 || end % PAGE != 0 ||
	    madvise(from, end - at, MADV_DONTNEED) != 0)
		memset(from, 0, end - at);
	return 0;
}

static uint64_t zero_step(uint64_t at, uint64_t end)
{
	if (at % PAGE != 0 || end - at < PAGE)
		return MIN(end, (at | (PAGE - 1)) + 1);
	return MIN(end & ~(uint64_t)(PAGE - 1), at + ZERO_LOCKED);
}

static int zero(void *arg)
{
	const struct block_request *r = arg;
	struct malloc_device *m =
		malloc_of(r->frames[r->depth - 1].lane->device);
	uint64_t at = r->offset, end = at + r->length, next;
	int err = 0;

	for (; err == 0 && at < end; at = next) {
		uint64_t page = at >> PAGE_SHIFT, n;

		next = zero_step(at, end);
		n = ((next - 1) >> PAGE_SHIFT) - page + 1;
		lock_pages(m, page, n, pthread_mutex_lock);
		err = zero_locked(m, at, next);
		lock_pages(m, page, n, pthread_mutex_unlock);
	}
	return err;
}

static void zero_task(void *arg)
{
	struct block_request *r = arg;

	block_complete(r, r->cancelled ? -ECANCELED : offload(zero, r));
}

static void malloc_submit(struct block_lane *lane, struct block_request *r)
{
	switch (r->op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
	case BLOCK_COMPARE:
		block_complete(r, copy(malloc_of(lane->device), r));
		return;
	case BLOCK_WRITE_ZEROES:
	case BLOCK_DEALLOCATE:
		if (r->length > ZERO_AT_ONCE)
			block_in_task(r, zero_task);
		else
			block_complete(r, zero(r));
		return;
	case BLOCK_FLUSH:
	case BLOCK_OPS:
		block_complete(r, 0);
		return;
	}
}

/* Size */

static char *map(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int malloc_create(struct block_device *d, const struct block_spec *spec,
			 char text[256])
{
	static _Atomic unsigned devices;
	struct malloc_device *m = malloc_of(d);

	m->size = spec->blocks * spec->block_size;
	m->memory = map(round_up(m->size, PAGE));
	if (m->memory == MAP_FAILED)
		return block_refuse(text, -ENOMEM,
				    "there is no address space for %zu bytes",
				    m->size);
	m->first_lock = atomic_fetch_add(&devices, 1) * 89;
	d->shift = __builtin_ctz(spec->block_size);
	atomic_store(&d->blocks, spec->blocks);
	return 0;
}

static void malloc_destroy(struct block_device *d)
{
	struct malloc_device *m = malloc_of(d);

	munmap(m->memory, round_up(m->size, PAGE));
}

/* The rest of a page that is partly cut off must not come back. */
static void *remap(struct malloc_device *m, size_t size)
{
	size_t rest = round_up(size, PAGE) - size;

	if (size < m->size)
		memset(m->memory + size, 0, MIN(rest, m->size - size));
	return mremap(m->memory, round_up(m->size, PAGE), round_up(size, PAGE),
		      MREMAP_MAYMOVE);
}

static int malloc_resize(struct block_device *d, uint64_t blocks)
{
	struct malloc_device *m = malloc_of(d);
	uint64_t size = blocks << d->shift;
	void *memory;

	if (blocks == 0)
		return -EINVAL;
	lock_pages(m, 0, LOCKS, pthread_mutex_lock);
	memory = remap(m, size);
	if (memory != MAP_FAILED) {
		m->memory = memory;
		m->size = size;
		atomic_store(&d->blocks, blocks);
	}
	lock_pages(m, 0, LOCKS, pthread_mutex_unlock);
	return memory != MAP_FAILED ? 0 : -ENOMEM;
}

const struct block_driver block_malloc = {
	.name = "malloc",
	.immediate = true,
	.ops = (1U << BLOCK_OPS) - 1,
	.device_size = sizeof(struct malloc_device),
	.lane_size = sizeof(struct block_lane),
	.create = malloc_create,
	.destroy = malloc_destroy,
	.resize = malloc_resize,
	.submit = malloc_submit,
};
