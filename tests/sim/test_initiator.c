/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NVMe/TCP host against the target, in virtual time: one behaviour each.
 * test_handover.c has all of it at once.
 */
#include "nvme_model.h"

#include <stdlib.h>

#include "base/util.h"
#include "nvme/initiator/internal.h"

static const struct nvmei_attach plain;

static struct nvmei_path_info path_now(struct nvme_world *w, int i)
{
	struct nvmei_path_info info[NVME_PATHS];

	CHECK(nvmei_get_paths(w->volume, info, NVME_PATHS) > (unsigned)i);
	return info[i];
}

static void use(struct nvme_world *w, int paths, int rounds)
{
	struct model *m;

	nvme_world_attach(w, paths, &plain);
	m = model_create(w);
	model_start(m, rounds);
	nvme_world_join(w, 0);
	model_end(m);
}

static void one_path(struct nvme_world *w)
{
	use(w, 1, 20);
}

static void digests(struct nvme_world *w)
{
	static const struct nvmei_attach with = { .header_digest = true,
						  .data_digest = true };
	struct model *m;

	nvme_world_attach(w, 2, &with);
	m = model_create(w);
	model_start(m, 20);
	nvme_world_join(w, 0);
	model_end(m);
}

/* Reads come in pieces of any length. */
static void short_reads(struct nvme_world *w)
{
	struct sim_faults faults = { .delay_min = USEC(20),
				     .delay_max = USEC(60),
				     .short_read = 0.5 };

	sim_set_faults(&faults);
	use(w, 2, 10);
}

struct big_write {
	struct nvme_world *w;
	uint64_t offset;
	char buf[KIB(128)];
};

static void write_big(void *arg)
{
	struct big_write *big = arg;

	CHECK_OK(nvme_world_write(big->w, big->offset, big->buf,
				  sizeof(big->buf)));
	nvme_world_task_ended(big->w);
}

/* More than the connection takes at once: the first is answered while the
 * others are still being sent. */
static void answers_overtake_what_is_sent(struct nvme_world *w)
{
	struct big_write *big = calloc(8, sizeof(*big));
	nsec since;

	nvme_world_attach(w, 1, &plain);
	since = reactor_now();
	for (int i = 0; i < 8; i++) {
		big[i].w = w;
		big[i].offset = i * sizeof(big->buf);
		nvme_world_spawn(w, write_big, &big[i]);
	}
	nvme_world_join(w, 0);
	CHECK(reactor_now() - since < SEC(1));
	CHECK(path_now(w, 0).path.losses == 0);
	free(big);
}

/* ----------------------------------------------------------------- policies */

static void each_policy(struct nvme_world *w)
{
	static const char *const names[] = { "round-robin", "queue-depth",
					     "service-time" };
	struct model *m;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	model_start(m, 10);
	nvme_world_join(w, 0);
	CHECK(path_now(w, 0).path.requests > 0);
	CHECK(path_now(w, 1).path.requests == 0); /* active-passive */
	for (int i = 0; i < 3; i++) {
		uint64_t before = path_now(w, 1).path.requests;

		CHECK_OK(nvmei_set_policy(w->volume, names[i], 0));
		model_start(m, 10);
		nvme_world_join(w, 0);
		CHECK(path_now(w, 1).path.requests > before);
	}
	CHECK(nvmei_set_policy(w->volume, "any", 0) == -EINVAL);
	model_end(m);
}

/* ---------------------------------------------------------------------- ANA */

static void ana_moves_requests(struct nvme_world *w)
{
	struct model *m;
	uint64_t before;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	model_start(m, 30);
	nvme_world_set_ana(w, 0, NVMET_ANA_NON_OPTIMIZED);
	AWAIT(path_now(w, 0).path.access == PATH_NON_OPTIMIZED);
	before = path_now(w, 0).path.requests + path_now(w, 0).path.inflight;
	AWAIT(path_now(w, 1).path.requests > 20);
	CHECK(path_now(w, 0).path.requests <= before);
	nvme_world_set_ana(w, 1, NVMET_ANA_INACCESSIBLE);
	AWAIT(path_now(w, 0).path.requests > before + 20);
	/* Where none is accessible, requests wait. */
	nvme_world_set_ana(w, 0, NVMET_ANA_CHANGE);
	task_sleep(MSEC(500));
	before = m->done;
	task_sleep(SEC(5));
	CHECK(m->done == before);
	nvme_world_set_ana(w, 1, NVMET_ANA_OPTIMIZED);
	nvme_world_join(w, 0);
	model_end(m);
}

