/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identify (NVMe Base 2.3, 5.2.13): what the controller, the subsystem and its
 * namespaces are.
 *
 * A namespace that is not there, or that the host may not see, is *inactive*:
 * its data structures are all zero.  There is no namespace management, so what
 * is allocated is what is active.
 */
#include "nvme/target/internal.h"

enum {
	NSID_LIST_MAX = NVME_IDENTIFY_SIZE / 4,
	CNTLID_LIST_MAX = NVME_IDENTIFY_SIZE / 2 - 1,
	ANA_SECONDS = 10, /* at most in the change state */
	ABORTS = 4,	  /* at once */
};

static int invalid_field(void)
{
	return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
}

void nvmet_put_text(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	memset(to, ' ', size);
	memcpy(to, text, MIN(len, size));
}

static unsigned log2_floor(uint32_t n)
{
	return 31 - __builtin_clz(n);
}

void nvmet_firmware_revision(char to[8])
{
	nvmet_put_text(to, 8, HAWSER_VERSION);
}

/* ------------------------------------------------------------- controller */

/* What controllers of both types say. */
static void set_common(const struct nvmet_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	const struct nvmet_transport *conf = &ctrl->t->conf;

	nvmet_put_text(id->sn, sizeof(id->sn), ctrl->s->serial);
	nvmet_put_text(id->mn, sizeof(id->mn), ctrl->s->model);
	nvmet_firmware_revision(id->fr);
	id->mdts = log2_floor(conf->max_io_size / 4096);
	id->cntlid = ctrl->cntlid;
	id->ver = NVMET_VERSION;
	id->oaes = nvmet_aer_supported(ctrl);
	id->ctratt = NVME_CTRATT_HIDS | NVME_CTRATT_TBKAS;
	id->acl = ABORTS - 1;
	id->aerl = NVMET_AER_MAX - 1;
	id->lpa = NVME_LPA_LPEDS | NVME_LPA_MLPS;
	id->elpe = NVMET_ERRORS_KEPT - 1;
	id->kas = conf->kas;
	id->sqes = 0x66; /* 64 bytes, and 16: the only sizes */
	id->cqes = 0x44;
	id->maxcmd = conf->max_queue_depth;
	id->sgls = NVME_SGLS_BYTE | NVME_SGLS_IN_CAPSULE | NVME_SGLS_TRANSPORT;
	memcpy(id->subnqn, ctrl->s->nqn, strlen(ctrl->s->nqn));
	id->iorcsz = sizeof(struct nvme_cqe) / 16;
	id->msdbd = 1;
}

static void set_ana(const struct nvmet_subsystem *s, struct nvme_id_ctrl *id)
{
	if (!s->ana_reporting)
		return;
	id->cmic |= NVME_CMIC_ANARS;
	id->anatt = ANA_SECONDS;
	id->anacap = NVME_ANACAP_OPTIMIZED | NVME_ANACAP_NON_OPTIMIZED |
		     NVME_ANACAP_INACCESSIBLE | NVME_ANACAP_PERSISTENT_LOSS |
		     NVME_ANACAP_CHANGE;
	id->anagrpmax = NVMET_ANA_GROUP_MAX;
	/* The log page tells of groups that are not empty. */
	id->nanagrpid = s->max_namespaces;
}

/* Of an I/O controller. */
static void set_io(const struct nvmet_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->cntrltype = NVME_CNTRLTYPE_IO;
	id->cmic = NVME_CMIC_MPORTS | NVME_CMIC_MCTRS;
	id->ciu = ctrl->ciu;
	id->cirn = ctrl->cirn;
	id->cqt = NVMET_CQT_MS;
	id->ccrl = NVMET_CCR_MAX;
	id->lpa |= NVME_LPA_CSES;
	id->frmw = 1 << 1 | 1 << 0; /* one slot, read-only */
	id->nn = ctrl->s->max_namespaces;
	id->mnan = ctrl->s->max_namespaces;
	id->oncs = NVME_ONCS_COMPARE | NVME_ONCS_DSM | NVME_ONCS_WRITE_ZEROES |
		   NVME_ONCS_SAVE_SELECT | NVME_ONCS_RESERVATIONS;
	id->vwc = NVME_VWC_PRESENT | NVME_VWC_FLUSH_NO_BROADCAST;
	id->ioccsz =
		(sizeof(struct nvme_sqe) + ctrl->t->conf.in_capsule_data_size) /
		16;
	set_ana(ctrl->s, id);
}

