# SPDX-License-Identifier: GPL-3.0-or-later
"""Random users for as many minutes as wished: ``python -m tests.users [MINUTES] [SEED]``."""

from __future__ import annotations

import sys
import time

from .play import SEED, play


def main() -> None:
    """Play, and print the tally at the end; what is wrong ends it with a traceback and the steps that led there."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    print(f"random users for {minutes:g} minutes from seed {seed} on", flush=True)
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    print(f"nothing lost, doubled or undone: {play(minutes * 60, seed, tell)}", flush=True)


if __name__ == "__main__":
    main()
