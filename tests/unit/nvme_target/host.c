/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

enum { IN_CAPSULE = 4096 };

/* ------------------------------------------------------------- connection */

static int read_pdu(struct host *h)
{
	struct nvme_tcp_ch *ch = (void *)h->pdu;
	size_t header;
	int rc = stream_read_full(h->s, ch, sizeof(*ch));

	if (rc < 0)
		return rc;
	header = ch->pdo != 0 ? ch->pdo : pdu_header_size(ch);
	if (header > sizeof(h->pdu) || header < sizeof(*ch))
		return -EPROTO;
	return stream_read_full(h->s, ch + 1, header - sizeof(*ch));
}

int host_open(struct host *h, const struct addr *to, uint8_t digests)
{
	struct stream *s;
	int rc = stream_connect(to, NULL, &s);

	*h = (struct host){};
	return rc < 0 ? rc : host_open_on(h, s, digests);
}

int host_open_on(struct host *h, struct stream *s, uint8_t digests)
{
	struct nvme_tcp_ic ic = {}, *answer = (void *)h->pdu;
	int rc;

	*h = (struct host){ .s = s };
	pdu_set_common(&ic.ch, NVME_TCP_ICREQ, 0, sizeof(ic), 0);
	ic.dgst = digests;
	rc = stream_write(h->s, &ic, sizeof(ic));
	if (rc == 0)
		rc = read_pdu(h);
	if (rc < 0 || answer->ch.type != NVME_TCP_ICRESP) {
		host_close(h);
		return rc < 0 ? rc : -EPROTO;
	}
	h->header_digest = answer->dgst & NVME_TCP_HDGSTF;
	h->data_digest = answer->dgst & NVME_TCP_DDGSTF;
	h->maxh2cdata = answer->max;
	return 0;
}

void host_close(struct host *h)
{
	if (h->s != NULL)
		stream_close(h->s);
	h->s = NULL;
}

static uint8_t flags_of(const struct host *h, bool data)
{
	return (h->header_digest ? NVME_TCP_HDGSTF : 0) |
	       (h->data_digest && data ? NVME_TCP_DDGSTF : 0);
}

/* Header and data, with what digests there are. */
static int send_pdu(struct host *h, void *header, const void *data, size_t len)
{
	struct nvme_tcp_ch *ch = header;
	uint32_t digest = pdu_digest(data, len);
	struct iovec iov[3] = { { header, pdu_header_size(ch) },
				{ (void *)data, len },
				{ &digest, pdu_data_digest_size(ch) } };

	pdu_put_header_digest(header);
	return stream_writev(h->s, iov, 3);
}

/* ---------------------------------------------------------------- commands */

int host_start(struct host *h, struct host_op *op)
{
	struct {
		struct nvme_tcp_cmd pdu;
		uint32_t digest;
	} c = {};
	size_t inside = op->out != NULL && op->capsule ? op->len : 0;

	op->sqe.cid = h->next_cid;
	while (h->ops[op->sqe.cid % 256] != NULL)
		op->sqe.cid = ++h->next_cid;
	h->next_cid++;
	h->ops[op->sqe.cid % 256] = op;
	op->done = false;
	op->received = 0;
	op->sqe.flags |= NVME_SQE_PSDT_SGL;
	if (op->sqe.sgl1.type == 0) {
		op->sqe.sgl1.len = op->len;
		op->sqe.sgl1.type =
			inside > 0 ? NVME_SGL_DATA_OFFSET : NVME_SGL_TRANSPORT;
	}
	pdu_set_common(&c.pdu.ch, NVME_TCP_CAPSULE_CMD, flags_of(h, inside > 0),
		       sizeof(c.pdu), inside);
	c.pdu.sqe = op->sqe;
	return send_pdu(h, &c, op->out, inside);
}

int host_send_data(struct host *h, struct host_op *op, uint32_t piece)
{
	struct nvme_tcp_data r = op->r2t;
	uint32_t done = 0;
	int rc = 0;

	while (rc == 0 && done < r.length) {
		struct {
			struct nvme_tcp_data pdu;
			uint32_t digest;
		} d = {};
		uint32_t n = MIN(piece, r.length - done);

		pdu_set_common(&d.pdu.ch, NVME_TCP_H2C_DATA, flags_of(h, true),
			       sizeof(d.pdu), n);
		if (done + n == r.length)
			d.pdu.ch.flags |= NVME_TCP_LAST_PDU;
		d.pdu.cccid = r.cccid;
		d.pdu.ttag = r.ttag;
		d.pdu.offset = r.offset + done;
		d.pdu.length = n;
		rc = send_pdu(h, &d, (const char *)op->out + r.offset + done,
			      n);
		done += n;
	}
	return rc;
}

