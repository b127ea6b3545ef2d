/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CSI_TAGS_H
#define CSI_TAGS_H

#include <jansson.h>

/* "key:value key:value" as [{"Key": …, "Value": …}]; a '\' before a ':', a
 * blank or a '\' takes it as it is.  NULL: it is not of that form. */
json_t *tags_parse(const char *text);

#endif
