/* SPDX-License-Identifier: Apache-2.0 */
#include "nvme/initiator/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/reactor.h"

struct nvmei_set {
	struct reactor_set *reactors;
	struct nvmei_options options;
	char nqn[224];
	int n;
	struct nvmei *hosts[]; /* one for each reactor */
};

/* A call of fn on another reactor. */
struct visit {
	struct completion done;
	struct nvmei *host;
	nvmei_set_fn *fn;
	void *arg;
};

static void visit_task(void *arg)
{
	struct visit *v = arg;

	completion_done(&v->done, v->fn(v->host, v->arg));
}

static int visit(struct nvmei_set *s, int i, nvmei_set_fn *fn, void *arg)
{
	struct visit v = { .host = s->hosts[i], .fn = fn, .arg = arg };
	int rc;

	completion_init(&v.done);
	rc = reactor_spawn(reactor_set_get(s->reactors, i), "nvmei-set",
			   visit_task, &v);
	return rc < 0 ? rc : completion_wait(&v.done);
}

int nvmei_set_each(struct nvmei_set *s, nvmei_set_fn *fn, void *arg)
{
	int rc = 0;

	for (int i = 0; i < s->n && rc == 0; i++)
		rc = visit(s, i, fn, arg);
	return rc;
}

/* ------------------------------------------------------------- life cycle */

static int destroy_host(struct nvmei *h, void *arg)
{
	if (h != NULL)
		nvmei_destroy(h);
	return 0;
}

static void destroy_hosts(struct nvmei_set *s)
{
	nvmei_set_each(s, destroy_host, NULL);
	memset(s->hosts, 0, s->n * sizeof(s->hosts[0]));
}

static int create_hosts(struct nvmei_set *s)
{
	int rc = 0;

	for (int i = 0; i < s->n && rc == 0; i++)
		rc = nvmei_create(&s->options, &s->hosts[i]);
	if (rc < 0)
		destroy_hosts(s);
	return rc;
}

static void take_options(struct nvmei_set *s, const struct nvmei_options *o)
{
	s->options = *o;
	if (o->nqn != s->nqn)
		snprintf(s->nqn, sizeof(s->nqn), "%s",
			 o->nqn != NULL ? o->nqn : "");
	s->options.nqn = s->nqn;
}

int nvmei_set_create(struct reactor_set *reactors,
		     const struct nvmei_options *options,
		     struct nvmei_set **out)
{
	int n = reactor_set_count(reactors), rc;
	struct nvmei_set *s = calloc(1, sizeof(*s) + n * sizeof(s->hosts[0]));

	if (s == NULL)
		return -ENOMEM;
	s->reactors = reactors;
	s->n = n;
	take_options(s, options);
	rc = create_hosts(s);
	if (rc < 0)
		free(s);
	else
		*out = s;
	return rc;
}

void nvmei_set_destroy(struct nvmei_set *s)
{
	destroy_hosts(s);
	free(s);
}

int nvmei_set_configure(struct nvmei_set *s,
			const struct nvmei_options *options)
{
	struct nvmei_options old = s->options;
	struct nvmei_controller_info info;
	struct nvmei_discovery_info discovery;
	char nqn[sizeof(s->nqn)];
	int rc;

	if (nvmei_controller_get(s->hosts[0], 0, &info) ||
	    nvmei_discovery_get(s->hosts[0], 0, &discovery))
		return -EBUSY;
	memcpy(nqn, s->nqn, sizeof(nqn));
	old.nqn = nqn;
	destroy_hosts(s);
	take_options(s, options);
	rc = create_hosts(s);
	if (rc == 0)
		return 0;
	take_options(s, &old);
	return create_hosts(s) == 0 ? rc : -ENOMEM;
}

const struct nvmei_options *nvmei_set_options(const struct nvmei_set *s)
{
	return &s->options;
}

struct nvmei *nvmei_set_first(const struct nvmei_set *s)
{
	return s->hosts[0];
}

struct nvmei *nvmei_set_host(const struct nvmei_set *s, int reactor)
{
	return s->hosts[reactor];
}
