/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume: a volume over NVMe/TCP as programs use it: found, attached over all
 * paths that were named, read and written at any byte.  The nbdkit plug-in and
 * the file of `hawser attach` stand on it.
 *
 * A volume_open() tries all paths, and wants one; the others are tried again
 * until they are there.  From then on requests wait while no path is usable,
 * unless a time-out was set.
 *
 * Promises.  What a write has changed is read from then on.  It is on stable
 * storage when it was done with VOLUME_FUA, or volume_flush() has returned that
 * was called after it.  Of requests that overlap and run together, any order
 * may win; others keep every byte, also where blocks are larger than what is
 * written (edge.c).
 *
 * Threads: a volume belongs to the reactor that opened it; calls are made from
 * its tasks, and park.  Errors are negative errnos, as initiator.h has them.
 */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include <jansson.h>
#include <limits.h>

#include "base/addr.h"

enum {
	VOLUME_MEMBERS_MAX = 4,
	VOLUME_PATHS_MAX = 16, /* of a member */
	VOLUME_NQN_SIZE = 224,
	VOLUME_IDS_MAX = 4,
	VOLUME_ID_SIZE = 48,
	VOLUME_TEXT = 256,
};

/* A subsystem that has the volume. */
struct volume_member {
	char subnqn[VOLUME_NQN_SIZE];
	/* What its namespace is known by, all of it: a UUID or NGUID, a number,
	 * or "uuid.…", "nguid.…", "eui.…".  None: there is only one. */
	char ids[VOLUME_IDS_MAX][VOLUME_ID_SIZE];
	unsigned n_ids;
	struct addr paths[VOLUME_PATHS_MAX];
	unsigned n_paths;
};

enum volume_kind {
	VOLUME_PLAIN, /* one subsystem, any number of paths */
	/* several that hold the same volume, and keep it so among themselves:
	 * all their paths are paths of one volume */
	VOLUME_SHARED,
	VOLUME_MIRROR, /* several, each with a copy of its own: mirror/ */
};

/* What a user says: zero-initialised, filled in by volume_option(). */
struct volume_options {
	enum volume_kind kind;
	struct volume_member members[VOLUME_MEMBERS_MAX];
	unsigned n_members;
	/* MIRROR: the file with the map, or one to be made. */
	char bitmap[PATH_MAX], bitmap_create[PATH_MAX];
	char hostnqn[VOLUME_NQN_SIZE]; /* "": a name of our own */
	uint8_t hostid[16];	       /* zero: the same */
	char policy[20];	       /* of path.h; "": active-passive */
	int ctrlr_loss_timeout_sec, reconnect_delay_sec,
		fast_io_fail_timeout_sec;
	bool named_only; /* else all addresses that its target tells of */
	/* Files with keys in text; "": none.  Names of files are from the root,
	 * as volume_option() makes them. */
	char dhchap_key[PATH_MAX], dhchap_ctrlr_key[PATH_MAX],
		tls_key[PATH_MAX];
};

/* Takes a KEY=VALUE.  1; 0: there is no such key; -EINVAL with text: the value
 * makes no sense. */
int volume_option(struct volume_options *o, const char *key, const char *value,
		  char text[VOLUME_TEXT]);
/* When all are taken: 0 or -EINVAL with text. */
int volume_options_check(const struct volume_options *o,
			 char text[VOLUME_TEXT]);
/* What there is, for a usage: lines that begin with two blanks, each option
 * with `prefix` before it. */
void volume_options_help(const char *prefix);

struct volume;

/* `o` is needed for the call only.  0 or -errno, with text. */
int volume_open(const struct volume_options *o, struct volume **out,
		char text[VOLUME_TEXT]);
/* No call is in progress. */
void volume_close(struct volume *v);

uint64_t volume_size(const struct volume *v); /* bytes; may change */
uint32_t volume_block_size(const struct volume *v);
uint32_t volume_max_transfer(const struct volume *v); /* in one piece */
bool volume_can_zero(const struct volume *v);
bool volume_can_discard(const struct volume *v);

enum { VOLUME_FUA = 1, VOLUME_UNMAP = 2 };

/* All of it, or an error: -ENOSPC beyond the end. */
int volume_read(struct volume *v, void *buf, size_t len, uint64_t offset);
/* flags: VOLUME_FUA */
int volume_write(struct volume *v, const void *buf, size_t len, uint64_t offset,
		 unsigned flags);
int volume_flush(struct volume *v);
/* It reads as zeroes; with VOLUME_UNMAP its space may be freed.  -EOPNOTSUPP:
 * only by writing them. */
int volume_zero(struct volume *v, uint64_t offset, uint64_t len,
		unsigned flags);
/* What is there is not needed any more, and may read as anything.  A hint:
 * blocks that it does not cover whole stay, -EOPNOTSUPP. */
int volume_discard(struct volume *v, uint64_t offset, uint64_t len);

/* How its paths are, as `hawser paths` wants it; `where`: who has it. */
json_t *volume_report(const struct volume *v, const char *where);
struct nvmei_volume;
/* The same of a volume of the initiator's, for who uses that by itself. */
json_t *volume_report_nvme(const struct nvmei_volume *v, const char *where);
/* As a table that fits 80 columns. */
void volume_report_print(const json_t *report);
/* Has the report served on a socket of its own until volume_close(); without
 * one the volume works all the same. */
void volume_announce(struct volume *v, const char *where, const char *path);

#endif
