/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get and Set Features (NVMe Base 2.3, 5.2.11 and 5.2.26).  A feature's value
 * belongs to the controller and lasts until it is reset; nothing is saved.
 */
#include "nvme/target/internal.h"

enum {
	TEMPERATURE_MAX = 0xffff, /* K: no upper threshold */
	TMPSEL_ALL = 0xf,
	HOST_BEHAVIOR_SIZE = 512,
	ACRE = 0, /* byte of it: Advanced Command Retry Enable */
};

enum { /* capabilities, as Get Features tells them */
       PER_NS = 1 << 1,
       CHANGEABLE = 1 << 2,
};

struct feature {
	uint8_t id, flags;
	bool discovery;		/* discovery controllers have it, too */
	uint32_t initial, bits; /* its default, and what may be set in it */
	/* NULL: it is a value that is kept. */
	int (*set)(struct nvmet_cmd *cmd);
	int (*get)(struct nvmet_cmd *cmd, bool initial);
};

static int invalid_field(void)
{
	return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
}

static uint32_t *value_of(const struct nvmet_cmd *cmd)
{
	return &cmd->q->ctrl->features[cmd->sqe.cdw10 & 0xff];
}

/* ------------------------------------------------------ temperature (04h) */

/* THSEL 21:20, TMPSEL 19:16.  There is no sensor, so nothing is ever over a
 * threshold; the composite temperature's are kept. */
static uint32_t *threshold(const struct nvmet_cmd *cmd)
{
	unsigned which = cmd->sqe.cdw11 >> 20 & 3;
	unsigned sensor = cmd->sqe.cdw11 >> 16 & 0xf;
	bool is_set = cmd->sqe.opc == NVME_ADMIN_SET_FEATURES;

	if (which > 1 || (sensor != 0 && !(is_set && sensor == TMPSEL_ALL)))
		return NULL;
	return which == 0 ? value_of(cmd) : &cmd->q->ctrl->temperature_low;
}

static int set_temperature(struct nvmet_cmd *cmd)
{
	uint32_t *t = threshold(cmd);

	if (t == NULL)
		return invalid_field();
	*t = cmd->sqe.cdw11 & 0xffff;
	return 0;
}

static int get_temperature(struct nvmet_cmd *cmd, bool initial)
{
	uint32_t *t = threshold(cmd);

	if (t == NULL)
		return invalid_field();
	if (initial)
		cmd->cqe.dw0 = t == value_of(cmd) ? TEMPERATURE_MAX : 0;
	else
		cmd->cqe.dw0 = *t;
	return 0;
}

/* ------------------------------------------------------ write cache (06h) */

/* Without it each write of this controller is on the medium when it is done. */
static int set_write_cache(struct nvmet_cmd *cmd)
{
	if (cmd->sqe.cdw11 & ~1u)
		return invalid_field();
	atomic_store(&cmd->q->ctrl->write_through, cmd->sqe.cdw11 == 0);
	*value_of(cmd) = cmd->sqe.cdw11;
	return 0;
}

/* ------------------------------------------------- number of queues (07h) */

#define QUEUES_NOT_SET UINT32_MAX

static uint32_t queues(const struct nvmet_cmd *cmd, uint32_t n)
{
	uint32_t most = cmd->q->t->conf.max_io_qpairs_per_ctrlr;

	return MIN(n, most) - 1;
}

static int set_queues(struct nvmet_cmd *cmd)
{
	uint32_t sq = cmd->sqe.cdw11 & 0xffff, cq = cmd->sqe.cdw11 >> 16;

	if (sq == 0xffff || cq == 0xffff)
		return invalid_field();
	if (nvmet_ctrl_has_io_queues(cmd->q->ctrl))
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	*value_of(cmd) = queues(cmd, cq + 1) << 16 | queues(cmd, sq + 1);
	cmd->cqe.dw0 = *value_of(cmd);
	return 0;
}

static int get_queues(struct nvmet_cmd *cmd, bool initial)
{
	uint32_t most = queues(cmd, UINT32_MAX);

	cmd->cqe.dw0 = *value_of(cmd);
	if (initial || *value_of(cmd) == QUEUES_NOT_SET)
		cmd->cqe.dw0 = most << 16 | most;
	return 0;
}

