/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside nvme/target.  How a command goes through the files of this room is
 * told in command.c; what happens when a controller is lost, in controller.c.
 *
 * Who owns what
 * -------------
 * A queue (struct nvmet_queue: a TCP connection and the queue pair on it), its
 * commands and all that they point to belong to the tasks of one reactor, and
 * need no lock.  A controller belongs to the reactor of its admin queue.
 *
 * Configuration (subsystems, namespaces, listeners, hosts) and the lists of
 * controllers and queues are changed and walked under nvmet.lock, a mutex that
 * is never held while a task parks.  Connect, admin commands and teardown take
 * it; I/O does not.
 *
 * What I/O reads of the configuration it reads without a lock:
 *
 *	subsystem.ns[nsid]      atomic pointer; NULL: there is none
 *	listener.ana[anagrpid]  atomic byte
 *	ctrl.fenced             atomic flag
 *
 * To take such a thing away, the writer (a task of the control reactor)
 * unpublishes it and then calls nvmet_barrier(): that runs a task on each
 * reactor in turn.  As I/O does not park between looking something up and
 * counting itself (nvmet_ns.users of its reactor), after the barrier each I/O
 * has either not seen it or is counted; the writer then waits for the counts,
 * and frees.
 *
 * Locks: nvmet.lock is taken before the locks of block/ and reactor/, and after
 * none.  nvmet_ctrl.errors has one of its own, and so has a reservation: they
 * may be taken under nvmet.lock, and only the locks of reactor/ under them.
 */
#ifndef NVME_TARGET_INTERNAL_H
#define NVME_TARGET_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/util.h"
#include "block/block.h"
#include "nvme/pdu/fabrics.h"
#include "nvme/pdu/identify.h"
#include "nvme/pdu/log.h"
#include "nvme/pdu/pdu.h"
#include "nvme/pdu/reservation.h"
#include "nvme/target/target.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum {
	NVMET_MAGIC = 0x6e740001,
	NVMET_SUBSYSTEM_MAGIC,
	NVMET_CTRL_MAGIC,
	NVMET_QUEUE_MAGIC,
	NVMET_CMD_MAGIC,
};

enum {
	NVMET_ANA_GROUP_MAX = NVMET_NAMESPACES_MAX, /* the highest id */
	NVMET_CONTROLLERS_MAX = 1024,		    /* of a subsystem */
	NVMET_ADMIN_IN_CAPSULE = 8192, /* NVMe/TCP 3.3.1.3: admin queues */
	NVMET_ADMIN_DEPTH_MIN = 32,
	NVMET_AER_MAX = 4,	 /* Asynchronous Event Requests outstanding */
	NVMET_RESV_NOTICES = 16, /* of a controller, that it may have to read */
	NVMET_ERRORS_KEPT = 64,	 /* of a controller, for its log page */
	NVMET_DISCOVERY_IDLE_MS = 120000, /* without keep alive */
	NVMET_CQT_MS = 10000, /* Command Quiesce Time: see controller.c */
	NVMET_CCR_MAX = 4,    /* of one controller, in progress */
};
#define NVMET_VERSION	    NVME_VS(2, 3, 0)
#define NVMET_SETUP_TIMEOUT SEC(30) /* from accept to a good Connect */
#define NVMET_PDU_TIMEOUT   SEC(60) /* for the rest of a PDU */
#define NVMET_WRITE_TIMEOUT SEC(60) /* without progress */
/* Bytes of data; beyond it commands wait.  A reactor whose queues have more
 * than NVMET_CPU_BYTES lets each have NVMET_QUEUE_LOW only. */
#define NVMET_QUEUE_BYTES MIB(16)
#define NVMET_QUEUE_LOW	  KIB(512)
#define NVMET_CPU_BYTES	  MIB(256)

/* Of a command's execution: it will be ended by nvmet_cmd_end(). */
enum { NVMET_LATER = -1 };

struct nvmet_cmd;
struct nvmet_cpu;
struct nvmet_ctrl;
struct nvmet_queue;

