/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a mount:
 *
 *	start     connect, look at the root, mount, answer the kernel's INIT
 *	serve     until the kernel closes its end (somebody has unmounted), or a
 *	          signal asks us to unmount
 *	end       requests finish, files are closed, the session ends
 *
 * A signal before it is mounted ends the process: there is nothing to undo.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "efs/secure.h"
#include "fuse/internal.h"
#include "fuse/mountpoint.h"
#include "reactor/fd.h"

/* After a signal, those who still use the mount get so long; and when it is
 * unmounted, requests of dead applications that wait for a server: longer when
 * something that they wrote is at stake. */
#define USERS_GRACE   SEC(10)
#define UNSAVED_GRACE SEC(10)
#define REST_GRACE    SEC(1)

struct run {
	struct reactor *reactor;
	const struct mount_options *options;
	bool (*ready)(void);
	int status;
};

static void complain(const struct mount *m, const char *what)
{
	fprintf(stderr, "hawser mount: %s: %s\n", m->options->source, what);
}

static const char *text_or_null(const char *text)
{
	return text[0] ? text : NULL;
}

/* Blocks: it makes a key. */
static int make_secure(void *arg)
{
	struct mount *m = arg;
	const struct mount_options *o = m->options;
	char err[SECURE_TEXT_SIZE];
	int r = secure_create(
		&(struct secure_options){
			.fs = o->fs,
			.access_point = text_or_null(o->access_point),
			.iam = o->iam,
			.region = text_or_null(o->region),
			.profile = text_or_null(o->profile),
			.credentials_file = text_or_null(o->credentials),
			.verify = o->verify > 0,
			.ca_file = text_or_null(o->ca_file),
			.host = text_or_null(o->host),
		},
		&m->secure, err);

	if (r < 0)
		fprintf(stderr, "hawser mount: %s: %s\n", o->source, err);
	return r;
}

/* Without TLS everybody may look at the root, on his way to an access point; to
 * be told now is better than to find it empty and closed. */
static int check_rights(struct mount *m)
{
	struct nfs_path_info paths[NFS_MAX_ADDRESSES];
	unsigned n = nfs_get_paths(m->nfs, paths, ARRAY_SIZE(paths));
	char why[256] = "";

	for (unsigned i = 0; i < MIN(n, ARRAY_SIZE(paths)); i++)
		if (paths[i].path.state == PATH_LIVE) {
			nfs_explain(&m->options->nfs, &paths[i].address,
				    m->options->path, why, sizeof(why));
			break;
		}
	if (why[0] == '\0')
		return 0;
	complain(m, why);
	return -EACCES;
}

static int connect_server(struct mount *m)
{
	struct nfs_options nfs = m->options->nfs;
	char err[600] = "";
	struct nfs_attr attr;
	int r = m->options->tls ? offload(make_secure, m) : 0;

	if (r < 0)
		return r;
	if (m->secure != NULL) {
		nfs.secure = secure_connect;
		nfs.secure_arg = m->secure;
	}
	r = nfs_mount(&nfs, m->options->path, &m->nfs, err, sizeof(err));
	if (r < 0) {
		m->nfs = NULL;
		fprintf(stderr, "hawser mount: %s\n", err);
		return r;
	}
	if (m->secure == NULL && check_rights(m) < 0)
		return -EACCES;
	r = nfs_getattr(m->nfs, &(struct nfs_cred){}, nfs_root(m->nfs), &attr);
	if (r == 0 && !S_ISDIR(attr.mode))
		r = -ENOTDIR;
	if (r < 0) {
		complain(m, strerror(-r));
		return r;
	}
	m->root = inode_of_fh(m, nfs_root(m->nfs), &attr);
	if (m->root == NULL)
		return -ENOMEM;
	inode_looked_up(m->root); /* the kernel has it from the beginning */
	return 0;
}

/* The kernel reads ahead 128 KiB unless told otherwise, which is less than one
 * request can carry. */
static int set_read_ahead(void *arg)
{
	struct mount *m = arg;
	char path[64];
	struct stat st;
	FILE *f;

	if (m->options->read_ahead == 0 ||
	    stat(m->options->mountpoint, &st) < 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb",
		 major(st.st_dev), minor(st.st_dev));
	f = fopen(path, "we");
	if (f == NULL)
		return -errno;
	fprintf(f, "%u", m->options->read_ahead);
	return fclose(f) == 0 ? 0 : -errno;
}

static int start(struct mount *m)
{
	int r = connect_server(m);

	if (r == 0)
		r = kernel_start(m);
	if (r < 0)
		return r;
	control_start(m);
	if (offload(set_read_ahead, m) < 0)
		log_debug("read-ahead stays as the kernel has it");
	return 0;
}

/* ------------------------------------------------------------------- end */

static int detach(void *arg)
{
	struct mount *m = arg;

	return mountpoint_unmount(m->options->mountpoint, true);
}

static void detach_task(void *arg)
{
	struct mount *m = arg;
	int r = offload(detach, m);

	if (r < 0)
		log_warn("%s: unmounting: %s", m->options->mountpoint,
			 strerror(-r));
}

