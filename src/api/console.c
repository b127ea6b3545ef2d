/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console over HTTP: a page to look at, which changes nothing.
 *
 *	/console?token=…  from `hawser console`: once ─▶ a session, 303 to …
 *	/console          the page, for who has a session
 *	/console/state    what it shows, as JSON; the same
 *	/console/history  ?fs=…&hours=…; the same
 *	/console/…        style, script: nothing that is secret
 *
 * A session is a cookie that no script and no other site can use.  A browser
 * is told to run nothing but this server's script, to be framed by nobody and
 * to remember nothing.  In the clear, only this host is served.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/protocol.h"
#include "control/door.h"

static const char cookie_name[] = "hawser_console=";

enum kind { SHOWN, MOVED, SHUT };

static int run(struct api_call *call);
static const struct api_operation operations[] = {
	[SHOWN] = { "Console", run, .status = 200 },
	[MOVED] = { "Console", run, .status = 303 },
	[SHUT] = { "Console", run, .status = 401 },
	{},
};

static const struct {
	const char *name, *value;
} headers[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; "
	  "connect-src 'self'; img-src 'self'; base-uri 'none'; "
	  "form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cache-Control", "no-store" },
};

static void add_header(struct api_call *call, const char *name,
		       const char *value)
{
	if (call->headers == NULL)
		call->headers = json_object();
	json_object_set_new(call->headers, name, json_string(value));
}

/* ------------------------------------------------------------- session --- */

/* The value of name= in a list of pairs, cut at `end`; "" if there is none. */
static const char *pick(const char *list, const char *name, const char *end,
			char value[DOOR_KEY_SIZE])
{
	size_t len = strlen(name), n;

	value[0] = '\0';
	while (*list) {
		list += strspn(list, end);
		n = strcspn(list, end);
		if (strncmp(list, name, len) == 0 && n >= len &&
		    n - len < DOOR_KEY_SIZE) {
			memcpy(value, list + len, n - len);
			value[n - len] = '\0';
			return value;
		}
		list += n;
	}
	return value;
}

static bool has_session(struct api_call *call)
{
	const char *cookies = api_header(call, "Cookie");
	char key[DOOR_KEY_SIZE];

	if (cookies == NULL)
		return false;
	pick(cookies, cookie_name, "; ", key);
	return door_is_open(control_door(call->server->options.control), key);
}

/* A token becomes a session, and goes from the address bar. */
static bool enter(struct api_call *call)
{
	char token[DOOR_KEY_SIZE], session[DOOR_KEY_SIZE], cookie[160];

	pick(call->query, "token=", "&", token);
	if (!door_enter(control_door(call->server->options.control), token,
			session))
		return false;
	snprintf(cookie, sizeof(cookie),
		 "%s%s; Path=/console; HttpOnly; SameSite=Lax; Max-Age=28800%s",
		 cookie_name, session, call->secure ? "; Secure" : "");
	add_header(call, "Set-Cookie", cookie);
	add_header(call, "Location", "/console");
	return true;
}

/* -------------------------------------------------------------- answer --- */

static int answer(struct api_call *call, enum kind kind, const char *type,
		  json_t *text)
{
	call->operation = &operations[kind];
	call->content_type = type;
	call->output = text;
	return 0;
}

static int shut(struct api_call *call)
{
	return answer(call, SHUT, "text/html; charset=utf-8",
		      json_string(call->server->options.console->shut));
}

static int show_data(struct api_call *call, const char *what)
{
	const struct api_console *con = call->server->options.console;
	const char *site = api_header(call, "Sec-Fetch-Site");
	char fs[DOOR_KEY_SIZE], hours[DOOR_KEY_SIZE];
	char *text;

	if (!has_session(call))
		return answer(call, SHUT, "application/json",
			      json_string("{\"error\":\"no session\"}"));
	if (site != NULL && strcmp(site, "same-origin") != 0)
		return api_refuse(call, "AccessDenied",
				  "This is for the console's own page.");
	pick(call->query, "fs=", "&", fs);
	pick(call->query, "hours=", "&", hours);
	text = con->look(con->arg, what, fs, atoi(hours));
	if (text == NULL)
		return -ENOMEM;
	answer(call, SHOWN, "application/json", json_string(text));
	free(text);
	return 0;
}

static int show_file(struct api_call *call, const char *name)
{
	const struct api_console *con = call->server->options.console;

	for (size_t i = 0; con->files[i].name != NULL; i++)
		if (strcmp(con->files[i].name, name) == 0)
			return answer(call, SHOWN, con->files[i].type,
				      json_string(con->files[i].text));
	return api_refuse(call, "NotFound", "There is no such file.");
}

static bool is_near(const struct api_call *call)
{
	const char *peer = call->peer;

	return call->secure || strncmp(peer, "127.", 4) == 0 ||
	       strcmp(peer, "::1") == 0 ||
	       strncmp(peer, "::ffff:127.", 11) == 0;
}

static int run(struct api_call *call)
{
	const char *what = call->path + strlen("/console");

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		add_header(call, headers[i].name, headers[i].value);
	if (!is_near(call))
		return api_refuse(call, "AccessDenied",
				  "From another host the console is reached "
				  "by HTTPS only.");
	if (strcmp(what, "/state") == 0 || strcmp(what, "/history") == 0)
		return show_data(call, what + 1);
	if (*what != '\0')
		return show_file(call, what + 1);
	if (strstr(call->query, "token=") != NULL && enter(call))
		return answer(call, MOVED, NULL, json_string(""));
	return has_session(call) ? show_file(call, "index.html") : shut(call);
}

/* ------------------------------------------------------------ protocol --- */

static int parse(struct api_call *call)
{
	if (strcmp(call->method, "GET") != 0)
		return api_refuse(call, "MethodNotAllowed", "GET is allowed.");
	call->operation = operations;
	call->input = json_object();
	return 0;
}

static const struct api_protocol protocol = {
	.content_type = "text/plain; charset=utf-8",
	.invalid = "BadRequest",
	.denied = "AccessDenied",
	.parse = parse,
	.result = api_text_result,
	.error = api_text_error,
};

static const struct api_error errors[] = { { "NotFound", 404 },
					   { "MethodNotAllowed", 405 },
					   {} };

static const struct api_service service = {
	.name = "console",
	.protocol = &protocol,
	.operations = operations,
	.errors = errors,
};

const struct api_service *api_console_for(const struct api_server *s,
					  const char *uri)
{
	static const char path[] = "/console";
	const size_t len = sizeof(path) - 1;

	if (s->options.console == NULL || strncmp(uri, path, len) != 0 ||
	    !strchr("/?", uri[len])) /* or its end */
		return NULL;
	return &service;
}
