/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of nvme/initiator share.
 *
 *	host.c	       the host, its tasks, and what is found by name
 *	attach.c       controllers come and go
 *	standby.c      addresses of which one is connected at a time
 *	orders.c       reset, disable, enable
 *	controller.c   how a controller comes up, and how it ends
 *	events.c       keep alive, asynchronous events
 *	authenticate.c DH-HMAC-CHAP and TLS
 *	admin.c	       admin commands as calls that park
 *	discovery.c    controllers that tell which others there are
 *	discovery_log.c what they tell
 *	namespace.c    which namespaces there are, and which volume each is
 *	ana.c	       which controller is good for which namespace
 *	queue.c        a TCP connection: sending
 *	receive.c      the same: receiving
 *	fence.c        when a lost controller can't execute anything any more
 *	drive.c        between the path group, which decides, and the queues
 *	io.c	       requests: commands made of them, and what a status means
 *
 *	host ─┬─ ctrl (an address) ─┬─ life (connected once): admin and I/O
 *queue │	                    └─ ways ──┐ └─ volume (a namespace) ── path
 *group: a path for each way
 *
 * Ownership: the host owns ctrls and volumes, the ctrl its ways.  A life is
 * counted: the ctrl's, and one for each task that works for it; it ends once
 * (life_kill()), and its memory goes with the last of its tasks.  When a life
 * has ended, no command is in its queues any more; only bytes that the writer
 * handed to the stream may still be read from, until queue_wait_ended().
 */
#ifndef NVME_INITIATOR_INTERNAL_H
#define NVME_INITIATOR_INTERNAL_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/refuse.h"
#include "nvme/auth/auth.h"
#include "nvme/initiator/initiator.h"
#include "nvme/pdu/fabrics.h"
#include "nvme/pdu/identify.h"
#include "nvme/pdu/log.h"
#include "nvme/pdu/pdu.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

struct nvmei_life;

/* ------------------------------------------------------------------ queues */

enum { NVMEI_RX_SIZE = KIB(64) };

/* One command identifier. */
struct nvmei_slot {
	struct list link; /* in queue.sends, when there is something to send */
	struct nvmei_command *command; /* NULL: free */
	nsec since;		       /* it has the command */
	bool sending;		       /* the writer has its bytes … */
	bool answered; /* … and the answer came already: done after that */
	bool capsule_sent;
	bool has_data; /* all of them have come, and no answer yet */
	uint16_t ttag;
	uint32_t offset, left; /* of the R2T that is being answered */
	uint32_t received;
	struct {
		struct nvme_tcp_cmd pdu;
		uint32_t digest;
	} capsule;
	struct {
		struct nvme_tcp_data pdu;
		uint32_t digest;
	} data;
	uint32_t data_digest;
};

struct nvmei_queue {
	struct nvmei_life *life;
	struct stream *stream;
	uint16_t qid, size;
	struct pdu_rules rules; /* of what we receive */
	uint8_t cpda;		/* the controller's: bytes */
	uint32_t maxh2cdata, in_capsule;

	struct nvmei_slot *slots; /* size - 1 */
	uint16_t *free, nfree;
	uint16_t spare; /* of them for queue_submit_first() alone */
	struct list sends;   /* nvmei_slot.link */
	struct list waiting; /* nvmei_command.link: for a slot */
	struct task *writer;
	bool writer_idle, reading, writing;
	uint8_t *rx; /* NVMEI_RX_SIZE; from start to end it is not used yet */
	size_t rx_start, rx_end;
	unsigned unanswered; /* slots with has_data */
};

/* queue.c.  Connects, exchanges ICReq and ICResp, starts its tasks; parks. */
int queue_open(struct nvmei_queue *q, struct nvmei_life *life, uint16_t qid,
	       uint16_t size);
/* Sends it when there is a slot; c->done is called later. */
void queue_submit(struct nvmei_queue *q, struct nvmei_command *c);
/* The same for what must not wait until the medium is done with others, in a
 * queue of more than one slot: one at a time. */
