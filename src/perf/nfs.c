/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser perf nfs: reads the command line, prepares the clients, runs the load,
 * and reports.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "perf/internal.h"
#include "reactor/reactor.h"

enum { OK, FAILED, USAGE };

/* ---------------------------------------------------------------- the load */

int load_fail(struct load *l, const char *what, int error)
{
	if (l->failed++ == 0)
		snprintf(l->message, sizeof(l->message), "%s: %s", what,
			 strerror(-error));
	return error;
}

static void task_done(struct load *l)
{
	if (--l->busy == 0)
		task_wake(l->waiter);
}

static void wait_all(struct load *l)
{
	while (l->busy > 0)
		task_park(NSEC_NEVER);
}

/* The number of the next operation; false: enough. */
static bool next(struct client *c, uint64_t *index)
{
	if (c->issued >= c->limit || c->load->failed > 0 ||
	    reactor_now_precise() >= c->load->deadline)
		return false;
	*index = c->issued++;
	return true;
}

static void worker(void *arg)
{
	struct client *c = arg;
	struct load *l = c->load;
	auto_free void *buf = malloc(c->s->block ? c->s->block : 1);
	uint64_t index;
	size_t bytes;
	nsec before;

	if (buf == NULL)
		load_fail(l, "memory", -ENOMEM);
	else
		pattern_fill(buf, c->s->block, client_seed(c), 0);
	while (next(c, &index)) {
		bytes = 0;
		before = reactor_now_precise();
		if (c->s->workload->run(c, index, buf, &bytes) < 0)
			break;
		hist_add(&l->latency, reactor_now_precise() - before);
		l->bytes += bytes;
	}
	task_done(l);
}

static void prepare_task(void *arg)
{
	struct client *c = arg;

	c->error = client_prepare(c);
	task_done(c->load);
}

static void finish_task(void *arg)
{
	struct client *c = arg;

	client_finish(c);
	task_done(c->load);
}

static void for_each_client(struct load *l, task_fn *fn, unsigned tasks)
{
	for (unsigned i = 0; i < l->s->clients; i++)
		for (unsigned n = 0; n < tasks; n++) {
			l->busy++;
			if (task_spawn("perf", fn, &l->clients[i]) < 0) {
				l->busy--;
				load_fail(l, "tasks", -EAGAIN);
			}
		}
	wait_all(l);
}

/* Unstable writes count when they are committed. */
static void commit_all(struct load *l)
{
	int rc;

	for (unsigned i = 0; i < l->s->clients && l->failed == 0; i++) {
		struct client *c = &l->clients[i];

		rc = c->open ? nfs_commit(c->open, 0, 0, NULL) : 0;
		if (rc < 0)
			load_fail(l, "commit", rc);
	}
}

static void measure(struct load *l)
{
	const struct settings *s = l->s;

	l->start = reactor_now_precise();
	l->deadline = s->duration ? l->start + s->duration : NSEC_NEVER;
	for_each_client(l, worker, s->depth);
	if (s->workload->data && !s->stable)
		commit_all(l);
	l->end = reactor_now_precise();
}

static uint64_t limit_of(const struct settings *s)
{
	uint64_t limit = s->count ? (s->count + s->clients - 1) / s->clients
				  : UINT64_MAX;

	if (s->workload->finite)
		limit = MIN(limit, (uint64_t)s->files);
	return limit;
}

static void main_task(void *arg)
{
	struct load *l = arg;

	l->waiter = task_self();
	for (unsigned i = 0; i < l->s->clients; i++) {
		l->clients[i].s = l->s;
		l->clients[i].load = l;
		l->clients[i].number = i;
		l->clients[i].limit = limit_of(l->s);
	}
	for_each_client(l, prepare_task, 1);
	if (l->failed == 0)
		measure(l);
	for_each_client(l, finish_task, 1);
	reactor_stop(reactor_self());
}

