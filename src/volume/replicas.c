/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mirror whose legs are NVMe volumes, each with paths of its own.
 *
 * A leg that no path leads to is let go after PATIENCE, when another has all
 * that it has: what waited for it is cancelled.  It comes back when a path is
 * usable again and nothing that was sent before can land any more; then the
 * mirror copies what it missed.  The last leg that has something is never let
 * go: requests wait for its paths, as without a mirror.
 *
 *	up ── no path for PATIENCE, not the last ─▶ down: cancel what waits
 *	 ▲                                            │
 *	 └── a path, nothing outstanding or fenced ◀──┘
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "volume/internal.h"

#define PATIENCE SEC(1)
#define LOOK	 MSEC(100)
#define TICK	 SEC(1)

enum { OWN = 2 }; /* requests of the mirror's own on a leg: copy, clean */

struct leg {
	struct member *member;
	bool up;
	nsec lost; /* since then there was no path; 0: there is one */
	struct list ios;
	struct leg_io own[OWN];
};

struct replicas {
	struct volume *volume;
	struct mirror *mirror;
	struct bitmap *bitmap;
	uint64_t size;
	struct leg legs[VOLUME_MEMBERS_MAX];
	unsigned n;
	nsec ticked;
	bool closing, watching, saving;
	struct waitq change;
	struct {
		const void *bytes;
		uint32_t offset, len;
	} save;
};

/* ------------------------------------------------------ the mirror's commands
 */

static void leg_io_done(struct nvmei_request *n, int error)
{
	struct leg_io *l = container_of(n, struct leg_io, nvme);
	struct mirror_io *io = l->io;

	list_del(&l->link);
	l->io = NULL;
	mirror_io_done(io, error);
}

static struct leg_io *take_own(struct leg *leg)
{
	for (unsigned i = 0; i < OWN; i++)
		if (leg->own[i].io == NULL)
			return &leg->own[i];
	assert(!"the mirror has no more than a copy and a flush on a leg");
	return NULL;
}

static enum block_op own_op(enum mirror_op op)
{
	return op == MIRROR_READ    ? BLOCK_READ
	       : op == MIRROR_WRITE ? BLOCK_WRITE
				    : BLOCK_FLUSH;
}

/* Space that was freed may read as anything, on each leg as anything else: so
 * it is freed by writing zeroes. */
static void fill_from_request(struct leg_io *l, struct volume_request *q)
{
	bool discard = q->op == BLOCK_DEALLOCATE;

	l->nvme.op = discard ? BLOCK_WRITE_ZEROES : q->op;
	l->nvme.flags = q->flags | (discard ? BLOCK_UNMAP : 0);
	l->iov = q->iov;
}

static void on_submit(void *arg, struct mirror_io *io)
{
	struct replicas *r = arg;
	struct leg *leg = &r->legs[io->leg];
	struct volume_request *q;
	struct leg_io *l;

	if (io->request != NULL) {
		q = container_of(io->request, struct volume_request, mirror);
		l = &q->legs[io->leg];
		l->nvme = (struct nvmei_request){};
		fill_from_request(l, q);
	} else {
		l = take_own(leg);
		l->nvme = (struct nvmei_request){ .op = own_op(io->op) };
		l->iov = (struct iovec){ io->copy, io->length };
	}
	l->io = io;
	l->nvme.offset = io->offset;
	l->nvme.length = io->length;
	l->nvme.iov = &l->iov;
	l->nvme.niov = 1;
	l->nvme.done = leg_io_done;
	list_append(&leg->ios, &l->link);
	nvmei_submit(leg->member->nvme, &l->nvme);
}

static void save_task(void *arg)
{
	struct replicas *r = arg;
	const struct volume_options *o = &r->volume->options;
	int rc = bitmap_save(r->bitmap, r->save.bytes, r->save.offset,
			     r->save.len);

	if (rc < 0)
		log_error("%s: the bitmap can't be written: %s",
			  o->bitmap[0] != '\0' ? o->bitmap : o->bitmap_create,
			  strerror(-rc));
	r->saving = false;
	waitq_wake_all(&r->change);
	mirror_saved(r->mirror, rc);
}

static void on_save(void *arg, const void *bytes, uint32_t offset, uint32_t len)
{
	struct replicas *r = arg;
	int rc;

	r->save.bytes = bytes;
	r->save.offset = offset;
	r->save.len = len;
	r->saving = true;
	rc = task_spawn("volume-bitmap", save_task, r);
	if (rc == 0)
		return;
	r->saving = false;
	mirror_saved(r->mirror, rc);
}

static const struct mirror_operations operations = { on_submit, on_save };

/* ------------------------------------------------------------------ requests
 */

