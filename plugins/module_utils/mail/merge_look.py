# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Looking at a folder after the cut-over: what the source has new and changed, and what of that is known already.

Nothing is written here. What comes out is a :class:`~.merge.MergeLook`, from which the folder is planned, and what the
ledger has to be told when work begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..ledger import DepartedRow, FolderRow, MessageRow
from ..ledger_refused import EMPTY
from .attributes import flag_key, is_placeholder
from .deltas import Since, adds_up
from .elsewhere import Elsewhere, Trace
from .listing import Listing, is_gap, read_fingerprints, read_flags, read_some_flags
from .look import examine_source, source_renewed, target_renewed
from .merge import MergeLook
from .plan import FRESH, MAPPED, Pair, Step, match
from .session import Selected

if TYPE_CHECKING:
    from .folder import SharedState


@dataclass
class MergeSeen:
    """A folder of both sides; ``target`` is None where it is not there.

    ``rows`` are the ledger's, of messages that changed on the source (with ``target_renewed``, of all that are there);
    ``departed`` are those no longer on the source; ``used`` tells by which trace a new source UID was recognised, and
    ``digests`` what is known of those that were recognised without one.
    """

    source: Selected
    target: Selected | None
    here: dict[int, bytes] = field(default_factory=dict)
    there: dict[int, bytes] = field(default_factory=dict)
    rows: dict[int, MessageRow] = field(default_factory=dict)
    new: list[int] = field(default_factory=list)
    departed: list[MessageRow] = field(default_factory=list)
    source_renewed: bool = False
    target_renewed: bool = False
    own: dict[int, Trace] = field(default_factory=dict)
    used: dict[int, Trace] = field(default_factory=dict)
    matched: dict[int, int] = field(default_factory=dict)
    gaps: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()
    digests: dict[int, bytes] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    faithful: bool = True

    def look(self) -> MergeLook:
        """What the folder is planned from."""
        return MergeLook(
            source=self.here,
            target=self.there,
            pairs={uid: Pair(row.target_uid, row.flags) for uid, row in self.rows.items()},
            matched=self.matched,
            gaps=self.gaps,
            same_uidvalidity=self.target.uidvalidity == self.source.uidvalidity if self.target else self.faithful,
            target_uidnext=self.target.uidnext if self.target else 1,
            base_flags={uid: trace.row.flags for uid, trace in self.used.items() if uid in self.matched},
            elsewhere=self.elsewhere,
            base_reasons=self.reasons,
        )


def look_after(shared: SharedState, step: Step, row: FolderRow | None, memory: Elsewhere) -> MergeSeen:
    """Both sides of a folder; ``row`` is what the ledger remembers of it, ``memory`` what it knows of other folders.

    :raises MigrationError: a side can't be read.
    """
    return _Looking(shared, step, row, memory).look()


