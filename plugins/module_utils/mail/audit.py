# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`mailbox_audit`: prove that target mailboxes are the same as their sources. Only reads, on both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..batch import Counter, Run, twice
from ..errors import ConnectionLostError, InternalError, MigrationError, ThrottledError, TimedOutError
from ..ledger import Ledger
from ..pace import Governor, pace_from_options
from ..progress import MAILBOXES, Progress
from ..tasks import Task, tasks
from ..transport.imap import POP3
from .batch import connections, courtesies
from .compare import CONTENT_KEPT, Difference, compare_messages, compare_states
from .downloads import Download, Tally, by_imap, compare_counts, compare_maildrops
from .folders import INBOX, FolderRules, Path, show, unpacked
from .gates import check_gates, gate, passed
from .identity import Unremembered
from .mapping import map_sides
from .options import check_preauth
from .outcome import refused
from .pile import Entry
from .polite import Patience, connect, courteous, keep_each_other_alive
from .pop_audit import PopReading, read_maildrops, without_attributes
from .pop_source import PopSource
from .reading import Reading
from .report import failed_result
from .server import Server
from .session import Session
from .survey import Folder, FolderState, Side, survey

#: At most so many differences of a mailbox are listed; all are counted.
MAX_LISTED = 1000


@dataclass
class Verdict:
    """What was found for one mailbox; ``identical`` counts everything, ``content_identical`` all but the numbering."""

    source_user: str
    target_user: str
    folders: int = 0
    messages: int = 0
    bytes: int = 0
    differences: list[Difference] = field(default_factory=list)
    differences_total: int = 0
    content_kept: int = 0
    seconds: float = 0.0
    downloads: list[Download] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether both sides are the same in everything."""
        return not self.failures and not self.differences_total

    @property
    def content_identical(self) -> bool:
        """Whether both sides hold the same messages, whatever their UIDs are."""
        return not self.failures and self.differences_total == self.content_kept

    def note(self, differences: Iterator[Difference]) -> None:
        """Count differences, and list them as long as there is room."""
        for difference in differences:
            self.differences_total += 1
            self.content_kept += difference.what in CONTENT_KEPT
            if len(self.differences) < MAX_LISTED:
                self.differences.append(difference)


@dataclass(frozen=True)
class Audit:
    """What all mailboxes of an audit have in common; ``depth`` is ``counts``, ``headers`` or ``full``.

    ``ledger`` is the path of one, or empty: it tells under which names runs have brought the folders.
    """

    source: Server
    target: Server
    rules: FolderRules
    depth: str
    ledger: str = ""

    def places(self, task: Task) -> dict[Path, Path]:
        """Source path → target path of the folders that runs have brought, as far as the ledger knows."""
        if not self.ledger:
            return {}
        with Ledger(self.ledger, read_only=True) as ledger:
            rows = ledger.folders(ledger.mailbox(task.source.user, task.target.user))
        return {unpacked(row.source_path): unpacked(row.target_path) for row in rows if row.target_path}

    def maildrops(self) -> tuple[Server, Server] | None:
        """Both sides' POP3 servers; None when one of them is not known."""
        source, target = self.source.pop3(), self.target.pop3()
        return (source, target) if source and target else None


