/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of load: a row for each, and what one operation of it does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "perf/internal.h"

static const struct nfs_cred me;

static uint64_t blocks(const struct client *c)
{
	return c->s->size / c->s->block;
}

static uint64_t sequential(const struct client *c, uint64_t index)
{
	return index % blocks(c) * c->s->block;
}

/* By number, not by a generator, so that a run can be repeated whatever the
 * order in which its tasks come to it. */
static uint64_t at_random(const struct client *c, uint64_t index)
{
	uint64_t r = hash_u64(client_seed(c) + index * 0x9e3779b97f4a7c15ULL);

	return r % blocks(c) * c->s->block;
}

static int read_at(struct client *c, uint64_t offset, void *buf, size_t *bytes)
{
	bool eof;
	ssize_t n = nfs_read(c->open, buf, c->s->block, offset, &eof);

	if (n < 0)
		return load_fail(c->load, "read", (int)n);
	if ((size_t)n != c->s->block)
		return load_fail(c->load, "read: short", -EIO);
	if (c->s->verify && !pattern_check(buf, n, client_seed(c), offset))
		return load_fail(c->load, "read: wrong contents", -EBADMSG);
	*bytes = n;
	return 0;
}

static int write_at(struct client *c, uint64_t offset, void *buf, size_t *bytes)
{
	stable_how4 how = c->s->stable ? FILE_SYNC4 : UNSTABLE4;
	size_t done = 0;
	ssize_t n;

	if (c->s->verify)
		pattern_fill(buf, c->s->block, client_seed(c), offset);
	while (done < c->s->block) {
		n = nfs_write(c->open, (char *)buf + done, c->s->block - done,
			      offset + done, how, NULL, NULL);
		if (n <= 0)
			return load_fail(c->load, "write", n ? (int)n : -EIO);
		done += n;
	}
	*bytes = done;
	return 0;
}

static int seq_read(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	return read_at(c, sequential(c, i), buf, bytes);
}

static int seq_write(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	return write_at(c, sequential(c, i), buf, bytes);
}

static int rand_read(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	return read_at(c, at_random(c, i), buf, bytes);
}

static int rand_write(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	return write_at(c, at_random(c, i), buf, bytes);
}

/* An empty file: on disk when the server says so, if it is an honest one. */
static int create(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	struct nfs_setattr set = { .mask = NFS_SET_MODE, .mode = 0644 };
	struct nfs_open *o;
	char name[32];
	int rc;

	file_name(name, i);
	rc = nfs_open(c->nfs, &me, &c->dir, name, strlen(name),
		      NFS_OPEN_WRITE | NFS_OPEN_CREATE, &set, &o, NULL, NULL);
	if (rc < 0)
		return load_fail(c->load, "create", rc);
	rc = nfs_close(o);
	return rc < 0 ? load_fail(c->load, "close", rc) : 0;
}

static int stat_one(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	struct nfs_attr attr;
	struct nfs_fh fh;
	char name[32];
	int rc;

	file_name(name, hash_u64(client_seed(c) + i) % c->s->files);
	rc = nfs_lookup(c->nfs, &me, &c->dir, name, strlen(name), &fh, &attr);
	return rc < 0 ? load_fail(c->load, "lookup", rc) : 0;
}

static int unlink_one(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	char name[32];
	int rc;

	file_name(name, i);
	rc = nfs_remove(c->nfs, &me, &c->dir, name, strlen(name));
	return rc < 0 ? load_fail(c->load, "remove", rc) : 0;
}

struct listing {
	uint64_t n, cookie;
};

static bool count_entry(void *arg, const struct nfs_dirent *e)
{
	struct listing *l = arg;

	l->n++;
	l->cookie = e->cookie;
	return true;
}

/* The whole directory, with attributes, from beginning to end. */
static int list(struct client *c, uint64_t i, void *buf, size_t *bytes)
{
	struct listing l = {};
	verifier4 verf = {};
	bool eof = false;
	int rc;

	while (!eof) {
		rc = nfs_readdir(c->nfs, &me, &c->dir, l.cookie, &verf, KIB(64),
				 true, count_entry, &l, &eof);
		if (rc < 0)
			return load_fail(c->load, "readdir", rc);
	}
	if (l.n != c->s->files)
		return load_fail(c->load, "readdir: entries missing", -EIO);
	c->load->items += l.n;
	return 0;
}

const struct workload workloads[] = {
	{ "read", "sequential read", MIB(1), 8, .data = true,
	  .must_exist = true, .run = seq_read },
	{ "write", "sequential write, committed at the end", MIB(1), 8,
	  .data = true, .run = seq_write },
	{ "randread", "random read", 4096, 32, .data = true, .must_exist = true,
	  .run = rand_read },
	{ "randwrite", "random write", 4096, 32, .data = true,
	  .must_exist = true, .run = rand_write },
	{ "create", "open a new file, and close it", 0, 1, .names = true,
	  .run = create },
	{ "stat", "look up a name and its attributes", 0, 1, .names = true,
	  .prepared = true, .run = stat_one },
	{ "readdir", "list a directory with attributes", 0, 1, .names = true,
	  .prepared = true, .run = list },
	{ "unlink", "remove a file", 0, 1, .names = true, .prepared = true,
	  .finite = true, .run = unlink_one },
	{},
};

const struct workload *workload_find(const char *name)
{
	for (const struct workload *w = workloads; w->name; w++)
		if (!strcmp(w->name, name))
			return w;
	return NULL;
}
