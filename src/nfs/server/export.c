/* SPDX-License-Identifier: Apache-2.0 */
#include "nfs/server/export.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "nfs/server/internal.h"

static uint64_t name_hash(const char *name, size_t len)
{
	return hash_bytes(name, len);
}

/* ------------------------------------------------------------- the table */

static void export_free(struct nfsd_export *e)
{
	free(e);
}

void nfsd_export_put(struct nfsd_export *e)
{
	if (e != NULL && atomic_fetch_sub(&e->refs, 1) == 1)
		export_free(e);
}

struct nfsd_export *nfsd_export_ref(struct nfsd_export *e)
{
	if (e != NULL)
		atomic_fetch_add(&e->refs, 1);
	return e;
}

static struct nfsd_export *find_number(struct nfs_server *srv, uint64_t number)
{
	struct nfsd_export *e;

	htable_for_each_match (e, &srv->exports, hash_u64(number), by_number)
		if (e->is.number == number)
			return e;
	return NULL;
}

static struct nfsd_export *find_name(struct nfs_server *srv, const char *name,
				     size_t len)
{
	struct nfsd_export *e;

	htable_for_each_match (e, &srv->export_names, name_hash(name, len),
			       by_name)
		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
			return e;
	return NULL;
}

static struct nfsd_export *export_new(const struct nfs_export *is)
{
	const char *label = is->label ? is->label : "";
	struct nfsd_export *e;

	if (strlen(is->name) > NFS_EXPORT_NAME_MAX ||
	    strlen(is->path) > NFS_EXPORT_PATH_MAX ||
	    strlen(label) > NFS_EXPORT_LABEL_MAX ||
	    is->ngroups > NFS_EXPORT_GROUPS_MAX || is->number == 0)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	atomic_init(&e->refs, 1);
	strcpy(e->name, is->name);
	strcpy(e->path, is->path);
	strcpy(e->label, label);
	if (is->ngroups > 0)
		memcpy(e->groups, is->groups,
		       is->ngroups * sizeof(e->groups[0]));
	e->is = *is;
	e->is.name = e->name;
	e->is.path = e->path;
	e->is.label = e->label;
	e->is.groups = e->groups;
	e->cred = (struct cred){ is->uid, is->gid, is->ngroups, e->groups };
	return e;
}

int nfs_server_export(struct nfs_server *srv, const struct nfs_export *is)
{
	struct nfsd_export *e = export_new(is);
	int r = 0;

	if (e == NULL)
		return -EINVAL;
	pthread_mutex_lock(&srv->exports_lock);
	if (find_number(srv, is->number) ||
	    find_name(srv, e->name, strlen(e->name))) {
		r = -EEXIST;
	} else {
		htable_insert(&srv->exports, &e->by_number,
			      hash_u64(is->number));
		htable_insert(&srv->export_names, &e->by_name,
			      name_hash(e->name, strlen(e->name)));
		atomic_fetch_add(&srv->nexports, 1);
	}
	pthread_mutex_unlock(&srv->exports_lock);
	if (r < 0)
		nfsd_export_put(e);
	return r;
}

int nfs_server_unexport(struct nfs_server *srv, uint64_t number)
{
	struct nfsd_export *e;

	pthread_mutex_lock(&srv->exports_lock);
	e = find_number(srv, number);
	if (e != NULL) {
		htable_remove(&srv->exports, &e->by_number);
		htable_remove(&srv->export_names, &e->by_name);
		atomic_store(&e->gone, true);
		atomic_fetch_sub(&srv->nexports, 1);
	}
	pthread_mutex_unlock(&srv->exports_lock);
	nfsd_export_put(e);
	return e ? 0 : -ENOENT;
}

void nfsd_exports_fini(struct nfs_server *srv)
{
	struct nfsd_export *e;

	htable_fini(&srv->export_names);
	while ((e = htable_pop_entry(&srv->exports, struct nfsd_export,
				     by_number)) != NULL)
		nfsd_export_put(e);
	htable_fini(&srv->exports);
}

bool nfs_server_has_export(struct nfs_server *srv, uint64_t number)
{
	bool there;

	pthread_mutex_lock(&srv->exports_lock);
	there = find_number(srv, number) != NULL;
	pthread_mutex_unlock(&srv->exports_lock);
	return there;
}

struct nfsd_export *nfsd_export_find(struct nfs_server *srv, uint64_t number)
{
	struct nfsd_export *e;

	pthread_mutex_lock(&srv->exports_lock);
	e = nfsd_export_ref(find_number(srv, number));
	pthread_mutex_unlock(&srv->exports_lock);
	return e;
}

struct nfsd_export *nfsd_export_find_name(struct nfs_server *srv,
					  const char *name, size_t len)
{
	struct nfsd_export *e;

	if (atomic_load(&srv->nexports) == 0)
		return NULL;
	pthread_mutex_lock(&srv->exports_lock);
	e = nfsd_export_ref(find_name(srv, name, len));
	pthread_mutex_unlock(&srv->exports_lock);
	return e;
}

/* A connection mostly uses one. */
struct nfsd_export *nfsd_export_by_number(struct nfsd_conn *c, uint64_t number)
{
	struct nfsd_export *e = c->last_export;

	if (e != NULL && e->is.number == number)
		return atomic_load(&e->gone) ? NULL : nfsd_export_ref(e);
	e = nfsd_export_find(c->srv, number);
	if (e != NULL) {
		nfsd_export_put(c->last_export);
		c->last_export = nfsd_export_ref(e);
	}
	return e;
}

