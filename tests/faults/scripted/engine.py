# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine between two scripted servers, in this process."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import instant
from ansible_collections.atmail.migration.plugins.module_utils.mail.ladder import Refusals
from ansible_collections.atmail.migration.plugins.module_utils.mail.mailbox import sync_mailbox
from ansible_collections.atmail.migration.plugins.module_utils.mail.outcome import Outcome
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import Policy
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.mail.task import Setting
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account, Task

from .server import PASSWORD, ScriptedServer
from .values import Folder, Mailbox, Message

USER = "ann"


class Unhurried:
    """A run's meter that never waits."""

    def expect(self, messages: int) -> None:
        """Nothing."""

    def take(self, messages: int, size: int) -> None:
        """Nothing."""


def side(name: str, server: ScriptedServer, *, timeout: float = 5.0, doveadm: bool = False) -> Server:
    """A scripted server as the engine's source or target."""
    return Server(
        name,
        "127.0.0.1",
        server.port,
        security="plain",
        timeout=timeout,
        doveadm_url=server.doveadm.url if doveadm else None,
        doveadm_api_key=PASSWORD if doveadm else None,
    )


@dataclass
class Trial:
    """A source, a target and a ledger; `faithful` gives the target its doveadm."""

    source: ScriptedServer
    target: ScriptedServer
    ledger: Path
    faithful: bool = False
    timeout: float = 5.0
    policy: dict[str, Any] = field(default_factory=dict)
    #: Bodies that the source has held before; for tests that have to know.
    was: set[bytes] = field(default_factory=set)
    repair: bool = False

    @property
    def here(self) -> Mailbox:
        """The source mailbox."""
        return self.source.accounts[USER]

    @property
    def there(self) -> Mailbox:
        """The target mailbox."""
        return self.target.accounts[USER]

    def run(self) -> Outcome:
        """One run over the mailbox."""
        task = Task(Account(USER, PASSWORD), Account(USER, PASSWORD))
        setting = Setting(
            side("source", self.source, timeout=self.timeout),
            side("target", self.target, timeout=self.timeout, doveadm=self.faithful),
            Policy(**self.policy),
            refusals=Refusals.beside(str(self.ledger), repair=self.repair),
        )
        with Ledger(str(self.ledger)) as ledger:
            return sync_mailbox(task, setting, ledger, Unhurried())

    def differences(self, *, exact: bool = True) -> list[str]:
        """What is not the same on both sides: bytes, flags and dates; `exact` false: bytes alone."""
        found = []
        for name in sorted({*self.here.folders, *self.there.folders}):
            mine, theirs = (box.folders.get(name, Folder()) for box in (self.here, self.there))
            lost, extra = _compared(mine, theirs, exact=exact)
            if lost or extra:
                found.append(f"{name!r}: {lost.total()} lost, {extra.total()} extra: {[*lost, *extra][:2]!r:.200}")
            if self.faithful and (mine.uidvalidity, mine.uids()) != (theirs.uidvalidity, theirs.uids()):
                found.append(f"{name!r}: numbers differ: {mine.uidvalidity} {theirs.uidvalidity}")
        return found


def _compared(mine: Folder, theirs: Folder, *, exact: bool) -> tuple[Counter[Any], Counter[Any]]:
    """What is lost and what is extra; two texts of one instant are the same date."""
    here, there = (Counter(_value(message, exact=exact) for message in folder.messages) for folder in (mine, theirs))
    return here - there, there - here


def _value(message: Message, *, exact: bool) -> tuple[Any, ...]:
    return (message.body, message.flags, instant(message.date)) if exact else (message.body,)
