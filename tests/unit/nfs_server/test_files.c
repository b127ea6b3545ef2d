/* SPDX-License-Identifier: Apache-2.0 */
/* Opens, locks, data, directories and attributes, as a client sees them. */
#include <signal.h>
#include <sys/resource.h>

#include "wire.h"

static struct nfs_server_options options = { .lease = SEC(60) };

/* One server, one connection, two clients on it. */
struct scene {
	struct world world;
	struct wire w;
	struct session a, b;
	struct compound c;
};

static struct scene *scene_start(void *directory,
				 const struct nfs_server_options *o)
{
	struct scene *s = calloc(1, sizeof(*s));

	require(s != NULL);
	world_start(&s->world, directory, o);
	wire_open(&s->w, &s->world.addr[0]);
	wire_mount(&s->w, "a", &s->a);
	wire_mount(&s->w, "b", &s->b);
	return s;
}

static void scene_stop(struct scene *s)
{
	wire_close(&s->w);
	world_stop(&s->world);
	free(s);
}

static nfsstat4 open_as(struct scene *s, struct session *who, const char *owner,
			uint32_t access, uint32_t deny, stateid4 *id)
{
	struct compound *c = &s->c;
	nfsstat4 status;

	session_begin(who, c, 0);
	add_open(c, owner, "f", access, deny, true);
	status = wire_call(&s->w, c);
	if (status == NFS4_OK && id != NULL)
		*id = c->res[2].opopen.stateid;
	return status;
}

/* With "f" as the current file. */
static struct compound *on_file(struct scene *s, struct session *who)
{
	session_begin(who, &s->c, 0);
	add_lookup(&s->c, "f");
	return &s->c;
}

static nfsstat4 close_as(struct scene *s, struct session *who, stateid4 id)
{
	add(on_file(s, who), OP_CLOSE)->opclose.open_stateid = id;
	return wire_call(&s->w, &s->c);
}

/* ------------------------------------------------------------------ opens */

/* Every pair of access and deny, against the two lines of RFC 8881, 9.7. */
static void shares(void *arg)
{
	struct scene *s = scene_start(arg, &options);

	for (unsigned i = 0; i < 12 * 12; i++) {
		unsigned access1 = 1 + i % 3, deny1 = i / 3 % 4;
		unsigned access2 = 1 + i / 12 % 3, deny2 = i / 36;
		bool denied = (access1 & deny2) || (access2 & deny1);
		stateid4 first, second;

		require(open_as(s, &s->a, "x", access1, deny1, &first) ==
			NFS4_OK);
		require(open_as(s, &s->b, "x", access2, deny2, &second) ==
			(denied ? NFS4ERR_SHARE_DENIED : NFS4_OK));
		if (!denied)
			require(close_as(s, &s->b, second) == NFS4_OK);
		require(close_as(s, &s->a, first) == NFS4_OK);
	}
	scene_stop(s);
}

static nfsstat4 downgrade(struct scene *s, stateid4 *id, uint32_t access,
			  uint32_t deny)
{
	nfsstat4 status;

	add(on_file(s, &s->a), OP_OPEN_DOWNGRADE)->opopen_downgrade =
		(OPEN_DOWNGRADE4args){ .open_stateid = *id,
				       .share_access = access,
				       .share_deny = deny };
	status = wire_call(&s->w, &s->c);
	if (status == NFS4_OK)
		*id = s->c.res[3].opopen_downgrade.open_stateid;
	return status;
}

