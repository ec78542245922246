# SPDX-License-Identifier: GPL-3.0-or-later
"""The first copy of a mailbox."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario, Stage
from tests.integration.checks.picture import Picture
from tests.lab.maildir import Mail
from tests.lab.virtual import MAX_MESSAGE

from .mailboxes import folder, mails, usual

MAPPED = {"fidelity": "mapped"}


def huge_gaps(stage: Stage) -> None:
    stage.write(folder("", 8, gaps={2: 700, 5: 100_000}), folder("Sent", 3, gaps={0: 4_000_000_000}))


def many_gaps(stage: Stage) -> None:
    stage.write(folder("", 10, gaps=dict.fromkeys(range(10), 40)), folder("Sent", 2, gaps={0: 500, 1: 1}))


def uidnext_far_ahead(stage: Stage) -> None:
    stage.write(folder("", 4, uidnext=5000), folder("Emptied", 0, uidnext=300))


def insanely_large_uids(stage: Stage) -> None:
    stage.write(folder("", 4, gaps={1: 4_294_967_288}))


def big_messages(stage: Stage) -> None:
    stage.write(folder("", mails(7, "big", 900_000), gaps={3: 2}))


def many_messages(stage: Stage) -> None:
    stage.write(folder("", 1100, gaps={300: 20, 1000: 3}))


def many_folders(stage: Stage) -> None:
    stage.write(*(folder(f"Folder {number}" if number else "", number % 3) for number in range(15)))


def nothing(stage: Stage) -> None:
    stage.write(folder("", 0), folder("Sent", 0), folder("Not subscribed", 0, subscribed=False))


def copies(stage: Stage) -> None:
    """Three copies of a message in a folder, the same in another, and neighbours of equal size (case 7, case 8)."""
    one, other = mails(2, "copies")
    again = [Mail(one.parts, one.date, ("\\Seen",)), other, one, one, other]
    stage.write(folder("", [one, other, *again], gaps={2: 1}), folder("Sent", [one, one]))


def all_doomed(stage: Stage) -> None:
    """Every message is marked as deleted before it is copied: that is a flag, and no reason to leave it out."""
    doomed = [Mail(mail.parts, mail.date, ("\\Deleted", "\\Seen")) for mail in mails(6, "doomed")]
    stage.write(folder("", doomed, gaps={2: 3}), folder("Sent", doomed[:2]))


def too_large(stage: Stage) -> None:
    small, large = mails(9, "small"), mails(2, "large", MAX_MESSAGE + 100_000)
    stage.write(folder("", [*small[:4], large[0], *small[4:7], large[1], *small[7:]], gaps={2: 2}), folder("Sent", 2))


def _without_large(source: Picture, _before: Picture) -> Picture:
    return source.that(lambda _name, _uid, message: message.size <= MAX_MESSAGE)


def excluded_and_renamed(stage: Stage) -> None:
    stage.write(folder("", 3), folder("Spam", 3, gaps={1: 4}), folder("Secret/Plans", 2), folder("Sent", 2))


def _as_ruled(source: Picture, _before: Picture) -> Picture:
    return source.named({"Spam": "Junk", "Secret": "", "Secret/Plans": ""})


def subscribed_to_nothing(stage: Stage) -> None:
    usual(stage)
    with stage.at_source() as source:
        for name in ("Sent", "A/B", "INBOX"):
            source.subscribe(name, wanted=False)
        source.create("Gone")
        source.subscribe("Gone")
        source.delete("Gone")


SCENARIOS = (
    Scenario("first copy", usual, cases=(75, 79)),
    Scenario("first copy, faithful or not at all", usual, options={"fidelity": "faithful"}),
    Scenario("first copy, mapped", usual, options=MAPPED, faithful=False),
    Scenario("first copy, no doveadm", usual, doveadm=False, faithful=False),
    Scenario("first copy, no MULTIAPPEND", usual, target="no-multiappend"),
    Scenario("first copy, mapped, no MULTIAPPEND", usual, options=MAPPED, target="no-multiappend", faithful=False),
    Scenario("first copy, no LITERAL+", usual, source="no-literal-plus", target="no-literal-plus"),
    Scenario("first copy, no UIDPLUS", usual, target="no-uidplus", faithful=False, hide_appenduid=True, cases=(79,)),
    Scenario("first copy, no CONDSTORE", usual, source="no-condstore", target="no-condstore"),
    Scenario("first copy, no LIST-STATUS", usual, source="no-list-status", target="no-list-status"),
    Scenario("first copy, no extension", usual, source="bare", target="bare", faithful=False, hide_appenduid=True),
    Scenario("huge gaps", huge_gaps, cases=(70,)),
    Scenario("many gaps", many_gaps, cases=(70,)),
    Scenario("UIDNEXT far ahead", uidnext_far_ahead),
    Scenario("insanely large UIDs", insanely_large_uids, cases=(70, 79)),
    Scenario("big messages", big_messages),
    Scenario("many messages", many_messages),
    Scenario("many folders", many_folders),
    Scenario("nothing to copy", nothing, cases=(62,)),
    Scenario("exact copies", copies, cases=(7, 8)),
    Scenario("exact copies, mapped", copies, options=MAPPED, faithful=False, cases=(7, 8)),
    Scenario("doomed before the copy", all_doomed, cases=(43, 79)),
    Scenario(
        "too large for the target",
        too_large,
        ends=frozenset({"message_refused"}),
        expected=_without_large,
        faithful=False,
        cases=(79, 93),
    ),
    Scenario(
        "too large for the target, no LITERAL+",
        too_large,
        target="no-literal-plus",
        ends=frozenset({"message_refused"}),
        expected=_without_large,
        faithful=False,
        cases=(79, 93),
    ),
    Scenario(
        "folders excluded and renamed",
        excluded_and_renamed,
        options={"folders": {"exclude": ["Secret"], "rename": {"Spam": "Junk"}}},
        expected=_as_ruled,
    ),
    Scenario("subscribed to nothing and to what is not there", subscribed_to_nothing, cases=(66,)),
)
