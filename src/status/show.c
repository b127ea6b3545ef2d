/* SPDX-License-Identifier: Apache-2.0 */
#include "status/show.h"

#include <stdio.h>

const char *show_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "?";
}

json_int_t show_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *show_bytes(json_int_t n, char cell[SHOW_CELL])
{
	static const char units[] = "BKMGTPE";
	double v = (double)n;
	int u = 0;

	while (v >= 999.5 && units[u + 1]) {
		v /= 1024;
		u++;
	}
	snprintf(cell, SHOW_CELL, v < 9.95 && u > 0 ? "%.1f%c" : "%.0f%c", v,
		 units[u]);
	return cell;
}

const char *show_latency(json_int_t us, char cell[SHOW_CELL])
{
	if (us < 1000)
		snprintf(cell, SHOW_CELL, "%dus", (int)us);
	else
		snprintf(cell, SHOW_CELL, us < 10000 ? "%.1fms" : "%.0fms",
			 (double)us / 1000);
	return cell;
}
