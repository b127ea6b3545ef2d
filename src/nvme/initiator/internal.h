/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of nvme/initiator share.
 *
 *	host.c	       the host: attach, detach, find
 *	controller.c   how a controller comes up, and how it ends
 *	events.c       keep alive, asynchronous events
 *	admin.c	       admin commands as calls that park
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
#include "nvme/initiator/initiator.h"
#include "nvme/pdu/fabrics.h"
#include "nvme/pdu/identify.h"
#include "nvme/pdu/log.h"
#include "nvme/pdu/pdu.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

struct nvmei_life;

/* ------------------------------------------------------------------ queues */

/* One command identifier. */
struct nvmei_slot {
	struct list link; /* in queue.sends, when there is something to send */
	struct nvmei_command *command; /* NULL: free */
	bool sending;		       /* the writer has its bytes … */
	bool answered; /* … and the answer came already: done after that */
	bool capsule_sent;
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
	struct list sends;   /* nvmei_slot.link */
	struct list waiting; /* nvmei_command.link: for a slot */
	struct task *writer;
	bool writer_idle, reading, writing;
	uint8_t *rx;
	size_t rx_start, rx_end;
};

/* queue.c.  Connects, exchanges ICReq and ICResp, starts its tasks; parks. */
int queue_open(struct nvmei_queue *q, struct nvmei_life *life, uint16_t qid,
	       uint16_t size);
/* Sends it when there is a slot; c->done is called later. */
void queue_submit(struct nvmei_queue *q, struct nvmei_command *c);
void queue_send_slot(struct nvmei_queue *q, struct nvmei_slot *s);
/* The answer to the slot's command is in its cqe. */
void queue_complete(struct nvmei_queue *q, struct nvmei_slot *s);
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
	struct waitq end; /* it is dead, or a task of its queues has ended */
	struct nvmei_queue admin, io;

	uint16_t cntlid; /* 0: Connect was not answered */
	uint8_t ciu, ccrl;
	uint64_t cirn;
	uint32_t oaes, max_transfer, nn, nanagrpid;
	uint16_t oncs;
	bool ana;
	uint64_t ana_chgcnt;
	bool ana_doubted; /* a task reads it until it is settled */
	nsec quiesce;	  /* it ends that long after its loss, by itself */

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
	uint32_t anagrpid;
	bool seen;	 /* in the list of namespaces that was read last */
	bool attempt;	 /* it waits for the controller to come up */
	bool probing;	 /* … for the answer to a probe */
	unsigned fences; /* tasks at work for it */
	bool removed;	 /* the last of them frees it */
};

/* An address under which a subsystem is attached. */
struct nvmei_ctrl {
	struct list link;
	struct nvmei *host;
	struct nvmei_attach options; /* strings: below */
	char name[NVMEI_NAME_MAX + 1], subnqn[NVME_NQN_SIZE];
	char label[ADDR_TEXT_MAX];
	struct list ways;
	struct nvmei_life *life; /* NULL: not connected, nor connecting */
	struct nvmei_life *lost; /* the one before, if it was up */
	bool reported;		 /* that it can't be reached */
	bool attaching;		 /* nvmei_attach() waits for it */
	bool closing;		 /* a task frees it */
	struct timer retry; /* while there is no way whose group says when */
	int error;	    /* of the last attempt */
	unsigned fences;    /* of its ways */
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
	unsigned block_shift;
	uint16_t oncs;
	struct path_group *group;
	struct timer tick;
	struct list requests; /* nvmei_request.link: in progress */
};

struct nvmei {
	struct nvmei_options options;
	char nqn[NVME_NQN_SIZE];
	struct list ctrls, volumes;
	unsigned tasks;
	struct waitq changed; /* a life is up or over, an event came, a task
				 ended, a fence is done */
};

/* host.c: a task that works for a life, with a reference to it. */
int life_spawn(struct nvmei_life *l, const char *name, task_fn *fn, void *arg);
void life_task_ended(struct nvmei_life *l);
/* host.c: its time is over (ctrlr_loss_timeout). */
void ctrl_give_up(struct nvmei_ctrl *c);

/* controller.c */
int ctrl_connect(struct nvmei_ctrl *c); /* starts an attempt: 0, -ENOMEM */
void ctrl_retry(struct timer *t);	/* ctrl.retry */
struct nvmei_life *life_get(struct nvmei_life *l);
void life_put(struct nvmei_life *l);
void life_kill(struct nvmei_life *l); /* quietly: the group knows */
void life_fail(struct nvmei_life *l, int error);
/* Something was received on the I/O queue; before the reader parks. */
void life_heard(struct nvmei_life *l);
void life_drain(struct nvmei_life *l);

/* events.c: 0 or -errno. */
int events_start(struct nvmei_life *l);

/* admin.c: these park.  0, a positive NVMe status, or -errno. */
int queue_do(struct nvmei_queue *q, struct nvmei_command *c, nsec deadline);
int admin_connect(struct nvmei_queue *q);
int admin_enable(struct nvmei_life *l);
int admin_identify(struct nvmei_life *l, uint8_t cns, uint32_t nsid, void *to);
int admin_log(struct nvmei_life *l, uint8_t page, uint8_t lsp, void *to,
	      uint32_t len);
int admin_set_feature(struct nvmei_life *l, uint8_t fid, uint32_t cdw11);
int admin_get_feature(struct nvmei_life *l, uint8_t fid, uint32_t *out);
/* Such a result as 0 or -errno. */
int admin_error(int rc);

/* namespace.c: what there is now becomes ways and volumes.  Parks. */
int namespaces_read(struct nvmei_life *l);
void way_remove(struct nvmei_way *w);
void way_free(struct nvmei_way *w); /* it is removed, and not fenced any more */

/* ana.c: the state of each way.  Parks. */
int ana_read(struct nvmei_life *l);
/* A request was told so; the log page will say how it is now. */
void ana_doubt(struct nvmei_way *w, enum path_access access);

/* fence.c: answers with path_fenced(). */
void fence_start(struct nvmei_way *w);

/* drive.c */
int volume_create(struct nvmei_ctrl *c, const struct nvmei_volume_info *info,
		  struct nvmei_volume **out);
void volume_drain(struct nvmei_volume *v);
void volume_arm(struct nvmei_volume *v); /* the timer, after an event */

/* io.c */
void request_send_on(struct nvmei_way *w, struct nvmei_request *r);
void request_end(struct nvmei_request *r, int error);

#endif
