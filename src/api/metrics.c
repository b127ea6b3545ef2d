/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics: figures of file systems for Prometheus, in its text format, on an
 * address of its own, without a signature.
 *
 * There are as many series as file systems times a few, and nothing that a
 * client says becomes a label.
 */
#include <string.h>

#include "api/protocol.h"
#include "api/xml.h"
#include "control/alarm.h"
#include "nfs/server/server.h"

struct sample {
	const struct control_fs *fs;
	struct nfs_server_stats st;
	bool served;
};

static double value_bytes_read(const struct sample *s)
{
	return (double)s->st.bytes_read;
}

static double value_bytes_written(const struct sample *s)
{
	return (double)s->st.bytes_written;
}

static double value_bytes_metered(const struct sample *s)
{
	return (double)s->st.bytes_metered;
}

static double value_reads(const struct sample *s)
{
	return (double)s->st.reads;
}

static double value_writes(const struct sample *s)
{
	return (double)s->st.writes;
}

static double value_metadata_reads(const struct sample *s)
{
	return (double)s->st.metadata_reads;
}

static double value_metadata_writes(const struct sample *s)
{
	return (double)s->st.metadata_writes;
}

static double value_throttled(const struct sample *s)
{
	return (double)s->st.throttled;
}

static double value_replays(const struct sample *s)
{
	return (double)s->st.replays;
}

static double value_waiting(const struct sample *s)
{
	return s->st.waiting;
}

static double value_connections(const struct sample *s)
{
	return s->st.connections;
}

static double value_clients(const struct sample *s)
{
	return s->st.clients;
}

static double value_permitted(const struct sample *s)
{
	return s->st.permitted;
}

static double value_credits(const struct sample *s)
{
	return s->st.credits;
}

static double value_stored(const struct sample *s)
{
	return (double)s->fs->used_bytes;
}

static double value_files(const struct sample *s)
{
	return (double)s->fs->used_files;
}

static double value_targets(const struct sample *s)
{
	return s->fs->mount_targets;
}

/* Those that end in _total count since the start. */
static const struct series {
	const char *name, *help;
	double (*value)(const struct sample *s);
} series[] = {
	{ "read_bytes_total", "Bytes that clients read.", value_bytes_read },
	{ "written_bytes_total", "Bytes that clients wrote.",
	  value_bytes_written },
	{ "metered_bytes_total", "Bytes that count against the throughput.",
	  value_bytes_metered },
	{ "reads_total", "READ operations.", value_reads },
	{ "writes_total", "WRITE operations.", value_writes },
	{ "metadata_reads_total", "Other operations, that change nothing.",
	  value_metadata_reads },
	{ "metadata_writes_total", "Other operations, that change something.",
	  value_metadata_writes },
	{ "throttled_total", "Operations that had to wait for throughput.",
	  value_throttled },
	{ "replays_total", "Requests that came again, on another path.",
	  value_replays },
	{ "waiting", "Operations that wait for throughput.", value_waiting },
	{ "connections", "Connections of clients.", value_connections },
	{ "clients", "NFS clients.", value_clients },
	{ "permitted_bytes_per_second",
	  "Metered bytes a second that are permitted; 0: no limit.",
	  value_permitted },
	{ "burst_credit_bytes", "Burst credits that are left.", value_credits },
	{ "stored_bytes", "Bytes stored.", value_stored },
	{ "files", "Files and directories.", value_files },
	{ "mount_targets", "Mount targets.", value_targets },
};

static bool is_counter(const char *name)
{
	size_t len = strlen(name);

	return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

static void write_series(struct text *t, const struct series *s,
			 const struct sample *samples, int n)
{
	text_format(t, "# HELP hawser_fs_%s %s\n# TYPE hawser_fs_%s %s\n",
		    s->name, s->help, s->name,
		    is_counter(s->name) ? "counter" : "gauge");
	for (int i = 0; i < n; i++)
		if (samples[i].served)
			text_format(t,
				    "hawser_fs_%s{file_system=\"%s\"} %.17g\n",
				    s->name, samples[i].fs->id,
				    s->value(&samples[i]));
}

static void write_states(struct text *t, const struct sample *samples, int n)
{
	text_add(t, "# HELP hawser_fs_up Is the file system served?\n"
		    "# TYPE hawser_fs_up gauge\n");
	for (int i = 0; i < n; i++)
		text_format(t, "hawser_fs_up{file_system=\"%s\"} %d\n",
			    samples[i].fs->id, samples[i].served);
}

static void write_alarms(struct text *t, const struct control *c)
{
	static const char *const states[] = { "OK", "ALARM",
					      "INSUFFICIENT_DATA" };
	unsigned counts[3] = {};
	const char *name;
	json_t *alarm;

	json_object_foreach((json_t *)alarms(c), name,
			    alarm) for (int i = 0; i < 3; i++) counts[i] +=
		strcmp(states[i], json_string_value(json_object_get(
					  alarm, "StateValue"))) == 0;
	text_add(t, "# HELP hawser_alarms Alarms by state.\n"
		    "# TYPE hawser_alarms gauge\n");
	for (int i = 0; i < 3; i++)
		text_format(t, "hawser_alarms{state=\"%s\"} %u\n", states[i],
			    counts[i]);
}

static int show(struct api_call *call)
{
	struct control *c = call->server->options.control;
	struct control_error none = {};
	struct control_fs *list;
	struct sample *samples;
	struct text t = {};
	char *text;
	int n = control_fs_list(c, NULL, &list, &call->error);

	if (n < 0)
		return n;
	samples = calloc(n + 1, sizeof(*samples));
	for (int i = 0; samples && i < n; i++) {
		samples[i].fs = &list[i];
		samples[i].served =
			control_fs_stats(c, list[i].id, &samples[i].st,
					 &none) == 0;
	}
	if (samples != NULL) {
		write_states(&t, samples, n);
		for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
			write_series(&t, &series[i], samples, n);
		write_alarms(&t, c);
	}
	free(samples);
	free(list);
	text = text_take(&t);
	call->output = json_string(text ? text : "");
	free(text);
	return 0;
}

/* --------------------------------------------------------------- protocol */

static const struct api_operation operations[] = { { "Show", show }, {} };

static int parse(struct api_call *call)
{
	if (strcmp(call->path, "/metrics") != 0)
		return api_refuse(call, "NotFound", "There is /metrics.");
	if (strcmp(call->method, "GET") != 0)
		return api_refuse(call, "MethodNotAllowed", "GET is allowed.");
	call->operation = operations;
	call->input = json_object();
	return 0;
}

static const struct api_protocol protocol = {
	.content_type = "text/plain; version=0.0.4; charset=utf-8",
	.invalid = "BadRequest",
	.denied = "AccessDenied",
	.parse = parse,
	.result = api_text_result,
	.error = api_text_error,
};

static const struct api_error errors[] = { { "NotFound", 404 },
					   { "MethodNotAllowed", 405 },
					   {} };

const struct api_service api_metrics = {
	.name = "metrics",
	.protocol = &protocol,
	.operations = operations,
	.errors = errors,
};
