/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: the command that each becomes on the path that it takes, and what
 * the controller's status means for it.
 *
 *	submit ─▶ path group ─▶ request_send_on() ─▶ queue ─▶ answered()
 *	               ▲                                          │ status
 *	               ├── on another path: ANA, path errors ─────┤
 *	               ├── after a pause: an error that may pass ─┤
 *	               │                                    done ◀┘
 *	               └── the connection is lost: path/ knows what to do
 */
#include "nvme/initiator/internal.h"

#define PAUSE MSEC(100) /* before a request is repeated */

/* -------------------------------------------------------------- the command */

static bool has_data(const struct nvmei_request *r)
{
	return r->op == BLOCK_READ || r->op == BLOCK_WRITE ||
	       r->op == BLOCK_COMPARE;
}

static void set_range(const struct nvmei_request *r, struct nvme_sqe *sqe)
{
	unsigned shift = r->volume->block_shift;
	uint64_t slba = r->offset >> shift;

	sqe->cdw10 = (uint32_t)slba;
	sqe->cdw11 = (uint32_t)(slba >> 32);
	sqe->cdw12 = (uint32_t)(r->length >> shift) - 1;
	if (r->flags & BLOCK_FUA)
		sqe->cdw12 |= NVME_RW_FUA;
}

static void set_deallocate(struct nvmei_request *r, struct nvmei_command *c)
{
	unsigned shift = r->volume->block_shift;

	r->range = (struct nvme_dsm_range){
		.nlb = (uint32_t)(r->length >> shift),
		.slba = r->offset >> shift,
	};
	r->range_iov = (struct iovec){ &r->range, sizeof(r->range) };
	c->sqe.opc = NVME_IO_DSM;
	c->sqe.cdw11 = NVME_DSM_AD;
	c->iov = &r->range_iov;
	c->niov = 1;
	c->len = sizeof(r->range);
	c->to_controller = true;
}

static const uint8_t opcodes[BLOCK_OPS] = {
	[BLOCK_READ] = NVME_IO_READ,
	[BLOCK_WRITE] = NVME_IO_WRITE,
	[BLOCK_FLUSH] = NVME_IO_FLUSH,
	[BLOCK_COMPARE] = NVME_IO_COMPARE,
	[BLOCK_DEALLOCATE] = NVME_IO_DSM,
	[BLOCK_WRITE_ZEROES] = NVME_IO_WRITE_ZEROES,
};

static void make_command(struct nvmei_request *r)
{
	struct nvmei_command *c = &r->command;

	memset(c, 0, sizeof(*c));
	c->sqe.opc = opcodes[r->op];
	c->sqe.nsid = ((struct nvmei_way *)path_owner(r->path.path))->nsid;
	if (r->op == BLOCK_DEALLOCATE)
		set_deallocate(r, c);
	else if (r->op != BLOCK_FLUSH)
		set_range(r, &c->sqe);
	if (r->op == BLOCK_WRITE_ZEROES && (r->flags & BLOCK_UNMAP))
		c->sqe.cdw12 |= NVME_RW_DEAC;
	if (!has_data(r))
		return;
	c->iov = r->iov;
	c->niov = r->niov;
	c->len = (uint32_t)r->length;
	c->to_controller = r->op != BLOCK_READ;
}

/* --------------------------------------------------------------- its status */

static int error_of(uint16_t status)
{
	switch (status & NVME_SC_MASK) {
	case NVME_SC_INVALID_FIELD:
		return -EINVAL;
	case NVME_SC_INVALID_OPCODE:
		return -EOPNOTSUPP;
	case NVME_SC_INVALID_NS:
		return -ENODEV;
	case NVME_SC_LBA_OUT_OF_RANGE:
	case NVME_SC_CAPACITY_EXCEEDED:
		return -ENOSPC;
	case NVME_SC_NS_WRITE_PROTECTED:
	case NVME_SC_READ_ONLY_RANGE:
		return -EROFS;
	case NVME_SC_RESERVATION_CONFLICT:
		return -EBUSY;
	case NVME_SC_COMPARE_FAILED:
		return -EILSEQ;
	default:
		return -EIO;
	}
}

