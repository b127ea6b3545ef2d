/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

enum log_level log_level = LOG_INFO;

static const struct {
	const char *name;
	char priority; /* syslog's number, for journald */
} levels[] = {
	[LOG_ERROR] = { "error", '3' },
	[LOG_WARN] = { "warn", '4' },
	[LOG_INFO] = { "info", '6' },
	[LOG_DEBUG] = { "debug", '7' },
};

int log_set_level(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			log_level = i;
			return 0;
		}
	}
	return -EINVAL;
}

__attribute__((constructor)) static void level_from_environment(void)
{
	const char *name = getenv("HAWSER_LOG");

	if (name != NULL && log_set_level(name) != 0)
		log_warn("HAWSER_LOG=%s is not error, warn, info or debug",
			 name);
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	size_t n = 0;
	va_list ap;
	int len;

	if (!isatty(STDERR_FILENO))
		n = snprintf(line, sizeof(line), "<%c>",
			     levels[level].priority);
	va_start(ap, format);
	len = vsnprintf(line + n, sizeof(line) - n - 1, format, ap);
	va_end(ap);
	if (len > 0)
		n += MIN((size_t)len, sizeof(line) - n - 2);
	line[n++] = '\n';
	/* One write, so that lines of different threads do not mix. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
