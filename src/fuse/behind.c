/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing behind: small writes, one after the other, become large ones, which
 * are on their way while the application goes on.
 *
 *	            adjacent writes          full, flushed, or BEHIND_AGE old
 *	new extent ────────▶ GATHERING ────────────────────▶ SENDING ──▶ gone
 *
 * Only other clients may notice, and they no later than close, fsync or unlock
 * let them.  So whoever asks the server about the file, or changes it in
 * another way, calls behind_flush() first.  Attributes that came with a name
 * are asked for again if they may be older than what was written
 * (op_refresh()).
 *
 * Order: an extent does not begin while one of another handle is on its way,
 * nor one that it overlaps.
 *
 * Errors are told as write-back's always are: once for each descriptor that was
 * open for writing, by its next write, fsync or close.  The pages go, so that
 * nobody reads what is not there.
 *
 * References: an extent holds its handle; one that is being sent counts as an
 * operation of the mount, which does not end before it.
 */
#include <fcntl.h>

#include "base/log.h"
#include "fuse/ops.h"

/* So long others may have to wait for what nobody closes. */
#define BEHIND_AGE MSEC(50)

enum {
	BEHIND_HANDLE_MAX = 8, /* extents of one open file */
	BEHIND_MOUNT_MAX = 64, /* of all; beyond that writes wait for replies */
};

struct extent {
	struct list link; /* handle.gathering, or handle.sending */
	struct list due;  /* mount.due, while gathering */
	struct handle *handle;
	struct nfs_buffer *buffer; /* until it is sent */
	uint64_t number;	   /* inode.extents, when it began */
	uint64_t offset;
	size_t len;
	nsec since;
};

/* Ends where the file has a multiple of the size, so that the next begins at
 * one. */
static size_t room(const struct extent *e)
{
	return MOUNT_IO_MAX - e->offset % MOUNT_IO_MAX - e->len;
}

static bool overlaps(const struct extent *e, uint64_t offset, size_t size)
{
	return offset < e->offset + e->len && e->offset < offset + size;
}

static struct extent *gathering(const struct handle *h)
{
	return list_first(&h->gathering, struct extent, link);
}

/* ------------------------------------------------------------------ sending */

/* For all who could have written it, as Linux does. */
static void note_error(struct inode *inode, int error)
{
	struct handle *h;

	list_for_each (h, &inode->handles, of_inode)
		if ((h->flags & O_ACCMODE) != O_RDONLY && h->error == 0)
			h->error = error;
}

int behind_take_error(struct handle *h)
{
	int error = h->error;

	h->error = 0;
	return error;
}

/* The extent is gone before pages are dropped: who reads one of them has locked
 * it, and waits for this. */
static void extent_done(struct extent *e, int r)
{
	struct handle *h = e->handle;
	struct inode *inode = h->inode;
	struct mount *m = inode->mount;

	if (r < 0)
		note_error(inode, r);
	inode_changes(inode);
	inode->sent_at = inode->changed;
	list_del(&e->link);
	h->extents--;
	inode->unsent--;
	m->extents--;
	waitq_wake_all(&inode->sent);
	if (r < 0)
		cache_drop(inode, (off_t)e->offset, (off_t)e->len);
	handle_put(h);
	free(e);
	if (--m->ops == 0)
		waitq_wake_all(&m->idle);
}

static void send_extent(void *arg)
{
	struct extent *e = arg;

	extent_done(e, nfs_pwrite_buffer(e->handle->open, e->buffer, e->len,
					 e->offset));
}

/* Parks only if there is no memory for a task. */
static void extent_send(struct extent *e)
{
	struct handle *h = e->handle;

	list_del(&e->due);
	list_del(&e->link);
	list_append(&h->sending, &e->link);
	h->inode->mount->ops++;
	if (task_spawn("write behind", send_extent, e) < 0)
		send_extent(e);
}

void behind_task(void *mount)
{
	struct mount *m = mount;
	struct extent *e;

	while (!m->ending) {
		e = list_first(&m->due, struct extent, due);
		if (e == NULL)
			waitq_wait(&m->due_wake, NSEC_NEVER);
		else if (reactor_now() < e->since + BEHIND_AGE)
			waitq_wait(&m->due_wake, e->since + BEHIND_AGE);
		else
			extent_send(e);
	}
}

/* ----------------------------------------------------------------- flushing */

/* One that began no later than that, of those that gather or are sent. */
static struct extent *find(const struct inode *inode, uint64_t until, bool sent)
{
	struct extent *e;
	struct handle *h;

	list_for_each (h, &inode->handles, of_inode)
		list_for_each (e, sent ? &h->sending : &h->gathering, link)
			if (e->number <= until)
				return e;
	return NULL;
}

void behind_flush(struct inode *inode)
{
	uint64_t until = inode->extents;
	struct extent *e;

	if (inode->unsent == 0)
		return;
	inode_ref(inode);
	while ((e = find(inode, until, false)) != NULL)
		extent_send(e);
	while (find(inode, until, true) != NULL)
		waitq_wait(&inode->sent, NSEC_NEVER);
	inode_unref(inode);
}

/* ---------------------------------------------------------------- gathering */

static struct extent *extent_create(struct handle *h, uint64_t offset)
{
	struct inode *inode = h->inode;
	struct mount *m = inode->mount;
	struct extent *e;

	if (m->extents >= BEHIND_MOUNT_MAX)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->buffer = nfs_buffer_create(MOUNT_IO_MAX);
	if (e->buffer == NULL) {
		free(e);
		return NULL;
	}
	handle_ref(h);
	e->handle = h;
	e->offset = offset;
	e->since = reactor_now();
	e->number = ++inode->extents;
	list_init(&e->due);
	list_init(&e->link);
	list_append(&h->gathering, &e->link);
	list_append(&m->due, &e->due);
	waitq_wake_all(&m->due_wake);
	h->extents++;
	inode->unsent++;
	m->extents++;
	return e;
}

static bool must_wait(const struct handle *h, uint64_t offset, size_t size)
{
	struct extent *e;

	if (h->extents >= BEHIND_HANDLE_MAX)
		return true;
	list_for_each (e, &h->sending, link)
		if (overlaps(e, offset, size))
			return true;
	return false;
}

/* The extent that the next byte at this offset goes to; NULL: none, everything
 * before is at the server. */
static struct extent *extent_for(struct handle *h, uint64_t offset, size_t size)
{
	struct inode *inode = h->inode;
	struct extent *e;

	for (;;) {
		e = gathering(h);
		if (e != NULL && offset == e->offset + e->len && room(e) > 0)
			return e;
		if (e != NULL)
			extent_send(e);
		else if (inode->unsent > h->extents)
			behind_flush(inode);
		else if (must_wait(h, offset, size))
			waitq_wait(&inode->sent, NSEC_NEVER);
		else
			break;
	}
	e = extent_create(h, offset);
	if (e == NULL)
		behind_flush(inode);
	return e;
}

static size_t gather(struct extent *e, const char *data, size_t size)
{
	size_t n = MIN(size, room(e));

	memcpy(nfs_buffer_data(e->buffer) + e->len, data, n);
	e->len += n;
	inode_changes(e->handle->inode);
	if (room(e) == 0)
		extent_send(e);
	return n;
}

int behind_write(struct handle *h, const char *data, size_t size,
		 uint64_t offset)
{
	struct extent *e;
	size_t n;

	for (; size > 0; data += n, offset += n, size -= n) {
		e = extent_for(h, offset, size);
		if (e == NULL)
			return nfs_pwrite(h->open, data, size, offset);
		n = gather(e, data, size);
	}
	return 0;
}
