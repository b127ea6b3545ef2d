/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what stands before the colon to addresses:
 *
 *	options    addr=, mounttargetip=: these
 *	ADDRESS    that one
 *	fs-ID      mount targets by EFS's API, near ones first; if it can't be
 *	           asked, what FS.efs.REGION.SUFFIX resolves to
 *	NAME       what it resolves to
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
		return fault_set(f, n, "%s", err);
	}
	p->n = (size_t)n;
	return 0;
}

static int by_api(const struct wish *w, const struct settings *s,
		  struct site *p, struct aws_client *aws, struct fault *f)
{
	const struct targets_wish wish = {
		.fs = p->fs,
		.zone = w->zone,
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
	p->alone = w->zone != NULL;
	return 0;
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
		return by_api(w, s, p, aws, f);
	return by_name(p->name, p, f);
}

/* ------------------------------------------------------------------- names */

/* Region and host of a name that EFS gives, "fs-ID.efs.REGION.SUFFIX", with or
 * without a zone in front, which is in no certificate; or those that it would
 * give. */
static void name_host(const struct settings *s, struct site *p,
		      struct aws_client *aws)
{
	const char *given = p->fs[0] ? strstr(p->name, p->fs) : NULL;

	snprintf(p->region, sizeof(p->region), "%s", aws_region(aws));
	if (given != NULL && given[strlen(p->fs)] == '.') {
		snprintf(p->host, sizeof(p->host), "%s", given);
		sscanf(given + strlen(p->fs), ".efs.%64[^.].", p->region);
	} else if (p->fs[0]) {
		targets_name(aws, p->fs, s->suffix, p->host);
	}
}

int site_find(const struct wish *w, const struct settings *s, struct site *p,
	      struct fault *f)
{
	struct aws_options options = {
		.endpoint = first(w->endpoint, s->endpoint),
		.region = first(w->region, s->region),
		.profile = first(w->profile, s->profile),
		.credentials_file = s->credentials,
	};
	struct aws_client *aws;
	struct aws_error why;
	int r;

	if (site_read_source(w->source, p) < 0 || add_point(w, p) < 0)
		return fault_set(f, -EINVAL,
				 "%.200s is neither fs-ID:/PATH nor "
				 "ADDRESS:/PATH",
				 w->source);
	r = aws_open(&aws, &options, &why);
	if (r < 0)
		return fault_set(f, r, "%s", why.message);
	name_host(s, p, aws);
	r = find_addresses(w, s, p, aws, f);
	aws_close(aws);
	return r;
}
