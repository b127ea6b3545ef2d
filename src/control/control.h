/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control: the resources of one hawserd and their rules.
 *
 * A *file system* is a tree of files in an engine below DIR/fs.  A *mount
 * target* is an address in a subnet on which one file system is served; all
 * mount targets of a file system are one NFS server to its clients.  Both are
 * records in the store: control_create() brings back all that was there, and
 * finishes the deletions that the last process left unfinished.
 *
 * Every change is on disk when the call returns 0.  Creation that is cut short
 * by a crash leaves nothing behind; deletion goes on after it.
 *
 * All calls are made from tasks of one reactor, the one that created it, and
 * may park.  Results are copies.  A call that fails returns a negative errno
 * and says in *err what was refused and why, for whoever asked.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/subnet.h"

struct access_keys;
struct control;
struct nfs_server_stats;
struct reactor_set;
struct store;

enum {
	CONTROL_ID_SIZE = 32,
	CONTROL_NAME_MAX = 256, /* bytes of UTF-8 */
	CONTROL_FS_MAX = 1000,
	CONTROL_TARGETS_MAX = 32,    /* of one file system */
	CONTROL_POINTS_MAX = 100000, /* access points of one file system */
	CONTROL_GROUPS_MAX = 5,	     /* security groups of a mount target */
	CONTROL_TAGS_MAX = 50,
	CONTROL_SUBNETS_MAX = 256,
	CONTROL_PORT = 2049, /* unless told otherwise */
};

struct control_error {
	const char *code; /* as the EFS API spells it: "FileSystemNotFound" */
	char text[400];
	/* The resource that is in the way, and how the EFS API names its id:
	 * "FileSystemId"; "" if there is none. */
	char resource[CONTROL_ID_SIZE];
	const char *resource_is;
};

/*
 *	creating ──▶ available ──▶ deleting ──▶ (gone)
 *	                 │ ▲
 *	                 ▼ │  mount targets only, on request
 *	                down
 *
 * error: it exists, but could not be brought back at this start (the log says
 * why); it can be deleted.  A mount target is tried again until its address can
 * be listened on.
 */
enum control_state {
	CONTROL_CREATING,
	CONTROL_AVAILABLE,
	CONTROL_DOWN,
	CONTROL_DELETING,
	CONTROL_ERROR,
};
const char *control_state_name(enum control_state s);

/*
 * Attributes: what a resource was told to be, as a JSON object whose members
 * are those of the EFS API ("ThroughputMode", "Tags", …).  Who sets them has
 * checked them; control keeps them, and acts on some:
 *
 *	file system	CreationToken	unique; its id if absent
 *			Zone		it is in that zone only
 *	access point	ClientToken	unique in its file system
 *			PosixUser, RootDirectory
 *	mount target	SecurityGroups
 *	all		Tags		"Name" is the name
 *
 * Of the tags of a file system, CONTROL_QUOTA_* bound what it may hold, and of
 * an access point what is below its root: decimal numbers.  0 is no limit; an
 * access point has its content counted, then.
 */
#define CONTROL_QUOTA_BYTES "hawser:quota-bytes"
#define CONTROL_QUOTA_FILES "hawser:quota-files"

struct control_fs {
	char id[CONTROL_ID_SIZE]; /* fs-… */
	char name[CONTROL_NAME_MAX + 1];
	enum control_state state;
	nsec created; /* time of day */
	unsigned mount_targets;
	uint64_t used_bytes, used_files; /* 0 unless available */
	const json_t *attributes;	 /* borrowed until the caller parks */
};

struct control_mount_target {
	char id[CONTROL_ID_SIZE]; /* fsmt-… */
	char fs[CONTROL_ID_SIZE];
	char subnet[SUBNET_ID_SIZE];
	char zone[SUBNET_ZONE_SIZE];
	enum control_state state;
	nsec created; /* time of day */
	struct addr address;
	const json_t *attributes; /* borrowed until the caller parks */
};

struct control_access_point {
	char id[CONTROL_ID_SIZE]; /* fsap-… */
	char fs[CONTROL_ID_SIZE];
	nsec created;		  /* time of day */
	const json_t *attributes; /* borrowed until the caller parks */
};

/* What is behind an alarm's action: one of the two. */
struct control_action {
	const char *arn;     /* "*": any other */
	const char *command; /* for sh -c */
	const char *webhook; /* http://ADDRESS:PORT/… */
};

/* Who is at the other end of a TLS connection to a mount target? */
enum { CONTROL_PRINCIPAL_SIZE = 65 };
struct control_client {
	const char *fs, *region; /* of the file system */
	const struct addr *peer;
	const uint8_t *certificate; /* DER; len 0: none */
	size_t certificate_len;
};
struct control_client_identity {
	char principal[CONTROL_PRINCIPAL_SIZE]; /* a key's user; "": nobody */
	char key[CONTROL_ID_SIZE];		/* the key's id */
	char access_point[CONTROL_ID_SIZE];	/* "": the root */
	bool direct; /* no tunnel: it knows its own connections */
};
/* NULL, or why it is refused, which is also logged.  Any thread; must not park.
 */
typedef const char *control_identify_fn(void *arg,
					const struct control_client *client,
					struct control_client_identity *out);