/* A change that takes longer than the controller said it may. */
static void a_change_of_ana_has_a_term(struct nvme_world *w)
{
	nvme_world_attach(w, 2, &plain);
	nvme_world_set_ana(w, 0, NVMET_ANA_CHANGE);
	AWAIT(path_now(w, 0).path.access == PATH_CHANGE);
	task_sleep(SEC(5));
	CHECK(path_now(w, 0).path.losses == 0);
	AWAIT(path_now(w, 0).path.losses > 0);
	nvme_world_set_ana(w, 0, NVMET_ANA_OPTIMIZED);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE &&
	      path_now(w, 0).path.access == PATH_OPTIMIZED);
}

/* ----------------------------------------------------- paths lost and found */

/* Default options: what an application sees. */
static void a_reset_is_hardly_felt(struct nvme_world *w)
{
	struct model *m;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	m->pause = USEC(200);
	model_start(m, 200);
	task_sleep(MSEC(10));
	sim_cut(&w->addr[0]);
	AWAIT(path_now(w, 0).path.losses > 0);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE);
	sim_cut(&w->addr[1]);
	nvme_world_join(w, 0);
	CHECK(m->longest < MSEC(10));
	model_end(m);
}

static void silence_is_felt_for_a_moment(struct nvme_world *w)
{
	struct model *m;
	unsigned done;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	m->pause = USEC(200);
	model_start(m, 500);
	task_sleep(MSEC(10));
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	AWAIT(path_now(w, 0).path.losses > 0);
	done = m->done;
	AWAIT(m->done > done + 100);
	nvme_world_join(w, 0);
	CHECK(m->longest < MSEC(200));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE);
	model_end(m);
}

/* However slow the device is, the probe of a path does not wait for it. */
static void slow_devices_are_no_silence(struct nvme_world *w)
{
	struct model *m;

	nvme_world_attach(w, 2, &plain);
	nvme_world_set_delay(w, MSEC(700), MSEC(700));
	m = model_create(w);
	model_start(m, 3);
	nvme_world_join(w, 0);
	CHECK(path_now(w, 0).path.losses == 0);
	nvme_world_set_delay(w, MSEC(40), MSEC(40));
	m->longest = 0;
	model_start(m, 20);
	task_sleep(MSEC(rng_below(sim_rng(), 300)));
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	nvme_world_join(w, 0);
	CHECK(path_now(w, 0).path.losses == 1);
	CHECK(m->longest < MSEC(200 + 2 * 40));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	model_end(m);
}

/* Nor does it wait for a place in a queue that is full of slow requests. */
static void full_queues_are_no_silence(struct nvme_world *w)
{
	struct model *m;

	w->queue_size = 2 + rng_below(sim_rng(), 8);
	nvme_world_new_host(w);
	nvme_world_attach(w, 2, &plain);
	nvme_world_set_delay(w, MSEC(700), MSEC(700));
	m = model_create(w);
	model_start(m, 3);
	nvme_world_join(w, 0);
	CHECK(path_now(w, 0).path.losses == 0);
	model_end(m);
}

/* It comes and goes; the other one does the work, and nobody waits for it. */
static void a_flapping_path_disturbs_nobody(struct nvme_world *w)
{
	struct model *m;
	uint64_t losses;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	model_start(m, 1000);
	for (int i = 0; w->busy > 0; i++) {
		sim_set_link(&w->addr[0],
			     i % 2 ? SIM_LINK_UP : SIM_LINK_REFUSED);
		task_sleep(rng_below(sim_rng(), MSEC(100)));
	}
	losses = path_now(w, 1).path.losses;
	CHECK(losses == 0);
	CHECK(m->longest < MSEC(15));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	model_end(m);
}

