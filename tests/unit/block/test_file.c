/* SPDX-License-Identifier: Apache-2.0 */
/* FILE: data, sizes, names, and what is left after a power failure. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "devices.h"
#include "reactor/file.h"
#include "reactor/sim.h"

static bool simulated(void)
{
	return strcmp(reactor_backend_name(reactor_self()), "simulation") == 0;
}

static struct block_spec new_file(const char *dir, const char *name,
				  uint32_t block_size, uint64_t blocks)
{
	struct block_spec s = { .kind = BLOCK_FILE,
				.block_size = block_size,
				.blocks = blocks,
				.file.create = true,
				.file.delete = true };

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.file.path, sizeof(s.file.path), "%s/%s", dir, name);
	return s;
}

static void check_model(const char *dir, uint32_t block)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file(dir, "file", block, 1024);
	struct property p = { .device = make(reg, &spec),
			      .seed = test_seed(),
			      .tasks = 4,
			      .requests = 150,
			      .cancel = 0.1,
			      .misaligned = false };

	property_run(&p);
	p.misaligned = true;
	property_run(&p);
	registry_destroy(reg);
}

WORLD_TEST(random_requests_do_what_a_model_says)
{
	check_model(world_dir(), 512);
	check_model(world_dir(), 4096);
}

WORLD_TEST(where_o_direct_is_refused_the_page_cache_serves)
{
	struct file *f;

	if (simulated())
		return;
	if (file_open("/dev/shm", O_TMPFILE | O_RDWR, 0600, &f) != 0)
		return;
	file_close(f);
	check_model("/dev/shm", 512);
	check_model("/dev/shm", 4096);
}

static int try_create(struct block_registry *reg, const struct block_spec *spec,
		      const char *says)
{
	struct block_device *d;
	char text[256];
	int err = block_create(reg, spec, &d, text);

	if (strstr(text, says) == NULL)
		fprintf(stderr, "%s\n", text);
	require(strstr(text, says) != NULL);
	return err;
}

WORLD_TEST(what_cannot_be_opened_says_why)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file(world_dir(), "a", 512, 100), again;

	spec.file.create = false;
	require(try_create(reg, &spec, "No such file") == -ENOENT);
	spec.file.create = true;
	spec.blocks = 0;
	require(try_create(reg, &spec, "blocks is missing") == -EINVAL);
	spec.blocks = 100;
	make(reg, &spec);
	again = spec;
	strcpy(again.name, "b");
	require(try_create(reg, &again, "File exists") == -EEXIST);
	again.file.create = false;
	require(try_create(reg, &again, "is in use") == -EBUSY);
	again.file.read_only = true;
	require(try_create(reg, &again, "is in use") == -EBUSY);
	require(block_destroy(block_find(reg, "a")) == 0);
	spec.file.delete = false;
	make(reg, &spec);
	require(block_destroy(block_find(reg, "a")) == 0);
	again.blocks = 101;
	require(try_create(reg, &again, "only 51200 bytes") == -EINVAL);
	again.blocks = 0;
	again.file.path[0] = '\0';
	require(try_create(reg, &again, "path is missing") == -EINVAL);
	require(block_next(reg, NULL) == NULL);
	require(file_unlink(spec.file.path) == 1);
	registry_destroy(reg);
}

WORLD_TEST(a_new_file_is_sparse_and_its_space_comes_and_goes)
{
	enum { SIZE = 64 << 20, PIECE = 1 << 20 };
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file(world_dir(), "a", 4096, SIZE / 4096);
	struct block_device *d = make(reg, &spec);
	char *buf = aligned_alloc(4096, PIECE);
	uint64_t size, allocated;
	struct file *f;

	require(file_open(spec.file.path, O_RDONLY, 0, &f) == 0);
	require(file_size(f, &size, &allocated) == 0);
	require(size == SIZE && allocated < PIECE);
	memset(buf, 'x', PIECE);
	for (int i = 0; i < 8; i++)
		require(transfer(d, BLOCK_WRITE, i * PIECE, buf, PIECE) == 0);
	require(transfer(d, BLOCK_FLUSH, 0, NULL, 0) == 0);
	require(file_size(f, NULL, &allocated) == 0);
	require(allocated >= 8 * PIECE);
	require(transfer(d, BLOCK_WRITE_ZEROES, 0, NULL, SIZE) == 0);
	require(transfer(d, BLOCK_DEALLOCATE, 0, NULL, 7 * PIECE) == 0);
	require(transfer(d, BLOCK_FLUSH, 0, NULL, 0) == 0);
	require(file_size(f, &size, &allocated) == 0);
	require(size == SIZE && allocated < SIZE);
	require(transfer(d, BLOCK_READ, 6 * PIECE, buf, PIECE) == 0);
	require(buf[0] == 0 && buf[PIECE - 1] == 0);
	file_close(f);
	free(buf);
	registry_destroy(reg);
}

WORLD_TEST(sizes_change_here_and_from_outside)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file(world_dir(), "a", 4096, 10);
	struct block_device *d = make(reg, &spec);
	char *buf = aligned_alloc(4096, 8192);
	struct file *f;
	uint64_t size;

	require(file_open(spec.file.path, O_RDWR, 0, &f) == 0);
	require(block_resize(d, 20) == 0 && block_count(d) == 20);
	require(file_size(f, &size, NULL) == 0 && size == 20 * 4096);
	require(transfer(d, BLOCK_WRITE, 18 * 4096, buf, 8192) == 0);
	require(file_truncate(f, 19 * 4096) == 0);
	require(transfer(d, BLOCK_READ, 18 * 4096, buf, 8192) == -EIO);
	require(transfer(d, BLOCK_READ, 19 * 4096, buf, 4096) == -EIO);
	require(transfer(d, BLOCK_READ, 18 * 4096, buf, 4096) == 0);
	require(file_truncate(f, 17 * 4096 + 100) == 0);
	require(transfer(d, BLOCK_READ, 17 * 4096, buf, 4096) == -EIO);
	require(block_resize(d, 0) == 0 && block_count(d) == 17);
	require(transfer(d, BLOCK_READ, 17 * 4096, buf, 4096) == -ENOSPC);
	require(file_truncate(f, 100) == 0);
	require(block_resize(d, 0) == -EINVAL && block_count(d) == 17);
	file_close(f);
	free(buf);
	registry_destroy(reg);
}

WORLD_TEST(a_read_only_file_is_not_written)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file(world_dir(), "a", 4096, 10), delay;
	struct block_user u = { .name = "test" };
	struct block_device *d;
	char buf[4096];

	spec.file.delete = false;
	make(reg, &spec);
	require(block_destroy(block_find(reg, "a")) == 0);
	spec.file.create = false;
	spec.file.read_only = true;
	d = make(reg, &spec);
	require(block_read_only(d) && !block_supports(d, BLOCK_WRITE));
	require(transfer(d, BLOCK_READ, 0, buf, 4096) == 0);
	require(transfer(d, BLOCK_WRITE, 0, buf, 4096) == -EROFS);
	require(transfer(d, BLOCK_WRITE_ZEROES, 0, buf, 4096) == -EROFS);
	require(transfer(d, BLOCK_DEALLOCATE, 0, buf, 4096) == -EROFS);
	require(block_open(reg, "a", true, &u) == -EROFS);
	delay = filter_spec(BLOCK_ERROR, "e", "a");
	d = make(reg, &delay);
	require(transfer(d, BLOCK_WRITE, 0, buf, 4096) == -EROFS);
	require(file_unlink(spec.file.path) == 1);
	registry_destroy(reg);
}

/* A loop device on a new file: its name, or false where there is none (this
 * takes root, and a kernel that has them). */
