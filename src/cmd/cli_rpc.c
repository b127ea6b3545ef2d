/* SPDX-License-Identifier: Apache-2.0 */
/* hawser rpc: any method, with parameters as NAME=VALUE or as one object. */
#include <stdio.h>
#include <string.h>

#include "cmd/cli.h"

static const char words[] = "rpc";

static int help(void)
{
	printf("usage: hawser rpc METHOD [NAME=VALUE… | JSON] "
	       "[--socket PATH]\n\n"
	       "Calls a method of the service and prints its result. A VALUE "
	       "that is a JSON\nnumber, true or false is sent as such, all "
	       "else as a string. The methods:\n"
	       "hawser rpc rpc_get_methods verbose=true\n");
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

int cli_rpc_main(int argc, char **argv)
{
	const char *method = NULL, *socket = NULL;
	json_t *params = NULL, *result = NULL;
	int r = CLI_OK;

	for (int i = 1; i < argc && r == CLI_OK; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			json_decref(params);
			return help();
		}
		if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
			socket = argv[++i];
		else if (strcmp(argv[i], "--json") == 0)
			continue; /* it always is */
		else if (argv[i][0] == '-')
			r = cli_usage_error(words, "unknown option '%s'",
					    argv[i]);
		else if (method == NULL)
			method = argv[i];
		else
			r = add(&params, argv[i]);
	}
	if (r == CLI_OK && method == NULL)
		r = cli_usage_error(words, "METHOD is missing");
	if (r != CLI_OK) {
		json_decref(params);
		return r;
	}
	r = cli_call(cli_socket(socket), method, params, &result);
	if (r == CLI_OK)
		cli_show_json(result);
	json_decref(result);
	return r;
}
