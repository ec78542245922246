# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`mailbox_audit`: prove that target mailboxes are the same as their sources. Only reads, on both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from ..errors import ConnectionLostError, InternalError, MigrationError, ThrottledError, TimedOutError
from ..ledger import DIGEST_SIZE
from ..pace import Governor, pace_from_options
from ..progress import Progress
from .attributes import flag_key, instant
from .batch import Counter, Run, connections, twice
from .compare import NUMBERING, Difference, Entry, compare_messages, compare_states
from .fetching import Message, fetch_messages
from .folders import FolderRules, Path, show
from .listing import Attributes, read_attributes
from .mailbox import Task
from .mapping import map_sides
from .options import tasks
from .polite import Patience, connect, courteous
from .report import failed_result
from .server import Server
from .session import Session
from .survey import Folder, Side, survey

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
    renumbered: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether both sides are the same in everything."""
        return not self.failures and not self.differences_total

    @property
    def content_identical(self) -> bool:
        """Whether both sides hold the same messages, whatever their UIDs are."""
        return not self.failures and self.differences_total == self.renumbered

    def note(self, differences: Iterator[Difference]) -> None:
        """Count differences, and list them as long as there is room."""
        for difference in differences:
            self.differences_total += 1
            self.renumbered += difference.what in NUMBERING
            if len(self.differences) < MAX_LISTED:
                self.differences.append(difference)


@dataclass(frozen=True)
class Audit:
    """What all mailboxes of an audit have in common; ``depth`` is ``counts``, ``headers`` or ``full``."""

    source: Server
    target: Server
    rules: FolderRules
    depth: str


def audit(options: Mapping[str, Any], *, progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
    """Compare both sides; the module's result.

    :raises MigrationError: an option is wrong, or a mailbox could not be compared (``done`` is the result).
    """
    pace = pace_from_options(options.get("pace"))
    todo = tasks(options["mailboxes"])
    sides = Server.from_options("source", options["source"]), Server.from_options("target", options["target"])
    how = Audit(
        source=courteous(sides[0], [task.source.user for task in todo], pace),
        target=courteous(sides[1], [task.target.user for task in todo], pace),
        rules=FolderRules.from_options(options.get("folders")),
        depth=str(options.get("depth") or "headers"),
    )
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
        servers=(how.source, how.target),
    ).run()
    return _result(verdicts, ignore=bool(options.get("ignore_mailbox_errors")))


def _failed(task: Task, error: MigrationError) -> Verdict:
    return Verdict(task.source.user, task.target.user, failures=[error.at(mailbox=task.target.user).as_dict()])


def _result(verdicts: Sequence[Verdict], *, ignore: bool) -> dict[str, Any]:
    names = (
        "target_user", "source_user", "identical", "content_identical", "folders", "messages", "bytes",
        "differences_total", "seconds", "failures",
    )  # fmt: skip
    result = {
        "changed": False,
        "identical": all(verdict.identical for verdict in verdicts),
        "content_identical": all(verdict.content_identical for verdict in verdicts),
        "mailboxes": [{name: getattr(verdict, name) for name in names} for verdict in verdicts],
        "differences": [
            {"mailbox": verdict.target_user, **asdict(difference)}
            for verdict in verdicts
            for difference in verdict.differences
        ],
    }
    return failed_result(result, [verdict.failures for verdict in verdicts], ignore=ignore)


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
    source = connect(how.source, task.source)
    try:
        target = connect(how.target, task.target, meanwhile=source.keep_alive)
        try:
            _compare_sides(source, target, how, counter, verdict)
        finally:
            target.logout()
    finally:
        source.logout()


def _compare_sides(source: Session, target: Session, how: Audit, counter: Counter, verdict: Verdict) -> None:
    here, there = survey(source, absent=True, kinds=how.rules.namespaces), survey(target, absent=True)
    mapping = map_sides(here, there, how.rules).paths
    known = [path for path in mapping if _openable(here, path) and _openable(there, mapping[path])]
    verdict.folders = sum(_openable(here, path) for path in mapping)
    counter.expect(sum(folder.state.messages for path in known if (folder := here.folders[path]).state))
    verdict.note(_compare_lists(here, there, mapping, how.rules))
    with ThreadPoolExecutor(max_workers=1) as pool:
        for path in known:
            mine, theirs = here.folders[path], there.folders[mapping[path]]
            if mine.trouble or theirs.trouble:
                raise (mine.trouble or theirs.trouble or MigrationError("the folder can't be opened"))
            _compare_folder(pool, (source, mine), (target, theirs), how.depth, verdict, counter)


def _openable(side: Side, path: Path) -> bool:
    return path in side.folders and side.folders[path].selectable


def _compare_lists(here: Side, there: Side, mapping: Mapping[Path, Path], rules: FolderRules) -> Iterator[Difference]:
    """Differences of the two lists of folders; an empty folder that only the target has is no difference."""
    for path, new in mapping.items():
        if _openable(here, path) and not _openable(there, new):
            yield Difference(show(path), "folder_missing", None, "there", "missing")
            continue
        mine, theirs = here.folders[path].subscribed, new in there.folders and there.folders[new].subscribed
        if rules.subscribe and mine != theirs:
            yield Difference(show(path), "subscription", None, str(mine), str(theirs))
    came = set(mapping.values())
    for path, folder in there.existing().items():
        if path not in came and folder.state and folder.state.messages and not rules.excludes(path):
            yield Difference(show(path), "folder_extra", None, "missing", f"{folder.state.messages} messages")


def _compare_folder(
    pool: ThreadPoolExecutor,
    source: tuple[Session, Folder],
    target: tuple[Session, Folder],
    depth: str,
    verdict: Verdict,
    counter: Counter,
) -> None:
    """Read both folders at the same time and compare them; a failure is noted with the folder's name."""
    name = show(source[1].path)
    try:
        reading = pool.submit(_read, *target, depth)
        try:
            mine = _read(*source, depth)
        finally:
            theirs = reading.result()
    except MigrationError as error:
        raise error.at(folder=name) from error
    size = sum(entry.attributes.size for entry in mine.values())
    verdict.messages += len(mine)
    verdict.bytes += size
    counter.take(len(mine), size)
    here, there = source[1].state, target[1].state
    if here and there:
        verdict.note(compare_states(name, here, there))
        same = here.uidvalidity == there.uidvalidity
        verdict.note(compare_messages(name, mine, theirs, same_uids=same))


def _read(session: Session, folder: Folder, depth: str) -> dict[int, Entry]:
    """UID → entry of every message in a folder, with digests of as much as ``depth`` says."""
    selected = session.select(folder.name, read_only=True)
    if not selected.exists:
        return {}
    if depth == "full":
        return {
            message.uid: Entry(Attributes(flag_key(message.flags), instant(message.date), message.size), digest)
            for message, digest in _digests(session, b"")
        }
    known = read_attributes(session, selected.exists)
    if depth == "counts":
        return {uid: Entry(attributes) for uid, attributes in known.items()}
    headers = {message.uid: digest for message, digest in _digests(session, b"HEADER")}
    return {uid: Entry(attributes, headers.get(uid, b"unread")) for uid, attributes in known.items()}


def _digests(session: Session, section: bytes) -> Iterator[tuple[Message, bytes]]:
    for message in fetch_messages(session, None, 1, 2**32 - 1, section):
        digest = blake2b(digest_size=DIGEST_SIZE)
        for piece in message.pieces():
            digest.update(piece)
        yield message, digest.digest()
