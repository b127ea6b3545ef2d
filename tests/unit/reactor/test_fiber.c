/* SPDX-License-Identifier: Apache-2.0 */
/* A switch brings back what the ABI says a call preserves.  Built twice: with
 * this processor's assembly, and with the portable switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "reactor/fiber.h"

enum { STACK = 64 << 10, TURNS = 1000 };

static struct fiber thread, ping, pong;
static int switches;

/* More values that live across the switch than there are registers for. */
__attribute__((noinline)) static double churn(struct fiber *from,
					      struct fiber *to, double x,
					      long n)
{
	double a = x * 1.5, b = x * 2.5, c = x + 3, d = x - 4;
	long i = n * 3, j = n * 5, k = n ^ 7, l = n + 9, m = n | 11;

	switches++;
	fiber_switch(from, to);
	return a + b * c - d + (double)(i + j + k + l + m);
}

static double churned(double x, long n)
{
	return x * 1.5 + x * 2.5 * (x + 3) - (x - 4) +
	       (double)(n * 3 + n * 5 + (n ^ 7) + (n + 9) + (n | 11));
}

static int wrong;

static void run_ping(void *arg)
{
	fiber_arrive(&thread);
	wrong += arg != &ping;
	for (int i = 0; i < TURNS; i++)
		wrong += churn(&ping, &pong, i, i) != churned(i, i);
	fiber_leave(&ping, &thread);
}

static void run_pong(void *arg)
{
	fiber_arrive(&ping);
	wrong += arg != &pong;
	for (int i = 0;; i++)
		wrong += churn(&pong, &ping, -i, i) != churned(-i, i);
}

static void a_switch_preserves_what_a_call_does(void **state)
{
	/* Aligned as mmap() would: the sanitizers' shadow wants it. */
	char *stacks = aligned_alloc(4096, 2 * STACK);

	fiber_init_thread(&thread);
	fiber_init(&ping, stacks, STACK, run_ping, &ping);
	fiber_init(&pong, stacks + STACK, STACK, run_pong, &pong);
	fiber_switch(&thread, &ping);
	assert_int_equal(wrong, 0);
	assert_int_equal(switches, 2 * TURNS);
	fiber_fini(&ping);
	fiber_fini(&pong);
	free(stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_preserves_what_a_call_does),
	};

	return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