/* ------------------------------------------------------------ the target */

struct nvmet {
	unsigned magic;
	struct block_registry *blocks;
	struct reactor_set *set;     /* NULL: `control` alone */
	struct reactor *control;     /* created the target */
	struct nvmet_transport conf; /* defaults filled in */
	bool has_transport;

	pthread_mutex_t lock;
	struct list subsystems; /* in order of creation; without discovery */
	struct nvmet_subsystem *discovery;
	struct list ports;
	struct list referrals;
	unsigned nsubsystems, nqueues; /* conf.max_connections at most */
	uint16_t last_portid;
	uint8_t last_ciu;
	uint64_t discovery_genctr;

	/* Of the control reactor: connections refused, and when that was
	 * logged last. */
	uint64_t refused;
	nsec refused_told;

	int ncpus;
	struct nvmet_cpu *cpus; /* by reactor's number in the set */
};

/* What belongs to one reactor. */
struct nvmet_cpu {
	struct nvmet *t;
	struct reactor *reactor;
	int index;
	struct list free_cmds; /* nvmet_cmd.link */
	unsigned nfree_cmds;
	_Atomic int load; /* connections, but those known as admin queues */
	size_t bytes;	  /* of data, of all its queues */

	/* Written by this reactor, read by any. */
	struct nvmet_counters {
		_Atomic uint64_t admin_queues, io_queues;
		_Atomic uint64_t admin_queues_ever, io_queues_ever;
		_Atomic uint64_t admin_commands, io_commands, pending_data;
		_Atomic uint64_t bytes_read, bytes_written, protocol_errors;
	} stats;
} __attribute__((aligned(64)));

#define nvmet_count(cpu, member, n)                                            \
	atomic_store_explicit(&(cpu)->stats.member,                            \
			      atomic_load_explicit(&(cpu)->stats.member,       \
						   memory_order_relaxed) +     \
				      (n),                                     \
			      memory_order_relaxed)

struct nvmet_cpu *nvmet_cpu_self(struct nvmet *t);

/* When it returns, what other reactors did without parking when it was called
 * has ended.  Parks. */
void nvmet_barrier(struct nvmet *t);

/* port.c: an address that is listened on, by listeners that share it. */
struct nvmet_port {
	struct list link; /* nvmet.ports */
	struct nvmet *t;
	struct addr addr;
	uint16_t id; /* PORTID of the discovery log */
	struct listener *listener;
	unsigned users;	    /* listeners */
	struct list queues; /* nvmet_queue.in_port: all of them */
	bool ending;
	struct completion ended; /* of the accepting task */
};

/* Tasks of the control reactor.  With one user more: 0 or -errno.  And with one
 * less; the last one ends its connections, and parks until they are gone. */
int nvmet_port_get(struct nvmet *t, const struct addr *addr,
		   struct nvmet_port **out);
void nvmet_port_put(struct nvmet_port *port);

/* ------------------------------------------------------------ subsystems */

struct nvmet_subsystem {
	unsigned magic;
	struct list link; /* nvmet.subsystems */
	struct nvmet *t;
	char nqn[NVMET_NQN_MAX + 1];
	char serial[NVMET_SERIAL_MAX + 1], model[NVMET_MODEL_MAX + 1];
	bool is_discovery, ana_reporting;
	uint32_t max_namespaces;
	uint16_t min_cntlid, max_cntlid;

	/* Under nvmet.lock. */
	bool allow_any_host;
	bool ending; /* takes no more controllers */
	struct list hosts, listeners, ctrls;
	unsigned nhosts, nlisteners, nctrls;
	uint16_t last_cntlid;
	_Atomic uint64_t ana_chgcnt;

	/* By nsid, 1 to max_namespaces; see above. */
	_Atomic(struct nvmet_ns *) ns[];
};

struct nvmet_ns {
	struct nvmet_subsystem *s;
	uint32_t nsid;
	struct block_user user; /* has the device open */
	struct block_device *device;
	unsigned shift; /* of the block size */
	_Atomic uint32_t anagrpid;
	uint8_t nguid[16], eui64[8], uuid[16];
	bool has_nguid, has_eui64;
	bool no_auto_visible;
	struct list hosts; /* that see it all the same; nvmet.lock */

