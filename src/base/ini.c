/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ini.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* "[profile NAME]" in the configuration, "[NAME]" in the credentials. */
static bool is_section(char *line, const char *section)
{
	size_t len = strlen(line);

	if (line[len - 1] != ']')
		return false;
	line[len - 1] = '\0';
	line = trim(line + 1);
	if (strncmp(line, "profile ", 8) == 0)
		line = trim(line + 8);
	return strcmp(line, section) == 0;
}

char *ini_get(const char *path, const char *section, const char *name)
{
	FILE *file = fopen(path, "re");
	char *line = NULL, *found = NULL;
	size_t size = 0;
	bool inside = false;

	if (file == NULL)
		return NULL;
	while (found == NULL && getline(&line, &size, file) > 0) {
		char *text = trim(line), *value = strchr(text, '=');

		if (*text == '#' || *text == ';')
			continue;
		if (*text == '[') {
			inside = is_section(text, section);
			continue;
		}
		if (!inside || value == NULL)
			continue;
		*value++ = '\0';
		if (strcmp(trim(text), name) == 0)
			found = strdup(trim(value));
	}
	free(line);
	fclose(file);
	return found;
}
