# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is tried with a message that the target refuses, rung by rung, and what becomes of it when nothing helps.

As it is → its keywords held back, when it was for them → as a literal8 (RFC 3516), when it has bytes that a plain
literal may not have → repaired, when the operator asked for it → its exact bytes in the quarantine, and a line that
says so. Nothing is ever changed without being asked, and nothing that was refused is ever forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from ..errors import MessageRefusedError, MigrationError
from ..ledger import DIGEST_SIZE
from ..ledger_refused import EMPTY, HIDDEN, REFUSED, REPAIRED, RefusedRow
from .attributes import storable
from .fetching import Message, read_over
from .folders import packed, show
from .quarantine import Held, Place, Quarantine
from .repair import repaired

if TYPE_CHECKING:
    from .folder import SharedState
    from .folders import Path
    from .outcome import Outcome
    from .session import Selected

#: A refusal that is about the size: other bytes, or another literal, do not help.
_TOO_LARGE = re.compile(r"\[(LIMIT|TOOBIG)\b|too (big|large)|max(imum)? (mail|message) size|size limit", re.IGNORECASE)
#: A refusal that is about a keyword (RFC 5530 has CANNOT and LIMIT for it).
_KEYWORD = re.compile(r"\[CANNOT\]|keyword|flag", re.IGNORECASE)

BINARY, REPAIR = "literal8", "repair"


@dataclass(frozen=True)
class Refusals:
    """What the operator wants done with refused messages: where they are kept, and whether they may be repaired."""

    quarantine: Quarantine
    repair: bool = False

    @classmethod
    def beside(cls, ledger: str, *, quarantine: str | None = None, repair: bool = False) -> Refusals:
        """The usual place is a folder beside the ledger."""
        return cls(Quarantine(FilePath(quarantine or f"{ledger}.quarantine").absolute()), repair)


@dataclass
class _Tried:
    """A message that was refused: its bytes on the disk, its flags, and what the server said."""

    held: Held
    flags: bytes
    error: MigrationError


