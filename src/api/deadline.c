/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deadline.h"

#include <sys/socket.h>

#include "api/api.h"
#include "base/log.h"

void deadlines_init(struct deadlines *all, unsigned crowd)
{
	*all = (struct deadlines){ .crowd = crowd };
	pthread_mutex_init(&all->lock, NULL);
	list_init(&all->waiting);
}

void deadlines_fini(struct deadlines *all)
{
	pthread_mutex_destroy(&all->lock);
}

static void start_locked(struct deadlines *all, struct deadline *d)
{
	list_del(&d->link);
	d->since = all->ticks;
	list_append(&all->waiting, &d->link);
}

void deadline_add(struct deadlines *all, struct deadline *d, int fd)
{
	list_init(&d->link);
	d->fd = fd;
	pthread_mutex_lock(&all->lock);
	all->n++;
	start_locked(all, d);
	pthread_mutex_unlock(&all->lock);
}

void deadline_remove(struct deadlines *all, struct deadline *d)
{
	pthread_mutex_lock(&all->lock);
	all->n--;
	list_del(&d->link);
	pthread_mutex_unlock(&all->lock);
}

void deadline_start(struct deadlines *all, struct deadline *d)
{
	pthread_mutex_lock(&all->lock);
	start_locked(all, d);
	pthread_mutex_unlock(&all->lock);
}

void deadline_stop(struct deadlines *all, struct deadline *d)
{
	pthread_mutex_lock(&all->lock);
	list_del(&d->link);
	pthread_mutex_unlock(&all->lock);
}

void deadlines_enforce(struct deadlines *all)
{
	struct deadline *d, *next;
	unsigned most, shut = 0;

	pthread_mutex_lock(&all->lock);
	all->ticks++;
	most = all->n >= all->crowd ? API_CROWDED_SECONDS : API_WAIT_SECONDS;
	list_for_each_safe (d, next, &all->waiting, link) {
		if (all->ticks - d->since <= most)
			break;
		shutdown(d->fd, SHUT_RDWR);
		list_del(&d->link);
		shut++;
	}
	pthread_mutex_unlock(&all->lock);
	if (shut > 0)
		log_debug("api: %u connections took more than %u s", shut,
			  most);
}