static struct host_op *op_of(struct host *h, uint16_t cid)
{
	return h->ops[cid % 256];
}

static void finish(struct host *h, struct host_op *op,
		   const struct nvme_cqe *cqe)
{
	h->ops[op->sqe.cid % 256] = NULL;
	op->cqe = *cqe;
	op->done = true;
}

static int receive_data(struct host *h, const struct nvme_tcp_data *d)
{
	struct host_op *op = op_of(h, d->cccid);
	struct nvme_cqe ok = { .cid = d->cccid };
	size_t digest_size = pdu_data_digest_size(&d->ch);
	uint32_t digest = 0;
	int rc;

	if (op == NULL || d->offset + d->length > op->len)
		return -EPROTO;
	rc = stream_read_full(h->s, (char *)op->in + d->offset, d->length);
	if (rc == 0 && digest_size > 0)
		rc = stream_read_full(h->s, &digest, digest_size);
	if (rc < 0)
		return rc;
	if (digest_size > 0 &&
	    digest != pdu_digest((char *)op->in + d->offset, d->length))
		return -EBADMSG;
	op->received += d->length;
	if (d->ch.flags & NVME_TCP_SUCCESS) {
		h->success_flags++;
		finish(h, op, &ok);
	}
	return 0;
}

int host_receive(struct host *h)
{
	const struct nvme_tcp_resp *r = (void *)h->pdu;
	const struct nvme_tcp_data *d = (void *)h->pdu;
	struct host_op *op;
	int rc = read_pdu(h);

	if (rc < 0)
		return rc;
	switch (r->ch.type) {
	case NVME_TCP_CAPSULE_RESP:
		op = op_of(h, r->cqe.cid);
		if (op == NULL)
			return -EPROTO;
		finish(h, op, &r->cqe);
		return 0;
	case NVME_TCP_C2H_DATA:
		return receive_data(h, d);
	case NVME_TCP_R2T:
		op = op_of(h, d->cccid);
		if (op == NULL || op->out == NULL)
			return -EPROTO;
		op->r2t = *d;
		return op->silent ? 0 : host_send_data(h, op, h->maxh2cdata);
	case NVME_TCP_C2H_TERM_REQ:
		return -ECONNABORTED;
	default:
		return -EPROTO;
	}
}

int host_wait(struct host *h, struct host_op *op)
{
	int rc = 0;

	while (rc == 0 && !op->done)
		rc = host_receive(h);
	return rc < 0 ? rc : op->cqe.status >> 1;
}

int host_run(struct host *h, struct host_op *op)
{
	int rc = host_start(h, op);

	return rc < 0 ? rc : host_wait(h, op);
}

/* ----------------------------------------------------------------- Fabrics */

int host_connect(struct host *h, struct host_connect *c)
{
	struct nvme_connect_data data = { .cntlid = c->cntlid };
	struct host_op op = { .out = &data,
			      .len = sizeof(data),
			      .capsule = true };
	struct nvme_connect_cmd *cmd = (void *)&op.sqe;
	int rc;

	data.hostid[0] = c->host_id;
	strncpy(data.subnqn, c->subnqn, NVME_NQN_SIZE - 1);
	strncpy(data.hostnqn, c->hostnqn != NULL ? c->hostnqn : HOST_NQN,
		NVME_NQN_SIZE - 1);
	cmd->opc = NVME_OPC_FABRICS;
	cmd->fctype = NVME_FCTYPE_CONNECT;
	cmd->qid = c->qid;
	cmd->sqsize = (c->entries != 0 ? c->entries : 32) - 1;
	cmd->kato = c->kato;
	rc = host_run(h, &op);
	c->dw0 = op.cqe.dw0;
	return rc;
}

static struct host_op property(uint8_t type, uint32_t offset, uint64_t value)
{
	struct host_op op = {};
	struct nvme_property_cmd *cmd = (void *)&op.sqe;

	cmd->opc = NVME_OPC_FABRICS;
	cmd->fctype = type;
	cmd->attrib = offset == NVME_PROP_CAP;
	cmd->ofst = offset;
	cmd->value = value;
	return op;
}

int host_property_set(struct host *h, uint32_t offset, uint64_t value)
{
	struct host_op op = property(NVME_FCTYPE_PROPERTY_SET, offset, value);

	return host_run(h, &op);
}

