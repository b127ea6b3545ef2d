/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connector needs of the machine that it is on.  Files (/sys, /dev,
 * /etc, /run) are read below `root`; all that changes the machine goes through
 * a handful of calls.  So a test gives a directory and calls of its own, and
 * everything else of the connector runs as it is.
 */
#ifndef CONNECT_HOST_H
#define CONNECT_HOST_H

#include <limits.h>
#include <stddef.h>

#include "connect/info.h"

enum {
	CONNECT_DEVICE_SIZE = 32, /* "nvme0n1", "md127" */
	CONNECT_OUTPUT = 65536,	  /* of a program */
};

/* A controller to be made. */
struct connect_way {
	const char *nqn, *hostnqn, *hostid; /* hostid: as a UUID */
	const struct connect_portal *portal;
	int ctrl_loss_s;    /* -1: never given up */
	int fast_io_fail_s; /* -1: requests wait as long as that */
	int reconnect_delay_s;
};

struct connect_host;

struct connect_host_ops {
	/* Makes a controller, and waits until it is live; its name ("nvme0").
	 * -EALREADY: there is one; or another -errno, with text. */
	int (*add)(struct connect_host *h, const struct connect_way *way,
		   char name[CONNECT_DEVICE_SIZE], char text[CONNECT_TEXT]);
	/* Writes to a file of sysfs, path from the root ("/sys/…"). */
	int (*write)(struct connect_host *h, const char *path,
		     const char *value);
	/* What the discovery log at way->portal lists of way->nqn, by TCP: up
	 * to `most` portals; how many, or -errno. */
	int (*discover)(struct connect_host *h, const struct connect_way *way,
			struct connect_portal *out, unsigned most);
	/* How large a controller says that a namespace is, in bytes. */
	int (*size)(struct connect_host *h, const char *controller,
		    uint32_t nsid, uint64_t *bytes);
	/* Everything written to a device of /dev is on its medium, and nothing
	 * cached.  -EBUSY: somebody has it mounted, or holds it otherwise. */
	int (*flush)(struct connect_host *h, const char *device);
	/* As command_run(). */
	int (*run)(struct connect_host *h, const char *const *argv,
		   int timeout_s, char *text, size_t size);
	/* Milliseconds of a clock that never goes back; waits so many. */
	long long (*now)(struct connect_host *h);
	void (*pause)(struct connect_host *h, unsigned ms);
};

struct connect_host {
	char root[256]; /* "" */
	const struct connect_host_ops *ops;
	char program[PATH_MAX]; /* hawser itself */
};

/* This machine, with libnvme. */
void connect_host_init(struct connect_host *h);

/* The first line of a file, without white space at its end.  0 or -errno. */
__attribute__((format(printf, 4, 5))) int connect_read(
	const struct connect_host *h, char *line, size_t size, const char *path,
	...);
/* "" when it can't be read. */
__attribute__((format(printf, 4, 5))) void connect_read_or_empty(
	const struct connect_host *h, char *line, size_t size, const char *path,
	...);
__attribute__((format(printf, 2, 3))) bool connect_exists(
	const struct connect_host *h, const char *path, ...);

/* Entries of a directory for which want() is true, in their order by number
 * ("nvme2" before "nvme10"), up to `most`; how many; 0 if there is no such
 * directory. */
unsigned connect_list(const struct connect_host *h, const char *path,
		      bool (*want)(const char *name),
		      char (*out)[CONNECT_DEVICE_SIZE], unsigned most);

/* Runs a program, whose arguments follow and end with NULL.  0; -EIO with text,
 * which ends in what it said, when its exit status is another; or -errno. */
int connect_run(struct connect_host *h, char text[CONNECT_TEXT],
		const char *program, ...);

#endif