void queue_submit_first(struct nvmei_queue *q, struct nvmei_command *c);
void queue_send_slot(struct nvmei_queue *q, struct nvmei_slot *s);
/* The answer to the slot's command is in its cqe. */
void queue_complete(struct nvmei_queue *q, struct nvmei_slot *s);
/* A command has had no answer for that long; events don't count. */
bool queue_is_stuck(const struct nvmei_queue *q, nsec timeout);
/* All commands are done with -ECONNABORTED, before it returns. */
void queue_kill(struct nvmei_queue *q);
/* Parks until nobody reads what commands pointed to. */
void queue_wait_ended(struct nvmei_queue *q);
void queue_free(struct nvmei_queue *q);

/* receive.c */
void queue_reader(void *q);
/* The answer to our ICReq. */
int queue_read_icresp(struct nvmei_queue *q, struct nvme_tcp_ic *out);

/* ------------------------------------------------------------- controllers */

/* A controller of the target, from Connect to its loss. */
struct nvmei_life {
	struct nvmei_ctrl *ctrl;
	struct nvmei *host;
	unsigned refs;
	bool up;	  /* ready for requests */
	bool dead;	  /* life_kill() */
	nsec begun;	  /* to connect */
	struct waitq end; /* it is dead, or a task of its queues has ended */
	struct nvmei_queue admin, io;

	uint16_t cntlid; /* 0: Connect was not answered */
	uint8_t ciu, ccrl;
	uint64_t cirn;
	uint32_t oaes, max_transfer, nn, nanagrpid;
	uint16_t oncs;
	bool ana;
	uint64_t ana_chgcnt;
	nsec ana_patience; /* how long a group may be in the state Change */
	bool ana_doubted;  /* a task reads it until it is settled */
	nsec quiesce;	   /* it ends that long after its loss, by itself */

	bool no_reset; /* it was asked for a Cross-Controller Reset, and can't
			*/
	nsec lost_at;
	bool fencing, fenced;	   /* fence.c */
	struct nvmei_life *before; /* lost earlier, and not fenced yet */

	struct nvmei_command probe; /* drive.c */
	bool probing;
};

/* A namespace behind a controller: a path of its volume. */
struct nvmei_way {
	struct list link, in_volume;
	struct nvmei_ctrl *ctrl;
	struct nvmei_volume *volume;
	struct path *path;
	unsigned number; /* nvmei_path_info.way */
	uint32_t nsid;	 /* there */
	uint32_t anagrpid;
	bool seen;    /* in the list of namespaces that was read last */
	bool attempt; /* it waits for the controller to come up */
	bool probing; /* … for the answer to a probe */
	bool removed; /* freed when it is fenced */
	/* fence.c: a task, or the timer for another try, is at work for it, as
	 * this may still execute what it was sent; held.  NULL: neither. */
	struct nvmei_life *fencing;
	struct timer fence_again;
	struct block_stats stats;
};

/* Another address of a controller. */
struct nvmei_standby {
	struct addr addr;
	nsec failed_at; /* 0: not yet */
};

/* An address under which a subsystem is attached; for failover, others that may
 * take its place. */
struct nvmei_ctrl {
	struct list link;
	struct nvmei *host;
	struct nvmei_attach options;			   /* strings: below */
	struct nvmei_standby standbys[NVMEI_STANDBYS_MAX]; /* the next first */
	unsigned n_standbys;
	bool standby; /* it is looked at only, for another's standbys */
	char name[NVMEI_NAME_MAX + 1], subnqn[NVME_NQN_SIZE];
	char label[ADDR_TEXT_MAX];
	struct {
		struct nvme_secret host, ctrl; /* len 0: none */
		struct nvme_psk tls;	       /* the same */
	} keys;
	struct nvmei_discovery *discovery; /* NULL: it is for I/O */
	struct list ways;
	struct nvmei_life *life; /* NULL: not connected, nor connecting */
	struct nvmei_life *lost; /* the one before, if it was up */
	bool reported;		 /* that it can't be reached */
	bool attaching;		 /* nvmei_attach() waits for it */
	bool closing;		 /* a task frees it */
	bool disabled;		 /* nvmei_disable() */
	struct timer retry; /* while there is no way whose group says when */
	int error;	    /* of the last attempt … */
	const char *why;    /* … in words, a literal; NULL: none */
	unsigned fences;    /* ways that are being fenced */
	struct nvmei_controller_info info; /* as learnt last */
};

