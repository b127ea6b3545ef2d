# SPDX-License-Identifier: Apache-2.0
# Programs that ask much of a file system.
. "$HAWSER_TESTS/posix/lib.sh"
mount_at a
mount_at b

if command -v git >/dev/null; then
	mkdir a/origin
	cd a/origin
	git init -q .
	git config user.email nobody@example.org
	git config user.name nobody
	for i in 1 2 3; do
		seq 1 $((i * 1000)) >numbers
		git add numbers
		git commit -qm "$i"
	done
	git gc -q
	cd ../..
	git clone -q a/origin b/clone
	git -C b/clone fsck --strict
	same "$(git -C a/origin rev-parse HEAD)" \
		"$(git -C b/clone rev-parse HEAD)"
	[ -z "$(git -C b/clone status --porcelain)" ] || fail "git status"
fi

if command -v sqlite3 >/dev/null; then
	sqlite3 a/db 'CREATE TABLE t (n INTEGER, who TEXT)'
	for who in a b; do
		for i in $(seq 1 40); do
			sqlite3 -cmd '.timeout 60000' $who/db \
				"INSERT INTO t VALUES ($i, '$who')"
		done &
		eval "writer_$who=\$!"
	done
	wait "$writer_a"
	wait "$writer_b"
	same 80 "$(sqlite3 a/db 'SELECT count(*) FROM t')"
	same ok "$(sqlite3 b/db 'PRAGMA integrity_check')"
fi

if command -v fio >/dev/null; then
	for job in rw=randwrite,bs=4k rw=write,bs=1m \
		rw=randwrite,bs=3k,ioengine=mmap; do
		fio --directory=a --size=24m --verify=crc32c --numjobs=2 \
			--fallocate=none --end_fsync=1 \
			$(echo ",$job" | sed 's/,/ --/g; s/ --/ --name=x --/') \
			>fio.log 2>&1 || fail "$job: $(tail -20 fio.log)"
		rm -f a/x.*
	done
fi
hawser umount a
hawser umount b
