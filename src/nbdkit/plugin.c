/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbdkit hawser: a multipath volume for any NBD client.
 *
 * nbdkit's threads, as many as it likes, hand each request to one reactor, in a
 * task of its own, and wait for it; data goes between the client's buffer in
 * nbdkit and the TCP connection without a copy of ours.  The reactor has a
 * thread that is started when nbdkit has forked, and opens the volume: so a
 * volume that can't be had ends nbdkit with a message.
 */
#include <errno.h>
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "reactor/reactor.h"
#include "status/status.h"
#include "volume/volume.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

static struct volume_options options;
static struct reactor *reactor;
static struct volume *volume; /* the reactor's */
static pthread_t thread;
static bool running;

/* ----------------------------------------------------- between the threads */

struct call {
	int (*fn)(struct call *c);
	void *buf;
	uint64_t offset, len;
	unsigned flags;
	int64_t result;
	sem_t done;
};

static void call_task(void *arg)
{
	struct call *c = arg;

	c->result = c->fn(c);
	sem_post(&c->done);
}

/* In a task of the reactor; the result, or -1 and nbdkit's errno. */
static int run(struct call *c)
{
	int rc;

	sem_init(&c->done, 0, 0);
	rc = reactor_spawn(reactor, "nbd", call_task, c);
	if (rc < 0)
		c->result = rc;
	else
		while (sem_wait(&c->done) < 0)
			;
	sem_destroy(&c->done);
	if (c->result >= 0)
		return 0;
	errno = (int)-c->result;
	nbdkit_set_error(errno);
	return -1;
}

static void *reactor_thread(void *arg)
{
	reactor_run(reactor);
	return NULL;
}

/* Signals are nbdkit's threads' to take. */
static int start_thread(void)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, reactor_thread, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

/* ---------------------------------------------------------------- life cycle
 */

static int hawser_config(const char *key, const char *value)
{
	char text[VOLUME_TEXT];
	int rc = volume_option(&options, key, value, text);

	if (rc == 1)
		return 0;
	if (rc == 0)
		nbdkit_error("unknown parameter '%s'", key);
	else
		nbdkit_error("%s", text);
	return -1;
}

static int hawser_config_complete(void)
{
	char text[VOLUME_TEXT];

	if (volume_options_check(&options, text) == 0)
		return 0;
	nbdkit_error("%s", text);
	return -1;
}

static char open_text[VOLUME_TEXT];

static int do_open(struct call *c)
{
	char path[PATH_MAX], where[64];
	int rc = volume_open(&options, &volume, open_text);

	if (rc < 0)
		return rc;
	status_path("nbdkit", path);
	snprintf(where, sizeof(where), "nbdkit %d", (int)getpid());
	volume_announce(volume, where, path);
	return 0;
}

static int hawser_after_fork(void)
{
	int rc = reactor_create(&(struct reactor_options){}, &reactor);

	if (rc == 0)
		rc = start_thread();
	running = rc == 0;
	if (rc < 0) {
		nbdkit_error("no event loop: %s", strerror(-rc));
		return -1;
	}
	if (run(&(struct call){ .fn = do_open }) == 0)
		return 0;
	nbdkit_error("%s", open_text);
	return -1;
}

static int do_close(struct call *c)
{
	if (volume != NULL)
		volume_close(volume);
	volume = NULL;
	return 0;
}

static void hawser_unload(void)
{
	if (running) {
		run(&(struct call){ .fn = do_close });
		reactor_stop(reactor);
		pthread_join(thread, NULL);
	}
	if (reactor != NULL)
		reactor_destroy(reactor);
}

/* -------------------------------------------------------------- connections */

static void *hawser_open(int readonly)
{
	return NBDKIT_HANDLE_NOT_NEEDED;
}

struct shape {
	uint64_t size;
	uint32_t block, most;
	bool zero, discard;
};

static int do_shape(struct call *c)
{
	*(struct shape *)c->buf = (struct shape){
		.size = volume_size(volume),
		.block = volume_block_size(volume),
		.most = volume_max_transfer(volume),
		.zero = volume_can_zero(volume),
		.discard = volume_can_discard(volume),
	};
	return 0;
}

static struct shape get_shape(void)
{
	struct shape s = {};

	run(&(struct call){ .fn = do_shape, .buf = &s });
	return s;
}

static int64_t hawser_get_size(void *handle)
{
	return (int64_t)get_shape().size;
}

