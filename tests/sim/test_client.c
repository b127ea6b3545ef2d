/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NFS client against the NFS server, while paths die and the server is
 * restarted: each operation takes effect once, data are what was written,
 * locks exclude, and nobody waits for longer than promised.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/util.h"
#include "meddler.h"
#include "nfs/client/internal.h"
#include "world.h"

#define ME (&world_cred)

/* ----------------------------------------------------------- effects, once */

struct worker {
	struct world *w;
	struct nfs_client *c;
	unsigned number, rounds;
	nsec longest;
};

static void worker_ends(struct worker *k)
{
	k->w->working--;
	world_task_ended(k->w);
}

/* A name is made, moved, linked and removed; each of these would fail if it
 * ran twice. */
static void one_life(struct worker *k, unsigned round)
{
	const struct nfs_fh *root = nfs_root(k->c);
	struct nfs_create dir = { .type = S_IFDIR };
	char a[32], b[32], l[32];
	struct nfs_attr attr;
	struct nfs_open *o;
	struct nfs_fh fh;

	snprintf(a, sizeof(a), "a-%u-%u", k->number, round);
	snprintf(b, sizeof(b), "b-%u-%u", k->number, round);
	snprintf(l, sizeof(l), "l-%u-%u", k->number, round);
	if (round % 2 == 0) {
		CHECK_OK(nfs_create(k->c, ME, root, a, strlen(a), &dir, &fh,
				    &attr));
	} else {
		CHECK_OK(nfs_open(k->c, ME, root, a, strlen(a),
				  NFS_OPEN_RDWR | NFS_OPEN_CREATE |
					  NFS_OPEN_EXCL,
				  NULL, &o, &fh, &attr));
		CHECK_OK(nfs_link(k->c, ME, &fh, root, l, strlen(l), &attr));
		CHECK(attr.nlink == 2);
		CHECK_OK(nfs_remove(k->c, ME, root, l, strlen(l)));
		CHECK_OK(nfs_close(o));
	}
	CHECK_OK(nfs_rename(k->c, ME, root, a, strlen(a), root, b, strlen(b)));
	CHECK(nfs_lookup(k->c, ME, root, a, strlen(a), &fh, &attr) == -ENOENT);
	CHECK_OK(nfs_lookup(k->c, ME, root, b, strlen(b), &fh, &attr));
	CHECK_OK(nfs_remove(k->c, ME, root, b, strlen(b)));
}

static void live_on(void *arg)
{
	struct worker *k = arg;

	for (unsigned i = 0; i < k->rounds; i++)
		one_life(k, i);
	worker_ends(k);
}

static bool nothing_is_left(void *arg, const struct nfs_dirent *e)
{
	fprintf(stderr, "left: %.*s\n", (int)e->len, e->name);
	*(unsigned *)arg += 1;
	return true;
}

static void check_empty(struct nfs_client *c)
{
	verifier4 verf = {};
	unsigned left = 0;
	bool eof;

	CHECK_OK(nfs_readdir(c, ME, nfs_root(c), 0, &verf, KIB(64), true,
			     nothing_is_left, &left, &eof));
	CHECK(left == 0 && eof);
}

enum { WORKERS = 12 };

static void start_workers(struct worker *k, struct world *w,
			  struct nfs_client *c, task_fn *fn, unsigned rounds)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		k[i] = (struct worker){ w, c, i, rounds };
		world_spawn(w, fn, &k[i]);
		w->working++;
	}
}

static void run_workers(struct world *w, struct nfs_client *c, task_fn *fn,
			unsigned rounds)
{
	struct worker k[WORKERS];

	start_workers(k, w, c, fn, rounds);
	while (w->working > 0)
		task_sleep(MSEC(10));
	w->stop = true;
	world_join(w);
}

static void every_operation_takes_effect_once(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);

	world_spawn(w, world_trouble, w);
	run_workers(w, c, live_on, 25);
	check_empty(c);
	nfs_unmount(c);
}

