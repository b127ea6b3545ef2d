/* SPDX-License-Identifier: Apache-2.0 */
/* hawser mount. */
#include <stdlib.h>
#include <sys/stat.h>

#include "fuse/daemon.h"
#include "fuse/fuse.h"
#include "fuse/internal.h"

enum { EXIT_USAGE = 2 };

static int run(const void *options, bool (*ready)(void))
{
	return mount_run(options, ready);
}

int mount_main(int argc, char **argv)
{
	static struct mount_options options;
	int r = mount_options_parse(&options, argc, argv);

	if (r != 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	if (daemon_claim("hawser mount", options.mountpoint, S_IFDIR) < 0)
		return EXIT_FAILURE;
	return daemon_run("hawser mount", options.foreground, run, &options);
}
