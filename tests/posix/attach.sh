# SPDX-License-Identifier: Apache-2.0
# A volume as a file: any bytes at any place, holes, ends; a file system on it,
# while paths are lost; it is unmounted cleanly, and goes with its daemon.
. "$HAWSER_TESTS/posix/volume.sh"

refused 2 'a file is needed' hawser attach
refused 2 'a path is needed' hawser attach --subnqn "$nqn" file
refused 1 'no connection' hawser attach --subnqn "$nqn" "$one:1" file
hawser attach --discover no --subnqn "$nqn" "$one" --path "$two" file
mountpoint -q file || fail "nothing is mounted"
same 67108864 "$(stat -c %s file)"
refused 1 'already mounted' hawser attach --subnqn "$nqn" "$one" file
hawser paths file | grep -q "$two:4420 .*live"
volume=$(hawser paths file --json | json 'j[0]["volume"]')
same 2 "$(hawser paths "$volume" --json | json 'len(j[0]["paths"])')"

# The same as on a plain file, while paths are silent, or reset.
dd if=/dev/urandom of=model bs=1M count=64 status=none
dd if=model of=file bs=1M conv=notrunc,fsync status=none
cmp model file
(silence "$one"; sleep 1; speak; reset "$one"; reset "$two") &
python3 - <<'END'
import ctypes, os, random
libc = ctypes.CDLL(None, use_errno=True)
KEEP, PUNCH, ZERO = 1, 2, 16
r = random.Random(1)
f = os.open("file", os.O_RDWR)
m = os.open("model", os.O_RDWR)
size = os.fstat(f).st_size
for n in range(600):
    at = r.randrange(size)
    data = r.randbytes(min(r.choice((1, 511, 4096, 70000)), size - at))
    what = r.randrange(6)
    if what < 3:
        assert os.pwrite(f, data, at) == len(data)
        os.pwrite(m, data, at)
    elif what < 5:
        assert os.pread(f, len(data), at) == os.pread(m, len(data), at), at
    else:
        mode = KEEP | r.choice((PUNCH, ZERO))
        for fd in f, m:
            assert libc.fallocate(fd, mode, ctypes.c_long(at),
                ctypes.c_long(len(data))) == 0, os.strerror(
                ctypes.get_errno())
os.fsync(f)
try:
    os.pwrite(f, b"x", size)
    raise SystemExit("a write beyond the end")
except OSError as e:
    assert e.errno == 28, e
try:
    os.ftruncate(f, 4096)
    raise SystemExit("it was truncated")
except PermissionError:
    pass
assert os.pread(f, 10, size - 4) == os.pread(m, 4, size - 4)
END
wait $!
cmp model file
hawser umount file
same 0 "$(stat -c %s file)"
same '[]' "$(hawser paths --json | tr -d ' \n')"

# What was there is there, also read-only; a killed daemon leaves nothing that
# the next one would stumble over.
hawser attach --read-only --subnqn "$nqn" "$two" file
cmp model file
! dd if=model of=file bs=4k count=1 conv=notrunc 2>/dev/null ||
	fail "it was written"
kill -KILL "$(hawser paths file --json | json 'j[0]["pid"]')"
hawser attach --subnqn "$nqn" "$one" "$two" file
cmp model file

# A file system in it.
if command -v mkfs.ext4 >/dev/null; then
	mkfs.ext4 -q -F file
	e2fsck -f -n file >fsck.log 2>&1 || fail "$(cat fsck.log)"
fi
hawser umount file
