/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvme/initiator: the host's side of NVMe/TCP, in user space, with multipath.
 *
 * A *host* has a name (NQN) and an identifier, and attaches *controllers*: ways
 * to a subsystem, one for each address.  Controllers attached under one name
 * ("Nvme0") belong to one subsystem.  What they show is *volumes*: namespaces,
 * told apart by UUID, NGUID or EUI-64, so that one which several controllers
 * show is one volume ("Nvme0n1") with several paths.
 *
 * Requests for a volume take a path that path/ chooses.  What is in flight on a
 * path that is lost goes to another: what only reads at once; what changes
 * anything when the lost controller can't execute it any more, which is the
 * promise of fence.c.  Meanwhile requests wait; they fail when the timers of
 * the attachment say so, and not before.
 *
 * Threads: a host and all that belongs to it are one reactor's; calls are made
 * from its tasks.  A program with several reactors has a host on each, with the
 * same name and identifier: they share nothing, so they need no locks.
 *
 * Errors are 0 or a negative errno; where a call takes `text`, that says in
 * words what was refused and why (it may be NULL).
 */
#ifndef NVME_INITIATOR_INITIATOR_H
#define NVME_INITIATOR_INITIATOR_H

#include "base/addr.h"
#include "block/block.h"
#include "nvme/pdu/nvme.h"
#include "path/path.h"
#include "reactor/timer.h"

struct nvmei;
struct nvmei_volume;
struct nvmei_slot;

enum {
	NVMEI_NAME_MAX = 63, /* bytes */
	NVMEI_IOV_MAX = 64,  /* pieces of a request's data */
	NVMEI_STANDBYS_MAX = 8,
};

/* ------------------------------------------------------------------ a host */

/* 0 in a field: the default in brackets.  SPDK's bdev_nvme_set_options. */
struct nvmei_options {
	const char *nqn;     /* required */
	uint8_t id[16];	     /* Host Identifier; required, not zero */
	uint32_t kato_ms;    /* [10000] keep-alive timeout, at least 1000 */
	uint32_t timeout_ms; /* [60000] for a command's answer; then its
				controller is given up, and connected anew */
	uint16_t queue_size; /* [128] entries of an I/O queue, 2 to 1024 */
	int retry_count;     /* [3] how often a request is repeated that a
				controller answered with an error that may pass;
				-1: for ever; -2: not at all.  A change of path
				doesn't count */
	/* Of an attachment that says none of the three. */
	int ctrlr_loss_timeout_sec, reconnect_delay_sec,
		fast_io_fail_timeout_sec;
	/* The same: what DH-HMAC-CHAP may use, bits 1 << enum of nvme/auth;
	 * [all hashes; groups up to FFDHE4096: larger ones take a second of
	 * work for each connection, and so for each path that comes back]. */
	unsigned dhchap_hashes, dhchap_groups;
	const char *policy; /* of new volumes; ["active-passive"]; a literal */
	unsigned rr_min_io; /* [1] */
	/* nvmei_set_preferred() holds until the path can't be used. */
	bool no_failback;
	/* Does what other hosts do: writes that were in flight on a lost path
	 * go again at once.  It CORRUPTS DATA; for showing just that. */
	bool reissue_at_once;
};

/* -EINVAL, -ENOMEM. */
int nvmei_create(const struct nvmei_options *options, struct nvmei **out);
/* What is being attached ends at once, and nothing is attached any more
 * (-ECANCELED): for who wants to be rid of the host, and has tasks in calls. */
void nvmei_hurry(struct nvmei *h);
/* No request is in progress, no call, and no volume is held.  Closes all
 * connections; parks. */
void nvmei_destroy(struct nvmei *h);

/* ------------------------------------------------------------- controllers */

/* What a second address under the same name means.  All of a name are for
 * several paths, or none is. */
enum nvmei_multipath {
	NVMEI_MULTIPATH,	 /* one more path */
	NVMEI_MULTIPATH_DISABLE, /* it is refused */
	/* It stands by: it is checked, and then not connected before the one
	 * in use fails.  There is one connection at a time, and one path. */
	NVMEI_MULTIPATH_FAILOVER
};

