/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser plan, apply, outputs, destroy: a file is parsed and checked, the
 * service read, a plan made, shown, and followed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "stack/cost.h"
#include "stack/input.h"
#include "stack/options.h"
#include "stack/output.h"
#include "stack/plan.h"
#include "stack/stack.h"

/* ------------------------------------------------------------------ stack */

static void name_stack(struct stack *s)
{
	const char *project = input_text(s->inputs, "project_name");
	const char *environment = input_text(s->inputs, "environment");

	snprintf(s->name, sizeof(s->name), "%s/%s", project, environment);
	snprintf(s->prefix, sizeof(s->prefix), "%s-%s", project, environment);
	/* No name has a ~ in it. */
	snprintf(s->token, sizeof(s->token), "hawser~%s~%s", project,
		 environment);
}

static void close_stack(struct stack *s)
{
	if (s->aws != NULL)
		aws_close(s->aws);
	json_decref(s->inputs);
}

/* Else s->error says why not. */
static bool has_key(struct stack *s)
{
	struct aws_key key;
	int r = aws_key_get(s->aws, &key, &s->error);

	aws_key_free(&key);
	return r == 0;
}

static int open_stack(const struct options *o, struct stack *s)
{
	struct aws_options aws = o->aws;
	struct document d;

	*s = (struct stack){};
	if (document_load(o->file, &d) < 0)
		return FAILED;
	s->inputs = input_read(&d);
	document_free(&d);
	if (s->inputs == NULL)
		return FAILED;
	name_stack(s);
	aws.default_endpoint = "http://127.0.0.1:8077"; /* hawserd's */
	if (aws_open(&s->aws, &aws, &s->error) == 0 && has_key(s))
		return DONE;
	stack_error("%s", s->error.message);
	close_stack(s);
	return FAILED;
}

static void print_json(json_t *value)
{
	json_dumpf(value, stdout,
		   JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(value);
}

/* -------------------------------------------------- plan, apply, destroy */

/* 0 or -EPERM, after having said why. */
static int ask(const struct options *o)
{
	char answer[16] = "";

	if (o->yes)
		return 0;
	if (!isatty(STDIN_FILENO)) {
		stack_error("standard input is no terminal to ask at: --yes "
			    "does it without a question");
		return -EPERM;
	}
	fprintf(stderr, "\nDo it? Only 'yes' is taken for yes: ");
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    strcmp(answer, "yes\n") == 0)
		return 0;
	stack_error("nothing was done");
	return -EPERM;
}

static void print_plan(const struct options *o, const struct stack *s,
		       const struct plan *p, bool done)
{
	json_t *json;

	if (!o->json) {
		plan_show(s, p);
		return;
	}
	json = plan_json(s, p);
	json_object_set_new(json, "done", json_boolean(done));
	print_json(json);
}

/* What apply and destroy have in common: the plan is shown, checked, and
 * followed if that is wanted.  JSON comes at the end, and says ids, too. */
static int follow(const struct options *o, struct stack *s, struct plan *p)
{
	int error;

	if (!o->json)
		print_plan(o, s, p, false);
	error = plan_check(s, p, &o->consent);
	if (error == 0 && p->n > 0)
		error = ask(o);
	if (error == 0 && p->n > 0) {
		if (!o->json)
			putchar('\n');
		error = plan_run(s, p, &o->consent, o->json);
		if (error < 0)
			stack_error("what was done stays; the same command "
				    "goes on from there");
	}
	if (o->json)
		print_plan(o, s, p, error == 0);
	else if (error == 0 && p->n > 0)
		printf("\nDone: %zu created, %zu changed, %zu replaced, %zu "
		       "deleted.\n",
		       p->count[STACK_CREATE], p->count[STACK_CHANGE],
		       p->count[STACK_REPLACE], p->count[STACK_DELETE]);
	return error;
}

static int run_plan(const struct verb *v, const struct options *o,
		    struct stack *s)
{
	struct plan p = {};
	int error = v->bit == DESTROY ? plan_destroy(s, &p) : plan_make(s, &p);

	if (error == 0 && v->bit == PLAN)
		print_plan(o, s, &p, false);
	else if (error == 0)
		error = follow(o, s, &p);
	plan_free(&p);
	return error < 0 ? FAILED : DONE;
}

/* ---------------------------------------------------------------- outputs */

static void print_text(const char *name, const json_t *value)
{
	auto_free char *text = NULL;
	size_t i;
	json_t *item;

	if (strcmp(name, "estimated_monthly_cost") == 0)
		text = cost_text(value);
	else if (json_is_string(value))
		text = strdup(json_string_value(value));
	else if (!json_is_array(value))
		text = json_dumps(value, JSON_ENCODE_ANY);
	if (text != NULL)
		printf("%s%s", text,
		       text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
	json_array_foreach((json_t *)value, i, item)
		printf("%s\n", json_string_value(item));
}

/* NAME = VALUE, or the lines of a value below its name. */
static void print_all(json_t *all)
{
	const char *name;
	json_t *value;

	json_object_foreach(all, name, value)
	{
		auto_free char *text = json_dumps(value, JSON_ENCODE_ANY);
		const char *string = json_string_value(value);

		if (json_is_object(value) ||
		    (string != NULL && strchr(string, '\n') != NULL)) {
			printf("%s = <<EOT\n", name);
			print_text(name, value);
			printf("EOT\n");
		} else {
			printf("%s = %s\n", name, text);
		}
	}
	json_decref(all);
}

static int print_outputs(const struct options *o, const struct view *v)
{
	json_t *value = o->output ? output_value(v, o->output) : output_all(v);

	if (value == NULL)
		return FAILED;
	if (o->json) {
		print_json(value);
	} else if (o->output == NULL) {
		print_all(value);
	} else {
		print_text(o->output, value);
		json_decref(value);
	}
	return DONE;
}

static int run_outputs(const struct options *o, struct stack *s)
{
	struct resources is = {};
	struct view v = { s, &is, o->prices };
	char url[AWS_ENDPOINT_SIZE];
	int status = FAILED;

	if (o->output != NULL && !output_check_name(o->output))
		return FAILED;
	if (output_is_offline(s, o->output))
		return print_outputs(o, &v);
	if (stack_read(s, &is) == 0) {
		if (s->fs_id[0])
			status = print_outputs(o, &v);
		else
			stack_error("stack %s is not at %s: apply it first",
				    s->name, stack_endpoint(s, url));
	}
	resources_free(&is);
	return status;
}

/* ------------------------------------------------------------------- main */

static int run_verb(enum verb_bit bit, int argc, char **argv)
{
	const struct verb *v = options_verb(bit);
	struct options o;
	struct stack s;
	int status;

	stack_verb = v->name;
	status = options_parse(v, argc, argv, &o);
	if (status != DONE)
		return status == HELPED ? DONE : status;
	if (open_stack(&o, &s) != DONE)
		return FAILED;
	status = bit == OUTPUTS ? run_outputs(&o, &s) : run_plan(v, &o, &s);
	close_stack(&s);
	return status;
}

int stack_plan_main(int argc, char **argv)
{
	return run_verb(PLAN, argc, argv);
}

int stack_apply_main(int argc, char **argv)
{
	return run_verb(APPLY, argc, argv);
}

int stack_outputs_main(int argc, char **argv)
{
	return run_verb(OUTPUTS, argc, argv);
}

int stack_destroy_main(int argc, char **argv)
{
	return run_verb(DESTROY, argc, argv);
}
