/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: which there are, and what they were. */
#include <errno.h>
#include <string.h>

#include "api/cw.h"
#include "base/clock.h"
#include "base/util.h"
#include "control/alarm.h"
#include "control/metric.h"

static const char efs[] = "AWS/EFS";
enum { LIST_PAGE = 500, DATA_MAX = 100800 };

static struct control *control(const struct api_call *call)
{
	return call->server->options.control;
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

/* -------------------------------------------------------------------- list */

static json_t *describe(const char *fs, const struct metric_info *m)
{
	json_t *dimensions =
		json_pack("[{s:s, s:s}]", "Name", "FileSystemId", "Value", fs);

	if (m->storage_class != NULL)
		json_array_append_new(dimensions,
				      json_pack("{s:s, s:s}", "Name",
						"StorageClass", "Value",
						m->storage_class));
	return json_pack("{s:s, s:s, s:o}", "Namespace", efs, "MetricName",
			 m->name, "Dimensions", dimensions);
}

/* Does it have all that the filters name? */
static bool fits(const struct api_call *call, const json_t *metric)
{
	const json_t *filters = api_value(call, "Dimensions");
	const char *name = api_string(call, "MetricName");

	if (name != NULL && strcmp(name, text(metric, "MetricName")) != 0)
		return false;
	for (size_t i = 0; i < json_array_size(filters); i++) {
		const json_t *f = json_array_get(filters, i);
		const char *is = metric_dimension(
			json_object_get(metric, "Dimensions"), text(f, "Name"));
		const char *want =
			json_string_value(json_object_get(f, "Value"));

		if (is == NULL || (want != NULL && strcmp(is, want) != 0))
			return false;
	}
	return true;
}

int cw_list_metrics(struct api_call *call)
{
	const char *namespace = api_string(call, "Namespace");
	struct control_fs *all = NULL;
	struct cw_page page;
	json_t *one;
	int n = 0, r = cw_page_begin(call, LIST_PAGE, &page);

	if (r == 0 && (namespace == NULL || strcmp(namespace, efs) == 0))
		n = control_fs_list(control(call), NULL, &all, &call->error);
	if (r < 0 || n < 0) {
		json_decref(page.items);
		return MIN(r, n);
	}
	for (int i = 0; i < n; i++)
		for (int m = 0; m < METRICS; m++) {
			one = describe(all[i].id, &metric_info[m]);
			if (fits(call, one) && cw_page_wants(&page))
				json_array_append(page.items, one);
			json_decref(one);
		}
	free(all);
	return cw_page_end(call, &page, "Metrics");
}

/* -------------------------------------------------------------------- read */

/* A question after one metric, and its answer. */
struct series {
	int64_t start;
	unsigned period, n;
	const struct metric_info *info;
	struct metric_point *points;
	bool *there;
};

static void series_fini(struct series *s)
{
	free(s->points);
	free(s->there);
}

/* Which periods: those that begin in [StartTime, EndTime). */
static int set_times(struct api_call *call, struct series *s, unsigned period,
		     unsigned max)
{
	double start = json_number_value(api_value(call, "StartTime"));
	double end = json_number_value(api_value(call, "EndTime"));

	if (!metric_period_is_valid(period))
		return api_refuse(call, "InvalidParameterValue",
				  "The parameter Period must be 1, 5, 10, 20, "
				  "30 or a multiple of 60.");
	if (start < 0 || start >= end || end > 1e11)
		return api_refuse(call, "InvalidParameterValue",
				  "The parameter StartTime must be less than "
				  "the parameter EndTime.");
	s->period = period;
	s->start = (int64_t)start - (int64_t)start % period;
	if ((end - (double)s->start) / period > max)
		return api_refuse(call, "InvalidParameterCombination",
				  "You have requested up to %.0f datapoints, "
				  "which exceeds the limit of %u. You may "
				  "reduce the datapoints requested by "
				  "increasing Period, or decreasing the time "
				  "range.",
				  (end - (double)s->start) / period, max);
	s->n = (unsigned)((end - (double)s->start + period - 1) / period);
	return 0;
}

/* Of a metric that is not there nothing is read. */
static int read_series(struct api_call *call, struct series *s,
		       const char *namespace, const char *name,
		       const json_t *dimensions)
{
	int id = metric_find(name, dimensions);
	const char *fs = metric_dimension(dimensions, "FileSystemId");

	s->points = calloc(s->n, sizeof(*s->points));
	s->there = calloc(s->n, sizeof(*s->there));
	if (s->points == NULL || s->there == NULL)
		return -ENOMEM;
	/* The id becomes part of a path. */
	if (strcmp(namespace, efs) != 0 || id < 0 || fs == NULL ||
	    strncmp(fs, "fs-", 3) != 0 || strchr(fs, '/') != NULL ||
	    strlen(fs) >= CONTROL_ID_SIZE)
		return 0;
	s->info = &metric_info[id];
	metric_read(control(call), fs, id, s->start, s->period, s->n, s->points,
		    s->there);
	return 0;
}

static json_t *datapoint(const struct api_call *call, const struct series *s,
			 unsigned i, const json_t *statistics)
{
	json_t *p = json_pack("{s:o, s:s}", "Timestamp",
			      cw_time(call,
				      (double)s->start + (double)i * s->period),
			      "Unit", s->info->unit);
	double value;

	for (size_t n = 0; n < json_array_size(statistics); n++) {
		const char *name =
			json_string_value(json_array_get(statistics, n));

		if (metric_statistic(name, &s->points[i], &value))
			json_object_set_new(p, name, json_real(value));
	}
	return p;
}

int cw_get_metric_statistics(struct api_call *call)
{
	const json_t *statistics = api_value(call, "Statistics");
	const char *unit = api_string(call, "Unit");
	json_t *points = json_array();
	struct series s = {};
	int r;

	if (statistics == NULL)
		r = api_refuse(call, "MissingParameter",
			       "Statistics is needed.");
	else
		r = set_times(call, &s, api_integer(call, "Period", 60),
			      METRIC_POINTS_MAX);
	if (r == 0)
		r = read_series(call, &s, api_string(call, "Namespace"),
				api_string(call, "MetricName"),
				api_value(call, "Dimensions"));
	for (unsigned i = 0; i < s.n && r == 0; i++)
		if (s.there[i] &&
		    (unit == NULL || strcmp(unit, s.info->unit) == 0))
			json_array_append_new(points, datapoint(call, &s, i,
								statistics));
	series_fini(&s);
	if (r < 0) {
		json_decref(points);
		return r;
	}
	call->output =
		json_pack("{s:s, s:o}", "Label", api_string(call, "MetricName"),
			  "Datapoints", points);
	return 0;
}

static json_t *result(const struct api_call *call, const json_t *query,
		      const struct series *s)
{
	const json_t *stat = json_object_get(query, "MetricStat");
	const char *scan = api_string(call, "ScanBy");
	const char *label = json_string_value(json_object_get(query, "Label"));
	bool up = scan != NULL && strcmp(scan, "TimestampAscending") == 0;
	json_t *times = json_array(), *values = json_array();
	double value;

	for (unsigned n = 0; n < s->n; n++) {
		unsigned i = up ? n : s->n - 1 - n;

		if (!s->there[i] || !metric_statistic(text(stat, "Stat"),
						      &s->points[i], &value))
			continue;
		json_array_append_new(
			times, cw_time(call, (double)s->start +
						     (double)i * s->period));
		json_array_append_new(values, json_real(value));
	}
	if (label == NULL)
		label = text(json_object_get(stat, "Metric"), "MetricName");
	return json_pack("{s:s, s:s, s:o, s:o, s:s}", "Id", text(query, "Id"),
			 "Label", label, "Timestamps", times, "Values", values,
			 "StatusCode", "Complete");
}

static int answer(struct api_call *call, const json_t *query, unsigned max,
		  json_t *results)
{
	const json_t *stat = json_object_get(query, "MetricStat");
	const json_t *metric = json_object_get(stat, "Metric");
	struct series s = {};
	int r;

	if (stat == NULL)
		return api_refuse(call, "ValidationError",
				  "Query %.64s: only MetricStat is supported, "
				  "no Expression.",
				  text(query, "Id"));
	r = set_times(call, &s,
		      json_integer_value(json_object_get(stat, "Period")), max);
	if (r == 0)
		r = read_series(call, &s, text(metric, "Namespace"),
				text(metric, "MetricName"),
				json_object_get(metric, "Dimensions"));
	if (r == 0 && !json_is_false(json_object_get(query, "ReturnData")))
		json_array_append_new(results, result(call, query, &s));
	series_fini(&s);
	return r;
}

int cw_get_metric_data(struct api_call *call)
{
	const json_t *queries = api_value(call, "MetricDataQueries");
	unsigned max = DATA_MAX / MAX(json_array_size(queries), (size_t)1);
	json_t *results = json_array();
	int r = 0;

	for (size_t i = 0; i < json_array_size(queries) && r == 0; i++)
		r = answer(call, json_array_get(queries, i), max, results);
	if (r < 0) {
		json_decref(results);
		return r;
	}
	call->output = json_pack("{s:o, s:[]}", "MetricDataResults", results,
				 "Messages");
	return 0;
}
