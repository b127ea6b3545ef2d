/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are, and who the controller is: DH-HMAC-CHAP on each queue after
 * Connect (NVMe Base 2.3, 8.3.4), when the controller asks for it or we want it
 * to prove itself; and TLS under all of it (NVMe/TCP 1.1, 3.6.1), when there is
 * a key for it.  The messages are nvme/auth's; here they travel.
 */
#include "nvme/initiator/internal.h"
#include "reactor/tls.h"

#define TLS_TIMEOUT SEC(5)

enum { SECP_NVME = 0xe9, SPSP = 1 };

/* -------------------------------------------------------------------- keys */

static int parse(struct nvme_secret *s, enum nvme_secret_form form,
		 const char *text)
{
	return text != NULL ? nvme_secret_parse(s, form, text) : 0;
}

int ctrl_take_keys(struct nvmei_ctrl *c, const struct nvmei_attach *a)
{
	struct nvme_secret tls = {};
	int rc = parse(&c->keys.host, NVME_SECRET_DHCHAP, a->dhchap_key);

	if (rc == 0)
		rc = parse(&c->keys.ctrl, NVME_SECRET_DHCHAP,
			   a->dhchap_ctrlr_key);
	if (rc == 0 && c->keys.ctrl.len > 0 && c->keys.host.len == 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = parse(&tls, NVME_SECRET_TLS, a->psk);
	if (rc == 0 && tls.len > 0)
		rc = nvme_psk_derive(&c->keys.tls, &tls, c->host->nqn,
				     c->subnqn);
	nvme_secret_wipe(&tls);
	c->options.dhchap_key = c->options.dhchap_ctrlr_key = NULL;
	c->options.psk = NULL;
	return rc;
}

void ctrl_wipe_keys(struct nvmei_ctrl *c)
{
	explicit_bzero(&c->keys, sizeof(c->keys));
}

/* --------------------------------------------------------------------- TLS */

int queue_secure(struct nvmei_queue *q)
{
	/* A copy: the controller may be gone before the handshake ends. */
	struct nvme_psk psk = q->life->ctrl->keys.tls;
	struct tls_key key = { .identity = psk.identity,
			       .len = psk.len,
			       .sha384 = psk.hash == NVME_AUTH_SHA384 };
	struct stream *tls = NULL;
	int rc;

	if (psk.len == 0)
		return 0;
	memcpy(key.key, psk.key, psk.len);
	rc = tls_connect(q->stream, &key, reactor_now() + TLS_TIMEOUT, &tls);
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(&psk, sizeof(psk));
	q->stream = tls; /* NULL: it is closed */
	if (rc == -EACCES || rc == -EPROTO)
		life_reason(q->life, "no TLS with the key that was given");
	return rc;
}

/* ------------------------------------------------------------- DH-HMAC-CHAP */

/* A message on its way, and one computed by a worker thread. */
struct step {
	struct nvme_auth *auth;
	uint8_t message[NVME_AUTH_MESSAGE_MAX];
	size_t len;
};

static int take_step(void *arg)
{
	struct step *s = arg;

	nvme_auth_receive(s->auth, s->message, s->len);
	return 0;
}

static int make_step(void *arg)
{
	struct step *s = arg;

	s->len = nvme_auth_send(s->auth, s->message);
	return 0;
}

static int carry(struct nvmei_queue *q, uint8_t type, struct step *s)
{
	struct iovec iov = { s->message, s->len };
	struct nvmei_command c = {
		.iov = &iov,
		.niov = 1,
		.len = s->len,
		.to_controller = type == NVME_FCTYPE_AUTH_SEND,
		.may_be_short = type == NVME_FCTYPE_AUTH_RECEIVE,
	};
	struct nvme_auth_cmd *cmd = (void *)&c.sqe;

	cmd->opc = NVME_OPC_FABRICS;
	cmd->fctype = type;
	cmd->secp = SECP_NVME;
	cmd->spsp0 = cmd->spsp1 = SPSP;
	cmd->length = s->len;
	return queue_do(q, &c, NSEC_NEVER);
}

static int exchange(struct nvmei_queue *q, struct nvme_auth *auth)
{
	struct step s = { .auth = auth };
	int rc = 0;

	while (rc == 0) {
		switch (nvme_auth_state(auth)) {
		case NVME_AUTH_SENDS:
			offload(make_step, &s);
			rc = carry(q, NVME_FCTYPE_AUTH_SEND, &s);
			break;
		case NVME_AUTH_RECEIVES:
			memset(s.message, 0, sizeof(s.message));
			s.len = sizeof(s.message);
			rc = carry(q, NVME_FCTYPE_AUTH_RECEIVE, &s);
			if (rc == 0)
				offload(take_step, &s);
			break;
		case NVME_AUTH_DONE:
			return 0;
		case NVME_AUTH_FAILED:
			life_reason(q->life, nvme_auth_reason(auth));
			return -EACCES;
		}
	}
	return rc;
}

int queue_authenticate(struct nvmei_queue *q, uint32_t connect_dw0)
{
	const struct nvmei_ctrl *ctrl = q->life->ctrl;
	bool asked = connect_dw0 & (NVME_CONNECT_ATR | NVME_CONNECT_ASCR);
	struct nvme_auth_options o = { .host_nqn = ctrl->host->nqn,
				       .subsystem_nqn = ctrl->subnqn,
				       .host_secret = ctrl->keys.host,
				       .ctrl_secret = ctrl->keys.ctrl,
				       .hashes = ctrl->options.dhchap_hashes,
				       .groups = ctrl->options.dhchap_groups };
	struct nvme_auth *auth;
	int rc;

	if (!asked && ctrl->keys.ctrl.len == 0)
		return 0;
	if (ctrl->keys.host.len == 0) {
		life_reason(q->life, "it asks for DH-HMAC-CHAP, and there is "
				     "no key");
		return -EACCES;
	}
	rc = nvme_auth_create(false, &o, &auth);
	nvme_secret_wipe(&o.host_secret);
	nvme_secret_wipe(&o.ctrl_secret);
	if (rc < 0)
		return rc;
	rc = exchange(q, auth);
	nvme_auth_destroy(auth);
	if (q->life->dead)
		return -ECONNABORTED;
	if (rc <= 0)
		return rc;
	life_reason(q->life, "it does not do DH-HMAC-CHAP with us");
	return -EACCES;
}
