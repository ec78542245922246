# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Recognising messages that are known under another name: moved by a user since the base, on either side.

Two pools are asked, each thing in them once. Messages that runs have brought and that are no longer where they were on
the source are known by the digest of their bytes: seen in another folder of the source, such a message was moved there,
and the target has it already, or its user has deleted it. And, where the ledger can't be trusted to know everything,
messages on the target that belong to no message of the source are known by their fingerprints: such a one may be the
message that a killed run has brought, and that its user has moved since.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from ..errors import FolderError, MessageUnreadableError
from ..ledger import DIGEST_SIZE, DepartedRow, FolderRow
from .attributes import is_placeholder
from .folders import Path
from .listing import Fingerprint, is_gap, read_fingerprints, read_flags
from .merge import Key, take
from .plan import match
from .survey import FolderState, Side

if TYPE_CHECKING:
    from .folder import SharedState


class Trace(NamedTuple):
    """A message that a run brought and that is no longer where it was on the source; ``folder`` is the ledger's."""

    folder: int
    row: DepartedRow

    @property
    def key(self) -> tuple[int, int, int]:
        """What names it."""
        return self.folder, self.row.source_uidvalidity, self.row.source_uid


class Elsewhere:
    """The pools of one mailbox, filled when they are first needed and read-only but for what is taken from them."""

    def __init__(self, shared: SharedState, source: Side, target: Side, mapping: Mapping[Path, Path]) -> None:
        self._shared, self._source, self._target, self._mapping = shared, source, target, mapping
        rows = self._rows()
        here = [rows[path] for path in source.existing() if path in rows]
        #: Whether a run may have brought messages that the ledger does not know: it knows nothing, or one was ended.
        self.doubtful = not rows or any(row.source_state is None for row in here)
        self._spent: set[tuple[int, int, int]] = set()
        self._by_digest: dict[bytes, list[Trace]] | None = None
        self._by_print: dict[Fingerprint, list[Trace]] = {}
        self._strays: dict[Fingerprint, list[int]] | None = None
        self._unresolved = 0

    def aside(self, folder: int) -> dict[int, Trace]:
        """What the ledger has put aside of a folder, by the UID of the target's copy."""
        found = [trace for trace in self._put_aside() if trace.folder == folder and trace.row.target_uid]
        return {trace.row.target_uid: trace for trace in found if trace.key not in self._spent}

    def spend(self, trace: Trace) -> None:
        """Take from the pools what was recognised without them."""
        self._spent.add(trace.key)

    def prepare(self, *, wide: bool) -> bool:
        """Fill the pools, on both sides' connections: what was open there no longer is. Whether there is anything.

        ``wide`` asks for the messages of the target that belong to none of the source, too; so does a trace that tells
        neither a digest nor where the target's copy is.
        """
        if self._by_digest is None:
            self._fill()
        if (wide or self._unresolved) and self._strays is None:
            self._strays = defaultdict(list)
            for path in self._target.existing():
                # a folder that can't be opened is no reason to leave new mail behind
                with contextlib.suppress(FolderError):
                    for print_ in self._leftover(path):
                        self._strays[print_].append(0)
        return bool(self._by_digest or self._by_print or self._strays)

    def find(self, uids: Sequence[int]) -> tuple[dict[int, Trace], dict[int, bytes]]:
        """Which of these messages of the source folder that is open are known elsewhere.

        Gives the traces by which some are known, and of strays the digests, by which they will be known from now on.
        """
        traces: dict[int, Trace] = {}
        rest = list(uids)
        if self._by_digest:
            traces = self._unspent(self._by_digest, self._digests(rest))
            rest = [uid for uid in rest if uid not in traces]
        if not rest or not (self._by_print or self._strays):
            return traces, {}
        prints = self._shared.source.fingerprints(rest)
        traces |= self._unspent(self._by_print, prints)
        left = {uid: print_ for uid, print_ in prints.items() if uid not in traces}
        strays = sorted(take(self._strays or {}, left))
        return traces, self._digests(strays) if strays else {}

    def _unspent(self, pool: dict[Key, list[Trace]], wanted: Mapping[int, Key]) -> dict[int, Trace]:
        for key in set(wanted.values()):
            if key in pool:
                pool[key] = [trace for trace in pool[key] if trace.key not in self._spent]
        found = take(pool, wanted)
        self._spent.update(trace.key for trace in found.values())
        return found

    def _digests(self, uids: Sequence[int]) -> dict[int, bytes]:
        """UID → digest of the bytes, as the ledger has it of what was copied; a message at a time, in pieces."""
        found: dict[int, bytes] = {}
        with contextlib.suppress(MessageUnreadableError):  # told when it is copied
            for message in self._shared.source.messages(uids, uids[0], uids[-1]):
                digest = blake2b(digest_size=DIGEST_SIZE)
                for piece in message.pieces():
                    digest.update(piece)
                self._shared.meter.take(0, message.size)
                found[message.uid] = digest.digest()
        return found

    # what has gone from the source

    def _put_aside(self) -> list[Trace]:
        return [Trace(folder, row) for folder, row in self._shared.ledger.departed(self._shared.mailbox)]

    def _rows(self) -> dict[Path, FolderRow]:
        """The ledger's folders as they are now: those that this run has been through are up to date."""
        rows = self._shared.ledger.folders(self._shared.mailbox)
        return {tuple(row.source_path.split(b"\0")): row for row in rows}

    def _fill(self) -> None:
        self._by_digest = defaultdict(list)
        nameless: dict[int, list[Trace]] = defaultdict(list)
        for trace in [*self._put_aside(), *self._gone()]:
            if trace.key in self._spent:
                continue
            if trace.row.digest:
                self._by_digest[trace.row.digest].append(trace)
            elif trace.row.target_uid:
                nameless[trace.folder].append(trace)
            else:
                self._unresolved += 1
        self._by_print = self._prints(nameless)
        known = sum(len(some) for some in self._by_print.values())
        self._unresolved += sum(len(some) for some in nameless.values()) - known

    def _gone(self) -> Iterator[Trace]:
        """Messages that runs have brought and that are gone from folders which this run has not been through yet.

        Those of folders that the source has made anew come last: they may be there again under other UIDs.
        """
        renewed: list[FolderRow] = []
        for path, row in self._rows().items():
            folder = self._source.existing().get(path)
            if folder is not None and folder.state and folder.state.uidvalidity != row.source_uidvalidity:
                renewed.append(row)
            elif folder is None:
                yield from self._all(row)
            elif row.source_state != _four(folder.state):
                with contextlib.suppress(FolderError):
                    here = set(self._listed(folder.name))
                    yield from (trace for trace in self._all(row) if trace.row.source_uid not in here)
        for row in renewed:
            yield from self._all(row)

    def _listed(self, name: bytes) -> Iterable[int]:
        self._shared.source.examine(name)
        return self._shared.source.flags()

    def _all(self, row: FolderRow) -> Iterator[Trace]:
        """Every message that the ledger has of a folder."""
        for one in self._shared.ledger.messages(row.id):
            trace = DepartedRow(row.source_uidvalidity, one.source_uid, one.target_uid, one.flags, one.digest)
            yield Trace(row.id, trace)

    def _prints(self, nameless: Mapping[int, Sequence[Trace]]) -> dict[Fingerprint, list[Trace]]:
        """What has no digest, because it was recognised and not copied, by the fingerprint of the target's copy."""
        found: dict[Fingerprint, list[Trace]] = defaultdict(list)
        for path, row in self._rows().items():
            there = self._target.existing().get(self._mapping.get(path, path))
            if row.id not in nameless or not there or not there.state:
                continue
            if there.state.uidvalidity == row.target_uidvalidity:
                self._shared.target.select(there.name, read_only=True)
                by_uid = {trace.row.target_uid: trace for trace in nameless[row.id]}
                for uid, print_ in read_fingerprints(self._shared.target, sorted(by_uid)).items():
                    found[print_].append(by_uid[uid])
        return found

    # what the target has and the source has not

    def _leftover(self, path: Path) -> Iterator[Fingerprint]:
        """Fingerprints of messages in a target folder that belong to none in its source folder."""
        session = self._shared.target
        target = session.select(self._target.folders[path].name, read_only=True)
        flags = read_flags(session, target.exists)
        row, source = self._counterpart(path)
        claimed: set[int] = set()
        known: set[int] = set()
        if row and row.target_uidvalidity == target.uidvalidity:
            rows = self._shared.ledger.messages(row.id)
            claimed = {one.target_uid for one in rows} | set(self.aside(row.id))
            known = {one.source_uid for one in rows} if source and row.source_uidvalidity == source[1] else set()
        theirs = read_fingerprints(
            session, sorted(uid for uid in flags if uid not in claimed and not is_placeholder(flags[uid]))
        )
        theirs = {uid: print_ for uid, print_ in theirs.items() if not is_gap(print_)}
        if source is None or not theirs:
            yield from theirs.values()
            return
        here = sorted(set(self._listed(source[0])) - known)
        matched = match(self._shared.source.fingerprints(here), theirs) if here else {}
        taken = set(matched.values())
        yield from (print_ for uid, print_ in theirs.items() if uid not in taken)

    def _counterpart(self, path: Path) -> tuple[FolderRow | None, tuple[bytes, int] | None]:
        """The ledger's row of the source folder that a target folder belongs to; that folder's name and UIDVALIDITY."""
        for old, new in self._mapping.items():
            if new == path:
                folder = self._source.existing().get(old)
                state = folder.state if folder else None
                return self._rows().get(old), (folder.name, state.uidvalidity) if folder and state else None
        return None, None


def _four(state: FolderState | None) -> tuple[int, ...] | None:
    return (state.messages, state.uidnext, state.uidvalidity, state.highestmodseq) if state else None