/* ---------------------------------- asynchronous events (0Bh), keep alive */

static int set_events(struct nvmet_cmd *cmd)
{
	return nvmet_aer_configure(cmd->q->ctrl, cmd->sqe.cdw11);
}

static int get_events(struct nvmet_cmd *cmd, bool initial)
{
	cmd->cqe.dw0 = initial ? 0 : cmd->q->ctrl->async_config;
	return 0;
}

static int set_keep_alive(struct nvmet_cmd *cmd)
{
	uint32_t kato = nvmet_round_kato(cmd->q->t, cmd->sqe.cdw11);

	atomic_store(&cmd->q->ctrl->kato_ms, kato);
	return 0;
}

static int get_keep_alive(struct nvmet_cmd *cmd, bool initial)
{
	cmd->cqe.dw0 = initial ? 0 : atomic_load(&cmd->q->ctrl->kato_ms);
	return 0;
}

/* ---------------------------------------------------- host behavior (16h) */

/* Command Retry Delays are not used, so ACRE changes nothing; the rest of the
 * structure is about what this controller does not have. */
static int set_behavior(struct nvmet_cmd *cmd)
{
	if (cmd->data[ACRE] > 1)
		return invalid_field();
	for (size_t i = ACRE + 1; i < HOST_BEHAVIOR_SIZE; i++)
		if (cmd->data[i] != 0)
			return invalid_field();
	*value_of(cmd) = cmd->data[ACRE];
	return 0;
}

static int get_behavior(struct nvmet_cmd *cmd, bool initial)
{
	if (!initial)
		cmd->data[ACRE] = *value_of(cmd);
	return 0;
}

/* ---------------------------------------------------------- host id (81h) */

/* It comes with Connect, and is of 128 bits. */
static int set_host_id(struct nvmet_cmd *cmd)
{
	return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
}

static int get_host_id(struct nvmet_cmd *cmd, bool initial)
{
	const struct nvmet_ctrl *ctrl = cmd->q->ctrl;

	if (!(cmd->sqe.cdw11 & NVME_HOST_ID_EXHID))
		return invalid_field();
	nvmet_cmd_put(cmd, 0, 0, ctrl->host_id, sizeof(ctrl->host_id));
	return 0;
}

/* ------------------------------------------------------------------- table */

static const struct feature features[] = {
	{ NVME_FEAT_ARBITRATION, CHANGEABLE, .initial = 7, .bits = 0xffffff07 },
	{ NVME_FEAT_POWER, CHANGEABLE, .bits = 7 << 5 }, /* one state: 0 */
	{ NVME_FEAT_TEMPERATURE, CHANGEABLE, .initial = TEMPERATURE_MAX,
	  .set = set_temperature, .get = get_temperature },
	{ NVME_FEAT_ERROR_RECOVERY, PER_NS },
	{ NVME_FEAT_WRITE_CACHE, CHANGEABLE, .initial = 1,
	  .set = set_write_cache },
	{ NVME_FEAT_QUEUES, CHANGEABLE, .initial = QUEUES_NOT_SET,
	  .set = set_queues, .get = get_queues },
	{ NVME_FEAT_WRITE_ATOMICITY, CHANGEABLE, .bits = 1 },
	{ NVME_FEAT_ASYNC_EVENTS, CHANGEABLE, true, .set = set_events,
	  .get = get_events },
	{ NVME_FEAT_KEEP_ALIVE, CHANGEABLE, true, .set = set_keep_alive,
	  .get = get_keep_alive },
	{ NVME_FEAT_HOST_BEHAVIOR, CHANGEABLE, .set = set_behavior,
	  .get = get_behavior },
	{ NVME_FEAT_IOCS_PROFILE },
	{ NVME_FEAT_HOST_ID, .set = set_host_id, .get = get_host_id },
	{ NVME_FEAT_RESV_MASK, CHANGEABLE | PER_NS,
	  .set = nvmet_reservation_set_mask,
	  .get = nvmet_reservation_get_mask },
	{ NVME_FEAT_RESV_PERSIST, PER_NS },
};