/* ---------------------------------------------------------------- rights */

void nfs_server_rights_changed(struct nfs_server *srv)
{
	atomic_fetch_add(&srv->rights_version, 1);
}

static unsigned ask_rights(struct nfsd_conn *conn, const struct nfsd_export *e)
{
	const struct nfs_server_options *o = &conn->srv->options;
	unsigned i = conn->nrights++ % NFSD_CONN_RIGHTS;

	conn->rights[i].of = e ? e->is.number : 0;
	conn->rights[i].are = o->rights(o->rights_arg, e ? e->label : NULL,
					&conn->peer, &conn->who, NULL);
	return conn->rights[i].are;
}

/* A connection mostly asks about few ways in. */
unsigned nfsd_rights(struct nfsd_compound *c, const struct nfsd_export *e)
{
	struct nfsd_conn *conn = c->call->conn;
	uint64_t number = e ? e->is.number : 0;
	unsigned version;

	if (conn->refusal != NULL)
		return 0;
	if (c->srv->options.rights == NULL)
		return NFS_RIGHTS_ALL;
	version = atomic_load(&c->srv->rights_version);
	if (conn->rights_version != version)
		conn->nrights = 0;
	conn->rights_version = version;
	for (unsigned i = 0; i < conn->nrights && i < NFSD_CONN_RIGHTS; i++)
		if (conn->rights[i].of == number)
			return conn->rights[i].are;
	return ask_rights(conn, e);
}

/* -------------------------------------------------------------- the root */

/* One directory on the way, made if it is missing and may be. */
static int step(struct nfs_server *srv, const struct nfsd_export *e,
		uint64_t dir, const char *name, size_t len, bool make,
		struct fattr *attr)
{
	struct create_spec spec = {
		.mode = S_IFDIR | e->is.mode,
		.attrs = { .mask = SATTR_UID | SATTR_GID,
			   .uid = e->is.owner_uid,
			   .gid = e->is.owner_gid },
	};
	bool existed;
	int r = engine_lookup(srv->engine, NULL, dir, name, len, attr);

	if (r == -ENOENT && make)
		r = engine_create(srv->engine, NULL, dir, name, len, &spec,
				  attr, &existed, NULL);
	if (r == -EEXIST) /* somebody else was faster */
		r = engine_lookup(srv->engine, NULL, dir, name, len, attr);
	if (r == 0 && !S_ISDIR(attr->mode))
		r = -ENOTDIR;
	return r;
}

int nfsd_export_find_root(struct nfs_server *srv, struct nfsd_export *e,
			  bool make, uint64_t *ino)
{
	const char *p = e->path;
	struct fattr attr = { .ino = ENGINE_ROOT };
	size_t len;
	int r = 0;

	for (p += strspn(p, "/"); *p && r == 0;
	     p += len + strspn(p + len, "/")) {
		len = strcspn(p, "/");
		r = step(srv, e, attr.ino, p, len, make, &attr);
	}
	if (r < 0)
		return r;
	*ino = attr.ino;
	atomic_store(&e->root, attr.ino);
	return 0;
}

static int enter(struct nfs_server *srv, struct nfsd_export *e, uint64_t *ino)
{
	int r = nfsd_export_find_root(srv, e, e->is.create, ino);

	if (r < 0) {
		log_warn("%s: its root %s: %s", e->name, e->path,
			 r == -ENOENT ? "is not there, and nothing says how to "
					"create it"
				      : strerror(-r));
		return r;
	}
	return nfsd_quota_apply(srv, e, *ino);
}

nfsstat4 nfsd_export_enter(struct nfsd_compound *c, struct nfsd_export *e,
			   uint64_t *ino)
{
	if (!(nfsd_rights(c, e) & NFS_RIGHT_MOUNT))
		return NFS4ERR_ACCESS;
	return nfsd_status(enter(c->srv, e, ino));
}

nfsstat4 nfsd_export_look_up(struct nfsd_compound *c, component4 name,
			     struct nfsd_export **out, uint64_t *ino)
{
	struct nfsd_export *e =
		nfsd_export_find_name(c->srv, name.data, name.len);
	nfsstat4 status;

	*out = NULL;
	if (e == NULL)
		return NFS4ERR_NOENT;
	status = nfsd_export_enter(c, e, ino);
	if (status != NFS4_OK)
		nfsd_export_put(e);
	else
		*out = e;
	return status;
}

static int root_of(struct nfsd_compound *c, uint64_t *ino)
{
	*ino = atomic_load(&c->export->root);
	return *ino ? 0 : nfsd_export_find_root(c->srv, c->export, false, ino);
}

nfsstat4 nfsd_export_is_root(struct nfsd_compound *c, bool *is)
{
	uint64_t root;
	int r = root_of(c, &root);

	*is = r == 0 && c->cfh == root;
	return nfsd_status(r);
}

nfsstat4 nfsd_export_check_inside(struct nfsd_compound *c, uint64_t ino)
{
	struct fattr attr = { .parent = ino };
	uint64_t root;
	int r = root_of(c, &root);

	while (r == 0 && attr.parent != root) {
		if (attr.parent == ENGINE_ROOT)
			return NFS4ERR_ACCESS;
		r = engine_getattr(c->srv->engine, attr.parent, &attr);
	}
	return nfsd_status(r);
}
