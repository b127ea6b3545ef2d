/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside control/: the objects, who owns them, and the calls between files.
 *
 * The control owns its file systems, a file system its mount targets; all are
 * freed with the owner or when their deletion is done.  Everything here belongs
 * to one reactor.  `lock` is held for writing by whatever changes the lists or
 * an object, parking included, and for reading by whatever walks them and may
 * park meanwhile; what does not park needs no lock.
 */
#ifndef CONTROL_INTERNAL_H
#define CONTROL_INTERNAL_H

#include "base/htable.h"
#include "base/list.h"
#include "control/control.h"
#include "control/door.h"
#include "control/rights.h"
#include "control/thing.h"
#include "meter/throughput.h"
#include "nfs/server/server.h"
#include "reactor/task.h"

struct engine;
struct nfs_server;

struct control {
	const char *directory;
	struct store *store;
	struct reactor_set *reactors;
	struct subnet *subnets; /* CONTROL_SUBNETS_MAX */
	size_t n_subnets;
	json_t *things[THING_KINDS]; /* objects by id; see thing.h */
	nsec lease;
	bool root_squash;
	nsec period;
	double elastic_limit, operations; /* a second; 0: none */
	json_t *alarms;			  /* by name; see alarm.h */
	struct task_rwlock alarms_lock;	  /* who changes them; inside `lock` */
	const struct control_action *actions;
	size_t n_actions;
	unsigned n_actions_running;
	const struct tls_certificate *tls;
	control_identify_fn *identify;
	void *identify_arg;
	struct access_keys *keys; /* or NULL */
	struct door door; /* to the console */

	struct task_rwlock lock;
	struct list fs; /* oldest first */
	unsigned n_fs;
	struct list points; /* oldest first, of all file systems */
	struct htable points_by_id, points_by_token;
	nsec newest; /* `created` of what is youngest */

	/* Tasks that go on behind the calls; control_destroy() waits for
	 * them.  The queue is woken when one has ended or all should. */
	unsigned background;
	struct waitq background_changed;
	bool stopping; /* atomic; read by worker threads */
	bool starting; /* a task tries addresses that are not there yet */
};

struct fs {
	struct list link;
	struct control *control;
	char id[CONTROL_ID_SIZE];
	char name[CONTROL_NAME_MAX + 1];
	enum control_state state;
	nsec created;
	uint8_t handle_key[16]; /* see nfs/server/server.h */
	bool has_key;		/* false: of a record from before there were */
	json_t *attributes;	/* never NULL */
	char region[65];	/* in which it was created; see fs_start() */
	pthread_mutex_t policy_lock; /* innermost; of: */
	json_t *policy;		     /* in force; NULL: none */
	struct list targets;
	unsigned n_targets, n_points;
	struct throughput_rule throughput; /* as the server knows it */
	struct nfs_server_stats sampled;   /* at the end of the last period */
	struct engine *engine;		   /* NULL unless available */
	struct nfs_server *server;	   /* NULL unless available */
};

struct mount_target {
	struct list link;
	struct fs *fs;
	char id[CONTROL_ID_SIZE];
	char subnet[SUBNET_ID_SIZE];
	char zone[SUBNET_ZONE_SIZE];
	nsec created;
	struct addr address;
	json_t *attributes; /* never NULL */
	bool want_up;	    /* as it was asked for; kept on disk */
	bool is_up;	    /* its address is listened on */
	bool deleting;	    /* its record is being removed */
};

struct access_point {
	struct list link; /* control.points */
	struct hnode by_id, by_token;
	struct fs *fs;
	char id[CONTROL_ID_SIZE];
	nsec created;
	json_t *attributes; /* never NULL */
};

/* `created` of something new: the time of day, but after that of all that is
 * there, wherever the clock was set, as pages of lists go by it. */
nsec created_now(struct control *c);
/* Something that was there has this one. */
void created_before(struct control *c, nsec created);

/* Fills *err, and returns `error` for the caller to return. */
__attribute__((format(printf, 4, 5))) int refuse(struct control_error *err,
						 int error, const char *code,
						 const char *format, ...);
/* prefix + 17 random hex digits, as AWS makes them. */
void make_id(char id[CONTROL_ID_SIZE], const char *prefix);

/* A task that control_destroy() waits for, and that ends by background_end().
 * 0 or -errno. */
int background_start(struct control *c, const char *name, task_fn *fn,
		     void *arg);
void background_end(struct control *c);

/* restore.c */
int restore(struct control *c);
/* Mount targets that should be up and are not are tried in the background. */
void start_targets_later(struct control *c);

/* attributes.c: the member's text; "" if there is none. */
const char *attribute(const json_t *attributes, const char *name);
/* The value of a tag; NULL: there is none. */
const char *attribute_tag(const json_t *attributes, const char *key);
/* Runs fn on a copy; a new reference in *changed. */
int attributes_change(const json_t *attributes, control_change_fn *fn,
		      void *arg, json_t **changed, struct control_error *err);

