# SPDX-License-Identifier: ISC
"""What the check tools share: counting, and running a child that may hang."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import time

live = set()
stopping = False


class Part:
    """One part of `make check`: says what it ran, leaves its count in WORK/NAME.count."""

    def __init__(self, name, work):
        self.name = name
        self.work = work
        self.passed = 0
        self.failed = 0
        self.began = time.monotonic()
        os.makedirs(work, exist_ok=True)

    def tell(self, what, passed, failed, seconds=None, note=""):
        """One line about one program, file or target."""
        self.passed += passed
        self.failed += failed
        took = "" if seconds is None else f"{seconds:7.1f} s"
        words = f"{passed} passed, {failed} failed"
        mark = "FAIL" if failed else "ok"
        print(f"  {mark:4}  {what:40} {words:26}{took}  {note}".rstrip(), flush=True)

    def end(self):
        """The closing line; returns the exit code."""
        if self.passed + self.failed == 0:
            self.failed = 1
            print(f"{self.name}: there was nothing to run")
        took = time.monotonic() - self.began
        with open(os.path.join(self.work, self.name + ".count"), "w", encoding="ascii") as f:
            f.write(f"{self.passed} {self.failed} {took:.1f}\n")
        print(f"{self.name}: {self.passed} passed, {self.failed} failed ({took:.1f} s)", flush=True)
        return 1 if self.failed else 0


def kill_group(child, sig, wait):
    """Signal the child's process group and wait; True when the child is gone."""
    try:
        os.killpg(child.pid, sig)
    except ProcessLookupError:
        pass
    try:
        child.wait(wait)
        return True
    except subprocess.TimeoutExpired:
        return False


def run(argv, timeout, log=None, **kw):
    """
    Run in a process group of its own. Returns (exit code or None when it was
    stopped after `timeout` seconds, seconds it took). Output goes to the file
    `log`, or to ours. What is left of the group afterwards is killed.
    """
    out = open(log, "wb") if log else None
    if stopping:
        raise KeyboardInterrupt
    began = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT if out else None,
                             start_new_session=True, **kw)
    live.add(child)
    code = None
    try:
        code = child.wait(timeout)
    except subprocess.TimeoutExpired:
        # An interrupt lets pytest and the like clean up first.
        if not kill_group(child, signal.SIGINT, 20):
            kill_group(child, signal.SIGTERM, 5)
    except KeyboardInterrupt:
        kill_group(child, signal.SIGINT, 30)
        raise
    finally:
        kill_group(child, signal.SIGKILL, 5)
        live.discard(child)
        if out:
            out.close()
    return code, time.monotonic() - began


def tail(path, lines=30):
    """The last lines of a log, indented, for the reader of a failure."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            last = f.read().splitlines()[-lines:]
    except OSError:
        return
    for line in last:
        print("        " + line)
    print(f"        (all of it: {path})", flush=True)


def call(main):
    """Run main() and exit; ^C and SIGTERM also end the children of other threads."""
    def stop(*_):
        raise KeyboardInterrupt
    # Also where a shell started us with SIGINT ignored; children inherit what we set.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def interrupt():
    """Start no child any more, and end those that run: they are in sessions of their own."""
    global stopping
    stopping = True
    for child in list(live):
        kill_group(child, signal.SIGINT, 10)


def each(function, items, jobs):
    """function(item) for all, `jobs` at a time; results in the order of the items."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(function, items)
        except BaseException:
            interrupt()
            raise
