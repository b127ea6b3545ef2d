/* SPDX-License-Identifier: Apache-2.0 */
/* The alarms: found by their names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/internal.h"

#define CLOUDWATCH "GraniteServiceVersion20100801."
#define TIB	   1099511627776.0

static const struct alarm {
	const char *key, *name, *about;
	const char *metric, *statistic, *comparison;
	double threshold;
	int period, periods; /* seconds; how many in a row */
	const char *only;    /* in this throughput mode */
} alarms[] = {
	{ "percent_io_limit", "percent-io-limit",
	  "More than 90% of the operations that generalPurpose permits",
	  "PercentIOLimit", "Average", "GreaterThanThreshold", 90, 300, 2 },
	/* A file system starts with 2.1 TiB, and small ones have no more. */
	{ "burst_credit_balance", "burst-credit-balance",
	  "Less than a tenth of the burst credits is left",
	  "BurstCreditBalance", "Average", "LessThanThreshold", 230897441833,
	  300, 2, "bursting" },
	/* Summed over one minute, which has one value, it is a number. */
	{ "client_connections", "client-connections",
	  "More than 100 clients for five minutes", "ClientConnections", "Sum",
	  "GreaterThanThreshold", 100, 60, 5 },
	{ "metered_io_bytes", "metered-io-bytes",
	  "More than 100 GiB read and written within five minutes",
	  "MeteredIOBytes", "Sum", "GreaterThanThreshold", TIB / 1024 * 100,
	  300, 1 },
};

/* An attribute of ours and of CloudWatch's alarm. */
static const struct {
	const char *name, *cloudwatch;
} same[] = {
	{ "description", "AlarmDescription" },
	{ "metric", "MetricName" },
	{ "namespace", "Namespace" },
	{ "statistic", "Statistic" },
	{ "comparison", "ComparisonOperator" },
	{ "threshold", "Threshold" },
	{ "period", "Period" },
	{ "evaluation_periods", "EvaluationPeriods" },
	{ "treat_missing_data", "TreatMissingData" },
	{ "actions", "AlarmActions" },
};

static json_t *name_of(const struct stack *s, const struct alarm *a)
{
	return json_sprintf("%s-efs-%s", s->prefix, a->name);
}

