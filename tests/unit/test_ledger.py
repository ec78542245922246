# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: remembers, refuses what is not its own, keeps two runs apart, and holds nothing back after a crash."""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import ledger_file
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    BusyError,
    LedgerDamagedError,
    LedgerError,
    LedgerForeignError,
    LedgerNewerError,
    MigrationError,
    UnsupportedError,
)
from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger, MessageRow
from ansible_collections.atmail.migration.plugins.module_utils.ledger_file import VERSION
from ansible_collections.atmail.migration.plugins.module_utils.ledger_underway import BatchRow

ROWS = [MessageRow(1, 1, b"\\seen", b"d" * 16), MessageRow(9, 9, b"", None)]


def filled(path: Path) -> tuple[int, int]:
    """A ledger with one folder of two messages, complete; its mailbox and folder."""
    with Ledger(str(path)) as ledger:
        mailbox = ledger.mailbox("ann@acme.example", "ann@acme.example")
        folder = ledger.begin_folder(mailbox, b"INBOX", (7, 7), "faithful", target_path=b"INBOX")
        ledger.add_messages(folder, ROWS)
        ledger.complete(mailbox, [(b"INBOX", (2, 10, 7, 5), (2, 10, 7, 6))], 2)
    return mailbox, folder


def test_a_batch_is_under_way_until_it_has_arrived(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "ledger")) as ledger:
        number = ledger.mailbox("a", "a")
        folder = ledger.begin_folder(number, b"INBOX", (1, 7), "faithful", target_path=b"INBOX")
        ledger.announce(folder, BatchRow(7, 10, (3, 4, 9)))
        ledger.announce(folder, BatchRow(7, 13, (11, 4_000_000_000)))
        assert ledger.underway(folder) == [BatchRow(7, 10, (3, 4, 9)), BatchRow(7, 13, (11, 4_000_000_000))]
        ledger.arrived(folder, [MessageRow(uid, 7 + uid, b"", None) for uid in (3, 4, 9)])
        assert ledger.underway(folder) == [BatchRow(7, 13, (11, 4_000_000_000))]
        assert ledger.message_count(folder) == 3
        ledger.settled(folder)
        assert ledger.underway(folder) == []
        ledger.announce(folder, BatchRow(7, 10, (3,)))
        ledger.begin_folder(number, b"INBOX", (1, 8), "faithful", target_path=b"INBOX", forget=True)
        assert ledger.underway(folder) == []


def test_what_is_put_in_comes_out(tmp_path: Path) -> None:
    mailbox, folder = filled(tmp_path / "l")
    with Ledger(str(tmp_path / "l")) as ledger:
        (row,) = ledger.folders(mailbox)
        assert (row.id, row.source_path, row.fidelity) == (folder, b"INBOX", "faithful")
        assert (row.source_state, row.target_state) == ((2, 10, 7, 5), (2, 10, 7, 6))
        assert ledger.messages(folder) == ROWS
        assert ledger.sizes() == {("ann@acme.example", "ann@acme.example"): 2}
        assert ledger.phase() == "mirror"


def test_begun_work_counts_as_unfinished_until_it_is_complete(tmp_path: Path) -> None:
    mailbox, folder = filled(tmp_path / "l")
    with Ledger(str(tmp_path / "l")) as ledger:
        assert ledger.begin_folder(mailbox, b"INBOX", (7, 7), "faithful", target_path=b"INBOX") == folder
        assert ledger.folders(mailbox)[0].source_state is None
        assert ledger.message_count(folder) == 2
        ledger.begin_folder(mailbox, b"INBOX", (8, 8), "mapped", target_path=b"INBOX", forget=True)
        assert ledger.message_count(folder) == 0


def test_messages_change_and_go(tmp_path: Path) -> None:
    mailbox, folder = filled(tmp_path / "l")
    with Ledger(str(tmp_path / "l")) as ledger:
        ledger.set_flags(folder, [(9, b"\\flagged")])
        ledger.forget_messages(folder, [1])
        assert ledger.messages(folder) == [MessageRow(9, 9, b"\\flagged", None)]
        ledger.drop_folder(mailbox, b"INBOX")
        assert ledger.folders(mailbox) == []
        assert ledger.messages(folder) == []


def test_messages_are_found_by_either_uid(tmp_path: Path) -> None:
    _mailbox, folder = filled(tmp_path / "l")
    many = [MessageRow(uid, uid + 5000, b"", None) for uid in range(100, 1700)]
    with Ledger(str(tmp_path / "l")) as ledger:
        ledger.add_messages(folder, many)
        assert ledger.messages_of(folder, range(100, 1700)) == many
        assert ledger.messages_at(folder, [5100, 9, 77]) == [MessageRow(9, 9, b"", None), many[0]]


def test_what_must_be_taken_back_is_remembered_until_it_is_gone(tmp_path: Path) -> None:
    _mailbox, folder = filled(tmp_path / "l")
    with Ledger(str(tmp_path / "l")) as ledger:
        ledger.withdraw(folder, 7, [12, 11])
        ledger.withdraw(folder, 7, [12])
    with Ledger(str(tmp_path / "l")) as ledger:
        assert ledger.withdrawals(folder, 7) == [11, 12]
        assert ledger.withdrawals(folder, 8) == []
        ledger.settled(folder)
        assert ledger.withdrawals(folder, 7) == []


