/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue: one TCP connection, and the commands on it.  Here is how it comes up
 * and how it sends; receive.c has the other direction.
 *
 * A command gets a slot, whose number is its command identifier, and the slot
 *is put into `sends` each time there is something to send for it:
 *
 *	submit ─▶ capsule ─▶ (R2T ─▶ H2CData …) ─▶ response ─▶ done
 *
 * What all tasks submitted in one turn of the loop leaves in one writev,
 *because the writer is put behind them in the ready list.  Headers are in the
 *slot, not in the command: when a connection ends the command goes elsewhere at
 *once, while the kernel may still have the slot's bytes.
 */
#include "nvme/initiator/internal.h"

enum { IOV_ROOM = 4 * NVMEI_IOV_MAX, IOV_OF_SLOT = NVMEI_IOV_MAX + 3 };

/* ------------------------------------------------------------------- sending
 */

void queue_send_slot(struct nvmei_queue *q, struct nvmei_slot *s)
{
	list_del(&s->link);
	list_append(&q->sends, &s->link);
	if (q->writer_idle) {
		q->writer_idle = false;
		task_wake(q->writer);
	}
}

static void take_slot(struct nvmei_queue *q, struct nvmei_command *c)
{
	struct nvmei_slot *s = &q->slots[q->free[--q->nfree]];

	assert(s->command == NULL && !s->sending);
	s->command = c;
	s->since = reactor_now();
	s->answered = s->capsule_sent = s->has_data = false;
	s->received = s->left = 0;
	c->slot = s;
	q->life->host->traffic.submitted++;
	queue_send_slot(q, s);
}

void queue_submit(struct nvmei_queue *q, struct nvmei_command *c)
{
	list_init(&c->link);
	c->slot = NULL;
	if (q->nfree > q->spare && list_empty(&q->waiting)) {
		take_slot(q, c);
		return;
	}
	q->life->host->traffic.queued++;
	list_append(&q->waiting, &c->link);
}

void queue_submit_first(struct nvmei_queue *q, struct nvmei_command *c)
{
	list_init(&c->link);
	c->slot = NULL;
	if (q->nfree > 0)
		take_slot(q, c);
	else
		list_prepend(&q->waiting, &c->link);
}

static void release(struct nvmei_queue *q, struct nvmei_slot *s)
{
	struct nvmei_command *c;

	s->command->slot = NULL;
	s->command = NULL;
	q->free[q->nfree++] = s - q->slots;
	c = list_first(&q->waiting, struct nvmei_command, link);
	if (c == NULL || q->nfree <= q->spare)
		return;
	list_del(&c->link);
	take_slot(q, c);
}

void queue_complete(struct nvmei_queue *q, struct nvmei_slot *s)
{
	struct nvmei_command *c = s->command;

	s->answered = true;
	if (s->sending)
		return; /* the writer has its data in its hands: written() */
	list_del(&s->link);
	release(q, s);
	q->life->host->traffic.completed++;
	c->done(c, 0);
}

static uint8_t digest_flags(const struct nvmei_queue *q, bool data)
{
	return (q->rules.header_digest ? NVME_TCP_HDGSTF : 0) |
	       (q->rules.data_digest && data ? NVME_TCP_DDGSTF : 0);
}

/* The part of a command's data at `offset`; and their digest. */
static int add_data(struct nvmei_queue *q, struct nvmei_slot *s,
		    uint32_t offset, uint32_t len, struct iovec *iov)
{
	const struct nvmei_command *c = s->command;
	uint32_t digest = PDU_DIGEST_START;
	size_t part;
	int n = 0;

	for (int i = 0; i < c->niov && len > 0; i++) {
		if (offset >= c->iov[i].iov_len) {
			offset -= c->iov[i].iov_len;
			continue;
		}
		part = MIN(c->iov[i].iov_len - offset, (size_t)len);
		iov[n].iov_base = (char *)c->iov[i].iov_base + offset;
		iov[n].iov_len = part;
		if (q->rules.data_digest)
			digest = pdu_digest_add(digest, iov[n].iov_base, part);
		n++;
		len -= part;
		offset = 0;
	}
	if (q->rules.data_digest) {
		s->data_digest = pdu_digest_end(digest);
		iov[n++] = (struct iovec){ &s->data_digest, NVME_TCP_DIGEST };
	}
	return n;
}

static const uint8_t padding[128];

