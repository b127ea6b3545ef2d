/* SPDX-License-Identifier: Apache-2.0 */
/* Connection information as a command line of `hawser attach`.  No I/O. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "base/uuid.h"
#include "connect/user.h"

/* What `hawser attach` takes. */
enum { REPLICAS_MAX = 4 };

__attribute__((format(printf, 2, 3))) static void word(struct user_words *w,
						       const char *format, ...)
{
	char *at = w->text + w->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(at, sizeof(w->text) - w->used, format, args);
	va_end(args);
	assert(w->used + n < sizeof(w->text) && w->n < USER_WORDS_MAX);
	w->used += n + 1;
	w->argv[w->n++] = at;
	w->argv[w->n] = NULL;
}

/* All that is known of it. */
static void add_id(struct user_words *w, const struct connect_id *id)
{
	char text[40];

	if (id->has_uuid) {
		word(w, "--volume");
		word(w, "uuid.%s", uuid_format(id->uuid, text));
	}
	if (id->has_nguid) {
		word(w, "--volume");
		word(w, "nguid.%s", hex_format(id->nguid, 16, text));
	}
	if (id->has_eui64) {
		word(w, "--volume");
		word(w, "eui.%s", hex_format(id->eui64, 8, text));
	}
	if (id->nsid != 0) {
		word(w, "--volume");
		word(w, "%u", id->nsid);
	}
}

static int add_target(struct user_words *w, const struct connect_target *t,
		      const char *option, int portal, char text[CONNECT_TEXT])
{
	char address[ADDR_TEXT_MAX];

	word(w, "%s", option);
	word(w, "%s", t->nqn);
	add_id(w, &t->id);
	for (unsigned i = 0; i < t->n_named; i++) {
		if (t->portals[i].rdma)
			return refuse_with(text, -EOPNOTSUPP,
					   "%.120s: RDMA needs a kernel with "
					   "NVMe over fabrics",
					   t->nqn);
		if (portal >= 0 && i != (unsigned)portal % t->n_named)
			continue;
		word(w, "--path");
		word(w, "%s", addr_format(&t->portals[i].addr, address));
	}
	return 0;
}

/* One host name for all of them. */
static int add_host(struct user_words *w, const struct connect_info *info,
		    const struct user_place *p, char text[CONNECT_TEXT])
{
	const char *name = info->targets[0].hostnqn;

	for (unsigned i = 1; i < info->n_targets; i++)
		if (strcmp(name, info->targets[i].hostnqn) != 0)
			return refuse_with(text, -EOPNOTSUPP,
					   "replicas for different host_nqn "
					   "need a kernel with NVMe over "
					   "fabrics");
	word(w, "--hostnqn");
	word(w, "%s", name[0] != '\0' ? name : p->hostnqn);
	word(w, "--hostid");
	word(w, "%s", p->hostid);
	return 0;
}

static void add_timers(struct user_words *w, const struct connect_options *o)
{
	word(w, "--ctrlr-loss-timeout");
	word(w, "%d", o->ctrl_loss_s == 0 ? -1 : o->ctrl_loss_s);
	word(w, "--reconnect-delay");
	word(w, "%d", o->reconnect_delay_s == 0 ? 2 : o->reconnect_delay_s);
	if (o->fast_io_fail_s > 0) {
		word(w, "--fast-io-fail-timeout");
		word(w, "%d", o->fast_io_fail_s);
	}
}

int user_plan(const struct connect_info *info, const struct connect_options *o,
	      const struct user_place *p, struct user_words *out,
	      char text[CONNECT_TEXT])
{
	bool mirror = info->kind == CONNECT_MIRROR && info->replica_count > 1;
	const char *option = mirror			    ? "--volume-replica"
			     : info->kind == CONNECT_SHARED ? "--dm-replica"
							    : "--subnqn";
	int rc;

	memset(out, 0, sizeof(*out));
	if (info->n_targets > REPLICAS_MAX)
		return refuse_with(text, -EOPNOTSUPP,
				   "more than %d replicas need a kernel with "
				   "NVMe over fabrics",
				   REPLICAS_MAX);
	if (mirror && info->n_targets < info->replica_count)
		return refuse_with(text, -EOPNOTSUPP,
				   "%u of %u replicas are listed: user space "
				   "needs to know all of them",
				   info->n_targets, info->replica_count);
	word(out, "%s", p->program);
	word(out, "attach");
	word(out, "--no-create");
	for (unsigned i = 0; i < info->n_targets; i++) {
		rc = add_target(out, &info->targets[i], option, p->portal,
				text);
		if (rc < 0)
			return rc;
	}
	if (mirror) {
		word(out, p->new_map ? "--bitmap-create" : "--bitmap");
		word(out, "%s", p->map);
	}
	rc = add_host(out, info, p, text);
	if (rc < 0)
		return rc;
	add_timers(out, o);
	if (info->read_only)
		word(out, "--read-only");
	if (o->single_path) {
		word(out, "--discover");
		word(out, "no");
	}
	word(out, "%s", p->file);
	return 0;
}
