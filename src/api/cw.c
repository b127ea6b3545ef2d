/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of CloudWatch, and what their input looks like. */
#include "api/cw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/protocol.h"

/* ----------------------------------------------------------------- fields */

static const struct api_field text_items[] = { { "", API_STRING, .max = 1600 },
					       {} };
static const struct api_field name_items[] = {
	{ "", API_STRING, .min = 1, .max = 255 }, {}
};
static const struct api_field any_items[] = { { "", API_OBJECT }, {} };
static const struct api_field dimension[] = {
	{ "Name", API_STRING, .required = true, .min = 1, .max = 255 },
	{ "Value", API_STRING, .required = true, .min = 1, .max = 1024 },
	{},
};
static const struct api_field dimensions[] = {
	{ "", API_OBJECT, .fields = dimension }, {}
};
static const struct api_field dimension_filter[] = {
	{ "Name", API_STRING, .required = true, .min = 1, .max = 255 },
	{ "Value", API_STRING, .min = 1, .max = 1024 },
	{},
};
static const struct api_field dimension_filters[] = {
	{ "", API_OBJECT, .fields = dimension_filter }, {}
};
static const struct api_field tag[] = {
	{ "Key", API_STRING, .required = true, .min = 1, .max = 128 },
	{ "Value", API_STRING, .required = true, .max = 256 },
	{},
};
static const struct api_field tags[] = { { "", API_OBJECT, .fields = tag },
					 {} };

#define STATISTICS "SampleCount|Average|Sum|Minimum|Maximum"
#define STATES	   "OK|ALARM|INSUFFICIENT_DATA"

#define METRIC_NAME                                                            \
	{                                                                      \
		"MetricName", API_STRING, .required = true, .min = 1,          \
					  .max = 255                           \
	}
#define NAMESPACE                                                              \
	{                                                                      \
		"Namespace", API_STRING, .required = true, .min = 1,           \
					 .max = 255                            \
	}
#define ALARM_NAME                                                             \
	{                                                                      \
		"AlarmName", API_STRING, .required = true, .min = 1,           \
					 .max = 255                            \
	}
#define DIMENSIONS                                                             \
	{                                                                      \
		"Dimensions", API_LIST, .max = 30, .fields = dimensions        \
	}
#define NAMES(name_, required_)                                                \
	{                                                                      \
		name_, API_LIST, .required = required_, .max = 100,            \
				 .fields = name_items                          \
	}
#define NEXT_TOKEN                                                             \
	{                                                                      \
		"NextToken", API_STRING                                        \
	}

static const struct api_field alarm_names[] = { NAMES("AlarmNames", true), {} };

