/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/local/schema.h"

#include "base/bytes.h"

const char *const table_names[TABLES] = {
	[T_SUPER] = "super",   [T_INODE] = "inode", [T_DIRENT] = "dirent",
	[T_INLINE] = "inline", [T_XATTR] = "xattr", [T_ORPHAN] = "orphan",
	[T_MARK] = "mark",
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

uint64_t cookie_first(const struct siphash_key *key, const char *name,
		      size_t len)
{
	uint64_t hash = siphash24(key, name, len) >> 8;

	return (hash != 0 ? hash : 1) << COOKIE_SLOT_BITS;
}