static void also_with_a_faulty_network(struct world *w)
{
	struct sim_faults faults = {
		.delay_min = USEC(20),
		.delay_max = MSEC(3),
		.cut = 0.01,
		.short_read = 0.3,
	};
	struct nfs_client *c = world_mount(w, "nconnect=2,slots=5");

	sim_set_faults(&faults);
	world_spawn(w, world_trouble, w);
	run_workers(w, c, live_on, 10);
	sim_set_faults(&(struct sim_faults){});
	check_empty(c);
	nfs_unmount(c);
}

/* The repeat finds the request still being worked on. */
static void also_when_the_server_is_slow(struct world *w)
{
	struct sim_faults faults = {
		.delay_min = USEC(20),
		.delay_max = USEC(60),
		.disk_min = MSEC(1),
		.disk_max = MSEC(500),
	};
	struct nfs_client *c = world_mount(w, NULL);

	sim_set_faults(&faults);
	world_spawn(w, world_trouble, w);
	run_workers(w, c, live_on, 8);
	sim_set_faults(&(struct sim_faults){});
	check_empty(c);
	nfs_unmount(c);
}

/* -------------------------------------------------------------------- data */

enum { BLOCK = 40000, BLOCKS = 20 };

static void fill(uint8_t *buf, uint64_t what)
{
	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint64_t word = hash_u64(what) + i;

		memcpy(buf + i, &word, 8);
	}
}

/* Writes blocks of a file of its own again and again, and finds in each what it
 * wrote last. */
static void write_and_read(void *arg)
{
	struct worker *k = arg;
	uint8_t *want = malloc(BLOCK), *got = malloc(BLOCK);
	unsigned last[BLOCKS] = {};
	struct nfs_open *o;
	char name[32];
	bool eof;

	snprintf(name, sizeof(name), "data-%u", k->number);
	CHECK_OK(nfs_open(k->c, ME, nfs_root(k->c), name, strlen(name),
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE, NULL, &o, NULL,
			  NULL));
	for (unsigned i = 1; i <= k->rounds; i++) {
		unsigned n = rng_below(sim_rng(), BLOCKS);

		fill(want, k->number * 1000 + i);
		CHECK_OK(nfs_pwrite(o, want, BLOCK, (uint64_t)n * BLOCK));
		last[n] = i;
		if (rng_chance(sim_rng(), 0.1))
			CHECK_OK(nfs_sync(o));
		n = rng_below(sim_rng(), BLOCKS);
		if (last[n] == 0)
			continue;
		fill(want, k->number * 1000 + last[n]);
		CHECK(CHECK_OK(nfs_read(o, got, BLOCK, (uint64_t)n * BLOCK,
					&eof)) == BLOCK);
		CHECK(memcmp(want, got, BLOCK) == 0);
	}
	CHECK_OK(nfs_close(o));
	free(want);
	free(got);
	worker_ends(k);
}

static void data_are_what_was_written(struct world *w)
{
	struct nfs_client *c = world_mount(w, "rsize=16k,wsize=12k");

	world_spawn(w, world_trouble, w);
	run_workers(w, c, write_and_read, 60);
	nfs_unmount(c);
}

/* --------------------------------------------------------------- how long? */

static void ask_steadily(void *arg)
{
	struct worker *k = arg;
	struct nfs_attr attr;

	while (!k->w->stop) {
		nsec before = reactor_now();

		CHECK_OK(nfs_getattr(k->c, ME, nfs_root(k->c), &attr));
		k->longest = MAX(k->longest, reactor_now() - before);
		task_sleep(USEC(100) + (nsec)rng_below(sim_rng(), USEC(800)));
	}
	world_task_ended(k->w);
}

/* The longest that any of eight tasks waited while `trouble` came and went. */
static nsec longest_stall(struct world *w, enum sim_link trouble, bool cut)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct worker k[8];
	nsec longest = 0;

	world_await_live(c, WORLD_ADDRESSES);
	for (unsigned i = 0; i < ARRAY_SIZE(k); i++) {
		k[i] = (struct worker){ w, c, i };
		world_spawn(w, ask_steadily, &k[i]);
	}
	for (int i = 0; i < 6; i++) {
		struct addr *a = &w->addr[i % WORLD_ADDRESSES];

		task_sleep(MSEC(500));
		if (cut)
			sim_cut(a);
		else
			sim_set_link(a, trouble);
		task_sleep(SEC(2));
		sim_set_link(a, SIM_LINK_UP);
		world_await_live(c, WORLD_ADDRESSES);
	}
	w->stop = true;
	world_join(w);
	for (unsigned i = 0; i < ARRAY_SIZE(k); i++)
		longest = MAX(longest, k[i].longest);
	nfs_unmount(c);
	return longest;
}