int host_property_get(struct host *h, uint32_t offset, uint64_t *value)
{
	struct host_op op = property(NVME_FCTYPE_PROPERTY_GET, offset, 0);
	int rc = host_run(h, &op);

	*value = op.cqe.result;
	return rc;
}

int host_admin(struct host *h, const struct addr *to, const char *subnqn,
	       uint32_t kato)
{
	struct host_connect c = { .subnqn = subnqn,
				  .cntlid = NVME_CNTLID_DYNAMIC,
				  .kato = kato };

	if (host_open(h, to, 0) < 0)
		return -1;
	if (host_connect(h, &c) != 0 ||
	    host_property_set(h, NVME_PROP_CC,
			      NVME_CC_EN | 6 << 16 | 4 << 20) != 0) {
		host_close(h);
		return -1;
	}
	return c.dw0 & 0xffff;
}

int host_io(struct host *h, const struct addr *to, const char *subnqn,
	    uint16_t cntlid, uint16_t qid, uint8_t digests)
{
	struct host_connect c = {
		.subnqn = subnqn, .cntlid = cntlid, .qid = qid, .entries = 128
	};
	int rc = host_open(h, to, digests);

	if (rc < 0)
		return rc;
	rc = host_connect(h, &c);
	if (rc != 0)
		host_close(h);
	return rc;
}

/* ------------------------------------------------------------------- admin */

int host_identify(struct host *h, uint8_t cns, uint32_t nsid, uint16_t cntid,
		  void *to)
{
	struct host_op op = { .in = to, .len = NVME_IDENTIFY_SIZE };

	op.sqe.opc = NVME_ADMIN_IDENTIFY;
	op.sqe.nsid = nsid;
	op.sqe.cdw10 = (uint32_t)cntid << 16 | cns;
	return host_run(h, &op);
}

int host_log(struct host *h, uint32_t cdw10, uint64_t offset, void *to,
	     uint32_t len)
{
	struct host_op op = { .in = to, .len = len };

	op.sqe.opc = NVME_ADMIN_GET_LOG_PAGE;
	op.sqe.nsid = NVME_NSID_ALL;
	op.sqe.cdw10 = (len / 4 - 1) << 16 | cdw10;
	op.sqe.cdw11 = (len / 4 - 1) >> 16;
	op.sqe.cdw12 = offset;
	op.sqe.cdw13 = offset >> 32;
	return host_run(h, &op);
}

static int feature(struct host *h, uint8_t opc, uint32_t cdw10, uint32_t cdw11,
		   uint32_t *dw0)
{
	struct host_op op = {};
	int rc;

	op.sqe.opc = opc;
	op.sqe.cdw10 = cdw10;
	op.sqe.cdw11 = cdw11;
	rc = host_run(h, &op);
	if (dw0 != NULL)
		*dw0 = op.cqe.dw0;
	return rc;
}

int host_set_feature(struct host *h, uint32_t cdw10, uint32_t cdw11,
		     uint32_t *dw0)
{
	return feature(h, NVME_ADMIN_SET_FEATURES, cdw10, cdw11, dw0);
}

int host_get_feature(struct host *h, uint32_t cdw10, uint32_t cdw11,
		     uint32_t *dw0)
{
	return feature(h, NVME_ADMIN_GET_FEATURES, cdw10, cdw11, dw0);
}

int host_start_aer(struct host *h, struct host_op *op)
{
	*op = (struct host_op){};
	op->sqe.opc = NVME_ADMIN_ASYNC_EVENT;
	return host_start(h, op);
}

/* --------------------------------------------------------------------- I/O */

void host_set_rw(struct host_op *op, uint8_t opc, uint32_t nsid, uint64_t slba,
		 uint32_t len)
{
	op->sqe = (struct nvme_sqe){ .opc = opc,
				     .nsid = nsid,
				     .cdw10 = slba,
				     .cdw11 = slba >> 32,
				     .cdw12 = len / 512 - 1 };
	op->len = len;
	op->capsule = len <= IN_CAPSULE;
}

int host_read(struct host *h, uint32_t nsid, uint64_t slba, void *to,
	      uint32_t len)
{
	struct host_op op = { .in = to };
	int rc;

	host_set_rw(&op, NVME_IO_READ, nsid, slba, len);
	rc = host_run(h, &op);
	return rc == 0 && op.received != len ? -EPROTO : rc;
}

int host_write(struct host *h, uint32_t nsid, uint64_t slba, const void *from,
	       uint32_t len)
{
	struct host_op op = { .out = from };

	host_set_rw(&op, NVME_IO_WRITE, nsid, slba, len);
	return host_run(h, &op);
}
