/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms as records: kind "alarm", key the name. */
#include "control/alarm.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "control/alarm_action.h"
#include "control/internal.h"
#include "control/metric.h"
#include "meter/alarm.h"
#include "reactor/reactor.h"
#include "store/store.h"

static const char kind[] = "alarm";

const json_t *alarms(const struct control *c)
{
	return c->alarms;
}

static json_t *time_now(void)
{
	return json_real((double)(reactor_realtime() / MSEC(1)) / 1000);
}

static void note(json_t *alarm, const char *type, json_t *summary)
{
	json_t *history = json_object_get(alarm, "History");

	json_array_insert_new(history, 0,
			      json_pack("{s:o, s:s, s:o}", "Timestamp",
					time_now(), "HistoryItemType", type,
					"HistorySummary", summary));
	while (json_array_size(history) > ALARM_HISTORY)
		json_array_remove(history, ALARM_HISTORY);
}

/* Puts it in force once it is on disk; takes the alarm. */
static int save(struct control *c, const char *name, json_t *alarm,
		struct control_error *err)
{
	char *text = json_dumps(alarm, JSON_COMPACT);
	int r = -ENOMEM;

	if (text != NULL)
		r = store_put(c->store, kind, name, strlen(name), text,
			      strlen(text));
	free(text);
	if (r == 0)
		json_object_set(c->alarms, name, alarm);
	json_decref(alarm);
	if (r < 0)
		log_error("alarm %s can't be written: %s", name, strerror(-r));
	return r < 0 ? refuse(err, r, "InternalServiceError",
			      "The alarm can't be written: %s.", strerror(-r))
		     : 0;
}

static bool load_one(void *arg, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	json_t *alarm = json_loadb(value, value_len, 0, NULL);
	struct control *c = arg;
	char name[ALARM_NAME_MAX + 1];

	if (key_len <= ALARM_NAME_MAX) {
		memcpy(name, key, key_len);
		name[key_len] = '\0';
		json_object_set_new(c->alarms, name, alarm);
	}
	return true;
}

int alarms_load(struct control *c)
{
	c->alarms = json_object();
	return store_for_each(c->store, kind, load_one, c);
}

static int not_found(struct control_error *err)
{
	return refuse(err, -ENOENT, "ResourceNotFound", "Alarm not found.");
}

static int put_locked(struct control *c, const char *name, json_t *definition,
		      struct control_error *err)
{
	static const char *const kept[] = { "StateValue", "StateReason",
					    "StateUpdatedTimestamp", "History",
					    "Tags" };
	const json_t *old = json_object_get(c->alarms, name);
	json_t *alarm = definition;

	if (old == NULL && json_object_size(c->alarms) >= ALARMS_MAX) {
		json_decref(definition);
		return refuse(err, -EDQUOT, "LimitExceeded",
			      "There are %d alarms, the most that can be.",
			      ALARMS_MAX);
	}
	json_object_update_new(alarm,
			       json_pack("{s:s, s:s, s:o, s:[]}", "StateValue",
					 "INSUFFICIENT_DATA", "StateReason",
					 "Unchecked: Initial alarm creation",
					 "StateUpdatedTimestamp", time_now(),
					 "History"));
	for (size_t i = 0; old && i < ARRAY_SIZE(kept); i++)
		json_object_set_new(
			alarm, kept[i],
			json_deep_copy(json_object_get(old, kept[i])));
	json_object_set_new(alarm, "AlarmConfigurationUpdatedTimestamp",
			    time_now());
	note(alarm, "ConfigurationUpdate",
	     json_sprintf("Alarm \"%s\" %s", name,
			  old ? "updated" : "created"));
	return save(c, name, alarm, err);
}

int alarm_put(struct control *c, const char *name, json_t *definition,
	      struct control_error *err)
{
	int r;

	task_write_lock(&c->alarms_lock);
	r = put_locked(c, name, definition, err);
	task_write_unlock(&c->alarms_lock);
	return r;
}

static int delete_locked(struct control *c, const char *name,
			 struct control_error *err)
{
	int r;

	if (json_object_get(c->alarms, name) == NULL)
		return not_found(err);
	r = store_delete(c->store, kind, name, strlen(name));
	if (r < 0)
		return refuse(err, r, "InternalServiceError", "%s.",
			      strerror(-r));
	json_object_del(c->alarms, name);
	return 0;
}

int alarm_delete(struct control *c, const char *name, struct control_error *err)
{
	int r;

	task_write_lock(&c->alarms_lock);
	r = delete_locked(c, name, err);
	task_write_unlock(&c->alarms_lock);
	return r;
}

/* A copy that nobody else changes until save_unlock(); NULL, and not
 * locked: there is none. */
static json_t *lock_copy(struct control *c, const char *name)
{
	json_t *alarm;

	task_write_lock(&c->alarms_lock);
	alarm = json_deep_copy(json_object_get(c->alarms, name));
	if (alarm == NULL)
		task_write_unlock(&c->alarms_lock);
	return alarm;
}