static void upgrades(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	stateid4 id, old;

	require(open_as(s, &s->a, "x", 1, 0, &id) == NFS4_OK);
	require(id.seqid == 1);
	old = id;
	require(open_as(s, &s->a, "x", 2, 0, &id) == NFS4_OK);
	require(id.seqid == 2 && !memcmp(id.other, old.other, 12));
	require(close_as(s, &s->a, old) == NFS4ERR_OLD_STATEID);
	old.seqid = 3;
	require(close_as(s, &s->a, old) == NFS4ERR_BAD_STATEID);
	require(close_as(s, &s->b, id) == NFS4ERR_BAD_STATEID);
	require(downgrade(s, &id, 1, 1) == NFS4ERR_INVAL);
	require(downgrade(s, &id, 1, 0) == NFS4_OK);
	require(id.seqid == 3);
	/* What was given up can't be gone back to. */
	require(downgrade(s, &id, 2, 0) == NFS4ERR_INVAL);
	/* And binds nobody any more. */
	require(open_as(s, &s->b, "x", 1, 2, NULL) == NFS4_OK);
	require(close_as(s, &s->a, id) == NFS4_OK);
	require(close_as(s, &s->a, id) == NFS4ERR_BAD_STATEID);
	scene_stop(s);
}

static nfsstat4 create(struct scene *s, createmode4 mode, uint64_t verifier,
		       const char *name)
{
	struct compound *c = &s->c;
	createhow4 *how;

	session_begin(&s->a, c, 0);
	add_open(c, "x", name, OPEN4_SHARE_ACCESS_BOTH, 0, true);
	how = &c->op[2].opopen.openhow.how;
	how->mode = mode;
	memcpy(how->createverf.b, &verifier, 8);
	add(c, OP_GETATTR)->opgetattr.attr_request = BITMAP4(FATTR4_FILEID);
	return wire_call(&s->w, c);
}

static void create_modes(void *arg)
{
	struct scene *s = scene_start(arg, &options);

	require(create(s, GUARDED4, 0, "g") == NFS4_OK);
	require(create(s, GUARDED4, 0, "g") == NFS4ERR_EXIST);
	require(create(s, UNCHECKED4, 0, "g") == NFS4_OK);
	for (createmode4 m = EXCLUSIVE4; m <= EXCLUSIVE4_1; m++) {
		const char *name = m == EXCLUSIVE4 ? "e" : "e1";

		require(create(s, m, 7, name) == NFS4_OK);
		require(create(s, m, 7, name) == NFS4_OK);
		require(create(s, m, 8, name) == NFS4ERR_EXIST);
		require(create(s, m, 7, "g") == NFS4ERR_EXIST);
	}
	scene_stop(s);
}

static nfsstat4 open_truncating(struct scene *s, struct session *who)
{
	createhow4 *how;

	session_begin(who, &s->c, 0);
	add_open(&s->c, "x", "f", OPEN4_SHARE_ACCESS_READ, 0, true);
	how = &s->c.op[2].opopen.openhow.how;
	how->createattrs.attrmask = BITMAP4(FATTR4_SIZE);
	how->createattrs.attr_vals = (struct xdr_bytes){ "\0\0\0\0\0\0\0", 8 };
	return wire_call(&s->w, &s->c);
}

/* An OPEN that truncates writes, whatever access it asks for. */
static void truncating(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	struct compound *c = &s->c;
	stateid4 first, id;

	require(open_as(s, &s->a, "x", 3, OPEN4_SHARE_DENY_WRITE, &first) ==
		NFS4_OK);
	c = on_file(s, &s->a);
	add(c, OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = first, .data = xdr_text("data") };
	require(wire_call(&s->w, c) == NFS4_OK);
	require(open_truncating(s, &s->b) == NFS4ERR_SHARE_DENIED);
	require(close_as(s, &s->a, first) == NFS4_OK);
	/* By who may only read: it fails, and so leaves no trace. */
	add(on_file(s, &s->a), OP_SETATTR)->opsetattr.obj_attributes =
		(fattr4){ BITMAP4(FATTR4_MODE), { "\0\0\1\244", 4 } };
	require(wire_call(&s->w, c) == NFS4_OK);
	s->w.uid = s->w.gid = 1000;
	require(open_as(s, &s->b, "x", 1, 0, &id) == NFS4_OK);
	require(open_truncating(s, &s->b) == NFS4ERR_ACCESS);
	require(close_as(s, &s->b, id) == NFS4_OK);
	s->w.uid = s->w.gid = 0;
	add(on_file(s, &s->a), OP_GETATTR)->opgetattr.attr_request =
		BITMAP4(FATTR4_SIZE);
	require(wire_call(&s->w, c) == NFS4_OK);
	require(load_be64(c->res[3].opgetattr.obj_attributes.attr_vals.data) ==
		4);
	require(open_truncating(s, &s->a) == NFS4_OK);
	scene_stop(s);
}

