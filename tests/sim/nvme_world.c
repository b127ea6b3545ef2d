/* SPDX-License-Identifier: Apache-2.0 */
#include "nvme_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char *running_test;
static uint64_t running_seed;

void nvme_world_failed(const char *file, int line, const char *what, int error)
{
	fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, error ? ": " : "",
		error ? strerror(-error) : "");
	fprintf(stderr, "FAILED; again with: %s %llu\n", running_test,
		(unsigned long long)running_seed);
	abort();
}

/* -------------------------------------------------------------- the target */

void nvme_world_start_target(struct nvme_world *w)
{
	static const struct nvmet_transport quick = { .min_kato = 1, .kas = 1 };
	struct nvmet_subsystem_spec spec = { .nqn = NVME_WORLD_SUBNQN,
					     .allow_any_host = true,
					     .ana_reporting = true };
	struct nvmet_namespace ns = { .device = "slow" };

	CHECK_OK(nvmet_create(w->blocks, NULL, &w->target));
	CHECK_OK(nvmet_set_transport(w->target, &quick, NULL));
	CHECK_OK(nvmet_subsystem_create(w->target, &spec, &w->subsystem, NULL));
	CHECK(nvmet_namespace_add(w->subsystem, &ns, NULL) == 1);
	for (int i = 0; i < NVME_PATHS; i++)
		nvme_world_add_listener(w, i);
}

void nvme_world_end_target(struct nvme_world *w)
{
	nvmet_destroy(w->target);
	w->target = NULL;
}

void nvme_world_set_delay(struct nvme_world *w, nsec read, nsec write)
{
	struct block_spec times = { .kind = BLOCK_DELAY,
				    .delay = { read, read, write, write } };

	CHECK_OK(block_delay_set(w->slow, &times));
}

void nvme_world_set_ana(struct nvme_world *w, int path, enum nvmet_ana state)
{
	CHECK_OK(nvmet_listener_set_ana(w->subsystem, &w->addr[path], 0, state,
					NULL));
}

void nvme_world_remove_listener(struct nvme_world *w, int path)
{
	CHECK_OK(nvmet_listener_remove(w->subsystem, &w->addr[path]));
}

void nvme_world_add_listener(struct nvme_world *w, int path)
{
	struct nvmet_listener l = { .addr = w->addr[path] };

	CHECK_OK(nvmet_listener_add(w->subsystem, &l, NULL));
}

static void end_host(struct nvme_world *w)
{
	if (w->volume != NULL)
		nvmei_volume_put(w->volume);
	w->volume = NULL;
	if (w->host != NULL)
		nvmei_destroy(w->host);
	w->host = NULL;
}

void nvme_world_new_host(struct nvme_world *w)
{
	struct nvmei_options options = {
		.nqn = NVME_WORLD_HOSTNQN,
		.id = { 1 },
		.kato_ms = 1000,
		.retry_count = -1,
		.queue_size = w->queue_size,
		.reissue_at_once = w->reissue_at_once,
	};

	end_host(w);
	CHECK_OK(nvmei_create(&options, &w->host));
}

static void build(struct nvme_world *w)
{
	struct block_spec base = { .kind = BLOCK_FILE,
				   .name = "base",
				   .block_size = 512,
				   .blocks = 8192,
				   .file = { .path = "/disk",
					     .create = true } };
	struct block_spec slow = { .kind = BLOCK_DELAY,
				   .name = "slow",
				   .base = "base" };
	struct block_device *d;
	char text[32];

	for (int i = 0; i < NVME_PATHS; i++) {
		snprintf(text, sizeof(text), "127.102.%d.1", i + 1);
		CHECK_OK(addr_parse(&w->addr[i], text, 4420));
	}
	waitq_init(&w->ended);
	CHECK_OK(block_registry_create(&w->blocks));
	CHECK_OK(block_create(w->blocks, &base, &d, NULL));
	CHECK_OK(block_create(w->blocks, &slow, &w->slow, NULL));
	nvme_world_start_target(w);
	nvme_world_new_host(w);
}

static void tear_down(struct nvme_world *w)
{
	end_host(w);
	if (w->target != NULL)
		nvme_world_end_target(w);
	CHECK_OK(block_destroy(w->slow));
	CHECK_OK(block_destroy(block_find(w->blocks, "base")));
	block_registry_destroy(w->blocks);
}

/* ---------------------------------------------------------------- the host */

