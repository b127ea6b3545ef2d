/* SPDX-License-Identifier: Apache-2.0 */
/* hawser: finds the command that the first words name, and runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cmd/cli.h"
#include "mount/mount.h"

int cli_usage_error(const char *words, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "hawser%s%s: ", words[0] ? " " : "", words);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see: hawser%s%s --help\n", words[0] ? " " : "",
		words);
	return CLI_USAGE;
}

/* How many arguments the words take, if the arguments start with them. */
static int match(const char *words, int argc, char **argv)
{
	int n = 0;

	while (n < argc) {
		size_t len = strcspn(words, " ");

		if (strlen(argv[n]) != len || strncmp(words, argv[n], len) != 0)
			return 0;
		n++;
		if (words[len] == '\0')
			return n;
		words += len + 1;
	}
	return 0;
}

static const struct cli_command *find(int argc, char **argv, int *words)
{
	for (const struct cli_command *c = cli_commands; c->words; c++) {
		*words = match(c->words, argc, argv);
		if (*words > 0)
			return c;
	}
	return NULL;
}

static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (const struct cli_command *c = cli_commands; c->words; c++)
		if (strncmp(c->words, word, len) == 0 && c->words[len] == ' ')
			return true;
	return false;
}

/* Lists the commands whose first word is `group`, or all for "". */
static int list_commands(const char *group)
{
	size_t len = strlen(group);
	int n = 0;

	for (const struct cli_command *c = cli_commands; c->words; c++) {
		if (len > 0 && (strncmp(c->words, group, len) != 0 ||
				c->words[len] != ' '))
			continue;
		if (n++ == 0)
			printf("usage: hawser COMMAND …\n\n");
		printf("  %-20s  %s\n", c->words, c->help);
	}
	if (n > 0)
		printf("\nhawser COMMAND --help says more; "
		       "man hawser says all.\n");
	return n;
}

static int without_command(int argc, char **argv)
{
	bool help = argc > 0 && strcmp(argv[argc - 1], "--help") == 0;

	if (argc > 0 && strcmp(argv[0], "--version") == 0) {
		printf("hawser %s\n", HAWSER_VERSION);
		return CLI_OK;
	}
	if (help && argc <= 2 && list_commands(argc == 2 ? argv[0] : "") > 0)
		return CLI_OK;
	if (argc == 0)
		return cli_usage_error("", "no command given");
	if (argc == 1 && is_group(argv[0]))
		return cli_usage_error(argv[0], "what of it?");
	return cli_usage_error("", "unknown command '%s%s%s'", argv[0],
			       argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
}

/* What mount(8) and umount(8) call this program; also its first argument, for
 * who does not want to look for a link with that name. */
static const struct helper {
	const char *name;
	int (*main)(int argc, char **argv);
} helpers[] = {
	{ "mount.hawser", helper_main },
	{ "mount.efs", helper_main },
	{ "umount.fuse.hawser", helper_umount_main },
};

static const struct helper *find_helper(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	for (const struct helper *h = helpers;
	     path && h < helpers + ARRAY_SIZE(helpers); h++)
		if (strcmp(slash ? slash + 1 : path, h->name) == 0)
			return h;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct helper *helper = find_helper(argv[0]);
	const struct cli_command *c;
	int words;

	if (helper == NULL && argc > 1 && (helper = find_helper(argv[1]))) {
		argc--;
		argv++;
	}
	if (helper != NULL)
		return helper->main(argc, argv);
	c = find(argc - 1, argv + 1, &words);
	if (c == NULL)
		return without_command(argc - 1, argv + 1);
	argc -= words;
	argv += words;
	return c->main ? c->main(argc, argv)
		       : cli_run_call(c, argc - 1, argv + 1);
}
