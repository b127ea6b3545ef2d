/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file system was told about throughput, told to its server; and its
 * burst credits, which outlive the process: kind "credits", key the id, value
 * a JSON object.  They are written every metering period and at the end, so
 * that a kill gives back what was spent within one period.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "engine/engine.h"
#include "nfs/server/server.h"
#include "reactor/reactor.h"
#include "store/store.h"

static const char kind[] = "credits";

static struct throughput_rule rule_of(const struct fs *fs)
{
	static const double mib = 1024 * 1024;
	const struct control *c = fs->control;
	const char *mode = attribute(fs->attributes, "ThroughputMode");
	struct throughput_rule rule = { THROUGHPUT_ELASTIC, c->elastic_limit,
					0 };

	if (strcmp(mode, "bursting") == 0) {
		rule.mode = THROUGHPUT_BURSTING;
	} else if (strcmp(mode, "provisioned") == 0) {
		rule.mode = THROUGHPUT_PROVISIONED;
		rule.bytes = json_number_value(json_object_get(
				     fs->attributes,
				     "ProvisionedThroughputInMibps")) *
			     mib;
	}
	if (strcmp(attribute(fs->attributes, "PerformanceMode"),
		   "generalPurpose") == 0)
		rule.operations = c->operations;
	return rule;
}

void fs_set_throughput(struct fs *fs)
{
	struct throughput_rule rule = rule_of(fs);

	if (fs->server == NULL ||
	    (rule.mode == fs->throughput.mode &&
	     rule.bytes == fs->throughput.bytes &&
	     rule.operations == fs->throughput.operations))
		return;
	fs->throughput = rule;
	nfs_server_set_throughput(fs->server, &rule);
}

/* ---------------------------------------------------------------- credits */

void fs_set_stored(struct fs *fs)
{
	struct engine_statfs st;

	if (fs->server != NULL && engine_statfs(fs->engine, 0, &st) == 0)
		nfs_server_set_stored(fs->server, st.used_bytes);
}

void fs_load_credits(struct fs *fs)
{
	void *text = NULL;
	ssize_t n = store_get(fs->control->store, kind, fs->id, strlen(fs->id),
			      &text);
	json_t *record = n < 0 ? NULL : json_loadb(text, n, 0, NULL);
	nsec then = json_integer_value(json_object_get(record, "at"));

	if (record != NULL)
		nfs_server_set_credits(
			fs->server,
			json_number_value(json_object_get(record, "credits")),
			reactor_realtime() - then);
	json_decref(record);
	free(text);
}

static char *credits_record(const struct fs *fs)
{
	struct nfs_server_stats st;
	json_t *record;
	char *text;

	nfs_server_get_stats(fs->server, &st);
	record = json_pack("{s:f, s:I}", "credits", st.credits, "at",
			   (json_int_t)reactor_realtime());
	text = record ? json_dumps(record, JSON_COMPACT) : NULL;
	json_decref(record);
	return text;
}

void credits_save(struct control *c)
{
	struct store_change *all = calloc(c->n_fs + 1, sizeof(*all));
	struct fs *fs;
	size_t n = 0;
	int r = all ? 0 : -ENOMEM;

	if (r == 0)
		list_for_each (fs, &c->fs, link) {
			char *text = fs->server ? credits_record(fs) : NULL;

			if (text != NULL)
				all[n++] = (struct store_change){
					fs->id, strlen(fs->id), text,
					strlen(text)
				};
		}
	if (n > 0)
		r = store_apply(c->store, kind, all, n);
	if (r < 0)
		log_error("burst credits can't be written: %s", strerror(-r));
	for (size_t i = 0; i < n; i++)
		free((void *)all[i].value);
	free(all);
}

int credits_forget(const struct fs *fs)
{
	return store_delete(fs->control->store, kind, fs->id, strlen(fs->id));
}
