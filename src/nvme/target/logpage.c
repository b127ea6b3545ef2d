/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get Log Page (NVMe Base 2.3, 5.2.12): the table of pages, and those that do
 * not belong to another file.  Any part of a page can be asked for, by an
 * offset in bytes; what is asked for beyond its end is zero.
 */
#include "nvme/target/internal.h"

/* Puts the part of the page that begins at `from` into the command's data, and
 * says how long the whole is.  A status. */
typedef int log_fn(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size);

static int invalid_field(void)
{
	return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
}

/* ------------------------------------------------ error information (01h) */

/* Any reactor of the controller's queues. */
void nvmet_log_error(const struct nvmet_cmd *cmd, uint16_t status)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvme_error_entry e = {
		.sqid = cmd->q->qid,
		.cid = cmd->sqe.cid,
		.status = status << 1,
		.location = 0xffff, /* not of a parameter */
		.nsid = cmd->sqe.opc == NVME_OPC_FABRICS ? 0 : cmd->sqe.nsid,
		.trtype = NVME_TRTYPE_TCP,
		.opc = cmd->sqe.opc,
		.lpver = 1,
	};

	if (cmd->q->qid > 0 && cmd->sqe.opc != NVME_OPC_FABRICS)
		e.lba = nvme_slba(&cmd->sqe);
	pthread_mutex_lock(&ctrl->errors.lock);
	e.error_count = ++ctrl->errors.count;
	ctrl->errors.last[e.error_count % NVMET_ERRORS_KEPT] = e;
	pthread_mutex_unlock(&ctrl->errors.lock);
	if ((status & NVME_SC_MASK) == NVME_SC_INTERNAL_ERROR)
		nvmet_event(ctrl, NVMET_EVENT_ERROR, 0);
}

/* The newest first. */
static int errors(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	struct nvmet_errors *errors = &cmd->q->ctrl->errors;
	const struct nvme_error_entry *e;
	uint64_t count;

	pthread_mutex_lock(&errors->lock);
	count = errors->count;
	for (size_t i = 0; i < MIN(count, (uint64_t)NVMET_ERRORS_KEPT); i++) {
		e = &errors->last[(count - i) % NVMET_ERRORS_KEPT];
		nvmet_cmd_put(cmd, from, i * sizeof(*e), e, sizeof(*e));
	}
	pthread_mutex_unlock(&errors->lock);
	*size = NVMET_ERRORS_KEPT * sizeof(*e);
	return 0;
}

static uint64_t count_errors(struct nvmet_errors *errors)
{
	uint64_t count;

	pthread_mutex_lock(&errors->lock);
	count = errors->count;
	pthread_mutex_unlock(&errors->lock);
	return count;
}

/* ------------------------------------------- SMART, firmware (02h and 03h) */

/* What went to and from the devices of the namespaces that the host sees, by
 * whatever way. */
static void add_device(struct nvme_smart_log *log, uint64_t *read,
		       uint64_t *written, const struct nvmet_ns *ns)
{
	struct block_stats s;

	block_get_stats(ns->device, &s);
	*read += s.bytes[BLOCK_READ];
	*written += s.bytes[BLOCK_WRITE];
	log->hrc[0] += s.ios[BLOCK_READ] + s.ios[BLOCK_COMPARE];
	log->hwc[0] += s.ios[BLOCK_WRITE];
	log->mdie[0] += s.errors;
}

static int smart(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	static const uint64_t unit = 512 * 1000;
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvme_smart_log log = { .avsp = 100 };
	uint64_t read = 0, written = 0;
	struct nvmet_ns *ns;

	if (cmd->sqe.nsid != 0 && cmd->sqe.nsid != NVME_NSID_ALL)
		return invalid_field();
	for (uint32_t nsid = 1; nsid <= ctrl->s->max_namespaces; nsid++) {
		ns = nvmet_ns_of(ctrl, nsid);
		if (ns != NULL)
			add_device(&log, &read, &written, ns);
	}
	log.dur[0] = (read + unit - 1) / unit;
	log.duw[0] = (written + unit - 1) / unit;
	log.neile[0] = count_errors(&ctrl->errors);
	nvmet_cmd_put(cmd, from, 0, &log, sizeof(log));
	*size = sizeof(log);
	return 0;
}

