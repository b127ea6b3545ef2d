/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount says about itself and its paths, as JSON and for people. */
#ifndef FUSE_REPORT_H
#define FUSE_REPORT_H

#include <jansson.h>

struct mount;

/* A new reference; NULL: no memory. */
json_t *report(const struct mount *m);
/* As a table that fits 80 columns. */
void report_print(const json_t *report);

#endif