	/* reservation.c; NULL: nobody has registered.  I/O calls
	 * nvmet_reservation_check() if this is not NULL. */
	_Atomic(struct nvmet_reservation *) reservation;

	/* Commands that work on it, by reactor; each is that reactor's. */
	struct nvmet_ns_users {
		uint64_t n;
		struct message *waiter; /* posted when n becomes 0 */
	} __attribute__((aligned(64))) users[];
};

/* One address of one subsystem (struct nvmet_listener describes it). */
struct nvmet_way {
	struct list link; /* subsystem.listeners */
	struct nvmet_subsystem *s;
	struct nvmet_port *port;
	bool secure_channel;
	_Atomic uint8_t ana[NVMET_ANA_GROUP_MAX + 1]; /* by anagrpid */
	uint64_t ana_chgcnt[NVMET_ANA_GROUP_MAX + 1]; /* under nvmet.lock */
};

struct nvmet_host_entry {
	struct list link; /* subsystem.hosts, or nvmet_ns.hosts */
	char nqn[NVMET_NQN_MAX + 1];
	char *dhchap_key, *dhchap_ctrlr_key, *psk; /* or NULL */
};

struct nvmet_referral {
	struct list link; /* nvmet.referrals */
	struct addr addr;
	char subnqn[NVMET_NQN_MAX + 1];
};

/* The discovery subsystem has no namespaces: max_namespaces is 0. */
struct nvmet_subsystem *nvmet_subsystem_alloc(struct nvmet *t, const char *nqn,
					      uint32_t max_namespaces);
void nvmet_subsystem_free(struct nvmet_subsystem *s);
void nvmet_hosts_free(struct list *hosts);

/* Under nvmet.lock. */
struct nvmet_subsystem *nvmet_find_locked(struct nvmet *t, const char *nqn);
struct nvmet_host_entry *nvmet_find_host_locked(struct list *hosts,
						const char *nqn);
bool nvmet_host_allowed_locked(struct nvmet_subsystem *s, const char *nqn);
/* "nqn.2014-08.org…": 0 or -EINVAL, with the reason in text. */
int nvmet_check_nqn(const char *nqn, char text[256]);
/* Writes to text[256], which may be NULL; returns rc. */
__attribute__((format(printf, 3, 4))) int nvmet_say(char *text, int rc,
						    const char *format, ...);

/* The namespace, if the controller may see it; NULL: invalid nsid.  By a task
 * of the queue's reactor, without parking while it is used; or with
 * nvmet_ns_hold() first. */
struct nvmet_ns *nvmet_ns_of(const struct nvmet_ctrl *ctrl, uint32_t nsid);
/* Whether the controller may see it.  Any thread. */
bool nvmet_ns_seen(const struct nvmet_ctrl *ctrl, const struct nvmet_ns *ns);
/* Of a new controller whose host is known. */
void nvmet_ns_show_all_locked(struct nvmet_ctrl *ctrl);
void nvmet_ns_hold(struct nvmet_ns *ns, const struct nvmet_cpu *cpu);
void nvmet_ns_drop(struct nvmet_ns *ns, const struct nvmet_cpu *cpu);
/* Its state for this controller's listener. */
enum nvmet_ana nvmet_ana_of(const struct nvmet_ctrl *ctrl,
			    const struct nvmet_ns *ns);

/* ----------------------------------------------------------- controllers */

/*
 *	LIVE      takes commands
 *	ENDING    takes none; those that have not reached a device are dropped,
 *	          the others are waited for.  controller.c
 *	GONE      nothing of it can have an effect any more
 */
enum nvmet_ctrl_state { NVMET_CTRL_LIVE, NVMET_CTRL_ENDING, NVMET_CTRL_GONE };

/*
 * References: one for subsystem.ctrls, one for each of its queues, one for each
 * task that was sent to its reactor.
 */
