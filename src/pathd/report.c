/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "reactor/reactor.h"
#include "status/show.h"

static const char *kind_name(enum target_kind kind)
{
	return kind == TARGET_NFS ? "nfs" : "nvme";
}

/* -------------------------------------------------------------------- JSON */

static json_t *report_target(const struct target *t)
{
	char address[ADDR_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I}", "address",
			 addr_format(&t->addr, address), "kind",
			 kind_name(t->kind), "state",
			 target_state_name(t->state), "failures",
			 (int)t->failures, "latency_us",
			 (json_int_t)(t->latency / USEC(1)), "probes",
			 (json_int_t)t->probes, "lost", (json_int_t)t->lost);
}

static json_t *report_transport(const struct transport *t)
{
	char home[ADDR_TEXT_MAX], at[ADDR_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:i, s:I, s:I}",
			 "transport", t->name, "home",
			 addr_format(&t->home->addr, home), "at",
			 addr_format(&t->at->addr, at), "state",
			 transport_state_name(t->state), "state_ms",
			 (json_int_t)((reactor_now() - t->since) / MSEC(1)),
			 "connected", t->connected, "pending", (int)t->pending,
			 "moves", (json_int_t)t->moves, "failed_moves",
			 (json_int_t)t->failures);
}

/* resettable: another one of its subsystem can reset it, and it is known which
 * instance it is. */
static json_t *report_ctrl(const struct ctrl *c)
{
	char address[ADDR_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:b, s:b}", "controller", c->name,
			 "subsystem", c->subsystem, "address",
			 addr_format(&c->target->addr, address), "live",
			 c->live, "resettable",
			 c->fingerprint != 0 && c->identity.ccrl > 0);
}

static json_t *report_ctrls(const struct ctrls *cs)
{
	json_t *list = json_array();
	struct ctrl *c;

	list_for_each (c, &cs->all, link)
		json_array_append_new(list, report_ctrl(c));
	return list;
}

json_t *pathd_report(void *arg)
{
	const struct pathd *p = arg;
	json_t *targets = json_array(), *transports = json_array();
	struct transport *transport;
	struct target *target;
	struct trunk *k;

	list_for_each (target, &p->targets.all, link)
		if (target->watched)
			json_array_append_new(targets, report_target(target));
	list_for_each (k, &p->trunks.all, link)
		list_for_each (transport, &k->transports, link)
			json_array_append_new(transports,
					      report_transport(transport));
	return json_pack("{s:i, s:I, s:I, s:I, s:o, s:o, s:o}", "pid",
			 (int)getpid(), "moves", (json_int_t)p->moves,
			 "failed_moves", (json_int_t)p->failed_moves, "cuts",
			 (json_int_t)p->cuts, "targets", targets, "transports",
			 transports, "controllers", report_ctrls(&p->ctrls));
}

static void print_targets(const json_t *list)
{
	char wait[SHOW_CELL];
	const json_t *o;
	size_t i;

	printf("%-28s %-10s %9s %8s %6s\n", "TARGET", "STATE", "LATENCY",
	       "PROBES", "LOST");
	json_array_foreach((json_t *)list, i, o)
	{
		printf("%-28s %-10s %9s %8lld %6lld\n", show_text(o, "address"),
		       show_text(o, "state"),
		       show_latency(show_number(o, "latency_us"), wait),
		       (long long)show_number(o, "probes"),
		       (long long)show_number(o, "lost"));
	}
}

static void print_transports(const json_t *list)
{
	const json_t *o;
	size_t i;

	if (json_array_size(list) > 0)
		printf("\n%-24s %-21s %-21s %-6s %5s\n", "TRANSPORT", "HOME",
		       "AT", "STATE", "MOVES");
	json_array_foreach((json_t *)list, i, o)
	{
		printf("%-24s %-21s %-21s %-6s %5lld\n",
		       show_text(o, "transport"), show_text(o, "home"),
		       show_text(o, "at"), show_text(o, "state"),
		       (long long)show_number(o, "moves"));
	}
}