static int run(const struct settings *s)
{
	struct load *l = calloc(1, sizeof(*l));
	struct reactor *r;
	int rc, status = FAILED;

	if (l == NULL ||
	    !(l->clients = calloc(s->clients, sizeof(struct client))))
		return FAILED;
	l->s = s;
	hist_init(&l->latency);
	rc = reactor_create(&(struct reactor_options){}, &r);
	if (rc == 0) {
		rc = reactor_spawn(r, "perf-main", main_task, l);
		if (rc == 0)
			reactor_run(r);
		reactor_destroy(r);
	}
	if (rc < 0)
		load_fail(l, "reactor", rc);
	if (l->end != 0)
		perf_report(l);
	if (l->failed > 0)
		fprintf(stderr, "hawser perf nfs: %s\n", l->message);
	else
		status = OK;
	free(l->clients);
	free(l);
	return status;
}

/* -------------------------------------------------------- the command line */

static void help(void)
{
	printf("usage: hawser perf nfs ADDRESS:/PATH -w WORKLOAD [OPTION]…\n\n"
	       "Loads an NFSv4.1 server and says how fast it was.  Works in "
	       "directories\nhawser-perf-N below PATH, which it makes and "
	       "removes.\n\n");
	for (const struct workload *w = workloads; w->name; w++)
		printf("  -w %-10s %s\n", w->name, w->help);
	printf("\n"
	       "  -q, --depth N      operations in flight for each client\n"
	       "  -c, --clients N    mounts, each with its own session (1)\n"
	       "  -b, --block BYTES  of an operation (k, m)\n"
	       "  -s, --size BYTES   of each client's file (256m)\n"
	       "      --files N      in each client's directory (10000)\n"
	       "  -t, --time SECONDS for so long (10)\n"
	       "  -n, --count N      or so many operations in all\n"
	       "      --stable       each write on disk before its reply\n"
	       "      --verify       contents, by a pattern\n"
	       "      --seed N       of the pattern and the random offsets\n"
	       "      --keep         leave the files there\n"
	       "  -o OPTIONS         mount options, as for hawser mount\n"
	       "      --json\n");
}

static int usage(const char *what, const char *value)
{
	fprintf(stderr,
		"hawser perf nfs: %s%s%s; see: hawser perf nfs --help\n", what,
		value ? ": " : "", value ? value : "");
	return USAGE;
}

static bool parse_u64(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (*end == 'k' || *end == 'K')
		*out <<= 10, end++;
	else if (*end == 'm' || *end == 'M')
		*out <<= 20, end++;
	else if (*end == 'g' || *end == 'G')
		*out <<= 30, end++;
	return end != text && *end == '\0' && errno == 0 && text[0] != '-';
}

