/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC from the command line: one blocking call on one connection. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cli.h"

const char *cli_socket(const char *option)
{
	static char path[PATH_MAX];
	const char *rpc = getenv("HAWSER_RPC"), *state = getenv("HAWSER_STATE");

	if (option != NULL)
		return option;
	if (rpc != NULL && rpc[0])
		return rpc;
	snprintf(path, sizeof(path), "%s/rpc.sock",
		 state && state[0] ? state : "/var/lib/hawser");
	return path;
}

__attribute__((format(printf, 2, 3))) static int fail(char text[CLI_TEXT_SIZE],
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, CLI_TEXT_SIZE, format, args);
	va_end(args);
	return CLI_FAILED;
}

static int connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		text += MAX(n, (ssize_t)0);
		len -= MAX(n, (ssize_t)0);
	}
	return true;
}

/* The reply to `request`, whose reference is taken; NULL: no answer. */
static json_t *exchange(int fd, json_t *request)
{
	auto_free char *text = json_dumps(request, JSON_COMPACT);
	json_t *reply;
	FILE *in;

	json_decref(request);
	if (!send_all(fd, text, strlen(text)))
		return NULL;
	in = fdopen(dup(fd), "r");
	if (in == NULL)
		return NULL;
	reply = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(in);
	return reply;
}

/* Takes the result out of the reply, or says what the error is. */
static int unwrap(const char *path, json_t *reply, json_t **result,
		  char text[CLI_TEXT_SIZE])
{
	const char *message;

	if (json_unpack(reply, "{s:O}", "result", result) == 0)
		return CLI_OK;
	if (json_unpack(reply, "{s:{s:s}}", "error", "message", &message) < 0)
		return fail(text, "%s: the answer is not JSON-RPC", path);
	return fail(text, "%s", message);
}

int cli_try(const char *path, const char *method, json_t *params,
	    json_t **result, char text[CLI_TEXT_SIZE])
{
	json_t *request =
		json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", 1,
			  "method", method, "params", params);
	json_t *reply;
	int fd, r;

	fd = connect_to(path);
	if (fd < 0) {
		json_decref(request);
		return fail(text, "%s: %s", path,
			    errno == ENOENT || errno == ECONNREFUSED
				    ? "no hawserd listens here"
				    : strerror(errno));
	}
	reply = exchange(fd, request);
	close(fd);
	r = reply ? unwrap(path, reply, result, text)
		  : fail(text, "%s: hawserd closed the connection", path);
	json_decref(reply);
	return r;
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
