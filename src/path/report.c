/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and figures for people, and path_group_check(): every invariant that
 * the other files keep, written down where a test can call it.
 */
#include "path/internal.h"

static const char *const state_names[] = {
#define S(id, name, ...) [PATH_##id] = name,
	PATH_STATES(S)
#undef S
};

const char *path_state_name(enum path_state state)
{
	return state_names[state];
}

const char *path_access_name(enum path_access access)
{
	static const char *const names[] = {
		[PATH_OPTIMIZED] = "optimized",
		[PATH_NON_OPTIMIZED] = "non-optimized",
		[PATH_INACCESSIBLE] = "inaccessible",
		[PATH_PERSISTENT_LOSS] = "persistent-loss",
		[PATH_CHANGE] = "change",
	};

	return names[access];
}

static bool is_preferred(const struct path *p)
{
	const struct path_group *g = p->group;

	if (!(g->preferred & path_bit(p->index)))
		return false;
	return !g->policy->exclusive ||
	       g->policy->select(g, g->preferred, 0) == p->index;
}

void path_get_info(const struct path *p, struct path_info *out)
{
	*out = (struct path_info){
		.label = p->label,
		.state = p->state,
		.access = p->access,
		.preferred = is_preferred(p),
		.inflight = p->inflight,
		.latency = p->latency,
		.deviation = p->deviation,
		.since = p->since,
		.requests = p->completed,
		.bytes = p->bytes,
		.failovers = p->failovers,
		.losses = p->losses,
	};
}

struct path *path_group_iterate(const struct path_group *g,
				const struct path *after)
{
	for (unsigned i = after ? after->index + 1 : 0; i < g->count; i++)
		if (!g->paths[i]->removed)
			return g->paths[i];
	return NULL;
}

unsigned path_group_waiting(const struct path_group *g)
{
	return g->waiting_count;
}

bool path_group_is_fencing(const struct path_group *g)
{
	for (unsigned i = 0; i < g->count; i++)
		if (g->paths[i]->fencing)
			return true;
	return false;
}

/* ------------------------------------------------------------- invariants */

/* In order, in the state that the list stands for, on its path; the number. */
static unsigned check_list(const struct list *head,
			   enum path_request_state state, const struct path *p,
			   uint64_t *load)
{
	const struct path_request *r;
	uint64_t order = 0;
	unsigned n = 0;

	list_for_each (r, head, link) {
		assert(r->state == state);
		assert(!p || r->path == p);
		assert(r->order > order);
		order = r->order;
		*load += request_weight(r);
		n++;
	}
	return n;
}

static bool wants(const struct path *p, enum path_action_kind kind)
{
	return p->todo & 1U << kind;
}

static void check_todo(const struct path *p)
{
	bool up = p->state == PATH_LIVE || p->state == PATH_SUSPECT;

	assert((p->todo != 0) == !list_empty(&p->busy));
	assert(!p->probing || up);
	assert(!wants(p, PATH_ACT_PROBE) || (up && p->probing));
	/* connecting: either asked for or under way */
	assert((p->state == PATH_CONNECTING) ==
	       (p->attempt != wants(p, PATH_ACT_CONNECT)));
	assert(!(p->attempt && wants(p, PATH_ACT_CONNECT)));
	assert(p->state != PATH_SUSPECT || p->probing);
	assert(!wants(p, PATH_ACT_FENCE) || p->fencing);
	assert(p->fencing || list_empty(&p->fenced));
	assert(!p->fence_again || p->fencing);
	assert(!(p->given_up || p->disabled) || p->state == PATH_LOST);
	assert(!p->removed || (p->given_up && p->fencing));
}

static void check_path(const struct path_group *g, const struct path *p)
{
	bool up = p->state == PATH_LIVE || p->state == PATH_SUSPECT;
	uint64_t load = 0, ignored = 0;

	assert(p->group == g && g->paths[p->index] == p);
	assert(check_list(&p->requests, PATH_REQ_INFLIGHT, p, &load) ==
	       p->inflight);
	assert(p->load == load);
	assert(up || p->inflight == 0);
	check_list(&p->fenced, PATH_REQ_FENCED, p, &ignored);
	check_todo(p);
}

static bool has_path(const struct path_group *g, const struct path *p)
{
	for (unsigned i = 0; i < g->count; i++)
		if (g->paths[i] == p)
			return true;
	return false;
}

static void check_waiting(const struct path_group *g)
{
	const struct path_request *r;
	uint64_t ignored = 0;

	assert(check_list(&g->waiting, PATH_REQ_WAITING, NULL, &ignored) ==
	       g->waiting_count);
	list_for_each (r, &g->waiting, link)
		assert(!r->path || has_path(g, r->path));
}

void path_group_check(const struct path_group *g)
{

	for (unsigned i = 0; i < g->count; i++) {
		assert(g->paths[i]->index == i);
		check_path(g, g->paths[i]);
	}
	check_waiting(g);
	assert(g->preferred == group_best(g, NULL));
	assert(!g->preferred || g->stranded == NSEC_NEVER);
	assert(g->preferred || list_empty(&g->waiting) ||
	       g->stranded != NSEC_NEVER);
}
