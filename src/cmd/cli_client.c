/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC from the command line. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cli.h"
#include "rpc/client.h"

static_assert((int)CLI_TEXT_SIZE == (int)RPC_CLIENT_TEXT, "one text");

const char *cli_socket(const char *option)
{
	static char path[PATH_MAX];

	return rpc_client_socket(option, path);
}

int cli_try(const char *path, const char *method, json_t *params,
	    json_t **result, char text[CLI_TEXT_SIZE])
{
	int code;

	return rpc_client_call(path, method, params, 0, result, &code, text)
		       ? CLI_FAILED
		       : CLI_OK;
}

int cli_call(const char *path, const char *method, json_t *params,
	     json_t **result)
{
	char text[CLI_TEXT_SIZE];
	int r = cli_try(path, method, params, result, text);

	if (r != CLI_OK)
		fprintf(stderr, "hawser: %s\n", text);
	return r;
}
