/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NFS client against a server that restarts at the worst moments: when it
 * has done what it was asked for, and not said so; and while the client is
 * taking back what it had open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/util.h"
#include "meddler.h"
#include "world.h"

#define ME	(&world_cred)
#define VIA	"addr=127.101.50.1,timeo=10,notrunkdiscovery"
#define NAME(s) s, sizeof(s) - 1

/* --------------------------------------------- effects whose replies are lost
 */

struct deed {
	struct world *w;
	struct nfs_client *c;
	struct nfs_fh file; /* "file" */
	int (*run)(struct deed *d);
	int rc;
	bool done;
};

static int do_remove(struct deed *d)
{
	return nfs_remove(d->c, ME, nfs_root(d->c), NAME("gone"));
}

static int do_rename(struct deed *d)
{
	return nfs_rename(d->c, ME, nfs_root(d->c), NAME("from"),
			  nfs_root(d->c), NAME("to"));
}

static int do_link(struct deed *d)
{
	struct nfs_attr attr = {};
	int rc = nfs_link(d->c, ME, &d->file, nfs_root(d->c), NAME("link"),
			  &attr);

	CHECK(rc < 0 || attr.nlink == 2);
	return rc;
}

static int do_symlink(struct deed *d)
{
	const struct nfs_create what = { .type = S_IFLNK,
					 .target = "target",
					 .target_len = 6 };
	struct nfs_attr attr = {};
	struct nfs_fh fh;
	int rc = nfs_create(d->c, ME, nfs_root(d->c), NAME("symlink"), &what,
			    &fh, &attr);

	CHECK(rc < 0 || S_ISLNK(attr.mode));
	return rc;
}

static int do_create(struct deed *d)
{
	struct nfs_open *o;
	int rc = nfs_open(d->c, ME, nfs_root(d->c), NAME("new"),
			  NFS_OPEN_WRITE | NFS_OPEN_CREATE | NFS_OPEN_EXCL,
			  NULL, &o, NULL, NULL);

	if (rc == 0)
		nfs_close(o);
	return rc;
}

static int do_removexattr(struct deed *d)
{
	return nfs_removexattr(d->c, ME, &d->file, "name");
}

static void do_deed(void *arg)
{
	struct deed *d = arg;

	d->rc = d->run(d);
	d->done = true;
	world_task_ended(d->w);
}

static void make_file(struct nfs_client *c, const char *name, struct nfs_fh *fh)
{
	struct nfs_open *o;

	CHECK_OK(nfs_open(c, ME, nfs_root(c), name, strlen(name),
			  NFS_OPEN_WRITE | NFS_OPEN_CREATE, NULL, &o, fh,
			  NULL));
	CHECK_OK(nfs_close(o));
}

static bool has_lost_a_reply(const struct meddler *m)
{
	for (int i = 0; i < MEDDLER_LATE; i++)
		if (m->late[i].xid != 0 && m->late[i].lost)
			return true;
	return false;
}

/* The server does it, its reply is lost, and its memory of it, too. */
static void what_the_client_did_itself_is_no_error(struct world *w)
{
	static int (*const deeds[])(struct deed *) = {
		do_remove,  do_rename, do_link,
		do_symlink, do_create, do_removexattr,
	};
	struct nfs_fh fh;
	struct deed d = { .w = w };
	struct meddler m = {};

	meddler_start(&m, w);
	d.c = world_mount_as(w, VIA);
	make_file(d.c, "file", &d.file);
	make_file(d.c, "gone", &fh);
	make_file(d.c, "from", &fh);
	CHECK_OK(nfs_setxattr(d.c, ME, &d.file, "name", "v", 1, 0));
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		d.run = deeds[i];
		d.done = false;
		m.chance[MEDDLE_LATE] = 1;
		world_spawn(w, do_deed, &d);
		while (!has_lost_a_reply(&m))
			task_sleep(MSEC(1));
		m.chance[MEDDLE_LATE] = 0;
		CHECK(!d.done);
		world_restart_server(w, 0);
		while (!d.done)
			task_sleep(MSEC(1));
		CHECK_OK(d.rc);
		memset(m.late, 0, sizeof(m.late));
	}
	/* And what somebody else did is one. */
	CHECK(do_remove(&d) == -ENOENT);
	CHECK(do_rename(&d) == -ENOENT);
	CHECK(do_link(&d) == -EEXIST);
	CHECK(do_symlink(&d) == -EEXIST);
	CHECK(do_create(&d) == -EEXIST);
	CHECK(do_removexattr(&d) == -ENODATA);
	nfs_unmount(d.c);
	meddler_stop(&m);
	world_join(w);
}

