/* SPDX-License-Identifier: Apache-2.0 */
#include "base/refuse.h"

#include <stdarg.h>
#include <stdio.h>

int refuse_with(char *text, int error, const char *format, ...)
{
	va_list args;

	if (text == NULL)
		return error;
	va_start(args, format);
	vsnprintf(text, REFUSE_TEXT, format, args);
	va_end(args);
	return error;
}
