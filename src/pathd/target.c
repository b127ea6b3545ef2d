/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/target.h"

void targets_init(struct targets *ts)
{
	list_init(&ts->all);
	ts->count = 0;
}

struct target *target_get(struct targets *ts, enum target_kind kind,
			  const struct addr *addr)
{
	struct target *t;

	list_for_each (t, &ts->all, link) {
		if (t->kind == kind && addr_equal(&t->addr, addr)) {
			t->users++;
			return t;
		}
	}
	if (ts->count == TARGETS_MAX)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->kind = kind;
	t->addr = *addr;
	t->users = 1;
	t->trust = TARGET_TRUST_MIN;
	list_append(&ts->all, &t->link);
	ts->count++;
	return t;
}

void target_put(struct target *t)
{
	assert(t->users > 0);
	t->users--;
}

void targets_sweep(struct targets *ts)
{
	struct target *t, *next;

	list_for_each_safe (t, next, &ts->all, link) {
		if (t->users > 0)
			continue;
		list_del(&t->link);
		ts->count--;
		free(t);
	}
}

static enum target_news succeeded(struct target *t, nsec sent, nsec now)
{
	bool rose =
		t->state == TARGET_UNKNOWN || t->failures >= TARGET_FAILURES;

	if (t->state != TARGET_ANSWERING)
		t->answering_since = now;
	else if (now - t->answering_since > TARGET_TRUST_MAX)
		t->trust = TARGET_TRUST_MIN;
	t->answered = sent;
	t->latency = now - sent;
	t->failures = 0;
	t->state = TARGET_ANSWERING;
	return rose ? TARGET_ROSE : TARGET_NO_NEWS;
}

/* One that fails soon after it had come back has to be good for longer. */
static void lose_trust(struct target *t, nsec now)
{
	if (t->falls++ > 0 && now - t->answering_since <= TARGET_TRUST_MAX)
		t->trust = MIN(2 * t->trust, TARGET_TRUST_MAX);
}

static enum target_news failed(struct target *t, nsec sent, nsec now)
{
	if (t->failures == 0)
		t->failing_since = sent;
	t->failed_at[0] = t->failed_at[1];
	t->failed_at[1] = sent;
	t->failures++;
	t->lost++;
	t->state = TARGET_FAILING;
	if (t->failures != TARGET_FAILURES)
		return TARGET_NO_NEWS;
	lose_trust(t, now);
	return TARGET_FELL;
}

enum target_news target_probed(struct target *t, bool answered, nsec sent,
			       nsec now)
{
	t->probes++;
	return answered ? succeeded(t, sent, now) : failed(t, sent, now);
}

void target_reset(struct target *t)
{
	t->state = TARGET_UNKNOWN;
	t->failures = 0;
}

bool target_dead(const struct target *t, const struct target *witness)
{
	return t->failures >= TARGET_FAILURES &&
	       witness->state == TARGET_ANSWERING &&
	       witness->answering_since <= t->failed_at[0] &&
	       witness->answered >= t->failed_at[0];
}

bool target_trusted(const struct target *t, nsec now)
{
	return t->state == TARGET_ANSWERING &&
	       now - t->answering_since >= t->trust;
}

const char *target_state_name(enum target_state state)
{
	static const char *const names[] = {
		[TARGET_UNKNOWN] = "unknown",
		[TARGET_ANSWERING] = "answering",
		[TARGET_FAILING] = "failing",
	};

	return names[state];
}
