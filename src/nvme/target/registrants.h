/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has registered with a namespace, who holds it, and what that lets others
 * do (NVMe Base 2.3, 8.1.24).  Pure: no I/O, no lock, no clock; the caller has
 * a lock around it.
 *
 * Hosts are told apart by their identifier, whatever controllers they have.
 * What returns uint16_t returns a status, with DNR; if it is not 0 nothing has
 * changed.
 */
#ifndef NVME_TARGET_REGISTRANTS_H
#define NVME_TARGET_REGISTRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "nvme/pdu/reservation.h"

enum { REGISTRANTS_MAX = 256 };

struct registrant {
	struct list link;
	uint8_t host[16];
	uint64_t key; /* never 0 */
	bool holder;  /* it acquired the reservation */
};

struct registrants {
	struct list all; /* struct registrant, the oldest first */
	unsigned n;
	enum nvme_resv_type type; /* NONE: nobody holds a reservation */
	uint32_t generation;
	/* A host is to be told that somebody else's command did this. */
	void (*told)(void *arg, const uint8_t host[16],
		     enum nvme_resv_notice what);
	void *arg;
};

void registrants_init(struct registrants *r);
void registrants_fini(struct registrants *r);

uint16_t registrants_register(struct registrants *r, const uint8_t host[16],
			      uint8_t action, bool ignore_key, uint64_t current,
			      uint64_t new);
uint16_t registrants_acquire(struct registrants *r, const uint8_t host[16],
			     uint8_t action, uint8_t type, uint64_t current,
			     uint64_t preempted);
uint16_t registrants_release(struct registrants *r, const uint8_t host[16],
			     uint8_t action, uint8_t type, uint64_t current);

/* With All Registrants everyone holds it. */
bool registrants_is_holder(const struct registrants *r,
			   const struct registrant *reg);
bool registrants_allow(const struct registrants *r, const uint8_t host[16],
		       bool write);

#endif
