/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser connect, disconnect, connector …: connection information from a file,
 * or the name or device of what is connected.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/connect.h"

enum { EXIT_USAGE = 2 };

/* An invocation. */
struct call {
	const char *command; /* "hawser connect" */
	struct connect_host host;
	struct connect_info info;
	struct connect_options options;
	bool json, force;
	int interval_s;
};

static const char connect_usage[] =
	"usage: hawser connect FILE [OPTION…]\n"
	"\n"
	"Makes the volume that the connection information in FILE (JSON; - is\n"
	"standard input) describes a device of this host; prints its path.\n"
	"\n"
	"  --single-path         one path of each target is enough\n"
	"  --enforce-multipath   refuse where several paths are not possible\n"
	"  --min-paths N         so many of each target have to be live\n"
	"  --side SIDE           kernel: a block device; user: a file; auto\n"
	"  --file PATH           the file\n"
	"  --new-mirror          user: the replicas are new\n"
	"  --fast-io-fail SEC    requests without a path fail; replicas: 5\n"
	"  --ctrl-loss SEC       a lost path is given up; -1: never\n"
	"  --reconnect-delay SEC between attempts; 2\n"
	"  --json                the path, and how each portal is\n";

static const char disconnect_usage[] =
	"usage: hawser disconnect FILE | DEVICE [--force] [--json]\n"
	"\n"
	"Takes the device of a volume away; what other volumes need of its\n"
	"connections stays.\n"
	"\n"
	"  --force  though it is in use, or can't be written\n";

static const char show_usage[] =
	"usage: hawser connector show FILE | DEVICE [--json]\n"
	"\n"
	"Says whether a volume is connected, and how its paths are.\n";

static const char extend_usage[] =
	"usage: hawser connector extend FILE | DEVICE [--json]\n"
	"\n"
	"Makes the device of a volume that has grown as large; prints its "
	"bytes.\n";

static const char keep_usage[] =
	"usage: hawser connector keep [--interval SEC]\n"
	"\n"
	"Keeps volumes of the kernel's side as they were asked for: what is\n"
	"missing is connected again, failed replicas are taken back, and new\n"
	"addresses that targets' discovery logs list are used.  It stays in "
	"the\n"
	"foreground.\n"
	"\n"
	"  --interval SEC  between looks, if the kernel tells nothing; 5\n";

static const char properties_usage[] =
	"usage: hawser connector properties [--json]\n"
	"\n"
	"Says what a volume driver has to know of this host.\n";

/* ------------------------------------------------------------------ answers */

static const char *code_of(int rc)
{
	switch (rc) {
	case -EINVAL:
		return "invalid";
	case -ENOTCONN:
		return "no-connection";
	case -ENODEV:
		return "no-device";
	case -ENOENT:
		return "unknown";
	case -EOPNOTSUPP:
		return "not-supported";
	case -EBUSY:
		return "busy";
	default:
		return "failed";
	}
}

static void print(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int complain(const struct call *c, int rc, const char *text)
{
	json_t *j;

	fprintf(stderr, "%s: %s\n", c->command,
		text[0] != '\0' ? text : strerror(-rc));
	if (c->json) {
		j = json_pack("{s:{s:s, s:s}}", "error", "code", code_of(rc),
			      "message", text);
		print(j);
		json_decref(j);
	}
	return rc == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}

static int misused(const struct call *c, const char *what)
{
	fprintf(stderr, "%s: %s; see: %s --help\n", c->command, what,
		c->command);
	return EXIT_USAGE;
}

/* ------------------------------------------------------------------ options */

enum {
	OPT_HELP = 256,
	OPT_JSON,
	OPT_FORCE,
	OPT_SINGLE,
	OPT_ENFORCE,
	OPT_MIN,
	OPT_SIDE,
	OPT_FILE,
	OPT_NEW,
	OPT_FAST,
	OPT_LOSS,
	OPT_DELAY,
	OPT_INTERVAL,
};

#define COMMON                                                                 \
	{ "help", no_argument, NULL, OPT_HELP },                               \
	{                                                                      \
		"json", no_argument, NULL, OPT_JSON                            \
	}

static const struct option connect_options[] = {
	COMMON,
	{ "single-path", no_argument, NULL, OPT_SINGLE },
	{ "enforce-multipath", no_argument, NULL, OPT_ENFORCE },
	{ "min-paths", required_argument, NULL, OPT_MIN },
	{ "side", required_argument, NULL, OPT_SIDE },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "new-mirror", no_argument, NULL, OPT_NEW },
	{ "fast-io-fail", required_argument, NULL, OPT_FAST },
	{ "ctrl-loss", required_argument, NULL, OPT_LOSS },
	{ "reconnect-delay", required_argument, NULL, OPT_DELAY },
	{},
};
static const struct option disconnect_options[] = {
	COMMON,
	{ "force", no_argument, NULL, OPT_FORCE },
	{},
};
static const struct option keep_options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{},
};
static const struct option common_options[] = { COMMON, {} };

