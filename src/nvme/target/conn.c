/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection, which is a queue pair once a Connect command has made it
 * one.  A task reads; send.c's task writes.
 *
 *	accepted ──ICReq──▶ ready ──Connect──▶ queue ──▶ ending ──▶ closed
 *	    └──────30 s──────┴────────────────────────────▲
 *	                     end of the stream, a fault, nvmet_queue_end()
 *
 * Receiving, of one PDU:
 *
 *	8 bytes ─▶ common header is judged ─▶ header is judged ─▶
 *	    capsule: all of it in the buffer ─▶ nvmet_cmd_receive()
 *	    H2CData: what is in the buffer is copied, the rest is read to where
 *	             it belongs, with what follows it into the buffer
 *
 * A read takes what there is, up to the buffer's size, so that many commands
 * come by one system call.  After a second without traffic the buffer is given
 * back.
 *
 * A fault ends the connection with C2HTermReq (NVMe/TCP 3.6.2.5), which the
 * host gets a second to read.
 *
 * The end: nothing more begins, and what has not begun is dropped
 * (nvmet_cmds_drop); the writer stops; what a device has is waited for; then
 * the controller is told (nvmet_ctrl_queue_gone).
 */
#include <errno.h>

#include "base/log.h"
#include "nvme/target/internal.h"

enum { RX_SIZE = 256 << 10 };
#define IDLE   SEC(1) /* then the buffer goes */
#define LINGER SEC(1) /* for C2HTermReq to be read */

/* --------------------------------------------------------------- lifetime */

static void end_now(struct message *m);

struct nvmet_queue *nvmet_queue_create(struct nvmet_port *port,
				       struct stream *s, struct nvmet_cpu *cpu)
{
	struct nvmet_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->tags = calloc(1, sizeof(q->tags[0]));
	if (q->tags == NULL) {
		free(q);
		return NULL;
	}
	MAGIC_SET(q, NVMET_QUEUE_MAGIC);
	atomic_init(&q->refs, 1);
	q->end.deliver = end_now;
	q->t = port->t;
	q->port = port;
	q->cpu = cpu;
	q->stream = s;
	q->local = *stream_local(s);
	q->peer = *stream_peer(s);
	q->since = reactor_now();
	q->size = q->ntags = 1; /* for the Connect command */
	q->hpda = 4;
	list_init(&q->in_port);
	list_init(&q->in_ctrl);
	list_init(&q->cmds);
	list_init(&q->starved);
	list_init(&q->r2ts);
	list_init(&q->replies);
	list_init(&q->bulk);
	waitq_init(&q->auth_change);
	q->rules.max_in_capsule = NVMET_ADMIN_IN_CAPSULE;
	q->rules.max_data = q->t->conf.max_io_size;
	return q;
}

struct nvmet_queue *nvmet_queue_ref(struct nvmet_queue *q)
{
	MAGIC_CHECK(q, NVMET_QUEUE_MAGIC);
	atomic_fetch_add(&q->refs, 1);
	return q;
}

void nvmet_queue_put(struct nvmet_queue *q)
{
	MAGIC_CHECK(q, NVMET_QUEUE_MAGIC);
	if (atomic_fetch_sub(&q->refs, 1) > 1)
		return;
	MAGIC_CLEAR(q);
	nvmet_auth_free(q);
	free(q->secure);
	free(q->tags);
	free(q);
}

void nvmet_queue_end(struct nvmet_queue *q, const char *why)
{
	if (q->ending)
		return;
	q->ending = true;
	q->why = why;
	waitq_wake_all(&q->auth_change);
	if (q->stream != NULL && q->fault.fes == 0)
		stream_abort(q->stream);
}

static void end_now(struct message *m)
{
	struct nvmet_queue *q = container_of(m, struct nvmet_queue, end);

	nvmet_queue_end(q, "controller ends");
	nvmet_queue_put(q);
}

