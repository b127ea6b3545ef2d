/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host, and a target whose answers are bent on their way: the whole of both
 * in a simulation, with a forwarder between them.  The first byte of the input
 * says what both are asked to do; then come bends, three bytes each: how many
 * bytes pass before it (times 1 or 16), and what one byte is changed by.
 * Whatever comes, requests end, and so does the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "block/block.h"
#include "nvme/auth/auth.h"
#include "nvme/initiator/initiator.h"
#include "nvme/target/target.h"
#include "reactor/sim.h"
#include "reactor/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NQN	"nqn.2026-11.io.hawser:fuzz"
#define HOSTNQN "nqn.2026-11.io.hawser:host"

static const char key[] =
	"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:";

static struct {
	struct reactor *reactor;
	const uint8_t *data;
	size_t size;
	uint8_t kind; /* of target and host */
	struct addr real, bent;
	size_t until; /* bytes to the next bend */
	uint8_t by;
	int tasks;
	bool ended;
} run;

static void require(bool so)
{
	if (!so)
		abort();
}

/* ------------------------------------------------------------ the forwarder */

static void next_bend(void)
{
	if (run.size < 3) {
		run.until = SIZE_MAX;
		return;
	}
	run.until = run.data[0] * (run.data[2] & 1 ? 16 : 1);
	run.by = run.data[1];
	run.data += 3;
	run.size -= 3;
}

static void bend(uint8_t *buf, size_t len)
{
	size_t at = 0;

	while (run.until < len - at) {
		at += run.until;
		buf[at++] ^= run.by;
		next_bend();
	}
	if (run.until != SIZE_MAX)
		run.until -= len - at;
}

struct pair {
	struct stream *host, *target;
	int refs;
};

static void pair_put(struct pair *p)
{
	stream_abort(p->host);
	stream_abort(p->target);
	run.tasks--;
	if (--p->refs > 0)
		return;
	stream_close(p->host);
	stream_close(p->target);
	free(p);
}

static void to_target(void *arg)
{
	struct pair *p = arg;
	uint8_t buf[4096];
	ssize_t n;

	while ((n = stream_read(p->host, buf, sizeof(buf))) > 0 &&
	       stream_write(p->target, buf, n) == 0)
		;
	pair_put(p);
}

static void to_host(void *arg)
{
	struct pair *p = arg;
	uint8_t buf[4096];
	ssize_t n;

	while ((n = stream_read(p->target, buf, sizeof(buf))) > 0) {
		bend(buf, n);
		if (stream_write(p->host, buf, n) < 0)
			break;
	}
	pair_put(p);
}

static void forward(struct stream *host)
{
	struct pair *p = calloc(1, sizeof(*p));

	require(p != NULL);
	p->host = host;
	p->refs = 2;
	require(stream_connect(&run.real, NULL, &p->target) == 0);
	run.tasks += 2;
	require(task_spawn("to-target", to_target, p) == 0);
	require(task_spawn("to-host", to_host, p) == 0);
}

static void forwarder(void *arg)
{
	struct listener *l = arg;
	struct stream *s;

	while (stream_accept(l, &s) == 0)
		forward(s);
	listener_close(l);
	run.tasks--;
}

/* --------------------------------------------------------------------- host */

static void use(struct nvmei *h)
{
	static uint8_t buf[8192];
	struct nvmei_volume *v = NULL;
	struct iovec iov = { buf, sizeof(buf) };

	while ((v = nvmei_next(h, v)) != NULL) {
		nvmei_volume_get(v);
		for (int i = 0; i < 6; i++) {
			struct nvmei_request r = { .op = i % 4,
						   .length = sizeof(buf),
						   .iov = &iov,
						   .niov = 1 };

			nvmei_do(v, &r);
			task_sleep(MSEC(1));
		}
		nvmei_volume_put(v);
		return; /* what is next may have changed */
	}
}

static void host(void)
{
	struct nvmei_options o = {
		.nqn = HOSTNQN, .id = { 1 }, .kato_ms = 1000, .timeout_ms = 5000
	};
	struct nvmei_attach a = {
		.name = "Nvme0",
		.addr = run.bent,
		.subnqn = NQN,
		.data_digest = run.kind & 1,
		.dhchap_key = run.kind & 2 ? key : NULL,
		.dhchap_groups = 1 << NVME_AUTH_DH_NULL, /* quick */
		.ctrlr_loss_timeout_sec = 4,
		.reconnect_delay_sec = 1,
		.fast_io_fail_timeout_sec = 2,
	};
	struct nvmei *h;

	require(nvmei_create(&o, &h) == 0);
	if (run.kind & 4)
		nvmei_discovery_start(h, &a, NULL);
	else
		nvmei_attach(h, &a, NULL);
	use(h);
	task_sleep(SEC(run.kind & 8 ? 5 : 0));
	nvmei_destroy(h);
}

static struct nvmet *target(struct block_registry *blocks)
{
	struct nvmet_subsystem_spec spec = { .nqn = NQN,
					     .ana_reporting = true };
	struct nvmet_host allowed = { .nqn = HOSTNQN };
	struct nvmet_namespace ns = { .device = "disk" };
	struct nvmet_transport tr = { .min_kato = 1, .kas = 1 };
	struct nvmet_listener l = { .addr = run.real };
	struct nvmet_subsystem *s;
	struct nvmet *t;

	if (run.kind & 2)
		allowed.dhchap_key = key;
	require(nvmet_create(blocks, NULL, &t) == 0);
	require(nvmet_set_transport(t, &tr, NULL) == 0);
	require(nvmet_subsystem_create(t, &spec, &s, NULL) == 0);
	require(nvmet_host_add(s, &allowed, NULL) == 0);
	require(nvmet_namespace_add(s, &ns, NULL) == 1);
	require(nvmet_listener_add(s, &l, NULL) == 0);
	return t;
}

static void main_task(void *arg)
{
	struct block_spec disk = { .kind = BLOCK_MALLOC,
				   .name = "disk",
				   .block_size = 512,
				   .blocks = 64 };
	struct block_registry *blocks;
	struct block_device *d;
	struct listener *l;
	struct nvmet *t;

	require(addr_parse(&run.real, "127.0.0.1", 4420) == 0);
	require(addr_parse(&run.bent, "127.0.0.2", 4420) == 0);
	require(block_registry_create(&blocks) == 0);
	require(block_create(blocks, &disk, &d, NULL) == 0);
	t = target(blocks);
	require(stream_listen(&run.bent, &l) == 0);
	run.tasks = 1;
	require(task_spawn("forwarder", forwarder, l) == 0);
	host();
	listener_cancel(l);
	nvmet_destroy(t);
	while (run.tasks > 0)
		task_sleep(MSEC(1));
	task_sleep(SEC(2)); /* what failed to authenticate lingers */
	require(block_destroy(d) == 0);
	block_registry_destroy(blocks);
	run.ended = true;
	reactor_stop(run.reactor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_set_level(getenv("HAWSER_LOG") != NULL ? "info" : "error");
	memset(&run, 0, sizeof(run));
	run.data = data;
	run.size = size;
	if (size > 0) {
		run.kind = *run.data++;
		run.size--;
	}
	next_bend();
	require(reactor_create_sim(1, &run.reactor) == 0);
	require(reactor_spawn(run.reactor, "main", main_task, NULL) == 0);
	reactor_run(run.reactor);
	require(run.ended);
	reactor_destroy(run.reactor);
	return 0;
}