static bool loop_create(const char *file, uint64_t size, char name[64])
{
	char command[512];
	bool there;
	FILE *p;

	snprintf(command, sizeof(command),
		 "truncate -s %llu %s && losetup -f --show %s 2>/dev/null",
		 (unsigned long long)size, file, file);
	p = popen(command, "r");
	require(p != NULL);
	there = fscanf(p, "%63s", name) == 1;
	return pclose(p) == 0 && there;
}

WORLD_TEST(a_block_device_is_used_by_one_only)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = { .kind = BLOCK_FILE, .name = "a" }, again;
	struct property p = { .seed = test_seed(),
			      .tasks = 4,
			      .requests = 60,
			      .cancel = 0.1,
			      .misaligned = true };
	char file[128], name[64], command[256];

	snprintf(file, sizeof(file), "%s/loop", world_dir());
	if (simulated() || !loop_create(file, 1 << 20, name)) {
		registry_destroy(reg);
		return;
	}
	strcpy(spec.file.path, name);
	p.device = make(reg, &spec);
	/* Gone with its last user, however this ends. */
	snprintf(command, sizeof(command), "losetup -d %s && rm %s", name,
		 file);
	require(system(command) == 0);
	require(block_count(p.device) == 2048);
	property_run(&p);
	again = spec;
	strcpy(again.name, "b");
	require(try_create(reg, &again, "busy") == -EBUSY);
	require(block_resize(p.device, 4096) < 0);
	require(block_resize(p.device, 0) == 0);
	require(block_count(p.device) == 2048);
	registry_destroy(reg);
}

