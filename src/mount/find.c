/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what stands before the colon to addresses:
 *
 *	options    addr=, mounttargetip=: these
 *	ADDRESS    that one
 *	fs-ID      mount targets by EFS's API, near ones first; if it can't be
 *	           asked, what FS.efs.REGION.SUFFIX resolves to
 *	NAME       what it resolves to; if that is nothing, and it is one that
 *	           EFS gives, [ZONE.]fs-ID.efs.REGION.SUFFIX, by the API
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aws/aws.h"
#include "efs/targets.h"
#include "mount/internal.h"

int fault_set(struct fault *f, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return error;
}

/* ------------------------------------------------------------------ source */

/* The length of an id at the beginning of the text; 0: there is none. */
static size_t fs_id(const char *text)
{
	size_t digits;

	if (strncmp(text, "fs-", 3) != 0)
		return 0;
	digits = strspn(text + 3, "0123456789abcdef");
	if (digits < 8 || digits > 40 ||
	    (text[3 + digits] != '\0' && text[3 + digits] != '.'))
		return 0;
	return 3 + digits;
}

/* "fs-ID", and names that EFS gives: "fs-ID.efs.…", "ZONE.fs-ID.efs.…". */
static void find_id(struct site *p)
{
	const char *at = p->name, *dot = strchr(at, '.');
	size_t len = fs_id(at);

	if (len == 0 && dot != NULL) {
		at = dot + 1;
		len = fs_id(at);
	}
	snprintf(p->fs, sizeof(p->fs), "%.*s", (int)len, at);
}

int site_read_source(const char *source, struct site *p)
{
	const char *colon = strstr(source, ":/");
	size_t len = colon ? (size_t)(colon - source) : strlen(source);

	memset(p, 0, sizeof(*p));
	if (len > 0 && source[len - 1] == ':') /* "fs-ID:" is its root */
		len--;
	if (len == 0 || len >= sizeof(p->name) ||
	    (colon && strlen(colon + 1) >= sizeof(p->path)))
		return -EINVAL;
	memcpy(p->name, source, len);
	strcpy(p->path, colon ? colon + 1 : "/");
	find_id(p);
	/* Elsewhere a path that is missing is a mistake. */
	return colon == NULL && p->fs[0] == '\0' ? -EINVAL : 0;
}

/* Without TLS there is no certificate to name an access point: then its name
 * is a path. */
static int add_point(const struct wish *w, struct site *p)
{
	char below[sizeof(p->path)];
	int n;

	if (w->access_point == NULL || w->tls)
		return 0;
	snprintf(below, sizeof(below), "%s", p->path);
	n = snprintf(p->path, sizeof(p->path), "/%s%s", w->access_point,
		     below[1] ? below : "");
	return n < (int)sizeof(p->path) ? 0 : -EINVAL;
}

/* --------------------------------------------------------------- addresses */

static void add(struct site *p, const char *text)
{
	struct path_candidate *c = &p->list[p->n];

	memset(c, 0, sizeof(*c));
	if (addr_parse(&c->address, text, 0) == 0)
		p->n++;
}

