/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of hawser perf nvme.  JSON has bdevperf's members, and ours
 * behind them.  A latency is that of an I/O (verify: a write and the read of
 * it); for a path it is that of each request it carried.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "perf/nvme.h"
#include "reactor/reactor.h"
#include "rpc/address.h"

static double us(nsec t)
{
	return (double)t / USEC(1);
}

static double mean_us(const struct hist *h)
{
	return h->count > 0 ? us(h->sum) / (double)h->count : 0;
}

static double seconds(const struct nvme_lane *lane)
{
	nsec t = lane->finished - lane->begun;

	return t > 0 ? (double)t / SEC(1) : 1;
}

static double mib(double bytes)
{
	return bytes / MIB(1);
}

/* ----------------------------------------------------------- while it runs */

static unsigned long long done_by_now(const struct nvme_run *r)
{
	unsigned long long n = 0;

	for (unsigned i = 0; i < r->count; i++)
		n += atomic_load_explicit(&r->lanes[i]->done,
					  memory_order_relaxed);
	return n;
}

void nvme_report_progress(struct nvme_run *r)
{
	nsec last = reactor_now(), due = last + r->period, now;
	unsigned long long before = 0, n;
	bool terminal = isatty(STDERR_FILENO); /* one line, again and again */

	while (!r->ended) {
		waitq_wait(&r->changed, due);
		now = reactor_now();
		if (r->ended || now < due)
			continue;
		n = done_by_now(r);
		fprintf(stderr, "%s%5.0f s  %12.2f IOPS  %10.2f MiB/s%s",
			terminal ? "\r" : "", (double)(now - r->begun) / SEC(1),
			(double)(n - before) * SEC(1) / (double)(now - last),
			mib((double)(n - before) * r->s.io_size * SEC(1) /
			    (double)(now - last)),
			terminal ? " " : "\n");
		fflush(stderr);
		before = n;
		last = now;
		due = now + r->period;
	}
	if (terminal)
		fputc('\n', stderr);
}

/* ------------------------------------------------------------------- table */

static void print_row(const char *name, double t, const struct hist *h,
		      double bytes, unsigned long long failed)
{
	printf("%-30s %8.2f %12.2f %10.2f %8llu %10.2f %10.2f %10.2f %10.2f "
	       "%10.2f\n",
	       name, t, (double)h->count / t, mib(bytes / t), failed,
	       mean_us(h), us(hist_percentile(h, 50)),
	       us(hist_percentile(h, 99)), us(hist_percentile(h, 99.9)),
	       h->count > 0 ? us(h->max) : 0);
}

static void print_lane(const struct nvme_lane *lane)
{
	char name[ADDR_TEXT_MAX], label[ADDR_TEXT_MAX + 8];
	double t = seconds(lane);

	print_row(lane->name, t, &lane->latency, (double)lane->bytes,
		  lane->failed);
	for (int i = 0; i < LANE_PATHS; i++) {
		const struct lane_path *p = &lane->paths[i];

		if (!p->used)
			continue;
		snprintf(label, sizeof(label), "  %s",
			 p->addr.len != 0 ? addr_format(&p->addr, name)
					  : "(detached)");
		print_row(label, t, &p->latency, (double)p->bytes, 0);
	}
	if (lane->latency.count > 0)
		printf("  longest time without any completion: %.2f ms\n",
		       us(lane->longest_gap) / 1000);
	if (lane->text[0] != '\0')
		printf("  failed: %s\n", lane->text);
}

void nvme_report_text(const struct nvme_run *r)
{
	struct hist all;
	double t = 0, bytes = 0;
	unsigned long long failed = 0;

	printf("%s, %u bytes, depth %u\n", r->s.workload->name, r->s.io_size,
	       r->s.depth);
	printf("%-30s %8s %12s %10s %8s %10s %10s %10s %10s %10s\n",
	       "volume, its paths", "seconds", "IOPS", "MiB/s", "failed",
	       "mean us", "p50", "p99", "p99.9", "max");
	hist_init(&all);
	for (unsigned i = 0; i < r->count; i++) {
		const struct nvme_lane *lane = r->lanes[i];

		print_lane(lane);
		hist_merge(&all, &lane->latency);
		t = MAX(t, seconds(lane));
		bytes += (double)lane->bytes;
		failed += lane->failed;
	}
	if (r->count > 1)
		print_row("total", t, &all, bytes, failed);
	fflush(stdout);
}