/* Those that may be gone the next time: the controller was not ready, or the
 * command was ended for another's sake. */
static bool may_pass(uint16_t status)
{
	switch (status & NVME_SC_MASK) {
	case NVME_SC_INTERNAL_ERROR:
	case NVME_SC_ABORT_REQUESTED:
	case NVME_SC_ABORT_SQ_DELETION:
	case NVME_SC_COMMAND_INTERRUPTED:
	case NVME_SC_TRANSIENT_TRANSPORT:
	case NVME_SC_NS_NOT_READY:
		return true;
	default:
		return false;
	}
}

static bool is_path_error(uint16_t status)
{
	return (status & NVME_SC_MASK) >> 8 == 3;
}

static void count(struct block_stats *st, const struct nvmei_request *r,
		  int error, nsec since)
{
	if (error != 0) {
		st->errors++;
		return;
	}
	st->ios[r->op]++;
	st->bytes[r->op] += r->length;
	st->latency[r->op] += reactor_now() - since;
}

void request_end(struct nvmei_request *r, int error)
{
	struct nvmei_volume *v = r->volume;

	count(&v->stats, r, error, r->begun);
	list_del(&r->link);
	r->done(r, error);
	nvmei_volume_put(v);
}

static void again(struct timer *t)
{
	struct nvmei_request *r = container_of(t, struct nvmei_request, again);
	struct nvmei_volume *v = r->volume;
	struct path *p = path_group_submit(v->group, &r->path, reactor_now());

	if (p != NULL)
		request_send_on(path_owner(p), r);
	volume_drain(v);
}

static void finish(struct nvmei_request *r, int error)
{
	struct nvmei_volume *v = r->volume;
	struct nvmei_way *w = path_owner(r->path.path);
	size_t bytes = error == 0 && has_data(r) ? r->length : 0;

	count(&w->stats, r, error, r->path.sent);
	path_request_done(v->group, &r->path, PATH_DONE, bytes, reactor_now());
	request_end(r, error);
}

static void pause_and_repeat(struct nvmei_request *r)
{
	path_request_done(r->volume->group, &r->path, PATH_DONE, 0,
			  reactor_now());
	reactor_timer_set(&r->again, reactor_now() + PAUSE);
}

static void go_elsewhere(struct nvmei_request *r, uint16_t status)
{
	struct nvmei_volume *v = r->volume;
	struct nvmei_way *w = path_owner(r->path.path);

	path_request_done(v->group, &r->path, PATH_RETRY_ELSEWHERE, 0,
			  reactor_now());
	switch (status & NVME_SC_MASK) {
	case NVME_SC_ANA_INACCESSIBLE:
		ana_doubt(w, PATH_INACCESSIBLE);
		break;
	case NVME_SC_ANA_PERSISTENT_LOSS:
		ana_doubt(w, PATH_PERSISTENT_LOSS);
		break;
	case NVME_SC_ANA_TRANSITION:
		ana_doubt(w, PATH_CHANGE);
		break;
	}
	volume_drain(v);
}

static bool is_ana(uint16_t status)
{
	status &= NVME_SC_MASK;
	return status >= NVME_SC_ANA_PERSISTENT_LOSS &&
	       status <= NVME_SC_ANA_TRANSITION;
}

static bool may_repeat(struct nvmei_request *r)
{
	int limit = r->volume->host->options.retry_count;

	return limit == -1 || (limit >= 0 && r->repeats++ < (unsigned)limit);
}

static void answered(struct nvmei_command *c, int error)
{
	struct nvmei_request *r =
		container_of(c, struct nvmei_request, command);
	uint16_t status = c->cqe.status >> 1;

	if (error < 0)
		return; /* lost; the path group hears of it */
	if (likely((status & NVME_SC_MASK) == 0))
		finish(r, 0);
	else if (is_ana(status))
		go_elsewhere(r, status);
	else if (status & NVME_SC_DNR)
		finish(r, error_of(status));
	else if (is_path_error(status) && r->path.tries < 2)
		go_elsewhere(r, status);
	else if (is_path_error(status) || (may_pass(status) && may_repeat(r)))
		pause_and_repeat(r);
	else
		finish(r, error_of(status));
}

