/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a method: arguments and options become parameters by what
 * the service says of the method (rpc_get_methods verbose), so that there is
 * one table, and that of the service that is asked.  See rpc/rpc.h for the
 * words in `cli`.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cli.h"

enum { LEAVES_MAX = 64, WORD_SIZE = 64 };

/* A parameter that holds a value, not others. */
struct leaf {
	const json_t *param;
	const char *group; /* that holds it; NULL: none */
	bool set;
};

struct line {
	const char *words; /* for messages */
	struct leaf leaves[LEAVES_MAX];
	size_t n;
	json_t *out;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void collect(struct line *l, const json_t *params, const char *group)
{
	const json_t *fields;
	json_t *param;
	size_t i;

	json_array_foreach(params, i, param)
	{
		fields = json_object_get(param, "fields");
		if (fields && strcmp(text_of(param, "type"), "object") == 0)
			collect(l, fields, text_of(param, "name"));
		else if (l->n < LEAVES_MAX)
			l->leaves[l->n++] = (struct leaf){ param, group };
	}
}

/* The next word of `cli`, and where the one behind it starts; NULL: the end. */
static const char *next_word(const char *cli, char word[WORD_SIZE])
{
	size_t n;

	cli += strspn(cli, " ");
	n = strcspn(cli, " ");
	if (n == 0)
		return NULL;
	snprintf(word, WORD_SIZE, "%.*s", (int)n, cli);
	return cli + n;
}

static bool has_word(const struct leaf *f, const char *wanted)
{
	const char *cli = text_of(f->param, "cli");
	char word[WORD_SIZE];

	while ((cli = next_word(cli, word)) != NULL)
		if (strcmp(word, wanted) == 0)
			return true;
	return false;
}

static bool is_switch(const struct leaf *f)
{
	return strcmp(text_of(f->param, "type"), "boolean") == 0;
}

/* "--ana-state" for ana_state, unless `cli` names a long option itself. */
static bool is_own_long(const struct leaf *f, const char *option, size_t len)
{
	const char *name = text_of(f->param, "name");
	const char *cli = text_of(f->param, "cli");

	if (cli[0] != '-' || strstr(cli, "--") || len != strlen(name) + 2 ||
	    strncmp(option, "--", 2) != 0)
		return false;
	for (size_t i = 0; name[i]; i++)
		if (option[i + 2] != (name[i] == '_' ? '-' : name[i]))
			return false;
	return true;
}

/* Does `option`, of that length, set the leaf?  *on: to what, if a switch. */
static bool answers_to(const struct leaf *f, const char *option, size_t len,
		       bool *on)
{
	const char *cli = text_of(f->param, "cli");
	char word[WORD_SIZE];
	size_t n;

	*on = strstr(cli, "=false") == NULL;
	if (is_own_long(f, option, len))
		return true;
	while ((cli = next_word(cli, word)) != NULL) {
		n = strcspn(word, "=");
		*on = strcmp(word + n, "=false") != 0;
		if (n > 0 && n == len && strncmp(word, option, n) == 0)
			return true;
	}
	return false;
}

static struct leaf *find_option(struct line *l, const char *option, size_t len,
				bool *on)
{
	for (size_t i = 0; i < l->n; i++)
		if (answers_to(&l->leaves[i], option, len, on))
			return &l->leaves[i];
	return NULL;
}

static struct leaf *find_name(struct line *l, const char *arg, size_t len)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *name = text_of(l->leaves[i].param, "name");

		if (strlen(name) == len && memcmp(name, arg, len) == 0)
			return &l->leaves[i];
	}
	return NULL;
}

/* ------------------------------------------------------------- values --- */

static json_t *strings(const char *text)
{
	json_t *list = json_array();

	for (;;) {
		size_t n = strcspn(text, ",");

		json_array_append_new(list, json_stringn(text, n));
		if (text[n] == '\0')
			return list;
		text += n + 1;
	}
}

static json_t *number(const char *text, bool fraction)
{
	char *end;
	json_t *value;

	errno = 0;
	value = fraction ? json_real(strtod(text, &end))
			 : json_integer(strtoll(text, &end, 10));
	if (errno == 0 && end != text && *end == '\0')
		return value;
	json_decref(value);
	return NULL;
}

static json_t *parse(const struct leaf *f, const char *text)
{
	const char *type = text_of(f->param, "type");

	if (strcmp(type, "number") == 0 || has_word(f, "%"))
		return number(text, true);
	if (strcmp(type, "integer") == 0)
		return number(text, false);
	if (strcmp(type, "boolean") == 0)
		return strcmp(text, "true") == 0    ? json_true()
		       : strcmp(text, "false") == 0 ? json_false()
						    : NULL;
	if (strcmp(type, "array of strings") == 0)
		return strings(text);
	return json_string(text);
}

/* Takes the reference to `value`; NULL: `text` is not of the type. */
static int set(struct line *l, struct leaf *f, json_t *value, const char *text)
{
	json_t *object = l->out;

	if (value == NULL)
		return cli_usage_error(l->words,
				       "%s must be of type %s, "
				       "not '%s'",
				       text_of(f->param, "name"),
				       text_of(f->param, "type"), text);
	f->set = true;
	if (f->group != NULL) {
		object = json_object_get(l->out, f->group);
		if (object == NULL) {
			object = json_object();
			json_object_set_new(l->out, f->group, object);
		}
	}
	json_object_set_new(object, text_of(f->param, "name"), value);
	return CLI_OK;
}

