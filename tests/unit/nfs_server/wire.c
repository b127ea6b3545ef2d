/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

/* ----------------------------------------------------------- a server */

void world_start(struct world *w, const char *directory,
		 const struct nfs_server_options *options)
{
	struct nfs_server_options o = *options;
	char path[256];

	*w = (struct world){};
	memcpy(o.uuid, "test file system", 16);
	snprintf(path, sizeof(path), "%s/store", directory);
	require(store_open(path, &w->store) == 0);
	snprintf(path, sizeof(path), "%s/fs", directory);
	require(engine_open("local", path, &w->engine) == 0);
	require(nfs_server_create(w->engine, w->store, &o, &w->server) == 0);
	for (int i = 0; i < 2; i++) {
		require(addr_parse(&w->addr[i], "127.0.0.1:0", 0) == 0);
		require(nfs_server_listen(w->server, &w->addr[i]) == 0);
	}
	require(nfs_server_publish(w->server, w->addr, 2) == 0);
}

void world_stop(struct world *w)
{
	nfs_server_destroy(w->server);
	engine_close(w->engine);
	store_close(w->store);
}

/* -------------------------------------------------------- a connection */

void wire_open(struct wire *w, const struct addr *at)
{
	struct stream_connect_options options = { .timeout = SEC(5) };

	*w = (struct wire){ .xid = 1 };
	require(stream_connect(at, &options, &w->stream) == 0);
	w->buffer = malloc(WIRE_BUFFER);
	w->scratch = malloc(sizeof(*w->scratch));
	require(w->buffer != NULL && w->scratch != NULL);
	arena_init(&w->arena, NULL, 0, MIB(1));
}

void wire_close(struct wire *w)
{
	stream_close(w->stream);
	arena_fini(&w->arena);
	free(w->buffer);
	free(w->scratch);
}

void wire_send(struct wire *w, const void *data, size_t len)
{
	uint8_t head[RECORD_HEADER];
	struct iovec iov[2] = { { head, sizeof(head) }, { (void *)data, len } };

	record_header(head, len);
	stream_writev(w->stream, iov, 2);
}

ssize_t wire_receive(struct wire *w)
{
	uint8_t head[RECORD_HEADER];
	uint32_t len;
	int rc = stream_read_full(w->stream, head, sizeof(head));

	if (rc < 0)
		return rc;
	len = load_be32(head);
	require(len & RECORD_LAST_FRAGMENT);
	len &= ~RECORD_LAST_FRAGMENT;
	require(len <= WIRE_BUFFER);
	rc = stream_read_full(w->stream, w->buffer, len);
	return rc < 0 ? rc : (ssize_t)len;
}

/* ---------------------------------------------------------- compounds */

void compound_encode(const struct wire *w, const struct compound *c,
		     uint32_t xid, uint8_t *out, size_t size, size_t *len)
{
	struct rpc_call call = {
		.xid = xid,
		.rpcvers = RPC_VERSION,
		.prog = NFS4_PROGRAM,
		.vers = NFS_V4,
		.proc = NFSPROC4_COMPOUND,
		.cred.flavor = AUTH_SYS,
		.sys = { .machinename = xdr_text("test"),
			 .uid = w->uid,
			 .gid = w->gid },
	};
	COMPOUND4args_head head = { .minorversion = c->minorversion,
				    .n = c->n };
	struct xdr x;

	if (w->tag != NULL)
		head.tag = xdr_text(w->tag);

	xdr_encode_init(&x, out + *len + RECORD_HEADER,
			size - *len - RECORD_HEADER, SIZE_MAX);
	require(xdr_rpc_call(&x, &call));
	require(xdr_COMPOUND4args_head(&x, &head));
	for (unsigned i = 0; i < c->n; i++)
		require(xdr_nfs_argop4(&x, (nfs_argop4 *)&c->op[i]));
	record_header(out + *len, xdr_length(&x));
	if (x.nbulk > 0) { /* into one piece */
		uint8_t *flat = malloc(xdr_length(&x));

		require(flat != NULL);
		xdr_flatten(&x, flat);
		memcpy(out + *len + RECORD_HEADER, flat, xdr_length(&x));
		free(flat);
	}
	*len += RECORD_HEADER + xdr_length(&x);
}

void wire_post(struct wire *w, const struct compound *c)
{
	uint8_t *out = malloc(WIRE_BUFFER);
	size_t len = 0;

	require(out != NULL);
	compound_encode(w, c, w->xid++, out, WIRE_BUFFER, &len);
	stream_write(w->stream, out, len);
	free(out);
}

