# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Carrying out what a plan says of subscriptions (RFC 3501 sections 6.3.6 and 6.3.7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..errors import ThrottledError
from ..transport.wire import quoted
from .doveadm import Doveadm
from .folders import Path, show, wire_to_text
from .namespaces import Namespace
from .outcome import Outcome
from .plan import MailboxPlan
from .session import Session, refusal


@dataclass
class Subscriptions:
    """The target's subscriptions as a plan wants them; folders that are ``untouched`` get and lose none.

    ``failed`` says whether the target has refused one; each refusal is one of the mailbox's failures.
    """

    plan: MailboxPlan
    namespace: Namespace
    outcome: Outcome
    untouched: Collection[Path]
    failed: bool = False

    def count(self) -> int:
        """How many change."""
        named = sum(path not in self.untouched for path in (*self.plan.subscribe, *self.plan.unsubscribe))
        return named + len(self.plan.absent)

    def take_away(self, session: Session) -> None:
        """Unsubscribe."""
        self._change(session, b"UNSUBSCRIBE ", self.plan.unsubscribe)

    def add(self, session: Session, doveadm: Doveadm | None, user: str) -> None:
        """Subscribe; to folders that are not there by doveadm, because IMAP's SUBSCRIBE may refuse that."""
        self._change(session, b"SUBSCRIBE ", self.plan.subscribe)
        for path in self.plan.absent:
            name = wire_to_text(self.namespace.name(path))
            if doveadm and name:
                doveadm.subscribe(user, name)
                self.outcome.subscriptions_changed += 1

    def _change(self, session: Session, verb: bytes, paths: Collection[Path]) -> None:
        wanted = [path for path in paths if path not in self.untouched]
        commands = [(verb, quoted(self.namespace.name(path))) for path in wanted]
        for path, reply in zip(wanted, session.pipeline(commands), strict=True):
            if reply.ok:
                self.outcome.subscriptions_changed += 1
                continue
            self.failed = True
            error = refusal(reply, verb.decode().strip().lower(), session, writing=True)
            if isinstance(error, ThrottledError):
                raise error
            self.outcome.fail(error.at(folder=show(path)))
