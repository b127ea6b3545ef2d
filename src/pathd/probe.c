/* SPDX-License-Identifier: Apache-2.0 */
#include "pathd/probe.h"

#include <errno.h>

#include "nfs/xdr/nfs4_const.h"
#include "nfs/xdr/rpc.h"
#include "nvme/pdu/tcp.h"
#include "reactor/reactor.h"

enum { MARK = 4, LAST_FRAGMENT = 1u << 31, REPLY_MAX = 256 };

static void drop(struct probe *p)
{
	if (p->stream != NULL)
		stream_close(p->stream);
	p->stream = NULL;
}

void probe_fini(struct probe *p)
{
	drop(p);
}

static int connect_to(struct probe *p, const struct addr *to, nsec timeout)
{
	const struct stream_connect_options o = { .timeout = timeout };

	return stream_connect(to, &o, &p->stream);
}

/* ------------------------------------------------------------------- NFS */

static int send_null(struct probe *p)
{
	struct rpc_call call = { .xid = ++p->xid,
				 .rpcvers = RPC_VERSION,
				 .prog = NFS4_PROGRAM,
				 .vers = NFS_V4,
				 .proc = NFSPROC4_NULL };
	uint8_t buf[RPC_HEADER_MAX];
	struct xdr x;

	xdr_encode_init(&x, buf + MARK, sizeof(buf) - MARK, SIZE_MAX);
	if (!xdr_rpc_call(&x, &call))
		return -EMSGSIZE;
	store_be32(buf, (uint32_t)LAST_FRAGMENT | (uint32_t)xdr_length(&x));
	return stream_write(p->stream, buf, MARK + xdr_length(&x));
}

/* Whatever the reply says: it was the server that said it. */
static int read_reply(struct probe *p)
{
	uint32_t mark, len, xid, type;
	uint8_t buf[REPLY_MAX];
	int r = stream_read_full(p->stream, buf, MARK);

	if (r < 0)
		return r;
	mark = load_be32(buf);
	len = mark & ~(uint32_t)LAST_FRAGMENT;
	if (len > sizeof(buf))
		return -EPROTO;
	r = stream_read_full(p->stream, buf, len);
	if (r < 0)
		return r;
	if (!rpc_peek(buf, len, &xid, &type) || type != RPC_MSG_REPLY)
		return -EPROTO;
	return xid == p->xid ? 0 : -EPROTO;
}

/* ------------------------------------------------------------------ NVMe */

static int exchange_ic(struct probe *p)
{
	struct nvme_tcp_ic ic = { .ch = { .type = NVME_TCP_ICREQ,
					  .hlen = sizeof(ic),
					  .plen = htole32(sizeof(ic)) } };
	int r = stream_write(p->stream, &ic, sizeof(ic));

	if (r == 0)
		r = stream_read_full(p->stream, &ic, sizeof(ic));
	if (r == 0 && ic.ch.type != NVME_TCP_ICRESP)
		r = -EPROTO;
	return r;
}

/* ------------------------------------------------------------------------ */

static int ask(struct probe *p, enum target_kind kind, nsec timeout)
{
	int r;

	stream_set_timeouts(p->stream, timeout, timeout);
	if (kind == TARGET_NVME)
		return exchange_ic(p);
	r = send_null(p);
	return r < 0 ? r : read_reply(p);
}

static int ask_anew(struct probe *p, enum target_kind kind,
		    const struct addr *to, nsec deadline)
{
	int r = connect_to(p, to, MAX(deadline - reactor_now(), MSEC(1)));

	if (r < 0)
		return r;
	return ask(p, kind, MAX(deadline - reactor_now(), MSEC(1)));
}

int probe_send(struct probe *p, enum target_kind kind, const struct addr *to,
	       nsec timeout)
{
	nsec deadline = reactor_now() + timeout;
	int r = -ENOTCONN;

	if (p->stream != NULL)
		r = ask(p, kind, timeout);
	/* That the old connection has ended says little: servers do that. */
	if (r < 0 && r != -ETIMEDOUT) {
		drop(p);
		r = ask_anew(p, kind, to, deadline);
	}
	if (r < 0 || kind == TARGET_NVME)
		drop(p);
	return r;
}