static bool get_number(const char *text, int least, int most, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = (int)n;
	return end != text && *end == '\0' && n >= least && n <= most;
}

static bool set_side(struct connect_options *o, const char *text)
{
	if (!is_one_of(text, "auto|kernel|user"))
		return false;
	o->side = text[0] == 'a'   ? CONNECT_AUTO
		  : text[0] == 'k' ? CONNECT_KERNEL
				   : CONNECT_USER;
	return true;
}

static bool set_file(struct connect_options *o, const char *text)
{
	char here[PATH_MAX] = "";

	if (text[0] != '/' && getcwd(here, sizeof(here) - 1) == NULL)
		return false;
	if (text[0] != '/')
		strcat(here, "/");
	return snprintf(o->file, sizeof(o->file), "%s%s", here, text) <
		       (int)sizeof(o->file) &&
	       text[0] != '\0';
}

static bool set(struct call *c, int opt, const char *value)
{
	struct connect_options *o = &c->options;
	int n = 0;
	bool ok = true;

	switch (opt) {
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_FORCE:
		c->force = true;
		break;
	case OPT_SINGLE:
		o->single_path = true;
		break;
	case OPT_ENFORCE:
		o->enforce_multipath = true;
		break;
	case OPT_NEW:
		o->new_mirror = true;
		break;
	case OPT_MIN:
		ok = get_number(value, 1, CONNECT_PORTALS_MAX, &n);
		o->min_paths = (unsigned)n;
		break;
	case OPT_SIDE:
		ok = set_side(o, value);
		break;
	case OPT_FILE:
		ok = set_file(o, value);
		break;
	case OPT_FAST:
		ok = get_number(value, 1, 86400, &o->fast_io_fail_s);
		break;
	case OPT_LOSS:
		ok = get_number(value, -1, 86400, &o->ctrl_loss_s);
		break;
	case OPT_INTERVAL:
		ok = get_number(value, 1, 3600, &c->interval_s);
		break;
	case OPT_DELAY:
		ok = get_number(value, 1, 3600, &o->reconnect_delay_s);
		break;
	}
	return ok;
}

/* -1: go on; otherwise the exit status.  *operand: what is no option, of which
 * there is one, or none if it is NULL. */
static int parse(struct call *c, int argc, char **argv,
		 const struct option *known, const char *usage,
		 const char **operand)
{
	char text[160];
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (opt == OPT_HELP) {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (opt == '?') {
			snprintf(text, sizeof(text),
				 "option %.100s is unknown, or lacks its value",
				 argv[optind - 1]);
			return misused(c, text);
		}
		if (!set(c, opt, optarg)) {
			snprintf(text, sizeof(text), "%.100s: not that",
				 optarg);
			return misused(c, text);
		}
	}
	if (argc - optind != (operand != NULL))
		return misused(c, operand ? "one file or device is needed"
					  : "it takes options only");
	if (operand != NULL)
		*operand = argv[optind];
	if (c->options.single_path &&
	    (c->options.enforce_multipath || c->options.min_paths > 1))
		return misused(c, "a single path, and several, exclude each "
				  "other");
	connect_host_init(&c->host);
	return -1;
}

/* ------------------------------------------------------------- information */

static int read_all(FILE *f, char *bytes, size_t *len)
{
	*len = fread(bytes, 1, CONNECT_JSON_MAX + 1, f);
	return ferror(f) ? -EIO : 0;
}

static int load(struct call *c, const char *file, char text[CONNECT_TEXT])
{
	auto_free char *bytes = malloc(CONNECT_JSON_MAX + 1);
	FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	size_t len = 0;
	int rc;

	if (bytes == NULL || f == NULL)
		rc = refuse_with(text, bytes == NULL ? -ENOMEM : -errno,
				 "%.200s: %s", file, strerror(errno));
	else
		rc = read_all(f, bytes, &len);
	if (f != NULL && f != stdin)
		fclose(f);
	if (rc == 0)
		rc = connect_info_load(bytes, len, &c->info, text);
	return rc;
}

