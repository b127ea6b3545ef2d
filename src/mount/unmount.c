/* SPDX-License-Identifier: Apache-2.0 */
/* umount(8) runs this for what `hawser mount` has mounted. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fuse/fuse.h"
#include "mount/mount.h"

/* Whoever uses it gets errors: its server may be silent. */
static int force(const char *directory)
{
	if (umount2(directory, MNT_FORCE | UMOUNT_NOFOLLOW) == 0)
		return HELPER_OK;
	fprintf(stderr, "umount: %s: %s\n", directory, strerror(errno));
	return HELPER_FAIL;
}

int helper_umount_main(int argc, char **argv)
{
	const char *lazy[] = { "umount", "-l", "--", NULL, NULL };
	const char *plain[] = { "umount", "--", NULL, NULL };
	bool is_lazy = false, is_forced = false;
	int opt;

	opterr = 0;
	while ((opt = getopt(argc, argv, "flnrvt:N:")) != -1) {
		is_lazy |= opt == 'l';
		is_forced |= opt == 'f';
		if (opt == '?')
			return HELPER_USAGE;
	}
	if (argc - optind != 1)
		return HELPER_USAGE;
	if (is_forced)
		return force(argv[optind]);
	lazy[3] = plain[2] = argv[optind];
	if (is_lazy ? umount_main(4, (char **)lazy)
		    : umount_main(3, (char **)plain))
		return HELPER_FAIL;
	return HELPER_OK;
}
