/* SPDX-License-Identifier: Apache-2.0 */
/* The client in user space: the command `hawser mount`, within this process. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuse/fuse.h"
#include "mount/internal.h"

struct text {
	char *at;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t,
						      const char *format, ...)
{
	size_t left = WISH_TEXT - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->at + t->len, left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left)
		t->full = true;
	else
		t->len += (size_t)n;
}

static void add_addresses(struct text *t, const struct wish *w,
			  const struct site *p)
{
	char text[ADDR_TEXT_MAX];
	size_t n = w->multipath ? p->n : 1;

	if (w->max_connect > 0)
		n = MIN(n, w->max_connect);
	for (size_t i = 0; i < n; i++) {
		addr_format(&p->list[i].address, text);
		if (i == 0)
			add(t, "addr=%s", text);
		else
			add(t, ",mounttargetip_%zu=%s", i, text);
	}
	if (!w->multipath || p->alone || w->max_connect == 1)
		add(t, ",notrunkdiscovery");
	if (w->max_connect > 0)
		add(t, ",max_connect=%u", w->max_connect);
}

static void add_text(struct text *t, const char *name, const char *value)
{
	if (value != NULL && value[0])
		add(t, ",%s=%s", name, value);
}

/* Amazon's roots, where amazon-efs-utils has brought them. */
static const char *usual_roots(const struct site *p)
{
	static const char roots[] = "/etc/amazon/efs/efs-utils.crt";

	return strstr(p->host, ".amazonaws.com") && access(roots, R_OK) == 0
		       ? roots
		       : NULL;
}

static void add_tls(struct text *t, const struct wish *w,
		    const struct settings *s, const struct site *p)
{
	const char *ca = w->ca_file ? w->ca_file : s->ca_file;

	if (!w->tls)
		return;
	add(t, ",tls%s", w->iam ? ",iam" : "");
	add_text(t, "tlshost", w->host ? w->host : p->host);
	add_text(t, "region", p->region);
	add_text(t, "accesspoint", w->access_point);
	add_text(t, "verify", w->verify);
	add_text(t, "cafile", ca ? ca : usual_roots(p));
	add_text(t, "awsprofile", w->profile ? w->profile : s->profile);
	add_text(t, "credentials_file", s->credentials);
}

int mount_by_fuse(const struct wish *w, const struct settings *s,
		  const struct site *p)
{
	char options[WISH_TEXT], source[sizeof(p->name) + sizeof(p->path)];
	const char *argv[] = { "mount", "-o",	      options, "--",
			       source,	w->directory, NULL };
	struct text t = { .at = options };

	snprintf(source, sizeof(source), "%s:%s", p->name, p->path);
	add_addresses(&t, w, p);
	add_tls(&t, w, s, p);
	if (w->read_only)
		add(&t, ",ro");
	if (w->options[0])
		add(&t, ",%s", w->options);
	if (t.full) {
		fprintf(stderr, "%s: the options are too long\n", w->program);
		return 2;
	}
	return mount_main(6, (char **)argv);
}
