/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NodePublishVolume and NodeUnpublishVolume: a mount at the target path.  What
 * is published where is what the kernel's table of mounts says, so it outlives
 * this process.
 *
 *	nothing there        mount
 *	the same volume      if its daemon is dead: unmount, mount; else done
 *	something else       ALREADY_EXISTS
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "csi/capability.h"
#include "csi/context.h"
#include "csi/internal.h"
#include "csi/locate.h"
#include "csi/nvme.h"
#include "csi/param.h"

struct publication {
	struct csi_call *call;
	const Csi__V1__NodePublishVolumeRequest *in;
	struct handle handle;
	struct context context;
	struct locate_wish wish;
	struct mount_spec spec;
	int64_t group; /* volume_mount_group; -1: none */
};

static int refuse(struct publication *p, const char *why)
{
	return csi_refuse(p->call, GRPC_STATUS_INVALID_ARGUMENT, "%s", why);
}

/* -------------------------------------------------------------------- check */

static int check_encryption(struct publication *p)
{
	char value[8];
	bool asked = locate_flag(&p->wish, "tls", value, sizeof(value));

	if (asked && p->context.encrypt_given && !p->context.encrypt)
		return refuse(p, "Found tls in mountOptions but "
				 "encryptInTransit is false");
	p->wish.tls =
		asked || (p->context.encrypt_given ? p->context.encrypt
						   : p->call->csi->encrypt);
	return 0;
}

static int check_options(struct publication *p)
{
	char point[EFS_ID_SIZE + 1];

	if (p->context.crossaccount)
		return refuse(p, "crossaccount: mount targets of other "
				 "accounts are found by mounttargetip only");
	if (locate_flag(&p->wish, "accesspoint", point, sizeof(point))) {
		if (p->handle.point[0] && strcmp(p->handle.point, point) != 0)
			return refuse(p, "Found conflicting access point IDs "
					 "in mountOptions and volumeHandle");
		if (!handle_is_id(point, "fsap-"))
			return refuse(p, "mount option accesspoint is not the "
					 "id of an access point");
		strcpy(p->handle.point, point);
	}
	return check_encryption(p);
}

static void set_wish(struct publication *p)
{
	const Csi__V1__VolumeCapability *c = p->in->volume_capability;

	p->wish = (struct locate_wish){
		.multipathing = p->context.multipathing,
		.max_targets = p->context.max_targets,
		.address = p->context.address[0] ? p->context.address : NULL,
		.flags = c->mount->mount_flags,
		.n_flags = c->mount->n_mount_flags,
		.read_only = p->in->readonly || capability_is_read_only(c),
	};
}

/* Without "." and "..": what they lead to changes with what is mounted. */
bool csi_is_plain_path(const char *path)
{
	const char *at = path;
	size_t len;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return false;
	for (; *at; at += len) {
		at += strspn(at, "/");
		len = strcspn(at, "/");
		if ((len == 1 && at[0] == '.') ||
		    (len == 2 && strncmp(at, "..", 2) == 0))
			return false;
	}
	return true;
}

static int check_request(struct publication *p)
{
	const Csi__V1__NodePublishVolumeRequest *in = p->in;
	const char *why;

	if (in->volume_id[0] == '\0')
		return refuse(p, "Volume ID not provided");
	if (in->target_path[0] == '\0')
		return refuse(p, "Target path not provided");
	if (!csi_is_plain_path(in->target_path))
		return refuse(p, "Target path is not an absolute path");
	if (in->volume_capability == NULL)
		return refuse(p, "Volume capability not provided");
	why = capability_refuses(in->volume_capability);
	if (why != NULL)
		return refuse(p, why);
	why = capability_group(in->volume_capability, &p->group);
	return why == NULL ? 0 : refuse(p, why);
}

