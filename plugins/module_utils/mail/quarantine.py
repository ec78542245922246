# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Keeping the exact bytes of messages that the target does not take: a file each, which its owner alone can read.

``<quarantine>/<mailbox>/<folder>.<UIDVALIDITY>.<UID>.eml``: a message always gets the same name, so that a run that
meets it again writes no second file. Folders are 0700, files 0600; a file gets its name when it is complete and on the
disk (temporary file, fsync, rename, fsync of the folder).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from ..ledger import DIGEST_SIZE
from ..private_file import safe_name

_PIECE = 64 * 1024
_UNFINISHED = ".part-"


@dataclass(frozen=True)
class Place:
    """Which message it is: the mailbox as the target calls it, the source's folder (levels joined by NUL) and UID."""

    mailbox: str
    folder: bytes
    uidvalidity: int
    uid: int

    @property
    def file(self) -> Path:
        """Its file, relative to the quarantine's folder."""
        folder = safe_name(b"/".join(level.replace(b"/", b"\\/") for level in self.folder.split(b"\0")))
        return Path(safe_name(self.mailbox.encode()), f"{folder}.{self.uidvalidity}.{self.uid}.eml")


@dataclass
class Held:
    """A message that is on the disk and has no name yet; :meth:`keep` or :meth:`discard` it.

    ``nul`` and ``eight_bit`` say what is among its bytes, ``size`` how many those are.
    """

    path: Path
    file: BinaryIO
    final: Path
    size: int = 0
    digest: bytes = b""
    nul: bool = False
    eight_bit: bool = False

    def write(self, pieces: Iterable[bytes]) -> None:
        """Take the message's bytes.

        :raises OSError: the disk is full, or broken.
        """
        digest = blake2b(digest_size=DIGEST_SIZE)
        for piece in pieces:
            self.file.write(piece)
            digest.update(piece)
            self.size += len(piece)
            self.nul = self.nul or b"\0" in piece
            self.eight_bit = self.eight_bit or not piece.isascii()
        self.file.flush()
        self.digest = digest.digest()

    def pieces(self) -> Iterator[bytes]:
        """The message's bytes from the start."""
        self.file.seek(0)
        while piece := self.file.read(_PIECE):
            yield piece

    def keep(self) -> Path:
        """Give the file its name, once it is safely on the disk; gives it.

        :raises OSError: that can't be done; nothing is left then.
        """
        try:
            os.fsync(self.file.fileno())
            self.path.replace(self.final)
        except OSError:
            self.discard()
            raise
        self.file.close()
        folder = os.open(self.final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.final

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True)
class Quarantine:
    """The folder that refused messages are kept in."""

    folder: Path

    def hold(self, place: Place, pieces: Iterable[bytes]) -> Held:
        """Write a message to a file that has no name yet. What a run that died has left unfinished is removed.

        One run at a time works on a mailbox (the ledger sees to that), so that what is unfinished there is nobody's.

        :raises OSError: it can't be written; nothing is left then.
        """
        final = self.folder / place.file
        _make_private(self.folder)
        _make_private(final.parent)
        for left in final.parent.glob(f"{_UNFINISHED}*"):
            left.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(dir=final.parent, prefix=_UNFINISHED)  # 0600
        held = Held(Path(name), os.fdopen(descriptor, "w+b"), final)
        try:
            held.write(pieces)
        except BaseException:
            held.discard()
            raise
        return held

    def holds(self, place: Place) -> bool:
        """Whether a message is here."""
        return (self.folder / place.file).is_file()

    def release(self, place: Place) -> bool:
        """Remove a message that is needed no more; whether one was here. A mailbox's empty folder goes, too."""
        final = self.folder / place.file
        try:
            final.unlink()
        except OSError:
            return False
        with contextlib.suppress(OSError):
            final.parent.rmdir()
        return True


def _make_private(folder: Path) -> None:
    """Make a folder that its owner alone can open; whoever may read the ledger's folder may not read mail."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
