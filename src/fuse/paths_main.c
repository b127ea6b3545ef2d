/* SPDX-License-Identifier: Apache-2.0 */
/* hawser paths: asks who serves mounts and volumes, all of them or one. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fuse/fuse.h"
#include "fuse/mountpoint.h"
#include "fuse/report.h"
#include "status/show.h"
#include "status/status.h"
#include "volume/volume.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: hawser paths [DIR | VOLUME] [--watch] [--json]\n"
	"\n"
	"  DIR      one mount, or attached file; "
	"default: all\n"
	"  VOLUME   one volume, by its UUID\n"
	"  --watch  again each second\n"
	"  --json   all there is to know\n"
	"  --help\n";

static json_t *ask_all(void)
{
	char directory[PATH_MAX], socket[PATH_MAX + NAME_MAX + 2];
	json_t *list = json_array(), *report;
	struct dirent *d;
	DIR *dir;

	status_directory(directory);
	dir = opendir(directory);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, "mount-", 6) != 0 &&
		    strncmp(d->d_name, "volume-", 7) != 0)
			continue;
		snprintf(socket, sizeof(socket), "%s/%s", directory, d->d_name);
		report = status_ask(socket);
		if (json_is_array(report))
			json_array_extend(list, report);
		else
			json_array_append(list, report); /* NULL: no effect */
		json_decref(report);
	}
	if (dir != NULL)
		closedir(dir);
	return list;
}

/* By the name of a mount point or a volume. */
static json_t *ask_one(const char *name)
{
	char mountpoint[PATH_MAX], socket[PATH_MAX];
	json_t *list = json_array(), *all, *one;
	size_t i;

	if (mountpoint_resolve(name, mountpoint) == 0) {
		mountpoint_socket(mountpoint, socket);
		if (json_array_append_new(list, status_ask(socket)) == 0)
			return list;
	}
	all = ask_all();
	json_array_foreach(all, i, one)
	{
		if (strcmp(show_text(one, "volume"), name) == 0)
			json_array_append(list, one);
	}
	json_decref(all);
	if (json_array_size(list) > 0)
		return list;
	fprintf(stderr, "hawser paths: %s: no mount of hawser, and no volume\n",
		name);
	json_decref(list);
	return NULL;
}

static void print(const json_t *list, bool as_json)
{
	const json_t *report;
	size_t i;

	if (as_json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	if (json_array_size(list) == 0)
		puts("nothing is mounted");
	json_array_foreach((json_t *)list, i, report)
	{
		if (i > 0)
			putchar('\n');
		if (json_object_get(report, "volume") != NULL)
			volume_report_print(report);
		else
			report_print(report);
	}
}

static int show(const char *name, bool as_json)
{
	json_t *list = name ? ask_one(name) : ask_all();

	if (list == NULL)
		return EXIT_FAILURE;
	print(list, as_json);
	fflush(stdout);
	json_decref(list);
	return EXIT_SUCCESS;
}

static int usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hawser paths: %s %s; see: hawser paths --help\n", what,
		which);
	return EXIT_USAGE;
}

int paths_main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "watch", no_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	bool watch = false, as_json = false;
	int opt, status;

	optind = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (opt == '?')
			return usage_error("unknown option", argv[optind - 1]);
		watch |= opt == 'w';
		as_json |= opt == 'j';
	}
	if (argc - optind > 1)
		return usage_error("unknown argument", argv[optind + 1]);
	for (;;) {
		if (watch && !as_json && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout); /* clear */
		status = show(argv[optind], as_json);
		if (!watch || status != EXIT_SUCCESS)
			return status;
		sleep(1);
	}
}