/* References: one for each way, also a removed one that is being fenced, and
 * for each request and each nvmei_volume_get(). */
struct nvmei_volume {
	struct list link;
	struct nvmei *host;
	unsigned refs;
	char base[NVMEI_NAME_MAX + 1];	    /* "Nvme0" */
	char name[NVMEI_NAME_MAX + 1 + 11]; /* "Nvme0n1" */
	char subnqn[NVME_NQN_SIZE];
	struct nvmei_volume_info info;
	struct list ways;
	unsigned ways_ever;
	unsigned block_shift;
	uint16_t oncs;
	struct path_group *group;
	struct timer tick;
	struct list requests; /* nvmei_request.link: in progress */
	struct block_stats stats;
};

/* A discovery service that is watched (discovery.c). */
struct nvmei_discovery {
	struct list link;	    /* nvmei.discoveries, or by->referrals */
	struct nvmei_discovery *by; /* who refers to it; NULL: a user */
	struct list referrals;
	struct nvmei *host;
	char name[NVMEI_NAME_MAX + 1];
	char only[NVME_NQN_SIZE]; /* a watch: that subsystem; "": all */
	struct addr addr;
	struct nvmei_attach attach; /* for what it finds; strings are ours */
	struct nvmei_ctrl *ctrl;
	struct list found;    /* discovery.h */
	bool news;	      /* the list was read and not looked at */
	bool working, ending; /* its task */
	bool settled;	      /* all there is was tried once */
	unsigned subsystems;  /* named so far */
};

struct nvmei {
	struct nvmei_options options;
	char nqn[NVME_NQN_SIZE];
	struct list ctrls, volumes, discoveries;
	bool hurried; /* nothing is attached any more */
	struct nvmei_traffic traffic;
	unsigned tasks;
	struct waitq changed; /* a life is up or over, an event came, a task
				 ended, a fence is done */
};

/* host.c: a task that works for a life, with a reference to it. */
int life_spawn(struct nvmei_life *l, const char *name, task_fn *fn, void *arg);
void life_task_ended(struct nvmei_life *l);

/* attach.c.  Not connected yet; NULL: no memory. */
struct nvmei_ctrl *ctrl_create(struct nvmei *h, const struct nvmei_attach *a);
/* Connects and waits for that; when it fails, it is freed. */
int ctrl_start(struct nvmei_ctrl *c, const struct nvmei_attach *a, char *text);
void ctrl_free(struct nvmei_ctrl *c); /* parks until it is fenced */
/* Is it of that name and address (NULL: any), and nobody closes it? */
bool ctrl_is_meant(const struct nvmei_ctrl *c, const char *name,
		   const struct addr *addr);
/* The first of those. */
struct nvmei_ctrl *ctrl_first(const struct nvmei *h, const char *name,
			      const struct addr *addr);
/* Its time is over (ctrlr_loss_timeout). */
void ctrl_give_up(struct nvmei_ctrl *c);
/* Connects anew, at once. */
void ctrl_restart(struct nvmei_ctrl *c);

/* standby.c.  One more address of a name that is attached; parks. */
int standby_attach(struct nvmei *h, const struct nvmei_attach *a, char *text);
/* The one in use has failed: takes the next.  True: it may be tried at once. */
bool standby_next(struct nvmei_ctrl *c);
bool standby_has(const struct nvmei_ctrl *c, const struct addr *a);
/* Takes an address from a controller that has others; false: it has not, or
 * that is none of them. */