/* --------------------------------------------------- what is written again */

static struct nfs_open *open_file(struct nfs_client *c)
{
	struct nfs_open *o;

	CHECK_OK(nfs_open(c, ME, nfs_root(c), NAME("data"),
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE, NULL, &o, NULL,
			  NULL));
	return o;
}

static void check_data(struct nfs_open *o, const char *want)
{
	size_t len = strlen(want);
	char buf[64];
	bool eof;

	CHECK(CHECK_OK(nfs_read(o, buf, sizeof(buf), 0, &eof)) == (int64_t)len);
	for (size_t i = 0; i < len; i++)
		CHECK(buf[i] == (want[i] == '.' ? 0 : want[i]));
}

/* A write that was not committed is repeated; what came after it is not to be
 * undone by that. */
static void old_writes_do_not_undo_what_came_later(struct world *w)
{
	const struct nfs_setattr cut = { .mask = NFS_SET_SIZE, .size = 4 };
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_open *a = open_file(c), *b = open_file(c);
	struct nfs_attr attr;

	CHECK_OK(nfs_pwrite(a, "abcdefgh", 8, 0));
	CHECK_OK(nfs_setattr(c, ME, nfs_open_handle(a), b, &cut, &attr));
	world_restart_server(w, 0);
	check_data(a, "abcd");

	CHECK_OK(nfs_pwrite(a, "efgh", 4, 4));
	CHECK_OK(nfs_deallocate(b, 2, 3));
	world_restart_server(w, 0);
	check_data(a, "ab...fgh");

	CHECK_OK(nfs_pwrite(b, "1111", 4, 0));
	CHECK_OK(nfs_pwrite(a, "22", 2, 1));
	CHECK_OK(nfs_pwrite(b, "3", 1, 2));
	world_restart_server(w, 0);
	check_data(a, "1231.fgh");

	CHECK_OK(nfs_pwrite(a, "x", 1, 7));
	CHECK_OK(nfs_close(b));
	CHECK_OK(nfs_open(c, ME, nfs_root(c), NAME("data"),
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE | NFS_OPEN_TRUNC,
			  NULL, &b, NULL, NULL));
	world_restart_server(w, 0);
	check_data(b, "");
	CHECK_OK(nfs_close(a));
	CHECK_OK(nfs_close(b));
	nfs_unmount(c);
}

enum { MODEL_SIZE = 40000, MODEL_ROUNDS = 300 };

/* What the file has to be like. */
struct model {
	size_t size;
	uint8_t data[MODEL_SIZE];
};

static void model_write(struct model *m, struct nfs_open *o, size_t at,
			size_t len, uint8_t what)
{
	uint8_t buf[MODEL_SIZE];

	memset(buf, what, len);
	CHECK_OK(nfs_pwrite(o, buf, len, at));
	memset(m->data + at, what, len);
	m->size = MAX(m->size, at + len);
}

static void model_cut(struct model *m, struct nfs_client *c, struct nfs_open *o,
		      size_t size)
{
	const struct nfs_setattr set = { .mask = NFS_SET_SIZE, .size = size };
	struct nfs_attr attr;

	CHECK_OK(nfs_setattr(c, ME, nfs_open_handle(o), o, &set, &attr));
	CHECK(attr.size == size);
	if (size < m->size)
		memset(m->data + size, 0, m->size - size);
	m->size = size;
}

