/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvme/target: NVMe/TCP subsystems, their namespaces, and the hosts they serve.
 *
 * A *subsystem* has a name (NQN), *namespaces* (block devices), *listeners*
 * (addresses by which it is reached) and a list of *hosts* that may.  A host
 * that connects by a listener gets a *controller* there: an admin queue and I/O
 * queues, each a TCP connection.  Namespaces are in *ANA groups*, by default
 * each in one of its own; the state of a group is kept for each listener, and
 * tells hosts which way to a namespace is to be preferred, or is closed.
 *
 * The *discovery subsystem* answers on every listener's address, and tells a
 * host which subsystems it may connect to and where.
 *
 * Threads: calls are made from tasks of the reactor that created the target,
 * and may park, unless a comment says otherwise.  Connections are spread over
 * the reactors of the set.
 *
 * Errors are 0 or a negative errno; where a call takes `text`, that says in
 * words what was refused and why (it may be NULL).
 *
 * Safe failover: see ccr.c and docs/internals/nvme-failover.md.  In short: when
 * a controller is lost, its commands that have not reached the medium never
 * do, and those that have are finished before anything is promised about it.
 */
#ifndef NVME_TARGET_TARGET_H
#define NVME_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"

struct block_registry;
struct nvmet;
struct nvmet_subsystem;
struct reactor_set;

#define NVMET_DISCOVERY_NQN "nqn.2014-08.org.nvmexpress.discovery"

enum {
	NVMET_NQN_MAX = 223, /* bytes */
	NVMET_SERIAL_MAX = 20,
	NVMET_MODEL_MAX = 40,
	NVMET_SUBSYSTEMS_MAX = 1024,
	NVMET_NAMESPACES_MAX = 1024, /* of a subsystem */
	NVMET_LISTENERS_MAX = 64,    /* of a subsystem */
	NVMET_HOSTS_MAX = 1024,	     /* of a subsystem */
};

/* ------------------------------------------------------------- the target */

int nvmet_create(struct block_registry *blocks, struct reactor_set *reactors,
		 struct nvmet **out);
/* Ends all connections, and waits for the commands that the media work on. */
void nvmet_destroy(struct nvmet *t);

/* The TCP transport.  Members that are 0 get the default in brackets. */
struct nvmet_transport {
	uint32_t max_queue_depth;	  /* [128] 2 to 1024 */
	uint32_t max_io_qpairs_per_ctrlr; /* [127] */
	uint32_t in_capsule_data_size;	  /* [4096] bytes */
	uint32_t max_io_size;		  /* [131072] bytes, power of two */
	uint32_t io_unit_size;		  /* [131072] accepted, not used */
	uint32_t max_aq_depth;		  /* [128] */
	uint32_t abort_timeout_sec;	  /* [1] */
	uint32_t kas;			  /* [100] keep-alive granularity in
					     100 ms; */
	uint32_t min_kato;		  /* [10000] ms */
	uint32_t max_connections;	  /* [4096] further ones are closed */
	bool no_c2h_success;		  /* a response capsule for each read */
	bool no_header_digest, no_data_digest; /* hosts may not ask for them */
};
/* To be called once, before listeners are added.  -EEXIST, -EINVAL. */
int nvmet_set_transport(struct nvmet *t, const struct nvmet_transport *tr,
			char text[256]);
/* NULL: not set yet.  As set, defaults filled in. */
const struct nvmet_transport *nvmet_get_transport(const struct nvmet *t);

/* ------------------------------------------------------------- subsystems */

struct nvmet_subsystem_spec {
	const char *nqn;
	const char *serial; /* NULL: "00000000000000000000" */
	const char *model;  /* NULL: "Hawser volume" */
	bool allow_any_host;
	bool ana_reporting;
	uint32_t max_namespaces;	 /* 0: 32 */
	uint16_t min_cntlid, max_cntlid; /* 0: 1, 65519 */
};

/* -EEXIST, -EINVAL (NQN, serial, model, range), -ENOSPC. */
int nvmet_subsystem_create(struct nvmet *t,
			   const struct nvmet_subsystem_spec *spec,
			   struct nvmet_subsystem **out, char text[256]);
/* Disconnects its hosts first. */
void nvmet_subsystem_delete(struct nvmet_subsystem *s);
struct nvmet_subsystem *nvmet_subsystem_find(struct nvmet *t, const char *nqn);
/* The next in order of creation; NULL: the first.  Without discovery. */
struct nvmet_subsystem *nvmet_subsystem_next(struct nvmet *t,
					     struct nvmet_subsystem *after);
/* The strings live as long as the subsystem. */
void nvmet_subsystem_get(const struct nvmet_subsystem *s,
			 struct nvmet_subsystem_spec *out);

/* ------------------------------------------------------------- namespaces */

struct nvmet_namespace {
	uint32_t nsid;	      /* 0: the first that is free */
	const char *device;   /* of the block registry, name or UUID */
	uint8_t nguid[16];    /* all zero: made from the device's UUID */
	uint8_t eui64[8];     /* all zero: none */
	uint8_t uuid[16];     /* all zero: the device's */
	uint32_t anagrpid;    /* 0: the nsid */
	bool no_auto_visible; /* only for hosts that were added to it */
};

/* Opens the device for writing.  The nsid, or -errno: -EEXIST, -ENODEV,
 * -EBUSY, -EINVAL, -ENOSPC. */
int64_t nvmet_namespace_add(struct nvmet_subsystem *s,
			    const struct nvmet_namespace *ns, char text[256]);