static const struct api_field describe_alarms[] = {
	NAMES("AlarmNames", false),
	{ "AlarmNamePrefix", API_STRING, .min = 1, .max = 255 },
	{ "StateValue", API_STRING, .values = STATES },
	{ "ActionPrefix", API_STRING, .min = 1, .max = 1024 },
	{ "MaxRecords", API_INTEGER, .min = 1, .max = 100 },
	NEXT_TOKEN,
	{},
};
static const struct api_field alarms_for_metric[] = {
	METRIC_NAME,
	NAMESPACE,
	DIMENSIONS,
	{ "Statistic", API_STRING, .values = STATISTICS },
	{ "Period", API_INTEGER, .min = 1, .max = 86400 },
	{ "Unit", API_STRING },
	{},
};
static const struct api_field alarm_history[] = {
	{ "AlarmName", API_STRING, .min = 1, .max = 255 },
	{ "HistoryItemType", API_STRING,
	  .values = "ConfigurationUpdate|StateUpdate|Action" },
	{ "StartDate", API_TIME },
	{ "EndDate", API_TIME },
	{ "MaxRecords", API_INTEGER, .min = 1, .max = 100 },
	{ "ScanBy", API_STRING,
	  .values = "TimestampDescending|TimestampAscending" },
	NEXT_TOKEN,
	{},
};
static const struct api_field put_metric_alarm[] = {
	ALARM_NAME,
	{ "AlarmDescription", API_STRING, .max = 1024 },
	{ "ActionsEnabled", API_BOOLEAN },
	{ "OKActions", API_LIST, .max = 5, .fields = text_items },
	{ "AlarmActions", API_LIST, .max = 5, .fields = text_items },
	{ "InsufficientDataActions", API_LIST, .max = 5, .fields = text_items },
	{ "MetricName", API_STRING, .min = 1, .max = 255 },
	{ "Namespace", API_STRING, .min = 1, .max = 255 },
	{ "Statistic", API_STRING, .values = STATISTICS },
	{ "ExtendedStatistic", API_STRING },
	DIMENSIONS,
	{ "Period", API_INTEGER, .min = 1, .max = 86400 },
	{ "Unit", API_STRING },
	{ "EvaluationPeriods", API_INTEGER, .required = true, .min = 1,
	  .max = 86400 },
	{ "DatapointsToAlarm", API_INTEGER, .min = 1, .max = 86400 },
	{ "Threshold", API_NUMBER },
	{ "ComparisonOperator", API_STRING, .required = true,
	  .values = "GreaterThanOrEqualToThreshold|GreaterThanThreshold|"
		    "LessThanThreshold|LessThanOrEqualToThreshold" },
	{ "TreatMissingData", API_STRING,
	  .values = "breaching|notBreaching|ignore|missing" },
	{ "Metrics", API_LIST, .fields = any_items },
	{ "Tags", API_LIST, .max = 50, .fields = tags },
	{},
};
static const struct api_field set_alarm_state[] = {
	ALARM_NAME,
	{ "StateValue", API_STRING, .required = true, .values = STATES },
	{ "StateReason", API_STRING, .required = true, .max = 1023 },
	{ "StateReasonData", API_STRING, .max = 4000 },
	{},
};
static const struct api_field statistic_items[] = {
	{ "", API_STRING, .values = STATISTICS }, {}
};
static const struct api_field get_metric_statistics[] = {
	METRIC_NAME,
	NAMESPACE,
	DIMENSIONS,
	{ "StartTime", API_TIME, .required = true },
	{ "EndTime", API_TIME, .required = true },
	{ "Period", API_INTEGER, .required = true, .min = 1, .max = 31536000 },
	{ "Statistics", API_LIST, .min = 1, .max = 5,
	  .fields = statistic_items },
	{ "Unit", API_STRING },
	{},
};
static const struct api_field metric[] = {
	METRIC_NAME,
	NAMESPACE,
	DIMENSIONS,
	{},
};
static const struct api_field metric_stat[] = {
	{ "Metric", API_OBJECT, .required = true, .fields = metric },
	{ "Period", API_INTEGER, .required = true, .min = 1, .max = 31536000 },
	{ "Stat", API_STRING, .required = true, .values = STATISTICS },
	{ "Unit", API_STRING },
	{},
};
static const struct api_field query[] = {
	{ "Id", API_STRING, .required = true, .min = 1, .max = 255 },
	{ "MetricStat", API_OBJECT, .fields = metric_stat },
	{ "Expression", API_STRING, .min = 1, .max = 2048 },
	{ "Label", API_STRING },
	{ "ReturnData", API_BOOLEAN },
	{},
};
static const struct api_field queries[] = { { "", API_OBJECT, .fields = query },
					    {} };
static const struct api_field get_metric_data[] = {
	{ "MetricDataQueries", API_LIST, .required = true, .min = 1, .max = 500,
	  .fields = queries },
	{ "StartTime", API_TIME, .required = true },
	{ "EndTime", API_TIME, .required = true },
	{ "ScanBy", API_STRING,
	  .values = "TimestampDescending|TimestampAscending" },
	{ "MaxDatapoints", API_INTEGER, .min = 1, .max = 100800 },
	NEXT_TOKEN,
	{},
};
static const struct api_field list_metrics[] = {
	{ "MetricName", API_STRING, .min = 1, .max = 255 },
	{ "Namespace", API_STRING, .min = 1, .max = 255 },
	{ "Dimensions", API_LIST, .max = 10, .fields = dimension_filters },
	NEXT_TOKEN,
	{},
};

