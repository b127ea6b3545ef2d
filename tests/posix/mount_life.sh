# SPDX-License-Identifier: Apache-2.0
# How mounts begin and end.
. "$HAWSER_TESTS/posix/lib.sh"

# What is refused, in one line.
refused 2 "unknown option nonsense" hawser mount "$target1:/" x -o nonsense
refused 2 "ADDRESS:/PATH" hawser mount here there
refused 2 "a directory" hawser mount "$target1:/"
refused 2 "fast_io_fail_timeout" hawser mount "$target1:/" x -o soft
refused 1 "No such file" hawser mount "$target1:/" nothing-there

# Where nobody listens it says so at once.
mkdir -p nowhere
began=$(date +%s)
refused 1 "Connection refused" hawser mount "$target1:/" nowhere -o port=1
[ $(($(date +%s) - began)) -lt 5 ] || fail "it took long to fail"
touch file
mkdir m
refused 1 "Not a directory" hawser mount "$target1:/" file
refused 1 "refused" hawser mount 127.255.0.1:/ m
refused 1 "No such file" hawser mount "$target1:/no/such" m
refused 1 "mounted nothing there" hawser umount m
refused 1 "no mount of hawser" hawser paths m
refused 2 "unknown option" hawser paths --nonsense
hawser paths | grep -q "nothing is mounted"

# Usable when the command returns, gone when umount does.
pid() { hawser paths m --json | json "j[0]['pid']"; }
hawser mount "$target1:/" m
echo hello >m/file
refused 1 "already mounted" hawser mount "$target1:/" m
daemon=$(pid)
same 3 "$(hawser paths m | grep -c ' live ')"
[ "$(hawser paths m | wc -L)" -le 80 ] || fail "wider than 80 columns"
sleep 1000 <m/file &
refused 1 "in use" hawser umount m
kill $!
wait $! || :
hawser umount m
eventually sh -c "! kill -0 $daemon 2>/dev/null" # init reaps it
mountpoint -q m && fail "still mounted"

# A directory of it, and read-only.
mkdir -p m2
hawser mount "$target2:/" m
mkdir m/sub
echo below >m/sub/file
hawser mount "$target1:/sub" m2 -o ro
same below "$(cat m2/file)"
! touch m2/new 2>/dev/null || fail "wrote to a read-only mount"
same 2 "$(hawser paths | grep -c '^127.* on ')"
hawser umount m2

# SIGTERM unmounts.
daemon=$(pid)
kill -TERM "$daemon"
eventually sh -c "! kill -0 $daemon 2>/dev/null"
! mountpoint -q m || fail "SIGTERM left the mount"

# So it does while it is used; the users get an error, in time.
hawser mount "$target1:/" m
sleep 1000 <m/file &
daemon=$(pid)
kill -TERM "$daemon"
eventually sh -c "! kill -0 $daemon 2>/dev/null"
! mountpoint -q m || fail "SIGTERM left the mount"
kill $!

# What a killed daemon left is taken away by umount, and by the next mount.
hawser mount "$target1:/" m
kill -KILL "$(pid)"
! ls m 2>/dev/null || fail "a dead mount can be listed"
hawser umount m
ls m
hawser mount "$target1:/" m
kill -KILL "$(pid)"
hawser mount "$target1:/" m
same hello "$(cat m/file)"
hawser umount m

# Others see it only where that is allowed.
hawser mount "$target1:/" m
chmod 755 . m
same hello "$(setpriv --reuid 1 --clear-groups cat m/file)"
hawser umount m
hawser mount "$target1:/" m -o noallow_other
! setpriv --reuid 1 --clear-groups cat m/file 2>/dev/null ||
	fail "another user reads a private mount"
hawser umount m
