/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the kernel's cached pages and attributes are dropped.
 *
 * The promise is close-to-open: who opens a file sees all that was written
 * before by those who have closed it, on whatever host.  A byte-range lock
 * promises the same.  So both ask the server for the file's change attribute.
 *
 * data_change is the value such that every page in the kernel's cache was read
 * (or written by us) when the file was in that state or a later one.  If it is
 * still the file's, the pages are good.  If not, somebody has changed the file,
 * maybe we: they are dropped first, and only then data_change moves on.  Our
 * own writes leave it alone, since nobody can tell them from others' between
 * them.  That drops good pages when a file that was written here is opened
 * again, and never keeps a bad one.
 *
 * The kernel drops pages when a notification is written to /dev/fuse; that
 * waits for pages that are being read, which this very process has to answer.
 * Hence a worker thread does it.  Attributes can be dropped at once.
 */

#include "base/log.h"
#include "fuse/internal.h"

struct drop {
	struct inode *inode;
	off_t offset, len;
};

static int drop(void *arg)
{
	struct drop *d = arg;

	return fuse_lowlevel_notify_inval_inode(
		d->inode->mount->fuse, inode_id(d->inode), d->offset, d->len);
}

void cache_drop(struct inode *inode, off_t offset, off_t len)
{
	struct drop d = { inode, offset, len };
	int r = offload(drop, &d);

	/* -ENOENT: the kernel has dropped the inode itself. */
	if (r < 0 && r != -ENOENT && !inode->mount->ending)
		log_warn("dropping cached pages: %s", strerror(-r));
}

void cache_drop_attr(struct inode *inode)
{
	fuse_lowlevel_notify_inval_inode(inode->mount->fuse, inode_id(inode),
					 -1, 0);
	inode->told_known = false;
}

static void data_revalidate(struct inode *inode, uint64_t change)
{
	if (inode->data_known && inode->data_change == change)
		return;
	if (inode->data_known) /* else nothing was ever read or written */
		cache_drop(inode, 0, 0);
	inode->data_known = true;
	inode->data_change = change;
	inode->own_changes = false;
}

void cache_revalidate(struct inode *inode, const struct nfs_attr *attr)
{
	if (inode->told_known && inode->told_change != attr->change)
		cache_drop_attr(inode);
	if (S_ISREG(attr->mode))
		data_revalidate(inode, attr->change);
}

static void drop_task(void *arg)
{
	struct inode *inode = arg;

	data_revalidate(inode, inode->told_change);
	inode->dropping = false;
	inode_unref(inode);
}

void cache_told(struct inode *inode, const struct nfs_attr *attr)
{
	inode->told_known = true;
	inode->told_change = attr->change;
	inode->mode = attr->mode;
	inode->gid = attr->gid;

	/* Who has a file open for long sees others' writes some time, too. */
	if (!inode->data_known || inode->data_change == attr->change ||
	    inode->own_changes || inode->dropping)
		return;
	if (task_spawn("drop pages", drop_task, inode) < 0)
		return;
	inode->dropping = true;
	inode_ref(inode);
}
