/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

const struct nfs_cred world_cred;

static const char *running_test;
static uint64_t running_seed;
static char directory[64];

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

static void remove_directory(void)
{
	if (directory[0] != '\0')
		nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	directory[0] = '\0';
}

void world_failed(const char *file, int line, const char *what, int error)
{
	fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, error ? ": " : "",
		error ? strerror(-error) : "");
	fprintf(stderr, "FAILED; again with: %s %llu\n", running_test,
		(unsigned long long)running_seed);
	remove_directory();
	abort();
}

/* -------------------------------------------------------------- the server */

static void start_server(struct world *w)
{
	CHECK_OK(nfs_server_create(w->engine, w->store, &w->options,
				   &w->server));
	CHECK_OK(nfs_server_publish(w->server, w->addr, WORLD_ADDRESSES));
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		CHECK_OK(nfs_server_listen(w->server, &w->addr[i]));
}

void world_restart_server(struct world *w, nsec gap)
{
	nfs_server_destroy(w->server);
	if (gap > 0)
		task_sleep(gap);
	start_server(w);
}

static void build(struct world *w)
{
	char path[128], text[32];

	for (int i = 0; i < WORLD_ADDRESSES; i++) {
		snprintf(text, sizeof(text), "127.101.%d.1", i + 1);
		CHECK_OK(addr_parse(&w->addr[i], text, 2049));
	}
	snprintf(path, sizeof(path), "%s/engine", directory);
	CHECK_OK(engine_open("local", path, &w->engine));
	snprintf(path, sizeof(path), "%s/store", directory);
	CHECK_OK(store_open(path, &w->store));
	w->options = (struct nfs_server_options){ .lease = SEC(10),
						  .grace = SEC(10) };
	memcpy(w->options.uuid, "a world of tests", 16);
	start_server(w);
}

static void tear_down(struct world *w)
{
	nfs_server_destroy(w->server);
	store_close(w->store);
	engine_close(w->engine);
}

/* ----------------------------------------------------------------- one run */

struct run {
	struct world world;
	world_fn *fn;
	bool done;
};

static void run_task(void *arg)
{
	struct run *run = arg;

	run->world.waiter = task_self();
	build(&run->world);
	run->fn(&run->world);
	world_join(&run->world);
	tear_down(&run->world);
	run->done = true;
	reactor_stop(run->world.reactor);
}

/* LMDB flushes after each commit: where that costs nothing. */
static void make_directory(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(directory, sizeof(directory), "%s/hawser-sim-XXXXXX", base);
	if (mkdtemp(directory) == NULL) {
		perror("mkdtemp");
		exit(1);
	}
}

static void run_one(const struct world_test *t, uint64_t seed)
{
	struct run run = { .fn = t->fn };

	running_test = t->name;
	running_seed = seed;
	make_directory();
	CHECK_OK(reactor_create_sim(seed, &run.world.reactor));
	run.world.seed = seed;
	CHECK_OK(reactor_spawn(run.world.reactor, "test", run_task, &run));
	reactor_run(run.world.reactor);
	if (!run.done)
		world_failed(__FILE__, __LINE__, "it went on to the end", 0);
	reactor_destroy(run.world.reactor);
	remove_directory();
}

int world_main(const struct world_test *tests, int argc, char **argv)
{
	const char *seeds = getenv("SIM_SEEDS");
	int n;

	if (getenv("HAWSER_LOG") == NULL)
		log_set_level("error");
	for (const struct world_test *t = tests; t->name; t++) {
		if (argc > 1 && strcmp(argv[1], t->name) != 0)
			continue;
		if (argc > 2) {
			run_one(t, strtoull(argv[2], NULL, 0));
			continue;
		}
		n = seeds ? atoi(seeds) : t->seeds;
		for (int seed = 1; seed <= n; seed++)
			run_one(t, seed);
		printf("ok %s (%d seeds)\n", t->name, n);
		fflush(stdout);
	}
	return 0;
}

/* ------------------------------------------------------------------- tasks */

void world_spawn(struct world *w, task_fn *fn, void *arg)
{
	CHECK_OK(task_spawn("worker", fn, arg));
	w->busy++;
}

void world_task_ended(struct world *w)
{
	if (--w->busy == 0)
		task_wake(w->waiter);
}

void world_join(struct world *w)
{
	while (w->busy > 0)
		task_park(NSEC_NEVER);
}

/* ----------------------------------------------------------------- clients */

struct nfs_client *world_mount(struct world *w, const char *extra)
{
	char options[256];

	snprintf(options, sizeof(options), "addr=127.101.1.1,%s",
		 extra ? extra : "");
	return world_mount_as(w, options);
}

struct nfs_client *world_mount_as(struct world *w, const char *options)
{
	struct nfs_client *c = NULL;
	struct nfs_options o;
	char err[256] = "";

	nfs_options_init(&o);
	CHECK_OK(nfs_options_parse(&o, options, err, sizeof(err)));
	CHECK_OK(nfs_mount(&o, "/", &c, err, sizeof(err)));
	return c;
}

void world_await_live(struct nfs_client *c, unsigned live)
{
	struct nfs_path_info info[16];
	nsec deadline = reactor_now() + SEC(60);

	for (;;) {
		unsigned n = nfs_get_paths(c, info, 16), count = 0;

		for (unsigned i = 0; i < n; i++)
			count += info[i].path.state == PATH_LIVE;
		if (count == live)
			return;
		CHECK(reactor_now() < deadline);
		task_sleep(MSEC(5));
	}
}

/* ----------------------------------------------------------------- trouble */

static nsec some_time(nsec min, nsec max)
{
	return min + (nsec)rng_below(sim_rng(), max - min + 1);
}

void world_trouble(void *arg)
{
	struct world *w = arg;

	while (!w->stop) {
		struct addr *a =
			&w->addr[rng_below(sim_rng(), WORLD_ADDRESSES)];

		task_sleep(some_time(MSEC(1), MSEC(400)));
		switch (rng_below(sim_rng(), 6)) {
		case 0:
		case 1:
			sim_cut(a);
			break;
		case 2:
			sim_set_link(a, SIM_LINK_SILENT);
			break;
		case 3:
			sim_set_link(a, SIM_LINK_REFUSED);
			break;
		default:
			sim_set_link(a, SIM_LINK_UP);
			break;
		}
	}
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		sim_set_link(&w->addr[i], SIM_LINK_UP);
	world_task_ended(w);
}
