/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS (NVMe/TCP 1.1, 3.6.1): a connection whose first byte begins a TLS
 * handshake becomes a secure channel, by the key that the host's entry has.
 * The identity in the handshake names host and subsystem, and Connect must name
 * the same; a listener with secure_channel takes no other.
 */
#include <errno.h>

#include "nvme/auth/auth.h"
#include "nvme/target/internal.h"
#include "reactor/tls.h"

enum { TLS_HANDSHAKE = 22 }; /* the first byte of a ClientHello's record */

bool nvmet_secure_begins(const struct nvmet_queue *q)
{
	return q->secure == NULL && !q->rules.ready &&
	       q->rx[q->rx_start] == TLS_HANDSHAKE;
}

/* ---------------------------------------------------------------- the key */

static int get_secret(struct nvmet *t, const struct nvmet_secure *who,
		      struct nvme_secret *out)
{
	const struct nvmet_host_entry *h = NULL;
	struct nvmet_subsystem *s;
	int rc = -ENOENT;

	pthread_mutex_lock(&t->lock);
	s = nvmet_find_locked(t, who->subnqn);
	if (s != NULL)
		h = nvmet_find_host_locked(&s->hosts, who->host_nqn);
	if (h != NULL && h->psk != NULL)
		rc = nvme_secret_parse(out, NVME_SECRET_TLS, h->psk);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

static bool find_key(void *arg, const char *identity, struct tls_key *key)
{
	struct nvmet_queue *q = arg;
	struct nvme_secret secret = {};
	struct nvme_psk psk = {};
	bool found;

	if (nvme_psk_parse_identity(identity, q->secure->host_nqn,
				    q->secure->subnqn) < 0)
		return false;
	found = get_secret(q->t, q->secure, &secret) == 0 &&
		nvme_psk_derive(&psk, &secret, q->secure->host_nqn,
				q->secure->subnqn) == 0 &&
		strcmp(psk.identity, identity) == 0;
	if (found) {
		memcpy(key->key, psk.key, psk.len);
		key->len = psk.len;
		key->sha384 = psk.hash == NVME_AUTH_SHA384;
	}
	nvme_secret_wipe(&secret);
	explicit_bzero(&psk, sizeof(psk));
	return found;
}

/* ------------------------------------------------------------- connection */

int nvmet_secure(struct nvmet_queue *q)
{
	struct stream *plain = q->stream, *tls = NULL;
	int rc;

	q->secure = calloc(1, sizeof(*q->secure));
	if (q->secure == NULL)
		return -ENOMEM;
	rc = tls_accept(plain, q->rx + q->rx_start, q->rx_end - q->rx_start,
			find_key, q, q->since + NVMET_SETUP_TIMEOUT, &tls);
	q->stream = tls; /* NULL: it is closed */
	q->rx_start = q->rx_end = 0;
	if (rc < 0)
		return rc;
	return q->ending ? -ECONNABORTED : 0;
}

uint16_t nvmet_secure_check(const struct nvmet_queue *q,
			    const struct nvmet_way *way,
			    const struct nvme_connect_data *data)
{
	const struct nvmet_secure *who = q->secure;
	bool ok;

	if (who != NULL)
		ok = strcmp(who->host_nqn, data->hostnqn) == 0 &&
		     strcmp(who->subnqn, data->subnqn) == 0;
	else
		ok = way == NULL || !way->secure_channel;
	return ok ? 0 : NVME_SC_CONNECT_INVALID_HOST | NVME_SC_DNR;
}
