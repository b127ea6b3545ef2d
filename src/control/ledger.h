/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger: what was asked for of block devices and the NVMe target, as the calls
 * that make it.  There is one entry for each thing that a user can name: what
 * it is (its path), and the method and parameters that would make it as it is
 * now, with everything filled in that was chosen for it.  A start makes the
 * calls again, in order; the configuration that is saved to a file is the same
 * list.
 *
 * A call that can't be made at a start (a file is gone, an address is not
 * there) stays in the ledger, with the reason, and is tried again: that is not
 * for this file to do, see rpc/restore.c.
 *
 * All calls are made from tasks of one reactor.  Whoever reads entries over a
 * point where it may park holds `lock` for reading; who changes anything holds
 * it for writing, from before it looks until it is written down.
 */
#ifndef CONTROL_LEDGER_H
#define CONTROL_LEDGER_H

#include <jansson.h>

#include "base/list.h"
#include "reactor/task.h"

struct ledger;
struct store;

enum {
	LEDGER_PATH_SIZE = 640,
	LEDGER_ENTRIES_MAX = 100000,
};

struct ledger_entry {
	struct list link;
	uint64_t order;	     /* also its key on disk */
	const char *section; /* "bdev", "nvmf", …: of a saved configuration */
	const char *path;
	const char *method;
	json_t *params; /* an object */
	int error;	/* 0: it is as it says; else why not, -errno */
	char text[256]; /* the same in words */
};

/* Reads what is there.  An entry that can't be read is left alone. */
int ledger_open(struct store *store, struct ledger **out);
void ledger_close(struct ledger *l);

struct task_rwlock *ledger_lock(struct ledger *l);

/* "nvmf", nqn, "host", name, NULL: joined by tabs.  false: too long, or one of
 * them has a control character. */
bool ledger_path(char path[LEDGER_PATH_SIZE], ...) __attribute__((sentinel));

struct ledger_entry *ledger_find(const struct ledger *l, const char *path);
/* In order; NULL: the first. */
struct ledger_entry *ledger_next(const struct ledger *l,
				 const struct ledger_entry *after);
/* Is it at `path`, or below it? */
bool ledger_is_below(const struct ledger_entry *e, const char *path);

/*
 * Changes are first put together, then written: ledger_commit() has all of them
 * on disk and in force, or, after an error, none.  An entry that is set again
 * keeps its place.  `params` is taken.  What ran out of memory or of entries
 * while changes were put together is reported by ledger_commit().
 */
void ledger_set(struct ledger *l, const char *section, const char *path,
		const char *method, json_t *params);
void ledger_drop(struct ledger *l, struct ledger_entry *e);
/* The entry at `path` and all below it. */
void ledger_drop_below(struct ledger *l, const char *path);
int ledger_commit(struct ledger *l);

#endif