static const struct feature *find(const struct nvmet_ctrl *ctrl, uint8_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].id == id &&
		    (features[i].discovery || !ctrl->s->is_discovery))
			return &features[i];
	return NULL;
}

uint32_t nvmet_feature_effects(const struct nvmet_ctrl *ctrl, uint8_t id)
{
	const struct feature *f = find(ctrl, id);

	if (f == NULL)
		return 0;
	return NVME_FSE_FSUPP |
	       (f->flags & PER_NS ? NVME_FSE_NS_SCOPE : NVME_FSE_CTRL_SCOPE);
}

void nvmet_features_reset(struct nvmet_ctrl *ctrl)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		ctrl->features[features[i].id] = features[i].initial;
	ctrl->temperature_low = 0;
	atomic_store(&ctrl->write_through, false);
}

/* ---------------------------------------------------------------- commands */

/* Of features that are for each namespace: which one; NVME_NSID_ALL: all that
 * the host sees. */
static bool is_ns(const struct nvmet_cmd *cmd)
{
	return cmd->sqe.nsid == NVME_NSID_ALL ||
	       nvmet_ns_of(cmd->q->ctrl, cmd->sqe.nsid) != NULL;
}

static int keep(struct nvmet_cmd *cmd, const struct feature *f)
{
	uint32_t value = cmd->sqe.cdw11;

	if (!(f->flags & CHANGEABLE))
		return value == f->initial
			       ? 0
			       : NVME_SC_FEATURE_NOT_CHANGEABLE | NVME_SC_DNR;
	if (value & ~f->bits)
		return invalid_field();
	*value_of(cmd) = value;
	return 0;
}

int nvmet_set_features(struct nvmet_cmd *cmd)
{
	const struct feature *f = find(cmd->q->ctrl, cmd->sqe.cdw10);
	uint32_t nsid = cmd->sqe.nsid;

	if (f == NULL)
		return invalid_field();
	if (cmd->sqe.cdw10 & NVME_FEAT_SV)
		return NVME_SC_FEATURE_NOT_SAVEABLE | NVME_SC_DNR;
	if (!(f->flags & PER_NS) && nsid != 0 && nsid != NVME_NSID_ALL)
		return NVME_SC_FEATURE_NOT_PER_NS | NVME_SC_DNR;
	if ((f->flags & PER_NS) && !is_ns(cmd))
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	return f->set != NULL ? f->set(cmd) : keep(cmd, f);
}

static int get(struct nvmet_cmd *cmd, const struct feature *f, bool initial)
{
	if (f->get != NULL)
		return f->get(cmd, initial);
	cmd->cqe.dw0 = initial ? f->initial : *value_of(cmd);
	return 0;
}

static unsigned selection(const struct nvme_sqe *sqe)
{
	return sqe->cdw10 >> 8 & 7;
}

int nvmet_get_features(struct nvmet_cmd *cmd)
{
	const struct feature *f = find(cmd->q->ctrl, cmd->sqe.cdw10);

	if (f == NULL)
		return invalid_field();
	switch (selection(&cmd->sqe)) {
	case NVME_FEAT_SEL_CURRENT:
		if ((f->flags & PER_NS) && !is_ns(cmd))
			return NVME_SC_INVALID_NS | NVME_SC_DNR;
		return get(cmd, f, false);
	case NVME_FEAT_SEL_DEFAULT:
	case NVME_FEAT_SEL_SAVED: /* nothing is: the default */
		return get(cmd, f, true);
	case NVME_FEAT_SEL_SUPPORTED:
		cmd->cqe.dw0 = f->flags;
		return 0;
	default:
		return invalid_field();
	}
}

uint32_t nvmet_feature_length(const struct nvme_sqe *sqe)
{
	if (sqe->opc == NVME_ADMIN_GET_FEATURES &&
	    selection(sqe) == NVME_FEAT_SEL_SUPPORTED)
		return 0;
	switch (sqe->cdw10 & 0xff) {
	case NVME_FEAT_HOST_BEHAVIOR:
		return HOST_BEHAVIOR_SIZE;
	case NVME_FEAT_HOST_ID:
		return sqe->cdw11 & NVME_HOST_ID_EXHID ? 16 : 8;
	default:
		return 0;
	}
}
