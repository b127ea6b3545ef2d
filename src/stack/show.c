/* SPDX-License-Identifier: Apache-2.0 */
/* A plan, as people and programs read it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "stack/plan.h"

static const struct {
	const char *sign, *color;
} signs[] = {
	[STACK_CREATE] = { "+", "\033[32m" },
	[STACK_CHANGE] = { "~", "\033[33m" },
	[STACK_REPLACE] = { "-/+", "\033[31m" },
	[STACK_DELETE] = { "-", "\033[31m" },
};

/* On a terminal, unless it is not wanted (no-color.org). */
static bool in_color(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}

static void print_sign(const char *indent, enum action action)
{
	bool color = in_color();

	printf("%s%s%s%s ", indent, color ? signs[action].color : "",
	       signs[action].sign, color ? "\033[0m" : "");
}

static void print_value(const json_t *value)
{
	auto_free char *text = json_dumps(value, JSON_ENCODE_ANY);
	const char *word = json_string_value(value);

	if (json_is_real(value))
		printf("%.15g", json_real_value(value));
	else if (word != NULL && strcmp(word, STACK_UNKNOWN) == 0)
		printf("%s", word);
	else
		printf("%s", text);
}

/* NULL: it is not there. */
static void print_change(const char *name, const char *key, const json_t *old,
			 const json_t *new, const char *rule)
{
	enum action action = old && new ? STACK_CHANGE
			     : new	? STACK_CREATE
					: STACK_DELETE;

	print_sign("      ", action);
	printf("%s%s%s = ", name, key ? "." : "", key ? key : "");
	if (old != NULL)
		print_value(old);
	if (old && new)
		printf(" -> ");
	if (new != NULL)
		print_value(new);
	if (rule != NULL)
		printf("  # %s", rule);
	putchar('\n');
}

/* Of a mapping only what differs. */
static void print_members(const char *name, const json_t *old,
			  const json_t *new)
{
	const char *key;
	json_t *value, *other;

	json_object_foreach((json_t *)new, key, value)
	{
		other = json_object_get(old, key);
		if (!json_equal(other, value))
			print_change(name, key, other, value, NULL);
	}
	json_object_foreach((json_t *)old, key,
			    value) if (json_object_get(new, key) == NULL)
		print_change(name, key, value, NULL, NULL);
}

static void print_step(const struct step *step)
{
	char label[STEP_LABEL];
	json_t *change;
	size_t i;

	print_sign("  ", step->action);
	printf("%s", step_label(step, label));
	if (step->because != NULL)
		printf("  # its %s is replaced", step->because);
	putchar('\n');
	json_array_foreach(step->changes, i, change)
	{
		const char *name = stack_text(change, "attribute");
		const char *rule = stack_text(change, "rule");
		const json_t *old = json_object_get(change, "old");
		const json_t *new = json_object_get(change, "new");

		if (json_is_object(new))
			print_members(name, old, new);
		else
			print_change(name, NULL, old, new,
				     rule[0] ? rule : NULL);
	}
}

void plan_show(const struct stack *s, const struct plan *p)
{
	char url[AWS_ENDPOINT_SIZE];

	printf("Stack %s at %s (%s)\n\n", s->name, stack_endpoint(s, url),
	       aws_region(s->aws));
	if (p->n == 0) {
		printf("No changes: %s.\n",
		       p->wanted.n > 0 ? "the stack is as declared"
				       : "there is nothing of the stack");
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		print_step(&p->steps[i]);
	printf("\nPlan: %zu to create, %zu to change, %zu to replace, %zu to "
	       "delete.\n",
	       p->count[STACK_CREATE], p->count[STACK_CHANGE],
	       p->count[STACK_REPLACE], p->count[STACK_DELETE]);
}

static json_t *step_json(const struct step *step)
{
	const struct resource *r = step->is ? step->is : step->wanted;
	/* Of what was created, once it has been. */
	const char *id =
		step->wanted && step->wanted->id[0] ? step->wanted->id : r->id;

	return json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:O*}", "action",
			 step_actions[step->action], "kind", r->kind->name,
			 "key", r->key, "id", id[0] ? id : NULL, "because",
			 step->because, "changes", step->changes);
}

json_t *plan_json(const struct stack *s, const struct plan *p)
{
	json_t *steps = json_array(), *summary = json_object();
	char url[AWS_ENDPOINT_SIZE];

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(steps, step_json(&p->steps[i]));
	for (int i = 0; i < STACK_ACTIONS; i++)
		json_object_set_new(summary, step_actions[i],
				    json_integer((json_int_t)p->count[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "stack", s->name,
			 "endpoint", stack_endpoint(s, url), "region",
			 aws_region(s->aws), "steps", steps, "summary",
			 summary);
}
