/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a mount:
 *
 *	options.c  what is asked for: struct wish
 *	settings.c what the host's configuration adds
 *	find.c     the addresses: given, by the API, by DNS
 *	probe.c    which of them answer
 *	kernel.c   the kernel's client, or
 *	user.c     hawser mount
 *
 * main.c runs them, again as long as `retry` says.
 */
#ifndef MOUNT_INTERNAL_H
#define MOUNT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "path/select.h"

enum {
	WISH_TEXT = 4096, /* of options: what mount(2) takes */
	WISH_ADDRESSES = 16,
	FAULT_SIZE = 900,
};

enum wish_client { CLIENT_AUTO, CLIENT_KERNEL, CLIENT_FUSE };

/* What a mount is to be; strings are borrowed from the arguments. */
struct wish {
	const char *program; /* "mount.hawser", for messages */
	const char *source, *directory;
	bool fake, sloppy, verbose, read_only;

	enum wish_client client;
	bool multipath;	      /* over all mount targets */
	unsigned max_connect; /* 0: as many as there are */
	const char *address[WISH_ADDRESSES];
	unsigned naddresses;
	const char *zone, *region, *profile, *endpoint;
	bool background;
	unsigned retry;	      /* minutes; UINT_MAX: not said */
	unsigned retry_count; /* attempts after the first; UINT_MAX: not said */

	bool tls, no_tls, iam;
	const char *access_point, *ca_file, *verify, *host;

	/* For the clients, as they came, with commas between; and those of
	 * them that only one of the two understands: "": none. */
	char options[WISH_TEXT];
	char only_kernel[64], only_fuse[64];
	unsigned long attributes; /* MOUNT_ATTR_*, of the kernel's */
};

/* The arguments: 0; 1: help was given; -EINVAL after a line on stderr. */
int wish_parse(struct wish *w, int argc, char **argv);
/* Of -o alone, for tests; `list` is used up. */
int wish_parse_options(struct wish *w, char *list);
/* "auto", "kernel", "fuse". */
int wish_set_client(struct wish *w, const char *name);

/* /etc/hawser/hawser.conf, or HAWSER_CONFIG. */
struct settings {
	char *endpoint, *region, *suffix, *zone, *profile, *credentials,
		*ca_file, *client;
};
void settings_read(struct settings *s);
void settings_forget(struct settings *s);

/* Where the file system is. */
struct site {
	char fs[64];	 /* "fs-…"; "": not known */
	char name[256];	 /* before the colon */
	char path[1024]; /* "/…", what is mounted */
	char region[65];
	char host[256]; /* "fs-….efs.REGION.SUFFIX"; "": not known */
	struct path_candidate list[PATH_SELECT_MAX];
	size_t n, live; /* live: answered, the first ones */
	bool alone;	/* no other mount targets than these */
};

/* Why it can't be mounted. */
struct fault {
	bool passing; /* trying again later may help */
	char text[FAULT_SIZE];
};
__attribute__((format(printf, 3, 4))) int fault_set(struct fault *f, int error,
						    const char *format, ...);

/* All return 0, or -errno with *f. */
int site_find(const struct wish *w, const struct settings *s, struct site *p,
	      struct fault *f);
/* Waits some seconds for each to answer: those that did come first. */
int site_probe(const struct wish *w, struct site *p, struct fault *f);
int mount_by_kernel(const struct wish *w, const struct site *p,
		    struct fault *f);
/* Says why not by itself: the exit status of `hawser mount`. */
int mount_by_fuse(const struct wish *w, const struct settings *s,
		  const struct site *p);

/* Why the server denies the mount, as it explains it; "": it does not. */
void site_explain(const struct site *p, char *text, size_t size);

/* Whether the kernel has an NFSv4 client that we may use: 1, 0. */
int kernel_is_there(void);

/* The pure halves, for tests. */
int site_read_source(const char *source, struct site *p);

#endif
