/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever connection information comes: it is taken or refused with a text;
 * what was taken says the same when it is written and parsed again, and has no
 * byte in its names that means anything to a shell or a file system.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "connect/info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct connect_info info, again;

static void check(void)
{
	char text[CONNECT_TEXT] = "";
	json_t *j = connect_info_dump(&info);

	assert(j != NULL && connect_info_parse(j, &again, text) == 0);
	assert(memcmp(&info, &again, sizeof(info)) == 0);
	json_decref(j);
	assert(info.name[0] != '\0' && info.name[0] != '.' &&
	       info.name[0] != '-');
	assert(strpbrk(info.name, "/ \n;$`,") == NULL);
	for (unsigned i = 0; i < info.n_targets; i++) {
		assert(strpbrk(info.targets[i].nqn, " \n;$`,") == NULL);
		assert(strpbrk(info.targets[i].hostnqn, " \n;$`,") == NULL);
		assert(info.targets[i].n_portals > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[CONNECT_TEXT] = "";

	if (connect_info_load((const char *)data, size, &info, text) == 0)
		check();
	else
		assert(text[0] != '\0');
	return 0;
}
