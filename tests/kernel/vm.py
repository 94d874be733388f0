# SPDX-License-Identifier: ISC
"""Boots the guest for one command and brings back its exit status."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import termios

from image import HERE, Image, ImageError

SRC = os.path.dirname(os.path.dirname(HERE))
COMMAND_LINE = ("quiet loglevel=5 console=ttyS0 panic=-1 oops=panic mitigations=off random.trust_cpu=on "
                "nowatchdog rcupdate.rcu_cpu_stall_timeout=120")
# What the command in the guest gets of our environment.
PASSED = ("OVERLOCK_", "PYTHON", "ASAN_", "UBSAN_", "LANG", "LC_", "TERM", "COLUMNS")

COMPLAINT = re.compile(r"WARNING: |BUG: |blocked for more than|detected stall|memory leak|Out of memory")


class GuestError(Exception):
    """The guest ended without the command's exit status, or never came up."""


def qemu(image, out, run, build):
    words = {"OV_SESSION": os.path.join(HERE, "session"), "OV_SRC": SRC, "OV_BUILD": build,
             "OV_MODULES": image.modules, "OV_OUT": out, "OV_RUN": run}
    if os.environ.get("OVERLOCK_KEEP_LAB"):
        words["OVERLOCK_KEEP_LAB"] = "1"
    append = " ".join([COMMAND_LINE, *(f"{k}={v}" for k, v in words.items())])
    share = "local,security_model=none,multidevs=remap"
    # setpriv: the guest does not outlive whoever started it, however that ends.
    return ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "pc,accel=tcg", "-cpu", "max", "-smp", "1", "-m", "2048",
            "-rtc", "base=utc", "-kernel", image.kernel, "-initrd", image.initrd, "-append", append,
            "-serial", "file:" + os.path.join(run, "console.log"),
            "-chardev", "stdio,id=command,signal=off", "-device", "virtio-serial-pci",
            "-device", "virtconsole,chardev=command",
            "-fsdev", f"{share},id=host,path=/,readonly=on", "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-fsdev", f"{share},id=out,path={out}", "-device", "virtio-9p-pci,fsdev=out,mount_tag=out"]


def write_command(run, argv, tty):
    env = {k: v for k, v in os.environ.items() if k.startswith(PASSED)}
    env["HOME"] = "/root"
    if not sys.stdout.isatty():
        # The command has a terminal all the same, on which its colours would come through.
        env["TERM"] = "dumb"
    lines = [f"export {k}={shlex.quote(v)}" for k, v in env.items()]
    lines += [f"cd {shlex.quote(os.getcwd())} 2>/dev/null || cd /", "exec " + shlex.join(argv)]
    with open(os.path.join(run, "command"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    if tty:
        columns, rows = os.get_terminal_size()
        with open(os.path.join(run, "tty"), "w", encoding="ascii") as f:
            f.write(f"{rows} {columns}\n")


def console(run, lines=40):
    """The last lines that the kernel wrote, indented."""
    try:
        with open(os.path.join(run, "console.log"), encoding="utf-8", errors="replace") as f:
            return "".join("    " + line.rstrip() + "\n" for line in f.readlines()[-lines:])
    except OSError:
        return ""


def complaints(build):
    """What the kernel of the last run found wrong with itself, one line each."""
    try:
        with open(os.path.join(build, "kernel/out/console.log"), encoding="utf-8", errors="replace") as f:
            return [line.rstrip() for line in f if COMPLAINT.search(line)]
    except OSError:
        return []


def boot(argv, timeout, tty):
    """Run QEMU; None, or why it was stopped."""
    before = termios.tcgetattr(0) if tty else None
    # A session of its own keeps the ^C of a terminal for us, who end the guest then.
    child = subprocess.Popen(argv, stdin=None if tty else subprocess.DEVNULL, start_new_session=not tty)
    try:
        child.wait(timeout)
        return f"QEMU ended with status {child.returncode}"
    except subprocess.TimeoutExpired:
        return f"stopped after {timeout:.0f} s"
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if tty:
            os.set_blocking(0, True)
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def run(argv, build, timeout, tty=False):
    """
    Boot, run `argv` in the guest, power off; the exit status. The command's output goes to our standard
    output. Raises ImageError or GuestError. What the guest writes below BUILD/kernel/out stays; the
    kernel's own words are in BUILD/kernel/out/console.log.
    """
    image = Image(build)
    out = os.path.join(build, "kernel/out")
    os.makedirs(out, exist_ok=True)
    where = tempfile.mkdtemp(prefix="run-", dir=out)
    try:
        write_command(where, argv, tty)
        sys.stdout.flush()
        why = boot(qemu(image, out, where, build), timeout, tty)
        try:
            with open(os.path.join(where, "status"), encoding="ascii") as f:
                return int(f.read())
        except (OSError, ValueError):
            raise GuestError(f"the guest left no exit status: {why}; the last words of its kernel:\n"
                             f"{console(where)}") from None
    finally:
        if os.path.exists(os.path.join(where, "console.log")):
            os.replace(os.path.join(where, "console.log"), os.path.join(out, "console.log"))
        shutil.rmtree(where, ignore_errors=True)
