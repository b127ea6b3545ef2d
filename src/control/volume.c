/* SPDX-License-Identifier: Apache-2.0 */
#include "control/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "control/internal.h"
#include "reactor/file.h"
#include "reactor/reactor.h"
#include "store/store.h"

enum { CANDIDATES_MAX = 64 };

static int say(char text[256], int error, const char *what)
{
	snprintf(text, 256, "%.180s: %s", what, strerror(-error));
	return error;
}

/* ---------------------------------------------------------------- names --- */

/* This host's UUID: made once, kept in the store. */
static int host_uuid(struct store *store, uint8_t uuid[UUID_BYTES])
{
	auto_free void *value = NULL;
	ssize_t n = store_get(store, "host", "uuid", 4, &value);

	if (n == UUID_BYTES) {
		memcpy(uuid, value, UUID_BYTES);
		return 0;
	}
	if (n < 0 && n != -ENOENT)
		return n;
	uuid_random(uuid);
	return store_put(store, "host", "uuid", 4, uuid, UUID_BYTES);
}

int volume_name(const struct volume_place *p, struct volume *v)
{
	char host[UUID_TEXT_SIZE];
	uint8_t uuid[UUID_BYTES];
	int r = host_uuid(p->control->store, uuid);

	if (r < 0)
		return r;
	make_id(v->id, "vol-");
	uuid_random(v->uuid);
	snprintf(v->nqn, sizeof(v->nqn), "nqn.2026-01.io.hawser:%s:%s",
		 uuid_format(uuid, host), v->id);
	return 0;
}

/* ----------------------------------------------------------------- file --- */

static const char *file_path(const struct volume_place *p, const char *id,
			     char path[FS_PATH_SIZE])
{
	snprintf(path, FS_PATH_SIZE, "%s/volumes%s%s", p->directory,
		 id[0] ? "/" : "", id);
	return path;
}