static void a_reset_stalls_for_less_than_50_ms(struct world *w)
{
	CHECK(longest_stall(w, SIM_LINK_UP, true) < MSEC(50));
	w->stop = false;
	CHECK(longest_stall(w, SIM_LINK_REFUSED, false) < MSEC(50));
}

static void silence_stalls_for_less_than_500_ms(struct world *w)
{
	CHECK(longest_stall(w, SIM_LINK_SILENT, false) < MSEC(500));
}

/* --------------------------------------------------- lease, restart, locks */

static const struct nfs_lock whole = { .owner = 1,
				       .exclusive = true,
				       .len = UINT64_MAX };

static struct nfs_open *open_shared(struct nfs_client *c)
{
	struct nfs_open *o;

	CHECK_OK(nfs_open(c, ME, nfs_root(c), "shared", 6,
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE, NULL, &o, NULL,
			  NULL));
	return o;
}

static void an_idle_client_keeps_its_lease(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL), *d = world_mount(w, NULL);
	struct nfs_open *o = open_shared(c), *p = open_shared(d);
	struct nfs_counters counters;

	CHECK_OK(nfs_lock(o, &whole));
	for (int i = 0; i < 20; i++) {
		task_sleep(w->options.lease / 2);
		CHECK(nfs_lock(p, &whole) == -EAGAIN);
	}
	nfs_get_counters(c, &counters);
	CHECK(counters.sessions == 1);
	CHECK_OK(nfs_unlock(o, &whole));
	CHECK_OK(nfs_lock(p, &whole));
	nfs_close(o);
	nfs_close(p);
	nfs_unmount(c);
	nfs_unmount(d);
}

static void opens_and_locks_survive_a_server_restart(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL), *d = world_mount(w, NULL);
	struct nfs_lock part = { 1, true, 100, 50 },
			probe = { 2, true, 0, 200 };
	struct nfs_open *o = open_shared(c), *p = open_shared(d);
	struct nfs_counters counters;
	char buf[16] = "";
	bool eof;

	CHECK_OK(nfs_pwrite(o, "before", 6, 0));
	CHECK_OK(nfs_lock(o, &part));
	for (int i = 0; i < 3; i++) {
		world_restart_server(w, MSEC(300) * i);
		CHECK(CHECK_OK(nfs_read(o, buf, 6, 0, &eof)) == 6);
		CHECK(memcmp(buf, "before", 6) == 0);
		CHECK(nfs_lock_test(p, &probe) == 1);
		CHECK(probe.offset == 100 && probe.len == 50);
		probe = (struct nfs_lock){ 2, true, 0, 200 };
		CHECK(nfs_lock(p, &probe) == -EAGAIN);
	}
	nfs_get_counters(c, &counters);
	CHECK(counters.reclaims >= 3);
	CHECK_OK(nfs_unlock(o, &part));
	CHECK_OK(nfs_lock(p, &probe));
	CHECK_OK(nfs_close(o));
	CHECK_OK(nfs_close(p));
	nfs_unmount(c);
	nfs_unmount(d);
}

/* The verifier tells that the server may have lost them. */
static void unstable_writes_are_repeated_after_a_restart(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_open *o = open_shared(c);
	struct nfs_counters counters;
	char buf[4] = "";
	bool eof;

	CHECK_OK(nfs_pwrite(o, "aaaa", 4, 0));
	CHECK_OK(nfs_pwrite(o, "bb", 2, 1));
	world_restart_server(w, 0);
	CHECK_OK(nfs_pwrite(o, "c", 1, 2));
	CHECK_OK(nfs_sync(o));
	nfs_get_counters(c, &counters);
	CHECK(counters.rewrites == 2);
	CHECK(CHECK_OK(nfs_read(o, buf, 4, 0, &eof)) == 4);
	CHECK(memcmp(buf, "abca", 4) == 0);
	/* And not once more. */
	CHECK_OK(nfs_sync(o));
	nfs_get_counters(c, &counters);
	CHECK(counters.rewrites == 2);
	CHECK_OK(nfs_close(o));
	nfs_unmount(c);
}