def audit(options: Mapping[str, Any], *, progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
    """Compare both sides; the module's result.

    :raises MigrationError: an option is wrong, or a mailbox could not be compared (``done`` is the result).
    """
    pace = pace_from_options(options.get("pace"))
    todo = tasks(options, MAILBOXES)
    sides = Server.from_options("source", options["source"]), Server.from_options("target", options["target"])
    how = Audit(
        source=courteous(sides[0], [task.source.user for task in todo], pace),
        target=courteous(sides[1], [task.target.user for task in todo], pace),
        rules=FolderRules.from_options(options.get("folders")),
        depth=str(options.get("depth") or "headers"),
        ledger=str(options.get("ledger") or ""),
    )
    check_preauth(todo, how.source, how.target)
    fail_on = check_gates(options.get("fail_on") or (), with_pop=how.maildrops() is not None)
    duplicates = twice([task.name for task in todo])

    def work(task: Task, counter: Counter) -> Verdict:
        if task.name in duplicates:
            return _failed(task, duplicates[task.name])
        return audit_mailbox(task, how, counter)

    verdicts = Run(
        jobs=todo,
        work=work,
        lost=lambda task, why: _failed(task, MigrationError(why)),
        failed=lambda verdict: bool(verdict.failures),
        governor=Governor(pace),
        slots=connections(pace, how.source, how.target),
        progress=progress,
        courtesies=courtesies(how.source, how.target),
    ).run()
    if options.get("ledger"):
        _explain(verdicts, str(options["ledger"]))
    result = _result(verdicts, with_pop=how.maildrops() is not None)
    result = failed_result(
        result, [verdict.failures for verdict in verdicts], ignore=bool(options.get("ignore_mailbox_errors"))
    )
    gate(result, fail_on)
    return result


def _failed(task: Task, error: MigrationError) -> Verdict:
    return Verdict(task.source.user, task.target.user, failures=[error.at(mailbox=task.target.user).as_dict()])


def _explain(verdicts: Sequence[Verdict], path: str) -> None:
    """Add what the ledger knows of messages that the target refused."""
    with Ledger(path, read_only=True) as ledger:
        for verdict in verdicts:
            verdict.refused = refused(ledger, verdict.source_user, verdict.target_user)
            known = {(one["folder"], one["uid"]): one for one in verdict.refused}
            verdict.differences = [_explained(one, known) for one in verdict.differences]


def _explained(difference: Difference, known: Mapping[tuple[str, int], Mapping[str, Any]]) -> Difference:
    told = known.get((difference.folder, difference.uid or 0))
    if told is None or difference.what == "message_extra":
        return difference
    return replace(difference, reason=told["reason"], file=told["file"])


def _result(verdicts: Sequence[Verdict], *, with_pop: bool) -> dict[str, Any]:
    names = (
        "target_user", "source_user", "identical", "content_identical", "folders", "messages", "bytes",
        "differences_total", "seconds", "refused", "failures",
    )  # fmt: skip
    failed = any(verdict.failures for verdict in verdicts)
    result: dict[str, Any] = {
        "changed": False,
        "identical": all(verdict.identical for verdict in verdicts),
        "content_identical": all(verdict.content_identical for verdict in verdicts),
        "mailboxes": [{name: getattr(verdict, name) for name in names} for verdict in verdicts],
        "differences": [
            {"mailbox": verdict.target_user, **_shown(difference)}
            for verdict in verdicts
            for difference in verdict.differences
        ],
        "downloads": [
            {"mailbox": verdict.target_user, **asdict(download)}
            for verdict in verdicts
            for download in verdict.downloads
        ],
    }
    return result | {"passed": passed(result, failed=failed, with_pop=with_pop)}


def _shown(difference: Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(difference).items() if name != "size"}


# one mailbox


def audit_mailbox(task: Task, how: Audit, counter: Counter) -> Verdict:
    """Compare one mailbox; never raises for the mailbox's sake. A broken connection is made anew."""
    began = time.monotonic()
    try:
        verdict = _with_reconnects(task, how, counter)
    except MigrationError as error:
        verdict = _failed(task, error)
    except Exception as error:  # noqa: BLE001 - one mailbox's trouble must not be the others'
        verdict = _failed(task, InternalError.of(error))
    verdict.seconds = round(time.monotonic() - began, 3)
    return verdict


def _with_reconnects(task: Task, how: Audit, counter: Counter) -> Verdict:
    """Compare until nothing comes in between; a failure that is the mailbox's own is in the verdict."""
    patience = Patience((how.source, how.target), lambda _text: None)
    while True:
        verdict = Verdict(task.source.user, task.target.user)
        try:
            _compare(task, how, counter, verdict)
        except (ConnectionLostError, TimedOutError, ThrottledError) as error:
            patience.before_next(error, connected=True, done=0)
            continue
        except MigrationError as error:
            verdict.failures.append(error.at(mailbox=task.target.user).as_dict())
        patience.succeeded()
        return verdict


def _compare(task: Task, how: Audit, counter: Counter, verdict: Verdict) -> None:
    counts = _compare_mailboxes(task, how, counter, verdict)
    maildrops = how.maildrops()
    if maildrops and not how.rules.excludes(INBOX):
        mine, theirs = read_maildrops((maildrops[0], task.source), (maildrops[1], task.target), how.depth)
        differences, downloads = compare_maildrops(show(INBOX), mine, theirs)
        verdict.note(iter(differences))
        verdict.note(compare_counts(show(INBOX), (len(mine), len(theirs)), counts))
        verdict.downloads += downloads


def _compare_mailboxes(task: Task, how: Audit, counter: Counter, verdict: Verdict) -> tuple[int, int]:
    """Compare all that is not POP3's; gives how many messages INBOX has by IMAP on either side."""
    if how.source.protocol == POP3:
        source: Session | PopSource = PopSource(how.source, task.source, Unremembered())
    else:
        source = connect(how.source, task.source)
    try:
        target = connect(how.target, task.target, meanwhile=source.keep_alive)
        try:
            return _compare_sides((source, target), how, how.places(task), counter, verdict)
        finally:
            target.logout()
    finally:
        source.logout()


def _compare_sides(
    sides: tuple[Session | PopSource, Session],
    how: Audit,
    places: Mapping[Path, Path],
    counter: Counter,
    verdict: Verdict,
) -> tuple[int, int]:
    """Gives how many messages INBOX has by IMAP on either side."""
    source, target = sides
    keep_each_other_alive(source, target)
    kinds = how.rules.namespaces
    here = source.survey() if isinstance(source, PopSource) else survey(source, absent=True, kinds=kinds)
    there = survey(target, absent=True)
    for session in sides:
        session.while_waiting(None)  # from here on each is read by a thread of its own
    mapping = map_sides(here, there, how.rules, places, moving=False).paths
    known = [path for path in mapping if _openable(here, path) and _openable(there, mapping[path])]
    verdict.folders = sum(_openable(here, path) for path in mapping)
    counter.expect(sum(folder.state.messages for path in known if (folder := here.folders[path]).state))
    verdict.note(_compare_lists(here, there, mapping, how.rules))
    for path in known:
        mine, theirs = here.folders[path], there.folders[mapping[path]]
        trouble = mine.trouble or theirs.trouble
        if trouble:
            verdict.failures.append(trouble.at(mailbox=verdict.target_user, folder=show(path)).as_dict())
            continue
        if isinstance(source, PopSource):
            _compare_maildrop(source, (target, theirs), how.depth, verdict, counter)
        else:
            _compare_folder((source, mine), (target, theirs), how.depth, verdict, counter)
    return _count(here), _count(there)


def _count(side: Side) -> int:
    inbox = side.folders.get(INBOX)
    return inbox.state.messages if inbox and inbox.state else 0


def _openable(side: Side, path: Path) -> bool:
    return path in side.folders and side.folders[path].selectable


def _compare_lists(here: Side, there: Side, mapping: Mapping[Path, Path], rules: FolderRules) -> Iterator[Difference]:
    """Differences of the two lists of folders; an empty folder that only the target has is no difference."""
    for path, new in mapping.items():
        if _openable(here, path) and not _openable(there, new):
            yield Difference(show(path), "folder_missing", None, "there", "missing")
            continue
        mine, theirs = here.folders[path].subscribed, new in there.folders and there.folders[new].subscribed
        if rules.subscribe and mine != theirs and not here.partial:
            yield Difference(show(path), "subscription", None, str(mine), str(theirs))
    if here.partial:
        return
    came = set(mapping.values())
    for path, folder in there.existing().items():
        if path not in came and folder.state and folder.state.messages and not rules.excludes(path):
            yield Difference(show(path), "folder_extra", None, "missing", f"{folder.state.messages} messages")


def _compare_folder(
    source: tuple[Session, Folder],
    target: tuple[Session, Folder],
    depth: str,
    verdict: Verdict,
    counter: Counter,
) -> None:
    """Read both folders at the same time and compare them; a failure is noted with the folder's name."""
    name = show(source[1].path)
    here, there = source[1].state, target[1].state
    if not here or not there:
        return
    verdict.note(compare_states(name, here, there))
    tallies = _Tallies()
    same = here.uidvalidity == there.uidvalidity
    with Reading(*source, depth) as mine, Reading(*target, depth) as theirs:
        try:
            pairs = (_counted(mine, verdict, counter), tallies.there_of(theirs))
            verdict.note(tallies.seen(compare_messages(name, *pairs, same_uids=same)))
        except MigrationError as error:
            raise error.at(folder=name) from error
    if (mine.missing, theirs.missing) != (0, 0):
        verdict.note(iter([Difference(name, "unreadable", None, f"{mine.missing}", f"{theirs.missing}")]))
    verdict.downloads += by_imap(
        name,
        renamed=source[1].path != target[1].path,
        same_uidvalidity=same,
        there=tallies.there,
        extra=tallies.extra,
        moved=tallies.moved,
    )


@dataclass
class _Tallies:
    """The target's messages, those that only it has, and those that have another UID there."""

    there: Tally = field(default_factory=Tally)
    extra: Tally = field(default_factory=Tally)
    moved: Tally = field(default_factory=Tally)

    def there_of(self, messages: Iterable[tuple[int, Entry]]) -> Iterator[tuple[int, Entry]]:
        """Count messages as they go by."""
        for uid, entry in messages:
            self.there.add(entry.attributes.size)
            yield uid, entry

    def seen(self, differences: Iterable[Difference]) -> Iterator[Difference]:
        """Count differences as they go by."""
        for difference in differences:
            if difference.what in ("message_extra", "uid"):
                (self.extra if difference.what == "message_extra" else self.moved).add(difference.size)
            yield difference


def _compare_maildrop(
    source: PopSource, target: tuple[Session, Folder], depth: str, verdict: Verdict, counter: Counter
) -> None:
    """Compare INBOX with a source that knows no flags and dates, and perhaps no UIDs."""
    name, state = show(INBOX), target[1].state
    selected = source.examine(b"INBOX")
    numbered = selected.uidvalidity > 0
    if numbered and state:
        verdict.note(compare_states(name, FolderState(selected.exists, selected.uidnext, selected.uidvalidity), state))
    same = bool(numbered and state and state.uidvalidity == selected.uidvalidity)
    mine = PopReading(source, depth)
    with Reading(*target, depth) as theirs:
        try:
            pairs = (_counted(mine, verdict, counter), without_attributes(theirs))
            verdict.note(compare_messages(name, *pairs, same_uids=same))
        except MigrationError as error:
            raise error.at(folder=name) from error
    if (mine.missing, theirs.missing) != (0, 0):
        verdict.note(iter([Difference(name, "unreadable", None, f"{mine.missing}", f"{theirs.missing}")]))


def _counted(messages: Iterable[tuple[int, Entry]], verdict: Verdict, counter: Counter) -> Iterator[tuple[int, Entry]]:
    """The source's messages, counted as they go by."""
    for uid, entry in messages:
        size = entry.attributes.size
        verdict.messages += 1
        verdict.bytes += size
        counter.take(1, size)
        yield uid, entry