/* RFC 7862, 15.11: nothing found is no error before the end of the file. */
static void seek(void *arg)
{
	static const struct {
		uint32_t what;
		uint64_t offset;
		nfsstat4 status;
		uint64_t found;
		bool eof;
	} cases[] = {
		{ NFS4_CONTENT_DATA, 0, NFS4_OK, 0, false },
		{ NFS4_CONTENT_HOLE, 0, NFS4_OK, 1 << 20, false },
		{ NFS4_CONTENT_DATA, 1 << 20, NFS4_OK, 2 << 20, true },
		{ NFS4_CONTENT_HOLE, 1 << 20, NFS4_OK, 1 << 20, false },
		{ NFS4_CONTENT_DATA, 2 << 20, NFS4ERR_NXIO },
		{ NFS4_CONTENT_HOLE, 2 << 20, NFS4ERR_NXIO },
		{ NFS4_CONTENT_DATA, UINT64_MAX, NFS4ERR_NXIO },
		{ 2, 0, NFS4ERR_UNION_NOTSUPP },
	};
	struct scene *s = scene_start(arg, &options);
	uint8_t *data = calloc(1, 1 << 20), size[8];
	struct compound *c;
	stateid4 id;

	store_be64(size, 2 << 20);
	require(open_as(s, &s->a, "x", 3, 0, &id) == NFS4_OK);
	c = on_file(s, &s->a);
	add(c, OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = id, .data = { data, 1 << 20 } };
	add(c, OP_SETATTR)->opsetattr = (SETATTR4args){
		.stateid = id,
		.obj_attributes = { BITMAP4(FATTR4_SIZE), { size, 8 } },
	};
	require(wire_call(&s->w, c) == NFS4_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		c = on_file(s, &s->a);
		add(c, OP_SEEK)->opseek =
			(SEEK4args){ .sa_stateid = id,
				     .sa_offset = cases[i].offset,
				     .sa_what = cases[i].what };
		require(wire_call(&s->w, c) == cases[i].status);
		if (c->status != NFS4_OK)
			continue;
		require(c->res[3].opseek.sr_offset == cases[i].found);
		require(c->res[3].opseek.sr_eof == cases[i].eof);
	}
	scene_stop(s);
	free(data);
}

/* So many names that they take more than the server keeps for the arrays of
 * one request. */
static void many_xattrs(void *arg)
{
	enum { N = 5000 };
	struct scene *s = scene_start(arg, &options);
	struct compound *c = &s->c;
	uint64_t cookie = 0;
	unsigned got = 0;
	bool eof;

	require(open_as(s, &s->a, "x", 3, 0, NULL) == NFS4_OK);
	for (int i = 0; i < N;) {
		static char names[WIRE_OPS][16];

		c = on_file(s, &s->a);
		while (i < N && c->n < WIRE_OPS) {
			char *name = names[c->n];

			snprintf(name, sizeof(names[0]), "%06d", i++);
			add(c, OP_SETXATTR)->opsetxattr.sxa_key =
				xdr_text(name);
		}
		require(wire_call(&s->w, c) == NFS4_OK);
	}
	do {
		c = on_file(s, &s->a);
		add(c, OP_LISTXATTRS)->oplistxattrs =
			(LISTXATTRS4args){ .lxa_cookie = cookie,
					   .lxa_maxcount = 32 << 10 };
		require(wire_call(&s->w, c) == NFS4_OK);
		cookie = c->res[3].oplistxattrs.lxr_cookie;
		got += c->res[3].oplistxattrs.n;
		eof = c->res[3].oplistxattrs.lxr_eof;
	} while (!eof);
	require(got == N);
	scene_stop(s);
}

