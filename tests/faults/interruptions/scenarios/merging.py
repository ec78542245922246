# SPDX-License-Identifier: GPL-3.0-or-later
"""After the cut-over: both users have been at work since the last mirror."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.interruptions.stage import Scenario, Stage
from tests.integration.checks.picture import FolderPicture, Picture
from tests.integration.checks.world import plain

from .mailboxes import add_new, mirrored

CATCH_UP = {"phase": "catch_up"}


def both_at_work(stage: Stage) -> None:
    """Mail, flags, moves and folders on both sides; what the target's user removed is the first message of INBOX."""
    mirrored(stage)
    with stage.at_source() as source:
        source.store("INBOX", source.uids("INBOX"), "+FLAGS", "merged")
        source.move("INBOX", source.uids("INBOX")[5:7], "Sent")
        source.delete("A/B")
        source.create("New")
    for name in ("INBOX", "Sent", "New"):
        add_new(stage, name)
    with stage.at_target() as target:
        first, second = target.uids("INBOX")[:2]
        target.expunge("INBOX", [first])
        target.create("Mine")
        target.move("INBOX", [second], "Mine")
        target.rename("Sent", "Sent before")
        target.append("INBOX", plain("delivered"), "\\Flagged")


def memory_lost(stage: Stage) -> None:
    """The same, and the ledger is gone; nothing was removed, for that nobody could know."""
    mirrored(stage)
    with stage.at_source() as source:
        source.move("INBOX", source.uids("INBOX")[5:7], "Empty")
    add_new(stage, "INBOX")
    with stage.at_target() as target:
        target.create("Mine")
        target.move("INBOX", target.uids("INBOX")[1:3], "Mine")
        target.rename("Sent", "Sent before")
        target.store("INBOX", target.uids("INBOX")[:2], "+FLAGS", "mine")
    stage.forget()


def _merged(source: Picture, before: Picture) -> Picture:
    """What the target held, with what only the source has, and with the flag that the source has set since."""
    known = {one.digest for folder in before.folders.values() for one in folder.messages.values()}
    inbox = source.folders["INBOX"].messages
    known.add(inbox[min(inbox)].digest)
    marked = {one.digest for one in inbox.values() if "merged" in one.flags}
    folders = dict(before.folders)
    for name, folder in before.folders.items():
        if name == "INBOX":
            followed = {
                uid: replace(one, flags=one.flags | {"merged"}) if one.digest in marked else one
                for uid, one in folder.messages.items()
            }
            folders[name] = replace(folder, messages=followed)
    for name, folder in source.folders.items():
        new = [one for one in folder.messages.values() if one.digest not in known]
        if new:
            there = folders.get(name, FolderPicture(0, 0, 0, {}))
            numbered = {10**6 + number: one for number, one in enumerate(new)}
            folders[name] = replace(there, messages={**there.messages, **numbered})
    return Picture(folders, before.subscribed, ())


SCENARIOS = (
    Scenario("both at work", both_at_work, options=CATCH_UP, faithful=False, expected=_merged, cases=(82, 83)),
    Scenario(
        "both at work, no doveadm",
        both_at_work,
        options=CATCH_UP,
        doveadm=False,
        faithful=False,
        expected=_merged,
        cases=(82, 83),
    ),
    Scenario(
        "both at work, no extension",
        both_at_work,
        options=CATCH_UP,
        source="bare",
        target="bare",
        faithful=False,
        expected=_merged,
        cases=(82, 83),
    ),
    Scenario("both at work, memory lost", memory_lost, options=CATCH_UP, faithful=False, expected=_merged, cases=(82,)),
)
