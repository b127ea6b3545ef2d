/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random compounds, half of them damaged: whatever comes, the server answers
 * with something well-formed or ends that connection, and serves the next one.
 * HAWSER_SEED and HAWSER_ROUNDS choose others, and more.
 */
#include "nonsense.h"

#include "base/rng.h"

enum { ROUNDS = 3000, SLOTS = 8 };

struct player {
	struct world world;
	struct wire w;
	struct session s;
	struct compound *c;
	struct rng rng;
	struct nonsense nonsense;
	uint8_t *message;
	unsigned ended, answered, mounts;
};

static uint64_t draw(void *arg, uint64_t n)
{
	return n == 0 ? rng_next(arg) : rng_below(arg, n);
}

static uint64_t below(struct player *p, uint64_t n)
{
	return rng_below(&p->rng, n);
}

static unsigned make(struct player *p)
{
	unsigned slot = (unsigned)below(p, SLOTS);

	session_begin(&p->s, p->c, slot);
	p->c->op[0].opsequence.sa_cachethis = below(p, 2);
	p->c->minorversion = 1 + (uint32_t)below(p, 2);
	for (uint64_t n = below(p, WIRE_OPS - 2); n > 0; n--)
		nonsense_add(&p->nonsense, p->c);
	return slot;
}

/* Some bytes behind SEQUENCE change, or the record ends early. */
static size_t damage(struct player *p, size_t len)
{
	enum { KEEP = 130 }; /* headers and SEQUENCE, most of the time */
	size_t from = below(p, 8) ? KEEP : RECORD_HEADER;

	if (len <= from)
		return len;
	for (uint64_t n = below(p, 6); n > 0; n--)
		p->message[from + below(p, len - from)] =
			below(p, 2) ? rng_next(&p->rng) : 0xff;
	if (below(p, 5) == 0) {
		len = from + below(p, len - from);
		record_header(p->message, len - RECORD_HEADER);
	}
	return len;
}

/* A client of its own each time. */
static void mount_again(struct player *p)
{
	char owner[24];

	snprintf(owner, sizeof(owner), "player %u", ++p->mounts);
	wire_mount(&p->w, owner, &p->s);
}

static void again(struct player *p)
{
	wire_close(&p->w);
	wire_open(&p->w, &p->world.addr[below(p, 2)]);
}

static void play(struct player *p)
{
	unsigned slot = make(p);
	size_t len = 0;

	compound_encode(&p->w, p->c, p->w.xid++, p->message, WIRE_BUFFER, &len);
	if (below(p, 2))
		len = damage(p, len);
	stream_write(p->w.stream, p->message, len);
	/* A call that became a reply is not answered at all. */
	if (load_be32(p->message + 8) == RPC_MSG_REPLY) {
		p->s.seq[slot]--;
		return;
	}
	if (wire_answer(&p->w, p->c) == 0) {
		p->ended++;
		p->s.seq[slot]--;
		again(p);
		return;
	}
	p->answered++;
	if (p->c->nres == 0 || p->c->res[0].status != NFS4_OK) {
		p->s.seq[slot]--;
		if (p->c->status == NFS4ERR_SEQ_MISORDERED ||
		    p->c->status == NFS4ERR_SEQ_FALSE_RETRY ||
		    p->c->status == NFS4ERR_BADSESSION)
			mount_again(p);
	}
	nonsense_learn(&p->nonsense, p->c);
}

static void body(void *arg)
{
	struct player *p = calloc(1, sizeof(*p));
	const char *seed = getenv("HAWSER_SEED");
	const char *rounds = getenv("HAWSER_ROUNDS");
	struct nfs_server_options options = {};
	int n = rounds != NULL ? atoi(rounds) : ROUNDS;

	require(p != NULL);
	p->c = malloc(sizeof(*p->c));
	p->message = malloc(WIRE_BUFFER);
	require(p->c != NULL && p->message != NULL);
	rng_init(&p->rng, seed != NULL ? strtoull(seed, NULL, 0) : 1);
	p->nonsense.draw = draw;
	p->nonsense.arg = &p->rng;
	for (size_t i = 0; i < sizeof(p->nonsense.noise); i++)
		p->nonsense.noise[i] = rng_next(&p->rng);
	world_start(&p->world, arg, &options);
	wire_open(&p->w, &p->world.addr[0]);
	mount_again(p);
	while (n-- > 0)
		play(p);
	/* That was no waste of time. */
	require(p->answered > p->ended && p->nonsense.ok > p->answered);
	wire_mount(&p->w, "afterwards", &p->s);
	wire_close(&p->w);
	world_stop(&p->world);
	free(p->message);
	free(p->c);
	free(p);
}

static void nonsense_is_answered_or_ends_the_connection(void **state)
{
	in_task(body, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(
			nonsense_is_answered_or_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
