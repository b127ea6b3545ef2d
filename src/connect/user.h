/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes as files, which `hawser attach` serves: the calls of connect.h on the
 * side of user space.
 */
#ifndef CONNECT_USER_H
#define CONNECT_USER_H

#include "connect/connect.h"

enum { USER_WORDS_MAX = 4 + 4 * (10 + 2 * CONNECT_PORTALS_MAX) + 15 };

/* A command line, with the memory of its words. */
struct user_words {
	const char *argv[USER_WORDS_MAX + 1]; /* ends with NULL */
	unsigned n;
	char text[32768];
	size_t used;
};

/* Who asks, where the file and the mirror's map are to be. */
struct user_place {
	const char *program, *hostnqn, *hostid, *file, *map;
	bool new_map;
	int portal; /* only that one of each target; -1: all */
};

/* `hawser attach …` for that volume.  0; -EOPNOTSUPP with text: user space has
 * nothing for it. */
int user_plan(const struct connect_info *info, const struct connect_options *o,
	      const struct user_place *p, struct user_words *out,
	      char text[CONNECT_TEXT]);

int user_connect(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, json_t **result,
		 json_t *warnings, char text[CONNECT_TEXT]);
int user_look(struct connect_host *h, const struct connect_info *info,
	      const struct connect_options *o, json_t **result,
	      char text[CONNECT_TEXT]);
int user_release(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, bool force,
		 char text[CONNECT_TEXT]);
/* `known`: the size that it had when somebody looked last. */
int user_extend(struct connect_host *h, const struct connect_info *info,
		const struct connect_options *o, uint64_t known,
		uint64_t *bytes, char text[CONNECT_TEXT]);

#endif