/* A megabyte was written at once when the server is replaced by one that takes
 * less; `c` asks for less, which comes to the same. */
static void kept_writes_fit_a_server_that_takes_less(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_open *o = open_shared(c);
	char *data = malloc(MIB(1)), *buf = malloc(MIB(1));
	struct nfs_counters counters;
	bool eof;

	for (size_t i = 0; i < MIB(1); i++)
		data[i] = i * 7 + i / 251;
	CHECK(c->info.wsize >= MIB(1));
	CHECK_OK(nfs_pwrite(o, data, MIB(1), 0));
	c->options.wsize = KIB(64);
	world_restart_server(w, 0);
	CHECK_OK(nfs_sync(o));
	CHECK(c->info.wsize == KIB(64));
	nfs_get_counters(c, &counters);
	CHECK(counters.rewrites == 1);
	for (size_t at = 0; at < MIB(1); at += KIB(64))
		CHECK(CHECK_OK(nfs_read(o, buf + at, KIB(64), at, &eof)) ==
		      KIB(64));
	CHECK(memcmp(buf, data, MIB(1)) == 0);
	CHECK_OK(nfs_close(o));
	nfs_unmount(c);
	free(data);
	free(buf);
}

/* The engine loses what somebody else wrote to another file. */
static void lose_something(struct world *w)
{
	const struct rlimit none = { 0, RLIM_INFINITY },
			    any = { RLIM_INFINITY, RLIM_INFINITY };
	struct create_spec spec = { .mode = S_IFREG | 0600 };
	char x[] = "x";
	struct iovec iov = { x, 1 };
	struct engine_node *n;
	struct fattr attr;

	CHECK_OK(engine_create(w->engine, NULL, ENGINE_ROOT, "other", 5, &spec,
			       &attr, NULL, NULL));
	CHECK_OK(engine_hold(w->engine, attr.ino, &n));
	CHECK_OK(engine_write(n, NULL, &iov, 1, 0, ENGINE_UNSTABLE));
	signal(SIGXFSZ, SIG_IGN);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &none));
	engine_release(n);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &any));
	CHECK_OK(engine_hold(w->engine, attr.ino, &n));
	CHECK(engine_commit(n, 0, 0) == -EFBIG);
	engine_release(n);
}

/* In the same session: this client alone finds out, and by COMMIT. */
static void unstable_writes_are_repeated_after_a_loss(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_open *o = open_shared(c);
	struct nfs_counters counters;

	CHECK_OK(nfs_pwrite(o, "aaaa", 4, 0));
	CHECK_OK(nfs_pwrite(o, "bb", 2, 1));
	lose_something(w);
	CHECK_OK(nfs_pwrite(o, "c", 1, 2));
	CHECK_OK(nfs_sync(o));
	nfs_get_counters(c, &counters);
	CHECK(counters.rewrites == 3); /* in order */
	CHECK_OK(nfs_pwrite(o, "d", 1, 3));
	CHECK_OK(nfs_sync(o));
	nfs_get_counters(c, &counters);
	CHECK(counters.rewrites == 3);
	CHECK_OK(nfs_close(o));
	nfs_unmount(c);
}

/* A client that nobody heard of for longer than its lease: what conflicts was
 * given to others. */
