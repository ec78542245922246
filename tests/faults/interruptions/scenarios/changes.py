# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to messages since the last run: new ones, flags, removals, moves."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario, Stage
from tests.integration.checks.picture import Picture

from .mailboxes import add_new, folder, mirrored, usual_undeleted

ALL_MAY_GO = {"allow_removals": 1.0}


def _store(stage: Stage, change: str, flags: str, part: slice, name: str = "INBOX") -> None:
    with stage.at_source() as source:
        source.store(name, source.uids(name)[part], change, flags)


def _expunge(stage: Stage, part: slice, name: str = "INBOX") -> None:
    with stage.at_source() as source:
        source.expunge(name, source.uids(name)[part])


def new(stage: Stage) -> None:
    mirrored(stage)
    for name in ("INBOX", "Empty"):
        add_new(stage, name)


def flags_added(stage: Stage) -> None:
    mirrored(stage)
    _store(stage, "+FLAGS", "\\Flagged \\Seen", slice(0, None, 2))
    _store(stage, "+FLAGS", "\\Answered", slice(2), "Sent")


def flags_removed(stage: Stage) -> None:
    """Case 50."""
    mirrored(stage)
    _store(stage, "-FLAGS", "\\Seen \\Flagged", slice(None))
    _store(stage, "FLAGS", "", slice(1, None), "Sent")


def keywords_changed(stage: Stage) -> None:
    mirrored(stage)
    _store(stage, "+FLAGS", "Wichtig NIL", slice(1, None, 3))
    _store(stage, "-FLAGS", "$Forwarded", slice(None))


def flags_changed_by_both(stage: Stage) -> None:
    """Before the cut-over the source is right."""
    mirrored(stage)
    _store(stage, "+FLAGS", "\\Flagged", slice(0, None, 2))
    with stage.at_target() as target:
        target.store("INBOX", target.uids("INBOX")[:5], "+FLAGS", "\\Answered Mine")
        target.store("Sent", target.uids("Sent"), "-FLAGS", "\\Seen")


def doomed_after_the_copy(stage: Stage) -> None:
    """Marked as deleted on the source, and not expunged."""
    mirrored(stage)
    _store(stage, "+FLAGS", "\\Deleted", slice(3, 8))


def removed(stage: Stage) -> None:
    mirrored(stage)
    _expunge(stage, slice(2, 5))
    _expunge(stage, slice(1), "Sent")


def last_removed(stage: Stage) -> None:
    mirrored(stage)
    _expunge(stage, slice(-2, None))


def emptied(stage: Stage) -> None:
    mirrored(stage)
    _expunge(stage, slice(None))


def come_and_gone(stage: Stage) -> None:
    """Gone before it was ever copied: its UID becomes a hole."""
    mirrored(stage)
    add_new(stage, count=4)
    _expunge(stage, slice(-3, -1))


def moved(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        source.move("INBOX", source.uids("INBOX")[4:7], "A/B")
        source.move("Sent", source.uids("Sent")[:1], "INBOX")


def to_trash(stage: Stage) -> None:
    mirrored(stage)
    with stage.at_source() as source:
        source.create("Trash")
        source.move("INBOX", source.uids("INBOX")[:2], "Trash")


def everything(stage: Stage) -> None:
    mirrored(stage)
    _everything(stage)


def everything_without_uidplus(stage: Stage) -> None:
    """Without UIDPLUS a removal takes all that are marked as deleted: it is done where no others are."""
    usual_undeleted(stage)
    stage.mirror()
    _everything(stage)


def _everything(stage: Stage) -> None:
    add_new(stage)
    add_new(stage, "Sent")
    _store(stage, "+FLAGS", "\\Flagged Now", slice(0, None, 2))
    _store(stage, "-FLAGS", "\\Seen", slice(1, None, 2), "Sent")
    _expunge(stage, slice(1, 3))
    _expunge(stage, slice(-1, None), "A/B")


def again_and_again(stage: Stage) -> None:
    """Three runs, each with something to do."""
    everything(stage)
    stage.mirror()
    add_new(stage, seed="later")
    _expunge(stage, slice(4, 6))
    _store(stage, "+FLAGS", "\\Answered", slice(3))


def too_many_gone(stage: Stage) -> None:
    """A source that is suddenly almost empty: nothing is removed."""
    mirrored(stage)
    _expunge(stage, slice(1, None))


def _as_before(_source: Picture, before: Picture) -> Picture:
    return before


def with_gap(stage: Stage) -> None:
    """New mail far above the old: the hole is skipped, then filled by placeholders."""
    stage.write(folder("", 5))
    stage.mirror()
    add_new(stage, count=600, seed="short-lived")
    add_new(stage, count=2)
    with stage.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[5:-2])
        source.append("INBOX", b"Subject: gone\r\n\r\ngone\r\n")
        source.expunge("INBOX", source.uids("INBOX")[-1:])
    add_new(stage, count=2, seed="last")


SCENARIOS = (
    Scenario("new messages", new, cases=(79,)),
    Scenario("new messages, mapped", new, options={"fidelity": "mapped"}, faithful=False),
    Scenario("new messages, no MULTIAPPEND", new, target="no-multiappend"),
    Scenario("new messages after a gap", with_gap),
    Scenario("flags added", flags_added, cases=(79,)),
    Scenario("flags removed", flags_removed, cases=(50, 79)),
    Scenario("flags removed, no CONDSTORE", flags_removed, source="no-condstore", target="no-condstore"),
    Scenario("keywords changed", keywords_changed, cases=(45,)),
    Scenario("flags changed by both", flags_changed_by_both, cases=(79,)),
    Scenario("doomed after the copy", doomed_after_the_copy, cases=(79,)),
    Scenario("removed", removed, options=ALL_MAY_GO, cases=(79,)),
    Scenario("the last removed", last_removed, options=ALL_MAY_GO),
    Scenario("emptied", emptied, options=ALL_MAY_GO),
    Scenario("come and gone", come_and_gone, cases=(79, 80)),
    Scenario("moved", moved, options=ALL_MAY_GO),
    Scenario("to the trash", to_trash, options=ALL_MAY_GO, cases=(79,)),
    Scenario("everything", everything, options=ALL_MAY_GO, cases=(79,)),
    Scenario("everything, mapped", everything, options={**ALL_MAY_GO, "fidelity": "mapped"}, faithful=False),
    Scenario(
        "everything, no UIDPLUS",
        everything_without_uidplus,
        options=ALL_MAY_GO,
        target="no-uidplus",
        faithful=False,
        hide_appenduid=True,
        cases=(79,),
    ),
    Scenario("everything, no CONDSTORE", everything, options=ALL_MAY_GO, source="no-condstore", target="no-condstore"),
    Scenario("everything, no QRESYNC", everything, options=ALL_MAY_GO, source="no-qresync", target="no-qresync"),
    Scenario("again and again", again_and_again, options=ALL_MAY_GO),
    Scenario(
        "too many gone", too_many_gone, ends=frozenset({"too_many_removals"}), expected=_as_before, faithful=False
    ),
)