/* An attempt each 100 ms at first, and each 5 s in the end. */
static void attempts_become_rare(struct nvme_world *w)
{
	nsec since;

	nvme_world_attach(w, 2, &plain);
	sim_set_link(&w->addr[0], SIM_LINK_REFUSED);
	AWAIT(path_now(w, 0).path.state == PATH_LOST);
	task_sleep(SEC(60));
	since = path_now(w, 0).path.since; /* of a failed attempt */
	AWAIT(path_now(w, 0).path.since != since);
	CHECK(path_now(w, 0).path.since - since >= SEC(5));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE);
}

/* Which is noticed soon. */
static void the_target_restarts(struct nvme_world *w)
{
	struct model *m;
	nsec since;

	nvme_world_attach(w, 2, &plain);
	m = model_create(w);
	model_start(m, 50);
	task_sleep(MSEC(20));
	nvme_world_end_target(w);
	task_sleep(SEC(20));
	nvme_world_start_target(w);
	since = reactor_now();
	nvme_world_join(w, 0);
	CHECK(reactor_now() - since < SEC(1));
	model_end(m);
}

/* ----------------------------------------------------------- time-outs fail */

static void requests_fail_fast_when_asked_to(struct nvme_world *w)
{
	static const struct nvmei_attach a = { .ctrlr_loss_timeout_sec = -1,
					       .reconnect_delay_sec = 1,
					       .fast_io_fail_timeout_sec = 2 };
	char buf[512] = "";
	nsec since;

	nvme_world_attach(w, 2, &a);
	for (int i = 0; i < 2; i++)
		sim_set_link(&w->addr[i], SIM_LINK_REFUSED);
	since = reactor_now();
	CHECK(nvme_world_read(w, 0, buf, 512) == -ETIMEDOUT);
	CHECK(reactor_now() - since >= SEC(2));
	CHECK(reactor_now() - since < SEC(3));
	sim_set_link(&w->addr[1], SIM_LINK_UP);
	AWAIT(path_now(w, 1).path.state == PATH_LIVE);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
}

static void a_lost_controller_is_given_up(struct nvme_world *w)
{
	static const struct nvmei_attach a = { .ctrlr_loss_timeout_sec = 3,
					       .reconnect_delay_sec = 1 };
	struct nvmei_path_info info[NVME_PATHS];
	char buf[512] = "";

	nvme_world_attach(w, 2, &a);
	sim_set_link(&w->addr[0], SIM_LINK_REFUSED);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
	AWAIT(nvmei_get_paths(w->volume, info, NVME_PATHS) == 1);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
	sim_set_link(&w->addr[1], SIM_LINK_REFUSED);
	CHECK(nvme_world_write(w, 0, buf, 512) == -ENODEV);
	AWAIT(nvmei_find(w->host, "Nvme0n1") == NULL);
	/* It can be attached again, and is the same volume. */
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	sim_set_link(&w->addr[1], SIM_LINK_UP);
	nvmei_volume_put(w->volume);
	nvme_world_attach(w, 2, &a);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
}

/* --------------------------------------------------------- attach and detach
 */

static void a_path_can_be_detached_under_load(struct nvme_world *w)
{
	struct model *m;
	struct nvmei_attach again = { .name = "Nvme0" };

	nvme_world_attach(w, 2, &plain);
	nvme_world_set_delay(w, MSEC(3), MSEC(3)); /* some in flight, ever */
	m = model_create(w);
	model_start(m, 60);
	task_sleep(MSEC(10));
	CHECK_OK(nvmei_detach(w->host, "Nvme0", &w->addr[0]));
	CHECK(nvmei_detach(w->host, "Nvme0", &w->addr[0]) == -ENOENT);
	CHECK(nvmei_detach(w->host, "Nvme0", NULL) == -EBUSY);
	again.addr = w->addr[0];
	again.subnqn = NVME_WORLD_SUBNQN;
	CHECK_OK(nvmei_attach(w->host, &again, NULL));
	CHECK(nvmei_attach(w->host, &again, NULL) == -EALREADY);
	CHECK_OK(nvmei_detach(w->host, "Nvme0", &w->addr[1]));
	nvme_world_join(w, 0);
	model_end(m);
	CHECK_OK(nvmei_detach(w->host, "Nvme0", NULL));
	CHECK(nvmei_find(w->host, "Nvme0n1") == NULL);
}