struct nvmet_ctrl {
	unsigned magic;
	_Atomic unsigned refs;
	struct nvmet *t;
	struct nvmet_subsystem *s;
	struct nvmet_way *way; /* NULL: of the discovery subsystem */
	struct nvmet_cpu *cpu; /* the admin queue's */
	uint16_t cntlid;
	uint8_t ciu;   /* Controller Instance Uniquifier: never 0 */
	uint64_t cirn; /* Controller Instance Random Number */
	char host_nqn[NVMET_NQN_MAX + 1];
	uint8_t host_id[16];
	struct addr local, peer;
	nsec since;

	/* Under nvmet.lock. */
	struct list link; /* subsystem.ctrls */
	enum nvmet_ctrl_state state;
	struct nvmet_queue *admin; /* NULL: it has ended */
	struct list queues;	   /* nvmet_queue.in_ctrl: I/O queues */
	struct list waiters;	   /* woken when one has gone, or it itself */

	/* No I/O command may begin: not enabled yet, reset, shut down or
	 * ending. */
	_Atomic bool fenced;
	_Atomic uint32_t kato_ms; /* 0: none */
	/* By nsid: sees it although it is not for all.  Read without a lock. */
	_Atomic uint64_t visible[NVMET_NAMESPACES_MAX / 64 + 1];

	/* Of its reactor. */
	uint32_t cc, csts;
	bool changing; /* a task brings csts to where cc wants it */

	/* Admin side: of its reactor, unless it says otherwise. */
	uint32_t features[256]; /* by identifier: feature.c */
	uint32_t temperature_low;
	_Atomic bool write_through; /* I/O reads it */
	uint32_t async_config;	    /* Asynchronous Event Configuration */
	struct nvmet_cmd *aer[NVMET_AER_MAX];
	unsigned naer;
	_Atomic uint32_t events; /* 1 << enum nvmet_event, to be told */
	struct message news;	 /* that there are some; with a reference */
	atomic_bool news_posted; /* and is on its way */
	uint32_t events_masked;	 /* told, and the log page not yet read */
	/* Since the log page was read, a bit for each nsid; any thread. */
	_Atomic uint64_t changed_ns[NVMET_NAMESPACES_MAX / 64 + 1];
	struct nvmet_errors { /* any thread */
		pthread_mutex_t lock;
		uint64_t count;
		struct nvme_error_entry last[NVMET_ERRORS_KEPT];
	} errors;
	struct list ccrs; /* ccr.c */
	/* reservation.c: under nvmet.lock. */
	uint8_t resv_mask[NVMET_NAMESPACES_MAX + 1]; /* 1 << notice, by nsid */
	struct nvmet_resv_notices {
		uint64_t told, read;
		struct nvmet_resv_notice {
			uint32_t nsid;
			enum nvme_resv_notice what;
		} last[NVMET_RESV_NOTICES];
	} resv_notices;
};

/* subsystem.ctrls is walked under nvmet.lock; what is used beyond it needs a
 * reference. */
struct nvmet_ctrl *nvmet_ctrl_ref(struct nvmet_ctrl *ctrl);
void nvmet_ctrl_put(struct nvmet_ctrl *ctrl);
/* For a Connect of queue 0; with the reference of q->ctrl.  NULL: no memory, or
 * no identifier is free.  nvmet.lock is held. */
struct nvmet_ctrl *nvmet_ctrl_create_locked(struct nvmet_queue *q,
					    struct nvmet_subsystem *s,
					    struct nvmet_way *way);
struct nvmet_ctrl *nvmet_ctrl_find_locked(struct nvmet_subsystem *s,
					  uint16_t cntlid);
/* Ends it as if its admin connection were lost; any thread; does not park. */
void nvmet_ctrl_end(struct nvmet_ctrl *ctrl);
/* Parks until it is GONE: true, or the deadline: false. */
bool nvmet_ctrl_wait_gone(struct nvmet_ctrl *ctrl, nsec deadline);
/* Ends those that `match` picks, called under nvmet.lock, and waits for them.
 * Parks. */