/* More pieces of data than a reply may have: to try again would not help. */
static void many_pieces(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	uint8_t *data = calloc(1, 64 << 10);
	struct compound *c;
	stateid4 id;

	require(open_as(s, &s->a, "x", 3, 0, &id) == NFS4_OK);
	c = on_file(s, &s->a);
	add(c, OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = id, .data = { data, 64 << 10 } };
	require(wire_call(&s->w, c) == NFS4_OK);
	c = on_file(s, &s->a);
	while (c->n < WIRE_OPS)
		add(c, OP_READ)->opread =
			(READ4args){ .stateid = id, .count = 64 << 10 };
	require(wire_call(&s->w, c) == NFS4ERR_REP_TOO_BIG);
	require(c->nres == 3 + XDR_BULK_MAX + 1);
	scene_stop(s);
	free(data);
}

/* ------------------------------------------------------------------ locks */

static nfsstat4 lock(struct scene *s, struct session *who, stateid4 open,
		     const char *owner, nfs_lock_type4 type, uint64_t offset,
		     uint64_t length)
{
	LOCK4args *l = &add(on_file(s, who), OP_LOCK)->oplock;

	*l = (LOCK4args){
		.locktype = type,
		.offset = offset,
		.length = length,
		.locker = { .new_lock_owner = true,
			    .open_stateid = open,
			    .lock_owner.owner = xdr_text(owner) },
	};
	return wire_call(&s->w, &s->c);
}

static nfsstat4 test(struct scene *s, struct session *who, const char *owner,
		     nfs_lock_type4 type, uint64_t offset, uint64_t length)
{
	add(on_file(s, who), OP_LOCKT)->oplockt =
		(LOCKT4args){ .locktype = type,
			      .offset = offset,
			      .length = length,
			      .owner.owner = xdr_text(owner) };
	return wire_call(&s->w, &s->c);
}

static void locks(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	const LOCK4denied *d = &s->c.res[3].denied;
	stateid4 a, b, held;

	require(open_as(s, &s->a, "x", 3, 0, &a) == NFS4_OK);
	require(open_as(s, &s->b, "x", 1, 0, &b) == NFS4_OK);
	require(lock(s, &s->a, a, "p", WRITE_LT, 10, 10) == NFS4_OK);
	held = s->c.res[3].oplock.lock_stateid;
	require(held.seqid == 1);
	/* Who is in the way, and where. */
	require(lock(s, &s->b, b, "q", READ_LT, 0, NFS4_UINT64_MAX) ==
		NFS4ERR_DENIED);
	require(d->offset == 10 && d->length == 10 && d->locktype == WRITE_LT);
	require(d->owner.clientid == s->a.clientid);
	require(xdr_bytes_equal(d->owner.owner, xdr_text("p")));
	require(test(s, &s->b, "q", READ_LT, 19, 1) == NFS4ERR_DENIED);
	require(test(s, &s->b, "q", READ_LT, 20, 1) == NFS4_OK);
	require(test(s, &s->a, "p", WRITE_LT, 10, 1) == NFS4_OK);
	/* Owners of the same name of two clients are two. */
	require(test(s, &s->b, "p", WRITE_LT, 10, 1) == NFS4ERR_DENIED);
	/* Nonsense. */
	require(lock(s, &s->b, b, "q", READ_LT, 0, 0) == NFS4ERR_INVAL);
	require(lock(s, &s->b, b, "q", READ_LT, 2, NFS4_UINT64_MAX - 1) ==
		NFS4ERR_INVAL);
	require(lock(s, &s->b, b, "q", WRITE_LT, 90, 1) == NFS4ERR_OPENMODE);
	/* A part is given back. */
	add(on_file(s, &s->a), OP_LOCKU)->oplocku =
		(LOCKU4args){ .locktype = WRITE_LT,
			      .lock_stateid = held,
			      .offset = 12,
			      .length = 2 };
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	require(lock(s, &s->b, b, "q", READ_LT, 12, 2) == NFS4_OK);
	require(lock(s, &s->b, b, "q", READ_LT, 11, 1) == NFS4ERR_DENIED);
	/* The rest goes with the open. */
	require(close_as(s, &s->a, a) == NFS4_OK);
	require(lock(s, &s->b, b, "q", READ_LT, 0, NFS4_UINT64_MAX) == NFS4_OK);
	scene_stop(s);
}

