/* SPDX-License-Identifier: Apache-2.0 */
/* hawser pathd: options; then pathd_serve(), or a question to the one that
 * runs. */
#include "pathd/pathd.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "pathd/internal.h"
#include "status/status.h"

enum { EXIT_USAGE = 2, MS_MIN = 10, MS_MAX = 60000, DAY = 86400 };

static const char usage[] =
	"usage: hawser pathd [OPTION…]\n"
	"       hawser pathd --status [--json]\n"
	"\n"
	"  --interval MS   between probes of an address; 200\n"
	"  --timeout MS    of a probe; 300. Two in a row have to fail\n"
	"  --discover S    between looks for new mount targets; 300; 0: never\n"
	"  --metrics FILE  for Prometheus, by node_exporter's textfile "
	"collector\n"
	"  --status        say what the one that runs sees and does\n"
	"  --json          all of it\n"
	"  --sysfs DIR     instead of /sys, for tests\n"
	"  --help\n";

static int usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hawser pathd: %s %s; see: hawser pathd --help\n", what,
		which);
	return EXIT_USAGE;
}

static int show_status(bool as_json)
{
	char socket[PATH_MAX];
	json_t *report;

	pathd_socket(socket);
	report = status_ask(socket);
	if (report == NULL) {
		fputs("hawser pathd: none runs\n", stderr);
		return EXIT_FAILURE;
	}
	if (as_json) {
		json_dumpf(report, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		pathd_report_print(report);
	}
	json_decref(report);
	return EXIT_SUCCESS;
}

static bool parse(const char *text, long min, long max, nsec unit, nsec *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = n * unit;
	return end != text && *end == '\0' && n >= min && n <= max;
}

static bool parse_ms(const char *text, nsec *out)
{
	return parse(text, MS_MIN, MS_MAX, MSEC(1), out);
}

int pathd_main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "timeout", required_argument, NULL, 't' },
		{ "discover", required_argument, NULL, 'n' },
		{ "metrics", required_argument, NULL, 'm' },
		{ "status", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "sysfs", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct pathd_options o = { .interval = MSEC(200),
				   .timeout = MSEC(300),
				   .discover = SEC(300),
				   .sysfs = "/sys" };
	bool status = false, as_json = false;
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (opt) {
		case 'i':
		case 't':
			if (!parse_ms(optarg,
				      opt == 'i' ? &o.interval : &o.timeout))
				return usage_error(
					"not 10 to 60000 milliseconds:",
					optarg);
			break;
		case 'n':
			if (!parse(optarg, 0, DAY, SEC(1), &o.discover))
				return usage_error("not 0 to 86400 seconds:",
						   optarg);
			break;
		case 'm':
			o.metrics = optarg;
			break;
		case 's':
			status = true;
			break;
		case 'j':
			as_json = true;
			break;
		case 'd':
			o.sysfs = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case ':':
			return usage_error("a value is missing after",
					   argv[optind - 1]);
		default:
			return usage_error("unknown option", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return usage_error("unknown argument", argv[optind]);
	if (status)
		return show_status(as_json);
	return pathd_serve(&o) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