static const char *first(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

static int by_name(const char *name, struct site *p, struct fault *f)
{
	char err[TARGETS_TEXT_SIZE];
	int n = targets_resolve(name, p->list, PATH_SELECT_MAX, err);

	if (n < 0) {
		f->passing = n == -EAGAIN;
		return fault_set(f, n, "%s%s", err,
				 strncmp(name, "fs-", 3) || strchr(name, '.')
					 ? ""
					 : "; nor is it the id of a file "
					   "system, fs- and 8 or 17 "
					   "hexadecimal digits");
	}
	p->n = (size_t)n;
	return 0;
}

static int by_api(const struct wish *w, const struct settings *s,
		  struct site *p, struct aws_client *aws, const char *zone,
		  struct fault *f)
{
	const struct targets_wish wish = {
		.fs = p->fs,
		.zone = zone,
		.host_zone = s->zone,
		.suffix = s->suffix,
		.limit = WISH_ADDRESSES,
	};
	struct targets_found found;
	int n = targets_find(aws, &wish, p->list, &found);

	f->passing = found.passing;
	if (n < 0)
		return fault_set(f, n, "%s", found.text);
	p->n = (size_t)n;
	p->alone = zone != NULL;
	return 0;
}

/* Where nobody serves EFS's names, as without AWS, they still say it all. */
static int by_efs_name(const struct wish *w, const struct settings *s,
		       struct site *p, struct aws_client *aws, struct fault *f)
{
	size_t before = (size_t)(strstr(p->name, p->fs) - p->name);
	int r = by_name(p->name, p, f);
	char zone[PATH_ZONE_SIZE];

	if (r == 0)
		return 0;
	snprintf(zone, sizeof(zone), "%.*s", before ? (int)before - 1 : 0,
		 p->name);
	return by_api(w, s, p, aws, zone[0] ? zone : w->zone, f);
}

static int find_addresses(const struct wish *w, const struct settings *s,
			  struct site *p, struct aws_client *aws,
			  struct fault *f)
{
	for (unsigned i = 0; i < w->naddresses; i++)
		add(p, w->address[i]);
	if (p->n == 0)
		add(p, p->name);
	if (p->n > 0)
		return 0;
	if (p->fs[0] && strcmp(p->fs, p->name) == 0)
		return by_api(w, s, p, aws, w->zone, f);
	if (p->fs[0])
		return by_efs_name(w, s, p, aws, f);
	return by_name(p->name, p, f);
}

/* ------------------------------------------------------------------- names */

/* Region and host of a name that EFS gives, "fs-ID.efs.REGION.SUFFIX", with or
 * without a zone in front, which is in no certificate; else "". */
static void read_host(struct site *p)
{
	const char *given = p->fs[0] ? strstr(p->name, p->fs) : NULL;

	if (given == NULL || given[strlen(p->fs)] != '.')
		return;
	snprintf(p->host, sizeof(p->host), "%s", given);
	sscanf(given + strlen(p->fs), ".efs.%64[^.].", p->region);
}

/* Or those that it would give. */
static void name_host(const struct settings *s, struct site *p,
		      struct aws_client *aws)
{
	if (p->region[0] == '\0')
		snprintf(p->region, sizeof(p->region), "%s", aws_region(aws));
	if (p->fs[0] && p->host[0] == '\0')
		targets_name(aws, p->fs, s->suffix, p->host);
}

/* A profile that is asked for has a key, or is a mistake: nothing to wait for.
 */
static int check_profile(const struct wish *w, struct aws_client *aws,
			 struct fault *f)
{
	struct aws_error why;
	struct aws_key key;
	int r;

	if (w->profile == NULL)
		return 0;
	r = aws_key_get(aws, &key, &why);
	aws_key_free(&key);
	return r == 0 ? 0 : fault_set(f, r, "%s", why.message);
}

int site_find(const struct wish *w, const struct settings *s, struct site *p,
	      struct fault *f)
{
	struct aws_options options = {
		.endpoint = first(w->endpoint, s->endpoint),
		.profile = first(w->profile, s->profile),
		.credentials_file = s->credentials,
	};
	struct aws_client *aws;
	struct aws_error why;
	int r;

	if (site_read_source(w->source, p) < 0 || add_point(w, p) < 0)
		return fault_set(f, -EINVAL,
				 "that is neither fs-ID:/PATH nor "
				 "ADDRESS:/PATH");
	read_host(p);
	options.region = first(w->region, p->region[0] ? p->region : s->region);
	r = aws_open(&aws, &options, &why);
	if (r < 0)
		return fault_set(f, r, "%s", why.message);
	name_host(s, p, aws);
	r = check_profile(w, aws, f);
	if (r == 0)
		r = find_addresses(w, s, p, aws, f);
	aws_close(aws);
	return r;
}
