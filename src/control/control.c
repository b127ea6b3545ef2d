/* SPDX-License-Identifier: Apache-2.0 */
#include "control/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/util.h"
#include "control/internal.h"
#include "reactor/reactor.h"

const char *control_state_name(enum control_state s)
{
	static const char *const names[] = {
		[CONTROL_CREATING] = "creating",
		[CONTROL_AVAILABLE] = "available",
		[CONTROL_DOWN] = "down",
		[CONTROL_DELETING] = "deleting",
		[CONTROL_ERROR] = "error",
	};

	return names[s];
}

int refuse(struct control_error *err, int error, const char *code,
	   const char *format, ...)
{
	va_list args;

	err->code = code;
	err->resource[0] = '\0';
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return error;
}

void make_id(char id[CONTROL_ID_SIZE], const char *prefix)
{
	uint64_t random[2];

	random_bytes(random, sizeof(random));
	snprintf(id, CONTROL_ID_SIZE, "%s%01llx%016llx", prefix,
		 (unsigned long long)(random[0] & 0xf),
		 (unsigned long long)random[1]);
}

size_t control_subnets(const struct control *c, const struct subnet **list)
{
	*list = c->subnets;
	return c->n_subnets;
}

int background_start(struct control *c, const char *name, task_fn *fn,
		     void *arg)
{
	int r = task_spawn(name, fn, arg);

	if (r == 0)
		c->background++;
	return r;
}

void background_end(struct control *c)
{
	c->background--;
	waitq_wake_all(&c->background_changed);
}

nsec created_now(struct control *c)
{
	c->newest = MAX(reactor_realtime(), c->newest + 1);
	return c->newest;
}

void created_before(struct control *c, nsec created)
{
	c->newest = MAX(c->newest, created);
}

int control_create(const struct control_options *options, struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->directory = options->directory;
	c->store = options->store;
	c->reactors = options->reactors;
	c->lease = options->lease;
	c->root_squash = options->root_squash;
	c->period = options->period ? options->period : SEC(60);
	c->actions = options->actions;
	c->n_actions = options->n_actions;
	c->tls = options->tls;
	c->identify = options->identify;
	c->identify_arg = options->identify_arg;
	c->keys = options->keys;
	c->elastic_limit = options->elastic_limit;
	c->operations = options->operations ? MAX(options->operations, 0.0)
					    : THROUGHPUT_OPERATIONS;
	task_rwlock_init(&c->lock);
	task_rwlock_init(&c->alarms_lock);
	waitq_init(&c->background_changed);
	list_init(&c->fs);
	list_init(&c->points);
	c->subnets = calloc(CONTROL_SUBNETS_MAX, sizeof(*c->subnets));
	if (c->subnets == NULL) {
		control_destroy(c);
		return -ENOMEM;
	}
	c->n_subnets = MIN(options->n_subnets, (size_t)CONTROL_SUBNETS_MAX);
	memcpy(c->subnets, options->subnets,
	       c->n_subnets * sizeof(*c->subnets));
	r = alarms_load(c);
	if (r == 0)
		r = restore(c);
	if (r == 0)
		r = metering_start(c);
	if (r < 0) {
		control_destroy(c);
		return r;
	}
	*out = c;
	return 0;
}

void control_destroy(struct control *c)
{
	struct fs *fs, *tmp;

	__atomic_store_n(&c->stopping, true, __ATOMIC_RELAXED);
	waitq_wake_all(&c->background_changed);
	while (c->background > 0)
		waitq_wait(&c->background_changed, NSEC_NEVER);
	list_for_each_safe (fs, tmp, &c->fs, link) {
		fs_stop(fs);
		fs_free(fs);
	}
	htable_fini(&c->points_by_id);
	htable_fini(&c->points_by_token);
	task_rwlock_fini(&c->lock);
	task_rwlock_fini(&c->alarms_lock);
	things_free(c);
	json_decref(c->alarms);
	free(c->subnets);
	free(c);
}