typedef bool nvmet_ctrl_match_fn(const struct nvmet_ctrl *ctrl,
				 const void *arg);
void nvmet_ctrls_end(struct nvmet_subsystem *s, nvmet_ctrl_match_fn *match,
		     const void *arg);
/* I/O may begin (again); none may, and its I/O queues are ended and waited for.
 * Of its reactor; the second one parks. */
void nvmet_ctrl_enable(struct nvmet_ctrl *ctrl);
void nvmet_ctrl_quiesce(struct nvmet_ctrl *ctrl);
bool nvmet_ctrl_has_io_queues(struct nvmet_ctrl *ctrl);
/* When the host is overdue if nothing is heard before. */
nsec nvmet_ctrl_expires(struct nvmet_ctrl *ctrl);
/* A queue of it ends: before its commands have, and after. */
void nvmet_ctrl_queue_ends(struct nvmet_queue *q);
void nvmet_ctrl_queue_gone(struct nvmet_queue *q); /* parks for queue 0 */

/*
 * aer.c: something that hosts are to be told.  Any thread, nvmet.lock may be
 * held; does not park.  nsid: of NS_CHANGED.
 */
enum nvmet_event {
	NVMET_EVENT_NS_CHANGED,
	NVMET_EVENT_ANA_CHANGED,
	NVMET_EVENT_DISCOVERY_CHANGED,
	NVMET_EVENT_CCR_COMPLETED,
	NVMET_EVENT_RESERVATION,
	NVMET_EVENT_ERROR,
};
void nvmet_event(struct nvmet_ctrl *ctrl, enum nvmet_event event,
		 uint32_t nsid);
/* Its outstanding requests are freed, without a reply. */
void nvmet_aer_drop(struct nvmet_ctrl *ctrl);
/* True if it is one that was outstanding; its completion is queued. */
bool nvmet_aer_abort(struct nvmet_cmd *cmd);
/* The events that there are (OAES), and those that the host wants: a status. */
uint32_t nvmet_aer_supported(const struct nvmet_ctrl *ctrl);
int nvmet_aer_configure(struct nvmet_ctrl *ctrl, uint32_t config);
/* The host reads this log page now: what led to it is told again. */
void nvmet_aer_seen(struct nvmet_ctrl *ctrl, uint8_t page);
/* For all controllers; nvmet.lock is held. */
void nvmet_event_ns_changed_locked(struct nvmet_subsystem *s, uint32_t nsid);
void nvmet_event_ana_changed_locked(struct nvmet_way *way);
void nvmet_event_discovery_changed_locked(struct nvmet *t);

/* -------------------------------------------------------------- commands */

/*
 * A command of a host, from its capsule until its reply has been handed to the
 * kernel.  Taken from, and given back to, the reactor's own (command.c, where
 * the states are drawn).
 */
enum nvmet_cmd_state {
	NVMET_CMD_FREE,
	NVMET_CMD_NEW,
	NVMET_CMD_STARVED, /* waits for memory */
	NVMET_CMD_R2T,	   /* an R2T is to be sent */
	NVMET_CMD_DATA,	   /* waits for H2CData */
	NVMET_CMD_DEVICE,  /* block/ has it */
	NVMET_CMD_HELD,	   /* a task or aer.c has it: NVMET_LATER */
	NVMET_CMD_REPLY,   /* its reply is to be sent */
};

enum { NVMET_NO_TAG = 0xffff };

struct nvmet_cmd {
	unsigned magic;
	enum nvmet_cmd_state state;
	struct nvmet_queue *q;
	struct list link; /* of a list for its state */
	struct list all;  /* queue.cmds */
	struct nvme_sqe sqe;
	struct nvme_cqe cqe; /* the reply: handlers set `result` */