void nvme_world_attach(struct nvme_world *w, int paths,
		       const struct nvmei_attach *how)
{
	struct nvmei_attach a = *how;

	a.name = "Nvme0";
	a.subnqn = NVME_WORLD_SUBNQN;
	for (int i = 0; i < paths; i++) {
		a.addr = w->addr[i];
		CHECK_OK(nvmei_attach(w->host, &a, NULL));
	}
	w->volume = nvmei_find(w->host, "Nvme0n1");
	CHECK(w->volume != NULL);
	nvmei_volume_get(w->volume);
}

static int transfer(struct nvme_world *w, enum block_op op, uint64_t offset,
		    void *buf, size_t len)
{
	/* In two pieces, as they come from applications. */
	struct iovec iov[2] = { { buf, len / 2 + 3 },
				{ (char *)buf + len / 2 + 3,
				  len - len / 2 - 3 } };
	struct nvmei_request r = {
		.op = op, .offset = offset, .length = len, .iov = iov, .niov = 2
	};

	return nvmei_do(w->volume, &r);
}

int nvme_world_write(struct nvme_world *w, uint64_t offset, void *buf,
		     size_t len)
{
	return transfer(w, BLOCK_WRITE, offset, buf, len);
}

int nvme_world_read(struct nvme_world *w, uint64_t offset, void *buf,
		    size_t len)
{
	return transfer(w, BLOCK_READ, offset, buf, len);
}

/* ------------------------------------------------------------------- tasks */

static struct nvme_world *running;

/* The linker puts it in the place of task_spawn(). */
int __real_task_spawn(const char *name, task_fn *fn, void *arg);
int __wrap_task_spawn(const char *name, task_fn *fn, void *arg);

int __wrap_task_spawn(const char *name, task_fn *fn, void *arg)
{
	if (running->failing_tasks == 0 ||
	    strcmp(name, running->failing_task) != 0)
		return __real_task_spawn(name, fn, arg);
	running->failing_tasks--;
	return -ENOMEM;
}

void nvme_world_spawn(struct nvme_world *w, task_fn *fn, void *arg)
{
	CHECK_OK(task_spawn("test", fn, arg));
	w->busy++;
}

void nvme_world_task_ended(struct nvme_world *w)
{
	w->busy--;
	waitq_wake_all(&w->ended);
}

void nvme_world_join(struct nvme_world *w, unsigned left)
{
	while (w->busy > left)
		waitq_wait(&w->ended, NSEC_NEVER);
}

/* ----------------------------------------------------------------- one run */

struct run {
	nvme_world_fn *fn;
	struct reactor *reactor;
	bool done;
};

static void run_task(void *arg)
{
	struct run *run = arg;
	struct nvme_world w = {};

	running = &w;
	build(&w);
	run->fn(&w);
	nvme_world_join(&w, 0);
	tear_down(&w);
	run->done = true;
	reactor_stop(run->reactor);
}

static void run_one(const struct nvme_world_test *t, uint64_t seed)
{
	struct run run = { .fn = t->fn };

	running_test = t->name;
	running_seed = seed;
	CHECK_OK(reactor_create_sim(seed, &run.reactor));
	CHECK_OK(reactor_spawn(run.reactor, "test", run_task, &run));
	reactor_run(run.reactor);
	if (!run.done)
		nvme_world_failed(__FILE__, __LINE__, "it went on to the end",
				  0);
	reactor_destroy(run.reactor);
}

int nvme_world_main(const struct nvme_world_test *tests, int argc, char **argv)
{
	const char *seeds = getenv("SIM_SEEDS");
	int n;

	if (getenv("HAWSER_LOG") == NULL)
		log_set_level("error");
	for (const struct nvme_world_test *t = tests; t->name; t++) {
		if (argc > 1 && strcmp(argv[1], t->name) != 0)
			continue;
		if (argc > 2) {
			run_one(t, strtoull(argv[2], NULL, 0));
			continue;
		}
		n = seeds != NULL ? atoi(seeds) : t->seeds;
		for (int seed = 1; seed <= n; seed++)
			run_one(t, seed);
		printf("%s: %d seeds\n", t->name, n);
		fflush(stdout);
	}
	return 0;
}

void nvme_world_write_late(void *arg)
{
	struct nvme_world_late *late = arg;

	CHECK_OK(nvme_world_write(late->w, 0, late->buf, sizeof(late->buf)));
	nvme_world_task_ended(late->w);
}
