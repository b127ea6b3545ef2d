/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers, for people or as one JSON object.  Rates are per second of the
 * measured time, which ends with the last reply.
 */
#include <stdio.h>

#include "perf/internal.h"

static double seconds(const struct load *l)
{
	return (double)(l->end - l->start) / 1e9;
}

static double ms(nsec t)
{
	return (double)t / 1e6;
}

static void as_json(const struct load *l)
{
	const struct settings *s = l->s;
	const struct hist *h = &l->latency;
	double t = seconds(l);

	printf("{\"workload\": \"%s\", \"block\": %zu, \"depth\": %u, "
	       "\"clients\": %u, \"seconds\": %.3f, \"ops\": %llu, "
	       "\"ops_per_second\": %.1f, \"bytes\": %llu, "
	       "\"mib_per_second\": %.2f, \"items\": %llu, \"failed\": %llu, "
	       "\"verified\": %s, ",
	       s->workload->name, s->block, s->depth, s->clients, t,
	       (unsigned long long)h->count, h->count / t,
	       (unsigned long long)l->bytes, l->bytes / t / MIB(1),
	       (unsigned long long)l->items, (unsigned long long)l->failed,
	       s->verify ? "true" : "false");
	printf("\"latency_ms\": {\"mean\": %.4f, \"p50\": %.4f, \"p99\": %.4f, "
	       "\"max\": %.4f}}\n",
	       h->count ? ms(h->sum / (nsec)h->count) : 0,
	       ms(hist_percentile(h, 50)), ms(hist_percentile(h, 99)),
	       ms(h->count ? h->max : 0));
}

static void as_text(const struct load *l)
{
	const struct settings *s = l->s;
	const struct hist *h = &l->latency;
	double t = seconds(l);

	printf("%s:", s->workload->name);
	if (s->block != 0)
		printf(" %zu bytes,", s->block);
	printf(" depth %u, clients %u: %llu operations in %.2f s%s\n", s->depth,
	       s->clients, (unsigned long long)h->count, t,
	       s->verify ? ", contents verified" : "");
	printf("  %.0f operations/s", h->count / t);
	if (l->bytes != 0)
		printf(", %.1f MiB/s", l->bytes / t / MIB(1));
	if (l->items != 0)
		printf(", %.0f entries/s", l->items / t);
	if (h->count != 0)
		printf("\n  latency: mean %.3f ms, p50 %.3f ms, p99 %.3f ms, "
		       "max %.3f ms",
		       ms(h->sum / (nsec)h->count), ms(hist_percentile(h, 50)),
		       ms(hist_percentile(h, 99)), ms(h->max));
	printf("\n");
}

void perf_report(const struct load *l)
{
	if (l->s->json)
		as_json(l);
	else
		as_text(l);
}