static int save_unlock(struct control *c, const char *name, json_t *alarm,
		       struct control_error *err)
{
	int r = save(c, name, alarm, err);

	task_write_unlock(&c->alarms_lock);
	return r;
}

int alarm_change(struct control *c, const char *name, control_change_fn *fn,
		 void *arg, struct control_error *err)
{
	json_t *alarm = lock_copy(c, name);
	int r;

	if (alarm == NULL)
		return not_found(err);
	r = fn(arg, alarm, err);
	if (r == 0)
		return save_unlock(c, name, alarm, err);
	task_write_unlock(&c->alarms_lock);
	json_decref(alarm);
	return r;
}

int alarm_set_actions_enabled(struct control *c, const char *name, bool enabled,
			      struct control_error *err)
{
	json_t *alarm = lock_copy(c, name);

	if (alarm == NULL)
		return 0; /* CloudWatch says nothing */
	json_object_set_new(alarm, "ActionsEnabled", json_boolean(enabled));
	return save_unlock(c, name, alarm, err);
}

int alarm_set_state(struct control *c, const char *name, const char *state,
		    const char *reason, const char *data,
		    struct control_error *err)
{
	json_t *alarm = lock_copy(c, name);
	char before[32];
	int r;

	if (alarm == NULL)
		return not_found(err);
	snprintf(before, sizeof(before), "%s", attribute(alarm, "StateValue"));
	json_object_set_new(alarm, "StateValue", json_string(state));
	json_object_set_new(alarm, "StateReason", json_string(reason));
	if (data != NULL)
		json_object_set_new(alarm, "StateReasonData",
				    json_string(data));
	else
		json_object_del(alarm, "StateReasonData");
	json_object_set_new(alarm, "StateUpdatedTimestamp", time_now());
	if (strcmp(before, state) != 0)
		note(alarm, "StateUpdate",
		     json_sprintf("Alarm updated from %s to %s", before,
				  state));
	json_incref(alarm);
	r = save_unlock(c, name, alarm, err);
	if (r == 0 && strcmp(before, state) != 0) {
		log_info("alarm %s: %s", name, state);
		alarm_act(c, name, alarm, before);
	}
	json_decref(alarm);
	return r;
}

/* Notes what became of an action. */
void alarm_acted(struct control *c, const char *name, json_t *summary)
{
	json_t *alarm = lock_copy(c, name);
	struct control_error err;

	if (alarm == NULL) {
		json_decref(summary);
		return;
	}
	note(alarm, "Action", summary);
	save_unlock(c, name, alarm, &err);
}

/* --------------------------------------------------------------- the rule */

static int index_of(const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return 0;
}

static struct alarm_rule rule_of(const json_t *alarm)
{
	static const char *const compare[] = {
		[ALARM_GE] = "GreaterThanOrEqualToThreshold",
		[ALARM_GT] = "GreaterThanThreshold",
		[ALARM_LT] = "LessThanThreshold",
		[ALARM_LE] = "LessThanOrEqualToThreshold",
	};
	static const char *const missing[] = {
		[ALARM_MISSING] = "missing",
		[ALARM_IGNORE] = "ignore",
		[ALARM_BREACHING] = "breaching",
		[ALARM_NOT_BREACHING] = "notBreaching",
	};
	const json_t *m = json_object_get(alarm, "DatapointsToAlarm");
	struct alarm_rule r = {
		index_of(attribute(alarm, "ComparisonOperator"), compare, 4),
		index_of(attribute(alarm, "TreatMissingData"), missing, 4),
		json_number_value(json_object_get(alarm, "Threshold")),
		json_integer_value(json_object_get(alarm, "EvaluationPeriods")),
	};

	r.datapoints = m ? json_integer_value(m) : r.periods;
	return r;
}

/* Of one statistic, in the last periods before `end`. */
static int read_values(struct control *c, const json_t *alarm,
		       const struct alarm_rule *r, int64_t end, double *values,
		       bool *there)
{
	const json_t *dimensions = json_object_get(alarm, "Dimensions");
	const char *fs = metric_dimension(dimensions, "FileSystemId");
	int id = metric_find(attribute(alarm, "MetricName"), dimensions);
	unsigned period = json_integer_value(json_object_get(alarm, "Period"));
	struct metric_point *points = calloc(r->periods, sizeof(*points));
	int n = -ENOMEM;

	if (points != NULL && fs != NULL && id >= 0 &&
	    strcmp(attribute(alarm, "Namespace"), "AWS/EFS") == 0)
		n = metric_read(c, fs, id, end - (int64_t)r->periods * period,
				period, r->periods, points, there);
	for (unsigned i = 0; i < r->periods; i++)
		if (n < 0 || !metric_statistic(attribute(alarm, "Statistic"),
					       &points[i], &values[i]))
			there[i] = false;
	free(points);
	return n;
}

