/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes (RFC 8276).
 */
#include <errno.h>
#include <sys/xattr.h>

#include "nfs/client/internal.h"

static bool supported(const struct nfs_client *c)
{
	return c->minorversion >= 2 && c->info.xattr_support;
}

ssize_t nfs_getxattr(struct nfs_client *c, const struct nfs_cred *cred,
		     const struct nfs_fh *fh, const char *name, void *buf,
		     size_t size)
{
	GETXATTR4args args = { xdr_text(name) };
	GETXATTR4resok res = {};
	struct call k;
	int rc;

	if (!supported(c))
		return -EOPNOTSUPP;
	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op_done(&k, xdr_GETXATTR4args(call_op(&k, OP_GETXATTR),
						   &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_GETXATTR))
		call_result_done(&k, xdr_GETXATTR4resok(&k.results, &res));
	if (k.error == 0 && size > 0 && res.gxr_value.len > size)
		k.error = -ERANGE;
	if (k.error == 0 && size > 0)
		memcpy(buf, res.gxr_value.data, res.gxr_value.len);
	rc = call_end(&k);
	return rc < 0 ? rc : (ssize_t)res.gxr_value.len;
}

int nfs_setxattr(struct nfs_client *c, const struct nfs_cred *cred,
		 const struct nfs_fh *fh, const char *name, const void *value,
		 size_t size, int flags)
{
	SETXATTR4args args = {
		.sxa_option = flags & XATTR_CREATE    ? SETXATTR4_CREATE
			      : flags & XATTR_REPLACE ? SETXATTR4_REPLACE
						      : SETXATTR4_EITHER,
		.sxa_key = xdr_text(name),
		.sxa_value = { value, (uint32_t)size },
	};
	SETXATTR4resok res;
	struct call k;

	if (!supported(c))
		return -EOPNOTSUPP;
	if (size > c->info.wsize)
		return -E2BIG;
	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op_done(&k,
			     xdr_SETXATTR4args(call_op_effect(&k, OP_SETXATTR),
					       &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_SETXATTR))
		call_result_done(&k, xdr_SETXATTR4resok(&k.results, &res));
	return call_end(&k);
}

int nfs_removexattr(struct nfs_client *c, const struct nfs_cred *cred,
		    const struct nfs_fh *fh, const char *name)
{
	REMOVEXATTR4args args = { xdr_text(name) };
	REMOVEXATTR4resok res;
	struct call k;
	struct xdr *x;

	if (!supported(c))
		return -EOPNOTSUPP;
	call_init(&k, c, cred, CALL_CACHED);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		x = call_op_effect(&k, OP_REMOVEXATTR);
		call_op_done(&k, xdr_REMOVEXATTR4args(x, &args));
		call_run(&k);
	}
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_REMOVEXATTR))
		call_result_done(&k, xdr_REMOVEXATTR4resok(&k.results, &res));
	if (call_met_itself(&k, -ENODATA))
		k.error = 0;
	return call_end(&k);
}

/* -------------------------------------------------------------------- list */

struct listing {
	char *buf;
	size_t size, len; /* len grows beyond size when size is too small */
};

static void list_name(struct listing *l, struct xdr_bytes name)
{
	static const char prefix[] = "user.";
	size_t n = sizeof(prefix) - 1 + name.len + 1;

	if (l->len + n <= l->size) {
		memcpy(l->buf + l->len, prefix, sizeof(prefix) - 1);
		memcpy(l->buf + l->len + sizeof(prefix) - 1, name.data,
		       name.len);
		l->buf[l->len + n - 1] = '\0';
	}
	l->len += n;
}

/* One LISTXATTRS: 0 or -errno. */
static int list_part(struct nfs_client *c, const struct nfs_cred *cred,
		     const struct nfs_fh *fh, uint64_t *cookie,
		     struct listing *l, bool *eof)
{
	LISTXATTRS4args args = { *cookie, KIB(32) };
	LISTXATTRS4resok res = {};
	struct arena arena;
	struct call k;

	arena_init(&arena, NULL, 0, KIB(256));
	call_init(&k, c, cred, 0);
	while (call_start(&k)) {
		call_putfh(&k, fh);
		call_op_done(&k, xdr_LISTXATTRS4args(call_op(&k, OP_LISTXATTRS),
						     &args));
		call_run(&k);
	}
	k.results.arena = &arena;
	call_result(&k, OP_PUTFH);
	if (call_result(&k, OP_LISTXATTRS))
		call_result_done(&k, xdr_LISTXATTRS4resok(&k.results, &res));
	for (uint32_t i = 0; k.error == 0 && i < res.n; i++)
		list_name(l, res.lxr_names[i]);
	*cookie = res.lxr_cookie;
	*eof = res.lxr_eof || res.n == 0;
	arena_fini(&arena);
	return call_end(&k);
}

ssize_t nfs_listxattr(struct nfs_client *c, const struct nfs_cred *cred,
		      const struct nfs_fh *fh, char *buf, size_t size)
{
	struct listing l = { buf, size, 0 };
	uint64_t cookie = 0;
	bool eof = false;
	int rc = 0;

	if (!supported(c))
		return -EOPNOTSUPP;
	while (rc == 0 && !eof)
		rc = list_part(c, cred, fh, &cookie, &l, &eof);
	if (rc < 0)
		return rc;
	return size > 0 && l.len > size ? -ERANGE : (ssize_t)l.len;
}
