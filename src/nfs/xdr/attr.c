/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table: attribute number, description, place in struct nfs4_attrs, and
 * how clients may use it.  Values travel in ascending order of the numbers.
 */
#include "nfs/xdr/attr.h"

#include <sys/stat.h>

/* --------------------------------------------- descriptions, one type each */

#define VALUE(name, T, fn)                                                     \
	static bool name(struct xdr *x, void *v)                               \
	{                                                                      \
		return fn(x, (T *)v);                                          \
	}
VALUE(v_u32, uint32_t, xdr_u32)
VALUE(v_u64, uint64_t, xdr_u64)
VALUE(v_bool, bool, xdr_bool)
VALUE(v_bytes, struct xdr_bytes, xdr_component4)
VALUE(v_fh, nfs_fh4, xdr_nfs_fh4)
VALUE(v_bitmap, bitmap4, xdr_bitmap4)
VALUE(v_fsid, fsid4, xdr_fsid4)
VALUE(v_time, nfstime4, xdr_nfstime4)
VALUE(v_specdata, specdata4, xdr_specdata4)
VALUE(v_locations, fs_locations4, xdr_fs_locations4)
#undef VALUE

static bool v_settime(struct xdr *x, void *v)
{
	settime4 *t = v;

	if (!xdr_enum(x, &t->set_it, SET_TO_SERVER_TIME4, SET_TO_CLIENT_TIME4))
		return false;
	return t->set_it == SET_TO_SERVER_TIME4 || xdr_nfstime4(x, &t->time);
}

/* Two that stand side by side in the struct. */
static bool v_two_modes(struct xdr *x, void *v)
{
	mode4 *mode = v;

	return xdr_u32(x, &mode[0]) && xdr_u32(x, &mode[1]);
}
static_assert(offsetof(struct nfs4_attrs, mode_set_masked_mask) ==
		      offsetof(struct nfs4_attrs, mode_set_masked_value) + 4,
	      "v_two_modes");
static_assert(offsetof(struct nfs4_attrs, mode_umask_umask) ==
		      offsetof(struct nfs4_attrs, mode_umask_mode) + 4,
	      "v_two_modes");

/* --------------------------------------------------------------- the table */

enum access { GET, GET_SET, SET };