static int check(struct publication *p)
{
	char err[CONTEXT_TEXT_SIZE];

	if (check_request(p) < 0)
		return -1;
	if (context_parse(&p->context, p->in->n_volume_context,
			  (struct csi_map_entry **)p->in->volume_context,
			  p->call->csi->options->zone, err) < 0)
		return refuse(p, err);
	if (handle_parse(p->in->volume_id, &p->handle) < 0)
		return csi_refuse(p->call, GRPC_STATUS_INVALID_ARGUMENT,
				  "volume ID '%.200s' is invalid: expected "
				  "efs:fs-ID[:SUBPATH[:fsap-ID]]",
				  p->in->volume_id);
	if (p->handle.s3files)
		return refuse(p, "Hawser has no S3 file systems");
	set_wish(p);
	return check_options(p);
}

/* ---------------------------------------------------------- what is there */

static int check_elsewhere(struct publication *p)
{
	char path[PATH_MAX];
	int r;

	if (!capability_is_exclusive(p->in->volume_capability))
		return 0;
	r = mounter_elsewhere(p->spec.source, p->in->target_path, path);
	if (r <= 0)
		return r;
	return csi_refuse(p->call, GRPC_STATUS_FAILED_PRECONDITION,
			  "Volume %.200s is published at %.200s, and its "
			  "access mode allows one place",
			  p->in->volume_id, path);
}

/* 1: it is published; 0: it can be. */
static int look(struct publication *p)
{
	const char *at = p->in->target_path;
	char err[MOUNTER_TEXT_SIZE] = "";
	struct mounted mounted;
	struct usage usage;
	int r = mounter_look(at, &mounted);

	if (r <= 0)
		return r;
	if (!mounted.ours || strcmp(mounted.source, p->spec.source) != 0 ||
	    mounted.read_only != p->spec.read_only)
		return csi_refuse(p->call, GRPC_STATUS_ALREADY_EXISTS,
				  "something else is mounted at %.200s: %.200s",
				  at, mounted.source);
	if (mounter_usage(at, &usage) != -ENOTCONN)
		return 1;
	log_warn("%s: the daemon of this mount is dead; mounting again", at);
	r = mounter_unmount(&p->call->csi->mounter, at, true, err);
	return r == 0 ? 0
		      : csi_refuse(p->call, GRPC_STATUS_INTERNAL,
				   "Could not unmount \"%.200s\": %s", at, err);
}

/* -------------------------------------------------------------------- mount */

/* Through an access point everybody is its user, and no group decides. */
static int give_to_group(struct publication *p)
{
	if (p->group < 0 || p->handle.point[0] || p->spec.read_only)
		return 0;
	return mounter_give_to_group(p->in->target_path, (gid_t)p->group);
}

/* Also of what is mounted already: whoever mounted it may have been killed
 * before he came to this. */
static int finish(struct publication *p)
{
	int r = give_to_group(p);

	if (r == 0)
		return 0;
	return csi_refuse(p->call, GRPC_STATUS_INTERNAL,
			  "Could not give \"%.200s\" to group %lld: %s",
			  p->in->target_path, (long long)p->group,
			  strerror(-r));
}

static int mount_it(struct publication *p)
{
	struct mounter *m = &p->call->csi->mounter;
	const char *at = p->in->target_path;
	char err[MOUNTER_TEXT_SIZE];
	int r = mounter_mount(m, &p->spec, at, err);

	if (r < 0)
		return csi_refuse(p->call, GRPC_STATUS_INTERNAL,
				  "Could not mount \"%.200s\" at \"%.200s\": "
				  "%s",
				  p->spec.source, at, err);
	r = finish(p);
	if (r == 0)
		log_info("%s: %s is mounted with %s", at, p->spec.source,
			 p->spec.options);
	else if (mounter_unmount(m, at, true, err) == 0)
		mounter_remove_directory(at);
	return r;
}

