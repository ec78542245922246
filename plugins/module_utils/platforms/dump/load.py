# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A dump's tables, loaded into a database that is there for nothing else."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DatabaseError, DumpError, DumpTruncatedError, InputError, MigrationError, NoSpaceError
from ...transport.database import Database
from ..remark import Remark
from .opening import Read
from .statements import Statement, Statements
from .verdict import Setting, judge, setting, translated

_SYSTEM = frozenset({"mysql", "information_schema", "performance_schema", "sys", "ndbinfo"})
_DEFAULT_CHARSET = "utf8mb4"
_WIDE = ("utf8mb4", "binary")
_RESERVE = 256 << 20  # bytes that stay free on the disk
_LOOK_EVERY = 16 << 20
_FULL = (1021, 1114)  # ER_DISK_FULL, ER_RECORD_FILE_FULL


@dataclass(frozen=True)
class Loaded:
    """What was loaded: the database's name in the dump (empty: the dump names none), and what there is to say.

    ``narrow`` is the dump's character set when it has no place for all that the columns may hold.
    """

    database: str
    tables: int
    skipped: Mapping[str, int]
    truncated: bool
    said: int
    narrow: str


@dataclass
class _Progress:
    """Where in the dump we are. ``wanted`` is the database to load; None until one is known."""

    wanted: str | None
    here: str | None = None
    names: str = _DEFAULT_CHARSET
    tables: int = 0
    closed: bool = False
    narrow: str = ""
    wide: bool = False
    pending: int = 0
    others: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


def load(read: Read, session: Database, folder: Path, database: str | None, *, allow_truncated: bool) -> Loaded:
    """Load the tables of ``database``, or of the only one in the dump; ``folder`` is where the server keeps its data.

    Raises DumpError for a file that is no dump, or holds what no dump of tables does, or holds a statement that the
    server refuses; DumpTruncatedError, NoSpaceError, and InputError when the database is not there or not named.
    """
    session.send(b"SET SESSION foreign_key_checks = 0, unique_checks = 0")
    statements = Statements(read)
    progress = _Progress(database)
    for statement in statements:
        _take(statement, progress, session, folder)
    _check_database(progress, database)
    complete = (statements.complete or progress.closed) and statements.unfinished is None
    if not complete and not allow_truncated:
        raise DumpTruncatedError(_truncated(statements))
    return Loaded(
        database=progress.wanted or "",
        tables=progress.tables,
        skipped=dict(progress.skipped),
        truncated=not complete,
        said=statements.said,
        narrow=progress.narrow if progress.wide else "",
    )


def remarks(loaded: Loaded) -> list[Remark]:
    """What an operator should know of a dump besides what is in its tables."""
    found = [
        Remark("dump_skipped", f"{what} in the dump were not loaded ({number}): they hold no data of their own")
        for what, number in loaded.skipped.items()
    ]
    if loaded.truncated:
        message = "the dump has no mark of its end: what is missing in it is missing here"
        found.append(Remark("dump_truncated", message, "warning"))
    if loaded.said:
        message = (
            f"{loaded.said} messages of mysqldump stand among the dump's statements; read them: it may have failed"
        )
        found.append(Remark("dump_messages", message, "warning"))
    if loaded.narrow:
        message = (
            f"the dump is written in {loaded.narrow}, and some of its columns can hold more than that: such letters"
            " are question marks in it; --default-character-set=utf8mb4 keeps them"
        )
        found.append(Remark("dump_charset", message, "warning"))
    return found


def require_space(free: int, folder: Path) -> None:
    """Raises NoSpaceError when only ``free`` bytes are left where the folder is."""
    if free < _RESERVE:
        message = f"{folder.parent} has {free >> 20} MB left; {_RESERVE >> 20} MB are to stay free"
        raise NoSpaceError(message)


