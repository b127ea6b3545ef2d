/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/service.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/cert.h"
#include "api/mount_client.h"
#include "base/log.h"
#include "base/notify.h"
#include "block/block.h"
#include "cmd/child.h"
#include "cmd/config.h"
#include "console/console.h"
#include "control/control.h"
#include "control/key.h"
#include "control/ledger.h"
#include "nvme/target/target.h"
#include "reactor/fd.h"
#include "reactor/reactor.h"
#include "reactor/tls.h"
#include "rpc/events.h"
#include "rpc/rpc.h"
#include "store/store.h"

struct service {
	const struct config *config;
	const char *directory, *command;
	char socket[PATH_MAX];
	char profile[PATH_MAX]; /* of the first access key */
	struct reactor_set *reactors;
	/* In the order of creation. */
	struct store *store;
	struct access_keys *keys;
	struct control *control;
	struct ledger *ledger;
	struct block_registry *blocks;
	struct nvmet *nvmet;
	struct rpc_environment env;
	struct rpc_restore *restore;
	struct rpc_server *rpc;
	struct api_server *api;
	/* Of the API, if it is served by HTTPS; of mount targets. */
	struct files {
		char *certificate, *key;
	} api_tls, nfs_tls;
	struct tls_certificate *tls;
	struct api_console console;
	char api_url[API_URL_SIZE];
	int status;
};

static const int signals[] = { SIGTERM, SIGINT, SIGCHLD };

static void fill_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

/* ------------------------------------------------------- start and stop --- */

static int open_store(struct service *s)
{
	char path[PATH_MAX + 8];
	int r;

	snprintf(path, sizeof(path), "%s/store", s->directory);
	r = store_open(path, &s->store);
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r;
}

/* Those that are configured, or else made. */
static int find_files(struct service *s, const char *name,
		      const struct config_certificate *c, struct files *out)
{
	if (c->certificate[0] == '\0')
		return cert_make(s->directory, name, c->hosts,
				 &out->certificate, &out->key);
	out->certificate = strdup(c->certificate);
	out->key = strdup(c->key);
	return out->certificate && out->key ? 0 : -ENOMEM;
}

static int open_certificates(struct service *s)
{
	const struct config *c = s->config;
	int r = find_files(s, "nfs", &c->nfs, &s->nfs_tls);

	if (r < 0)
		return r;
	r = tls_certificate_load(s->nfs_tls.certificate, s->nfs_tls.key,
				 &s->tls);
	if (r < 0)
		log_error("%s, %s: %s", s->nfs_tls.certificate, s->nfs_tls.key,
			  r == -EINVAL ? "are no certificate and its key"
				       : strerror(-r));
	if (r == 0 && c->api_https.len != 0)
		r = find_files(s, "api", &c->api, &s->api_tls);
	return r;
}

static void close_certificates(struct service *s)
{
	tls_certificate_free(s->tls);
	free(s->nfs_tls.certificate);
	free(s->nfs_tls.key);
	free(s->api_tls.certificate);
	free(s->api_tls.key);
}

static int open_control(struct service *s)
{
	const struct config *c = s->config;

	return control_create(
		&(struct control_options){
			.directory = s->directory,
			.store = s->store,
			.subnets = c->subnets,
			.n_subnets = c->n_subnets,
			.reactors = s->reactors,
			.lease = c->lease,
			.root_squash = c->root_squash,
			.period = c->period,
			.elastic_limit = c->elastic_limit,
			.operations = c->operations,
			.actions = c->actions,
			.n_actions = c->n_actions,
			.tls = s->tls,
			.identify = mount_client_identify,
			.identify_arg = s->keys,
			.keys = s->keys,
		},
		&s->control);
}

/* Empty, until the ledger's calls are made again. */
static int open_nvme(struct service *s)
{
	int r = ledger_open(s->store, &s->ledger);

	if (r == 0)
		r = block_registry_create(&s->blocks);
	if (r == 0)
		r = nvmet_create(s->blocks, s->reactors, &s->nvmet);
	return r;
}

static int open_rpc(struct service *s)
{
	int r;

	s->env = (struct rpc_environment){
		.methods = rpc_hawserd_methods,
		.lock = ledger_lock(s->ledger),
		.control = s->control,
		.keys = s->keys,
		.ledger = s->ledger,
		.blocks = s->blocks,
		.nvmet = s->nvmet,
		.events = rpc_events_create(),
		.reactors = s->reactors,
		.directory = s->directory,
		.api_url = s->api_url,
		.started = reactor_realtime(),
	};
	if (s->env.events == NULL)
		return -ENOMEM;
	r = rpc_restore_start(&s->env, &s->restore);
	return r < 0 ? r : rpc_server_create(s->socket, &s->env, &s->rpc);
}

