/* SPDX-License-Identifier: Apache-2.0 */
/* hawserd: options, configuration, state directory; then service.c. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cmd/config.h"
#include "cmd/service.h"
#include "cmd/state_dir.h"

enum { EXIT_USAGE = 2 };

struct options {
	const char *state, *config, *command;
	int reactors; /* 0: as the configuration says */
};

static const char usage[] =
	"usage: hawserd [--state DIR] [--config FILE] [--reactors N]\n"
	"               [--run COMMAND]\n"
	"\n"
	"  --state DIR     where everything is kept; default: /var/lib/hawser\n"
	"  --config FILE   YAML; see hawserd(8)\n"
	"  --reactors N    event loops; default: one for each CPU\n"
	"  --run COMMAND   run a shell command, and end with it; without\n"
	"                  --state in a directory that is removed afterwards,\n"
	"                  without --config on loopback addresses that nobody\n"
	"                  else uses\n"
	"  --version, --help\n";

static void print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(EXIT_SUCCESS);
}

static void usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hawserd: %s '%s'; see: hawserd --help\n", what, which);
	exit(EXIT_USAGE);
}

static int parse_reactors(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 1 || n > CONFIG_REACTORS_MAX)
		usage_error("--reactors needs a number from 1 to 256, not",
			    text);
	return n;
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "state", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "reactors", required_argument, NULL, 'n' },
		{ "run", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int opt;

	memset(o, 0, sizeof(*o));
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->state = optarg;
			break;
		case 'c':
			o->config = optarg;
			break;
		case 'n':
			o->reactors = parse_reactors(optarg);
			break;
		case 'r':
			o->command = optarg;
			break;
		case 'v':
			print_and_exit("hawserd " HAWSER_VERSION "\n");
			break;
		case 'h':
			print_and_exit(usage);
			break;
		case ':':
			usage_error("a value is missing after",
				    argv[optind - 1]);
			break;
		default:
			usage_error("unknown option", argv[optind - 1]);
		}
	}
	if (optind < argc)
		usage_error("unknown argument", argv[optind]);
}

static int configure(struct config *config, const struct options *o)
{
	config_init(config);
	if (o->config != NULL && config_load(config, o->config) < 0)
		return -EINVAL;
	if (o->reactors != 0)
		config->reactors = o->reactors;
	if (o->command != NULL)
		config_set_any_port(config);
	return 0;
}

static int open_state(struct state_dir *state, struct config *config,
		      const struct options *o)
{
	unsigned octet;
	int r;

	if (o->command == NULL || o->state != NULL)
		return state_dir_open(state,
				      o->state ? o->state : "/var/lib/hawser");
	r = state_dir_open_private(state, &octet);
	if (r == 0 && o->config == NULL)
		config_set_loopback(config, octet);
	return r;
}

/* A descriptor for each connection and each file in use. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	static struct config config;
	static struct state_dir state;
	struct options options;
	int status;

	options_parse(&options, argc, argv);
	if (configure(&config, &options) < 0)
		return EXIT_USAGE;
	raise_descriptor_limit();
	if (open_state(&state, &config, &options) < 0)
		return EXIT_FAILURE;
	status = service_run(&config, state.path, options.command);
	state_dir_close(&state);
	return status;
}
