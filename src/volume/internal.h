/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of volume/ share.
 *
 *	options.c  what a user says
 *	volume.c   attaches it, and lets it go
 *	discover.c addresses that nobody has named
 *	io.c	   any range of bytes as requests of whole blocks
 *	edge.c	   blocks of which only a part is written
 *	replicas.c a mirror, whose legs are members
 *	bitmap.c   … and the file with its map
 *	report.c   how its paths are
 */
#ifndef VOLUME_INTERNAL_H
#define VOLUME_INTERNAL_H

#include "base/range.h"
#include "base/refuse.h"
#include "reactor/reactor.h"
#include "status/status.h"
#include "volume/request.h"

/* A path that is wanted: attached, or tried again from time to time. */
struct volume_way {
	struct addr addr;
	bool attached;
};

/* A subsystem with the volume, or a copy of it. */
struct member {
	struct volume *volume;
	const struct volume_member *options;
	char name[24];		   /* of its controllers */
	struct nvmei_volume *nvme; /* NULL: not found yet */
	struct volume_way ways[VOLUME_PATHS_MAX];
	/* discover.c */
	struct nvmei_discovery *watch; /* NULL: nobody was asked yet */
	nsec ask_again;
};

struct volume {
	struct volume_options options;
	char hostnqn[VOLUME_NQN_SIZE];
	struct nvmei *host;
	struct member members[VOLUME_MEMBERS_MAX];
	unsigned n_members;
	struct nvmei_volume *nvme; /* of the first member that was found */
	struct replicas *replicas; /* MIRROR; NULL: `nvme` is all */

	struct range_lock blocks; /* of what is being written */
	struct status *status;
	char where[PATH_MAX];

	bool closing;
	unsigned tasks;	     /* that attach what is missing, or new */
	struct waitq change; /* of the two above */
};

/* volume.c: the namespace of a member whose controllers are attached; sets
 * m->nvme.  0, or -errno with text. */
int member_find(struct member *m, char text[VOLUME_TEXT]);
/* What a member is attached with.  The keys are in the caller's memory, who
 * wipes it. */
enum { MEMBER_KEY_MAX = 512 };
struct member_keys {
	char host[MEMBER_KEY_MAX], ctrlr[MEMBER_KEY_MAX], tls[MEMBER_KEY_MAX];
};
int member_attachment(const struct member *m, const struct addr *addr,
		      struct member_keys *keys, struct nvmei_attach *out,
		      char text[VOLUME_TEXT]);

/* discover.c: a task, until v->closing. */
void discover_task(void *volume);

/* replicas.c: the members of a mirror. */
struct replicas;
int replicas_open(struct volume *v, struct replicas **out,
		  char text[VOLUME_TEXT]);
void replicas_close(struct replicas *r); /* parks */
void replicas_submit(struct replicas *r, struct volume_request *q);
/* Another member has been found. */
void replicas_found(struct replicas *r, unsigned leg);
uint64_t replicas_size(const struct replicas *r);
uint64_t replicas_region(const struct replicas *r); /* bytes */
/* How that leg is. */
void replicas_report(const struct replicas *r, unsigned leg, json_t *into);

/* bitmap.c: the file of a mirror's map. */
struct bitmap_identity {
	uint64_t size;
	uint32_t legs;
	struct {
		char subnqn[VOLUME_NQN_SIZE];
		uint8_t uuid[16], nguid[16];
	} leg[VOLUME_MEMBERS_MAX];
};
struct bitmap;
/* Makes one (-EEXIST), or opens it (-EBUSY: another process has it); parks.  A
 * leg that is not known yet has no identity in `id` but its subsystem, and gets
 * it from the file; others have to be the same.  0, or -errno with text. */
int bitmap_create(const char *path, const struct bitmap_identity *id,
		  struct bitmap **out, char text[VOLUME_TEXT]);
int bitmap_open(const char *path, struct bitmap_identity *id,
		struct bitmap **out, char text[VOLUME_TEXT]);
void bitmap_close(struct bitmap *b);
/* Is that leg the one that the file was made for? */
bool bitmap_matches(const struct bitmap *b, const struct bitmap_identity *id,
		    unsigned leg);
/* As it was opened; there is more in a byte than the mirror's bits. */
const uint8_t *bitmap_map(const struct bitmap *b);
int bitmap_save(struct bitmap *b, const void *bytes, uint32_t offset,
		uint32_t len); /* parks; on disk when it returns 0 */

/* Blocks of a volume that a task holds while it writes them; parks. */
struct volume_hold {
	struct range_hold range;
	struct completion granted;
};
void volume_take(struct volume *v, struct volume_hold *h, uint64_t offset,
		 uint64_t len, bool shared);
void volume_release(struct volume *v, struct volume_hold *h);

/* edge.c: `len` bytes of one block, of which they are not all.  data NULL:
 * zeroes. */
int edge_write(struct volume *v, const void *data, size_t len, uint64_t offset,
	       unsigned flags);
int edge_read(struct volume *v, void *data, size_t len, uint64_t offset);

/* io.c: whole blocks. */
int blocks_do(struct volume *v, enum block_op op, void *buf, uint64_t len,
	      uint64_t offset, unsigned flags);

#endif
