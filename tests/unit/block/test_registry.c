/* SPDX-License-Identifier: Apache-2.0 */
/* Names, claims, news, and what becomes of devices that are in use. */
#include <errno.h>

#include "devices.h"

static int refused(struct block_registry *reg, struct block_spec spec,
		   const char *why)
{
	struct block_device *d;
	char text[256];
	int err = block_create(reg, &spec, &d, text);

	if (strstr(text, why) == NULL)
		fprintf(stderr, "says: %s\n", text);
	require(strstr(text, why) != NULL);
	require(block_create(reg, &spec, &d, NULL) == err);
	return err;
}

WORLD_TEST(wrong_specs_are_refused_and_say_why)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16), s;

	make(reg, &m);
	require(refused(reg, m, "\"m\" already") == -EEXIST);
	s = malloc_spec("", 512, 16);
	require(refused(reg, s, "1 to 63 bytes") == -EINVAL);
	memset(s.name, 'x', sizeof(s.name));
	require(refused(reg, s, "1 to 63 bytes") == -EINVAL);
	require(refused(reg, malloc_spec("a b", 512, 16), "blanks") == -EINVAL);
	require(refused(reg, malloc_spec("a\n", 512, 16), "blanks") == -EINVAL);
	require(refused(reg, malloc_spec("a", 100, 16), "not 100") == -EINVAL);
	require(refused(reg, malloc_spec("a", 0, 16), "512 or") == -EINVAL);
	require(refused(reg, malloc_spec("a", 512, 0), "missing") == -EINVAL);
	require(refused(reg, malloc_spec("a", 512, UINT64_MAX), "too many") ==
		-EINVAL);
	require(refused(reg, malloc_spec("a", 512, GIB(1 << 20) / 512),
			"address space") == -ENOMEM);
	s = malloc_spec("a", 512, 16);
	s.kind = 77;
	require(refused(reg, s, "no such kind") == -EINVAL);
	memcpy(s.uuid, block_uuid(block_find(reg, "m")), 16);
	s.kind = BLOCK_MALLOC;
	require(refused(reg, s, "\"m\" has this UUID") == -EEXIST);
	s = filter_spec(BLOCK_DELAY, "a", "none");
	require(refused(reg, s, "no device \"none\"") == -ENODEV);
	s = filter_spec(BLOCK_DELAY, "a", "m");
	s.block_size = 4096;
	require(refused(reg, s, "blocks of 512 bytes, not 4096") == -EINVAL);
	s.block_size = 0;
	s.blocks = 17;
	require(refused(reg, s, "has 16 blocks, not 17") == -EINVAL);
	s.blocks = 16;
	make(reg, &s);
	strcpy(s.name, "b");
	require(refused(reg, s, "\"m\" is in use by \"a\"") == -EBUSY);
	registry_destroy(reg);
}

WORLD_TEST(devices_are_found_by_name_and_by_uuid)
{
	struct block_registry *reg = registry_create();
	struct block_spec a = malloc_spec("a", 512, 16), b = a, out;
	struct block_device *da, *db;

	for (int i = 0; i < 16; i++)
		a.uuid[i] = i * 17;
	da = make(reg, &a);
	strcpy(b.name, "b");
	db = make(reg, &b);
	require(block_find(reg, "a") == da && block_find(reg, "b") == db);
	require(block_find(reg, "00112233-4455-6677-8899-aabbccddeeff") == da);
	require(block_find(reg, "00112233-4455-6677-8899-AABBCCDDEEFF") == da);
	require(block_find(reg, "00112233-4455-6677-8899-aabbccddeef0") ==
		NULL);
	require(block_find(reg, "00112233-4455-6677-8899-aabbccddeefg") ==
		NULL);
	require(block_find(reg, "c") == NULL && block_find(reg, "") == NULL);
	strcpy(b.name, "00112233-4455-6677-8899-aabbccddeeff");
	require(refused(reg, b, "already") == -EEXIST);
	require(memcmp(block_uuid(db), (uint8_t[16]){ 0 }, 16) != 0);
	require(block_uuid(db)[6] >> 4 == 4 && block_uuid(db)[8] >> 6 == 2);
	require(block_next(reg, NULL) == da && block_next(reg, da) == db);
	require(block_next(reg, db) == NULL);
	block_get_spec(da, &out);
	require(out.blocks == 16 && out.block_size == 512);
	require(strcmp(block_name(da), "a") == 0);
	registry_destroy(reg);
}

WORLD_TEST(one_writes_and_any_number_reads)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16);
	struct block_device *d = make(reg, &m);
	struct block_user w = { .name = "writer" }, w2 = w, r = w, r2 = w;

	require(block_claimed_by(d) == NULL);
	require(block_open(reg, "m", true, &w) == 0 && w.device == d);
	require(block_open(reg, "m", true, &w2) == -EBUSY);
	require(block_open(reg, "m", false, &r) == 0);
	require(block_open(reg, "m", false, &r2) == 0);
	require(block_open(reg, "n", false, &w2) == -ENODEV);
	require(strcmp(block_claimed_by(d), "writer") == 0);
	block_close(&w);
	require(w.device == NULL && block_claimed_by(d) == NULL);
	require(block_open(reg, "m", true, &w2) == 0);
	block_close(&w2);
	block_close(&r);
	block_close(&r2);
	registry_destroy(reg);
}

/* A user that closes when it is told to go, some time later. */
struct slow_user {
	struct block_user user;
	int resized, removed;
	nsec takes;
};

