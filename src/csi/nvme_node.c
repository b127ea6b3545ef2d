/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Node's half of nvme.h:
 *
 *	stage      connect; a file system is made if there is nothing on the
 *	           device, and mounted at the staging path
 *	publish    a bind mount of that, or of the device
 *
 * and back.  Each step looks whether it has been done already.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/command.h"
#include "base/log.h"
#include "csi/capability.h"
#include "csi/nvme_device.h"
#include "csi/param.h"

enum { OPTIONS_SIZE = 1024 };

static int refuse(struct csi_call *call, const char *why)
{
	return csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT, "%s", why);
}

static int failed(struct csi_call *call, const char *err)
{
	return csi_refuse(call, GRPC_STATUS_INTERNAL, "%.500s", err);
}

static int parse(struct csi_call *call, const char *volume_id,
		 struct nvme_handle *h)
{
	if (!call->csi->options->nvme)
		return csi_refuse(call, GRPC_STATUS_UNIMPLEMENTED,
				  "the driver was started without --nvme");
	if (volume_id[0] == '\0')
		return refuse(call, "Volume ID not provided");
	if (!nvme_handle_parse(volume_id, h))
		return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
				  "Volume not found, ID: %.200s", volume_id);
	return 0;
}

static int refuse_other(struct csi_call *call, const char *at,
			const struct mounted *m)
{
	return csi_refuse(call, GRPC_STATUS_ALREADY_EXISTS,
			  "something else is mounted at %.200s: %.200s (%s%s)",
			  at, m->source, m->type,
			  m->read_only ? ", read-only" : "");
}

/* Off as often as it is on. */
static int unmount(struct csi_call *call, const char *at)
{
	char err[DEVICE_TEXT];
	struct mounted m;

	while (mounter_look(at, &m) > 0) {
		if (!device_may_be_at(at, &m))
			return csi_refuse(call, GRPC_STATUS_INTERNAL,
					  "Could not unmount \"%.200s\": "
					  "something else is mounted there: "
					  "%.200s",
					  at, m.source);
		if (device_run(err, "umount", "--", at, NULL) < 0)
			return failed(call, err);
	}
	return 0;
}

/* ------------------------------------------------------------------ stage */

struct stage {
	struct csi_call *call;
	const Csi__V1__NodeStageVolumeRequest *in;
	struct nvme_handle handle;
	struct device_ways ways;
	struct device device;
};

static int check_stage(struct stage *s)
{
	const Csi__V1__NodeStageVolumeRequest *in = s->in;
	const char *why, *multi;
	bool all = true;

	if (in->staging_target_path[0] == '\0')
		return refuse(s->call, "Staging target path not provided");
	if (!csi_is_plain_path(in->staging_target_path))
		return refuse(s->call,
			      "Staging target path is not an absolute path");
	if (in->volume_capability == NULL)
		return refuse(s->call, "Volume capability not provided");
	if (!nvme_is_handle(in->volume_id))
		return 0;
	why = nvme_capability_refuses(in->volume_capability);
	if (why != NULL)
		return refuse(s->call, why);
	s->ways.nqn =
		csi_map_get(in->n_volume_context, in->volume_context, "nqn");
	s->ways.portals = csi_map_get(in->n_volume_context, in->volume_context,
				      "portals");
	multi = csi_map_get(in->n_volume_context, in->volume_context,
			    "multipathing");
	if (s->ways.nqn == NULL || s->ways.portals == NULL)
		return refuse(s->call, "Volume context lacks nqn or portals");
	if (!device_portals_are_valid(s->ways.portals))
		return refuse(s->call, "Volume context portals: expected "
				       "ADDRESS:PORT,…");
	if (multi != NULL && param_bool(multi, &all) < 0)
		return refuse(s->call, "Volume context multipathing: expected "
				       "true or false");
	s->ways.single_path = !all;
	return 0;
}

static const char *wanted_type(const struct stage *s)
{
	const char *type = s->in->volume_capability->mount->fs_type;

	return type[0] ? type : "ext4";
}

