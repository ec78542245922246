# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger that is damaged, cut short, locked, of another version or no ledger at all: a clear error, or a right run.

Never is a message lost or doubled for it. Whatever the ledger, without it the next run finds everything by itself.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import ledger_file

from .interruptions.engine import Ran
from .interruptions.scenarios import ledgers
from .interruptions.scenarios.mailboxes import add_new, mirrored
from .interruptions.stage import Play, Scenario, Stage
from .interruptions.taps import Stopped, Tap, listening
from .interruptions.theatre import SEED, Theatre

pytestmark = pytest.mark.case(76)
PAGE = 4096
TROUBLE = {"ledger_damaged", "ledger_foreign", "ledger_newer", "ledger_failed"}

MAPPED = Scenario("mapped", ledgers.lost_and_more, options={"fidelity": "mapped"}, faithful=False)


def _much(stage: Stage) -> None:
    """New mail and other flags. Nothing is gone from the source: that is what a ledger alone remembers."""
    mirrored(stage)
    for name in ("INBOX", "Sent", "Empty"):
        add_new(stage, name, 4)
    with stage.at_source() as source:
        source.store("INBOX", source.uids("INBOX")[1:8], "+FLAGS", "\\Answered Later")


MUCH = Scenario("much to do", _much)


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with Theatre.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def much(theatre: Theatre) -> Iterator[Play]:
    """A mailbox that has been copied, with everything changed since then."""
    play = Play(theatre.servers, theatre.folder, MUCH)
    yield play
    play.close()


def _run(stage: Stage, *, may_fail: bool = True) -> Ran:
    """A run with the ledger as it is. When it fails, it says what is safe to do, and leaves alone what is not ours."""
    before = stage.ledger.read_bytes()
    ran = stage.sync()
    if ran.kinds & TROUBLE:
        assert may_fail, ran
        assert ran.kinds <= TROUBLE, ran
        assert all(len(text) > 20 for text in ran.advice), ran
        if ran.kinds & {"ledger_foreign", "ledger_newer"}:
            assert stage.ledger.read_bytes() == before
    else:
        assert not ran.kinds, ran
    return ran


def _ends_well(play: Play, stage: Stage, ran: Ran, *, faithful: bool = True) -> None:
    """With a ledger that can't be used moved away, as the error says, or with this one: all is there, once."""
    if ran.kinds:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{stage.ledger}{suffix}").unlink(missing_ok=True)
    verdict = play.judge(stage, stage.sync(), faithful=faithful)
    assert verdict.good, verdict


def _pages(play: Play) -> int:
    with play.copy() as stage:
        return stage.ledger.stat().st_size // PAGE


@pytest.mark.parametrize("how", ["whole", "some"])
def test_random_bytes_in_any_page(much: Play, how: str) -> None:
    """What SQLite can't notice, bytes that turned into others, costs at most UIDs: nothing is believed unseen."""
    chance = random.Random(f"{SEED} {how}")
    failed = 0
    for page in range(_pages(much)):
        with much.copy() as stage:
            data = bytearray(stage.ledger.read_bytes())
            size = PAGE if how == "whole" else 24
            at = page * PAGE + (0 if how == "whole" else chance.randrange(PAGE - size))
            data[at : at + size] = chance.randbytes(size)
            stage.ledger.write_bytes(data)
            ran = _run(stage)
            failed += bool(ran.kinds)
            _ends_well(much, stage, ran, faithful=False)
    assert failed or how == "some"


def test_cut_short_anywhere(much: Play) -> None:
    chance = random.Random(f"{SEED} cut")
    pages = _pages(much)
    lengths = [*(page * PAGE for page in range(pages)), *(chance.randrange(pages * PAGE) for _again in range(5)), 1, 99]
    for length in lengths:
        with much.copy() as stage:
            stage.ledger.write_bytes(stage.ledger.read_bytes()[:length])
            _ends_well(much, stage, _run(stage), faithful=False)


def _stopped(stage: Stage, step: int) -> None:
    """A run that is stopped at a step: its ledger has a write-ahead log then."""
    tap = Tap(stage.ledger, lambda number, _name: number == step)
    with listening(tap), contextlib.suppress(Stopped):
        stage.sync()
    assert tap.dead
    stage.resume_with(tap)


