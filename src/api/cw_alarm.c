/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms: put, described, set, enabled, deleted. */
#include <errno.h>
#include <string.h>

#include "api/cw.h"
#include "control/alarm.h"

static struct control *control(const struct api_call *call)
{
	return call->server->options.control;
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

/* ---------------------------------------------------------------- describe */

static json_t *describe(const struct api_call *call, const json_t *alarm)
{
	static const char *const times[] = {
		"StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp"
	};
	json_t *out = json_copy((json_t *)alarm);

	json_object_del(out, "History");
	json_object_del(out, "Tags");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		json_object_set_new(out, times[i],
				    cw_time(call,
					    json_number_value(json_object_get(
						    alarm, times[i]))));
	return out;
}

static bool has_prefix(const char *value, const char *prefix)
{
	return prefix == NULL || strncmp(value, prefix, strlen(prefix)) == 0;
}

static bool is_in(const char *value, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), value) ==
		    0)
			return true;
	return list == NULL;
}

static bool has_action(const json_t *alarm, const char *prefix)
{
	static const char *const kinds[] = { "OKActions", "AlarmActions",
					     "InsufficientDataActions" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const json_t *list = json_object_get(alarm, kinds[i]);

		for (size_t n = 0; n < json_array_size(list); n++)
			if (has_prefix(
				    json_string_value(json_array_get(list, n)),
				    prefix))
				return true;
	}
	return prefix == NULL;
}

/* Sorted by name, as CloudWatch does. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef bool filter_fn(const struct api_call *call, const char *name,
		       const json_t *alarm);

static int answer_page(struct api_call *call, filter_fn *fits, size_t size)
{
	const json_t *all = alarms(control(call));
	const char **names = calloc(json_object_size(all) + 1, sizeof(*names));
	struct cw_page page;
	const char *name;
	json_t *alarm;
	size_t n = 0;
	int r = names ? cw_page_begin(call, size, &page) : -ENOMEM;

	if (r == 0)
		json_object_foreach((json_t *)all, name, alarm)
			if (fits(call, name, alarm))
				names[n++] = name;
	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		if (cw_page_wants(&page))
			json_array_append_new(
				page.items,
				describe(call, json_object_get(all, names[i])));
	free(names);
	return r < 0 ? r : cw_page_end(call, &page, "MetricAlarms");
}

static bool is_described(const struct api_call *call, const char *name,
			 const json_t *alarm)
{
	const char *state = api_string(call, "StateValue");

	return is_in(name, api_value(call, "AlarmNames")) &&
	       has_prefix(name, api_string(call, "AlarmNamePrefix")) &&
	       (state == NULL ||
		strcmp(state, text(alarm, "StateValue")) == 0) &&
	       has_action(alarm, api_string(call, "ActionPrefix"));
}

int cw_describe_alarms(struct api_call *call)
{
	return answer_page(call, is_described,
			   api_integer(call, "MaxRecords", 50));
}

/* The same dimensions, in whatever order. */
static bool same_dimensions(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *d = json_array_get(a, i);
		const char *other = metric_dimension(b, text(d, "Name"));

		if (other == NULL || strcmp(other, text(d, "Value")) != 0)
			return false;
	}
	return true;
}

static bool is_of_metric(const struct api_call *call, const char *name,
			 const json_t *alarm)
{
	static const char *const same[] = { "MetricName", "Namespace",
					    "Statistic", "Period", "Unit" };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (api_value(call, same[i]) != NULL &&
		    !json_equal(api_value(call, same[i]),
				json_object_get(alarm, same[i])))
			return false;
	return same_dimensions(api_value(call, "Dimensions"),
			       json_object_get(alarm, "Dimensions"));
}

int cw_describe_alarms_for_metric(struct api_call *call)
{
	return answer_page(call, is_of_metric, ALARMS_MAX);
}

/* ----------------------------------------------------------------- history */

static bool is_wanted(const struct api_call *call, const json_t *item)
{
	const char *type = api_string(call, "HistoryItemType");
	double at = json_number_value(json_object_get(item, "Timestamp"));
	const json_t *start = api_value(call, "StartDate");
	const json_t *end = api_value(call, "EndDate");

	return (type == NULL ||
		strcmp(type, text(item, "HistoryItemType")) == 0) &&
	       (start == NULL || at >= json_number_value(start)) &&
	       (end == NULL || at <= json_number_value(end));
}

static json_t *describe_item(const struct api_call *call, const char *name,
			     const json_t *item)
{
	json_t *out = json_copy((json_t *)item);
	double at = json_number_value(json_object_get(item, "Timestamp"));

	json_object_set_new(out, "AlarmName", json_string(name));
	json_object_set_new(out, "AlarmType", json_string("MetricAlarm"));
	json_object_set_new(out, "HistoryData", json_string("{}"));
	json_object_set_new(out, "Timestamp", cw_time(call, at));
	return out;
}

static void add_history(const struct api_call *call, const char *name,
			const json_t *alarm, struct cw_page *page)
{
	const json_t *history = json_object_get(alarm, "History");
	const char *scan = api_string(call, "ScanBy");
	bool up = scan != NULL && strcmp(scan, "TimestampAscending") == 0;
	size_t n = json_array_size(history);

	for (size_t i = 0; i < n; i++) {
		const json_t *item =
			json_array_get(history, up ? n - 1 - i : i);

		if (is_wanted(call, item) && cw_page_wants(page))
			json_array_append_new(page->items,
					      describe_item(call, name, item));
	}
}