#define ATTRIBUTES(A)                                                          \
	A(SUPPORTED_ATTRS, v_bitmap, supported_attrs, GET)                     \
	A(TYPE, v_u32, type, GET)                                              \
	A(FH_EXPIRE_TYPE, v_u32, fh_expire_type, GET)                          \
	A(CHANGE, v_u64, change, GET)                                          \
	A(SIZE, v_u64, size, GET_SET)                                          \
	A(LINK_SUPPORT, v_bool, link_support, GET)                             \
	A(SYMLINK_SUPPORT, v_bool, symlink_support, GET)                       \
	A(NAMED_ATTR, v_bool, named_attr, GET)                                 \
	A(FSID, v_fsid, fsid, GET)                                             \
	A(UNIQUE_HANDLES, v_bool, unique_handles, GET)                         \
	A(LEASE_TIME, v_u32, lease_time, GET)                                  \
	A(RDATTR_ERROR, v_u32, rdattr_error, GET)                              \
	A(ACLSUPPORT, v_u32, aclsupport, GET)                                  \
	A(ARCHIVE, v_bool, archive, GET_SET)                                   \
	A(CANSETTIME, v_bool, cansettime, GET)                                 \
	A(CASE_INSENSITIVE, v_bool, case_insensitive, GET)                     \
	A(CASE_PRESERVING, v_bool, case_preserving, GET)                       \
	A(CHOWN_RESTRICTED, v_bool, chown_restricted, GET)                     \
	A(FILEHANDLE, v_fh, filehandle, GET)                                   \
	A(FILEID, v_u64, fileid, GET)                                          \
	A(FILES_AVAIL, v_u64, files_avail, GET)                                \
	A(FILES_FREE, v_u64, files_free, GET)                                  \
	A(FILES_TOTAL, v_u64, files_total, GET)                                \
	A(FS_LOCATIONS, v_locations, fs_locations, GET)                        \
	A(HIDDEN, v_bool, hidden, GET_SET)                                     \
	A(HOMOGENEOUS, v_bool, homogeneous, GET)                               \
	A(MAXFILESIZE, v_u64, maxfilesize, GET)                                \
	A(MAXLINK, v_u32, maxlink, GET)                                        \
	A(MAXNAME, v_u32, maxname, GET)                                        \
	A(MAXREAD, v_u64, maxread, GET)                                        \
	A(MAXWRITE, v_u64, maxwrite, GET)                                      \
	A(MODE, v_u32, mode, GET_SET)                                          \
	A(NO_TRUNC, v_bool, no_trunc, GET)                                     \
	A(NUMLINKS, v_u32, numlinks, GET)                                      \
	A(OWNER, v_bytes, owner, GET_SET)                                      \
	A(OWNER_GROUP, v_bytes, owner_group, GET_SET)                          \
	A(QUOTA_AVAIL_HARD, v_u64, quota_avail_hard, GET)                      \
	A(QUOTA_AVAIL_SOFT, v_u64, quota_avail_soft, GET)                      \
	A(QUOTA_USED, v_u64, quota_used, GET)                                  \
	A(RAWDEV, v_specdata, rawdev, GET)                                     \
	A(SPACE_AVAIL, v_u64, space_avail, GET)                                \
	A(SPACE_FREE, v_u64, space_free, GET)                                  \
	A(SPACE_TOTAL, v_u64, space_total, GET)                                \
	A(SPACE_USED, v_u64, space_used, GET)                                  \
	A(SYSTEM, v_bool, system, GET_SET)                                     \
	A(TIME_ACCESS, v_time, time_access, GET)                               \
	A(TIME_ACCESS_SET, v_settime, time_access_set, SET)                    \
	A(TIME_CREATE, v_time, time_create, GET_SET)                           \
	A(TIME_DELTA, v_time, time_delta, GET)                                 \
	A(TIME_METADATA, v_time, time_metadata, GET)                           \
	A(TIME_MODIFY, v_time, time_modify, GET)                               \
	A(TIME_MODIFY_SET, v_settime, time_modify_set, SET)                    \
	A(MOUNTED_ON_FILEID, v_u64, mounted_on_fileid, GET)                    \
	A(MODE_SET_MASKED, v_two_modes, mode_set_masked_value, SET)            \
	A(SUPPATTR_EXCLCREAT, v_bitmap, suppattr_exclcreat, GET)               \
	A(CLONE_BLKSIZE, v_u32, clone_blksize, GET)                            \
	A(CHANGE_ATTR_TYPE, v_u32, change_attr_type, GET)                      \
	A(MODE_UMASK, v_two_modes, mode_umask_mode, SET)                       \
	A(XATTR_SUPPORT, v_bool, xattr_support, GET)