struct nvmei_attach {
	const char *name; /* "Nvme0" */
	struct addr addr;
	const char *subnqn;
	enum nvmei_multipath multipath;
	/*
	 * The subsystem holds what others of that name hold, too, which is kept
	 * the same by them (synchronous replication): its namespaces are paths
	 * of the volumes with the same UUID, NGUID or EUI-64, size and block
	 * size; others of it are not used.  False: it has to be the same
	 * subsystem.
	 */
	bool replica;
	bool header_digest, data_digest;
	/*
	 * Keys in text ("DHHC-1:…", "NVMeTLSkey-1:…"), NULL: none; they are
	 * needed for the call only.  With dhchap_ctrlr_key the controller has
	 * to prove itself, too.  0: as the host's options say.
	 */
	const char *dhchap_key, *dhchap_ctrlr_key, *psk;
	unsigned dhchap_hashes, dhchap_groups;
	/*
	 * Seconds, as SPDK has them.  A lost controller is tried again each
	 * `reconnect_delay`, and given up after `ctrlr_loss_timeout` (-1:
	 * never); requests that no path can take fail `fast_io_fail_timeout`
	 * after the last was lost (0: never).  All three 0, the default: it is
	 * tried again after 100 ms, then ever more seldom, up to each 5 s, and
	 * never given up.  The first attachment of a name decides for it.
	 */
	int ctrlr_loss_timeout_sec, reconnect_delay_sec,
		fast_io_fail_timeout_sec;
	/* Of its volumes; NULL, 0: as the host's options say.  A literal.  The
	 * first attachment of a name decides; others agree, or say nothing. */
	const char *policy;
	unsigned rr_min_io;
};

/* Whether the three timeouts may be so together: 0 or -EINVAL. */
int nvmei_check_timeouts(int loss, int delay, int fast, char text[256]);

/*
 * Connects; parks until the namespaces are known, or it has failed.  -EALREADY
 * (this path; or a path, with DISABLE), -EINVAL (numbers that contradict each
 * other; another subsystem, or other namespaces; multipath and failover mixed;
 * a key that is none), -ENOSPC (more than NVMEI_STANDBYS_MAX), -EACCES (it may
 * not connect, or one of us did not prove who it is), or what the connection
 * failed with.
 */
int nvmei_attach(struct nvmei *h, const struct nvmei_attach *a, char text[256]);
/* Closes a path, or (addr NULL) all of a name; of several addresses that stand
 * by for each other, it takes away one.  Requests move to others; -EBUSY
 * if there are some and no path is left, or while it is being attached.
 * -ENOENT.  Parks until what was in flight is fenced. */
int nvmei_detach(struct nvmei *h, const char *name, const struct addr *addr);

/*
 * Of the controller at that address (NULL: each of that name).  -ENOENT.
 *
 *	reset	 drops its connection, and connects it anew at once
 *	disable	 drops its connection; it stays so until it is enabled. Requests
 *		 that have only such paths fail
 *	enable	 connects one that is disabled
 *
 * None of them waits; nvmei_await() does, for the connections that are being
 * made: 0, or -EIO if one that is not disabled was not to be had, with `text`.
 * Parks.
 */
int nvmei_reset(struct nvmei *h, const char *name, const struct addr *addr);
int nvmei_disable(struct nvmei *h, const char *name, const struct addr *addr);
int nvmei_enable(struct nvmei *h, const char *name, const struct addr *addr);
int nvmei_await(struct nvmei *h, const char *name, const struct addr *addr,
		char text[256]);

/* The SMART / Health log of the first that is connected.  -ENOENT, -ENOTCONN,
 * -EIO.  Parks. */
struct nvme_smart_log;
int nvmei_get_health(struct nvmei *h, const char *name,
		     struct nvme_smart_log *out);

