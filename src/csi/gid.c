/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/gid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/util.h"

/* One access point, as a list showed it. */
struct seen {
	uint32_t gid;
	char id[EFS_ID_SIZE];
};

struct snapshot {
	struct seen *points;
	size_t n, size;
	bool failed; /* no memory */
};

struct taken {
	struct list link;
	uint32_t gid;
};

/* There as long as a call looks at it, or has a gid of it. */
struct pool {
	struct list link;
	char fs[EFS_ID_SIZE];
	unsigned users;
	struct list taken;
	bool listing;	      /* somebody does */
	unsigned long rounds; /* that ended */
	pthread_cond_t ended; /* one of them did */
	struct snapshot last; /* of the round that ended last … */
	int result;	      /* … 0, or -EIO and: */
	struct efs_error err;
};

void gid_pools_init(struct gid_pools *pools, gid_list_fn *list, void *arg)
{
	pools->list = list;
	pools->arg = arg;
	pthread_mutex_init(&pools->lock, NULL);
	list_init(&pools->pools);
}

void gid_pools_fini(struct gid_pools *pools)
{
	assert(list_empty(&pools->pools));
	pthread_mutex_destroy(&pools->lock);
}

static struct pool *find(struct gid_pools *pools, const char *fs)
{
	struct pool *p;

	list_for_each (p, &pools->pools, link)
		if (strcmp(p->fs, fs) == 0)
			return p;
	return NULL;
}

static struct pool *pool_get(struct gid_pools *pools, const char *fs)
{
	struct pool *p = find(pools, fs);

	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		snprintf(p->fs, sizeof(p->fs), "%s", fs);
		list_init(&p->taken);
		pthread_cond_init(&p->ended, NULL);
		list_append(&pools->pools, &p->link);
	}
	p->users++;
	return p;
}

static void pool_put(struct pool *p)
{
	if (--p->users > 0)
		return;
	list_del(&p->link);
	pthread_cond_destroy(&p->ended);
	free(p->last.points);
	free(p);
}

/* ------------------------------------------------------------------- lists */

static void add_seen(void *arg, const struct efs_point *point)
{
	struct snapshot *s = arg;

	if (!point->has_user || s->failed)
		return;
	if (s->n == s->size) {
		size_t size = s->size ? 2 * s->size : 128;
		struct seen *points =
			reallocarray(s->points, size, sizeof(*points));

		s->failed = points == NULL;
		if (s->failed)
			return;
		s->points = points;
		s->size = size;
	}
	s->points[s->n].gid = point->gid;
	strcpy(s->points[s->n++].id, point->id);
}

/* Called and returns with the lock, which it lets go of meanwhile. */
static void list_once(struct gid_pools *pools, struct pool *p)
{
	struct snapshot snapshot = {};
	struct efs_error err = {};
	int r;

	p->listing = true;
	pthread_mutex_unlock(&pools->lock);
	r = pools->list(pools->arg, p->fs, add_seen, &snapshot, &err);
	if (r == 0 && snapshot.failed) {
		r = -1;
		strcpy(err.text, "out of memory");
	}
	pthread_mutex_lock(&pools->lock);
	free(p->last.points);
	p->last = snapshot;
	p->result = r < 0 ? -EIO : 0;
	p->err = err;
	p->listing = false;
	p->rounds++;
	pthread_cond_broadcast(&p->ended);
}

/* One that is under way was begun before this call: the next one counts. */
static int refresh(struct gid_pools *pools, struct pool *p,
		   struct efs_error *err)
{
	unsigned long enough = p->rounds + (p->listing ? 2 : 1);

	while (p->rounds < enough)
		if (p->listing)
			pthread_cond_wait(&p->ended, &pools->lock);
		else
			list_once(pools, p);
	if (p->result < 0)
		*err = p->err;
	return p->result;
}

/* -------------------------------------------------------------------- gids */

/* A bit for each of the range that is used or taken. */
static void mark(uint8_t *bits, const struct gid_range *range, uint32_t gid)
{
	if (gid >= range->start && gid <= range->end)
		bits[(gid - range->start) / 8] |= 1 << (gid - range->start) % 8;
}

static bool is_free(const uint8_t *bits, size_t i)
{
	return !(bits[i / 8] & 1 << i % 8);
}

/* The first that is free from `from` on, around the end. */
static int first_free(const uint8_t *bits, const struct gid_range *range,
		      size_t from, uint32_t *gid)
{
	size_t n = (size_t)range->end - range->start + 1;

	for (size_t i = 0; i < n; i++)
		if (is_free(bits, (from + i) % n)) {
			*gid = range->start + (from + i) % n;
			return 0;
		}
	return -ENOSPC;
}

static int choose(const struct pool *p, const struct gid_range *range,
		  unsigned attempt, uint32_t *gid)
{
	size_t n = (size_t)range->end - range->start + 1;
	auto_free uint8_t *bits = calloc(1, n / 8 + 1);
	const struct taken *t;
	uint32_t from = 0;

	if (bits == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->last.n; i++)
		mark(bits, range, p->last.points[i].gid);
	list_for_each (t, &p->taken, link)
		mark(bits, range, t->gid);
	if (attempt > 0 && getrandom(&from, sizeof(from), 0) < 0)
		from = 0;
	return first_free(bits, range, from % n, gid);
}

static int take(struct pool *p, const struct gid_range *range, unsigned attempt,
		uint32_t *gid)
{
	struct taken *t = calloc(1, sizeof(*t));
	int r = t ? choose(p, range, attempt, gid) : -ENOMEM;

	if (r < 0) {
		free(t);
		return r;
	}
	t->gid = *gid;
	list_append(&p->taken, &t->link);
	return 0;
}

int gid_take(struct gid_pools *pools, const char *fs,
	     const struct gid_range *range, unsigned attempt, uint32_t *gid,
	     struct efs_error *err)
{
	struct pool *p;
	int r = -ENOMEM;

	pthread_mutex_lock(&pools->lock);
	p = pool_get(pools, fs);
	if (p != NULL) {
		r = refresh(pools, p, err);
		if (r == 0)
			r = take(p, range, attempt, gid);
		if (r < 0) /* else until gid_return() */
			pool_put(p);
	}
	pthread_mutex_unlock(&pools->lock);
	return r;
}

void gid_return(struct gid_pools *pools, const char *fs, uint32_t gid)
{
	struct taken *t;
	struct pool *p;

	pthread_mutex_lock(&pools->lock);
	p = find(pools, fs);
	list_for_each (t, &p->taken, link)
		if (t->gid == gid)
			break;
	list_del(&t->link);
	free(t);
	pool_put(p);
	pthread_mutex_unlock(&pools->lock);
}

static bool has_other(const struct snapshot *s, uint32_t gid, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->points[i].gid == gid && strcmp(s->points[i].id, id) != 0)
			return true;
	return false;
}

int gid_is_alone(struct gid_pools *pools, const char *fs, uint32_t gid,
		 const char *id, struct efs_error *err)
{
	struct pool *p;
	int r;

	pthread_mutex_lock(&pools->lock);
	p = find(pools, fs); /* there: the gid is taken */
	r = refresh(pools, p, err);
	if (r == 0)
		r = !has_other(&p->last, gid, id);
	pthread_mutex_unlock(&pools->lock);
	return r;
}
