/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/buffer.h"

void buffers_init(struct buffers *b)
{
	*b = (struct buffers){};
	list_init(&b->small);
	list_init(&b->large);
}

static void free_all(struct list *l)
{
	struct buffer *buffer, *next;

	list_for_each_safe (buffer, next, l, link)
		free(buffer);
	list_init(l);
}

void buffers_fini(struct buffers *b)
{
	free_all(&b->small);
	free_all(&b->large);
}

struct buffer *buffer_take(struct buffers *b, size_t size)
{
	bool large = size > BUFFER_SMALL;
	struct buffer *buffer =
		list_first(large ? &b->large : &b->small, struct buffer, link);

	assert(size <= BUFFER_LARGE);
	if (buffer == NULL) {
		size = large ? BUFFER_LARGE : BUFFER_SMALL;
		buffer = malloc(sizeof(*buffer) + size);
		if (buffer == NULL)
			return NULL;
		buffer->large = large;
		return buffer;
	}
	list_del(&buffer->link);
	if (large)
		b->nlarge--;
	else
		b->nsmall--;
	return buffer;
}

void buffer_give(struct buffers *b, struct buffer *buffer)
{
	unsigned *n = buffer->large ? &b->nlarge : &b->nsmall;
	unsigned max = buffer->large ? BUFFERS_KEPT_LARGE : BUFFERS_KEPT_SMALL;

	if (*n == max) {
		free(buffer);
		return;
	}
	++*n;
	/* The one used last is the one that is still in the CPU's cache. */
	list_prepend(buffer->large ? &b->large : &b->small, &buffer->link);
}