/* What is attached; as the controller said when it was last connected. */
struct nvmei_controller_info {
	const char *name, *subnqn;
	struct addr addr;
	struct addr standbys[NVMEI_STANDBYS_MAX]; /* the next first */
	unsigned n_standbys;
	bool connected, connecting, disabled;
	uint16_t cntlid; /* 0: it never was */
	uint16_t vendor;
	uint32_t version; /* NVME_VS() */
	char serial[21], model[41], firmware[9];
	bool ana;
};
/* In order of attachment, from 0, without discovery services; false: there are
 * no more.  Strings live as long as the controller. */
bool nvmei_controller_get(const struct nvmei *h, unsigned i,
			  struct nvmei_controller_info *out);

/* --------------------------------------------------------------- discovery */

/*
 * Asks a discovery service which ways there are to which subsystems, attaches
 * all of them, and goes on watching: ways that come are attached, ways that go
 * are detached (but for the last of a volume in use), ways that fail are tried
 * again.  The first subsystem is attached as `a->name` and "0", the next with
 * "1", and so on; a->addr is the service's, a->subnqn is not used, keys are
 * for what is found, the one for TLS where TLS is asked for.  A service that is
 * lost is tried again for ever; what it told holds until it is back.  Services
 * that it refers to are followed likewise, four in a row, 64 in all.
 *
 * Parks until all that was found has been tried once.  -EEXIST: the name, or
 * the address; or as
 * nvmei_attach(), for the service itself.
 */
int nvmei_discovery_start(struct nvmei *h, const struct nvmei_attach *a,
			  char text[256]);
/* Detaches what it had attached.  -ENOENT. */
int nvmei_discovery_stop(struct nvmei *h, const char *name);

/*
 * The same for one subsystem, a->subnqn, all of whose ways are attached as
 * a->name.  What nvmei_attach() has attached, or is told to attach later, is
 * let alone.  It parks until the service has answered, and no longer.  The
 * watch lasts as long as the host.
 */
struct nvmei_discovery;
int nvmei_watch_start(struct nvmei *h, const struct nvmei_attach *a,
		      struct nvmei_discovery **out, char text[256]);
bool nvmei_watch_is_up(const struct nvmei_discovery *d);
/* Asks the service at that address from now on; what is known holds until it
 * has answered.  An error: all is as before. */
int nvmei_watch_move(struct nvmei_discovery *d, const struct addr *addr,
		     char text[256]);

struct nvmei_discovery_info {
	const char *name;
	struct addr addr;
	bool connected;
	unsigned attached; /* ways, with those of its referrals */
};
/* In order of their start, from 0; false: there are no more. */
bool nvmei_discovery_get(const struct nvmei *h, unsigned i,
			 struct nvmei_discovery_info *out);
/* Where the i-th one referred to, directly or not; j from 0. */
bool nvmei_discovery_referral(const struct nvmei *h, unsigned i, unsigned j,
			      struct addr *out);

/* ----------------------------------------------------------------- volumes */

/* "Nvme0n1"; NULL: none.  It goes with its last path and request, unless it is
 * held; without a path it is not found, and its requests fail: -ENODEV. */
struct nvmei_volume *nvmei_find(struct nvmei *h, const char *name);
struct nvmei_volume *nvmei_volume_get(struct nvmei_volume *v);
void nvmei_volume_put(struct nvmei_volume *v);
/* The next in order of discovery; NULL: the first, or none. */
struct nvmei_volume *nvmei_next(struct nvmei *h,
				const struct nvmei_volume *after);

struct nvmei_volume_info {
	const char *name, *subnqn, *controller; /* "Nvme0" */
	uint8_t uuid[16], nguid[16], eui64[8];	/* zero: none */
	uint32_t nsid, block_size;
	uint64_t blocks;
	uint32_t max_transfer;	       /* bytes of one request with data */
	bool can_zero, can_deallocate; /* BLOCK_WRITE_ZEROES, _DEALLOCATE */
	const char *policy;
	unsigned rr_min_io;
};
void nvmei_get_info(const struct nvmei_volume *v,
		    struct nvmei_volume_info *out);
/* path.h's names ("active-passive" at first); under load.  rr_min_io: of
 * round-robin, 0: as it is.  -EINVAL. */
int nvmei_set_policy(struct nvmei_volume *v, const char *policy,
		     unsigned rr_min_io);