/* Header, the bytes up to where the controller wants data, data. */
static int add_pdu(struct nvmei_queue *q, struct nvmei_slot *s,
		   struct nvme_tcp_ch *ch, uint32_t offset, uint32_t len,
		   struct iovec *iov)
{
	size_t size = pdu_header_size(ch);
	size_t pad = len > 0 ? pdu_align_data(ch, q->cpda) : 0;
	int n = 0;

	pdu_put_header_digest(ch);
	iov[n++] = (struct iovec){ ch, size };
	if (pad > 0)
		iov[n++] = (struct iovec){ (void *)padding, pad };
	return len > 0 ? n + add_data(q, s, offset, len, iov + n) : n;
}

static int add_capsule(struct nvmei_queue *q, struct nvmei_slot *s,
		       struct iovec *iov)
{
	struct nvmei_command *c = s->command;
	bool inside = c->to_controller && c->len <= q->in_capsule;
	uint32_t len = inside ? c->len : 0;
	struct nvme_sqe *sqe = &s->capsule.pdu.sqe;

	pdu_set_common(&s->capsule.pdu.ch, NVME_TCP_CAPSULE_CMD,
		       digest_flags(q, len > 0), sizeof(s->capsule.pdu), len);
	*sqe = c->sqe;
	sqe->cid = s - q->slots;
	sqe->flags |= NVME_SQE_PSDT_SGL;
	sqe->sgl1.len = c->len;
	sqe->sgl1.type = len > 0 ? NVME_SGL_DATA_OFFSET : NVME_SGL_TRANSPORT;
	s->capsule_sent = true;
	return add_pdu(q, s, &s->capsule.pdu.ch, 0, len, iov);
}

/* One H2CData PDU; what the R2T asked for beyond it comes next time. */
static int add_h2c_data(struct nvmei_queue *q, struct nvmei_slot *s,
			struct iovec *iov)
{
	uint32_t len = MIN(s->left, q->maxh2cdata), offset = s->offset;
	struct nvme_tcp_data *pdu = &s->data.pdu;

	pdu_set_common(&pdu->ch, NVME_TCP_H2C_DATA, digest_flags(q, true),
		       sizeof(*pdu), len);
	s->left -= len;
	s->offset += len;
	if (s->left == 0)
		pdu->ch.flags |= NVME_TCP_LAST_PDU;
	pdu->cccid = s - q->slots;
	pdu->ttag = s->ttag;
	pdu->offset = offset;
	pdu->length = len;
	return add_pdu(q, s, &pdu->ch, offset, len, iov);
}

static int gather(struct nvmei_queue *q, struct iovec *iov, struct list *batch)
{
	struct nvmei_slot *s;
	int n = 0;

	while (n + IOV_OF_SLOT <= IOV_ROOM) {
		s = list_first(&q->sends, struct nvmei_slot, link);
		if (s == NULL)
			break;
		list_del(&s->link);
		list_append(batch, &s->link);
		s->sending = true;
		n += s->capsule_sent ? add_h2c_data(q, s, iov + n)
				     : add_capsule(q, s, iov + n);
	}
	return n;
}

/* They have been written: those with more to send line up again, and answers
 * that came meanwhile count now. */
static void written(struct nvmei_queue *q, struct list *batch)
{
	struct nvmei_slot *s;

	while ((s = list_first(batch, struct nvmei_slot, link))) {
		list_del(&s->link);
		s->sending = false;
		if (s->command == NULL)
			continue; /* killed */
		if (s->answered)
			queue_complete(q, s);
		else if (s->left > 0)
			queue_send_slot(q, s);
	}
}

static void writer_works(struct nvmei_queue *q)
{
	struct iovec iov[IOV_ROOM];
	struct list batch;
	int n, rc;

	list_init(&batch);
	if (list_empty(&q->sends)) {
		q->writer_idle = true;
		task_park(NSEC_NEVER);
		q->writer_idle = false;
		return;
	}
	n = gather(q, iov, &batch);
	rc = stream_writev(q->stream, iov, n);
	written(q, &batch);
	if (rc < 0)
		life_fail(q->life, rc);
}

static void writer(void *arg)
{
	struct nvmei_queue *q = arg;
	struct nvmei_life *l = q->life;

	q->writer = task_self();
	while (!l->dead)
		writer_works(q);
	q->writing = false;
	waitq_wake_all(&l->end);
	life_task_ended(l);
}

/* ------------------------------------------------------------------ life cycle
 */

