# SPDX-License-Identifier: ISC
"""Configurations that can't work: one line with file, line, what and what to do; exit 2; nothing started."""

import os
import re
import shutil
import subprocess

import pytest
from lab import netlab
from lab.fleet import Fleet


@pytest.fixture(scope="module")
def fleet():
    with netlab.Lab("c") as lab:
        f = Fleet(lab, nodes=2)
        f.build(tenants={1: [5001, 5002]})
        f.configure(1, "daemon", "user", "nobody")
        f.configure(1, "authorization", "url", "file://" + os.path.join(f.www, "authorization.cms"))
        for where in (lab.dir, f.dir, f.www, os.path.join(f.dir, "nve-1")):
            os.chmod(where, 0o755)
        yield f


@pytest.fixture
def broken(fleet):
    """The folder of NVE 1 copied, to be spoilt."""
    source = os.path.join(fleet.dir, "nve-1")
    folder = os.path.join(fleet.dir, "broken")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    yield Spoilt(fleet, folder)
    shutil.rmtree(folder, ignore_errors=True)


class Spoilt:
    def __init__(self, fleet, folder):
        self.fleet, self.folder = fleet, folder
        self.conf = os.path.join(folder, "ikev2d.conf")

    def path(self, name):
        return os.path.join(self.folder, name)

    def lines(self):
        with open(self.conf, encoding="utf-8") as f:
            return f.read().splitlines()

    def write(self, lines):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")

    def replace(self, key, line):
        """Put another line where this key is set; the number of that line."""
        lines = self.lines()
        at = next(n for n, text in enumerate(lines) if re.match(rf"{re.escape(key)}\s*=", text))
        lines[at:at + 1] = [] if line is None else [line]
        self.write(lines)
        return at + 1

    def append(self, *more):
        lines = self.lines() + list(more)
        self.write(lines)
        return len(lines)

    def run(self, *args, timeout=30):
        argv = ["ip", "netns", "exec", f"{self.fleet.lab.prefix}-nve1", netlab.program("ikev2d"),
                "-c", self.conf, *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout)

    def refused(self, line, says):
        """Both the check and the start refuse, and nothing is left of the start."""
        for args in (["-n"], []):
            r = self.run(*args)
            words = r.stderr.strip()
            assert r.returncode == 2, words
            assert "\n" not in words, words
            assert words.startswith(f"{self.conf}:{line}: "), words
            assert re.search(says, words), words
        self.nothing_started()

    def nothing_started(self):
        assert self.fleet.lab.sh("nve1", "ss -Huan").strip() == ""
        assert not os.path.exists(self.path("ikev2d.sock"))
        assert not os.path.exists(self.path("state"))


def test_good_configuration_is_accepted(broken):
    """The twin of all that follow: the same files, unspoilt."""
    r = broken.run("-n")
    assert (r.returncode, r.stderr) == (0, "")
    broken.nothing_started()


