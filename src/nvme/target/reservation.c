/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservation commands (NVMe Base 2.3, 7.5 to 7.8), their notifications, and
 * what reservations say to I/O.  The rules are in registrants.c.
 *
 * The state of a namespace is made when the first host registers, and goes with
 * the namespace.  It is changed under nvmet.lock and its own; I/O takes its own
 * alone, and none while there is no reservation.  Nothing survives the
 * process, which hosts that ask for that are told (PTPL).
 */
#include <errno.h>

#include "nvme/target/internal.h"
#include "nvme/target/registrants.h"

struct nvmet_reservation {
	pthread_mutex_t lock;
	struct registrants who;
	_Atomic uint8_t type; /* who.type, for I/O to read */
};

#define ABORT_LOOK MSEC(1) /* how often preempted commands are looked for */

/* A change that is being made, under nvmet.lock. */
struct change {
	struct nvmet_subsystem *s;
	uint32_t nsid;
	/* Those whose registration is preempted. */
	uint8_t preempted[REGISTRANTS_MAX][16];
	unsigned npreempted;
};

/* --------------------------------------------------------- notifications */

/* The oldest go when there are too many; the count shows it. */
static void notify(struct nvmet_ctrl *ctrl, uint32_t nsid,
		   enum nvme_resv_notice what)
{
	struct nvmet_resv_notices *n = &ctrl->resv_notices;

	if (ctrl->resv_mask[nsid] & 1 << what)
		return;
	n->last[n->told % NVMET_RESV_NOTICES] =
		(struct nvmet_resv_notice){ nsid, what };
	n->told++;
	if (n->told - n->read > NVMET_RESV_NOTICES)
		n->read = n->told - NVMET_RESV_NOTICES;
	nvmet_event(ctrl, NVMET_EVENT_RESERVATION, 0);
}

static void told(void *arg, const uint8_t host[16], enum nvme_resv_notice what)
{
	struct change *c = arg;
	struct nvmet_ctrl *ctrl;

	if (what == NVME_RESV_REGISTRATION_PREEMPTED)
		memcpy(c->preempted[c->npreempted++], host, 16);
	list_for_each (ctrl, &c->s->ctrls, link)
		if (memcmp(ctrl->host_id, host, sizeof(ctrl->host_id)) == 0)
			notify(ctrl, c->nsid, what);
}

int nvmet_reservation_log(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvmet_resv_notices *n = &ctrl->resv_notices;
	struct nvmet_resv_notice first;
	struct nvme_resv_log log = {};
	bool more;

	pthread_mutex_lock(&ctrl->t->lock);
	if (n->read < n->told) {
		first = n->last[n->read % NVMET_RESV_NOTICES];
		log.lpc = n->read + 1;
		log.rnlpt = first.what;
		log.nsid = first.nsid;
		log.nalp = n->told - n->read - 1;
		if (!(cmd->sqe.cdw10 & NVME_LOG_RAE))
			n->read++;
	}
	more = n->read < n->told;
	pthread_mutex_unlock(&ctrl->t->lock);
	if (more && !(cmd->sqe.cdw10 & NVME_LOG_RAE))
		nvmet_event(ctrl, NVMET_EVENT_RESERVATION, 0);
	nvmet_cmd_put(cmd, from, 0, &log, sizeof(log));
	*size = sizeof(log);
	return 0;
}

/* Feature 82h. */
int nvmet_reservation_set_mask(struct nvmet_cmd *cmd)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	uint32_t nsid = cmd->sqe.nsid, mask = cmd->sqe.cdw11;

	if (mask & ~NVME_RESV_MASKS)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	pthread_mutex_lock(&ctrl->t->lock);
	if (nsid == NVME_NSID_ALL)
		memset(ctrl->resv_mask, mask, sizeof(ctrl->resv_mask));
	else
		ctrl->resv_mask[nsid] = mask;
	pthread_mutex_unlock(&ctrl->t->lock);
	return 0;
}

