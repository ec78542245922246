# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmark``: measure the engine in a throw-away lab and print the tables."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys

from tests.lab import packages
from tests.lab.errors import LabError

from . import engine, tools


def main() -> int:
    """Measure what the arguments ask for; 0 when every copy was right."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=main.__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="small messages in the first job")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each tool")
    parser.add_argument("--megabytes", type=int, nargs="*", default=[1, 30, 300], help="sizes of one big message")
    parser.add_argument("--install", action="store_true", help="install the lab's servers and the peers first (apt)")
    given = parser.parse_args()
    if given.install:
        packages.install()
        with contextlib.suppress(LabError):
            packages.install(tools.PEERS)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; Dovecot to Dovecot, IMAPS, mail_fsync=never\n")
    missing = packages.missing_packages(tools.PEERS)
    if missing:
        print(f"without the peers {', '.join(missing)}, which are not installed\n")
    with engine.bench() as where:
        print(f"First copy of {given.messages} messages of 2-4 KB, {given.runs} runs each, in turn:\n\n{engine.HEADER}")
        for row in engine.small_messages(where, given.messages, given.runs):
            print(row.line(), flush=True)
        print(f"\nMemory against message size:\n\n{engine.HEADER}")
        for row in engine.big_message(where, [size * engine.MEGABYTE for size in given.megabytes]):
            print(row.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
