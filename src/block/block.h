/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block: devices of fixed-size blocks, for the block protocols above.
 *
 * A device is of a kind that keeps bytes (malloc, file) or changes what goes to
 * another device, its base (delay, error, crypt).  Devices have names and UUIDs
 * that are unique in their registry, and are opened by whoever uses them: as a
 * base, or as a namespace.
 *
 * Threads.  Requests are submitted by any reactor, and are done on the reactor
 * that submitted them; between reactors nothing is ordered.  Everything else is
 * called from tasks of one reactor, the registry's, and may park.
 *
 * Promises.  A WRITE is on stable storage when it is done with BLOCK_FUA, or
 * when a FLUSH is done that was submitted after it was done (malloc: as stable
 * as memory is).  Each logical block is read and written as one: a READ never
 * sees a part of a WRITE to the same block.  Of requests that overlap and are
 * in progress together, any order may win.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/list.h"

struct block_device;
struct block_lane;
struct block_registry;
struct completion;

enum {
	BLOCK_NAME_MAX = 63,	      /* bytes */
	BLOCK_LAYERS_MAX = 6,	      /* devices on top of each other */
	BLOCK_TRANSFER_MAX = 1 << 20, /* bytes of one request with data */
};

/* ---------------------------------------------------------------- requests */

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,	    /* no range */
	BLOCK_WRITE_ZEROES, /* no data; space is kept unless BLOCK_UNMAP */
	BLOCK_DEALLOCATE,   /* no data; reads as zeroes afterwards */
	BLOCK_COMPARE,	    /* -EILSEQ: the data differ */
	BLOCK_OPS,
};

enum {
	BLOCK_FUA = 1 << 0,   /* on stable storage when done */
	BLOCK_UNMAP = 1 << 1, /* WRITE_ZEROES may free the space */
};

struct block_request;
typedef void block_done_fn(struct block_request *r, int error);

/*
 * A request, in its submitter's memory from block_submit() until `done` is
 * called.  The submitter fills in the first part.
 */
struct block_request {
	enum block_op op;
	unsigned flags;
	uint64_t offset, length; /* bytes, multiples of the block size */
	struct iovec *iov;	 /* `length` bytes; the memory of a WRITE may be
				    changed on its way (crypt) */
	int niov;
	block_done_fn *done; /* error: 0 or -errno */

	/* The layers': block/driver.h. */
	struct list link;	   /* of the device that has it now */
	uint8_t depth;		   /* of frames; 0: done */
	uint8_t where;		   /* in that device */
	bool now, cancelled;	   /* block_submit_now(), block_cancel() */
	struct completion *waiter; /* block_do() */
	struct block_frame {
		struct block_lane *lane;
		block_done_fn *done; /* of who submitted it to the device */
		nsec start;
		uint64_t private[2]; /* of the device */
	} frames[BLOCK_LAYERS_MAX + 1];
};

/*
 * Does the request, sooner or later; `done` may be called before this returns.
 * Neither parks: `done` may run on the loop's stack.  Who submits from `done`
 * sees to it that this does not recurse without end.  Errors given to `done`:
 * -EINVAL (not aligned, empty, too long), -ENOSPC (beyond the end; no space),
 * -EILSEQ (COMPARE), -EOPNOTSUPP, -EROFS, -ECANCELED (block_cancel), -ENOMEM
 * (nothing has happened), -EIO.
 */
void block_submit(struct block_device *d, struct block_request *r);

/* The same for memory that is only valid now: `done` has been called when it
 * returns 0.  -EAGAIN: the device can't do that; nothing has happened.
 * READ, WRITE and COMPARE only. */
int block_submit_now(struct block_device *d, struct block_request *r);

/*
 * Asks that a request that has not reached the medium does not reach it any
 * more.  `done` is called as ever, maybe before this returns: with -ECANCELED
 * if the request had and will have no effect, else with its result.  On the
 * reactor that submitted it.
 */
void block_cancel(struct block_request *r);

/* Submits and waits; parks.  `r` lives on the caller's stack. */
int block_do(struct block_device *d, struct block_request *r);

/* ----------------------------------------------------------------- devices */

enum block_kind {
	BLOCK_MALLOC, /* memory; lost with the process */
	BLOCK_FILE,   /* a file or a block device of the host */
	BLOCK_DELAY,  /* requests wait before they reach the base */
	BLOCK_ERROR,  /* requests fail, or get corrupted or stuck, on demand */
	BLOCK_CRYPT,  /* AES-XTS over the base */
};

