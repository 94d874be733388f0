# SPDX-License-Identifier: ISC
"""A daemon of a few lines: starts a backend and speaks the backend IPC with it.

Message numbers and bodies are those of lib/backend/ipc.h and lib/base/sa_wire.c. It plays parent,
engine, authorization process and control process at once, with keys that the test chooses.
"""

import array
import ipaddress
import os
import re
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
# The same of each suite, by its name in documents, and octets of keying material.
SUITES = {
    "aes128gcm16": (GCM128, 20), "aes256gcm16": ((20, 256, 0), 36),
    "aes128gmac": ((21, 128, 0), 20), "aes256gmac": ((21, 256, 0), 36),
    "chacha20poly1305": ((28, 0, 0), 36),
    "aes128-sha256": ((12, 128, 12), 48), "aes256-sha256": ((12, 256, 12), 64),
    "aes256-sha384": ((12, 256, 13), 80), "aes256-sha512": ((12, 256, 14), 96),
}
FOREVER = 2 ** 62
# enum err
ERR_UNSUPPORTED, ERR_DENIED, ERR_NOTFOUND, ERR_EXISTS = -4, -9, -12, -13
ERR_IO, ERR_REPLAY = -15, -18


def addr(text):
    packed = ipaddress.ip_address(text).packed
    return bytes([4 if len(packed) == 4 else 6]) + packed


def name(text):
    return bytes([len(text)]) + text.encode()


def transform(t=GCM128, esn=True):
    return struct.pack(">HHHB", *t, esn)


def selector(a, proto, lo, hi):
    return struct.pack(">BHH", proto, lo, hi) + addr(a) + addr(a)


def channel(ident="vxlan", proto=17, port=4789, mode=TRANSPORT, lifetime=3600, suite=GCM128, level=1):
    return (name(ident) + struct.pack(">BBHB", level, proto, port, mode) + transform(suite, esn=False) +
            struct.pack(">HI", 0, lifetime))


def vnis(numbers):
    return struct.pack(">H", len(numbers)) + b"".join(n.to_bytes(3, "big") for n in sorted(numbers))


def grant(number, node, local, peer, vns, mode=TRANSPORT, expires=FOREVER, **of_channel):
    return (struct.pack(">I", number) + name(node) + bytes([len(peer)]) + b"".join(map(addr, peer)) +
            bytes([len(local)]) + b"".join(map(addr, local)) + b"\x01" +
            channel(mode=mode, **of_channel) + vnis(vns) + struct.pack(">Q", expires))


def policy(node, local, peer, vns, mode=TRANSPORT, action=1, **of_channel):
    return (bytes([action]) + name(node) + addr(local) + addr(peer) + channel(mode=mode, **of_channel) +
            vnis(vns))


def sa(direction, spi, src, dst, key, number, pair, mode=TRANSPORT, encap=None, esn=True, window=1024,
       hard_s=0, soft_s=0, hard_packets=0, soft_packets=0, suite=GCM128, proto=17, port=4789, ident="vxlan"):
    sport, dport = encap or (0, 0)
    return (struct.pack(">IBB", spi, direction, mode) + addr(src) + addr(dst) +
            struct.pack(">HH", sport, dport) + transform(suite, esn) +
            struct.pack(">H", len(key)) + key + struct.pack(">H", window) +
            b"\x01" + selector(src, proto, 0, 65535) + b"\x01" + selector(dst, proto, port, port) +
            name(ident) + struct.pack(">III", 0, number, pair) +
            struct.pack(">IIQQQQ", soft_s, hard_s, 0, 0, soft_packets, hard_packets) + b"\x00")