@dataclass
class Ladder:
    """The refused messages of one folder. ``uidvalidity`` is the source's, ``folder`` its number in the ledger.

    ``reopen`` opens the source folder again.
    """

    shared: SharedState
    path: Path
    folder: int
    uidvalidity: int
    outcome: Outcome
    reopen: Callable[[], Selected]
    #: How messages are sent that were refused as they are.
    _ways: dict[int, str] = field(default_factory=dict)
    _tried: dict[int, _Tried] = field(default_factory=dict)
    _known: dict[int, RefusedRow] = field(default_factory=dict)
    #: Messages that have been tried without their keywords.
    _bare: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = self.shared.ledger.refused(self.folder)

    def _place(self, uid: int) -> Place:
        return Place(self.shared.task.target.user, packed(self.path), self.uidvalidity, uid)

    # sending

    def sent(self, message: Message) -> Message:
        """A message as it is to be sent now: one that was refused before goes alone, and waits for the word to go."""
        way = self._ways.get(message.uid)
        if way == REPAIR:
            read_over(message)
            held = self._tried[message.uid].held
            size = sum(len(piece) for piece in repaired(held.pieces()))
            return replace(message, careful=True, size=size, pieces=lambda: repaired(held.pieces()))
        if way == BINARY:
            return replace(message, careful=True, literal8=True)
        return replace(message, careful=True) if message.uid in self._known or message.uid in self._tried else message

    def arrived(self, uids: Iterable[int]) -> None:
        """Note that messages are on the target: what was kept of them is needed no more, unless they were repaired."""
        if not (self._known or self._tried):
            return
        for uid in uids:
            tried, repaired_ = self._tried.pop(uid, None), self._ways.pop(uid, "") == REPAIR
            if tried and repaired_:
                self._note(self._kept(uid, REPAIRED, tried.error.message, tried.held))
                continue
            if tried:
                tried.held.discard()
            if self._known.pop(uid, None):
                self.shared.ledger.accept(self.folder, [uid])
                self.shared.refusals.quarantine.release(self._place(uid))

    # after a refusal

    def climb(self, uid: int, error: MigrationError) -> bool:
        """Whether there is another way to send a message that was just refused; the source folder has to be open.

        When there is none, the message is kept in the quarantine and told.
        """
        row = self._known.get(uid)
        known = row is not None and row.kind == REFUSED and not self.shared.refusals.repair
        if row and known and self.shared.refusals.quarantine.holds(self._place(uid)):
            self._fail(row._replace(reason=error.message), error)
            return False
        tried = self._tried.get(uid) or self._read_again(uid, error)
        if tried is None:
            return False
        if _KEYWORD.search(error.message) and self._hold_keywords_back(uid, tried.flags):
            return True
        way = self._next_way(uid, tried, error)
        if way:
            self._ways[uid] = way
            return True
        self.give_up(uid, error)
        return False

    def _hold_keywords_back(self, uid: int, flags: bytes) -> bool:
        """From now on, send no message of the mailbox with the keywords of this one; whether that is worth a try."""
        keywords = {one.lower() for one in storable(flags) if not one.startswith(b"\\")}
        if not keywords or uid in self._bare:
            return False
        self._bare.add(uid)
        self.shared.held_back |= keywords
        return True

    def _next_way(self, uid: int, tried: _Tried, error: MigrationError) -> str | None:
        before = self._ways.get(uid)
        if _TOO_LARGE.search(error.message) or before == REPAIR:
            return None
        if before is None and self.shared.target.has(b"BINARY") and (tried.held.nul or tried.held.eight_bit):
            return BINARY
        return REPAIR if self.shared.refusals.repair and _changes(tried.held) else None

    def _read_again(self, uid: int, error: MigrationError) -> _Tried | None:
        """Read a message once more, onto the disk; None when it is gone, or can't be written (then that is told)."""
        try:
            for message in self.shared.source.messages([uid], uid, uid):
                if message.uid != uid or uid in self._tried:
                    read_over(message)
                    continue
                held = self.shared.refusals.quarantine.hold(self._place(uid), message.pieces())
                self._tried[uid] = _Tried(held, message.flags, error)
        except OSError as trouble:
            # the rest of the message is still on its way
            self.shared.renew()
            self.reopen()
            self._fail(RefusedRow(uid, REFUSED, f"{error.message}; {_not_kept(trouble)}"), error)
        return self._tried.get(uid)

    def give_up(self, uid: int, error: MigrationError) -> None:
        """Keep a message's bytes in the quarantine, remember it and say so; the source folder has to be open."""
        tried = self._tried.get(uid) or self._read_again(uid, error)
        self._tried.pop(uid, None)
        self._ways.pop(uid, None)
        if tried:
            self._fail(self._kept(uid, REFUSED, error.message, tried.held), error)

    def take_back(self, uid: int) -> None:
        """Forget that a message was refused: it was the server's fault, and not the message's."""
        self._known.pop(uid, None)
        self.shared.ledger.accept(self.folder, [uid])
        self.shared.refusals.quarantine.release(self._place(uid))

    def _kept(self, uid: int, kind: str, reason: str, held: Held) -> RefusedRow:
        try:
            return RefusedRow(uid, kind, reason, held.digest, str(held.keep()))
        except OSError as trouble:
            return RefusedRow(uid, kind, f"{reason}; {_not_kept(trouble)}", held.digest)

    def _fail(self, row: RefusedRow, error: MigrationError) -> None:
        self._note(row)
        told = error.become(MessageRefusedError)
        told.message = row.reason
        self.outcome.fail(told.at(folder=show(self.path), uid=row.source_uid, file=row.file))

    def _note(self, row: RefusedRow) -> None:
        self.shared.ledger.refuse(self.folder, row)
        self._known[row.source_uid] = row

    def nuls_hidden(self, uid: int, data: bytes | None) -> None:
        """Remember a message whose NULs the source has given out as 0x80; ``data`` are its true bytes, to be kept."""
        known = self._known.get(uid)
        if known and known.kind == REPAIRED:
            return  # it is the repair that made 0x80 of them
        reason = "the source gives its NUL bytes out as 0x80, and so they are on the target"
        if data is None:
            self._note(RefusedRow(uid, HIDDEN, reason))
            return
        try:
            held = self.shared.refusals.quarantine.hold(self._place(uid), [data])
        except OSError as trouble:
            self._note(RefusedRow(uid, HIDDEN, f"{reason}; {_not_kept(trouble)}"))
        else:
            self._note(self._kept(uid, HIDDEN, reason, held))

    # what is not there to be sent

    def empty(self, uid: int) -> None:
        """Remember a message without a single byte: IMAP can't append it (RFC 3502 section 4), and nothing is lost."""
        if uid not in self._known:
            self._note(RefusedRow(uid, EMPTY, "the message is empty (0 bytes), which IMAP can't append"))

    def gone(self, here: Container[int]) -> None:
        """Forget messages that are no longer on the source; the files of those that have been nowhere else stay."""
        for uid in [one for one in self._known if one not in here]:
            row = self._known.pop(uid)
            self.shared.ledger.accept(self.folder, [uid])
            if row.kind == HIDDEN:
                self.shared.refusals.quarantine.release(self._place(uid))
            elif row.file:
                self.outcome.find(
                    f"{show(self.path)}: UID {uid}, which was refused, is gone from the source; see {row.file}"
                )

    def __contains__(self, uid: int) -> bool:
        """Whether a message was refused, or is empty, and nothing has changed about that."""
        return uid in self._known

    def __len__(self) -> int:
        """How many those are."""
        return len(self._known)

    def close(self) -> None:
        """Remove what was written of messages whose way was not gone to its end."""
        for tried in self._tried.values():
            tried.held.discard()
        self._tried.clear()


def _changes(held: Held) -> bool:
    """Whether a repair would change anything."""
    digest = blake2b(digest_size=DIGEST_SIZE)
    for piece in repaired(held.pieces()):
        digest.update(piece)
    return digest.digest() != held.digest


def _not_kept(trouble: OSError) -> str:
    return f"its bytes could not be written to the quarantine: {trouble.strerror or trouble}"
