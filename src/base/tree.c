/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tree.h"

#include <errno.h>
#include <fts.h>
#include <unistd.h>

static int remove_entry(const FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_D: /* on the way in */
		return 0;
	case FTS_DP:
		return rmdir(e->fts_accpath) < 0 ? -errno : 0;
	case FTS_DNR:
	case FTS_ERR:
		return -e->fts_errno;
	case FTS_NS:
		return e->fts_errno == ENOENT ? 0 : -e->fts_errno;
	default:
		return unlink(e->fts_accpath) < 0 && errno != ENOENT ? -errno
								     : 0;
	}
}

static bool stopped(const bool *stop)
{
	return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

int tree_remove(const char *path, const bool *stop)
{
	char *roots[] = { (char *)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *e;
	int r = 0;

	if (fts == NULL)
		return -errno;
	while (r == 0 && (errno = 0, e = fts_read(fts)) != NULL)
		r = stopped(stop) ? -ECANCELED : remove_entry(e);
	if (r == 0)
		r = -errno; /* of fts_read(); 0 at the end */
	fts_close(fts);
	return r;
}
