/* SPDX-License-Identifier: Apache-2.0 */
/* The XML that AWS answers with, as JSON. */
#include <libxml/parser.h>
#include <limits.h>
#include <string.h>

#include "aws/aws.h"

enum { DEPTH_MAX = 64 };

static bool is_item(const xmlNode *node)
{
	return strcmp((const char *)node->name, "item") == 0 ||
	       strcmp((const char *)node->name, "member") == 0;
}

static const xmlNode *first_element(const xmlNode *node)
{
	while (node != NULL && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

static json_t *text_value(const xmlNode *node)
{
	xmlChar *text = xmlNodeGetContent(node);
	json_t *value = json_string(text ? (const char *)text : "");

	xmlFree(text);
	return value;
}

static json_t *convert(const xmlNode *node, int depth)
{
	const xmlNode *child = first_element(node->children);
	json_t *value;

	if (child == NULL || depth == DEPTH_MAX)
		return text_value(node);
	value = is_item(child) ? json_array() : json_object();
	for (; child; child = first_element(child->next)) {
		if (json_is_array(value))
			json_array_append_new(value, convert(child, depth + 1));
		else
			json_object_set_new(value, (const char *)child->name,
					    convert(child, depth + 1));
	}
	return value;
}

json_t *aws_xml_parse(const char *text, size_t len)
{
	json_t *value = NULL;
	xmlDoc *doc;

	if (len > INT_MAX)
		return NULL;
	doc = xmlReadMemory(text, (int)len, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR |
				    XML_PARSE_NOWARNING);
	if (doc != NULL && xmlDocGetRootElement(doc) != NULL)
		value = convert(xmlDocGetRootElement(doc), 0);
	xmlFreeDoc(doc);
	return value;
}
