# SPDX-License-Identifier: ISC
"""Network namespaces, links and processes of a test lab; everything made here is removed again.

A Lab owns what it makes: namespaces carry its own prefix, processes are ended by pid. Waiting is
for events: a line in a process's log, a process's end, a child's first output.
"""

import atexit
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time


_numbers = itertools.count(1)


class LabError(Exception):
    """Something of the lab could not be made, or an awaited event did not come."""


def _ip(*args):
    r = subprocess.run(["ip", *args], capture_output=True, text=True)
    if r.returncode != 0:
        raise LabError(f"ip {' '.join(args)}: {r.stderr.strip()}")
    return r.stdout


class Process:
    """A running program whose output lines can be waited for."""

    def __init__(self, argv, log_path=None, env=None, stdin=subprocess.DEVNULL):
        self.argv = argv
        self.lines = []
        self._partial = False          # the last of the lines has no end yet
        self._cond = threading.Condition()
        self._ended = False
        self._log = open(log_path, "a", encoding="utf-8", errors="replace") if log_path else None
        self.popen = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=env)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.popen.pid

    def _read(self):
        while True:
            chunk = os.read(self.popen.stdout.fileno(), 65536).decode("utf-8", "replace")
            if not chunk:
                break
            with self._cond:
                if self._log:
                    self._log.write(chunk)
                    self._log.flush()
                *whole, rest = chunk.split("\n")
                for i, piece in enumerate(whole + ([rest] if rest else [])):
                    if i == 0 and self._partial:
                        self.lines[-1] += piece
                    else:
                        self.lines.append(piece)
                self._partial = bool(rest) or (self._partial and not whole)
                self._cond.notify_all()
        with self._cond:
            self._ended = True
            self._cond.notify_all()

    def mark(self):
        """A position in the output, to wait only for lines after it."""
        with self._cond:
            return len(self.lines)

    def wait_line(self, pattern, timeout=30, since=0):
        """The match of the first line, from position `since` on, in which the pattern is found."""
        rx = re.compile(pattern)
        deadline = time.monotonic() + timeout
        with self._cond:
            pos = since
            while True:
                while pos < len(self.lines):
                    m = rx.search(self.lines[pos])
                    if m:
                        return m
                    if self._partial and pos == len(self.lines) - 1:
                        break
                    pos += 1
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    what = "ended" if self._ended else f"said nothing of the kind in {timeout} s"
                    tail = "\n  ".join(self.lines[-15:])
                    raise LabError(f"waited for {pattern!r}: {' '.join(self.argv)} {what}\n  {tail}")
                self._cond.wait(left)

    def saw(self, pattern, since=0):
        rx = re.compile(pattern)
        with self._cond:
            return [line for line in self.lines[since:] if rx.search(line)]

    def wait(self, timeout=30):
        rc = self.popen.wait(timeout)
        self._reader.join(timeout)
        return rc

    def stop(self, sig=signal.SIGTERM, timeout=10):
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._reader.join(2)
        if self._log:
            self._log.close()
            self._log = None
        return self.popen.returncode


