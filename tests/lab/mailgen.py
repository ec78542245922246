# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole mailboxes, always the same for the same seed: messages, folders, UIDs with holes, flags, keywords, dates."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from . import messages
from .maildir import Folder, Mail

#: Largest message unless told otherwise, in bytes.
MAX_SIZE = 25 << 20
#: Between these days lie the INTERNALDATEs.
FIRST_DAY, LAST_DAY = messages.seconds(1996, 3), messages.seconds(2026, 11)

KEYWORDS = ("$Forwarded", "$MDNSent", "NonJunk", "Junk", "$Label1", "$Label4", "Wichtig", "to-do", "NIL")
_LIKELY = (("\\Answered", 0.2), ("\\Deleted", 0.01), ("\\Draft", 0.005), ("\\Flagged", 0.07), ("\\Seen", 0.8))
#: Flags and keywords of the first messages of a folder.
ONE_OF_EACH: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((), ()),
    *(((flag,), ()) for flag, dummy in _LIKELY),
    (tuple(flag for flag, dummy in _LIKELY), KEYWORDS),
)
#: Folders that Atmail makes for every account.
STANDARD = (("Sent",), ("Drafts",), ("Trash",), ("Spam",))
#: Folders that users made, in an order in which every beginning has something of everything.
USUAL = (
    ("Projekte", "Müller & Söhne"),
    ("Archive", "2019"),
    ("Привет",),
    ("Archive",),
    ("日本語", "会議"),
    ("Empty folder",),
    ("Rechnungen", "2024", "Q1"),
    ("R&D (old)",),
    ("Party 🎉",),
    ("Archive", "2020"),
    ("Ünïcödé", "ß"),
    ("mailing lists", "dev-list"),
    ("Rechnungen",),
    ("Spaces  inside",),
)
#: Subscribed by every generated mailbox, and not there (case 66).
MISSING = (("Gone long ago",),)


@dataclass(frozen=True)
class Plan:
    """How a generated mailbox shall be.

    `messages` and `folders` are totals (INBOX and the four standard folders come first). Sizes are log-normal with
    this median, in bytes, and end at `max_size`. `huge_gap` leaves out more than a million UIDs in one place.
    """

    seed: str
    messages: int
    folders: int = 9
    median_size: int = 8000
    spread: float = 1.6
    max_size: int = MAX_SIZE
    huge_gap: bool = False


def make_small(count: int, seed: object = 0) -> list[Mail]:
    """Plain messages of 2 to 4 KB, seen, one a minute: what speed is measured with."""
    chance = random.Random(f"small {seed}")
    start = messages.seconds(2024)
    return [
        Mail(
            (messages.plain(chance, start + 60 * number, chance.randint(2048, 4096)),), start + 60 * number, ("\\Seen",)
        )
        for number in range(count)
    ]


def make_mixed(
    count: int, seed: object = 0, *, median_size: int = 8000, spread: float = 1.6, max_size: int = MAX_SIZE
) -> list[Mail]:
    """Messages of all kinds with flags, keywords and dates; every fiftieth is an exact copy of an earlier one."""
    chance = random.Random(f"mixed {seed}")
    result: list[Mail] = []
    date = chance.randint(FIRST_DAY, messages.seconds(2020))
    for number in range(count):
        date = _next_date(chance, date)
        if number % 50 == 49:
            result.append(replace(chance.choice(result), flags=_flags(chance)))
            continue
        size = min(int(median_size * chance.lognormvariate(0, spread)), max_size)
        flags, keywords = _flags(chance), _keywords(chance)
        # However few there are: every flag and every keyword is there.
        if number < len(ONE_OF_EACH):
            flags, keywords = ONE_OF_EACH[number]
        result.append(Mail((messages.message(chance, date, size),), date, flags, keywords))
    return result