static void who_was_away_too_long_loses_locks_only(struct world *w)
{
	struct nfs_client *c, *d = world_mount(w, NULL);
	struct nfs_open *locked, *plain, *p = open_shared(d);
	struct meddler m = {};
	char buf[4];
	bool eof;

	meddler_start(&m, w);
	c = world_mount_as(w, "addr=127.101.50.1,notrunkdiscovery");
	locked = open_shared(c);
	CHECK_OK(nfs_open(c, ME, nfs_root(c), "plain", 5,
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE, NULL, &plain, NULL,
			  NULL));
	CHECK_OK(nfs_pwrite(plain, "data", 4, 0));
	CHECK_OK(nfs_sync(plain));
	CHECK_OK(nfs_lock(locked, &whole));
	CHECK(nfs_lock(p, &whole) == -EAGAIN);
	sim_set_link(&m.at, SIM_LINK_REFUSED);
	task_sleep(4 * w->options.lease);
	CHECK_OK(nfs_lock(p, &whole));
	sim_set_link(&m.at, SIM_LINK_UP);
	CHECK(CHECK_OK(nfs_read(plain, buf, 4, 0, &eof)) == 4);
	CHECK(memcmp(buf, "data", 4) == 0);
	CHECK(nfs_read(locked, buf, 4, 0, &eof) == -EIO);
	CHECK(nfs_lock(locked, &whole) == -EIO);
	nfs_close(locked);
	CHECK_OK(nfs_close(plain));
	CHECK_OK(nfs_close(p));
	nfs_unmount(c);
	nfs_unmount(d);
	meddler_stop(&m);
	world_join(w);
}

struct waiting {
	struct world *w;
	struct nfs_open *open;
	struct nfs_lock_wait wait;
	nsec got; /* when */
	int rc;
};

static void wait_for_lock(void *arg)
{
	struct waiting *k = arg;
	struct nfs_lock lock = { 7, true, 0, UINT64_MAX };

	k->rc = nfs_lock_wait(k->open, &lock, &k->wait);
	k->got = reactor_now();
	world_task_ended(k->w);
}

static void a_waiting_lock_listens_to_the_server(struct world *w)
{
	struct meddler m = {};
	struct nfs_client *c = world_mount(w, NULL), *d;
	struct nfs_open *o = open_shared(c), *p;
	struct waiting k = { .w = w };
	nsec unlocked;

	meddler_start(&m, w);
	d = world_mount_as(w, "addr=127.101.50.1,notrunkdiscovery");
	p = k.open = open_shared(d);
	CHECK_OK(nfs_lock(o, &whole));
	world_spawn(w, wait_for_lock, &k);
	task_sleep(SEC(3)); /* it asks by itself twice a second by now */
	CHECK(meddler_notify_lock(&m, 1) == NFS4_OK);
	CHECK(meddler_notify_lock(&m, 1) == NFS4_OK); /* a repeat */
	CHECK(meddler_notify_lock(&m, 5) == NFS4ERR_SEQ_MISORDERED);
	CHECK(k.got == 0);
	CHECK_OK(nfs_unlock(o, &whole));
	unlocked = reactor_now();
	CHECK(meddler_notify_lock(&m, 2) == NFS4_OK);
	task_sleep(MSEC(20));
	CHECK(k.got != 0 && k.rc == 0 && k.got - unlocked < MSEC(20));
	CHECK_OK(nfs_close(p));

	/* And a lock that nobody wants any more. */
	CHECK_OK(nfs_lock(o, &whole));
	p = open_shared(d);
	k = (struct waiting){ .w = w, .open = p };
	world_spawn(w, wait_for_lock, &k);
	task_sleep(SEC(1));
	nfs_lock_cancel(&k.wait);
	task_sleep(MSEC(20));
	CHECK(k.rc == -EINTR && k.got != 0);
	CHECK_OK(nfs_close(o));
	CHECK_OK(nfs_close(p));
	nfs_unmount(c);
	nfs_unmount(d);
	meddler_stop(&m);
	world_join(w);
}

static void restarts(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 4; i++) {
		task_sleep(MSEC(200) + (nsec)rng_below(sim_rng(), MSEC(900)));
		world_restart_server(w, rng_below(sim_rng(), MSEC(400)));
	}
	world_task_ended(w);
}

static void data_survive_server_restarts(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);

	world_spawn(w, restarts, w);
	run_workers(w, c, write_and_read, 400);
	nfs_unmount(c);
}

struct counter {
	struct world *w;
	struct nfs_client *c;
	uint64_t owner;
	unsigned rounds;
	bool *inside; /* somebody is */
	uint64_t *sum;
};

/* Adds one to a number in a file, under a lock; other tasks and other clients
 * do the same. */
