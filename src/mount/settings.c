/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host's configuration says of mounts: section [mount] of
 * /etc/hawser/hawser.conf, since fstab(5) has no environment.
 */
#include <stdlib.h>

#include "base/ini.h"
#include "mount/internal.h"

static const char standard[] = "/etc/hawser/hawser.conf";

static const struct {
	const char *name;
	size_t offset;
} names[] = {
#define AT(member) offsetof(struct settings, member)
	{ "endpoint", AT(endpoint) },
	{ "region", AT(region) },
	{ "dns_name_suffix", AT(suffix) },
	{ "zone", AT(zone) },
	{ "profile", AT(profile) },
	{ "credentials_file", AT(credentials) },
	{ "cafile", AT(ca_file) },
	{ "client", AT(client) },
#undef AT
};

static char **slot(struct settings *s, size_t i)
{
	return (char **)((char *)s + names[i].offset);
}

void settings_read(struct settings *s)
{
	const char *file = getenv("HAWSER_CONFIG");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		*slot(s, i) =
			ini_get(file ? file : standard, "mount", names[i].name);
}

void settings_forget(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free(*slot(s, i));
}