static int open_api(struct service *s)
{
	const struct config *c = s->config;
	int r;

	s->console = console_for(&s->env);
	r = api_server_create(
		&(struct api_options){
			.control = s->control,
			.keys = s->keys,
			.http = c->api_http,
			.https = c->api_https,
			.metrics = c->metrics_http,
			.console = &s->console,
			.certificate = s->api_tls.certificate,
			.private_key = s->api_tls.key,
		},
		&s->api);
	if (r == 0)
		api_server_url(s->api, s->api_url);
	return r;
}

/* Those that stand on others first. */
static void destroy_devices(struct block_registry *blocks)
{
	struct block_device *d, *last;

	for (;;) {
		last = NULL;
		for (d = NULL; (d = block_next(blocks, d)) != NULL;)
			last = d;
		if (last == NULL)
			return;
		block_destroy(last);
	}
}

static void close_nvme(struct service *s)
{
	if (s->nvmet != NULL)
		nvmet_destroy(s->nvmet);
	if (s->blocks != NULL) {
		destroy_devices(s->blocks);
		block_registry_destroy(s->blocks);
	}
	if (s->ledger != NULL)
		ledger_close(s->ledger);
}

static int start(struct service *s)
{
	int r = open_store(s);

	if (r == 0)
		r = access_keys_open(s->store, s->profile, &s->keys);
	if (r == 0)
		r = open_certificates(s);
	if (r == 0)
		r = open_control(s);
	if (r == 0)
		r = open_nvme(s);
	if (r == 0)
		r = open_rpc(s);
	if (r == 0)
		r = open_api(s);
	return r;
}

static void stop(struct service *s)
{
	if (s->api != NULL)
		api_server_destroy(s->api);
	if (s->rpc != NULL)
		rpc_server_destroy(s->rpc);
	if (s->restore != NULL)
		rpc_restore_stop(s->restore);
	rpc_events_destroy(s->env.events);
	close_nvme(s);
	if (s->control != NULL)
		control_destroy(s->control);
	if (s->keys != NULL)
		access_keys_close(s->keys);
	close_certificates(s);
	if (s->store != NULL)
		store_close(s->store);
}

/* ------------------------------------------------------------------ run --- */

static void run_until_signal(void)
{
	sigset_t set;
	int signal;

	printf("hawserd: ready\n");
	fflush(stdout);
	fill_set(&set);
	do
		signal = signal_wait(&set);
	while (signal == SIGCHLD);
	log_info("stopping: %s",
		 signal < 0 ? strerror(-signal) : strsignal(signal));
}

/* What ends hawserd ends the command first. */
static int run_command(struct service *s)
{
	char url[API_URL_SIZE], metrics[API_URL_SIZE];
	const struct child_variable variables[] = {
		{ "HAWSER_STATE", s->directory },
		{ "HAWSER_RPC", s->socket },
		{ "HAWSER_API_URL", url },
		{ "HAWSER_METRICS_URL", metrics },
		{ "HAWSER_AWS_CREDENTIALS", s->profile },
		{},
	};
	pid_t pid;
	sigset_t set;
	int signal, status;

	api_server_url(s->api, url);
	api_server_metrics_url(s->api, metrics);
	pid = child_start(s->command, variables);
	if (pid < 0) {
		log_error("/bin/sh: %s", strerror(-pid));
		return EXIT_FAILURE;
	}
	fill_set(&set);
	for (;;) {
		signal = signal_wait(&set);
		if (signal < 0)
			return EXIT_FAILURE;
		if (signal != SIGCHLD)
			kill(pid, signal);
		else if (child_ended(pid, &status))
			return status;
	}
}

static void service_task(void *arg)
{
	struct service *s = arg;

	s->status = start(s) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (s->status == EXIT_SUCCESS) {
		notify("READY=1");
		if (s->command != NULL)
			s->status = run_command(s);
		else
			run_until_signal();
		notify("STOPPING=1");
	}
	stop(s);
	reactor_set_stop(s->reactors);
}

int service_run(const struct config *config, const char *directory,
		const char *command)
{
	struct service s = {
		.config = config,
		.directory = directory,
		.command = command,
	};
	sigset_t set;
	int r;

	snprintf(s.socket, sizeof(s.socket), "%s/rpc.sock", directory);
	snprintf(s.profile, sizeof(s.profile), "%s/credentials", directory);
	/* Before there are threads: they inherit it. */
	fill_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = reactor_set_create(config->reactors, &(struct reactor_options){},
			       &s.reactors);
	if (r < 0) {
		log_error("event loops: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = reactor_spawn(reactor_set_get(s.reactors, 0), "service",
			  service_task, &s);
	if (r == 0)
		reactor_set_run(s.reactors);
	reactor_set_destroy(s.reactors);
	return r < 0 ? EXIT_FAILURE : s.status;
}
