/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending.  Each queue has a task that writes what has become ready, all of it
 * in one gather write, and parks when there is nothing.
 *
 *	r2ts, replies     24 bytes each: put together on the writer's stack;
 *	                  a command whose reply is there is free already
 *	bulk              C2HData: header, the command's data, and a digest or
 *	                  a response capsule behind them; free when written
 *
 * Their order does not matter to a host, but for a response behind its data.
 *
 * A C2HData says SUCCESS instead of being followed by a response capsule, if
 * the transport may (nvmet_transport.no_c2h_success).  A host that wants the
 * submission queue's head told (SQ flow control) gets a capsule at least for
 * each half of the queue.
 */
#include <errno.h>

#include "nvme/target/internal.h"

enum {
	SCRATCH = 4096,	 /* bytes of small PDUs in one write */
	PIECES = 256,	 /* of a gather write */
	BULK_PIECES = 4, /* header, data, pad, tail */
	CAPSULE = sizeof(struct nvme_tcp_resp) + NVME_TCP_DIGEST,
};

static const uint8_t padding[4 * (NVME_TCP_PDA_MAX + 1)];

static uint8_t header_flag(const struct nvmet_queue *q)
{
	return q->rules.header_digest ? NVME_TCP_HDGSTF : 0;
}

/* ------------------------------------------------------------------- PDUs */

static size_t make_r2t(struct nvmet_cmd *cmd, void *out)
{
	struct nvme_tcp_data *r = out;

	*r = (struct nvme_tcp_data){};
	pdu_set_common(&r->ch, NVME_TCP_R2T, header_flag(cmd->q), sizeof(*r),
		       0);
	r->cccid = cmd->sqe.cid;
	r->ttag = cmd->tag;
	r->offset = 0;
	r->length = cmd->length;
	pdu_put_header_digest(r);
	return r->ch.plen;
}

static size_t make_response(struct nvmet_cmd *cmd, void *out)
{
	struct nvmet_queue *q = cmd->q;
	struct nvme_tcp_resp *r = out;

	pdu_set_common(&r->ch, NVME_TCP_CAPSULE_RESP, header_flag(q),
		       sizeof(*r), 0);
	r->cqe = cmd->cqe;
	r->cqe.sqid = q->qid;
	r->cqe.sqhd = q->sq_flow ? q->sqhd : 0xffff;
	q->told_sqhd = q->sqhd;
	pdu_put_header_digest(r);
	return r->ch.plen;
}

/* Entries that the host does not know to be free. */
static unsigned untold(const struct nvmet_queue *q)
{
	return (q->sqhd + q->size - q->told_sqhd) % q->size;
}

static bool needs_response(const struct nvmet_cmd *cmd)
{
	const struct nvmet_queue *q = cmd->q;

	return q->t->conf.no_c2h_success || cmd->cqe.result != 0 ||
	       (q->sq_flow && untold(q) >= q->size / 2u);
}

static int make_bulk(struct nvmet_cmd *cmd, struct iovec *iov)
{
	struct nvmet_queue *q = cmd->q;
	struct nvme_tcp_data *d = (void *)cmd->head;
	bool response = needs_response(cmd);
	uint8_t flags = header_flag(q) | NVME_TCP_LAST_PDU;
	size_t head, pad, tail = 0;
	uint32_t digest;
	int n = 0;

	if (q->rules.data_digest)
		flags |= NVME_TCP_DDGSTF;
	if (!response)
		flags |= NVME_TCP_SUCCESS;
	*d = (struct nvme_tcp_data){};
	pdu_set_common(&d->ch, NVME_TCP_C2H_DATA, flags, sizeof(*d),
		       cmd->length);
	d->cccid = cmd->sqe.cid;
	d->length = cmd->length;
	head = pdu_header_size(&d->ch);
	pad = pdu_align_data(&d->ch, q->hpda);
	pdu_put_header_digest(d);
	iov[n++] = (struct iovec){ cmd->head, head };
	if (pad > 0)
		iov[n++] = (struct iovec){ (void *)padding, pad };
	iov[n++] = (struct iovec){ cmd->data, cmd->length };
	if (q->rules.data_digest) {
		digest = pdu_digest(cmd->data, cmd->length);
		memcpy(cmd->tail, &digest, sizeof(digest));
		tail = sizeof(digest);
	}
	if (response)
		tail += make_response(cmd, cmd->tail + tail);
	if (tail > 0)
		iov[n++] = (struct iovec){ cmd->tail, tail };
	return n;
}

