/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/server/load.h"

#include <pthread.h>

static struct nfsd_load *all_loads;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct nfsd_load *load;

struct nfsd_load *nfsd_load_self(void)
{
	if (load != NULL)
		return load;
	load = calloc(1, sizeof(*load));
	if (load == NULL)
		abort();
	list_init(&load->crowd);
	pthread_mutex_lock(&all_lock);
	load->next = all_loads;
	all_loads = load;
	pthread_mutex_unlock(&all_lock);
	return load;
}
