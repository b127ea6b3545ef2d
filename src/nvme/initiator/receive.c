/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a queue receives: one task reads as much as there is, and takes PDUs out
 * of it in a straight line.  Small data are copied from there into the
 * command's memory; of large data the rest is read into that at once.
 *
 * When the connection is given up the command goes elsewhere, and the reader
 * may be parked with its memory in hand.  That memory is not written to any
 * more: queue_kill() aborts the stream, and that is what the abort promises.
 *
 * A controller that breaks the protocol costs itself the connection; the
 * termination request that the standard asks for is not sent.
 */
#include "nvme/initiator/internal.h"

enum {
	LARGE = KIB(16), /* where a copy costs more than another call */
	AHEAD = KIB(4),	 /* read behind large data: the headers that follow */
};

/* At least one byte. */
static ssize_t receive(struct nvmei_queue *q, const struct iovec *iov, int n)
{
	struct nvmei_life *l = q->life;
	ssize_t got;

	if (l->dead)
		return -ECONNABORTED;
	if (l->up && q->qid != 0)
		life_drain(l);
	if (l->dead)
		return -ECONNABORTED;
	/* SPDK's target sends the answer when its data are acknowledged. */
	if (q->unanswered > 0)
		stream_acknowledge(q->stream);
	got = stream_readv(q->stream, iov, n);
	if (l->dead)
		return -ECONNABORTED;
	if (got <= 0)
		return got < 0 ? got : -ECONNRESET;
	l->host->traffic.receptions++;
	if (l->up && q->qid != 0)
		life_heard(l);
	return got;
}

/* What was there before is used up. */
static int rx_fill(struct nvmei_queue *q)
{
	struct iovec iov = { q->rx, NVMEI_RX_SIZE };
	ssize_t got = receive(q, &iov, 1);

	if (got < 0)
		return got;
	q->rx_start = 0;
	q->rx_end = got;
	return 0;
}

/* The same, but into `to` first; how much of it. */
static ssize_t rx_read(struct nvmei_queue *q, void *to, size_t len)
{
	struct iovec iov[] = { { to, len }, { q->rx, AHEAD } };
	ssize_t got = receive(q, iov, ARRAY_SIZE(iov));

	if (got < 0 || (size_t)got <= len)
		return got;
	q->rx_start = 0;
	q->rx_end = got - len;
	return len;
}

/* `to` may be NULL: skipped. */
static int rx_take(struct nvmei_queue *q, void *to, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (q->rx_start < q->rx_end) {
			n = MIN(len, q->rx_end - q->rx_start);
			if (to != NULL)
				memcpy(to, q->rx + q->rx_start, n);
			q->rx_start += n;
		} else if (len >= LARGE && to != NULL) {
			n = rx_read(q, to, len);
		} else {
			n = rx_fill(q);
		}
		if (n < 0)
			return n;
		if (to != NULL)
			to = (char *)to + n;
		len -= n;
	}
	return 0;
}

static int protocol_error(struct nvmei_queue *q, const char *what)
{
	log_warn("nvme %s: queue %u: %s", q->life->ctrl->label, q->qid, what);
	return -EPROTO;
}

static int read_header(struct nvmei_queue *q, void *header)
{
	struct nvme_tcp_ch *ch = header;
	struct pdu_fault fault;
	size_t size;
	int rc = rx_take(q, ch, sizeof(*ch));

	if (rc < 0)
		return rc;
	if (!pdu_check_common(&q->rules, ch, &fault))
		return protocol_error(q, fault.text);
	size = pdu_header_size(ch);
	rc = rx_take(q, ch + 1, size - sizeof(*ch));
	if (rc < 0)
		return rc;
	if (!pdu_check_header(&q->rules, header, &fault))
		return protocol_error(q, fault.text);
	if (ch->pdo <= size) /* no data, or no gap; a termination has neither */
		return 0;
	return rx_take(q, NULL, ch->pdo - size);
}

static struct nvmei_slot *slot_of(struct nvmei_queue *q, uint16_t cid)
{
	if (cid >= q->size - 1 || q->slots[cid].command == NULL ||
	    q->slots[cid].answered || !q->slots[cid].capsule_sent)
		return NULL;
	return &q->slots[cid];
}

/* ---------------------------------------------------------------- C2HData */

static int take_data(struct nvmei_queue *q, const struct nvmei_command *c,
		     uint32_t offset, uint32_t len, uint32_t *digest)
{
	size_t part;
	char *to;
	int rc;

	*digest = PDU_DIGEST_START;
	for (int i = 0; i < c->niov && len > 0; i++) {
		if (offset >= c->iov[i].iov_len) {
			offset -= c->iov[i].iov_len;
			continue;
		}
		part = MIN(c->iov[i].iov_len - offset, (size_t)len);
		to = (char *)c->iov[i].iov_base + offset;
		rc = rx_take(q, to, part);
		if (rc < 0)
			return rc; /* nothing of *c may be touched any more */
		if (q->rules.data_digest)
			*digest = pdu_digest_add(*digest, to, part);
		len -= part;
		offset = 0;
	}
	return len > 0 ? protocol_error(q, "data for a probe") : 0;
}