static int controller(struct nvmet_cmd *cmd)
{
	const struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvme_id_ctrl *id = (void *)cmd->data;

	set_common(ctrl, id);
	if (ctrl->s->is_discovery) {
		id->cntrltype = NVME_CNTRLTYPE_DISCOVERY;
		id->dctype = NVME_DCTYPE_DDC;
		id->ioccsz = sizeof(struct nvme_sqe) / 16;
	} else {
		set_io(ctrl, id);
	}
	return 0;
}

/* -------------------------------------------------------------- namespace */

static bool is_nsid(const struct nvmet_cmd *cmd)
{
	return cmd->sqe.nsid > 0 &&
	       cmd->sqe.nsid <= cmd->q->ctrl->s->max_namespaces;
}

/* No more than its identity and access state is told by a closed way. */
static bool is_closed(const struct nvmet_cmd *cmd, const struct nvmet_ns *ns)
{
	enum nvmet_ana state = nvmet_ana_of(cmd->q->ctrl, ns);

	return state == NVMET_ANA_INACCESSIBLE ||
	       state == NVMET_ANA_PERSISTENT_LOSS;
}

static uint8_t nsattr(const struct nvmet_ns *ns)
{
	return block_read_only(ns->device) ? NVME_NSATTR_WP : 0;
}

static uint32_t anagrpid(const struct nvmet_ns *ns)
{
	return ns->s->ana_reporting ? atomic_load(&ns->anagrpid) : 0;
}

static void describe(const struct nvmet_cmd *cmd, const struct nvmet_ns *ns,
		     struct nvme_id_ns *id)
{
	uint64_t blocks = block_count(ns->device);
	uint64_t bytes = blocks << ns->shift;

	id->nsze = id->ncap = blocks;
	id->nuse = is_closed(cmd, ns) ? 0 : blocks;
	id->nmic = NVME_NMIC_SHARED;
	id->rescap = NVME_RESCAP_TYPES | NVME_RESCAP_IEKEY13;
	if (block_supports(ns->device, BLOCK_DEALLOCATE))
		id->dlfeat = NVME_DLFEAT_ZEROES | NVME_DLFEAT_WZ_DEAC;
	memcpy(id->nvmcap, &bytes, sizeof(bytes));
	id->anagrpid = anagrpid(ns);
	id->nsattr = nsattr(ns);
	memcpy(id->nguid, ns->nguid, sizeof(id->nguid));
	memcpy(id->eui64, ns->eui64, sizeof(id->eui64));
	id->lbaf[0].lbads = ns->shift;
}

/* That of all namespaces is for namespace management, which there is not. */
static int namespace(struct nvmet_cmd *cmd)
{
	struct nvmet_ns *ns = nvmet_ns_of(cmd->q->ctrl, cmd->sqe.nsid);

	if (!is_nsid(cmd))
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	if (ns != NULL)
		describe(cmd, ns, (void *)cmd->data);
	return 0;
}

static int independent_namespace(struct nvmet_cmd *cmd)
{
	struct nvmet_ns *ns = nvmet_ns_of(cmd->q->ctrl, cmd->sqe.nsid);
	struct nvme_id_ns_independent *id = (void *)cmd->data;

	if (!is_nsid(cmd))
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	if (ns == NULL)
		return 0;
	id->nmic = NVME_NMIC_SHARED;
	id->rescap = NVME_RESCAP_TYPES | NVME_RESCAP_IEKEY13;
	id->anagrpid = anagrpid(ns);
	id->nsattr = nsattr(ns);
	id->nstat = NVME_NSTAT_NRDY;
	return 0;
}

static uint8_t *put_descriptor(uint8_t *at, uint8_t type, const void *id,
			       uint8_t len)
{
	struct nvme_ns_descriptor *d = (void *)at;

	d->nidt = type;
	d->nidl = len;
	memcpy(d->nid, id, len);
	return at + sizeof(*d) + len;
}

static int descriptors(struct nvmet_cmd *cmd)
{
	struct nvmet_ns *ns = nvmet_ns_of(cmd->q->ctrl, cmd->sqe.nsid);
	static const uint8_t csi = NVME_CSI_NVM;
	uint8_t *at = cmd->data;

	if (ns == NULL)
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	at = put_descriptor(at, NVME_NIDT_UUID, ns->uuid, 16);
	at = put_descriptor(at, NVME_NIDT_NGUID, ns->nguid, 16);
	if (ns->has_eui64)
		at = put_descriptor(at, NVME_NIDT_EUI64, ns->eui64, 8);
	put_descriptor(at, NVME_NIDT_CSI, &csi, 1);
	return 0;
}

/* ------------------------------------------------------------------- lists */

