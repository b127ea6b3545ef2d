/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as JSON: mappings are objects, sequences arrays, and scalars
 * texts, whatever they look like; only what is written as nothing, ~ or null
 * is null.  Who reads a value knows what it should be.
 */
#ifndef STACK_DOCUMENT_H
#define STACK_DOCUMENT_H

#include <jansson.h>

enum {
	DOCUMENT_BYTES_MAX = 1 << 20,
	DOCUMENT_NODES_MAX = 20000, /* after aliases were followed */
	DOCUMENT_DEPTH_MAX = 16,
};

struct document {
	const char *path; /* borrowed */
	json_t *root;	  /* an object */
	json_t *lines;	  /* of its keys: numbers by name */
};

/* 0, or a negative errno after having said why, with the line. */
int document_load(const char *path, struct document *d);
void document_free(struct document *d);

/* The line of a key of the root; 1 if it is not there. */
int document_line(const struct document *d, const char *key);

#endif
