/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: the environment, or a profile of the credentials file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "csi/aws.h"

enum { FILE_MAX = 64 << 10 };

static void trim(const char **begin, const char **end)
{
	while (*begin < *end && strchr(" \t\r", **begin))
		(*begin)++;
	while (*end > *begin && strchr(" \t\r", (*end)[-1]))
		(*end)--;
}

static void set(char *to, size_t size, const char *begin, const char *end)
{
	snprintf(to, size, "%.*s", (int)(end - begin), begin);
}

static void apply(struct aws_key *key, const char *begin, const char *end)
{
	const char *equals = memchr(begin, '=', end - begin);
	const char *name_end = equals, *value = equals ? equals + 1 : NULL;
	char name[64];

	if (equals == NULL)
		return;
	trim(&begin, &name_end);
	trim(&value, &end);
	set(name, sizeof(name), begin, name_end);
	if (strcmp(name, "aws_access_key_id") == 0)
		set(key->id, sizeof(key->id), value, end);
	else if (strcmp(name, "aws_secret_access_key") == 0)
		set(key->secret, sizeof(key->secret), value, end);
	else if (strcmp(name, "aws_session_token") == 0)
		set(key->token, sizeof(key->token), value, end);
}

int aws_key_parse(const char *text, const char *profile, struct aws_key *key)
{
	size_t len = strlen(profile);
	bool ours = false;

	memset(key, 0, sizeof(*key));
	while (*text) {
		const char *end = text + strcspn(text, "\n"), *next = end;
		const char *line = text;

		trim(&line, &end);
		if (line < end && *line == '[')
			ours = (size_t)(end - line) == len + 2 &&
			       memcmp(line + 1, profile, len) == 0 &&
			       line[len + 1] == ']';
		else if (ours && line < end && *line != '#' && *line != ';')
			apply(key, line, end);
		text = *next ? next + 1 : next;
	}
	return key->id[0] && key->secret[0] ? 0 : -ENOENT;
}

static int from_environment(struct aws_key *key)
{
	const char *id = getenv("AWS_ACCESS_KEY_ID");
	const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
	const char *token = getenv("AWS_SESSION_TOKEN");

	if (id == NULL || *id == '\0' || secret == NULL || *secret == '\0')
		return -ENOENT;
	snprintf(key->id, sizeof(key->id), "%s", id);
	snprintf(key->secret, sizeof(key->secret), "%s", secret);
	snprintf(key->token, sizeof(key->token), "%s", token ? token : "");
	return 0;
}

static void file_name(char *path, size_t size)
{
	const char *name = getenv("AWS_SHARED_CREDENTIALS_FILE");
	const char *home = getenv("HOME");

	if (name == NULL || *name == '\0')
		name = getenv("HAWSER_AWS_CREDENTIALS");
	if (name != NULL && *name != '\0')
		snprintf(path, size, "%s", name);
	else
		snprintf(path, size, "%s/.aws/credentials", home ? home : "");
}

int aws_key_find(struct aws_key *key, char *err, size_t size)
{
	const char *profile = getenv("AWS_PROFILE");
	char path[512];
	auto_free char *text = calloc(1, FILE_MAX + 1);
	FILE *f;
	int r;

	if (from_environment(key) == 0)
		return 0;
	if (text == NULL)
		return -ENOMEM;
	if (profile == NULL || *profile == '\0')
		profile = "default";
	file_name(path, sizeof(path));
	f = fopen(path, "re");
	if (f == NULL) {
		r = -errno;
		snprintf(err, size,
			 "no access key: AWS_ACCESS_KEY_ID is not set, and "
			 "%s: %s",
			 path, strerror(-r));
		return r;
	}
	fread(text, 1, FILE_MAX, f);
	fclose(f);
	r = aws_key_parse(text, profile, key);
	if (r < 0)
		snprintf(err, size, "no access key: %s has none in [%s]", path,
			 profile);
	return r;
}
