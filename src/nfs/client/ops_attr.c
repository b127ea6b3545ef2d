/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes between the protocol's terms and ours, and the parts of compounds
 * that many calls share.
 */
#include <errno.h>
#include <sys/stat.h>

#include "nfs/client/internal.h"

#define WORD0                                                                  \
	(1u << FATTR4_TYPE | 1u << FATTR4_CHANGE | 1u << FATTR4_SIZE |         \
	 1u << FATTR4_FSID | 1u << FATTR4_FILEID)
#define BIT1(n) (1u << ((n)-32))
#define WORD1                                                                  \
	(BIT1(FATTR4_MODE) | BIT1(FATTR4_NUMLINKS) | BIT1(FATTR4_OWNER) |      \
	 BIT1(FATTR4_OWNER_GROUP) | BIT1(FATTR4_RAWDEV) |                      \
	 BIT1(FATTR4_SPACE_USED) | BIT1(FATTR4_TIME_ACCESS) |                  \
	 BIT1(FATTR4_TIME_METADATA) | BIT1(FATTR4_TIME_MODIFY) |               \
	 BIT1(FATTR4_MOUNTED_ON_FILEID))
const bitmap4 attr_wanted = { { WORD0, WORD1 } };

enum { NOBODY = 65534 };

static uint32_t id_of(utf8string text)
{
	uint32_t id;

	return nfs4_id_parse(text, &id) ? id : NOBODY;
}

bool attr_from_fattr4(const fattr4 *f, struct nfs_attr *out)
{
	struct nfs4_attrs a;

	memset(&a, 0, sizeof(a));
	a.owner = a.owner_group = xdr_text("");
	if (!nfs4_attrs_decode(f, NULL, &a))
		return false;
	if (!bitmap4_has(&a.have, FATTR4_TYPE))
		return false;
	*out = (struct nfs_attr){
		.mode = nfs4_type_to_mode(a.type) | (a.mode & 07777),
		.nlink = bitmap4_has(&a.have, FATTR4_NUMLINKS) ? a.numlinks : 1,
		.uid = id_of(a.owner),
		.gid = id_of(a.owner_group),
		.rdev_major = a.rawdev.specdata1,
		.rdev_minor = a.rawdev.specdata2,
		.fileid = bitmap4_has(&a.have, FATTR4_MOUNTED_ON_FILEID)
				  ? a.mounted_on_fileid
				  : a.fileid,
		.fsid = a.fsid.major * 0x9e3779b97f4a7c15ULL + a.fsid.minor,
		.size = a.size,
		.used = bitmap4_has(&a.have, FATTR4_SPACE_USED) ? a.space_used
								: a.size,
		.change = a.change,
		.atime = nfs4_timespec(a.time_access),
		.mtime = nfs4_timespec(a.time_modify),
		.ctime = nfs4_timespec(a.time_metadata),
	};
	return true;
}

static settime4 settime(bool now, struct timespec t)
{
	if (now)
		return (settime4){ .set_it = SET_TO_SERVER_TIME4 };
	return (settime4){ SET_TO_CLIENT_TIME4, nfs4_time(t) };
}

static const struct {
	unsigned flag, number;
} settable[] = {
	{ NFS_SET_SIZE, FATTR4_SIZE },
	{ NFS_SET_MODE, FATTR4_MODE },
	{ NFS_SET_UID, FATTR4_OWNER },
	{ NFS_SET_GID, FATTR4_OWNER_GROUP },
	{ NFS_SET_ATIME | NFS_SET_ATIME_NOW, FATTR4_TIME_ACCESS_SET },
	{ NFS_SET_MTIME | NFS_SET_MTIME_NOW, FATTR4_TIME_MODIFY_SET },
};

unsigned attr_allowed(unsigned mask, const bitmap4 *allowed)
{
	for (unsigned i = 0; i < ARRAY_SIZE(settable); i++)
		if (!bitmap4_has(allowed, settable[i].number))
			mask &= ~settable[i].flag;
	return mask;
}

bool attr_pack(const struct nfs_setattr *set, struct arena *arena, fattr4 *out)
{
	char owner[NFS4_ID_TEXT_MAX], group[NFS4_ID_TEXT_MAX];
	struct nfs4_attrs a;

	memset(&a, 0, sizeof(a));
	a.size = set->size;
	a.mode = set->mode & 07777;
	a.owner = nfs4_id_format(set->uid, owner);
	a.owner_group = nfs4_id_format(set->gid, group);
	a.time_access_set = settime(set->mask & NFS_SET_ATIME_NOW, set->atime);
	a.time_modify_set = settime(set->mask & NFS_SET_MTIME_NOW, set->mtime);
	for (unsigned i = 0; i < ARRAY_SIZE(settable); i++)
		if (set->mask & settable[i].flag)
			bitmap4_set(&a.have, settable[i].number);
	return nfs4_attrs_pack(&a, arena, out);
}