/* ----------------------------------------------------------------- writing */

static size_t gather_small(struct nvmet_queue *q, uint8_t *out)
{
	struct nvmet_cmd *cmd;
	size_t len = 0;

	while (!list_empty(&q->r2ts) && len + CAPSULE <= SCRATCH) {
		cmd = list_first(&q->r2ts, struct nvmet_cmd, link);
		list_del(&cmd->link);
		len += make_r2t(cmd, out + len);
		cmd->state = NVMET_CMD_DATA;
	}
	while (!list_empty(&q->replies) && len + CAPSULE <= SCRATCH) {
		cmd = list_first(&q->replies, struct nvmet_cmd, link);
		len += make_response(cmd, out + len);
		nvmet_cmd_free(cmd);
	}
	return len;
}

static int gather_bulk(struct nvmet_queue *q, struct iovec *iov, int n,
		       struct list *sent)
{
	struct nvmet_cmd *cmd;

	while (!list_empty(&q->bulk) && n + BULK_PIECES <= PIECES) {
		cmd = list_first(&q->bulk, struct nvmet_cmd, link);
		list_del(&cmd->link);
		list_append(sent, &cmd->link);
		n += make_bulk(cmd, iov + n);
	}
	return n;
}

static void write_some(struct nvmet_queue *q)
{
	struct list sent = LIST_INIT(sent);
	struct nvmet_cmd *cmd, *tmp;
	struct iovec iov[PIECES];
	uint8_t scratch[SCRATCH];
	size_t small;
	int n = 0, rc;

	small = gather_small(q, scratch);
	if (small > 0)
		iov[n++] = (struct iovec){ scratch, small };
	n = gather_bulk(q, iov, n, &sent);
	q->writing = true;
	rc = stream_writev(q->stream, iov, n);
	q->writing = false;
	list_for_each_safe (cmd, tmp, &sent, link)
		nvmet_cmd_free(cmd);
	if (rc < 0)
		nvmet_queue_end(q, rc == -ETIMEDOUT ? "host does not read"
						    : "connection lost");
}

static bool has_work(const struct nvmet_queue *q)
{
	return !list_empty(&q->r2ts) || !list_empty(&q->replies) ||
	       !list_empty(&q->bulk);
}

static void writer_main(void *arg)
{
	struct nvmet_queue *q = arg;

	q->writer = task_self();
	while (!q->writer_stop) {
		if (has_work(q) && !q->ending) {
			write_some(q);
			continue;
		}
		q->writer_idle = true;
		task_park(NSEC_NEVER);
		q->writer_idle = false;
	}
	completion_done(&q->writer_ended, 0);
}

static void wake(struct nvmet_queue *q)
{
	if (!q->writer_idle)
		return;
	q->writer_idle = false;
	task_wake(q->writer);
}

void nvmet_send(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;

	if (cmd->state == NVMET_CMD_R2T)
		list_append(&q->r2ts, &cmd->link);
	else if (cmd->to_host)
		list_append(&q->bulk, &cmd->link);
	else
		list_append(&q->replies, &cmd->link);
	wake(q);
}

int nvmet_send_start(struct nvmet_queue *q)
{
	completion_init(&q->writer_ended);
	return task_spawn("nvmet-write", writer_main, q);
}

static void free_all(struct list *cmds)
{
	struct nvmet_cmd *cmd, *tmp;

	list_for_each_safe (cmd, tmp, cmds, link)
		nvmet_cmd_free(cmd);
}

void nvmet_send_stop(struct nvmet_queue *q)
{
	assert(q->ending);
	q->writer_stop = true;
	wake(q);
	completion_wait(&q->writer_ended);
	free_all(&q->r2ts);
	free_all(&q->replies);
	free_all(&q->bulk);
}