/* Each takes a process and some memory while it is being made. */
static int mount_bounded(struct publication *p)
{
	unsigned *mounts = &p->call->csi->mounts;
	int r;

	if (__atomic_add_fetch(mounts, 1, __ATOMIC_RELAXED) <=
	    p->call->csi->options->max_mounts)
		r = mount_it(p);
	else
		r = csi_refuse(p->call, GRPC_STATUS_ABORTED,
			       "%u mounts are being made; try again",
			       p->call->csi->options->max_mounts);
	__atomic_sub_fetch(mounts, 1, __ATOMIC_RELAXED);
	return r;
}

static int find_way(struct publication *p)
{
	char err[MOUNTER_TEXT_SIZE];
	int r = locate(p->call->csi, &p->handle, &p->wish, &p->spec, err);

	if (r == 0)
		return 0;
	return csi_refuse(
		p->call,
		r == -ENOENT ? GRPC_STATUS_NOT_FOUND : GRPC_STATUS_INTERNAL,
		"Could not mount \"%.200s\": %s", p->spec.source, err);
}

/* What is there is looked at first: that needs nobody who answers. */
static int publish(struct publication *p)
{
	int r;

	locate_source(&p->handle, p->spec.source);
	p->spec.read_only = p->wish.read_only;
	r = look(p);
	if (r == 1)
		return finish(p);
	if (r == 0)
		r = check_elsewhere(p);
	if (r == 0)
		r = find_way(p);
	return r < 0 ? r : mount_bounded(p);
}

/* Two places at once are told from one another only by who came first. */
static int publish_exclusive(struct publication *p)
{
	int r;

	if (!capability_is_exclusive(p->in->volume_capability))
		return publish(p);
	if (csi_begin(p->call, "volume", p->in->volume_id) < 0)
		return -1;
	r = publish(p);
	csi_end(p->call, p->in->volume_id);
	return r;
}

int csi_node_publish(struct csi_call *call)
{
	struct publication *p = csi_alloc(call, sizeof(*p));
	const char *key;
	int r;

	p->call = call;
	p->in = (const Csi__V1__NodePublishVolumeRequest *)call->request;
	if (nvme_is_handle(p->in->volume_id))
		return nvme_node_publish(call);
	if (check(p) < 0)
		return -1;
	key = p->in->target_path;
	if (csi_begin(call, "target path", key) < 0)
		return -1;
	r = publish_exclusive(p);
	csi_end(call, key);
	if (r < 0 && call->status == GRPC_STATUS_OK)
		r = csi_refuse(call, GRPC_STATUS_INTERNAL, "%s", strerror(-r));
	return r;
}

/* ---------------------------------------------------------------- unpublish */

/* A mount that does not end, because its server is silent and something is
 * unsaved, leaves the tree at least: its daemon goes on trying for a while. */
static int unpublish(struct csi_call *call, const char *at)
{
	struct mounter *m = &call->csi->mounter;
	char err[MOUNTER_TEXT_SIZE] = "";
	int r = mounter_unmount(m, at, false, err);

	if (r == -ETIMEDOUT) {
		log_warn("%s: does not end; it leaves the tree now", at);
		r = mounter_unmount(m, at, true, err);
	}
	if (r < 0)
		return csi_refuse(call, GRPC_STATUS_INTERNAL,
				  "Could not unmount \"%.200s\": %s", at,
				  err[0] ? err : strerror(-r));
	mounter_remove_directory(at);
	return 0;
}

int csi_node_unpublish(struct csi_call *call)
{
	const Csi__V1__NodeUnpublishVolumeRequest *in =
		(const Csi__V1__NodeUnpublishVolumeRequest *)call->request;
	int r;

	if (in->volume_id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume ID not provided");
	if (in->target_path[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Target path not provided");
	if (csi_begin(call, "target path", in->target_path) < 0)
		return -1;
	r = nvme_is_handle(in->volume_id) ? nvme_node_unpublish(call)
					  : unpublish(call, in->target_path);
	csi_end(call, in->target_path);
	return r;
}
