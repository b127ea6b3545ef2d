/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/input.h"

const char *const step_actions[] = {
	[STACK_CREATE] = "create",
	[STACK_CHANGE] = "change",
	[STACK_REPLACE] = "replace",
	[STACK_DELETE] = "delete",
};

const char *step_label(const struct step *step, char label[STEP_LABEL])
{
	const struct resource *r = step->is ? step->is : step->wanted;
	bool known = r->id[0] && strcmp(r->id, r->key) != 0;

	snprintf(label, STEP_LABEL, "%s.%s%s%s%s", r->kind->name, r->key,
		 known ? " (" : "", known ? r->id : "", known ? ")" : "");
	return label;
}

/* -------------------------------------------------------------- what differs
 */

/* 90 and 90.0 are the same. */
static bool equal(json_t *a, json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b);
}

/* Of what is declared; what is not is the service's choice. */
static json_t *differences(const struct kind *kind, const struct resource *is,
			   const struct resource *wanted)
{
	json_t *changes = json_array(), *old, *new, *change;

	for (const struct attribute *a = kind->attributes; a->name; a++) {
		new = json_object_get(wanted->attributes, a->name);
		old = is ? json_object_get(is->attributes, a->name) : NULL;
		if (new == NULL || (is && equal(old, new)) ||
		    (!is && json_is_null(new)))
			continue;
		change = json_pack("{s:s, s:O*, s:O}", "attribute", a->name,
				   "old", is ? old : NULL, "new", new);
		if (is && a->set == NULL)
			json_object_set_new(change, "rule",
					    json_string(a->rule));
		json_array_append_new(changes, change);
	}
	return changes;
}

static bool has_rule(const json_t *changes)
{
	for (size_t i = 0; i < json_array_size(changes); i++)
		if (json_object_get(json_array_get(changes, i), "rule"))
			return true;
	return false;
}

/* ---------------------------------------------------------------- the steps */

static struct step *add_step(struct plan *p, enum action action,
			     struct resource *is, struct resource *wanted)
{
	struct step *step;

	p->steps = reallocarray(p->steps, p->n + 1, sizeof(*p->steps));
	if (p->steps == NULL)
		abort();
	step = &p->steps[p->n++];
	*step = (struct step){ .action = action, .is = is, .wanted = wanted };
	p->count[action]++;
	return step;
}

/* The name of a kind that is replaced, of those that `kind` stands on. */
static const char *replaced_below(const struct kind *kind, unsigned replaced)
{
	for (int i = 0; stack_kinds[i]; i++)
		if (kind->stands_on & replaced & 1u << i)
			return stack_kinds[i]->name;
	return NULL;
}

static bool add_wanted(struct plan *p, struct resource *wanted,
		       const char *because)
{
	const struct kind *kind = wanted->kind;
	struct resource *is = resources_find(&p->is, kind, wanted->key);
	json_t *changes = differences(kind, is, wanted);
	enum action action = is == NULL			    ? STACK_CREATE
			     : because || has_rule(changes) ? STACK_REPLACE
							    : STACK_CHANGE;
	struct step *step;

	if (action == STACK_CHANGE && json_array_size(changes) == 0) {
		json_decref(changes);
		return false;
	}
	step = add_step(p, action, is, wanted);
	step->changes = changes;
	step->because = is ? because : NULL;
	return action == STACK_REPLACE;
}

/* True if one is replaced. */
static bool add_steps(struct plan *p, const struct kind *kind, size_t from,
		      const char *because)
{
	bool replaced = false;

	for (size_t i = from; i < p->wanted.n; i++)
		replaced |= add_wanted(p, p->wanted.list[i], because);
	for (size_t i = 0; i < p->is.n; i++) {
		struct resource *is = p->is.list[i];

		if (is->kind != kind ||
		    resources_find(&p->wanted, kind, is->key) != NULL ||
		    (is->foreign && because == NULL))
			continue;
		add_step(p, STACK_DELETE, is, NULL)->because = because;
	}
	return replaced;
}

