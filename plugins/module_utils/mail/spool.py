# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A place for a message that can't be passed on as it arrives: in memory while small, else in a nameless file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024


class Spool:
    """The bytes of one message; ``size`` is their number."""

    def __init__(self, pieces: Iterable[bytes], size: int) -> None:
        self.size = size
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the spool
        for piece in pieces:
            self._file.write(piece)

    def pieces(self) -> Iterator[bytes]:
        """The bytes from the start."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece
