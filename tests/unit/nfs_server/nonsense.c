/* SPDX-License-Identifier: Apache-2.0 */
#include "nonsense.h"

enum { NAMES = 6 };

static uint64_t below(struct nonsense *p, uint64_t n)
{
	return p->draw(p->arg, n);
}

static uint64_t number(struct nonsense *p)
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
			   : p->draw(p->arg, 0);
}

static component4 name(struct nonsense *p)
{
	static const char *const names[NAMES] = { "a",	"b", "dir",
						  "..", "",  "x/y" };

	if (below(p, 10) == 0)
		return (component4){ p->noise, (uint32_t)below(p, 256) };
	return xdr_text(names[below(p, NAMES)]);
}

static stateid4 stateid(struct nonsense *p)
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

static bitmap4 bitmap(struct nonsense *p)
{
	bitmap4 b = {};

	b.word[0] = (uint32_t)p->draw(p->arg, 0);
	b.word[1] = (uint32_t)p->draw(p->arg, 0);
	return b;
}

static fattr4 attributes(struct nonsense *p)
{
	fattr4 f = {};

	if (below(p, 3) == 0) {
		f.attrmask = bitmap(p);
		f.attr_vals = (struct xdr_bytes){ p->noise,
						  4 * (uint32_t)below(p, 20) };
	}
	return f;
}

static void fill_open(struct nonsense *p, OPEN4args *o)
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

static void fill_lock(struct nonsense *p, LOCK4args *l)
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
static void fill_io(struct nonsense *p, nfs_argop4 *a)
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
static void fill(struct nonsense *p, nfs_argop4 *a)
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
	case OP_SECINFO:
		a->opsecinfo.name = name(p);
		break;
	case OP_TEST_STATEID:
		p->tested[0] = stateid(p);
		p->tested[1] = stateid(p);
		a->optest_stateid.ts_stateids = p->tested;
		a->optest_stateid.n = 2;
		break;
	case OP_REMOVEXATTR:
		a->opremovexattr.rxa_name = name(p);
		break;
	case OP_VERIFY:
	case OP_NVERIFY:
		a->opverify.obj_attributes = attributes(p);
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

static nfs_opnum4 operation(struct nonsense *p)
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
void nonsense_add(struct nonsense *p, struct compound *c)
{
	static uint8_t scratch[4096];
	nfs_argop4 *a = add(c, operation(p));
	struct xdr x;

	fill(p, a);
	xdr_encode_init(&x, scratch, sizeof(scratch), SIZE_MAX);
	if (!xdr_nfs_argop4(&x, a))
		c->n--;
}

void nonsense_learn(struct nonsense *p, const struct compound *c)
{
	for (unsigned i = 0; i < c->nres; i++) {
		const nfs_resop4 *r = &c->res[i];
		unsigned k = p->learnt % ARRAY_SIZE(p->stateids);

		p->ok += r->status == NFS4_OK;
		if (r->status != NFS4_OK)
			continue;
		p->learnt++;
		if (r->resop == OP_OPEN)
			p->stateids[k] = r->opopen.stateid;
		else if (r->resop == OP_LOCK)
			p->stateids[k] = r->oplock.lock_stateid;
		else if (r->resop == OP_GETFH)
			p->fhs[k] = nfs_fh4_copy(r->opgetfh.object);
		else
			p->learnt--;
	}
}