	/* Data: `length` bytes, which the host sends or gets. */
	uint32_t length, received;
	bool to_host, to_controller;
	bool aborted;	 /* by Abort: it is not to begin any more */
	bool preempted;	 /* by Preempt and Abort */
	bool in_capsule; /* the data are in the receive buffer */
	bool waited;	 /* since it was checked */
	bool bad_digest; /* of some of its data */
	uint16_t tag;	 /* of its R2T, in queue.tags */
	uint8_t *data;
	size_t data_size; /* pooled; 0: not ours */

	/* Admin commands: what runs it when the data are there. */
	int (*execute)(struct nvmet_cmd *cmd);

	/* I/O. */
	struct nvmet_ns *ns; /* held */
	struct iovec iov;
	struct block_request io;

	/* What send.c writes before and behind the data. */
	uint8_t head[sizeof(struct nvme_tcp_data) + NVME_TCP_DIGEST];
	uint8_t tail[NVME_TCP_DIGEST + sizeof(struct nvme_tcp_resp) +
		     NVME_TCP_DIGEST];
};

/* command.c.  Of the reactor of its queue. */
struct nvmet_cmd *nvmet_cmd_get(struct nvmet_queue *q);
void nvmet_cmd_free(struct nvmet_cmd *cmd);
/* Pooled memory for all of its data; false: there is none. */
bool nvmet_cmd_get_data(struct nvmet_cmd *cmd);
/* Takes a capsule; `data` are in the capsule, and valid only now. */
void nvmet_cmd_receive(struct nvmet_queue *q, const struct nvme_sqe *sqe,
		       uint8_t *data, uint32_t len, bool digest_ok);
/* It waits for the data of this transfer; NULL: none does. */
struct nvmet_cmd *nvmet_cmd_by_tag(struct nvmet_queue *q, uint16_t tag);
/* All of its data have come. */
void nvmet_cmd_data_complete(struct nvmet_cmd *cmd);
/* The end: status is SCT << 8 | SC, with NVME_SC_DNR. */
void nvmet_cmd_end(struct nvmet_cmd *cmd, uint16_t status);
/* None of the queue's commands is to begin any more; those that wait are
 * dropped, those in a device are asked back. */
void nvmet_cmds_drop(struct nvmet_queue *q);
/* Parks until all have ended. */
void nvmet_cmds_wait(struct nvmet_queue *q);

/* For handlers of admin commands, which return a status or NVMET_LATER:
 * copies the part of `len` bytes that belongs at `at` of the structure asked
 * for into the command's data, which begin at `from` of it.  Data that nobody
 * put are zero. */
void nvmet_cmd_put(struct nvmet_cmd *cmd, uint64_t from, uint64_t at,
		   const void *src, size_t len);
/* Has fn(cmd) run in a task of its own, where it may park; its status ends the
 * command. */
int nvmet_cmd_in_task(struct nvmet_cmd *cmd, int (*fn)(struct nvmet_cmd *cmd));

/* io.c.  Judges an I/O command and says what data it has: 0, or a status.  Then
 * nvmet_io_start(), when data and memory for them are there. */
uint16_t nvmet_io_prepare(struct nvmet_cmd *cmd);
void nvmet_io_start(struct nvmet_cmd *cmd);
/* Errno from block/ as a status. */
uint16_t nvmet_io_status(const struct nvmet_cmd *cmd, int error);

/* admin.c: the table.  connect.c, property.c: Fabrics commands. */
struct nvmet_admin_op {
	int (*execute)(struct nvmet_cmd *cmd);
	/* Bytes that the command transfers, given the SQE; NULL: none. */
	uint32_t (*length)(const struct nvme_sqe *sqe);
	bool discovery;	  /* discovery controllers have it, too */
	uint32_t effects; /* NVME_CSE_* */
};
const struct nvmet_admin_op *nvmet_admin_find(uint8_t opcode);
const struct nvmet_admin_op *nvmet_fabrics_find(const struct nvme_sqe *sqe);

/* Commands Supported and Effects. */
uint32_t nvmet_admin_effects(const struct nvmet_ctrl *ctrl, uint8_t opcode);
uint32_t nvmet_io_effects(const struct nvmet_ctrl *ctrl, uint8_t opcode);

