/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"
#include "status/show.h"

static json_t *report_path(const struct nvmei_path_info *p, nsec now)
{
	const struct path_info *i = &p->path;
	char address[ADDR_TEXT_MAX];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:i}",
		"address", addr_format(&p->addr, address), "source", p->subnqn,
		"state", path_state_name(i->state), "access",
		path_access_name(i->access), "preferred", i->preferred,
		"state_ms", (json_int_t)((now - i->since) / MSEC(1)),
		"inflight", (int)i->inflight, "latency_us",
		(json_int_t)(i->latency / USEC(1)), "deviation_us",
		(json_int_t)(i->deviation / USEC(1)), "requests",
		(json_int_t)i->requests, "bytes", (json_int_t)i->bytes,
		"failovers", (json_int_t)i->failovers, "losses",
		(json_int_t)i->losses, "controller", (int)p->cntlid);
}

static bool is_there(const struct nvmei_path_info *paths, unsigned n,
		     const struct member *m, const struct addr *a)
{
	for (unsigned i = 0; i < n; i++)
		if (addr_equal(&paths[i].addr, a) &&
		    strcmp(paths[i].subnqn, m->options->subnqn) == 0)
			return true;
	return false;
}

static void report_known(const struct nvmei_volume *nvme, json_t *list)
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	unsigned n = nvmei_get_paths(nvme, paths, ARRAY_SIZE(paths));

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list,
				      report_path(&paths[i], reactor_now()));
}

/* Also those that were given up. */
static void report_absent(const struct member *m, json_t *list)
{
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	char address[ADDR_TEXT_MAX];
	unsigned n = 0;

	if (m->nvme != NULL)
		n = nvmei_get_paths(m->nvme, paths, ARRAY_SIZE(paths));
	for (unsigned i = 0; i < m->options->n_paths; i++)
		if (!is_there(paths, n, m, &m->ways[i].addr))
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "address",
						addr_format(&m->ways[i].addr,
							    address),
						"source", m->options->subnqn,
						"state", "absent"));
}

static json_t *report_paths(const struct volume *v)
{
	json_t *list = json_array();

	if (v->replicas == NULL)
		report_known(v->nvme, list);
	for (unsigned i = 0; i < v->n_members; i++) {
		if (v->replicas != NULL && v->members[i].nvme != NULL)
			report_known(v->members[i].nvme, list);
		report_absent(&v->members[i], list);
	}
	return list;
}

static json_t *report_replicas(const struct volume *v)
{
	json_t *list = json_array(), *one;

	for (unsigned i = 0; i < v->n_members; i++) {
		one = json_pack("{s:s}", "source",
				v->members[i].options->subnqn);
		replicas_report(v->replicas, i, one);
		json_array_append_new(list, one);
	}
	return list;
}

json_t *volume_report_nvme(const struct nvmei_volume *v, const char *where)
{
	json_t *paths = json_array();
	struct nvmei_volume_info info;
	char uuid[UUID_TEXT_SIZE];

	nvmei_get_info(v, &info);
	report_known(v, paths);
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:I, s:i, s:o}",
			 "volume", uuid_format(info.uuid, uuid), "source",
			 info.subnqn, "where", where, "nsid", (int)info.nsid,
			 "policy", info.policy, "block_size",
			 (int)info.block_size, "size",
			 (json_int_t)(info.blocks * info.block_size), "pid",
			 (int)getpid(), "paths", paths);
}

json_t *volume_report(const struct volume *v, const char *where)
{
	json_t *report = volume_report_nvme(v->nvme, where);

	json_object_set_new(report, "size",
			    json_integer((json_int_t)volume_size(v)));
	json_object_set_new(report, "paths", report_paths(v));
	if (v->replicas != NULL)
		json_object_set_new(report, "replicas", report_replicas(v));
	return report;
}

static json_t *report_own(void *arg)
{
	struct volume *v = arg;

	return v->closing ? NULL : volume_report(v, v->where);
}

void volume_announce(struct volume *v, const char *where, const char *path)
{
	int rc;

	snprintf(v->where, sizeof(v->where), "%s", where);
	rc = status_start(path, report_own, v, &v->status);
	if (rc < 0)
		log_warn("%s: no status socket: %s", where, strerror(-rc));
}

/* ------------------------------------------------------------- for people */

static void print_path(const json_t *p)
{
	char wait[SHOW_CELL], bytes[SHOW_CELL];

	printf("%c %-22s  %-10s %-13s %6d %8s %10lld %6s\n",
	       json_is_true(json_object_get(p, "preferred")) ? '*' : ' ',
	       show_text(p, "address"), show_text(p, "state"),
	       show_text(p, "access"), (int)show_number(p, "inflight"),
	       show_latency(show_number(p, "latency_us"), wait),
	       (long long)show_number(p, "requests"),
	       show_bytes(show_number(p, "bytes"), bytes));
}

void volume_report_print(const json_t *r)
{
	const json_t *paths = json_object_get(r, "paths"), *p;
	char size[SHOW_CELL];
	size_t i;

	printf("%s on %s\n", show_text(r, "volume"), show_text(r, "where"));
	printf("%s, %s, policy %s\n", show_text(r, "source"),
	       show_bytes(show_number(r, "size"), size),
	       show_text(r, "policy"));
	json_array_foreach(json_object_get(r, "replicas"), i, p)
	{
		printf("replica %s: %s, %s to copy\n", show_text(p, "source"),
		       show_text(p, "state"),
		       show_bytes(show_number(p, "stale_bytes"), size));
	}
	printf("  %-22s  %-10s %-13s %6s %8s %10s %6s\n", "PATH", "STATE",
	       "ACCESS", "FLIGHT", "LATENCY", "REQUESTS", "BYTES");
	json_array_foreach((json_t *)paths, i, p)
	{
		print_path(p);
	}
}
