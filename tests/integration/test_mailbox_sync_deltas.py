# SPDX-License-Identifier: GPL-3.0-or-later
"""Later runs: what they cost follows what has changed, and every way of learning that ends in the same mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.state import SiteOptions

from .checks import wire
from .checks.world import Pair, World, plain, small_mails, with_gaps

NEW, FLAGGED, REMOVED = 100, 200, 50
#: What Dovecot says it can do when it is not to say QRESYNC, or not even CONDSTORE.
_REST = "IMAP4rev1 SASL-IR LITERAL+ ENABLE UIDPLUS ESEARCH UNSELECT NAMESPACE LIST-EXTENDED SPECIAL-USE LIST-STATUS"
LACKS = {"qresync": f"{_REST} CONDSTORE", "condstore": _REST}


@pytest.fixture(scope="module")
def recorded(world: World) -> Iterator[World]:
    """The source writes down what is said to it and what it says, too."""
    with world.changed(site=SiteOptions(rawlog=True)):
        yield world


def _copied(world: World, count: int) -> Pair:
    pair = world.pair()
    pair.write([with_gaps(small_mails(count), (), {5: 3, 17: 40})])
    pair.done()
    return pair


def _work(pair: Pair, new: int = NEW, flagged: int = FLAGGED, removed: int = REMOVED) -> None:
    """What people do between two runs."""
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        source.store("INBOX", uids[10 : 10 + flagged], "FLAGS", f"\\Flagged at{uids[-1]}")
        source.expunge("INBOX", uids[-removed:])
        source.append_many("INBOX", [plain(f"new {number}") for number in range(new)])


def _told(pair: Pair) -> int:
    """How many bytes both servers have said to us about this mailbox."""
    folders = (pair.world.site.dovecot.rawlog, pair.world.region.dovecot.rawlog)
    return sum(path.stat().st_size for folder in folders for path in (folder / pair.address).glob("*.out"))


def _forget(pair: Pair) -> None:
    for folder in (pair.world.site.dovecot.rawlog, pair.world.region.dovecot.rawlog):
        wire.forget(folder, pair.address)
        for path in Path(folder / pair.address).glob("*.out"):
            path.unlink()


def _cost(pair: Pair, delta: str = "auto") -> int:
    """What a run after such work costs in a mailbox: bytes that the servers say."""
    _work(pair)
    _forget(pair)
    result = pair.done(delta=delta)
    cost = _told(pair)
    summary = result.summary
    assert (summary["messages_copied"], summary["flags_changed"], summary["messages_removed"]) == (
        NEW,
        FLAGGED,
        REMOVED,
    )
    pair.faithful()
    return cost


def test_a_run_costs_what_has_changed_however_large_the_mailbox(recorded: World) -> None:
    small, large = _copied(recorded, 1_000), _copied(recorded, 20_000)
    few, many = _cost(small), _cost(large)
    assert many < few * 1.1
    everything = _cost(large, delta="listing")
    assert everything > 10 * many, (everything, many)


@pytest.mark.case(50)
@pytest.mark.parametrize("delta", ["qresync", "condstore", "listing"])
def test_every_way_ends_in_the_same_mailbox(world: World, delta: str) -> None:
    pair = _copied(world, 300)
    _work(pair, new=7, flagged=5, removed=4)
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        source.store("INBOX", uids[20:25], "-FLAGS", "\\Seen")
        source.store("INBOX", uids[25:27], "+FLAGS", "NewKeyword $Forwarded")
        source.expunge("INBOX", uids[2:3])
    with pair.at_target() as target:
        uids = target.uids("INBOX")
        target.store("INBOX", uids[40:42], "FLAGS", "\\Answered")
        target.expunge("INBOX", uids[50:52])
    result = pair.done(delta=delta)
    # two that were removed from the target come again: there they can no longer have their UIDs
    assert result.summary["messages_copied"] == 7 + 2
    assert result.summary["flags_changed"] == 5 + 5 + 2 + 2
    pair.mapped()
    pair.settled()


@pytest.mark.parametrize("lacking", list(LACKS))
def test_a_source_that_lacks_them_is_followed_all_the_same(world: World, lacking: str) -> None:
    pair = _copied(world, 200)
    with world.changed(site=SiteOptions(extra=f"imap_capability = {LACKS[lacking]}")):
        for _round in range(2):
            _work(pair, new=3, flagged=4, removed=2)
            result = pair.done()
            assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (3, 2)
            pair.faithful()
        assert pair.done()["changed"] is False


@pytest.mark.parametrize("delta", ["auto", "condstore"])
def test_mail_in_a_mapped_folder_is_followed_by_changes_too(world: World, delta: str) -> None:
    pair = world.pair()
    pair.options["fidelity"] = "mapped"
    pair.write([with_gaps(small_mails(120), (), {3: 9})])
    pair.done()
    _work(pair, new=6, flagged=3, removed=2)
    result = pair.done(delta=delta)
    assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (6, 2)
    pair.mapped()
    pair.settled()


def test_mail_that_arrives_at_both_sides_is_not_taken_twice(world: World) -> None:
    """A message that somebody else brought to the target is recognised, whichever way changes are asked for."""
    pair = _copied(world, 50)
    with pair.at_source() as source, pair.at_target() as target:
        both, only = plain("to both"), plain("to the target alone")
        source.append("INBOX", both)
        target.append("INBOX", both)
        target.append("INBOX", only)
    result = pair.done()
    assert result.summary["messages_copied"] == 0
    with pair.at_target() as target:
        assert len(target.uids("INBOX")) == 52
    pair.settled()


def test_a_ledger_that_is_gone_is_made_again_from_what_both_sides_hold(world: World) -> None:
    pair = _copied(world, 5_000)
    pair.ledger.unlink()
    assert pair.done()["changed"] is False
    _work(pair, new=5, flagged=3, removed=2)
    result = pair.done()
    assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (5, 2)
    pair.faithful()
