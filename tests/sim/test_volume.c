/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume of several subsystems, in virtual time.  The world's has two
 * addresses; there is a second one, with an address and a device of its own.
 */
#include "nvme_world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "reactor/file.h"
#include "volume/volume.h"

#define TWIN_SUBNQN  "nqn.2026-11.io.hawser:twin"
#define TWIN_ADDRESS "127.102.3.1"

struct twin {
	struct nvmet_subsystem *subsystem;
	struct block_device *device;
	struct addr addr;
};

static void twin_create(struct nvme_world *w, struct twin *t)
{
	struct nvmet_subsystem_spec spec = { .nqn = TWIN_SUBNQN,
					     .allow_any_host = true };
	struct block_spec device = { .kind = BLOCK_MALLOC,
				     .name = "twin",
				     .block_size = 512,
				     .blocks = 8192 };
	struct nvmet_namespace ns = { .device = "twin" };
	struct nvmet_listener l = {};

	nvmet_namespace_next(w->subsystem, 0, &ns);
	ns.device = "twin"; /* its UUID is the other's */
	CHECK_OK(addr_parse(&t->addr, TWIN_ADDRESS, 4420));
	l.addr = t->addr;
	CHECK_OK(block_create(w->blocks, &device, &t->device, NULL));
	CHECK_OK(nvmet_subsystem_create(w->target, &spec, &t->subsystem, NULL));
	CHECK_OK(nvmet_namespace_add(t->subsystem, &ns, NULL));
	CHECK_OK(nvmet_listener_add(t->subsystem, &l, NULL));
}

static void twin_destroy(struct twin *t)
{
	nvmet_subsystem_delete(t->subsystem);
	CHECK_OK(block_destroy(t->device));
}

static void option(struct volume_options *o, const char *key, const char *value)
{
	char text[VOLUME_TEXT];

	CHECK(volume_option(o, key, value, text) == 1);
}

static void both(struct volume_options *o, const char *kind)
{
	option(o, kind, NVME_WORLD_SUBNQN);
	option(o, "path", "127.102.1.1");
	option(o, kind, TWIN_SUBNQN);
	option(o, "path", TWIN_ADDRESS);
}

static unsigned live_paths(const struct volume *v)
{
	json_t *report = volume_report(v, "test"), *path;
	const char *state;
	unsigned live = 0;
	size_t i;

	json_array_foreach(json_object_get(report, "paths"), i, path)
	{
		state = json_string_value(json_object_get(path, "state"));
		live += strcmp(state, "live") == 0;
	}
	json_decref(report);
	return live;
}

/* One that was not there at first is one more path when it comes. */
static void a_shared_replica_may_come_later(struct nvme_world *w)
{
	struct volume_options o = {};
	char text[VOLUME_TEXT], buf[512];
	struct volume *v;
	struct twin t;

	twin_create(w, &t);
	both(&o, "dm-replica");
	sim_set_link(&t.addr, SIM_LINK_REFUSED);
	CHECK_OK(volume_open(&o, &v, text));
	CHECK(live_paths(v) == 1);
	sim_set_link(&t.addr, SIM_LINK_UP);
	AWAIT(live_paths(v) == 2);
	CHECK_OK(volume_read(v, buf, sizeof(buf), 0));
	volume_close(v);
	twin_destroy(&t);
}

/* ------------------------------------------------------------- the bitmap */

#define MAP "/v.map"

enum { MAP_HEADER = 4096, MAP_REGIONS = 4, MAP_CHECK = 1048 };

static void map_read(uint64_t offset, void *bytes, size_t len)
{
	struct file *f;

	CHECK_OK(file_open(MAP, O_RDWR, 0, &f));
	CHECK(file_pread(f, bytes, len, offset) == (ssize_t)len);
	file_close(f);
}

static void map_write(uint64_t offset, const void *bytes, size_t len)
{
	struct file *f;

	CHECK_OK(file_open(MAP, O_RDWR, 0, &f));
	CHECK_OK(file_pwrite(f, bytes, len, offset));
	file_close(f);
}

static int try_mirror(const char *key, char text[VOLUME_TEXT])
{
	struct volume_options o = {};
	struct volume *v;
	int rc;

	both(&o, "volume-replica");
	option(&o, key, MAP);
	rc = volume_open(&o, &v, text);
	if (rc == 0)
		volume_close(v);
	return rc;
}

/* Each bit that is flipped, and what a medium that has lost it may return. */
static void a_damaged_bitmap_is_refused(struct nvme_world *w)
{
	char text[VOLUME_TEXT];
	uint8_t good, bad;
	struct twin t;

	twin_create(w, &t);
	CHECK_OK(try_mirror("bitmap-create", text));
	map_read(MAP_HEADER + 1, &good, 1);
	for (int i = 0; i < 10; i++) {
		bad = i < 8 ? good ^ 1 << i : i == 8 ? 0 : 0xff;
		map_write(MAP_HEADER + 1, &bad, 1);
		CHECK(try_mirror("bitmap", text) == -EINVAL);
		CHECK(strstr(text, "damaged") != NULL);
	}
	map_write(MAP_HEADER + 1, &good, 1);
	CHECK_OK(try_mirror("bitmap", text));
	twin_destroy(&t);
}

/* Version 1: without checks of the map's bytes. */
static void an_old_bitmap_opens(struct nvme_world *w)
{
	static const struct siphash_key key = { 0x6861, 0x7773 };
	uint8_t header[MAP_CHECK], map[MAP_REGIONS];
	uint32_t version = 1;
	char text[VOLUME_TEXT];
	uint64_t check;
	struct twin t;

	twin_create(w, &t);
	CHECK_OK(try_mirror("bitmap-create", text));
	map_read(0, header, sizeof(header));
	memcpy(header + 8, &version, 4);
	check = siphash24(&key, header, sizeof(header));
	map_write(0, header, sizeof(header));
	map_write(MAP_CHECK, &check, 8);
	map_read(MAP_HEADER, map, sizeof(map));
	for (int i = 0; i < MAP_REGIONS; i++)
		map[i] &= 0x8f;
	map_write(MAP_HEADER, map, sizeof(map));
	CHECK_OK(try_mirror("bitmap", text));
	CHECK_OK(try_mirror("bitmap", text)); /* as it was left */
	twin_destroy(&t);
}

int main(int argc, char **argv)
{
#define TEST(fn, seeds)                                                        \
	{                                                                      \
#fn, fn, seeds                                                 \
	}
	static const struct nvme_world_test tests[] = {
		TEST(a_shared_replica_may_come_later, 5),
		TEST(a_damaged_bitmap_is_refused, 5),
		TEST(an_old_bitmap_opens, 5),
		{},
	};

	return nvme_world_main(tests, argc, argv);
}