static const struct attr_row {
	xdr_fn *value; /* NULL: not in the table */
	uint32_t offset;
} rows[32 * BITMAP4_WORDS] = {
#define A(NAME, fn, member, access)                                            \
	[FATTR4_##NAME] = { fn, offsetof(struct nfs4_attrs, member) },
	ATTRIBUTES(A)
#undef A
};

#define BIT_IN(w, n)			((n) / 32 == (w) ? 1u << ((n) % 32) : 0)
#define IN_WORD(w, n, when)		((when) ? BIT_IN(w, n) : 0)
#define KNOWN(NAME, fn, member, access) | IN_WORD(WORD, FATTR4_##NAME, true)
#define SETTABLE(NAME, fn, member, access)                                     \
	| IN_WORD(WORD, FATTR4_##NAME, (access) != GET)
#define WRITE_ONLY(NAME, fn, member, access)                                   \
	| IN_WORD(WORD, FATTR4_##NAME, (access) == SET)

enum {
#define WORD 0
	KNOWN_0 = 0 ATTRIBUTES(KNOWN),
	SETTABLE_0 = 0 ATTRIBUTES(SETTABLE),
	WRITE_ONLY_0 = 0 ATTRIBUTES(WRITE_ONLY),
#undef WORD
#define WORD 1
	KNOWN_1 = 0 ATTRIBUTES(KNOWN),
	SETTABLE_1 = 0 ATTRIBUTES(SETTABLE),
	WRITE_ONLY_1 = 0 ATTRIBUTES(WRITE_ONLY),
#undef WORD
#define WORD 2
	KNOWN_2 = 0 ATTRIBUTES(KNOWN),
	SETTABLE_2 = 0 ATTRIBUTES(SETTABLE),
	WRITE_ONLY_2 = 0 ATTRIBUTES(WRITE_ONLY),
#undef WORD
};

const bitmap4 nfs4_attrs_known = { { KNOWN_0, KNOWN_1, KNOWN_2 } };
const bitmap4 nfs4_attrs_settable = { { SETTABLE_0, SETTABLE_1, SETTABLE_2 } };
const bitmap4 nfs4_attrs_write_only = { { WRITE_ONLY_0, WRITE_ONLY_1,
					  WRITE_ONLY_2 } };

/* ---------------------------------------------------------- encode, decode */

static bool xdr_value(struct xdr *x, unsigned number, struct nfs4_attrs *a)
{
	const struct attr_row *row = &rows[number];

	if (row->value == NULL)
		return xdr_fail(x, XDR_INVALID);
	return row->value(x, (char *)a + row->offset);
}

static bool xdr_values(struct xdr *x, const bitmap4 *mask, struct nfs4_attrs *a)
{
	for (unsigned w = 0; w < BITMAP4_WORDS; w++)
		for (uint32_t bits = mask->word[w]; bits; bits &= bits - 1)
			if (!xdr_value(x, w * 32 + __builtin_ctz(bits), a))
				return false;
	return true;
}

bool nfs4_attrs_encode(struct xdr *x, const bitmap4 *want,
		       const struct nfs4_attrs *a)
{
	bitmap4 mask = bitmap4_and(want, &a->have);
	uint8_t *len;

	if (!xdr_bitmap4(x, &mask) || !(len = xdr_inline(x, 4)))
		return false;
	/* Encoding does not change what it describes. */
	if (!xdr_values(x, &mask, (struct nfs4_attrs *)a))
		return false;
	store_be32(len, x->p - len - 4);
	return true;
}

bool nfs4_attrs_pack(const struct nfs4_attrs *a, struct arena *arena,
		     fattr4 *out)
{
	char buffer[1024]; /* the settable ones take less than half of it */
	struct xdr x;
	void *vals;

	xdr_encode_init(&x, buffer, sizeof(buffer), SIZE_MAX);
	if (!xdr_values(&x, &a->have, (struct nfs4_attrs *)a))
		return false;
	vals = arena_alloc(arena, xdr_length(&x));
	if (vals == NULL)
		return false;
	memcpy(vals, buffer, xdr_length(&x));
	out->attrmask = a->have;
	out->attr_vals = (struct xdr_bytes){ vals, (uint32_t)xdr_length(&x) };
	return true;
}

bool nfs4_attrs_decode(const fattr4 *f, struct arena *arena,
		       struct nfs4_attrs *out)
{
	struct xdr x;

	out->have = f->attrmask;
	xdr_decode_init(&x, f->attr_vals.data, f->attr_vals.len, arena);
	return !f->attrmask.beyond && xdr_values(&x, &f->attrmask, out) &&
	       xdr_left(&x) == 0;
}

static bool subset(const bitmap4 *a, const bitmap4 *of)
{
	bitmap4 rest = bitmap4_without(a, of);

	return bitmap4_empty(&rest);
}

static bool time_valid(const settime4 *t)
{
	return t->set_it == SET_TO_SERVER_TIME4 ||
	       t->time.nseconds < 1000000000;
}

/* Values that have the right form but no meaning. */
static bool values_valid(const struct nfs4_attrs *a)
{
	const mode4 bad = ~(mode4)07777;

#define HAS(NAME) bitmap4_has(&a->have, FATTR4_##NAME)
	return !((HAS(MODE) && (a->mode & bad)) ||
		 (HAS(MODE_SET_MASKED) &&
		  ((a->mode_set_masked_value | a->mode_set_masked_mask) &
		   bad)) ||
		 (HAS(MODE_UMASK) && ((a->mode_umask_mode & bad) ||
				      (a->mode_umask_umask & ~(mode4)0777))) ||
		 (HAS(TIME_ACCESS_SET) && !time_valid(&a->time_access_set)) ||
		 (HAS(TIME_MODIFY_SET) && !time_valid(&a->time_modify_set)) ||
		 (HAS(TIME_CREATE) && a->time_create.nseconds >= 1000000000));
#undef HAS
}

nfsstat4 nfs4_attrs_decode_set(const fattr4 *f, const bitmap4 *supported,
			       struct nfs4_attrs *out)
{
	if (!subset(&f->attrmask, supported))
		return NFS4ERR_ATTRNOTSUPP;
	if (!subset(&f->attrmask, &nfs4_attrs_settable))
		return NFS4ERR_INVAL;
	if (!nfs4_attrs_decode(f, NULL, out))
		return NFS4ERR_BADXDR;
	return values_valid(out) ? NFS4_OK : NFS4ERR_INVAL;
}

/* --------------------------------------------------------- VERIFY, NVERIFY */

/* Encodes ours of one attribute and compares it with the same number of bytes
 * of theirs, which `theirs` steps over. */
static nfsstat4 compare_value(struct xdr *theirs, unsigned number,
			      const struct nfs4_attrs *a)
{
	struct nfs4_attrs scratch;
	const uint8_t *from = theirs->p;
	char buffer[4096];
	struct xdr ours;

	if (!xdr_value(theirs, number, &scratch))
		return NFS4ERR_BADXDR;
	xdr_encode_init(&ours, buffer, sizeof(buffer), SIZE_MAX);
	if (!bitmap4_has(&a->have, number) ||
	    !xdr_value(&ours, number, (struct nfs4_attrs *)a))
		return NFS4ERR_NOT_SAME;
	if (xdr_length(&ours) != (size_t)(theirs->p - from) ||
	    memcmp(buffer, from, xdr_length(&ours)) != 0)
		return NFS4ERR_NOT_SAME;
	return NFS4ERR_SAME;
}

static nfsstat4 compare_values(struct xdr *theirs, const bitmap4 *mask,
			       const struct nfs4_attrs *a)
{
	nfsstat4 status, result = NFS4ERR_SAME;

	for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
		if (!bitmap4_has(mask, n))
			continue;
		status = compare_value(theirs, n, a);
		if (status == NFS4ERR_BADXDR)
			return status;
		if (status == NFS4ERR_NOT_SAME)
			result = status;
	}
	return xdr_left(theirs) == 0 ? result : NFS4ERR_BADXDR;
}

nfsstat4 nfs4_attrs_compare(const fattr4 *f, const bitmap4 *supported,
			    const struct nfs4_attrs *a)
{
	static const bitmap4 rdattr_error = { { 1u << FATTR4_RDATTR_ERROR } };
	bitmap4 refused = bitmap4_or(&nfs4_attrs_write_only, &rdattr_error);
	struct arena arena;
	nfsstat4 status;
	struct xdr x;

	if (!subset(&f->attrmask, supported))
		return NFS4ERR_ATTRNOTSUPP;
	refused = bitmap4_and(&f->attrmask, &refused);
	if (!bitmap4_empty(&refused))
		return NFS4ERR_INVAL;
	arena_init(&arena, NULL, 0, KIB(64));
	xdr_decode_init(&x, f->attr_vals.data, f->attr_vals.len, &arena);
	status = compare_values(&x, &f->attrmask, a);
	arena_fini(&arena);
	return status;
}

/* ----------------------------------------------------------- small helpers */

utf8string nfs4_id_format(uint32_t id, char buf[NFS4_ID_TEXT_MAX])
{
	char *p = buf + NFS4_ID_TEXT_MAX;

	do {
		*--p = '0' + id % 10;
		id /= 10;
	} while (id != 0);
	return (utf8string){ p, (uint32_t)(buf + NFS4_ID_TEXT_MAX - p) };
}

bool nfs4_id_parse(utf8string text, uint32_t *id)
{
	const char *s = text.data;
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < text.len && s[i] != '@'; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (s[i] - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*id = (uint32_t)n;
	return i > 0;
}

nfs_ftype4 nfs4_type_from_mode(uint32_t st_mode)
{
	switch (st_mode & S_IFMT) {
	case S_IFREG:
		return NF4REG;
	case S_IFDIR:
		return NF4DIR;
	case S_IFBLK:
		return NF4BLK;
	case S_IFCHR:
		return NF4CHR;
	case S_IFLNK:
		return NF4LNK;
	case S_IFSOCK:
		return NF4SOCK;
	case S_IFIFO:
		return NF4FIFO;
	default:
		return 0;
	}
}

uint32_t nfs4_type_to_mode(nfs_ftype4 type)
{
	switch (type) {
	case NF4REG:
		return S_IFREG;
	case NF4DIR:
		return S_IFDIR;
	case NF4BLK:
		return S_IFBLK;
	case NF4CHR:
		return S_IFCHR;
	case NF4LNK:
		return S_IFLNK;
	case NF4SOCK:
		return S_IFSOCK;
	case NF4FIFO:
		return S_IFIFO;
	case NF4ATTRDIR:
	case NF4NAMEDATTR:
		break;
	}
	return 0;
}