void nvmet_queue_end_later(struct nvmet_queue *q)
{
	if (atomic_exchange(&q->end_posted, true))
		return;
	nvmet_queue_ref(q);
	reactor_post(q->cpu->reactor, &q->end);
}

/* ------------------------------------------------------------------ faults */

static int fault(struct nvmet_queue *q, const void *header)
{
	const struct nvme_tcp_ch *ch = header;

	q->fault_len =
		MIN((size_t)MAX(ch->hlen, (uint8_t)8), q->rx_end - q->rx_start);
	q->fault_len = MIN(q->fault_len, sizeof(q->fault_header));
	memcpy(q->fault_header, header, q->fault_len);
	nvmet_count(q->cpu, protocol_errors, 1);
	nvmet_queue_end(q, q->fault.text);
	return -EPROTO;
}

static int fault_of(struct nvmet_queue *q, const void *header,
		    enum nvme_tcp_fes fes, size_t fei, const char *text)
{
	q->fault = (struct pdu_fault){ fes, fei, text };
	return fault(q, header);
}

/* ------------------------------------------------------------------ buffer */

static size_t rx_len(const struct nvmet_queue *q)
{
	return q->rx_end - q->rx_start;
}

static void rx_release(struct nvmet_queue *q)
{
	if (q->rx != NULL)
		pool_put(q->rx, q->rx_size);
	q->rx = NULL;
	q->rx_start = q->rx_end = 0;
}

/* It has not shown yet that it is to be here. */
static bool is_new(const struct nvmet_queue *q)
{
	return q->ctrl == NULL || q->must_auth;
}

/* Too late for something: -errno. */
static int check_time(struct nvmet_queue *q)
{
	nsec now = reactor_now();

	if (q->ending)
		return -ECONNABORTED;
	if (is_new(q) && now - q->since >= NVMET_SETUP_TIMEOUT) {
		nvmet_queue_end(q, "no Connect, or no authentication, "
				   "within 30 s");
		return -ETIMEDOUT;
	}
	if (q->qid == 0 && q->ctrl != NULL &&
	    now >= nvmet_ctrl_expires(q->ctrl)) {
		nvmet_queue_end(q, "keep alive timeout");
		return -ETIMEDOUT;
	}
	return 0;
}

static nsec next_look(const struct nvmet_queue *q)
{
	if (is_new(q))
		return q->since + NVMET_SETUP_TIMEOUT;
	return q->qid == 0 ? nvmet_ctrl_expires(q->ctrl) : NSEC_NEVER;
}

