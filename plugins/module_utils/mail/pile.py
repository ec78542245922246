# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Many messages as they are compared, in little memory: some forty bytes each, whatever their number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ProtocolError
from .listing import Attributes
from .uidset import MAX_UID

#: Stands for a date that is none.
_NO_DATE = -(2**63)
_MAX = 2**63 - 1


@dataclass(frozen=True)
class Entry:
    """A message as it is compared; ``digest`` is empty where only counts are compared."""

    attributes: Attributes
    digest: bytes = b""


class Pile:
    """Messages with their UIDs, in the order in which they were added."""

    def __init__(self) -> None:
        self._uids = array("I")
        self._kinds = array("I")
        self._dates = array("q")
        self._sizes = array("q")
        self._digests = bytearray()
        self._width = -1
        self._table: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def add(self, uid: int, entry: Entry) -> None:
        """Add a message. All digests of a pile have one size.

        :raises ProtocolError: no server can have such a UID or size.
        """
        attributes = entry.attributes
        if not 0 < uid <= MAX_UID or not 0 <= attributes.size <= _MAX:
            raise ProtocolError(f"the server told a message of UID {uid} and {attributes.size} bytes")
        self._width = len(entry.digest) if self._width < 0 else self._width
        if len(entry.digest) != self._width:
            raise ValueError(f"a digest of {len(entry.digest)} bytes among those of {self._width}")
        kind = self._numbers.setdefault(attributes.flags, len(self._table))
        if kind == len(self._table):
            self._table.append(attributes.flags)
        self._uids.append(uid)
        self._kinds.append(kind)
        self._dates.append(_NO_DATE if attributes.received is None else attributes.received)
        self._sizes.append(attributes.size)
        self._digests += entry.digest

    def __len__(self) -> int:
        return len(self._uids)

    def __getitem__(self, at: int) -> tuple[int, Entry]:
        date, width = self._dates[at], self._width
        attributes = Attributes(self._table[self._kinds[at]], None if date == _NO_DATE else date, self._sizes[at])
        return self._uids[at], Entry(attributes, bytes(self._digests[at * width : (at + 1) * width]))

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        return (self[at] for at in range(len(self)))

    @property
    def size(self) -> int:
        """Bytes of all messages together."""
        return sum(self._sizes)

    def split(self, parts: int) -> list[array[int]]:
        """The places of the messages, dealt to so many parts: what may be the same message comes to the same part."""
        found = [array("I") for dummy in range(parts)]
        width = self._width
        for at in range(len(self)):
            digest = bytes(self._digests[at * width : (at + 1) * width])
            found[hash((self._dates[at], self._sizes[at], digest)) % parts].append(at)
        return found
