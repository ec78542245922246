# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What to swap and what to put back: pure, from the escrow and the source's rows to changes and a new escrow.

The source's rows are the truth about what has been done. The escrow says of every value that we ever set which one
belongs there instead, so a row that holds such a value gets its original, whatever its account is called by now; a row
that holds another value has been changed by somebody, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..escrow_file import Book, Cell, Entry, closed
from .model import Finding
from .schemes import Remark

PASSWORD = "password"  # noqa: S105 -- the profile's key of the column
#: Accounts that may be gone although a larger share than the limit is.
_MAY_BE_GONE = 1


@dataclass(frozen=True)
class Row:
    """A row of the source's passwords: the account's bytes, and its values' bytes by the profile's column keys."""

    account: bytes
    values: Mapping[str, bytes | None] = field(repr=False)

    @property
    def password(self) -> bytes | None:
        """What the log-in compares with."""
        return self.values[PASSWORD]

    @property
    def address(self) -> bytes:
        """The account as log-ins take it: case and blanks around it do not count."""
        return address_of(self.account)


@dataclass(frozen=True)
class Change:
    """A value to write, if the row still holds ``before``."""

    account: bytes
    column: str
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """The escrow that has to be on disk first, the changes to make then, and what is to be said."""

    book: Book
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]


#: A new entry for a row that is to be swapped (the account's other values are given by the row), or why there is none.
Generate = Callable[[Row], "tuple[str, Mapping[str, bytes]] | Remark"]
Chosen = Callable[[bytes], bool]


def address_of(account: bytes) -> bytes:
    """An account in the form in which two are the same."""
    return account.strip().lower()


def plan_swap(book: Book, rows: Sequence[Row], chosen: Chosen, generate: Generate, now: str) -> Plan:
    """Swap the chosen accounts' passwords: those that are not in the escrow yet get an entry first.

    ``generate`` gives the clear text and what to store by column, of the columns that are to be swapped.
    """
    work = _Swap(book, rows, generate, now)
    for row in rows:
        if chosen(row.account):
            work.row(row)
    return Plan(replace(book, entries=tuple(work.entries)), tuple(work.changes), tuple(sorted(set(work.findings))))


class _Swap:
    """Gathers entries, changes and findings."""

    def __init__(self, book: Book, rows: Sequence[Row], generate: Generate, now: str) -> None:
        self.entries = list(book.entries)
        self.changes: list[Change] = []
        self.findings: list[Finding] = []
        self._generate, self._now = generate, now
        self._belongs = originals(book)
        self._by_stored = {entry.cells[0].stored: number for number, entry in enumerate(self.entries)}
        self._open = {entry.account: number for number, entry in enumerate(self.entries) if entry.open}
        self._accounts = {row.account for row in rows}
        self._logins: dict[bytes, int] = {}
        for row in rows:
            self._logins[row.address] = self._logins.get(row.address, 0) + 1

    def row(self, row: Row) -> None:
        number = self._by_stored.get(row.password) if row.password is not None else None
        if number is not None:
            self._ours(number, row)
            return
        number = self._open.get(row.account)
        if number is not None:
            self._again(self.entries[number], row)
        elif self._logins[row.address] > 1:
            self._say(row, "duplicate", "the account has several log-ins that differ in case or blanks at most")
        else:
            self._new(row)

    def _ours(self, number: int, row: Row) -> None:
        """The row holds what an entry has set; the account may have been renamed, or restored from a backup."""
        entry = self.entries[number]
        if not entry.open:
            entry = replace(entry, open=True, since=self._now)
        if entry.account != row.account and entry.account not in self._accounts:
            entry = replace(entry, account=row.account)
        self.entries[number] = entry
        self._set(row, entry.cells[1:])

    def _again(self, entry: Entry, row: Row) -> None:
        """The account is in the escrow, and its generated password is not there, or not any more."""
        if row.password == entry.cells[0].original:
            self._set(row, entry.cells)
        else:
            self._say(row, "password_changed_on_source", CHANGED)

    def _new(self, row: Row) -> None:
        made = self._generate(row)
        if isinstance(made, Remark):
            self.findings.append(Finding(_shown(row.account), made.kind, made.message, made.level))
            return
        plain, stored = made
        cells = tuple(
            Cell(column, self._original(column, row.values[column]), value) for column, value in stored.items()
        )
        if cells[0].stored in self._by_stored or any(cell.original == cell.stored for cell in cells):
            raise AssertionError("the same password was generated twice")
        entry = Entry(row.account, plain, cells, self._now)
        self._by_stored[cells[0].stored] = len(self.entries)
        self.entries.append(entry)
        self._set(row, cells)

    def _set(self, row: Row, cells: Iterable[Cell]) -> None:
        for cell in cells:
            here = row.values.get(cell.column, cell.stored)
            if here != cell.stored and self._original(cell.column, here) == cell.original:
                self.changes.append(Change(row.account, cell.column, here, cell.stored))

    def _original(self, column: str, value: bytes | None) -> bytes | None:
        """What belongs where a value is: a run that was ended half way leaves rows that are put back in part."""
        return value if value is None else self._belongs.get((column, value), value)

    def _say(self, row: Row, kind: str, message: str) -> None:
        self.findings.append(Finding(_shown(row.account), kind, f"{message}; it is left as it is", "warning"))


