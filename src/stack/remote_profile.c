/* SPDX-License-Identifier: Apache-2.0 */
/* Access keys and regions: of the environment, and of the files of aws. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stack/remote_internal.h"

enum { LINE_SIZE = 8192 };

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r\n");
	for (end = text + strlen(text); end > text; end--)
		if (!strchr(" \t\r\n", end[-1]))
			break;
	*end = '\0';
	return text;
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

static void take(struct remote_keys *keys, const char *name, const char *value)
{
	if (strcmp(name, "aws_access_key_id") == 0)
		copy(keys->id, sizeof(keys->id), value);
	else if (strcmp(name, "aws_secret_access_key") == 0)
		copy(keys->secret, sizeof(keys->secret), value);
	else if (strcmp(name, "aws_session_token") == 0)
		copy(keys->token, sizeof(keys->token), value);
	else if (strcmp(name, "region") == 0 && keys->region[0] == '\0')
		copy(keys->region, sizeof(keys->region), value);
}

/* What [section] of the file says. */
static void read_section(const char *path, const char *section,
			 struct remote_keys *keys)
{
	char line[LINE_SIZE], *text, *value;
	FILE *in = fopen(path, "re");
	bool here = false;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		text = trim(line);
		if (text[0] == '[') {
			text[strcspn(text, "]")] = '\0';
			here = strcmp(trim(text + 1), section) == 0;
			continue;
		}
		value = strchr(text, '=');
		if (!here || value == NULL || text[0] == '#')
			continue;
		*value = '\0';
		take(keys, trim(text), trim(value + 1));
	}
	if (in != NULL)
		fclose(in);
}

static bool from_environment(struct remote_keys *keys)
{
	const char *id = variable("AWS_ACCESS_KEY_ID");
	const char *secret = variable("AWS_SECRET_ACCESS_KEY");

	if (id == NULL || secret == NULL)
		return false;
	copy(keys->id, sizeof(keys->id), id);
	copy(keys->secret, sizeof(keys->secret), secret);
	copy(keys->token, sizeof(keys->token),
	     variable("AWS_SESSION_TOKEN") ?: "");
	return true;
}

static bool from_file(const char *path, const char *profile,
		      struct remote_keys *keys, char *where, size_t size)
{
	size_t n = strlen(where);

	read_section(path, profile, keys);
	snprintf(where + n, size - n, "%s%s", n ? ", " : "", path);
	return keys->id[0] && keys->secret[0];
}

static void in_home(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/.aws/%s", variable("HOME") ?: "", name);
}

static bool from_files(const char *profile, struct remote_keys *keys,
		       char *where, size_t size)
{
	static const char *const named[] = { "AWS_SHARED_CREDENTIALS_FILE",
					     "HAWSER_AWS_CREDENTIALS" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (variable(named[i]) != NULL &&
		    from_file(variable(named[i]), profile, keys, where, size))
			return true;
	in_home("credentials", path);
	if (from_file(path, profile, keys, where, size))
		return true;
	snprintf(path, sizeof(path), "%s/credentials",
		 variable("HAWSER_STATE") ?: "/var/lib/hawser");
	return from_file(path, profile, keys, where, size);
}

/* ~/.aws/config has regions, too. */
static void find_region(const char *profile, struct remote_keys *keys)
{
	char path[PATH_MAX], section[AWS_WORD];
	struct remote_keys config = {};

	if (keys->region[0])
		return;
	in_home("config", path);
	snprintf(section, sizeof(section), "%s%s",
		 strcmp(profile, "default") ? "profile " : "", profile);
	read_section(variable("AWS_CONFIG_FILE") ?: path, section, &config);
	copy(keys->region, sizeof(keys->region), config.region);
}

bool remote_keys_find(const char *profile, struct remote_keys *keys,
		      char *where, size_t size)
{
	const char *name = profile ?: variable("AWS_PROFILE") ?: "default";
	bool found;

	memset(keys, 0, sizeof(*keys));
	where[0] = '\0';
	found = (profile == NULL && from_environment(keys)) ||
		from_files(name, keys, where, size);
	find_region(name, keys);
	return found;
}
