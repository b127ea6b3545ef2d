/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host on each reactor of a set, all with the same name, identifier and
 * controllers: so each core has queues of its own, and shares nothing.
 *
 * Calls are made from tasks of the set's first reactor, one at a time; they
 * park.
 */
#ifndef NVME_INITIATOR_SET_H
#define NVME_INITIATOR_SET_H

#include "nvme/initiator/initiator.h"

struct nvmei_set;
struct reactor_set;

/* `options` as of nvmei_create(): -EINVAL, -ENOMEM. */
int nvmei_set_create(struct reactor_set *reactors,
		     const struct nvmei_options *options,
		     struct nvmei_set **out);
void nvmei_set_destroy(struct nvmei_set *s);

/* Other options; strings are copied.  -EBUSY: something is attached. */
int nvmei_set_configure(struct nvmei_set *s,
			const struct nvmei_options *options);
const struct nvmei_options *nvmei_set_options(const struct nvmei_set *s);

/* Runs fn for the host of each reactor, in a task there, one after another, and
 * ends with the first that returns an error: which is the result. */
typedef int nvmei_set_fn(struct nvmei *h, void *arg);
int nvmei_set_each(struct nvmei_set *s, nvmei_set_fn *fn, void *arg);
/* The first reactor's host, for what is the same on each. */
struct nvmei *nvmei_set_first(const struct nvmei_set *s);
/* That of a reactor, for its own tasks. */
struct nvmei *nvmei_set_host(const struct nvmei_set *s, int reactor);

#endif
