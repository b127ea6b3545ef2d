/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stack/cost.h"
#include "stack/input.h"
#include "stack/suggest.h"

struct output {
	const char *name, *help;
	/* One member of how the service describes a resource … */
	const struct kind *kind;
	const char *key; /* NULL: of each, as a list */
	const char *member;
	/* … or made. */
	json_t *(*make)(const struct view *v, const struct output *o);
};

/* A text that was malloc'ed. */
static json_t *take_text(char *text)
{
	json_t *value = json_string(text);

	free(text);
	return value;
}

static const struct resource *find(const struct view *v,
				   const struct kind *kind, const char *key)
{
	return resources_find(v->is, kind, key);
}

/* ------------------------------------------------------ of a description */

static json_t *fact(const struct resource *r, const char *member)
{
	json_t *value = r ? json_object_get(r->facts, member) : NULL;

	return value ? json_incref(value) : json_null();
}

/* Of the mount targets, in the order of the file. */
static json_t *facts(const struct view *v, const struct output *o)
{
	const json_t *ids = json_object_get(v->s->inputs, "private_subnet_ids");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const struct resource *r = find(
			v, o->kind, json_string_value(json_array_get(ids, i)));

		if (r != NULL)
			json_array_append_new(list, fact(r, o->member));
	}
	return list;
}

/* ------------------------------------------------------------------- made */

static json_t *make_size(const struct view *v, const struct output *o)
{
	const struct resource *fs = find(v, &file_system_kind, "efs");
	json_t *size = json_object_get(fs->facts, "SizeInBytes");

	return json_incref(json_object_get(size, "Value"));
}

static json_t *make_dns_name(const struct view *v, const struct output *o)
{
	return json_sprintf("%s.efs.%s.amazonaws.com", v->s->fs_id,
			    aws_region(v->s->aws));
}

static json_t *make_target_dns_names(const struct view *v,
				     const struct output *o)
{
	json_t *zones = facts(v, o), *names = json_array(), *zone;
	size_t i;

	json_array_foreach(zones, i, zone)
	{
		json_array_append_new(
			names,
			json_sprintf("%s.%s.efs.%s.amazonaws.com",
				     json_string_value(zone), v->s->fs_id,
				     aws_region(v->s->aws)));
	}
	json_decref(zones);
	return names;
}

/* Any of the addresses: clients find the others by themselves. */
static const char *first_address(const struct view *v)
{
	for (size_t i = 0; i < v->is->n; i++)
		if (v->is->list[i]->kind == &mount_target_kind)
			return stack_text(v->is->list[i]->facts, "IpAddress");
	return "";
}

static json_t *make_mount_command(const struct view *v, const struct output *o)
{
	if (first_address(v)[0] == '\0')
		return json_null();
	return json_sprintf("mkdir -p /mnt/efs && hawser mount %s:/ /mnt/efs",
			    first_address(v));
}

static json_t *make_kernel_command(const struct view *v, const struct output *o)
{
	if (first_address(v)[0] == '\0')
		return json_null();
	return json_sprintf("mkdir -p /mnt/efs && mount -t nfs4 -o "
			    "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,"
			    "timeo=600,retrans=2,noresvport %s:/ /mnt/efs",
			    first_address(v));
}

static json_t *make_storage_class(const struct view *v, const struct output *o)
{
	return take_text(manifest_storage_class(v->s->fs_id));
}

static json_t *make_volume(const struct view *v, const char *key,
			   const char *name, const char *size)
{
	const struct resource *point = find(v, &access_point_kind, key);

	if (point == NULL)
		return json_null();
	return take_text(manifest_volume(name, v->s->fs_id, point->id, size));
}

static json_t *make_pv_backups(const struct view *v, const struct output *o)
{
	return make_volume(v, "kafka_backups", "kafka-backups", "100Gi");
}

static json_t *make_pv_connect(const struct view *v, const struct output *o)
{
	return make_volume(v, "kafka_connect", "kafka-connect", "50Gi");
}

/* What is declared, else what is metered; and what is provisioned. */
static json_t *usage_of(const struct view *v)
{
	const json_t *declared =
		json_object_get(v->s->inputs, "estimated_usage");
	const struct resource *fs = find(v, &file_system_kind, "efs");
	json_t *usage = json_object(), *size;

	if (json_is_object(declared)) {
		json_object_update(usage, (json_t *)declared);
	} else if (fs != NULL) {
		size = json_object_get(fs->facts, "SizeInBytes");
#define GB(name) json_real(json_number_value(json_object_get(size, name)) / 1e9)
		json_object_set_new(usage, "standard_gb",
				    GB("ValueInStandard"));
		json_object_set_new(usage, "ia_gb", GB("ValueInIA"));
#undef GB
	}
	if (strcmp(input_text(v->s->inputs, "throughput_mode"),
		   "provisioned") == 0)
		json_object_set(
			usage, "provisioned_mibps",
			json_object_get(v->s->inputs,
					"provisioned_throughput_in_mibps"));
	return usage;
}

