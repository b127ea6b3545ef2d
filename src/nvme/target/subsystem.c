/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subsystems: what they are called, and that they come and go.
 */
#include <ctype.h>
#include <errno.h>

#include "nvme/target/internal.h"

/* ------------------------------------------------------------------- names */

/* Base 4.7: "nqn.yyyy-mm." and a reversed domain name. */
static bool has_form(const char *nqn)
{
	static const char form[] = "nqn.9999-99.";
	size_t i;

	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] == '9' ? !isdigit((unsigned char)nqn[i])
				   : nqn[i] != form[i])
			return false;
	}
	return isalnum((unsigned char)nqn[i]);
}

int nvmet_check_nqn(const char *nqn, char text[256])
{
	size_t len = strlen(nqn);

	if (len > NVMET_NQN_MAX)
		return nvmet_say(text, -EINVAL,
				 "NQN of %zu bytes, at most %u are allowed",
				 len, NVMET_NQN_MAX);
	if (!has_form(nqn))
		return nvmet_say(text, -EINVAL,
				 "'%s' is no NQN: nqn.YYYY-MM.DOMAIN:NAME",
				 nqn);
	for (const char *p = nqn; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return nvmet_say(text, -EINVAL,
					 "NQN with a control character");
	return 0;
}

static bool is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static int check_text(const char *what, const char *s, size_t max, char *text)
{
	if (strlen(s) > max)
		return nvmet_say(text, -EINVAL,
				 "%s of %zu bytes, at most %zu are allowed",
				 what, strlen(s), max);
	if (!is_printable(s))
		return nvmet_say(text, -EINVAL,
				 "%s has characters that are not ASCII", what);
	return 0;
}

/* ---------------------------------------------------------------- lifetime */

struct nvmet_subsystem *nvmet_subsystem_alloc(struct nvmet *t, const char *nqn,
					      uint32_t max_namespaces)
{
	struct nvmet_subsystem *s;

	s = calloc(1, sizeof(*s) + (max_namespaces + 1) * sizeof(s->ns[0]));
	if (s == NULL)
		return NULL;
	MAGIC_SET(s, NVMET_SUBSYSTEM_MAGIC);
	s->t = t;
	memcpy(s->nqn, nqn, strlen(nqn) + 1);
	memcpy(s->serial, "00000000000000000000", 21);
	memcpy(s->model, "Hawser volume", sizeof("Hawser volume"));
	s->max_namespaces = max_namespaces;
	s->min_cntlid = 1;
	s->max_cntlid = NVME_CNTLID_MAX;
	list_init(&s->link);
	list_init(&s->hosts);
	list_init(&s->listeners);
	list_init(&s->ctrls);
	return s;
}

void nvmet_subsystem_free(struct nvmet_subsystem *s)
{
	nvmet_hosts_free(&s->hosts);
	MAGIC_CLEAR(s);
	free(s);
}

struct nvmet_subsystem *nvmet_find_locked(struct nvmet *t, const char *nqn)
{
	struct nvmet_subsystem *s;

	if (strcmp(nqn, NVMET_DISCOVERY_NQN) == 0)
		return t->discovery;
	list_for_each (s, &t->subsystems, link)
		if (strcmp(s->nqn, nqn) == 0)
			return s;
	return NULL;
}

static int check_spec(struct nvmet *t, const struct nvmet_subsystem_spec *spec,
		      char *text)
{
	int rc = nvmet_check_nqn(spec->nqn, text);

	if (rc == 0 && spec->serial != NULL)
		rc = check_text("serial number", spec->serial, NVMET_SERIAL_MAX,
				text);
	if (rc == 0 && spec->model != NULL)
		rc = check_text("model number", spec->model, NVMET_MODEL_MAX,
				text);
	if (rc < 0)
		return rc;
	if (spec->max_namespaces > NVMET_NAMESPACES_MAX)
		return nvmet_say(text, -EINVAL,
				 "%u namespaces, at most %u are allowed",
				 spec->max_namespaces, NVMET_NAMESPACES_MAX);
	if (nvmet_subsystem_find(t, spec->nqn) != NULL)
		return nvmet_say(text, -EEXIST, "subsystem %s exists",
				 spec->nqn);
	if (t->nsubsystems >= NVMET_SUBSYSTEMS_MAX)
		return nvmet_say(text, -ENOSPC, "there are %u subsystems",
				 t->nsubsystems);
	return 0;
}

static int set_cntlids(struct nvmet_subsystem *s,
		       const struct nvmet_subsystem_spec *spec, char *text)
{
	if (spec->min_cntlid != 0)
		s->min_cntlid = spec->min_cntlid;
	if (spec->max_cntlid != 0)
		s->max_cntlid = spec->max_cntlid;
	if (s->min_cntlid <= s->max_cntlid && s->max_cntlid <= NVME_CNTLID_MAX)
		return 0;
	return nvmet_say(text, -EINVAL,
			 "controller identifiers from %u to %u; 1 to %u are "
			 "allowed",
			 s->min_cntlid, s->max_cntlid, NVME_CNTLID_MAX);
}

int nvmet_subsystem_create(struct nvmet *t,
			   const struct nvmet_subsystem_spec *spec,
			   struct nvmet_subsystem **out, char text[256])
{
	struct nvmet_subsystem *s;
	int rc = check_spec(t, spec, text);

	if (rc < 0)
		return rc;
	s = nvmet_subsystem_alloc(
		t, spec->nqn,
		spec->max_namespaces != 0 ? spec->max_namespaces : 32);
	if (s == NULL)
		return nvmet_say(text, -ENOMEM, "out of memory");
	rc = set_cntlids(s, spec, text);
	if (rc < 0) {
		nvmet_subsystem_free(s);
		return rc;
	}
	if (spec->serial != NULL)
		memcpy(s->serial, spec->serial, strlen(spec->serial) + 1);
	if (spec->model != NULL)
		memcpy(s->model, spec->model, strlen(spec->model) + 1);
	s->allow_any_host = spec->allow_any_host;
	s->ana_reporting = spec->ana_reporting;
	pthread_mutex_lock(&t->lock);
	list_append(&t->subsystems, &s->link);
	t->nsubsystems++;
	pthread_mutex_unlock(&t->lock);
	*out = s;
	return 0;
}

static bool any(const struct nvmet_ctrl *ctrl, const void *arg)
{
	return true;
}

void nvmet_subsystem_delete(struct nvmet_subsystem *s)
{
	struct nvmet *t = s->t;
	struct nvmet_listener l;

	MAGIC_CHECK(s, NVMET_SUBSYSTEM_MAGIC);
	pthread_mutex_lock(&t->lock);
	s->ending = true;
	pthread_mutex_unlock(&t->lock);
	nvmet_ctrls_end(s, any, NULL);
	while (nvmet_listener_get(s, 0, &l))
		nvmet_listener_remove(s, &l.addr);
	for (uint32_t nsid = 1; nsid <= s->max_namespaces; nsid++)
		nvmet_namespace_remove(s, nsid);
	pthread_mutex_lock(&t->lock);
	list_del(&s->link);
	t->nsubsystems--;
	pthread_mutex_unlock(&t->lock);
	nvmet_subsystem_free(s);
}

/* ---------------------------------------------------------------- questions */

struct nvmet_subsystem *nvmet_subsystem_find(struct nvmet *t, const char *nqn)
{
	struct nvmet_subsystem *s = nvmet_find_locked(t, nqn);

	return s == t->discovery ? NULL : s;
}

struct nvmet_subsystem *nvmet_subsystem_next(struct nvmet *t,
					     struct nvmet_subsystem *after)
{
	struct list *at = after != NULL ? &after->link : &t->subsystems;

	if (at->next == &t->subsystems)
		return NULL;
	return list_entry(at->next, struct nvmet_subsystem, link);
}

void nvmet_subsystem_get(const struct nvmet_subsystem *s,
			 struct nvmet_subsystem_spec *out)
{
	*out = (struct nvmet_subsystem_spec){
		.nqn = s->nqn,
		.serial = s->serial,
		.model = s->model,
		.allow_any_host = s->allow_any_host,
		.ana_reporting = s->ana_reporting,
		.max_namespaces = s->max_namespaces,
		.min_cntlid = s->min_cntlid,
		.max_cntlid = s->max_cntlid,
	};
}

static void describe_ctrl(const struct nvmet_ctrl *ctrl,
			  struct nvmet_controller_info *out)
{
	const struct nvmet_queue *q;

	*out = (struct nvmet_controller_info){
		.cntlid = ctrl->cntlid,
		.kato_ms = atomic_load(&ctrl->kato_ms),
		.local = ctrl->local,
		.peer = ctrl->peer,
		.since = ctrl->since,
	};
	memcpy(out->host_nqn, ctrl->host_nqn, sizeof(out->host_nqn));
	memcpy(out->host_id, ctrl->host_id, sizeof(out->host_id));
	list_for_each (q, &ctrl->queues, in_ctrl)
		out->io_queues++;
}

int nvmet_controllers(struct nvmet_subsystem *s,
		      struct nvmet_controller_info **out)
{
	struct nvmet_ctrl *ctrl;
	int n = 0;

	pthread_mutex_lock(&s->t->lock);
	*out = calloc(s->nctrls + 1, sizeof(**out));
	if (*out != NULL)
		list_for_each (ctrl, &s->ctrls, link)
			describe_ctrl(ctrl, &(*out)[n++]);
	pthread_mutex_unlock(&s->t->lock);
	return *out != NULL ? n : -ENOMEM;
}

static void describe_queue(struct nvmet_queue *q, const struct nvmet_ctrl *ctrl,
			   struct nvmet_queue_info *out)
{
	*out = (struct nvmet_queue_info){
		.cntlid = ctrl->cntlid,
		.qid = q->qid,
		.live = !q->ending,
		.header_digest = q->rules.header_digest,
		.data_digest = q->rules.data_digest,
		.depth = q->size,
		.in_flight = q->ncmds,
		.reactor = q->cpu->index,
		.local = q->local,
		.peer = q->peer,
	};
}

static unsigned count_queues_locked(const struct nvmet_subsystem *s)
{
	const struct nvmet_ctrl *ctrl;
	const struct nvmet_queue *q;
	unsigned n = 0;

	list_for_each (ctrl, &s->ctrls, link) {
		n += ctrl->admin != NULL;
		list_for_each (q, &ctrl->queues, in_ctrl)
			n++;
	}
	return n;
}

int nvmet_queues(struct nvmet_subsystem *s, struct nvmet_queue_info **out)
{
	struct nvmet_ctrl *ctrl;
	struct nvmet_queue *q;
	int n = 0;

	pthread_mutex_lock(&s->t->lock);
	*out = calloc(count_queues_locked(s) + 1, sizeof(**out));
	if (*out == NULL)
		goto out;
	list_for_each (ctrl, &s->ctrls, link) {
		if (ctrl->admin != NULL)
			describe_queue(ctrl->admin, ctrl, &(*out)[n++]);
		list_for_each (q, &ctrl->queues, in_ctrl)
			describe_queue(q, ctrl, &(*out)[n++]);
	}
out:
	pthread_mutex_unlock(&s->t->lock);
	return *out != NULL ? n : -ENOMEM;
}
