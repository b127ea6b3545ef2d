/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to ask and who asks: options, environment, files; in that order. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/internal.h"
#include "base/ini.h"
#include "base/util.h"

int aws_fail(struct aws_error *e, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
	return error;
}

/* An environment variable that is set to something. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] ? value : NULL;
}

static const char *first(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

static char *copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* FILE of ~/.aws. */
static const char *home_file(char path[PATH_MAX], const char *file)
{
	snprintf(path, PATH_MAX, "%s/.aws/%s", first(variable("HOME"), "/root"),
		 file);
	return path;
}

/* What hawserd wrote at its first start. */
static const char *state_file(char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/credentials",
		 first(variable("HAWSER_STATE"), "/var/lib/hawser"));
	return path;
}

static const char *profile_of(const char *told)
{
	return first(first(told, variable("AWS_PROFILE")), "default");
}

static const char *credentials_file(const char *told, char path[PATH_MAX])
{
	told = first(told, variable("AWS_SHARED_CREDENTIALS_FILE"));
	told = first(told, variable("HAWSER_AWS_CREDENTIALS"));
	if (told != NULL)
		return told;
	home_file(path, "credentials");
	return access(path, F_OK) == 0 ? path : state_file(path);
}

static char *find_region(const struct aws_options *o)
{
	const char *profile = profile_of(o->profile), *told = o->region;
	char path[PATH_MAX], *region;

	told = first(told, variable("AWS_REGION"));
	told = first(told, variable("AWS_DEFAULT_REGION"));
	if (told != NULL)
		return strdup(told);
	region = ini_get(credentials_file(o->credentials_file, path), profile,
			 "region");
	if (region == NULL)
		region = ini_get(first(variable("AWS_CONFIG_FILE"),
				       home_file(path, "config")),
				 profile, "region");
	return region != NULL ? region : strdup("us-east-1");
}

int settings_load(struct aws_settings *s, const struct aws_options *o)
{
	*s = (struct aws_settings){
		.endpoint = copy(o->endpoint),
		.region = find_region(o),
		.profile = copy(o->profile),
		.file = copy(o->credentials_file),
		.ca = copy(first(o->ca_file, variable("AWS_CA_BUNDLE"))),
		.default_endpoint = copy(o->default_endpoint),
	};
	return s->region != NULL ? 0 : -ENOMEM;
}

void settings_free(struct aws_settings *s)
{
	free(s->endpoint);
	free(s->region);
	free(s->profile);
	free(s->file);
	free(s->ca);
	free(s->default_endpoint);
}

static int key_of_environment(struct aws_key *key, struct aws_error *e)
{
	key->id = copy(variable("AWS_ACCESS_KEY_ID"));
	key->secret = copy(variable("AWS_SECRET_ACCESS_KEY"));
	key->token = copy(variable("AWS_SESSION_TOKEN"));
	if (key->secret == NULL)
		return aws_fail(e, -ENOENT,
				"AWS_ACCESS_KEY_ID is set, but "
				"AWS_SECRET_ACCESS_KEY is not");
	return 0;
}

int settings_key(const struct aws_settings *s, struct aws_key *key,
		 struct aws_error *e)
{
	const char *profile = profile_of(s->profile), *file = s->file;
	char home[PATH_MAX];

	*key = (struct aws_key){ 0 };
	if (file == NULL && s->profile == NULL &&
	    variable("AWS_ACCESS_KEY_ID") != NULL)
		return key_of_environment(key, e);
	file = credentials_file(file, home);
	key->id = ini_get(file, profile, "aws_access_key_id");
	key->secret = ini_get(file, profile, "aws_secret_access_key");
	key->token = ini_get(file, profile, "aws_session_token");
	if (key->id == NULL || key->secret == NULL)
		return aws_fail(e, -ENOENT,
				"no access key: set AWS_ACCESS_KEY_ID and "
				"AWS_SECRET_ACCESS_KEY, or give %s a profile "
				"[%s]", file, profile);
	return 0;
}

static void forget(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void aws_key_free(struct aws_key *key)
{
	free(key->id);
	forget(key->secret);
	forget(key->token);
}

static const char *skip(const char *text, const char *word)
{
	size_t len = strlen(word);

	return strncmp(text, word, len) == 0 ? text + len : NULL;
}

/* {service} and {region} filled in, and no '/' at the end. */
static void fill_in(const struct aws_settings *s, const char *service,
		    const char *from, char *url, size_t size)
{
	const char *rest, *word;
	size_t n = 0;

	for (url[0] = '\0'; *from && n < size; from = rest) {
		if ((rest = skip(from, "{service}")) != NULL)
			word = service;
		else if ((rest = skip(from, "{region}")) != NULL)
			word = s->region;
		else
			word = NULL;
		if (word == NULL)
			rest = from + 1;
		n += snprintf(url + n, size - n, "%.*s",
			      word ? (int)strlen(word) : 1, word ?: from);
	}
	while (url[0] && url[strlen(url) - 1] == '/')
		url[strlen(url) - 1] = '\0';
}

bool settings_endpoint(const struct aws_settings *s, const char *service,
		       char *url, size_t size)
{
	char name[64];
	const char *told = s->endpoint;
	/* The variable is named after the service, not after its signature. */
	const char *id = strcmp(service, "elasticfilesystem") == 0 ? "EFS" :
			 strcmp(service, "monitoring") == 0 ? "CLOUDWATCH" :
							      service;

	snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", id);
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	told = first(told, variable(name));
	told = first(told, variable("AWS_ENDPOINT_URL"));
	told = first(told, variable("HAWSER_API_URL"));
	told = first(told, s->default_endpoint);
	fill_in(s, service,
		first(told, "https://{service}.{region}.amazonaws.com"), url,
		size);
	return told != NULL;
}
