# SPDX-License-Identifier: GPL-3.0-or-later
"""After the cut-over: what came to the source is brought, and what users did on the target stays done."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .checks import wire
from .checks.mail import Mailbox
from .checks.module import Result
from .checks.picture import Picture, look
from .checks.world import Pair, plain


def subjects(picture: Picture) -> dict[str, Counter[str]]:
    """The messages of every folder, each by its digest."""
    return {name: Counter(one.digest for one in folder.messages.values()) for name, folder in picture.folders.items()}


def digest(name: object) -> str:
    import hashlib

    return hashlib.sha256(plain(name)).hexdigest()


def held(pair: Pair) -> dict[str, Counter[str]]:
    return subjects(look(pair.target))


def everything(pair: Pair) -> Counter[str]:
    total: Counter[str] = Counter()
    for folder in held(pair).values():
        total += folder
    return total


def fill(pair: Pair, count: int = 6) -> None:
    """A mailbox with INBOX, Sent and Archive of some messages each, mirrored."""
    with pair.at_source() as source:
        for folder in ("Sent", "Archive"):
            source.create(folder)
        source.subscribe("Sent")
        for folder in ("INBOX", "Sent", "Archive"):
            source.append_many(folder, [plain(f"{folder} {number}") for number in range(1, count + 1)])
    pair.done()
    pair.faithful()


def catch_up(pair: Pair, **changes: Any) -> Result:
    """A run that must succeed, and after which another has nothing to do."""
    result = pair.done(phase="catch_up", **changes)
    wire.forget(pair.world.rawlog(), pair.address)
    again = pair.done(phase="catch_up", **changes)
    assert again["changed"] is False, again.text[:2000]
    assert wire.writes(pair.world.rawlog(), pair.address) == []
    return result


def uid_of(mailbox: Mailbox, folder: str, name: object) -> int:
    mailbox.select(folder)
    (found,) = mailbox._do("uid", "SEARCH", "SUBJECT", f'"{name}"')
    (uid,) = found.split()
    return int(uid)


def test_new_mail_comes_and_nothing_goes(pair: Pair) -> None:
    fill(pair)
    with pair.at_source() as source:
        source.append("INBOX", plain("new on the source"), "\\Flagged")
        source.expunge("INBOX", source.uids("INBOX")[:3])
        source.delete("Archive")
        source.create("Projects")
        source.append("Projects", plain("in a new folder"))
    before = held(pair)
    result = catch_up(pair)
    assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (2, 0)
    after = held(pair)
    assert after["Projects"] == Counter([digest("in a new folder")])
    assert after["INBOX"] == before["INBOX"] + Counter([digest("new on the source")])
    assert after["Archive"] == before["Archive"]