/* Active-passive takes the path by that controller when it can.  -ENXIO. */
int nvmei_set_preferred(struct nvmei_volume *v, uint16_t cntlid);

struct nvmei_path_info {
	unsigned way; /* its number: no other of the volume ever has it */
	struct path_info path;
	struct addr addr;
	const char *subnqn; /* lives as long as the path */
	uint16_t cntlid;    /* as it was last connected */
};
/* Fills in up to n; returns how many there are. */
unsigned nvmei_get_paths(const struct nvmei_volume *v,
			 struct nvmei_path_info *out, unsigned n);

/* What the volume has done since it was found, and, for each of its paths, what
 * that one has: false, there is no i-th.  Times are those of the reactor's
 * turns; a path's begin when a request is sent on it. */
void nvmei_get_stats(const struct nvmei_volume *v, struct block_stats *out);
bool nvmei_get_path_stats(const struct nvmei_volume *v, unsigned i,
			  struct addr *addr, struct block_stats *out);

/* What all connections have carried, those that are gone, too. */
struct nvmei_traffic {
	uint64_t submitted, completed; /* commands, also of administration */
	uint64_t queued;     /* that had to wait for a place in a queue */
	uint64_t receptions; /* times that something came */
};
void nvmei_get_traffic(const struct nvmei *h, struct nvmei_traffic *out);

/* ---------------------------------------------------------------- requests */

/* A command on a queue; private. */
struct nvmei_command {
	struct list link; /* waits for a slot */
	struct nvmei_slot *slot;
	struct nvme_sqe sqe;
	const struct iovec *iov; /* data, in either direction */
	int niov;
	uint32_t len;
	bool to_controller;
	bool may_be_short; /* less data may come than there is room for */
	struct nvme_cqe cqe;
	void (*done)(struct nvmei_command *c, int error);
};

struct nvmei_request;
typedef void nvmei_done_fn(struct nvmei_request *r, int error);

/* In its submitter's memory from nvmei_submit() until `done` is called.  The
 * submitter fills in the first part. */
struct nvmei_request {
	enum block_op op;
	unsigned flags;		 /* BLOCK_FUA, BLOCK_UNMAP */
	uint64_t offset, length; /* bytes, multiples of the block size */
	const struct iovec *iov; /* `length` bytes, where there are data */
	int niov;
	nvmei_done_fn *done; /* error: 0 or -errno */
	unsigned way; /* result: nvmei_path_info.way of the last it was on */

	/* Private. */
	struct list link; /* volume.requests */
	struct path_request path;
	struct nvmei_command command;
	struct nvmei_volume *volume;
	struct timer again;
	unsigned repeats;
	nsec begun;
	struct nvme_dsm_range range; /* DEALLOCATE: its data */
	struct iovec range_iov;
	struct completion *waiter; /* nvmei_do() */
};

/*
 * Does the request, sooner or later.  `done` is called later, on the loop's
 * stack or in a task: it must not park, and may submit.  Errors: -EINVAL (not
 * aligned, empty, too long), -ENOSPC (beyond the end), -EILSEQ (COMPARE),
 * -EROFS, -EOPNOTSUPP, -EBUSY (a reservation), -ETIMEDOUT
 * (fast_io_fail_timeout), -ENODEV (all paths are given up), -EIO.  What
 * was refused (-EINVAL, -ENOSPC, -EOPNOTSUPP; -ENODEV: the namespace has gone)
 * is told before it returns.
 */
void nvmei_submit(struct nvmei_volume *v, struct nvmei_request *r);
/*
 * For who has another copy, and doesn't want to wait for a path: ends a request
 * that waits for one, or for a fence; done() is called with -ECANCELED before
 * this returns 0.  What it was to change may still be changed until
 * nvmei_is_fencing() is false.  -EBUSY: it is on its way by a path that lives.
 */
int nvmei_cancel(struct nvmei_request *r);
/* May what was sent on lost paths still be executed? */
bool nvmei_is_fencing(const struct nvmei_volume *v);
/* Submits and waits; parks.  The result. */
int nvmei_do(struct nvmei_volume *v, struct nvmei_request *r);

#endif
