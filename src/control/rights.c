/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rights.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/internal.h"
#include "control/key.h"
#include "nfs/server/server.h"
#include "reactor/reactor.h"

static const struct {
	unsigned right;
	const char *action;
} actions[] = {
	{ NFS_RIGHT_MOUNT, "elasticfilesystem:ClientMount" },
	{ NFS_RIGHT_WRITE, "elasticfilesystem:ClientWrite" },
	{ NFS_RIGHT_ROOT, "elasticfilesystem:ClientRootAccess" },
};

/* A question as the policy gets it. */
struct asked {
	struct policy_request r;
	struct policy_key keys[8];
	char resource[RIGHTS_ARN_SIZE], principal[RIGHTS_ARN_SIZE];
	char time[32];
};

static void add_key(struct asked *a, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		a->keys[a->r.n_keys++] = (struct policy_key){ name, value };
}

static void ask(struct asked *a, const char *fs, const char *point_arn,
		const char *source_ip, bool secure)
{
	struct timespec now = nsec_to_timespec(reactor_realtime());
	struct tm tm;

	memset(a, 0, sizeof(*a));
	a->r.account = CONTROL_ACCOUNT;
	a->r.resource = a->resource;
	a->r.keys = a->keys;
	snprintf(a->resource, sizeof(a->resource),
		 "arn:aws:elasticfilesystem:" CONTROL_REGION ":" CONTROL_ACCOUNT
		 ":file-system/%s",
		 fs);
	gmtime_r(&now.tv_sec, &tm);
	strftime(a->time, sizeof(a->time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	add_key(a, "aws:CurrentTime", a->time);
	add_key(a, "aws:SecureTransport", secure ? "true" : "false");
	add_key(a, "elasticfilesystem:AccessedViaMountTarget", "true");
	add_key(a, "elasticfilesystem:AccessPointArn", point_arn);
	add_key(a, "aws:SourceIp", source_ip);
}

/* Of a user of the API, as a policy names him. */
static void set_principal(struct asked *a, const char *user)
{
	if (user == NULL || user[0] == '\0')
		return;
	snprintf(a->principal, sizeof(a->principal),
		 "arn:aws:iam::" CONTROL_ACCOUNT ":user/%.64s", user);
	a->r.principal = a->principal;
	add_key(a, "aws:PrincipalArn", a->principal);
	add_key(a, "aws:username", user);
}

/* A reference; any thread. */
static json_t *take_policy(struct fs *fs)
{
	json_t *policy;

	pthread_mutex_lock(&fs->policy_lock);
	policy = json_incref(fs->policy);
	pthread_mutex_unlock(&fs->policy_lock);
	return policy;
}

/* The policies that decide, as references: NULL where there is none. */
struct policies {
	json_t *fs, *key;
};

/* false: he has a key that is no more. */
static bool take_policies(struct fs *fs, const char *id, struct policies *out)
{
	struct access_key key;

	*out = (struct policies){ NULL, NULL };
	if (id[0] != '\0' && fs->control->keys != NULL) {
		if (!access_key_find(fs->control->keys, id, &key))
			return false;
		OPENSSL_cleanse(key.secret, sizeof(key.secret));
		out->key = key.policy;
	}
	out->fs = take_policy(fs);
	return true;
}

/* Neither may deny it, and one has to allow it.  A file system without a policy
 * allows everything, and a key without one says nothing. */
static bool may(const struct policies *p, const struct asked *a,
		struct policy_reason *why, const char **whose)
{
	enum policy_decision key = POLICY_NOTHING, fs = POLICY_ALLOW;

	if (p->key != NULL)
		key = policy_evaluate(p->key, &a->r, why);
	*whose = "access key";
	if (key == POLICY_DENY)
		return false;
	*whose = "file system";
	if (p->fs != NULL)
		fs = policy_evaluate(p->fs, &a->r, why);
	return fs == POLICY_ALLOW ||
	       (fs == POLICY_NOTHING && key == POLICY_ALLOW);
}

/* The rule that decided. */
enum { RULE_SIZE = 64 };
static const char *rule_text(const struct policy_reason *r,
			     char text[RULE_SIZE])
{
	if (r->statement == 0)
		snprintf(text, RULE_SIZE, "no statement allows it");
	else
		snprintf(text, RULE_SIZE, "statement %u%s%.24s denies it",
			 (unsigned)r->statement, r->sid ? ", " : "",
			 r->sid ? r->sid : "");
	return text;
}

static void log_why_not(const struct fs *fs, const struct asked *a,
			const char *host, const char *label,
			const struct policy_reason *why)
{
	char rule[RULE_SIZE];

	log_info("%s: %s by %s%s%s%s%s: not allowed by the policy: %s", fs->id,
		 a->r.action, a->r.principal ? a->r.principal : "",
		 a->r.principal ? " at " : "", host, label ? ", " : "",
		 label ? label : "", rule_text(why, rule));
}

/* For the client: the rule that keeps it out. */
static void say_why_not(const struct asked *a, const char *host,
			const char *label, const char *whose,
			const struct policy_reason *r, char why[NFS_WHY_SIZE])
{
	char rule[RULE_SIZE];

	snprintf(why, NFS_WHY_SIZE,
		 "by the policy of the %.12s %.66s at %.46s may not %.16s%s: "
		 "%s",
		 whose, a->r.principal ? a->r.principal : "anybody", host,
		 strchr(a->r.action, ':') + 1, label ? " (access point)" : "",
		 rule_text(r, rule));
}

unsigned fs_rights(void *arg, const char *label, const struct addr *peer,
		   const struct nfs_identity *who, char *why_not)
{
	struct fs *fs = arg;
	struct policy_reason why = {};
	char host[ADDR_TEXT_MAX];
	const char *whose;
	struct policies p;
	unsigned rights = 0;
	struct asked a;

	addr_format_host(peer, host);
	if (!take_policies(fs, who->key, &p)) {
		log_info("%s: %s at %s: access key %s is deleted", fs->id,
			 who->principal, host, who->key);
		if (why_not != NULL)
			snprintf(why_not, NFS_WHY_SIZE,
				 "access key %s is deleted", who->key);
		return 0;
	}
	ask(&a, fs->id, label, host, who->secure);
	set_principal(&a, who->principal);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		a.r.action = actions[i].action;
		if (may(&p, &a, &why, &whose))
			rights |= actions[i].right;
		else if (why_not == NULL)
			log_why_not(fs, &a, host, label, &why);
		else if (actions[i].right == NFS_RIGHT_MOUNT)
			say_why_not(&a, host, label, whose, &why, why_not);
	}
	json_decref(p.fs);
	json_decref(p.key);
	return rights;
}

/* An access point of another file system is none of its server's exports, and
 * so opens nothing. */
static void set_export(const struct fs *fs, const char *point,
		       const struct addr *peer, struct nfs_identity *out)
{
	char host[ADDR_TEXT_MAX];

	out->export = point_number(point);
	if (!nfs_server_has_export(fs->server, out->export))
		log_warn("%s: %s is denied: %s is no access point of this "
			 "file system",
			 fs->id, addr_format(peer, host), point);
}

const char *fs_identify(void *arg, const struct addr *peer,
			const uint8_t *certificate, size_t len,
			struct nfs_identity *out)
{
	const struct fs *fs = arg;
	const struct control *c = fs->control;
	struct control_client_identity who = { 0 };
	const char *why;

	if (c->identify == NULL)
		return NULL;
	why = c->identify(c->identify_arg,
			  &(struct control_client){
				  .fs = fs->id,
				  .region = fs->region,
				  .peer = peer,
				  .certificate = certificate,
				  .certificate_len = len,
			  },
			  &who);
	if (why != NULL)
		return why;
	snprintf(out->principal, sizeof(out->principal), "%s", who.principal);
	snprintf(out->key, sizeof(out->key), "%s", who.key);
	out->tunnel = !who.direct;
	if (who.access_point[0])
		set_export(fs, who.access_point, peer, out);
	return NULL;
}

void fs_set_policy(struct fs *fs)
{
	const char *text = attribute(fs->attributes, "Policy");
	json_t *policy = text[0] ? policy_parse(text) : NULL, *before;

	pthread_mutex_lock(&fs->policy_lock);
	before = fs->policy;
	fs->policy = policy;
	pthread_mutex_unlock(&fs->policy_lock);
	json_decref(before);
	if (fs->server != NULL)
		nfs_server_rights_changed(fs->server);
}

void control_rights_changed(struct control *c)
{
	struct fs *fs;

	list_for_each (fs, &c->fs, link)
		if (fs->server != NULL)
			nfs_server_rights_changed(fs->server);
}

const json_t *control_fs_policy(struct control *c, const char *id)
{
	struct fs *fs = fs_find_live(c, id);

	return fs ? fs->policy : NULL;
}

void point_arn(const struct access_point *p, char arn[RIGHTS_ARN_SIZE])
{
	const char *region = attribute(p->attributes, "Region");

	snprintf(arn, RIGHTS_ARN_SIZE,
		 "arn:aws:elasticfilesystem:%s:" CONTROL_ACCOUNT
		 ":access-point/%s",
		 region[0] ? region : CONTROL_REGION, p->id);
}

int control_explain(struct control *c, const struct rights_question *q,
		    struct rights_answer *out, struct control_error *err)
{
	struct fs *fs = fs_find_live(c, q->fs);
	struct access_point *p = NULL;
	struct policy_reason why;
	char arn[RIGHTS_ARN_SIZE] = "";
	struct asked a;

	memset(out, 0, sizeof(*out));
	if (fs == NULL)
		return fs_not_found(err, q->fs);
	if (q->access_point != NULL) {
		p = point_find(c, q->access_point);
		if (p == NULL || p->fs != fs)
			return refuse(err, -ENOENT, "AccessPointNotFound",
				      "Access Point %.64s does not exist.",
				      q->access_point);
		point_arn(p, arn);
	}
	if (fs->policy == NULL)
		return 0;
	out->has_policy = true;
	ask(&a, fs->id, arn, q->source_ip, false);
	a.r.action = q->action;
	set_principal(&a, q->user);
	out->decision = policy_evaluate(fs->policy, &a.r, &why);
	out->statement = why.statement;
	snprintf(out->sid, sizeof(out->sid), "%s", why.sid ? why.sid : "");
	return 0;
}
