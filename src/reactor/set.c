/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of reactors, a thread each.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "reactor/internal.h"

struct reactor_set {
	int count;
	_Atomic unsigned next; /* of reactor_set_pick() */
	struct reactor *reactors[];
};

int reactor_set_create(int n, const struct reactor_options *options,
		       struct reactor_set **out)
{
	struct reactor_set *set;
	int err;

	set = calloc(1, sizeof(*set) + n * sizeof(set->reactors[0]));
	if (set == NULL)
		return -ENOMEM;
	for (; set->count < n; set->count++) {
		err = reactor_create(options, &set->reactors[set->count]);
		if (err != 0) {
			reactor_set_destroy(set);
			return err;
		}
	}
	*out = set;
	return 0;
}

static void *run_one(void *r)
{
	reactor_run(r);
	return NULL;
}

void reactor_set_run(struct reactor_set *set)
{
	pthread_t *threads = calloc(set->count, sizeof(*threads));
	int started = 1, err = threads != NULL ? 0 : ENOMEM;

	for (; err == 0 && started < set->count; started += err == 0)
		err = pthread_create(&threads[started], NULL, run_one,
				     set->reactors[started]);
	if (err != 0) {
		log_error("reactors: no thread: %s", strerror(err));
		reactor_set_stop(set);
	}
	reactor_run(set->reactors[0]);
	for (int i = 1; threads != NULL && i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

void reactor_set_stop(struct reactor_set *set)
{
	for (int i = 0; i < set->count; i++)
		reactor_stop(set->reactors[i]);
}

void reactor_set_destroy(struct reactor_set *set)
{
	for (int i = 0; i < set->count; i++)
		reactor_destroy(set->reactors[i]);
	free(set);
}

int reactor_set_count(const struct reactor_set *set)
{
	return set->count;
}

struct reactor *reactor_set_get(const struct reactor_set *set, int i)
{
	assert(i >= 0 && i < set->count);
	return set->reactors[i];
}

struct reactor *reactor_set_pick(struct reactor_set *set)
{
	return set->reactors[atomic_fetch_add(&set->next, 1) % set->count];
}
