# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Making folders on the target, with the source's UIDVALIDITY and its special use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import FolderError, ThrottledError
from ..transport.wire import quoted
from .doveadm import MailboxUpdate
from .folders import Path, show, wire_to_text
from .plan import FRESH, MailboxPlan, Step, plan_fresh
from .session import Session, refusal
from .survey import Folder, Side, listed

if TYPE_CHECKING:
    from .folder import SharedState
    from .outcome import Outcome


def make_folders(plan: MailboxPlan, shared: SharedState, target: Side, outcome: Outcome) -> set[Path]:
    """Make the folders that are missing and give the fresh ones the source's UIDVALIDITY; gives their source paths."""
    fresh = [step for step in plan.steps if step.action == FRESH]
    made = _create([step for step in fresh if step.create], shared.target, target, outcome)
    ready = [step for step in fresh if not step.create or step.path in made]
    updates: list[MailboxUpdate] = []
    for step in ready:
        state = step.source.state if step.source else None
        folder = wire_to_text(target.namespace.name(step.target_path))
        if state and folder and plan_fresh(state, shared.policy.of(step.target_path)).set_uidvalidity:
            updates.append(MailboxUpdate(folder, uidvalidity=state.uidvalidity))
    if updates and shared.doveadm:
        shared.doveadm.mailbox_update(shared.task.target.user, updates)
    return {step.path for step in ready}


def _create(steps: list[Step], session: Session, target: Side, outcome: Outcome, *, with_use: bool = True) -> set[Path]:
    """Make folders: with their special uses, and without where the target does not take those (RFC 6154 section 3)."""
    made: set[Path] = set()
    there: list[Step] = []
    plainly: list[Step] = []
    uses = [special_use(step, session) if with_use else b"" for step in steps]
    commands = [
        (b"CREATE ", quoted(target.namespace.name(step.target_path)), use)
        for step, use in zip(steps, uses, strict=True)
    ]
    for step, use, reply in zip(steps, uses, session.pipeline(commands), strict=True):
        if use and (reply.status == b"BAD" or reply.code[0] == b"USEATTR"):
            plainly.append(step)
        elif reply.ok:
            made.add(step.path)
            outcome.folders_created += 1
        elif reply.code[0] == b"ALREADYEXISTS":
            there.append(step)
        else:
            error = refusal(reply, "create the folder", session, writing=True)
            if isinstance(error, ThrottledError):
                raise error
            error.safe_next = (
                "The folder is still on the source. Give it a name that the target takes in folders.rename, or leave it"
                " out with folders.exclude; every other folder is copied."
            )
            outcome.fail(error.at(folder=show(step.target_path)))
    for step in there:
        if _is_listed(session, target.namespace.name(step.target_path)):
            made.add(step.path)
        else:
            outcome.fail(_taken(step))
    return made | _create(plainly, session, target, outcome, with_use=False) if plainly else made


def _is_listed(session: Session, name: bytes) -> bool:
    """Whether a folder is there under exactly this name (in which `*` and `%` stand for others, too)."""
    reply = session.must("list the folder", b'LIST "" ', quoted(name))
    return any(found == name for _attributes, _separator, found in listed([reply]))


def _taken(step: Step) -> FolderError:
    """A target that does not tell two names apart would mix two folders into one."""
    return FolderError(
        "the target says that this folder is there already, but does not list it: it takes the name for that of another"
        " folder, as servers do that make no difference between upper and lower case",
        folder=show(step.target_path),
        safe_next="Give one of the two another name in folders.rename; nothing was written to either for this one.",
    )


def special_use(step: Step, session: Session) -> bytes:
    """The parameter of CREATE that passes a folder's special uses on (RFC 6154 section 3), where the target has it."""
    uses = step.source.special_uses if step.source else frozenset()
    return b" (USE (" + b" ".join(sorted(uses)) + b"))" if uses and session.has(b"CREATE-SPECIAL-USE") else b""


def tell_special_use(source: Folder, target: Folder, outcome: Outcome) -> None:
    """Name a special use (RFC 6154) that the target's folder has not got."""
    lost = source.special_uses - target.special_uses
    if lost:
        shown = ", ".join(sorted(one.decode("ascii", "replace") for one in lost))
        outcome.find(f"{show(target.path)} is {shown} on the source, and not on the target")
