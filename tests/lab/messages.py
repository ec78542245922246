# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as people really have them, the same ones again for the same seed.

Text and attachments are cut out of two pools that are made once a process, so that a mailbox of 150 MB costs little
more time than writing it.
"""

from __future__ import annotations

import base64
import calendar
import email.utils
import functools
import quopri
import random
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

_WORDS = re.findall(
    r"\S+",
    "the quick report of our meeting about invoices and delivery dates was sent to all partners in Melbourne please"
    " find attached a draft contract for your review we will call you on Monday regards thanks again sorry for reply"
    " as discussed yesterday server backup finished without errors new version available order number shipped customer"
    " asks whether price includes tax holiday family photos tickets booked flight train hotel lunch tomorrow",
)
_ACCENTED = re.findall(
    r"\S+",
    "Grüße Straße Köln Málaga façade naïve Øresund Łódź Żubr Čapek Ångström привет встреча договор 会議 資料 東京",
)
_PEOPLE = (
    ("Ann Lee", "ann.lee"),
    ("Dieter Müller", "d.mueller"),
    ("Chloé Martin", "chloe"),
    ("O'Brien, Sean", "sean.obrien"),
    ("山田太郎", "yamada"),
    ("Accounts Payable", "ap"),
    ("noreply", "noreply"),
    ("Søren Ærø", "soren"),
)
_PLACES = ("example.com", "example.net", "example.org", "partner.example", "lists.example.org")
_FILE_NAMES = ("invoice-2291.pdf", "Fotos.zip", "Angebot Müller.docx", "scan0001.jpg", "data.csv", "backup.tar.gz")
_TYPES = ("application/pdf", "application/zip", "image/jpeg", "application/octet-stream", "text/csv")

Chance = random.Random


@dataclass(frozen=True)
class Request:
    """What a kind of message is made from: its chance, its date (seconds since 1970) and about how long it shall be."""

    chance: Chance
    date: int
    size: int


def message(chance: Chance, date: int, size: int) -> bytes:
    """One message of about `size` bytes; what kind it is of is left to chance."""
    (make,) = chance.choices(_KINDS, _WEIGHTS)
    return make(Request(chance, date, size))


def plain(chance: Chance, date: int, size: int) -> bytes:
    """A plain text message of about `size` bytes."""
    return _plain(Request(chance, date, size))


def headers(request: Request, *lines: str) -> bytes:
    """A usual header with the given lines at its end, and the empty line after it."""
    chance = request.chance
    sender, recipient = _person(chance), _person(chance)
    stamp = email.utils.formatdate(request.date + chance.randint(-30, 0), localtime=False)
    text = [f"Return-Path: <{sender[1]}>"]
    for hop in range(chance.randint(1, 4)):
        text.append(f"Received: from mx{hop}.example.net (mx{hop}.example.net [192.0.2.{chance.randint(1, 254)}])")
        text.append(f"\tby mail.example with ESMTPS id {chance.getrandbits(48):012X}; {stamp}")
    text += [
        f"Message-ID: <{chance.getrandbits(80):020x}@{sender[1].partition('@')[2]}>",
        f"Date: {stamp}",
        f"From: {sender[0]} <{sender[1]}>",
        f"To: {recipient[0]} <{recipient[1]}>",
        f"Subject: {_subject(chance)}",
    ]
    if chance.random() < 0.3:
        text.append(f"References: <{chance.getrandbits(64):x}@example.com>\n\t<{chance.getrandbits(64):x}@example.net>")
    if chance.random() < 0.2:
        text.append("X-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,\n\tRCVD_IN_DNSWL_NONE autolearn=ham")
    text += lines
    return "\n".join(text).encode() + b"\n\n"


def prose(chance: Chance, size: int) -> bytes:
    """About `size` bytes of ASCII text in lines, ending in LF."""
    return _cut(_prose_pool(), chance, size)


def attachment(chance: Chance, size: int) -> bytes:
    """About `size` bytes of base64 in lines of 76 characters, ending in LF."""
    return _cut(_base64_pool(), chance, size)


def _cut(pool: bytes, chance: Chance, size: int) -> bytes:
    """Whole lines out of a pool, from a place left to chance; a pool that is too short is used again."""
    start = pool.index(b"\n", chance.randrange(len(pool) // 2)) + 1
    result = pool[start : start + size]
    while len(result) < size:
        result += pool[: size - len(result)]
    return result[: result.rfind(b"\n") + 1] or b"short\n"


@functools.cache
def _prose_pool() -> bytes:
    chance = random.Random("prose")
    return (
        "\n".join(" ".join(chance.choices(_WORDS, k=chance.randint(4, 12))) for dummy in range(8000)).encode() + b"\n"
    )


@functools.cache
def _base64_pool() -> bytes:
    return base64.encodebytes(random.Random("base64").randbytes(2 << 20))


def _person(chance: Chance) -> tuple[str, str]:
    name, local = chance.choice(_PEOPLE)
    return _word(name) if not name.isascii() else f'"{name}"', f"{local}@{chance.choice(_PLACES)}"


def _subject(chance: Chance) -> str:
    text = " ".join(chance.choices(_WORDS, k=chance.randint(2, 7))).capitalize()
    if chance.random() < 0.25:
        text = _word(f"{chance.choice(_ACCENTED)} {text[:30]}")
    return ("Re: " if chance.random() < 0.3 else "") + text


def _word(text: str) -> str:
    """An encoded word (RFC 2047 section 2)."""
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode('ascii')}?="


def _boundary(chance: Chance) -> str:
    return f"=_{chance.getrandbits(96):024x}"


def _plain(request: Request) -> bytes:
    return headers(request) + prose(request.chance, max(80, request.size - 700))


def _utf8(request: Request) -> bytes:
    start = headers(
        request, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"
    )
    accents = " ".join(request.chance.choices(_ACCENTED, k=12)).encode()
    return start + accents + b"\n\n" + prose(request.chance, max(80, request.size - 900))


def _latin1_header(request: Request) -> bytes:
    """8-bit bytes in the header itself, which no standard allows and many programs sent (case 19)."""
    start = headers(request, "X-Company: COMPANY").replace(b"COMPANY", "Müller & Söhne".encode("latin-1"))
    return start + prose(request.chance, max(80, request.size - 800))


def _quoted_printable(request: Request) -> bytes:
    start = headers(
        request,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=ISO-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
    )
    accents = quopri.encodestring("Schöne Grüße aus Österreich, à bientôt.\n".encode("latin-1") * 3)
    return start + accents + prose(request.chance, max(80, request.size - 1000))


def _alternative(request: Request) -> bytes:
    boundary = _boundary(request.chance)
    half = max(80, (request.size - 1200) // 2)
    text = prose(request.chance, half)
    html = b"<html><body><p>" + prose(request.chance, half).replace(b"\n", b"<br>\n") + b"</p></body></html>\n"
    return headers(
        request, "MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{boundary}"'
    ) + _multipart(boundary, (b"Content-Type: text/plain\n\n" + text, b"Content-Type: text/html\n\n" + html))


def _attached(request: Request) -> bytes:
    chance = request.chance
    boundary = _boundary(chance)
    text = b"Content-Type: text/plain; charset=us-ascii\n\n" + prose(chance, chance.randint(100, 1500))
    count = chance.choice((1, 1, 1, 2, 3))
    each = max(200, (request.size - 2500) // count)
    files = tuple(_file(chance, each) for dummy in range(count))
    kind = f'Content-Type: multipart/mixed; boundary="{boundary}"'
    return headers(request, "MIME-Version: 1.0", kind) + _multipart(boundary, (text, *files))


def _file(chance: Chance, size: int) -> bytes:
    name = chance.choice(_FILE_NAMES)
    shown = f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{urllib.parse.quote(name)}"
    start = (
        f"Content-Type: {chance.choice(_TYPES)}\nContent-Transfer-Encoding: base64\n"
        f"Content-Disposition: attachment; {shown}\n\n"
    )
    return start.encode() + attachment(chance, size)


def _nested(request: Request) -> bytes:
    """A message in a message, up to five deep (message/rfc822, RFC 2046 section 5.2.1)."""
    chance = request.chance
    inner = message(chance, request.date - 86400, max(500, request.size // 2))
    for depth in range(chance.randint(1, 5)):
        boundary = _boundary(chance)
        parts = (b"Content-Type: text/plain\n\n" + prose(chance, 200), b"Content-Type: message/rfc822\n\n" + inner)
        kind = f'Content-Type: multipart/mixed; boundary="{boundary}"'
        outer = Request(chance, request.date - 86400 + 600 * depth, 0)
        inner = headers(outer, "MIME-Version: 1.0", kind) + _multipart(boundary, parts)
    return inner


def _multipart(boundary: str, parts: tuple[bytes, ...]) -> bytes:
    line = f"--{boundary}".encode()
    return b"".join(line + b"\n" + part + b"\n" for part in parts) + line + b"--\n"


def _without(request: Request, name: bytes) -> bytes:
    """A message that lacks one header field."""
    lines = _plain(request).split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(name + b":"))


def _odd(request: Request) -> bytes:
    """What no standard foresees and every old mailbox has."""
    return request.chance.choice(_ODDITIES)(request)


_ODDITIES: tuple[Callable[[Request], bytes], ...] = (
    lambda request: _without(request, b"Message-ID"),  # case 5
    lambda request: _without(request, b"Date"),  # case 36
    lambda request: b"\n" + prose(request.chance, 300),  # no header at all (case 1)
    lambda request: prose(request.chance, 200),  # text where the header should be (case 17)
    lambda request: headers(request)[:-1],  # a header only, and no empty line (case 16)
    headers,  # an empty body
    lambda request: _plain(request)[:-1],  # no line end at the end (case 15)
    lambda request: headers(request) + b"one\rtwo\rthree\n",  # bare CR (case 13)
    lambda request: headers(request) + b"x" * 20000 + b"\n",  # a very long line (case 23)
    lambda request: b"From root@localhost Thu Jan  1 00:00:00 1998\n" + _plain(request),  # case 25
    lambda request: headers(request, *(f"Received: by hop{n}.example; 1 Jan 1999" for n in range(300))) + b"loop\n",
)
_TABLE: tuple[tuple[Callable[[Request], bytes], int], ...] = (
    (_plain, 40),
    (_utf8, 10),
    (_latin1_header, 2),
    (_quoted_printable, 8),
    (_alternative, 18),
    (_attached, 15),
    (_nested, 4),
    (_odd, 3),
)
_KINDS = [kind for kind, dummy in _TABLE]
_WEIGHTS = [weight for dummy, weight in _TABLE]


def seconds(year: int, month: int = 1, day: int = 1) -> int:
    """Midnight UTC of a day, in seconds since 1970."""
    return calendar.timegm((year, month, day, 0, 0, 0))
