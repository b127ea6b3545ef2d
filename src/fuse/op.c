/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "fuse/op.h"

enum { GROUPS_MAX = 512 }; /* that are looked at */

/* How often a waiting application that got a signal is looked at: the kernel
 * tells us of the first one only, which may be harmless. */
#define WATCH_INTERVAL MSEC(50)

/* Called by libfuse on our thread, inside the reading task. */
static void on_interrupt(fuse_req_t req, void *arg)
{
	struct op *op = arg;

	if (op->wait != NULL)
		nfs_lock_cancel(op->wait);
	if (list_empty(&op->interrupted))
		list_append(&op->mount->interrupted, &op->interrupted);
	waitq_wake_all(&op->mount->watch);
}

bool op_is_interrupted(const struct op *op)
{
	return !list_empty(&op->interrupted);
}

/* AUTH_SYS carries 16 groups.  Who is in more gets by with the first, and the
 * one that the request is most likely about. */
static void choose_groups(struct op *op, const gid_t *groups, int n)
{
	op->cred.ngids = (uint32_t)MIN(n, RPC_MAX_GROUPS);
	memcpy(op->gids, groups, op->cred.ngids * sizeof(*groups));
	for (int i = RPC_MAX_GROUPS; i < n; i++)
		if (groups[i] == op->inode->gid)
			op->gids[RPC_MAX_GROUPS - 1] = groups[i];
}

const struct nfs_cred *op_cred(struct op *op)
{
	gid_t groups[GROUPS_MAX];
	int n = 0;

	if (op->has_groups)
		return &op->cred;
	/* It reads /proc, which the superuser's many requests can do without:
	 * no group gives him a right that he lacks. */
	if (op->cred.uid != 0 && op->req != NULL)
		n = fuse_req_getgroups(op->req, GROUPS_MAX, groups);
	choose_groups(op, groups, n < 0 ? 0 : MIN(n, GROUPS_MAX));
	op->cred.gids = op->gids;
	op->has_groups = true;
	return &op->cred;
}

void op_begin(struct op *op, fuse_req_t req, fuse_ino_t ino)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);

	op->mount = fuse_req_userdata(req);
	op->req = req;
	op->wait = NULL;
	op->handle = NULL;
	op->inode = inode_find(op->mount, ino);
	inode_ref(op->inode);
	op->mount->ops++;
	op->began = op->mount->changes;
	op->pid = caller->pid;
	op->cred = (struct nfs_cred){ .uid = caller->uid, .gid = caller->gid };
	op->has_groups = false;
	list_init(&op->interrupted);
	fuse_req_interrupt_func(req, on_interrupt, op);
}

void op_use_handle(struct op *op, const struct fuse_file_info *fi)
{
	op->handle = handle_of(fi);
	handle_ref(op->handle);
}

void op_end(struct op *op)
{
	struct mount *m = op->mount;

	assert(op->req == NULL);
	if (op->handle != NULL)
		handle_put(op->handle);
	inode_unref(op->inode);
	if (--m->ops == 0)
		waitq_wake_all(&m->idle);
}

fuse_req_t op_take(struct op *op)
{
	fuse_req_t req = op->req;

	op->req = NULL;
	list_del(&op->interrupted);
	return req;
}

void op_error(struct op *op, int r)
{
	op_reply(op, fuse_reply_err, -r);
}

void op_attr(struct op *op, struct inode *inode, const struct nfs_attr *attr)
{
	struct stat st;

	attr_to_stat(attr, &st);
	if (op_reply(op, fuse_reply_attr, &st, op->mount->options->actimeo))
		cache_told(inode, attr);
}

struct inode *op_entry_fill(struct op *op, const struct nfs_fh *fh,
			    const struct nfs_attr *attr,
			    struct fuse_entry_param *entry)
{
	struct inode *inode = inode_of_fh(op->mount, fh, attr);

	if (inode == NULL)
		return NULL;
	*entry = (struct fuse_entry_param){
		.ino = inode_id(inode),
		.attr_timeout = op->mount->options->actimeo,
		.entry_timeout = op->mount->options->actimeo,
	};
	attr_to_stat(attr, &entry->attr);
	return inode;
}

void op_entry(struct op *op, struct inode *dir, const char *name, int r,
	      const struct nfs_fh *fh, const struct nfs_attr *attr)
{
	struct fuse_entry_param entry;
	struct nfs_attr now;
	struct inode *inode;

	if (r < 0) {
		op_error(op, r);
		return;
	}
	now = *attr;
	inode = op_entry_fill(op, fh, attr, &entry);
	if (inode == NULL) {
		op_error(op, -ENOMEM);
		return;
	}
	r = op_refresh(op, inode, &now);
	attr_to_stat(&now, &entry.attr);
	inode_found(inode, dir, name);
	if (r < 0) {
		op_error(op, r);
	} else if (op_reply(op, fuse_reply_entry, &entry)) {
		inode_looked_up(inode);
		cache_told(inode, &now);
	}
	inode_unref(inode);
}

int op_refresh(struct op *op, struct inode *inode, struct nfs_attr *attr)
{
	if (inode->unsent == 0 && inode->sent_at <= op->began)
		return 0;
	behind_flush(inode);
	return nfs_getattr(op->mount->nfs, op_cred(op), &inode->fh, attr);
}

/* Whether a thread is being killed, or gone.  (A fatal signal that dumps no
 * core becomes a SIGKILL for each thread as soon as it is sent.) */
static bool is_dying(pid_t tid)
{
	char path[64], line[256];
	unsigned long long pending = 0, one;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "SigPnd: %llx", &one) == 1 ||
		    sscanf(line, "ShdPnd: %llx", &one) == 1)
			pending |= one;
	fclose(f);
	return pending & (1ULL << (SIGKILL - 1));
}

static void answer_dying(struct mount *m)
{
	struct op *op, *next;

	list_for_each_safe (op, next, &m->interrupted, interrupted)
		if (is_dying(op->pid))
			op_error(op, -EINTR);
}

void op_watch_interrupted(void *mount)
{
	struct mount *m = mount;

	while (!m->ending) {
		if (list_empty(&m->interrupted)) {
			waitq_wait(&m->watch, NSEC_NEVER);
			continue;
		}
		answer_dying(m);
		task_sleep(WATCH_INTERVAL);
	}
}