class Body:
    """What a message of the backend holds, read from its start on."""

    def __init__(self, octets):
        self.rest = octets

    def take(self, n):
        part, self.rest = self.rest[:n], self.rest[n:]
        if len(part) != n:
            raise DriverError("a message is too short")
        return part

    def numbers(self, fmt):
        return struct.unpack(">" + fmt, self.take(struct.calcsize(">" + fmt)))

    def string(self):
        return self.take(self.numbers("H")[0]).decode()

    def addr(self):
        return str(ipaddress.ip_address(self.take({4: 4, 6: 16}[self.numbers("B")[0]])))


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
    """A backend in a network namespace (or here), started and spoken to as a daemon does."""

    def __init__(self, program, options, netns=None, through=()):
        """through: words of a command that starts the program, as setpriv's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for s in (ours, theirs):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        argv = ["bash", "-c", f"exec 3<&{theirs.fileno()} {theirs.fileno()}<&-; exec \"$@\"", "bash"]
        if netns:
            argv += ["ip", "netns", "exec", netns]
        self.popen = subprocess.Popen([*argv, *through, program, *options], stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.lines = []
        self.said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.parent = Connection(ours)
        self.generation = 0
        mtype, body = self.parent.receive()
        if mtype == IPC_FATAL:
            self.popen.wait(20)
            self._reader.join(5)
            raise DriverError("\n".join([f"exit {body[0]}: {body[3:].decode()}", *self.lines]))
        if mtype != IPC_READY:
            raise DriverError(f"message {mtype:#x} instead of READY")
        self.parent.send(IPC_START)
        self.engine = self._connect(PROC_ENGINE)
        self.authz = self._connect(PROC_AUTHZ)
        self.control = self._connect(PROC_CONTROL)

    def _read(self):
        for line in self.popen.stderr:
            with self.said:
                self.lines.append(line.rstrip("\n"))
                self.said.notify_all()

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
            mtype, octets = self.control.receive()
            if mtype == BK_END:
                return found
            body = Body(octets)
            what, node, (vni, value) = body.string(), body.string(), body.numbers("IQ")
            if value:
                found[what, node, vni] = value

    def counter(self, what, node="", vni=0):
        return self.counters().get((what, node, vni), 0)

    def sa_list(self):
        """{(direction, SPI, destination): figures}."""
        self.control.send(BK_SA_LIST)
        found = {}
        while True:
            mtype, octets = self.control.receive()
            if mtype == BK_END:
                return found
            body = Body(octets)
            spi, direction = body.numbers("IB")
            src, dst = body.addr(), body.addr()
            names = ("packets", "bytes", "replays", "bad_icv", "bad_selector", "bad_vni", "seq", "age_s")
            found[direction, spi, dst] = dict(zip(names, body.numbers("8Q")), src=src)

    def sas(self):
        """How many SAs there are."""
        return len(self.sa_list())

    def forget_upcalls(self):
        """Those that came so far."""
        self.ok(self.engine, [])
        self.engine.events.clear()

    def acquire(self, timeout=20):
        """(node, channel, peer) of the next acquire upcall."""
        body = Body(self.engine.expect(BK_ACQUIRE, timeout))
        return body.string(), body.string(), body.addr()

    def expire(self, timeout=20):
        """(direction, SPI, destination, hard) of the next expiry upcall."""
        body = Body(self.engine.expect(BK_EXPIRE, timeout))
        direction, spi = body.numbers("BI")
        return direction, spi, body.addr(), body.numbers("B") == (1,)

    def mapping(self, timeout=20):
        """(SPI, address, port) of the next mapping upcall."""
        body = Body(self.engine.expect(BK_MAPPING, timeout))
        return (*body.numbers("I"), body.addr(), *body.numbers("H"))

    def wait_line(self, pattern, since=0, timeout=20):
        """The first line of its log, from position `since` on, in which the pattern is found."""
        rx = re.compile(pattern)
        with self.said:
            if not self.said.wait_for(lambda: any(map(rx.search, self.lines[since:])), timeout):
                raise DriverError(f"never said {pattern!r}: {self.lines[since:]}")
            return next(line for line in self.lines[since:] if rx.search(line))

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
