/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: what a file system did, period by period, as CloudWatch's namespace
 * AWS/EFS names it.  Kept in DIR/metrics/FS-ID, a file of rings of fixed size:
 *
 *	a row each	how many	how far back
 *	second		3600		an hour; only if metering is faster than
 *					a minute
 *	minute		1440		a day
 *	5 minutes	4320		15 days
 *	hour		10920		455 days
 *
 * A row holds all metrics of its time.  What is older is overwritten; after a
 * crash of the host the last rows may be missing.  Calls are made from tasks of
 * the control's reactor, and may park.
 */
#ifndef CONTROL_METRIC_H
#define CONTROL_METRIC_H

#include "control/control.h"

enum metric_id {
	METRIC_BURST_CREDITS,
	METRIC_CONNECTIONS,
	METRIC_READ,
	METRIC_WRITE,
	METRIC_METADATA,
	METRIC_METADATA_READ,
	METRIC_METADATA_WRITE,
	METRIC_METERED,
	METRIC_TOTAL,
	METRIC_IO_LIMIT,
	METRIC_PERMITTED,
	METRIC_STORED,
	METRIC_STORED_STANDARD,
	METRIC_STORED_IA,
	METRIC_STORED_ARCHIVE,
	METRICS,
};

struct metric_info {
	const char *name, *unit;
	const char *storage_class; /* NULL: not by class */
	const char *help;
	bool is_count; /* nothing happened is a point, too */
};
extern const struct metric_info metric_info[METRICS];

/* Of some time.  count 0: of what counts, nothing happened; else there is no
 * value. */
struct metric_point {
	double sum, count, min, max;
};

struct metric_row {
	int64_t time; /* seconds since 1970: where its time begins */
	struct metric_point points[METRICS];
	uint64_t check;
};

void metric_merge(struct metric_point *to, const struct metric_point *from);

/* Adds a row to all rings; its time is that of a metering period. */
int metric_write(struct control *c, const char *fs, struct metric_row *row,
		 unsigned period);
void metric_forget(struct control *c, const char *fs);

/*
 * One metric in pieces of `period` seconds, from `start` on: points[i], of the
 * period that begins at start + i * period, `there[i]`.  -EINVAL: no ring has
 * rows of that period.
 */
enum { METRIC_POINTS_MAX = 1440 };
int metric_read(struct control *c, const char *fs, enum metric_id id,
		int64_t start, unsigned period, unsigned n,
		struct metric_point *points, bool *there);

/* The last row; false: there is none yet. */
bool metric_last(struct control *c, const char *fs, struct metric_row *row);

#endif