static void what_cannot_be_attached_says_why(struct nvme_world *w)
{
	struct nvmei_attach a = { .name = "Nvme0",
				  .subnqn = "nqn.2026-11.x:y" };
	char text[256];

	a.addr = w->addr[0];
	CHECK(nvmei_attach(w->host, &a, text) == -ENOENT);
	CHECK(strstr(text, "127.102.1.1") != NULL);
	sim_set_link(&w->addr[0], SIM_LINK_REFUSED);
	CHECK(nvmei_attach(w->host, &a, text) == -ECONNREFUSED);
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	CHECK(nvmei_attach(w->host, &a, text) == -ETIMEDOUT);
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	a.fast_io_fail_timeout_sec = 1;
	CHECK(nvmei_attach(w->host, &a, text) == -EINVAL);
}

/* An attempt that was decided on, and has not begun, is not made. */
static void a_host_ends_before_it_connects(struct nvme_world *w)
{
	nsec since;

	nvme_world_attach(w, 1, &plain);
	nvmei_volume_put(w->volume);
	w->volume = NULL;
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	CHECK_OK(nvmei_reset(w->host, "Nvme0", NULL));
	since = reactor_now();
	nvme_world_new_host(w);
	CHECK(reactor_now() - since < MSEC(10));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
}

/* A controller without namespaces stays attached, and shows one that comes. */
static void namespaces_come_and_go(struct nvme_world *w)
{
	struct nvmet_namespace ns = { .device = "slow" };
	char buf[512] = "";

	nvme_world_attach(w, 2, &plain);
	CHECK_OK(nvmet_namespace_remove(w->subsystem, 1));
	AWAIT(nvmei_find(w->host, "Nvme0n1") == NULL);
	CHECK(nvme_world_read(w, 0, buf, 512) == -ENODEV);
	sim_cut(&w->addr[0]);
	CHECK(nvmet_namespace_add(w->subsystem, &ns, NULL) == 1);
	AWAIT(nvmei_find(w->host, "Nvme0n1") == w->volume);
	AWAIT(nvmei_get_paths(w->volume, NULL, 0) == 2);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE &&
	      path_now(w, 1).path.state == PATH_LIVE);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
}

/* ------------------------------------------------------ keys, and discovery */

static const char host_key[] =
	"DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU:";
static char other_key[NVME_SECRET_TEXT_MAX], psk[NVME_SECRET_TEXT_MAX];

static void make_keys(void)
{
	struct nvme_secret s;

	nvme_secret_generate(&s, NVME_AUTH_SHA384);
	nvme_secret_format(&s, NVME_SECRET_DHCHAP, other_key);
	nvme_secret_generate(&s, NVME_AUTH_SHA256);
	nvme_secret_format(&s, NVME_SECRET_TLS, psk);
}

static void let_in(struct nvme_world *w, const char *key, const char *ctrl_key,
		   const char *tls)
{
	struct nvmet_host h = { .nqn = NVME_WORLD_HOSTNQN,
				.dhchap_key = key,
				.dhchap_ctrlr_key = ctrl_key,
				.psk = tls };

	CHECK_OK(nvmet_host_add(w->subsystem, &h, NULL));
	CHECK_OK(nvmet_subsystem_allow_any_host(w->subsystem, false));
}

static int try_keys(struct nvme_world *w, const char *key, const char *ctrl_key,
		    char *text)
{
	struct nvmei_attach a = {
		.name = "Nvme0",
		.subnqn = NVME_WORLD_SUBNQN,
		.addr = w->addr[0],
		.dhchap_key = key,
		.dhchap_ctrlr_key = ctrl_key,
		.dhchap_groups = 1 << NVME_AUTH_FFDHE2048,
	};
	int rc = nvmei_attach(w->host, &a, text);

	if (rc == 0)
		CHECK_OK(nvmei_detach(w->host, "Nvme0", NULL));
	return rc;
}

