# SPDX-License-Identifier: Apache-2.0
# For the cases of this folder: a file system with three mount targets, $fs,
# whose addresses are $target1, $target2 and $target3, their ids $id1 to $id3.

fs=$(hawser fs create --name posix)
for i in 1 2 3; do
	set -- $(hawser mount-target create "$fs")
	eval "id$i=$1 target$i=$2"
done
cases=$(dirname "$HAWSER_CASE")

# mount_at DIR [OPTIONS]: mounts; what the daemon says goes to DIR.log.
mount_at() {
	mkdir -p "$1"
	hawser mount "$target1:/" "$1" -f ${2:+-o "$2"} 2>>"$1.log" &
	eval "pid_$1=$!"
	eventually mounted_or_dead "$1" $!
	mountpoint -q "$1" || fail "$(cat "$1.log")"
}

mounted_or_dead() {
	mountpoint -q "$1" || ! kill -0 "$2" 2>/dev/null
}

# path_state DIR ADDRESS: "live", "lost", …
path_state() {
	hawser paths "$1" --json | json "[p['state'] for p in j[0]['paths']
		if p['address'].startswith('$2:')][0]"
}

path_is() {
	[ "$(path_state "$1" "$2")" = "$3" ]
}

path_is_not() {
	! path_is "$@"
}
