# SPDX-License-Identifier: ISC
"""A daemon of a few lines: starts a backend and speaks the backend IPC with it.

Message numbers and bodies are those of lib/backend/ipc.h and lib/base/sa_wire.c. It plays parent,
engine, authorization process and control process at once, with keys that the test chooses.
"""

import array
import ipaddress
import os
import select
import socket
import struct
import subprocess
import threading

SEQ_SEVERAL = 0
IPC_PEER, IPC_START, IPC_STOP = 1, 2, 3
IPC_READY, IPC_FATAL = 0x40, 0x41
BK_SA_ADD, BK_SA_DEL, BK_SA_MOVE, BK_GRANT_SET, BK_GRANT_DROP = 0x100, 0x101, 0x102, 0x103, 0x104
BK_POLICY_ADD, BK_POLICY_DEL, BK_FLUSH_OWN, BK_COMMIT = 0x105, 0x106, 0x107, 0x108
BK_SA_LIST, BK_COUNTERS, BK_GRANT_LIST = 0x109, 0x10a, 0x10b
BK_DONE, BK_ACQUIRE, BK_EXPIRE, BK_MAPPING, BK_HELLO = 0x180, 0x181, 0x182, 0x183, 0x184
BK_SA_INFO, BK_COUNTER, BK_GRANT_INFO, BK_END = 0x185, 0x186, 0x187, 0x188
PROC_ENGINE, PROC_AUTHZ, PROC_CONTROL = 1, 4, 6

SA_IN, SA_OUT = 1, 2
TRANSPORT, TUNNEL = 1, 2
GCM128 = (20, 128, 0)          # encr, key bits, integ
FOREVER = 2 ** 62


def addr(text):
    packed = ipaddress.ip_address(text).packed
    return bytes([4 if len(packed) == 4 else 6]) + packed


def name(text):
    return bytes([len(text)]) + text.encode()


def transform(t=GCM128, esn=True):
    return struct.pack(">HHHB", *t, esn)


def selector(a, proto, lo, hi):
    return struct.pack(">BHH", proto, lo, hi) + addr(a) + addr(a)


def channel(ident="vxlan", proto=17, port=4789, mode=TRANSPORT, lifetime=3600):
    return (name(ident) + struct.pack(">BBHB", 1, proto, port, mode) + transform(esn=False) +
            struct.pack(">HI", 0, lifetime))


def vnis(numbers):
    return struct.pack(">H", len(numbers)) + b"".join(n.to_bytes(3, "big") for n in sorted(numbers))


def grant(number, node, local, peer, vns, mode=TRANSPORT, expires=FOREVER):
    return (struct.pack(">I", number) + name(node) + bytes([len(peer)]) + b"".join(map(addr, peer)) +
            bytes([len(local)]) + b"".join(map(addr, local)) + b"\x01" + channel(mode=mode) +
            vnis(vns) + struct.pack(">Q", expires))


def policy(node, local, peer, vns, mode=TRANSPORT, action=1):
    return (bytes([action]) + name(node) + addr(local) + addr(peer) + channel(mode=mode) + vnis(vns))


def sa(direction, spi, src, dst, key, number, pair, mode=TRANSPORT, encap=None, esn=True, window=1024,
       hard_s=0):
    sport, dport = encap or (0, 0)
    return (struct.pack(">IBB", spi, direction, mode) + addr(src) + addr(dst) +
            struct.pack(">HH", sport, dport) + transform(esn=esn) +
            struct.pack(">H", len(key)) + key + struct.pack(">H", window) +
            b"\x01" + selector(src, 17, 0, 65535) + b"\x01" + selector(dst, 17, 4789, 4789) +
            name("vxlan") + struct.pack(">III", 0, number, pair) +
            struct.pack(">IIQQQQ", 0, hard_s, 0, 0, 0, 0) + b"\x00")


class DriverError(Exception):
    """The backend did not do what was awaited of it."""