class _Looking:
    """The steps of a look."""

    def __init__(self, shared: SharedState, step: Step, row: FolderRow | None, memory: Elsewhere) -> None:
        self._shared, self._step, self._row, self._memory = shared, step, row, memory
        self._seen: MergeSeen

    def look(self) -> MergeSeen:
        shared, step, row = self._shared, self._step, self._row
        target = shared.target.select(step.target.name, read_only=True) if step.target else None
        renewed = bool(row and target and target_renewed(row, target))
        changed = self._by_changes() if row and not renewed else None
        if changed is None:
            self._seen = MergeSeen(examine_source(shared, step), target, target_renewed=renewed)
            self._sift(shared.source.flags())
        else:
            self._seen = changed
            self._seen.target = target
        seen = self._seen
        policy = shared.policy.of(step.target_path)
        seen.faithful = policy.fidelity != MAPPED and not policy.no_faithful
        seen.reasons = row.reasons if row and target and row.fidelity == MAPPED else ()
        self._leave_out_empty()
        self._traces()
        self._read_target()
        self._recognise()
        self._recognise_elsewhere()
        return seen

    # the source

    def _by_changes(self) -> MergeSeen | None:
        """What the source says has changed since the base; None when it can't tell, or its answer does not add up."""
        shared, row, base = self._shared, self._row, self._step.base
        folder, state = self._step.source, base.source if base else None
        if not row or not folder or state is None or state.uidvalidity != row.source_uidvalidity:
            return None
        ledger, wanted = shared.ledger, shared.policy.delta
        since = Since(state, lambda: ledger.each_uid(row.id, "source"))
        found = shared.source.changes(folder.name, since, wanted)
        if found is None:
            return None
        source, changes = found
        if source.uidnext < state.uidnext:
            return None
        gone = ledger.messages_within(row.id, "source", changes.gone)
        if not adds_up(state, source, changes, len(gone)):
            shared.source.distrust(changes.way)
            return None
        rows = {one.source_uid: one for one in ledger.messages_of(row.id, changes.flags)}
        here = dict(changes.flags)
        new = sorted(uid for uid in here if uid not in rows)
        return MergeSeen(source, None, here=here, rows=rows, new=new, departed=gone)

    def _sift(self, listing: Listing) -> None:
        """Tell what is new and what has changed from what is as it was."""
        seen, row = self._seen, self._row
        known = bytearray(len(listing))
        if row and source_renewed(row, seen.source):
            seen.source_renewed = True
            seen.departed = self._shared.ledger.messages(row.id)
        elif row:
            for one in self._shared.ledger.each_message(row.id):
                at = listing.index(one.source_uid)
                if at < 0:
                    seen.departed.append(one)
                    continue
                known[at] = 1
                if seen.target_renewed or flag_key(listing.at(at)[1]) != one.flags:
                    seen.rows[one.source_uid] = one._replace(target_uid=0) if seen.target_renewed else one
        seen.new = [listing.at(at)[0] for at, is_known in enumerate(known) if not is_known]
        seen.here = {uid: listing[uid] for uid in (*seen.new, *seen.rows)}

    def _leave_out_empty(self) -> None:
        """Messages of which it is known that they have no bytes: there is nothing to bring."""
        seen, row = self._seen, self._row
        if row is None or seen.source_renewed or not seen.new:
            return
        empty = {uid for uid, one in self._shared.ledger.refused(row.id).items() if one.kind == EMPTY}
        seen.new = [uid for uid in seen.new if uid not in empty]
        seen.here = {uid: flags for uid, flags in seen.here.items() if uid not in empty}

    def _traces(self) -> None:
        """Messages that are no longer on the source, by the UID of their copy in this target folder."""
        seen, row = self._seen, self._row
        if row is None or seen.target_renewed:
            return
        seen.own = self._memory.aside(row.id)
        for one in seen.departed:
            if one.target_uid:
                gone = DepartedRow(row.source_uidvalidity, one.source_uid, one.target_uid, one.flags, one.digest)
                seen.own[one.target_uid] = Trace(row.id, gone)

    # the target

    def _read_target(self) -> None:
        """What of the target folder matters: copies of what changed and, where they count, messages nobody brought."""
        seen, row = self._seen, self._row
        if seen.target is None:
            return
        wanted = {one.target_uid for one in seen.rows.values()}
        if row and not self._memory.doubtful and not seen.new and not seen.target_renewed:
            seen.there = read_some_flags(self._shared.target, sorted(wanted - {0}))
            return
        listing = read_flags(self._shared.target, seen.target.exists)
        claimed = bytearray(len(listing))
        for uid in self._claimed():
            at = listing.index(uid)
            if at >= 0 and uid not in wanted:
                claimed[at] = 1
        seen.there = dict(listing.at(at) for at, is_claimed in enumerate(claimed) if not is_claimed)

    def _claimed(self) -> Iterator[int]:
        """UIDs on the target of messages that are still on the source."""
        row, seen = self._row, self._seen
        if row is None or seen.target_renewed or seen.source_renewed:
            return
        gone = {one.source_uid for one in seen.departed}
        for one in self._shared.ledger.each_message(row.id):
            if one.source_uid not in gone:
                yield one.target_uid

    # what is known already

    def _recognise(self) -> None:
        """Match messages that no row knows with those of the target folder that belong to none, as a multiset.

        A killed run may have brought them; or somebody has put the same message on both sides. Where the target folder
        got another UIDVALIDITY, the messages that runs have brought there are found again in the same way.
        """
        seen = self._seen
        known = {one.target_uid for one in seen.rows.values()}
        there = sorted(uid for uid, flags in seen.there.items() if uid not in known and not is_placeholder(flags))
        here = sorted([*seen.new, *(seen.rows if seen.target_renewed else ())])
        if not here or not there:
            return
        theirs = read_fingerprints(self._shared.target, there)
        seen.gaps = frozenset(uid for uid, print_ in theirs.items() if is_gap(print_))
        left = {uid: print_ for uid, print_ in theirs.items() if uid not in seen.gaps}
        found = match(self._shared.source.fingerprints(here), left) if left else {}
        for uid, target_uid in found.items():
            if uid in seen.rows:
                seen.rows[uid] = seen.rows[uid]._replace(target_uid=target_uid)
                continue
            seen.matched[uid] = target_uid
            if target_uid in seen.own:
                seen.used[uid] = seen.own[target_uid]
                self._memory.spend(seen.own[target_uid])

    def _recognise_elsewhere(self) -> None:
        """Find messages that are new here and known from somewhere else."""
        seen = self._seen
        new = [uid for uid in seen.new if uid not in seen.matched]
        wide = self._is_doubtful()
        if not new or not self._memory.prepare(wide=wide):
            self._reopen()
            return
        self._reopen()
        traces, strays = self._memory.find(new)
        here = {uid: trace for uid, trace in traces.items() if self._is_here(trace)}
        seen.used |= traces
        seen.matched |= {uid: trace.row.target_uid for uid, trace in here.items()}
        seen.elsewhere = frozenset((traces.keys() - here.keys()) | strays.keys())
        seen.digests = strays

    def _is_doubtful(self) -> bool:
        """Whether the ledger may not know all that was brought: it was lost, is an old one, or a run was killed."""
        seen = self._seen
        known = self._row is not None or self._step.action == FRESH
        return self._memory.doubtful or not known or seen.target_renewed or bool(seen.matched)

    def _is_here(self, trace: Trace) -> bool:
        """Whether the message that a trace is of is in this very folder on the target, and there still."""
        own = self._seen.own.get(trace.row.target_uid)
        return own is not None and own.key == trace.key and trace.row.target_uid in self._seen.there

    def _reopen(self) -> None:
        """Open the folder again on both sides: others may have been opened in between."""
        examine_source(self._shared, self._step)
        if self._step.target is not None:
            self._shared.target.select(self._step.target.name, read_only=True)
