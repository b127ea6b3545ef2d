/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be done so that a stack is as declared, or is no more. */
#ifndef STACK_PLAN_H
#define STACK_PLAN_H

#include "stack/internal.h"

enum action { STACK_CREATE, STACK_CHANGE, STACK_REPLACE, STACK_DELETE };
enum { STACK_ACTIONS = STACK_DELETE + 1 };

struct step {
	enum action action;
	struct resource *is, *wanted; /* of the plan; NULL: not there */
	/* {attribute, old, new}, and "rule" with what can't be changed */
	json_t *changes;
	const char *because; /* replaced because its … is; NULL */
};

struct plan {
	struct resources is, wanted;
	struct step *steps; /* in the order of creation */
	size_t n;
	size_t count[STACK_ACTIONS];
};

/* What may be done to it. */
struct consent {
	bool replace, delete_data;
};

/* The steps to what the inputs declare. */
int plan_make(struct stack *s, struct plan *p);
/* The steps to nothing. */
int plan_destroy(struct stack *s, struct plan *p);
void plan_free(struct plan *p);

/* -EPERM if a step needs more consent than was given, or is protected. */
int plan_check(const struct stack *s, const struct plan *p,
	       const struct consent *consent);
/* The same of a file system, as it is at this moment. */
int plan_check_data(struct stack *s, const struct resource *is,
		    const struct consent *consent);

/* "file_system.efs (fs-…)" */
enum { STEP_LABEL = 192 };
const char *step_label(const struct step *step, char label[STEP_LABEL]);
extern const char *const step_actions[STACK_ACTIONS]; /* "create" */

/* show.c: for people, and for programs (a new reference). */
void plan_show(const struct stack *s, const struct plan *p);
json_t *plan_json(const struct stack *s, const struct plan *p);

/* run.c: takes the steps, saying each one if it is not to be quiet. */
int plan_run(struct stack *s, struct plan *p, const struct consent *consent,
	     bool quiet);

#endif
