/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILE: how a file is found or made.
 *
 * O_DIRECT is used if a read of one block by it succeeds: some file systems
 * refuse it, and some want larger steps than our blocks.  The file is locked,
 * and a block device opened exclusively, so that nothing that asks, like
 * mount(8), uses it at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "block/file.h"

static int sync_parent(const char *path)
{
	auto_free char *copy = strdup(path);

	return copy != NULL ? file_sync_dir(dirname(copy)) : -ENOMEM;
}

static int refuse_file(char text[256], int err, const char *what,
		       const char *path)
{
	return block_refuse(text, err, "cannot %s %.180s: %s", what, path,
			    strerror(-err));
}

static int remove_file(const char *path)
{
	int err = file_unlink(path);

	return err < 0 ? err : sync_parent(path);
}

/* Size and name are on disk when it returns. */
static int make_file(const char *path, uint64_t size)
{
	struct file *f;
	int err = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &f);

	if (err != 0)
		return err;
	err = file_truncate(f, size);
	if (err == 0)
		err = file_sync(f);
	file_close(f);
	if (err == 0)
		err = sync_parent(path);
	if (err != 0)
		remove_file(path);
	return err;
}

/* A block can be read: 0, or why not. */
static int try_direct(struct file *file, size_t block)
{
	auto_free void *buf = aligned_alloc(4096, 4096);
	ssize_t n = buf != NULL ? file_pread(file, buf, block, 0) : -ENOMEM;

	return n < 0 ? n : 0;
}

static int open_direct(struct file_device *f, const char *path, int flags)
{
	struct file_alignment align = { 4096, 0 };
	size_t block = 1U << f->device.shift;
	int err = file_open(path, flags | O_DIRECT, 0, &f->file);

	if (err != 0)
		return err;
	file_alignment(f->file, &align);
	err = align.offset <= block ? try_direct(f->file, block) : -EINVAL;
	if (err != 0) {
		file_close(f->file);
		return err;
	}
	f->memory = align.memory;
	f->direct = true;
	return 0;
}

static int open_file(struct file_device *f, const struct block_spec *spec,
		     char text[256])
{
	int flags = spec->file.read_only ? O_RDONLY : O_RDWR | O_EXCL;
	int err = open_direct(f, spec->file.path, flags);

	if (err == -EINVAL || err == -EOPNOTSUPP) {
		log_info("block: %s: %s goes through the page cache",
			 spec->name, spec->file.path);
		err = file_open(spec->file.path, flags, 0, &f->file);
	}
	if (err != 0)
		return refuse_file(text, err, "open", spec->file.path);
	if (file_lock(f->file, !spec->file.read_only) == 0)
		return 0;
	file_close(f->file);
	return block_refuse(text, -EBUSY, "%.180s is in use", spec->file.path);
}

static int take_size(struct file_device *f, const struct block_spec *spec,
		     char text[256])
{
	uint64_t size, blocks;
	int err = file_size(f->file, &size, NULL);

	if (err != 0)
		return refuse_file(text, err, "get the size of",
				   spec->file.path);
	blocks = size >> f->device.shift;
	if (blocks == 0 || blocks < spec->blocks)
		return block_refuse(text, -EINVAL, "%.180s has only %llu bytes",
				    spec->file.path, (unsigned long long)size);
	atomic_store(&f->device.blocks,
		     spec->blocks != 0 ? spec->blocks : blocks);
	return 0;
}

static int check_path(const struct block_spec *spec, char text[256])
{
	size_t len = strnlen(spec->file.path, sizeof(spec->file.path));

	if (len == 0 || len == sizeof(spec->file.path))
		return block_refuse(text, -EINVAL,
				    "the file's path is missing or too long");
	if (spec->file.create && spec->blocks == 0)
		return block_refuse(text, -EINVAL,
				    "the number of blocks is missing");
	if (spec->file.create && spec->file.read_only)
		return block_refuse(text, -EINVAL,
				    "a new file cannot be read-only");
	return 0;
}

int file_create(struct block_device *d, const struct block_spec *spec,
		char text[256])
{
	struct file_device *f = file_of(d);
	const char *path = spec->file.path;
	uint32_t block = spec->block_size != 0 ? spec->block_size : 512;
	int err = check_path(spec, text);

	if (err != 0)
		return err;
	d->shift = __builtin_ctz(block);
	d->read_only = spec->file.read_only;
	if (spec->file.create) {
		err = make_file(path, spec->blocks * block);
		if (err != 0)
			return refuse_file(text, err, "create", path);
	}
	err = open_file(f, spec, text);
	if (err == 0) {
		err = take_size(f, spec, text);
		if (err != 0)
			file_close(f->file);
	}
	if (err != 0 && spec->file.create)
		remove_file(path);
	for (int i = 0; err == 0 && i < FILE_REGIONS; i++)
		task_rwlock_init(&f->regions[i]);
	return err;
}

void file_destroy(struct block_device *d)
{
	struct file_device *f = file_of(d);
	int err = 0;

	for (int i = 0; i < FILE_REGIONS; i++)
		task_rwlock_fini(&f->regions[i]);
	file_close(f->file);
	if (d->spec.file.delete)
		err = remove_file(d->spec.file.path);
	if (err != 0)
		log_error("block: %s: cannot delete %s: %s", d->spec.name,
			  d->spec.file.path, strerror(-err));
}

/* A new size of a file, durably. */
static int set_size(struct file_device *f, uint64_t size)
{
	int err = file_truncate(f->file, size);

	return err != 0 ? err : file_sync(f->file);
}

int file_resize(struct block_device *d, uint64_t blocks)
{
	struct file_device *f = file_of(d);
	uint64_t size;
	int err;

	if (blocks == 0) {
		err = file_size(f->file, &size, NULL);
		blocks = size >> d->shift;
		if (err == 0 && blocks == 0)
			err = -EINVAL;
	} else {
		err = d->read_only ? -EROFS : set_size(f, blocks << d->shift);
	}
	if (err == 0)
		atomic_store(&d->blocks, blocks);
	return err;
}
