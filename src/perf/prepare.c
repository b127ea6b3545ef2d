/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before and after a run.  Each client works in a directory of its own, which
 * is made anew, so that a run finds what it made and nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "perf/internal.h"
#include "reactor/task.h"

enum { HELPERS = 16 }; /* tasks that prepare files */

static const struct nfs_cred me;
static const char data_name[] = "data";

void file_name(char buf[32], uint64_t index)
{
	snprintf(buf, 32, "f%09llu", (unsigned long long)index);
}

static void dir_name(const struct client *c, char buf[32])
{
	snprintf(buf, 32, "hawser-perf-%u", c->number);
}

/* ------------------------------------------ many operations with few tasks */

struct crew {
	struct client *client;
	int (*job)(struct client *c, uint64_t index);
	uint64_t next, end;
	unsigned busy;
	struct task *waiter;
	int error;
};

static void crew_task(void *arg)
{
	struct crew *w = arg;
	int rc;

	while (w->next < w->end && w->error == 0) {
		rc = w->job(w->client, w->next++);
		if (rc < 0)
			w->error = rc;
	}
	if (--w->busy == 0)
		task_wake(w->waiter);
}

static int crew_run(struct client *c, uint64_t n,
		    int (*job)(struct client *c, uint64_t index))
{
	struct crew w = { c, job, 0, n, 0, task_self(), 0 };

	for (unsigned i = 0; i < HELPERS; i++)
		if (task_spawn("perf-prepare", crew_task, &w) == 0)
			w.busy++;
	while (w.busy > 0)
		task_park(NSEC_NEVER);
	return w.error;
}

/* ---------------------------------------------------------------- emptying */

enum { BATCH = 256 };

struct batch {
	char name[BATCH][256];
	unsigned n;
	struct client *client;
};

static bool take_name(void *arg, const struct nfs_dirent *e)
{
	struct batch *b = arg;

	if (b->n == BATCH || e->len > 255)
		return false;
	memcpy(b->name[b->n], e->name, e->len);
	b->name[b->n++][e->len] = '\0';
	return true;
}

/* Removes what the first READDIR shows, again and again, until there is
 * nothing. */
static int empty_dir(struct client *c, struct batch *b)
{
	verifier4 verf;
	bool eof;
	int rc;

	do {
		b->n = 0;
		memset(&verf, 0, sizeof(verf));
		rc = nfs_readdir(c->nfs, &me, &c->dir, 0, &verf, KIB(64), false,
				 take_name, b, &eof);
		for (unsigned i = 0; rc == 0 && i < b->n; i++)
			rc = nfs_remove(c->nfs, &me, &c->dir, b->name[i],
					strlen(b->name[i]));
	} while (rc == 0 && b->n > 0);
	return rc;
}

static int remove_dir(struct client *c)
{
	auto_free struct batch *b = malloc(sizeof(*b));
	char name[32];
	int rc;

	if (b == NULL)
		return -ENOMEM;
	dir_name(c, name);
	rc = nfs_lookup(c->nfs, &me, nfs_root(c->nfs), name, strlen(name),
			&c->dir, NULL);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = empty_dir(c, b);
	return rc < 0 ? rc
		      : nfs_remove(c->nfs, &me, nfs_root(c->nfs), name,
				   strlen(name));
}

static int make_dir(struct client *c)
{
	struct nfs_create what = {
		.type = S_IFDIR,
		.set = { .mask = NFS_SET_MODE, .mode = 0755 },
	};
	char name[32];

	dir_name(c, name);
	return nfs_create(c->nfs, &me, nfs_root(c->nfs), name, strlen(name),
			  &what, &c->dir, NULL);
}

/* ----------------------------------------------------------------- filling */

static int make_file(struct client *c, uint64_t index)
{
	struct nfs_setattr set = { .mask = NFS_SET_MODE, .mode = 0644 };
	struct nfs_open *o;
	char name[32];
	int rc;

	file_name(name, index);
	rc = nfs_open(c->nfs, &me, &c->dir, name, strlen(name),
		      NFS_OPEN_WRITE | NFS_OPEN_CREATE, &set, &o, NULL, NULL);
	return rc < 0 ? rc : nfs_close(o);
}

enum { FILL_BLOCK = 256 << 10 };

static int fill_block(struct client *c, uint64_t index)
{
	uint64_t offset = index * FILL_BLOCK;
	size_t len = MIN((uint64_t)FILL_BLOCK, c->s->size - offset);
	auto_free void *buf = malloc(len);

	if (buf == NULL)
		return -ENOMEM;
	pattern_fill(buf, len, client_seed(c), offset);
	return nfs_pwrite(c->open, buf, len, offset);
}

static int make_data(struct client *c)
{
	struct nfs_setattr set = { .mask = NFS_SET_MODE, .mode = 0644 };
	uint64_t n = (c->s->size + FILL_BLOCK - 1) / FILL_BLOCK;
	int rc = nfs_open(c->nfs, &me, &c->dir, data_name, strlen(data_name),
			  NFS_OPEN_RDWR | NFS_OPEN_CREATE, &set, &c->open, NULL,
			  NULL);

	if (rc < 0 || !c->s->workload->must_exist)
		return rc;
	rc = crew_run(c, n, fill_block);
	return rc < 0 ? rc : nfs_sync(c->open);
}

/* --------------------------------------------------------------- the whole */

static int make_all(struct client *c)
{
	const struct workload *w = c->s->workload;
	int rc = remove_dir(c);

	if (rc == 0)
		rc = make_dir(c);
	if (rc == 0 && w->data)
		rc = make_data(c);
	if (rc == 0 && w->prepared)
		rc = crew_run(c, c->s->files, make_file);
	return rc < 0 ? load_fail(c->load, "prepare", rc) : 0;
}

int client_prepare(struct client *c)
{
	char err[sizeof(c->load->message)];
	int rc = nfs_mount(&c->s->mount, c->s->path, &c->nfs, err, sizeof(err));

	if (rc < 0) {
		c->load->failed++;
		memcpy(c->load->message, err, sizeof(err));
		return rc;
	}
	return make_all(c);
}

void client_finish(struct client *c)
{
	int rc = 0;

	if (c->nfs == NULL)
		return;
	if (c->open != NULL)
		nfs_close(c->open);
	if (!c->s->keep && c->load->failed == 0)
		rc = remove_dir(c);
	if (rc < 0)
		load_fail(c->load, "clean up", rc);
	nfs_unmount(c->nfs);
}
