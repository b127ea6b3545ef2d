/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of stack/ share.
 *
 *	file --document.c--> JSON --input.c--> inputs
 *	inputs --kinds' declare()--> what is wanted --+
 *	service --kinds' read()----> what is ---------+-- plan.c --> steps
 *	steps --show.c--> the terminal;  --run.c--> calls
 *
 * Functions return 0 or a negative errno, after having said why.
 */
#ifndef STACK_INTERNAL_H
#define STACK_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "aws/aws.h"

/* Tags that a stack gives, which its file may not name; and how many that may
 * have, so that all fit into EFS's 50. */
#define STACK_TAG	    "hawser:stack"
#define STACK_TAG_PROTECTED "hawser:stack-protected"
#define STACK_OWN_TAGS	    STACK_TAG "|" STACK_TAG_PROTECTED
enum { STACK_TAGS_MAX = 45 };

/* Stands for what is known only when something else has been created. */
#define STACK_UNKNOWN "(known after apply)"

enum { STACK_NAME = 64, STACK_ID = 64 };

struct stack {
	json_t *inputs;
	char name[STACK_NAME];	 /* "kafka/prod": in the tag hawser:stack */
	char prefix[STACK_NAME]; /* "kafka-prod": of names */
	char token[STACK_NAME];	 /* of creation */
	struct aws_client *aws;
	struct aws_error error; /* of the last call that failed */
	/* Those that there are; "" if they are yet to come. */
	char group_id[STACK_ID], fs_id[STACK_ID];
};

/* A thing as it is, or as it is wanted. */
struct resource {
	const struct kind *kind;
	char key[STACK_ID]; /* which of its kind: "kafka_backups" */
	char id[STACK_ID];  /* "": none yet */
	json_t *attributes; /* those that can be declared */
	json_t *facts;	    /* how the service describes it */
	bool foreign;	    /* others made it: it only goes if what it
			     * stands on goes */
};

struct resources {
	struct resource **list;
	size_t n;
};

struct attribute {
	const char *name; /* NULL ends a table */
	/* Makes it as it is wanted.  Several attributes may have the same,
	 * which then is called once.  NULL: can't be changed, and why. */
	int (*set)(struct stack *s, const struct resource *is,
		   const struct resource *wanted);
	const char *rule;
	bool apart; /* create() does not do it: set() is called after it */
};

struct kind {
	const char *name; /* NULL ends the table */
	/* Whose replacement is the end of it, too: bits by place in the table.
	 */
	unsigned stands_on;
	const struct attribute *attributes;
	/* Adds those that the inputs declare. */
	int (*declare)(struct stack *s, struct resources *wanted);
	/* Adds those that there are. */
	int (*read)(struct stack *s, struct resources *is);
	/* Gives wanted->id. */
	int (*create)(struct stack *s, struct resource *wanted);
	int (*remove)(struct stack *s, const struct resource *is);
	/* What it means that there is none. */
	const char *not_found;
	/* Where one may be looked at while it comes and goes: the path of its
	 * description, and the list that this is in.  NULL: all is at once. */
	const char *path, *list;
	/* Its id, for those that stand on it; 0: there are none. */
	size_t id_offset;
};

/* In the order of creation, which is the reverse of that of removal. */
extern const struct kind *const stack_kinds[];
extern const struct kind group_kind, file_system_kind, mount_target_kind,
	access_point_kind, alarm_kind;

/* ---------------------------------------------------------------- stack.c */

/* Says "hawser VERB: …" on stderr. */
__attribute__((format(printf, 1, 2))) void stack_error(const char *format, ...);
extern const char *stack_verb;

struct resource *resource_add(struct resources *r, const char *key);
void resources_free(struct resources *r);
struct resource *resources_find(const struct resources *r,
				const struct kind *kind, const char *key);

/* All that there is of the stack, and what it should be. */
int stack_read(struct stack *s, struct resources *is);
int stack_declare(struct stack *s, const struct kind *kind,
		  struct resources *wanted);

/* ----------------------------------------------------------------- call.c */

/* Calls as in aws.h, but that a body's reference is taken, and *out (which may
 * be NULL) is NULL if one fails: of EFS, of any service, of EC2. */
int stack_rest(struct stack *s, const char *method, const char *path,
	       json_t *body, json_t **out);
int stack_json(struct stack *s, const char *service, const char *version,
	       const char *target, json_t *body, json_t **out);
int stack_ec2(struct stack *s, const char *action, json_t *parameters,
	      json_t **out);
/* A list of EFS's, all pages of it, by a path with a query; a new reference,
 * also if it fails. */
int stack_list(struct stack *s, const char *path, const char *list,
	       const char *next, const char *token, json_t **out);

/* Says why the last call failed: "WHAT: …".  -EIO. */
int stack_failed(const struct stack *s, const char *what);
/* Did it fail with that code of the service's? */
bool stack_failed_with(const struct stack *s, const char *code);

/* Where it is asked. */
const char *stack_endpoint(const struct stack *s, char url[AWS_ENDPOINT_SIZE]);
/* As a value in a path's query; malloc'ed. */
char *stack_escape(const char *text);
/* The text of a member; "" if there is none. */
const char *stack_text(const json_t *object, const char *name);

/* ----------------------------------------------------------------- tags.c */

/* The tags of a thing of the stack, as an object. */
json_t *tags_declare(const struct stack *s, const char *name);
/* [{Key, Value}] or [{key, value}] as an object, without AWS's own. */
json_t *tags_read(const json_t *list);
/* The opposite, of EFS. */
json_t *tags_write(const json_t *tags);
/* "PREFIX.1.Key" and so on, of EC2. */
void tags_add(json_t *parameters, const char *prefix, const json_t *tags);
/* attribute.set of EFS's. */
int tags_set(struct stack *s, const struct resource *is,
	     const struct resource *wanted);
/* What is in one, and not (or otherwise) in the other. */
json_t *tags_minus(const json_t *tags, const json_t *others);

#endif
