/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms on metrics of file systems (meter/alarm.h), by name, as JSON objects
 * with the members of CloudWatch's MetricAlarm, and History, the youngest of
 * its changes.  They are looked at after each metering period; what follows
 * from a change of state is an action, by its ARN: the configuration says which
 * command or web address that is.
 *
 * Calls are made from tasks of the control's reactor; those that change
 * something park.
 */
#ifndef CONTROL_ALARM_H
#define CONTROL_ALARM_H

#include "control/control.h"

enum {
	ALARMS_MAX = 5000,
	ALARM_NAME_MAX = 255, /* bytes */
	ALARM_HISTORY = 50,   /* items of an alarm */
	ALARM_ACTIONS_MAX = 16,
	ALARM_SECONDS_MAX = 86400, /* periods times their length */
};

/* An object of objects by name; borrowed until the caller parks. */
const json_t *alarms(const struct control *c);

/* Creates it, or replaces its definition, which is taken and has been checked;
 * it keeps state, history and tags. */
int alarm_put(struct control *c, const char *name, json_t *definition,
	      struct control_error *err);
/* Puts another in its place, which fn made of it.  Neither state nor history
 * take part. */
int alarm_change(struct control *c, const char *name, control_change_fn *fn,
		 void *arg, struct control_error *err);
int alarm_delete(struct control *c, const char *name,
		 struct control_error *err);
int alarm_set_state(struct control *c, const char *name, const char *state,
		    const char *reason, const char *data,
		    struct control_error *err);
int alarm_set_actions_enabled(struct control *c, const char *name, bool enabled,
			      struct control_error *err);

/* "Average" of a point; false: it is none of CloudWatch's statistics. */
struct metric_point;
bool metric_statistic(const char *name, const struct metric_point *p,
		      double *value);
/* Which metric of AWS/EFS; -1: there is none. */
int metric_find(const char *name, const json_t *dimensions);
/* The value of a dimension; NULL. */
const char *metric_dimension(const json_t *dimensions, const char *name);
/* A length of periods that CloudWatch has. */
bool metric_period_is_valid(json_int_t seconds);

#endif