int plan_make(struct stack *s, struct plan *p)
{
	unsigned replaced = 0;
	int error = stack_read(s, &p->is);

	for (int i = 0; error == 0 && stack_kinds[i]; i++) {
		const struct kind *kind = stack_kinds[i];
		size_t from = p->wanted.n;

		error = stack_declare(s, kind, &p->wanted);
		if (error < 0)
			break;
		if (!add_steps(p, kind, from, replaced_below(kind, replaced)))
			continue;
		replaced |= 1u << i;
		/* What refers to it will refer to another. */
		if (kind->id_offset)
			*((char *)s + kind->id_offset) = '\0';
	}
	return error;
}

int plan_destroy(struct stack *s, struct plan *p)
{
	int error = stack_read(s, &p->is);

	for (size_t i = 0; i < p->is.n && error == 0; i++)
		add_step(p, STACK_DELETE, p->is.list[i], NULL);
	return error;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		json_decref(p->steps[i].changes);
	free(p->steps);
	resources_free(&p->is);
	resources_free(&p->wanted);
}

/* ---------------------------------------------------------------- consent */

/* A line for each thing that can't be changed. */
static int refuse_replacement(const struct step *step)
{
	char label[STEP_LABEL];
	size_t i;
	json_t *change;

	json_array_foreach(step->changes, i, change)
	{
		char *old, *new;

		if (json_object_get(change, "rule") == NULL)
			continue;
		old = json_dumps(json_object_get(change, "old"),
				 JSON_ENCODE_ANY);
		new = json_dumps(json_object_get(change, "new"),
				 JSON_ENCODE_ANY);
		stack_error("%s: %s can't be changed from %s to %s: %s; "
			    "--replace deletes it and creates another",
			    step_label(step, label),
			    stack_text(change, "attribute"),
			    old ? old : "null", new,
			    stack_text(change, "rule"));
		free(old);
		free(new);
	}
	return -EPERM;
}

static json_int_t stored_bytes(const json_t *facts)
{
	return json_integer_value(json_object_get(
		json_object_get(facts, "SizeInBytes"), "Value"));
}

static int check_data(const struct stack *s, const struct resource *is,
		      const json_t *facts, const struct consent *consent)
{
	json_t *tags = tags_read(json_object_get(facts, "Tags"));
	bool prevented = json_object_get(tags, STACK_TAG_PROTECTED) != NULL ||
			 input_flag(s->inputs, "prevent_destroy");
	const char *replication =
		stack_text(json_object_get(facts, "FileSystemProtection"),
			    "ReplicationOverwriteProtection");

	json_decref(tags);
	if (prevented)
		stack_error("file_system.%s (%s): it is protected: apply "
			    "prevent_destroy: false first",
			    is->key, is->id);
	else if (strcmp(replication, "REPLICATING") == 0)
		stack_error("file_system.%s (%s): it is the copy of another "
			    "file system: delete that replication first",
			    is->key, is->id);
	else if (stored_bytes(facts) > 0 && !consent->delete_data)
		stack_error("file_system.%s (%s): it holds %lld bytes, which "
			    "would be lost; --delete-data deletes them",
			    is->key, is->id, (long long)stored_bytes(facts));
	else
		return 0;
	return -EPERM;
}

int plan_check(const struct stack *s, const struct plan *p,
	       const struct consent *consent)
{
	int error = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct step *step = &p->steps[i];

		if (step->action == STACK_REPLACE && has_rule(step->changes) &&
		    !consent->replace)
			error = refuse_replacement(step);
		if (step->action >= STACK_REPLACE &&
		    step->is->kind == &file_system_kind &&
		    check_data(s, step->is, step->is->facts, consent) < 0)
			error = -EPERM;
	}
	return error;
}

int plan_check_data(struct stack *s, const struct resource *is,
		    const struct consent *consent)
{
	char path[192];
	json_t *answer;
	int error;

	snprintf(path, sizeof(path), is->kind->path, is->id);
	error = stack_rest(s, "GET", path, NULL, &answer);
	if (error < 0)
		return stack_failed_with(s, is->kind->not_found)
			       ? 0
			       : stack_failed(s, is->id);
	error = check_data(
		s, is,
		json_array_get(json_object_get(answer, is->kind->list), 0),
		consent);
	json_decref(answer);
	return error;
}
