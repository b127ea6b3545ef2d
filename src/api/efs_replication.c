/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication configurations: an attribute of the source file system.  The
 * destination is made and marked; copying data is not there yet, and the status
 * says so.
 */
#include <errno.h>
#include <string.h>

#include "api/efs.h"
#include "reactor/reactor.h"

static const char not_copied[] =
	"This version of hawserd keeps the configuration and copies no data.";

static json_t *describe(const json_t *replication)
{
	return json_copy((json_t *)replication);
}

static const char *destination_of(const json_t *replication)
{
	const json_t *list = json_object_get(replication, "Destinations");

	return json_string_value(
		json_object_get(json_array_get(list, 0), "FileSystemId"));
}

/* ----------------------------------------------------------------- create */

static int mark_destination(void *arg, json_t *attributes,
			    struct control_error *err)
{
	json_object_set_new(attributes, "FileSystemProtection",
			    json_pack("{s:s}", "ReplicationOverwriteProtection",
				      arg));
	return 0;
}

static int may_overwrite(struct api_call *call, const struct control_fs *fs)
{
	const char *protection = json_string_value(json_object_get(
		json_object_get(fs->attributes, "FileSystemProtection"),
		"ReplicationOverwriteProtection"));

	if (protection != NULL && strcmp(protection, "DISABLED") == 0)
		return 0;
	return api_refuse(
		call, "ConflictException",
		"File system '%s' is protected from being overwritten "
		"by replication.",
		fs->id);
}

static int use_existing(struct api_call *call, const char *id,
			const struct control_fs *source, struct control_fs *out)
{
	int r;

	if (strcmp(id, source->id) == 0)
		return api_refuse(call, "ValidationException",
				  "A file system is not replicated to itself.");
	r = efs_find_fs(call, id, out);
	return r < 0 ? r : may_overwrite(call, out);
}

static int make_destination(struct api_call *call, const json_t *wanted,
			    struct control_fs *out)
{
	json_t *attributes =
		json_pack("{s:s, s:s, s:b, s:s, s:[]}", "PerformanceMode",
			  "generalPurpose", "ThroughputMode", "bursting",
			  "Encrypted", 0, "CreationToken", call->id, "Tags");
	int r = control_fs_create_as(efs_control(call), attributes, out,
				     &call->error);

	json_decref(attributes);
	return r;
}

static json_t *make_replication(const struct api_call *call,
				const struct control_fs *source,
				const char *destination, const json_t *wanted)
{
	const char *region =
		json_string_value(json_object_get(wanted, "Region"));
	json_t *arn = efs_arn(call, "file-system", source->id);

	return json_pack(
		"{s:s, s:s, s:O, s:o, s:o, s:s, s:[{s:s, s:s, s:s, s:s, s:s}]}",
		"SourceFileSystemId", source->id, "SourceFileSystemRegion",
		api_region(call), "SourceFileSystemArn", arn,
		"OriginalSourceFileSystemArn", arn, "CreationTime",
		efs_time(reactor_realtime()), "SourceFileSystemOwnerId",
		api_account(call), "Destinations", "Status", "ERROR",
		"StatusMessage", not_copied, "FileSystemId", destination,
		"Region", region ? region : api_region(call), "OwnerId",
		api_account(call));
}

struct adding {
	struct api_call *call;
	json_t *replication;
};

static int add_replication(void *arg, json_t *attributes,
			   struct control_error *err)
{
	struct adding *a = arg;

	if (json_object_get(attributes, "Replication") != NULL)
		return api_refuse(a->call, "ConflictException",
				  "The file system has a replication "
				  "configuration already.");
	json_object_set(attributes, "Replication", a->replication);
	return 0;
}

static const char *source_of(const struct api_call *call)
{
	return efs_id(api_string(call, "SourceFileSystemId"));
}

/* The source is looked at first, so that nothing is made for one that can't
 * be. */