/* Without a buffer. */
static int wait_readable(struct nvmet_queue *q)
{
	int rc;

	while ((rc = stream_wait_readable(q->stream, next_look(q))) ==
	       -ETIMEDOUT) {
		rc = check_time(q);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int rx_prepare(struct nvmet_queue *q)
{
	int rc;

	if (q->rx == NULL) {
		rc = wait_readable(q);
		if (rc < 0)
			return rc;
		q->rx = pool_get(RX_SIZE, &q->rx_size);
		return q->rx != NULL ? 0 : -ENOMEM;
	}
	if (q->rx_start == q->rx_end) {
		q->rx_start = q->rx_end = 0;
	} else if (q->rx_start > 0) {
		memmove(q->rx, q->rx + q->rx_start, rx_len(q));
		q->rx_end -= q->rx_start;
		q->rx_start = 0;
	}
	return 0;
}

/* A read timed out.  Nothing of a PDU is there: the buffer may go. */
static int idle(struct nvmet_queue *q, unsigned *waited, bool within)
{
	if (within && ++*waited >= NVMET_PDU_TIMEOUT / IDLE) {
		nvmet_queue_end(q, "a PDU was not completed in time");
		return -ETIMEDOUT;
	}
	if (!within)
		rx_release(q);
	return check_time(q);
}

static void alive(struct nvmet_queue *q)
{
	atomic_store_explicit(&q->alive, reactor_now(), memory_order_relaxed);
}

/* More bytes into the buffer: how many, 0 at the end, or -errno. */
static ssize_t receive(struct nvmet_queue *q)
{
	unsigned waited = 0;
	ssize_t n;
	int rc;

	for (;;) {
		rc = rx_prepare(q);
		if (rc < 0)
			return rc;
		n = stream_read(q->stream, q->rx + q->rx_end,
				q->rx_size - q->rx_end);
		if (n == -ETIMEDOUT) {
			rc = idle(q, &waited, rx_len(q) > 0);
			if (rc < 0)
				return rc;
			continue;
		}
		if (n <= 0)
			return n;
		q->rx_end += n;
		alive(q);
		rc = unlikely(is_new(q)) ? check_time(q) : 0;
		return rc < 0 ? rc : n;
	}
}

/* At least `len` bytes in the buffer, whose data may move: 0 or -errno. */
static int rx_want(struct nvmet_queue *q, size_t len)
{
	ssize_t n;

	while (rx_len(q) < len) {
		n = receive(q);
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
	}
	return 0;
}

/* ------------------------------------------------------------------- ICReq */

static int receive_icreq(struct nvmet_queue *q, const struct nvme_tcp_ic *req)
{
	const struct nvmet_transport *conf = &q->t->conf;
	struct nvme_tcp_ic resp = {};

	q->rules.header_digest =
		(req->dgst & NVME_TCP_HDGSTF) && !conf->no_header_digest;
	q->rules.data_digest =
		(req->dgst & NVME_TCP_DDGSTF) && !conf->no_data_digest;
	q->hpda = 4 * (req->pda + 1);
	pdu_set_common(&resp.ch, NVME_TCP_ICRESP, 0, sizeof(resp), 0);
	resp.dgst = (q->rules.header_digest ? NVME_TCP_HDGSTF : 0) |
		    (q->rules.data_digest ? NVME_TCP_DDGSTF : 0);
	resp.max = q->rules.max_data;
	q->rules.ready = true;
	q->rx_start += req->ch.plen;
	/* The writer has nothing before the first command. */
	return stream_write(q->stream, &resp, sizeof(resp));
}

/* ---------------------------------------------------------------- capsules */

static bool digest_is_good(const struct nvme_tcp_ch *ch, const void *data,
			   size_t len)
{
	uint32_t got;

	if (pdu_data_digest_size(ch) == 0)
		return true;
	memcpy(&got, (const uint8_t *)data + len, sizeof(got));
	return got == pdu_digest(data, len);
}

/* Those whose replies are on their way to the host count, too, which it may
 * have got already. */
static bool too_many(const struct nvmet_queue *q)
{
	return q->ncmds >= 2u * q->size;
}

static int receive_capsule(struct nvmet_queue *q, struct nvme_tcp_cmd *pdu)
{
	size_t plen = pdu->ch.plen, len = pdu_data_size(&pdu->ch);
	uint8_t *data = (uint8_t *)pdu + pdu->ch.pdo;

	if (too_many(q))
		return fault_of(q, pdu, NVME_TCP_FES_SEQUENCE, 0,
				"more commands than entries");
	nvmet_cmd_receive(q, &pdu->sqe, data, len,
			  digest_is_good(&pdu->ch, data, len));
	q->rx_start += plen;
	return q->ending ? -ECONNABORTED : 0;
}

/* ----------------------------------------------------------------- H2CData */

static int check_h2c(struct nvmet_queue *q, const struct nvme_tcp_data *d,
		     struct nvmet_cmd **out)
{
	struct nvmet_cmd *cmd = nvmet_cmd_by_tag(q, d->ttag);

	if (cmd == NULL)
		return fault_of(q, d, NVME_TCP_FES_HEADER_FIELD,
				offsetof(struct nvme_tcp_data, ttag),
				"transfer tag");
	if (d->cccid != cmd->sqe.cid)
		return fault_of(q, d, NVME_TCP_FES_HEADER_FIELD,
				offsetof(struct nvme_tcp_data, cccid),
				"command of a transfer");
	if (d->offset != cmd->received || d->length > cmd->length - d->offset)
		return fault_of(q, d, NVME_TCP_FES_OUT_OF_RANGE, 0,
				"data that were not asked for");
	if (!!(d->ch.flags & NVME_TCP_LAST_PDU) !=
	    (d->offset + d->length == cmd->length))
		return fault_of(q, d, NVME_TCP_FES_HEADER_FIELD,
				offsetof(struct nvme_tcp_ch, flags),
				"last flag");
	*out = cmd;
	return 0;
}

/* The rest of the data to where they belong; the buffer is empty, and takes
 * what comes behind them. */
static int read_rest(struct nvmet_queue *q, uint8_t *to, size_t len)
{
	unsigned waited = 0;
	struct iovec iov[2];
	ssize_t n;
	int rc;

	q->rx_start = q->rx_end = 0;
	while (len > 0) {
		iov[0] = (struct iovec){ to, len };
		iov[1] = (struct iovec){ q->rx, q->rx_size };
		n = stream_readv(q->stream, iov, 2);
		if (n == -ETIMEDOUT) {
			rc = idle(q, &waited, true);
			if (rc < 0)
				return rc;
			continue;
		}
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		if ((size_t)n > len) {
			q->rx_end = n - len;
			n = len;
		}
		to += n;
		len -= n;
	}
	alive(q);
	return 0;
}

static int receive_h2c(struct nvmet_queue *q, const struct nvme_tcp_data *pdu)
{
	size_t digest_size = pdu_data_digest_size(&pdu->ch);
	uint32_t len = pdu->length, digest;
	size_t skip = pdu->ch.pdo, here;
	struct nvmet_cmd *cmd = NULL;
	uint8_t *to;
	int rc;

	rc = check_h2c(q, pdu, &cmd);
	if (rc < 0)
		return rc;
	rc = rx_want(q, skip); /* from here on *pdu may have moved */
	if (rc < 0)
		return rc;
	q->rx_start += skip;
	to = cmd->data + cmd->received;
	here = MIN(rx_len(q), (size_t)len);
	memcpy(to, q->rx + q->rx_start, here);
	q->rx_start += here;
	if (here < len) {
		rc = read_rest(q, to + here, len - here);
		if (rc < 0)
			return rc;
	}
	if (digest_size > 0) {
		rc = rx_want(q, digest_size);
		if (rc < 0)
			return rc;
		memcpy(&digest, q->rx + q->rx_start, sizeof(digest));
		q->rx_start += sizeof(digest);
		cmd->bad_digest |= digest != pdu_digest(to, len);
	}
	cmd->received += len;
	if (cmd->received == cmd->length)
		nvmet_cmd_data_complete(cmd);
	return q->ending ? -ECONNABORTED : 0;
}

/* -------------------------------------------------------------------- PDUs */

static int receive_term(struct nvmet_queue *q, const struct nvme_tcp_term *t)
{
	char text[ADDR_TEXT_MAX];

	log_warn("nvme host %s ends the connection: %s, field %u",
		 addr_format(&q->peer, text), pdu_fes_name(t->fes), t->fei);
	return -ECONNRESET;
}

/* 1: one PDU was taken; 0: it is not all there; or -errno. */
static int next_pdu(struct nvmet_queue *q)
{
	void *p = q->rx + q->rx_start;
	struct nvme_tcp_ch *ch = p;
	size_t have = rx_len(q);
	int rc;

	if (have < sizeof(*ch))
		return 0;
	if (!pdu_check_common(&q->rules, ch, &q->fault))
		return fault(q, p);
	if (have < pdu_header_size(ch))
		return 0;
	if (ch->type != NVME_TCP_H2C_DATA && have < ch->plen)
		return 0;
	if (!pdu_check_header(&q->rules, p, &q->fault))
		return fault(q, p);
	switch (ch->type) {
	case NVME_TCP_CAPSULE_CMD:
		rc = receive_capsule(q, p);
		break;
	case NVME_TCP_H2C_DATA:
		rc = receive_h2c(q, p);
		break;
	case NVME_TCP_ICREQ:
		rc = receive_icreq(q, p);
		break;
	default:
		rc = receive_term(q, p);
		break;
	}
	return rc < 0 ? rc : 1;
}

/* The rest comes through TLS. */
static int secure(struct nvmet_queue *q)
{
	int rc = nvmet_secure(q);

	if (rc == 0)
		stream_set_timeouts(q->stream, IDLE, NVMET_WRITE_TIMEOUT);
	return rc;
}

static int serve(struct nvmet_queue *q)
{
	ssize_t n;
	int rc;

	for (;;) {
		n = receive(q);
		if (n <= 0)
			return (int)n;
		if (unlikely(nvmet_secure_begins(q))) {
			rc = secure(q);
			if (rc < 0)
				return rc;
			continue;
		}
		while ((rc = next_pdu(q)) > 0)
			;
		if (rc < 0)
			return rc;
	}
}

/* --------------------------------------------------------------------- end */

/* The writer has stopped, and was not in the middle of a PDU. */
static void send_term(struct nvmet_queue *q)
{
	uint8_t term[sizeof(struct nvme_tcp_term) + NVME_TCP_TERM_DATA_MAX];
	nsec deadline = reactor_now() + LINGER;
	size_t len;

	len = pdu_make_term(term, false, &q->fault, q->fault_header,
			    q->fault_len);
	stream_set_timeouts(q->stream, LINGER, LINGER);
	if (stream_write(q->stream, term, len) < 0)
		return;
	stream_shutdown_write(q->stream);
	while (reactor_now() < deadline &&
	       stream_read(q->stream, q->rx, q->rx_size) > 0)
		;
}

static void tell_end(const struct nvmet_queue *q)
{
	char text[ADDR_TEXT_MAX];

	if (q->fault.fes != 0)
		log_warn("nvme host %s: %s: %s: connection ended",
			 addr_format(&q->peer, text),
			 pdu_fes_name(q->fault.fes), q->fault.text);
	else if (!q->clean)
		log_info("nvme host %s: queue %u ends: %s",
			 addr_format(&q->peer, text), q->qid, q->why);
}

static void end(struct nvmet_queue *q)
{
	bool writing = q->writing;

	if (q->ctrl != NULL)
		nvmet_ctrl_queue_ends(q);
	nvmet_cmds_drop(q);
	if (writing)
		stream_abort(q->stream);
	nvmet_send_stop(q);
	nvmet_cmds_wait(q);
	nvmet_auth_wait(q);
	if (q->ctrl != NULL)
		nvmet_ctrl_queue_gone(q);
	if (q->fault.fes != 0 && !writing)
		send_term(q);
	rx_release(q);
	if (q->stream != NULL)
		stream_close(q->stream);
	q->stream = NULL;
}

void nvmet_queue_main(void *arg)
{
	struct nvmet_queue *q = arg;
	struct nvmet *t = q->t;
	int rc;

	stream_set_timeouts(q->stream, IDLE, NVMET_WRITE_TIMEOUT);
	rc = nvmet_send_start(q);
	if (rc == 0) {
		rc = serve(q);
		q->clean = rc == 0 && q->ncmds == 0;
		nvmet_queue_end(q,
				rc == 0 ? "closed by the host" : strerror(-rc));
		tell_end(q);
		end(q);
	} else {
		q->ending = true;
		stream_close(q->stream);
		q->stream = NULL;
	}
	if (q->ctrl == NULL || q->qid > 0)
		atomic_fetch_sub(&q->cpu->load, 1);
	pthread_mutex_lock(&t->lock);
	list_del(&q->in_port);
	t->nqueues--;
	pthread_mutex_unlock(&t->lock);
	nvmet_queue_put(q); /* the target may be gone now */
}
