# SPDX-License-Identifier: ISC
"""Lets the tests import `lab`, however pytest was started."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
