/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an alarm is raised, as CloudWatch has it ("Evaluating an alarm" and
 * "Configuring how CloudWatch alarms treat missing data" in its User Guide):
 * of the last N periods at least M breach the threshold.  What a period without
 * a value counts as:
 *
 *	missing		as what the others are; without any: INSUFFICIENT_DATA
 *	ignore		nothing; the state stays unless the others decide
 *	breaching	one that breaches
 *	notBreaching	one that does not
 *
 * Only the last N periods are looked at; CloudWatch takes older ones in place
 * of some that are missing.
 */
#ifndef METER_ALARM_H
#define METER_ALARM_H

#include <stdbool.h>

enum alarm_state { ALARM_OK, ALARM_RAISED, ALARM_INSUFFICIENT };
enum alarm_missing {
	ALARM_MISSING,
	ALARM_IGNORE,
	ALARM_BREACHING,
	ALARM_NOT_BREACHING,
};
enum alarm_compare { ALARM_GE, ALARM_GT, ALARM_LT, ALARM_LE };

struct alarm_rule {
	enum alarm_compare compare;
	enum alarm_missing missing;
	double threshold;
	unsigned periods, datapoints; /* N, and M of them */
};

bool alarm_breaches(const struct alarm_rule *r, double value);
/* values[i] is one if there[i]; r->periods of them. */
enum alarm_state alarm_decide(const struct alarm_rule *r,
			      enum alarm_state before, const double *values,
			      const bool *there);

#endif