static int take_option(struct line *l, int argc, char **argv, int *i)
{
	const char *arg = argv[*i];
	const char *value = strchr(arg, '=');
	size_t len = value ? (size_t)(value - arg) : strlen(arg);
	struct leaf *f;
	bool on;

	f = find_option(l, arg, len, &on);
	if (f == NULL && arg[1] != '-') { /* -ttcp */
		f = find_option(l, arg, 2, &on);
		value = arg + 1;
	}
	if (f == NULL || (is_switch(f) && value != NULL))
		return cli_usage_error(l->words, "unknown option '%s'", arg);
	if (is_switch(f))
		return set(l, f, json_boolean(on), arg);
	if (value != NULL)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return cli_usage_error(l->words, "%s needs a value", arg);
	return set(l, f, parse(f, value), value);
}

static int take_argument(struct line *l, const char *arg)
{
	size_t len = strcspn(arg, "=");
	struct leaf *f;

	f = arg[len] ? find_name(l, arg, len) : NULL;
	if (f != NULL)
		return set(l, f, parse(f, arg + len + 1), arg + len + 1);
	for (size_t i = 0; i < l->n; i++) {
		f = &l->leaves[i];
		if (!f->set && has_word(f, "="))
			return set(l, f, parse(f, arg), arg);
	}
	return cli_usage_error(l->words, "'%s' is too much", arg);
}

/* ----------------------------------------------------------- the whole --- */

/* From MiB to blocks of block_size. */
static int convert_sizes(struct line *l)
{
	json_int_t block_size =
		json_integer_value(json_object_get(l->out, "block_size"));

	for (size_t i = 0; i < l->n; i++) {
		const char *name = text_of(l->leaves[i].param, "name");
		double mib;

		if (!l->leaves[i].set || !has_word(&l->leaves[i], "%"))
			continue;
		if (block_size <= 0)
			return cli_usage_error(l->words,
					       "block_size must be positive");
		mib = json_number_value(json_object_get(l->out, name));
		if (!(mib >= 0 && mib < 0x1p43))
			return cli_usage_error(l->words, "a size in MiB can't "
							 "be that");
		json_object_set_new(
			l->out, name,
			json_integer(floor(mib * 0x1p20 / block_size)));
	}
	return CLI_OK;
}

static int check_complete(struct line *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct leaf *f = &l->leaves[i];
		const char *cli = text_of(f->param, "cli");
		char word[WORD_SIZE];

		if (f->set || cli[0] == '\0' ||
		    !json_is_true(json_object_get(f->param, "required")))
			continue;
		next_word(cli, word);
		return cli_usage_error(l->words, "%s is missing",
				       cli[0] == '=' ? text_of(f->param, "name")
						     : word);
	}
	return CLI_OK;
}

int cli_options_parse(const char *words, const json_t *method, int argc,
		      char **argv, json_t **params)
{
	struct line l = { .words = words };
	bool options = true;
	int r = CLI_OK;

	*params = l.out = json_object();
	collect(&l, json_object_get(method, "params"), NULL);
	for (int i = 0; i < argc && r == CLI_OK; i++) {
		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			r = take_option(&l, argc, argv, &i);
		else
			r = take_argument(&l, argv[i]);
	}
	if (r == CLI_OK)
		r = check_complete(&l);
	return r == CLI_OK ? convert_sizes(&l) : r;
}

/* "-o, --c2h-success" */
static void print_spellings(const struct leaf *f, char *out, size_t size)
{
	const char *cli = text_of(f->param, "cli");
	const char *name = text_of(f->param, "name");
	bool has_long = strstr(cli, "--") != NULL;
	char word[WORD_SIZE];
	size_t n = 0;

	while ((cli = next_word(cli, word)) != NULL) {
		word[strcspn(word, "=")] = '\0';
		if (word[0] == '-' && n < size)
			n += snprintf(out + n, size - n, "%s%s", n ? ", " : "",
				      word);
	}
	if (n == 0)
		snprintf(out, size, "%s", name);
	else if (!has_long && n < size)
		for (n += snprintf(out + n, size - n, ", --%s", name); n > 0;
		     n--)
			if (n < size && out[n] == '_')
				out[n] = '-';
}

void cli_options_help(const json_t *method)
{
	struct line l = {};

	collect(&l, json_object_get(method, "params"), NULL);
	printf("usage: hawser rpc %s", text_of(method, "name"));
	for (size_t i = 0; i < l.n; i++) {
		const json_t *p = l.leaves[i].param;

		if (has_word(&l.leaves[i], "="))
			printf(json_is_true(json_object_get(p, "required"))
				       ? " %s"
				       : " [%s]",
			       text_of(p, "name"));
	}
	printf(" [OPTION…] [NAME=VALUE…]\n\n%s\n\n", text_of(method, "help"));
	for (size_t i = 0; i < l.n; i++) {
		char spelled[2 * WORD_SIZE];

		print_spellings(&l.leaves[i], spelled, sizeof(spelled));
		printf("  %-28s %s\n", spelled,
		       text_of(l.leaves[i].param, "help"));
	}
}