/* What a device is made from; also how it is described and remembered. */
struct block_spec {
	enum block_kind kind;
	char name[BLOCK_NAME_MAX + 1];
	uint8_t uuid[16];    /* all zero: a random one */
	uint32_t block_size; /* bytes, 512 or 4096; 0 with a base or a file:
				what that has (a file: 512) */
	uint64_t blocks;     /* 0 with a base or a file: what that has */
	char base[BLOCK_NAME_MAX + 1]; /* DELAY, ERROR, CRYPT */
	union {
		struct {
			char path[4096];
			bool read_only;
			bool create; /* a sparse file of `blocks`, if there is
					none; -EEXIST if there is one */
			bool delete; /* with the device */
		} file;
		/* What most requests wait, and one of a hundred; a WRITE's is
		 * also that of WRITE_ZEROES and DEALLOCATE, a READ's that of
		 * COMPARE. */
		struct {
			nsec avg_read, p99_read, avg_write, p99_write;
		} delay;
		struct {
			/* 32 or 64 bytes (AES-128, AES-256): both XTS keys.
			 * Not given out by block_get_spec(). */
			uint8_t key[64];
			size_t key_len;
		} crypt;
	};
};

/* Limits on any device, 0: none.  Requests beyond them wait in turn. */
struct block_limits {
	uint64_t ios_per_sec, bytes_per_sec; /* all of them */
	uint64_t read_bytes_per_sec, write_bytes_per_sec;
};

/* What an ERROR device does to the next `count` requests. */
enum block_fault {
	BLOCK_FAULT_NONE,    /* nothing more; and what is pending goes on */
	BLOCK_FAULT_FAIL,    /* -EIO, without effect */
	BLOCK_FAULT_PENDING, /* they stay, until BLOCK_FAULT_NONE or
				block_cancel() */
	BLOCK_FAULT_CORRUPT, /* READ and WRITE: of other data */
	BLOCK_FAULT_NOMEM    /* -ENOMEM, without effect */
};
struct block_injection {
	enum block_fault fault;
	int op;			 /* enum block_op, or -1: each of them */
	uint32_t count;		 /* of each */
	uint32_t queue_depth;	 /* 0, or: only when as many others of the same
				    reactor are in progress */
	uint64_t corrupt_offset; /* in the request's data */
	uint8_t corrupt_value;	 /* bits that are flipped there */
};

/* Time is that of the reactor's turns: what is done at once takes none. */
struct block_stats {
	uint64_t ios[BLOCK_OPS], bytes[BLOCK_OPS], errors;
	nsec latency[BLOCK_OPS]; /* sum */
};

int block_registry_create(struct block_registry **out);
/* All devices have been destroyed. */
void block_registry_destroy(struct block_registry *reg);

/* -EEXIST (name or UUID), -EINVAL (sizes, base too deep), -ENODEV (no such
 * base), -EBUSY (the base is in use for writing), -ENOMEM, or the file's.
 * text (may be NULL) says what was refused and why. */
int block_create(struct block_registry *reg, const struct block_spec *spec,
		 struct block_device **out, char text[256]);
/* Tells the users that it goes, waits until all have closed it, and frees it.
 * -EBUSY: it is the base of another. */
int block_destroy(struct block_device *d);

/* By name or by UUID in text; NULL: none. */
struct block_device *block_find(struct block_registry *reg, const char *name);
/* The one behind `after`, in order of creation; NULL: the first. */
struct block_device *block_next(struct block_registry *reg,
				const struct block_device *after);

/* The new size in blocks; MALLOC and FILE.  A file that has been changed from
 * outside: its size now, with `blocks` 0. */
int block_resize(struct block_device *d, uint64_t blocks);
/* From now on; requests that wait keep their time.  -EOPNOTSUPP: not a DELAY.
 */
int block_delay_set(struct block_device *d, const struct block_spec *times);
/* -EOPNOTSUPP: not an ERROR; -EINVAL: no such operation, count 0, or nothing to
 * corrupt. */
int block_inject(struct block_device *d, const struct block_injection *what);
int block_set_limits(struct block_device *d, const struct block_limits *l);

void block_get_spec(const struct block_device *d, struct block_spec *out);
void block_get_limits(const struct block_device *d, struct block_limits *out);
/* Any thread; may lag. */
void block_get_stats(const struct block_device *d, struct block_stats *out);

/* Any thread. */
const char *block_name(const struct block_device *d);
const uint8_t *block_uuid(const struct block_device *d);
uint32_t block_size(const struct block_device *d);
uint64_t block_count(const struct block_device *d); /* may grow or shrink */
bool block_read_only(const struct block_device *d);
bool block_supports(const struct block_device *d, enum block_op op);
/* NULL, or who has it open for writing. */
const char *block_claimed_by(const struct block_device *d);

/*
 * Use.  A user is told of what happens to the device by calls from tasks of the
 * registry's reactor, which may park.  `removed` has to lead to block_close(),
 * in it or later, when the user's requests are done.
 */
struct block_user {
	const char *name; /* for block_claimed_by() and messages */
	void (*resized)(struct block_user *u);
	void (*removed)(struct block_user *u);
	struct block_device *device; /* from block_open() to block_close() */
	struct list link;
	unsigned news; /* that it has not been told */
};

/* Any number of users read; one writes: -EBUSY.  Both are asked for at open. */
int block_open(struct block_registry *reg, const char *name, bool write,
	       struct block_user *u);
void block_close(struct block_user *u);

#endif