@pytest.mark.parametrize("step", [60, 80, 100])
def test_the_tail_of_the_log_is_lost(much: Play, step: int) -> None:
    """As after a power cut: none of the log is there, or some of it, or its end is something else."""
    chance = random.Random(f"{SEED} {step}")
    damages: list[Callable[[bytes], bytes]] = [
        lambda _log: b"",
        lambda log: log[:-100],
        lambda log: log[: len(log) // 2],
    ]
    damages += [lambda log: log[: -PAGE // 2] + chance.randbytes(PAGE // 2), lambda log: log + chance.randbytes(PAGE)]
    damages += [lambda log: log[: chance.randrange(len(log))] for _again in range(3)]
    for damage in damages:
        with much.copy() as stage:
            _stopped(stage, step)
            log = Path(f"{stage.ledger}-wal")
            assert log.stat().st_size > PAGE
            log.write_bytes(damage(log.read_bytes()))
            ran = stage.sync()
            assert not ran.kinds, ran
            verdict = much.judge(stage, ran)
            assert verdict.good, verdict


def test_locked_by_another_program(much: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits for a minute (here for a moment), says so, and has written nothing."""
    monkeypatch.setattr(ledger_file, "_BUSY_SECONDS", 0.2)
    with much.copy() as stage:
        with contextlib.closing(sqlite3.connect(stage.ledger, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            ran = stage.sync()
            assert ran.kinds == {"ledger_failed"}
            assert not ran.changed
            assert "locked" in ran.message
        _ends_well(much, stage, stage.sync())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_on_a_read_only_disk(much: Play, tmp_path: Path) -> None:
    """Nothing is written to the target that could not be remembered."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with much.copy() as stage:
            elsewhere = tmp_path / "ledger.sqlite3"
            shutil.copyfile(stage.ledger, elsewhere)
            subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
            ran = stage.sync(ledger=str(elsewhere))
            assert (set(ran.kinds), ran.changed) == ({"ledger_failed"}, False)
            assert any("removed" in text for text in ran.advice)
            _ends_well(much, stage, stage.sync())
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_of_the_first_version(much: Play) -> None:
    """It is brought up to date, and nothing that it remembers is lost: the run is as short as with a new one."""
    with much.copy() as stage:
        _ends_well(much, stage, stage.sync())
        with stage.at_target() as target:
            states = {name: target.status(name) for name in much.wanted.folders}
        _as_first_version(stage.ledger)
        ran = stage.sync()
        assert (ran.kinds, ran.changed) == (frozenset(), False)
        with stage.at_target() as target:
            assert {name: target.status(name) for name in states} == states
        with contextlib.closing(sqlite3.connect(stage.ledger)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (ledger_file.VERSION,)
            (messages,) = db.execute("SELECT count(*) FROM message").fetchone()
        assert messages == much.wanted.count


def _as_first_version(path: Path) -> None:
    """The same ledger as the first version would have written it."""
    new = path.with_suffix(".first")
    with contextlib.closing(sqlite3.connect(new)) as db:
        db.executescript(ledger_file._FIRST)
        db.execute("ATTACH ? AS now", (str(path),))
        for table in ("customer", "mailbox", "folder", "message"):
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
        db.execute(f"PRAGMA main.application_id = {ledger_file.APPLICATION_ID}")
        db.execute("PRAGMA main.user_version = 1")
        db.commit()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    new.rename(path)


def test_of_a_later_version(much: Play) -> None:
    with much.copy() as stage:
        stage.with_ledger("PRAGMA user_version = 99")
        ran = _run(stage)
        assert (set(ran.kinds), ran.changed) == ({"ledger_newer"}, False)
        stage.with_ledger(f"PRAGMA user_version = {ledger_file.VERSION}")
        _ends_well(much, stage, stage.sync())


@pytest.mark.parametrize("what", ["text", "other database", "folder"])
def test_no_ledger_at_all(much: Play, what: str) -> None:
    """Another program's file is left as it is."""
    with much.copy() as stage:
        stage.ledger.unlink()
        if what == "folder":
            stage.ledger.mkdir()
        elif what == "text":
            stage.ledger.write_text("This is the house journal, and nobody's ledger.\n" * 50)
        else:
            with contextlib.closing(sqlite3.connect(stage.ledger)) as db:
                db.execute("CREATE TABLE house (key TEXT)")
        before = None if what == "folder" else stage.ledger.read_bytes()
        ran = stage.sync()
        assert ran.kinds == {"ledger_failed" if what == "folder" else "ledger_foreign"}
        assert not ran.changed
        assert before is None or stage.ledger.read_bytes() == before
        if before is None:
            stage.ledger.rmdir()
        else:
            stage.ledger.unlink()
        _ends_well(much, stage, stage.sync())


def test_of_another_customer(theatre: Theatre, much: Play) -> None:
    """It knows other mailboxes; these are new to it, and recognised for what they are."""
    other = Play(theatre.servers, theatre.folder, MAPPED)
    with other.copy() as strangers, much.copy() as stage:
        strangers.sync()
        shutil.copyfile(strangers.ledger, stage.ledger)
        _ends_well(much, stage, stage.sync())
    other.close()