static int exchange_ic(struct nvmei_queue *q)
{
	const struct nvmei_attach *a = &q->life->ctrl->options;
	struct nvme_tcp_ic ic = {}, answer;
	int rc;

	pdu_set_common(&ic.ch, NVME_TCP_ICREQ, 0, sizeof(ic), 0);
	ic.dgst = (a->header_digest ? NVME_TCP_HDGSTF : 0) |
		  (a->data_digest ? NVME_TCP_DDGSTF : 0);
	rc = stream_write(q->stream, &ic, sizeof(ic));
	if (rc == 0)
		rc = queue_read_icresp(q, &answer);
	if (rc < 0)
		return rc;
	if (answer.pfv != 0 || answer.pda > NVME_TCP_PDA_MAX ||
	    answer.max < NVME_TCP_MAXH2CDATA_MIN || (answer.dgst & ~ic.dgst))
		return -EPROTO;
	q->cpda = 4 * (answer.pda + 1);
	q->maxh2cdata = answer.max & ~3u;
	q->rules.header_digest = answer.dgst & NVME_TCP_HDGSTF;
	q->rules.data_digest = answer.dgst & NVME_TCP_DDGSTF;
	q->rules.ready = true;
	return 0;
}

static int start_tasks(struct nvmei_queue *q)
{
	int rc = life_spawn(q->life, "nvmei-reader", queue_reader, q);

	if (rc < 0)
		return rc;
	q->reading = true;
	rc = life_spawn(q->life, "nvmei-writer", writer, q);
	q->writing = rc == 0;
	while (rc == 0 && q->writer == NULL)
		task_yield();
	return rc == 0 && q->life->dead ? -ECONNABORTED : rc;
}

int queue_open(struct nvmei_queue *q, struct nvmei_life *l, uint16_t qid,
	       uint16_t size)
{
	struct addr to;
	int rc;

	if (l->dead) /* before it began: nobody would end this any more */
		return -ECONNABORTED;
	to = l->ctrl->options.addr;
	q->life = l;
	q->qid = qid;
	q->size = size;
	q->spare = size > 2 ? 1 : 0;
	q->rules = (struct pdu_rules){ .host = true, .max_data = UINT32_MAX };
	q->slots = calloc(size - 1, sizeof(*q->slots));
	q->free = calloc(size - 1, sizeof(*q->free));
	q->rx = malloc(NVMEI_RX_SIZE);
	if (q->slots == NULL || q->free == NULL || q->rx == NULL)
		return -ENOMEM;
	for (int i = size - 2; i >= 0; i--) {
		list_init(&q->slots[i].link);
		q->free[q->nfree++] = i;
	}
	/* What is read back to the host is not bounded by the wire, only by
	 * what each command asked for. */
	rc = stream_connect(&to, NULL, &q->stream);
	if (rc < 0)
		return rc;
	if (l->dead)
		return -ECONNABORTED;
	rc = queue_secure(q);
	if (rc < 0)
		return rc;
	if (l->dead)
		return -ECONNABORTED;
	rc = exchange_ic(q);
	if (rc < 0)
		return rc;
	rc = l->dead ? -ECONNABORTED : start_tasks(q);
	return rc == 0 && l->dead ? -ECONNABORTED : rc;
}

bool queue_is_stuck(const struct nvmei_queue *q, nsec timeout)
{
	for (int i = 0; i < q->size - 1; i++) {
		const struct nvmei_slot *s = &q->slots[i];

		if (s->command == NULL ||
		    (q->qid == 0 &&
		     s->command->sqe.opc == NVME_ADMIN_ASYNC_EVENT))
			continue;
		if (reactor_now() - s->since > timeout)
			return true;
	}
	return false;
}

void queue_kill(struct nvmei_queue *q)
{
	struct nvmei_command *c;

	if (q->stream != NULL)
		stream_abort(q->stream);
	if (q->slots == NULL)
		return;
	for (int i = 0; i < q->size - 1; i++) {
		c = q->slots[i].command;
		if (c == NULL)
			continue;
		if (!q->slots[i].sending) /* else the writer's */
			list_del(&q->slots[i].link);
		q->slots[i].command = NULL;
		c->slot = NULL;
		c->done(c, -ECONNABORTED);
	}
	while ((c = list_first(&q->waiting, struct nvmei_command, link))) {
		list_del(&c->link);
		c->done(c, -ECONNABORTED);
	}
	if (q->writer_idle)
		task_wake(q->writer);
}

void queue_wait_ended(struct nvmei_queue *q)
{
	while (q->reading || q->writing)
		waitq_wait(&q->life->end, NSEC_NEVER);
}

void queue_free(struct nvmei_queue *q)
{
	if (q->stream != NULL)
		stream_close(q->stream);
	free(q->slots);
	free(q->free);
	free(q->rx);
}