struct control_options {
	const char *directory;	      /* of hawserd's state; borrowed */
	struct store *store;	      /* borrowed */
	const struct subnet *subnets; /* copied; they do not overlap */
	size_t n_subnets;
	struct reactor_set *reactors; /* that serve connections; borrowed */
	nsec lease;	  /* of NFS clients; 0: nfs/server's default */
	bool root_squash; /* see nfs/server/server.h */
	nsec period;	  /* of metering; 0: a minute */
	/* Bytes a second of elastic file systems; 0: no limit. */
	double elastic_limit;
	/* A second, of those that are generalPurpose; 0: EFS's figure (see
	 * meter/throughput.h), < 0: no limit. */
	double operations;
	const struct control_action *actions; /* borrowed */
	size_t n_actions;
	/* TLS at mount targets; NULL: none.  Borrowed. */
	const struct tls_certificate *tls;
	control_identify_fn *identify; /* NULL: certificates say nothing */
	void *identify_arg;
	struct access_keys *keys; /* their policies; NULL: none.  Borrowed. */
};

int control_create(const struct control_options *options, struct control **out);
/* Stops serving; the resources stay on disk. */
void control_destroy(struct control *c);

size_t control_subnets(const struct control *c, const struct subnet **list);

/* `name` may be NULL, and need not be unique. */
int control_fs_create(struct control *c, const char *name,
		      struct control_fs *out, struct control_error *err);
/* The same by attributes, which are copied. */
int control_fs_create_as(struct control *c, const json_t *attributes,
			 struct control_fs *out, struct control_error *err);
/* Changes a copy of the attributes, which is in force and on disk if the
 * function returns 0; else what it returns is returned.  It must not park. */
typedef int control_change_fn(void *arg, json_t *attributes,
			      struct control_error *err);
int control_fs_change(struct control *c, const char *id, control_change_fn *fn,
		      void *arg, struct control_fs *out,
		      struct control_error *err);
/* Refused as long as it has mount targets.  Its data goes in the background:
 * until that is done the file system is listed as deleting. */
int control_fs_delete(struct control *c, const char *id,
		      struct control_error *err);
/* All, oldest first, or the one with this id, as a malloc'ed array for the
 * caller to free: how many, or -errno. */
int control_fs_list(struct control *c, const char *id, struct control_fs **list,
		    struct control_error *err);

/* What its server has done since this start; see nfs/server/server.h. */
int control_fs_stats(struct control *c, const char *id,
		     struct nfs_server_stats *out, struct control_error *err);

/* Calls fn for each connection to it, as nfs_server_for_each_connection(). */
int control_fs_each_connection(struct control *c, const char *id,
			       void (*fn)(void *arg, const struct addr *local,
					  const struct addr *peer, nsec since),
			       void *arg, struct control_error *err);

struct control_mount_target_spec {
	const char *fs;
	const char *subnet;  /* NULL: the address's; without an address, one in
				which the file system has the fewest */
	const char *address; /* NULL: a free one of the subnet */
	int port;	     /* 0: CONTROL_PORT */
	bool one_per_zone;   /* refused if there is one in the zone, or in
				another VPC */
	bool may_wait;	     /* any address of the subnet will do, also one that
				this host does not have yet */
	const json_t *attributes; /* copied; NULL: none */
};
/* It serves when this returns; on an address that was asked for and is not
 * there yet, as soon as it appears. */
int control_mount_target_create(struct control *c,
				const struct control_mount_target_spec *spec,
				struct control_mount_target *out,
				struct control_error *err);
/* Connections to it are reset. */
int control_mount_target_delete(struct control *c, const char *id,
				struct control_error *err);
/* down: resets connections and refuses new ones, until it is up again, also
 * after a restart. */
int control_mount_target_set_state(struct control *c, const char *id, bool up,
				   struct control_mount_target *out,
				   struct control_error *err);
int control_mount_target_change(struct control *c, const char *id,
				control_change_fn *fn, void *arg,
				struct control_mount_target *out,
				struct control_error *err);
/* All, or those of a file system, or the one with this id; as above. */
int control_mount_target_list(struct control *c, const char *id, const char *fs,
			      struct control_mount_target **list,
			      struct control_error *err);

int control_access_point_create(struct control *c, const char *fs,
				const json_t *attributes,
				struct control_access_point *out,
				struct control_error *err);
int control_access_point_delete(struct control *c, const char *id,
				struct control_error *err);
int control_access_point_change(struct control *c, const char *id,
				control_change_fn *fn, void *arg,
				struct control_access_point *out,
				struct control_error *err);
int control_access_point_find(struct control *c, const char *id,
			      struct control_access_point *out,
			      struct control_error *err);
/* What is below its root, O(1). */
struct control_usage {
	uint64_t max_bytes, max_files; /* 0: no limit */
	uint64_t used_bytes, used_files;
	bool counting; /* there may be more */
};
/* -ENOENT: it has no quota, and so is not counted. */
int control_access_point_usage(struct control *c, const char *id,
			       struct control_usage *out);
/* Those that were created after `after`, oldest first, up to `max` of them: how
 * many.  fs NULL: of all file systems. */
int control_access_point_list(struct control *c, const char *fs, nsec after,
			      struct control_access_point *list, int max,
			      struct control_error *err);

#endif
