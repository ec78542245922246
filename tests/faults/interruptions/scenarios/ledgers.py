# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger is lost, old or full of holes when the run begins, or an earlier run was stopped."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario, Stage

from .changes import everything
from .mailboxes import add_new, mirrored, usual

ALL_MAY_GO = {"allow_removals": 1.0}
MAPPED = {"fidelity": "mapped"}


def lost(stage: Stage) -> None:
    mirrored(stage)
    stage.forget()


def lost_and_more(stage: Stage) -> None:
    mirrored(stage)
    add_new(stage)
    with stage.at_source() as source:
        source.store("INBOX", source.uids("INBOX")[2:8], "+FLAGS", "\\Flagged New")
    stage.forget()


def older(stage: Stage) -> None:
    """Restored from a backup that was made before the last run but one."""
    mirrored(stage)
    restore = stage.keep_ledger()
    add_new(stage, count=4)
    stage.mirror()
    add_new(stage, "Sent")
    with stage.at_source() as source:
        source.store("INBOX", source.uids("INBOX")[1:4], "+FLAGS", "\\Answered")
    stage.mirror()
    restore()


def older_and_more(stage: Stage) -> None:
    older(stage)
    add_new(stage, seed="after")


def older_than_removals(stage: Stage) -> None:
    """What has been removed from both sides since then must not confuse it."""
    mirrored(stage)
    restore = stage.keep_ledger()
    with stage.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[2:6])
    add_new(stage)
    stage.mirror()
    restore()


def holes(stage: Stage) -> None:
    mirrored(stage)
    stage.with_ledger(
        "DELETE FROM message WHERE source_uid % 2 = 0",
        "UPDATE folder SET source_state = NULL, target_state = NULL",
    )
    add_new(stage)


def no_states(stage: Stage) -> None:
    mirrored(stage)
    stage.with_ledger("UPDATE folder SET source_state = NULL, target_state = NULL")


def no_folders(stage: Stage) -> None:
    everything(stage)
    stage.mirror()
    stage.with_ledger("DELETE FROM message", "DELETE FROM folder")


def stopped_in_the_copying(stage: Stage) -> None:
    """A run was stopped when its messages and placeholders were on the target and nothing of it in the ledger."""
    usual(stage)
    stage.stop_when("APPENDUID")


def stopped_and_lost(stage: Stage) -> None:
    """The same, and its ledger is lost."""
    stopped_in_the_copying(stage)
    stage.forget()
    add_new(stage)


def stopped_in_a_change(stage: Stage) -> None:
    everything(stage)
    stage.stop_when("APPENDUID")
    add_new(stage, seed="after the stop")


SCENARIOS = (
    Scenario("ledger lost", lost, cases=(76,)),
    Scenario("ledger lost, mapped", lost, options=MAPPED, faithful=False, cases=(76,)),
    Scenario("ledger lost and more", lost_and_more),
    Scenario("ledger lost and more, mapped", lost_and_more, options=MAPPED, faithful=False),
    Scenario(
        "ledger lost and more, no extension",
        lost_and_more,
        source="bare",
        target="bare",
        hide_appenduid=True,
        faithful=False,
    ),
    Scenario("ledger of before", older, cases=(76,)),
    Scenario("ledger of before, mapped", older, options=MAPPED, faithful=False, cases=(76,)),
    Scenario("ledger of before and more", older_and_more),
    Scenario("ledger of before the removals", older_than_removals, options=ALL_MAY_GO),
    Scenario("ledger with holes", holes),
    Scenario("ledger with holes, mapped", holes, options=MAPPED, faithful=False),
    Scenario("ledger without states", no_states),
    Scenario("ledger without folders", no_folders, options=ALL_MAY_GO),
    Scenario("stopped in the copying", stopped_in_the_copying, cases=(75,)),
    Scenario("stopped in the copying, mapped", stopped_in_the_copying, options=MAPPED, faithful=False, cases=(75,)),
    Scenario("stopped in the copying, ledger lost", stopped_and_lost, cases=(75, 76)),
    Scenario("stopped in a change", stopped_in_a_change, options=ALL_MAY_GO, cases=(75,)),
)
