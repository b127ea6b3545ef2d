/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };

struct wire {
	const uint8_t *at, *end;
};

static bool skip(struct wire *w, uint64_t n)
{
	if (n > (uint64_t)(w->end - w->at))
		return false;
	w->at += n;
	return true;
}

static bool read_varint(struct wire *w, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; w->at < w->end && shift < 64; shift += 7) {
		uint8_t byte = *w->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool is_text(const uint8_t *text, size_t len)
{
	while (len > 0) {
		char character[5] = "";
		size_t n;

		memcpy(character, text, MIN(len, sizeof(character) - 1));
		n = utf8_length(character);
		if (n == 0 || *text == '\0')
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static bool check_delimited(struct wire *w, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *data;
	uint64_t len;

	if (!read_varint(w, &len))
		return false;
	data = w->at;
	if (!skip(w, len))
		return false;
	if (f != NULL && f->type == PROTOBUF_C_TYPE_STRING)
		return is_text(data, len);
	if (f != NULL && f->type == PROTOBUF_C_TYPE_MESSAGE)
		return text_is_clean(f->descriptor, data, len);
	return true;
}

bool text_is_clean(const ProtobufCMessageDescriptor *d, const void *data,
		   size_t size)
{
	struct wire w = { data, (const uint8_t *)data + size };
	uint64_t key, ignored;
	bool good = true;

	while (good && w.at < w.end) {
		if (!read_varint(&w, &key))
			return false;
		switch (key & 7) {
		case VARINT:
			good = read_varint(&w, &ignored);
			break;
		case FIXED64:
			good = skip(&w, 8);
			break;
		case FIXED32:
			good = skip(&w, 4);
			break;
		case DELIMITED:
			good = check_delimited(
				&w, protobuf_c_message_descriptor_get_field(
					    d, (unsigned)(key >> 3)));
			break;
		default:
			return false;
		}
	}
	return good;
}
