/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of Amazon EFS, version 2015-02-01: one table of operations (efs.c),
 * whose functions stand in efs_*.c.
 */
#ifndef API_EFS_H
#define API_EFS_H

#include "api/internal.h"

#define EFS_OP(name) int efs_##name(struct api_call *call)
EFS_OP(delete_file_system);
EFS_OP(describe_file_systems);

/* "fs-…" of "arn:aws:elasticfilesystem:…:file-system/fs-…", or the text. */
const char *efs_id(const char *id_or_arn);

/* Pages: where the next one begins is told by the time at which its first item
 * was created, so that items may come and go in between. */
enum { EFS_PAGE_MAX = 100 };
struct efs_page {
	nsec after;  /* the marker: items that are younger */
	size_t left; /* of this page */
	nsec last;   /* the last one that was taken */
	bool more;
};
/* `limit`, `marker`: names of the input's members. */
int efs_page_begin(struct api_call *call, const char *limit, const char *marker,
		   struct efs_page *page);
/* Does an item of that age belong to the page? */
bool efs_page_take(struct efs_page *page, nsec created);
/* Notes in the output where to go on, if there is more. */
void efs_page_end(struct api_call *call, const char *next,
		  const struct efs_page *page);

json_t *efs_time(nsec t);

#endif
