/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two buckets, of bytes and of operations, that fill at the permitted rates, to
 * a twentieth of a second's worth; and the balance of credits, which decides
 * what the rate of bytes is.
 */
#include "meter/throughput.h"

#include "base/util.h"

static const double kib = 1024, mib = 1024 * 1024, gib = 1024.0 * 1024 * 1024,
		    tib = 1024.0 * 1024 * 1024 * 1024;
static const double depth = 0.05; /* seconds */

struct throughput_cost throughput_write_cost(uint64_t bytes)
{
	return (struct throughput_cost){
		MAX(bytes, (uint64_t)THROUGHPUT_OPERATION_MIN),
		THROUGHPUT_WRITE_OPERATIONS,
	};
}

struct throughput_cost throughput_read_cost(uint64_t bytes)
{
	double metered = MAX(bytes, (uint64_t)THROUGHPUT_OPERATION_MIN);

	return (struct throughput_cost){ metered / THROUGHPUT_READ_SHARE, 1 };
}

/* ------------------------------------------------------------------ rates */

static double baseline(const struct throughput *t)
{
	return t->stored / gib * 50 * kib;
}

static double credits_max(const struct throughput *t)
{
	return THROUGHPUT_CREDITS_NEW * MAX(1.0, t->stored / tib);
}

/* Do credits count? */
static bool bursts(const struct throughput *t)
{
	return t->rule.mode == THROUGHPUT_BURSTING ||
	       (t->rule.mode == THROUGHPUT_PROVISIONED &&
		baseline(t) > t->rule.bytes);
}

static double rate(const struct throughput *t)
{
	if (!bursts(t))
		return t->rule.bytes;
	if (!t->exhausted)
		return 100 * mib * MAX(1.0, t->stored / tib);
	return MAX(baseline(t), mib);
}

/* What a metered byte costs in credits.  Without any, what is permitted above
 * the baseline is free, else the debt would grow and grow. */
static double price(const struct throughput *t)
{
	if (!bursts(t))
		return 0;
	return t->exhausted ? baseline(t) / rate(t) : 1;
}

/* To go to and fro with every byte would leave nobody the wiser. */
static void note_credits(struct throughput *t)
{
	if (t->credits <= 0)
		t->exhausted = true;
	else if (t->credits >= MAX(baseline(t), mib))
		t->exhausted = false;
}

/* ------------------------------------------------------------------- time */

static void fill(struct throughput *t, nsec now)
{
	double seconds = (double)(now - t->at) / 1e9;
	double bytes = rate(t), operations = t->rule.operations;

	if (seconds <= 0)
		return;
	t->at = now;
	t->bytes = MIN(t->bytes + bytes * seconds, bytes * depth);
	t->operations =
		MIN(t->operations + operations * seconds, operations * depth);
	if (bursts(t))
		t->credits =
			MIN(t->credits + baseline(t) * seconds, credits_max(t));
	note_credits(t);
}

void throughput_init(struct throughput *t, const struct throughput_rule *rule,
		     nsec now)
{
	*t = (struct throughput){
		.rule = *rule,
		.credits = THROUGHPUT_CREDITS_NEW,
		.at = now,
	};
}

void throughput_set_rule(struct throughput *t,
			 const struct throughput_rule *rule, nsec now)
{
	fill(t, now);
	t->rule = *rule;
	/* Old debts are not paid at the new rate. */
	t->bytes = t->operations = 0;
}

void throughput_set_stored(struct throughput *t, uint64_t bytes, nsec now)
{
	fill(t, now);
	t->stored = (double)bytes;
}

void throughput_set_credits(struct throughput *t, double credits, nsec ago,
			    nsec now)
{
	fill(t, now);
	if (bursts(t))
		credits += baseline(t) * (double)MAX(ago, (nsec)0) / 1e9;
	t->credits = MIN(credits, credits_max(t));
	t->exhausted = t->credits <= 0;
}

/* ------------------------------------------------------------------- take */

/* How long until a debt is paid; 0: there is none. */
static nsec until_paid(double have, double per_second)
{
	if (per_second == 0 || have >= 0)
		return 0;
	/* Not too early by rounding. */
	return (nsec)(-have / per_second * 1e9) + 1;
}

nsec throughput_take(struct throughput *t, const struct throughput_cost *cost,
		     nsec now)
{
	nsec wait;

	fill(t, now);
	wait = MAX(until_paid(t->bytes, rate(t)),
		   until_paid(t->operations, t->rule.operations));
	if (wait > 0)
		return now + wait;
	if (rate(t) > 0)
		t->bytes -= cost->bytes;
	if (t->rule.operations > 0)
		t->operations -= cost->operations;
	t->credits -= cost->bytes * price(t);
	note_credits(t);
	return NSEC_NEVER;
}

void throughput_give_back(struct throughput *t,
			  const struct throughput_cost *cost)
{
	if (rate(t) > 0)
		t->bytes += cost->bytes;
	t->credits += cost->bytes * price(t);
}

double throughput_permitted(struct throughput *t, nsec now)
{
	fill(t, now);
	return rate(t);
}

double throughput_credits(struct throughput *t, nsec now)
{
	fill(t, now);
	return MAX(t->credits, 0.0);
}
