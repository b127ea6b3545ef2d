/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser rpc save_config, load_config and the same for one subsystem: the whole
 * configuration as a file of calls, in the format of SPDK's rpc.py, made from
 * framework_get_subsystems and framework_get_config.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cli.h"

struct options {
	int indent;
	const char *file;  /* NULL: stdin */
	const char *names; /* of subsystems: "bdev,nvmf"; NULL: all */
};

static int parse(const char *command, int argc, char **argv,
		 struct options *out)
{
	static const struct {
		const char *name, *longer, *only_for;
	} known[] = {
		{ "-i", "--indent", "save" },
		{ "-j", "--json-conf", "load" },
		{ "-s", "--subsystems", "save_config" },
		{ "-n", "--name", "save_subsystem" },
	};

	*out = (struct options){ .indent = 2 };
	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		while (k < 4 && ((strcmp(argv[i], known[k].name) != 0 &&
				  strcmp(argv[i], known[k].longer) != 0) ||
				 strncmp(command, known[k].only_for,
					 strlen(known[k].only_for)) != 0))
			k++;
		if (k == 4 || i + 1 == argc)
			return cli_usage_error("rpc",
					       k == 4 ? "unknown option '%s'"
						      : "%s needs a value",
					       argv[i]);
		i++;
		if (k == 0)
			out->indent = atoi(argv[i]);
		else if (k == 1)
			out->file = argv[i];
		else
			out->names = argv[i];
	}
	return CLI_OK;
}

static void print(const json_t *value, int indent)
{
	json_dumpf(value, stdout,
		   indent < 0 ? 0 : JSON_INDENT(indent > 31 ? 31 : indent));
	putchar('\n');
}

static const char *name_of(const json_t *subsystem)
{
	const char *name =
		json_string_value(json_object_get(subsystem, "subsystem"));

	return name ? name : "";
}

static bool is_listed(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (; names && *names;
	     names += strcspn(names, ","), names += *names == ',')
		if (strcspn(names, ",") == len && memcmp(names, name, len) == 0)
			return true;
	return names == NULL;
}

/* {"subsystem": NAME, "config": […]} */
static int get_config(const char *socket, const char *name, json_t **out)
{
	json_t *config = NULL;
	int r = cli_call(socket, "framework_get_config",
			 json_pack("{s:s}", "name", name), &config);

	if (r == CLI_OK)
		*out = json_pack("{s:s, s:o}", "subsystem", name, "config",
				 config);
	return r;
}

static int save(const char *socket, int argc, char **argv)
{
	json_t *list = NULL, *all = json_array(), *s, *one;
	struct options o;
	size_t i;
	int r = parse("save_config", argc, argv, &o);

	if (r == CLI_OK)
		r = cli_call(socket, "framework_get_subsystems", NULL, &list);
	json_array_foreach(list, i, s)
	{
		if (r != CLI_OK || !is_listed(o.names, name_of(s)))
			continue;
		r = get_config(socket, name_of(s), &one);
		if (r == CLI_OK)
			json_array_append_new(all, one);
	}
	json_decref(list);
	list = json_pack("{s:o}", "subsystems", all);
	if (r == CLI_OK)
		print(list, o.indent);
	json_decref(list);
	return r;
}

static int save_subsystem(const char *socket, int argc, char **argv)
{
	json_t *one = NULL;
	struct options o;
	int r = parse("save_subsystem_config", argc, argv, &o);

	if (r == CLI_OK && o.names == NULL)
		return cli_usage_error("rpc", "-n NAME is missing");
	if (r == CLI_OK)
		r = get_config(socket, o.names, &one);
	if (r == CLI_OK)
		print(one, o.indent);
	json_decref(one);
	return r;
}

static int read_file(const char *path, json_t **out)
{
	json_error_t error;

	*out = path ? json_load_file(path, 0, &error)
		    : json_loadf(stdin, 0, &error);
	if (*out != NULL)
		return CLI_OK;
	fprintf(stderr, "hawser: %s: %s\n", path ? path : "standard input",
		error.text);
	return CLI_FAILED;
}

/* One subsystem's calls, in order; stops at the first that is refused. */
static int make_calls(const char *socket, const json_t *subsystem)
{
	json_t *calls = json_object_get(subsystem, "config"), *call;
	char text[CLI_TEXT_SIZE];
	size_t i;

	json_array_foreach(calls, i, call)
	{
		json_t *params = json_object_get(call, "params");
		json_t *result = NULL;
		const char *method =
			json_string_value(json_object_get(call, "method"));
		int r;

		if (method == NULL) {
			fprintf(stderr, "hawser: %s: a call without method\n",
				name_of(subsystem));
			return CLI_FAILED;
		}
		if (params != NULL && json_object_size(params) == 0)
			params = NULL;
		r = cli_try(socket, method, json_incref(params), &result, text);
		json_decref(result);
		if (r != CLI_OK) {
			fprintf(stderr, "hawser: %s, call %zu, %s: %s\n",
				name_of(subsystem), i + 1, method, text);
			return r;
		}
	}
	return CLI_OK;
}

static int load(const char *socket, int argc, char **argv)
{
	json_t *file = NULL, *list, *s;
	struct options o;
	size_t i;
	int r = parse("load_config", argc, argv, &o);

	if (r == CLI_OK)
		r = read_file(o.file, &file);
	list = json_object_get(file, "subsystems");
	if (r == CLI_OK && !json_is_array(list)) {
		fprintf(stderr, "hawser: no array \"subsystems\" in it\n");
		r = CLI_FAILED;
	}
	json_array_foreach(list, i, s) if (r == CLI_OK) r =
		make_calls(socket, s);
	json_decref(file);
	return r;
}

static int load_subsystem(const char *socket, int argc, char **argv)
{
	json_t *file = NULL;
	struct options o;
	int r = parse("load_subsystem_config", argc, argv, &o);

	if (r == CLI_OK)
		r = read_file(o.file, &file);
	if (r == CLI_OK)
		r = make_calls(socket, file);
	json_decref(file);
	return r;
}

cli_config_fn *cli_config_find(const char *command)
{
	static const struct {
		const char *name;
		cli_config_fn *run;
	} commands[] = {
		{ "save_config", save },
		{ "load_config", load },
		{ "save_subsystem_config", save_subsystem },
		{ "load_subsystem_config", load_subsystem },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, command) == 0)
			return commands[i].run;
	return NULL;
}

int cli_config_help(void)
{
	printf("usage: hawser rpc save_config [-i INDENT] [-s NAME,…]\n"
	       "       hawser rpc load_config [-j FILE]\n"
	       "       hawser rpc save_subsystem_config -n NAME [-i INDENT]\n"
	       "       hawser rpc load_subsystem_config [-j FILE]\n\n"
	       "Writes the configuration of block devices and the NVMe target "
	       "to standard output,\nas calls; makes the calls of such a "
	       "file, or of standard input.\n");
	return CLI_OK;
}
