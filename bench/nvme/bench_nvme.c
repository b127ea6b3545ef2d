/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target at full speed, without a peer's software: this process serves a
 * malloc device on one reactor, pinned to the first processor, and a thread on
 * another one keeps so many reads or writes in progress on each connection.
 * The thread does as little as a host can, so the figures are the target's.
 *
 *	bench_nvme [-w randread|randwrite] [-q DEPTH] [-o BYTES] [-c QUEUES]
 *	           [-t SECONDS] [-g] (digests)
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/rng.h"
#include "base/util.h"
#include "block/block.h"
#include "nvme/pdu/fabrics.h"
#include "nvme/pdu/pdu.h"
#include "nvme/target/target.h"
#include "reactor/reactor.h"

#define NQN "nqn.2026-11.io.hawser:bench"

enum { DISK = 64 << 20, MAX_QUEUES = 16 };

static struct {
	bool write;
	unsigned depth, size, queues, seconds;
	uint8_t digests;
} opt = { .depth = 128, .size = 4096, .queues = 1, .seconds = 3 };

static struct reactor_set *set;
static struct addr address;
static pthread_t target_thread, host_thread;

static void die(const char *what)
{
	fprintf(stderr, "bench_nvme: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
}

static double thread_seconds(pthread_t thread)
{
	struct timespec ts;
	clockid_t clock;

	pthread_getcpuclockid(thread, &clock);
	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* -------------------------------------------------------------------- host */

struct queue {
	int fd;
	uint8_t *rx, *tx;
	size_t have, skip, tx_len;
	unsigned done; /* in this turn */
};

static void send_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		p += n;
		len -= n;
	}
}

static void recv_all(int fd, void *data, size_t len)
{
	if (recv(fd, data, len, MSG_WAITALL) != (ssize_t)len)
		die("receive");
}

static size_t put_command(uint8_t *out, const struct nvme_sqe *sqe,
			  const void *data, size_t len, uint8_t digests)
{
	struct nvme_tcp_cmd *c = (void *)out;
	uint32_t digest;

	if (len == 0)
		digests &= ~NVME_TCP_DDGSTF;
	pdu_set_common(&c->ch, NVME_TCP_CAPSULE_CMD, digests, sizeof(*c), len);
	c->sqe = *sqe;
	c->sqe.flags = NVME_SQE_PSDT_SGL;
	pdu_put_header_digest(c);
	memcpy(out + c->ch.pdo, data, len);
	if (digests & NVME_TCP_DDGSTF) {
		digest = pdu_digest(data, len);
		memcpy(out + c->ch.pdo + len, &digest, sizeof(digest));
	}
	return c->ch.plen;
}

/* One command and its response; the result's first dword. */
static uint32_t call(struct queue *q, struct nvme_sqe *sqe, const void *data,
		     size_t len, uint8_t digests)
{
	struct nvme_tcp_resp r;

	sqe->sgl1.type = NVME_SGL_DATA_OFFSET;
	sqe->sgl1.len = len;
	send_all(q->fd, q->tx, put_command(q->tx, sqe, data, len, digests));
	recv_all(q->fd, &r, sizeof(r));
	if (digests & NVME_TCP_HDGSTF)
		recv_all(q->fd, q->rx, NVME_TCP_DIGEST);
	if (r.cqe.status != 0) {
		fprintf(stderr, "bench_nvme: status %#x\n", r.cqe.status >> 1);
		exit(1);
	}
	return r.cqe.dw0;
}

static uint16_t connect_queue(struct queue *q, uint16_t cntlid, uint16_t qid,
			      uint8_t digests)
{
	struct nvme_connect_data data = { .cntlid = cntlid };
	struct nvme_tcp_ic ic = {};
	struct nvme_sqe sqe = { .opc = NVME_OPC_FABRICS };
	struct nvme_connect_cmd *c = (void *)&sqe;

	q->rx = aligned_alloc(4096, MIB(2));
	q->tx = aligned_alloc(4096, MIB(2));
	q->fd = socket(address.sa.sa_family, SOCK_STREAM, 0);
	if (q->fd < 0 || connect(q->fd, &address.sa, address.len) < 0)
		die("connect");
	pdu_set_common(&ic.ch, NVME_TCP_ICREQ, 0, sizeof(ic), 0);
	ic.dgst = digests;
	send_all(q->fd, &ic, sizeof(ic));
	recv_all(q->fd, &ic, sizeof(ic));
	strcpy(data.subnqn, NQN);
	strcpy(data.hostnqn, "nqn.2026-11.io.hawser:host");
	c->fctype = NVME_FCTYPE_CONNECT;
	c->qid = qid;
	c->sqsize = qid == 0 ? 31 : opt.depth < 2 ? 1 : opt.depth - 1;
	return call(q, &sqe, &data, sizeof(data), digests);
}

static void enable(struct queue *admin)
{
	struct nvme_sqe sqe = { .opc = NVME_OPC_FABRICS };
	struct nvme_property_cmd *c = (void *)&sqe;

	c->ofst = NVME_PROP_CC;
	c->value = NVME_CC_EN;
	call(admin, &sqe, NULL, 0, 0);
}

static void submit(struct queue *q, struct rng *r, uint16_t cid)
{
	uint64_t slba = rng_below(r, DISK / opt.size) * (opt.size / 512);
	struct nvme_sqe sqe = {
		.opc = opt.write ? NVME_IO_WRITE : NVME_IO_READ,
		.nsid = 1,
		.cid = cid,
		.cdw10 = slba,
		.cdw12 = opt.size / 512 - 1,
		.sgl1 = { .len = opt.size,
			  .type = opt.write ? NVME_SGL_DATA_OFFSET
					    : NVME_SGL_TRANSPORT },
	};
	static uint8_t data[131072];

	q->tx_len += put_command(q->tx + q->tx_len, &sqe, data,
				 opt.write ? opt.size : 0, opt.digests);
}

