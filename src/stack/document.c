/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/util.h"
#include "stack/internal.h"

struct reader {
	struct document *out;
	yaml_document_t yaml;
	int nodes;
};

static json_t *convert(struct reader *r, yaml_node_t *node, int depth);

static int refuse(const struct reader *r, const yaml_node_t *at,
		  const char *what)
{
	stack_error("%s:%zu: %s", r->out->path, at->start_mark.line + 1, what);
	return -EINVAL;
}

static json_t *convert_scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;
	size_t len = node->data.scalar.length;
	json_t *value;

	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    is_one_of(text, "|~|null|Null|NULL"))
		return json_null();
	/* "a\0b" is no name that anything could have. */
	value = strlen(text) == len ? json_stringn(text, len) : NULL;
	return value;
}

static json_t *convert_list(struct reader *r, yaml_node_t *node, int depth)
{
	json_t *list = json_array(), *value;
	yaml_node_item_t *i;

	for (i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++) {
		value = convert(r, yaml_document_get_node(&r->yaml, *i),
				depth + 1);
		if (value == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, value);
	}
	return list;
}

static int add_pair(struct reader *r, json_t *object, yaml_node_pair_t *pair,
		    int depth)
{
	yaml_node_t *key = yaml_document_get_node(&r->yaml, pair->key);
	yaml_node_t *node = yaml_document_get_node(&r->yaml, pair->value);
	const char *name;
	char text[128];
	json_t *value;

	if (key->type != YAML_SCALAR_NODE)
		return refuse(r, key, "a key has to be a word");
	name = (const char *)key->data.scalar.value;
	if (json_object_get(object, name) != NULL) {
		snprintf(text, sizeof(text), "%.64s: it is there twice", name);
		return refuse(r, key, text);
	}
	value = convert(r, node, depth + 1);
	if (value == NULL)
		return -EINVAL;
	if (json_object_set_new(object, name, value) < 0)
		return refuse(r, key, "a key is not UTF-8");
	if (depth == 0)
		json_object_set_new(
			r->out->lines, name,
			json_integer((json_int_t)key->start_mark.line + 1));
	return 0;
}

static json_t *convert_mapping(struct reader *r, yaml_node_t *node, int depth)
{
	json_t *object = json_object();
	yaml_node_pair_t *p;

	for (p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		if (add_pair(r, object, p, depth) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* NULL, after having said why. */
static json_t *convert(struct reader *r, yaml_node_t *node, int depth)
{
	json_t *value;

	if (depth > DOCUMENT_DEPTH_MAX || ++r->nodes > DOCUMENT_NODES_MAX) {
		refuse(r, node, "this is too deep, or too much");
		return NULL;
	}
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return convert_list(r, node, depth);
	case YAML_MAPPING_NODE:
		return convert_mapping(r, node, depth);
	default:
		value = convert_scalar(node);
		if (value == NULL)
			refuse(r, node, "a value is not UTF-8");
		return value;
	}
}

static int convert_root(struct reader *r)
{
	yaml_node_t *root = yaml_document_get_root_node(&r->yaml);

	r->out->lines = json_object();
	if (root == NULL || root->type != YAML_MAPPING_NODE) {
		stack_error("%s: KEY: VALUE lines are needed", r->out->path);
		return -EINVAL;
	}
	r->out->root = convert(r, root, 0);
	return r->out->root ? 0 : -EINVAL;
}

static int parse(struct reader *r, const char *text, size_t len)
{
	yaml_parser_t parser;
	int error;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &r->yaml)) {
		error = convert_root(r);
		yaml_document_delete(&r->yaml);
	} else {
		stack_error("%s:%zu: %s", r->out->path,
			    parser.problem_mark.line + 1,
			    parser.problem ? parser.problem : "no YAML");
		error = -EINVAL;
	}
	yaml_parser_delete(&parser);
	return error;
}

int document_load(const char *path, struct document *d)
{
	struct reader r = { .out = d };
	auto_free char *text = malloc(DOCUMENT_BYTES_MAX + 1);
	FILE *in = fopen(path, "re");
	size_t len;
	int error;

	*d = (struct document){ .path = path };
	if (in == NULL || text == NULL) {
		error = -errno;
		stack_error("%s: %s", path, strerror(-error));
		if (in != NULL)
			fclose(in);
		return error;
	}
	len = fread(text, 1, DOCUMENT_BYTES_MAX + 1, in);
	error = ferror(in) ? -errno : 0;
	fclose(in);
	if (error < 0 || len > DOCUMENT_BYTES_MAX) {
		stack_error("%s: %s", path,
			    error < 0 ? strerror(-error)
				      : "it is larger than 1 MiB");
		return error < 0 ? error : -EFBIG;
	}
	error = parse(&r, text, len);
	if (error < 0)
		document_free(d);
	return error;
}

void document_free(struct document *d)
{
	json_decref(d->root);
	json_decref(d->lines);
	d->root = d->lines = NULL;
}

int document_line(const struct document *d, const char *key)
{
	json_t *line = json_object_get(d->lines, key);

	return line ? (int)json_integer_value(line) : 1;
}
