/* SPDX-License-Identifier: Apache-2.0 */
/* The table of paths fits 80 columns, whatever the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuse/report.h"

static json_t *make(json_int_t n, const char *address, const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:I, s:I, s:I},"
			 " s:[{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I}]}",
			 "mountpoint", "/mnt", "source", "x:/", "version",
			 "4.2", "policy", "service-time", "counters", "waiting",
			 n % 100000, "repeats", n % 1000000, "longest_stall_us",
			 n % 100000000, "paths", "address", address, "state",
			 state, "preferred", 1, "inflight", n % 100000,
			 "latency_us", n % 100000000, "requests",
			 n % 10000000000, "sent", n, "received", n);
}

static void print(const json_t *report, char *text, size_t size)
{
	int saved = dup(STDOUT_FILENO);
	FILE *f = tmpfile();
	size_t n;

	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	report_print(report);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

static void every_line_fits_80_columns(void **state)
{
	char text[4000], *rest = text, *line;

	for (json_int_t n = 1; n > 0 && n < INT64_MAX / 7; n *= 7) {
		json_t *r = make(n, "[2001:db8::1]:2049", "connecting");

		print(r, text, sizeof(text));
		json_decref(r);
		rest = text;
		while ((line = strsep(&rest, "\n")) != NULL)
			if (strlen(line) > 80)
				fail_msg("%zu columns: %s", strlen(line), line);
	}
}

static void a_path_has_a_line(void **state)
{
	json_t *r = make(1500, "127.77.1.1:2049", "live");
	char text[4000];

	print(r, text, sizeof(text));
	json_decref(r);
	assert_non_null(strstr(text, "x:/ on /mnt"));
	assert_non_null(strstr(text, "* 127.77.1.1:2049"));
	assert_non_null(strstr(text, "1.5ms"));
	assert_non_null(strstr(text, "1.5K"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_fits_80_columns),
		cmocka_unit_test(a_path_has_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