static void mirror_done(struct mirror_request *m, int error)
{
	struct volume_request *q =
		container_of(m, struct volume_request, mirror);

	q->done(q, error);
}

static enum mirror_op op_of(enum block_op op)
{
	switch (op) {
	case BLOCK_READ:
		return MIRROR_READ;
	case BLOCK_FLUSH:
		return MIRROR_FLUSH;
	default:
		return MIRROR_WRITE;
	}
}

void replicas_submit(struct replicas *r, struct volume_request *q)
{
	q->mirror.op = op_of(q->op);
	q->mirror.offset = q->offset;
	q->mirror.length = q->length;
	q->mirror.done = mirror_done;
	mirror_submit(r->mirror, &q->mirror);
}

/* --------------------------------------------------------------------- health
 */

static bool is_usable(const struct leg *leg)
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	unsigned n;

	if (leg->member->nvme == NULL)
		return false;
	n = nvmei_get_paths(leg->member->nvme, paths, ARRAY_SIZE(paths));
	for (unsigned i = 0; i < MIN(n, (unsigned)ARRAY_SIZE(paths)); i++)
		if (paths[i].path.access <= PATH_NON_OPTIMIZED &&
		    (paths[i].path.state == PATH_LIVE ||
		     paths[i].path.state == PATH_SUSPECT))
			return true;
	return false;
}

/* Those that can't be cancelled yet are next time. */
static void cancel_all(struct leg *leg)
{
	struct leg_io *l;
	bool again = true;

	while (again) {
		again = false;
		list_for_each (l, &leg->ios, link)
			if (nvmei_cancel(&l->nvme) == 0) {
				again = true;
				break;
			}
	}
}

static void let_go(struct replicas *r, unsigned i)
{
	struct leg *leg = &r->legs[i];

	log_warn("%s: lost; what is written meanwhile is copied when it is "
		 "back",
		 leg->member->options->subnqn);
	leg->up = false;
	mirror_leg_down(r->mirror, i);
	cancel_all(leg);
}

static void look_at(struct replicas *r, unsigned i, nsec now)
{
	struct leg *leg = &r->legs[i];

	if (is_usable(leg)) {
		leg->lost = 0;
		if (!leg->up && list_empty(&leg->ios) &&
		    !nvmei_is_fencing(leg->member->nvme)) {
			log_info("%s: back", leg->member->options->subnqn);
			leg->up = true;
			mirror_leg_up(r->mirror, i);
		}
		return;
	}
	if (leg->lost == 0)
		leg->lost = now;
	if (!leg->up || r->closing)
		cancel_all(leg);
	else if (now - leg->lost >= PATIENCE && mirror_can_lose(r->mirror, i))
		let_go(r, i);
}

static void watch_task(void *arg)
{
	struct replicas *r = arg;
	nsec now;

	while (!r->closing || !mirror_is_idle(r->mirror)) {
		now = reactor_now();
		for (unsigned i = 0; i < r->n; i++)
			look_at(r, i, now);
		if (now - r->ticked >= TICK) {
			r->ticked = now;
			mirror_tick(r->mirror);
		}
		waitq_wait(&r->change, now + LOOK);
	}
	r->watching = false;
	waitq_wake_all(&r->change);
}

/* ---------------------------------------------------------------- life cycle
 */

static void identify(const struct replicas *r, struct bitmap_identity *id)
{
	struct nvmei_volume_info info;

	memset(id, 0, sizeof(*id));
	id->legs = r->n;
	id->size = UINT64_MAX;
	for (unsigned i = 0; i < r->n; i++) {
		const struct member *m = r->legs[i].member;

		strcpy(id->leg[i].subnqn, m->options->subnqn);
		if (m->nvme == NULL)
			continue;
		nvmei_get_info(m->nvme, &info);
		memcpy(id->leg[i].uuid, info.uuid, 16);
		memcpy(id->leg[i].nguid, info.nguid, 16);
		id->size = MIN(id->size, info.blocks * info.block_size);
	}
}

static int refuse_leg(const struct member *m, const char *why, char *text)
{
	return refuse_with(text, -EINVAL, "%.120s: %s", m->options->subnqn,
			   why);
}

/* What all members that are there must be like. */
static int check(struct replicas *r, char text[VOLUME_TEXT])
{
	struct nvmei_volume_info first = {}, info;
	bool create = r->volume->options.bitmap_create[0] != '\0';

	for (unsigned i = 0; i < r->n; i++) {
		struct member *m = r->legs[i].member;

		if (m->nvme == NULL && create)
			return refuse_leg(m, "a new mirror needs all", text);
		if (m->nvme == NULL)
			continue;
		nvmei_get_info(m->nvme, &info);
		if (first.blocks == 0)
			first = info;
		if (info.block_size != first.block_size)
			return refuse_leg(m, "it has blocks of another size",
					  text);
		if (info.blocks * info.block_size < r->size)
			return refuse_leg(m, "it is smaller than the mirror",
					  text);
		if (info.max_transfer < MIRROR_COPY)
			return refuse_leg(m, "it takes no requests of 128 KiB",
					  text);
	}
	return 0;
}