static void model_punch(struct model *m, struct nfs_open *o, size_t at,
			size_t len)
{
	CHECK_OK(nfs_deallocate(o, at, len));
	memset(m->data + at, 0, len);
}

static void model_check(const struct model *m, struct nfs_open *o)
{
	uint8_t buf[MODEL_SIZE];
	bool eof;

	CHECK(CHECK_OK(nfs_read(o, buf, sizeof(buf), 0, &eof)) ==
	      (int64_t)m->size);
	CHECK(memcmp(buf, m->data, m->size) == 0);
}

/* Two opens of a file, the server is killed now and then. */
static void a_file_is_like_its_model(struct world *w)
{
	struct nfs_client *c = world_mount(w, NULL);
	struct nfs_open *o[2] = { open_file(c), open_file(c) };
	struct model *m = calloc(1, sizeof(*m));

	for (int i = 1; i <= MODEL_ROUNDS; i++) {
		size_t at = rng_below(sim_rng(), MODEL_SIZE);
		size_t len = 1 + rng_below(sim_rng(), MODEL_SIZE - at);
		struct nfs_open *by = o[rng_below(sim_rng(), 2)];

		switch (rng_below(sim_rng(), 16)) {
		case 0:
			model_cut(m, c, by, at);
			break;
		case 1:
			model_punch(m, by, at, len);
			break;
		case 2:
			CHECK_OK(nfs_sync(by));
			break;
		case 3:
			world_restart_server(w, rng_below(sim_rng(), MSEC(50)));
			break;
		default:
			model_write(m, by, at, len, (uint8_t)i);
		}
		model_check(m, o[i % 2]);
	}
	CHECK_OK(nfs_close(o[0]));
	CHECK_OK(nfs_close(o[1]));
	nfs_unmount(c);
	free(m);
}

/* ------------------------------------------------------------------ reclaim */

struct closing {
	struct world *w;
	struct nfs_open *open;
	bool done;
};

static void close_it(void *arg)
{
	struct closing *k = arg;

	nfs_close(k->open); /* may well fail */
	k->done = true;
	world_task_ended(k->w);
}

/* An open file is taken back from the server while it is closed, by somebody
 * who does not wait for sessions for long. */
static void a_file_may_be_closed_while_it_is_reclaimed(struct world *w)
{
	struct closing k = { .w = w };
	struct meddler m = {};
	struct nfs_client *c;
	struct nfs_attr attr;

	meddler_start(&m, w);
	c = world_mount_as(w, VIA ",fast_io_fail_timeout=200ms");
	CHECK_OK(nfs_open(c, ME, nfs_root(c), NAME("f"),
			  NFS_OPEN_WRITE | NFS_OPEN_CREATE, NULL, &k.open, NULL,
			  NULL));
	CHECK_OK(nfs_pwrite(k.open, "data", 4, 0));
	m.chance[MEDDLE_LOSE] = 1; /* so that reclaiming takes its time */
	world_restart_server(w, 0);
	task_sleep(MSEC(500)); /* it is at it */
	world_spawn(w, close_it, &k);
	task_sleep(SEC(3));
	m.chance[MEDDLE_LOSE] = 0;
	while (!k.done || nfs_getattr(c, ME, nfs_root(c), &attr) < 0)
		task_sleep(MSEC(10));
	nfs_unmount(c);
	meddler_stop(&m);
	world_join(w);
}

int main(int argc, char **argv)
{
	static const struct world_test tests[] = {
#define T(fn, seeds) { #fn, fn, seeds }
		T(what_the_client_did_itself_is_no_error, 4),
		T(old_writes_do_not_undo_what_came_later, 3),
		T(a_file_is_like_its_model, 6),
		T(a_file_may_be_closed_while_it_is_reclaimed, 4),
#undef T
		{},
	};

	return world_main(tests, argc, argv);
}
