/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls, on whichever side: under the locks of the volume's subsystems, and
 * with a record of it that is there before anything is done, and until all is
 * undone.
 */
#include "connect/connect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/refuse.h"
#include "base/util.h"
#include "connect/kernel.h"
#include "connect/record.h"
#include "connect/user.h"

/* One call on a volume; too large for a stack. */
struct work {
	struct connect_host *host;
	struct connect_info info; /* with what has been learned of it since */
	struct connect_options options;
	enum connect_side side;
	struct connect_record record, last; /* last: as it was before */
	bool known;			    /* there is a last one */
	bool taken; /* … but it is of another subsystem's volume */
	struct connect_record_locks locks;
	struct stand stand;
};

static void end(struct work *w)
{
	if (w == NULL)
		return;
	connect_record_unlock(&w->locks);
	json_decref(w->stand.warnings);
	free(w);
}

/* A volume that is connected stays on its side. */
static void choose_side(struct work *w)
{
	if (w->known)
		w->side = w->last.side;
	else if (w->options.side != CONNECT_AUTO)
		w->side = w->options.side;
	else
		w->side = kernel_has_nvme(w->host) ? CONNECT_KERNEL
						   : CONNECT_USER;
	if (w->known && w->side == CONNECT_USER && w->options.file[0] == '\0')
		strcpy(w->options.file, w->last.path);
}

static bool is_same(const struct connect_info *a, const struct connect_info *b)
{
	for (unsigned i = 0; i < a->n_targets; i++)
		for (unsigned k = 0; k < b->n_targets; k++)
			if (strcmp(a->targets[i].nqn, b->targets[k].nqn) == 0)
				return true;
	return false;
}

static void read_last(struct work *w)
{
	bool there =
		connect_record_read(w->host, w->info.name, &w->last, NULL) == 0;

	w->known = there && is_same(&w->info, &w->last.info);
	w->taken = there && !w->known;
}

/* Addresses that connect_keep() has found are the volume's, too. */
static void take_learned(struct work *w)
{
	const struct connect_target *last;
	struct connect_target *t;

	for (unsigned i = 0; i < w->info.n_targets; i++)
		for (unsigned k = 0; k < w->last.info.n_targets; k++) {
			t = &w->info.targets[i];
			last = &w->last.info.targets[k];
			if (strcmp(t->nqn, last->nqn) == 0)
				connect_target_add_portals(t, last->portals,
							   last->n_portals);
		}
}

static int begin(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, struct work **out,
		 char text[CONNECT_TEXT])
{
	struct work *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (w == NULL)
		return refuse_with(text, -ENOMEM, "%s", strerror(ENOMEM));
	w->host = h;
	w->info = *info;
	w->options = *o;
	w->options.min_paths = MAX(o->min_paths, 1U);
	w->stand.host = h;
	w->stand.info = &w->info;
	w->stand.options = &w->options;
	w->stand.warnings = json_array();
	rc = connect_record_lock(h, info, &w->locks, text);
	if (rc < 0) {
		end(w);
		return rc;
	}
	read_last(w);
	for (unsigned i = 0; i < info->n_targets; i++)
		w->stand.keep[i] = connect_record_others(h, info->name,
							 info->targets[i].nqn);
	choose_side(w);
	if (w->known && w->side == CONNECT_KERNEL)
		take_learned(w);
	*out = w;
	return 0;
}

static const char *kind_name(enum connect_kind kind)
{
	static const char *const names[] = { "plain", "mirror", "shared" };

	return names[kind];
}

static json_t *finish(struct work *w, json_t *result)
{
	json_object_set_new(result, "name", json_string(w->info.name));
	json_object_set_new(result, "kind",
			    json_string(kind_name(w->info.kind)));
	json_object_set(result, "warnings", w->stand.warnings);
	return result;
}

/* ----------------------------------------------------------------- connect */

static int write_record(struct work *w, const char *path, uint64_t size,
			char text[CONNECT_TEXT])
{
	w->record.info = w->info;
	w->record.side = w->side;
	w->record.size = size;
	w->record.options = w->options;
	snprintf(w->record.path, sizeof(w->record.path), "%s", path);
	return connect_record_write(w->host, &w->record, text);
}