/* -------------------------------------------------------------------- JSON */

static void add_latency(json_t *out, const struct hist *h)
{
	static const struct {
		const char *name;
		double percent;
	} percentiles[] = { { "p50_latency_us", 50 },
			    { "p90_latency_us", 90 },
			    { "p99_latency_us", 99 },
			    { "p99_9_latency_us", 99.9 } };

	json_object_set_new(out, "avg_latency_us", json_real(mean_us(h)));
	json_object_set_new(out, "min_latency_us",
			    json_real(h->count > 0 ? us(h->min) : 0));
	json_object_set_new(out, "max_latency_us",
			    json_real(h->count > 0 ? us(h->max) : 0));
	for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
		json_object_set_new(out, percentiles[i].name,
				    json_real(us(hist_percentile(
					    h, percentiles[i].percent))));
}

static json_t *describe_paths(const struct nvme_lane *lane)
{
	json_t *list = json_array();
	double t = seconds(lane);

	for (int i = 0; i < LANE_PATHS; i++) {
		const struct lane_path *p = &lane->paths[i];
		json_t *one;

		if (!p->used)
			continue;
		one = json_pack("{s:o, s:I, s:f, s:f}", "transport",
				p->addr.len != 0
					? nvmf_describe_address(&p->addr)
					: json_null(),
				"requests", (json_int_t)p->latency.count,
				"iops", (double)p->latency.count / t, "mibps",
				mib((double)p->bytes / t));
		add_latency(one, &p->latency);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *describe_lane(const struct nvme_run *r,
			     const struct nvme_lane *lane)
{
	double t = seconds(lane);
	char mask[24];
	json_t *out;

	snprintf(mask, sizeof(mask), "0x%llx", 1ULL << r->core[lane->reactor]);
	out = json_pack("{s:s, s:s, s:s, s:s}", "job", lane->name, "core_mask",
			mask, "workload", r->s.workload->name, "status",
			lane->failed > 0 && !r->s.go_on ? "failed"
							: "finished");
	if (r->s.workload->mixed)
		json_object_set_new(out, "percentage",
				    json_integer(r->s.read_percent));
	if (r->s.workload->verify && lane->block_size != 0)
		json_object_set_new(
			out, "verify_range",
			json_pack(
				"{s:I, s:I}", "start",
				(json_int_t)(lane->start / lane->block_size),
				"length",
				(json_int_t)(lane->length / lane->block_size)));
	json_object_set_new(out, "queue_depth", json_integer(r->s.depth));
	json_object_set_new(out, "io_size", json_integer(r->s.io_size));
	json_object_set_new(out, "runtime", json_real(t));
	json_object_set_new(out, "iops",
			    json_real((double)lane->latency.count / t));
	json_object_set_new(out, "mibps",
			    json_real(mib((double)lane->bytes / t)));
	json_object_set_new(out, "io_failed",
			    json_integer((json_int_t)lane->failed));
	json_object_set_new(out, "io_timeout", json_integer(0));
	add_latency(out, &lane->latency);
	json_object_set_new(out, "longest_gap_us",
			    json_real(us(lane->longest_gap)));
	json_object_set_new(out, "paths", describe_paths(lane));
	if (lane->text[0] != '\0')
		json_object_set_new(out, "error", json_string(lane->text));
	return out;
}

json_t *nvme_report_json(const struct nvme_run *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < r->count; i++)
		json_array_append_new(list, describe_lane(r, r->lanes[i]));
	return json_pack("{s:o, s:i}", "results", list, "core_count", r->cores);
}
