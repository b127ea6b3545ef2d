/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange.  Both sides go through the same steps; each is a message that
 * one makes and the other takes:
 *
 *	NEGOTIATE ─▶ CHALLENGE ─▶ REPLY ─▶ SUCCESS1 ─┬─▶ SUCCESS2 ─▶ OVER
 *	  host       controller   host    controller └───────────────▶ (done)
 *	     │            │          │         │
 *	     └────────────┴──────────┴─────────┴─▶ FAILURE ─▶ OVER (failed)
 *
 * The host ends with SUCCESS2 only if it challenged the controller.  Whoever
 * takes a bad message makes the FAILURE.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/util.h"
#include "nvme/auth/internal.h"
#include "nvme/auth/message.h"

enum { NQN_SIZE = 224 };

enum step { NEGOTIATE, CHALLENGE, REPLY, SUCCESS1, SUCCESS2, FAILURE, OVER };

struct nvme_auth {
	bool controller;
	enum step step;
	bool failed;
	uint8_t explanation; /* of a FAILURE that we are to send */
	const char *reason;
	struct nvme_auth_options options;

	/* What has been agreed. */
	uint16_t t_id;
	int hash, group;
	uint32_t seqnum1, seqnum2; /* the controller's and the host's */
	bool bidirectional;
	uint8_t challenge1[AUTH_DIGEST_MAX], challenge2[AUTH_DIGEST_MAX];
	uint8_t response1[AUTH_DIGEST_MAX], response2[AUTH_DIGEST_MAX];
	EVP_PKEY *dh;
	uint8_t public[AUTH_DH_MAX], shared[AUTH_DH_MAX];
	char nqns[2][NQN_SIZE]; /* options.host_nqn, .subsystem_nqn */
};

int nvme_auth_create(bool controller, const struct nvme_auth_options *options,
		     struct nvme_auth **out)
{
	struct nvme_auth *a;

	if (strlen(options->host_nqn) >= NQN_SIZE ||
	    strlen(options->subsystem_nqn) >= NQN_SIZE)
		return -EINVAL;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	a->controller = controller;
	a->options = *options;
	a->options.host_nqn = strcpy(a->nqns[0], options->host_nqn);
	a->options.subsystem_nqn = strcpy(a->nqns[1], options->subsystem_nqn);
	if (a->options.hashes == 0)
		a->options.hashes = ~0u;
	if (a->options.groups == 0)
		a->options.groups = ~0u;
	a->reason = "it has not ended";
	if (!controller)
		random_bytes(&a->t_id, sizeof(a->t_id));
	*out = a;
	return 0;
}

