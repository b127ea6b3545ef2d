/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a volume:
 *
 *	open    a host; each path is attached; the namespace is found
 *	used    a task tries again, from time to time, the paths that were not
 *		there; what is lost later comes back by the initiator's doing;
 *		another learns addresses that nobody has named (discover.c)
 *	close   all is detached
 */
#include "volume/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"

#define TRY_AGAIN SEC(5)

/* ----------------------------------------------------------------- attaching
 */

/* The first line of a file; NULL is none, and fine. */
static int read_key(const char *file, char line[MEMBER_KEY_MAX],
		    const char **out, char text[VOLUME_TEXT])
{
	FILE *f;

	*out = NULL;
	if (file[0] == '\0')
		return 0;
	f = fopen(file, "re");
	if (f == NULL || fgets(line, MEMBER_KEY_MAX, f) == NULL) {
		int error = f == NULL ? -errno : -EINVAL;

		snprintf(text, VOLUME_TEXT, "%.150s: can't be read", file);
		if (f != NULL)
			fclose(f);
		return error;
	}
	fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	*out = line;
	return 0;
}

/* Of several subsystems: it was let in, but has none of the volume. */
static bool is_stranger(const struct member *m, const struct volume_way *w)
{
	struct nvmei_volume *one = NULL;
	struct nvmei_path_info paths[PATH_MAX_PATHS];
	unsigned n;

	if (m->volume->options.kind != VOLUME_SHARED)
		return false;
	while ((one = nvmei_next(m->volume->host, one))) {
		n = nvmei_get_paths(one, paths, ARRAY_SIZE(paths));
		for (unsigned i = 0; i < n; i++)
			if (addr_equal(&paths[i].addr, &w->addr))
				return false;
	}
	return true;
}

int member_attachment(const struct member *m, const struct addr *addr,
		      struct member_keys *keys, struct nvmei_attach *out,
		      char text[VOLUME_TEXT])
{
	const struct volume_options *o = &m->volume->options;
	int rc;

	*out = (struct nvmei_attach){
		.name = m->name,
		.addr = *addr,
		.subnqn = m->options->subnqn,
		.replica = o->kind == VOLUME_SHARED,
		.ctrlr_loss_timeout_sec = o->ctrlr_loss_timeout_sec,
		.reconnect_delay_sec = o->reconnect_delay_sec,
		.fast_io_fail_timeout_sec = o->fast_io_fail_timeout_sec,
	};
	rc = read_key(o->dhchap_key, keys->host, &out->dhchap_key, text);
	if (rc == 0)
		rc = read_key(o->dhchap_ctrlr_key, keys->ctrlr,
			      &out->dhchap_ctrlr_key, text);
	if (rc == 0)
		rc = read_key(o->tls_key, keys->tls, &out->psk, text);
	return rc;
}

static int attach_way(struct member *m, struct volume_way *w,
		      char text[VOLUME_TEXT])
{
	struct member_keys keys;
	struct nvmei_attach a;
	int rc = member_attachment(m, &w->addr, &keys, &a, text);

	if (rc == 0)
		rc = nvmei_attach(m->volume->host, &a, text);
	if (rc == 0 && is_stranger(m, w)) {
		nvmei_detach(m->volume->host, m->name, &w->addr);
		snprintf(text, VOLUME_TEXT,
			 "%.100s: it has no volume with the same UUID and size "
			 "as the first replica's",
			 m->options->subnqn);
		rc = -EINVAL;
	}
	explicit_bzero(&keys, sizeof(keys));
	w->attached = rc == 0;
	return rc;
}

static unsigned count_missing(const struct member *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->options->n_paths; i++)
		n += !m->ways[i].attached;
	return n;
}

/* 0 when there is one; the last error, with text, when there is none. */
static int attach_member(struct member *m, char text[VOLUME_TEXT])
{
	int rc, error = -ENOTCONN;

	for (unsigned i = 0; i < m->options->n_paths; i++) {
		m->ways[i].addr = m->options->paths[i];
		rc = attach_way(m, &m->ways[i], text);
		if (rc == -EALREADY || rc == -EINVAL)
			return rc; /* named twice; not what it should be */
		if (rc < 0) {
			log_warn("%s", text);
			error = rc;
		}
	}
	return count_missing(m) < m->options->n_paths ? 0 : error;
}

/* ------------------------------------------------------------ the namespace
 */

enum fit { NO, HIDDEN, YES };

/* Zero: the namespace doesn't show it. */
static enum fit compare(const uint8_t *shown, const uint8_t *wanted, size_t len)
{
	static const uint8_t none[16];

	if (memcmp(shown, wanted, len) == 0)
		return YES;
	return memcmp(shown, none, len) == 0 ? HIDDEN : NO;
}

