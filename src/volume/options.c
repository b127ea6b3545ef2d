/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "volume/internal.h"

static int set_text(char *to, size_t size, const char *key, const char *value,
		    char text[VOLUME_TEXT])
{
	if (value[0] == '\0' || strlen(value) >= size)
		return refuse_with(text, -EINVAL, "%s: it has 1 to %zu bytes",
				   key, size - 1);
	strcpy(to, value);
	return 1;
}

/* The name of a file, from the root: when it is opened, the process may be
 * another that has gone elsewhere. */
static int set_file(char to[PATH_MAX], const char *key, const char *value,
		    char text[VOLUME_TEXT])
{
	char here[PATH_MAX];

	if (value[0] == '\0' || value[0] == '/')
		return set_text(to, PATH_MAX, key, value, text);
	if (getcwd(here, sizeof(here)) == NULL)
		return refuse_with(text, -EINVAL,
				   "%s: the present directory: %s", key,
				   strerror(errno));
	if (snprintf(to, PATH_MAX, "%s/%s", here, value) >= PATH_MAX)
		return refuse_with(text, -EINVAL,
				   "%s: the file's whole name is too long",
				   key);
	return 1;
}

/* ------------------------------------------------------------------- members
 */

static struct volume_member *last(struct volume_options *o)
{
	return o->n_members > 0 ? &o->members[o->n_members - 1] : NULL;
}

/* Members of a kind: `most` of them, and none of another. */
static int add_member(struct volume_options *o, enum volume_kind kind,
		      unsigned most, const char *key, const char *value,
		      char text[VOLUME_TEXT])
{
	if (o->n_members > 0 && o->kind != kind)
		return refuse_with(
			text, -EINVAL,
			"subnqn, dm-replica and volume-replica exclude "
			"each other");
	if (o->n_members == most)
		return refuse_with(text, -EINVAL, "%s: at most %u of them", key,
				   most);
	o->kind = kind;
	o->n_members++;
	return set_text(last(o)->subnqn, VOLUME_NQN_SIZE, key, value, text);
}

static int set_subnqn(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	return add_member(o, VOLUME_PLAIN, 1, key, value, text);
}

static int set_volume_replica(struct volume_options *o, const char *key,
			      const char *value, char text[VOLUME_TEXT])
{
	return add_member(o, VOLUME_MIRROR, VOLUME_MEMBERS_MAX, key, value,
			  text);
}

static int set_dm_replica(struct volume_options *o, const char *key,
			  const char *value, char text[VOLUME_TEXT])
{
	return add_member(o, VOLUME_SHARED, VOLUME_MEMBERS_MAX, key, value,
			  text);
}

static int set_bitmap(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	return set_file(o->bitmap, key, value, text);
}

static int set_create(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	return set_file(o->bitmap_create, key, value, text);
}

static int set_path(struct volume_options *o, const char *key,
		    const char *value, char text[VOLUME_TEXT])
{
	struct volume_member *m = last(o);

	if (m == NULL)
		return refuse_with(text, -EINVAL,
				   "%s: it comes after subnqn or a replica",
				   key);
	if (m->n_paths == VOLUME_PATHS_MAX)
		return refuse_with(text, -EINVAL, "%s: there are at most %d",
				   key, VOLUME_PATHS_MAX);
	if (addr_parse(&m->paths[m->n_paths], value, 4420) < 0 ||
	    m->paths[m->n_paths].sa.sa_family == AF_UNIX)
		return refuse_with(text, -EINVAL,
				   "%s: not an IP address: %.100s", key, value);
	m->n_paths++;
	return 1;
}

static int set_volume(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	struct volume_member *m = last(o);

	if (m == NULL)
		return refuse_with(text, -EINVAL,
				   "%s: it comes after subnqn or a replica",
				   key);
	if (m->n_ids == VOLUME_IDS_MAX)
		return refuse_with(text, -EINVAL, "%s: at most %d of them", key,
				   VOLUME_IDS_MAX);
	return set_text(m->ids[m->n_ids++], VOLUME_ID_SIZE, key, value, text);
}

/* ------------------------------------------------------------------ the rest
 */

static int set_hostnqn(struct volume_options *o, const char *key,
		       const char *value, char text[VOLUME_TEXT])
{
	return set_text(o->hostnqn, sizeof(o->hostnqn), key, value, text);
}

static int set_hostid(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	if (!uuid_parse(value, o->hostid))
		return refuse_with(text, -EINVAL, "%s: not a UUID: %.100s", key,
				   value);
	return 1;
}

/* SPDK's two, or any of path/. */
static int set_policy(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	static const char *const known[] = { "active-passive", "round-robin",
					     "queue-depth", "service-time" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(value, known[i]) == 0)
			return set_text(o->policy, sizeof(o->policy), key,
					value, text);
	return refuse_with(text, -EINVAL,
			   "%s: %.40s is not active-passive, round-robin, "
			   "queue-depth or service-time",
			   key, value);
}

static int set_seconds(int *to, const char *key, const char *value,
		       char text[VOLUME_TEXT])
{
	char *end;
	long n = strtol(value, &end, 10);

	if (end == value || *end != '\0' || n < -1 || n > 86400)
		return refuse_with(text, -EINVAL,
				   "%s: not a number of seconds: %.40s", key,
				   value);
	*to = (int)n;
	return 1;
}

