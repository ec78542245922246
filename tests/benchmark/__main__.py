# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmark [mail|settings|dav]``: measure in a throw-away lab and print the tables."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
from collections.abc import Sequence

from tests.lab import packages
from tests.lab.errors import LabError

from . import dav, engine, settings, tools


def main() -> int:
    """Measure what the arguments ask for; 0 when every copy was right."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=main.__doc__)
    parser.add_argument("what", nargs="?", choices=["mail", "settings", "dav"], default="mail")
    parser.add_argument("--accounts", type=int, default=10_000, help="accounts of the customer for settings")
    parser.add_argument("--aliases", type=int, default=30_000, help="aliases of the customer for settings")
    parser.add_argument("--messages", type=int, default=5000, help="small messages in the first job")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each tool")
    parser.add_argument("--megabytes", type=int, nargs="*", default=[1, 30, 300], help="sizes of one big message")
    parser.add_argument("--events", type=int, default=500, help="events in each of two calendars")
    parser.add_argument("--round-trips", type=int, nargs="*", default=[0, 40], help="milliseconds to the DAV servers")
    parser.add_argument("--install", action="store_true", help="install the lab's servers and the peers first (apt)")
    given = parser.parse_args()
    if given.install:
        packages.install()
        with contextlib.suppress(LabError):
            packages.install({**tools.PEERS, **dav.PEER})
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    if given.what == "dav":
        return _dav(given.events, given.runs, given.round_trips)
    return _settings(given.accounts, given.aliases) if given.what == "settings" else _mail(given)


def _dav(events: int, runs: int, round_trips: Sequence[int]) -> int:
    """Calendars beside a peer; 0 when every copy was right."""
    if packages.missing_packages(dav.PEER):
        print("without vdirsyncer, which is not installed")
    print(
        f"\nTwo calendars of {events} events, Radicale to Radicale, HTTPS, {runs} runs each, in turn:\n\n{dav.HEADER}"
    )
    for row in dav.rows(events, runs, round_trips):
        print(row.line(), flush=True)
    return 0


def _settings(accounts: int, aliases: int) -> int:
    """A customer's settings; 0 when they came as they should."""
    print(f"\n{accounts} accounts and {aliases} aliases, Atmail 7 to the cloud:\n\n{settings.HEADER}", flush=True)
    total = 0.0
    for number, step in enumerate(settings.steps(accounts, aliases)):
        total += step.figures.wall if number < 2 else 0
        print(step.line(), flush=True)
    print(f"\nExtracted and applied in {total:.1f} s.")
    return 0


def _mail(given: argparse.Namespace) -> int:
    """First copies of mailboxes; 0 when every copy was right."""
    print("Dovecot to Dovecot, IMAPS, mail_fsync=never\n")
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
