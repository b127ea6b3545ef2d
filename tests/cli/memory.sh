# SPDX-License-Identifier: Apache-2.0
# What an idle service costs, and what a thousand idle connections add.

fs=$(hawser fs create)
address=$(hawser mount-target create "$fs" | awk '{ print $2 }')
pid=$(hawser info --json | json 'j["pid"]')

python3 - "$address" "$pid" <<'END'
import resource, socket, sys
address, pid = sys.argv[1:]
COUNT = 1000
resource.setrlimit(resource.RLIMIT_NOFILE, (2 * COUNT, 2 * COUNT))

def kib(name):
    for line in open("/proc/%s/status" % pid):
        if line.startswith(name + ":"):
            return int(line.split()[1])

# A NULL call (RFC 5531), so that each has been served once.
words = (1, 0, 2, 100003, 4, 0, 0, 0, 0, 0)
call = b"".join(w.to_bytes(4, "big") for w in words)
call = (1 << 31 | len(call)).to_bytes(4, "big") + call

idle, anonymous = kib("VmRSS"), kib("RssAnon")
connections = []
for _ in range(COUNT):
    s = socket.create_connection((address, 2049))
    s.sendall(call)
    connections.append(s)
for s in connections:
    assert len(s.recv(64)) == 28
each = (kib("RssAnon") - anonymous) / COUNT
print("idle: %d KiB; a connection: %.1f KiB" % (idle, each))
assert idle < 40 * 1024
assert each < 64
END
