/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random compounds, half of them damaged: whatever comes, the server answers
 * with something well-formed or ends that connection, and serves the next one.
 * HAWSER_SEED and HAWSER_ROUNDS choose others, and more.
 */
#include "wire.h"

#include "base/rng.h"

enum { ROUNDS = 3000, NAMES = 6, SLOTS = 8 };

struct player {
	struct world world;
	struct wire w;
	struct session s;
	struct compound *c;
	struct rng rng;
	stateid4 stateids[8];
	struct nfs_fh fhs[8];
	uint8_t noise[256];
	uint8_t *message;
	unsigned ended, answered, ok, mounts;
};

static uint64_t below(struct player *p, uint64_t n)
{
	return rng_below(&p->rng, n);
}

static uint64_t number(struct player *p)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		4095,
		4096,
		1 << 20,
		UINT32_MAX,
		INT64_MAX,
		UINT64_MAX,
		1ULL << 40,
		(1 << 20) + 1,
	};

	return below(p, 3) ? edges[below(p, ARRAY_SIZE(edges))]
			   : rng_next(&p->rng);
}

static component4 name(struct player *p)
{
	static const char *const names[NAMES] = { "a",	"b", "dir",
						  "..", "",  "x/y" };

	if (below(p, 10) == 0)
		return (component4){ p->noise, (uint32_t)below(p, 256) };
	return xdr_text(names[below(p, NAMES)]);
}

static stateid4 stateid(struct player *p)
{
	stateid4 s = p->stateids[below(p, ARRAY_SIZE(p->stateids))];

	switch (below(p, 6)) {
	case 0:
		return stateid4_anonymous;
	case 1:
		return stateid4_current;
	case 2:
		return stateid4_read_bypass;
	case 3:
		s.seqid = (uint32_t)number(p);
	}
	return s;
}

static bitmap4 bitmap(struct player *p)
{
	bitmap4 b = { { (uint32_t)rng_next(&p->rng),
			(uint32_t)rng_next(&p->rng), 0 } };

	return b;
}

static fattr4 attributes(struct player *p)
{
	fattr4 f = {};

	if (below(p, 3) == 0) {
		f.attrmask = bitmap(p);
		f.attr_vals = (struct xdr_bytes){ p->noise,
						  4 * (uint32_t)below(p, 20) };
	}
	return f;
}

static void fill_open(struct player *p, OPEN4args *o)
{
	o->share_access = (uint32_t)below(p, 5) | (uint32_t)below(p, 6) << 8;
	o->share_deny = (uint32_t)(below(p, 4) ? 0 : below(p, 5));
	o->owner.owner = name(p);
	o->claim.claim = below(p, 7);
	o->claim.file = name(p);
	o->openhow.opentype = below(p, 2);
	o->openhow.how.mode = below(p, 4);
	o->openhow.how.createattrs = attributes(p);
}

static void fill_lock(struct player *p, LOCK4args *l)
{
	l->locktype = 1 + below(p, 4);
	l->reclaim = below(p, 8) == 0;
	l->offset = number(p);
	l->length = number(p);
	l->locker.new_lock_owner = below(p, 2);
	l->locker.open_stateid = l->locker.lock_stateid = stateid(p);
	l->locker.lock_owner.owner = name(p);
}

/* The arguments that matter, of operations on open files. */
static void fill_io(struct player *p, nfs_argop4 *a)
{
	switch (a->argop) {
	case OP_CLOSE:
		a->opclose.open_stateid = stateid(p);
		break;
	case OP_COMMIT:
		a->opcommit.offset = number(p);
		break;
	case OP_LOCK:
		fill_lock(p, &a->oplock);
		break;
	case OP_LOCKT:
		a->oplockt.locktype = 1 + below(p, 4);
		a->oplockt.offset = number(p);
		a->oplockt.length = number(p);
		a->oplockt.owner.owner = name(p);
		break;
	case OP_LOCKU:
		a->oplocku.locktype = 1 + below(p, 4);
		a->oplocku.lock_stateid = stateid(p);
		a->oplocku.offset = number(p);
		a->oplocku.length = number(p);
		break;
	case OP_OPEN:
		fill_open(p, &a->opopen);
		break;
	case OP_OPEN_DOWNGRADE:
		a->opopen_downgrade.open_stateid = stateid(p);
		a->opopen_downgrade.share_access = (uint32_t)below(p, 5);
		break;
	case OP_READ:
		a->opread.stateid = stateid(p);
		a->opread.offset = number(p);
		a->opread.count = (uint32_t)number(p);
		break;
	case OP_WRITE:
		a->opwrite.stateid = stateid(p);
		a->opwrite.offset = below(p, 4) ? below(p, 9999) : number(p);
		a->opwrite.stable = below(p, 3);
		a->opwrite.data =
			(struct xdr_bytes){ p->noise, (uint32_t)below(p, 256) };
		break;
	case OP_FREE_STATEID:
		a->opfree_stateid.fsa_stateid = stateid(p);
		break;
	case OP_SEEK:
		a->opseek.sa_stateid = stateid(p);
		a->opseek.sa_offset = number(p);
		a->opseek.sa_what = below(p, 2);
		break;
	case OP_ALLOCATE:
	case OP_DEALLOCATE:
		a->opallocate.stateid = stateid(p);
		a->opallocate.offset = number(p);
		a->opallocate.length = below(p, 2) ? 4096 : number(p);
		break;
	default: /* as it is: zeroes */
		break;
	}
}

