# SPDX-License-Identifier: GPL-3.0-or-later
"""Small mailboxes that have something of everything."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from tests.faults.interruptions.stage import Stage
from tests.integration.checks.world import plain
from tests.lab.maildir import Folder, Mail

DATE = 1_600_000_000
_FLAGS = ((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Deleted", "\\Seen"), ("\\Draft",))
_KEYWORDS = ((), ("$Forwarded",), (), ("NonJunk", "$Label1"))


def mails(count: int, seed: str, size: int = 0) -> list[Mail]:
    """Messages with flags and keywords of all kinds, each different, of at least `size` bytes."""
    body = "hello" + ("\r\n" + "x" * 70) * (size // 72)
    return [
        Mail(
            (plain(f"{seed}-{number}", body).replace(b"\r\n", b"\n"),),
            DATE + 60 * number,
            _FLAGS[number % len(_FLAGS)],
            _KEYWORDS[number % len(_KEYWORDS)],
        )
        for number in range(count)
    ]


def folder(
    name: str,
    what: int | list[Mail],
    *,
    gaps: Mapping[int, int] | None = None,
    uidnext: int = 0,
    subscribed: bool = True,
) -> Folder:
    """A folder with so many messages; its UIDs leave out `gaps[n]` numbers before message n, `uidnext` is the least
    that follows.
    """
    uid, messages = 0, []
    for number, mail in enumerate(mails(what, name or "inbox") if isinstance(what, int) else what):
        uid += 1 + (gaps or {}).get(number, 0)
        messages.append((uid, mail))
    path = tuple(name.split("/")) if name else ()
    # each has a UIDVALIDITY of its own, as Dovecot sees to it: else two folders could change places unnoticed
    uidvalidity = 1_000_000 + zlib.crc32(name.encode()) % 1_000_000
    return Folder(path, uidvalidity, max(uid + 1, uidnext), messages, subscribed)


def usual(stage: Stage) -> None:
    """Four folders, one of them empty, one below another, with small holes in the UIDs."""
    stage.write(folder("", 12, gaps={3: 2, 7: 5}), folder("Sent", 5, gaps={2: 1}), folder("A/B", 2), folder("Empty", 0))


def usual_undeleted(stage: Stage) -> None:
    """The same without messages that are marked as deleted."""
    kept = [Mail(mail.parts, mail.date, ("\\Seen",), mail.keywords) for mail in mails(12, "kept")]
    stage.write(folder("", kept, gaps={3: 2}), folder("Sent", 2), folder("A/B", 2), folder("Empty", 0))


def mirrored(stage: Stage) -> None:
    """The usual mailbox, copied by a run that ended well."""
    usual(stage)
    stage.mirror()


def add_new(stage: Stage, name: str = "INBOX", count: int = 3, seed: str = "new") -> None:
    """New mail on the source."""
    with stage.at_source() as source:
        for number in range(count):
            source.append(name, plain(f"{seed} {name} {number}"), "\\Flagged $Label1" if number % 2 else "")