static int firmware(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	struct nvme_firmware_log log = { .afi = 1 };

	nvmet_firmware_revision(log.frs[0]);
	nvmet_cmd_put(cmd, from, 0, &log, sizeof(log));
	*size = sizeof(log);
	return 0;
}

/* ----------------------------------------------- changed namespaces (04h) */

/* They have been told with the page that is read without RAE. */
static int changed(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	bool retain = cmd->sqe.cdw10 & NVME_LOG_RAE;
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	uint64_t at = 0, bits;
	uint32_t nsid;

	for (size_t i = 0; i < ARRAY_SIZE(ctrl->changed_ns); i++) {
		bits = retain ? atomic_load(&ctrl->changed_ns[i])
			      : atomic_exchange(&ctrl->changed_ns[i], 0);
		for (; bits != 0; bits &= bits - 1) {
			nsid = i * 64 + __builtin_ctzll(bits);
			nvmet_cmd_put(cmd, from, at, &nsid, sizeof(nsid));
			at += sizeof(nsid);
		}
	}
	*size = NVME_CHANGED_NS_MAX * sizeof(nsid);
	return 0;
}

/* ------------------------------------------------------- effects (05h, 12h) */

static int commands(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	const struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	uint32_t effects;

	if (cmd->sqe.cdw14 >> 24 != NVME_CSI_NVM)
		return NVME_SC_INVALID_IOCS | NVME_SC_DNR;
	for (unsigned opc = 0; opc < 256; opc++) {
		effects = nvmet_admin_effects(ctrl, opc);
		nvmet_cmd_put(cmd, from,
			      offsetof(struct nvme_commands_log, acs[opc]),
			      &effects, sizeof(effects));
		effects = nvmet_io_effects(ctrl, opc);
		nvmet_cmd_put(cmd, from,
			      offsetof(struct nvme_commands_log, iocs[opc]),
			      &effects, sizeof(effects));
	}
	*size = sizeof(struct nvme_commands_log);
	return 0;
}

static int features(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	uint32_t effects;

	for (unsigned id = 0; id < 256; id++) {
		effects = nvmet_feature_effects(cmd->q->ctrl, id);
		nvmet_cmd_put(cmd, from, id * sizeof(effects), &effects,
			      sizeof(effects));
	}
	*size = 256 * sizeof(effects);
	return 0;
}

/* There is no Management Interface (13h). */
static int mi_commands(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	*size = 4096;
	return 0;
}

/* --------------------------------------------------------------- ANA (0Ch) */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The namespaces that the host sees, by group: group << 32 | nsid, in order. */
static size_t collect(const struct nvmet_ctrl *ctrl, uint64_t *out)
{
	struct nvmet_ns *ns;
	size_t n = 0;

	for (uint32_t nsid = 1; nsid <= ctrl->s->max_namespaces; nsid++) {
		ns = nvmet_ns_of(ctrl, nsid);
		if (ns != NULL)
			out[n++] = (uint64_t)atomic_load(&ns->anagrpid) << 32 |
				   nsid;
	}
	qsort(out, n, sizeof(*out), by_value);
	return n;
}

/* The group of list[0]: how many of the list are in it. */
static size_t put_group(struct nvmet_cmd *cmd, uint64_t from, uint64_t *at,
			const uint64_t *list, size_t n)
{
	const struct nvmet_way *way = cmd->q->ctrl->way;
	bool groups_only = nvme_log_lsp(&cmd->sqe) & NVME_ANA_LSP_RGO;
	uint32_t id = list[0] >> 32, nsid;
	struct nvme_ana_group group = {
		.agid = id,
		.chgcnt = way->ana_chgcnt[id],
		.ana_state = atomic_load(&way->ana[id]),
	};
	uint64_t nsids = *at + sizeof(group);
	size_t i;

	for (i = 0; i < n && list[i] >> 32 == id; i++) {
		if (groups_only)
			continue;
		nsid = list[i];
		nvmet_cmd_put(cmd, from, nsids, &nsid, sizeof(nsid));
		nsids += sizeof(nsid);
		group.nnv++;
	}
	nvmet_cmd_put(cmd, from, *at, &group, sizeof(group));
	*at = nsids;
	return i;
}