uint32_t wire_answer(struct wire *w, struct compound *c)
{
	COMPOUND4res_head head;
	struct rpc_reply reply;
	struct xdr x;
	ssize_t len = wire_receive(w);

	if (len < 0)
		return 0;
	arena_reset(&w->arena);
	xdr_decode_init(&x, w->buffer, len, &w->arena);
	require(xdr_rpc_reply(&x, &reply));
	c->rpc = reply.status;
	c->nres = 0;
	c->status = NFS4_OK;
	if (reply.status != RPC_SUCCESS)
		return reply.xid;
	require(xdr_COMPOUND4res_head(&x, &head));
	require(head.n <= WIRE_OPS);
	c->status = head.status;
	c->nres = head.n;
	for (unsigned i = 0; i < head.n; i++)
		require(xdr_nfs_resop4(&x, &c->res[i]));
	require(xdr_left(&x) == 0);
	return reply.xid;
}

nfsstat4 wire_call(struct wire *w, struct compound *c)
{
	wire_post(w, c);
	require(wire_answer(w, c) == w->xid - 1);
	require(c->rpc == RPC_SUCCESS);
	return c->status;
}

nfs_argop4 *add(struct compound *c, nfs_opnum4 op)
{
	nfs_argop4 *a = &c->op[c->n++];

	require(c->n <= WIRE_OPS);
	memset(a, 0, sizeof(*a));
	a->argop = op;
	return a;
}

void add_lookup(struct compound *c, const char *name)
{
	add(c, OP_LOOKUP)->oplookup.objname = xdr_text(name);
}

void add_open(struct compound *c, const char *owner, const char *name,
	      uint32_t access, uint32_t deny, bool create)
{
	OPEN4args *o = &add(c, OP_OPEN)->opopen;

	o->share_access = access;
	o->share_deny = deny;
	o->owner.owner = xdr_text(owner);
	o->claim.claim = CLAIM_NULL;
	o->claim.file = xdr_text(name);
	o->openhow.opentype = create ? OPEN4_CREATE : OPEN4_NOCREATE;
	o->openhow.how.mode = UNCHECKED4;
}

/* ----------------------------------------------------------- a session */

/* Compounds are too large for a task's stack. */
static struct compound *fresh(struct wire *w)
{
	w->scratch->minorversion = 1;
	w->scratch->n = 0;
	return w->scratch;
}

nfsstat4 wire_exchange(struct wire *w, const char *owner, uint64_t verifier,
		       uint32_t flags, EXCHANGE_ID4resok *res)
{
	struct compound *c = fresh(w);
	EXCHANGE_ID4args *a = &add(c, OP_EXCHANGE_ID)->opexchange_id;
	nfsstat4 status;

	memcpy(a->eia_clientowner.co_verifier.b, &verifier, 8);
	a->eia_clientowner.co_ownerid = xdr_text(owner);
	a->eia_flags = flags;
	status = wire_call(w, c);
	if (status == NFS4_OK)
		*res = c->res[0].opexchange_id;
	return status;
}

nfsstat4 wire_create_session(struct wire *w, clientid4 id, sequenceid4 seq,
			     CREATE_SESSION4resok *res)
{
	struct compound *c = fresh(w);
	CREATE_SESSION4args *a = &add(c, OP_CREATE_SESSION)->opcreate_session;
	callback_sec_parms4 none = { .cb_secflavor = AUTH_NONE };
	channel_attrs4 channel = {
		.ca_maxrequestsize = 2 << 20,
		.ca_maxresponsesize = 2 << 20,
		.ca_maxresponsesize_cached = 2048,
		.ca_maxoperations = WIRE_OPS,
		.ca_maxrequests = ARRAY_SIZE(((struct session *)0)->seq),
	};
	nfsstat4 status;

	a->csa_clientid = id;
	a->csa_sequence = seq;
	a->csa_fore_chan_attrs = a->csa_back_chan_attrs = channel;
	a->csa_cb_program = 0x40000000;
	a->csa_sec_parms = &none;
	a->nsec_parms = 1;
	status = wire_call(w, c);
	if (status == NFS4_OK)
		*res = c->res[0].opcreate_session;
	return status;
}

void wire_mount(struct wire *w, const char *owner, struct session *s)
{
	struct compound *c = fresh(w);
	CREATE_SESSION4resok session;
	EXCHANGE_ID4resok client;

	*s = (struct session){};
	require(wire_exchange(w, owner, 1, 0, &client) == NFS4_OK);
	require(wire_create_session(w, client.eir_clientid,
				    client.eir_sequenceid,
				    &session) == NFS4_OK);
	s->clientid = client.eir_clientid;
	s->id = session.csr_sessionid;
	session_begin(s, c, 0);
	add(c, OP_RECLAIM_COMPLETE);
	require(wire_call(w, c) == NFS4_OK);
}

void session_begin(struct session *s, struct compound *c, unsigned slot)
{
	SEQUENCE4args *q;

	*c = (struct compound){ .minorversion = 2 };
	q = &add(c, OP_SEQUENCE)->opsequence;
	q->sa_sessionid = s->id;
	q->sa_slotid = q->sa_highest_slotid = slot;
	q->sa_sequenceid = ++s->seq[slot];
	add(c, OP_PUTROOTFH);
}