static void count_up(void *arg)
{
	struct counter *k = arg;
	struct nfs_lock lock = { k->owner, true, 0, 8 };
	struct nfs_open *o = open_shared(k->c);
	bool eof;

	for (unsigned i = 0; i < k->rounds; i++) {
		struct nfs_lock_wait wait = {};
		uint64_t n = 0;

		CHECK_OK(nfs_lock_wait(o, &lock, &wait));
		CHECK(!*k->inside);
		*k->inside = true;
		CHECK_OK(nfs_read(o, &n, 8, 0, &eof));
		CHECK(n == *k->sum);
		n++;
		CHECK_OK(nfs_pwrite(o, &n, 8, 0));
		*k->sum = n;
		*k->inside = false;
		CHECK_OK(nfs_unlock(o, &lock));
	}
	CHECK_OK(nfs_close(o));
	world_task_ended(k->w);
}

static void locks_exclude_across_clients(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL), *d = world_mount(w, NULL);
	struct counter k[6];
	bool inside = false;
	uint64_t sum = 0;

	world_spawn(w, world_trouble, w);
	for (unsigned i = 0; i < ARRAY_SIZE(k); i++) {
		k[i] = (struct counter){
			w, i % 2 ? c : d, i, 8, &inside, &sum
		};
		world_spawn(w, count_up, &k[i]);
	}
	while (w->busy > 1)
		task_sleep(MSEC(10));
	w->stop = true;
	world_join(w);
	CHECK(sum == 48);
	nfs_unmount(c);
	nfs_unmount(d);
}

/* -------------------------------------------------------- what servers say */

/* One kind of meddling, by the seed, or all at once but MEDDLE_LATE: what ran,
 * and whose reply was lost together with the session, is bound to run again in
 * the next one. */
static void choose(struct meddler *m, uint64_t seed)
{
	unsigned which = seed % (MEDDLINGS + 1);

	for (unsigned i = 0; i < MEDDLINGS; i++)
		if (which == i || (which == MEDDLINGS && i != MEDDLE_LATE))
			m->chance[i] = i == MEDDLE_LOSE || i == MEDDLE_LATE
					       ? 0.004
					       : 0.02;
}

static void strange_answers(struct world *w, task_fn *fn, unsigned rounds)
{
	struct meddler m = {};
	struct worker k[WORKERS];
	struct nfs_client *c;

	choose(&m, w->seed);
	meddler_start(&m, w);
	c = world_mount_as(w, "addr=127.101.50.1,timeo=10,notrunkdiscovery");
	start_workers(k, w, c, fn, rounds);
	while (w->working > 0)
		task_sleep(MSEC(10));
	if (fn == live_on)
		check_empty(c);
	for (unsigned i = 0; i < MEDDLINGS; i++)
		CHECK(m.chance[i] == 0 || m.done[i] > 0 || fn == live_on);
	nfs_unmount(c);
	meddler_stop(&m);
	world_join(w);
}

static void strange_answers_do_not_repeat_effects(struct world *w)
{
	strange_answers(w, live_on, 20);
}

static void strange_answers_do_not_spoil_data(struct world *w)
{
	strange_answers(w, write_and_read, 200);
}

int main(int argc, char **argv)
{
	static const struct world_test tests[] = {
#define T(fn, seeds) { #fn, fn, seeds }
		T(every_operation_takes_effect_once, 10),
		T(also_with_a_faulty_network, 10),
		T(also_when_the_server_is_slow, 6),
		T(data_are_what_was_written, 6),
		T(a_reset_stalls_for_less_than_50_ms, 3),
		T(silence_stalls_for_less_than_500_ms, 3),
		T(an_idle_client_keeps_its_lease, 2),
		T(opens_and_locks_survive_a_server_restart, 3),
		T(unstable_writes_are_repeated_after_a_restart, 3),
		T(unstable_writes_are_repeated_after_a_loss, 3),
		T(kept_writes_fit_a_server_that_takes_less, 3),
		T(data_survive_server_restarts, 6),
		T(who_was_away_too_long_loses_locks_only, 3),
		T(a_waiting_lock_listens_to_the_server, 3),
		T(locks_exclude_across_clients, 6),
		T(strange_answers_do_not_repeat_effects, 18),
		T(strange_answers_do_not_spoil_data, 9),
#undef T
		{},
	};

	return world_main(tests, argc, argv);
}
