/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms: the threshold itself, M of N, and what is missing, against the tables
 * of CloudWatch's guide.  In a story 0 is good, X breaches, - is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "meter/alarm.h"

static enum alarm_state decide(const char *story, unsigned datapoints,
			       enum alarm_missing missing)
{
	struct alarm_rule r = { ALARM_GT, missing, 5, strlen(story),
				datapoints };
	double values[16] = {};
	bool there[16] = {};

	for (unsigned i = 0; i < r.periods; i++) {
		there[i] = story[i] != '-';
		values[i] = story[i] == 'X' ? 6 : 5;
	}
	/* Something that no rule makes of a story. */
	return alarm_decide(&r, (enum alarm_state)99, values, there);
}

static void the_threshold_itself(void **state)
{
	static const bool want[4][3] = { [ALARM_GE] = { false, true, true },
					 [ALARM_GT] = { false, false, true },
					 [ALARM_LT] = { true, false, false },
					 [ALARM_LE] = { true, true, false } };

	for (int compare = 0; compare < 4; compare++)
		for (int i = 0; i < 3; i++) {
			struct alarm_rule r = { (enum alarm_compare)compare, 0,
						5, 1, 1 };

			assert_int_equal(alarm_breaches(&r, 4 + i),
					 want[compare][i]);
		}
}

static void tables(void **state)
{
	enum { KEPT = 99, OK = ALARM_OK, UP = ALARM_RAISED };
	static const struct {
		const char *story;
		unsigned datapoints;
		/* missing, ignore, breaching, notBreaching */
		unsigned want[4];
	} cases[] = {
		{ "000", 3, { OK, OK, OK, OK } },
		{ "XXX", 3, { UP, UP, UP, UP } },
		{ "0XX", 3, { OK, OK, OK, OK } },
		{ "0XX", 2, { UP, UP, UP, UP } },
		{ "0--", 3, { OK, OK, OK, OK } },
		{ "---", 3, { ALARM_INSUFFICIENT, KEPT, UP, OK } },
		{ "--X", 3, { UP, KEPT, UP, OK } },
		{ "-X0", 2, { UP, KEPT, UP, OK } },
		{ "00-", 2, { OK, OK, OK, OK } },
		{ "XX-", 2, { UP, UP, UP, UP } },
		{ "-", 1, { ALARM_INSUFFICIENT, KEPT, UP, OK } },
		{ "X", 1, { UP, UP, UP, UP } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int m = 0; m < 4; m++)
			assert_int_equal(decide(cases[i].story,
						cases[i].datapoints,
						(enum alarm_missing)m),
					 cases[i].want[m]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_threshold_itself),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
