/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a metering period: the difference of two looks at a file
 * system's counters. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "control/metric.h"
#include "engine/engine.h"

/* Operations, of which only sum and number are known. */
static void set_bytes(struct metric_row *row, enum metric_id id, double bytes,
		      double operations)
{
	double each = operations ? bytes / operations : 0;

	row->points[id] =
		(struct metric_point){ bytes, operations, each, each };
}

static void set_value(struct metric_row *row, enum metric_id id, double value)
{
	row->points[id] = (struct metric_point){ value, 1, value, value };
}

static void sample_operations(struct metric_row *row,
			      const struct nfs_server_stats *now,
			      const struct nfs_server_stats *then)
{
	double reads = now->reads - then->reads;
	double writes = now->writes - then->writes;
	double read = now->bytes_read - then->bytes_read;
	double written = now->bytes_written - then->bytes_written;
	double looks = now->metadata_reads - then->metadata_reads;
	double changes = now->metadata_writes - then->metadata_writes;
	double each = THROUGHPUT_OPERATION_MIN;
	double all = reads + writes + looks + changes;

	set_bytes(row, METRIC_READ, read, reads);
	set_bytes(row, METRIC_WRITE, written, writes);
	set_bytes(row, METRIC_METADATA, (looks + changes) * each,
		  looks + changes);
	set_bytes(row, METRIC_METADATA_READ, looks * each, looks);
	set_bytes(row, METRIC_METADATA_WRITE, changes * each, changes);
	set_bytes(row, METRIC_METERED, now->bytes_metered - then->bytes_metered,
		  all);
	set_bytes(row, METRIC_TOTAL, read + written + (looks + changes) * each,
		  all);
}

static void sample_limits(struct fs *fs, struct metric_row *row,
			  const struct nfs_server_stats *now,
			  const struct nfs_server_stats *then, double seconds)
{
	double reads = now->reads - then->reads + now->metadata_reads -
		       then->metadata_reads;
	double writes = now->writes - then->writes + now->metadata_writes -
			then->metadata_writes;
	double limit = fs->throughput.operations;

	if (limit > 0 && seconds > 0)
		set_value(row, METRIC_IO_LIMIT,
			  100 * (reads + writes * THROUGHPUT_WRITE_OPERATIONS) /
				  seconds / limit);
	if (fs->throughput.mode != THROUGHPUT_ELASTIC)
		set_value(row, METRIC_BURST_CREDITS, now->credits);
	if (now->permitted > 0)
		set_value(row, METRIC_PERMITTED, now->permitted);
}

void fs_sample(struct fs *fs, int64_t time, double seconds)
{
	struct metric_row row = { .time = time };
	struct nfs_server_stats now;
	struct engine_statfs st = {};
	int r;

	if (fs->server == NULL)
		return;
	nfs_server_get_stats(fs->server, &now);
	sample_operations(&row, &now, &fs->sampled);
	sample_limits(fs, &row, &now, &fs->sampled, seconds);
	set_value(&row, METRIC_CONNECTIONS, now.connections);
	if (engine_statfs(fs->engine, 0, &st) == 0) {
		nfs_server_set_stored(fs->server, st.used_bytes);
		set_value(&row, METRIC_STORED, st.used_bytes);
		set_value(&row, METRIC_STORED_STANDARD, st.used_bytes);
		set_value(&row, METRIC_STORED_IA, 0);
		set_value(&row, METRIC_STORED_ARCHIVE, 0);
	}
	fs->sampled = now;
	r = metric_write(fs->control, fs->id, &row,
			 fs->control->period / SEC(1));
	if (r < 0)
		log_error("%s: writing its metrics: %s", fs->id, strerror(-r));
}
