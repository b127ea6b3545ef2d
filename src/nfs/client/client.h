/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An asynchronous NFSv4.1/4.2 client that goes on when a path dies.
 *
 * A struct nfs_client is one session with one server, over connections to all
 * of its addresses.  Calls look blocking: the task that makes one parks until
 * the reply is there, so many tasks are many requests in flight.  A request in
 * flight on a connection that is lost goes again over another one, with the
 * same slot and sequence id, so that it takes effect once (RFC 8881, 2.10.6).
 * Which connection takes which request is path/'s business (path/path.h).
 *
 * Like a hard mount, a call waits for the server as long as it takes, through
 * lost paths, server restarts (opens and locks are reclaimed) and
 *NFS4ERR_DELAY, unless fast_io_fail_timeout is set; then it fails with
 *-ETIMEDOUT.
 *
 * Threads: a client belongs to the reactor of the task that mounted it; all
 * calls are made from tasks of that reactor, and may park.
 *
 * Errors: 0 or a count, or a negative errno: the server's statuses by
 * nfs_errno(); -ETIMEDOUT, -ENODEV as in path.h; -EIO for state that is lost
 * (revoked, or not reclaimable) and for what only a broken server would send.
 *
 *	struct nfs_options o;
 *	nfs_options_init(&o);
 *	nfs_options_parse(&o, "addr=127.77.1.1,nconnect=2", err, sizeof(err));
 *	nfs_mount(&o, "/", &client, err, sizeof(err));
 *	nfs_lookup(client, &cred, nfs_root(client), "a", 1, &fh, &attr);
 *	nfs_open_fh(client, &cred, &fh, NFS_OPEN_READ, &open);
 *	n = nfs_read(open, buf, sizeof(buf), 0, &eof);
 *	nfs_close(open);
 *	nfs_unmount(client);
 */
#ifndef NFS_CLIENT_CLIENT_H
#define NFS_CLIENT_CLIENT_H

#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include "base/addr.h"
#include "nfs/xdr/nfs4_ops.h"
#include "path/path.h"

struct nfs_client;
struct nfs_open;
struct stream;

/* Who asks (AUTH_SYS).  More than RPC_MAX_GROUPS groups can't be sent: the
 * first are.  Copied where it is kept. */
struct nfs_cred {
	uint32_t uid, gid;
	uint32_t ngids;
	const uint32_t *gids; /* borrowed */
};

/* ---------------------------------------------------------- mount, options */

enum { NFS_MAX_ADDRESSES = 16 };

/* Makes a connection secure before anything is said on it.  `lower` is the new
 * stream's from now on; after an error it is closed, and `err` may say why. */
typedef int nfs_secure_fn(void *arg, const struct addr *to,
			  struct stream *lower, nsec deadline,
			  struct stream **out, char *err, size_t size);

struct nfs_options {
	struct addr address[NFS_MAX_ADDRESSES]; /* the first is `addr=` */
	unsigned naddresses;
	uint16_t port;	       /* 2049: of addresses that have none */
	size_t rsize, wsize;   /* 1 MiB; bounded by what the server takes */
	unsigned slots;	       /* 128: requests in flight in the session */
	unsigned nconnect;     /* 1: connections to each address */
	unsigned max_connect;  /* 16: addresses used, found ones included */
	bool discover;	       /* true: fs_locations of the root are used too
				  (option trunkdiscovery, notrunkdiscovery) */
	nsec rediscover;       /* 60 s: looked at again, and soon after a path
				  was lost; NSEC_NEVER: at the mount only */
	unsigned minorversion; /* 2; 1 where the server has no 4.2 */
	bool ro;	       /* for the mounter's use; not looked at here */
	/* timeo=N (deciseconds): a request without an answer for so long on a
	 * path that does answer probes goes again on another connection, after
	 * it was closed; retrans=N times, then a line is logged.  60 s, 2. */
	nsec timeo;
	unsigned retrans;
	nsec mount_timeout;    /* 10 s: nfs_mount() gives up */
	nfs_secure_fn *secure; /* NULL: nothing is */
	void *secure_arg;
	struct path_options path;
	char policy[32]; /* path.policy points here once it is set */
};

void nfs_options_init(struct nfs_options *o);

/*
 * Reads "addr=A,mounttargetip_1=B,rsize=65536,…": addr, mounttargetip_N, port,
 * rsize, wsize, slots, nconnect, max_connect, trunkdiscovery,
 * notrunkdiscovery, rediscover, minorversion, vers (4.1, 4.2), ro, rw, timeo,
 * retrans, hard, policy, rr_min_io, reconnect_delay, reconnect_max,
 * connect_timeout, fast_io_fail_timeout, ctrlr_loss_timeout, suspect_factor,
 * suspect_min, suspect_max, probe_min, probe_max, idle_probe (times in seconds,
 * "0.15" and "150ms" work as well; "off" or -1: never). 0; -EINVAL with a line
 * in err that says what was wrong and what would do; -ENOENT, with the option's
 * name in err, for one that is not the client's, so that a caller with options
 * of its own looks at each one by itself.
 */
