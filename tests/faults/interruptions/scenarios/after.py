# SPDX-License-Identifier: GPL-3.0-or-later
"""After the cut-over: users work on the target, some mail still comes to the source, and nothing may be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.interruptions.stage import Scenario, Stage
from tests.integration.checks.picture import FolderPicture, Message, Picture, look
from tests.integration.checks.world import plain

from .mailboxes import add_new, usual

CATCH_UP = {"phase": "catch_up"}


def _merged(base: Picture, source: Picture, before: Picture) -> Picture:
    """What must be on the target: all that is there, with the flags that the source alone changed, and the new mail."""
    folders = {}
    for name in {*before.folders, *source.folders}:
        there = before.folders.get(name, FolderPicture(0, 0, 0, {}))
        was = base.folders[name].messages if name in base.folders else {}
        now = source.folders[name].messages if name in source.folders else {}
        kept = [_flagged(message, was.get(uid), now.get(uid)) for uid, message in there.messages.items()]
        new = [message for uid, message in now.items() if uid not in was]
        folders[name] = replace(there, messages=dict(enumerate([*kept, *new], 1)))
    return replace(source, folders=folders)


def _flagged(message: Message, was: Message | None, now: Message | None) -> Message:
    if was is None or now is None or was.digest != message.digest:
        return message
    mine = message.flags ^ was.flags
    flags = (message.flags | ((now.flags - was.flags) - mine)) - ((was.flags - now.flags) - mine)
    return replace(message, flags=flags)


def _after(name: str, change: Callable[[Stage], None], **others: Any) -> Scenario:
    """The usual mailbox is mirrored, then cut over; what changed since then is caught up with."""
    bases: list[Picture] = []

    def prepare(stage: Stage) -> None:
        usual(stage)
        stage.mirror(phase="mirror")
        bases.append(look(stage.place("source")))
        change(stage)

    return Scenario(
        f"after the cut-over: {name}",
        prepare,
        options=CATCH_UP,
        faithful=False,
        expected=lambda source, before: _merged(bases[-1], source, before),
        **others,
    )


def _deliver(stage: Stage, count: int = 2) -> None:
    with stage.at_target() as target:
        for number in range(count):
            target.append("INBOX", plain(f"delivered after {number}"), "\\Flagged")


def _new(stage: Stage) -> None:
    add_new(stage)
    add_new(stage, "Sent")


def _new_on_both(stage: Stage) -> None:
    _new(stage)
    _deliver(stage)


def _flags_on_both(stage: Stage) -> None:
    with stage.at_source() as source, stage.at_target() as target:
        source.store("INBOX", source.uids("INBOX")[0:6], "+FLAGS", "\\Flagged Source")
        source.store("INBOX", source.uids("INBOX")[6:9], "-FLAGS", "\\Seen")
        target.store("INBOX", target.uids("INBOX")[3:8], "+FLAGS", "\\Flagged \\Answered")
        target.store("Sent", target.uids("Sent"), "+FLAGS", "Mine")


def _gone_on_the_target(stage: Stage) -> None:
    """Case 82: what the user deleted or moved does not come back."""
    with stage.at_target() as target:
        target.expunge("INBOX", target.uids("INBOX")[2:5])
        target.move("INBOX", target.uids("INBOX")[:2], "Sent")
    _new(stage)


def _gone_on_the_source(stage: Stage) -> None:
    with stage.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[1:9])
    add_new(stage)


def _new_folder(stage: Stage) -> None:
    with stage.at_source() as source:
        source.create("Late")
        source.subscribe("Late")
    add_new(stage, "Late", 4)


def _everything(stage: Stage) -> None:
    _gone_on_the_target(stage)
    _flags_on_both(stage)
    _deliver(stage)


def _mirror_was_stopped(stage: Stage) -> None:
    """The last mirror never came to its end: what it did not bring is brought now."""
    usual(stage)
    options, stage.options = stage.options, {}
    stage.stop_when("APPENDUID")
    stage.options = options
    add_new(stage)


SCENARIOS = (
    _after("new messages", _new, cases=(83,)),
    _after("new messages on both sides", _new_on_both, cases=(83,)),
    _after("new messages on both sides, no doveadm", _new_on_both, doveadm=False, cases=(83,)),
    _after("new messages on both sides, no MULTIAPPEND", _new_on_both, target="no-multiappend", cases=(83,)),
    _after("new on both sides, no UIDPLUS", _new_on_both, target="no-uidplus", hide_appenduid=True, cases=(83,)),
    _after("flags changed on both sides", _flags_on_both),
    _after("deleted and moved by the user", _gone_on_the_target, cases=(82,)),
    _after("removed on the source", _gone_on_the_source),
    _after("a new folder", _new_folder),
    _after("everything", _everything, cases=(82, 83)),
    Scenario(
        "after the cut-over: the mirror was stopped",
        _mirror_was_stopped,
        options=CATCH_UP,
        faithful=False,
        # nothing tells which of them the user has taken away since then
        expected=lambda source, _before: replace(source, subscribed=frozenset()),
        cases=(75,),
    ),
)
