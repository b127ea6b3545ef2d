/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CSI_TEXT_H
#define CSI_TEXT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether all strings of an encoded message, which has been decoded without an
 * error, are UTF-8 without a NUL in it.  protobuf-c looks at neither, and here
 * a string would end at its first NUL: two names would be one. */
bool text_is_clean(const ProtobufCMessageDescriptor *d, const void *data,
		   size_t size);

#endif
