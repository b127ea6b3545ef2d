/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minimal NVMe/TCP host for tests: one connection, commands one by one or
 * several at once.  It says what it is told to, also nonsense.
 */
#ifndef TESTS_NVME_TARGET_HOST_H
#define TESTS_NVME_TARGET_HOST_H

#include "nvme/pdu/fabrics.h"
#include "nvme/pdu/identify.h"
#include "nvme/pdu/log.h"
#include "nvme/pdu/pdu.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

#define HOST_NQN                                                               \
	"nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-000000000001"

struct host {
	struct stream *s;
	bool header_digest, data_digest;
	uint16_t next_cid;
	uint32_t maxh2cdata;
	uint8_t pdu[512];	  /* the header that was read last */
	struct host_op *ops[256]; /* by cid, in progress */
	unsigned success_flags;	  /* C2HData that stood for a response, too */
};

/* A command in progress, in the caller's memory. */
struct host_op {
	struct nvme_sqe sqe;
	const void *out; /* data to the controller */
	void *in;	 /* data from it */
	uint32_t len, received;
	bool capsule; /* its data go in the capsule */
	bool silent;  /* R2Ts are not answered: `r2t` keeps the last one */
	struct nvme_tcp_data r2t;
	struct nvme_cqe cqe;
	bool done;
};

/* 0 or -errno; digests: NVME_TCP_HDGSTF, NVME_TCP_DDGSTF. */
int host_open(struct host *h, const struct addr *to, uint8_t digests);
/* The same over a stream, which is the host's from now on. */
int host_open_on(struct host *h, struct stream *s, uint8_t digests);
void host_close(struct host *h);

/* Sends it; h has room for 256.  Then host_wait() until it is done: the status
 * (SCT << 8 | SC, with DNR), or -errno. */
int host_start(struct host *h, struct host_op *op);
int host_wait(struct host *h, struct host_op *op);
int host_run(struct host *h, struct host_op *op);
/* Takes one PDU: 0, or -errno. */
int host_receive(struct host *h);
/* Answers an R2T, in PDUs of `piece` bytes. */
int host_send_data(struct host *h, struct host_op *op, uint32_t piece);

/* Connect: a status or -errno; *dw0 as in the response. */
struct host_connect {
	const char *subnqn, *hostnqn; /* NULL: HOST_NQN */
	uint16_t qid, cntlid;	      /* 0xffff: dynamic */
	uint16_t entries;	      /* 0: 32 */
	uint32_t kato;
	uint32_t dw0;
	uint8_t host_id;
};
int host_connect(struct host *h, struct host_connect *c);
int host_property_set(struct host *h, uint32_t offset, uint64_t value);
int host_property_get(struct host *h, uint32_t offset, uint64_t *value);
/* Opens, connects to queue 0, enables: the cntlid, or -1. */
int host_admin(struct host *h, const struct addr *to, const char *subnqn,
	       uint32_t kato);
/* Opens and connects to an I/O queue: a status or -errno. */
int host_io(struct host *h, const struct addr *to, const char *subnqn,
	    uint16_t cntlid, uint16_t qid, uint8_t digests);

/* Admin commands: a status or -errno; what comes back. */
int host_identify(struct host *h, uint8_t cns, uint32_t nsid, uint16_t cntid,
		  void *to);
int host_log(struct host *h, uint32_t cdw10, uint64_t offset, void *to,
	     uint32_t len); /* cdw10 without NUMD */
int host_set_feature(struct host *h, uint32_t cdw10, uint32_t cdw11,
		     uint32_t *dw0);
int host_get_feature(struct host *h, uint32_t cdw10, uint32_t cdw11,
		     uint32_t *dw0);
/* Asynchronous Event Request: started only. */
int host_start_aer(struct host *h, struct host_op *op);

/* Read and Write: `len` bytes of 512-byte blocks. */
int host_read(struct host *h, uint32_t nsid, uint64_t slba, void *to,
	      uint32_t len);
int host_write(struct host *h, uint32_t nsid, uint64_t slba, const void *from,
	       uint32_t len);
void host_set_rw(struct host_op *op, uint8_t opc, uint32_t nsid, uint64_t slba,
		 uint32_t len);

#endif