def test_example_is_read():
    """It names files that are not there; that is the first thing wrong with it."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    conf = os.path.join(here, "conf", "ikev2d.conf.example")
    r = subprocess.run([netlab.program("ikev2d"), "-n", "-c", conf], capture_output=True, text=True, timeout=10)
    assert r.returncode == 2
    assert re.search(r"example:\d+: certificate .*nve-1\.crt.*No such file", r.stderr), r.stderr


def test_unknown_key(broken):
    broken.refused(broken.append("[ike]", "prot = 500"), "unknown key 'prot'")


def test_unknown_section(broken):
    broken.refused(broken.append("[ikee]"), "unknown section")


@pytest.mark.parametrize("line, says", [
    ("port = 99999", "number from 1 to 65535"),
    ("dpd = often", "number from"),
    ("listen = here", "is no address"),
    ("force-encap = perhaps", "yes or no"),
    ("initiate = never", "auto, all, none"),
])
def test_bad_value(broken, line, says):
    broken.replace("listen", None)
    broken.refused(broken.append("[ike]", line), says)


def test_key_given_twice(broken):
    broken.refused(broken.append("[node]", "id = nve-2"), "already")


def test_missing_key(broken):
    broken.replace("nva-ca", None)
    broken.refused(len(broken.lines()), "'nva-ca' of section .authorization. is missing")


def test_missing_configuration(broken):
    os.unlink(broken.conf)
    r = broken.run()
    assert r.returncode == 2
    assert re.match(rf"{re.escape(broken.conf)}:.* can't be read \(No such file", r.stderr), r.stderr
    assert r.stderr.count("\n") == 1
    broken.nothing_started()


@pytest.mark.parametrize("key, file", [
    ("private-key", "nve-1.key"), ("certificate", "nve-1.crt"), ("device-ca", "device-ca.crt"),
    ("nva-ca", "nva-ca.crt"), ("tls-ca", "tls-ca.crt"),
])
def test_missing_file(broken, key, file):
    os.unlink(broken.path(file))
    line = broken.replace(key, f"{key} = {file}")
    broken.refused(line, rf"{file}.*No such file")


@pytest.mark.parametrize("key, file", [
    ("private-key", "nve-1.key"), ("certificate", "nve-1.crt"), ("device-ca", "device-ca.crt"),
    ("nva-ca", "nva-ca.crt"),
])
def test_file_of_another_kind(broken, key, file):
    with open(broken.path(file), "w", encoding="ascii") as f:
        f.write("nothing of use\n")
    line = broken.replace(key, f"{key} = {file}")
    broken.refused(line, file)


def test_key_that_does_not_match_the_certificate(broken):
    shutil.copy(os.path.join(broken.fleet.dir, "nve-2", "nve-2.key"), broken.path("nve-1.key"))
    line = broken.replace("private-key", "private-key = nve-1.key")
    broken.refused(line, "does not match")


def test_certificate_of_another_ca(broken):
    """Our own certificate must lead to the anchor by which we judge others."""
    shutil.copy(broken.path("nva-ca.crt"), broken.path("device-ca.crt"))
    line = broken.replace("device-ca", "device-ca = device-ca.crt")
    broken.refused(line, "does not lead to device-ca")


@pytest.mark.parametrize("key", ["wire", "tenant.5001"])
def test_missing_interface(broken, key):
    line = broken.replace(key, f"{key} = nosuch0")
    broken.refused(line, "no interface 'nosuch0'")


def test_missing_backend_program(broken):
    line = broken.replace("program", "program = /nonexistent/backend")
    broken.refused(line, "can't be run")


def test_unknown_user(broken):
    line = broken.replace("user", "user = nosuchuser")
    broken.refused(line, "does not exist")


def test_anchor_that_the_unprivileged_user_cannot_read(broken):
    os.chmod(broken.path("nva-ca.crt"), 0o600)
    line = broken.replace("nva-ca", "nva-ca = nva-ca.crt")
    broken.refused(line, "can't be read by the user")


def test_key_log_needs_a_second_word(broken):
    broken.refused(broken.append("[debug]", "key-log = keys"), "allow-key-log")


def test_backend_option_that_the_backend_refuses(broken):
    """Only the backend can tell; what was started by then is ended again."""
    line = broken.append("[backend]", "no-such-option = 1")
    r = broken.run()
    words = r.stderr.strip()
    assert r.returncode == 2, words
    assert words.startswith(f"{broken.conf}:{line}: no-such-option: "), words
    assert "\n" not in words, words
    assert broken.fleet.lab.sh("nve1", "ss -Huan").strip() == ""
    assert not os.path.exists(broken.path("ikev2d.sock"))


def test_port_in_use(broken):
    holder = broken.fleet.lab.spawn("nve1", ["/usr/bin/python3", "-u", "-c",
                                             "import socket, signal\n"
                                             "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                             "s.bind(('192.0.2.1', 500))\nprint('bound')\nsignal.pause()"])
    try:
        holder.wait_line("bound")
        r = broken.run()
        assert r.returncode == 1
        assert re.search(r"can't bind UDP 192\.0\.2\.1:500 \(Address already in use\)", r.stderr), r.stderr
    finally:
        holder.stop()


@pytest.mark.parametrize("args, status, says", [
    (["--help"], 0, "Usage: ikev2d"), (["--version"], 0, "Overlock"),
    (["--nonsense"], 2, "--help"), (["extra"], 2, "--help"),
])
def test_usage(args, status, says):
    r = subprocess.run([netlab.program("ikev2d"), *args], capture_output=True, text=True, timeout=10)
    assert r.returncode == status
    assert says in r.stdout + r.stderr