def make_huge(size: int, seed: object = 0) -> Mail:
    """One message with an attachment, of about `size` bytes, of which one megabyte is in memory."""
    chance = random.Random(f"huge {seed}")
    date = messages.seconds(2021, 5)
    request = messages.Request(chance, date, size)
    start = messages.headers(
        request, "MIME-Version: 1.0", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64"
    )
    block = messages.attachment(chance, 1 << 20)
    whole, rest = divmod(max(0, size - len(start)), len(block))
    return Mail(
        (start, *(block for dummy in range(whole)), messages.attachment(chance, max(77, rest))), date, ("\\Seen",)
    )


def make_mailbox(plan: Plan) -> Iterator[Folder]:
    """The folders of a mailbox, INBOX first; the one called "Empty folder" is."""
    chance = random.Random(f"mailbox {plan.seed}")
    paths = _paths(plan.folders)
    shares = _shares(chance, plan.messages, paths)
    for number, (path, count) in enumerate(zip(paths, shares, strict=True)):
        mails = make_mixed(
            count, f"{plan.seed} {path}", median_size=plan.median_size, spread=plan.spread, max_size=plan.max_size
        )
        if path == ("Drafts",):
            mails = [replace(mail, flags=tuple(sorted({*mail.flags, "\\Draft"}))) for mail in mails]
        yield make_folder(
            path, mails, chance, subscribed=number % 7 != 6, huge_gap=plan.huge_gap and path == ("Archive", "2019")
        )


def make_folder(
    path: tuple[str, ...],
    mails: Sequence[Mail],
    chance: random.Random,
    *,
    subscribed: bool = True,
    huge_gap: bool = False,
) -> Folder:
    """A folder of these messages with UIDs that have holes, as after years of deleting, and a UIDVALIDITY."""
    uids = _uids(chance, len(mails), huge_gap=huge_gap)
    last = uids[-1] if uids else chance.choice((0, 40))
    uidvalidity = chance.choice((chance.randint(1, 999), chance.randint(1100000000, 1700000000)))
    uidnext = last + 1 + chance.choice((0, 0, 3, 25))
    return Folder(path, uidvalidity, uidnext, list(zip(uids, mails, strict=True)), subscribed)


def _paths(count: int) -> list[tuple[str, ...]]:
    """INBOX, the standard folders, the users' usual ones, and then one a year for as long as it takes."""
    years = [("Archive", str(year)) for year in range(1990, 1990 + count)]
    return [(), *STANDARD, *USUAL, *(path for path in years if path not in USUAL)][:count]


def _shares(chance: random.Random, total: int, paths: Sequence[tuple[str, ...]]) -> list[int]:
    """How many of the messages lie in each folder: INBOX and Sent have most."""
    weights = [0.0 if path == ("Empty folder",) else chance.lognormvariate(0, 0.8) for path in paths]
    for number, factor in enumerate((4.0, 2.5)[: len(weights)]):
        weights[number] *= factor
    shares = [int(total * weight / sum(weights)) for weight in weights]
    shares[0] += total - sum(shares)
    return shares


def _uids(chance: random.Random, count: int, *, huge_gap: bool) -> list[int]:
    result = []
    uid = chance.choice((0, 0, 0, 7, 1500))
    jump_at = count // 2 if huge_gap else -1
    for number in range(count):
        uid += 1 if chance.random() < 0.85 else chance.randint(2, 30)
        if number == jump_at:
            uid += chance.randint(1000000, 2000000)
        result.append(uid)
    return result


def _next_date(chance: random.Random, date: int) -> int:
    """Mostly a little later; sometimes, as when mail is moved or imported, from any other time."""
    if chance.random() < 0.03:
        return chance.randint(FIRST_DAY, LAST_DAY)
    return min(date + int(chance.expovariate(1 / 86400)), LAST_DAY)


def _flags(chance: random.Random) -> tuple[str, ...]:
    return tuple(flag for flag, share in _LIKELY if chance.random() < share)


def _keywords(chance: random.Random) -> tuple[str, ...]:
    return tuple(keyword for keyword in KEYWORDS if chance.random() < 0.04)