static int set_loss(struct volume_options *o, const char *key,
		    const char *value, char text[VOLUME_TEXT])
{
	return set_seconds(&o->ctrlr_loss_timeout_sec, key, value, text);
}

static int set_delay(struct volume_options *o, const char *key,
		     const char *value, char text[VOLUME_TEXT])
{
	return set_seconds(&o->reconnect_delay_sec, key, value, text);
}

static int set_fast(struct volume_options *o, const char *key,
		    const char *value, char text[VOLUME_TEXT])
{
	return set_seconds(&o->fast_io_fail_timeout_sec, key, value, text);
}

static int set_discover(struct volume_options *o, const char *key,
			const char *value, char text[VOLUME_TEXT])
{
	if (!is_one_of(value, "yes|no"))
		return refuse_with(text, -EINVAL, "%s is yes or no", key);
	o->named_only = value[0] == 'n';
	return 1;
}

static int set_dhchap(struct volume_options *o, const char *key,
		      const char *value, char text[VOLUME_TEXT])
{
	return set_file(o->dhchap_key, key, value, text);
}

static int set_dhchap_ctrlr(struct volume_options *o, const char *key,
			    const char *value, char text[VOLUME_TEXT])
{
	return set_file(o->dhchap_ctrlr_key, key, value, text);
}

static int set_tls(struct volume_options *o, const char *key, const char *value,
		   char text[VOLUME_TEXT])
{
	return set_file(o->tls_key, key, value, text);
}

static const struct {
	const char *key, *shown, *help;
	int (*set)(struct volume_options *o, const char *key, const char *value,
		   char text[VOLUME_TEXT]);
} table[] = {
	{ "subnqn", "NQN", "the subsystem that has the volume", set_subnqn },
	{ "path", "ADDR[:PORT]", "a way to it; each one more", set_path },
	{ "volume", "ID", "UUID, NGUID or number, where there are several",
	  set_volume },
	{ "dm-replica", "NQN", "of several that hold the same, kept so by them",
	  set_dm_replica },
	{ "volume-replica", "NQN", "of several subsystems, each with a copy",
	  set_volume_replica },
	{ "bitmap", "FILE", "what each copy lacks", set_bitmap },
	{ "bitmap-create", "FILE", "a new one: copies the first over the rest",
	  set_create },
	{ "policy", "NAME",
	  "active-passive, round-robin, queue-depth, service-time",
	  set_policy },
	{ "hostnqn", "NQN", "this host's name", set_hostnqn },
	{ "hostid", "UUID", "its identifier", set_hostid },
	{ "ctrlr-loss-timeout", "SEC", "a lost path is given up; -1: never",
	  set_loss },
	{ "reconnect-delay", "SEC", "between attempts", set_delay },
	{ "fast-io-fail-timeout", "SEC", "until requests without a path fail",
	  set_fast },
	{ "discover", "yes|no", "use addresses that its target tells of; yes",
	  set_discover },
	{ "dhchap-key", "FILE", "DH-HMAC-CHAP: this host's key", set_dhchap },
	{ "dhchap-ctrlr-key", "FILE", "the controller's", set_dhchap_ctrlr },
	{ "tls-key", "FILE", "TLS: the key both have", set_tls },
};

int volume_option(struct volume_options *o, const char *key, const char *value,
		  char text[VOLUME_TEXT])
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(key, table[i].key) == 0)
			return table[i].set(o, key, value, text);
	return 0;
}

void volume_options_help(const char *prefix)
{
	char option[64];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		snprintf(option, sizeof(option), "%s%s=%s", prefix,
			 table[i].key, table[i].shown);
		printf("  %-28s  %s\n", option, table[i].help);
	}
}

static int check_mirror(const struct volume_options *o, char text[VOLUME_TEXT])
{
	bool given = o->bitmap[0] != '\0', create = o->bitmap_create[0] != '\0';

	if (o->kind != VOLUME_MIRROR)
		return given || create
			       ? refuse_with(text, -EINVAL,
					     "a bitmap is for volume-replica")
			       : 0;
	if (o->n_members < 2)
		return refuse_with(text, -EINVAL,
				   "volume-replica: at least two of them");
	if (given && create)
		return refuse_with(text, -EINVAL,
				   "bitmap and bitmap-create exclude each "
				   "other");
	if (!given && !create)
		return refuse_with(text, -EINVAL,
				   "volume-replica needs bitmap=FILE, which "
				   "knows what each of them lacks; for new "
				   "ones, bitmap-create=FILE");
	return 0;
}

int volume_options_check(const struct volume_options *o, char text[VOLUME_TEXT])
{
	if (o->n_members == 0)
		return refuse_with(text, -EINVAL, "subnqn is needed");
	for (unsigned i = 0; i < o->n_members; i++)
		if (o->members[i].n_paths == 0)
			return refuse_with(text, -EINVAL,
					   "%s: a path is needed",
					   o->members[i].subnqn);
	return check_mirror(o, text);
}
