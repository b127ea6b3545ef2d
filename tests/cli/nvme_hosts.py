# SPDX-License-Identifier: Apache-2.0
"""Many hosts of a target: what idle ones cost, and those that stop reading.

nvme_hosts.py ADDRESS PORT NQN PID: prints what it found.  Between its two parts
it waits for a line on stdin, and it ends with the next.
"""
import os
import resource
import socket
import struct
import sys

ADDRESS, PORT, NQN, PID = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
HOSTNQN = "nqn.2014-08.org.nvmexpress:uuid:11111111-1111-1111-1111-111111111111"
CONTROLLERS, QUEUES, DEPTH = 200, 4, 128
STUCK, READS = 20, 100

resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


def mib(name):
    for line in open("/proc/%s/status" % PID):
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024


def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        assert more, "closed by the target"
        data += more
    return data


def receive(s):
    """Type and rest of a PDU."""
    header = exactly(s, 8)
    return header[0], exactly(s, struct.unpack("<I", header[4:])[0] - 8)


def command(s, sqe, data=b""):
    """Sends a capsule; the status and DW0 of its response."""
    assert len(sqe) == 64
    length = 72 + len(data)
    s.sendall(struct.pack("<BBBBI", 4, 0, 72, 72 if data else 0, length) + sqe + data)
    kind, cqe = receive(s)
    assert kind == 5, "PDU %d, no response" % kind
    return struct.unpack("<H", cqe[14:])[0] >> 1, struct.unpack("<I", cqe[:4])[0]


def connect(qid, cntlid, host_id):
    """NVMe/TCP 3.6.2.2 and 3.3: a connection with one queue."""
    s = socket.create_connection((ADDRESS, PORT))
    s.sendall(struct.pack("<BBBBI", 0, 0, 128, 0, 128) + bytes(120))
    receive(s)
    data = host_id + struct.pack("<H", cntlid) + bytes(238)
    data += NQN.encode().ljust(256, b"\0") + HOSTNQN.encode().ljust(256, b"\0") + bytes(256)
    sqe = struct.pack("<BBHB", 0x7F, 0x40, 0, 1) + bytes(19)
    sqe += struct.pack("<QIBBBB", 0, len(data), 0, 0, 0, 1)
    sqe += struct.pack("<HHHBBI", 0, qid, DEPTH - 1 if qid else 31, 0, 0, 0) + bytes(12)
    status, dw0 = command(s, sqe, data)
    assert status == 0, "Connect: status %#x" % status
    return s, dw0 & 0xFFFF


def controller(queues):
    """Its admin queue and I/O queues, enabled."""
    host_id = os.urandom(16)
    admin, cntlid = connect(0, 0xFFFF, host_id)
    sqe = struct.pack("<BBHB", 0x7F, 0x40, 1, 0) + bytes(35)
    sqe += struct.pack("<BBHIQ", 0, 0, 0, 0x14, 0x460001) + bytes(8)
    assert command(admin, sqe)[0] == 0
    return [admin] + [connect(q + 1, cntlid, host_id)[0] for q in range(queues)]


def stop_reading(s):
    """Asks for 128 KiB again and again, and takes nothing."""
    for cid in range(READS):
        sqe = struct.pack("<BBHI", 2, 0x40, cid + 1, 1) + bytes(16)
        sqe += struct.pack("<QIBBBB", 0, 131072, 0, 0, 0, 0x5A)
        sqe += struct.pack("<QII", 0, 255, 0) + bytes(8)
        s.sendall(struct.pack("<BBBBI", 4, 0, 72, 0, 72) + sqe)


before = mib("RssAnon")
idle = [s for _ in range(CONTROLLERS) for s in controller(QUEUES)]
each = (mib("RssAnon") - before) * 1024 / len(idle)
print("an idle connection: %.1f KiB" % each, flush=True)
assert each < 64
for s in idle:
    s.close()

stuck = [controller(1) for _ in range(STUCK)]
for queues in stuck:
    stop_reading(queues[1])
print("stuck", flush=True)
sys.stdin.readline()
print("with %d hosts that don't read: %.0f MiB" % (STUCK, mib("VmRSS")))
# 16 MiB of data for each of them: NVMET_QUEUE_BYTES.
assert mib("VmRSS") < 64 + STUCK * 16
