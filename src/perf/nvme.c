/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser perf nvme: bdevperf's command line.  A reactor for each core of -m,
 * each with a host; the first also serves the socket.
 *
 *	-z:        attach and start by calls: bdev_nvme_*, perform_tests
 *	otherwise: attach what the command line says, one test, end
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "base/uuid.h"
#include "perf/nvme.h"
#include "perf/perf.h"
#include "reactor/fd.h"
#include "reactor/reactor.h"

enum { OK, FAILED, USAGE };

enum { SUBNQN = 256, DISCOVER, JSON, REISSUE, REREAD };

static int complain(const char *what, const char *text)
{
	fprintf(stderr, "hawser perf nvme: %s%s%s\n", what, text[0] ? ": " : "",
		text);
	return FAILED;
}

/* ----------------------------------------------------------------- running */

static const struct rpc_method *const methods[] = {
	rpc_nvmei_methods,	 rpc_nvmei_options_methods,
	rpc_nvmei_show_methods,	 nvme_perf_methods,
	rpc_nvmei_stats_methods, rpc_service_methods,
	rpc_own_methods,	 rpc_nvmei_key_methods,
	rpc_nvmei_order_methods, NULL,
};

static int attach_one(struct perf_nvme *p, const char *address, bool discover,
		      char text[LANE_TEXT])
{
	struct addr a;
	char host[ADDR_TEXT_MAX], port[8];

	if (addr_parse(&a, address, discover ? 8009 : 4420) < 0) {
		snprintf(text, LANE_TEXT, "not an IP address: %.100s", address);
		return -EINVAL;
	}
	addr_format_host(&a, host);
	snprintf(port, sizeof(port), "%u", addr_port(&a));
	if (discover)
		return nvme_call(p, "bdev_nvme_start_discovery",
				 json_pack("{s:s, s:s, s:s, s:s}", "name",
					   "Nvme", "trtype", "tcp", "traddr",
					   host, "trsvcid", port),
				 text);
	return nvme_call(p, "bdev_nvme_attach_controller",
			 json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", "Nvme0",
				   "trtype", "tcp", "traddr", host, "trsvcid",
				   port, "subnqn", p->subnqn),
			 text);
}

static int attach_all(struct perf_nvme *p, char text[LANE_TEXT])
{
	int rc = 0;

	if (p->config != NULL)
		rc = nvme_load_config(p, p->config, text);
	if (rc == 0 && p->discover != NULL)
		rc = attach_one(p, p->discover, true, text);
	for (int i = 0; i < p->n_addresses && rc == 0; i++)
		rc = attach_one(p, p->addresses[i], false, text);
	if (rc == 0 && p->volume_options.n_members > 0)
		rc = volume_open(&p->volume_options, &p->opened, text);
	return rc;
}

static void print_json(const struct nvme_run *r)
{
	json_t *out = nvme_report_json(r);

	json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(out);
}

static int run_once(struct perf_nvme *p)
{
	char text[LANE_TEXT] = "";
	struct nvme_run *r;
	int status = OK;

	if (attach_all(p, text) < 0)
		return complain("can't attach", text);
	if (nvme_run_create(p, &p->defaults, &r, text) < 0)
		return complain("can't run", text);
	p->busy = true;
	nvme_run_do(p, r);
	p->busy = false;
	if (p->json)
		print_json(r);
	else
		nvme_report_text(r);
	for (unsigned i = 0; i < r->count && status == OK; i++)
		if (r->lanes[i]->failed > 0)
			status = complain(r->lanes[i]->name, r->lanes[i]->text);
	nvme_run_destroy(r);
	return status;
}

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

static int serve(struct perf_nvme *p)
{
	char text[LANE_TEXT] = "";
	sigset_t set;

	if (attach_all(p, text) < 0)
		return complain("can't attach", text);
	printf("hawser perf nvme: ready\n");
	fflush(stdout);
	fill_signals(&set);
	signal_wait(&set);
	return OK;
}

static int open_socket(struct perf_nvme *p)
{
	if (p->socket == NULL)
		return 0;
	return rpc_server_create(p->socket, &p->env, &p->rpc);
}

/* A host of our own, each time. */
static void make_options(struct nvmei_options *o, char nqn[80])
{
	char uuid[UUID_TEXT_SIZE];

	uuid_random(o->id);
	snprintf(nqn, 80, "nqn.2014-08.org.nvmexpress:uuid:%s",
		 uuid_format(o->id, uuid));
	o->nqn = nqn;
}

static void main_task(void *arg)
{
	struct perf_nvme *p = arg;
	struct nvmei_options o = { .reissue_at_once = p->reissue_at_once };
	char nqn[80];
	int rc;

	make_options(&o, nqn);
	rc = nvmei_set_create(p->reactors, &o, &p->hosts);
	p->env.hosts = p->hosts;
	if (rc == 0)
		rc = open_socket(p);
	if (rc < 0) {
		p->status = complain("can't start", strerror(-rc));
		reactor_set_stop(p->reactors);
		return;
	}
	nvme_status_start(p);
	p->status = p->wait ? serve(p) : run_once(p);
	status_stop(p->status_socket);
	if (p->busy) /* its requests may wait for paths that never come */
		_exit(FAILED);
	if (p->rpc != NULL) {
		rpc_server_destroy(p->rpc);
		unlink(p->socket);
	}
	status_end(p->status_socket);
	if (p->opened != NULL)
		volume_close(p->opened);
	nvmei_set_destroy(p->hosts);
	reactor_set_stop(p->reactors);
}

