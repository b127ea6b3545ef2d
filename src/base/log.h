/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines: one event, one line, written where the thing happened and
 * nowhere else.  They go to stderr, with the priority prefix that journald
 * understands ("<4>…") when stderr is not a terminal.  Any thread.
 *
 *	log_warn("session %s: slot %u: %s", …);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are not formatted at all.  Starts as LOG_INFO, or as
 * the environment variable HAWSER_LOG says: error, warn, info, debug. */
extern enum log_level log_level;

/* "error" … "debug" → level; 0 or -EINVAL. */
int log_set_level(const char *name);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
						    const char *format, ...);

#define log_at_(level, ...)                                                    \
	do {                                                                   \
		if ((level) <= log_level)                                      \
			log_line(level, __VA_ARGS__);                          \
	} while (0)
#define log_error(...) log_at_(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at_(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at_(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at_(LOG_DEBUG, __VA_ARGS__)

#endif
