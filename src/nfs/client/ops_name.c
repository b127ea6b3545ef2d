/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on names: lookup, create, link, remove, rename, readlink.
 *
 * When a server restarts, or the session is lost in another way, nobody knows
 * what became of a request whose reply was on its way: it is sent again, and
 * what it finds may be its own work (call_met_itself()).  Links, symbolic links
 * and names that go tell by what is there.  A directory does not: somebody else
 * may have made it, for whom it is a lock; so mkdir says -EEXIST then.
 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "nfs/client/internal.h"

static bool is_dotdot(const char *name, size_t len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

int nfs_lookup(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len,
	       struct nfs_fh *fh, struct nfs_attr *attr)
{
	nfs_opnum4 op = is_dotdot(name, len) ? OP_LOOKUPP : OP_LOOKUP;
	struct call k;

	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, dir);
		if (op == OP_LOOKUP)
			call_name(&k, OP_LOOKUP, name, len);
		else
			call_op(&k, OP_LOOKUPP);
		call_getfh(&k);
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result(&k, op);
	call_result_fh(&k, fh);
	call_result_attr(&k, attr);
	return call_end(&k);
}

ssize_t nfs_readlink(struct nfs_client *c, const struct nfs_cred *cred,
		     const struct nfs_fh *fh, char *buf, size_t size)
{
	READLINK4resok res = {};
	struct call k;
	size_t n = 0;
	int rc;

	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op(&k, OP_READLINK);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_READLINK))
		call_result_done(&k, xdr_READLINK4resok(&k.results, &res));
	if (k.error == 0) {
		n = MIN(size, (size_t)res.link.len);
		memcpy(buf, res.link.data, n);
	}
	rc = call_end(&k);
	return rc < 0 ? rc : (ssize_t)n;
}

static CREATE4args create_args(const struct nfs_create *what, const char *name,
			       size_t len)
{
	return (CREATE4args){
		.objtype = { .type = nfs4_type_from_mode(what->type),
			     .linkdata = { what->target,
					   (uint32_t)what->target_len },
			     .devdata = { what->rdev_major,
					  what->rdev_minor } },
		.objname = { name, (uint32_t)len },
	};
}

/* The object was made, but the server would not say what it is in the same
 * compound: ask again. */
static int create_then_lookup(struct call *k, const struct nfs_fh *dir,
			      const char *name, size_t len, struct nfs_fh *fh,
			      struct nfs_attr *attr)
{
	bool made = k->error == -EAGAIN && call_had_effect(k);
	struct nfs_client *c = k->client;
	const struct nfs_cred *cred = k->cred;
	int rc = call_end(k);

	return made ? nfs_lookup(c, cred, dir, name, len, fh, attr) : rc;
}

/* A symbolic link with the target that one was to be made with. */
static bool is_that_link(struct nfs_client *c, const struct nfs_cred *cred,
			 const struct nfs_fh *dir, const char *name, size_t len,
			 const struct nfs_create *what, struct nfs_fh *fh,
			 struct nfs_attr *attr)
{
	char target[PATH_MAX];

	return what->type == S_IFLNK && what->target_len <= sizeof(target) &&
	       nfs_lookup(c, cred, dir, name, len, fh, attr) == 0 &&
	       nfs_readlink(c, cred, fh, target, sizeof(target)) ==
		       (ssize_t)what->target_len &&
	       memcmp(target, what->target, what->target_len) == 0;
}

int nfs_create(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len,
	       const struct nfs_create *what, struct nfs_fh *fh,
	       struct nfs_attr *attr)
{
	CREATE4args args = create_args(what, name, len);
	CREATE4resok res;
	char memory[512];
	struct arena arena;
	struct call k;

	arena_init(&arena, memory, sizeof(memory), KIB(4));
	if (!attr_pack(&what->set, &arena, &args.createattrs)) {
		arena_fini(&arena);
		return -ENOMEM;
	}
	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, dir);
		call_op_done(&k, xdr_CREATE4args(call_op_effect(&k, OP_CREATE),
						 &args));
		call_getfh(&k);
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_CREATE))
		call_result_done(&k, xdr_CREATE4resok(&k.results, &res));
	call_result_fh(&k, fh);
	call_result_attr(&k, attr);
	arena_fini(&arena);
	if (call_met_itself(&k, -EEXIST) &&
	    is_that_link(c, cred, dir, name, len, what, fh, attr))
		k.error = 0;
	return create_then_lookup(&k, dir, name, len, fh, attr);
}

static bool is_that_file(struct nfs_client *c, const struct nfs_cred *cred,
			 const struct nfs_fh *dir, const char *name, size_t len,
			 const struct nfs_fh *file, struct nfs_attr *attr)
{
	struct nfs_fh fh;

	return nfs_lookup(c, cred, dir, name, len, &fh, attr) == 0 &&
	       nfs_fh_equal(&fh, file);
}

int nfs_link(struct nfs_client *c, const struct nfs_cred *cred,
	     const struct nfs_fh *file, const struct nfs_fh *dir,
	     const char *name, size_t len, struct nfs_attr *attr)
{
	LINK4resok res;
	struct call k;

	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, file);
		call_op(&k, OP_SAVEFH);
		call_putfh(&k, dir);
		call_name(&k, OP_LINK, name, len);
		call_op(&k, OP_RESTOREFH);
		call_getattr(&k);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result(&k, OP_SAVEFH);
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_LINK))
		call_result_done(&k, xdr_LINK4resok(&k.results, &res));
	call_result(&k, OP_RESTOREFH);
	call_result_attr(&k, attr);
	if (call_met_itself(&k, -EEXIST) &&
	    is_that_file(c, cred, dir, name, len, file, attr))
		k.error = 0;
	return call_end(&k);
}

int nfs_remove(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *dir, const char *name, size_t len)
{
	REMOVE4resok res;
	struct call k;

	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, dir);
		call_name(&k, OP_REMOVE, name, len);
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_REMOVE))
		call_result_done(&k, xdr_REMOVE4resok(&k.results, &res));
	if (call_met_itself(&k, -ENOENT))
		k.error = 0;
	return call_end(&k);
}

int nfs_rename(struct nfs_client *c, const struct nfs_cred *cred,
	       const struct nfs_fh *from, const char *from_name,
	       size_t from_len, const struct nfs_fh *to, const char *to_name,
	       size_t to_len)
{
	RENAME4args args = { { from_name, (uint32_t)from_len },
			     { to_name, (uint32_t)to_len } };
	struct nfs_fh there;
	struct nfs_attr attr;
	RENAME4resok res;
	struct call k;

	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, from);
		call_op(&k, OP_SAVEFH);
		call_putfh(&k, to);
		call_op_done(&k, xdr_RENAME4args(call_op_effect(&k, OP_RENAME),
						 &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	call_result(&k, OP_SAVEFH);
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_RENAME))
		call_result_done(&k, xdr_RENAME4resok(&k.results, &res));
	if (call_met_itself(&k, -ENOENT) &&
	    nfs_lookup(c, cred, to, to_name, to_len, &there, &attr) == 0)
		k.error = 0;
	return call_end(&k);
}
