/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of fuse/ share: the mount, the kernel's inodes, open files.
 *
 * One thread, one reactor: a task for each request of the kernel, and between
 * two calls that may park nothing else runs; so none of this has a lock.
 */
#ifndef FUSE_INTERNAL_H
#define FUSE_INTERNAL_H

#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "base/htable.h"
#include "base/list.h"
#include "fuse/buffer.h"
#include "fuse/options.h"
#include "fuse/pump.h"
#include "nfs/client/client.h"
#include "reactor/reactor.h"
#include "status/status.h"

enum { INODE_MAGIC = 0x68696e6f, HANDLE_MAGIC = 0x6868616e };

/*
 * The largest data of one READ or WRITE of the kernel.  It sends no more than
 * 256 pages.
 */
enum { MOUNT_IO_MAX = 1 << 20 };

/* One mounted file system. */
struct mount {
	const struct mount_options *options;
	struct secure *secure; /* TLS; NULL: none */
	struct nfs_client *nfs;
	struct fuse_session *fuse;
	struct buffers buffers;
	struct pump pump;

	struct htable inodes; /* by file handle */
	struct inode *root;   /* node id 1 */

	/* Counts this mount's own changes: what was read from a directory
	 * before one may be out of date after it (readdir.c). */
	uint64_t changes;
	uint64_t changes_anywhere; /* the newest of inodes not in the table */

	unsigned ops;		  /* requests in progress */
	struct waitq idle;	  /* something has come to its end */
	struct list interrupted;  /* op.interrupted */
	struct waitq watch;	  /* there are some, or it is ending */
	struct completion *ready; /* the kernel has sent INIT */
	uint64_t offered;	  /* flags of INIT */
	bool init_answered;
	struct waitq gone; /* the kernel has closed its end: */
	bool fuse_gone;
	bool ending; /* no more requests are taken */

	/* behind.c */
	struct list due; /* extents that are gathering, oldest first */
	struct waitq due_wake;
	unsigned extents;

	struct status *status; /* control.c; NULL: none */
	bool signals_end;      /* the task on_signal() has ended */
};

/*
 * A file, directory, … that the kernel knows, or a request works on.  The node
 * id is its address.  References: one for all lookups of the kernel, one for
 * each request in progress, one for each handle.  Freed with the last.
 */
struct inode {
	unsigned magic;
	unsigned refs;
	uint64_t lookups; /* by the kernel, not yet forgotten */
	struct hnode node;
	struct mount *mount;
	struct list handles; /* open files: handle.of_inode */
	struct list holders; /* of locks: lock_holder.of_inode */

	/* See cache.c. */
	uint64_t data_change; /* what the cached pages are at least as new as */
	uint64_t told_change; /* of the attributes that the kernel got last */
	bool data_known, told_known;
	bool own_changes;   /* since data_change was set */
	bool dropping;	    /* a task does */
	uint32_t mode, gid; /* as last seen */

	uint64_t fileid;

	/* Where it was found last: of a directory the parent's fileid, of
	 * anything else the parent (a reference) and the name; or NULL. */
	uint64_t parent_fileid;
	struct inode *parent;
	char *name;

	uint64_t changed; /* mount.changes at our last change of it */

	/* behind.c */
	unsigned unsent;  /* extents of all its handles */
	uint64_t extents; /* counts them */
	uint64_t sent_at; /* mount.changes, when one was sent last */
	struct waitq sent;

	struct nfs_fh fh;
};

/* An open file.  References: the kernel's (until RELEASE), and one for each
 * request that uses it. */
struct handle {
	unsigned magic;
	unsigned refs;
	struct inode *inode; /* a reference */
	struct nfs_open *open;
	struct list of_inode;
	int flags; /* of open(2) */

	/* behind.c */
	struct list gathering, sending; /* struct extent; one gathers at most */
	unsigned extents;		/* in both */
	int error;			/* of one that was sent, to be told */
};

/* -------------------------------------------------------------- inode.c */

