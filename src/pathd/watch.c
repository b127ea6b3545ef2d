/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "pathd/internal.h"
#include "pathd/probe.h"
#include "reactor/reactor.h"

struct prober {
	struct pathd *pathd;
	struct target *target;
	struct probe probe;
	nsec fell;
};

static void tell(struct prober *b, enum target_news news, int error)
{
	char address[ADDR_TEXT_MAX];

	addr_format(&b->target->addr, address);
	if (news == TARGET_FELL) {
		b->fell = reactor_now();
		log_warn("%s: does not answer: %s", address, strerror(-error));
	} else if (news == TARGET_ROSE && b->fell != 0) {
		log_info("%s: answers again, after %lld ms", address,
			 (long long)((reactor_now() - b->fell) / MSEC(1)));
	} else if (news == TARGET_ROSE) {
		log_info("%s: answers", address);
	}
}

static void probe_once(struct prober *b, nsec sent)
{
	struct target *t = b->target;
	int r = probe_send(&b->probe, t->kind, &t->addr,
			   b->pathd->options.timeout);
	enum target_news news = target_probed(t, r == 0, sent, reactor_now());

	tell(b, news, r);
	/* All else can wait for the next scan. */
	if (news == TARGET_ROSE || t->failures >= TARGET_FAILURES) {
		pathd_move(b->pathd);
		pathd_cut(b->pathd);
	}
}

static void prober_main(void *arg)
{
	struct prober *b = arg;
	nsec sent;

	while (b->target->watched) {
		sent = reactor_now();
		probe_once(b, sent);
		task_sleep_until(sent + b->pathd->options.interval);
	}
	probe_fini(&b->probe);
	b->target->probed = false;
	target_put(b->target);
	free(b);
}

static void start(struct pathd *p, struct target *t)
{
	struct prober *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return; /* the next scan tries again */
	*b = (struct prober){ .pathd = p, .target = t };
	target_reset(t);
	t->users++;
	t->probed = true;
	if (task_spawn("probe", prober_main, b) == 0)
		return;
	t->probed = false;
	target_put(t);
	free(b);
}

void pathd_watch(struct pathd *p)
{
	struct target *t;

	list_for_each (t, &p->targets.all, link)
		if (t->watched && !t->probed)
			start(p, t);
}
