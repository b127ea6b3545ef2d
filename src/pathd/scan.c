/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/nvme.h"
#include "pathd/record.h"
#include "pathd/sunrpc.h"
#include "reactor/reactor.h"

/* Mounts come and go at the pace of people and orchestrators. */
#define SCAN_INTERVAL SEC(1)
enum { METRICS_EVERY = 5 /* scans */ };

struct reading {
	const struct pathd *pathd;
	struct sunrpc_list transports;
	struct nvme_list ctrls;
};

/* No directory: it is not in use. */
static int read_all(void *arg)
{
	struct reading *r = arg;
	int rc = sunrpc_list(r->pathd->sunrpc, &r->transports);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = nvme_list(r->pathd->nvme, &r->ctrls);
	return rc == -ENOENT ? 0 : rc;
}

/* A transport that is new to this process may have been moved by one before.
 * What is at neither end of that move, somebody else has moved since. */
static void recall_home(const struct pathd *p, struct trunk_seen *s)
{
	struct record r;

	if (trunks_known(&p->trunks, s->name, s->inode) ||
	    !record_load(p->records, s->name, &r))
		return;
	if (r.inode == s->inode &&
	    (trunk_seen_at(s, &r.goal) || trunk_seen_at(s, &r.from))) {
		s->home = r.home;
		addr_set_port(&s->addr, addr_port(&r.home));
		log_info("%s: was moved earlier", s->name);
	} else {
		record_remove(p->records, s->name);
	}
}

static bool is_known(void *arg, const char *transport, uint64_t inode)
{
	const struct pathd *p = arg;

	return trunks_known(&p->trunks, transport, inode);
}

static void mark_watched(struct pathd *p)
{
	struct transport *t;
	struct target *target;
	struct trunk *k;
	struct ctrl *c;

	list_for_each (target, &p->targets.all, link)
		target->watched = false;
	list_for_each (k, &p->trunks.all, link) {
		if (!trunk_is_wide(k))
			continue;
		list_for_each (t, &k->transports, link)
			t->home->watched = t->at->watched = true;
	}
	list_for_each (c, &p->ctrls.all, link)
		if (ctrl_is_one_of_several(&p->ctrls, c))
			c->target->watched = true;
}

static bool merge_transports(struct pathd *p, struct sunrpc_list *list)
{
	bool all = true;

	trunks_scan_begin(&p->trunks);
	for (unsigned i = 0; i < list->n; i++) {
		recall_home(p, &list->seen[i]);
		all &= trunks_see(&p->trunks, &list->seen[i], reactor_now());
	}
	trunks_scan_end(&p->trunks);
	record_sweep(p->records, is_known, p);
	return all;
}

static bool merge_ctrls(struct pathd *p, const struct nvme_list *list)
{
	bool all = true;

	ctrls_scan_begin(&p->ctrls);
	for (unsigned i = 0; i < list->n; i++)
		all &= ctrls_see(&p->ctrls, &list->seen[i]);
	ctrls_scan_end(&p->ctrls);
	return all;
}

static void tell(struct pathd *p)
{
	if (p->told && p->trunks.count == p->told_transports &&
	    p->ctrls.count == p->told_ctrls)
		return;
	p->told = true;
	p->told_transports = p->trunks.count;
	p->told_ctrls = p->ctrls.count;
	log_info("watches %u transports of NFS and %u controllers of NVMe",
		 p->trunks.count, p->ctrls.count);
}

int pathd_scan(struct pathd *p)
{
	struct reading r = { .pathd = p };
	int rc = offload(read_all, &r);

	if (rc < 0)
		log_error("%s: %s", p->options.sysfs, strerror(-rc));
	if (rc == 0) {
		bool all = merge_transports(p, &r.transports);

		if (!merge_ctrls(p, &r.ctrls) || !all)
			log_warn("too many transports or controllers; "
				 "some are left alone");
		mark_watched(p);
		targets_sweep(&p->targets);
		tell(p);
	}
	sunrpc_list_fini(&r.transports);
	nvme_list_fini(&r.ctrls);
	return rc;
}

void pathd_scanner(void *arg)
{
	struct pathd *p = arg;

	for (unsigned n = 0;; n++) {
		pathd_scan(p);
		pathd_watch(p);
		pathd_identify(p);
		pathd_move(p);
		pathd_cut(p);
		if (n % METRICS_EVERY == 0)
			pathd_metrics_write(p);
		task_sleep(SCAN_INTERVAL);
	}
}