static bool parse_unsigned(const char *text, unsigned min, unsigned max,
			   unsigned *out)
{
	uint64_t n;

	if (!parse_u64(text, &n) || n < min || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

static bool parse_seconds(const char *text, nsec *out)
{
	char *end;
	double t = strtod(text, &end);

	*out = (nsec)(t * 1e9);
	return end != text && *end == '\0' && t > 0 && t < 1e6;
}

enum { FILES = 256, STABLE, VERIFY, SEED, KEEP, JSON };
static const struct option options[] = {
	{ "workload", required_argument, NULL, 'w' },
	{ "depth", required_argument, NULL, 'q' },
	{ "clients", required_argument, NULL, 'c' },
	{ "block", required_argument, NULL, 'b' },
	{ "size", required_argument, NULL, 's' },
	{ "files", required_argument, NULL, FILES },
	{ "time", required_argument, NULL, 't' },
	{ "count", required_argument, NULL, 'n' },
	{ "stable", no_argument, NULL, STABLE },
	{ "verify", no_argument, NULL, VERIFY },
	{ "seed", required_argument, NULL, SEED },
	{ "keep", no_argument, NULL, KEEP },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, 'h' },
	{},
};

static int set_option(struct settings *s, int c, const char *value)
{
	char err[256];
	uint64_t n = 0;
	bool ok = true;

	switch (c) {
	case 'w':
		s->workload = workload_find(value);
		return s->workload ? OK : usage("no such workload", value);
	case 'q':
		ok = parse_unsigned(value, 1, 4096, &s->depth);
		break;
	case 'c':
		ok = parse_unsigned(value, 1, 1024, &s->clients);
		break;
	case 'b':
		ok = parse_u64(value, &n) && n >= 1 && n <= MIB(64);
		s->block = n;
		break;
	case 's':
		ok = parse_u64(value, &s->size) && s->size > 0;
		break;
	case FILES:
		ok = parse_unsigned(value, 1, 10000000, &s->files);
		break;
	case 't':
		ok = parse_seconds(value, &s->duration);
		break;
	case 'n':
		ok = parse_u64(value, &s->count) && s->count > 0;
		break;
	case STABLE:
		s->stable = true;
		break;
	case VERIFY:
		s->verify = true;
		break;
	case SEED:
		ok = parse_u64(value, &s->seed);
		break;
	case KEEP:
		s->keep = true;
		break;
	case JSON:
		s->json = true;
		break;
	case 'o':
		if (nfs_options_parse(&s->mount, value, err, sizeof(err)) < 0)
			return usage("mount options", err);
		break;
	default:
		return usage("unknown option", NULL);
	}
	return ok ? OK : usage("not a sensible value", value);
}

/* ADDRESS:/PATH; an IPv6 address in brackets. */
static int set_target(struct settings *s, const char *target)
{
	const char *colon = strstr(target, ":/");
	struct nfs_options *m = &s->mount;
	char address[ADDR_TEXT_MAX];

	if (colon == NULL || (size_t)(colon - target) >= sizeof(address) ||
	    strlen(colon + 1) >= sizeof(s->path))
		return usage("not ADDRESS:/PATH", target);
	memcpy(address, target, colon - target);
	address[colon - target] = '\0';
	strcpy(s->path, colon + 1);
	/* In front of those that -o may name. */
	memmove(&m->address[1], &m->address[0],
		(NFS_MAX_ADDRESSES - 1) * sizeof(m->address[0]));
	m->naddresses = MIN(m->naddresses + 1, (unsigned)NFS_MAX_ADDRESSES);
	if (addr_parse(&m->address[0], address, 0) < 0)
		return usage("not an IP address", address);
	return OK;
}

static int fill_in(struct settings *s)
{
	if (s->workload == NULL)
		return usage("say which workload with -w", NULL);
	if (s->depth == 0)
		s->depth = s->workload->depth;
	if (s->workload->block == 0)
		s->block = 0;
	else if (s->block == 0)
		s->block = s->workload->block;
	if (s->workload->data && s->block > s->size)
		return usage("a block is larger than the file", NULL);
	if (s->workload->data && s->block > s->mount.wsize)
		return usage("a block is larger than wsize", NULL);
	if (s->duration == 0 && s->count == 0)
		s->duration = SEC(10);
	return OK;
}

int perf_nfs_main(int argc, char **argv)
{
	struct settings s = {
		.clients = 1,
		.size = MIB(256),
		.files = 10000,
		.seed = 1,
	};
	int c, rc;

	if (getenv("HAWSER_LOG") == NULL)
		log_set_level("warn");
	nfs_options_init(&s.mount);
	s.mount.discover = false;
	while ((c = getopt_long(argc, argv, "w:q:c:b:s:t:n:o:h", options,
				NULL)) != -1) {
		if (c == 'h') {
			help();
			return OK;
		}
		rc = set_option(&s, c, optarg);
		if (rc != OK)
			return rc;
	}
	if (optind != argc - 1)
		return usage("say one ADDRESS:/PATH", NULL);
	rc = set_target(&s, argv[argc - 1]);
	if (rc == OK)
		rc = fill_in(&s);
	return rc == OK ? run(&s) : rc;
}
