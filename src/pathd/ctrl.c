/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/ctrl.h"

#include <string.h>

void ctrls_init(struct ctrls *cs, struct targets *targets)
{
	*cs = (struct ctrls){ .targets = targets };
	list_init(&cs->all);
}

static void ctrl_destroy(struct ctrls *cs, struct ctrl *c)
{
	list_del(&c->link);
	target_put(c->target);
	cs->count--;
	free(c);
}

void ctrls_fini(struct ctrls *cs)
{
	struct ctrl *c, *next;

	list_for_each_safe (c, next, &cs->all, link)
		ctrl_destroy(cs, c);
}

void ctrls_scan_begin(struct ctrls *cs)
{
	struct ctrl *c;

	list_for_each (c, &cs->all, link)
		c->seen = false;
}

/* Names are given anew, to other controllers. */
static struct ctrl *find(const struct ctrls *cs, const struct ctrl_seen *seen)
{
	struct ctrl *c;

	list_for_each (c, &cs->all, link)
		if (strcmp(c->name, seen->name) == 0 &&
		    strcmp(c->subsystem, seen->subsystem) == 0 &&
		    addr_equal(&c->target->addr, &seen->addr))
			return c;
	return NULL;
}

static struct ctrl *add(struct ctrls *cs, const struct ctrl_seen *seen)
{
	struct ctrl *c;

	if (cs->count == CTRLS_MAX)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->target = target_get(cs->targets, TARGET_NVME, &seen->addr);
	if (c->target == NULL) {
		free(c);
		return NULL;
	}
	strcpy(c->name, seen->name);
	strcpy(c->subsystem, seen->subsystem);
	list_append(&cs->all, &c->link);
	cs->count++;
	return c;
}

void ctrls_forget(struct ctrls *cs, const struct addr *at)
{
	struct ctrl *c;

	list_for_each (c, &cs->all, link)
		if (addr_equal(&c->target->addr, at))
			c->fingerprint = 0;
}

bool ctrls_see(struct ctrls *cs, const struct ctrl_seen *seen)
{
	struct ctrl *c = find(cs, seen);

	if (c == NULL)
		c = add(cs, seen);
	if (c == NULL)
		return false;
	if (seen->live && !c->live)
		ctrls_forget(cs, &seen->addr);
	c->seen = true;
	c->live = seen->live;
	return true;
}

void ctrls_scan_end(struct ctrls *cs)
{
	struct ctrl *c, *next;

	list_for_each_safe (c, next, &cs->all, link)
		if (!c->seen)
			ctrl_destroy(cs, c);
}

static bool are_paths_of_one(const struct ctrl *a, const struct ctrl *b)
{
	return a->target != b->target &&
	       strcmp(a->subsystem, b->subsystem) == 0;
}

bool ctrl_is_one_of_several(const struct ctrls *cs, const struct ctrl *c)
{
	struct ctrl *other;

	list_for_each (other, &cs->all, link)
		if (are_paths_of_one(c, other))
			return true;
	return false;
}

struct ctrl *ctrl_witness(const struct ctrls *cs, const struct ctrl *c)
{
	struct ctrl *other;

	list_for_each (other, &cs->all, link)
		if (are_paths_of_one(c, other) && other->live &&
		    target_dead(c->target, other->target))
			return other;
	return NULL;
}

struct ctrl *ctrls_next_unknown(struct ctrls *cs)
{
	struct ctrl *c;

	list_for_each (c, &cs->all, link) {
		if (!c->live || c->asked || c->fingerprint != 0 ||
		    c->target->state != TARGET_ANSWERING ||
		    !ctrl_is_one_of_several(cs, c))
			continue;
		c->asked = true;
		return c;
	}
	return NULL;
}

void ctrls_identified(struct ctrls *cs, const char *name,
		      const struct fence_identity *identity,
		      uint64_t fingerprint)
{
	struct ctrl *c;

	list_for_each (c, &cs->all, link) {
		if (strcmp(c->name, name) != 0)
			continue;
		c->asked = false;
		if (identity == NULL)
			continue;
		c->identity = *identity;
		c->fingerprint = fingerprint;
	}
}

struct ctrl *ctrls_next_dead(struct ctrls *cs, nsec now)
{
	struct ctrl *c, *other;

	list_for_each (c, &cs->all, link) {
		if (!c->live || now < c->retry_at ||
		    ctrl_witness(cs, c) == NULL)
			continue;
		list_for_each (other, &cs->all, link)
			if (other->target == c->target)
				other->retry_at = now + CTRL_PAUSE;
		return c;
	}
	return NULL;
}