static json_t *make_cost(const struct view *v, const struct output *o)
{
	json_t *prices = cost_prices_load(v->prices), *usage, *cost;

	if (prices == NULL)
		return NULL;
	usage = usage_of(v);
	cost = cost_estimate(prices, usage);
	json_decref(prices);
	json_decref(usage);
	return cost;
}

/* -------------------------------------------------------------- the table */

#define FS     &file_system_kind, "efs"
#define TARGET &mount_target_kind, NULL
#define POINT  &access_point_kind
#define GROUP  &group_kind, "efs"
#define ALARM  &alarm_kind

static const struct output outputs[] = {
	{ "file_system_id", "fs-…", FS, "FileSystemId" },
	{ "file_system_arn", "its ARN", FS, "FileSystemArn" },
	{ "file_system_dns_name", "as AWS would name it",
	  .make = make_dns_name },
	{ "file_system_size_in_bytes", "metered", .make = make_size },
	{ "mount_target_ids", "fsmt-…, in the order of the file", TARGET,
	  "MountTargetId" },
	{ "mount_target_ip_addresses", "their addresses", TARGET, "IpAddress" },
	{ "mount_target_dns_names", "as AWS would name them", TARGET,
	  "AvailabilityZoneName", make_target_dns_names },
	{ "mount_target_availability_zones", "their zones", TARGET,
	  "AvailabilityZoneName" },
	{ "kafka_backup_access_point_id", "fsap-… of /kafka-backups", POINT,
	  "kafka_backups", "AccessPointId" },
	{ "kafka_backup_access_point_arn", "its ARN", POINT, "kafka_backups",
	  "AccessPointArn" },
	{ "kafka_connect_access_point_id", "fsap-… of /kafka-connect-plugins",
	  POINT, "kafka_connect", "AccessPointId" },
	{ "kafka_connect_access_point_arn", "its ARN", POINT, "kafka_connect",
	  "AccessPointArn" },
	{ "shared_logs_access_point_id", "fsap-… of /shared-logs", POINT,
	  "shared_logs", "AccessPointId" },
	{ "shared_logs_access_point_arn", "its ARN", POINT, "shared_logs",
	  "AccessPointArn" },
	{ "security_group_id", "sg-… of the mount targets", GROUP, "groupId" },
	{ "security_group_name", "its name", GROUP, "groupName" },
	{ "percent_io_limit_alarm_arn", "of the alarm", ALARM,
	  "percent_io_limit", "AlarmArn" },
	{ "burst_credit_balance_alarm_arn", "of the alarm", ALARM,
	  "burst_credit_balance", "AlarmArn" },
	{ "client_connections_alarm_arn", "of the alarm", ALARM,
	  "client_connections", "AlarmArn" },
	{ "metered_io_bytes_alarm_arn", "of the alarm", ALARM,
	  "metered_io_bytes", "AlarmArn" },
	{ "mount_command", "mounts it over all mount targets",
	  .make = make_mount_command },
	{ "mount_command_kernel", "the same with Linux' own NFS client",
	  .make = make_kernel_command },
	{ "kubernetes_storage_class", "a manifest: StorageClass",
	  .make = make_storage_class },
	{ "kubernetes_pv_kafka_backups", "manifests: volume and claim",
	  .make = make_pv_backups },
	{ "kubernetes_pv_kafka_connect", "manifests: volume and claim",
	  .make = make_pv_connect },
	{ "estimated_monthly_cost", "by a table of prices", .make = make_cost },
};

static const struct output *find_output(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
		if (strcmp(outputs[i].name, name) == 0)
			return &outputs[i];
	return NULL;
}

static json_t *value_of(const struct view *v, const struct output *o)
{
	if (o->make != NULL)
		return o->make(v, o);
	return o->key ? fact(find(v, o->kind, o->key), o->member) : facts(v, o);
}

json_t *output_value(const struct view *v, const char *name)
{
	return value_of(v, find_output(name));
}

json_t *output_all(const struct view *v)
{
	json_t *all = json_object(), *value;

	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		value = value_of(v, &outputs[i]);
		if (value == NULL) {
			json_decref(all);
			return NULL;
		}
		json_object_set_new(all, outputs[i].name, value);
	}
	return all;
}

bool output_check_name(const char *name)
{
	const char *near = suggest(name, &outputs[0].name, ARRAY_SIZE(outputs),
				   sizeof(outputs[0]));

	if (find_output(name) != NULL)
		return true;
	stack_error("there is no output '%s'%s%s", name,
		    near ? "; did you mean " : "", near ? near : "");
	return false;
}

bool output_is_offline(const struct stack *s, const char *name)
{
	return name != NULL && find_output(name)->make == make_cost &&
	       json_is_object(json_object_get(s->inputs, "estimated_usage"));
}

void output_print_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
		printf("  %-36s%s\n", outputs[i].name, outputs[i].help);
}