void nvmet_reservation_reset(struct nvmet_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->t->lock);
	memset(ctrl->resv_mask, 0, sizeof(ctrl->resv_mask));
	pthread_mutex_unlock(&ctrl->t->lock);
}

int nvmet_reservation_get_mask(struct nvmet_cmd *cmd, bool initial)
{
	if (initial)
		return 0;
	if (cmd->sqe.nsid == NVME_NSID_ALL)
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	cmd->cqe.dw0 = cmd->q->ctrl->resv_mask[cmd->sqe.nsid];
	return 0;
}

/* ------------------------------------------------------------------- state */

static struct nvmet_reservation *state_of(const struct nvmet_ns *ns)
{
	return atomic_load_explicit(&ns->reservation, memory_order_acquire);
}

/* Under nvmet.lock. */
static struct nvmet_reservation *make_state(struct nvmet_ns *ns)
{
	struct nvmet_reservation *r = state_of(ns);

	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	registrants_init(&r->who);
	r->who.told = told;
	atomic_store_explicit(&ns->reservation, r, memory_order_release);
	return r;
}

void nvmet_reservation_forget(struct nvmet_ns *ns)
{
	struct nvmet_reservation *r = state_of(ns);

	if (r == NULL)
		return;
	registrants_fini(&r->who);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* --------------------------------------------------------------------- I/O */

uint16_t nvmet_reservation_check(const struct nvmet_cmd *cmd,
				 const struct nvmet_ns *ns)
{
	struct nvmet_reservation *r = state_of(ns);
	bool allowed, write;

	switch (cmd->sqe.opc) {
	case NVME_IO_READ:
	case NVME_IO_COMPARE:
		write = false;
		break;
	case NVME_IO_RESV_REGISTER:
	case NVME_IO_RESV_REPORT:
	case NVME_IO_RESV_ACQUIRE:
	case NVME_IO_RESV_RELEASE:
		return 0; /* have their own rules */
	default:
		write = true;
		break;
	}
	if (r == NULL || atomic_load(&r->type) == NVME_RTYPE_NONE)
		return 0;
	pthread_mutex_lock(&r->lock);
	allowed = registrants_allow(&r->who, cmd->q->ctrl->host_id, write);
	pthread_mutex_unlock(&r->lock);
	return allowed ? 0 : NVME_SC_RESERVATION_CONFLICT | NVME_SC_DNR;
}

/* --------------------------------------------------------- preempt, abort */

/* The I/O queues of preempted hosts, on all reactors, with references. */
static int victims(const struct change *c, struct nvmet_queue ***out)
{
	struct nvmet_ctrl *ctrl;
	struct nvmet_queue *q;
	unsigned n = 0;

	list_for_each (ctrl, &c->s->ctrls, link)
		list_for_each (q, &ctrl->queues, in_ctrl)
			n++;
	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	n = 0;
	list_for_each (ctrl, &c->s->ctrls, link) {
		for (unsigned i = 0; i < c->npreempted; i++) {
			if (memcmp(ctrl->host_id, c->preempted[i], 16) != 0)
				continue;
			list_for_each (q, &ctrl->queues, in_ctrl)
				(*out)[n++] = nvmet_queue_ref(q);
			break;
		}
	}
	return n;
}

struct visit {
	struct message message;
	struct nvmet_queue *q;
	uint32_t nsid;
	bool cancelled; /* the first of several visits */
	struct completion done;
};

/* Commands that have not begun will be judged again, and refused. */
static void cancel_all(struct nvmet_queue *q, uint32_t nsid)
{
	struct list rest = LIST_INIT(rest);
	struct nvmet_cmd *cmd;

	while (!list_empty(&q->cmds)) {
		cmd = list_first(&q->cmds, struct nvmet_cmd, all);
		list_del(&cmd->all);
		list_append(&rest, &cmd->all);
		if (cmd->state != NVMET_CMD_DEVICE || cmd->sqe.nsid != nsid)
			continue;
		cmd->preempted = true;
		block_cancel(&cmd->io);
	}
	list_splice(&q->cmds, &rest);
}

static bool has_preempted(const struct nvmet_queue *q)
{
	const struct nvmet_cmd *cmd;

	list_for_each (cmd, &q->cmds, all)
		if (cmd->state == NVMET_CMD_DEVICE && cmd->preempted)
			return true;
	return false;
}

/* On the queue's reactor.  1: some are still there. */
static void visit(struct message *m)
{
	struct visit *v = container_of(m, struct visit, message);

	if (!v->cancelled)
		cancel_all(v->q, v->nsid);
	v->cancelled = true;
	completion_done(&v->done, has_preempted(v->q));
}

static int visit_and_wait(struct visit *v)
{
	completion_init(&v->done);
	reactor_post(v->q->cpu->reactor, &v->message);
	return completion_wait(&v->done);
}

/* When it returns, commands that preempted hosts sent before can't have an
 * effect any more. */
static void abort_preempted(struct nvmet_queue **queues, int n, uint32_t nsid)
{
	for (int i = 0; i < n; i++) {
		struct visit v = { .message.deliver = visit,
				   .q = queues[i],
				   .nsid = nsid };

		while (visit_and_wait(&v) > 0)
			task_sleep(ABORT_LOOK);
		nvmet_queue_put(v.q);
	}
}

/* ---------------------------------------------------------------- commands */

static int do_register(struct nvmet_cmd *cmd, struct nvmet_reservation *r)
{
	const struct nvme_resv_register_data *data = (void *)cmd->data;
	uint32_t cdw10 = cmd->sqe.cdw10;
	unsigned cptpl = cdw10 >> NVME_RESV_CPTPL_SHIFT;

	if (cptpl != NVME_CPTPL_NO_CHANGE && cptpl != NVME_CPTPL_RELEASE)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return registrants_register(&r->who, cmd->q->ctrl->host_id, cdw10 & 7,
				    cdw10 & NVME_RESV_IEKEY, data->crkey,
				    data->nrkey);
}

static int do_acquire(struct nvmet_cmd *cmd, struct nvmet_reservation *r)
{
	const struct nvme_resv_acquire_data *data = (void *)cmd->data;
	uint32_t cdw10 = cmd->sqe.cdw10;

	if (cdw10 & NVME_RESV_IEKEY)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return registrants_acquire(&r->who, cmd->q->ctrl->host_id, cdw10 & 7,
				   cdw10 >> 8 & 0xff, data->crkey, data->prkey);
}

static int do_release(struct nvmet_cmd *cmd, struct nvmet_reservation *r)
{
	const struct nvme_resv_release_data *data = (void *)cmd->data;
	uint32_t cdw10 = cmd->sqe.cdw10;

	if (cdw10 & NVME_RESV_IEKEY)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return registrants_release(&r->who, cmd->q->ctrl->host_id, cdw10 & 7,
				   cdw10 >> 8 & 0xff, data->crkey);
}

static int do_change(struct nvmet_cmd *cmd, struct nvmet_reservation *r)
{
	switch (cmd->sqe.opc) {
	case NVME_IO_RESV_REGISTER:
		return do_register(cmd, r);
	case NVME_IO_RESV_ACQUIRE:
		return do_acquire(cmd, r);
	default:
		return do_release(cmd, r);
	}
}

static int change_locked(struct nvmet_cmd *cmd, struct change *c)
{
	struct nvmet_reservation *r = make_state(cmd->ns);
	int status;

	if (r == NULL)
		return NVME_SC_INTERNAL_ERROR;
	pthread_mutex_lock(&r->lock);
	r->who.arg = c;
	status = do_change(cmd, r);
	atomic_store(&r->type, r->who.type);
	pthread_mutex_unlock(&r->lock);
	return status;
}

static bool aborts(const struct nvmet_cmd *cmd)
{
	return cmd->sqe.opc == NVME_IO_RESV_ACQUIRE &&
	       (cmd->sqe.cdw10 & 7) == NVME_RACQA_PREEMPT_AND_ABORT;
}

static int change(struct nvmet_cmd *cmd)
{
	pthread_mutex_t *lock = &cmd->q->t->lock;
	auto_free struct nvmet_queue **queues = NULL;
	struct change c = { .s = cmd->ns->s, .nsid = cmd->sqe.nsid };
	int status, n = 0;

	pthread_mutex_lock(lock);
	status = change_locked(cmd, &c);
	if (status == 0 && aborts(cmd))
		n = victims(&c, &queues);
	pthread_mutex_unlock(lock);
	if (n < 0)
		return NVME_SC_INTERNAL_ERROR;
	abort_preempted(queues, n, c.nsid);
	return status;
}

static int report(struct nvmet_cmd *cmd)
{
	struct nvmet_reservation *r = state_of(cmd->ns);
	struct nvme_resv_status header = {};
	uint64_t at = sizeof(header);
	const struct registrant *reg;

	if (!(cmd->sqe.cdw11 & NVME_RESV_EDS)) /* identifiers have 128 bits */
		return NVME_SC_HOST_ID_INCONSISTENT | NVME_SC_DNR;
	if (r == NULL)
		return 0;
	pthread_mutex_lock(&r->lock);
	header.gen = r->who.generation;
	header.rtype = r->who.type;
	header.regctl = r->who.n;
	list_for_each (reg, &r->who.all, link) {
		struct nvme_resv_registrant e = {
			.cntlid = NVME_CNTLID_DYNAMIC,
			.rkey = reg->key,
		};

		if (r->who.type != NVME_RTYPE_NONE &&
		    registrants_is_holder(&r->who, reg))
			e.rcsts = NVME_RCSTS_HOLDER;
		memcpy(e.hostid, reg->host, sizeof(e.hostid));
		nvmet_cmd_put(cmd, 0, at, &e, sizeof(e));
		at += sizeof(e);
	}
	pthread_mutex_unlock(&r->lock);
	nvmet_cmd_put(cmd, 0, 0, &header, sizeof(header));
	return 0;
}

/* Finds the namespace, unless the controller is on its way out. */
static int execute(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;
	struct nvmet_ns *ns = nvmet_ns_of(q->ctrl, cmd->sqe.nsid);

	if (ns == NULL)
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	nvmet_ns_hold(ns, q->cpu);
	cmd->ns = ns;
	if (atomic_load(&q->ctrl->fenced))
		return NVME_SC_ABORT_SQ_DELETION;
	if (cmd->sqe.opc == NVME_IO_RESV_REPORT)
		return report(cmd);
	return aborts(cmd) ? nvmet_cmd_in_task(cmd, change) : change(cmd);
}

uint16_t nvmet_reservation_prepare(struct nvmet_cmd *cmd)
{
	uint64_t numd = (uint64_t)cmd->sqe.cdw10 + 1;

	cmd->execute = execute;
	cmd->to_controller = true;
	switch (cmd->sqe.opc) {
	case NVME_IO_RESV_REGISTER:
		cmd->length = sizeof(struct nvme_resv_register_data);
		return 0;
	case NVME_IO_RESV_ACQUIRE:
		cmd->length = sizeof(struct nvme_resv_acquire_data);
		return 0;
	case NVME_IO_RESV_RELEASE:
		cmd->length = sizeof(struct nvme_resv_release_data);
		return 0;
	default:
		if (numd * 4 > cmd->q->t->conf.max_io_size)
			return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
		cmd->length = numd * 4;
		cmd->to_controller = false;
		cmd->to_host = true;
		return 0;
	}
}