class Connection:
    """One SOCK_SEQPACKET connection to the backend."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""            # of a packet that holds several messages
        self.events = []           # messages that came while another one was awaited

    def send(self, mtype, body=b"", fd=None):
        ancillary = []
        if fd is not None:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.sock.sendmsg([struct.pack(">H", mtype) + body], ancillary)

    def receive(self, timeout=20):
        """Type and body of the next message; packets of type 0 hold several: type, length, body."""
        if not self.rest:
            mtype, body = self.packet(timeout)
            if mtype != SEQ_SEVERAL:
                return mtype, body
            self.rest = body
        mtype, n = struct.unpack(">HI", self.rest[:6])
        body, self.rest = self.rest[6:6 + n], self.rest[6 + n:]
        return mtype, body

    def packet(self, timeout):
        if not select.select([self.sock], [], [], timeout)[0]:
            raise DriverError(f"nothing came in {timeout} s")
        data = self.sock.recv(256 * 1024)
        if not data:
            raise DriverError("the backend closed the connection")
        return struct.unpack(">H", data[:2])[0], data[2:]

    def expect(self, mtype, timeout=20):
        """The body of the next message of this type; others are kept in `events`."""
        for i, (t, body) in enumerate(self.events):
            if t == mtype:
                del self.events[i]
                return body
        while True:
            t, body = self.receive(timeout)
            if t == mtype:
                return body
            self.events.append((t, body))


class Backend:
    """pcap-backend in a network namespace (or here), started and spoken to as a daemon does."""

    def __init__(self, program, options, netns=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for s in (ours, theirs):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        argv = ["bash", "-c", f"exec 3<&{theirs.fileno()} {theirs.fileno()}<&-; exec \"$@\"", "bash"]
        if netns:
            argv += ["ip", "netns", "exec", netns]
        self.popen = subprocess.Popen([*argv, program, *options], stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.parent = Connection(ours)
        self.generation = 0
        mtype, body = self.parent.receive()
        if mtype == IPC_FATAL:
            self.popen.wait(20)
            raise DriverError(f"exit {body[0]}: {body[3:].decode()}")
        if mtype != IPC_READY:
            raise DriverError(f"message {mtype:#x} instead of READY")
        self.parent.send(IPC_START)
        self.engine = self._connect(PROC_ENGINE)
        self.authz = self._connect(PROC_AUTHZ)
        self.control = self._connect(PROC_CONTROL)

    def _read(self):
        for line in self.popen.stderr:
            self.lines.append(line.rstrip("\n"))

    def _connect(self, proc):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.parent.send(IPC_PEER, bytes([proc]), theirs.fileno())
        theirs.close()
        c = Connection(ours)
        c.expect(BK_HELLO)
        return c

    def reconnect_engine(self):
        self.engine.sock.close()
        self.engine = self._connect(PROC_ENGINE)

    def call(self, conn, calls):
        """One batch; the results, call by call."""
        self.generation += 1
        for mtype, body in calls:
            conn.send(mtype, body)
        conn.send(BK_COMMIT, struct.pack(">I", self.generation))
        body = conn.expect(BK_DONE)
        generation, n = struct.unpack(">IH", body[:6])
        if generation != self.generation or n != len(calls):
            raise DriverError("an answer to something else")
        return list(struct.unpack(f">{n}h", body[6:]))

    def ok(self, conn, calls):
        results = self.call(conn, calls)
        if any(results):
            raise DriverError(f"results {results}: {self.lines[-3:]}")

    def counters(self):
        """{(name, node, vni): value}, those that are not 0."""
        self.control.send(BK_COUNTERS)
        found = {}
        while True:
            mtype, body = self.control.receive()
            if mtype == BK_END:
                return found
            n = int.from_bytes(body[:2], "big")
            what, body = body[2:2 + n].decode(), body[2 + n:]
            n = int.from_bytes(body[:2], "big")
            node, body = body[2:2 + n].decode(), body[2 + n:]
            vni, value = struct.unpack(">IQ", body)
            if value:
                found[what, node, vni] = value

    def counter(self, what, node="", vni=0):
        return self.counters().get((what, node, vni), 0)

    def sas(self):
        """How many SAs there are."""
        self.control.send(BK_SA_LIST)
        n = 0
        while self.control.receive()[0] != BK_END:
            n += 1
        return n

    def stop(self):
        if self.popen.poll() is None:
            try:
                self.parent.send(IPC_STOP)
            except OSError:
                pass
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._reader.join(5)
        for c in (self.parent, getattr(self, "engine", None), getattr(self, "authz", None),
                  getattr(self, "control", None)):
            if c is not None:
                c.sock.close()
        return self.popen.returncode


class Pair:
    """Grants, policies and one pair of SAs each way between two backends."""

    spi = 0x1000
    number = 0

    def __init__(self, a, b, a_addr, b_addr, mode=TRANSPORT, encap=False, esn=True,
                 a_grants=(5001, 5002), b_grants=(5001, 5002)):
        self.a, self.b, self.a_addr, self.b_addr = a, b, a_addr, b_addr
        self.mode, self.encap, self.esn = mode, (4500, 4500) if encap else None, esn
        Pair.number += 1
        self.number = Pair.number
        self._admit(a, "nve-b", a_addr, b_addr, a_grants)
        self._admit(b, "nve-a", b_addr, a_addr, b_grants)
        self.rekey()

    def _admit(self, box, node, local, peer, vns):
        box.ok(box.authz, [(BK_GRANT_SET, grant(self.number, node, [local], [peer], vns, self.mode)),
                           (BK_POLICY_ADD, policy(node, local, peer, (5001, 5002), self.mode))])

    def rekey(self):
        """New SAs with new keys, inbound first."""
        Pair.spi += 2
        self.spis = (Pair.spi, Pair.spi + 1)       # to b, to a
        self.keys = (os.urandom(20), os.urandom(20))
        pair = Pair.spi
        to_b = (self.spis[0], self.a_addr, self.b_addr, self.keys[0])
        to_a = (self.spis[1], self.b_addr, self.a_addr, self.keys[1])
        for box, incoming, outgoing in ((self.a, to_a, to_b), (self.b, to_b, to_a)):
            box.ok(box.engine, [
                (BK_SA_ADD, sa(d, *what, self.number, pair, self.mode, self.encap, self.esn))
                for d, what in ((SA_IN, incoming), (SA_OUT, outgoing))])

    def drop(self):
        for box in (self.a, self.b):
            box.ok(box.authz, [(BK_GRANT_DROP, struct.pack(">I", self.number))])
