/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of Amazon CloudWatch, version 2010-08-01, for what file systems
 * measure: one table of operations (cw.c), spoken as Query with XML by older
 * clients and as JSON 1.0 by newer ones.
 */
#ifndef API_CW_H
#define API_CW_H

#include "api/internal.h"

#define CW_OP(name) int cw_##name(struct api_call *call)
/* cw_alarm.c */
CW_OP(delete_alarms);
CW_OP(describe_alarm_history);
CW_OP(describe_alarms);
CW_OP(describe_alarms_for_metric);
CW_OP(disable_alarm_actions);
CW_OP(enable_alarm_actions);
CW_OP(put_metric_alarm);
CW_OP(set_alarm_state);
/* cw_tag.c */
CW_OP(list_tags_for_resource);
CW_OP(tag_resource);
CW_OP(untag_resource);
/* cw_metric.c */
CW_OP(get_metric_data);
CW_OP(get_metric_statistics);
CW_OP(list_metrics);

/* A time in the output: a number in JSON, a text in XML. */
json_t *cw_time(const struct api_call *call, double seconds);
/*
 * A page of a list, as many items as fit: only these are made.  NextToken, if
 * there are more, is the number of the first of them.
 *
 *	r = cw_page_begin(call, size, &page);
 *	for each that is wanted, until cw_page_wants() has said so of all
 *		if (cw_page_wants(&page))
 *			json_array_append_new(page.items, …);
 *	return cw_page_end(call, &page, name);
 */
struct cw_page {
	size_t from, size, n;
	json_t *items;
};
int cw_page_begin(struct api_call *call, size_t size, struct cw_page *page);
bool cw_page_wants(struct cw_page *page); /* one more: is it on the page? */
int cw_page_end(struct api_call *call, struct cw_page *page, const char *name);

#endif