/* -------------------------------------------------------------------- submit
 */

void request_send_on(struct nvmei_way *w, struct nvmei_request *r)
{
	r->way = w->number;
	make_command(r);
	r->command.done = answered;
	queue_submit(&w->ctrl->life->io, &r->command);
}

static bool supported(const struct nvmei_volume *v, enum block_op op)
{
	switch (op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
	case BLOCK_FLUSH:
		return true;
	case BLOCK_WRITE_ZEROES:
		return v->oncs & NVME_ONCS_WRITE_ZEROES;
	case BLOCK_DEALLOCATE:
		return v->oncs & NVME_ONCS_DSM;
	case BLOCK_COMPARE:
		return v->oncs & NVME_ONCS_COMPARE;
	default:
		return false;
	}
}

static int check(const struct nvmei_volume *v, const struct nvmei_request *r)
{
	uint64_t size = v->info.blocks << v->block_shift;
	uint64_t max = has_data(r) ? v->info.max_transfer
				   : (uint64_t)65536 << v->block_shift;

	if (!supported(v, r->op))
		return -EOPNOTSUPP;
	if (r->op == BLOCK_FLUSH)
		return 0;
	if ((r->offset | r->length) & (v->info.block_size - 1))
		return -EINVAL;
	if (r->length == 0 || r->length > max ||
	    (has_data(r) && r->niov > NVMEI_IOV_MAX))
		return -EINVAL;
	return r->offset > size || r->length > size - r->offset ? -ENOSPC : 0;
}

void nvmei_submit(struct nvmei_volume *v, struct nvmei_request *r)
{
	int rc = check(v, r);
	struct path *p;

	if (rc == 0 && list_empty(&v->ways))
		rc = -ENODEV;
	if (rc < 0) {
		r->done(r, rc);
		return;
	}
	r->volume = nvmei_volume_get(v);
	r->repeats = 0;
	r->begun = reactor_now();
	timer_init(&r->again, again);
	r->path = (struct path_request){
		/* What reads only may run twice.  COMPARE, too; but its data
		 * may still be on their way out of the caller's memory. */
		.needs_fence = r->op != BLOCK_READ && r->op != BLOCK_FLUSH &&
			       !v->host->options.reissue_at_once,
		.bytes = has_data(r) ? r->length : 0,
	};
	list_init(&r->path.link);
	list_append(&v->requests, &r->link);
	p = path_group_submit(v->group, &r->path, reactor_now());
	if (p != NULL)
		request_send_on(path_owner(p), r);
	volume_arm(v);
}

/* A writer that has not ended yet may still read the data. */
int nvmei_cancel(struct nvmei_request *r)
{
	struct nvmei_life *lost;

	if (r->path.state == PATH_REQ_INFLIGHT)
		return -EBUSY;
	if (r->path.path != NULL) {
		lost = ((struct nvmei_way *)path_owner(r->path.path))
			       ->ctrl->lost;
		if (lost != NULL && lost->io.writing)
			return -EBUSY;
	}
	reactor_timer_cancel(&r->again);
	path_request_cancel(r->volume->group, &r->path);
	request_end(r, -ECANCELED);
	return 0;
}

bool nvmei_is_fencing(const struct nvmei_volume *v)
{
	return path_group_is_fencing(v->group);
}

static void wake(struct nvmei_request *r, int error)
{
	completion_done(r->waiter, error);
}

int nvmei_do(struct nvmei_volume *v, struct nvmei_request *r)
{
	struct completion c;

	completion_init(&c);
	r->waiter = &c;
	r->done = wake;
	nvmei_submit(v, r);
	return completion_wait(&c);
}
