/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a server why a mount is denied (nfs/xdr/explain.h), over a connection of
 * its own, made as the mount's are.
 */
#include "nfs/xdr/explain.h"

#include <errno.h>

#include "nfs/client/internal.h"

enum { REPLY_MAX = 1024 };

/* "/fsap-…/dir": the export would be "fsap-…". */
static struct xdr_bytes first_name(const char *path)
{
	size_t len;

	path += strspn(path, "/");
	len = strcspn(path, "/");
	if (len > EXPLAIN_TEXT_MAX)
		len = 0;
	return (struct xdr_bytes){ path, (uint32_t)len };
}

static int send_question(struct stream *s, const char *path)
{
	struct rpc_call call = {
		.xid = 1,
		.prog = EXPLAIN_PROGRAM,
		.vers = EXPLAIN_VERSION,
		.proc = EXPLAIN_MOUNT,
	};
	uint8_t buffer[RECORD_HEADER + RPC_HEADER_MAX];
	struct xdr_bytes name = first_name(path);
	struct xdr x;

	xdr_encode_init(&x, buffer, sizeof(buffer), sizeof(buffer));
	xdr_inline(&x, RECORD_HEADER);
	if (!xdr_rpc_call(&x, &call) || !xdr_bytes(&x, &name, EXPLAIN_TEXT_MAX))
		return -EMSGSIZE;
	record_header(buffer, xdr_length(&x) - RECORD_HEADER);
	return stream_write(s, buffer, xdr_length(&x));
}

static int read_answer(struct stream *s, char *text, size_t size)
{
	uint8_t buffer[REPLY_MAX];
	struct rpc_reply reply;
	struct xdr_bytes why;
	struct arena arena;
	struct xdr x;
	size_t len;
	int r = stream_read_full(s, buffer, RECORD_HEADER);

	if (r < 0)
		return r;
	len = load_be32(buffer) & 0x7fffffff;
	if (len > sizeof(buffer))
		return -EPROTO;
	r = stream_read_full(s, buffer, len);
	if (r < 0)
		return r;
	arena_init(&arena, NULL, 0, REPLY_MAX);
	xdr_decode_init(&x, buffer, len, &arena);
	if (!xdr_rpc_reply(&x, &reply) || reply.status != RPC_SUCCESS ||
	    !xdr_bytes(&x, &why, EXPLAIN_TEXT_MAX))
		r = -EOPNOTSUPP;
	else
		snprintf(text, size, "%.*s", (int)why.len,
			 (const char *)why.data);
	arena_fini(&arena);
	return r;
}

static int connect_to(const struct nfs_options *o, const struct addr *to,
		      struct stream **out)
{
	struct stream_connect_options options = { .timeout = SEC(2) };
	char ignored[200];
	int r = stream_connect(to, &options, out);

	if (r == 0 && o->secure != NULL)
		r = o->secure(o->secure_arg, to, *out,
			      nsec_after(reactor_now(), SEC(2)), out, ignored,
			      sizeof(ignored));
	return r;
}

int nfs_explain(const struct nfs_options *o, const struct addr *to,
		const char *path, char *text, size_t size)
{
	struct stream *s;
	int r = connect_to(o, to, &s);

	text[0] = '\0';
	if (r < 0)
		return r;
	stream_set_timeouts(s, SEC(2), SEC(2));
	r = send_question(s, path);
	if (r == 0)
		r = read_answer(s, text, size);
	stream_close(s);
	return r;
}
