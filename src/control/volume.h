/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volume: a sparse file in DIR/volumes, as a namespace of a subsystem that is
 * listened for on every subnet.  By default the subsystem is its own, and lives
 * as long; it may also be put into one that is there.
 *
 * These calls make the parts and take them away; what was asked for is written
 * down in the ledger by rpc/volume.c.  All are made from tasks of the control's
 * reactor, and may park.
 */
#ifndef CONTROL_VOLUME_H
#define CONTROL_VOLUME_H

#include "base/uuid.h"
#include "block/block.h"
#include "control/control.h"
#include "nvme/target/target.h"

enum {
	VOLUME_LISTENERS_MAX = 32,
	VOLUME_PORT = 4420,
};

struct volume {
	char id[CONTROL_ID_SIZE]; /* vol-…, also the device's name */
	char name[BLOCK_NAME_MAX + 1];
	char nqn[NVMET_NQN_MAX + 1]; /* of its subsystem */
	bool own;		     /* the subsystem is the volume's */
	uint8_t uuid[UUID_BYTES];
	uint64_t size;	     /* bytes */
	uint32_t block_size; /* bytes */
	uint32_t nsid;
	struct addr listeners[VOLUME_LISTENERS_MAX]; /* if it is its own */
	size_t n_listeners;
};

/* What the parts are made in. */
struct volume_place {
	struct control *control;
	struct block_registry *blocks;
	struct nvmet *nvmet;
	const char *directory; /* of the state */
};

/* Fills in a new id, and an NQN made from it and this host's UUID. */
int volume_name(const struct volume_place *p, struct volume *v);
/* Makes what is not there yet of device, subsystem, namespace and listeners.
 * The file is only made with `create`.  The first error; the rest is made as
 * far as can be. */
int volume_start(const struct volume_place *p, const struct volume *v,
		 bool create, char text[256]);
/* Adds a listener in each subnet that this host has an address in, or in those
 * whose ids are given, and notes it in `v`.  -EADDRNOTAVAIL: in none. */
int volume_listen(const struct volume_place *p, struct volume *v, int port,
		  char text[256]);
/* Takes all parts away but the file. */
void volume_stop(const struct volume_place *p, const struct volume *v);
/* Removes the file of an id; 0 also if there is none. */
int volume_remove_file(const struct volume_place *p, const char *id);
/* Allocated bytes; 0 if it is not there. */
uint64_t volume_used(const struct volume_place *p, const char *id);

#endif
