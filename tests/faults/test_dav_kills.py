# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_sync` is killed at random moments, and its target too: the runs after that bring everything, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dav_sync_lab import ANN, USERS, Way, clouds_differ, fill, side
from tests.lab.radicale import DavCloud

RUN = """
import json, sys
from ansible_collections.atmail.migration.plugins.module_utils.dav.sync import sync
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
try:
    sync(json.load(sys.stdin), check_mode=False)
except MigrationError:
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def here() -> Iterator[DavCloud]:
    with DavCloud.temporary(dict.fromkeys(USERS, "x")) as made:
        for user in USERS:
            fill(made, user, 10)
        yield made


@pytest.fixture
def way(here: DavCloud, tmp_path: Path) -> Iterator[Way]:
    with DavCloud.temporary(dict.fromkeys(USERS, "x")) as there:
        yield Way(here.options(), there, tmp_path / "ledger")


def started(options: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    return process


def objects(cloud: DavCloud) -> int:
    """How many objects are on the disk of a server now; os.walk minds no folder that goes away meanwhile."""
    found = (
        name for place, _folders, names in os.walk(cloud.radicale.data) if ".Radicale" not in place for name in names
    )
    return sum(name.endswith((".ics", ".vcf")) for name in found)


def test_killed_at_random_moments(way: Way, here: DavCloud) -> None:
    chance = random.Random(6)
    killed = 0
    # what is there when the kill comes: nothing yet, the first ones, most of them
    for share in sorted(chance.uniform(0, 0.95) for _kill in range(4)):
        process = started(way.options())
        until = time.monotonic() + 60
        while objects(way.cloud) < share * 140 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.05))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed >= 2
    result = way.run()
    assert result["summary"]["accounts_failed"] == 0
    assert clouds_differ(here, way.cloud) == []
    assert (way.run()["changed"], way.wrote) == (False, Counter())


def test_the_target_dies_and_comes_back(way: Way, here: DavCloud) -> None:
    process = started(way.options(pace={"max_backoff": 0.0}))
    until = time.monotonic() + 60
    while objects(way.cloud) < 40 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    way.cloud.radicale.kill()
    assert process.wait(timeout=120) == 3
    way.cloud.radicale.start()
    assert way.run()["summary"]["accounts_failed"] == 0
    assert clouds_differ(here, way.cloud) == []
    assert way.run()["changed"] is False


def test_two_runs_at_once(way: Way, here: DavCloud) -> None:
    """Each with a ledger of its own, so that neither knows of the other: nothing is there twice."""
    other = Way(way.source, way.cloud, way.ledger.with_name("other"))
    both = [
        started(way.options(accounts=[{"source_user": ANN}])),
        started(other.options(accounts=[{"source_user": ANN}])),
    ]
    assert {process.wait(timeout=120) for process in both} <= {0, 3}
    one = way.run(accounts=[{"source_user": ANN}])
    assert one["summary"]["accounts_failed"] == 0
    assert clouds_differ(here, way.cloud, [ANN]) == []
    with side(way.cloud, ANN) as opened:
        assert len(opened.survey().collections) == 5
