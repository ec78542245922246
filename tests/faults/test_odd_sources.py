# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources that tell sizes, dates and flags as no server should, and messages that arrive all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .scripted import Behaviour, Mailbox, serving
from .scripted.engine import USER, Trial

PLAIN = b"Subject: %d\r\n\r\nbody %d\r\n"


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    here = Mailbox()
    for number in range(20):
        here.inbox.add(PLAIN % (number, number), [b"\\Seen"])
    with ExitStack() as stack:
        source, target = (stack.enter_context(serving({USER: box})) for box in (here, Mailbox()))
        yield Trial(source, target, tmp_path / "ledger.sqlite3", faithful=True)


@pytest.mark.case(3, 4)
@pytest.mark.parametrize("sizes", ["zero", "wrong"])
def test_a_size_that_is_told_wrong_costs_no_byte(trial: Trial, sizes: str) -> None:
    """What counts is the literal, never RFC822.SIZE."""
    trial.source.behaviour = Behaviour(sizes="zero" if sizes == "zero" else "wrong")
    trial.here.inbox.add(b"Subject: large\r\n\r\n" + b"x" * 300_000)
    assert trial.run().failures == []
    assert trial.differences() == []
    assert not trial.run().changed


@pytest.mark.case(38)
@pytest.mark.parametrize("dates", ["nil", "garbage"])
@pytest.mark.parametrize("lose_ledger", [False, True])
def test_a_message_without_a_date_arrives_and_that_is_told(trial: Trial, dates: str, lose_ledger: bool) -> None:
    trial.source.behaviour = Behaviour(dates="nil" if dates == "nil" else "garbage")
    outcome = trial.run()
    assert outcome.failures == []
    assert any("20 message(s) have no date on the source" in text for text in outcome.findings)
    assert trial.differences(exact=False) == []
    if lose_ledger:
        trial.ledger.unlink()
    assert not trial.run().changed
    assert trial.there.inbox.uids() == trial.here.inbox.uids()


@pytest.mark.case(38, 39, 40)
def test_any_date_is_passed_on_as_it_is(trial: Trial) -> None:
    """Text for text, so that a target which keeps zones and far years does."""
    dates = [
        b"31-Dec-1969 23:59:59 +0000",
        b" 1-Jan-1960 00:00:00 +0000",
        b"01-Jan-0001 00:00:00 +0000",
        b"19-Jan-2038 03:14:08 +0000",
        b"31-Dec-9999 23:59:59 +0000",
        b" 1-Jan-2020 00:00:00 +1400",
        b"01-Jan-2020 00:00:00 -1200",
        b"28-Oct-2018 02:30:00 +0200",
        b"28-Oct-2018 02:30:00 +0100",
    ]
    for number, date in enumerate(dates):
        trial.here.inbox.add(PLAIN % (50 + number, 50), date=date)
    assert trial.run().failures == []
    assert [one.date for one in trial.there.inbox.messages[-len(dates) :]] == dates
    assert trial.differences() == []
    trial.ledger.unlink()
    assert not trial.run().changed


@pytest.mark.case(41, 42, 43, 44, 45)
def test_flags_that_no_server_takes_are_told_and_the_others_are_kept(trial: Trial) -> None:
    r"""`\Recent` is nobody's to send; flags of other servers' own and keywords that are no keywords are named."""
    system = {b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft", b"\\Deleted"}
    keywords = {b"NIL", b"$Forwarded", b"NonJunk", b"k" * 200}
    foreign = {b"\\FORWARDED", b"\\Indexed", b"\\X-HAS-ATTACH", b"\\RECEIPTCHECKED"}
    broken = {b"caf\xc3\xa9", b"\xe9", b'a"b', b"100%"}
    trial.here.inbox.add(PLAIN % (50, 50), [*system, *keywords, *foreign, *broken, b"\\Recent"])
    outcome = trial.run()
    assert outcome.failures == []
    assert trial.there.inbox.messages[-1].flags == system | keywords
    (told,) = [text for text in outcome.findings if "can't store the flags" in text]
    for flag in foreign | broken:
        assert flag.decode("ascii", "replace") in told
    assert "Recent" not in told
    assert trial.target.complaints == []
    assert not trial.run().changed
