# SPDX-License-Identifier: GPL-3.0-or-later
"""The customer's phase never goes back, whatever becomes of the ledger; what the time after the cut-over remembers."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import LedgerError, PhaseError
from ansible_collections.atmail.migration.plugins.module_utils.ledger import DepartedRow, Ledger, Merged, MessageRow

NOW = 1_790_000_000
ORDER = ("mirror", "catch_up", "closed")


def test_a_phase_moves_forward_only_and_tells_since_when(tmp_path: Path) -> None:
    path = str(tmp_path / "l")
    with Ledger(path) as ledger:
        assert ledger.advance("mirror", NOW) is False
        assert ledger.advance("catch_up", NOW + 1) is True
        assert ledger.advance("catch_up", NOW + 2) is False
        with pytest.raises(PhaseError, match="in phase catch_up since 2026-09-21") as caught:
            ledger.advance("mirror", NOW + 3)
        assert caught.value.kind == "phase_passed"
    with Ledger(path) as ledger:
        assert ledger.phase() == "catch_up"
        assert ledger.advance("closed", NOW + 4) is True
        assert ledger.phases() == {"catch_up": NOW + 1, "closed": NOW + 4}
        for earlier in ORDER[:2]:
            with pytest.raises(PhaseError):
                ledger.check_phase(earlier)


@pytest.mark.parametrize("loss", ["lost", "older", "read only"])
def test_the_phase_outlives_the_ledger(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "l"
    Ledger(str(path)).close()
    older = path.read_bytes()
    with Ledger(str(path)) as ledger:
        ledger.advance("catch_up", NOW)
    for file in tmp_path.glob("l*"):
        if file.name in ("l", "l-wal", "l-shm"):
            file.unlink()
    if loss == "older":
        path.write_bytes(older)
    with Ledger(str(path), read_only=loss == "read only") as ledger:
        assert ledger.phase() == "catch_up"
        with pytest.raises(PhaseError):
            ledger.check_phase("mirror")
        if loss != "read only":
            assert ledger.advance("catch_up", NOW + 9) is False
            assert ledger.phases() == {"catch_up": NOW + 9}


def test_the_file_beside_is_the_owners_and_must_make_sense(tmp_path: Path) -> None:
    path = str(tmp_path / "l")
    beside = tmp_path / "l.phase"
    with Ledger(path) as ledger:
        ledger.advance("catch_up", NOW)
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600
        for nonsense in (b"", b"mirrored 7\n", "gespült".encode()):
            beside.write_bytes(nonsense)
            with pytest.raises(LedgerError, match=r"\.phase") as caught:
                ledger.phase()
            assert "write that one word" in caught.value.safe_next
        beside.unlink()
        assert ledger.phase() == "catch_up"


def folder_of(ledger: Ledger, path: bytes = b"INBOX") -> tuple[int, int]:
    mailbox = ledger.mailbox("ann", "ann")
    folder = ledger.begin_folder(mailbox, path, (7, 70), "faithful", target_path=path)
    ledger.add_messages(folder, [MessageRow(uid, uid, b"", bytes([uid]) * 16) for uid in (1, 2, 3)])
    return mailbox, folder


def merge(ledger: Ledger, merged: Merged, path: bytes = b"INBOX", uidvalidities: tuple[int, int] = (7, 70)) -> None:
    mailbox = ledger.mailbox("ann", "ann")
    ledger.begin_folder(mailbox, path, uidvalidities, "faithful", target_path=path, merged=merged)


def test_what_is_no_longer_on_the_source_is_put_aside_and_used_once(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "l")) as ledger:
        mailbox, folder = folder_of(ledger)
        merge(ledger, Merged(departed=[2]))
        gone = DepartedRow(7, 2, 2, b"", b"\2" * 16)
        assert ledger.departed(mailbox) == [(folder, gone)]
        assert [row.source_uid for row in ledger.messages(folder)] == [1, 3]
        _mailbox, other = folder_of(ledger, b"Other")
        new = MessageRow(9, 0, b"", b"\2" * 16)
        # one that has been put aside, and one that is found to be gone before its own folder was looked at
        used = [(folder, gone), (folder, DepartedRow(7, 3, 3, b"", None))]
        merge(ledger, Merged(used=used, known=[new]), b"Other")
        assert ledger.departed(mailbox) == []
        assert [row.source_uid for row in ledger.messages(folder)] == [1]
        assert new in ledger.messages(other)


def test_new_uidvalidities_leave_no_uid_of_the_old_ones(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "l")) as ledger:
        mailbox, folder = folder_of(ledger)
        merge(ledger, Merged(target_renewed=True), uidvalidities=(7, 71))
        assert {row.target_uid for row in ledger.messages(folder)} == {0}
        used = [(folder, DepartedRow(7, 2, 0, b"", None))]
        known = [MessageRow(2, 5, b"", None)]
        merge(ledger, Merged(source_renewed=True, used=used, known=known), uidvalidities=(8, 71))
        assert ledger.messages(folder) == known
        left = [(row.source_uidvalidity, row.source_uid) for dummy, row in ledger.departed(mailbox)]
        assert left == [(7, 1), (7, 3)]


def test_subscriptions_are_unknown_until_they_are_noted(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "l")) as ledger:
        mailbox = ledger.mailbox("ann", "ann")
        assert ledger.subscriptions(mailbox) is None
        ledger.set_subscriptions(mailbox, [])
        assert ledger.subscriptions(mailbox) == frozenset()
        ledger.set_subscriptions(mailbox, [b"a", b"b\0c"])
        assert ledger.subscriptions(mailbox) == frozenset({b"a", b"b\0c"})
        assert ledger.subscriptions(ledger.mailbox("bob", "bob")) is None