static void print_ctrls(const json_t *list)
{
	const json_t *o;
	size_t i;

	if (json_array_size(list) > 0)
		printf("\n%-12s %-21s %-6s %s\n", "CONTROLLER", "ADDRESS",
		       "STATE", "IF IT DIES");
	json_array_foreach((json_t *)list, i, o)
	{
		bool live = json_is_true(json_object_get(o, "live"));
		bool ours = json_is_true(json_object_get(o, "resettable"));

		printf("%-12s %-21s %-6s %s\n", show_text(o, "controller"),
		       show_text(o, "address"), live ? "live" : "-",
		       ours ? "is reset by another"
			    : "waits for its keep alive");
	}
}

void pathd_report_print(const json_t *r)
{
	print_targets(json_object_get(r, "targets"));
	print_transports(json_object_get(r, "transports"));
	print_ctrls(json_object_get(r, "controllers"));
}

/* ----------------------------------------------------------------- metrics */

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP hawser_pathd_%s %s\n# TYPE hawser_pathd_%s %s\n",
		name, help, name, type);
}

/* Labels are addresses and the kernel's names: nothing in them needs quoting.
 */
static void write_targets(FILE *f, const struct targets *ts, const char *name,
			  double (*value)(const struct target *t))
{
	char address[ADDR_TEXT_MAX];
	struct target *t;

	list_for_each (t, &ts->all, link) {
		if (!t->watched)
			continue;
		fprintf(f, "hawser_pathd_%s{address=\"%s\",kind=\"%s\"} %.9g\n",
			name, addr_format(&t->addr, address),
			kind_name(t->kind), value(t));
	}
}

static double value_up(const struct target *t)
{
	return t->state == TARGET_ANSWERING;
}

static double value_latency(const struct target *t)
{
	return (double)t->latency / 1e9;
}

static double value_lost(const struct target *t)
{
	return (double)t->lost;
}

static void write_away(FILE *f, const struct trunks *ts)
{
	char home[ADDR_TEXT_MAX];
	struct transport *t;
	struct trunk *k;

	list_for_each (k, &ts->all, link)
		list_for_each (t, &k->transports, link)
			fprintf(f,
				"hawser_pathd_transport_away{transport=\"%s\","
				"home=\"%s\"} %d\n",
				t->name, addr_format(&t->home->addr, home),
				t->state == TRANSPORT_AWAY);
}

static void write_metrics(FILE *f, const struct pathd *p)
{
	head(f, "target_up", "gauge", "Whether an address answers.");
	write_targets(f, &p->targets, "target_up", value_up);
	head(f, "target_latency_seconds", "gauge", "Of the last answer.");
	write_targets(f, &p->targets, "target_latency_seconds", value_latency);
	head(f, "target_lost_total", "counter", "Probes without an answer.");
	write_targets(f, &p->targets, "target_lost_total", value_lost);
	head(f, "transport_away", "gauge",
	     "Whether a transport is connected to another address than its "
	     "own.");
	write_away(f, &p->trunks);
	head(f, "moves_total", "counter", "Transports moved.");
	fprintf(f, "hawser_pathd_moves_total %llu\n",
		(unsigned long long)p->moves);
	head(f, "cuts_total", "counter", "NVMe controllers disconnected.");
	fprintf(f, "hawser_pathd_cuts_total %llu\n",
		(unsigned long long)p->cuts);
	head(f, "failed_moves_total", "counter", "Moves that failed.");
	fprintf(f, "hawser_pathd_failed_moves_total %llu\n",
		(unsigned long long)p->failed_moves);
}

struct text {
	const char *path;
	char *data;
	size_t len;
};

/* Readers see the old file or the new one. */
static int replace_file(void *arg)
{
	const struct text *t = arg;
	char temporary[PATH_MAX];
	bool ok;
	FILE *f;

	snprintf(temporary, sizeof(temporary), "%s.new", t->path);
	f = fopen(temporary, "we");
	if (f == NULL)
		return -errno;
	ok = fwrite(t->data, 1, t->len, f) == t->len;
	if (fclose(f) != 0 || !ok || rename(temporary, t->path) < 0)
		return -errno;
	return 0;
}

void pathd_metrics_write(struct pathd *p)
{
	struct text t = { .path = p->options.metrics };
	FILE *f;
	int r;

	if (t.path == NULL)
		return;
	f = open_memstream(&t.data, &t.len);
	if (f == NULL)
		return;
	write_metrics(f, p);
	fclose(f);
	r = offload(replace_file, &t);
	if (r < 0)
		log_warn("%s: %s", t.path, strerror(-r));
	free(t.data);
}
