# SPDX-License-Identifier: GPL-3.0-or-later
"""Random users as a Hypothesis state machine: whatever they do, and whenever a run is killed, the account is right."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.integration.checks.mail import Mailbox
from tests.integration.checks.picture import Picture, differences
from tests.integration.checks.world import plain
from tests.lab.virtual import VirtualPair

from .account import Account, contents, same
from .stage import Stage, Tally

_numbers = itertools.count(1)
NAMES = ("Sent", "Work", "Work/2024", "Größe", "Old")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "keyword", "$Forwarded")
#: Steps at which a run may be killed: the first hundreds are everything that a run over a small mailbox has.
STEPS = st.integers(1, 130)
picks = st.integers(0, 10_000)
FLAG_CHANGES = st.lists(st.tuples(st.sampled_from(FLAGS), st.sampled_from((True, True, False))), min_size=1, max_size=3)


class RandomUsers(RuleBasedStateMachine):
    """Two users, a run now and then, and the customer's cut-over somewhere in between."""

    servers: ClassVar[VirtualPair]
    folder: ClassVar[Path]
    tally: ClassVar[Tally]

    @initialize(count=st.integers(0, 8), later=st.integers(0, 3))
    def begin(self, count: int, later: int) -> None:
        """Mail on the source; three accounts of four are mirrored and cut over at once."""
        self.stage = Stage(self.servers, self.folder, self.tally)
        self.account = Account()
        self.is_cut_over = False
        self.clean = False
        self.was_killed = False
        self.at_source.create("Sent")
        for number in range(count):
            self._deliver("source", ("INBOX", "Sent")[number % 2], ())
        if later:
            self.run()
            self.cut_over()

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            if hasattr(self, "account") and self.is_cut_over:
                self.run()
            self.stage.close()

    @property
    def at_source(self) -> Mailbox:
        return self.stage.at("source")

    def _acts(self) -> None:
        self.tally.counts["actions"] += 1
        self.clean = False

    # what a user picks

    def _folder(self, side: str, pick: int) -> str:
        names = sorted(name for name, kinds in self.stage.at(side).folders().items() if "\\noselect" not in kinds)
        return names[pick % len(names)]

    def _some(self, side: str, pick: int) -> tuple[str, list[int], list[str]]:
        """A folder, and one to three of its messages: UIDs and contents."""
        picture = self.stage.look(side)
        folders = sorted(name for name, folder in picture.folders.items() if folder.messages)
        if not folders:
            return "INBOX", [], []
        name = folders[pick % len(folders)]
        messages = picture.folders[name].messages
        uids = sorted(messages)
        first = (pick // 7) % len(uids)
        some = uids[first : first + 1 + pick % 3]
        return name, some, [messages[uid].digest for uid in some]

    def _deliver(self, side: str, folder: str, flags: Sequence[str]) -> None:
        body = plain(f"{side} {next(_numbers)}")
        self.stage.at(side).append(folder, body, " ".join(flags))
        if side == "source":
            self.account.made[hashlib.sha256(body).hexdigest()] += 1

    # the source's user

    @rule(pick=picks, flags=st.sets(st.sampled_from(FLAGS), max_size=2))
    def source_gets_mail(self, pick: int, flags: set[str]) -> None:
        self._acts()
        self._deliver("source", self._folder("source", pick), sorted(flags))

    @rule(pick=picks, changes=FLAG_CHANGES)
    def source_changes_flags(self, pick: int, changes: list[tuple[str, bool]]) -> None:
        self._change_flags("source", pick, changes)

    def _change_flags(self, side: str, pick: int, changes: list[tuple[str, bool]]) -> None:
        self._acts()
        folder, uids, _digests = self._some(side, pick)
        for flag, on in changes if uids else ():
            self.stage.at(side).store(folder, uids, "+FLAGS" if on else "-FLAGS", flag)

    @rule(pick=picks, to=picks, moves=st.booleans())
    def source_copies_or_moves(self, pick: int, to: int, moves: bool) -> None:
        self._acts()
        folder, uids, digests = self._some("source", pick)
        other = self._folder("source", to)
        if not uids or other == folder:
            return
        if moves:
            self.at_source.move(folder, uids, other)
            self.account.source_moved(digests)
        else:
            self.at_source.copy(folder, uids, other)
            self.account.made.update(digests)
            for digest in digests:
                self.account.bases.pop(digest, None)

    @rule(pick=picks)
    def source_expunges(self, pick: int) -> None:
        self._acts()
        folder, uids, digests = self._some("source", pick)
        if uids:
            self.at_source.expunge(folder, uids)
            for digest in digests:
                self.account.bases.pop(digest, None)

    @rule(name=st.sampled_from(NAMES))
    def source_makes_a_folder(self, name: str) -> None:
        self._make_folder("source", name)

    def _make_folder(self, side: str, name: str) -> None:
        self._acts()
        mailbox = self.stage.at(side)
        if name not in mailbox.folders() and mailbox.tried_to_create(name):
            mailbox.subscribe(name)

    @rule(pick=picks, name=st.sampled_from(NAMES))
    def source_renames_a_folder(self, pick: int, name: str) -> None:
        self._acts()
        folder = self._folder("source", pick)
        if folder == "INBOX" or any(one == name or one.startswith(name + "/") for one in self.at_source.folders()):
            return
        if name.startswith(folder + "/") or any(one.startswith(folder + "/") for one in self.at_source.folders()):
            return
        digests = [one.digest for one in self.stage.look("source").folders[folder].messages.values()]
        self.at_source.rename(folder, name)
        self.account.source_moved(digests)

    @rule(pick=picks)
    def source_removes_a_folder(self, pick: int) -> None:
        self._acts()
        folder = self._folder("source", pick)
        if folder != "INBOX" and not any(one.startswith(folder + "/") for one in self.at_source.folders()):
            for one in self.stage.look("source").folders[folder].messages.values():
                self.account.bases.pop(one.digest, None)
            self.at_source.delete(folder)

    @rule(pick=picks)
    def source_loses_an_index(self, pick: int) -> None:
        self._acts()
        folder = self._folder("source", pick)
        digests = [one.digest for one in self.stage.look("source").folders[folder].messages.values()]
        self.stage.renumber(folder)
        if self.account.ledger_lost:
            self.account.source_moved(digests)

    # the target's user, who is there after the cut-over

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks, flags=st.sets(st.sampled_from(FLAGS[:2]), max_size=1))
    def target_gets_mail(self, pick: int, flags: set[str]) -> None:
        self._acts()
        self._deliver("target", self._folder("target", pick), sorted(flags))

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks, changes=FLAG_CHANGES)
    def target_changes_flags(self, pick: int, changes: list[tuple[str, bool]]) -> None:
        self._change_flags("target", pick, changes)

    @precondition(lambda self: self.is_cut_over)
    @rule(name=st.sampled_from((*NAMES, "Mine")))
    def target_makes_a_folder(self, name: str) -> None:
        self._make_folder("target", name)

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks, to=picks, moves=st.booleans())
    def target_copies_or_moves(self, pick: int, to: int, moves: bool) -> None:
        self._acts()
        folder, uids, digests = self._some("target", pick)
        other = self._folder("target", to)
        if not uids or other == folder:
            return
        mailbox = self.stage.at("target")
        if moves:
            mailbox.move(folder, uids, other)
            self.account.target_moved(digests)
        else:
            mailbox.copy(folder, uids, other)
            for digest in digests:
                self.account.bases.pop(digest, None)

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks)
    def target_expunges(self, pick: int) -> None:
        self._acts()
        folder, uids, digests = self._some("target", pick)
        if uids:
            self.stage.at("target").expunge(folder, uids)
            self.account.target_removed(digests)

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks, name=st.sampled_from((*NAMES, "Mine")))
    def target_renames_a_folder(self, pick: int, name: str) -> None:
        self._acts()
        mailbox = self.stage.at("target")
        folder = self._folder("target", pick)
        names = mailbox.folders()
        if folder == "INBOX" or name in names or any(one.startswith((folder + "/", name + "/")) for one in names):
            return
        if name.startswith(folder + "/"):
            return
        digests = [one.digest for one in self.stage.look("target").folders[folder].messages.values()]
        mailbox.rename(folder, name)
        self.account.target_moved(digests)

    @precondition(lambda self: self.is_cut_over)
    @rule(pick=picks)
    def target_removes_a_folder(self, pick: int) -> None:
        self._acts()
        mailbox = self.stage.at("target")
        folder = self._folder("target", pick)
        if folder != "INBOX" and not any(one.startswith(folder + "/") for one in mailbox.folders()):
            digests = [one.digest for one in self.stage.look("target").folders[folder].messages.values()]
            mailbox.delete(folder)
            self.account.target_removed(digests)

    # the migration

    @rule()
    def run(self) -> None:
        """A run that ends, and another that has nothing to do."""
        if self.is_cut_over:
            self._catch_up()
        else:
            self._mirror()

    @rule(step=STEPS)
    def run_is_killed(self, step: int) -> None:
        before = self.stage.look("target")
        source = self.stage.look("source")
        killed = self.stage.killed_run(step, **self._options())
        self.was_killed = self.was_killed or killed
        if not killed:
            self.run()
        elif self.is_cut_over:
            wrong = self.account.after_run(source, before, self.stage.look("target"), whole=False)
            assert not wrong, "\n".join(wrong)

    @precondition(lambda self: not self.is_cut_over)
    @rule()
    def cut_over(self) -> None:
        self.account.cut_over(self.stage.look("source"), self.stage.look("target"), clean=self.clean)
        self.account.ledger_lost = False
        self.is_cut_over = True

    @rule(chance=st.integers(0, 4))
    def ledger_is_lost(self, chance: int) -> None:
        if chance == 0 and self.is_cut_over and Path(f"{self.stage.ledger}.phase").exists():
            self.account.lose_ledger()
            self.stage.lose_ledger()

    def _options(self) -> dict[str, str]:
        return {"phase": "catch_up"} if self.is_cut_over else {"phase": "mirror"}

    def _mirror(self) -> None:
        ran = self.stage.run(**self._options())
        assert not ran.kinds, ran.result
        source, target = self.stage.look("source"), self.stage.look("target")
        faithful = ran.result["mailboxes"][0]["fidelity"] == "faithful"
        # a folder that a killed run has made before it could note that is nobody's; it is left alone, empty as it is
        left = {name for name, one in target.folders.items() if self.was_killed and not one.messages}
        kept = {name: one for name, one in target.folders.items() if name in source.folders or name not in left}
        wrong = differences(source, replace(target, folders=kept), faithful=faithful)
        assert not wrong, "\n".join([*wrong, str(ran.result)])
        self._settled(target)
        self.clean = True

    def _catch_up(self) -> None:
        before, source = self.stage.look("target"), self.stage.look("source")
        ran = self.stage.run(**self._options())
        assert not ran.kinds, ran.result
        after = self.stage.look("target")
        wrong = self.account.after_run(source, before, after, whole=True)
        assert not wrong, "\n".join(wrong)
        self._settled(after)

    def _settled(self, before: Picture) -> None:
        again = self.stage.run(**self._options())
        assert not again.kinds, again.result
        assert same(before, self.stage.look("target")), again.result
        assert not again.changed, again.result
        assert contents(before) == contents(self.stage.look("target"))