int nfs_options_parse(struct nfs_options *o, const char *text, char *err,
		      size_t errsize);

/*
 * Connects, makes the session and looks up `path` below the server's root.  0,
 * or -errno with a line in err: -ETIMEDOUT after mount_timeout, the errno of
 * the connection if every address refuses, -ENOENT, -EACCES, …
 */
int nfs_mount(const struct nfs_options *o, const char *path,
	      struct nfs_client **out, char *err, size_t errsize);

/* Why a mount of `path` by that address is denied, as the server explains it: 0
 * and a line in `text`, or "" if it is not; -EOPNOTSUPP: it does not explain;
 * or -errno.  nfs_mount() does so by itself. */
int nfs_explain(const struct nfs_options *o, const struct addr *to,
		const char *path, char *text, size_t size);

/* Ends the session (it tries for a second at most), the connections and the
 * tasks, and frees.  No call may be in progress and no nfs_open be left. */
void nfs_unmount(struct nfs_client *c);

/* Of the directory that was mounted. */
const struct nfs_fh *nfs_root(const struct nfs_client *c);

struct nfs_info {
	size_t rsize, wsize; /* in effect */
	unsigned minorversion;
	unsigned slots;	     /* granted */
	unsigned lease_time; /* seconds */
	uint32_t maxname, maxlink;
	uint64_t maxfilesize;
	bool xattr_support;
};
void nfs_get_info(const struct nfs_client *c, struct nfs_info *out);

/* ------------------------------------------------------------ files, names */

/* Names are bytes, not NUL-terminated; a length beyond 255 is the server's to
 * refuse. */

struct nfs_attr {
	uint32_t mode; /* type and permissions, as st_mode */
	uint32_t nlink, uid, gid;
	uint32_t rdev_major, rdev_minor;
	uint64_t fileid; /* mounted_on_fileid where they differ */
	uint64_t fsid;	 /* both words folded into one */
	uint64_t size, used, change;
	struct timespec atime, mtime, ctime;
};

int nfs_getattr(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, struct nfs_attr *attr);

enum {
	NFS_SET_MODE = 1 << 0,
	NFS_SET_UID = 1 << 1,
	NFS_SET_GID = 1 << 2,
	NFS_SET_SIZE = 1 << 3,
	NFS_SET_ATIME = 1 << 4,
	NFS_SET_MTIME = 1 << 5,
	NFS_SET_ATIME_NOW = 1 << 6, /* the server's time */
	NFS_SET_MTIME_NOW = 1 << 7,
};
struct nfs_setattr {
	unsigned mask;
	uint32_t mode, uid, gid;
	uint64_t size;
	struct timespec atime, mtime;
};
/* `open`, open for writing, or NULL: whose stateid goes with a size. */
int nfs_setattr(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, struct nfs_open *open,
		const struct nfs_setattr *set, struct nfs_attr *attr);

/* `name` may be "..". */
int nfs_lookup(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len,
	       struct nfs_fh *fh, struct nfs_attr *attr);

/* want, *granted: ACCESS4_* */
int nfs_access(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *fh, uint32_t want, uint32_t *granted);

/* The length, cut to size; no NUL. */
ssize_t nfs_readlink(struct nfs_client *c, const struct nfs_cred *cred,
		     const struct nfs_fh *fh, char *buf, size_t size);

/* Directories, symbolic links, devices, sockets, FIFOs; `set` (size excepted)
 * applies to the new object. Regular files: nfs_open(). */
struct nfs_create {
	uint32_t type;	    /* S_IFDIR, S_IFLNK, … */
	const char *target; /* S_IFLNK */
	size_t target_len;
	uint32_t rdev_major, rdev_minor;
	struct nfs_setattr set;
};
int nfs_create(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len,
	       const struct nfs_create *what, struct nfs_fh *fh,
	       struct nfs_attr *attr);

/* attr (may be NULL): of the file, afterwards. */
int nfs_link(struct nfs_client *c, const struct nfs_cred *cred,
	     const struct nfs_fh *file, const struct nfs_fh *dir,
	     const char *name, size_t len, struct nfs_attr *attr);
/* Files and empty directories alike. */
int nfs_remove(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len);
int nfs_rename(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *from, const char *from_name,
	       size_t from_len, const struct nfs_fh *to, const char *to_name,
	       size_t to_len);

