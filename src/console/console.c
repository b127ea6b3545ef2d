/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

extern const char text_index_html[], text_shut_html[], text_console_css[],
	text_console_js[], text_icon_svg[];

static const struct api_file files[] = {
	{ "index.html", "text/html; charset=utf-8", text_index_html },
	{ "console.css", "text/css; charset=utf-8", text_console_css },
	{ "console.js", "text/javascript; charset=utf-8", text_console_js },
	{ "icon.svg", "image/svg+xml", text_icon_svg },
	{},
};

static json_t *request(const char *what, const char *fs, int hours)
{
	if (strcmp(what, "history") == 0)
		return json_pack("{s:s, s:i, s:{s:s, s:i}}", "method",
				 "fs_get_history", "id", 1, "params", "id", fs,
				 "hours", hours);
	return json_pack("{s:s, s:i}", "method", "overview_get", "id", 1);
}

/* The result alone; or the error, which has a member "message". */
static char *take_result(const char *reply, size_t len)
{
	json_t *all = json_loadb(reply, len, 0, NULL);
	json_t *result = json_object_get(all, "result");
	char *text;

	if (result == NULL)
		result = json_object_get(all, "error");
	text = result ? json_dumps(result, JSON_COMPACT) : NULL;
	json_decref(all);
	return text;
}

/* api_look_fn */
static char *look(void *arg, const char *what, const char *fs, int hours)
{
	json_t *asked = request(what, fs, hours);
	char *text = asked ? json_dumps(asked, JSON_COMPACT) : NULL;
	char *reply = NULL, *out = NULL;
	size_t len;

	if (text != NULL &&
	    rpc_dispatch(arg, text, strlen(text), &reply, &len) == 0 &&
	    reply != NULL)
		out = take_result(reply, len);
	json_decref(asked);
	free(text);
	free(reply);
	return out;
}

struct api_console console_for(const struct rpc_environment *env)
{
	return (struct api_console){ .files = files,
				     .shut = text_shut_html,
				     .look = look,
				     .arg = (void *)env };
}