bool standby_forget(struct nvmei_ctrl *c, const struct addr *a);

/* controller.c */
int ctrl_connect(struct nvmei_ctrl *c); /* starts an attempt: 0, -ENOMEM */
void ctrl_retry(struct timer *t);	/* ctrl.retry */
struct nvmei_life *life_get(struct nvmei_life *l);
void life_put(struct nvmei_life *l);
void life_kill(struct nvmei_life *l); /* quietly: the group knows */
void life_fail(struct nvmei_life *l, int error);
/* The same by our own wish: the address is as good as before. */
void life_end(struct nvmei_life *l, int error);
/* Something was received on the I/O queue; before the reader parks. */
void life_heard(struct nvmei_life *l);
void life_drain(struct nvmei_life *l);

/* Why its attempt fails, in more words than an error number has. */
void life_reason(struct nvmei_life *l, const char *literal);

/* authenticate.c.  Keys in text are parsed and kept: 0, -EINVAL. */
int ctrl_take_keys(struct nvmei_ctrl *c, const struct nvmei_attach *a);
void ctrl_wipe_keys(struct nvmei_ctrl *c);
/* These park.  What Connect answered says whether it has to be done; 0, a
 * status, or -errno: -EACCES. */
int queue_authenticate(struct nvmei_queue *q, uint32_t connect_dw0);
/* Its stream becomes a secure one, if there is a key for that. */
int queue_secure(struct nvmei_queue *q);

/* discovery_log.c; parks. */
int discovery_read(struct nvmei_life *l);
/* discovery.c */
void discovery_end(struct nvmei_discovery *d); /* parks; frees it */
/* Is that what a watch has attached?  Then it is the caller's from now on. */
bool discovery_give(struct nvmei *h, const struct nvmei_attach *a);

/* events.c: 0 or -errno. */
int events_start(struct nvmei_life *l);

/* admin.c: these park.  0, a positive NVMe status, or -errno; -ECONNABORTED
 * when the life is dead, and nothing of its controller may be touched. */
int queue_do(struct nvmei_queue *q, struct nvmei_command *c, nsec deadline);
int admin_connect(struct nvmei_queue *q);
int admin_enable(struct nvmei_life *l);
int admin_identify(struct nvmei_life *l, uint8_t cns, uint32_t nsid, void *to);
int admin_log(struct nvmei_life *l, uint8_t page, uint8_t lsp, void *to,
	      uint32_t len);
/* The part that begins at `offset`. */
int admin_log_at(struct nvmei_life *l, uint8_t page, uint64_t offset, void *to,
		 uint32_t len);
int admin_set_feature(struct nvmei_life *l, uint8_t fid, uint32_t cdw11);
int admin_get_feature(struct nvmei_life *l, uint8_t fid, uint32_t *out);
/* Such a result as 0 or -errno. */
int admin_error(int rc);

/* namespace.c: what there is now becomes ways and volumes.  Parks. */
int namespaces_read(struct nvmei_life *l);
/* Are those of the controller in use there, too?  For standby.c; parks. */
int namespaces_compare(struct nvmei_life *l);
void way_remove(struct nvmei_way *w);
void way_free(struct nvmei_way *w); /* it is removed, and not fenced any more */

/* ana.c: the state of each way.  Parks. */
int ana_read(struct nvmei_life *l);
/* A request was told so; the log page will say how it is now. */
void ana_doubt(struct nvmei_way *w, enum path_access access);

/* fence.c: answers with path_fenced(). */
void fence_start(struct nvmei_way *w);
void fence_again(struct timer *t); /* way.fence_again */

/* drive.c */
int volume_create(struct nvmei_ctrl *c, const struct nvmei_volume_info *info,
		  struct nvmei_volume **out);
void volume_drain(struct nvmei_volume *v);
void volume_arm(struct nvmei_volume *v); /* the timer, after an event */

/* io.c */
void request_send_on(struct nvmei_way *w, struct nvmei_request *r);
void request_end(struct nvmei_request *r, int error);

#endif
