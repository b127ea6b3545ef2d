# SPDX-License-Identifier: Apache-2.0
# While paths are cut and silenced in turn, no application notices.
. "$HAWSER_TESTS/posix/lib.sh"
command -v nft >/dev/null || skip "nft is not installed"
command -v ss >/dev/null || skip "ss is not installed"
mount_at a

# Writes files, reads back what is older, until told to stop.
work() {
	n=0
	until [ -e stop ]; do
		head -c $((n % 7 * 100000 + 5000)) /dev/urandom >new
		cp new "a/$n" && cmp new "a/$n" || return 1
		dd if=new of="a/small" bs=3000 conv=fsync status=none || return 1
		cmp new a/small || return 1
		mv "a/$n" "a/moved-$n" && ln -s "moved-$n" "a/$n" || return 1
		(cd a && sha256sum "moved-$n") >>sums || return 1
		n=$((n + 1))
	done
}

down() { hawser mount-target down "$1"; }
up() { hawser mount-target up "$1"; }

silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	nft add rule ip silence out ip daddr "$1" drop
	nft add rule ip silence out ip saddr "$1" drop
}

losses() {
	hawser paths a --json | json "sum(p['losses'] for p in j[0]['paths'])"
}
has_lost_more_than() { [ "$(losses)" -gt "$1" ]; }
lines_differ() { [ "$(wc -l <"$1")" != "$2" ]; }

work &
worker=$!
eventually test -e sums

for round in 1 2; do
	for i in 1 2 3; do
		eval "id=\$id$i target=\$target$i"
		down "$id"
		eventually path_is_not a "$target" live
		before=$(wc -l <sums)
		eventually lines_differ sums "$before"
		up "$id"
		eventually path_is a "$target" live

		# A reset in the middle of something.
		before=$(losses)
		ss -tK dst "$target" dport = 2049 >/dev/null
		eventually has_lost_more_than "$before"
		eventually path_is a "$target" live

		silence "$target"
		sleep 0.7
		path_is_not a "$target" live || fail "$target is silent, and live"
		nft delete table ip silence
		eventually path_is a "$target" live
	done
done
touch stop
wait $worker || fail "the application met an error"
echo "$(wc -l <sums) files"
(cd a && sha256sum --quiet -c ../sums)
hawser umount a

mount_at a
(cd a && sha256sum --quiet -c ../sums)
hawser umount a