static void both_sides_prove_who_they_are(struct nvme_world *w)
{
	char text[256];

	make_keys();
	let_in(w, host_key, other_key, NULL);
	CHECK(try_keys(w, NULL, NULL, text) == -EACCES);
	CHECK(strstr(text, "there is no key") != NULL);
	CHECK(try_keys(w, other_key, NULL, text) == -EACCES);
	CHECK(try_keys(w, host_key, NULL, text) == 0);
	CHECK(try_keys(w, host_key, host_key, text) == -EACCES);
	CHECK(strstr(text, "no connection: ") != NULL);
	CHECK(try_keys(w, host_key, other_key, text) == 0);
	CHECK(try_keys(w, "DHHC-1:nonsense", NULL, text) == -EINVAL);
	CHECK(try_keys(w, NULL, other_key, text) == -EINVAL);
}

/* A controller that has no key of its own is none that we asked for. */
static void a_controller_has_to_prove_itself(struct nvme_world *w)
{
	char text[256];

	make_keys();
	CHECK(try_keys(w, host_key, other_key, text) == -EACCES);
}

static void paths_come_back_with_their_keys(struct nvme_world *w)
{
	const struct nvmei_attach a = {
		.dhchap_key = host_key,
		.dhchap_ctrlr_key = other_key,
		.psk = psk,
		.dhchap_groups = 1 << NVME_AUTH_FFDHE2048,
	};
	struct model *m;

	make_keys();
	let_in(w, host_key, other_key, psk);
	nvme_world_attach(w, 2, &a);
	m = model_create(w);
	model_start(m, 30);
	for (int i = 0; i < 5; i++) {
		sim_cut(&w->addr[i % 2]);
		task_sleep(MSEC(20));
	}
	nvme_world_join(w, 0);
	AWAIT(path_now(w, 0).path.state == PATH_LIVE);
	model_end(m);
}

static void a_wrong_tls_key_is_refused(struct nvme_world *w)
{
	struct nvmei_attach a = { .name = "Nvme0",
				  .subnqn = NVME_WORLD_SUBNQN,
				  .addr = w->addr[0],
				  .psk = psk };
	char text[256];

	make_keys();
	let_in(w, NULL, NULL, psk);
	make_keys();
	CHECK(nvmei_attach(w->host, &a, text) < 0);
	CHECK(strstr(text, "TLS") != NULL);
}

static void find_the_volume(struct nvme_world *w)
{
	const struct nvmei_attach a = { .name = "Disc", .addr = w->addr[0] };

	CHECK_OK(nvmei_discovery_start(w->host, &a, NULL));
	w->volume = nvmei_find(w->host, "Disc0n1");
	CHECK(w->volume != NULL);
	nvmei_volume_get(w->volume);
}

static void discovery_finds_all_paths(struct nvme_world *w)
{
	struct nvmei_discovery_info info;
	struct model *m;

	find_the_volume(w);
	CHECK(nvmei_get_paths(w->volume, NULL, 0) == 2);
	CHECK(nvmei_discovery_get(w->host, 0, &info));
	CHECK(info.connected && info.attached == 2);
	m = model_create(w);
	model_start(m, 20);
	nvme_world_join(w, 0);
	model_end(m);
	CHECK_OK(nvmei_discovery_stop(w->host, "Disc"));
	CHECK(nvmei_find(w->host, "Disc0n1") == NULL);
	CHECK(!nvmei_discovery_get(w->host, 0, &info));
}

static void discovery_follows_what_changes(struct nvme_world *w)
{
	struct nvmet_subsystem_spec spec = { .nqn = NVME_WORLD_SUBNQN "2",
					     .allow_any_host = true };
	struct nvmet_listener l = { .addr = w->addr[1] };
	struct nvmet_subsystem *more;
	struct nvmei_discovery_info info;

	find_the_volume(w);
	nvme_world_remove_listener(w, 1);
	AWAIT(nvmei_get_paths(w->volume, NULL, 0) == 1);
	nvme_world_add_listener(w, 1);
	AWAIT(nvmei_get_paths(w->volume, NULL, 0) == 2);
	CHECK_OK(nvmet_subsystem_create(w->target, &spec, &more, NULL));
	CHECK_OK(nvmet_listener_add(more, &l, NULL));
	AWAIT(nvmei_discovery_get(w->host, 0, &info) && info.attached == 3);
	/* The service itself goes, and is missed by nobody. */
	sim_set_link(&w->addr[0], SIM_LINK_REFUSED);
	AWAIT(nvmei_discovery_get(w->host, 0, &info) && !info.connected);
	nvmet_subsystem_delete(more);
	task_sleep(SEC(1));
	CHECK(nvmei_discovery_get(w->host, 0, &info) && info.attached == 3);
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	AWAIT(nvmei_discovery_get(w->host, 0, &info) && info.attached == 2);
}