/* Unmounts; whoever uses the mount may go on until it is done.  The kernel
 * writes back what is mapped first, so without a server it may never be. */
static void unmount(struct mount *m)
{
	nsec until = nsec_after(reactor_now(), USERS_GRACE);

	if (task_spawn("unmount", detach_task, m) < 0)
		log_warn("%s: cannot unmount", m->options->mountpoint);
	while (!m->fuse_gone && reactor_now() < until)
		waitq_wait(&m->gone, until);
	if (m->fuse_gone)
		return;
	log_warn("%s: still in use; its users get errors from now on",
		 m->options->mountpoint);
	m->fuse_gone = true;
	waitq_wake_all(&m->gone);
}

static void on_signal(void *arg)
{
	struct mount *m = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal_wait(&set);
	if (m->fuse == NULL && !m->ending) {
		complain(m, "interrupted");
		_exit(EXIT_FAILURE);
	}
	if (!m->fuse_gone && !m->ending) /* else there is no mount any more */
		unmount(m);
	m->signals_end = true;
	waitq_wake_all(&m->idle);
}

/* Nothing but a signal ends the wait for one. */
static void end_signals(struct mount *m)
{
	if (!m->signals_end)
		kill(getpid(), SIGTERM);
	while (!m->signals_end)
		waitq_wait(&m->idle, NSEC_NEVER);
}

/* Those of which the kernel had no time to say RELEASE. */
static void close_files(void *arg)
{
	struct mount *m = arg;
	struct inode *inode;
	struct handle *h;
	int r;

again:
	htable_for_each (inode, &m->inodes, node) {
		h = list_first(&inode->handles, struct handle, of_inode);
		if (h == NULL)
			continue;
		behind_flush(inode); /* parks: the table may change */
		r = behind_take_error(h);
		if (r == 0)
			r = handle_put(h);
		else
			handle_put(h);
		if (r < 0)
			log_error("%s: closing a file: %s",
				  m->options->mountpoint, strerror(-r));
		goto again;
	}
	m->ops--;
	waitq_wake_all(&m->idle);
}

static bool has_unsaved(const struct mount *m)
{
	return m->extents > 0 || (m->nfs != NULL && nfs_has_unsaved(m->nfs));
}

/* false: some didn't end. */
static bool finish_requests(struct mount *m)
{
	nsec begun = reactor_now(), until;

	do {
		until = begun + (has_unsaved(m) ? UNSAVED_GRACE : REST_GRACE);
		if (m->ops > 0 && reactor_now() < until)
			waitq_wait(&m->idle, until);
	} while (m->ops > 0 && reactor_now() < until);
	if (m->ops > 0)
		log_error("%s: %u requests still wait for the server; "
			  "given up",
			  m->options->mountpoint, m->ops);
	return m->ops == 0;
}

static bool finish(struct mount *m)
{
	if (!finish_requests(m))
		return false;
	m->ops++;
	if (task_spawn("close", close_files, m) < 0)
		m->ops--;
	return finish_requests(m);
}

static int end(struct mount *m)
{
	m->ending = m->pump.stop = true;
	waitq_wake_all(&m->watch);
	waitq_wake_all(&m->due_wake);
	control_stop(m);
	/* Else its calls are in progress: the process just ends. */
	if (!finish(m))
		return -ETIMEDOUT;
	kernel_stop(m);
	if (m->nfs != NULL)
		nfs_unmount(m->nfs);
	secure_destroy(m->secure);
	inodes_fini(m);
	buffers_fini(&m->buffers);
	end_signals(m);
	control_end(m);
	return 0;
}

static void serve(struct mount *m)
{
	while (!m->fuse_gone)
		waitq_wait(&m->gone, NSEC_NEVER);
}

static void mount_init(struct mount *m, const struct mount_options *options)
{
	*m = (struct mount){ .options = options };
	buffers_init(&m->buffers);
	list_init(&m->interrupted);
	list_init(&m->due);
	waitq_init(&m->due_wake);
	m->signals_end = true;
	waitq_init(&m->idle);
	waitq_init(&m->watch);
	waitq_init(&m->gone);
}

static void mount_task(void *arg)
{
	static struct mount m;
	struct run *run = arg;
	int r;

	mount_init(&m, run->options);
	r = task_spawn("signals", on_signal, &m);
	if (r == 0) {
		m.signals_end = false;
		r = start(&m);
	}
	if (r == 0) {
		if (!run->ready())
			kill(getpid(), SIGTERM); /* nobody wants it any more */
		serve(&m);
	}
	if (end(&m) < 0)
		r = -EIO;
	run->status = r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	reactor_stop(run->reactor);
}

int mount_run(const struct mount_options *options, bool (*ready)(void))
{
	struct run run = { .options = options,
			   .ready = ready,
			   .status = EXIT_FAILURE };
	int r;

	r = reactor_create(&(struct reactor_options){}, &run.reactor);
	if (r == 0)
		r = reactor_spawn(run.reactor, "mount", mount_task, &run);
	if (r < 0) {
		fprintf(stderr, "hawser mount: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	reactor_run(run.reactor);
	reactor_destroy(run.reactor);
	return run.status;
}
