/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of the tables for people that reports become. */
#ifndef STATUS_SHOW_H
#define STATUS_SHOW_H

#include <jansson.h>

enum { SHOW_CELL = 16 };

/* A member of an object: "?", 0 when it is missing. */
const char *show_text(const json_t *o, const char *key);
json_int_t show_number(const json_t *o, const char *key);
/* "1.5M", "320us"; they return the cell. */
const char *show_bytes(json_int_t n, char cell[SHOW_CELL]);
const char *show_latency(json_int_t us, char cell[SHOW_CELL]);

#endif
