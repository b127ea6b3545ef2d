# SPDX-License-Identifier: Apache-2.0
# make run: a mounted file system in the foreground, that a second run finds
# again; Ctrl-C ends it without a trace but the data.

[ -w /dev/fuse ] || skip "no /dev/fuse"
build=$(dirname "$(command -v hawserd)")
unset HAWSER_RPC HAWSER_STATE

# start: returns when it is mounted and has said so.
start() {
	rm -f out
	setsid "$HAWSER_TESTS/../tools/run.sh" "$build" >out 2>err &
	run=$!
	eventually grep -qs Ctrl-C out
	mountpoint -q mnt || fail "$(cat err)"
}

# stop: as Ctrl-C does, but a shell starts what is in its background deaf to it.
stop() {
	kill -s TERM -- -$run
	status=0
	wait $run || status=$?
	same 0 $status
	! mountpoint -q mnt || fail "still mounted"
	! kill -0 "$(cat var/lock)" 2>/dev/null || fail "hawserd still runs"
}

start
same 3 "$(hawser paths mnt | grep -c ' live ')"
echo hello >mnt/file
stop
test ! -e mnt/file

start
same hello "$(cat mnt/file)"
same 1 "$(hawser fs list --socket var/rpc.sock --json | json 'len(j)')"
stop
