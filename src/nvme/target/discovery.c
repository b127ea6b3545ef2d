/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discovery log page (NVMe Base 2.3, 5.2.12.3.1): where a host reaches the
 * subsystems that it may connect to, and other discovery services.
 *
 * A host reads the page in pieces.  That they belong together it sees by the
 * generation counter, which it reads before and after.
 */
#include <stdio.h>

#include "nvme/target/internal.h"

struct page {
	struct nvmet_cmd *cmd;
	uint64_t from, records;
};

/* ------------------------------------------------------------------ entries */

static bool is_any(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
	return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* Who listens on all addresses is reached by the one that was asked. */
static void put_addr(struct nvme_discovery_entry *e, const struct addr *addr,
		     const struct nvmet_ctrl *ctrl)
{
	char text[ADDR_TEXT_MAX];

	e->trtype = NVME_TRTYPE_TCP;
	e->adrfam = addr->sa.sa_family == AF_INET6 ? NVME_ADRFAM_IPV6
						   : NVME_ADRFAM_IPV4;
	addr_format_host(is_any(addr) ? &ctrl->local : addr, text);
	nvmet_put_text(e->traddr, sizeof(e->traddr), text);
	snprintf(text, sizeof(text), "%u", addr_port(addr));
	nvmet_put_text(e->trsvcid, sizeof(e->trsvcid), text);
}

static void add(struct page *p, const struct nvme_discovery_entry *e)
{
	uint64_t at =
		sizeof(struct nvme_discovery_log) + p->records++ * sizeof(*e);

	nvmet_cmd_put(p->cmd, p->from, at, e, sizeof(*e));
}

/* Not worth making: nothing of it is asked for. */
static bool is_skipped(struct page *p)
{
	uint64_t at = sizeof(struct nvme_discovery_log) +
		      p->records * sizeof(struct nvme_discovery_entry);

	if (at + sizeof(struct nvme_discovery_entry) > p->from &&
	    at < p->from + p->cmd->length)
		return false;
	p->records++;
	return true;
}

static void set_secure(struct nvme_discovery_entry *e, bool secure)
{
	/* "Not required" has libnvme 1.3 ask for TLS. */
	e->treq = NVME_TREQ_NO_SQ_FLOW;
	e->treq |= secure ? NVME_TREQ_SECURE_REQUIRED
			  : NVME_TREQ_SECURE_NOT_SPECIFIED;
	e->tsas[0] = secure ? NVME_TSAS_TCP_TLS13 : NVME_TSAS_TCP_NONE;
}

/* --------------------------------------------------------------------- page */

static void add_way(struct page *p, const struct nvmet_way *way)
{
	const struct nvmet_ctrl *ctrl = p->cmd->q->ctrl;
	struct nvme_discovery_entry e = {
		.subtype = NVME_SUBTYPE_NVM,
		.portid = way->port->id,
		.cntlid = NVME_CNTLID_DYNAMIC,
		.asqsz = ctrl->t->conf.max_aq_depth,
	};

	if (is_skipped(p))
		return;
	put_addr(&e, &way->port->addr, ctrl);
	set_secure(&e, way->secure_channel);
	memcpy(e.subnqn, way->s->nqn, strlen(way->s->nqn));
	add(p, &e);
}

static void add_subsystem(struct page *p, struct nvmet_subsystem *s)
{
	const struct nvmet_way *way;

	if (s->ending ||
	    !nvmet_host_allowed_locked(s, p->cmd->q->ctrl->host_nqn))
		return;
	list_for_each (way, &s->listeners, link)
		add_way(p, way);
}

/* This service, at the port that was asked.  It says the same at all ports, so
 * hosts need not ask there. */
static void add_self(struct page *p)
{
	const struct nvmet_queue *q = p->cmd->q;
	struct nvme_discovery_entry e = {
		.subtype = NVME_SUBTYPE_CURRENT_DISCOVERY,
		.portid = q->port->id,
		.cntlid = NVME_CNTLID_DYNAMIC,
		.asqsz = q->t->conf.max_aq_depth,
		.eflags = NVME_EFLAGS_DUPRETINFO | NVME_EFLAGS_EPCSD,
		.subnqn = NVMET_DISCOVERY_NQN,
	};

	put_addr(&e, &q->port->addr, q->ctrl);
	set_secure(&e, false);
	add(p, &e);
}

static void add_referral(struct page *p, const struct nvmet_referral *r)
{
	struct nvme_discovery_entry e = {
		.subtype = NVME_SUBTYPE_REFERRAL,
		.cntlid = NVME_CNTLID_DYNAMIC,
		.asqsz = NVMET_ADMIN_DEPTH_MIN,
		.treq = NVME_TREQ_SECURE_NOT_SPECIFIED,
	};

	put_addr(&e, &r->addr, p->cmd->q->ctrl);
	memcpy(e.subnqn, r->subnqn, strlen(r->subnqn));
	add(p, &e);
}

int nvmet_discovery_log(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size)
{
	struct page p = { .cmd = cmd, .from = from };
	struct nvme_discovery_log header = {};
	struct nvmet *t = cmd->q->t;
	struct nvmet_subsystem *s;
	struct nvmet_referral *r;

	pthread_mutex_lock(&t->lock);
	header.genctr = t->discovery_genctr;
	add_self(&p);
	list_for_each (s, &t->subsystems, link)
		add_subsystem(&p, s);
	list_for_each (r, &t->referrals, link)
		add_referral(&p, r);
	pthread_mutex_unlock(&t->lock);
	header.numrec = p.records;
	nvmet_cmd_put(cmd, from, 0, &header, sizeof(header));
	*size = sizeof(header) +
		p.records * sizeof(struct nvme_discovery_entry);
	return 0;
}
