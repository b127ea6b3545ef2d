/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

const char *rpc_client_socket(const char *option, char path[PATH_MAX])
{
	const char *rpc = getenv("HAWSER_RPC"), *state = getenv("HAWSER_STATE");

	if (option != NULL)
		return option;
	if (rpc != NULL && rpc[0])
		return rpc;
	snprintf(path, PATH_MAX, "%s/rpc.sock",
		 state && state[0] ? state : "/var/lib/hawser");
	return path;
}

__attribute__((format(printf, 3, 4))) static int fail(
	char text[RPC_CLIENT_TEXT], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, RPC_CLIENT_TEXT, format, args);
	va_end(args);
	return error;
}

static int connect_to(const char *path, int timeout_s)
{
	const struct timeval limit = { .tv_sec = timeout_s };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
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
	if (text == NULL || !send_all(fd, text, strlen(text)))
		return NULL;
	in = fdopen(dup(fd), "r");
	if (in == NULL)
		return NULL;
	reply = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(in);
	return reply;
}

/* Takes the result out of the reply, or says what the error is. */
static int unwrap(const char *path, json_t *reply, json_t **result, int *code,
		  char text[RPC_CLIENT_TEXT])
{
	const char *message;

	if (json_unpack(reply, "{s:O}", "result", result) == 0)
		return 0;
	if (json_unpack(reply, "{s:{s:i, s:s}}", "error", "code", code,
			"message", &message) < 0)
		return fail(text, -EPROTO, "%s: the answer is not JSON-RPC",
			    path);
	return fail(text, -EREMOTEIO, "%s", message);
}

int rpc_client_call(const char *path, const char *method, json_t *params,
		    int timeout_s, json_t **result, int *code,
		    char text[RPC_CLIENT_TEXT])
{
	json_t *request =
		json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", 1,
			  "method", method, "params", params);
	json_t *reply;
	int fd, r;

	*result = NULL;
	*code = 0;
	fd = connect_to(path, timeout_s);
	if (fd < 0) {
		json_decref(request);
		return fail(text, fd, "%s: %s", path,
			    fd == -ENOENT || fd == -ECONNREFUSED
				    ? "no hawserd listens here"
				    : strerror(-fd));
	}
	reply = exchange(fd, request);
	close(fd);
	r = reply ? unwrap(path, reply, result, code, text)
		  : fail(text, -ECONNRESET,
			 "%s: hawserd closed the connection, or took too long",
			 path);
	json_decref(reply);
	return r;
}