/* ------------------------------------------------------------------- cores */

struct pinning {
	int core;
};

static void pin_task(void *arg)
{
	struct pinning *pin = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(pin->core, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0)
		log_warn("core %d can't be used", pin->core);
	free(pin);
}

static void pin(struct perf_nvme *p, unsigned long long mask)
{
	for (int core = 0, i = 0; core < 64; core++) {
		struct pinning *one;

		if (!(mask & 1ULL << core))
			continue;
		one = malloc(sizeof(*one));
		if (one == NULL)
			return;
		one->core = p->core[i] = core;
		if (reactor_spawn(reactor_set_get(p->reactors, i++), "pin",
				  pin_task, one) < 0)
			free(one);
	}
}

static int run(struct perf_nvme *p, unsigned long long mask)
{
	sigset_t set;
	int rc;

	p->cores = mask != 0 ? __builtin_popcountll(mask) : 1;
	p->env = (struct rpc_environment){ .host_keys = json_object(),

					   .methods = methods,
					   .user = p,
					   .directory = "",
					   .started = 0 };
	if (p->wait) { /* else they end us */
		fill_signals(&set);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	}
	rc = reactor_set_create(p->cores, &(struct reactor_options){},
				&p->reactors);
	if (rc < 0)
		return complain("can't start", strerror(-rc));
	p->env.reactors = p->reactors;
	pin(p, mask);
	rc = reactor_spawn(reactor_set_get(p->reactors, 0), "perf-main",
			   main_task, p);
	if (rc == 0)
		reactor_set_run(p->reactors);
	reactor_set_destroy(p->reactors);
	json_decref(p->env.host_keys);
	return rc == 0 ? p->status : complain("can't start", strerror(-rc));
}

/* -------------------------------------------------------- the command line */

static void help(void)
{
	printf("usage: hawser perf nvme -q DEPTH -o BYTES -w WORKLOAD -t "
	       "SECONDS\n"
	       "                        --subnqn NQN ADDRESS[:PORT]…\n"
	       "       hawser perf nvme -q … KEY=VALUE…\n"
	       "       hawser perf nvme -z -r SOCKET [-q …]\n\n"
	       "Loads volumes over NVMe/TCP, over all their paths, and says "
	       "how fast they were.\n\n"
	       "  -q DEPTH    requests in flight on each volume\n"
	       "  -o BYTES    of a request (k, m)\n"
	       "  -w WORKLOAD ");
	for (unsigned i = 0; nvme_workload_at(i) != NULL; i++)
		printf("%s%s", i > 0 ? ", " : "", nvme_workload_at(i)->name);
	printf("\n"
	       "  -M PERCENT  of reads, for rw and randrw\n"
	       "  -t SECONDS  how long\n"
	       "  -m MASK     cores; each has an event loop, pinned to it\n"
	       "  -C          load each volume from each core\n"
	       "  -T VOLUME   load this one only\n"
	       "  -f          go on after failures\n"
	       "  -S SECONDS  between lines of progress (1 on a terminal)\n"
	       "  -z          wait for the call perform_tests\n"
	       "  -r SOCKET   serve JSON-RPC there: bdev_nvme_*\n"
	       "  -c FILE     make the calls of a configuration in JSON first\n"
	       "  --subnqn NQN ADDRESS[:PORT]…  attach that subsystem\n"
	       "  --discover ADDRESS[:PORT]     attach all that is there\n"
	       "  --reread    verify: read blocks before they are written "
	       "again, too\n"
	       "  --json      results as bdevperf's\n"
	       "  --reissue-at-once  repeat writes of lost paths without a "
	       "fence, which\n"
	       "              CORRUPTS DATA: to show what the fence is for\n"
	       "\nOr a volume as hawser attach has it, which may have several "
	       "subsystems:\n");
	volume_options_help("");
}

static int usage(const char *what, const char *value)
{
	fprintf(stderr,
		"hawser perf nvme: %s%s%s; see: hawser perf nvme --help\n",
		what, value ? ": " : "", value ? value : "");
	return USAGE;
}

static bool parse_number(const char *text, uint64_t min, uint64_t max,
			 uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (*end == 'k' || *end == 'K')
		*out <<= 10, end++;
	else if (*end == 'm' || *end == 'M')
		*out <<= 20, end++;
	return end != text && *end == '\0' && errno == 0 && text[0] != '-' &&
	       *out >= min && *out <= max;
}

