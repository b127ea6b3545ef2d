/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/internal.h"

struct handle *handle_create(struct inode *inode, struct nfs_open *open,
			     int flags)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		nfs_close(open);
		return NULL;
	}
	MAGIC_SET(h, HANDLE_MAGIC);
	h->refs = 1;
	h->inode = inode;
	inode_ref(inode);
	h->open = open;
	h->flags = flags;
	list_init(&h->gathering);
	list_init(&h->sending);
	list_append(&inode->handles, &h->of_inode);
	return h;
}

struct handle *handle_of(const struct fuse_file_info *fi)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;

	MAGIC_CHECK(h, HANDLE_MAGIC);
	return h;
}

void handle_ref(struct handle *h)
{
	MAGIC_CHECK(h, HANDLE_MAGIC);
	h->refs++;
}

int handle_put(struct handle *h)
{
	struct inode *inode = h->inode;
	int r;

	MAGIC_CHECK(h, HANDLE_MAGIC);
	if (--h->refs > 0)
		return 0;
	list_del(&h->of_inode);
	locks_forget(h);
	r = nfs_close(h->open);
	MAGIC_CLEAR(h);
	free(h);
	inode_unref(inode);
	return r;
}