static int declare(struct stack *s, struct resources *wanted)
{
	const char *mode = input_text(s->inputs, "throughput_mode");
	struct resource *r;

	if (!input_flag(s->inputs, "create_cloudwatch_alarms"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(alarms); i++) {
		const struct alarm *a = &alarms[i];

		if (a->only != NULL && strcmp(a->only, mode) != 0)
			continue;
		r = resource_add(wanted, a->key);
		json_decref(r->attributes);
		r->attributes = json_pack(
			"{s:o, s:s, s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:s, "
			"s:O, s:s}",
			"name", name_of(s, a), "description", a->about,
			"metric", a->metric, "namespace", "AWS/EFS",
			"statistic", a->statistic, "comparison", a->comparison,
			"threshold", a->threshold, "period", a->period,
			"evaluation_periods", a->periods, "treat_missing_data",
			"notBreaching", "actions",
			json_object_get(s->inputs, "alarm_actions"),
			"file_system_id",
			s->fs_id[0] ? s->fs_id : STACK_UNKNOWN);
	}
	return 0;
}

/* ------------------------------------------------------------------- read */

/* "a-b" with "c" has the names of "a" with "b-c": is the file system of an
 * alarm another stack's?  One that is no more was ours. */
static int check_owner(struct stack *s, const struct resource *r)
{
	const char *fs = stack_text(r->attributes, "file_system_id");
	json_t *answer, *tags;
	const char *owner;
	char path[160];
	int error = 0;

	if (fs[0] == '\0' || strcmp(fs, s->fs_id) == 0)
		return 0;
	snprintf(path, sizeof(path), "/2015-02-01/file-systems?FileSystemId=%s",
		 fs);
	if (stack_rest(s, "GET", path, NULL, &answer) < 0)
		return 0;
	tags = tags_read(json_object_get(
		json_array_get(json_object_get(answer, "FileSystems"), 0),
		"Tags"));
	owner = stack_text(tags, STACK_TAG);
	if (owner[0] && strcmp(owner, s->name) != 0) {
		stack_error("alarm %s is that of the stack %s: two stacks "
			    "can't have the same names",
			    stack_text(r->attributes, "name"), owner);
		error = -EEXIST;
	}
	json_decref(tags);
	json_decref(answer);
	return error;
}

static int read_one(struct stack *s, json_t *facts, struct resource *r)
{
	const json_t *dimensions = json_object_get(facts, "Dimensions");

	snprintf(r->id, sizeof(r->id), "%s", r->key);
	r->facts = json_incref(facts);
	json_object_set(r->attributes, "name",
			json_object_get(facts, "AlarmName"));
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		json_object_set(r->attributes, same[i].name,
				json_object_get(facts, same[i].cloudwatch));
	json_object_set(r->attributes, "file_system_id",
			json_object_get(json_array_get(dimensions, 0),
					"Value"));
	return check_owner(s, r);
}

static int read_alarms(struct stack *s, struct resources *is)
{
	json_t *names = json_array(), *answer, *facts;
	size_t i, k;
	int error;

	for (i = 0; i < ARRAY_SIZE(alarms); i++)
		json_array_append_new(names, name_of(s, &alarms[i]));
	error = stack_json(s, "monitoring", "1.0",
			    CLOUDWATCH "DescribeAlarms",
			    json_pack("{s:O}", "AlarmNames", names), &answer);
	if (error < 0) {
		json_decref(names);
		return stack_failed(s, "alarms");
	}
	json_array_foreach(json_object_get(answer, "MetricAlarms"), k, facts)
	{
		for (i = 0; i < ARRAY_SIZE(alarms) && error == 0; i++)
			if (json_equal(json_array_get(names, i),
				       json_object_get(facts, "AlarmName")))
				error = read_one(s, facts,
						 resource_add(is,
							      alarms[i].key));
	}
	json_decref(names);
	json_decref(answer);
	return error;
}

/* ----------------------------------------------------------------- change */

static int put(struct stack *s, const struct resource *is,
	       const struct resource *wanted)
{
	const json_t *a = wanted->attributes;
	json_t *body = json_pack("{s:O, s:[{s:s, s:s}]}", "AlarmName",
				 json_object_get(a, "name"), "Dimensions",
				 "Name", "FileSystemId", "Value", s->fs_id);

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		json_object_set(body, same[i].cloudwatch,
				json_object_get(a, same[i].name));
	return stack_json(s, "monitoring", "1.0",
			   CLOUDWATCH "PutMetricAlarm", body, NULL);
}

static int create(struct stack *s, struct resource *wanted)
{
	snprintf(wanted->id, sizeof(wanted->id), "%s", wanted->key);
	return put(s, NULL, wanted);
}

static int remove_alarm(struct stack *s, const struct resource *is)
{
	return stack_json(s, "monitoring", "1.0",
			   CLOUDWATCH "DeleteAlarms",
			   json_pack("{s:[O]}", "AlarmNames",
				     json_object_get(is->attributes, "name")),
			   NULL);
}

static const struct attribute attributes[] = {
	{ "name", put },
	{ "description", put },
	{ "metric", put },
	{ "namespace", put },
	{ "statistic", put },
	{ "comparison", put },
	{ "threshold", put },
	{ "period", put },
	{ "treat_missing_data", put },
	{ "evaluation_periods", put },
	{ "actions", put },
	{ "file_system_id", put },
	{},
};

const struct kind alarm_kind = {
	.name = "alarm",
	.attributes = attributes,
	.declare = declare,
	.read = read_alarms,
	.create = create,
	.remove = remove_alarm,
	.not_found = "ResourceNotFound",
};