struct nfs_dirent {
	uint64_t cookie;
	const char *name; /* borrowed for this call */
	size_t len;
	uint64_t fileid;
	uint32_t type; /* S_IFMT bits */
	/* With `plus`; NULL when the server could not say (look it up). */
	const struct nfs_fh *fh;
	const struct nfs_attr *attr;
};
/* false: enough; this entry was not taken.  Must not park. */
typedef bool nfs_dirent_fn(void *arg, const struct nfs_dirent *entry);
/*
 * One READDIR from `cookie` (0: the beginning) of about `count` bytes; *verf
 * is handed from call to call, zero at the beginning.  "." and ".." are not
 * given.  *eof: the directory's end was reached, and every entry taken.
 */
int nfs_readdir(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *dir, uint64_t cookie, verifier4 *verf,
		size_t count, bool plus, nfs_dirent_fn *fn, void *arg,
		bool *eof);

struct nfs_statfs {
	uint64_t total_bytes, free_bytes, avail_bytes;
	uint64_t total_files, free_files, avail_files;
	uint32_t maxname;
};
int nfs_statfs(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *fh, struct nfs_statfs *out);

/* -------------------------------------------------------------- open files */

/*
 * An nfs_open has an open-owner of its own, so opens are independent of each
 * other: closing one takes nothing from another.  It keeps the opener's
 * credential for its reads and writes.  After a server restart it is reclaimed
 * behind the caller's back; if that can't be, calls on it are -EIO.
 */
enum {
	NFS_OPEN_READ = 1, /* OPEN4_SHARE_ACCESS_* */
	NFS_OPEN_WRITE = 2,
	NFS_OPEN_RDWR = 3,
	NFS_OPEN_CREATE = 1 << 4,
	NFS_OPEN_EXCL = 1 << 5,	 /* with CREATE: -EEXIST; safe to repeat */
	NFS_OPEN_TRUNC = 1 << 6, /* a file that is there becomes empty */
};
/* `create` (may be NULL): attributes of a new file.  fh and attr (may be
 * NULL): of the file. */
int nfs_open(struct nfs_client *c, const struct nfs_cred *cred,
	     const struct nfs_fh *dir, const char *name, size_t len,
	     unsigned flags, const struct nfs_setattr *create,
	     struct nfs_open **out, struct nfs_fh *fh, struct nfs_attr *attr);
/* By handle; flags: READ and WRITE only. */
int nfs_open_fh(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, unsigned flags, struct nfs_open **out,
		struct nfs_attr *attr);
/* Commits what nfs_pwrite() left, gives up its locks, frees it in any case;
 * the error is the first of these. */
int nfs_close(struct nfs_open *o);
const struct nfs_fh *nfs_open_handle(const struct nfs_open *o);

/* At most rsize bytes of data are asked for in one request; more are several,
 * one after another.  Short only at the end of the file. */
ssize_t nfs_read(struct nfs_open *o, void *buf, size_t len, uint64_t offset,
		 bool *eof);

/*
 * Writes with the protocol's own terms: UNSTABLE4 data are safe once
 * nfs_commit() gives the same verifier as the write did, else they have to be
 * written again, and that is the caller's business.  len <= wsize.  Returns
 * bytes, maybe fewer.  *committed, *verf (may be NULL): what the server says.
 */
ssize_t nfs_write(struct nfs_open *o, const void *buf, size_t len,
		  uint64_t offset, stable_how4 stable, stable_how4 *committed,
		  verifier4 *verf);
int nfs_commit(struct nfs_open *o, uint64_t offset, uint32_t len,
	       verifier4 *verf);

/*
 * The same without that burden: nfs_pwrite() keeps a copy of what is not on
 * stable storage, and nfs_sync() commits, and writes again what a restarted
 * server may have lost, until it is.  The copies of one file are bounded
 * (NFS_KEEP_MAX); beyond that nfs_pwrite() syncs first.  Any length, 0 or
 * -errno; several tasks at once.
 */
enum { NFS_KEEP_MAX = 32 << 20 };
int nfs_pwrite(struct nfs_open *o, const void *buf, size_t len,
	       uint64_t offset);
int nfs_sync(struct nfs_open *o);

/*
 * nfs_pwrite() from a buffer that it keeps instead of a copy: it is used up,
 * whatever comes of it.  len: up to what it was made for.
 */
struct nfs_buffer;
struct nfs_buffer *nfs_buffer_create(size_t size); /* NULL: no memory */
char *nfs_buffer_data(struct nfs_buffer *b);
int nfs_pwrite_buffer(struct nfs_open *o, struct nfs_buffer *b, size_t len,
		      uint64_t offset);
