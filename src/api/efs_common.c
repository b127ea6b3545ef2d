/* SPDX-License-Identifier: Apache-2.0 */
/* What operations of EFS share: names of things, pages, finding and changing a
 * file system. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/efs.h"
#include "base/util.h"

struct control *efs_control(const struct api_call *call)
{
	return call->server->options.control;
}

/* ----------------------------------------------------------------- names */

const char *efs_id(const char *id_or_arn)
{
	const char *slash = id_or_arn ? strrchr(id_or_arn, '/') : NULL;

	return slash ? slash + 1 : id_or_arn;
}

const char *efs_file_system_id(const struct api_call *call)
{
	return efs_id(api_string(call, "FileSystemId"));
}

json_t *efs_arn(const struct api_call *call, const char *kind, const char *id)
{
	return json_sprintf("arn:aws:elasticfilesystem:%s:%s:%s/%s",
			    api_region(call), api_account(call), kind, id);
}

json_t *efs_time(nsec t)
{
	return json_real((double)(t / MSEC(1)) / 1000);
}

static bool is_letter(const char *zone)
{
	return zone[0] >= 'a' && zone[0] <= 'z' && zone[1] == '\0';
}

json_t *efs_zone_name(const struct api_call *call, const char *zone)
{
	if (!is_letter(zone))
		return json_string(zone);
	return json_sprintf("%s%s", api_region(call), zone);
}

/* "ap-northeast-1" is "apne1". */
static void shorten_region(const char *region, char text[SIGV4_WORD_MAX])
{
	static const struct {
		const char *word, *letters;
	} words[] = {
		{ "northeast", "ne" }, { "northwest", "nw" },
		{ "southeast", "se" }, { "southwest", "sw" },
		{ "north", "n" },      { "south", "s" },
		{ "east", "e" },       { "west", "w" },
		{ "central", "c" },    { "gov", "g" },
	};
	size_t n = 0;

	while (*region && n < SIGV4_WORD_MAX - 3) {
		size_t i = 0;

		while (i < ARRAY_SIZE(words) &&
		       strncmp(region, words[i].word, strlen(words[i].word)))
			i++;
		if (i < ARRAY_SIZE(words)) {
			n += snprintf(text + n, 3, "%s", words[i].letters);
			region += strlen(words[i].word);
		} else if (*region == '-') {
			region++;
		} else {
			text[n++] = *region++;
		}
	}
	text[n] = '\0';
}

json_t *efs_zone_id(const struct api_call *call, const char *zone)
{
	char region[SIGV4_WORD_MAX];

	shorten_region(api_region(call), region);
	if (!is_letter(zone))
		return json_sprintf("%s-%s", region, zone);
	return json_sprintf("%s-az%d", region, zone[0] - 'a' + 1);
}

/* ------------------------------------------------------------ attributes */

void efs_copy(const json_t *from, json_t *to, const char *const *names)
{
	for (; *names; names++) {
		json_t *value = json_object_get(from, *names);

		if (value != NULL && !json_is_null(value))
			json_object_set(to, *names, value);
	}
}

int efs_change_fs(struct api_call *call, control_change_fn *fn,
		  struct control_fs *out)
{
	return control_fs_change(efs_control(call), efs_file_system_id(call),
				 fn, call, out, &call->error);
}

int efs_find_fs(struct api_call *call, const char *id, struct control_fs *out)
{
	struct control_fs *list;
	int n = control_fs_list(efs_control(call), id, &list, &call->error);

	if (n < 0)
		return n;
	*out = list[0];
	free(list);
	if (out->state == CONTROL_DELETING)
		return api_refuse(call, "FileSystemNotFound",
				  "File system '%s' does not exist.", id);
	return 0;
}

/* ----------------------------------------------------------------- pages */

int efs_page_begin(struct api_call *call, const char *limit, const char *marker,
		   struct efs_page *page)
{
	const char *text = api_string(call, marker);
	json_int_t size = api_integer(call, limit, EFS_PAGE_DEFAULT);
	unsigned long long after = 0;
	int end = -1;

	memset(page, 0, sizeof(*page));
	page->size = size < EFS_PAGE_MAX ? size : EFS_PAGE_MAX;
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
	if (page->n == page->size) {
		page->more = true;
		return false;
	}
	page->n++;
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