static bool is_complete(const struct nvmei_slot *s)
{
	return s->received == s->command->len || s->command->may_be_short;
}

static int receive_data(struct nvmei_queue *q, const struct nvme_tcp_data *d)
{
	struct nvmei_slot *s = slot_of(q, d->cccid);
	uint32_t digest, theirs;
	int rc;

	if (s == NULL || s->command->to_controller ||
	    d->offset != s->received || d->length > s->command->len - d->offset)
		return protocol_error(q, "data that no command asked for");
	rc = take_data(q, s->command, d->offset, d->length, &digest);
	if (rc < 0)
		return rc;
	s->received += d->length;
	if (d->ch.flags & NVME_TCP_DDGSTF) {
		rc = rx_take(q, &theirs, sizeof(theirs));
		if (rc < 0)
			return rc;
		if (theirs != pdu_digest_end(digest))
			return protocol_error(q, "wrong data digest");
	}
	if (!(d->ch.flags & NVME_TCP_SUCCESS)) {
		s->has_data = s->received == s->command->len;
		q->unanswered += s->has_data;
		return 0;
	}
	if (!is_complete(s))
		return protocol_error(q, "success without all data");
	s->command->cqe = (struct nvme_cqe){ .cid = d->cccid };
	queue_complete(q, s);
	return 0;
}

/* ------------------------------------------------------------------- others */

static int receive_r2t(struct nvmei_queue *q, const struct nvme_tcp_data *d)
{
	struct nvmei_slot *s = slot_of(q, d->cccid);

	if (s == NULL || !s->command->to_controller || s->left > 0 ||
	    d->length == 0 || d->offset > s->command->len ||
	    d->length > s->command->len - d->offset)
		return protocol_error(q, "R2T that fits no command");
	s->ttag = d->ttag;
	s->offset = d->offset;
	s->left = d->length;
	if (!s->sending)
		queue_send_slot(q, s);
	return 0;
}

static int receive_response(struct nvmei_queue *q, const struct nvme_cqe *cqe)
{
	struct nvmei_slot *s = slot_of(q, cqe->cid);

	if (s == NULL)
		return protocol_error(q, "response to no command");
	q->unanswered -= s->has_data;
	s->has_data = false;
	s->command->cqe = *cqe;
	s->left = 0;
	/* Data that did not come, and no word about it. */
	if (cqe->status >> 1 == 0 && !s->command->to_controller &&
	    !is_complete(s))
		return protocol_error(q, "success without all data");
	queue_complete(q, s);
	return 0;
}

static int receive_pdu(struct nvmei_queue *q)
{
	union {
		uint8_t bytes[NVME_TCP_HEADER_MAX + NVME_TCP_DIGEST];
		struct nvme_tcp_ch ch;
		struct nvme_tcp_resp resp;
		struct nvme_tcp_data data;
		struct nvme_tcp_term term;
	} pdu;
	int rc = read_header(q, &pdu);

	if (rc < 0)
		return rc;
	switch (pdu.ch.type) {
	case NVME_TCP_CAPSULE_RESP:
		return receive_response(q, &pdu.resp.cqe);
	case NVME_TCP_C2H_DATA:
		return receive_data(q, &pdu.data);
	case NVME_TCP_R2T:
		return receive_r2t(q, &pdu.data);
	case NVME_TCP_C2H_TERM_REQ:
		log_warn("nvme %s: queue %u: the controller ends it: %s",
			 q->life->ctrl->label, q->qid,
			 pdu_fes_name(pdu.term.fes));
		return -ECONNRESET;
	default:
		return -EPROTO;
	}
}

int queue_read_icresp(struct nvmei_queue *q, struct nvme_tcp_ic *out)
{
	union {
		uint8_t bytes[NVME_TCP_HEADER_MAX + NVME_TCP_DIGEST];
		struct nvme_tcp_ic ic;
	} pdu;
	int rc = read_header(q, &pdu);

	if (rc < 0)
		return rc;
	if (pdu.ic.ch.type != NVME_TCP_ICRESP)
		return -EPROTO;
	*out = pdu.ic;
	return 0;
}

void queue_reader(void *arg)
{
	struct nvmei_queue *q = arg;
	struct nvmei_life *l = q->life;
	int rc = 0;

	while (rc == 0 && !l->dead)
		rc = receive_pdu(q);
	life_fail(l, rc);
	q->reading = false;
	waitq_wake_all(&l->end);
	life_task_ended(l);
}