int cw_describe_alarm_history(struct api_call *call)
{
	const char *wanted = api_string(call, "AlarmName"), *name;
	struct cw_page page;
	json_t *alarm;
	int r = cw_page_begin(call, api_integer(call, "MaxRecords", 100),
			      &page);

	if (r < 0)
		return r;
	json_object_foreach((json_t *)alarms(control(call)), name, alarm)
		if (wanted == NULL || strcmp(wanted, name) == 0)
			add_history(call, name, alarm, &page);
	return cw_page_end(call, &page, "AlarmHistoryItems");
}

/* --------------------------------------------------------------------- put */

static int check_alarm(struct api_call *call)
{
	static const char *const needed[] = { "MetricName", "Namespace",
					      "Statistic", "Period",
					      "Threshold" };
	json_int_t periods = api_integer(call, "EvaluationPeriods", 1);

	if (api_value(call, "Metrics") != NULL ||
	    api_value(call, "ExtendedStatistic") != NULL)
		return api_refuse(call, "ValidationError",
				  "Metrics and ExtendedStatistic are not "
				  "supported: use MetricName and Statistic.");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (api_value(call, needed[i]) == NULL)
			return api_refuse(call, "ValidationError",
					  "%s is needed.", needed[i]);
	if (!metric_period_is_valid(api_integer(call, "Period", 0)))
		return api_refuse(call, "ValidationError",
				  "Period must be 1, 5, 10, 20, 30 or a "
				  "multiple of 60.");
	if (periods * api_integer(call, "Period", 0) > ALARM_SECONDS_MAX ||
	    periods > 1440)
		return api_refuse(call, "ValidationError",
				  "Metrics can't be checked across more than "
				  "a day (EvaluationPeriods * Period must be "
				  "<= 86400), or 1440 periods.");
	if (api_integer(call, "DatapointsToAlarm", 1) > periods)
		return api_refuse(call, "ValidationError",
				  "DatapointsToAlarm must be no more than "
				  "EvaluationPeriods.");
	if (strlen(api_string(call, "AlarmName")) > ALARM_NAME_MAX)
		return api_refuse(call, "ValidationError",
				  "AlarmName has up to %d bytes.",
				  ALARM_NAME_MAX);
	return 0;
}

int cw_put_metric_alarm(struct api_call *call)
{
	static const char *const names[] = {
		"AlarmName",
		"AlarmDescription",
		"ActionsEnabled",
		"OKActions",
		"AlarmActions",
		"InsufficientDataActions",
		"MetricName",
		"Namespace",
		"Statistic",
		"Dimensions",
		"Period",
		"Unit",
		"EvaluationPeriods",
		"DatapointsToAlarm",
		"Threshold",
		"ComparisonOperator",
		"TreatMissingData",
		"Tags",
	};
	const char *name = api_string(call, "AlarmName");
	json_t *alarm;
	int r = check_alarm(call);

	if (r < 0)
		return r;
	alarm = json_pack("{s:b, s:[], s:[], s:[], s:[]}", "ActionsEnabled", 1,
			  "OKActions", "AlarmActions",
			  "InsufficientDataActions", "Dimensions");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (api_value(call, names[i]) != NULL)
			json_object_set(alarm, names[i],
					api_value(call, names[i]));
	json_object_set_new(alarm, "AlarmArn",
			    json_sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s",
					 api_region(call), api_account(call),
					 name));
	return alarm_put(control(call), name, alarm, &call->error);
}

/* ------------------------------------------------------------------ change */

int cw_delete_alarms(struct api_call *call)
{
	const json_t *names = api_value(call, "AlarmNames");
	int r = 0;

	/* All of them or none. */
	for (size_t i = 0; i < json_array_size(names); i++)
		if (json_object_get(alarms(control(call)),
				    json_string_value(
					    json_array_get(names, i))) == NULL)
			return api_refuse(
				call, "ResourceNotFound",
				"Alarm not found: %.255s.",
				json_string_value(json_array_get(names, i)));
	for (size_t i = 0; i < json_array_size(names) && r == 0; i++)
		r = alarm_delete(control(call),
				 json_string_value(json_array_get(names, i)),
				 &call->error);
	return r;
}

int cw_set_alarm_state(struct api_call *call)
{
	return alarm_set_state(control(call), api_string(call, "AlarmName"),
			       api_string(call, "StateValue"),
			       api_string(call, "StateReason"),
			       api_string(call, "StateReasonData"),
			       &call->error);
}

static int set_enabled(struct api_call *call, bool enabled)
{
	const json_t *names = api_value(call, "AlarmNames");
	int r = 0;

	for (size_t i = 0; i < json_array_size(names) && r == 0; i++)
		r = alarm_set_actions_enabled(
			control(call),
			json_string_value(json_array_get(names, i)), enabled,
			&call->error);
	return r;
}

int cw_enable_alarm_actions(struct api_call *call)
{
	return set_enabled(call, true);
}

int cw_disable_alarm_actions(struct api_call *call)
{
	return set_enabled(call, false);
}
