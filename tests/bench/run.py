#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The figures behind `make bench`; what each of them is, docs/BENCH.md says.

A daemon in one network namespace, 2,000 peers in another (ikeload). The daemon's processes and what
they are compared with run on one processor, the peers on another. Exit status 0 unless something
could not be measured: a target that is missed is printed as such, and no failure.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lab import netlab                                # noqa: E402

PEERS = 2000
FEW = 100                    # Child SAs of the first memory figure
ROUNDS = 3
ADDRESS = "10.64.0.1"        # of nve-1, the daemon
UNDERLAY = "10.64.0.0/16"

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("OVERLOCK_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))


class Failed(Exception):
    """Something could not be measured."""


def say(text):
    print(f"bench: [{time.monotonic() - say.start:5.1f} s] {text}", flush=True)


say.start = time.monotonic()


def cpus():
    """Of the daemon, of its peers. With one processor they share it."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


def program(name):
    path = os.path.join(BUILD, "tests", "bench", name)
    if not os.access(path, os.X_OK):
        raise Failed(f"{path} is not there: make benches")
    return path


def words(text):
    """"name value" lines as a dictionary."""
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def run(argv, cpu, timeout=120):
    r = subprocess.run(["taskset", "-c", str(cpu), *argv], capture_output=True, text=True, timeout=timeout)
    if r.returncode != 0:
        raise Failed(f"{' '.join(argv)}: exit {r.returncode}: {r.stderr.strip()}")
    return r.stdout


class Load(netlab.Process):
    """ikeload: a process that reads commands."""

    def __init__(self, lab, lab_dir, role, cpu):
        ns = f"{lab.prefix}-l"
        super().__init__(["ip", "netns", "exec", ns, "taskset", "-c", str(cpu), program("ikeload"),
                          "--lab", lab_dir, "--role", role, "--count", str(PEERS), "--first", "2",
                          "--peer", "nve-1"], os.path.join(lab.dir, f"ikeload-{role}.log"), stdin=subprocess.PIPE)
        lab.processes.append(self)
        self.wait_line(rf"^ready {PEERS}$", 60)

    def start_to(self, n, timeout=60):
        """Initiators: go on until n nodes have a Child SA."""
        mark = self.mark()
        self.popen.stdin.write(f"start {n}\n".encode())
        self.popen.stdin.flush()
        self.wait_line(rf"^up {n}$", timeout, mark)

    def end(self):
        self.popen.stdin.close()
        self.wait(20)


class Daemon:
    """ikev2d as nve-1, with pcap-backend, and what its processes have used."""

    def __init__(self, lab, lab_dir, initiate, cpu, log):
        self.lab = lab
        self.conf = os.path.join(lab_dir, "nve-1", "ikev2d.conf")
        self.set_initiate(initiate)
        shutil.rmtree(os.path.join(lab_dir, "nve-1", "state"), ignore_errors=True)
        self.socket = os.path.join(lab_dir, "nve-1", "ikev2d.sock")
        self.process = lab.spawn("d", ["taskset", "-c", str(cpu), netlab.program("ikev2d"), "-c", self.conf],
                                 log=log)
        self.process.wait_line(r"serial 1\b", 30)
        self.pids = None

    def set_initiate(self, value):
        with open(self.conf, encoding="utf-8") as f:
            lines = [line for line in f.read().splitlines() if not line.startswith("initiate")]
        lines.insert(lines.index("[ike]") + 1, f"initiate = {value}")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")

    def tree(self):
        """The daemon's processes, the parent included."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                        parents[int(entry)] = int(f.read().rsplit(")", 1)[1].split()[1])
                except (OSError, ValueError):
                    pass
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def names(self):
        out = {}
        for pid in self.pids:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                out[pid] = " ".join(os.path.basename(w) for w in f.read().split("\0")[:3] if w)
        return out

    def settled(self, quiet=0.5, timeout=60):
        """Until its processes have nothing more to do; the processor time of each, in ns."""
        deadline = time.monotonic() + timeout
        last = self.cpu()
        while True:
            time.sleep(quiet)
            now = self.cpu()
            if sum(now.values()) - sum(last.values()) < 3e6:
                return now
            if time.monotonic() > deadline:
                raise Failed("the daemon does not come to rest")
            last = now

    def cpu(self):
        pids = self.tree()
        if self.pids is None:
            self.pids = pids
        if set(pids) != set(self.pids):
            raise Failed(f"a process of the daemon ended: {self.process.lines[-5:]}")
        return {pid: self.cpu_of(pid) for pid in pids}

    @staticmethod
    def cpu_of(pid):
        ns = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                ns += int(f.read().split()[0])
        return ns

    def pss_kib(self):
        kib = {}
        for pid in self.tree():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                kib[pid] = next(int(line.split()[1]) for line in f if line.startswith("Pss_Anon:"))
        return kib

    def stop(self):
        self.process.stop(signal.SIGTERM, 20)


class Bench:
    def __init__(self, lab):
        self.lab = lab
        self.daemon_cpu, self.load_cpu = cpus()
        self.dir = os.path.join(lab.dir, "lab")
        self.figures = []
        self.verbose = bool(os.environ.get("BENCH_VERBOSE"))

    def figure(self, name, value, unit, target=None, better="lower"):
        self.figures.append({"name": name, "value": round(value, 3), "unit": unit, "target": target,
                             "better": better})

    # ---- parts

    def make_lab(self):
        netlab.overlock("lab", "init", self.dir, "--nodes", PEERS + 1, "--vn", "5001", "--underlay", UNDERLAY,
                        "--url", f"file://{self.dir}/authorization.cms", timeout=120)
        lab = self.lab
        for ns in ("d", "l"):
            lab.ns(ns)
            # A tenant port on which nothing is said of its own accord.
            lab.sh(ns, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        lab.link("d", "eth0", "l", "eth0")
        lab.addr("d", "eth0", "192.168.255.1/30")
        lab.addr("l", "eth0", "192.168.255.2/30")
        lab.sh("d", f"ip addr add {ADDRESS}/32 dev eth0 && ip route add {UNDERLAY} via 192.168.255.2 && "
                    "ip link add ten5001 type veth peer name ten-end && ip link set ten5001 up && "
                    "ip link set ten-end up")
        # All of the underlay's addresses are this host's, but for the daemon's.
        lab.sh("l", f"ip route add local {UNDERLAY} dev lo && "
                    f"ip route add {ADDRESS}/32 via 192.168.255.1 dev eth0 table local")

    def raw(self):
        return words(run([program("rawops"), "1"], self.daemon_cpu))["sum"]

    def note_processes(self, daemon, before, after, n):
        if self.verbose:
            for pid, name in daemon.names().items():
                say(f"    {(after[pid] - before.get(pid, 0)) / n / 1e3:7.1f} us  {name}")

    def responder(self):
        """CPU per handshake that others begin, and memory per SA pair."""
        daemon = Daemon(self.lab, self.dir, "none", self.daemon_cpu, "responder.log")
        load = Load(self.lab, self.dir, "initiator", self.load_cpu)
        daemon.settled()
        load.start_to(FEW)
        used = daemon.settled()
        small = daemon.pss_kib()
        ratios, costs, raws = [], [], []
        done = FEW
        for i in range(ROUNDS):
            to = PEERS if i == ROUNDS - 1 else FEW + (PEERS - FEW) // ROUNDS * (i + 1)
            raw = self.raw()
            load.start_to(to)
            now = daemon.settled()
            raw = (raw + self.raw()) / 2
            cost = (sum(now.values()) - sum(used.values())) / (to - done)
            self.note_processes(daemon, used, now, to - done)
            say(f"responder: {to - done} handshakes, {cost / 1e3:.1f} us each, public-key operations "
                f"{raw / 1e3:.1f} us, ratio {cost / raw:.2f}")
            costs.append(cost)
            raws.append(raw)
            ratios.append(cost / raw)
            used, done = now, to
        large = daemon.pss_kib()
        pair = (sum(large.values()) - sum(small.values())) / (PEERS - FEW)
        if self.verbose:
            for pid, name in daemon.names().items():
                say(f"    {(large[pid] - small[pid]) / (PEERS - FEW):6.2f} KiB  {name}")
        say(f"memory: {sum(small.values())} KiB at {FEW}, {sum(large.values())} KiB at {PEERS}: "
            f"{pair:.1f} KiB per IKE SA and Child SA")
        daemon.stop()
        load.end()
        self.figure("handshake_responder_cpu", statistics.median(costs) / 1e3, "us")
        self.figure("handshake_raw", statistics.median(raws) / 1e3, "us")
        self.figure("handshake_responder_ratio", statistics.median(ratios), "ratio", 2.0)
        self.figure("sa_pair_kib", pair, "KiB", 24)

    def initiator(self):
        """CPU per handshake that the daemon begins: a broadcast of a tenant needs SAs with all peers."""
        load = Load(self.lab, self.dir, "responder", self.load_cpu)
        ratios, costs = [], []
        for i in range(ROUNDS):
            daemon = Daemon(self.lab, self.dir, "none", self.daemon_cpu, "initiator.log")
            idle = daemon.settled()
            raw = self.raw()
            mark = load.mark()
            self.broadcast()
            load.wait_line(rf"^up {PEERS * (i + 1)}$", 60, mark)
            now = daemon.settled()
            raw = (raw + self.raw()) / 2
            cost = (sum(now.values()) - sum(idle.values())) / PEERS
            self.note_processes(daemon, idle, now, PEERS)
            say(f"initiator: {PEERS} handshakes, {cost / 1e3:.1f} us each, public-key operations "
                f"{raw / 1e3:.1f} us, ratio {cost / raw:.2f}")
            daemon.stop()
            costs.append(cost)
            ratios.append(cost / raw)
        load.end()
        self.figure("handshake_initiator_cpu", statistics.median(costs) / 1e3, "us")
        self.figure("handshake_initiator_ratio", statistics.median(ratios), "ratio", 2.0)

    def broadcast(self):
        frame = "b'\\xff' * 6 + b'\\x02\\0\\0\\0\\0\\x01' + b'\\x88\\xb5' + bytes(46)"
        self.lab.run("d", [sys.executable, "-c", "import socket as s; k = s.socket(s.AF_PACKET, s.SOCK_RAW); "
                           f"k.bind(('ten-end', 0)); k.send({frame})"])

    def engine(self):
        """The same handshake without processes, system calls and network."""
        figures = words(run([program("handshake"), self.dir, "nve-2", "nve-3", "2000"], self.daemon_cpu))
        for side, ns in figures.items():
            say(f"{side}, engine and cryptography alone: {ns / 1e3:.1f} us a handshake")
            self.figure(f"handshake_{side}_engine", ns / 1e3, "us")

    def esp(self):
        """bench_esp leaves its figures itself, one JSON object a line."""
        rounds = []
        for _ in range(ROUNDS):
            out = os.path.join(self.lab.dir, "esp.json")
            text = run([program("bench_esp"), "-o", out], self.daemon_cpu)
            with open(out, encoding="utf-8") as f:
                rounds.append([json.loads(line) for line in f if line.strip()])
            os.unlink(out)
        print(text, end="", flush=True)
        for same in zip(*rounds):
            median = dict(same[0], value=statistics.median(f["value"] for f in same))
            self.figures.append(median)
            say(f"{median['name']}: {median['value']:.3g}, median of {ROUNDS} rounds")

    # ---- the end

    def verdict(self, f):
        if f["target"] is None:
            return ""
        good = f["value"] <= f["target"] if f["better"] == "lower" else f["value"] >= f["target"]
        return "met" if good else "missed"

    def report(self):
        path = os.path.join(BUILD, "bench.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.figures, f, indent=1)
            f.write("\n")
        print()
        for f in self.figures:
            target = "" if f["target"] is None else f"{'<=' if f['better'] == 'lower' else '>='} {f['target']}"
            print(f"{f['name']:<28} {f['value']:>12.3f} {f['unit']:<10} {target:>8}  {self.verdict(f)}")
        print(f"\nwritten to {path}")


PARTS = ("responder", "initiator", "engine", "esp")


def measure(bench, parts):
    failed = []
    bench.make_lab()
    say(f"lab of {PEERS + 1} nodes made")
    for part in parts:
        try:
            getattr(bench, part)()
        except (Failed, netlab.LabError, OSError, subprocess.SubprocessError, StopIteration) as e:
            say(f"{part} could not be measured: {e}")
            failed.append(part)
    bench.report()
    return 1 if failed else 0


def main():
    if os.geteuid() != 0:
        print("make bench makes network namespaces: run it as root", file=sys.stderr)
        return 2

    def interrupted(signum, _frame):
        raise KeyboardInterrupt(signal.Signals(signum).name)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    # Whatever else the machine does should disturb little; all that is measured inherits this.
    os.nice(-15)
    # The lab has thousands of files, each of which would wait for a disk.
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    where = tempfile.mkdtemp(prefix="overlock-bench-", dir=base)
    try:
        with netlab.Lab("b", keep_dir=where) as lab:
            return measure(Bench(lab), sys.argv[1:] or PARTS)
    except KeyboardInterrupt:
        print("\ninterrupted; everything made was removed", file=sys.stderr)
        return 130
    finally:
        if not os.environ.get("OVERLOCK_KEEP_LAB"):
            shutil.rmtree(where, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
