/* SPDX-License-Identifier: Apache-2.0 */
#include "control/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "control/internal.h"
#include "reactor/file.h"
#include "reactor/reactor.h"

const struct metric_info metric_info[METRICS] = {
	[METRIC_BURST_CREDITS] = { "BurstCreditBalance", "Bytes", NULL,
				   "Burst credits that are left." },
	[METRIC_CONNECTIONS] = { "ClientConnections", "Count", NULL,
				 "Connections of clients." },
	[METRIC_READ] = { "DataReadIOBytes", "Bytes", NULL, "Bytes read.",
			  true },
	[METRIC_WRITE] = { "DataWriteIOBytes", "Bytes", NULL, "Bytes written.",
			   true },
	[METRIC_METADATA] = { "MetadataIOBytes", "Bytes", NULL,
			      "Bytes of operations on metadata.", true },
	[METRIC_METADATA_READ] = { "MetadataReadIOBytes", "Bytes", NULL,
				   "Those that read.", true },
	[METRIC_METADATA_WRITE] = { "MetadataWriteIOBytes", "Bytes", NULL,
				    "Those that change something.", true },
	[METRIC_METERED] = { "MeteredIOBytes", "Bytes", NULL,
			     "Bytes that count against the throughput.", true },
	[METRIC_TOTAL] = { "TotalIOBytes", "Bytes", NULL,
			   "Bytes of all operations.", true },
	[METRIC_IO_LIMIT] = { "PercentIOLimit", "Percent", NULL,
			      "How much of the operations that generalPurpose "
			      "permits." },
	[METRIC_PERMITTED] = { "PermittedThroughput", "Bytes/Second", NULL,
			       "Metered bytes a second that are permitted." },
	[METRIC_STORED] = { "StorageBytes", "Bytes", "Total", "Bytes stored." },
	[METRIC_STORED_STANDARD] = { "StorageBytes", "Bytes", "Standard",
				     "Bytes stored." },
	[METRIC_STORED_IA] = { "StorageBytes", "Bytes", "IA", "Bytes stored." },
	[METRIC_STORED_ARCHIVE] = { "StorageBytes", "Bytes", "Archive",
				    "Bytes stored." },
};

/* The rings of a file, one behind the other. */
static const struct ring {
	unsigned seconds, rows;
} rings[] = { { 1, 3600 }, { 60, 1440 }, { 300, 4320 }, { 3600, 10920 } };

static uint64_t ring_offset(unsigned ring, int64_t time)
{
	uint64_t rows = 0;

	for (unsigned i = 0; i < ring; i++)
		rows += rings[i].rows;
	rows += time / rings[ring].seconds % rings[ring].rows;
	return rows * sizeof(struct metric_row);
}

static int open_file(struct control *c, const char *fs, int flags,
		     struct file **f)
{
	char path[FS_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/metrics/%s", c->directory, fs);
	return file_open(path, flags, 0600, f);
}

static uint64_t row_check(const struct metric_row *row)
{
	const uint64_t *word = (const uint64_t *)row;
	uint64_t sum = sizeof(*row);

	for (; word < &row->check; word++)
		sum = hash_u64(sum ^ *word);
	return sum;
}

static bool read_row(struct file *f, uint64_t offset, struct metric_row *row)
{
	return file_pread(f, row, sizeof(*row), offset) == sizeof(*row) &&
	       row->check == row_check(row);
}

void metric_merge(struct metric_point *to, const struct metric_point *from)
{
	if (from->count == 0)
		return;
	to->min = to->count ? MIN(to->min, from->min) : from->min;
	to->max = to->count ? MAX(to->max, from->max) : from->max;
	to->sum += from->sum;
	to->count += from->count;
}

/* ------------------------------------------------------------------ write */

static int write_ring(struct file *f, unsigned ring,
		      const struct metric_row *row)
{
	struct metric_row all;
	int64_t time = row->time - row->time % rings[ring].seconds;
	uint64_t offset = ring_offset(ring, time);

	if (!read_row(f, offset, &all) || all.time != time) {
		memset(&all, 0, sizeof(all));
		all.time = time;
	}
	for (int i = 0; i < METRICS; i++)
		metric_merge(&all.points[i], &row->points[i]);
	all.check = row_check(&all);
	return file_pwrite(f, &all, sizeof(all), offset);
}

int metric_write(struct control *c, const char *fs, struct metric_row *row,
		 unsigned period)
{
	struct file *f;
	int r = open_file(c, fs, O_RDWR | O_CREAT, &f);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < ARRAY_SIZE(rings) && r == 0; i++)
		if (i > 0 || period < 60)
			r = write_ring(f, i, row);
	file_close(f);
	return r;
}

void metric_forget(struct control *c, const char *fs)
{
	char path[FS_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/metrics/%s", c->directory, fs);
	file_unlink(path);
}

/* ------------------------------------------------------------------- read */

/* The finest one that goes back so far, of those the period can be made of. */
static int find_ring(unsigned period, int64_t start, int64_t now)
{
	int best = -1;

	for (unsigned i = 0; i < ARRAY_SIZE(rings); i++) {
		if (period % rings[i].seconds != 0 ||
		    (i == 0 && period % 60 == 0))
			continue;
		best = i;
		if (start >= now - (int64_t)rings[i].seconds * rings[i].rows)
			break;
	}
	return best;
}

int metric_read(struct control *c, const char *fs, enum metric_id id,
		int64_t start, unsigned period, unsigned n,
		struct metric_point *points, bool *there)
{
	int64_t now = reactor_realtime() / SEC(1), time, end, oldest;
	int ring = find_ring(period, start, now);
	struct metric_row row;
	struct file *f;

	memset(points, 0, n * sizeof(*points));
	memset(there, 0, n * sizeof(*there));
	if (ring < 0)
		return -EINVAL;
	if (open_file(c, fs, O_RDONLY, &f) < 0)
		return 0; /* nothing yet */
	oldest = now - (int64_t)rings[ring].seconds * rings[ring].rows;
	end = MIN(start + (int64_t)n * period, now);
	time = MAX(start, oldest);
	for (time -= time % rings[ring].seconds; time < end;
	     time += rings[ring].seconds) {
		unsigned i = MAX(time - start, (int64_t)0) / period;

		if (!read_row(f, ring_offset(ring, time), &row) ||
		    row.time != time)
			continue;
		if (!metric_info[id].is_count && row.points[id].count == 0)
			continue;
		there[i] = true;
		metric_merge(&points[i], &row.points[id]);
	}
	file_close(f);
	return 0;
}

bool metric_last(struct control *c, const char *fs, struct metric_row *row)
{
	int64_t now = reactor_realtime() / SEC(1);
	struct file *f;
	bool found = false;

	if (open_file(c, fs, O_RDONLY, &f) < 0)
		return false;
	for (int64_t time = now - now % 60; !found && time > now - 180;
	     time -= 60)
		found = read_row(f, ring_offset(1, time), row) &&
			row->time == time;
	file_close(f);
	return found;
}