CHANGED = "the password was changed on the source while it was swapped"


def originals(book: Book) -> dict[tuple[str, bytes], bytes | None]:
    """Column and value that an escrow sets → the original that belongs there; of closed entries, too."""
    return {(cell.column, cell.stored): cell.original for entry in book.entries for cell in entry.cells}


def plan_back(book: Book, rows: Iterable[Row], chosen: Chosen) -> tuple[Change, ...]:
    """Put every original back whose place holds what the escrow has set."""
    entries = tuple(entry for entry in book.entries if chosen(entry.account))
    belongs = originals(book)
    wanted = originals(replace(book, entries=entries))
    return tuple(
        Change(row.account, column, value, belongs[column, value])
        for row in rows
        for column, value in row.values.items()
        if value is not None and (column, value) in belongs and ((column, value) in wanted or chosen(row.account))
    )


@dataclass(frozen=True)
class Settled:
    """What reading the rows again has proved: the escrow as it is now, and what is to be said of it.

    Of the entries that were open and chosen: ``back`` hold their original, ``changed`` another password that a user
    has chosen, ``gone`` have no row any more, ``unproved`` still hold what the escrow has set.
    """

    book: Book
    back: int
    changed: int
    gone: int
    unproved: tuple[str, ...]
    findings: tuple[Finding, ...]


def settle(book: Book, rows: Sequence[Row], chosen: Chosen) -> Settled:
    """Close every chosen entry of which no row holds anything any more that the escrow has set."""
    held = {(column, value) for row in rows for column, value in row.values.items()}
    passwords: dict[bytes, list[bytes | None]] = {}
    for row in rows:
        passwords.setdefault(row.account, []).append(row.password)
    entries, findings, unproved = [], [], []
    counts = {"back": 0, "changed": 0, "gone": 0}
    for entry in book.entries:
        if not entry.open or not chosen(entry.account):
            entries.append(entry)
        elif any((cell.column, cell.stored) in held for cell in entry.cells):
            unproved.append(entry.name)
            entries.append(entry)
        else:
            what, finding = _end(entry, passwords.get(entry.account))
            counts[what] += 1
            findings += finding
            entries.append(closed(entry))
    return Settled(
        book=replace(book, entries=tuple(entries)),
        unproved=tuple(unproved),
        findings=tuple(sorted(findings)),
        **counts,
    )


def _end(entry: Entry, there: list[bytes | None] | None) -> tuple[str, list[Finding]]:
    name = _shown(entry.account)
    if there is None:
        message = "the account is gone from the source, or has another name by now; its original stays in the escrow"
        return "gone", [Finding(name, "account_missing", message, "warning")]
    if entry.cells[0].original in there:
        return "back", []
    return "changed", [
        Finding(name, "password_changed_on_source", f"{CHANGED}; the new one stays, and counts", "warning")
    ]


def too_many_gone(settled: Settled, share: float) -> bool:
    """Are so many accounts gone that it looks like another database?"""
    total = settled.back + settled.changed + settled.gone + len(settled.unproved)
    return settled.gone > _MAY_BE_GONE and settled.gone > share * total


def _shown(account: bytes) -> str:
    text = account.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else ascii(text)[1:-1]
