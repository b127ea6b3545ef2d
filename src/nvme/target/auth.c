/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DH-HMAC-CHAP on a queue (NVMe Base 2.3, 8.3.4): the commands that carry the
 * messages of nvme/auth.
 *
 *	Connect: the host has a key ─▶ must_auth: nothing but these commands
 *	AUTH_Send ─▶ an exchange begins; AUTH_Receive, AUTH_Send, … in turn
 *	done      ─▶ must_auth is over; the host may begin another later
 *	failed    ─▶ the queue ends, after the host has had time to see why
 *
 * It has to be done NVMET_SETUP_TIMEOUT after the connection was accepted.
 * Steps are computed on a worker thread; a queue has one in progress.
 */
#include "nvme/auth/auth.h"
#include "base/log.h"
#include "nvme/target/internal.h"

enum { SECP_NVME = 0xe9, SPSP = 1 };

#define FAILED_LINGER SEC(1)

bool nvmet_auth_wanted_locked(struct nvmet_subsystem *s, const char *host_nqn)
{
	const struct nvmet_host_entry *h =
		nvmet_find_host_locked(&s->hosts, host_nqn);

	return h != NULL && h->dhchap_key != NULL;
}

uint32_t nvmet_auth_length(const struct nvme_sqe *sqe)
{
	return ((const struct nvme_auth_cmd *)sqe)->length;
}

void nvmet_auth_wait(struct nvmet_queue *q)
{
	while (q->auth_lingers)
		waitq_wait(&q->auth_change, NSEC_NEVER);
}

void nvmet_auth_free(struct nvmet_queue *q)
{
	nvme_auth_destroy(q->auth);
	q->auth = NULL;
}

/* ----------------------------------------------------------------- exchange */

static int get_secrets_locked(const struct nvmet_ctrl *ctrl,
			      struct nvme_auth_options *o)
{
	const struct nvmet_host_entry *h =
		nvmet_find_host_locked(&ctrl->s->hosts, ctrl->host_nqn);

	if (h == NULL || h->dhchap_key == NULL)
		return -1;
	if (nvme_secret_parse(&o->host_secret, NVME_SECRET_DHCHAP,
			      h->dhchap_key) < 0)
		return -1;
	if (h->dhchap_ctrlr_key == NULL)
		return 0;
	return nvme_secret_parse(&o->ctrl_secret, NVME_SECRET_DHCHAP,
				 h->dhchap_ctrlr_key);
}

static int begin(struct nvmet_queue *q)
{
	struct nvmet_ctrl *ctrl = q->ctrl;
	struct nvme_auth_options o = { .host_nqn = ctrl->host_nqn,
				       .subsystem_nqn = ctrl->s->nqn };
	int rc;

	pthread_mutex_lock(&q->t->lock);
	rc = get_secrets_locked(ctrl, &o);
	pthread_mutex_unlock(&q->t->lock);
	if (rc == 0)
		rc = nvme_auth_create(true, &o, &q->auth);
	nvme_secret_wipe(&o.host_secret);
	nvme_secret_wipe(&o.ctrl_secret);
	return rc < 0 ? NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR : 0;
}

/* The reply goes out before the connection ends; with that of a host which was
 * trusted until now, its controller. */
static int fail(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = nvmet_queue_ref(cmd->q);
	struct nvmet_ctrl *ctrl = nvmet_ctrl_ref(q->ctrl);
	nsec deadline = reactor_now() + FAILED_LINGER;
	bool was_trusted = !q->must_auth;

	q->must_auth = q->auth_lingers = true;
	log_warn("nvme %s: %s does not authenticate: %s", ctrl->s->nqn,
		 ctrl->host_nqn, nvme_auth_reason(q->auth));
	nvmet_cmd_end(cmd, 0);
	while (!q->ending && reactor_now() < deadline)
		waitq_wait(&q->auth_change, deadline);
	if (!q->ending && was_trusted)
		nvmet_ctrl_end(ctrl);
	nvmet_queue_end(q, "authentication failed");
	q->auth_lingers = false;
	waitq_wake_all(&q->auth_change);
	nvmet_ctrl_put(ctrl);
	nvmet_queue_put(q);
	return NVMET_LATER;
}

/* A step has been made. */
static int settle(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;

	switch (nvme_auth_state(q->auth)) {
	case NVME_AUTH_SENDS:
	case NVME_AUTH_RECEIVES:
		q->auth_busy = false;
		return 0;
	case NVME_AUTH_DONE:
		q->auth_busy = false;
		q->must_auth = false;
		nvmet_auth_free(q);
		return 0;
	case NVME_AUTH_FAILED:
		return fail(cmd); /* stays busy */
	}
	return NVME_SC_INTERNAL_ERROR;
}

/* ----------------------------------------------------------------- commands */

struct step {
	struct nvme_auth *auth;
	uint8_t message[NVME_AUTH_MESSAGE_MAX];
	size_t len;
};

static int receive_step(void *arg)
{
	struct step *s = arg;

	nvme_auth_receive(s->auth, s->message, s->len);
	return 0;
}

static int send_step(void *arg)
{
	struct step *s = arg;

	s->len = nvme_auth_send(s->auth, s->message);
	return 0;
}

static int take(struct nvmet_cmd *cmd)
{
	struct step s = { .auth = cmd->q->auth, .len = cmd->length };

	memcpy(s.message, cmd->data, s.len);
	offload(receive_step, &s);
	return settle(cmd);
}

static int make(struct nvmet_cmd *cmd)
{
	struct step s = { .auth = cmd->q->auth };

	offload(send_step, &s);
	if (s.len > cmd->length) {
		nvmet_queue_end(cmd->q,
				"no room for an authentication message");
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	}
	memcpy(cmd->data, s.message, s.len);
	return settle(cmd);
}

static int check(const struct nvmet_cmd *cmd)
{
	const struct nvme_auth_cmd *c = (void *)&cmd->sqe;

	if (cmd->q->ctrl == NULL || cmd->q->auth_busy)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	if (c->secp != SECP_NVME || c->spsp0 != SPSP || c->spsp1 != SPSP ||
	    c->length == 0)
		return NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	return 0;
}

static int start(struct nvmet_cmd *cmd, int (*fn)(struct nvmet_cmd *cmd))
{
	int status;

	cmd->q->auth_busy = true;
	status = nvmet_cmd_in_task(cmd, fn);
	if (status != NVMET_LATER)
		cmd->q->auth_busy = false;
	return status;
}

int nvmet_auth_send(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;
	int status = check(cmd);

	if (status == 0 && cmd->length > NVME_AUTH_MESSAGE_MAX)
		status = NVME_SC_INVALID_FIELD | NVME_SC_DNR;
	if (status == 0 && q->auth == NULL)
		status = begin(q);
	if (status != 0)
		return status;
	if (nvme_auth_state(q->auth) != NVME_AUTH_RECEIVES)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	return start(cmd, take);
}

int nvmet_auth_receive(struct nvmet_cmd *cmd)
{
	struct nvmet_queue *q = cmd->q;
	int status = check(cmd);

	if (status != 0)
		return status;
	if (q->auth == NULL || nvme_auth_state(q->auth) != NVME_AUTH_SENDS)
		return NVME_SC_COMMAND_SEQUENCE | NVME_SC_DNR;
	return start(cmd, make);
}
