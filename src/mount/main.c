/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find ─▶ probe ─▶ mount; when the first two fail for a reason that may pass,
 * again, for `retry` minutes: in the foreground, or (bg) behind the back of
 * whoever called, to whom the mount counts as done.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/fuse.h"
#include "mount/internal.h"
#include "mount/mount.h"

enum { RETRY_FOREGROUND = 2, RETRY_BACKGROUND = 10000, PAUSE_MAX = 30 };

static bool wants_kernel(const struct wish *w)
{
	if (w->client != CLIENT_AUTO)
		return w->client == CLIENT_KERNEL;
	if (w->tls || w->only_fuse[0])
		return false;
	return w->only_kernel[0] || kernel_is_there();
}

static void say_what(const struct wish *w, const struct site *p, bool kernel)
{
	char text[ADDR_TEXT_MAX];

	printf("%s: %s:%s by %s\n", w->program, p->name, p->path,
	       kernel ? "the kernel's client" : "hawser mount");
	for (size_t i = 0; i < p->n; i++)
		printf("%s: mount target %s%s%s%s\n", w->program,
		       addr_format(&p->list[i].address, text),
		       p->list[i].zone[0] ? ", zone " : "", p->list[i].zone,
		       i < p->live ? "" : " (does not answer)");
}

/* One attempt: HELPER_FAIL with *f, or with "" in it when it was said. */
static int attempt(const struct wish *w, const struct settings *s,
		   struct fault *f)
{
	struct site p;
	bool kernel;
	int r;

	*f = (struct fault){ 0 };
	r = site_find(w, s, &p, f);
	if (r == 0)
		r = site_probe(w, &p, f);
	if (r < 0)
		return HELPER_FAIL;
	kernel = wants_kernel(w);
	if (w->verbose)
		say_what(w, &p, kernel);
	if (w->fake)
		return HELPER_OK;
	if (kernel)
		r = mount_by_kernel(w, &p, f);
	else
		r = mount_by_fuse(w, s, &p);
	return r == 0 ? HELPER_OK : HELPER_FAIL;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Into the background: what follows happens in a child, true there. */
static bool leave_foreground(const struct wish *w, const struct fault *f)
{
	pid_t pid;

	fprintf(stderr, "%s: %s; trying on in the background\n", w->program,
		f->text);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		setsid();
	return pid <= 0;
}

static int try_on(const struct wish *w, const struct settings *s)
{
	unsigned minutes = w->retry != UINT_MAX ? w->retry
			   : w->background	? RETRY_BACKGROUND
						: RETRY_FOREGROUND;
	time_t end = seconds() + (time_t)minutes * 60;
	unsigned left = w->retry_count, pause = 1;
	bool behind = false;
	struct fault f;
	int status;

	while ((status = attempt(w, s, &f)) != HELPER_OK && f.passing &&
	       left-- > 0 && seconds() + (time_t)pause <= end) {
		if (w->background && !behind && !leave_foreground(w, &f))
			return HELPER_OK;
		behind = w->background;
		if (w->verbose)
			fprintf(stderr, "%s: %s; trying again\n", w->program,
				f.text);
		sleep(pause);
		pause = MIN(2 * pause, (unsigned)PAUSE_MAX);
	}
	if (status != HELPER_OK && f.text[0])
		fprintf(stderr, "%s: %s: %s\n", w->program, w->source, f.text);
	return status;
}

/* The configuration's client is for those who do not say another. */
static int apply_settings(struct wish *w, const struct settings *s)
{
	if (w->client != CLIENT_AUTO || s->client == NULL || w->tls)
		return 0;
	return wish_set_client(w, s->client);
}

int helper_main(int argc, char **argv)
{
	struct settings settings;
	struct wish wish;
	int r = wish_parse(&wish, argc, argv), status = HELPER_USAGE;

	if (r != 0)
		return r > 0 ? HELPER_OK : HELPER_USAGE;
	settings_read(&settings);
	if (apply_settings(&wish, &settings) == 0)
		status = try_on(&wish, &settings);
	settings_forget(&settings);
	return status;
}
