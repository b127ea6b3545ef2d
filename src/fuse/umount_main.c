/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser umount.  The daemon is waited for by its control socket, which closes
 * when it has gone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fuse/fuse.h"
#include "fuse/mountpoint.h"
#include "status/status.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: hawser umount [-l] DIR\n"
	"\n"
	"  -l  take it out of the tree now, though it is in use\n"
	"  --help\n";

static int fail(const char *directory, const char *why)
{
	fprintf(stderr, "hawser umount: %s: %s\n", directory, why);
	return EXIT_FAILURE;
}

static void wait_for_end(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
}

static int unmount(const char *directory, bool lazy)
{
	char mountpoint[PATH_MAX], socket[PATH_MAX];
	auto_close int fd = -1;
	int r;

	r = mountpoint_resolve(directory, mountpoint);
	if (r < 0)
		return fail(directory, strerror(-r));
	if (mountpoint_is_ours(mountpoint) != 1)
		return fail(directory, "hawser has mounted nothing there");
	mountpoint_socket(mountpoint, socket);
	fd = status_connect(socket);
	/* What a dead daemon left can be used by nobody. */
	r = mountpoint_unmount(mountpoint, lazy || fd < 0);
	if (r == -EBUSY)
		return fail(directory, "in use");
	if (r < 0)
		return fail(directory, strerror(-r));
	if (fd < 0)
		unlink(socket);
	else if (!lazy)
		wait_for_end(fd);
	return EXIT_SUCCESS;
}

int umount_main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	bool lazy = false;
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "l", known, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (opt != 'l') {
			fprintf(stderr,
				"hawser umount: unknown option %s; see: "
				"hawser umount --help\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		}
		lazy = true;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "hawser umount: one directory is needed; see: "
				"hawser umount --help\n");
		return EXIT_USAGE;
	}
	return unmount(argv[optind], lazy);
}