/* Only where there is nothing at all. */
static int make_file_system(struct stage *s)
{
	const char *wanted = wanted_type(s), *path = s->device.path;
	char type[32], err[DEVICE_TEXT];

	if (device_type(path, type, err) < 0)
		return failed(s->call, err);
	if (strcmp(type, wanted) == 0)
		return 0;
	if (type[0])
		return csi_refuse(s->call, GRPC_STATUS_FAILED_PRECONDITION,
				  "a file system of type %s is on the volume, "
				  "not %s",
				  type, wanted);
	log_info("%s: an %s file system is made on it", s->handle.id, wanted);
	if (device_run(err, strcmp(wanted, "xfs") ? "mkfs.ext4" : "mkfs.xfs",
		       "-q", path, NULL) < 0)
		return failed(s->call, err);
	return 0;
}

static int mount_it(struct stage *s)
{
	const Csi__V1__VolumeCapability__MountVolume *m =
		s->in->volume_capability->mount;
	const char *at = s->in->staging_target_path;
	char options[OPTIONS_SIZE] = "rw", err[DEVICE_TEXT];
	size_t n = 2;
	int r = mounter_make_directory(at);

	for (size_t i = 0; i < m->n_mount_flags && n < sizeof(options); i++)
		n += snprintf(options + n, sizeof(options) - n, ",%s",
			      m->mount_flags[i]);
	if (n >= sizeof(options))
		return refuse(s->call, "too many mount options");
	if (r < 0)
		return failed(s->call, strerror(-r));
	if (device_run(err, "mount", "-t", wanted_type(s), "-o", options, "--",
		       s->device.path, at, NULL) < 0)
		return failed(s->call, err);
	return 0;
}

static int stage(struct stage *s)
{
	const char *at = s->in->staging_target_path;
	char err[DEVICE_TEXT] = "";
	struct mounted m;

	if (device_connect(s->call->csi, &s->handle, &s->ways, &s->device,
			   err) < 0)
		return failed(s->call, err);
	if (nvme_is_block(s->in->volume_capability))
		return 0;
	if (mounter_look(at, &m) > 0)
		return device_is_at(&s->device, at, &m) &&
				       strcmp(m.type, wanted_type(s)) == 0
			       ? 0
			       : refuse_other(s->call, at, &m);
	if (make_file_system(s) < 0 || mount_it(s) < 0)
		return -1;
	log_info("%s: %s is mounted at %s", s->handle.id, s->device.path, at);
	return 0;
}

int csi_node_stage(struct csi_call *call)
{
	struct stage *s = csi_alloc(call, sizeof(*s));
	int r;

	s->call = call;
	s->in = (const Csi__V1__NodeStageVolumeRequest *)call->request;
	if (!call->csi->options->nvme)
		return parse(call, s->in->volume_id, &s->handle);
	if (s->in->volume_id[0] == '\0')
		return refuse(call, "Volume ID not provided");
	if (check_stage(s) < 0)
		return -1;
	if (!nvme_is_handle(s->in->volume_id)) /* mounted when it's published */
		return 0;
	if (parse(call, s->in->volume_id, &s->handle) < 0 ||
	    csi_begin(call, "volume", s->in->volume_id) < 0)
		return -1;
	r = stage(s);
	csi_end(call, s->in->volume_id);
	return r;
}

