/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/sysmacros.h>

#include "fuse/internal.h"

/* What programs are told to read and write at a time: stdio takes its buffer's
 * size from it. */
enum { PREFERRED_IO = 128 << 10 };

void attr_to_stat(const struct nfs_attr *attr, struct stat *st)
{
	*st = (struct stat){
		.st_ino = attr->fileid,
		.st_mode = attr->mode,
		.st_nlink = attr->nlink,
		.st_uid = attr->uid,
		.st_gid = attr->gid,
		.st_rdev = makedev(attr->rdev_major, attr->rdev_minor),
		.st_size = (off_t)attr->size,
		.st_blksize = PREFERRED_IO,
		.st_blocks = (blkcnt_t)((attr->used + 511) / 512),
		.st_atim = attr->atime,
		.st_mtim = attr->mtime,
		.st_ctim = attr->ctime,
	};
}