static enum fit fits(const struct nvmei_volume_info *info, const char *id)
{
	char number[16];
	uint8_t bytes[16];

	if (strncmp(id, "uuid.", 5) == 0 && uuid_parse(id + 5, bytes))
		return compare(info->uuid, bytes, 16);
	if (strncmp(id, "nguid.", 6) == 0 && hex_parse(id + 6, bytes, 16))
		return compare(info->nguid, bytes, 16);
	if (strncmp(id, "eui.", 4) == 0 && hex_parse(id + 4, bytes, 8))
		return compare(info->eui64, bytes, 8);
	snprintf(number, sizeof(number), "%u", info->nsid);
	if (!uuid_parse(id, bytes))
		return strcmp(number, id) == 0 ? YES : NO;
	return memcmp(bytes, info->uuid, 16) == 0 ||
			       memcmp(bytes, info->nguid, 16) == 0
		       ? YES
		       : NO;
}

/* All that is given and shown agrees, and something is shown. */
static bool is_meant(const struct nvmei_volume_info *info,
		     const struct volume_member *m)
{
	unsigned agreed = 0;

	for (unsigned i = 0; i < m->n_ids; i++)
		switch (fits(info, m->ids[i])) {
		case NO:
			return false;
		case HIDDEN:
			break;
		case YES:
			agreed++;
		}
	return agreed > 0 || m->n_ids == 0;
}

/* "nqn… has no volume ID, that is also ID" */
static int has_none(const struct volume_member *m, char text[VOLUME_TEXT])
{
	unsigned n =
		snprintf(text, VOLUME_TEXT, "%.120s has no volume", m->subnqn);

	for (unsigned i = 0; i < m->n_ids && n < VOLUME_TEXT; i++)
		n += snprintf(text + n, VOLUME_TEXT - n, "%s %s",
			      i > 0 ? ", that is" : "", m->ids[i]);
	return -ENODEV;
}

int member_find(struct member *m, char text[VOLUME_TEXT])
{
	struct nvmei_volume *one = NULL, *found = NULL;
	struct nvmei_volume_info info;

	while ((one = nvmei_next(m->volume->host, one))) {
		nvmei_get_info(one, &info);
		if (strcmp(info.controller, m->name) != 0 ||
		    !is_meant(&info, m->options))
			continue;
		if (found != NULL) {
			snprintf(text, VOLUME_TEXT,
				 "%.120s has several volumes: say which, with "
				 "volume=UUID",
				 m->options->subnqn);
			return -EINVAL;
		}
		found = one;
	}
	if (found == NULL)
		return has_none(m->options, text);
	m->nvme = nvmei_volume_get(found);
	return 0;
}

/* --------------------------------------------------------- what was not there
 */

static void retry_member(struct volume *v, unsigned n)
{
	struct member *m = &v->members[n];
	char text[VOLUME_TEXT];

	for (unsigned i = 0; i < m->options->n_paths && !v->closing; i++)
		if (!m->ways[i].attached)
			attach_way(m, &m->ways[i], text);
	if (m->nvme != NULL || v->closing)
		return;
	if (count_missing(m) < m->options->n_paths &&
	    member_find(m, text) == 0 && v->replicas != NULL)
		replicas_found(v->replicas, n);
}

static bool is_complete(const struct volume *v)
{
	for (unsigned i = 0; i < v->n_members; i++)
		if (count_missing(&v->members[i]) > 0 ||
		    v->members[i].nvme == NULL)
			return false;
	return true;
}

static void keep_task(void *arg)
{
	struct volume *v = arg;
	nsec next;

	while (!v->closing && !is_complete(v)) {
		next = reactor_now() + TRY_AGAIN;
		while (!v->closing && reactor_now() < next)
			waitq_wait(&v->change, next);
		for (unsigned i = 0; i < v->n_members; i++)
			retry_member(v, i);
	}
	v->tasks--;
	waitq_wake_all(&v->change);
}

/* ---------------------------------------------------------------- life cycle
 */

static int create_host(struct volume *v)
{
	static const uint8_t none[16];
	struct nvmei_options o = { .nqn = v->hostnqn };
	char uuid[UUID_TEXT_SIZE];

	memcpy(o.id, v->options.hostid, 16);
	if (memcmp(o.id, none, 16) == 0)
		uuid_random(o.id);
	if (v->options.policy[0] != '\0')
		o.policy = v->options.policy;
	if (v->options.hostnqn[0] != '\0')
		strcpy(v->hostnqn, v->options.hostnqn);
	else
		snprintf(v->hostnqn, sizeof(v->hostnqn),
			 "nqn.2014-08.org.nvmexpress:uuid:%s",
			 uuid_format(o.id, uuid));
	return nvmei_create(&o, &v->host);
}