/* b waits for a's lock; a asks for it again at once, and has to wait, too. */
static void queue(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	stateid4 a, b;

	require(open_as(s, &s->a, "x", 3, 0, &a) == NFS4_OK);
	require(open_as(s, &s->b, "x", 3, 0, &b) == NFS4_OK);
	require(lock(s, &s->a, a, "p", WRITEW_LT, 0, 5) == NFS4_OK);
	require(lock(s, &s->b, b, "q", WRITEW_LT, 0, 5) == NFS4ERR_DENIED);
	require(close_as(s, &s->a, a) == NFS4_OK);
	require(open_as(s, &s->a, "x", 3, 0, &a) == NFS4_OK);
	require(lock(s, &s->a, a, "p", WRITEW_LT, 0, 5) == NFS4ERR_DENIED);
	require(lock(s, &s->b, b, "q", WRITEW_LT, 0, 5) == NFS4_OK);
	require(close_as(s, &s->b, b) == NFS4_OK);
	require(lock(s, &s->a, a, "p", WRITEW_LT, 0, 5) == NFS4_OK);
	scene_stop(s);
}

/* ------------------------------------------------------------------- data */

static nfsstat4 write_at(struct scene *s, struct session *who, stateid4 id,
			 uint64_t offset, const void *data, uint32_t len)
{
	add(on_file(s, who), OP_WRITE)->opwrite =
		(WRITE4args){ .stateid = id,
			      .offset = offset,
			      .stable = FILE_SYNC4,
			      .data = { data, len } };
	return wire_call(&s->w, &s->c);
}

static nfsstat4 read_at(struct scene *s, struct session *who, stateid4 id,
			uint64_t offset, uint32_t count)
{
	add(on_file(s, who), OP_READ)->opread =
		(READ4args){ .stateid = id, .offset = offset, .count = count };
	return wire_call(&s->w, &s->c);
}

static void data(void *arg)
{
	static const uint32_t sizes[] = { 1,	 3,	4096,	 32768,
					  32769, 65537, 1000000, 1 << 20 };
	struct scene *s = scene_start(arg, &options);
	uint8_t *bytes = malloc(1 << 20);
	const READ4resok *r = &s->c.res[3].opread;
	stateid4 id;

	require(bytes != NULL);
	for (size_t i = 0; i < 1 << 20; i++)
		bytes[i] = i * 7 + i / 251;
	require(open_as(s, &s->a, "x", 3, 0, &id) == NFS4_OK);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t n = sizes[i];

		require(write_at(s, &s->a, id, 5, bytes, n) == NFS4_OK);
		require(s->c.res[3].opwrite.count == n);
		require(read_at(s, &s->a, id, 5, n) == NFS4_OK);
		require(r->data.len == n && r->eof);
		require(memcmp(r->data.data, bytes, n) == 0);
	}
	require(read_at(s, &s->a, id, 2000000, 10) == NFS4_OK);
	require(r->data.len == 0 && r->eof);
	require(read_at(s, &s->a, id, 0, 10) == NFS4_OK && !r->eof);
	/* More than fits into a reply is cut. */
	require(read_at(s, &s->a, id, 0, 2 << 20) == NFS4_OK);
	require(r->data.len == 1 << 20 && !r->eof);
	require(write_at(s, &s->a, id, INT64_MAX - 1, bytes, 2) ==
		NFS4ERR_FBIG);
	scene_stop(s);
	free(bytes);
}