#define RESOURCE_ARN                                                           \
	{                                                                      \
		"ResourceARN", API_STRING, .required = true, .min = 1,         \
					   .max = 1024                         \
	}
static const struct api_field list_tags[] = { RESOURCE_ARN, {} };
static const struct api_field tag_resource[] = {
	RESOURCE_ARN,
	{ "Tags", API_LIST, .required = true, .max = 50, .fields = tags },
	{},
};
static const struct api_field untag_resource[] = {
	RESOURCE_ARN,
	{ "TagKeys", API_LIST, .required = true, .max = 50,
	  .fields = name_items },
	{},
};

static const struct api_operation operations[] = {
	{ "DeleteAlarms", cw_delete_alarms, alarm_names },
	{ "DescribeAlarmHistory", cw_describe_alarm_history, alarm_history },
	{ "DescribeAlarms", cw_describe_alarms, describe_alarms },
	{ "DescribeAlarmsForMetric", cw_describe_alarms_for_metric,
	  alarms_for_metric },
	{ "DisableAlarmActions", cw_disable_alarm_actions, alarm_names },
	{ "EnableAlarmActions", cw_enable_alarm_actions, alarm_names },
	{ "GetMetricData", cw_get_metric_data, get_metric_data },
	{ "GetMetricStatistics", cw_get_metric_statistics,
	  get_metric_statistics },
	{ "ListMetrics", cw_list_metrics, list_metrics },
	{ "ListTagsForResource", cw_list_tags_for_resource, list_tags },
	{ "PutMetricAlarm", cw_put_metric_alarm, put_metric_alarm },
	{ "SetAlarmState", cw_set_alarm_state, set_alarm_state },
	{ "TagResource", cw_tag_resource, tag_resource },
	{ "UntagResource", cw_untag_resource, untag_resource },
	{},
};

static const struct api_error errors[] = { { "ResourceNotFound", 404 },
					   { "ResourceNotFoundException", 404 },
					   { "InternalServiceError", 500 },
					   {} };

static const struct api_service json = {
	.name = "monitoring",
	.prefix = "cloudwatch",
	.protocol = &api_json_10,
	.operations = operations,
	.errors = errors,
	.target = "GraniteServiceVersion20100801.",
};

const struct api_service api_cw = {
	.name = "monitoring",
	.prefix = "cloudwatch",
	.protocol = &api_query,
	.operations = operations,
	.errors = errors,
	.xmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/",
	.by_target = &json,
};

/* ----------------------------------------------------------------- common */

json_t *cw_time(const struct api_call *call, double seconds)
{
	time_t t = (time_t)seconds;
	char text[40], fraction[8];
	struct tm tm;

	if (call->service == &json)
		return json_real(seconds);
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(fraction, sizeof(fraction), ".%03dZ",
		 (int)((seconds - (double)t) * 1000));
	strcat(text, fraction);
	return json_string(text);
}

static int bad_token(struct api_call *call)
{
	return api_refuse(call, "InvalidNextToken",
			  "The token is none that was given.");
}

int cw_page_begin(struct api_call *call, size_t size, struct cw_page *page)
{
	const char *token = api_string(call, "NextToken");
	char *end;

	*page = (struct cw_page){ .size = size };
	if (token != NULL) {
		page->from = strtoul(token, &end, 10);
		if (*token < '0' || *token > '9' || *end != '\0' ||
		    page->from > UINT32_MAX)
			return bad_token(call);
	}
	page->items = json_array();
	return 0;
}

bool cw_page_wants(struct cw_page *page)
{
	size_t i = page->n++;

	return i >= page->from && i < page->from + page->size;
}

int cw_page_end(struct api_call *call, struct cw_page *page, const char *name)
{
	if (page->from > 0 && page->from >= page->n) {
		json_decref(page->items);
		return bad_token(call);
	}
	call->output = json_pack("{s:o}", name, page->items);
	if (page->n > page->from + page->size)
		json_object_set_new(call->output, "NextToken",
				    json_sprintf("%zu",
						 page->from + page->size));
	return 0;
}
