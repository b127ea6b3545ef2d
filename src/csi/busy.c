/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/busy.h"

#include <string.h>

struct name {
	struct list link;
	char text[];
};

void busy_init(struct busy *b)
{
	pthread_mutex_init(&b->lock, NULL);
	list_init(&b->names);
}

void busy_fini(struct busy *b)
{
	pthread_mutex_destroy(&b->lock);
}

static struct name *find(struct busy *b, const char *text)
{
	struct name *n;

	list_for_each (n, &b->names, link)
		if (strcmp(n->text, text) == 0)
			return n;
	return NULL;
}

bool busy_enter(struct busy *b, const char *name)
{
	size_t size = strlen(name) + 1;
	struct name *n = malloc(sizeof(*n) + size);
	bool entered;

	if (n == NULL)
		return false;
	memcpy(n->text, name, size);
	pthread_mutex_lock(&b->lock);
	entered = find(b, name) == NULL;
	if (entered)
		list_append(&b->names, &n->link);
	pthread_mutex_unlock(&b->lock);
	if (!entered)
		free(n);
	return entered;
}

void busy_leave(struct busy *b, const char *name)
{
	struct name *n;

	pthread_mutex_lock(&b->lock);
	n = find(b, name);
	assert(n != NULL);
	list_del(&n->link);
	pthread_mutex_unlock(&b->lock);
	free(n);
}