/* The admin side of a new controller (0 or -errno), of one that goes, and of
 * one that is reset or shut down. */
int nvmet_admin_init(struct nvmet_ctrl *ctrl);
void nvmet_admin_fini(struct nvmet_ctrl *ctrl);
void nvmet_admin_reset(struct nvmet_ctrl *ctrl);

int nvmet_connect(struct nvmet_cmd *cmd);
int nvmet_property_get(struct nvmet_cmd *cmd);
int nvmet_property_set(struct nvmet_cmd *cmd);
int nvmet_abort(struct nvmet_cmd *cmd);
int nvmet_aer(struct nvmet_cmd *cmd);

/* identify.c */
int nvmet_identify(struct nvmet_cmd *cmd);
void nvmet_firmware_revision(char to[8]);
/* As ASCII fields are: left-justified, padded with spaces. */
void nvmet_put_text(char *to, size_t size, const char *text);

/* feature.c */
int nvmet_get_features(struct nvmet_cmd *cmd);
int nvmet_set_features(struct nvmet_cmd *cmd);
uint32_t nvmet_feature_length(const struct nvme_sqe *sqe);
uint32_t nvmet_feature_effects(const struct nvmet_ctrl *ctrl, uint8_t id);
void nvmet_features_reset(struct nvmet_ctrl *ctrl);
/* connect.c: the timeout that a host gets if it asks for this one; both ms. */
uint32_t nvmet_round_kato(const struct nvmet *t, uint32_t kato);

/* logpage.c, and pages of other files: see log_fn there. */
int nvmet_get_log_page(struct nvmet_cmd *cmd);
uint32_t nvmet_log_length(const struct nvme_sqe *sqe);
int nvmet_discovery_log(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size);
/* A command of the controller failed; on its queue's reactor. */
void nvmet_log_error(const struct nvmet_cmd *cmd, uint16_t status);

/* ccr.c */
int nvmet_ccr(struct nvmet_cmd *cmd);
/* The log page; `remove` (RMC): what has completed is then forgotten. */
void nvmet_ccr_log(struct nvmet_ctrl *ctrl, bool remove,
		   struct nvme_ccr_log *out);
void nvmet_ccr_free(struct nvmet_ctrl *ctrl);

/* What reservations say to an I/O command of this controller to this namespace;
 * 0, or the status.  Not a second look-up by number: it may have been taken out
 * meanwhile, and the command still goes to the one that was found. */
uint16_t nvmet_reservation_check(const struct nvmet_cmd *cmd,
				 const struct nvmet_ns *ns);
/* The namespace goes; nobody uses it. */
void nvmet_reservation_forget(struct nvmet_ns *ns);
/* A reservation command: sets what runs it and its data.  0, or a status. */
uint16_t nvmet_reservation_prepare(struct nvmet_cmd *cmd);
int nvmet_reservation_log(struct nvmet_cmd *cmd, uint64_t from, uint64_t *size);
int nvmet_reservation_set_mask(struct nvmet_cmd *cmd);
int nvmet_reservation_get_mask(struct nvmet_cmd *cmd, bool initial);
/* The controller has been reset. */
void nvmet_reservation_reset(struct nvmet_ctrl *ctrl);

/* ------------------------------------------------------------------ trust */

/* auth.c: whether this host has to authenticate; nvmet.lock is held. */
bool nvmet_auth_wanted_locked(struct nvmet_subsystem *s, const char *host_nqn);
int nvmet_auth_send(struct nvmet_cmd *cmd);
int nvmet_auth_receive(struct nvmet_cmd *cmd);
uint32_t nvmet_auth_length(const struct nvme_sqe *sqe);
/* Until the end of one that failed is over; parks. */
void nvmet_auth_wait(struct nvmet_queue *q);
void nvmet_auth_free(struct nvmet_queue *q);