/* Power failures, in the simulation. */

WORLD_TEST(a_new_file_and_its_size_survive_a_power_failure)
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file("/vol", "a", 4096, 10);
	struct block_device *d;

	if (!simulated()) {
		block_registry_destroy(reg);
		return;
	}
	spec.file.delete = false;
	d = make(reg, &spec);
	sim_crash_files("/vol");
	require(block_destroy(d) == 0);
	spec.file.create = false;
	d = make(reg, &spec);
	require(block_count(d) == 10);
	require(block_resize(d, 30) == 0);
	sim_crash_files("/vol");
	require(block_destroy(d) == 0);
	spec.blocks = 0;
	d = make(reg, &spec);
	require(block_count(d) == 30);
	require(block_destroy(d) == 0);
	block_registry_destroy(reg);
}

static int fua(struct block_device *d, uint64_t offset, void *buf)
{
	struct iovec iov = { buf, 4096 };
	struct block_request r = { .op = BLOCK_WRITE,
				   .flags = BLOCK_FUA,
				   .offset = offset,
				   .length = 4096,
				   .iov = &iov,
				   .niov = 1 };

	return block_do(d, &r);
}

/* Writes a file of BLOCKS, the first FLUSHED of them as said, and counts the
 * sectors that a power failure takes. */
enum { BLOCKS = 64, FLUSHED = 40 };

static void lose_power(bool with_fua, int lost[BLOCKS])
{
	struct block_registry *reg = registry_create();
	struct block_spec spec = new_file("/vol", "a", 4096, BLOCKS);
	char *buf = aligned_alloc(4096, 4096);
	struct block_device *d = make(reg, &spec);

	memset(buf, 'x', 4096);
	for (int i = 0; i < BLOCKS; i++) {
		if (i == FLUSHED && !with_fua)
			require(transfer(d, BLOCK_FLUSH, 0, NULL, 0) == 0);
		require((with_fua && i < FLUSHED
				 ? fua(d, i * 4096, buf)
				 : transfer(d, BLOCK_WRITE, i * 4096, buf,
					    4096)) == 0);
	}
	sim_crash_files("/vol");
	require(transfer(d, BLOCK_READ, 0, buf, 4096) == -EIO);
	require(block_resize(d, 0) == -EIO);
	spec.file.create = false;
	strcpy(spec.name, "b");
	d = make(reg, &spec);
	for (int i = 0; i < BLOCKS; i++) {
		lost[i] = 0;
		require(transfer(d, BLOCK_READ, i * 4096, buf, 4096) == 0);
		for (int at = 0; at < 4096; at += 512)
			lost[i] += buf[at] != 'x';
	}
	registry_destroy(reg);
	free(buf);
}

static void flushed_survives(bool with_fua)
{
	int lost[BLOCKS], others = 0;

	lose_power(with_fua, lost);
	for (int i = 0; i < FLUSHED; i++)
		require(lost[i] == 0);
	for (int i = FLUSHED; i < BLOCKS; i++)
		others += lost[i];
	require(others > 0);
}

WORLD_TEST(what_was_flushed_survives_a_power_failure)
{
	if (!simulated())
		return;
	flushed_survives(false);
	flushed_survives(true);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(random_requests_do_what_a_model_says),
	cmocka_unit_test(where_o_direct_is_refused_the_page_cache_serves),
	cmocka_unit_test(what_cannot_be_opened_says_why),
	cmocka_unit_test(a_new_file_is_sparse_and_its_space_comes_and_goes),
	cmocka_unit_test(sizes_change_here_and_from_outside),
	cmocka_unit_test(a_read_only_file_is_not_written),
	cmocka_unit_test(a_block_device_is_used_by_one_only),
	cmocka_unit_test(a_new_file_and_its_size_survive_a_power_failure),
	cmocka_unit_test(what_was_flushed_survives_a_power_failure),
};

int main(void)
{
	return run_in_worlds("file", tests, ARRAY_SIZE(tests));
}