static int set_number(struct perf_nvme *p, int c, const char *value,
		      unsigned long long *mask)
{
	struct nvme_settings *s = &p->defaults;
	char what[40];
	uint64_t n = 0;
	bool ok = true;

	switch (c) {
	case 'q':
		ok = parse_number(value, 1, 65536, &n);
		s->depth = (unsigned)n;
		break;
	case 'o':
		ok = parse_number(value, 512, BLOCK_TRANSFER_MAX, &n);
		s->io_size = (uint32_t)n;
		break;
	case 'M':
		ok = parse_number(value, 0, 100, &n);
		s->read_percent = (unsigned)n;
		break;
	case 't':
		ok = parse_number(value, 1, 1000000, &n);
		s->duration = SEC((nsec)n);
		break;
	case 'S':
		ok = parse_number(value, 1, 3600, &n);
		p->progress = (unsigned)n;
		break;
	case 'm':
		errno = 0;
		*mask = strtoull(value, NULL, 16);
		ok = *mask != 0 && errno == 0;
		break;
	}
	if (ok)
		return OK;
	snprintf(what, sizeof(what), "-%c: not a sensible value", c);
	return usage(what, value);
}

static int set_option(struct perf_nvme *p, int c, char *value,
		      unsigned long long *mask)
{
	switch (c) {
	case 'w':
		p->defaults.workload = nvme_workload_find(value);
		return p->defaults.workload ? OK
					    : usage("no such workload", value);
	case 'C':
		p->defaults.every_core = true;
		return OK;
	case 'f':
		p->defaults.go_on = true;
		return OK;
	case 'z':
		p->wait = true;
		return OK;
	case 'T':
		p->volume = value;
		return OK;
	case 'r':
		p->socket = value;
		return OK;
	case 'c':
		p->config = value;
		return OK;
	case SUBNQN:
		p->subnqn = value;
		return OK;
	case DISCOVER:
		p->discover = value;
		return OK;
	case JSON:
		p->json = true;
		return OK;
	case REISSUE:
		p->reissue_at_once = true;
		return OK;
	case REREAD:
		p->defaults.reread = true;
		return OK;
	default:
		return set_number(p, c, value, mask);
	}
}

/* Operands are addresses, or options of a volume: as there is a `=`. */
static int take_operands(struct perf_nvme *p, int n, char **operands)
{
	char text[VOLUME_TEXT];
	char *value;
	int rc = 0;

	p->addresses = operands;
	p->volume_options.named_only = true; /* they are what is measured */
	for (int i = 0; i < n && rc >= 0; i++) {
		value = strchr(operands[i], '=');
		if (value == NULL) {
			p->addresses[p->n_addresses++] = operands[i];
			continue;
		}
		*value++ = '\0';
		rc = volume_option(&p->volume_options, operands[i], value,
				   text);
		if (rc == 0)
			return usage("unknown option", operands[i]);
	}
	if (rc >= 0 && p->n_addresses < n)
		rc = volume_options_check(&p->volume_options, text);
	return rc < 0 ? usage(text, NULL) : OK;
}

static int check(const struct perf_nvme *p)
{
	const struct nvme_settings *s = &p->defaults;

	if (p->wait && p->socket == NULL)
		return usage("-z needs a socket, -r", NULL);
	if (p->n_addresses > 0 && p->subnqn == NULL)
		return usage("an address needs --subnqn", NULL);
	if (p->wait)
		return OK;
	if (s->workload == NULL || s->depth == 0 || s->io_size == 0 ||
	    s->duration == 0)
		return usage("-q, -o, -w and -t are needed", NULL);
	if (s->workload->mixed && s->read_percent > 100)
		return usage("-M is needed for a mixed workload", NULL);
	if (p->n_addresses == 0 && p->discover == NULL && p->config == NULL &&
	    p->volume_options.n_members == 0)
		return usage("nothing to attach: --subnqn NQN ADDRESS", NULL);
	return OK;
}

int perf_nvme_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "subnqn", required_argument, NULL, SUBNQN },
		{ "discover", required_argument, NULL, DISCOVER },
		{ "json", no_argument, NULL, JSON },
		{ "reissue-at-once", no_argument, NULL, REISSUE },
		{ "reread", no_argument, NULL, REREAD },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct perf_nvme p = { .defaults.read_percent = UINT_MAX };
	unsigned long long mask = 0;
	int c, rc = OK;

	if (getenv("HAWSER_LOG") == NULL)
		log_set_level("warn");
	p.progress = isatty(2) ? 1 : 0;
	opterr = 0;
	while (rc == OK &&
	       (c = getopt_long(argc, argv, ":q:o:w:M:t:m:CT:fS:zr:c:h",
				options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return OK;
		}
		if (c == '?' || c == ':')
			return usage(c == '?' ? "unknown option"
					      : "value missing",
				     argv[optind - 1]);
		rc = set_option(&p, c, optarg, &mask);
	}
	if (rc == OK)
		rc = take_operands(&p, argc - optind, argv + optind);
	if (rc == OK)
		rc = check(&p);
	return rc == OK ? run(&p, mask) : rc;
}
