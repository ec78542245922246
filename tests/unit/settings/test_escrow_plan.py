# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The planner of the escrow against users who do as they like and runs that end anywhere."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.escrow_file import Book
from ansible_collections.atmail.migration.plugins.module_utils.settings import escrow_plan
from ansible_collections.atmail.migration.plugins.module_utils.settings.escrow_plan import (
    Change,
    Row,
    originals,
    plan_back,
    plan_swap,
    settle,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

NAMES = [b"ann@x", b"bob@x", b"Cy@x", "jürgen@x".encode()]
#: Few values, so that users choose each other's, and what they had before.
VALUES = st.one_of(st.none(), st.sampled_from([b"", b"a", b"A", b"a ", b"\xff\x00"]))


def everybody(_account: bytes) -> bool:
    return True


class Escrow(RuleBasedStateMachine):
    """`table` is the source, `disk` the escrow file, `own` what each account's user last chose: what must come back."""

    def __init__(self) -> None:
        super().__init__()
        self.table: dict[bytes, dict[str, bytes | None]] = {}
        self.own: dict[bytes, dict[str, bytes | None]] = {}
        self.disk = Book("acme", "here", "atmail")
        self.numbers = itertools.count()

    @initialize(rows=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    def there_are_accounts(self, rows: dict[bytes, bytes | None]) -> None:
        for account, stored in rows.items():
            self._choose(account, stored)

    def _choose(self, account: bytes, stored: bytes | None) -> None:
        values = {"password": stored, "md5": None if stored is None else hashlib.md5(stored).hexdigest().encode()}
        self.table[account] = dict(values)
        self.own[account] = dict(values)

    def _rows(self) -> list[Row]:
        return [Row(account, dict(values)) for account, values in self.table.items()]

    def _generate(self, row: Row) -> tuple[str, dict[str, bytes]]:
        stored = b"generated %d" % next(self.numbers)
        made = {"password": stored}
        if row.values["md5"]:
            made["md5"] = hashlib.md5(stored).hexdigest().encode()
        return stored.decode(), made

    def _write(self, changes: tuple[Change, ...], before_the_end: int) -> bool:
        """Carry out all but the last few, as compare-and-swap does; whether all were."""
        done = changes[: max(0, len(changes) - before_the_end)]
        for change in done:
            there = self.table.get(change.account)
            if there is not None and there[change.column] == change.before:
                there[change.column] = change.after
        return done == changes

    # what users and administrators do

    @rule(data=st.data(), stored=VALUES)
    @precondition(lambda self: self.table)
    def a_user_chooses_a_password(self, data: Any, stored: bytes | None) -> None:
        self._choose(data.draw(st.sampled_from(sorted(self.table))), stored)

    @rule(account=st.sampled_from(NAMES), stored=VALUES)
    def an_account_is_made(self, account: bytes, stored: bytes | None) -> None:
        if account not in self.table:
            self._choose(account, stored)

    @rule(data=st.data())
    @precondition(lambda self: self.table)
    def an_account_is_removed(self, data: Any) -> None:
        account = data.draw(st.sampled_from(sorted(self.table)))
        del self.table[account], self.own[account]

    @rule(data=st.data(), new=st.sampled_from(NAMES))
    @precondition(lambda self: self.table)
    def an_account_is_renamed(self, data: Any, new: bytes) -> None:
        old = data.draw(st.sampled_from(sorted(self.table)))
        if new not in self.table:
            self.table[new], self.own[new] = self.table.pop(old), self.own.pop(old)

    # what runs do, each perhaps ended before its end

    @rule(
        killed=st.sampled_from(["never", "before the file", "after the file"]),
        before_the_end=st.integers(0, 4),
        data=st.data(),
    )
    def passwords_are_swapped(self, killed: str, before_the_end: int, data: Any) -> None:
        plan = plan_swap(self.disk, self._rows(), everybody, self._generate, "now")
        if killed == "before the file":
            return
        self.disk = plan.book
        meanwhile = data.draw(st.booleans()) and bool(self.table)
        if meanwhile:
            self.a_user_chooses_a_password(data, b"meanwhile")
        whole = self._write(plan.changes, before_the_end if killed == "after the file" else 0)
        if whole and not meanwhile:
            again = plan_swap(self.disk, self._rows(), everybody, self._generate, "now")
            assert (again.book, again.changes) == (self.disk, ())

    @rule(before_the_end=st.integers(0, 4), killed=st.booleans())
    def passwords_are_put_back(self, before_the_end: int, killed: bool) -> None:
        whole = self._write(plan_back(self.disk, self._rows(), everybody), before_the_end if killed else 0)
        if not whole or killed:
            return
        settled = settle(self.disk, self._rows(), everybody)
        assert not settled.unproved
        self.disk = settled.book
        assert not self.disk.open_entries
        assert self.table == self.own

    @invariant()
    def no_original_is_lost(self) -> None:
        """Every value is its user's own, or the file knows which one belongs there."""
        behind = originals(self.disk)
        for account, values in self.table.items():
            for column, value in values.items():
                meant = self.own[account][column]
                assert value == meant or (value is not None and behind[column, value] == meant)

    @invariant()
    def nothing_generated_is_without_an_open_entry(self) -> None:
        """An escrow that counts as closed has left nothing behind."""
        set_by_open = {(cell.column, cell.stored) for entry in self.disk.open_entries for cell in entry.cells}
        for values in self.table.values():
            for column, value in values.items():
                assert (column, value) not in originals(self.disk) or (column, value) in set_by_open


TestEscrow = Escrow.TestCase
TestEscrow.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


# single decisions

ANN = Row(b"ann@x", {"password": b"own"})


def generate(row: Row) -> tuple[str, dict[str, bytes]]:
    return "g", {"password": b"G " + row.account}


EMPTY = Book("acme", "here", "atmail")


def test_only_chosen_rows_are_touched() -> None:
    bob = Row(b"bob@x", {"password": b"own"})
    plan = plan_swap(EMPTY, [ANN, bob], lambda account: account == b"ann@x", generate, "now")
    assert plan.changes == (Change(b"ann@x", "password", b"own", b"G ann@x"),)
    both = plan_swap(plan.book, [ANN, bob], everybody, generate, "now")
    swapped = [Row(row.account, {"password": b"G " + row.account}) for row in (ANN, bob)]
    back = plan_back(both.book, swapped, lambda account: account == b"bob@x")
    assert back == (Change(b"bob@x", "password", b"G bob@x", b"own"),)
    settled = settle(both.book, [ANN, swapped[1]], lambda account: account == b"ann@x")
    assert (settled.back, settled.unproved) == (1, ())
    assert [entry.name for entry in settled.book.open_entries] == ["bob@x"]


def test_an_account_put_back_in_part_and_renamed_keeps_its_originals() -> None:
    """A value that is still generated when its row is swapped anew is nobody's original."""

    def both(row: Row) -> tuple[str, dict[str, bytes]]:
        return "g", {"password": b"G " + row.account, "md5": b"M " + row.account}

    before = Row(b"ann@x", {"password": b"own", "md5": b"own md5"})
    first = plan_swap(EMPTY, [before], everybody, both, "now").book
    half = Row(b"bob@x", {"password": b"own", "md5": b"M ann@x"})
    plan = plan_swap(first, [half], everybody, both, "now")
    assert plan.changes == (
        Change(b"bob@x", "password", b"own", b"G bob@x"),
        Change(b"bob@x", "md5", b"M ann@x", b"M bob@x"),
    )
    swapped = Row(b"bob@x", {"password": b"G bob@x", "md5": b"M bob@x"})
    assert {change.column: change.after for change in plan_back(plan.book, [swapped], everybody)} == before.values


def test_logins_that_differ_in_case_or_blanks_only_are_left_alone() -> None:
    rows = [ANN, Row(b"Ann@x ", {"password": b"other"})]
    plan = plan_swap(EMPTY, rows, everybody, generate, "now")
    assert plan.changes == ()
    assert {finding.kind for finding in plan.findings} == {"duplicate"}


def test_too_many_gone() -> None:
    rows = [Row(b"u%d@x" % number, {"password": b"own"}) for number in range(10)]
    book = plan_swap(EMPTY, rows, everybody, generate, "now").book
    assert not escrow_plan.too_many_gone(settle(book, rows[1:], everybody), 0)
    assert not escrow_plan.too_many_gone(settle(book, rows[2:], everybody), 0.2)
    assert escrow_plan.too_many_gone(settle(book, rows[3:], everybody), 0.2)


def test_nothing_shows_a_password() -> None:
    plan = plan_swap(EMPTY, [ANN], everybody, generate, "now")
    assert "own" not in repr(plan) + repr(ANN)
    assert "G ann" not in repr(plan)