/* Of groups that have no namespaces for the host nothing is said. */
static int ana(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	struct nvmet_ctrl *ctrl = cmd->q->ctrl;
	struct nvmet_subsystem *s = ctrl->s;
	struct nvme_ana_log header = {};
	uint64_t at = sizeof(header);
	auto_free uint64_t *list = NULL;
	size_t n;

	list = malloc(s->max_namespaces * sizeof(*list));
	if (list == NULL)
		return NVME_SC_INTERNAL_ERROR;
	n = collect(ctrl, list);
	pthread_mutex_lock(&s->t->lock);
	header.chgcnt = atomic_load(&s->ana_chgcnt);
	for (size_t i = 0; i < n; header.nagd++)
		i += put_group(cmd, from, &at, list + i, n - i);
	pthread_mutex_unlock(&s->t->lock);
	nvmet_cmd_put(cmd, from, 0, &header, sizeof(header));
	*size = at;
	return 0;
}

/* ----------------------------------------- Cross-Controller Resets (1Eh) */

static int resets(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	bool remove = nvme_log_lsp(&cmd->sqe) & NVME_CCR_LSP_RMC;
	struct nvme_ccr_log log;

	nvmet_ccr_log(cmd->q->ctrl, remove, &log);
	nvmet_cmd_put(cmd, from, 0, &log, sizeof(log));
	*size = sizeof(log);
	return 0;
}

/* ------------------------------------------------------------------- table */

static log_fn supported;

static const struct log_page {
	uint8_t id;
	enum { IO = 1, DISCOVERY = 2, ANA_REPORTING = 4 } who;
	log_fn *put;
} pages[] = {
	{ NVME_LOG_SUPPORTED, IO | DISCOVERY, supported },
	{ NVME_LOG_ERROR, IO | DISCOVERY, errors },
	{ NVME_LOG_SMART, IO, smart },
	{ NVME_LOG_FIRMWARE, IO, firmware },
	{ NVME_LOG_CHANGED_NS, IO, changed },
	{ NVME_LOG_COMMANDS, IO | DISCOVERY, commands },
	{ NVME_LOG_ANA, ANA_REPORTING, ana },
	{ NVME_LOG_FEATURES, IO | DISCOVERY, features },
	{ NVME_LOG_MI_COMMANDS, IO | DISCOVERY, mi_commands },
	{ NVME_LOG_CCR, IO, resets },
	{ NVME_LOG_DISCOVERY, DISCOVERY, nvmet_discovery_log },
	{ NVME_LOG_RESERVATION, IO, nvmet_reservation_log },
};

static bool has(const struct nvmet_ctrl *ctrl, const struct log_page *p)
{
	if (ctrl->s->is_discovery)
		return p->who & DISCOVERY;
	return (p->who & IO) ||
	       ((p->who & ANA_REPORTING) && ctrl->s->ana_reporting);
}

static int supported(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	static const uint32_t lsupp = NVME_LOG_LSUPP;

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (has(cmd->q->ctrl, &pages[i]))
			nvmet_cmd_put(cmd, from, pages[i].id * sizeof(lsupp),
				      &lsupp, sizeof(lsupp));
	*size = 256 * sizeof(lsupp);
	return 0;
}

static const struct log_page *find(const struct nvmet_ctrl *ctrl, uint8_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].id == id && has(ctrl, &pages[i]))
			return &pages[i];
	return NULL;
}

int nvmet_get_log_page(struct nvmet_cmd *cmd)
{
	const struct log_page *p = find(cmd->q->ctrl, cmd->sqe.cdw10);
	uint64_t from = nvme_log_offset(&cmd->sqe), size = 0;
	int status;

	if (p == NULL)
		return NVME_SC_INVALID_LOG_PAGE | NVME_SC_DNR;
	if (from % 4 != 0 || (cmd->sqe.cdw14 & NVME_LOG_OT))
		return invalid_field();
	if (!(cmd->sqe.cdw10 & NVME_LOG_RAE))
		nvmet_aer_seen(cmd->q->ctrl, p->id);
	status = p->put(cmd, from, &size);
	if (status != 0)
		return status;
	return from <= size ? 0 : invalid_field();
}

uint32_t nvmet_log_length(const struct nvme_sqe *sqe)
{
	return MIN(nvme_log_length(sqe), (uint64_t)UINT32_MAX);
}
