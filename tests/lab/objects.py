# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendars and address books as people have them: the same ones for the same seed. Odd ones: `odd_objects.py`."""

from __future__ import annotations

import base64
import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

CALENDAR, ADDRESS_BOOK = "calendar", "address_book"
BERLIN = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
_FIRST = dt.datetime(2015, 1, 5, 8, 0)  # noqa: DTZ001 (local to whatever zone the event is in)
_WORDS = [
    *("Lunch", "Budget", "Zahnarzt", "Üben", "Review", "Fußball", "会議", "🎂", "Birthday", "«Приём»", "naïve"),
    *("{{ plan }}", "a,b;c\\d", "50%"),
]
_NAMES = ["Ann", "Bob", "Zoë", "Jürgen", "Łukasz", "花子", "Søren", "Ñandú", "O'Brien", "Ольга"]


@dataclass(frozen=True)
class Thing:
    """An object of a collection: its name there, its text as it is, and what is odd about it."""

    name: str
    data: bytes
    oddity: str = ""

    @property
    def kind(self) -> str:
        """What a collection has to be to hold it."""
        return ADDRESS_BOOK if self.name.endswith(".vcf") else CALENDAR


def events(count: int, seed: str = "events") -> Iterator[Thing]:
    """Events of every ordinary kind, with an end each, between 2015 and 2031."""
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        make = _EVENTS[number % len(_EVENTS)]
        uid = f"{seed}-{number}@lab.example"
        yield Thing(f"{seed}-{number}.ics", _calendar(make(chance, uid)))


def tasks(count: int, seed: str = "tasks") -> Iterator[Thing]:
    """Things to do, some done, some due."""
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        lines = [*_head("VTODO", f"{seed}-{number}@lab.example", chance), f"PRIORITY:{chance.randrange(10)}"]
        if number % 3 == 0:
            lines += ["STATUS:COMPLETED", "PERCENT-COMPLETE:100", f"COMPLETED:{_utc(_day(chance))}"]
        elif number % 3 == 1:
            lines += [f"DUE;VALUE=DATE:{_day(chance):%Y%m%d}", "STATUS:NEEDS-ACTION"]
        yield Thing(f"{seed}-{number}.ics", _calendar([*lines, "END:VTODO"]))


def contacts(count: int, seed: str = "contacts") -> Iterator[Thing]:
    """People, as vCard 3.0 mostly, a tenth with a photo of a few kilobytes, and one group of every fifty."""
    members: list[str] = []
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        uid = f"{seed}-{number}"
        if number % 50 == 49:
            yield Thing(f"{uid}.vcf", _group(uid, f"Group {number}", members[-5:]))
            continue
        members.append(uid)
        yield Thing(f"{uid}.vcf", _person(chance, uid, photo=number % 10 == 3))


def text(lines: Sequence[str]) -> bytes:
    """Content lines as RFC 5545 section 3.1 wants them: folded at 75 bytes, between characters, with CRLF."""
    return b"".join(_fold(line) for line in lines)