/* The inode of a node id; borrowed. */
struct inode *inode_find(struct mount *m, fuse_ino_t id);
fuse_ino_t inode_id(const struct inode *inode);
/* That of a file handle, made if new, with a reference.  NULL: no memory. */
struct inode *inode_of_fh(struct mount *m, const struct nfs_fh *fh,
			  const struct nfs_attr *attr);
/* That of a file handle if it is known; borrowed. */
struct inode *inode_peek(struct mount *m, const struct nfs_fh *fh);
bool inode_has_fh(const struct inode *inode, const struct nfs_fh *fh);
void inode_ref(struct inode *inode);
void inode_unref(struct inode *inode);
/* It was found in that directory; NULL, NULL: it is not there any more. */
void inode_found(struct inode *inode, struct inode *dir, const char *name);
/* The kernel has got the inode in a reply once more; has dropped it n times. */
void inode_looked_up(struct inode *inode);
void inode_forget(struct inode *inode, uint64_t n);
/* Ours is about to change it, or has: before and after the request. */
void inode_changes(struct inode *inode);
/* The same where it is not known what changes besides (a last link). */
void mount_changes(struct mount *m);
/* Frees them all, at the end. */
void inodes_fini(struct mount *m);

/* ------------------------------------------------------------- handle.c */

/* Takes ownership of `open`, also when it fails (NULL: no memory). */
struct handle *handle_create(struct inode *inode, struct nfs_open *open,
			     int flags);
struct handle *handle_of(const struct fuse_file_info *fi); /* borrowed */
void handle_ref(struct handle *h);
/* The last one closes the file; its error. */
int handle_put(struct handle *h);

/* --------------------------------------------------------------- attr.c */

void attr_to_stat(const struct nfs_attr *attr, struct stat *st);

/* -------------------------------------------------------------- cache.c */

/* The kernel has got these attributes. */
void cache_told(struct inode *inode, const struct nfs_attr *attr);
/* A file was opened, or a lock granted, and these attributes are from after
 * that: returns when nothing older is cached any more.  May park. */
void cache_revalidate(struct inode *inode, const struct nfs_attr *attr);
/* Drops cached pages that overlap the range (len 0: to the end), and the
 * attributes.  May park. */
void cache_drop(struct inode *inode, off_t offset, off_t len);
/* Drops attributes only; does not park. */
void cache_drop_attr(struct inode *inode);

/* ------------------------------------------------------------- behind.c */

/* 0 when the data is taken, or -errno of a write that had to be waited for.
 * May park. */
int behind_write(struct handle *h, const char *data, size_t size,
		 uint64_t offset);
/* All that was written to the file before is at the server, or has failed.
 * Costs nothing when that is so already; else it parks. */
void behind_flush(struct inode *inode);
/* Why something failed since this was last asked: 0 or -errno. */
int behind_take_error(struct handle *h);
/* The task that sends what nobody flushes. */
void behind_task(void *mount);

/* ----------------------------------------------------------- ops_lock.c */

/* A close(2) by this owner: its locks on the file end.  May park. */
int locks_release(struct inode *inode, uint64_t owner);
/* The open file is going, and with it the locks that were taken through it. */
void locks_forget(struct handle *h);

/* ------------------------------------------------------------- kernel.c */

/* Mounts, and starts the tasks that serve the kernel.  0 when the kernel has
 * said that it is there; -errno after a line on stderr. */
int kernel_start(struct mount *m);
/* Frees it.  Nothing may be served any more. */
void kernel_stop(struct mount *m);

/* ------------------------------------------------------------ control.c */

/* The socket on which `hawser paths` asks and `hawser umount` waits.  Without
 * it the mount works all the same. */
void control_start(struct mount *m);
void control_stop(struct mount *m); /* no new clients */
void control_end(struct mount *m);  /* for those that wait, it is the end */

/* -------------------------------------------------------------- mount.c */

/* Mounts and serves until it is unmounted, or told to end by SIGTERM or
 * SIGINT, which are blocked in all threads.  ready() is called once when it is
 * usable; when it says false, that is the end, too.  The exit status; when it
 * fails, after a line on stderr. */
int mount_run(const struct mount_options *options, bool (*ready)(void));

#endif
