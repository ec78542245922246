# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.huge`: copy a million messages and one of 1.5 GB, and show the memory that it takes."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from tests.integration.checks.world import World

from . import runs, watch


def main() -> int:
    """Run what was asked for; 1 when the engine needed more memory than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.huge", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="messages of the huge folder (0: none)")
    parser.add_argument("--megabytes", type=int, default=1500, help="size of the huge message (0: none)")
    parser.add_argument("--mapped", action="store_true", help="copy the folder with new UIDs as well")
    given = parser.parse_args()
    most = 0
    with tempfile.TemporaryDirectory(prefix="huge-") as folder, World.made(Path(folder)) as world:
        print(watch.HEADER, flush=True)
        todo = itertools.chain(
            runs.large(world, given.megabytes * 1_000_000) if given.megabytes else (),
            runs.many(world, given.messages) if given.messages else (),
            runs.many(world, given.messages, fidelity="mapped") if given.messages and given.mapped else (),
        )
        for what, seen in todo:
            print(seen.line(what), flush=True)
            most = max(most, seen.memory)
    print(f"\nthe most: {most / 1e6:.0f} MB; the limit is {runs.LIMIT / 1e6:.0f} MB")
    return int(most > runs.LIMIT)


if __name__ == "__main__":
    sys.exit(main())