static int make_directory(void *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_volumes_directory(const struct volume_place *p)
{
	char path[FS_PATH_SIZE];
	int r = offload(make_directory, (void *)file_path(p, "", path));

	return r < 0 ? r : file_sync_dir(p->directory);
}

int volume_remove_file(const struct volume_place *p, const char *id)
{
	char path[FS_PATH_SIZE];
	int r = file_unlink(file_path(p, id, path));

	if (r >= 0)
		r = file_sync_dir(file_path(p, "", path));
	return r == -ENOENT ? 0 : r; /* not even the directory */
}

uint64_t volume_used(const struct volume_place *p, const char *id)
{
	char path[FS_PATH_SIZE];
	struct stat st;

	/* The inode is in memory: the file is open. */
	return stat(file_path(p, id, path), &st) < 0
		       ? 0
		       : (uint64_t)st.st_blocks * 512;
}

/* ---------------------------------------------------------------- parts --- */

static int start_device(const struct volume_place *p, const struct volume *v,
			bool create, char text[256])
{
	struct block_spec spec = {
		.kind = BLOCK_FILE,
		.block_size = v->block_size,
		.blocks = create ? v->size / v->block_size : 0,
		.file.create = create,
	};
	char path[FS_PATH_SIZE];
	struct block_device *d;
	int r;

	if (block_find(p->blocks, v->id) != NULL)
		return 0;
	if (create) {
		r = make_volumes_directory(p);
		if (r < 0)
			return say(text, r, "volumes");
	}
	strcpy(spec.name, v->id);
	memcpy(spec.uuid, v->uuid, UUID_BYTES);
	file_path(p, v->id, path);
	if (strlen(path) >= sizeof(spec.file.path))
		return say(text, -ENAMETOOLONG, path);
	strcpy(spec.file.path, path);
	r = block_create(p->blocks, &spec, &d, text);
	if (r == 0 && create) {
		r = file_sync_dir(file_path(p, "", path));
		if (r < 0)
			say(text, r, path);
	}
	return r;
}

static int start_subsystem(const struct volume_place *p, const struct volume *v,
			   struct nvmet_subsystem **s, char text[256])
{
	struct nvmet_subsystem_spec spec = {
		.nqn = v->nqn,
		.serial = v->id + strlen("vol-"),
		.allow_any_host = true,
		.ana_reporting = true,
	};

	*s = nvmet_subsystem_find(p->nvmet, v->nqn);
	if (*s != NULL)
		return 0;
	if (!v->own)
		return say(text, -ENODEV, v->nqn);
	return nvmet_subsystem_create(p->nvmet, &spec, s, text);
}

static int start_namespace(struct nvmet_subsystem *s, const struct volume *v,
			   char text[256])
{
	struct nvmet_namespace ns = { .nsid = v->nsid, .device = v->id }, there;
	int64_t r;

	if (nvmet_namespace_next(s, v->nsid - 1, &there) &&
	    there.nsid == v->nsid && strcmp(there.device, v->id) == 0)
		return 0;
	r = nvmet_namespace_add(s, &ns, text);
	return r < 0 ? r : 0;
}

static bool listens(const struct nvmet_subsystem *s, const struct addr *a)
{
	struct nvmet_listener l;

	for (size_t i = 0; nvmet_listener_get(s, i, &l); i++)
		if (addr_equal(&l.addr, a))
			return true;
	return false;
}

static int start_listeners(struct nvmet_subsystem *s, const struct volume *v,
			   char text[256])
{
	int first = 0, r;
	char why[256];

	for (size_t i = 0; i < v->n_listeners; i++) {
		struct nvmet_listener l = { .addr = v->listeners[i] };

		if (listens(s, &l.addr))
			continue;
		r = nvmet_listener_add(s, &l, why);
		if (r < 0 && first == 0) {
			first = r;
			memcpy(text, why, sizeof(why));
		}
	}
	return first;
}

int volume_start(const struct volume_place *p, const struct volume *v,
		 bool create, char text[256])
{
	struct nvmet_subsystem *s;
	char why[256] = "";
	int r, device;

	text[0] = '\0';
	device = start_device(p, v, create, text);
	r = start_subsystem(p, v, &s, device ? why : text);
	if (device == 0 && r == 0)
		r = start_namespace(s, v, text);
	else if (device < 0)
		r = device;
	if (r == 0)
		r = start_listeners(s, v, text);
	return r;
}

/* ------------------------------------------------------------ listeners --- */

struct candidates {
	const struct subnet *subnet;
	struct addr *list;
};

static int find_candidates(void *arg)
{
	struct candidates *c = arg;

	return subnet_local_addresses(c->subnet, &c->list);
}

/* The first address of the subnet that can be listened on: subsystems share
 * it, but another program may have it. */
static int listen_in(struct nvmet_subsystem *s, const struct subnet *subnet,
		     int port, struct addr *out, char text[256])
{
	struct candidates found = { .subnet = subnet };
	int n = offload(find_candidates, &found), r = -EADDRNOTAVAIL;

	for (int i = 0; i < MIN(n, CANDIDATES_MAX) && r < 0; i++) {
		struct nvmet_listener l = { .addr = found.list[i] };

		addr_set_port(&l.addr, port);
		r = nvmet_listener_add(s, &l, text);
		*out = l.addr;
	}
	free(found.list);
	return n < 0 ? n : r;
}

int volume_listen(const struct volume_place *p, struct volume *v, int port,
		  char text[256])
{
	struct nvmet_subsystem *s = nvmet_subsystem_find(p->nvmet, v->nqn);
	const struct subnet *list;
	size_t n = control_subnets(p->control, &list);

	text[0] = '\0';
	for (size_t i = 0; i < n && v->n_listeners < VOLUME_LISTENERS_MAX;
	     i++) {
		struct addr *a = &v->listeners[v->n_listeners];

		if (listen_in(s, &list[i], port, a, text) == 0)
			v->n_listeners++;
		else
			log_warn("%s: no address in %s to listen on", v->id,
				 list[i].cidr);
	}
	if (v->n_listeners > 0)
		return 0;
	if (text[0] == '\0')
		strcpy(text, "This host has no address in any subnet");
	return -EADDRNOTAVAIL;
}

/* ----------------------------------------------------------------- stop --- */

void volume_stop(const struct volume_place *p, const struct volume *v)
{
	struct nvmet_subsystem *s = nvmet_subsystem_find(p->nvmet, v->nqn);
	struct block_device *d = block_find(p->blocks, v->id);

	if (s != NULL && v->own)
		nvmet_subsystem_delete(s);
	else if (s != NULL)
		nvmet_namespace_remove(s, v->nsid);
	if (d != NULL)
		block_destroy(d);
}
