/* SPDX-License-Identifier: Apache-2.0 */
/* What is metered, and who waits for whom when there is a limit. */
#include "wire.h"

#include <sys/stat.h>

#include "reactor/reactor.h"

static struct nfs_server_options options = { .lease = SEC(60) };

enum { SLOTS = 40, PIECE = 256 << 10 };

struct scene {
	struct world world;
	struct wire w;
	struct session s;
	struct compound c;
	stateid4 file;
};

static struct scene *scene_start(void *directory)
{
	struct scene *s = calloc(1, sizeof(*s));

	require(s != NULL);
	world_start(&s->world, directory, &options);
	wire_open(&s->w, &s->world.addr[0]);
	wire_mount(&s->w, "a", &s->s);
	session_begin(&s->s, &s->c, 0);
	add_open(&s->c, "x", "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	s->file = s->c.res[2].opopen.stateid;
	return s;
}

static void scene_stop(struct scene *s)
{
	wire_close(&s->w);
	world_stop(&s->world);
	free(s);
}

static void limit(struct scene *s, double bytes, double operations)
{
	nfs_server_set_throughput(
		s->world.server,
		&(struct throughput_rule){ bytes ? THROUGHPUT_PROVISIONED
						 : THROUGHPUT_ELASTIC,
					   bytes, operations });
}

static struct nfs_server_stats stats(struct scene *s)
{
	struct nfs_server_stats st = {};

	nfs_server_get_stats(s->world.server, &st);
	return st;
}

static void post_write(struct scene *s, struct wire *w, struct session *session,
		       unsigned slot, uint32_t len)
{
	static uint8_t data[PIECE];
	WRITE4args *arg;

	session_begin(session, &s->c, slot);
	add_lookup(&s->c, "f");
	arg = &add(&s->c, OP_WRITE)->opwrite;
	arg->stateid = stateid4_anonymous;
	arg->data = (struct xdr_bytes){ data, len };
	arg->stable = UNSTABLE4;
	wire_post(w, &s->c);
}

static nfsstat4 read_file(struct scene *s, uint32_t count)
{
	READ4args *arg;

	session_begin(&s->s, &s->c, 0);
	add_lookup(&s->c, "f");
	arg = &add(&s->c, OP_READ)->opread;
	arg->stateid = stateid4_anonymous;
	arg->count = count;
	return wire_call(&s->w, &s->c);
}

static nfsstat4 lone_sequence(struct scene *s, unsigned slot)
{
	session_begin(&s->s, &s->c, slot);
	s->c.n = 1;
	return wire_call(&s->w, &s->c);
}

/* A compound is one operation, and data counts as such. */
static void counting(void *arg)
{
	struct scene *s = scene_start(arg);
	struct nfs_server_stats before = stats(s), now;

	post_write(s, &s->w, &s->s, 0, 100000);
	require(wire_answer(&s->w, &s->c) != 0 && s->c.status == NFS4_OK);
	require(read_file(s, 1 << 20) == NFS4_OK);
	require(lone_sequence(s, 0) == NFS4_OK);
	now = stats(s);
	require(now.writes - before.writes == 1);
	require(now.bytes_written - before.bytes_written == 100000);
	require(now.reads - before.reads == 1);
	require(now.bytes_read - before.bytes_read == 100000);
	/* Both were looked up, each of which is one that reads. */
	require(now.metadata_reads - before.metadata_reads == 2);
	require(now.metadata_writes == before.metadata_writes);
	require(now.bytes_metered - before.bytes_metered ==
		100000 + 100000 / 3 + 2 * (4096 / 3));
	require(now.throttled == 0 && now.permitted == 0);
	scene_stop(s);
}

static void wait_for_waiting(struct scene *s, unsigned n)
{
	while (stats(s).waiting < n)
		task_sleep(MSEC(1));
}

/* Who has too much waiting is asked to come again; what keeps a session alive
 * passes by. */
static void in_line(void *arg)
{
	struct scene *s = scene_start(arg);
	unsigned delayed = 0, done = 0;
	struct nfs_server_stats st = {};

	limit(s, 1, 0); /* a byte a second: nothing ever goes */
	for (unsigned i = 1; i <= SLOTS; i++)
		post_write(s, &s->w, &s->s, i, PIECE);
	while (wire_answer(&s->w, &s->c) != 0) {
		require(s->c.status == NFS4ERR_DELAY);
		delayed++;
		st = stats(s);
		if (delayed + st.waiting == SLOTS)
			break;
	}
	require(st.waiting >= 8 && st.waiting <= SLOTS - 8);
	require(lone_sequence(s, 0) == NFS4_OK);
	/* A change is in force at once. */
	limit(s, 0, 0);
	while (done + delayed < SLOTS) {
		require(wire_answer(&s->w, &s->c) != 0);
		require(s->c.status == NFS4_OK);
		done++;
	}
	require(stats(s).waiting == 0);
	scene_stop(s);
}

/* The line is served in order, at the rate that is permitted. */
static void rate(void *arg)
{
	struct scene *s = scene_start(arg);
	nsec start = reactor_now_precise(), took;

	limit(s, 4 << 20, 0);
	for (unsigned i = 1; i <= 8; i++)
		post_write(s, &s->w, &s->s, i, PIECE);
	for (unsigned i = 1; i <= 8; i++) {
		require(wire_answer(&s->w, &s->c) != 0);
		require(s->c.status == NFS4_OK);
	}
	took = reactor_now_precise() - start;
	/* 2 MiB at 4 MiB/s, of which the bucket held a twentieth of a second's
	 * and the last one leaves a debt. */
	require(took >= MSEC(350));
	require(stats(s).throttled >= 6);
	scene_stop(s);
}

static void operations(void *arg)
{
	struct scene *s = scene_start(arg);
	nsec start = reactor_now_precise();

	limit(s, 0, 100);
	for (unsigned i = 0; i < 40; i++)
		require(read_file(s, 1) == NFS4_OK);
	/* Two each: it is looked up, too. */
	require(reactor_now_precise() - start >= MSEC(600));
	scene_stop(s);
}

/* Another file system is not held up, nor is the end of this one. */
static void others(void *arg)
{
	struct scene *s = scene_start(arg);
	char path[512];
	struct scene *other;

	snprintf(path, sizeof(path), "%s/other", (char *)arg);
	require(mkdir(path, 0700) == 0);
	other = scene_start(path);
	limit(s, 1, 0);
	for (unsigned i = 1; i <= 8; i++)
		post_write(s, &s->w, &s->s, i, PIECE);
	wait_for_waiting(s, 7);
	for (unsigned i = 0; i < 20; i++)
		require(read_file(other, 4096) == NFS4_OK);
	require(stats(other).throttled == 0);
	scene_stop(other);
	scene_stop(s); /* with requests in line */
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(a_compound_is_one_operation, counting)
IN_WORLD(who_waits_in_line_holds_up_no_session, in_line)
IN_WORLD(the_line_goes_at_the_permitted_rate, rate)
IN_WORLD(operations_are_limited_too, operations)
IN_WORLD(other_file_systems_are_not_held_up, others)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(a_compound_is_one_operation),
		test_with_directory(who_waits_in_line_holds_up_no_session),
		test_with_directory(the_line_goes_at_the_permitted_rate),
		test_with_directory(operations_are_limited_too),
		test_with_directory(other_file_systems_are_not_held_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
