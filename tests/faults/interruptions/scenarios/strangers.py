# SPDX-License-Identifier: GPL-3.0-or-later
"""The target is not ours alone: others' mail is there, our mail is gone, UIDs are taken."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario, Stage, with_foreign
from tests.integration.checks.world import plain

from .mailboxes import add_new, folder, mirrored, usual

ALL_MAY_GO = {"allow_removals": 1.0}


def _deliver(stage: Stage, name: str = "INBOX", count: int = 3, seed: str = "delivered") -> None:
    with stage.at_target() as target:
        for number in range(count):
            target.append(name, plain(f"{seed} {number}"), "\\Flagged")


def foreign_before(stage: Stage) -> None:
    usual(stage)
    _deliver(stage)


def foreign_twins(stage: Stage) -> None:
    """Mail that looks like the source's, but was there before any run: the target's own copy counts for one."""
    usual(stage)
    with stage.at_target() as target:
        for number in range(3):
            target.append("INBOX", plain(f"inbox-{number}"), "", f"13-Sep-2020 12:{26 + number}:40 +0000")


def foreign_later(stage: Stage) -> None:
    """Delivered to the target between runs, while nothing new came to the source."""
    mirrored(stage)
    _deliver(stage)


def clash(stage: Stage) -> None:
    """The target gave a UID to a delivery that the source then gives to another message (case 74)."""
    mirrored(stage)
    _deliver(stage)
    add_new(stage, count=5)


def late(stage: Stage) -> None:
    """UIDs that the target can't give out any more: a delivery had them, and is gone again."""
    mirrored(stage)
    _deliver(stage, count=4)
    with stage.at_target() as target:
        target.expunge("INBOX", target.uids("INBOX")[-4:])
    add_new(stage, count=6)


def late_without_doveadm(stage: Stage) -> None:
    late(stage)


def removed_by_the_user(stage: Stage) -> None:
    """Gone from the target: before the cut-over it comes back, under another UID."""
    mirrored(stage)
    with stage.at_target() as target:
        target.expunge("INBOX", target.uids("INBOX")[3:6])
        target.expunge("Sent", target.uids("Sent"))


def removed_and_more(stage: Stage) -> None:
    removed_by_the_user(stage)
    add_new(stage)
    add_new(stage, "Sent")


def removed_by_both(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_target() as target, stage.at_source() as source:
        target.expunge("INBOX", target.uids("INBOX")[1:4])
        source.expunge("INBOX", source.uids("INBOX")[2:6])


def folder_made_by_the_user(stage: Stage) -> None:
    """A folder of the same name, with mail of its own, under a UIDVALIDITY of its own."""
    usual(stage)
    with stage.at_target() as target:
        target.create("Sent")
    _deliver(stage, "Sent")


def empty_folder_made_by_the_user(stage: Stage) -> None:
    usual(stage)
    with stage.at_target() as target:
        target.create("Sent")
        target.create("A/B")


def used_and_emptied_folder(stage: Stage) -> None:
    """Empty, but not unused: it can be made faithful all the same, as long as the UIDs reach."""
    stage.write(folder("", 3), folder("Sent", 5, gaps={0: 10}))
    _deliver(stage, "INBOX")
    with stage.at_target() as target:
        target.expunge("INBOX", target.uids("INBOX"))
        target.create("Sent")
    _deliver(stage, "Sent")
    with stage.at_target() as target:
        target.expunge("Sent", target.uids("Sent"))


SCENARIOS = (
    Scenario("foreign mail before", foreign_before, faithful=False, expected=with_foreign("INBOX"), cases=(74,)),
    Scenario(
        "foreign mail before, no extension",
        foreign_before,
        source="bare",
        target="bare",
        hide_appenduid=True,
        faithful=False,
        expected=with_foreign("INBOX"),
    ),
    Scenario("foreign twins", foreign_twins, faithful=False, cases=(74,)),
    Scenario("foreign mail later", foreign_later, faithful=False, expected=with_foreign("INBOX")),
    Scenario("UIDs taken", clash, faithful=False, expected=with_foreign("INBOX"), cases=(74,)),
    Scenario(
        "UIDs taken, no doveadm", clash, doveadm=False, faithful=False, expected=with_foreign("INBOX"), cases=(74,)
    ),
    Scenario("late UIDs", late, faithful=False),
    Scenario("late UIDs, no doveadm", late, doveadm=False, faithful=False),
    Scenario("removed by the user", removed_by_the_user, faithful=False, cases=(79,)),
    Scenario("removed by the user and more", removed_and_more, faithful=False, cases=(79,)),
    Scenario("removed by both", removed_by_both, options=ALL_MAY_GO, faithful=False, cases=(79,)),
    Scenario("folder made by the user", folder_made_by_the_user, faithful=False, expected=with_foreign("Sent")),
    Scenario("empty folders made by the user", empty_folder_made_by_the_user),
    Scenario("used and emptied folders", used_and_emptied_folder, faithful=False),
)
