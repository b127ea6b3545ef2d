/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/schema.h"

#include <string.h>

#include "base/bytes.h"

const char *const table_names[TABLES] = {
	[T_SUPER] = "super",   [T_INODE] = "inode", [T_DIRENT] = "dirent",
	[T_INLINE] = "inline", [T_XATTR] = "xattr", [T_ORPHAN] = "orphan",
	[T_MARK] = "mark",     [T_TREE] = "tree",
};

MDB_val ino_key(struct ino_key *k, uint64_t ino)
{
	store_be64(k->bytes, ino);
	return (MDB_val){ sizeof(k->bytes), k->bytes };
}

MDB_val pair_key(struct pair_key *k, uint64_t ino, uint64_t cookie)
{
	store_be64(k->bytes, ino);
	store_be64(k->bytes + 8, cookie);
	return (MDB_val){ sizeof(k->bytes), k->bytes };
}

bool inode_rec_load(const MDB_val *value, struct inode_rec *rec)
{
	const size_t without_tree = offsetof(struct inode_rec, tree);

	if (value->mv_size != sizeof(*rec) && value->mv_size != without_tree)
		return false;
	rec->tree = 0;
	memcpy(rec, value->mv_data, value->mv_size);
	return true;
}

MDB_val inode_rec_value(const struct inode_rec *rec)
{
	size_t size = rec->tree != 0 ? sizeof(*rec)
				     : offsetof(struct inode_rec, tree);

	return (MDB_val){ size, (void *)rec };
}

uint64_t cookie_first(const struct siphash_key *key, const char *name,
		      size_t len)
{
	uint64_t hash = siphash24(key, name, len) >> 8;

	return (hash != 0 ? hash : 1) << COOKIE_SLOT_BITS;
}
