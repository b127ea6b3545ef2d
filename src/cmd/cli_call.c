/* SPDX-License-Identifier: Apache-2.0 */
/* A command that is one call: its arguments become parameters, by its row. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cli.h"

struct parsed {
	const struct cli_command *command;
	json_t *params;
	const char *socket;
	bool json, help;
};

static bool by_position(const struct cli_param *p)
{
	return p->flag == NULL && p->fixed == NULL;
}

static void print_usage(const struct cli_command *c)
{
	const struct cli_param *p;

	printf("usage: hawser %s", c->words);
	for (p = c->params; p->name; p++)
		if (by_position(p))
			printf(p->optional ? " [%s]" : " %s", p->shown);
	printf(" [OPTION…]\n\n%s\n\n", c->help);
	for (p = c->params; p->name; p++)
		if (!p->fixed)
			printf("  %-12s %-10s %s\n", p->flag ? p->flag : "",
			       p->shown, p->help);
	printf("  %-12s %-10s print the reply as JSON\n", "--json", "");
	printf("  %-12s %-10s of the service; default: $HAWSER_RPC, or "
	       "rpc.sock\n  %-12s %-10s in $HAWSER_STATE or "
	       "/var/lib/hawser\n",
	       "--socket", "PATH", "", "");
}

static int set_integer(struct parsed *in, const struct cli_param *p,
		       const char *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < INT_MIN || n > INT_MAX)
		return cli_usage_error(in->command->words,
				       "%s must be a number, not '%s'",
				       p->shown, value);
	json_object_set_new(in->params, p->name, json_integer(n));
	return CLI_OK;
}

/* "10G": K, M, G and T are powers of 1024. */
static int set_bytes(struct parsed *in, const struct cli_param *p,
		     const char *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	long long n, factor = 1;
	char *end;

	errno = 0;
	n = strtoll(value, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit != NULL) {
		factor <<= 10 * (unit - units + 1);
		end++;
	}
	if (errno || end == value || *end || n < 1 || n > INT64_MAX / factor)
		return cli_usage_error(in->command->words,
				       "%s must be a size like 10G, not '%s'",
				       p->shown, value);
	json_object_set_new(in->params, p->name, json_integer(n * factor));
	return CLI_OK;
}

static int set(struct parsed *in, const struct cli_param *p, const char *value)
{
	json_t *text;

	if (json_object_get(in->params, p->name))
		return cli_usage_error(in->command->words, "%s given twice",
				       p->flag ? p->flag : p->shown);
	if (p->integer)
		return set_integer(in, p, value);
	if (p->bytes)
		return set_bytes(in, p, value);
	text = json_string(value);
	if (text == NULL)
		return cli_usage_error(in->command->words, "%s is not UTF-8",
				       p->shown);
	json_object_set_new(in->params, p->name, text);
	return CLI_OK;
}

/* --flag VALUE or --flag=VALUE; moves *i past what was used. */
static int take_option(struct parsed *in, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *value = strchr(arg, '=');
	size_t len = value ? (size_t)(value - arg) : strlen(arg);
	const struct cli_param *p;
	bool is_socket = len == 8 && strncmp(arg, "--socket", len) == 0;

	for (p = in->command->params; p->name; p++)
		if (p->flag && strlen(p->flag) == len &&
		    strncmp(p->flag, arg, len) == 0)
			break;
	if (p->name == NULL && !is_socket)
		return cli_usage_error(in->command->words,
				       "unknown option '%s'", arg);
	if (value != NULL)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return cli_usage_error(in->command->words, "%s needs a value",
				       arg);
	if (!is_socket)
		return set(in, p, value);
	in->socket = value;
	return CLI_OK;
}

static int take_argument(struct parsed *in, const char *value)
{
	const struct cli_param *p;

	for (p = in->command->params; p->name; p++)
		if (by_position(p) && !json_object_get(in->params, p->name))
			return set(in, p, value);
	return cli_usage_error(in->command->words, "'%s' is too much", value);
}

static int check_complete(struct parsed *in)
{
	for (const struct cli_param *p = in->command->params; p->name; p++) {
		if (p->fixed)
			json_object_set_new(in->params, p->name,
					    json_string(p->fixed));
		else if ((by_position(p) ? !p->optional : p->needed) &&
			 !json_object_get(in->params, p->name))
			return cli_usage_error(in->command->words,
					       "%s is missing",
					       p->flag ? p->flag : p->shown);
	}
	return CLI_OK;
}

static int parse(struct parsed *in, int argc, char **argv)
{
	bool options = true;
	int r = CLI_OK;

	for (int i = 0; i < argc && r == CLI_OK; i++) {
		if (!options || argv[i][0] != '-')
			r = take_argument(in, argv[i]);
		else if (strcmp(argv[i], "--") == 0)
			options = false;
		else if (strcmp(argv[i], "--json") == 0)
			in->json = true;
		else if (strcmp(argv[i], "--help") == 0)
			in->help = true;
		else
			r = take_option(in, argc, argv, &i);
	}
	return r == CLI_OK && !in->help ? check_complete(in) : r;
}

static void show(const struct parsed *in, json_t *result)
{
	const struct cli_command *c = in->command;
	json_t *value = c->only ? json_array_get(result, 0) : result;

	if (in->json)
		cli_show_json(value);
	else
		c->show(value);
}

int cli_run_call(const struct cli_command *command, int argc, char **argv)
{
	struct parsed in = { .command = command, .params = json_object() };
	json_t *result = NULL;
	int r = parse(&in, argc, argv);

	if (r != CLI_OK || in.help) {
		json_decref(in.params);
		if (r == CLI_OK)
			print_usage(command);
		return r;
	}
	if (json_object_size(in.params) == 0) {
		json_decref(in.params);
		in.params = NULL;
	}
	r = cli_call(cli_socket(in.socket), command->method, in.params,
		     &result);
	if (r == CLI_OK)
		show(&in, result);
	json_decref(result);
	return r;
}
