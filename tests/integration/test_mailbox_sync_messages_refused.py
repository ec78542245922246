# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that a real Dovecot does not take: what is told of them, and that their exact bytes are kept."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab import maildir
from tests.lab.state import RegionOptions

from .checks.module import Result
from .checks.picture import look
from .checks.wire import commands, forget
from .checks.world import Pair, World, plain, small_mails, with_gaps

LIMITED = RegionOptions(rawlog=True, extra="plugin {\n  quota_max_mail_size = 50k\n}\n")
SHORT_KEYWORDS = RegionOptions(rawlog=True, extra="mail_max_keyword_length = 20\n")
BIG = b"Subject: big\n\n" + b"x" * 60_000 + b"\n"


def _filled(pair: Pair) -> None:
    """Two messages larger than the target takes, in the middle of a batch and at its end; gaps, and another folder."""
    big = [maildir.Mail((BIG.replace(b"big", name),), 1_500_000_000, ("\\Flagged",)) for name in (b"big", b"bigger")]
    mails = [*small_mails(40), big[0], *small_mails(40, "after"), big[1]]
    pair.write([with_gaps(mails, (), {10: 5}), with_gaps(small_mails(30, "other"), ("Other",), {})])


def _lines(result: Result, pair: Pair) -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """The result's line for each message that was refused."""
    return {(one["folder"], one["uid"]): one for one in result.mailbox(pair.address)["refused"]}


def _files(pair: Pair) -> dict[str, str]:
    """Digests of what is in the quarantine, which nobody else can look into."""
    folder = pair.ledger.with_name(pair.ledger.name + ".quarantine")
    for path in (folder, *folder.rglob("*")):
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.case(93, 96)
@pytest.mark.parametrize("kind", ["auto", "mapped"])
def test_a_message_that_the_target_refuses_is_told_kept_and_costs_no_other(world: World, kind: str) -> None:
    with world.changed(region=LIMITED):
        pair = world.pair()
        pair.options = {"fidelity": kind}
        _filled(pair)
        result = pair.sync()
        assert result.failed
        assert result.kinds(pair.address) == {"message_refused"}, result.text[:3000]
        here, there = look(pair.source), look(pair.target)
        refused = _lines(result, pair)
        assert set(refused) == {("INBOX", 46), ("INBOX", 87)}
        wanted = {line["file"]: here.folders["INBOX"].messages[uid].digest for (_name, uid), line in refused.items()}
        assert _files(pair) == wanted
        for failure in result.failures(pair.address):
            line = refused[failure["folder"], failure["uid"]]
            assert (failure["file"], failure["message"]) == (line["file"], line["reason"])
            assert "size" in line["reason"]
        assert result.summary["messages_copied"] == 110
        assert there.folders["INBOX"].contents() < here.folders["INBOX"].contents()
        assert len(there.folders["INBOX"].messages) == 80
        assert here.folders["Other"].contents() == there.folders["Other"].contents()
        # a rerun: tried again, once each, and nothing else; no success, and no second file
        forget(world.rawlog(), pair.address)
        again = pair.sync()
        assert (again.failed, again["changed"]) == (True, False)
        assert _lines(again, pair) == refused
        assert _files(pair) == wanted
        # Dovecot refuses such a message by its size alone: its bytes are not even sent (a slow link is compressed, and
        # what was said on a connection that was dropped is not always written down)
        assert [one.verb for one in commands(world.rawlog(), pair.address)].count("APPEND") <= 2
        assert sum(path.stat().st_size for path in (world.rawlog() / pair.address).glob("*.in")) < 10_000
        pair.options = {}
        audit = pair.audit(ledger=str(pair.ledger))
        assert not audit["identical"]
        missing = {one["uid"]: one for one in audit["differences"] if one["what"] == "message_missing"}
        assert {uid: (one["folder"], one["reason"], one["file"]) for uid, one in missing.items()} == {
            uid: (name, line["reason"], line["file"]) for (name, uid), line in refused.items()
        }
        assert audit.mailbox(pair.address)["refused"] == list(refused.values())
    pair.options = {"fidelity": kind}
    taken = pair.done()
    assert taken.summary["messages_copied"] == 2
    assert (_lines(taken, pair), _files(pair)) == ({}, {})
    pair.mapped()
    pair.settled()


@pytest.mark.case(93)
def test_a_quarantine_elsewhere_and_a_ledger_that_was_lost(world: World, tmp_path: Path) -> None:
    with world.changed(region=LIMITED):
        pair = world.pair()
        pair.options = {"quarantine": str(tmp_path / "there" / "it is")}
        _filled(pair)
        first = pair.sync()
        files = {path: path.read_bytes() for path in tmp_path.rglob("*.eml")}
        assert {str(path) for path in files} == {line["file"] for line in _lines(first, pair).values()}
        pair.ledger.unlink()
        again = pair.sync()
        assert _lines(again, pair) == _lines(first, pair)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
        assert again.summary["messages_copied"] == 0


@pytest.mark.case(45, 47)
@pytest.mark.parametrize("kind", ["auto", "mapped"])
def test_keywords_that_the_target_cannot_store_cost_no_message(world: World, kind: str) -> None:
    """Longer than mail_max_keyword_length there: Dovecot refuses the APPEND for it, with NO [CANNOT]."""
    with world.changed(region=SHORT_KEYWORDS):
        pair = world.pair()
        pair.options = {"fidelity": kind}
        with pair.at_source() as source:
            source.append_many("INBOX", [plain(number) for number in range(40)], "\\Seen short")
            source.store("INBOX", source.uids("INBOX")[4:30], "+FLAGS", "k" * 40)
        result = pair.done()
        assert any("k" * 40 in text for text in result.mailbox(pair.address)["findings"])
        here, there = look(pair.source), look(pair.target)
        assert [one.digest for one in here.folders["INBOX"].messages.values()] == [
            one.digest for one in there.folders["INBOX"].messages.values()
        ]
        assert {one.flags for one in there.folders["INBOX"].messages.values()} == {frozenset({"\\seen", "short"})}
        with pair.at_source() as source:
            source.append("INBOX", plain("new"), "\\Answered")
        again = pair.done()
        assert (again.summary["messages_copied"], again.summary["flags_changed"]) == (1, 0)