static int connect_it(struct work *w, json_t **result, char text[CONNECT_TEXT])
{
	int rc;

	if (w->side == CONNECT_USER && w->known && w->last.path[0] != '\0' &&
	    strcmp(w->options.file, w->last.path) != 0)
		return refuse_with(text, -EBUSY, "it is %.200s already",
				   w->last.path);
	if (w->side == CONNECT_USER)
		return user_connect(w->host, &w->info, &w->options, result,
				    w->stand.warnings, text);
	if (!kernel_has_nvme(w->host))
		return refuse_with(text, -EOPNOTSUPP,
				   "this kernel has no NVMe over fabrics");
	rc = kernel_connect(&w->stand, text);
	if (rc == 0)
		*result = kernel_report(&w->stand);
	return rc;
}

int connect_volume(struct connect_host *h, const struct connect_info *info,
		   const struct connect_options *o, json_t **result,
		   char text[CONNECT_TEXT])
{
	struct work *w;
	int rc = begin(h, info, o, &w, text);

	*result = NULL;
	if (rc < 0)
		return rc;
	if (w->taken || (o->known_only && !w->known)) {
		rc = w->taken ? -EBUSY : -ENOENT;
		end(w);
		return refuse_with(text, rc, "%s: it is %s", info->name,
				   rc == -EBUSY ? "connected already, from "
						  "another subsystem"
						: "not connected");
	}
	rc = write_record(w, w->known ? w->last.path : w->options.file,
			  w->known ? w->last.size : 0, text);
	if (rc == 0)
		rc = connect_it(w, result, text);
	if (rc == 0)
		rc = write_record(
			w, json_string_value(json_object_get(*result, "path")),
			(uint64_t)json_integer_value(
				json_object_get(*result, "size")),
			text);
	if (rc < 0 && !w->known)
		connect_record_remove(h, info->name);
	if (rc < 0) {
		json_decref(*result);
		*result = NULL;
	} else {
		finish(w, *result);
	}
	end(w);
	return rc;
}

/* -------------------------------------------------------------- other calls */

int connect_look(struct connect_host *h, const struct connect_info *info,
		 const struct connect_options *o, json_t **result,
		 char text[CONNECT_TEXT])
{
	struct work *w;
	int rc = begin(h, info, o, &w, text);

	*result = NULL;
	if (rc < 0)
		return rc;
	if (w->side == CONNECT_USER) {
		rc = user_look(h, info, &w->options, result, text);
	} else {
		rc = kernel_look(&w->stand, text);
		if (rc == 0)
			*result = kernel_report(&w->stand);
	}
	if (rc == 0)
		finish(w, *result);
	end(w);
	return rc;
}

int connect_release(struct connect_host *h, const struct connect_info *info,
		    const struct connect_options *o, bool force,
		    char text[CONNECT_TEXT])
{
	struct work *w;
	int rc = begin(h, info, o, &w, text);

	if (rc < 0)
		return rc;
	if (w->side == CONNECT_USER)
		rc = user_release(h, info, &w->options, force, text);
	else
		rc = kernel_release(&w->stand, force, text);
	if ((rc == 0 || force) && !w->taken)
		connect_record_remove(h, info->name);
	end(w);
	return rc;
}

int connect_extend(struct connect_host *h, const struct connect_info *info,
		   const struct connect_options *o, uint64_t *bytes,
		   char text[CONNECT_TEXT])
{
	struct work *w;
	int rc = begin(h, info, o, &w, text);

	if (rc < 0)
		return rc;
	if (w->side == CONNECT_USER)
		rc = user_extend(h, info, &w->options,
				 w->known ? w->last.size : 0, bytes, text);
	else
		rc = kernel_extend(&w->stand, bytes, text);
	if (rc == 0 && w->known) {
		w->options = w->last.options;
		rc = write_record(w, w->last.path, *bytes, text);
	}
	end(w);
	return rc;
}

int connect_find(struct connect_host *h, const char *name_or_device,
		 struct connect_info *out, struct connect_options *o,
		 char text[CONNECT_TEXT])
{
	struct connect_record *r = malloc(sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	rc = connect_record_find(h, name_or_device, r, text);
	if (rc == 0) {
		*out = r->info;
		o->side = r->side;
		if (r->side == CONNECT_USER)
			snprintf(o->file, sizeof(o->file), "%s", r->path);
	}
	free(r);
	return rc;
}
