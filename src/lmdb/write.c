/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record's payload is a sequence of these, each with key and value behind it,
 * unaligned.  Doing them again, and all that follow, changes nothing.
 */
#include "lmdb/write.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

struct op {
	uint8_t table, deletes;
	uint16_t key_len;
	uint32_t value_len;
};

int lmdb_write_begin(struct lmdb *db, struct lmdb_write *w)
{
	int rc = mdb_txn_begin(db->env, NULL, 0, &w->txn);

	w->db = db;
	w->length = sizeof(struct journal_record);
	return lmdb_errno(rc);
}

static void append(struct lmdb_write *w, const void *bytes, size_t len)
{
	if (len > 0) /* without, `bytes` may be NULL */
		memcpy((char *)w->db->record + w->length, bytes, len);
	w->length += len;
}

static int note(struct lmdb_write *w, const struct op *op, const MDB_val *key,
		const MDB_val *value)
{
	if (w->length + sizeof(*op) + key->mv_size + value->mv_size >
	    JOURNAL_RECORD_MAX)
		return -ENOSPC;
	append(w, op, sizeof(*op));
	append(w, key->mv_data, key->mv_size);
	append(w, value->mv_data, value->mv_size);
	return 0;
}

int lmdb_put(struct lmdb_write *w, unsigned table, MDB_val key, MDB_val value)
{
	struct op op = { .table = table,
			 .key_len = key.mv_size,
			 .value_len = value.mv_size };
	int r = lmdb_errno(
		mdb_put(w->txn, w->db->tables[table], &key, &value, 0));

	return r < 0 ? r : note(w, &op, &key, &value);
}

int lmdb_del(struct lmdb_write *w, unsigned table, MDB_val key)
{
	struct op op = { .table = table, .deletes = 1, .key_len = key.mv_size };
	int r = lmdb_errno(mdb_del(w->txn, w->db->tables[table], &key, NULL));

	return r < 0 ? r : note(w, &op, &key, &(MDB_val){});
}

void lmdb_write_abort(struct lmdb_write *w)
{
	mdb_txn_abort(w->txn);
}

int lmdb_write_commit(struct lmdb_write *w)
{
	struct journal *j = &w->db->journal;
	const struct journal_place before = j->head;
	int r = __atomic_load_n(&w->db->error, __ATOMIC_RELAXED);
	const bool changed = w->length > sizeof(struct journal_record);

	if (r == 0 && changed)
		r = journal_append(j, w->db->record, w->length);
	if (r < 0 || !changed) {
		mdb_txn_abort(w->txn);
		return r;
	}
	r = lmdb_errno(mdb_txn_commit(w->txn));
	if (r < 0)
		journal_take_back(j, before, w->length);
	else
		lmdb_allocate(w->db);
	return r;
}

static int redo(struct lmdb *db, MDB_txn *txn, const struct op *op,
		const char *bytes)
{
	MDB_val key = { op->key_len, (void *)bytes };
	MDB_val value = { op->value_len, (void *)(bytes + op->key_len) };
	int rc;

	if (op->table >= db->ntables)
		return -EIO;
	if (!op->deletes)
		return lmdb_errno(
			mdb_put(txn, db->tables[op->table], &key, &value, 0));
	rc = mdb_del(txn, db->tables[op->table], &key, NULL);
	return rc == MDB_NOTFOUND ? 0 : lmdb_errno(rc);
}

int lmdb_redo(struct lmdb *db, MDB_txn *txn, const void *payload, size_t len)
{
	const char *p = payload, *end = p + len;
	struct op op;
	int r = 0;

	while (r == 0 && p < end) {
		if ((size_t)(end - p) < sizeof(op))
			return -EIO;
		memcpy(&op, p, sizeof(op));
		p += sizeof(op);
		if ((size_t)(end - p) < (size_t)op.key_len + op.value_len)
			return -EIO;
		r = redo(db, txn, &op, p);
		p += op.key_len + op.value_len;
	}
	return r;
}