/* thing.c */
int things_load(struct control *c);
void things_free(struct control *c);
/* rights.c */
nfs_rights_fn fs_rights; /* `arg` is the file system */
nfs_identify_fn fs_identify; /* the same */
/* Of its attributes, from now on. */
void fs_set_policy(struct fs *fs);
void point_arn(const struct access_point *p, char arn[RIGHTS_ARN_SIZE]);
/* group.c: nfs_server_options.admits; `arg` is the file system. */
bool target_admits(void *arg, const struct addr *local,
		   const struct addr *peer);

/* fs.c */
struct fs *fs_find(struct control *c, const char *id);
struct fs *fs_find_live(struct control *c, const char *id);
int fs_not_found(struct control_error *err, const char *id);
int fs_not_available(struct control_error *err, const struct fs *fs);
/* DIR/fs/ID, or DIR/fs for id ""; in buf. */
enum { FS_PATH_SIZE = 4096 };
const char *fs_path(const struct control *c, const char *id,
		    char buf[FS_PATH_SIZE]);
struct fs *fs_alloc(struct control *c);
void fs_free(struct fs *fs); /* its targets, too */
void fs_insert(struct fs *fs);
void fs_set_name(struct fs *fs);
void fs_make_key(struct fs *fs);
/* throughput.c: what its attributes say; how much it holds. */
void fs_set_throughput(struct fs *fs);
void fs_set_stored(struct fs *fs);
void fs_load_credits(struct fs *fs);
/* Of all file systems; control.lock is held. */
void credits_save(struct control *c);
int credits_forget(const struct fs *fs);
int metering_start(struct control *c);
/* sample.c: a row of metrics, of the period that began at `time`. */
void fs_sample(struct fs *fs, int64_t time, double seconds);
/* alarm.c */
int alarms_load(struct control *c);
/* What has become due since `before` (seconds since 1970). */
void alarms_evaluate(struct control *c, int64_t before, int64_t now);
void alarm_acted(struct control *c, const char *name, json_t *summary);
/* What its NFS server goes by. */
void fs_uuid(const struct fs *fs, uint8_t uuid[16]);
/* Opens the engine and starts a server without addresses. */
int fs_start(struct fs *fs);
void fs_stop(struct fs *fs);

/* fs_remove.c: removes data and record of a file system that is stopped and
 * whose record says so (creating or deleting), and frees it. */
void fs_remove_in_background(struct fs *fs);

/* mount_target.c */
struct mount_target *target_alloc(struct fs *fs, nsec created);
void target_free(struct mount_target *t);
int target_listen(struct mount_target *t);
/* Tells clients which addresses lead here, after the list has changed. */
void targets_publish(struct fs *fs);

/* quota.c: what tags say. */
void fs_set_quota(struct fs *fs);
int point_set_quota(const struct access_point *p);
int point_clear_quota(const struct access_point *p);
/* May an access point have the quota that its attributes say?  `self` and its
 * attributes of before are NULL for a new one. */
int point_check_quota(const struct fs *fs, const struct access_point *self,
		      const json_t *before, const json_t *attributes,
		      struct control_error *err);
/* The file system has started, and all its points are there. */
void fs_drop_quotas(struct fs *fs);

/* access_point.c */
struct access_point *point_alloc(struct fs *fs, const char *id, nsec created,
				 json_t *attributes); /* taken */
void point_free(struct access_point *p);
struct access_point *point_find(struct control *c, const char *id);
/* export.c: the way in that a point is; which is known by a number. */
uint64_t point_number(const char *id);
int point_export(const struct access_point *p);
void point_unexport(const struct access_point *p);
/* Forgets those of a file system, which is locked for writing. */
int points_remove(struct fs *fs);
/* Puts those that were loaded in order. */
int points_sort(struct control *c);

/* place.c: what a spec asks for, looked up. */
struct place {
	const struct subnet *subnet; /* never NULL */
	struct addr address;	     /* len 0: any of the subnet */
	int port;
	bool may_wait;
};
/* Some address of the subnet that no mount target has, whether or not this host
 * has it.  As on AWS, the first four and the last are not taken. */
bool place_pick(struct control *c, const struct place *place, struct addr *out);
int place_find(struct fs *fs, const struct control_mount_target_spec *spec,
	       struct place *place, struct control_error *err);
/* Some mount target has this address, with whatever port. */
bool place_host_in_use(struct control *c, const struct addr *a);

/* record.c: the objects as JSON in the store. */
int fs_save(const struct fs *fs);
int fs_forget(const struct fs *fs);
int target_save(const struct mount_target *t);
int target_forget(const struct mount_target *t);
int point_save(const struct access_point *p);
int point_forget(const struct access_point *p);
struct store_change;
int points_forget(struct control *c, const struct store_change *ids, size_t n);
/* Adds all that is in the store, stopped. */
int records_load(struct control *c);

#endif
