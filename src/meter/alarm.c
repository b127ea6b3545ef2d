/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/alarm.h"

bool alarm_breaches(const struct alarm_rule *r, double value)
{
	switch (r->compare) {
	case ALARM_GE:
		return value >= r->threshold;
	case ALARM_GT:
		return value > r->threshold;
	case ALARM_LT:
		return value < r->threshold;
	case ALARM_LE:
		return value <= r->threshold;
	}
	return false;
}

enum alarm_state alarm_decide(const struct alarm_rule *r,
			      enum alarm_state before, const double *values,
			      const bool *there)
{
	unsigned bad = 0, missing = 0, good;

	for (unsigned i = 0; i < r->periods; i++)
		if (!there[i])
			missing++;
		else if (alarm_breaches(r, values[i]))
			bad++;
	good = r->periods - bad - missing;
	switch (r->missing) {
	case ALARM_BREACHING:
		bad += missing;
		break;
	case ALARM_NOT_BREACHING:
		break;
	case ALARM_IGNORE:
		if (bad < r->datapoints && good <= r->periods - r->datapoints)
			return before;
		break;
	case ALARM_MISSING:
		if (missing == r->periods)
			return ALARM_INSUFFICIENT;
		if (bad > 0)
			bad += missing;
		break;
	}
	return bad >= r->datapoints ? ALARM_RAISED : ALARM_OK;
}
