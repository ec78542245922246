# SPDX-License-Identifier: GPL-3.0-or-later
"""One scenario on its stage: set up once, then played as often as wished, each time on a copy of the target."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.integration.checks.mail import Mailbox, Place
from tests.integration.checks.picture import FolderPicture, Message, Picture, differences, look, placeholders
from tests.lab import maildir
from tests.lab.virtual import PASSWORD, VirtualPair

from . import engine
from .engine import Ran
from .taps import Stopped, Tap, deaf, listening

_numbers = itertools.count(1)
#: How long a server may need to be done with a connection that was closed, in seconds.
_SETTLES = 0.05


@dataclass(frozen=True)
class Scenario:
    """What is played. Before the run that will be stopped, `prepare` brings the stage into the state to start from.

    `ends` are the kinds of failure with which a run that is not stopped ends; `faithful` says whether all UIDs must be
    the source's in the end; `target` and `source` are variants of the servers; `expected` makes of what both sides
    hold at the start what the target must hold at the end (the source's mail, and what is foreign, when it is None).
    """

    name: str
    prepare: Callable[[Stage], None]
    cases: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    faithful: bool = True
    ends: frozenset[str] = frozenset()
    source: str = "full"
    target: str = "full"
    doveadm: bool = True
    expected: Callable[[Picture, Picture], Picture] | None = None
    hide_appenduid: bool = False


@dataclass
class Verdict:
    """What was found after the runs on one copy: messages lost, doubled, altered, and everything that is not right."""

    lost: int = 0
    doubled: int = 0
    altered: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""
        return not (self.lost or self.doubled or self.altered or self.wrong)


class Stage:
    """Where a scenario is set up: an account on either side, and a ledger."""

    def __init__(self, servers: VirtualPair, folder: Path, scenario: Scenario) -> None:
        self.servers, self.scenario = servers, scenario
        number = next(_numbers)
        self.source_user = f"s{number}"
        self.user = f"t{number}"
        self.folder = folder / f"stage-{number}"
        self.folder.mkdir()
        self.ledger = self.folder / "ledger.sqlite3"
        self.options: dict[str, Any] = dict(scenario.options)

    # what preparations do

    def write(self, *folders: maildir.Folder) -> None:
        """Write folders to the source, on which nobody has looked yet."""
        home = self.servers.home("source", self.source_user)
        maildir.write_mailbox(home, folders, owner=self.servers.owner)

    @contextmanager
    def at_source(self) -> Iterator[Mailbox]:
        """The source mailbox, open."""
        with self.place("source").open() as mailbox:
            yield mailbox

    @contextmanager
    def at_target(self) -> Iterator[Mailbox]:
        """The target mailbox, open."""
        with self.place("target").open() as mailbox:
            yield mailbox

    def place(self, side: str) -> Place:
        """Where a side is read by raw IMAP."""
        dovecot = self.servers.source if side == "source" else self.servers.target
        user = self.source_user if side == "source" else self.user
        return Place(0, 0, "", user, PASSWORD, imap=dovecot.setup.ports["imap"])

    def sync(self, **changes: Any) -> Ran:
        """A run to its end."""
        scenario = self.scenario
        options = {
            "source": self.servers.side("source", scenario.source),
            "target": self.servers.side("target", scenario.target, doveadm=scenario.doveadm),
            "mailboxes": [
                {
                    "source_user": self.source_user,
                    "source_password": PASSWORD,
                    "target_user": self.user,
                    "target_password": PASSWORD,
                }
            ],
            "ledger": str(self.ledger),
        }
        return engine.run(options | self.options | changes)

    def mirror(self, **changes: Any) -> None:
        """A run that must succeed."""
        ran = self.sync(**changes)
        assert ran.kinds <= self.scenario.ends, ran.result

    def stop_when(self, answer: str) -> None:
        """A run that is stopped as soon as a server has answered something like this."""
        tap = Tap(self.ledger, _at(0), until=answer.encode())
        with listening(tap):
            try:
                self.sync()
            except Stopped:
                self.resume_with(tap)
                return
        raise AssertionError(f"no server answered {answer}")

    def resume_with(self, tap: Tap) -> None:
        """From now on the ledger is the one that a stopped run left behind."""
        folder = self.folder / f"after-{next(_numbers)}"
        folder.mkdir()
        self.ledger = folder / "ledger.sqlite3"
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{tap.crashed_ledger}{suffix}").rename(f"{self.ledger}{suffix}")

    def forget(self) -> None:
        """The ledger is lost."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.ledger}{suffix}").unlink(missing_ok=True)

    def keep_ledger(self) -> Callable[[], None]:
        """Remember the ledger as it is now; what is given back brings it back, as a restored backup would."""
        kept = self.folder / "kept.sqlite3"
        with contextlib.closing(sqlite3.connect(self.ledger)) as db, contextlib.closing(sqlite3.connect(kept)) as copy:
            db.backup(copy)

        def restore() -> None:
            self.forget()
            kept.rename(self.ledger)

        return restore

    def with_ledger(self, *statements: str) -> None:
        """Change what the ledger remembers."""
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()