def _calendar(lines: Sequence[str], zone: str = "") -> bytes:
    used = zone or (BERLIN if any("TZID=Europe/Berlin" in line for line in lines) else "")
    return text(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lab//EN", *used.splitlines(), *lines, "END:VCALENDAR"])


def _head(component: str, uid: str, chance: random.Random) -> list[str]:
    summary = " ".join(chance.choices(_WORDS, k=3))
    return [
        f"BEGIN:{component}",
        f"UID:{uid}",
        f"DTSTAMP:{_utc(_FIRST)}",
        f"SUMMARY:{_escaped(summary)}",
    ]


def _meeting(chance: random.Random, uid: str) -> list[str]:
    start = _day(chance)
    return [
        *_head("VEVENT", uid, chance),
        f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{start + dt.timedelta(minutes=45):%Y%m%dT%H%M%S}",
        f"LOCATION:{_escaped('Room 4, ' + chance.choice(_NAMES))}",
        "CATEGORIES:WORK,Projekt Ä",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:Soon",
        "TRIGGER:-PT15M",
        "END:VALARM",
        "END:VEVENT",
    ]


def _call(chance: random.Random, uid: str) -> list[str]:
    start = _day(chance)
    long = " ".join(chance.choices(_WORDS, k=60))
    return [
        *_head("VEVENT", uid, chance),
        f"DTSTART:{_utc(start)}",
        "DURATION:PT1H30M",
        f"DESCRIPTION:{_escaped(long)}",
        'X-LAB-COLOR;X-NOTE="a:b":#ff0000',
        "END:VEVENT",
    ]


def _holiday(chance: random.Random, uid: str) -> list[str]:
    start = _day(chance)
    end = start + dt.timedelta(days=chance.randrange(1, 9))
    return [
        *_head("VEVENT", uid, chance),
        f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
        f"DTEND;VALUE=DATE:{end:%Y%m%d}",
        "TRANSP:TRANSPARENT",
        "CLASS:PRIVATE",
        "END:VEVENT",
    ]


def _floating(chance: random.Random, uid: str) -> list[str]:
    start = _day(chance)
    return [
        *_head("VEVENT", uid, chance),
        f"DTSTART:{start:%Y%m%dT%H%M%S}",
        f"DTEND:{start + dt.timedelta(hours=1):%Y%m%dT%H%M%S}",
        "END:VEVENT",
    ]


def _series(chance: random.Random, uid: str) -> list[str]:
    """Ten weeks, of which one is left out and one is an hour later."""
    start = _day(chance)
    out, moved = start + dt.timedelta(weeks=2), start + dt.timedelta(weeks=3)
    later = moved + dt.timedelta(hours=1)
    return [
        *_head("VEVENT", uid, chance),
        f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{start + dt.timedelta(hours=1):%Y%m%dT%H%M%S}",
        "RRULE:FREQ=WEEKLY;COUNT=10",
        f"EXDATE;TZID=Europe/Berlin:{out:%Y%m%dT%H%M%S}",
        "END:VEVENT",
        *_head("VEVENT", uid, chance),
        f"RECURRENCE-ID;TZID=Europe/Berlin:{moved:%Y%m%dT%H%M%S}",
        f"DTSTART;TZID=Europe/Berlin:{later:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{later + dt.timedelta(hours=1):%Y%m%dT%H%M%S}",
        "END:VEVENT",
    ]


def _invitation(chance: random.Random, uid: str) -> list[str]:
    """With people outside: a server that schedules would write to them."""
    return [
        *_meeting(chance, uid)[:6],
        "ORGANIZER;CN=Boss:mailto:boss@outside.example",
        f'ATTENDEE;CN="{chance.choice(_NAMES)}; Dr.";PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:someone@outside.example',
        "SEQUENCE:2",
        "END:VEVENT",
    ]


_EVENTS: Sequence[Callable[[random.Random, str], list[str]]] = (
    _meeting, _call, _holiday, _series, _floating, _meeting, _invitation, _call, _holiday, _meeting,
)  # fmt: skip


def _person(chance: random.Random, uid: str, *, photo: bool) -> bytes:
    first, last = chance.choice(_NAMES), chance.choice(_NAMES)
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{uid}",
        f"FN:{_escaped(first)} {_escaped(last)}",
        f"N:{_escaped(last)};{_escaped(first)};;;",
        f"EMAIL;TYPE=INTERNET,WORK:{uid}@outside.example",
        f"TEL;TYPE=CELL:+49 170 {chance.randrange(10**7):07}",
        f"ADR;TYPE=HOME:;;{_escaped('Straße 7, Hof')};Köln;;50667;Germany",
        "item1.URL:https://lab.example/?a=1&b=2",
        "item1.X-ABLabel:_$!<HomePage>!$_",
        f"BDAY:19{chance.randrange(40, 99)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}",
        f"NOTE:{_escaped(' '.join(chance.choices(_WORDS, k=12)))}\\nsecond line",
    ]
    if photo:
        lines.append("PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(picture(chance, 3000)).decode())
    return text([*lines, "END:VCARD"])


def _group(uid: str, name: str, members: Sequence[str]) -> bytes:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;"]
    lines.append("X-ADDRESSBOOKSERVER-KIND:group")
    lines += [f"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:{each}" for each in members]
    return text([*lines, "END:VCARD"])


def picture(chance: random.Random, size: int) -> bytes:
    """Bytes that begin as a JPEG does."""
    return b"\xff\xd8\xff\xe0" + chance.randbytes(size)


def _day(chance: random.Random) -> dt.datetime:
    return _FIRST + dt.timedelta(days=chance.randrange(365 * 15), minutes=15 * chance.randrange(40))


def _utc(moment: dt.datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _escaped(value: str) -> str:
    """RFC 5545 section 3.3.11."""
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _fold(line: str) -> bytes:
    if line.isascii():
        data = line.encode()
        return b"\r\n ".join([data[:75], *(data[at : at + 74] for at in range(75, len(data), 74))]) + b"\r\n"
    rows, row = [], b""
    for letter in line:
        more = letter.encode()
        if len(row) + len(more) > 75:
            rows.append(row)
            row = b" "
        row += more
    return b"\r\n".join([*rows, row]) + b"\r\n"