/* And of the others. */
static void fill(struct player *p, nfs_argop4 *a)
{
	struct nfs_fh *fh = &p->fhs[below(p, ARRAY_SIZE(p->fhs))];

	switch (a->argop) {
	case OP_ACCESS:
		a->opaccess.access = (uint32_t)number(p);
		break;
	case OP_CREATE:
		a->opcreate.objtype.type = below(p, 10);
		a->opcreate.objtype.linkdata = name(p);
		a->opcreate.objname = name(p);
		a->opcreate.createattrs = attributes(p);
		break;
	case OP_GETATTR:
		a->opgetattr.attr_request = bitmap(p);
		break;
	case OP_LINK:
		a->oplink.newname = name(p);
		break;
	case OP_LOOKUP:
		a->oplookup.objname = name(p);
		break;
	case OP_PUTFH:
		a->opputfh.object = nfs_fh4_of(fh);
		break;
	case OP_READDIR:
		a->opreaddir.cookie = below(p, 2) ? 0 : number(p);
		a->opreaddir.maxcount = (uint32_t)number(p);
		a->opreaddir.dircount = (uint32_t)number(p);
		a->opreaddir.attr_request = bitmap(p);
		break;
	case OP_REMOVE:
		a->opremove.target = name(p);
		break;
	case OP_RENAME:
		a->oprename.oldname = name(p);
		a->oprename.newname = name(p);
		break;
	case OP_SETATTR:
		a->opsetattr.stateid = stateid(p);
		a->opsetattr.obj_attributes = attributes(p);
		break;
	case OP_GETXATTR:
		a->opgetxattr.gxa_name = name(p);
		break;
	case OP_SETXATTR:
		a->opsetxattr.sxa_key = name(p);
		a->opsetxattr.sxa_value = name(p);
		break;
	case OP_LISTXATTRS:
		a->oplistxattrs.lxa_cookie = below(p, 2) ? 0 : number(p);
		a->oplistxattrs.lxa_maxcount = (uint32_t)number(p);
		break;
	default:
		fill_io(p, a);
		break;
	}
}

static nfs_opnum4 operation(struct player *p)
{
	static const nfs_opnum4 likely_ones[] = {
		OP_PUTROOTFH, OP_PUTFH, OP_OPEN, OP_LOOKUP, OP_CREATE,
		OP_GETATTR,   OP_WRITE, OP_LOCK, OP_SAVEFH, OP_READ,
	};
	uint32_t n;

	if (below(p, 2))
		return likely_ones[below(p, ARRAY_SIZE(likely_ones))];
	do
		n = 3 + (uint32_t)below(p, OP_REMOVEXATTR - 2);
	while (!nfs4_op_find(n)->known || n == OP_DESTROY_SESSION ||
	       n == OP_DESTROY_CLIENTID);
	return n;
}

/* Some of what fill() makes up can't even be written down. */
static void add_some(struct player *p)
{
	static uint8_t scratch[4096];
	nfs_argop4 *a = add(p->c, operation(p));
	struct xdr x;

	fill(p, a);
	xdr_encode_init(&x, scratch, sizeof(scratch), SIZE_MAX);
	if (!xdr_nfs_argop4(&x, a))
		p->c->n--;
}

static unsigned make(struct player *p)
{
	unsigned slot = (unsigned)below(p, SLOTS);

	session_begin(&p->s, p->c, slot);
	p->c->op[0].opsequence.sa_cachethis = below(p, 2);
	p->c->minorversion = 1 + (uint32_t)below(p, 2);
	for (uint64_t n = below(p, WIRE_OPS - 2); n > 0; n--)
		add_some(p);
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

static void remember(struct player *p)
{
	for (unsigned i = 0; i < p->c->nres; i++) {
		const nfs_resop4 *r = &p->c->res[i];
		unsigned k = (unsigned)below(p, 8);

		p->ok += r->status == NFS4_OK;
		if (r->status != NFS4_OK)
			continue;
		if (r->resop == OP_OPEN)
			p->stateids[k] = r->opopen.stateid;
		if (r->resop == OP_LOCK)
			p->stateids[k] = r->oplock.lock_stateid;
		if (r->resop == OP_GETFH)
			p->fhs[k] = nfs_fh4_copy(r->opgetfh.object);
	}
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
	remember(p);
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
	for (size_t i = 0; i < sizeof(p->noise); i++)
		p->noise[i] = rng_next(&p->rng);
	world_start(&p->world, arg, &options);
	wire_open(&p->w, &p->world.addr[0]);
	mount_again(p);
	while (n-- > 0)
		play(p);
	/* That was no waste of time. */
	require(p->answered > p->ended && p->ok > p->answered);
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