class Play:
    """A scenario that is set up: the state to start from is kept, and every performance has its own copy of it."""

    def __init__(self, servers: VirtualPair, folder: Path, scenario: Scenario) -> None:
        self.scenario = scenario
        self._stage = stage = Stage(servers, folder, scenario)
        scenario.prepare(stage)
        time.sleep(_SETTLES)
        self._servers = servers
        home = servers.home("target", stage.user)
        self._template = stage.folder / "target"
        self._source_template = stage.folder / "source"
        shutil.copytree(servers.home("source", stage.source_user), self._source_template)
        if home.exists():
            shutil.copytree(home, self._template)
        else:
            self._template.mkdir()
        source = look(stage.place("source"))
        before = look(stage.place("target")) if home.exists() else Picture({}, frozenset(), ())
        self.wanted = (scenario.expected or (lambda source, _before: source))(source, before)

    def close(self) -> None:
        """Remove what was set up."""
        shutil.rmtree(self._stage.folder, ignore_errors=True)
        for side, user in (("source", self._stage.source_user), ("target", self._stage.user)):
            shutil.rmtree(self._servers.home(side, user), ignore_errors=True)

    # performing

    @contextmanager
    def copy(self, *, own_source: bool = False) -> Iterator[Stage]:
        """The stage, with a target account and a ledger of its own; with `own_source` with a source account, too."""
        original = self._stage
        copy = Stage(self._servers, original.folder, self.scenario)
        copy.options = original.options
        if own_source:
            self._servers.copy_home("source", copy.source_user, self._source_template)
        else:
            copy.source_user = original.source_user
        self._servers.copy_home("target", copy.user, self._template)
        if original.ledger.exists():
            for suffix in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(f"{original.ledger}{suffix}", f"{copy.ledger}{suffix}")
            copy.with_ledger(
                f"UPDATE mailbox SET target_user = '{copy.user}', source_user = '{copy.source_user}'"
                f" WHERE target_user = '{original.user}'"
            )
        try:
            yield copy
        finally:
            shutil.rmtree(copy.folder, ignore_errors=True)
            shutil.rmtree(self._servers.home("target", copy.user), ignore_errors=True)
            if own_source:
                shutil.rmtree(self._servers.home("source", copy.source_user), ignore_errors=True)

    def count(self) -> tuple[list[str], Verdict]:
        """A performance without a stop: the names of its steps, and what is to be said of it."""
        names: list[str] = []

        def note(_number: int, name: str) -> bool:
            names.append(name)
            return False

        with self.copy() as stage:
            ran, _stopped = self._run(stage, note)
            return names, self.judge(stage, ran)

    def stopped(self, *steps: int) -> tuple[str, Verdict]:
        """A performance whose first run is stopped at a step, the next one at the next of `steps`; then a clean run.

        Gives the name of the last step at which a run was stopped ("" when all ended before), and the verdict.
        """
        where = ""
        with self.copy() as stage:
            for step in steps:
                _ran, stopped = self._run(stage, _at(step))
                where = stopped or where
            ran, _stopped = self._run(stage, _at(0))
            return where, self.judge(stage, ran)

    def intruded(self, step: int, act: Callable[[Stage], None]) -> tuple[Ran, Verdict]:
        """A run during which somebody else does something at a step; then a clean run, which must make it all right."""
        with self.copy(own_source=True) as stage:
            reached: list[int] = []

            def decide(number: int, _name: str) -> bool:
                if number == step:
                    reached.append(number)
                    with deaf():
                        act(stage)
                return False

            ran, _stopped = self._run(stage, decide)
            assert ran is not None
            if not reached:
                act(stage)
            again = stage.sync()
            there = look(stage.place("target"))
            wanted = (self.scenario.expected or (lambda source, _before: source))(look(stage.place("source")), there)
            verdict = compare(wanted, there, faithful=False)
            verdict.wrong += [f"the run after it ended with {sorted(again.kinds)}"] if again.kinds else []
            verdict.wrong += ["a further run changed something"] if stage.sync().changed else []
            return ran, verdict

    def _run(self, stage: Stage, decide: Callable[[int, str], bool]) -> tuple[Ran | None, str]:
        """One run; None and the step's name when it was stopped. Its ledger is then the one that it left behind."""
        tap = Tap(stage.ledger, decide, hide_appenduid=self.scenario.hide_appenduid)
        with listening(tap):
            try:
                return stage.sync(), ""
            except Stopped:
                pass
        stage.resume_with(tap)
        return None, tap.stopped_at

    # judging

    def judge(self, stage: Stage, ran: Ran | None, *, faithful: bool = True) -> Verdict:
        """What is to be said of the target after a run that should have made it right; makes a further one."""
        there = look(stage.place("target"))
        verdict = compare(self.wanted, there, faithful=faithful and self.scenario.faithful)
        if ran is None or ran.kinds != self.scenario.ends:
            verdict.wrong.append(f"the run ended with {sorted(ran.kinds) if ran else None}: {_shown(ran)}")
        before = _states(there)
        again = stage.sync()
        if again.changed:
            verdict.wrong.append(f"a further run changed something: {_shown(again)}")
        with stage.at_target() as mailbox:
            after = {name: _numbers_of(mailbox.status(name)) for name in before}
        verdict.wrong += [
            f"a further run wrote to {name}: {before[name]} became {after[name]}"
            for name in before
            if before[name] != after[name]
        ]
        return verdict