/* Whether nfs_pwrite() has left anything in any open file that is not on stable
 * storage, or is just writing. */
bool nfs_has_unsaved(const struct nfs_client *c);

/* 4.2; -EOPNOTSUPP where the server lacks them. */
int64_t nfs_seek(struct nfs_open *o, uint64_t offset, int whence);
int nfs_allocate(struct nfs_open *o, uint64_t offset, uint64_t len);
int nfs_deallocate(struct nfs_open *o, uint64_t offset, uint64_t len);
/* Bytes copied by the server, maybe fewer; stable when it returns. */
int64_t nfs_copy(struct nfs_open *from, uint64_t from_offset,
		 struct nfs_open *to, uint64_t to_offset, uint64_t len);

/* ------------------------------------------------------------------- locks */

/* `owner` names a lock owner (a process, an open file description) within the
 * client.  len UINT64_MAX: to the end, however far that moves. */
struct nfs_lock {
	uint64_t owner;
	bool exclusive;
	uint64_t offset, len;
};

/* 0, or -EAGAIN: somebody else holds a conflicting one. */
int nfs_lock(struct nfs_open *o, const struct nfs_lock *lock);
/* Waits for it.  -EINTR after nfs_lock_cancel() with the same struct, which
 * may come at any time from another task of the reactor. */
struct nfs_lock_wait { /* zero-initialised */
	struct nfs_client *client;
	bool cancelled;
};
int nfs_lock_wait(struct nfs_open *o, const struct nfs_lock *lock,
		  struct nfs_lock_wait *wait);
void nfs_lock_cancel(struct nfs_lock_wait *wait);
int nfs_unlock(struct nfs_open *o, const struct nfs_lock *range);
/* 1: *lock is filled with the one that is in the way; 0: nothing is. */
int nfs_lock_test(struct nfs_open *o, struct nfs_lock *lock);

/* ----------------------------------------------------- extended attributes */

/* Names without the "user." prefix (RFC 8276).  size 0 asks for the length;
 * -ERANGE, -ENODATA.  flags: XATTR_CREATE, XATTR_REPLACE, 0. */
ssize_t nfs_getxattr(struct nfs_client *c, const struct nfs_cred *cred,
		     const struct nfs_fh *fh, const char *name, void *buf,
		     size_t size);
int nfs_setxattr(struct nfs_client *c, const struct nfs_cred *cred,
		 const struct nfs_fh *fh, const char *name, const void *value,
		 size_t size, int flags);
/* Names with "user." in front and a NUL behind each. */
ssize_t nfs_listxattr(struct nfs_client *c, const struct nfs_cred *cred,
		      const struct nfs_fh *fh, char *buf, size_t size);
int nfs_removexattr(struct nfs_client *c, const struct nfs_cred *cred,
		    const struct nfs_fh *fh, const char *name);

/* ------------------------------------------------------------ any compound */

/*
 * SEQUENCE and then these operations, as they are: for tests and tools.
 * Repeats on lost paths and after NFS4ERR_DELAY as every call does.  results[]
 * has room for n; decoded data are in `arena` (what is borrowed, too).  Returns
 * the number of results, the last of which has the status that ended the
 * compound; or -errno.
 */
int nfs_compound(struct nfs_client *c, const struct nfs_cred *cred,
		 nfs_argop4 *ops, unsigned n, nfs_resop4 *results,
		 struct arena *arena);

/* The errno for a status; one switch, every case. */
int nfs_errno(nfsstat4 status);

/* ----------------------------------------------------------------- reports */

struct nfs_path_info {
	struct path_info path;
	struct addr address;
	uint64_t probes, connects; /* sent; attempts */
	uint64_t sent, received;   /* bytes on the wire */
};
/* Fills up to n; how many paths there are.  Does not park. */
unsigned nfs_get_paths(const struct nfs_client *c, struct nfs_path_info *out,
		       unsigned n);
const char *nfs_policy(const struct nfs_client *c);
int nfs_set_policy(struct nfs_client *c, const char *policy);
/* Adds or removes a path while in use: 0, -EEXIST, -ENOENT, -ENOSPC. */
int nfs_add_path(struct nfs_client *c, const struct addr *address);
int nfs_remove_path(struct nfs_client *c, const struct addr *address);

struct nfs_counters {
	uint64_t calls, repeats /* sent again on another path */;
	uint64_t delays, sessions /* made */, reclaims, rewrites;
	unsigned waiting; /* for a path, now */
	unsigned inflight;
	nsec longest_stall; /* of a call that was sent more than once */
};
void nfs_get_counters(const struct nfs_client *c, struct nfs_counters *out);

#endif