static int open_bitmap(struct replicas *r, char text[VOLUME_TEXT])
{
	struct volume_options *o = &r->volume->options;
	struct bitmap_identity id;
	int rc;

	identify(r, &id);
	if (o->bitmap_create[0] != '\0')
		rc = bitmap_create(o->bitmap_create, &id, &r->bitmap, text);
	else
		rc = bitmap_open(o->bitmap, &id, &r->bitmap, text);
	r->size = id.size;
	return rc;
}

static int start(struct replicas *r, char text[VOLUME_TEXT])
{
	unsigned up = 0, missing = 0;
	int rc = check(r, text);

	if (rc == 0)
		rc = open_bitmap(r, text);
	if (rc == 0)
		rc = check(r, text); /* also their size, now */
	for (unsigned i = 0; i < r->n && rc == 0; i++) {
		r->legs[i].up = r->legs[i].member->nvme != NULL;
		up |= (unsigned)r->legs[i].up << i;
	}
	if (rc == 0)
		rc = mirror_create(r->n, r->size, bitmap_map(r->bitmap), up,
				   &operations, r, &r->mirror, &missing);
	if (rc == -ENODATA)
		snprintf(text, VOLUME_TEXT,
			 "%.120s has what no other replica has, and can't be "
			 "reached",
			 r->legs[__builtin_ctz(missing)]
				 .member->options->subnqn);
	if (rc == -EINVAL && text[0] == '\0')
		snprintf(text, VOLUME_TEXT, "the bitmap is damaged");
	if (rc < 0)
		return rc;
	rc = task_spawn("volume-replicas", watch_task, r);
	r->watching = rc == 0;
	return rc;
}

int replicas_open(struct volume *v, struct replicas **out,
		  char text[VOLUME_TEXT])
{
	struct replicas *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	r->volume = v;
	r->n = v->n_members;
	waitq_init(&r->change);
	for (unsigned i = 0; i < r->n; i++) {
		r->legs[i].member = &v->members[i];
		list_init(&r->legs[i].ios);
	}
	rc = start(r, text);
	if (rc == 0)
		*out = r;
	else
		replicas_close(r);
	return rc;
}

/* Twice a tick: what rests by then needs no copy after a crash of another. */
static void clean_up(struct replicas *r)
{
	nsec until = reactor_now() + SEC(2);

	for (int i = 0; i < 2; i++) {
		mirror_tick(r->mirror);
		waitq_wait(&r->change, reactor_now() + MSEC(10));
	}
	mirror_quiesce(r->mirror);
	while (!mirror_is_idle(r->mirror) && reactor_now() < until)
		waitq_wait(&r->change, reactor_now() + MSEC(10));
}

void replicas_close(struct replicas *r)
{
	if (r->watching)
		clean_up(r);
	r->closing = true;
	waitq_wake_all(&r->change);
	while (r->watching || r->saving)
		waitq_wait(&r->change, NSEC_NEVER);
	if (r->mirror != NULL)
		mirror_destroy(r->mirror);
	if (r->bitmap != NULL)
		bitmap_close(r->bitmap);
	free(r);
}

/* One that is not what it should be stays away. */
void replicas_found(struct replicas *r, unsigned leg)
{
	struct bitmap_identity id;
	char text[VOLUME_TEXT];
	struct member *m = r->legs[leg].member;

	identify(r, &id);
	if (bitmap_matches(r->bitmap, &id, leg) && check(r, text) == 0)
		return;
	log_error("%s: it is another volume than the mirror's",
		  m->options->subnqn);
	nvmei_volume_put(m->nvme);
	m->nvme = NULL;
}

/* ------------------------------------------------------------------- reports
 */

uint64_t replicas_size(const struct replicas *r)
{
	return r->size;
}

uint64_t replicas_region(const struct replicas *r)
{
	return mirror_region_size(r->size);
}

void replicas_report(const struct replicas *r, unsigned leg, json_t *into)
{
	struct mirror_info info;

	mirror_get_info(r->mirror, &info);
	json_object_set_new(into, "state",
			    json_string(!r->legs[leg].up      ? "lost"
					: info.stale[leg] > 0 ? "copying"
							      : "complete"));
	json_object_set_new(into, "stale_bytes",
			    json_integer((json_int_t)(info.stale[leg] *
						      replicas_region(r))));
}
