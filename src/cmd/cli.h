/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line `hawser`: what its files share.  A command either is a main
 * function of another room, or one JSON-RPC call that a row of the table in
 * cli_commands.c describes: which method, which parameters, how to show the
 * result.
 *
 * Exit status: 0 done, 1 refused or failed, 2 not understood; with 1 and 2, one
 * line on stderr says why.
 */
#ifndef CMD_CLI_H
#define CMD_CLI_H

#include <jansson.h>
#include <stdbool.h>

enum { CLI_OK, CLI_FAILED, CLI_USAGE };
enum { CLI_PARAMS_MAX = 6, CLI_TEXT_SIZE = 512 };

/* An argument of a command, which becomes a parameter of its method. */
struct cli_param {
	const char *name;  /* of the method's parameter */
	const char *flag;  /* "--name"; NULL: by position */
	const char *shown; /* in the usage: "NAME" */
	const char *help;
	bool integer;
	bool bytes;	   /* an integer, which may end in K, M, G or T */
	bool optional;	   /* of those by position */
	bool needed;	   /* of the flags */
	const char *fixed; /* not given by the user: always this */
};

struct cli_command {
	const char *words; /* "fs create"; NULL ends the table */
	const char *help;
	/* Either a function that gets all arguments but the words… */
	int (*main)(int argc, char **argv);
	const char *usage; /* of main: "ADDRESS:/PATH DIR [-o OPTIONS]" */
	/* … or a call. */
	const char *method;
	struct cli_param params[CLI_PARAMS_MAX];
	void (*show)(const json_t *result);
	bool only; /* the result is an array of one: take it out */
};

extern const struct cli_command cli_commands[];

/* Prints "hawser WORDS: …" and a newline to stderr, and returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage_error(const char *words,
							  const char *format,
							  ...);

/* Runs a command that is a call. */
int cli_run_call(const struct cli_command *command, int argc, char **argv);

/* cli_client.c: calls the service at `path`.  Takes ownership of params (may
 * be NULL).  CLI_OK and a new reference in *result, or CLI_FAILED after
 * having said why. */
int cli_call(const char *path, const char *method, json_t *params,
	     json_t **result);
/* The same, but says why in `text`. */
int cli_try(const char *path, const char *method, json_t *params,
	    json_t **result, char text[CLI_TEXT_SIZE]);
/* --socket, or what the environment says: $HAWSER_RPC, or rpc.sock in
 * $HAWSER_STATE or /var/lib/hawser. */
const char *cli_socket(const char *option);

/* cli_show.c */
void cli_show_json(const json_t *value);
void cli_show_id(const json_t *object);
void cli_show_url(const json_t *object);
void cli_show_object(const json_t *object);
void cli_show_fs_table(const json_t *list);
void cli_show_target(const json_t *object);
void cli_show_target_table(const json_t *list);
void cli_show_point_table(const json_t *list);
void cli_show_subnet_table(const json_t *list);
void cli_show_profile(const json_t *key);
void cli_show_key_table(const json_t *list);
void cli_show_volume(const json_t *object);
void cli_show_volume_table(const json_t *list);
void cli_show_connect_info(const json_t *volume);
void cli_show_nothing(const json_t *value);

/* cli_rpc.c: hawser rpc METHOD … */
int cli_rpc_main(int argc, char **argv);

/* cli_options.c: arguments become parameters, by what rpc_get_methods says of
 * the method.  *params is a new reference, also after an error. */
int cli_options_parse(const char *words, const json_t *method, int argc,
		      char **argv, json_t **params);
void cli_options_help(const json_t *method);

/* cli_config.c: save_config and its kin; NULL: `command` is none of them. */
typedef int cli_config_fn(const char *socket, int argc, char **argv);
cli_config_fn *cli_config_find(const char *command);
int cli_config_help(void);

#endif