static int find_source(struct api_call *call, struct control_fs *out)
{
	int r = efs_find_fs(call, source_of(call), out);

	if (r < 0)
		return r;
	if (json_object_get(out->attributes, "Replication") != NULL)
		return api_refuse(call, "ConflictException",
				  "File system '%s' has a replication "
				  "configuration already.",
				  out->id);
	return 0;
}

int efs_create_replication_configuration(struct api_call *call)
{
	const json_t *wanted =
		json_array_get(api_value(call, "Destinations"), 0);
	const char *id = efs_id(
		json_string_value(json_object_get(wanted, "FileSystemId")));
	struct adding a = { .call = call };
	struct control_fs source, destination;
	struct control_error gone = {};
	int r = find_source(call, &source);

	if (r == 0)
		r = id ? use_existing(call, id, &source, &destination)
		       : make_destination(call, wanted, &destination);
	if (r < 0)
		return r;
	a.replication = make_replication(call, &source, destination.id, wanted);
	r = control_fs_change(efs_control(call), source.id, add_replication, &a,
			      &source, &call->error);
	if (r == 0)
		r = control_fs_change(efs_control(call), destination.id,
				      mark_destination, (void *)"REPLICATING",
				      &destination, &call->error);
	if (r == 0)
		call->output = describe(a.replication);
	else if (id == NULL) /* two at once: the other one has made its own */
		control_fs_delete(efs_control(call), destination.id, &gone);
	json_decref(a.replication);
	return r;
}

/* --------------------------------------------------- describe and delete */

static bool concerns(const struct control_fs *fs, const char *id)
{
	const json_t *replication =
		json_object_get(fs->attributes, "Replication");
	const char *to;

	if (replication == NULL)
		return false;
	to = destination_of(replication);
	return id == NULL || strcmp(fs->id, id) == 0 ||
	       (to != NULL && strcmp(to, id) == 0);
}

int efs_describe_replication_configurations(struct api_call *call)
{
	const char *id = efs_file_system_id(call);
	struct control_fs *list, one;
	struct efs_page page;
	json_t *out;
	int n = efs_page_begin(call, "MaxResults", "NextToken", &page);

	if (n == 0 && id != NULL)
		n = efs_find_fs(call, id, &one);
	if (n == 0)
		n = control_fs_list(efs_control(call), NULL, &list,
				    &call->error);
	if (n < 0)
		return n;
	out = json_array();
	for (int i = 0; i < n; i++)
		if (concerns(&list[i], id) &&
		    efs_page_take(&page, list[i].created))
			json_array_append_new(out, describe(json_object_get(
							   list[i].attributes,
							   "Replication")));
	free(list);
	call->output = json_pack("{s:o}", "Replications", out);
	efs_page_end(call, "NextToken", &page);
	if (id != NULL && json_array_size(out) == 0)
		return api_refuse(call, "ReplicationNotFound",
				  "File system '%s' has no replication "
				  "configuration.",
				  id);
	return 0;
}

struct dropping {
	struct api_call *call;
	char destination[CONTROL_ID_SIZE];
};

static int drop_replication(void *arg, json_t *attributes,
			    struct control_error *err)
{
	struct dropping *d = arg;
	const json_t *replication = json_object_get(attributes, "Replication");

	if (replication == NULL)
		return api_refuse(d->call, "ReplicationNotFound",
				  "File system '%s' has no replication "
				  "configuration.",
				  source_of(d->call));
	strncpy(d->destination, destination_of(replication),
		sizeof(d->destination) - 1);
	json_object_del(attributes, "Replication");
	return 0;
}

int efs_delete_replication_configuration(struct api_call *call)
{
	struct dropping d = { .call = call };
	struct control_error gone = {};
	struct control_fs fs;
	int r = control_fs_change(efs_control(call), source_of(call),
				  drop_replication, &d, &fs, &call->error);

	/* The destination may have been deleted. */
	if (r == 0)
		control_fs_change(efs_control(call), d.destination,
				  mark_destination, (void *)"ENABLED", &fs,
				  &gone);
	return r;
}
