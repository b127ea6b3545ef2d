/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts: which may connect to a subsystem, and what they have to know.
 */
#include <errno.h>

#include "nvme/target/internal.h"

/* ------------------------------------------------------------------- lists */

struct nvmet_host_entry *nvmet_find_host_locked(struct list *hosts,
						const char *nqn)
{
	struct nvmet_host_entry *h;

	list_for_each (h, hosts, link)
		if (strcmp(h->nqn, nqn) == 0)
			return h;
	return NULL;
}

bool nvmet_host_allowed_locked(struct nvmet_subsystem *s, const char *nqn)
{
	return s->allow_any_host ||
	       nvmet_find_host_locked(&s->hosts, nqn) != NULL;
}

static void free_secret(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void free_host(struct nvmet_host_entry *h)
{
	free_secret(h->dhchap_key);
	free_secret(h->dhchap_ctrlr_key);
	free_secret(h->psk);
	free(h);
}

void nvmet_hosts_free(struct list *hosts)
{
	struct nvmet_host_entry *h, *tmp;

	list_for_each_safe (h, tmp, hosts, link)
		free_host(h);
	list_init(hosts);
}

/* -------------------------------------------------------------------- calls */

/* Not allowed any more. */
static bool is_stranger(const struct nvmet_ctrl *ctrl, const void *arg)
{
	return !nvmet_host_allowed_locked(ctrl->s, ctrl->host_nqn);
}

int nvmet_subsystem_allow_any_host(struct nvmet_subsystem *s, bool allow)
{
	pthread_mutex_lock(&s->t->lock);
	s->allow_any_host = allow;
	nvmet_event_discovery_changed_locked(s->t);
	pthread_mutex_unlock(&s->t->lock);
	nvmet_ctrls_end(s, is_stranger, NULL);
	return 0;
}

static bool copy_secret(char **to, const char *from)
{
	if (from == NULL)
		return true;
	*to = strdup(from);
	return *to != NULL;
}

int nvmet_host_add(struct nvmet_subsystem *s, const struct nvmet_host *host,
		   char text[256])
{
	struct nvmet_host_entry *h;
	int rc = nvmet_check_nqn(host->nqn, text);

	if (rc < 0)
		return rc;
	if (nvmet_find_host_locked(&s->hosts, host->nqn) != NULL)
		return nvmet_say(text, -EEXIST, "%s is allowed already",
				 host->nqn);
	if (s->nhosts >= NVMET_HOSTS_MAX)
		return nvmet_say(text, -ENOSPC, "%s has %u hosts", s->nqn,
				 s->nhosts);
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return nvmet_say(text, -ENOMEM, "out of memory");
	memcpy(h->nqn, host->nqn, strlen(host->nqn) + 1);
	if (!copy_secret(&h->dhchap_key, host->dhchap_key) ||
	    !copy_secret(&h->dhchap_ctrlr_key, host->dhchap_ctrlr_key) ||
	    !copy_secret(&h->psk, host->psk)) {
		free_host(h);
		return nvmet_say(text, -ENOMEM, "out of memory");
	}
	pthread_mutex_lock(&s->t->lock);
	list_append(&s->hosts, &h->link);
	s->nhosts++;
	nvmet_event_discovery_changed_locked(s->t);
	pthread_mutex_unlock(&s->t->lock);
	return 0;
}

static void swap_secrets(char **a, char **b)
{
	char *other = *a;

	*a = *b;
	*b = other;
}

int nvmet_host_set_keys(struct nvmet_subsystem *s,
			const struct nvmet_host *host)
{
	char *key = NULL, *ctrlr = NULL;
	struct nvmet_host_entry *h;
	int rc = -ENOMEM;

	if (copy_secret(&key, host->dhchap_key) &&
	    copy_secret(&ctrlr, host->dhchap_ctrlr_key)) {
		pthread_mutex_lock(&s->t->lock);
		h = nvmet_find_host_locked(&s->hosts, host->nqn);
		if (h != NULL) {
			swap_secrets(&key, &h->dhchap_key);
			swap_secrets(&ctrlr, &h->dhchap_ctrlr_key);
		}
		pthread_mutex_unlock(&s->t->lock);
		rc = h != NULL ? 0 : -ENOENT;
	}
	free_secret(key);
	free_secret(ctrlr);
	return rc;
}

int nvmet_host_remove(struct nvmet_subsystem *s, const char *nqn)
{
	struct nvmet_host_entry *h;

	pthread_mutex_lock(&s->t->lock);
	h = nvmet_find_host_locked(&s->hosts, nqn);
	if (h != NULL) {
		list_del(&h->link);
		s->nhosts--;
		nvmet_event_discovery_changed_locked(s->t);
	}
	pthread_mutex_unlock(&s->t->lock);
	if (h == NULL)
		return -ENOENT;
	free_host(h);
	nvmet_ctrls_end(s, is_stranger, NULL);
	return 0;
}

bool nvmet_host_get(const struct nvmet_subsystem *s, size_t i,
		    struct nvmet_host *out)
{
	const struct nvmet_host_entry *h;

	list_for_each (h, &s->hosts, link) {
		if (i-- > 0)
			continue;
		*out = (struct nvmet_host){
			.nqn = h->nqn,
			.dhchap_key = h->dhchap_key != NULL ? "" : NULL,
			.dhchap_ctrlr_key =
				h->dhchap_ctrlr_key != NULL ? "" : NULL,
			.psk = h->psk != NULL ? "" : NULL,
		};
		return true;
	}
	return false;
}
