# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One CSV file (RFC 4180, and what spreadsheets make of it) as rows whose columns have names of ours."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ... import secrets
from ...errors import InputError, SnapshotError
from ...pgp.home import PgpKeys
from ...pgp.received import copy_received
from ..model import Finding
from .columns import FILES, Names, key_of, plain, unit_of
from .text import decoded

DELIMITERS = {"semicolon": ";", "comma": ",", "tab": "\t"}

_LONGEST_CELL = 1 << 20  # characters
_SEPARATOR_LINE = re.compile(r"sep=([;,\t|])\r?\n")  # Excel's own way to say it
_VAULTED = b"$ANSIBLE_VAULT;"


@dataclass(frozen=True)
class Row:
    """A row that is not empty: its place for messages (``accounts.csv, line 7``), and its cells by our keys."""

    place: str
    cells: Mapping[str, str]

    def raw(self, key: str) -> str:
        """The cell as it is; empty where there is none."""
        return self.cells.get(key, "")

    def get(self, key: str) -> str:
        """The cell without blanks around it."""
        return self.raw(key).strip()

    def says(self, message: str) -> str:
        """A message that names the place."""
        return f"{self.place}: {message}"


@dataclass(frozen=True)
class Table:
    """A whole file: which of our columns it has, its rows, and what there is to say of others."""

    keys: frozenset[str] = frozenset()
    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    quota_unit: str = ""
    exposed: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Reading:
    """How files are read: encoding, delimiter (None: seen in the header), names of columns by file.

    ``keys`` and ``vault_password`` open those that are encrypted by PGP or by Ansible Vault.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keys: PgpKeys | None = None
    vault_password: str | None = field(default=None, repr=False)


def read_table(kind: str, path: Path, how: Reading) -> Table:
    """The rows of a file of this kind (a key of :data:`FILES`).

    Raises InputError for a file that can't be read, or whose first line does not name the columns that are needed, or
    with a quote that is never closed; and the errors of PGP for one that is encrypted.
    """
    option = f"csv.{kind}"
    encrypted, content = _content(path, option, how)
    text, encoding = decoded(content, how.encoding, option, path.name)
    lead = _SEPARATOR_LINE.match(text)
    if lead:
        text = text[lead.end() :]
    delimiter = how.delimiter or (lead[1] if lead else _delimiter(kind, text, how))
    records = _Records(path.name, option, text, delimiter, above=1 if lead else 0)
    header = next((cells for _line, cells in records), None)
    if header is None:
        raise InputError(f"{path.name} is empty: the first line has to name the columns", option=option)
    header = [name.strip() for name in header]
    keys = _keys(kind, header, how.names.get(kind, {}), path.name)
    findings = [
        Finding("", "column_unknown", f"{path.name}: the column {name!r} is not used", "warning")
        for name, key in zip(header, keys, strict=True)
        if key is None and name
    ]
    rows = tuple(_rows(records, keys, path.name, findings))
    if encoding != "utf-8":
        message = f"{path.name} was read as {encoding}: look at names and passwords with other letters than a to z"
        findings.append(Finding("", "file_encoding", message))
    return Table(
        keys=frozenset(key for key in keys if key),
        rows=rows,
        findings=tuple(findings + records.findings),
        quota_unit=next((unit_of(name) for name, key in zip(header, keys, strict=True) if key == "quota"), ""),
        exposed=not encrypted and bool(path.expanduser().stat().st_mode & 0o004),
    )


class _Records:
    """The records of a file with the lines that they begin in; those that break the rules are findings instead.

    ``above``: so many lines of the file are not in ``text``.
    """

    def __init__(self, name: str, option: str, text: str, delimiter: str, *, above: int = 0) -> None:
        self.findings: list[Finding] = []
        self._name = name
        self._option = option
        self._above = above
        csv.field_size_limit(_LONGEST_CELL)
        # newline="": csv itself has to see the line ends that stand in quotes
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._above + self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._fault(line, error)
                continue
            if any(cell.strip() for cell in cells):
                yield line, cells

    def _fault(self, line: int, error: csv.Error) -> None:
        place = f"{self._name}, line {line}"
        if "unexpected end of data" in str(error) or "field larger than" in str(error):
            raise InputError(f"{place}: a quote is opened and never closed", option=self._option) from None
        message = f"{place}: something follows a closing quote (a quote in quotes is written twice)"
        self.findings.append(Finding("", "row_invalid", f"{message}; the row is left out", "error"))


def _content(path: Path, option: str, how: Reading) -> tuple[bool, bytes]:
    """Was it encrypted, and what is in it?"""
    pieces: list[bytes] = []
    try:
        encrypted = copy_received(path, how.keys, pieces.append)
        content = b"".join(pieces)
        if not content.lstrip().startswith(_VAULTED):
            return encrypted, content
        if how.vault_password is None:
            raise InputError(f"{path.name} is encrypted by Ansible Vault: its password is needed", option=option)
        return True, secrets.decrypt(content.decode("ascii", "replace"), how.vault_password)
    except SnapshotError as error:
        raise InputError(f"{path.name}: {error.message}", option="csv.vault_password") from None
    except InputError as error:
        error.where.setdefault("option", option)
        raise


def _delimiter(kind: str, text: str, how: Reading) -> str:
    """The one with which the first line names the most columns that we know, or the most columns at all."""
    known, own = FILES[kind][0], how.names.get(kind, {})
    wanted = {plain(name) for name in own.values()}

    def merit(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            names = next((record for record in reader if any(record)), [])
        except csv.Error:
            return (0, 0)
        return sum(key_of(name, known) is not None or plain(name) in wanted for name in names), len(names)

    return max(DELIMITERS.values(), key=merit)


def _keys(kind: str, header: list[str], own: Mapping[str, str], name: str) -> list[str | None]:
    """Our key for each column of the header; None for those that we don't know."""
    known, needed = FILES[kind]
    option = f"csv.{kind}"
    for key, given in own.items():
        if key not in known:
            message = f"overrides.columns.{kind} knows no {key!r}, only {', '.join(sorted(known))}"
            raise InputError(message, option="overrides.columns")
        if plain(given) not in map(plain, header):
            raise InputError(f"{name} has no column {given}", option="overrides.columns")
    chosen = {plain(given): key for key, given in own.items()}

    def key_for(column: str) -> str | None:
        key = chosen.get(plain(column)) or key_of(column, known)
        return None if key in own and plain(column) not in chosen else key

    keys = _best([key_for(column) for column in header], header, known)
    missing = [key for key in needed if key not in keys]
    if missing:
        # The first line may be data: nothing of it is shown.
        names = "; ".join(f"{key} ({', '.join(known[key][:4])}, …)" for key in missing)
        raise InputError(f"{name}: the first line names no column for {names}", option=option)
    return keys


def _best(keys: list[str | None], header: list[str], known: Names) -> list[str | None]:
    """Where several columns could be the same, the one with the better name; the others count as not known."""
    found = list(keys)
    for key, names in known.items():
        places = [place for place, each in enumerate(keys) if each == key]
        rank = {name: number for number, name in enumerate(names)}
        places.sort(key=lambda place: rank.get(plain(header[place]), -1))
        for place in places[1:]:
            found[place] = None
    return found


def _rows(records: _Records, keys: list[str | None], name: str, findings: list[Finding]) -> Iterator[Row]:
    for line, cells in records:
        place = f"{name}, line {line}"
        if any(cell.strip() for cell in cells[len(keys) :]):
            message = f"{place}: the row has {len(cells)} cells and the first line {len(keys)}; it is left out"
            findings.append(Finding("", "row_invalid", message, "error"))
            continue
        yield Row(place, {key: cell for key, cell in zip(keys, cells, strict=False) if key is not None})
