/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a mount, as one text. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "csi/locate.h"

/* An option may stand alone or with others, between commas. */
struct cursor {
	const struct locate_wish *wish;
	size_t flag;
	const char *at; /* in it; NULL: at its beginning */
};

enum { OPTION_SIZE = 512 };

/* The next option, in lower case; false: that was all.  One that is too long is
 * cut, and refused by whoever gets it. */
static bool next_option(struct cursor *c, char option[OPTION_SIZE])
{
	while (c->flag < c->wish->n_flags) {
		const char *text = c->at ? c->at : c->wish->flags[c->flag];
		size_t len = strcspn(text, ",");

		c->at = text[len] ? text + len + 1 : NULL;
		if (c->at == NULL)
			c->flag++;
		if (len == 0)
			continue;
		snprintf(option, OPTION_SIZE, "%.*s", (int)len, text);
		for (char *p = option; *p; p++)
			*p = tolower((unsigned char)*p);
		return true;
	}
	return false;
}

/* "name" or "name=…" */
static bool is_called(const char *option, const char *name)
{
	size_t len = strlen(name);

	return strncmp(option, name, len) == 0 &&
	       (option[len] == '\0' || option[len] == '=');
}

int locate_flag(const struct locate_wish *wish, const char *name, char *value,
		size_t size)
{
	struct cursor c = { .wish = wish };
	char option[OPTION_SIZE];
	int found = 0;

	while (next_option(&c, option))
		if (is_called(option, name)) {
			size_t len = strlen(name);

			found = 1;
			snprintf(value, size, "%s",
				 option[len] ? option + len + 1 : "");
		}
	return found;
}

/* ----------------------------------------------------------------- the text */

static bool contains(const char *list, const char *option)
{
	size_t len = strlen(option);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, option, len) == 0 &&
		    (list[len] == ',' || list[len] == '\0'))
			return true;
	return false;
}

static int append(char *out, size_t size, const char *option)
{
	size_t used = strlen(out);

	if (contains(out, option))
		return 0;
	if (used + 1 + strlen(option) >= size)
		return -E2BIG;
	sprintf(out + used, "%s%s", used ? "," : "", option);
	return 0;
}

static int append_addresses(const struct path_candidate *targets, size_t n,
			    char *out, size_t size)
{
	char option[ADDR_TEXT_MAX + 64], text[ADDR_TEXT_MAX];
	int r = 0;

	if (n > 1)
		log_info("Building multipath mount options for %zu mount "
			 "targets",
			 n);
	for (size_t i = 0; i < n && r == 0; i++) {
		addr_format_host(&targets[i].address, text);
		if (i == 0)
			snprintf(option, sizeof(option), "addr=%s", text);
		else
			snprintf(option, sizeof(option), "mounttargetip_%zu=%s",
				 i, text);
		r = append(out, size, option);
		if (n > 1 && r == 0)
			log_info("Added multipath mount option %s", option);
	}
	if (n > 1 && r == 0)
		log_info("Enabled multipathing with %zu mount targets", n);
	return r;
}

/* What this file or the node service has dealt with.  bg: what is published is
 * mounted. */
static bool is_taken(const char *option)
{
	return is_called(option, "awscredsuri") ||
	       is_called(option, "accesspoint") || is_called(option, "az") ||
	       is_called(option, "mounttargetip") || is_called(option, "bg");
}

static int append_flags(const struct locate_wish *wish, char *out, size_t size)
{
	struct cursor c = { .wish = wish };
	char option[OPTION_SIZE];
	int r = 0;

	while (r == 0 && next_option(&c, option))
		if (!is_taken(option))
			r = append(out, size, option);
	return r;
}

static bool has_flag(const struct locate_wish *wish, const char *name)
{
	char value[8];

	return locate_flag(wish, name, value, sizeof(value));
}

/* The client finds more addresses by itself, as the server tells of them: as
 * many as are wanted, and it is not known here which. */
static int append_bound(const struct locate_wish *wish, size_t n, char *out,
			size_t size)
{
	char option[32];

	if (n == 0 || (wish->multipathing && wish->max_targets == 0))
		return 0;
	if (has_flag(wish, "trunkdiscovery") ||
	    has_flag(wish, "notrunkdiscovery") || has_flag(wish, "max_connect"))
		return 0;
	if (!wish->multipathing)
		return append(out, size, "notrunkdiscovery");
	snprintf(option, sizeof(option), "max_connect=%zu",
		 MIN(wish->max_targets, (size_t)LOCATE_MAX));
	return append(out, size, option);
}

/* What the volume's own options say of it is the last word. */
static int append_text(const struct locate_wish *wish, const char *name,
		       const char *value, char *out, size_t size)
{
	char option[OPTION_SIZE];

	if (value == NULL || has_flag(wish, name))
		return 0;
	if ((size_t)snprintf(option, sizeof(option), "%s=%s", name, value) >=
	    sizeof(option))
		return -E2BIG;
	return append(out, size, option);
}

static int append_tls(const struct locate_wish *wish, char *out, size_t size)
{
	int r;

	if (!wish->tls)
		return 0;
	r = append(out, size, "tls");
	if (r == 0)
		r = append_text(wish, "tlshost", wish->host, out, size);
	if (r == 0)
		r = append_text(wish, "region", wish->region, out, size);
	if (r == 0)
		r = append_text(wish, "cafile", wish->ca_file, out, size);
	return r;
}

int locate_options(const struct locate_wish *wish,
		   const struct path_candidate *targets, size_t n, char *out,
		   size_t size)
{
	int r;

	out[0] = '\0';
	r = append_addresses(targets, n, out, size);
	if (r == 0)
		r = append_bound(wish, n, out, size);
	if (r == 0)
		r = append_tls(wish, out, size);
	if (r == 0 && wish->read_only)
		r = append(out, size, "ro");
	if (r == 0)
		r = append_text(wish, "client", wish->client, out, size);
	/* Whoever asked for the volume asks again. */
	if (r == 0)
		r = append_text(wish, "retry", "0", out, size);
	return r < 0 ? r : append_flags(wish, out, size);
}