def _at(step: int) -> Callable[[int, str], bool]:
    """Stop at this step; never at 0."""
    return lambda number, _name: number == step


def _shown(ran: Ran | None) -> str:
    return "" if ran is None else str(ran.result)[:1500]


def _numbers_of(status: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(status.get(name, 0) for name in ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ"))


def _states(picture: Picture) -> dict[str, tuple[int, ...]]:
    return {
        name: (len(folder.messages), folder.uidnext, folder.uidvalidity, folder.highestmodseq)
        for name, folder in picture.folders.items()
    }


def compare(wanted: Picture, there: Picture, *, faithful: bool) -> Verdict:
    """What is not as it must be."""
    fillers = placeholders(there)
    verdict = Verdict(wrong=[f"{len(fillers)} placeholders left: {fillers[:5]}"] if fillers else [])
    for name in sorted(set(wanted.folders) | set(there.folders)):
        here = _contents(wanted.folders.get(name))
        got = _contents(there.folders.get(name), without=fillers, name=name)
        by_bytes, got_by_bytes = _by_bytes(here), _by_bytes(got)
        lost, doubled = by_bytes - got_by_bytes, got_by_bytes - by_bytes
        verdict.lost += lost.total()
        verdict.doubled += doubled.total()
        verdict.altered += max(0, (here - got).total() - lost.total())
    verdict.wrong += differences(wanted, there, faithful=faithful)
    return verdict


def _contents(folder: FolderPicture | None, *, without: Sequence[str] = (), name: str = "") -> Counter[Message]:
    if folder is None:
        return Counter()
    return Counter(message for uid, message in folder.messages.items() if f"{name} UID {uid}" not in without)


def _by_bytes(contents: Counter[Message]) -> Counter[str]:
    found: Counter[str] = Counter()
    for message, count in contents.items():
        found[message.digest] += count
    return found


# what is to be expected


def with_foreign(*folders: str) -> Callable[[Picture, Picture], Picture]:
    """The source's mail, and whatever the target held in these folders that is not the source's, both kept."""

    def expected(source: Picture, before: Picture) -> Picture:
        mixed = dict(source.folders)
        for name in folders:
            base = mixed.get(name, FolderPicture(0, 0, 0, {}))
            foreign = before.folders[name].contents() - base.contents()
            messages = {
                **{("source", uid): message for uid, message in base.messages.items()},
                **{("foreign", number): message for number, message in enumerate(foreign.elements())},
            }
            mixed[name] = replace(base, messages=dict(enumerate(messages.values(), 1)))
        return replace(source, folders=mixed)

    return expected
