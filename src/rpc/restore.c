/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start: the calls of the ledger are made again, in order, by the methods
 * that made them first.  One that fails stays, with its reason, and so do those
 * that need what it would have made; all of them are tried again until they can
 * be made, or are deleted.  A file may come back, an interface may come up, and
 * the kernel closes what io_uring held a moment after a process was killed.
 *
 *	            made                     made again
 *	(waiting) ────────▶ (in force)   ┌──────────────▶ (in force)
 *	     │ fails                     │
 *	     └───────────▶ (missing) ────┤ deleted
 *	                      ▲    │     └──────────────▶ (gone)
 *	                      └────┘ fails again
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "reactor/reactor.h"
#include "rpc/internal.h"

static const nsec try_again_soon = MSEC(10), try_again_later = SEC(1);
enum { SOON_TRIES = 100 };

struct rpc_restore {
	const struct rpc_environment *env;
	struct waitq changed; /* it should stop, or has */
	bool stopping, running;
};

/* The thing that a path names. */
static const char *last_part(const char *path)
{
	const char *tab = strrchr(path, '\t');

	return tab ? tab + 1 : path;
}

/* -errno, whatever code the method refused with. */
static int error_of(const struct rpc_call *call)
{
	if (call->code == 0)
		return 0;
	return call->error_number ? call->error_number : -EINVAL;
}

static void make_call(const struct rpc_environment *env, struct ledger_entry *e)
{
	struct rpc_call call = {
		.env = env,
		.method = rpc_method_find(env, e->method),
		.params = e->params,
		.replay = true,
	};
	int before = e->error;

	if (call.method == NULL)
		rpc_refuse(&call, RPC_METHOD_NOT_FOUND, "no such method");
	else
		rpc_run(&call);
	json_decref(call.result);
	if (call.forgotten)
		return;
	e->error = error_of(&call);
	strcpy(e->text, call.error.text);
	if (e->error != 0 && before == 0)
		log_error("%s %s can't be restored yet: %s", e->method,
			  last_part(e->path), e->text);
	else if (e->error == 0 && before != 0)
		log_info("%s %s is restored", e->method, last_part(e->path));
}

/* Those that are missing, or all. */
static void make_calls(const struct rpc_environment *env, bool all)
{
	struct ledger_entry *e, *next;

	task_write_lock(ledger_lock(env->ledger));
	for (e = ledger_next(env->ledger, NULL); e != NULL; e = next) {
		next = ledger_next(env->ledger, e);
		if (all || e->error != 0)
			make_call(env, e);
	}
	task_write_unlock(ledger_lock(env->ledger));
}

/* Does one wait for an address, or the lock of a file, that the process before
 * us held? */
static bool waits_for_the_dead(const struct ledger *l)
{
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(l, e)) != NULL)
		if (e->error == -EADDRINUSE || e->error == -EBUSY)
			return true;
	return false;
}

static bool any_missing(const struct ledger *l)
{
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(l, e)) != NULL)
		if (e->error != 0)
			return true;
	return false;
}

static void restore_task(void *arg)
{
	struct rpc_restore *r = arg;

	while (!r->stopping) {
		waitq_wait(&r->changed,
			   nsec_after(reactor_now(), try_again_later));
		if (!r->stopping && any_missing(r->env->ledger))
			make_calls(r->env, false);
	}
	r->running = false;
	waitq_wake_all(&r->changed);
}

int rpc_restore_start(const struct rpc_environment *env,
		      struct rpc_restore **out)
{
	struct rpc_restore *r = calloc(1, sizeof(*r));
	int error;

	if (r == NULL)
		return -ENOMEM;
	r->env = env;
	waitq_init(&r->changed);
	make_calls(env, true);
	for (int i = 0; i < SOON_TRIES && waits_for_the_dead(env->ledger);
	     i++) {
		task_sleep(try_again_soon);
		make_calls(env, false);
	}
	r->running = true;
	error = task_spawn("restore", restore_task, r);
	if (error < 0) {
		free(r);
		return error;
	}
	*out = r;
	return 0;
}

void rpc_restore_stop(struct rpc_restore *r)
{
	r->stopping = true;
	waitq_wake_all(&r->changed);
	while (r->running)
		waitq_wait(&r->changed, NSEC_NEVER);
	free(r);
}
