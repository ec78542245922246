# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to folders since the last run."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario, Stage
from tests.integration.checks.world import plain

from .mailboxes import add_new, mirrored

ALL_MAY_GO = {"allow_removals": 1.0}


def new_folder(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        source.create("Projects/2026")
        source.subscribe("Projects/2026")
    add_new(stage, "Projects/2026", 4)


def renamed(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        source.rename("A/B", "A/C")
        source.rename("Empty", "Hollow")


def removed(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        for name in ("A/B", "Empty"):
            source.subscribe(name, wanted=False)
            source.delete(name)


def recreated(stage: Stage) -> None:
    """Another folder of the same name: its UIDVALIDITY is new, and so is its mail."""
    mirrored(stage)
    with stage.at_source() as source:
        source.delete("Sent")
        source.create("Sent")
    add_new(stage, "Sent", 3, "in the new one")


def renumbered(stage: Stage) -> None:
    """The same messages under a new UIDVALIDITY and other UIDs, as after a restore or a repair (case 72)."""
    mirrored(stage)
    with stage.at_source() as source:
        source.create("Rebuilt")
        source.append("Rebuilt", plain("makes the UIDs others"))
        source.copy("Sent", source.uids("Sent"), "Rebuilt")
        source.expunge("Rebuilt", source.uids("Rebuilt")[:1])
        source.delete("Sent")
        source.rename("Rebuilt", "Sent")


def renumbered_and_more(stage: Stage) -> None:
    renumbered(stage)
    add_new(stage, "Sent")


def swapped(stage: Stage) -> None:
    """Two folders exchange their names."""
    mirrored(stage)
    with stage.at_source() as source:
        source.rename("Sent", "For now")
        source.rename("A/B", "Sent")
        source.rename("For now", "A/B")


def subscriptions(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        source.subscribe("Sent", wanted=False)
        source.create("Gone")
        source.subscribe("Gone")
        source.delete("Gone")
        source.create("Quiet")


def removed_on_the_target(stage: Stage) -> None:
    """Somebody removed a folder from the target: before the cut-over it comes back."""
    mirrored(stage)
    with stage.at_target() as target:
        target.delete("Sent")
    add_new(stage, "Sent")


SCENARIOS = (
    Scenario("new folder", new_folder, cases=(67,)),
    Scenario("folder renamed", renamed, options=ALL_MAY_GO, cases=(67,)),
    Scenario("folder removed", removed, options=ALL_MAY_GO, cases=(67,)),
    Scenario("folder recreated", recreated, options=ALL_MAY_GO, cases=(67, 72)),
    Scenario("folder renumbered", renumbered, options=ALL_MAY_GO, cases=(72,)),
    Scenario("folder renumbered and more", renumbered_and_more, options=ALL_MAY_GO, cases=(72,)),
    Scenario("folders swapped", swapped, options=ALL_MAY_GO, cases=(67,)),
    Scenario("subscriptions changed", subscriptions, cases=(66,)),
    Scenario("folder removed on the target", removed_on_the_target),
)
