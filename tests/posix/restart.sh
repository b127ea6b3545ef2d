# SPDX-License-Identifier: Apache-2.0
# The service is killed and started again under a mount: what was open and
# locked is so still, and nothing that was written is missing.
. "$HAWSER_TESTS/lib.sh"
second_config second.yaml
export HAWSER_RPC="$PWD/state/rpc.sock"
start_hawserd one --state state --config second.yaml
fs=$(hawser fs create)
set -- $(hawser mount-target create "$fs")
hawser mount-target create "$fs" >/dev/null
mkdir a b
hawser mount "$2:/" a -f 2>a.log &
hawser mount "$2:/" b -f 2>b.log &
eventually mountpoint -q a
eventually mountpoint -q b

python3 - <<'END' >out &
import fcntl, os, time
f = os.open("a/f", os.O_RDWR | os.O_CREAT)
gone = os.open("a/gone", os.O_RDWR | os.O_CREAT)
os.write(gone, b"still here")
os.unlink("a/gone")
fcntl.lockf(f, fcntl.LOCK_EX)
end, n = time.time() + 6, 0
open("ready", "w").close()
while time.time() < end:
    assert os.pwrite(f, b"%08d" % n, 8 * (n % 100000)) == 8
    n += 1
    if n % 50 == 0:
        os.fsync(f)
os.fsync(f)
assert os.pread(gone, 20, 0) == b"still here"
last = min(n, 100000)
data = os.pread(f, 8 * last, 0)
assert all(int(data[8 * i:8 * i + 8]) % 100000 == i for i in range(last))
other = os.open("b/f", os.O_RDWR)
pid = os.fork()
if pid == 0:
    try:
        fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os._exit(0)
    os._exit(1)
assert os.waitpid(pid, 0)[1] == 0
print("done", n)
END
worker=$!
eventually test -e ready
present=one
for next in two three; do
	sleep 1
	pid=$(cat $present.pid)
	kill -KILL "$pid"
	wait "$pid" || :
	start_hawserd $next --state state --config second.yaml
	present=$next
done
wait $worker || fail "$(cat a.log)"
cat out
grep -q done out
hawser umount a
hawser umount b
stop_hawserd $present
