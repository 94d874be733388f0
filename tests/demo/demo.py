#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`make demo`: the story on pcap-backend, whose VTEP is a program."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import story                                          # noqa: E402
from lab.fleet import Fleet                           # noqa: E402

if __name__ == "__main__":
    sys.exit(story.tell(lambda lab: Fleet(lab, nodes=4)))
