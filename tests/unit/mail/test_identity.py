# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDs of our own: a key keeps its UID, and no UID ever means two messages while a generation lasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger, MessageRow
from ansible_collections.atmail.migration.plugins.module_utils.mail.identity import Memory, Remembered, number
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.lists(st.integers(0, 12).map(lambda n: b"k%d" % n), unique=True, max_size=8)


@given(st.lists(KEYS, min_size=1, max_size=8))
def test_no_uid_means_two_messages(lists: list[list[bytes]]) -> None:
    memory, given_out = Memory(), dict[tuple[int, int], bytes]()
    for keys in lists:
        found = number(keys, memory)
        assert len(set(found.uids)) == len(keys)
        assert found.uidvalidity < 0
        for key, uid in zip(keys, found.uids, strict=True):
            assert given_out.setdefault((found.memory.generation, uid), key) == key
        memory = found.memory


def test_most_keys_new_and_most_known_ones_gone_begin_a_generation() -> None:
    memory = number([b"a", b"b", b"c"], Memory()).memory
    assert number([b"a", b"b", b"x"], memory).uidvalidity == -1
    assert number([b"x", b"y", b"z", b"v", b"w", b"a", b"b"], memory).uidvalidity == -1
    assert number([], memory).uidvalidity == -1
    assert number([b"x", b"y", b"c"], memory) == number([b"x", b"y", b"c"], Memory(2))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(str(tmp_path / "ledger.sqlite3")) as made:
        yield made


def run(ledger: Ledger, mailbox: int, *keys: bytes) -> tuple[int, ...]:
    remembered = Remembered(ledger, mailbox, b"INBOX")
    before = remembered.recall()
    now = number(keys, before)
    remembered.keep(before, now)
    return now.uids


def test_the_ledger_remembers(ledger: Ledger) -> None:
    """A key that is gone is forgotten once no message on the target comes from it; its UID is never given out again."""
    mailbox = ledger.mailbox("ann", "ann")
    folder = ledger.begin_folder(mailbox, b"INBOX", (-1, 7), "mapped", target_path=b"INBOX")
    assert run(ledger, mailbox, b"a", b"b", b"c") == (1, 2, 3)
    ledger.add_messages(folder, [MessageRow(3, 30, b"", None)])
    assert run(ledger, mailbox, b"a") == (1,)
    assert set(Remembered(ledger, mailbox, b"INBOX").recall().uids) == {b"a", b"c"}
    assert run(ledger, mailbox, b"a", b"c", b"b") == (1, 3, 4)
    assert run(ledger, mailbox, b"x", b"y", b"z") == (1, 2, 3)
    assert Remembered(ledger, mailbox, b"INBOX").recall() == Memory(2, 4, {b"x": 1, b"y": 2, b"z": 3})
    other = ledger.mailbox("bob", "bob")
    assert run(ledger, other, b"a") == (1,)


def test_check_mode_remembers_nothing(ledger: Ledger) -> None:
    mailbox = ledger.mailbox("ann", "ann")
    with Ledger(ledger.path, read_only=True) as looking:
        assert run(looking, mailbox, b"a", b"b") == (1, 2)
    assert Remembered(ledger, mailbox, b"INBOX").recall() == Memory()