/* secure.c: whom the identity of the TLS handshake named. */
struct nvmet_secure {
	char host_nqn[NVMET_NQN_MAX + 1], subnqn[NVMET_NQN_MAX + 1];
};
/* What has been received begins a TLS handshake. */
bool nvmet_secure_begins(const struct nvmet_queue *q);
/* Replaces the queue's stream, or ends it (q->stream is NULL).  Parks. */
int nvmet_secure(struct nvmet_queue *q);
/* Whether the channel is the right one for this Connect: 0, or a status. */
uint16_t nvmet_secure_check(const struct nvmet_queue *q,
			    const struct nvmet_way *way,
			    const struct nvme_connect_data *data);

/* ---------------------------------------------------------------- queues */

/*
 * A TCP connection.  All of it belongs to the tasks of its reactor, but
 * `in_port` and `in_ctrl` (nvmet.lock) and what is atomic.
 *
 * References: one for the task that reads; one for whoever was sent to its
 * reactor.
 */
struct nvmet_queue {
	unsigned magic;
	_Atomic unsigned refs;
	struct nvmet *t;
	struct nvmet_cpu *cpu;
	struct nvmet_port *port;
	struct list in_port; /* port.queues */
	struct stream *stream;
	struct addr local, peer;
	nsec since;

	/* Receiving: conn.c. */
	struct pdu_rules rules;
	uint8_t *rx; /* NULL: idle */
	size_t rx_size, rx_start, rx_end;
	uint8_t hpda;	    /* the host's: bytes */
	bool ending;	    /* nothing more is taken */
	struct message end; /* nvmet_queue_end_later(); with a reference */
	atomic_bool end_posted;
	bool clean; /* the host closed it, and had nothing in progress */
	const char *why;
	struct pdu_fault fault;			   /* fes 0: none */
	uint8_t fault_header[NVME_TCP_HEADER_MAX]; /* of the PDU in error */
	size_t fault_len;

	/* After Connect: */
	struct nvmet_ctrl *ctrl; /* NULL: not yet */
	struct list in_ctrl;	 /* ctrl.queues */
	uint16_t qid;
	uint16_t size; /* entries */
	uint16_t sqhd;
	bool sq_flow; /* the host wants to be told sqhd */

	/* Commands. */
	struct list cmds; /* nvmet_cmd.all */
	unsigned ncmds;
	struct list starved;
	size_t bytes;		 /* of data that they hold */
	struct nvmet_cmd **tags; /* by tag, NULL: free */
	unsigned ntags, next_tag;
	struct task *drained; /* waits for ncmds to become 0 */

	/* Sending: send.c. */
	struct list r2ts, replies, bulk; /* nvmet_cmd.link */
	struct task *writer;
	bool writer_idle, writer_stop;
	bool writing; /* maybe in the middle of a PDU */
	struct completion writer_ended;
	uint16_t told_sqhd;

	/* Who is there: auth.c, secure.c. */
	bool must_auth;		  /* nothing else before */
	bool auth_busy;		  /* a step is computed, or it failed */
	bool auth_lingers;	  /* it failed, and a task will end this … */
	struct waitq auth_change; /* … and has ended; or `ending` is set */
	struct nvme_auth *auth;	  /* NULL: no exchange */
	struct nvmet_secure *secure; /* NULL: not a secure channel */

	_Atomic nsec alive; /* last sign of life */
};

/* conn.c */
struct nvmet_queue *nvmet_queue_create(struct nvmet_port *port,
				       struct stream *s, struct nvmet_cpu *cpu);
void nvmet_queue_main(void *q); /* the reading task; ends with the queue */
struct nvmet_queue *nvmet_queue_ref(struct nvmet_queue *q);
void nvmet_queue_put(struct nvmet_queue *q);
/* Ends it.  Of its reactor; does not park. */
void nvmet_queue_end(struct nvmet_queue *q, const char *why);
/* The same from any thread. */
void nvmet_queue_end_later(struct nvmet_queue *q);

/* send.c */
int nvmet_send_start(struct nvmet_queue *q);
/* Replies that are not being written are dropped; parks until none is. */
void nvmet_send_stop(struct nvmet_queue *q);
void nvmet_send(struct nvmet_cmd *cmd); /* its R2T, or its reply */

#endif
