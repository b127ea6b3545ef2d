/* SPDX-License-Identifier: Apache-2.0 */
/* What several operations of EFS share: ids, pages, times. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/efs.h"

const char *efs_id(const char *id_or_arn)
{
	const char *slash = id_or_arn ? strrchr(id_or_arn, '/') : NULL;

	return slash ? slash + 1 : id_or_arn;
}

json_t *efs_time(nsec t)
{
	return json_real((double)(t / MSEC(1)) / 1000);
}

int efs_page_begin(struct api_call *call, const char *limit, const char *marker,
		   struct efs_page *page)
{
	const char *text = api_string(call, marker);
	json_int_t left = api_integer(call, limit, EFS_PAGE_MAX);
	unsigned long long after = 0;
	int end = -1;

	memset(page, 0, sizeof(*page));
	page->left = left < EFS_PAGE_MAX ? left : EFS_PAGE_MAX;
	if (text == NULL)
		return 0;
	if (sscanf(text, "p%16llx%n", &after, &end) != 1 || end < 0 ||
	    text[end] != '\0')
		return api_refuse(call, "BadRequest",
				  "'%.64s' is not a %s that was given out.",
				  text, marker);
	page->after = after;
	return 0;
}

bool efs_page_take(struct efs_page *page, nsec created)
{
	if (created <= page->after)
		return false;
	if (page->left == 0) {
		page->more = true;
		return false;
	}
	page->left--;
	page->last = created;
	return true;
}

void efs_page_end(struct api_call *call, const char *next,
		  const struct efs_page *page)
{
	char text[32];

	if (!page->more)
		return;
	snprintf(text, sizeof(text), "p%016llx",
		 (unsigned long long)page->last);
	json_object_set_new(call->output, next, json_string(text));
}
