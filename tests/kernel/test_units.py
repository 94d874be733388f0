# SPDX-License-Identifier: ISC
"""Unit tests that find more to try in a kernel with ESP: each runs whole, against this one."""

import os
import re
import subprocess

import pytest


@pytest.mark.smoke
@pytest.mark.parametrize("name, args, least", [("sa", ["--esp"], 7), ("netlink", [], 15), ("nft_kernel", [], 10)])
def test_every_unit_test_passes_under_this_kernel(name, args, least, tmp_path):
    program = os.path.join(os.environ["OVERLOCK_BUILD"], "tests/unit", f"test_xfrm_{name}_linux")
    r = subprocess.run([program, *args], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    said = r.stdout + r.stderr
    assert r.returncode == 0, said[-3000:]
    passed = re.search(r"PASSED\s*\]\s*(\d+) test", said)
    assert passed and int(passed.group(1)) >= least, said[-3000:]