static unsigned count_found(struct nvme_world *w)
{
	const struct nvmei_discovery *d =
		list_first(&w->host->discoveries, struct nvmei_discovery, link);
	const struct list *l;
	unsigned n = 0;

	for (l = d->found.next; l != &d->found; l = l->next)
		n++;
	return n;
}

/* Each list has another name, which is gone before its turn comes to be
 * attached: it is forgotten. */
static void discovery_forgets_what_is_gone(struct nvme_world *w)
{
	struct nvmet_subsystem *one;
	struct nvmet_listener l = {};
	char nqn[64];
	struct nvmet_subsystem_spec spec = { .nqn = nqn,
					     .allow_any_host = true };

	CHECK_OK(addr_parse(&l.addr, "127.102.3.1", 4420));
	sim_set_link(&l.addr, SIM_LINK_SILENT);
	find_the_volume(w);
	for (int i = 0; i < 100; i++) {
		snprintf(nqn, sizeof(nqn), NVME_WORLD_SUBNQN "-%d", i);
		CHECK_OK(nvmet_subsystem_create(w->target, &spec, &one, NULL));
		CHECK_OK(nvmet_listener_add(one, &l, NULL));
		task_sleep(MSEC(5));
		nvmet_subsystem_delete(one);
		task_sleep(MSEC(5));
	}
	CHECK(count_found(w) <= 2 + 2); /* one is being tried */
	AWAIT(count_found(w) == 2);
	sim_set_link(&l.addr, SIM_LINK_UP);
}

/* ------------------------------------------------------------------- fences */

/*
 * SPDK issue 3593.  A write is held up in the device; its path falls silent, so
 * that the target goes on with it; it is sent again by the other path; and then
 * the application writes something new.  Returns what is there in the end.
 */
static char overtake(struct nvme_world *w)
{
	struct nvme_world_late late = { .w = w, .buf = "old" };
	char buf[512] = "new";

	nvme_world_attach(w, 2, &plain);
	for (int i = 0; i < 100; i++) /* its latency is known then */
		CHECK_OK(nvme_world_write(w, 0, late.buf, 512));
	nvme_world_set_delay(w, 0, MSEC(600));
	nvme_world_spawn(w, nvme_world_write_late, &late);
	task_sleep(MSEC(1));
	nvme_world_set_delay(w, 0, 0);
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	nvme_world_join(w, 0);
	CHECK_OK(nvme_world_write(w, 0, buf, 512));
	task_sleep(SEC(5));
	CHECK_OK(nvme_world_read(w, 0, buf, 512));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	return buf[0];
}

static void a_write_does_not_undo_a_later_one(struct nvme_world *w)
{
	CHECK(overtake(w) == 'n');
}

/* The same, with a host that does as others do: the test can see it. */
static void reissued_at_once_it_does(struct nvme_world *w)
{
	w->reissue_at_once = true;
	nvme_world_new_host(w);
	CHECK(overtake(w) == 'o');
}

/* Nobody can be asked: the time has to pass that the target promised. */
static void a_fence_by_time(struct nvme_world *w)
{
	struct nvme_world_late late = { .w = w, .buf = "old" };
	char buf[512];

	nvme_world_attach(w, 1, &plain);
	nvme_world_set_delay(w, 0, SEC(1));
	nvme_world_spawn(w, nvme_world_write_late, &late);
	task_sleep(MSEC(1));
	nvme_world_set_delay(w, 0, 0);
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	task_sleep(SEC(30));
	CHECK(w->busy == 1);
	sim_set_link(&w->addr[0], SIM_LINK_UP);
	nvme_world_join(w, 0);
	CHECK_OK(nvme_world_read(w, 0, buf, 512));
	CHECK(memcmp(buf, late.buf, 512) == 0);
}