static char *reason_of(const struct alarm_rule *r, enum alarm_state state,
		       const double *values, const bool *there)
{
	unsigned bad = 0, missing = 0;
	double last = 0;
	char *text = NULL;

	for (unsigned i = 0; i < r->periods; i++) {
		missing += !there[i];
		if (!there[i])
			continue;
		last = values[i];
		bad += alarm_breaches(r, values[i]);
	}
	if (asprintf(&text,
		     "Threshold Crossed: %u of %u datapoints (the last is "
		     "%.6g) are beyond the threshold (%.6g), %u missing, "
		     "%u needed for ALARM.",
		     bad, r->periods, last, r->threshold, missing,
		     r->datapoints) < 0)
		return NULL;
	if (state == ALARM_INSUFFICIENT && text != NULL)
		strcpy(text, "Insufficient Data: no datapoints.");
	return text;
}

static const char *const state_names[] = {
	[ALARM_OK] = "OK",
	[ALARM_RAISED] = "ALARM",
	[ALARM_INSUFFICIENT] = "INSUFFICIENT_DATA",
};

static void evaluate(struct control *c, const char *name, const json_t *alarm,
		     int64_t end)
{
	struct alarm_rule r = rule_of(alarm);
	enum alarm_state before =
		index_of(attribute(alarm, "StateValue"), state_names, 3);
	double *values = calloc(r.periods, sizeof(*values));
	bool *there = calloc(r.periods, sizeof(*there));
	auto_free char *reason = NULL;
	struct control_error err;
	enum alarm_state state;

	if (values != NULL && there != NULL) {
		read_values(c, alarm, &r, end, values, there);
		state = alarm_decide(&r, before, values, there);
		reason = reason_of(&r, state, values, there);
		if (state != before && reason != NULL)
			alarm_set_state(c, name, state_names[state], reason,
					NULL, &err);
	}
	free(values);
	free(there);
}

/* Is there a new period, or a younger definition? */
static bool is_due(const json_t *alarm, int64_t before, int64_t now,
		   int64_t *end)
{
	int64_t step = MIN(json_integer_value(json_object_get(alarm, "Period")),
			   (json_int_t)60);
	double changed = json_number_value(
		json_object_get(alarm, "AlarmConfigurationUpdatedTimestamp"));

	*end = now - now % step;
	return before / step != now / step || changed >= (double)before;
}

void alarms_evaluate(struct control *c, int64_t before, int64_t now)
{
	size_t n = json_object_size(c->alarms), i = 0;
	char **names = calloc(n + 1, sizeof(*names));
	json_t *alarm;
	const char *name;
	int64_t end;

	if (names == NULL)
		return;
	json_object_foreach(c->alarms, name, alarm) names[i++] = strdup(name);
	for (i = 0; i < n && !c->stopping; i++) {
		alarm = names[i] ? json_object_get(c->alarms, names[i]) : NULL;
		if (alarm == NULL || !is_due(alarm, before, now, &end))
			continue;
		json_incref(alarm);
		evaluate(c, names[i], alarm, end);
		json_decref(alarm);
	}
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* ---------------------------------------------------------------- metrics */

bool metric_statistic(const char *name, const struct metric_point *p,
		      double *value)
{
	if (strcmp(name, "Average") == 0)
		*value = p->count ? p->sum / p->count : 0;
	else if (strcmp(name, "Sum") == 0)
		*value = p->sum;
	else if (strcmp(name, "Minimum") == 0)
		*value = p->min;
	else if (strcmp(name, "Maximum") == 0)
		*value = p->max;
	else if (strcmp(name, "SampleCount") == 0)
		*value = p->count;
	else
		return false;
	return true;
}

const char *metric_dimension(const json_t *dimensions, const char *name)
{
	for (size_t i = 0; i < json_array_size(dimensions); i++) {
		const json_t *d = json_array_get(dimensions, i);

		if (strcmp(attribute(d, "Name"), name) == 0)
			return json_string_value(json_object_get(d, "Value"));
	}
	return NULL;
}

int metric_find(const char *name, const json_t *dimensions)
{
	const char *class = metric_dimension(dimensions, "StorageClass");

	if (json_array_size(dimensions) != (class ? 2 : 1))
		return -1;
	for (int i = 0; i < METRICS; i++) {
		const struct metric_info *m = &metric_info[i];

		if (strcmp(m->name, name) == 0 &&
		    (m->storage_class == NULL) == (class == NULL) &&
		    (class == NULL || strcmp(class, m->storage_class) == 0))
			return i;
	}
	return -1;
}

bool metric_period_is_valid(json_int_t seconds)
{
	return seconds == 1 || seconds == 5 || seconds == 10 || seconds == 20 ||
	       seconds == 30 || (seconds > 0 && seconds % 60 == 0);
}
