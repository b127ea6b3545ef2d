/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one JSON text to its reply: is it a request, is there such a method, do
 * its parameters fit the table (params.c), run it, wrap what comes out.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "rpc/internal.h"

int rpc_refuse(struct rpc_call *call, int code, const char *format, ...)
{
	va_list args;

	call->code = code;
	call->error.code = NULL;
	va_start(args, format);
	vsnprintf(call->error.text, sizeof(call->error.text), format, args);
	va_end(args);
	return code;
}

int rpc_fail(struct rpc_call *call, int code, int error, const char *text)
{
	call->error_number = error;
	return rpc_refuse(call, code, "%s",
			  text && text[0] ? text : strerror(-error));
}

/* ------------------------------------------------------------ requests --- */

static json_t *error_reply(json_t *id, struct rpc_call *call)
{
	json_t *error;

	/* Messages quote what was sent, and may have cut it within a
	 * character. */
	utf8_repair(call->error.text);
	error = json_pack("{s:i, s:s}", "code", call->code, "message",
			  call->error.text);
	if (call->error.code != NULL)
		json_object_set_new(error, "data",
				    json_pack("{s:s}", "code",
					      call->error.code));
	return json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id,
			 "error", error);
}

static json_t *invalid_request(void)
{
	struct rpc_call call = {};

	rpc_refuse(&call, RPC_INVALID_REQUEST, "Invalid request");
	return error_reply(json_null(), &call);
}

static void lock(const struct rpc_call *call)
{
	if (call->env->lock == NULL)
		return;
	if (call->method->lock == RPC_READS)
		task_read_lock(call->env->lock);
	else if (call->method->lock == RPC_CHANGES)
		task_write_lock(call->env->lock);
}

static void unlock(const struct rpc_call *call)
{
	if (call->env->lock == NULL)
		return;
	if (call->method->lock == RPC_READS)
		task_read_unlock(call->env->lock);
	else if (call->method->lock == RPC_CHANGES)
		task_write_unlock(call->env->lock);
}

void rpc_run(struct rpc_call *call)
{
	int r;

	if (rpc_check_params(call, call->method) != 0)
		return;
	if (!call->replay) /* a start takes it once for all */
		lock(call);
	r = call->method->run(call);
	if (!call->replay)
		unlock(call);
	if (r < 0 && call->code == 0)
		call->code = r;
}

static void run(struct rpc_call *call, const char *name)
{
	call->method = rpc_method_find(call->env, name);
	if (call->method != NULL)
		rpc_run(call);
	else
		rpc_refuse(call, RPC_METHOD_NOT_FOUND, "Method not found");
}

/* A new reference; NULL if none is due. */
static json_t *answer(const struct rpc_environment *env, json_t *request)
{
	struct rpc_call call = { .env = env };
	const char *version = "2.0", *method;
	json_t *id = NULL, *reply;
	size_t len;

	if (!json_is_object(request) ||
	    json_unpack(request, "{s?s, s:s%, s?o, s?o}", "jsonrpc", &version,
			"method", &method, &len, "params", &call.params, "id",
			&id) < 0 ||
	    strlen(method) != len || /* a NUL in it */
	    strcmp(version, "2.0") != 0 ||
	    (id != NULL && !json_is_null(id) && !json_is_string(id) &&
	     !json_is_number(id)))
		return invalid_request();
	run(&call, method);
	if (id == NULL || json_is_null(id))
		reply = NULL;
	else if (call.code != 0)
		reply = error_reply(id, &call);
	else
		reply = json_pack("{s:s, s:O, s:O}", "jsonrpc", "2.0", "id", id,
				  "result", call.result);
	json_decref(call.result);
	return reply;
}

static json_t *answer_batch(const struct rpc_environment *env, json_t *batch)
{
	json_t *replies, *reply, *request;
	size_t i;

	if (json_array_size(batch) == 0 ||
	    json_array_size(batch) > RPC_BATCH_MAX)
		return invalid_request();
	replies = json_array();
	json_array_foreach(batch, i, request)
	{
		reply = answer(env, request);
		if (reply != NULL)
			json_array_append_new(replies, reply);
	}
	if (json_array_size(replies) == 0) {
		json_decref(replies);
		return NULL;
	}
	return replies;
}

static char *dump_line(const json_t *value, size_t *len)
{
	size_t n = json_dumpb(value, NULL, 0, JSON_COMPACT);
	char *line = malloc(n + 1);

	if (line == NULL)
		return NULL;
	json_dumpb(value, line, n, JSON_COMPACT);
	line[n] = '\n';
	*len = n + 1;
	return line;
}

int rpc_dispatch(const struct rpc_environment *env, const char *text,
		 size_t len, char **reply, size_t *reply_len)
{
	json_t *in = json_loadb(text, len,
				JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	json_t *out;

	if (in == NULL)
		return -EPROTO;
	out = json_is_array(in) ? answer_batch(env, in) : answer(env, in);
	json_decref(in);
	*reply = NULL;
	*reply_len = 0;
	if (out == NULL)
		return 0;
	*reply = dump_line(out, reply_len);
	json_decref(out);
	return *reply ? 0 : -ENOMEM;
}
