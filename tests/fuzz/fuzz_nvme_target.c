/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that has connected in good order, and then says anything: the whole
 * target in a simulation.  The first byte chooses the queue and its digests;
 * then come messages, each of a byte for its kind and one for its length:
 * commands whose headers are good, data for the last R2T, or plain bytes.
 * Whatever comes, the target answers or ends the connection, and all of it ends
 * when it is told to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/nvme_target/host.h"
#include "base/log.h"
#include "base/util.h"
#include "block/block.h"
#include "nvme/target/target.h"
#include "reactor/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NQN "nqn.2026-11.io.hawser:fuzz"

static struct {
	struct reactor *reactor;
	const uint8_t *data;
	size_t size;
	bool ended;
} run;

static void require(bool so)
{
	if (!so)
		abort();
}

static uint8_t next(void)
{
	if (run.size == 0)
		return 0;
	run.size--;
	return *run.data++;
}

static size_t bytes(void *to, size_t len)
{
	size_t n = MIN(len, run.size);

	memcpy(to, run.data, n);
	run.data += n;
	run.size -= n;
	return n;
}

static uint8_t flags(const struct host *h, bool data)
{
	return (h->header_digest ? NVME_TCP_HDGSTF : 0) |
	       (h->data_digest && data ? NVME_TCP_DDGSTF : 0);
}

static uint32_t next16(void)
{
	uint32_t low = next();

	return next() << 8 | low;
}

/* Small numbers, mostly: those are what most fields are about. */
static void make_command(struct nvme_sqe *sqe, uint32_t cid)
{
	static const uint8_t types[] = { NVME_SGL_DATA_OFFSET,
					 NVME_SGL_TRANSPORT };

	*sqe = (struct nvme_sqe){ .opc = next(), .cid = cid };
	sqe->flags = NVME_SQE_PSDT_SGL;
	sqe->nsid = next() % 8 - 1;
	sqe->sgl1.type = types[next() % 2];
	sqe->sgl1.len = next() * 128;
	sqe->cdw10 = next16();
	sqe->cdw11 = next16() << (next() % 2 * 16);
	sqe->cdw12 = (uint32_t)next() << (next() % 4 * 8);
	sqe->cdw10 |= next() << 16;
}

/* A capsule as it should be, but for the command in it. */
static int send_command(struct host *h, uint32_t cid)
{
	uint8_t pdu[72 + 8 + 512] = {};
	struct nvme_tcp_cmd *c = (void *)pdu;
	size_t len = next() % 5 * 128;
	uint32_t digest;

	pdu_set_common(&c->ch, NVME_TCP_CAPSULE_CMD, flags(h, len > 0),
		       sizeof(*c), len);
	if (next() % 8 == 0)
		bytes(&c->sqe, sizeof(c->sqe));
	else
		make_command(&c->sqe, cid);
	bytes(pdu + c->ch.pdo, c->ch.pdo != 0 ? MIN(len, 32u) : 0);
	pdu_put_header_digest(c);
	digest = pdu_digest(pdu + c->ch.pdo, len);
	if (c->ch.pdo != 0)
		memcpy(pdu + c->ch.pdo + len, &digest, sizeof(digest));
	return stream_write(h->s, pdu, c->ch.plen);
}

static int send_transfer(struct host *h, uint16_t cid)
{
	uint8_t pdu[24 + 8 + 1024] = {};
	struct nvme_tcp_data *d = (void *)pdu;
	size_t len = (next() % 8 + 1) * 128;
	uint32_t digest;

	pdu_set_common(&d->ch, NVME_TCP_H2C_DATA, flags(h, true), sizeof(*d),
		       len);
	d->ch.flags |= next() & NVME_TCP_LAST_PDU;
	d->cccid = cid;
	d->ttag = next() % 4;
	d->offset = next() * 4;
	d->length = len;
	pdu_put_header_digest(d);
	digest = pdu_digest(pdu + d->ch.pdo, len);
	memcpy(pdu + d->ch.pdo + len, &digest, sizeof(digest));
	return stream_write(h->s, pdu, d->ch.plen);
}

static int send_bytes(struct host *h)
{
	uint8_t raw[256];

	return stream_write(h->s, raw, bytes(raw, next()));
}

static void drain(void *arg)
{
	struct host *h = arg;
	uint8_t skip[512];

	while (stream_read(h->s, skip, sizeof(skip)) > 0)
		;
	h->s = NULL;
}

static void speak(struct host *h)
{
	struct stream *s = h->s;
	struct host reader = *h;
	int rc = 0;

	task_spawn("drain", drain, &reader);
	for (uint16_t cid = 0; rc == 0 && run.size > 0; cid++) {
		switch (next() % 4) {
		case 0:
		case 1:
			rc = send_command(h, cid % 8);
			break;
		case 2:
			rc = send_transfer(h, next() % 8);
			break;
		case 3:
			rc = send_bytes(h);
			break;
		}
		if (next() % 2)
			task_sleep(USEC(100));
	}
	stream_abort(s);
	while (reader.s != NULL)
		task_sleep(USEC(10));
}

static void hosts(const struct addr *at)
{
	struct host admin = {}, io = {};
	uint8_t kind = next();
	int id = host_admin(&admin, at, NQN, 0);

	require(id > 0);
	require(host_io(&io, at, NQN, id, 1, kind >> 1 & 3) == 0);
	speak(kind & 1 ? &admin : &io);
	host_close(&io);
	host_close(&admin);
}

static void main_task(void *arg)
{
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "disk",
				   .block_size = 512,
				   .blocks = 64 };
	struct nvmet_subsystem_spec spec = { .nqn = NQN,
					     .allow_any_host = true,
					     .ana_reporting = true };
	struct nvmet_namespace ns = { .device = "disk" };
	struct nvmet_transport tr = {};
	struct nvmet_listener l = {};
	struct block_registry *blocks;
	struct block_device *d;
	struct nvmet_subsystem *s;
	struct nvmet *t;

	require(block_registry_create(&blocks) == 0);
	require(block_create(blocks, &disk, &d, NULL) == 0);
	require(nvmet_create(blocks, NULL, &t) == 0);
	require(nvmet_set_transport(t, &tr, NULL) == 0);
	require(nvmet_subsystem_create(t, &spec, &s, NULL) == 0);
	require(nvmet_namespace_add(s, &ns, NULL) == 1);
	require(addr_parse(&l.addr, "127.0.0.1", 0) == 0);
	require(nvmet_listener_add(s, &l, NULL) == 0);
	hosts(&l.addr);
	nvmet_destroy(t);
	require(block_destroy(d) == 0);
	block_registry_destroy(blocks);
	run.ended = true;
	reactor_stop(run.reactor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_set_level("error");
	run.data = data;
	run.size = size;
	run.ended = false;
	require(reactor_create_sim(1, &run.reactor) == 0);
	require(reactor_spawn(run.reactor, "fuzz", main_task, NULL) == 0);
	reactor_run(run.reactor);
	require(run.ended);
	reactor_destroy(run.reactor);
	return 0;
}