/* Of a mirror, one that is not there may come later. */
static int attach_all(struct volume *v, char text[VOLUME_TEXT])
{
	unsigned found = 0;
	int rc = 0;

	v->n_members = v->options.n_members;
	for (unsigned i = 0; i < v->n_members; i++) {
		struct member *m = &v->members[i];

		m->volume = v;
		m->options = &v->options.members[i];
		snprintf(m->name, sizeof(m->name), "volume%u",
			 v->options.kind == VOLUME_SHARED ? 0 : i);
		rc = attach_member(m, text);
		if (rc == -EALREADY || rc == -EINVAL)
			return rc;
		if (rc == 0)
			rc = member_find(m, text);
		if (rc == -EINVAL)
			return rc;
		found += rc == 0;
		if (v->nvme == NULL)
			v->nvme = m->nvme;
	}
	return found > 0 ? 0 : rc;
}

static int spawn(struct volume *v, const char *name, task_fn *fn)
{
	int rc = task_spawn(name, fn, v);

	v->tasks += rc == 0;
	return rc;
}

static int start(struct volume *v, char text[VOLUME_TEXT])
{
	int rc = create_host(v);

	if (rc < 0)
		return rc;
	rc = attach_all(v, text);
	if (rc == 0 && v->options.kind == VOLUME_MIRROR)
		rc = replicas_open(v, &v->replicas, text);
	if (rc == 0 && !is_complete(v))
		rc = spawn(v, "volume-keep", keep_task);
	if (rc == 0 && !v->options.named_only)
		rc = spawn(v, "volume-discover", discover_task);
	return rc;
}

int volume_open(const struct volume_options *o, struct volume **out,
		char text[VOLUME_TEXT])
{
	struct volume *v = calloc(1, sizeof(*v));
	int rc;

	text[0] = '\0';
	if (v == NULL) {
		snprintf(text, VOLUME_TEXT, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	v->options = *o;
	range_lock_init(&v->blocks);
	waitq_init(&v->change);
	rc = start(v, text);
	if (rc == 0) {
		*out = v;
		return 0;
	}
	if (text[0] == '\0')
		snprintf(text, VOLUME_TEXT, "%s", strerror(-rc));
	volume_close(v);
	return rc;
}

void volume_close(struct volume *v)
{
	v->closing = true;
	waitq_wake_all(&v->change);
	if (v->host != NULL)
		nvmei_hurry(v->host);
	while (v->tasks > 0)
		waitq_wait(&v->change, NSEC_NEVER);
	status_stop(v->status);
	if (v->replicas != NULL)
		replicas_close(v->replicas);
	for (unsigned i = 0; i < v->n_members; i++)
		if (v->members[i].nvme != NULL)
			nvmei_volume_put(v->members[i].nvme);
	if (v->host != NULL)
		nvmei_destroy(v->host);
	/* Who waits for the end wants what it held: a mirror's map. */
	status_end(v->status);
	free(v);
}

/* ----------------------------------------------------------------- what it is
 */

/* Of a mirror: what all that are there can do. */
static struct nvmei_volume_info get_info(const struct volume *v)
{
	struct nvmei_volume_info all = { .block_size = 0 }, one;

	for (unsigned i = 0; i < v->n_members; i++) {
		if (v->members[i].nvme == NULL)
			continue;
		nvmei_get_info(v->members[i].nvme, &one);
		if (all.block_size == 0)
			all = one;
		all.can_zero &= one.can_zero;
		all.can_deallocate &= one.can_deallocate;
		all.max_transfer = MIN(all.max_transfer, one.max_transfer);
	}
	return all;
}

uint64_t volume_size(const struct volume *v)
{
	struct nvmei_volume_info info = get_info(v);

	return v->replicas != NULL ? replicas_size(v->replicas)
				   : info.blocks * info.block_size;
}

uint32_t volume_block_size(const struct volume *v)
{
	return get_info(v).block_size;
}

uint32_t volume_max_transfer(const struct volume *v)
{
	return get_info(v).max_transfer;
}

bool volume_can_zero(const struct volume *v)
{
	return get_info(v).can_zero;
}

bool volume_can_discard(const struct volume *v)
{
	return v->replicas != NULL ? get_info(v).can_zero
				   : get_info(v).can_deallocate;
}

uint64_t volume_region(const struct volume *v)
{
	return v->replicas != NULL ? replicas_region(v->replicas) : 0;
}

struct nvmei_volume *volume_nvme(const struct volume *v)
{
	return v->replicas == NULL ? v->nvme : NULL;
}
