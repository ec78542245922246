# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a mail client can see of a mailbox, as a value, and what differs between two of them."""

from __future__ import annotations

import hashlib
import imaplib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .mail import Mailbox, Place

_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ZONE = re.compile(rb'INTERNALDATE "[^"]*([+-])(\d\d)(\d\d)"')
PLACEHOLDER = "$atmailmigrationgap"


@dataclass(frozen=True)
class Message:
    r"""A message: SHA-256 and number of its bytes, flags and keywords but `\Recent`, and the instant received."""

    digest: str
    size: int
    flags: frozenset[str]
    received: int


@dataclass(frozen=True)
class FolderPicture:
    """A folder with its messages by UID."""

    uidvalidity: int
    uidnext: int
    highestmodseq: int
    messages: Mapping[int, Message]

    def contents(self) -> Counter[Message]:
        """The messages as a multiset, for where UIDs are not kept."""
        return Counter(self.messages.values())


@dataclass(frozen=True)
class Picture:
    """A whole mailbox."""

    folders: Mapping[str, FolderPicture]
    subscribed: frozenset[str]
    uidl: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        """Messages in all folders."""
        return sum(len(folder.messages) for folder in self.folders.values())

    def only(self, *names: str) -> Picture:
        """The picture of some folders alone."""
        folders = {name: folder for name, folder in self.folders.items() if name in names}
        return replace(self, folders=folders, subscribed=self.subscribed & set(names))

    def that(self, holds: Callable[[str, int, Message], bool]) -> Picture:
        """The picture with only those messages for which (folder, UID, message) something holds."""
        folders = {
            name: replace(folder, messages={uid: one for uid, one in folder.messages.items() if holds(name, uid, one)})
            for name, folder in self.folders.items()
        }
        return replace(self, folders=folders)

    def named(self, names: Mapping[str, str]) -> Picture:
        """The picture with other names for some folders; those whose new name is empty are left out."""
        kept = {name: names.get(name, name) for name in {*self.folders, *self.subscribed} if names.get(name, name)}
        folders = {kept[name]: folder for name, folder in self.folders.items() if name in kept}
        subscribed = frozenset(kept[name] for name in self.subscribed if name in kept)
        return replace(self, folders=folders, subscribed=subscribed)


def look(place: Place) -> Picture:
    """Read a mailbox whole."""
    with place.open() as mailbox:
        names = [name for name, attributes in mailbox.folders().items() if not _closed(attributes)]
        folders = {name: _folder(mailbox, name) for name in names}
        subscribed = frozenset(mailbox.subscribed())
    return Picture(folders, subscribed, tuple(place.uidl()))


def _closed(attributes: frozenset[str]) -> bool:
    return bool(attributes & {"\\noselect", "\\nonexistent"})


def _folder(mailbox: Mailbox, name: str) -> FolderPicture:
    state = mailbox.status(name)
    mailbox.select(name)
    messages = dict(_message(head, body) for head, body in mailbox.fetch_all()) if state["MESSAGES"] else {}
    assert len(messages) == state["MESSAGES"], (name, len(messages), state)
    return FolderPicture(state["UIDVALIDITY"], state["UIDNEXT"], state.get("HIGHESTMODSEQ", 0), messages)


def _message(head: bytes, body: bytes) -> tuple[int, Message]:
    uid, flags, size = _UID.search(head), _FLAGS.search(head), _SIZE.search(head)
    assert uid, head
    assert flags, head
    assert size, head
    lowered = frozenset(flags[1].decode().lower().split()) - {"\\recent"}
    assert int(size[1]) == len(body), (head, len(body))
    return int(uid[1]), Message(hashlib.sha256(body).hexdigest(), len(body), lowered, _instant(head))


def _instant(head: bytes) -> int:
    """INTERNALDATE as seconds since 1970: imaplib gives local time, whatever zone the server wrote."""
    local = imaplib.Internaldate2tuple(head)
    assert local, head
    return int(time.mktime(local))


# comparing


def differences(source: Picture, target: Picture, *, faithful: bool = True) -> list[str]:
    """Everything that a client could notice, a line each; without `faithful` new UIDs and UIDVALIDITYs are expected.

    Subscriptions to folders that are nowhere then count only for what they are: no server has to take them.
    """
    found = [f"missing folder {name}" for name in source.folders if name not in target.folders]
    found += [f"extra folder {name}" for name in target.folders if name not in source.folders]
    for name, folder in source.folders.items():
        if name in target.folders:
            compare = _same if faithful else _alike
            found += [f"{name}: {text}" for text in compare(folder, target.folders[name])]
    mine, theirs = source.subscribed, target.subscribed
    if not faithful:
        mine, theirs = mine & set(source.folders), theirs & set(source.folders)
    found += [f"subscriptions {sorted(mine ^ theirs)} differ"] if mine != theirs else []
    if faithful and source.uidl != target.uidl:
        found.append(f"POP3 UIDL lists differ: {source.uidl[:3]!r} … against {target.uidl[:3]!r} …")
    return found


def _same(source: FolderPicture, target: FolderPicture) -> list[str]:
    found: list[str] = []
    if source.uidvalidity != target.uidvalidity:
        found.append(f"UIDVALIDITY {source.uidvalidity} became {target.uidvalidity}")
    if target.uidnext < source.uidnext:
        found.append(f"UIDNEXT {source.uidnext} became {target.uidnext}")
    if target.highestmodseq < source.highestmodseq:
        found.append(f"HIGHESTMODSEQ {source.highestmodseq} became {target.highestmodseq}")
    lost, extra = source.messages.keys() - target.messages.keys(), target.messages.keys() - source.messages.keys()
    if lost or extra:
        found.append(f"{len(lost)} UIDs lost {sorted(lost)[:10]}, {len(extra)} extra {sorted(extra)[:10]}")
    for uid in sorted(source.messages.keys() & target.messages.keys()):
        before, after = source.messages[uid], target.messages[uid]
        if before != after:
            found.append(f"UID {uid}: {before} became {after}")
    return found


def _alike(source: FolderPicture, target: FolderPicture) -> list[str]:
    lost, extra = source.contents() - target.contents(), target.contents() - source.contents()
    found = [f"{lost.total()} messages lost: {list(lost)[:3]}"] if lost else []
    return [*found, *([f"{extra.total()} messages extra: {list(extra)[:3]}"] if extra else [])]


def placeholders(picture: Picture) -> list[str]:
    """Gap fillers that were left behind."""
    return [
        f"{name} UID {uid}"
        for name, folder in picture.folders.items()
        for uid, message in folder.messages.items()
        if PLACEHOLDER in message.flags
    ]
