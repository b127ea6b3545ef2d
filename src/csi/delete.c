/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteVolume: the access point; what is in it only if the driver was started
 * with --delete-access-point-root-dir.
 *
 * Data are deleted through a mount of the access point itself: as its user, and
 * with its root as the root of all that there is.  So a mistake here can't
 * reach anything above or beside it.  A root that is the file system's, or that
 * is or contains the root of another access point, is never touched: that
 * is somebody else's.
 */
#include <string.h>

#include "base/log.h"
#include "csi/handle.h"
#include "csi/internal.h"
#include "csi/locate.h"
#include "csi/nvme.h"
#include "csi/wipe.h"

struct sharing {
	const struct efs_point *own;
	char with[EFS_ID_SIZE];
};

static void compare_root(void *arg, const struct efs_point *p)
{
	struct sharing *s = arg;

	if (strcmp(p->id, s->own->id) != 0 &&
	    handle_path_holds(s->own->path, p->path))
		strcpy(s->with, p->id);
}

/* 1; 0: its data stay, and the log says why. */
static int may_wipe(struct csi_call *call, const struct efs_point *p)
{
	struct sharing sharing = { .own = p };
	struct efs_error err;

	if (strcmp(p->path, "/") == 0) {
		log_warn("%s: its root is that of %s: its data stay", p->id,
			 p->fs);
		return 0;
	}
	if (efs_point_each(call->csi->efs, p->fs, compare_root, &sharing,
			   &err) < 0)
		return csi_refuse_efs(call, "Failed to list Access points",
				      &err);
	if (sharing.with[0] == '\0')
		return 1;
	log_warn("%s: its root %s is shared with %s: its data stay", p->id,
		 p->path, sharing.with);
	return 0;
}

static int mount_and_wipe(struct csi_call *call, const struct handle *h)
{
	struct csi *csi = call->csi;
	const struct locate_wish wish = { .tls = csi->encrypt };
	struct mount_spec spec = { .read_only = false };
	char text[MOUNTER_TEXT_SIZE], at[512];
	int r;

	if (locate(csi, h, &wish, &spec, text) < 0)
		return csi_refuse(call, GRPC_STATUS_INTERNAL, "%s", text);
	snprintf(at, sizeof(at), "%s/%s", csi->options->work_dir, h->point);
	/* One that an earlier process left when it was killed. */
	mounter_unmount(&csi->mounter, at, true, text);
	r = mounter_mount(&csi->mounter, &spec, at, text);
	if (r < 0)
		return csi_refuse(call, GRPC_STATUS_INTERNAL,
				  "Could not mount \"%s\" at \"%s\": %s",
				  spec.source, at, text);
	r = wipe_directory(at);
	if (r < 0)
		csi_refuse(call, GRPC_STATUS_INTERNAL,
			   "Could not delete what is in %s: %s", h->point,
			   strerror(-r));
	if (mounter_unmount(&csi->mounter, at, r < 0, text) < 0 && r == 0)
		r = csi_refuse(call, GRPC_STATUS_INTERNAL,
			       "Could not unmount \"%s\": %s", at, text);
	if (r == 0)
		mounter_remove_directory(at);
	return r;
}

static int wipe(struct csi_call *call, const struct handle *h,
		const struct efs_point *p)
{
	int r = may_wipe(call, p);

	return r == 1 ? mount_and_wipe(call, h) : r;
}

/* 1; 0: there is no such access point in that file system. */
static int find(struct csi_call *call, const struct handle *h,
		struct efs_point *p)
{
	struct efs_error err;

	if (efs_point_get(call->csi->efs, h->point, p, &err) == 0) {
		if (strcmp(p->fs, h->fs) == 0)
			return 1;
		log_warn("%s: it is in %s, not in %s: it stays", h->point,
			 p->fs, h->fs);
		return 0;
	}
	if (efs_not_found(&err))
		return 0;
	return csi_refuse_efs(call, "Could not get describe Access Point",
			      &err);
}

static int delete_point(struct csi_call *call, const struct handle *h)
{
	struct efs_error err;
	struct efs_point p;
	int r = find(call, h, &p);

	if (r <= 0)
		return r;
	if (call->csi->options->delete_root_dir && wipe(call, h, &p) < 0)
		return -1;
	if (efs_point_delete(call->csi->efs, h->point, &err) == 0 ||
	    efs_not_found(&err))
		return 0;
	return csi_refuse_efs(call, "Failed to Delete Access point", &err);
}

int csi_delete_volume(struct csi_call *call)
{
	const Csi__V1__DeleteVolumeRequest *in =
		(const Csi__V1__DeleteVolumeRequest *)call->request;
	struct handle h;
	int r;

	if (in->volume_id[0] == '\0')
		return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
				  "Volume ID not provided");
	if (nvme_is_handle(in->volume_id))
		return nvme_delete_volume(call);
	/* What this driver can't have made is not there any more. */
	if (handle_parse(in->volume_id, &h) < 0 || h.s3files ||
	    h.point[0] == '\0')
		return 0;
	if (csi_begin(call, "access point", h.point) < 0)
		return -1;
	r = delete_point(call, &h);
	csi_end(call, h.point);
	return r;
}