def _take(statement: Statement, progress: _Progress, session: Database, folder: Path) -> None:
    judged = judge(statement)
    if judged.verdict == "database":
        progress.here = judged.what
    elif judged.verdict == "set":
        _heed(setting(statement), progress, session, statement.line)
    elif judged.verdict == "skip":
        if judged.what and _is_wanted(progress):
            progress.skipped[judged.what] += 1
    elif judged.verdict == "refuse":
        what = f"the statement {judged.what}" if judged.what else "something"
        message = f"there is {what} that no dump of tables has, or the file is no dump at all"
        raise DumpError(message, line=statement.line)
    else:
        _run(statement, progress, session, folder, about_table=judged.verdict == "table")


def _is_wanted(progress: _Progress) -> bool:
    """Is this the database to load? One that is in use without a name is."""
    if progress.here is None:
        return True
    return progress.here == progress.wanted if progress.wanted else progress.here.lower() not in _SYSTEM


def _run(statement: Statement, progress: _Progress, session: Database, folder: Path, *, about_table: bool) -> None:
    if progress.here is not None:
        progress.others[progress.here] += about_table
    if not _is_wanted(progress):
        return
    progress.wanted = progress.wanted or progress.here
    progress.closed = False
    text = translated(statement.text) if about_table else statement.text
    _keep_space(progress, folder, len(text))
    try:
        session.send(text)
    except MigrationError as error:
        raise _refused(error, statement.line) from error
    if about_table:
        progress.tables += b"CREATE" in text[:64].upper()
        progress.wide = progress.wide or b"utf8mb4" in text.lower()


def _heed(said: Setting, progress: _Progress, session: Database, line: int) -> None:
    if said.unsafe:
        message = f"the dump is written in {said.unsafe}; ask for one with --default-character-set=utf8mb4"
        raise DumpError(message, line=line)
    wishes = []
    if said.names:
        progress.names = said.names
        progress.narrow = progress.narrow or ("" if said.names in _WIDE else said.names)
        wishes.append(f"SET NAMES {said.names}")
    if said.client or said.restores:
        wishes.append(f"SET character_set_client = {said.client or progress.names}")
    if said.zone:
        wishes.append(f"SET time_zone = '{said.zone}'")
    try:
        for wish in wishes:
            session.send(wish.encode())
    except MigrationError as error:
        raise _refused(error, line) from error
    progress.closed = progress.closed or said.closes


def _refused(error: MigrationError, line: int) -> MigrationError:
    """The server's refusal as an error about the dump; its text holds no value (see Database)."""
    if not isinstance(error, DatabaseError):
        return error.at(line=line)
    code = error.where.get("code")
    if code in _FULL:
        return NoSpaceError("the disk is full", line=line)
    return DumpError(f"a statement can't be loaded: {error.message}", line=line, code=code)


def _keep_space(progress: _Progress, folder: Path, size: int) -> None:
    """Stop before the disk is full: a server would wait for space, and others on this machine need some."""
    progress.pending += size
    if progress.pending < _LOOK_EVERY and progress.tables:
        return
    progress.pending = 0
    require_space(shutil.disk_usage(folder).free, folder)


def _check_database(progress: _Progress, database: str | None) -> None:
    there = sorted(name for name, tables in progress.others.items() if tables and name.lower() not in _SYSTEM)
    if database is None and len(there) > 1:
        message = f"the dump holds several databases, {', '.join(there)}: say which one"
        raise InputError(message, option="dump.database")
    if database is not None and progress.others and database not in progress.others:
        message = f"the dump holds no database {database}, only {', '.join(there) or 'none'}"
        raise InputError(message, option="dump.database")
    if progress.tables == 0:
        raise DumpError("there is no table in the file: it is no dump of a database")


def _truncated(statements: Statements) -> str:
    if statements.unfinished is not None:
        return f"the dump ends in the middle of the statement that begins in line {statements.unfinished}"
    return "the dump has no mark of its end (-- Dump completed)"
