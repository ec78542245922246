# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How POP3 servers make their UIDLs (RFC 1939 section 7): formats that hold a UID, and what is known of the others.

A format is written as Dovecot's setting ``pop3_uidl_format`` has it: ``%u`` is the UID and ``%v`` the UIDVALIDITY in
decimal, ``%08Xu`` and ``%08Xv`` in eight hexadecimal digits. So each of them can be had on a Dovecot that has the same
UIDs. The formats are those of Dovecot's 20-pop3.conf and of Courier's courierpop3dsizelist.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .uidset import MAX_UID

#: What a Dovecot does that was told nothing.
DEFAULT = "%08Xu%08Xv"

_FIELD = re.compile(r"%(08X)?([uv])")
_PATTERNS = {"": rb"([1-9]\d{0,9})", "08X": rb"([0-9a-f]{8})"}
_FILE_NAME = re.compile(rb"\d{9,11}\.[!-~]+\Z")
_HEX_32 = re.compile(rb"[0-9a-fA-F]{32}\Z")


@dataclass(frozen=True)
class UidlFormat:
    """A format; ``maker`` is whose it is."""

    template: str
    maker: str

    def write(self, uid: int, uidvalidity: int) -> bytes:
        """The UIDL of a message."""
        numbers = {"u": uid, "v": uidvalidity}
        return _FIELD.sub(lambda one: _number(numbers[one[2]], one[1]), self.template).encode("ascii")

    def read(self, uidl: bytes) -> tuple[int, int] | None:
        """UID and UIDVALIDITY (0 where the format has none); None for what is no UIDL of this format."""
        pattern, order = _compiled(self.template)
        match = pattern.fullmatch(uidl)
        if not match:
            return None
        numbers = {"v": 0}
        for (kind, base), digits in zip(order, match.groups(), strict=True):
            numbers[kind] = int(digits, base)
        uid, uidvalidity = numbers["u"], numbers["v"]
        legal = 0 < uid <= MAX_UID and uidvalidity <= MAX_UID and ("%v" not in self._plain or uidvalidity)
        return (uid, uidvalidity) if legal else None

    @property
    def _plain(self) -> str:
        return self.template.replace("08X", "")


#: All formats that tell a UID; where one message alone could be of two, the first that fits is taken.
FORMATS = (
    UidlFormat(DEFAULT, "Dovecot"),
    UidlFormat("%08Xv%08Xu", "UW ipop3d"),
    UidlFormat("%v.%u", "Cyrus"),
    UidlFormat("UID%u-%v", "Courier"),
    UidlFormat("%v-%u", "Courier's IMAP numbers"),
    UidlFormat("UID%u", "old Courier"),
    UidlFormat("%u", "old Cyrus"),
)


@dataclass(frozen=True)
class Numbers:
    """The UIDs that a list of UIDLs holds, in the list's order; ``uidvalidity`` is 0 where the format has none."""

    format: UidlFormat
    uidvalidity: int
    uids: tuple[int, ...]


def numbers(uidls: Sequence[bytes]) -> Numbers | None:
    """UIDVALIDITY and UIDs, when all UIDLs are of one known format, under one UIDVALIDITY, and no UID comes twice.

    One message alone does not tell which half of a UIDL is its UID where Dovecot and UW write the same digits: the
    greater number is the UIDVALIDITY, which is mostly a time.
    """
    found = [one for one in (_numbers(uidls, form) for form in FORMATS) if one] if uidls else []
    if len(found) > 1:
        found.sort(key=lambda one: one.uids[0] > one.uidvalidity > 0)
    return found[0] if found else None


def _numbers(uidls: Sequence[bytes], form: UidlFormat) -> Numbers | None:
    first = form.read(uidls[0])
    if first is None:
        return None
    uids: list[int] = []
    for uidl in uidls:
        pair = form.read(uidl)
        if pair is None or pair[1] != first[1]:
            return None
        uids.append(pair[0])
    return Numbers(form, first[1], tuple(uids)) if len(set(uids)) == len(uids) else None


def describe(uidls: Sequence[bytes]) -> str:
    """What UIDLs look like of which no UIDs can be told, for a finding."""
    kinds = (
        (_FILE_NAME, "names of files (%f of a Maildir)"),
        (_HEX_32, "GUIDs or checksums (%g or %m)"),
    )
    for pattern, text in kinds:
        if all(pattern.match(uidl) for uidl in uidls):
            return text
    mixed = any(form.read(uidl) for uidl in uidls for form in FORMATS)
    return "of several formats or UIDVALIDITYs" if mixed else "of an unknown format"


def _number(value: int, style: str | None) -> str:
    return f"{value:08x}" if style else str(value)


@lru_cache(maxsize=64)
def _compiled(template: str) -> tuple[re.Pattern[bytes], tuple[tuple[str, int], ...]]:
    """A template as a pattern, and which number (in which base) each of its groups is."""
    pattern, order, last = b"", [], 0
    for match in _FIELD.finditer(template):
        pattern += re.escape(template[last : match.start()]).encode("ascii") + _PATTERNS[match[1] or ""]
        order.append((match[2], 16 if match[1] else 10))
        last = match.end()
    return re.compile(pattern + re.escape(template[last:]).encode("ascii")), tuple(order)
