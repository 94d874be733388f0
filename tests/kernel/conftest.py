# SPDX-License-Identifier: ISC
"""These tests run in the guest of tests/kernel/guest; those marked smoke also in `make check`."""


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: belongs to `make check`")
