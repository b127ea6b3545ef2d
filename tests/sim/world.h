/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with three addresses and any number of clients, in one process, in
 * virtual time.  What goes wrong in it is decided by a seed, which is printed
 * when a test fails: NAME SEED runs that one again.  SIM_SEEDS=N in the
 * environment tries N seeds instead of a few.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/addr.h"
#include "engine/engine.h"
#include "nfs/client/client.h"
#include "nfs/server/server.h"
#include "reactor/sim.h"
#include "store/store.h"

enum { WORLD_ADDRESSES = 3 };

struct world {
	struct reactor *reactor;
	uint64_t seed;
	struct addr addr[WORLD_ADDRESSES];
	struct engine *engine;
	struct store *store;
	struct nfs_server *server;
	struct nfs_server_options options;
	unsigned busy; /* tasks started by world_spawn() */
	struct task *waiter;
	unsigned working; /* of these, those that do the test's work */
	bool stop;	  /* asks the trouble makers to end */
	void *data;	  /* the test's */
};

typedef void world_fn(struct world *w);

/* Runs fn for each seed.  A failed check ends the process. */
struct world_test {
	const char *name;
	world_fn *fn;
	int seeds; /* unless SIM_SEEDS says otherwise */
};
int world_main(const struct world_test *tests, int argc, char **argv);

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			world_failed(__FILE__, __LINE__, #cond, 0);            \
	} while (0)
/* rc must be 0 (or a count); says which errno it is. */
#define CHECK_OK(call)                                                         \
	({                                                                     \
		int64_t check_rc_ = (call);                                    \
		if (check_rc_ < 0)                                             \
			world_failed(__FILE__, __LINE__, #call,                \
				     (int)check_rc_);                          \
		check_rc_;                                                     \
	})
_Noreturn void world_failed(const char *file, int line, const char *what,
			    int error);

/* Mounts by the first address; the others are found by fs_locations.  `extra`:
 * more mount options, or NULL. */
struct nfs_client *world_mount(struct world *w, const char *extra);
/* With these options and no others. */
struct nfs_client *world_mount_as(struct world *w, const char *options);

/* fn(arg) as a task; world_join() waits for all of them. */
void world_spawn(struct world *w, task_fn *fn, void *arg);
void world_task_ended(struct world *w);
void world_join(struct world *w);

/* Parks until `live` paths of the client are live. */
void world_await_live(struct nfs_client *c, unsigned live);

/* The server ends and begins again, with what is in engine and store.  `gap`:
 * nobody is there meanwhile. */
void world_restart_server(struct world *w, nsec gap);

/* A task (arg: the world) that cuts, silences and refuses addresses at random
 * until w->stop; leaves all of them up. */
void world_trouble(void *arg);

extern const struct nfs_cred world_cred; /* root */

#endif
