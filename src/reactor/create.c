/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes reactors for the real world: io_uring where the kernel allows it.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "reactor/backend.h"
#include "reactor/workers.h"

static int create_with(const struct backend_ops *ops,
		       int (*create_backend)(struct reactor *r),
		       const struct reactor_options *o, struct reactor **out)
{
	struct reactor *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	err = reactor_init(r, ops, o);
	if (err != 0) {
		free(r);
		return err;
	}
	err = create_backend(r);
	if (err != 0) {
		reactor_fini(r);
		free(r);
		return err;
	}
	workers_get(o->workers != 0 ? o->workers : 16);
	*out = r;
	return 0;
}

static enum reactor_backend choose(enum reactor_backend wanted)
{
	const char *name = getenv("HAWSER_REACTOR");

	if (wanted != REACTOR_AUTO || name == NULL)
		return wanted;
	if (strcmp(name, "epoll") == 0)
		return REACTOR_EPOLL;
	if (strcmp(name, "uring") == 0)
		return REACTOR_URING;
	log_warn("HAWSER_REACTOR=%s is not epoll or uring", name);
	return REACTOR_AUTO;
}

int reactor_create(const struct reactor_options *o, struct reactor **out)
{
	enum reactor_backend backend = choose(o->backend);
	int err = -ENOSYS;

	if (backend != REACTOR_EPOLL)
		err = create_with(&uring_backend, uring_create_backend, o, out);
	if (err == 0 || backend == REACTOR_URING)
		return err;
	return create_with(&epoll_backend, epoll_create_backend, o, out);
}