class Lab:
    """Namespaces joined by links, with processes inside. Use as a context manager."""

    def __init__(self, name="t", keep_dir=None):
        self.number = next(_numbers)
        self.prefix = f"ov{os.getpid() % 100000}{name}{self.number}"
        self.namespaces = []
        self.processes = []
        self._links = 0
        self._own_dir = keep_dir is None
        self.dir = keep_dir or tempfile.mkdtemp(prefix="overlock-lab-")
        # daemons drop to an unprivileged user and must still reach their files
        os.chmod(self.dir, 0o755)
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # ---- topology

    def ns(self, name):
        full = f"{self.prefix}-{name}"
        _ip("netns", "add", full)
        self.namespaces.append(full)
        self.sh(name, "ip link set lo up")
        return full

    def sh(self, ns, command, check=True, timeout=60):
        """Run a shell command in a namespace; its standard output."""
        r = subprocess.run(["ip", "netns", "exec", f"{self.prefix}-{ns}", "sh", "-c", command],
                           capture_output=True, text=True, timeout=timeout)
        if check and r.returncode != 0:
            raise LabError(f"{ns}: {command}: exit {r.returncode}: {(r.stdout + r.stderr).strip()}")
        return r.stdout

    def link(self, ns_a, if_a, ns_b, if_b):
        """A veth pair between two namespaces, up on both ends, without checksum offload."""
        self._links += 1
        unique = f"v{os.getpid() % 100000}l{self.number}x{self._links}"
        tmp_a, tmp_b = unique + "a", unique + "b"
        _ip("link", "add", tmp_a, "type", "veth", "peer", "name", tmp_b)
        for tmp, ns, name in ((tmp_a, ns_a, if_a), (tmp_b, ns_b, if_b)):
            _ip("link", "set", tmp, "netns", f"{self.prefix}-{ns}")
            # A packet that a capture or pcap_inject hands over must carry its real checksum.
            self.sh(ns, f"ip link set {tmp} name {name} && ip link set {name} up && "
                        f"{{ ethtool -K {name} tx off gro off gso off tso off >/dev/null 2>&1 || :; }}")

    def addr(self, ns, ifname, cidr):
        nodad = " nodad" if ":" in cidr else ""
        self.sh(ns, f"ip addr add {cidr} dev {ifname}{nodad}")

    def bridge(self, ns, name="br0"):
        self.sh(ns, f"ip link add {name} type bridge mcast_snooping 0 && ip link set {name} up")

    def enslave(self, ns, ifname, bridge="br0"):
        self.sh(ns, f"ip link set {ifname} master {bridge}")

    # ---- processes

    def spawn(self, ns, argv, log=None, env=None):
        if ns is not None:
            argv = ["ip", "netns", "exec", f"{self.prefix}-{ns}", *argv]
        p = Process(argv, os.path.join(self.dir, log) if log else None, env)
        self.processes.append(p)
        return p

    def run(self, ns, argv, timeout=60, check=True):
        if ns is not None:
            argv = ["ip", "netns", "exec", f"{self.prefix}-{ns}", *argv]
        r = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
        if check and r.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit {r.returncode}: {(r.stdout + r.stderr).strip()}")
        return r

    def capture(self, ns, ifname, path, filter_=""):
        """tcpdump into a file; returns once it listens. stop_capture() ends it."""
        argv = ["tcpdump", "-U", "--immediate-mode", "-B", "8192", "-s", "0", "-n", "-Z", "root",
                "-i", ifname, "-w", path]
        p = self.spawn(ns, argv + ([filter_] if filter_ else []))
        p.wait_line(r"listening on", 20)
        return p

    def stop_capture(self, p):
        p.stop(signal.SIGINT)

    def ping(self, ns, dst, count=3, size=56, timeout=10, interval=0.2):
        """
        (wanted, got): got equals wanted when that many were answered before the timeout. With -w, ping
        sends on until then, so that a loaded machine's late answer is no loss.
        """
        six = ["-6"] if ":" in dst else []
        r = self.run(ns, ["ping", *six, "-n", "-c", str(count), "-i", str(interval), "-s", str(size),
                          "-W", "1", "-w", str(timeout), dst], timeout=timeout + 10, check=False)
        m = re.search(r"(\d+) packets transmitted, (\d+) received", r.stdout)
        return count, min(count, int(m.group(2))) if m else 0

    def close(self):
        for p in reversed(self.processes):
            try:
                p.stop()
            except (OSError, ProcessLookupError):
                pass
        self.processes = []
        for ns in reversed(self.namespaces):
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
        self.namespaces = []
        if self._own_dir and os.path.isdir(self.dir) and not os.environ.get("OVERLOCK_KEEP_LAB"):
            shutil.rmtree(self.dir, ignore_errors=True)
        atexit.unregister(self.close)


def bin_dir():
    """Where the programs under test are: $OVERLOCK_BIN, or build/bin of this tree."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("OVERLOCK_BIN", os.path.join(here, "build", "bin"))


def sanitized():
    """Were the programs under test built with --enable-sanitizers?"""
    with open(os.path.join(os.path.dirname(bin_dir()), "config.h"), encoding="ascii") as f:
        return re.search(r"^#define HAVE_SANITIZERS 1", f.read(), re.M) is not None


def program(name):
    path = os.path.join(bin_dir(), name)
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there: build first")
    return path


def overlock(*args, check=True, timeout=60, ns=None, lab=None):
    """Run the operator's command."""
    argv = [program("overlock"), *map(str, args)]
    if ns is not None:
        argv = ["ip", "netns", "exec", f"{lab.prefix}-{ns}", *argv]
    r = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
    if check and r.returncode != 0:
        raise LabError(f"overlock {' '.join(map(str, args))}: exit {r.returncode}: {(r.stdout + r.stderr).strip()}")
    return r


def overlock_json(*args, **kw):
    return json.loads(overlock(*args, "--json", **kw).stdout)


def run_openssl(*args):
    r = subprocess.run(["openssl", *args], capture_output=True, text=True)
    if r.returncode != 0:
        raise LabError(f"openssl {' '.join(args)}: {r.stderr.strip()}")
    return r.stdout


def search(pattern, text):
    """A search that tells, when used in an assert, both sides in its failure."""
    return re.search(pattern, text, re.I) is not None