void nvme_auth_destroy(struct nvme_auth *a)
{
	if (a == NULL)
		return;
	EVP_PKEY_free(a->dh);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

enum nvme_auth_state nvme_auth_state(const struct nvme_auth *a)
{
	bool hosts =
		a->step == NEGOTIATE || a->step == REPLY || a->step == SUCCESS2;

	if (a->step == OVER)
		return a->failed ? NVME_AUTH_FAILED : NVME_AUTH_DONE;
	if (a->step == FAILURE)
		return NVME_AUTH_SENDS;
	return hosts != a->controller ? NVME_AUTH_SENDS : NVME_AUTH_RECEIVES;
}

const char *nvme_auth_reason(const struct nvme_auth *a)
{
	return a->reason;
}

/* A FAILURE is the next message. */
static void refuse(struct nvme_auth *a, uint8_t explanation, const char *reason)
{
	a->step = FAILURE;
	a->failed = true;
	a->explanation = explanation;
	a->reason = reason;
}

static size_t head(const struct nvme_auth *a, struct auth_header *h,
		   uint8_t type, uint8_t id, size_t size)
{
	memset(h, 0, size);
	h->type = type;
	h->id = id;
	store_le16(h->t_id, a->t_id);
	return size;
}

static size_t hash_len(const struct nvme_auth *a)
{
	return auth_hash_len(a->hash);
}

static size_t group_len(const struct nvme_auth *a)
{
	return auth_group_len(a->group);
}

/* The host's answer to challenge1, or the controller's to challenge2. */
static bool respond(struct nvme_auth *a, bool controllers, uint8_t *out)
{
	const struct nvme_auth_options *o = &a->options;
	struct auth_response r = {
		.hash = a->hash,
		.secret = controllers ? &o->ctrl_secret : &o->host_secret,
		.role = controllers ? "Controller" : "HostHost",
		.own_nqn = controllers ? o->subsystem_nqn : o->host_nqn,
		.peer_nqn = controllers ? o->host_nqn : o->subsystem_nqn,
		.seqnum = controllers ? a->seqnum2 : a->seqnum1,
		.t_id = a->t_id,
		.challenge = controllers ? a->challenge2 : a->challenge1,
		.shared = group_len(a) > 0 ? a->shared : NULL,
		.shared_len = group_len(a),
	};

	return auth_respond(&r, out);
}

/* Never 0, which says that there is none. */
static uint32_t random_seqnum(void)
{
	uint32_t n;

	do
		random_bytes(&n, sizeof(n));
	while (n == 0);
	return n;
}

/* --------------------------------------------------------------- negotiate */

static size_t make_negotiate(struct nvme_auth *a, void *message)
{
	struct auth_negotiate *m = message;
	struct auth_protocol *p = m->protocol;
	size_t len = head(a, &m->h, AUTH_TYPE_COMMON, AUTH_NEGOTIATE,
			  sizeof(*m) + sizeof(*p));

	m->napd = 1;
	p->id = AUTH_PROTOCOL_DHCHAP;
	for (int i = NVME_AUTH_SHA512; i >= NVME_AUTH_SHA256; i--)
		if (a->options.hashes & 1u << i)
			p->hashes[p->halen++] = i;
	for (int i = NVME_AUTH_FFDHE8192; i >= NVME_AUTH_DH_NULL; i--)
		if (a->options.groups & 1u << i)
			p->groups[p->dhlen++] = i;
	a->step = CHALLENGE;
	return len;
}

/* The greatest number in the list that is in the set, or -1: hashes and groups
 * are numbered by strength. */
static int best_of(const uint8_t *list, size_t n, unsigned set, int max)
{
	int best = -1;

	for (size_t i = 0; i < n; i++)
		if (list[i] <= max && list[i] > best && set & 1u << list[i])
			best = list[i];
	return best;
}

static const struct auth_protocol *find_dhchap(const struct auth_negotiate *m)
{
	for (size_t i = 0; i < m->napd; i++)
		if (m->protocol[i].id == AUTH_PROTOCOL_DHCHAP)
			return &m->protocol[i];
	return NULL;
}

static void take_negotiate(struct nvme_auth *a, const void *message, size_t len)
{
	const struct auth_negotiate *m = message;
	const struct auth_protocol *p;

	if (len < sizeof(*m) || m->napd == 0 ||
	    len < sizeof(*m) + m->napd * sizeof(*p)) {
		refuse(a, AUTH_E_PAYLOAD, "a negotiation that is too short");
		return;
	}
	a->t_id = load_le16(m->h.t_id);
	if (m->sc_c != 0) {
		refuse(a, AUTH_E_CONCATENATION,
		       "the host wants TLS from DH-HMAC-CHAP's key");
		return;
	}
	p = find_dhchap(m);
	if (p == NULL) {
		refuse(a, AUTH_E_PROTOCOL, "the host offers no DH-HMAC-CHAP");
		return;
	}
	if (p->halen > sizeof(p->hashes) || p->dhlen > sizeof(p->groups)) {
		refuse(a, AUTH_E_PAYLOAD,
		       "a negotiation with impossible lists");
		return;
	}
	/* Bit 0 stands for no hash at all. */
	a->hash = best_of(p->hashes, p->halen, a->options.hashes & ~1u,
			  NVME_AUTH_SHA512);
	a->group = best_of(p->groups, p->dhlen, a->options.groups,
			   NVME_AUTH_FFDHE8192);
	if (a->hash < 0)
		refuse(a, AUTH_E_HASH, "no hash in common");
	else if (a->group < 0)
		refuse(a, AUTH_E_GROUP, "no Diffie-Hellman group in common");
	else
		a->step = CHALLENGE;
}

/* --------------------------------------------------------------- challenge */

static size_t make_challenge(struct nvme_auth *a, void *message)
{
	struct auth_challenge *m = message;
	size_t len =
		head(a, &m->h, AUTH_TYPE_DHCHAP, AUTH_CHALLENGE, sizeof(*m));

	a->seqnum1 = random_seqnum();
	random_bytes(a->challenge1, hash_len(a));
	m->hl = hash_len(a);
	m->hash = a->hash;
	m->group = a->group;
	store_le16(m->dhvlen, group_len(a));
	store_le32(m->seqnum, a->seqnum1);
	memcpy(m->values, a->challenge1, hash_len(a));
	memcpy(m->values + hash_len(a), a->public, group_len(a));
	a->step = REPLY;
	return len + hash_len(a) + group_len(a);
}

static void take_challenge(struct nvme_auth *a, const void *message, size_t len)
{
	const struct auth_challenge *m = message;
	const uint8_t *peer;

	if (len < sizeof(*m)) {
		refuse(a, AUTH_E_PAYLOAD, "a challenge that is too short");
		return;
	}
	a->hash = m->hash;
	a->group = m->group;
	if (hash_len(a) == 0 || !(a->options.hashes & 1u << a->hash)) {
		refuse(a, AUTH_E_HASH, "a hash that was not offered");
		return;
	}
	if (a->group > NVME_AUTH_FFDHE8192 ||
	    !(a->options.groups & 1u << a->group)) {
		refuse(a, AUTH_E_GROUP, "a group that was not offered");
		return;
	}
	a->seqnum1 = load_le32(m->seqnum);
	if (m->hl != hash_len(a) || load_le16(m->dhvlen) != group_len(a) ||
	    len < sizeof(*m) + hash_len(a) + group_len(a) || a->seqnum1 == 0) {
		refuse(a, AUTH_E_PAYLOAD, "a challenge with wrong lengths");
		return;
	}
	memcpy(a->challenge1, m->values, hash_len(a));
	a->step = REPLY;
	if (group_len(a) == 0)
		return;
	peer = m->values + hash_len(a);
	a->dh = auth_dh_generate(a->group, a->public);
	if (a->dh == NULL || !auth_dh_derive(a->dh, a->group, peer, a->shared))
		refuse(a, AUTH_E_PAYLOAD, "a bad Diffie-Hellman value");
}

/* ------------------------------------------------------------------- reply */

static size_t make_reply(struct nvme_auth *a, void *message)
{
	struct auth_reply *m = message;
	size_t len = head(a, &m->h, AUTH_TYPE_DHCHAP, AUTH_REPLY, sizeof(*m));
	uint8_t *p = m->values;

	a->bidirectional = a->options.ctrl_secret.len > 0;
	if (a->bidirectional) {
		a->seqnum2 = random_seqnum();
		random_bytes(a->challenge2, hash_len(a));
	}
	m->hl = hash_len(a);
	m->cvalid = a->bidirectional;
	store_le16(m->dhvlen, group_len(a));
	store_le32(m->seqnum, a->seqnum2);
	/* nvme_auth_send() has seen to response1. */
	memcpy(p, a->response1, hash_len(a));
	memcpy(p + hash_len(a), a->challenge2, hash_len(a));
	memcpy(p + 2 * hash_len(a), a->public, group_len(a));
	a->step = SUCCESS1;
	return len + 2 * hash_len(a) + group_len(a);
}

static void take_reply(struct nvme_auth *a, const void *message, size_t len)
{
	const struct auth_reply *m = message;
	size_t hl = hash_len(a);

	if (len < sizeof(*m) + 2 * hl + group_len(a) || m->hl != hl ||
	    load_le16(m->dhvlen) != group_len(a) || m->cvalid > 1 ||
	    (m->cvalid == 1 && load_le32(m->seqnum) == 0)) {
		refuse(a, AUTH_E_PAYLOAD, "a reply with wrong lengths");
		return;
	}
	if (group_len(a) > 0 &&
	    !auth_dh_derive(a->dh, a->group, m->values + 2 * hl, a->shared)) {
		refuse(a, AUTH_E_PAYLOAD, "a bad Diffie-Hellman value");
		return;
	}
	if (!respond(a, false, a->response1) ||
	    CRYPTO_memcmp(a->response1, m->values, hl) != 0) {
		refuse(a, AUTH_E_FAILED, "the host's key does not fit");
		return;
	}
	a->bidirectional = m->cvalid == 1;
	if (a->bidirectional) {
		if (a->options.ctrl_secret.len == 0) {
			refuse(a, AUTH_E_FAILED,
			       "the host wants the controller's key, and there "
			       "is none");
			return;
		}
		a->seqnum2 = load_le32(m->seqnum);
		memcpy(a->challenge2, m->values + hl, hl);
		if (!respond(a, true, a->response2)) {
			refuse(a, AUTH_E_FAILED, "OpenSSL refuses");
			return;
		}
	}
	a->step = SUCCESS1;
}

/* ----------------------------------------------------------------- success */

static size_t make_success1(struct nvme_auth *a, void *message)
{
	struct auth_success1 *m = message;
	size_t len =
		head(a, &m->h, AUTH_TYPE_DHCHAP, AUTH_SUCCESS1, sizeof(*m));

	m->hl = hash_len(a);
	m->rvalid = a->bidirectional;
	a->step = a->bidirectional ? SUCCESS2 : OVER;
	memset(m->rval, 0, hash_len(a));
	if (a->bidirectional)
		memcpy(m->rval, a->response2, hash_len(a));
	return len + hash_len(a);
}

static void take_success1(struct nvme_auth *a, const void *message, size_t len)
{
	const struct auth_success1 *m = message;

	if (len < sizeof(*m)) {
		refuse(a, AUTH_E_PAYLOAD, "a success that is too short");
		return;
	}
	if (!a->bidirectional) {
		a->step = OVER;
		return;
	}
	if (m->rvalid != 1 || m->hl != hash_len(a) ||
	    len < sizeof(*m) + hash_len(a)) {
		refuse(a, AUTH_E_PAYLOAD, "a success without response");
		return;
	}
	if (!respond(a, true, a->response2) ||
	    CRYPTO_memcmp(a->response2, m->rval, hash_len(a)) != 0) {
		refuse(a, AUTH_E_FAILED, "the controller's key does not fit");
		return;
	}
	a->step = SUCCESS2;
}

static size_t make_success2(struct nvme_auth *a, void *message)
{
	struct auth_success2 *m = message;

	a->step = OVER;
	return head(a, &m->h, AUTH_TYPE_DHCHAP, AUTH_SUCCESS2, sizeof(*m));
}

static void take_success2(struct nvme_auth *a, const void *message, size_t len)
{
	a->step = OVER;
}

/* ----------------------------------------------------------------- failure */

static size_t make_failure(struct nvme_auth *a, void *message)
{
	struct auth_failure *m = message;
	size_t len =
		head(a, &m->h, AUTH_TYPE_COMMON,
		     a->controller ? AUTH_FAILURE1 : AUTH_FAILURE2, sizeof(*m));

	m->reason = 1;
	m->explanation = a->explanation;
	a->step = OVER;
	return len;
}

static void take_failure(struct nvme_auth *a, const struct auth_failure *m,
			 size_t len)
{
	static const char *const said[] = {
		[AUTH_E_FAILED] = "the peer says: authentication failed",
		[AUTH_E_PROTOCOL] = "the peer says: no protocol in common",
		[AUTH_E_CONCATENATION] = "the peer says: TLS mismatch",
		[AUTH_E_HASH] = "the peer says: no hash in common",
		[AUTH_E_GROUP] = "the peer says: no group in common",
		[AUTH_E_PAYLOAD] = "the peer says: incorrect payload",
		[AUTH_E_MESSAGE] = "the peer says: incorrect message",
	};
	unsigned e = len < sizeof(*m) ? 0 : m->explanation;

	a->step = OVER;
	a->failed = true;
	a->reason =
		e > 0 && e < ARRAY_SIZE(said) ? said[e] : "the peer refuses";
}

/* --------------------------------------------------------------------- all */

static const struct {
	uint8_t type, id;
	size_t (*make)(struct nvme_auth *a, void *message);
	void (*take)(struct nvme_auth *a, const void *message, size_t len);
} steps[] = {
	[NEGOTIATE] = { AUTH_TYPE_COMMON, AUTH_NEGOTIATE, make_negotiate,
			take_negotiate },
	[CHALLENGE] = { AUTH_TYPE_DHCHAP, AUTH_CHALLENGE, make_challenge,
			take_challenge },
	[REPLY] = { AUTH_TYPE_DHCHAP, AUTH_REPLY, make_reply, take_reply },
	[SUCCESS1] = { AUTH_TYPE_DHCHAP, AUTH_SUCCESS1, make_success1,
		       take_success1 },
	[SUCCESS2] = { AUTH_TYPE_DHCHAP, AUTH_SUCCESS2, make_success2,
		       take_success2 },
	[FAILURE] = { .make = make_failure },
};

void nvme_auth_receive(struct nvme_auth *a, const void *message, size_t len)
{
	const struct auth_header *h = message;

	if (nvme_auth_state(a) != NVME_AUTH_RECEIVES) {
		refuse(a, AUTH_E_MESSAGE, "a message out of turn");
		return;
	}
	if (len < sizeof(*h)) {
		refuse(a, AUTH_E_PAYLOAD, "a message that is too short");
		return;
	}
	if (h->type == AUTH_TYPE_COMMON &&
	    h->id == (a->controller ? AUTH_FAILURE2 : AUTH_FAILURE1)) {
		take_failure(a, message, len);
		return;
	}
	if (h->type != steps[a->step].type || h->id != steps[a->step].id) {
		refuse(a, AUTH_E_MESSAGE, "not the message that was due");
		return;
	}
	if (a->step != NEGOTIATE && load_le16(h->t_id) != a->t_id) {
		refuse(a, AUTH_E_PAYLOAD, "a message of another transaction");
		return;
	}
	steps[a->step].take(a, message, len);
}

/* What can fail before a message is made. */
static bool prepare(struct nvme_auth *a)
{
	if (a->step == REPLY)
		return respond(a, false, a->response1);
	if (a->step != CHALLENGE || group_len(a) == 0)
		return true;
	a->dh = auth_dh_generate(a->group, a->public);
	return a->dh != NULL;
}

size_t nvme_auth_send(struct nvme_auth *a, void *message)
{
	if (nvme_auth_state(a) != NVME_AUTH_SENDS)
		refuse(a, AUTH_E_MESSAGE,
		       "a message was asked for out of turn");
	else if (!prepare(a))
		refuse(a, AUTH_E_FAILED, "OpenSSL refuses");
	return steps[a->step].make(a, message);
}