/* No file takes a byte. */
static void fail_disk(bool fail)
{
	struct rlimit limit;

	require(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = fail ? 0 : limit.rlim_max;
	require(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static verifier4 write_unstable(struct scene *s, struct session *who,
				stateid4 id)
{
	add(on_file(s, who), OP_WRITE)->opwrite = (WRITE4args){
		.stateid = id, .stable = UNSTABLE4, .data = { "data", 4 }
	};
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	return s->c.res[3].opwrite.writeverf;
}

static nfsstat4 commit_as(struct scene *s, struct session *who)
{
	add(on_file(s, who), OP_COMMIT);
	return wire_call(&s->w, &s->c);
}

static void losses(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	const COMMIT4resok *r = &s->c.res[3].opcommit;
	verifier4 before, after;
	stateid4 a, b;

	signal(SIGXFSZ, SIG_IGN);
	require(open_as(s, &s->a, "x", 3, 0, &a) == NFS4_OK);
	require(open_as(s, &s->b, "y", 3, 0, &b) == NFS4_OK);
	before = write_unstable(s, &s->b, b);
	fail_disk(true);
	require(commit_as(s, &s->a) == NFS4ERR_FBIG); /* may be repeated … */
	require(close_as(s, &s->a, a) == NFS4_OK);
	require(close_as(s, &s->b, b) == NFS4_OK); /* … until here */
	fail_disk(false);
	require(commit_as(s, &s->a) == NFS4ERR_FBIG);
	/* Nobody has told b. */
	require(commit_as(s, &s->b) == NFS4_OK);
	require(!verifier4_equal(r->writeverf, before));

	/* And when all is well again, it stays. */
	require(open_as(s, &s->b, "y", 3, 0, &b) == NFS4_OK);
	after = write_unstable(s, &s->b, b);
	require(commit_as(s, &s->b) == NFS4_OK);
	require(verifier4_equal(r->writeverf, after));
	scene_stop(s);
}

/* Without an open: permissions and share reservations count, each time. */
static void special_stateids(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	stateid4 id;

	require(open_as(s, &s->a, "x", 3, OPEN4_SHARE_DENY_WRITE, &id) ==
		NFS4_OK);
	require(write_at(s, &s->a, id, 0, "data", 4) == NFS4_OK);
	require(write_at(s, &s->b, stateid4_anonymous, 0, "no", 2) ==
		NFS4ERR_LOCKED);
	require(read_at(s, &s->b, stateid4_anonymous, 0, 9) == NFS4_OK);
	require(close_as(s, &s->a, id) == NFS4_OK);
	require(write_at(s, &s->b, stateid4_anonymous, 0, "DA", 2) == NFS4_OK);
	require(open_as(s, &s->a, "x", 1, OPEN4_SHARE_DENY_READ, &id) ==
		NFS4_OK);
	require(read_at(s, &s->b, stateid4_anonymous, 0, 9) == NFS4ERR_LOCKED);
	require(read_at(s, &s->b, stateid4_read_bypass, 0, 9) == NFS4_OK);
	require(memcmp(s->c.res[3].opread.data.data, "DAta", 4) == 0);
	require(write_at(s, &s->a, id, 0, "x", 1) == NFS4ERR_OPENMODE);
	require(read_at(s, &s->b, stateid4_invalid, 0, 9) ==
		NFS4ERR_BAD_STATEID);
	scene_stop(s);
}

/* ------------------------------------------------------------- directories */

enum { ENTRIES = 500 };

static void fill_directory(struct scene *s)
{
	static char names[ENTRIES][12];

	for (int i = 0; i < ENTRIES; i++) {
		CREATE4args *a;

		if (i % 5 == 0) {
			session_begin(&s->a, &s->c, 0);
			add(&s->c, OP_SAVEFH);
		}
		snprintf(names[i], sizeof(names[i]), "entry-%d", i);
		a = &add(&s->c, OP_CREATE)->opcreate;
		a->objtype.type = NF4FIFO;
		a->objname = xdr_text(names[i]);
		add(&s->c, OP_RESTOREFH);
		if (i % 5 == 4)
			require(wire_call(&s->w, &s->c) == NFS4_OK);
	}
}

/* One READDIR; counts the names it has not seen yet. */
static unsigned list(struct scene *s, uint32_t maxcount, READDIR4args *next,
		     bool seen[ENTRIES], bool *eof)
{
	const READDIR4resok *r = &s->c.res[2].opreaddir;
	unsigned new = 0, i;
	char name[32];

	session_begin(&s->a, &s->c, 0);
	next->maxcount = next->dircount = maxcount;
	next->attr_request = BITMAP4(FATTR4_TYPE, FATTR4_FILEID, FATTR4_MODE,
				     FATTR4_FILEHANDLE);
	add(&s->c, OP_READDIR)->opreaddir = *next;
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	for (uint32_t k = 0; k < r->nentries; k++) {
		component4 n = r->entries[k].name;

		snprintf(name, sizeof(name), "%.*s", (int)n.len,
			 (const char *)n.data);
		require(sscanf(name, "entry-%u", &i) == 1 && i < ENTRIES);
		require(!seen[i]);
		seen[i] = true;
		new ++;
		next->cookie = r->entries[k].cookie;
		require(next->cookie > 2);
	}
	next->cookieverf = r->cookieverf;
	*eof = r->eof;
	return new;
}

static void readdir_sizes(void *arg)
{
	static const uint32_t sizes[] = { 200, 512, 4096, 1 << 20 };
	struct scene *s = scene_start(arg, &options);

	fill_directory(s);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		bool seen[ENTRIES] = {}, eof = false;
		READDIR4args next = {};
		unsigned n = 0, calls = 0;

		while (!eof) {
			n += list(s, sizes[i], &next, seen, &eof);
			calls++;
		}
		require(n == ENTRIES);
		require(calls >= 40000 / sizes[i]);
	}
	session_begin(&s->a, &s->c, 0);
	add(&s->c, OP_READDIR)->opreaddir =
		(READDIR4args){ .maxcount = 30, .dircount = 30 };
	require(wire_call(&s->w, &s->c) == NFS4ERR_TOOSMALL);
	scene_stop(s);
}

static nfsstat4 look_up(struct scene *s, const char *name)
{
	session_begin(&s->a, &s->c, 0);
	add_lookup(&s->c, name);
	return wire_call(&s->w, &s->c);
}

static void names(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	char longest[257];

	memset(longest, 'x', 256);
	longest[256] = 0;
	require(look_up(s, "") == NFS4ERR_INVAL);
	require(look_up(s, ".") == NFS4ERR_BADNAME);
	require(look_up(s, "..") == NFS4ERR_BADNAME);
	require(look_up(s, "a/b") == NFS4ERR_BADCHAR);
	require(look_up(s, longest) == NFS4ERR_NAMETOOLONG);
	require(look_up(s, longest + 1) == NFS4ERR_NOENT);
	require(look_up(s, "...") == NFS4ERR_NOENT);
	require(look_up(s, "\xff\xfe") == NFS4ERR_NOENT);
	scene_stop(s);
}

/* -------------------------------------------------------------- attributes */

static void locations(void *arg)
{
	struct scene *s = scene_start(arg, &options);
	const fs_locations4 *l;
	struct nfs4_attrs a;
	char expected[32];

	session_begin(&s->a, &s->c, 0);
	add(&s->c, OP_GETATTR)->opgetattr.attr_request =
		BITMAP4(FATTR4_FS_LOCATIONS);
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	require(nfs4_attrs_decode(&s->c.res[2].opgetattr.obj_attributes,
				  &s->w.arena, &a));
	l = &a.fs_locations;
	require(l->fs_root.n == 0 && l->nlocations == 1);
	require(l->locations[0].nserver == 2);
	for (int i = 0; i < 2; i++) {
		unsigned port = addr_port(&s->world.addr[i]);

		snprintf(expected, sizeof(expected), "127.0.0.1.%u.%u",
			 port >> 8, port & 255);
		require(xdr_bytes_equal(l->locations[0].server[i],
					xdr_text(expected)));
	}
	scene_stop(s);
}

static void squash(void *arg)
{
	struct nfs_server_options squashing = { .root_squash = true,
						.anon_uid = 99,
						.anon_gid = 98 };
	struct scene *s = scene_start(arg, &squashing);

	/* The root directory is root's, and root is nobody here. */
	require(open_as(s, &s->a, "x", 1, 0, NULL) == NFS4ERR_ACCESS);
	scene_stop(s);
}

static void read_only(void *arg)
{
	struct nfs_server_options ro = { .read_only = true };
	struct scene *s = scene_start(arg, &ro);

	require(open_as(s, &s->a, "x", 1, 0, NULL) == NFS4ERR_ROFS);
	session_begin(&s->a, &s->c, 0);
	add(&s->c, OP_REMOVE)->opremove.target = xdr_text("f");
	require(wire_call(&s->w, &s->c) == NFS4ERR_ROFS);
	require(look_up(s, "f") == NFS4ERR_NOENT);
	session_begin(&s->a, &s->c, 0);
	add(&s->c, OP_ACCESS)->opaccess.access = 0x3f;
	require(wire_call(&s->w, &s->c) == NFS4_OK);
	require(s->c.res[2].opaccess.access == (ACCESS4_READ | ACCESS4_LOOKUP));
	scene_stop(s);
}

#define IN_WORLD(name, body)                                                   \
	static void name(void **state)                                         \
	{                                                                      \
		in_task(body, *state);                                         \
	}
IN_WORLD(an_open_that_truncates_writes, truncating)
IN_WORLD(seek_finds_the_end_of_the_file, seek)
IN_WORLD(any_number_of_xattrs_is_listed, many_xattrs)
IN_WORLD(a_reply_has_a_bounded_number_of_pieces, many_pieces)
IN_WORLD(share_reservations_follow_the_rfc, shares)
IN_WORLD(opens_are_upgraded_and_downgraded, upgrades)
IN_WORLD(every_create_mode_does_what_it_says, create_modes)
IN_WORLD(locks_conflict_split_and_go_with_the_open, locks)
IN_WORLD(blocking_locks_are_granted_in_turn, queue)
IN_WORLD(data_of_every_size_comes_back, data)
IN_WORLD(lost_writes_are_told_by_another_verifier, losses)
IN_WORLD(io_without_an_open_respects_those_who_have_one, special_stateids)
IN_WORLD(a_directory_is_listed_once_whatever_the_size, readdir_sizes)
IN_WORLD(names_with_a_meaning_are_refused, names)
IN_WORLD(fs_locations_tells_every_address, locations)
IN_WORLD(root_is_squashed, squash)
IN_WORLD(a_read_only_server_changes_nothing, read_only)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_directory(an_open_that_truncates_writes),
		test_with_directory(seek_finds_the_end_of_the_file),
		test_with_directory(any_number_of_xattrs_is_listed),
		test_with_directory(a_reply_has_a_bounded_number_of_pieces),
		test_with_directory(share_reservations_follow_the_rfc),
		test_with_directory(opens_are_upgraded_and_downgraded),
		test_with_directory(every_create_mode_does_what_it_says),
		test_with_directory(locks_conflict_split_and_go_with_the_open),
		test_with_directory(blocking_locks_are_granted_in_turn),
		test_with_directory(data_of_every_size_comes_back),
		test_with_directory(lost_writes_are_told_by_another_verifier),
		test_with_directory(
			io_without_an_open_respects_those_who_have_one),
		test_with_directory(
			a_directory_is_listed_once_whatever_the_size),
		test_with_directory(names_with_a_meaning_are_refused),
		test_with_directory(fs_locations_tells_every_address),
		test_with_directory(root_is_squashed),
		test_with_directory(a_read_only_server_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
