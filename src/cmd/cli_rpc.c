/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser rpc: any method, with parameters as NAME=VALUE, as one JSON object, or
 * as SPDK's rpc.py takes them.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cli.h"

static const char words[] = "rpc";

struct rpc_line {
	const char *socket, *method;
	bool help, as_json;
	int argc;    /* what stands behind the method, */
	char **argv; /* without the options that we take */
};

static int help(void)
{
	printf("usage: hawser rpc [-s SOCKET] METHOD [ARGUMENT…]\n"
	       "       hawser rpc [-s SOCKET] METHOD [NAME=VALUE… | JSON]\n\n"
	       "Calls a method of the service and prints its result. Arguments "
	       "and options are\nthose of SPDK's rpc.py: hawser rpc METHOD "
	       "--help. A VALUE that is a JSON\nnumber, true or false is sent "
	       "as such, all else as a string. The methods:\n"
	       "hawser rpc rpc_get_methods\n\n"
	       "save_config and load_config write and read the configuration "
	       "as a whole.\n");
	return CLI_OK;
}

/* What is JSON but no string needs no quotes: 5, true. */
static json_t *value_of(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	return value ? value : json_string(text);
}

static int add(json_t **params, const char *arg)
{
	const char *equals = strchr(arg, '=');
	json_t *value;
	int r;

	if (arg[0] == '{' && *params == NULL) {
		*params = json_loads(arg, 0, NULL);
		return *params ? CLI_OK
			       : cli_usage_error(words, "'%s' is not JSON",
						 arg);
	}
	if (equals == NULL || equals == arg)
		return cli_usage_error(words, "'%s' is not NAME=VALUE", arg);
	if (*params == NULL)
		*params = json_object();
	value = value_of(equals + 1);
	r = json_object_setn_new(*params, arg, equals - arg, value);
	return r == 0 ? CLI_OK
		      : cli_usage_error(words, "'%s' is not UTF-8", arg);
}

/* NAME=VALUE or JSON. */
static bool is_plain(const char *arg)
{
	size_t n = strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return arg[0] == '{' || (n > 0 && arg[n] == '=');
}

static bool all_plain(const struct rpc_line *l)
{
	for (int i = 0; i < l->argc; i++)
		if (!is_plain(l->argv[i]))
			return false;
	return true;
}

static int plain_params(const struct rpc_line *l, json_t **params)
{
	int r = CLI_OK;

	for (int i = 0; i < l->argc && r == CLI_OK; i++)
		r = add(params, l->argv[i]);
	return r;
}

/* What the service says of the method; a new reference. */
static int describe(const struct rpc_line *l, json_t **method)
{
	json_t *list = NULL, *m;
	size_t i;
	int r = cli_call(cli_socket(l->socket), "rpc_get_methods",
			 json_pack("{s:b}", "verbose", 1), &list);

	if (r != CLI_OK)
		return r;
	*method = NULL;
	json_array_foreach(list, i, m)
	{
		const char *name =
			json_string_value(json_object_get(m, "name"));

		if (name != NULL && strcmp(name, l->method) == 0)
			*method = json_incref(m);
	}
	json_decref(list);
	if (*method != NULL)
		return CLI_OK;
	fprintf(stderr, "hawser: Method not found\n");
	return CLI_FAILED;
}

static int make_params(struct rpc_line *l, json_t **params)
{
	json_t *method = NULL;
	int r;

	if (all_plain(l))
		return plain_params(l, params);
	r = describe(l, &method);
	if (r == CLI_OK)
		r = cli_options_parse(words, method, l->argc, l->argv, params);
	json_decref(method);
	return r;
}

static int help_on(const struct rpc_line *l)
{
	json_t *method = NULL;
	int r = describe(l, &method);

	if (r == CLI_OK)
		cli_options_help(method);
	json_decref(method);
	return r;
}

/* As rpc.py: names stand alone, and success says nothing; unless the call was
 * made of JSON. */
static void show(const struct rpc_line *l, const json_t *result)
{
	bool as_json = l->as_json || (l->argc > 0 && all_plain(l));

	if (!as_json && json_is_string(result))
		puts(json_string_value(result));
	else if (as_json || !json_is_true(result))
		cli_show_json(result);
}

/* The options before the method are rpc.py's. */
static int parse(struct rpc_line *l, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		bool has_value = i + 1 < argc;

		if (strcmp(arg, "--socket") == 0 && has_value)
			l->socket = argv[++i];
		else if (strcmp(arg, "--json") == 0)
			l->as_json = true;
		else if (strcmp(arg, "--help") == 0)
			l->help = true;
		else if (l->method != NULL)
			l->argv[l->argc++] = argv[i];
		else if (strcmp(arg, "-s") == 0 && has_value)
			l->socket = argv[++i];
		else if ((strcmp(arg, "-t") == 0 || strcmp(arg, "-r") == 0) &&
			 has_value)
			i++; /* a call takes as long as it takes */
		else if (strcmp(arg, "-v") == 0)
			continue;
		else if (arg[0] == '-')
			return cli_usage_error(words, "unknown option '%s'",
					       arg);
		else
			l->method = arg;
	}
	if (l->method == NULL && !l->help)
		return cli_usage_error(words, "METHOD is missing");
	return CLI_OK;
}

static int call(struct rpc_line *l)
{
	json_t *params = NULL, *result = NULL;
	int r = make_params(l, &params);

	if (json_object_size(params) == 0) {
		json_decref(params);
		params = NULL;
	}
	if (r != CLI_OK) {
		json_decref(params);
		return r;
	}
	r = cli_call(cli_socket(l->socket), l->method, params, &result);
	if (r == CLI_OK)
		show(l, result);
	json_decref(result);
	return r;
}

int cli_rpc_main(int argc, char **argv)
{
	struct rpc_line l = { .argv = argv };
	cli_config_fn *config;
	int r = parse(&l, argc, argv);

	if (r != CLI_OK)
		return r;
	if (l.method == NULL)
		return help();
	config = cli_config_find(l.method);
	if (config != NULL)
		return l.help ? cli_config_help()
			      : config(cli_socket(l.socket), l.argc, l.argv);
	return l.help ? help_on(&l) : call(&l);
}
