/* SPDX-License-Identifier: Apache-2.0 */
/* Which controllers are dead, and which may be asked what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "pathd/ctrl.h"

#define TICK MSEC(200)

static struct targets targets;
static struct ctrls ctrls;
static nsec now;

static struct ctrl_seen seen(int number, int address, const char *nqn,
			     bool live)
{
	struct ctrl_seen s = { .live = live };
	char text[32];

	snprintf(s.name, sizeof(s.name), "nvme%d", number);
	snprintf(s.subsystem, sizeof(s.subsystem), "%s", nqn);
	snprintf(text, sizeof(text), "10.77.%d.1", address);
	assert_int_equal(addr_parse(&s.addr, text, 4420), 0);
	return s;
}

/* nvme0 and nvme1 of "one" at addresses 0 and 1; nvme2 of "two" at 0 alone. */
static void scan(bool first_is_live)
{
	const struct ctrl_seen all[] = { seen(0, 0, "one", first_is_live),
					 seen(1, 1, "one", true),
					 seen(2, 0, "two", true) };

	ctrls_scan_begin(&ctrls);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		assert_true(ctrls_see(&ctrls, &all[i]));
	ctrls_scan_end(&ctrls);
	targets_sweep(&targets);
}

static void start(void)
{
	now = SEC(1000);
	targets_init(&targets);
	ctrls_init(&ctrls, &targets);
	scan(true);
}

static void end(void)
{
	ctrls_fini(&ctrls);
	targets_sweep(&targets);
	assert_int_equal(targets.count, 0);
}

static void probe(const char *silent)
{
	char address[ADDR_TEXT_MAX];
	struct target *t;

	list_for_each (t, &targets.all, link) {
		addr_format_host(&t->addr, address);
		target_probed(t, strcmp(address, silent) != 0, now, now + 1);
	}
	now += TICK;
}

static struct ctrl *named(const char *name)
{
	struct ctrl *c;

	list_for_each (c, &ctrls.all, link)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void one_of_several_dies(void **state)
{
	start();
	probe("none");
	assert_null(ctrls_next_dead(&ctrls, now));
	probe("10.77.0.1");
	assert_null(ctrls_next_dead(&ctrls, now));
	probe("10.77.0.1");
	assert_ptr_equal(ctrls_next_dead(&ctrls, now), named("nvme0"));
	assert_ptr_equal(ctrl_witness(&ctrls, named("nvme0")), named("nvme1"));
	/* Not again at once, nor the other one at that address. */
	assert_null(ctrls_next_dead(&ctrls, now));
	now += CTRL_PAUSE;
	assert_ptr_equal(ctrls_next_dead(&ctrls, now), named("nvme0"));
	end();
}

/* nvme2 has nowhere else to go. */
static void the_only_path_is_left_alone(void **state)
{
	start();
	assert_false(ctrl_is_one_of_several(&ctrls, named("nvme2")));
	probe("none");
	probe("10.77.0.1");
	probe("10.77.0.1");
	assert_null(ctrl_witness(&ctrls, named("nvme2")));
	end();
}

static void what_the_kernel_gave_up_is_left_to_it(void **state)
{
	start();
	probe("none");
	probe("10.77.0.1");
	probe("10.77.0.1");
	scan(false);
	assert_null(ctrls_next_dead(&ctrls, now));
	end();
}

static void a_dead_target_is_no_reason(void **state)
{
	struct target *t;

	start();
	probe("none");
	for (int i = 0; i < 5; i++) {
		list_for_each (t, &targets.all, link)
			target_probed(t, false, now, now + 1);
		now += TICK;
	}
	assert_null(ctrls_next_dead(&ctrls, now));
	end();
}

static void instances_are_asked_for_once_per_connection(void **state)
{
	const struct fence_identity one = { .cntlid = 1, .ccrl = 4 };
	struct ctrl *c;

	start();
	assert_null(ctrls_next_unknown(&ctrls)); /* who knows if it answers */
	probe("none");
	c = ctrls_next_unknown(&ctrls);
	assert_ptr_equal(c, named("nvme0"));
	assert_ptr_equal(ctrls_next_unknown(&ctrls), named("nvme1"));
	assert_null(ctrls_next_unknown(&ctrls));
	ctrls_identified(&ctrls, "nvme0", &one, 77);
	ctrls_identified(&ctrls, "nvme1", NULL, 0);
	assert_int_equal(c->fingerprint, 77);
	assert_int_equal(c->identity.cntlid, 1);
	assert_ptr_equal(ctrls_next_unknown(&ctrls), named("nvme1"));
	assert_null(ctrls_next_unknown(&ctrls));

	/* There are other sockets, somebody has seen. */
	ctrls_forget(&ctrls, &c->target->addr);
	assert_int_equal(c->fingerprint, 0);
	assert_ptr_equal(ctrls_next_unknown(&ctrls), c);
	ctrls_identified(&ctrls, "nvme0", &one, 78);

	/* Connected anew, it is another one. */
	scan(false);
	assert_null(ctrls_next_unknown(&ctrls));
	scan(true);
	assert_int_equal(c->fingerprint, 0);
	assert_ptr_equal(ctrls_next_unknown(&ctrls), c);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_several_dies),
		cmocka_unit_test(the_only_path_is_left_alone),
		cmocka_unit_test(what_the_kernel_gave_up_is_left_to_it),
		cmocka_unit_test(a_dead_target_is_no_reason),
		cmocka_unit_test(instances_are_asked_for_once_per_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