/* A device or a name that is connected; else a file. */
static int find(struct call *c, const char *what, char text[CONNECT_TEXT])
{
	if (connect_find(&c->host, what, &c->info, &c->options, text) == 0)
		return 0;
	if (strncmp(what, "/dev/", 5) == 0)
		return -ENOENT;
	return load(c, what, text);
}

/* ----------------------------------------------------------------- commands */

static void print_paths(const json_t *result)
{
	const json_t *paths = json_object_get(result, "paths"), *line;
	size_t i;

	printf("%s\n", json_string_value(json_object_get(result, "path")));
	fprintf(stderr, "%lld of %lld paths are live\n",
		(long long)json_integer_value(json_object_get(paths, "live")),
		(long long)json_integer_value(
			json_object_get(paths, "wanted")));
	json_array_foreach(json_object_get(result, "warnings"), i, line)
	{
		fprintf(stderr, "%s\n", json_string_value(line));
	}
}

static int answer(const struct call *c, int rc, json_t *result,
		  const char *text)
{
	if (rc < 0)
		return complain(c, rc, text);
	if (c->json)
		print(result);
	else
		print_paths(result);
	json_decref(result);
	return EXIT_SUCCESS;
}

int connect_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser connect" };
	char text[CONNECT_TEXT] = "";
	json_t *result = NULL;
	const char *file;
	int rc = parse(&c, argc, argv, connect_options, connect_usage, &file);

	if (rc >= 0)
		return rc;
	rc = load(&c, file, text);
	if (rc == 0)
		rc = connect_volume(&c.host, &c.info, &c.options, &result,
				    text);
	return answer(&c, rc, result, text);
}

int disconnect_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser disconnect" };
	char text[CONNECT_TEXT] = "";
	const char *what;
	int rc = parse(&c, argc, argv, disconnect_options, disconnect_usage,
		       &what);

	if (rc >= 0)
		return rc;
	rc = find(&c, what, text);
	if (rc == 0)
		rc = connect_release(&c.host, &c.info, &c.options, c.force,
				     text);
	if (rc < 0)
		return complain(&c, rc, text);
	if (c.json)
		printf("{}\n");
	return EXIT_SUCCESS;
}

int connector_show_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser connector show" };
	char text[CONNECT_TEXT] = "";
	json_t *result = NULL;
	const char *what;
	int rc = parse(&c, argc, argv, common_options, show_usage, &what);

	if (rc >= 0)
		return rc;
	rc = find(&c, what, text);
	if (rc == 0)
		rc = connect_look(&c.host, &c.info, &c.options, &result, text);
	return answer(&c, rc, result, text);
}

int connector_extend_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser connector extend" };
	char text[CONNECT_TEXT] = "";
	uint64_t bytes = 0;
	const char *what;
	int rc = parse(&c, argc, argv, common_options, extend_usage, &what);

	if (rc >= 0)
		return rc;
	rc = find(&c, what, text);
	if (rc == 0)
		rc = connect_extend(&c.host, &c.info, &c.options, &bytes, text);
	if (rc < 0)
		return complain(&c, rc, text);
	printf(c.json ? "{ \"size\": %llu }\n" : "%llu\n",
	       (unsigned long long)bytes);
	return EXIT_SUCCESS;
}

int connector_keep_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser connector keep",
				 .interval_s = 5 };
	char text[CONNECT_TEXT] = "";
	int rc = parse(&c, argc, argv, keep_options, keep_usage, NULL);

	if (rc >= 0)
		return rc;
	rc = connect_keep(&c.host, (unsigned)c.interval_s * 1000, text);
	return complain(&c, rc, text);
}

int connector_properties_main(int argc, char **argv)
{
	static struct call c = { .command = "hawser connector properties" };
	int rc = parse(&c, argc, argv, common_options, properties_usage, NULL);
	const json_t *value;
	const char *key;
	json_t *j;

	if (rc >= 0)
		return rc;
	j = connect_properties(&c.host);
	if (c.json)
		print(j);
	else
		json_object_foreach(j, key, value)
		{
			printf("%-22s  %s\n", key,
			       json_is_string(value) ? json_string_value(value)
			       : json_is_true(value) ? "yes"
						     : "no");
		}
	json_decref(j);
	return EXIT_SUCCESS;
}
