/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target with two addresses and a host, in one process, in virtual time.  The
 * namespace is a delay over memory, so that what a lost path left behind has
 * the time to do harm.  What goes wrong is decided by a seed, which is printed
 * when a test fails: NAME SEED runs that one again.  SIM_SEEDS=N in the
 * environment tries N seeds instead of the usual number.
 */
#ifndef SIM_NVME_WORLD_H
#define SIM_NVME_WORLD_H

#include "base/addr.h"
#include "block/block.h"
#include "nvme/initiator/initiator.h"
#include "nvme/target/target.h"
#include "reactor/sim.h"

enum { NVME_PATHS = 2 };
#define NVME_WORLD_SUBNQN "nqn.2026-11.io.hawser:sim"
#define NVME_WORLD_HOSTNQN                                                     \
	"nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-000000000001"

struct nvme_world {
	struct block_registry *blocks;
	struct block_device *slow; /* 4 MiB of 512-byte blocks */
	struct nvmet *target;	   /* NULL: it is not there */
	struct nvmet_subsystem *subsystem;
	struct addr addr[NVME_PATHS];
	struct nvmei *host;
	struct nvmei_volume *volume; /* nvme_world_attach(); held */
	unsigned busy;		     /* tasks of nvme_world_spawn() … */
	bool stop;		     /* … that make trouble shall end */
	struct waitq ended;
	/* Of the hosts to come. */
	bool reissue_at_once;
	uint16_t queue_size;
	/* That many tasks of that name get no memory. */
	const char *failing_task;
	unsigned failing_tasks;
};

typedef void nvme_world_fn(struct nvme_world *w);

struct nvme_world_test {
	const char *name;
	nvme_world_fn *fn;
	int seeds;
};
int nvme_world_main(const struct nvme_world_test *tests, int argc, char **argv);

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			nvme_world_failed(__FILE__, __LINE__, #cond, 0);       \
	} while (0)
#define CHECK_OK(call)                                                         \
	({                                                                     \
		int64_t check_rc_ = (call);                                    \
		if (check_rc_ < 0)                                             \
			nvme_world_failed(__FILE__, __LINE__, #call,           \
					  (int)check_rc_);                     \
		check_rc_;                                                     \
	})
_Noreturn void nvme_world_failed(const char *file, int line, const char *what,
				 int error);

/* A condition that time brings about. */
#define AWAIT(cond)                                                            \
	do {                                                                   \
		nsec await_end_ = reactor_now() + SEC(60);                     \
		while (!(cond)) {                                              \
			CHECK(reactor_now() < await_end_);                     \
			task_sleep(MSEC(1));                                   \
		}                                                              \
	} while (0)

/* Another host in place of the one that is there; it has no path. */
void nvme_world_new_host(struct nvme_world *w);
/* Attaches as many of the addresses; w->volume is there then. */
void nvme_world_attach(struct nvme_world *w, int paths,
		       const struct nvmei_attach *how);
/* What requests wait at the medium from now on. */
void nvme_world_set_delay(struct nvme_world *w, nsec read, nsec write);
/* The target is gone; and there again, with the same addresses. */
void nvme_world_end_target(struct nvme_world *w);
void nvme_world_start_target(struct nvme_world *w);

/* Its state for all namespaces behind one of the addresses. */
void nvme_world_set_ana(struct nvme_world *w, int path, enum nvmet_ana state);
/* The listener goes, with its connections, or is there (again). */
void nvme_world_remove_listener(struct nvme_world *w, int path);
void nvme_world_add_listener(struct nvme_world *w, int path);

void nvme_world_spawn(struct nvme_world *w, task_fn *fn, void *arg);
void nvme_world_task_ended(struct nvme_world *w);
void nvme_world_join(struct nvme_world *w, unsigned left);

int nvme_world_write(struct nvme_world *w, uint64_t offset, void *buf,
		     size_t len);
int nvme_world_read(struct nvme_world *w, uint64_t offset, void *buf,
		    size_t len);

/* A task that writes the first block, when it may, for nvme_world_spawn(). */
struct nvme_world_late {
	struct nvme_world *w;
	char buf[512];
};
void nvme_world_write_late(void *late);

#endif