def first_version(path: Path) -> None:
    """A ledger as version 1 wrote it, with one folder of two messages."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in ledger_file._FIRST.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO customer VALUES (1, 'catch_up')")
        db.execute("INSERT INTO mailbox VALUES (1, 'ann@acme.example', 'ann@acme.example', 2)")
        db.execute("INSERT INTO folder VALUES (1, 1, x'494e424f58', 7, 7, 'faithful', '', '2 10 7 5', '2 10 7 6')")
        db.executemany("INSERT INTO message VALUES (1, ?, ?, ?, ?)", ROWS)
        db.execute(f"PRAGMA application_id = {ledger_file.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.commit()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_ledger_of_an_older_version_keeps_all_that_it_knows(tmp_path: Path, *, read_only: bool) -> None:
    path = tmp_path / "l"
    first_version(path)
    before = path.read_bytes()
    with Ledger(str(path), read_only=read_only) as ledger:
        (row,) = ledger.folders(1)
        assert (row.source_path, row.target_path, row.source_state) == (b"INBOX", None, (2, 10, 7, 5))
        assert ledger.messages(row.id) == ROWS
        assert ledger.phase() == "catch_up"
        assert ledger.withdrawals(row.id, 7) == []
    with contextlib.closing(sqlite3.connect(path)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
    assert version == (1 if read_only else VERSION)
    if read_only:
        assert path.read_bytes() == before


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    filled(tmp_path / "l")
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())


def test_reading_only_makes_no_file(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "l"), read_only=True) as ledger:
        assert ledger.mailbox("a", "b") == 0
        assert ledger.folders(0) == []
    assert list(tmp_path.iterdir()) == []


def text_file(path: Path) -> None:
    path.write_text("notes, and not a database at all\n" * 100)


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE addresses (name TEXT)")


def newer_ledger(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")


def damaged_ledger(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)


def damaged_schema(path: Path) -> None:
    """What SQLite then says of it quotes the schema, and is no UTF-8."""
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    assert b"CREATE TABLE mailbox (" in data
    path.write_bytes(data.replace(b"CREATE TABLE mailbox (", b"CREATE \xfa\xfb\xfcLE mailbox ("))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (text_file, LedgerForeignError),
        (other_database, LedgerForeignError),
        (newer_ledger, LedgerNewerError),
        (damaged_ledger, LedgerDamagedError),
        (damaged_schema, LedgerDamagedError),
    ],
)
def test_what_is_no_ledger_of_ours_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], None], error: type[LedgerError]
) -> None:
    path = tmp_path / "l"
    make(path)
    before = path.read_bytes()
    with pytest.raises(error), Ledger(str(path)) as ledger:
        ledger.sizes()
    assert path.read_bytes() == before


def test_missing_folder_and_other_kinds_of_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="does not exist"):
        Ledger(str(tmp_path / "no" / "l"))
    with pytest.raises(UnsupportedError):
        Ledger("mysql://ledger.example/acme")


def test_a_mailbox_is_worked_on_by_one_run_only(tmp_path: Path) -> None:
    """case_77: two runs at once; also two threads of one process."""
    mailbox, _folder = filled(tmp_path / "l")
    busy: list[bool] = []

    def other_run() -> None:
        with Ledger(str(tmp_path / "l")) as other:
            with other.claimed(mailbox + 1):
                pass
            try:
                with other.claimed(mailbox):
                    busy.append(False)
            except BusyError:
                busy.append(True)

    with Ledger(str(tmp_path / "l")) as ledger:
        with ledger.claimed(mailbox):
            thread = threading.Thread(target=other_run)
            thread.start()
            thread.join()
        with ledger.claimed(mailbox):
            assert busy == [True]


def test_many_processes_and_threads_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    """Opening and closing the file beside SQLite would take its locks away (sqlite.org/howtocorrupt.html 2.2)."""
    fork = multiprocessing.get_context("fork")
    for attempt in range(10):
        path = str(tmp_path / f"{attempt}.sqlite3")
        answers: Any = fork.Queue()

        def claim(user: str, path: str = path, answers: Any = answers) -> None:
            try:
                with Ledger(path) as ledger:
                    number = ledger.mailbox(user, user)
                    with ledger.claimed(number):
                        answers.put(number)
            except MigrationError as error:
                answers.put(str(error))

        def work(users: list[str]) -> None:
            threads = [threading.Thread(target=claim, args=(user,)) for user in users]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        users = [[f"{each}.{number}@acme.example" for number in range(4)] for each in range(2)]
        processes = [fork.Process(target=work, args=(each,)) for each in users]
        for process in processes:
            process.start()
        numbers = [answers.get(timeout=60) for each in users for user in each]
        for process in processes:
            process.join()
        assert sorted(numbers) == list(range(1, 9))
