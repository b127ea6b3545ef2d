/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's slots (RFC 8881 section 2.10.6): a request takes the lowest
 * free one and has it until its reply, so that the server can keep one reply
 * for each and answer a repeat from there.
 *
 * A sequence id is used up when SEQUENCE says NFS4_OK.  When a call is given up
 * without a reply, nobody knows whether its id was used; such a slot is retired
 * until there is a new session.
 */
#include <errno.h>

#include "nfs/client/internal.h"

static int lowest_free(const struct session *s)
{
	unsigned limit = MIN(s->nslots, s->target);

	for (unsigned w = 0; w * 64 < limit; w++) {
		uint64_t free_bits = ~s->busy[w];
		unsigned n = w * 64 + __builtin_ctzll(free_bits | 1ULL << 63);

		if (free_bits != 0 && n < limit &&
		    !(s->busy[w] >> (n % 64) & 1))
			return (int)n;
	}
	return -1;
}

uint32_t slot_highest(const struct session *s)
{
	for (int w = SLOTS_MAX / 64 - 1; w >= 0; w--)
		if (s->busy[w] != 0)
			return w * 64 + 63 - __builtin_clzll(s->busy[w]);
	return 0;
}

/* Calls that make the session may use it before it is usable. */
static int wait_usable(struct call *k)
{
	nsec patience = k->client->options.path.fast_io_fail_timeout;

	if (k->flags & CALL_RECOVERY)
		return k->client->session.exists ? 0 : -EAGAIN;
	if (k->client->session.usable)
		return 0;
	return session_wait(k->client,
			    patience > 0 ? nsec_after(reactor_now(), patience)
					 : NSEC_NEVER);
}

int slot_get(struct call *k)
{
	struct nfs_client *c = k->client;
	struct session *s = &c->session;
	int n, rc;

	for (;;) {
		rc = wait_usable(k);
		if (rc < 0)
			return rc;
		n = lowest_free(s);
		if (n >= 0)
			break;
		waitq_wait(&c->slots, NSEC_NEVER);
	}
	s->busy[n / 64] |= 1ULL << (n % 64);
	/* Each slot that is given back wakes one; when the server allows more
	 * than before, there are more. */
	if (!waitq_empty(&c->slots) && lowest_free(s) >= 0)
		waitq_wake_one(&c->slots);
	k->slot = n;
	k->sequence = s->slots[n].sequence;
	k->generation = s->generation;
	return 0;
}

static bool current(const struct call *k)
{
	return k->slot >= 0 && k->generation == k->client->session.generation;
}

void slot_put(struct call *k, bool ran)
{
	struct session *s = &k->client->session;
	unsigned n = k->slot;

	if (current(k)) {
		s->slots[n].sequence += ran;
		s->busy[n / 64] &= ~(1ULL << (n % 64));
		waitq_wake_one(&k->client->slots);
	}
	k->slot = -1;
}

/* Stays busy.  When no slot is left, a new session is the way out. */
void slot_retire(struct call *k)
{
	struct session *s = &k->client->session;

	if (current(k) && ++s->retired == s->nslots)
		session_broken(k->client, k->generation,
			       NFS4ERR_SEQ_MISORDERED);
	k->slot = -1;
}