/* Those above the nsid of the command. */
static int nsid_list(struct nvmet_cmd *cmd)
{
	const struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	uint32_t *list = (void *)cmd->data;
	uint32_t nsid = cmd->sqe.nsid;
	size_t n = 0;

	if (nsid >= NVME_NSID_ALL - 1)
		return NVME_SC_INVALID_NS | NVME_SC_DNR;
	while (nsid++ < ctrl->s->max_namespaces && n < NSID_LIST_MAX)
		if (nvmet_ns_of(ctrl, nsid) != NULL)
			list[n++] = nsid;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Those from the one that the command names; for a namespace only those that
 * see it. */
static int cntlid_list(struct nvmet_cmd *cmd)
{
	struct nvmet_subsystem *s = cmd->q->ctrl->s;
	bool of_namespace =
		(cmd->sqe.cdw10 & 0xff) == NVME_CNS_NS_CONTROLLER_LIST;
	uint16_t from = cmd->sqe.cdw10 >> 16;
	uint16_t *list = (void *)cmd->data;
	const struct nvmet_ctrl *ctrl;
	struct nvmet_ns *ns = NULL;
	size_t n = 0;

	if (of_namespace) {
		ns = nvmet_ns_of(cmd->q->ctrl, cmd->sqe.nsid);
		if (ns == NULL)
			return NVME_SC_INVALID_NS | NVME_SC_DNR;
	}
	pthread_mutex_lock(&s->t->lock);
	list_for_each (ctrl, &s->ctrls, link)
		if (ctrl->cntlid >= from && n < CNTLID_LIST_MAX &&
		    (ns == NULL || nvmet_ns_seen(ctrl, ns)))
			list[1 + n++] = ctrl->cntlid;
	pthread_mutex_unlock(&s->t->lock);
	list[0] = n;
	qsort(list + 1, n, sizeof(list[0]), by_value);
	return 0;
}

/* ------------------------------------------------------- I/O command sets */

/* Of the NVM Command Set (NVM 4.1.5.3): no protection information. */
static int nvm_namespace(struct nvmet_cmd *cmd)
{
	return is_nsid(cmd) ? 0 : NVME_SC_INVALID_NS | NVME_SC_DNR;
}

/* Write Zeroes transfers nothing, so it may be as long as its NLB says: 2^16
 * blocks of 512 bytes at least. */
static int nvm_controller(struct nvmet_cmd *cmd)
{
	struct nvme_id_ctrl_nvm *id = (void *)cmd->data;

	id->wzsl = log2_floor((NVME_RW_NLB + 1) * 512 / 4096);
	return 0;
}

/* One combination: the NVM Command Set alone. */
static int io_command_sets(struct nvmet_cmd *cmd)
{
	uint16_t cntlid = cmd->sqe.cdw10 >> 16;
	uint64_t combination = 1 << NVME_CSI_NVM;

	if (cntlid != 0xffff && cntlid != cmd->q->ctrl->cntlid)
		return invalid_field();
	memcpy(cmd->data, &combination, sizeof(combination));
	return 0;
}

/* --------------------------------------------------------------- dispatch */

static const struct {
	int (*fill)(struct nvmet_cmd *cmd);
	bool of_command_set; /* the command says of which one */
} structures[] = {
	[NVME_CNS_NAMESPACE] = { namespace },
	[NVME_CNS_CONTROLLER] = { controller },
	[NVME_CNS_ACTIVE_LIST] = { nsid_list },
	[NVME_CNS_DESCRIPTORS] = { descriptors },
	[NVME_CNS_CSI_NAMESPACE] = { nvm_namespace, true },
	[NVME_CNS_CSI_CONTROLLER] = { nvm_controller, true },
	[NVME_CNS_CSI_ACTIVE_LIST] = { nsid_list, true },
	[NVME_CNS_INDEPENDENT_NAMESPACE] = { independent_namespace },
	[NVME_CNS_ALLOCATED_LIST] = { nsid_list },
	[NVME_CNS_ALLOCATED_NAMESPACE] = { namespace },
	[NVME_CNS_NS_CONTROLLER_LIST] = { cntlid_list },
	[NVME_CNS_CONTROLLER_LIST] = { cntlid_list },
	[NVME_CNS_IO_COMMAND_SETS] = { io_command_sets },
};

int nvmet_identify(struct nvmet_cmd *cmd)
{
	uint8_t cns = cmd->sqe.cdw10, csi = cmd->sqe.cdw11 >> 24;

	if (cns >= ARRAY_SIZE(structures) || structures[cns].fill == NULL)
		return invalid_field();
	if (cmd->q->ctrl->s->is_discovery && cns != NVME_CNS_CONTROLLER)
		return invalid_field();
	if (structures[cns].of_command_set && csi != NVME_CSI_NVM)
		return NVME_SC_INVALID_IOCS | NVME_SC_DNR;
	return structures[cns].fill(cmd);
}
