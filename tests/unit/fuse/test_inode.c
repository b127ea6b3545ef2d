/* SPDX-License-Identifier: Apache-2.0 */
/* The table of inodes: references, lookups, and where an inode was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "fuse/internal.h"

static struct mount mount;

static struct nfs_fh fh_of(unsigned n)
{
	struct nfs_fh fh = { .len = 8 };

	memcpy(fh.data, &n, sizeof(n));
	return fh;
}

static struct inode *get(unsigned n, uint32_t type)
{
	const struct nfs_fh fh = fh_of(n);
	const struct nfs_attr attr = { .mode = type | 0644, .fileid = n };

	return inode_of_fh(&mount, &fh, &attr);
}

static int setup(void **state)
{
	mount = (struct mount){};
	mount.root = get(0, S_IFDIR);
	inode_looked_up(mount.root);
	return 0;
}

static int teardown(void **state)
{
	inodes_fini(&mount);
	return 0;
}

static void the_root_is_node_1(void **state)
{
	assert_int_equal(inode_id(mount.root), FUSE_ROOT_ID);
	assert_ptr_equal(inode_find(&mount, FUSE_ROOT_ID), mount.root);
}

static void one_handle_is_one_inode(void **state)
{
	struct inode *a = get(7, S_IFREG), *b = get(7, S_IFREG);
	struct inode *c = get(8, S_IFREG);

	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_equal(inode_find(&mount, inode_id(a)), a);
	inode_unref(a);
	inode_unref(b);
	inode_unref(c);
	assert_int_equal(mount.inodes.count, 1);
}

static void what_the_kernel_holds_stays_until_it_forgets(void **state)
{
	const struct nfs_fh fh = fh_of(7);
	struct inode *a = get(7, S_IFREG);

	inode_looked_up(a);
	inode_looked_up(a);
	inode_unref(a);
	assert_ptr_equal(inode_peek(&mount, &fh), a);
	inode_forget(a, 1);
	assert_ptr_equal(inode_peek(&mount, &fh), a);
	inode_forget(a, 1);
	assert_null(inode_peek(&mount, &fh));
}

static void a_forgotten_inode_leaves_word_of_its_changes(void **state)
{
	struct inode *a = get(7, S_IFREG);
	uint64_t before = mount.changes;

	inode_changes(a);
	inode_unref(a);
	assert_true(mount.changes_anywhere > before);
}

static void an_inode_keeps_the_directory_that_it_was_found_in(void **state)
{
	const struct nfs_fh fh = fh_of(1);
	struct inode *dir = get(1, S_IFDIR), *f = get(7, S_IFREG);

	inode_found(f, dir, "a");
	inode_found(f, dir, "a");
	assert_string_equal(f->name, "a");
	inode_unref(dir);
	assert_ptr_equal(inode_peek(&mount, &fh), dir);
	inode_found(f, mount.root, "b");
	assert_null(inode_peek(&mount, &fh));
	assert_string_equal(f->name, "b");
	inode_found(f, NULL, NULL);
	assert_null(f->name);
	assert_null(f->parent);
	inode_unref(f);
}

static void directories_found_in_each_other_can_be_freed(void **state)
{
	struct inode *a = get(1, S_IFDIR), *b = get(2, S_IFDIR);

	inode_found(a, b, "a");
	inode_found(b, a, "b");
	assert_int_equal(a->parent_fileid, 2);
	inode_unref(a);
	inode_unref(b);
	assert_int_equal(mount.inodes.count, 1);
}

/* Against a model that counts. */
static void random_lookups_and_forgets_balance(void **state)
{
	enum { N = 50 };
	const char *seed_text = getenv("SEED");
	uint64_t seed =
		seed_text ? strtoull(seed_text, NULL, 0) : (uint64_t)time(NULL);
	unsigned lookups[N] = {}, alive = 0;
	struct rng r;

	rng_init(&r, seed);
	for (int step = 0; step < 20000; step++) {
		unsigned n = rng_below(&r, N);
		struct inode *inode = get(n + 100, S_IFREG);

		if (rng_below(&r, 2)) {
			inode_looked_up(inode);
			lookups[n]++;
			inode_found(inode, mount.root,
				    rng_below(&r, 2) ? "x" : "y");
		} else if (lookups[n] > 0) {
			unsigned drop = 1 + rng_below(&r, lookups[n]);

			inode_forget(inode, drop);
			lookups[n] -= drop;
		}
		inode_unref(inode);
		alive = 0;
		for (unsigned i = 0; i < N; i++)
			alive += lookups[i] > 0;
		if (mount.inodes.count != alive + 1)
			fail_msg("step %d, SEED=%llu", step,
				 (unsigned long long)seed);
	}
	for (unsigned n = 0; n < N; n++) {
		struct inode *inode = get(n + 100, S_IFREG);

		inode_forget(inode, lookups[n]);
		inode_unref(inode);
	}
	assert_int_equal(mount.inodes.count, 1);
}

static void buffers_are_kept_up_to_a_bound(void **state)
{
	static struct buffer *taken[2 * BUFFERS_KEPT_SMALL];
	struct buffers b;

	buffers_init(&b);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		taken[i] = buffer_take(&b, 100);
		memset(taken[i]->data, 1, BUFFER_SMALL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		buffer_give(&b, taken[i]);
	assert_int_equal(b.nsmall, BUFFERS_KEPT_SMALL);
	taken[0] = buffer_take(&b, BUFFER_LARGE);
	memset(taken[0]->data, 1, BUFFER_LARGE);
	buffer_give(&b, taken[0]);
	assert_int_equal(b.nlarge, 1);
	assert_ptr_equal(buffer_take(&b, BUFFER_SMALL + 1), taken[0]);
	buffer_give(&b, taken[0]);
	buffers_fini(&b);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_root_is_node_1),
		CASE(one_handle_is_one_inode),
		CASE(what_the_kernel_holds_stays_until_it_forgets),
		CASE(a_forgotten_inode_leaves_word_of_its_changes),
		CASE(an_inode_keeps_the_directory_that_it_was_found_in),
		CASE(directories_found_in_each_other_can_be_freed),
		CASE(random_lookups_and_forgets_balance),
		CASE(buffers_are_kept_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