/* Any request is served; those that are not of whole blocks cost a read, and
 * larger ones are cut up. */
static int hawser_block_size(void *handle, uint32_t *minimum,
			     uint32_t *preferred, uint32_t *maximum)
{
	struct shape s = get_shape();

	*minimum = 1;
	*preferred = MAX(s.block, 4096U);
	*maximum = UINT32_MAX;
	return 0;
}

static int yes(void *handle)
{
	return 1;
}

static int hawser_can_trim(void *handle)
{
	return get_shape().discard;
}

/* Where it is a command of its own, no data are sent for it. */
static int hawser_can_fast_zero(void *handle)
{
	return get_shape().zero;
}

static int hawser_can_fua(void *handle)
{
	return NBDKIT_FUA_NATIVE;
}

/* ------------------------------------------------------------------ requests
 */

static unsigned fua(uint32_t flags)
{
	return flags & NBDKIT_FLAG_FUA ? VOLUME_FUA : 0;
}

static int do_read(struct call *c)
{
	return volume_read(volume, c->buf, c->len, c->offset);
}

static int do_write(struct call *c)
{
	return volume_write(volume, c->buf, c->len, c->offset, c->flags);
}

static int do_zero(struct call *c)
{
	return volume_zero(volume, c->offset, c->len, c->flags);
}

static int do_flush(struct call *c)
{
	return volume_flush(volume);
}

/* A hint: what can't be done is no error.  With FUA it is on disk, too. */
static int do_trim(struct call *c)
{
	int rc = volume_discard(volume, c->offset, c->len);

	if (rc == -EOPNOTSUPP)
		rc = 0;
	return rc == 0 && (c->flags & VOLUME_FUA) ? volume_flush(volume) : rc;
}

static int hawser_pread(void *handle, void *buf, uint32_t count,
			uint64_t offset, uint32_t flags)
{
	return run(&(struct call){
		.fn = do_read, .buf = buf, .len = count, .offset = offset });
}

static int hawser_pwrite(void *handle, const void *buf, uint32_t count,
			 uint64_t offset, uint32_t flags)
{
	return run(&(struct call){ .fn = do_write,
				   .buf = (void *)buf,
				   .len = count,
				   .offset = offset,
				   .flags = fua(flags) });
}

static int hawser_flush(void *handle, uint32_t flags)
{
	return run(&(struct call){ .fn = do_flush });
}

static int hawser_trim(void *handle, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	return run(&(struct call){ .fn = do_trim,
				   .len = count,
				   .offset = offset,
				   .flags = fua(flags) });
}

/* -EOPNOTSUPP: nbdkit writes zeroes then, unless it is to be fast. */
static int hawser_zero(void *handle, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	unsigned unmap = flags & NBDKIT_FLAG_MAY_TRIM ? VOLUME_UNMAP : 0;

	return run(&(struct call){ .fn = do_zero,
				   .len = count,
				   .offset = offset,
				   .flags = fua(flags) | unmap });
}

static struct nbdkit_plugin plugin = {
	.name = "hawser",
	.longname = "hawser: volumes over NVMe/TCP with several paths",
	.version = HAWSER_VERSION,
	.config = hawser_config,
	.config_complete = hawser_config_complete,
	.config_help = "subnqn=NQN path=ADDR[:PORT] path=… [volume=UUID|NSID] "
		       "[policy=NAME]\n"
		       "nbdkit-hawser-plugin(1) has all.",
	.magic_config_key = "path",
	.after_fork = hawser_after_fork,
	.unload = hawser_unload,
	.open = hawser_open,
	.get_size = hawser_get_size,
	.block_size = hawser_block_size,
	.can_write = yes,
	.can_flush = yes,
	.can_fua = hawser_can_fua,
	.can_zero = yes,
	.can_fast_zero = hawser_can_fast_zero,
	.can_trim = hawser_can_trim,
	/* All connections are the same NVMe host: what one of them has written
	 * the others read, and a Flush is for the whole namespace. */
	.can_multi_conn = yes,
	.pread = hawser_pread,
	.pwrite = hawser_pwrite,
	.flush = hawser_flush,
	.trim = hawser_trim,
	.zero = hawser_zero,
	.errno_is_preserved = 1,
};

/* Which defines it. */
struct nbdkit_plugin *plugin_init(void);
NBDKIT_REGISTER_PLUGIN(plugin)