/* It is not over because the path is given up: who took the volume back then
 * would find undone what he writes. */
static void a_fence_outlives_its_path(struct nvme_world *w)
{
	static const struct nvmei_attach a = { .ctrlr_loss_timeout_sec = 1,
					       .reconnect_delay_sec = 1 };
	struct sim_faults faults = { .delay_min = USEC(20),
				     .delay_max = USEC(60),
				     .disk_min = SEC(5),
				     .disk_max = SEC(5) + 1 };
	struct nvme_world_late late = { .w = w, .buf = "old" };

	nvme_world_attach(w, 2, &a);
	sim_set_faults(&faults);
	nvme_world_spawn(w, nvme_world_write_late, &late);
	task_sleep(MSEC(1));
	faults.disk_min = faults.disk_max = USEC(10);
	sim_set_faults(&faults);
	sim_set_link(&w->addr[0], SIM_LINK_SILENT);
	AWAIT(nvmei_get_paths(w->volume, NULL, 0) == 1);
	CHECK(w->busy == 1);
	CHECK(nvmei_is_fencing(w->volume));
	nvme_world_join(w, 0);
	CHECK(!nvmei_is_fencing(w->volume));
	sim_set_link(&w->addr[0], SIM_LINK_UP);
}

static void a_fence_waits_for_memory(struct nvme_world *w)
{
	struct nvme_world_late late = { .w = w, .buf = "old" };

	nvme_world_attach(w, 2, &plain);
	nvme_world_set_delay(w, 0, SEC(1));
	nvme_world_spawn(w, nvme_world_write_late, &late);
	task_sleep(MSEC(1));
	w->failing_tasks = 3;
	w->failing_task = "nvmei-fence";
	sim_cut(&w->addr[0]);
	AWAIT(w->failing_tasks == 0);
	CHECK(w->busy == 1);
	CHECK(nvmei_is_fencing(w->volume));
	AWAIT(w->busy == 0);
	CHECK(!nvmei_is_fencing(w->volume));
}

int main(int argc, char **argv)
{
#define TEST(fn, seeds)                                                        \
	{                                                                      \
#fn, fn, seeds                                                 \
	}
	static const struct nvme_world_test tests[] = {
		TEST(one_path, 20),
		TEST(digests, 20),
		TEST(short_reads, 50),
		TEST(answers_overtake_what_is_sent, 20),
		TEST(each_policy, 20),
		TEST(ana_moves_requests, 20),
		TEST(a_change_of_ana_has_a_term, 5),
		TEST(a_reset_is_hardly_felt, 20),
		TEST(silence_is_felt_for_a_moment, 20),
		TEST(slow_devices_are_no_silence, 20),
		TEST(full_queues_are_no_silence, 20),
		TEST(a_flapping_path_disturbs_nobody, 20),
		TEST(attempts_become_rare, 5),
		TEST(the_target_restarts, 20),
		TEST(requests_fail_fast_when_asked_to, 5),
		TEST(a_lost_controller_is_given_up, 20),
		TEST(a_path_can_be_detached_under_load, 20),
		TEST(what_cannot_be_attached_says_why, 5),
		TEST(a_host_ends_before_it_connects, 5),
		TEST(namespaces_come_and_go, 20),
		TEST(both_sides_prove_who_they_are, 2),
		TEST(a_controller_has_to_prove_itself, 2),
		TEST(paths_come_back_with_their_keys, 5),
		TEST(a_wrong_tls_key_is_refused, 5),
		TEST(discovery_finds_all_paths, 20),
		TEST(discovery_follows_what_changes, 20),
		TEST(discovery_forgets_what_is_gone, 5),
		TEST(a_write_does_not_undo_a_later_one, 50),
		TEST(reissued_at_once_it_does, 50),
		TEST(a_fence_by_time, 20),
		TEST(a_fence_outlives_its_path, 20),
		TEST(a_fence_waits_for_memory, 20),
		{},
	};

	return nvme_world_main(tests, argc, argv);
}