/* ----------------------------------------------------------- common pieces */

void call_putfh(struct call *k, const struct nfs_fh *fh)
{
	PUTFH4args args = { nfs_fh4_of(fh) };

	call_op_done(k, xdr_PUTFH4args(call_op(k, OP_PUTFH), &args));
}

void call_getfh(struct call *k)
{
	call_op(k, OP_GETFH);
}

void call_getattr(struct call *k)
{
	GETATTR4args args = { attr_wanted };

	call_op_done(k, xdr_GETATTR4args(call_op(k, OP_GETATTR), &args));
}

/* LOOKUP, REMOVE, LINK: their only argument is a name. */
void call_name(struct call *k, nfs_opnum4 op, const char *name, size_t len)
{
	component4 bytes = { name, (uint32_t)len };
	struct xdr *x =
		op == OP_LOOKUP ? call_op(k, op) : call_op_effect(k, op);

	call_op_done(k, len <= UINT32_MAX && xdr_component4(x, &bytes));
}

void call_result_fh(struct call *k, struct nfs_fh *fh)
{
	GETFH4resok res;

	if (!call_result(k, OP_GETFH))
		return;
	call_result_done(k, xdr_GETFH4resok(&k->results, &res));
	if (k->error == 0 && fh != NULL)
		*fh = nfs_fh4_copy(res.object);
}

void call_result_attr(struct call *k, struct nfs_attr *attr)
{
	struct nfs_attr ignored;
	GETATTR4resok res;

	if (call_result(k, OP_GETATTR))
		call_result_done(
			k, xdr_GETATTR4resok(&k->results, &res) &&
				   attr_from_fattr4(&res.obj_attributes,
						    attr ? attr : &ignored));
}

/* --------------------------------------------------------------- the calls */

int nfs_getattr(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, struct nfs_attr *attr)
{
	struct call k;

	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result_attr(&k, attr);
	return call_end(&k);
}

/* SETATTR's result has a bitmap whatever its status. */
static void result_setattr(struct call *k)
{
	SETATTR4res res;

	if (call_result(k, OP_SETATTR))
		call_result_done(k, xdr_SETATTR4res(&k->results, &res));
}

int nfs_setattr(struct nfs_client *c, const struct nfs_cred *cred,
		const struct nfs_fh *fh, struct nfs_open *open,
		const struct nfs_setattr *set, struct nfs_attr *attr)
{
	char memory[512];
	struct arena arena;
	SETATTR4args args;
	struct call k;
	int rc;

	if (open != NULL && open->lost)
		return -EIO;
	if (set->mask & NFS_SET_SIZE) {
		rc = keep_sync(c, fh);
		if (rc < 0)
			return rc;
	}
	arena_init(&arena, memory, sizeof(memory), KIB(4));
	if (!attr_pack(set, &arena, &args.obj_attributes)) {
		arena_fini(&arena);
		return -ENOMEM;
	}
	call_init(&k, c, cred, CALL_CACHED);
	k.open = open;
	while (call_start(&k)) {
		args.stateid = open ? open_stateid(open) : stateid4_anonymous;
		call_putfh(&k, fh);
		call_op_done(&k,
			     xdr_SETATTR4args(call_op_effect(&k, OP_SETATTR),
					      &args));
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	result_setattr(&k);
	call_result_attr(&k, attr);
	arena_fini(&arena);
	return call_end(&k);
}

int nfs_access(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *fh, uint32_t want, uint32_t *granted)
{
	ACCESS4args args = { want };
	ACCESS4resok res;
	struct call k;

	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op_done(&k,
			     xdr_ACCESS4args(call_op(&k, OP_ACCESS), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_ACCESS))
		call_result_done(&k, xdr_ACCESS4resok(&k.results, &res));
	if (k.error == 0)
		*granted = res.access & want;
	return call_end(&k);
}

int nfs_statfs(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *fh, struct nfs_statfs *out)
{
	GETATTR4args args = { BITMAP4(FATTR4_FILES_AVAIL, FATTR4_FILES_FREE,
				      FATTR4_FILES_TOTAL, FATTR4_MAXNAME,
				      FATTR4_SPACE_AVAIL, FATTR4_SPACE_FREE,
				      FATTR4_SPACE_TOTAL) };
	struct nfs4_attrs a;
	GETATTR4resok res;
	struct call k;

	memset(&a, 0, sizeof(a));
	a.maxname = 255;
	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op_done(&k,
			     xdr_GETATTR4args(call_op(&k, OP_GETATTR), &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_GETATTR))
		call_result_done(&k,
				 xdr_GETATTR4resok(&k.results, &res) &&
					 nfs4_attrs_decode(&res.obj_attributes,
							   NULL, &a));
	*out = (struct nfs_statfs){
		a.space_total, a.space_free,  a.space_avail, a.files_total,
		a.files_free,  a.files_avail, a.maxname,
	};
	return call_end(&k);
}
