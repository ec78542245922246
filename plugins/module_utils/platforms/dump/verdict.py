# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What becomes of a statement of a dump: loaded, heeded, passed over, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .statements import Statement

#: ``table``, ``rows``: it makes or fills a table, and goes to the server. ``database``, ``set``: it says where the next
#: ones belong, or how they are to be understood. ``skip``: it makes nothing that is data. ``refuse``: no dump has it.
Verdict = Literal["table", "rows", "database", "set", "skip", "refuse"]

_HEAD_BYTES = 4096
# Code in comments (/*!40000 …*/) is code; the comments around it and other comments are not. Names and strings stay.
_WRAPPING = re.compile(rb"(`[^`]*`|'(?:[^'\\]|\\.)*')|/\*M?!\d*|/\*(?!!|M!).*?\*/|\*/|--[ \t][^\n]*|#[^\n]*", re.DOTALL)
_NAME = rb"(?:`[^`]+`|[\w$]+)"
_INSERT = re.compile(
    rb"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*(?:INTO\s+)?%b\s*(?:\([^()']*\)\s*)?"
    rb"VALUES?\s*\(" % _NAME,
    re.IGNORECASE,
)
_TABLES = re.compile(
    rb"(?:CREATE\s+TABLE|DROP\s+TABLE|ALTER\s+TABLE|TRUNCATE|CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX)\s",
    re.IGNORECASE,
)
_DATABASE = re.compile(
    rb"(USE|CREATE\s+(?:DATABASE|SCHEMA)|DROP\s+(?:DATABASE|SCHEMA)|ALTER\s+(?:DATABASE|SCHEMA))\s+"
    rb"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:`((?:[^`]|``)+)`|([\w$-]+))",
    re.IGNORECASE,
)
# What else a dump may hold, with what to call it for people; None: not worth a word.
_SKIPPED: tuple[tuple[re.Pattern[bytes], str | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), name)
    for pattern, name in (
        (rb"SET\s+(?:@@)?(?:GLOBAL|PASSWORD|PERSIST|ROLE|DEFAULT)\b", "settings of the server"),
        (rb"(?:UN)?LOCK\s+TABLES?\b", None),
        (rb"(?:START\s+TRANSACTION|BEGIN|COMMIT|ROLLBACK|ANALYZE|OPTIMIZE|CHECK|FLUSH|RESET|DO)\b", None),
        (rb"(?:SELECT|PREPARE|EXECUTE|DEALLOCATE)\b", None),
        (rb"DROP\s+(?:VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|SEQUENCE|PACKAGE|SERVER|USER|ROLE)\b", None),
        (rb"CREATE\b.*?\bTRIGGER\s", "triggers"),
        (rb"CREATE\b.*?\b(?:PROCEDURE|FUNCTION|PACKAGE)\s", "procedures"),
        (rb"CREATE\b.*?\bEVENT\s", "events"),
        (rb"CREATE\b.*?\bVIEW\s", "views"),
        (rb"CREATE\s+(?:OR\s+REPLACE\s+)?SEQUENCE\s", "sequences"),
        (
            rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:USER|ROLE)\s|(?:GRANT|REVOKE)\s|(?:ALTER|RENAME)\s+USER\s",
            "users and rights",
        ),
        (
            rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:SERVER|TABLESPACE|LOGFILE)\s|(?:UN)?INSTALL\s|CHANGE\s+(?:MASTER|REPLICATION)\s",
            "settings of the server",
        ),
    )
)


@dataclass(frozen=True)
class Judged:
    """A verdict. ``what`` names what is skipped (empty: nothing to speak of), or the database, or the first word."""

    verdict: Verdict
    what: str = ""


def judge(statement: Statement) -> Judged:
    """What becomes of the statement. The server's own rights stand behind this: it is not the only wall."""
    head = _bare(statement).strip()
    if _TABLES.match(head):
        return Judged("table")
    if _INSERT.match(head):
        return Judged("rows")
    found = _DATABASE.match(head)
    if found:
        name = (found[2] or found[3]).replace(b"``", b"`").decode("utf-8", "replace")
        is_use = found[1].upper() == b"USE"
        return Judged("database" if is_use else "skip", name if is_use else "")
    for pattern, what in _SKIPPED:
        if pattern.match(head):
            return Judged("skip", what or "")
    if re.match(rb"SET\s", head, re.IGNORECASE):
        return Judged("set")
    if not head:
        return Judged("skip")
    word = re.match(rb"[A-Za-z]{2,20}\b", head)
    return Judged("refuse", word[0].decode().upper() if word else "")


def _bare(statement: Statement) -> bytes:
    """The beginning of the statement, without comments and what makes code of them."""
    return _WRAPPING.sub(lambda found: found[1] or b" ", statement.text[:_HEAD_BYTES])


# What our MariaDB may not know, outside of quotes: collations of MySQL 8 and MariaDB 11 (with a binary one instead,
# every key that was unique is unique), and how MySQL 4 said ENGINE.
_FOREIGN = re.compile(
    rb"""('(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|`[^`]*+`)"""
    rb"""|\b(utf8mb4_(?:[a-z]+_)*0900_\w+|(?:utf8mb4_)?uca1400_\w+|utf8mb4_[a-z_]*0900_\w+)|\b(TYPE=)(?=\w)""",
    re.DOTALL | re.IGNORECASE,
)


def translated(text: bytes) -> bytes:
    """A statement that makes or changes a table, in words that our server knows."""

    def other(found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            return found[1]
        return b"utf8mb4_nopad_bin" if found[2] is not None else b"ENGINE="

    return _FOREIGN.sub(other, text)


# Character sets whose letters may hold the byte of a quote or a backslash: what ends a string can't be told.
_UNSAFE = frozenset({"big5", "gbk", "gb18030", "sjis", "cp932", "ucs2", "utf16", "utf16le", "utf32", "filename"})
_CHARSET = re.compile(rb"(?<!@)\b(NAMES\s+|CHARACTER_SET_CLIENT\s*=\s*)['\"]?([a-z]\w*)", re.IGNORECASE)
_RESTORED = re.compile(rb"(?<!@)\bCHARACTER_SET_CLIENT\s*=\s*@(\w+)", re.IGNORECASE)
_ZONE = re.compile(rb"(?<!@)\bTIME_ZONE\s*=\s*'([+-]\d\d?:\d\d)'", re.IGNORECASE)


@dataclass(frozen=True)
class Setting:
    """What a SET says that matters: how the next statements' bytes and times are to be understood.

    ``restores``: the character set becomes what it was before; ``closes``: as mysqldump does at its very end.
    """

    names: str = ""
    client: str = ""
    zone: str = ""
    restores: bool = False
    closes: bool = False

    @property
    def unsafe(self) -> str:
        """The character set, where strings can't be told apart in it; else empty."""
        return next((name for name in (self.names, self.client) if name in _UNSAFE), "")


def setting(statement: Statement) -> Setting:
    """What there is to heed of a SET; nothing else of it is ever run."""
    text = _bare(statement)
    words = {match[1][:1].upper(): match[2].decode().lower() for match in _CHARSET.finditer(text)}
    zone, restored = _ZONE.search(text), _RESTORED.search(text)
    return Setting(
        names=words.get(b"N", ""),
        client=words.get(b"C", ""),
        zone=zone[1].decode() if zone else "",
        restores=restored is not None,
        closes=restored is not None and restored[1].upper() == b"OLD_CHARACTER_SET_CLIENT",
    )
