/* SPDX-License-Identifier: Apache-2.0 */
/* What a file system costs in a month, by a table of prices. */
#ifndef STACK_COST_H
#define STACK_COST_H

#include <jansson.h>

/* A usage is an object of amounts by item: standard_gb, ia_gb, requests,
 * provisioned_mibps.  NULL: `key` is one that a stack may declare; else the one
 * that may have been meant, or "". */
const char *cost_item_suggest(const char *key);

/* {currency, prices, scenarios}, from a file; NULL as path: the one that is
 * installed.  A new reference, or NULL after having said why. */
json_t *cost_prices_load(const char *path);

/* {currency, stack, scenarios: {NAME: …}}, each with its lines (item, amount,
 * unit, price, cost) and their total; `usage` is the stack's.  New reference.
 */
json_t *cost_estimate(const json_t *prices, const json_t *usage);

/* The same as lines of text; malloc'ed. */
char *cost_text(const json_t *estimate);

#endif