int csi_node_unstage(struct csi_call *call)
{
	const Csi__V1__NodeUnstageVolumeRequest *in =
		(const Csi__V1__NodeUnstageVolumeRequest *)call->request;
	char err[DEVICE_TEXT] = "";
	struct nvme_handle h;
	int r;

	if (call->csi->options->nvme && in->volume_id[0] &&
	    in->staging_target_path[0] == '\0')
		return refuse(call, "Staging target path not provided");
	if (call->csi->options->nvme && in->volume_id[0] &&
	    !nvme_is_handle(in->volume_id))
		return 0;
	if (parse(call, in->volume_id, &h) < 0 ||
	    csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = unmount(call, in->staging_target_path);
	if (r == 0 && device_disconnect(call->csi, &h, err) < 0)
		r = failed(call, err);
	csi_end(call, in->volume_id);
	return r;
}

/* ---------------------------------------------------------------- publish */

static int make_file(const char *at)
{
	char parent[PATH_MAX];
	char *slash;
	int fd, r = 0;

	snprintf(parent, sizeof(parent), "%s", at);
	slash = strrchr(parent, '/');
	if (slash != NULL && slash != parent) {
		*slash = '\0';
		r = mounter_make_directory(parent);
	}
	fd = r < 0 ? r : open(at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return r < 0 ? r : -errno;
	close(fd);
	return 0;
}

static int bind_at(struct csi_call *call, const char *from, const char *at,
		   int made)
{
	char err[DEVICE_TEXT];

	if (made < 0)
		return failed(call, strerror(-made));
	return device_run(err, "mount", "--bind", "--", from, at, NULL) < 0
		       ? failed(call, err)
		       : 0;
}

static int bind_directory(struct csi_call *call, const struct device *d,
			  const char *from, const char *at)
{
	struct mounted m;

	if (from[0] != '/' || mounter_look(from, &m) <= 0 ||
	    !device_is_at(d, from, &m))
		return csi_refuse(call, GRPC_STATUS_FAILED_PRECONDITION,
				  "the volume is not staged at '%.200s'", from);
	return bind_at(call, from, at, mounter_make_directory(at));
}

/* A bind mount of what is staged, or of the device. */
static int publish_once(struct csi_call *call, const struct nvme_handle *h,
			const Csi__V1__NodePublishVolumeRequest *in, bool ro)
{
	const char *at = in->target_path;
	char err[DEVICE_TEXT] = "";
	struct mounted m;
	struct device d;
	int r = device_find(call->csi, h, &d, err);

	if (r == -ENODEV)
		return csi_refuse(call, GRPC_STATUS_FAILED_PRECONDITION,
				  "volume %s is not staged", h->id);
	if (r < 0)
		return failed(call, err);
	if (mounter_look(at, &m) > 0)
		return device_is_at(&d, at, &m) && (ro || !m.read_only)
			       ? 0
			       : refuse_other(call, at, &m);
	if (nvme_is_block(in->volume_capability))
		return bind_at(call, d.path, at, make_file(at));
	return bind_directory(call, &d, in->staging_target_path, at);
}

static int make_read_only(struct csi_call *call, const char *at)
{
	char err[DEVICE_TEXT];
	struct mounted m;

	if (mounter_look(at, &m) > 0 && m.read_only)
		return 0;
	return device_run(err, "mount", "-o", "remount,bind,ro", "--", at,
			  NULL) < 0
		       ? failed(call, err)
		       : 0;
}

/* Whoever came before may have been killed at any of the steps. */
static int publish(struct csi_call *call, const struct nvme_handle *h,
		   const Csi__V1__NodePublishVolumeRequest *in)
{
	bool ro =
		in->readonly || capability_is_read_only(in->volume_capability);
	int64_t group;
	int r = publish_once(call, h, in, ro);

	if (r < 0)
		return r;
	if (ro)
		return make_read_only(call, in->target_path);
	capability_group(in->volume_capability, &group);
	if (group < 0 || nvme_is_block(in->volume_capability))
		return 0;
	r = mounter_give_to_group(in->target_path, (gid_t)group);
	return r < 0 ? failed(call, strerror(-r)) : 0;
}

int nvme_node_publish(struct csi_call *call)
{
	const Csi__V1__NodePublishVolumeRequest *in =
		(const Csi__V1__NodePublishVolumeRequest *)call->request;
	struct nvme_handle h;
	const char *why;
	int64_t group;
	int r;

	if (parse(call, in->volume_id, &h) < 0)
		return -1;
	if (!csi_is_plain_path(in->target_path))
		return refuse(call, "Target path is not an absolute path");
	if (in->volume_capability == NULL)
		return refuse(call, "Volume capability not provided");
	why = nvme_capability_refuses(in->volume_capability);
	if (why == NULL)
		why = capability_group(in->volume_capability, &group);
	if (why != NULL)
		return refuse(call, why);
	if (nvme_is_block(in->volume_capability) &&
	    (in->readonly || capability_is_read_only(in->volume_capability)))
		return refuse(call, "a device is not published read-only");
	if (csi_begin(call, "target path", in->target_path) < 0)
		return -1;
	r = publish(call, &h, in);
	csi_end(call, in->target_path);
	return r;
}

/* The path has been checked, and is marked as being worked on. */
int nvme_node_unpublish(struct csi_call *call)
{
	const Csi__V1__NodeUnpublishVolumeRequest *in =
		(const Csi__V1__NodeUnpublishVolumeRequest *)call->request;
	const char *at = in->target_path;

	if (unmount(call, at) < 0)
		return -1;
	if (unlink(at) < 0 && errno != ENOENT)
		mounter_remove_directory(at);
	return 0;
}

/* ------------------------------------------------------------- size, stats */

static void add_usage(struct csi_call *call,
		      Csi__V1__NodeGetVolumeStatsResponse *out, int64_t total)
{
	Csi__V1__VolumeUsage *u =
		csi_message(call, &csi__v1__volume_usage__descriptor);

	u->unit = CSI__V1__VOLUME_USAGE__UNIT__BYTES;
	u->total = total;
	out->usage = csi_alloc(call, sizeof(*out->usage));
	out->usage[out->n_usage++] = u;
}

/* Of a device: how large it is.  Something is mounted at the path. */
int nvme_node_stats(struct csi_call *call)
{
	const Csi__V1__NodeGetVolumeStatsRequest *in =
		(const Csi__V1__NodeGetVolumeStatsRequest *)call->request;
	Csi__V1__NodeGetVolumeStatsResponse *out =
		(Csi__V1__NodeGetVolumeStatsResponse *)call->response;
	char err[DEVICE_TEXT];

	if (device_run(err, "blockdev", "--getsize64", in->volume_path, NULL) <
	    0)
		return failed(call, err);
	add_usage(call, out, strtoll(err, NULL, 10));
	return 0;
}

static int grow_file_system(struct csi_call *call, const struct device *d,
			    const char *at)
{
	char type[32], err[DEVICE_TEXT];
	int r = device_type(d->path, type, err);

	if (r == 0 && strcmp(type, "ext4") == 0)
		r = device_run(err, "resize2fs", d->path, NULL);
	else if (r == 0 && strcmp(type, "xfs") == 0)
		r = device_run(err, "xfs_growfs", at, NULL);
	return r < 0 ? failed(call, err) : 0;
}

static int expand(struct csi_call *call, const struct nvme_handle *h,
		  const char *at)
{
	char err[DEVICE_TEXT] = "";
	struct device d;
	struct stat st;
	int r = device_find(call->csi, h, &d, err);

	if (r == -ENODEV || stat(at, &st) < 0)
		return csi_refuse(call, GRPC_STATUS_NOT_FOUND,
				  "volume %s is not published at %.200s", h->id,
				  at);
	if (r == 0)
		r = device_extend(call->csi, h, &d, err);
	if (r < 0)
		return failed(call, err);
	return S_ISDIR(st.st_mode) ? grow_file_system(call, &d, at) : 0;
}

int csi_node_expand(struct csi_call *call)
{
	const Csi__V1__NodeExpandVolumeRequest *in =
		(const Csi__V1__NodeExpandVolumeRequest *)call->request;
	struct nvme_handle h;
	int r;

	if (call->csi->options->nvme && in->volume_id[0] &&
	    in->volume_path[0] == '\0')
		return refuse(call, "Volume path not provided");
	if (parse(call, in->volume_id, &h) < 0 ||
	    csi_begin(call, "volume", in->volume_id) < 0)
		return -1;
	r = expand(call, &h, in->volume_path);
	csi_end(call, in->volume_id);
	return r;
}

/* ---------------------------------------------------------------- the node */

int nvme_node_id(struct csi_call *call, const char **out)
{
	const struct csi_options *o = call->csi->options;
	const char *argv[] = { o->program, "connector", "properties", "--json",
			       NULL };
	char said[4096];
	const char *nqn;
	json_t *all;
	int r = command_run(argv, 30, said, sizeof(said));

	all = r == 0 ? json_loads(said, 0, NULL) : NULL;
	nqn = json_string_value(json_object_get(all, "nqn"));
	if (nqn != NULL)
		*out = csi_printf(call, "%s,%s", o->node_id, nqn);
	json_decref(all);
	return nqn ? 0 : failed(call, r < 0 ? strerror(-r) : said);
}