/* Counts the commands that what came completes, and asks for as many. */
static void take(struct queue *q, struct rng *r, ssize_t n)
{
	size_t at = MIN((size_t)n, q->skip);

	q->skip -= at;
	q->have = n;
	while (q->skip == 0 && q->have - at >= sizeof(struct nvme_tcp_resp)) {
		struct nvme_tcp_resp *p = (void *)(q->rx + at);
		struct nvme_tcp_data *d = (void *)(q->rx + at);
		size_t len = p->ch.plen;

		if (p->ch.type == NVME_TCP_CAPSULE_RESP) {
			if (p->cqe.status != 0)
				die("status");
			q->done++;
			submit(q, r, p->cqe.cid);
		} else if (d->ch.flags & NVME_TCP_SUCCESS) {
			q->done++;
			submit(q, r, d->cccid);
		}
		q->skip = len - MIN(len, q->have - at);
		at += len - q->skip;
	}
	q->have -= at;
	memmove(q->rx, q->rx + at, q->have);
}

static void turn(struct queue *q, struct rng *r)
{
	ssize_t n = recv(q->fd, q->rx + q->have, MIB(1) - q->have, 0);

	if (n <= 0)
		die("receive");
	q->tx_len = 0;
	take(q, r, q->have + n);
	send_all(q->fd, q->tx, q->tx_len);
}

static void measure(struct queue *queues)
{
	double began = now(), ended = began + opt.seconds, t;
	double target = thread_seconds(target_thread);
	double host = thread_seconds(host_thread);
	uint64_t done = 0;
	struct rng r;

	rng_init(&r, 1);
	for (unsigned i = 0; i < opt.queues; i++) {
		queues[i].tx_len = 0;
		for (unsigned n = 0; n < opt.depth; n++)
			submit(&queues[i], &r, n);
		send_all(queues[i].fd, queues[i].tx, queues[i].tx_len);
	}
	do {
		for (unsigned i = 0; i < opt.queues; i++)
			turn(&queues[i], &r);
	} while ((t = now()) < ended);
	for (unsigned i = 0; i < opt.queues; i++)
		done += queues[i].done;
	target = thread_seconds(target_thread) - target;
	host = thread_seconds(host_thread) - host;
	t -= began;
	printf("%s %u bytes, depth %u, %u queues%s: %.0f/s, %.1f us; target "
	       "%.0f%% %.2f us each, host %.0f%%\n",
	       opt.write ? "randwrite" : "randread", opt.size, opt.depth,
	       opt.queues, opt.digests ? ", digests" : "", done / t,
	       t * 1e6 * opt.depth * opt.queues / done, 100 * target / t,
	       target * 1e6 / done, 100 * host / t);
}

static void *host_main(void *arg)
{
	struct queue admin = {}, queues[MAX_QUEUES] = {};
	uint16_t cntlid;

	pin(1);
	host_thread = pthread_self();
	cntlid = connect_queue(&admin, NVME_CNTLID_DYNAMIC, 0, 0);
	enable(&admin);
	for (unsigned i = 0; i < opt.queues; i++)
		connect_queue(&queues[i], cntlid, i + 1, opt.digests);
	measure(queues);
	exit(0);
}

/* ------------------------------------------------------------------ target */

static void require(int rc, const char *what)
{
	errno = -rc;
	if (rc < 0)
		die(what);
}

static void target_main(void *arg)
{
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "disk",
				   .block_size = 512,
				   .blocks = DISK / 512 };
	struct nvmet_subsystem_spec spec = { .nqn = NQN,
					     .allow_any_host = true };
	struct nvmet_transport tr = { .max_queue_depth = 1024,
				      .in_capsule_data_size = 65536 };
	struct nvmet_namespace ns = { .device = "disk" };
	struct nvmet_listener l = {};
	struct block_registry *blocks;
	struct block_device *d;
	struct nvmet_subsystem *s;
	struct nvmet *t;
	pthread_t thread;

	pin(0);
	target_thread = pthread_self();
	require(block_registry_create(&blocks), "registry");
	require(block_create(blocks, &disk, &d, NULL), "device");
	require(nvmet_create(blocks, set, &t), "target");
	require(nvmet_set_transport(t, &tr, NULL), "transport");
	require(nvmet_subsystem_create(t, &spec, &s, NULL), "subsystem");
	require(nvmet_namespace_add(s, &ns, NULL), "namespace");
	require(addr_parse(&l.addr, "127.0.0.1", 0), "address");
	require(nvmet_listener_add(s, &l, NULL), "listener");
	address = l.addr;
	pthread_create(&thread, NULL, host_main, NULL);
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "w:q:o:c:t:g")) != -1) {
		switch (c) {
		case 'w':
			opt.write = strcmp(optarg, "randwrite") == 0;
			break;
		case 'q':
			opt.depth = atoi(optarg);
			break;
		case 'o':
			opt.size = atoi(optarg);
			break;
		case 'c':
			opt.queues = MIN(atoi(optarg), MAX_QUEUES);
			break;
		case 't':
			opt.seconds = atoi(optarg);
			break;
		case 'g':
			opt.digests = NVME_TCP_HDGSTF | NVME_TCP_DDGSTF;
			break;
		default:
			fprintf(stderr, "usage: see bench_nvme.c\n");
			return 2;
		}
	}
	require(reactor_set_create(1, &(struct reactor_options){}, &set),
		"reactor");
	reactor_spawn(reactor_set_get(set, 0), "target", target_main, NULL);
	reactor_set_run(set);
	return 0;
}