static void user_resized(struct block_user *u)
{
	struct slow_user *s = container_of(u, struct slow_user, user);

	task_sleep(s->takes);
	s->resized++;
}

static void close_later(void *arg)
{
	struct slow_user *s = arg;

	task_sleep(s->takes);
	block_close(&s->user);
}

static void user_removed(struct block_user *u)
{
	struct slow_user *s = container_of(u, struct slow_user, user);

	s->removed++;
	require(task_spawn("close", close_later, s) == 0);
}

static void user_init(struct slow_user *s, nsec takes)
{
	*s = (struct slow_user){ .user = { .name = "slow",
					   .resized = user_resized,
					   .removed = user_removed },
				 .takes = takes };
}

WORLD_TEST(a_device_goes_when_its_last_user_has_closed_it)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16);
	struct slow_user a, b;
	struct block_user late = { .name = "late" };
	nsec before = reactor_now();

	user_init(&a, MSEC(5));
	user_init(&b, MSEC(10));
	make(reg, &m);
	require(block_open(reg, "m", true, &a.user) == 0);
	require(block_open(reg, "m", false, &b.user) == 0);
	require(block_destroy(block_find(reg, "m")) == 0);
	require(reactor_now() - before >= MSEC(10));
	require(a.removed == 1 && b.removed == 1);
	require(a.user.device == NULL && b.user.device == NULL);
	require(block_open(reg, "m", false, &late) == -ENODEV);
	make(reg, &m); /* the name is free again */
	registry_destroy(reg);
}

struct removal {
	struct block_device *device;
	struct completion done;
};

static void remove_device(void *arg)
{
	struct removal *r = arg;

	completion_done(&r->done, block_destroy(r->device));
}

WORLD_TEST(a_device_that_is_going_is_not_found_but_its_name_is_taken)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16);
	struct block_user user = { .name = "late" };
	struct removal r;
	struct slow_user a;
	char buf[512] = { 0 };

	user_init(&a, MSEC(20));
	r.device = make(reg, &m);
	require(block_open(reg, "m", true, &a.user) == 0);
	completion_init(&r.done);
	require(task_spawn("remove", remove_device, &r) == 0);
	while (a.removed == 0)
		task_yield();
	require(block_find(reg, "m") == NULL && block_next(reg, NULL) == NULL);
	require(block_open(reg, "m", false, &user) == -ENODEV);
	require(refused(reg, m, "already") == -EEXIST);
	require(block_destroy(r.device) == -ENODEV);
	/* Who has it open can still use it. */
	require(transfer(a.user.device, BLOCK_WRITE, 0, buf, 512) == 0);
	require(completion_wait(&r.done) == 0);
	registry_destroy(reg);
}

WORLD_TEST(a_base_is_not_removed_and_tells_its_new_size)
{
	struct block_registry *reg = registry_create();
	struct block_spec m = malloc_spec("m", 512, 16);
	struct block_spec d1 = filter_spec(BLOCK_DELAY, "d1", "m");
	struct block_spec d2 = filter_spec(BLOCK_ERROR, "d2", "d1");
	struct block_device *base = make(reg, &m);
	struct block_device *top;
	struct slow_user u, v;

	user_init(&u, MSEC(3));
	user_init(&v, MSEC(5));
	make(reg, &d1);
	top = make(reg, &d2);
	require(block_open(reg, "d2", true, &u.user) == 0);
	require(block_open(reg, "d2", false, &v.user) == 0);
	require(strcmp(block_claimed_by(base), "d1") == 0);
	require(block_destroy(base) == -EBUSY);
	require(block_resize(top, 20) == -EOPNOTSUPP);
	require(block_resize(base, 20) == 0);
	require(u.resized == 1 && v.resized == 1);
	require(block_count(top) == 20);
	block_close(&u.user);
	block_close(&v.user);
	registry_destroy(reg);
}

WORLD_TEST(devices_are_stacked_up_to_a_bound)
{
	struct block_registry *reg = registry_create();
	struct block_spec s = malloc_spec("0", 512, 16);
	struct block_device *d = make(reg, &s);
	char name[2] = "0", buf[512] = { 0 };

	for (int i = 1; i < BLOCK_LAYERS_MAX; i++) {
		s = filter_spec(i % 2 ? BLOCK_DELAY : BLOCK_ERROR, "", name);
		name[0]++;
		strcpy(s.name, name);
		s.delay.avg_read = USEC(1);
		d = make(reg, &s);
	}
	require(transfer(d, BLOCK_READ, 0, buf, 512) == 0);
	require(transfer(d, BLOCK_COMPARE, 0, buf, 512) == 0);
	s = filter_spec(BLOCK_DELAY, "top", name);
	require(refused(reg, s, "6 devices high already") == -EINVAL);
	registry_destroy(reg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(wrong_specs_are_refused_and_say_why),
	cmocka_unit_test(devices_are_found_by_name_and_by_uuid),
	cmocka_unit_test(one_writes_and_any_number_reads),
	cmocka_unit_test(a_device_goes_when_its_last_user_has_closed_it),
	cmocka_unit_test(
		a_device_that_is_going_is_not_found_but_its_name_is_taken),
	cmocka_unit_test(a_base_is_not_removed_and_tells_its_new_size),
	cmocka_unit_test(devices_are_stacked_up_to_a_bound),
};

int main(void)
{
	return run_in_worlds("registry", tests, ARRAY_SIZE(tests));
}