/* When it returns no command works on it.  -ENOENT. */
int nvmet_namespace_remove(struct nvmet_subsystem *s, uint32_t nsid);
/* The one with the lowest nsid above `after`; false: none. */
bool nvmet_namespace_next(const struct nvmet_subsystem *s, uint32_t after,
			  struct nvmet_namespace *out);
int nvmet_namespace_set_ana_group(struct nvmet_subsystem *s, uint32_t nsid,
				  uint32_t anagrpid);
/* Hosts that see a namespace with no_auto_visible. */
int nvmet_namespace_add_host(struct nvmet_subsystem *s, uint32_t nsid,
			     const char *host_nqn, char text[256]);
int nvmet_namespace_remove_host(struct nvmet_subsystem *s, uint32_t nsid,
				const char *host_nqn);

/* -------------------------------------------------------- listeners, ANA */

/* NVMe Base 2.1, 8.1.1 (Asymmetric Namespace Access): the values on the wire.
 */
enum nvmet_ana {
	NVMET_ANA_OPTIMIZED = 1,
	NVMET_ANA_NON_OPTIMIZED = 2,
	NVMET_ANA_INACCESSIBLE = 3,
	NVMET_ANA_PERSISTENT_LOSS = 4,
	NVMET_ANA_CHANGE = 15,
};

struct nvmet_listener {
	struct addr addr;
	bool secure_channel; /* TLS only */
	enum nvmet_ana ana;  /* of all groups at the start; 0: optimized */
};

/* Serves when it returns.  Subsystems may share an address.  `l->addr` with
 * port 0 chooses one, and is updated.  -EEXIST, -EADDRINUSE, -EADDRNOTAVAIL,
 * -ENXIO (no transport yet), -ENOSPC. */
int nvmet_listener_add(struct nvmet_subsystem *s, struct nvmet_listener *l,
		       char text[256]);
/* Disconnects the subsystem's controllers of that address. -ENOENT. */
int nvmet_listener_remove(struct nvmet_subsystem *s, const struct addr *addr);
/* In order of creation, from 0; false: there are no more. */
bool nvmet_listener_get(const struct nvmet_subsystem *s, size_t i,
			struct nvmet_listener *out);
/* anagrpid 0: all groups.  Hosts are told at once.  -ENOENT: no such listener;
 * -EINVAL: no ANA reporting, group or state out of range. */
int nvmet_listener_set_ana(struct nvmet_subsystem *s, const struct addr *addr,
			   uint32_t anagrpid, enum nvmet_ana state,
			   char text[256]);
enum nvmet_ana nvmet_listener_get_ana(const struct nvmet_subsystem *s,
				      const struct addr *addr,
				      uint32_t anagrpid);

/* ------------------------------------------------------------------ hosts */

/* Disconnects those that are not listed, when it is taken away. */
int nvmet_subsystem_allow_any_host(struct nvmet_subsystem *s, bool allow);
/* Keys are looked up when a host connects; secrets never leave. */
struct nvmet_host {
	const char *nqn;
	const char *dhchap_key, *dhchap_ctrlr_key; /* DHHC-1:…, or NULL */
	const char *psk; /* NVMeTLSkey-1:…, or NULL */
};
/* -EEXIST, -EINVAL (NQN, a key's form), -ENOSPC. */
int nvmet_host_add(struct nvmet_subsystem *s, const struct nvmet_host *h,
		   char text[256]);
/* Other keys for DH-HMAC-CHAP from the next connect on, NULL: none; the key for
 * TLS stays.  -ENOENT, -ENOMEM. */
int nvmet_host_set_keys(struct nvmet_subsystem *s, const struct nvmet_host *h);
/* Disconnects it.  -ENOENT. */
int nvmet_host_remove(struct nvmet_subsystem *s, const char *nqn);
/* In order of creation; keys are not told, only whether there are any (""). */
bool nvmet_host_get(const struct nvmet_subsystem *s, size_t i,
		    struct nvmet_host *out);

/* Other places to discover subsystems (discovery log entries that refer). */
int nvmet_referral_add(struct nvmet *t, const struct addr *addr,
		       const char *subnqn);
int nvmet_referral_remove(struct nvmet *t, const struct addr *addr,
			  const char *subnqn);
bool nvmet_referral_get(const struct nvmet *t, size_t i, struct addr *addr,
			const char **subnqn);

/* ---------------------------------------------------------- what goes on */

struct nvmet_controller_info {
	uint16_t cntlid;
	char host_nqn[NVMET_NQN_MAX + 1];
	uint8_t host_id[16];
	unsigned io_queues;
	uint32_t kato_ms;
	struct addr local, peer; /* of the admin queue */
	nsec since;		 /* reactor_now() */
};
/* A malloc'ed array for the caller to free: how many, or -ENOMEM. */
int nvmet_controllers(struct nvmet_subsystem *s,
		      struct nvmet_controller_info **out);

struct nvmet_queue_info {
	uint16_t cntlid, qid;
	bool live; /* past the connect */
	bool header_digest, data_digest;
	unsigned depth, in_flight;
	int reactor; /* its number in the set */
	struct addr local, peer;
};
int nvmet_queues(struct nvmet_subsystem *s, struct nvmet_queue_info **out);

/* For each reactor; any thread, may lag. */
struct nvmet_stats {
	unsigned admin_queues, io_queues; /* now */
	uint64_t admin_queues_ever, io_queues_ever;
	uint64_t admin_commands, io_commands;
	uint64_t pending_data; /* writes that wait for their data, now */
	uint64_t bytes_read, bytes_written;
	uint64_t protocol_errors;
};
void nvmet_get_stats(const struct nvmet *t, int reactor,
		     struct nvmet_stats *out);

#endif
