/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the steps of a plan: first all that goes, last created first; then all
 * that comes or changes, in the order of creation.  After each kind it is
 * waited until what was created is available and what was removed is gone, as
 * the next kind needs that.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "stack/plan.h"

enum { WAIT_SECONDS = 900, PAUSE_MS_MAX = 5000 };

struct run {
	struct stack *s;
	struct plan *p;
	const struct consent *consent;
	bool quiet;
};

static void say(const struct run *run, const struct step *step,
		const char *what)
{
	char label[STEP_LABEL];

	if (run->quiet)
		return;
	printf("%s: %s\n", step_label(step, label), what);
	fflush(stdout);
}

static int failed(const struct run *run, const struct step *step)
{
	char label[STEP_LABEL], what[STEP_LABEL + 32];

	snprintf(what, sizeof(what), "%s %s", step_actions[step->action],
		 step_label(step, label));
	return stack_failed(run->s, what);
}

/* ---------------------------------------------------------------- waiting */

/* "available", "gone", …; or an error of the call. */
static int look(const struct run *run, const struct kind *kind, const char *id,
		char state[32])
{
	json_t *answer, *list;
	char path[192];
	int error;

	snprintf(path, sizeof(path), kind->path, id);
	error = stack_rest(run->s, "GET", path, NULL, &answer);
	if (error < 0) {
		strcpy(state, "gone");
		return stack_failed_with(run->s, kind->not_found)
			       ? 0
			       : error;
	}
	list = json_object_get(answer, kind->list);
	snprintf(state, 32, "%s",
		 stack_text(json_array_get(list, 0), "LifeCycleState"));
	json_decref(answer);
	return 0;
}

/* Until the thing of a step is in that state. */
static int wait_for(const struct run *run, const struct step *step,
		    const struct resource *r, const char *wanted)
{
	time_t deadline = time(NULL) + WAIT_SECONDS;
	struct timespec pause;
	long ms = 50;
	char state[32];

	while (r->kind->path != NULL) {
		if (look(run, r->kind, r->id, state) < 0)
			return failed(run, step);
		if (strcmp(state, wanted) == 0)
			break;
		if (strcmp(state, "error") == 0 || time(NULL) > deadline) {
			stack_error("%s.%s (%s): it is '%s', not '%s'",
				    r->kind->name, r->key, r->id, state,
				    wanted);
			return -ETIMEDOUT;
		}
		pause = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
		nanosleep(&pause, NULL);
		ms = MIN(ms * 2, (long)PAUSE_MS_MAX);
	}
	return 0;
}

/* ---------------------------------------------------------------- removal */

static bool goes(const struct step *step)
{
	return step->action == STACK_DELETE || step->action == STACK_REPLACE;
}

static int remove_one(struct run *run, const struct step *step)
{
	const struct kind *kind = step->is->kind;
	int error = 0;

	if (kind == &file_system_kind)
		error = plan_check_data(run->s, step->is, run->consent);
	if (error < 0)
		return error;
	error = kind->remove(run->s, step->is);
	if (error < 0 && !stack_failed_with(run->s, kind->not_found))
		return failed(run, step);
	if (kind->id_offset)
		*((char *)run->s + kind->id_offset) = '\0';
	say(run, step, "deleted");
	return 0;
}

static int remove_all(struct run *run, const struct kind *kind)
{
	int error = 0;

	for (size_t i = 0; i < run->p->n && error == 0; i++) {
		const struct step *step = &run->p->steps[i];

		if (goes(step) && step->is->kind == kind)
			error = remove_one(run, step);
	}
	for (size_t i = 0; i < run->p->n && error == 0; i++) {
		const struct step *step = &run->p->steps[i];

		if (goes(step) && step->is->kind == kind)
			error = wait_for(run, step, step->is, "gone");
	}
	return error;
}

/* ----------------------------------------------------- creation and change */

static bool differs(const struct step *step, const char *attribute)
{
	json_t *change;
	size_t i;

	json_array_foreach(step->changes, i, change)
	{
		if (strcmp(stack_text(change, "attribute"), attribute) == 0)
			return true;
	}
	return false;
}

/* Calls the set() of each attribute that is to be set, each set() once. */
static int set_all(struct run *run, const struct step *step,
		   const struct resource *is, bool only_apart)
{
	const struct attribute *all = step->wanted->kind->attributes, *a, *b;
	int error;

	for (a = all; a->name; a++) {
		if (a->set == NULL || (only_apart && !a->apart) ||
		    (!only_apart && !differs(step, a->name)))
			continue;
		for (b = all; b < a; b++)
			if (b->set == a->set &&
			    (only_apart || differs(step, b->name)))
				break;
		if (b < a)
			continue;
		error = a->set(run->s, is, step->wanted);
		if (error < 0)
			return failed(run, step);
		error = wait_for(run, step, is, "available");
		if (error < 0)
			return error;
	}
	return 0;
}

static int create_one(struct run *run, const struct step *step)
{
	struct resource *wanted = step->wanted;
	const struct kind *kind = wanted->kind;
	json_t *nothing = json_object();
	struct resource created = { .kind = kind, .attributes = nothing };
	int error;

	error = kind->create(run->s, wanted);
	if (error < 0) {
		error = failed(run, step);
		goto out;
	}
	strcpy(created.id, wanted->id);
	strcpy(created.key, wanted->key);
	if (kind->id_offset)
		strcpy((char *)run->s + kind->id_offset, wanted->id);
	/* Where something else is done to it, it has to be there first. */
	for (const struct attribute *a = kind->attributes; a->name; a++) {
		if (!a->apart)
			continue;
		error = wait_for(run, step, &created, "available");
		if (error == 0)
			error = set_all(run, step, &created, true);
		break;
	}
out:
	json_decref(nothing);
	return error;
}

static int make_all(struct run *run, const struct kind *kind)
{
	int error = 0;

	for (size_t i = 0; i < run->p->n && error == 0; i++) {
		struct step *step = &run->p->steps[i];

		if (step->wanted == NULL || step->wanted->kind != kind)
			continue;
		if (step->action == STACK_CHANGE)
			error = set_all(run, step, step->is, false);
		else
			error = create_one(run, step);
	}
	for (size_t i = 0; i < run->p->n && error == 0; i++) {
		struct step *step = &run->p->steps[i];
		struct step now = *step;

		if (step->wanted == NULL || step->wanted->kind != kind)
			continue;
		if (step->action == STACK_CHANGE) {
			say(run, step, "changed");
			continue;
		}
		now.is = NULL;
		error = wait_for(run, step, step->wanted, "available");
		if (error == 0)
			say(run, &now, "created");
	}
	return error;
}

int plan_run(struct stack *s, struct plan *p, const struct consent *consent,
	     bool quiet)
{
	struct run run = { s, p, consent, quiet };
	int n = 0, error = 0;

	/* Once more, before what leads to the data is taken away. */
	for (size_t i = 0; i < p->n && error == 0; i++)
		if (goes(&p->steps[i]) &&
		    p->steps[i].is->kind == &file_system_kind)
			error = plan_check_data(s, p->steps[i].is, consent);
	while (stack_kinds[n])
		n++;
	for (int i = n; i-- > 0 && error == 0;)
		error = remove_all(&run, stack_kinds[i]);
	for (int i = 0; i < n && error == 0; i++)
		error = make_all(&run, stack_kinds[i]);
	return error;
}
