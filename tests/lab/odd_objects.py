# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that calendars and address books should not hold, and do: each with the word for what is odd about it."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence

from .objects import Thing, picture, text

_ZONE = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
TZNAME:LAB
DTSTART:19700101T000000
END:STANDARD
END:VTIMEZONE
"""
_STAMP = "DTSTAMP:20240101T000000Z"
_TIMES = ("DTSTART:20260301T100000Z", "DTEND:20260301T110000Z")
MEGABYTE = 1_000_000


def odd_events(attachment: int = 5 * MEGABYTE) -> list[Thing]:
    """Calendar objects; the biggest holds an attachment of so many bytes."""
    blob = base64.b64encode(random.Random("attachment").randbytes(attachment)).decode()
    zoned = ("DTSTART;TZID=Lab Time:20260301T100000", "DTEND;TZID=Lab Time:20260301T110000")
    return [
        _event("big_attachment", f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{blob}"),
        _event("custom_zone", times=zoned, around=_ZONE.format(name="Lab Time", offset="+0545").splitlines()),
        _event("zone_with_a_known_name", times=_in("Europe/Berlin"), around=_zone_lines("Europe/Berlin", "-0300")),
        _event("no_zone", times=_in("Europe/Vienna")),
        _event("outlook_zone", times=_in("W. Europe Standard Time")),
        _event("floating", times=("DTSTART:20260301T100000", "DTEND:20260301T110000")),
        _event("all_day", times=("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260302")),
        _event("all_day_without_end", times=("DTSTART;VALUE=DATE:20260301",)),
        _event("no_end", times=("DTSTART:20260301T100000Z",)),
        _event("end_before_start", times=("DTSTART:20260301T100000Z", "DTEND:20260301T090000Z")),
        _event("no_start", times=()),
        _event("before_1970", times=("DTSTART:19600301T100000Z", "DTEND:19600301T110000Z")),
        _event("after_2038", times=("DTSTART:20500301T100000Z", "DTEND:20500301T110000Z")),
        _event("endless_series", "RRULE:FREQ=DAILY"),
        _event("bad_rule", "RRULE:FREQ=SOMETIMES;COUNT=x"),
        _event("rule_with_both_ends", "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260401T000000Z"),
        _event("long_line_in_latin", "X-LONG:" + "é" * 5000),
        _event("emoji_and_hostile_words", "SUMMARY:🧨 {{ lookup('pipe','id') }} %s ' \" <b>&amp;</b> ${HOME}"),
        _event("method", around=["METHOD:REQUEST"]),
        _event("unknown_component", around=["BEGIN:X-LAB", "X-A:1", "END:X-LAB"]),
        _raw("missing_uid", _calendar(["BEGIN:VEVENT", _STAMP, *_TIMES, "SUMMARY:Nobody", "END:VEVENT"])),
        _raw("missing_dtstamp", _calendar(["BEGIN:VEVENT", "UID:odd-stamp", *_TIMES, "SUMMARY:Late", "END:VEVENT"])),
        _raw("missing_version", _lines("BEGIN:VCALENDAR", *_plain("odd-version"), "END:VCALENDAR")),
        _raw("override_without_master", _calendar(_override("odd-override"))),
        _raw("override_alone", _calendar(_override("odd-apart"))),
        _raw("master_of_override", _calendar(_plain("odd-apart", "RRULE:FREQ=DAILY;COUNT=5"))),
        _raw("duplicate_uid", _calendar(_plain("odd-twice", "SUMMARY:One"))),
        _raw("duplicate_uid_again", _calendar(_plain("odd-twice", "SUMMARY:Two"))),
        _raw("two_uids", _calendar([*_plain("odd-first"), *_plain("odd-second")])),
        _raw("event_and_task", _calendar([*_plain("odd-both"), "BEGIN:VTODO", "UID:odd-both", _STAMP, "END:VTODO"])),
        _raw("bare_line_feeds", _calendar(_plain("odd-lf")).replace(b"\r\n", b"\n")),
        _raw("bare_returns", _calendar(_plain("odd-cr")).replace(b"\r\n", b"\r")),
        _raw("blank_lines", _calendar(_plain("odd-blank")).replace(b"SUMMARY", b"\r\n\r\nSUMMARY")),
        _raw("control_bytes", _calendar(_plain("odd-control", "DESCRIPTION:a\x00b\x0bc\x1fd"))),
        _raw("latin1", _calendar(_plain("odd-latin1", "DESCRIPTION:Grüße, Müller")).decode().encode("latin-1")),
        _raw("utf16", _calendar(_plain("odd-utf16")).decode().encode("utf-16")),
        _raw("byte_order_mark", b"\xef\xbb\xbf" + _calendar(_plain("odd-bom"))),
        _raw("folded_in_a_letter", _calendar(_plain("odd-fold")).replace("é".encode(), b"\xc3\r\n \xa9")),
        _raw("no_end_line", _calendar(_plain("odd-cut")).replace(b"END:VCALENDAR\r\n", b"")),
        _raw("empty", b""),
        _raw("no_calendar", b"<html>Not found</html>"),
        _raw("journal", _calendar(["BEGIN:VJOURNAL", "UID:odd-journal", _STAMP, "SUMMARY:Dear diary", "END:VJOURNAL"])),
        _raw("busy", _calendar(["BEGIN:VFREEBUSY", "UID:odd-busy", _STAMP, *_TIMES, "END:VFREEBUSY"])),
        _raw("task", _calendar(["BEGIN:VTODO", "UID:odd-task", _STAMP, "SUMMARY:Do it", "END:VTODO"])),
        Thing("ä b%20c&d+e;f.ics", _calendar(_plain("odd-name")), "name"),
        Thing("no-extension", _calendar(_plain("odd-extension")), "name_without_extension"),
        Thing("l" * 180 + ".ics", _calendar(_plain("odd-long-name")), "long_name"),
    ]


def odd_contacts(photo: int = MEGABYTE) -> list[Thing]:
    """Contacts; the biggest has a photo of so many bytes."""
    chance = random.Random("photo")
    small, big = (base64.b64encode(picture(chance, size)).decode() for size in (300, photo))
    rows = "\r\n".join(f"  {small[at : at + 60]}" for at in range(0, len(small), 60))
    return [
        _card("version_21_quoted", *_old("=47r=FC=DFe=\r\n aus K=F6ln", "ISO-8859-1"), version="2.1"),
        _card("version_21_utf8", *_old("=E8=8A=B1=E5=AD=90", "UTF-8"), version="2.1"),
        _card("version_21_photo", f"PHOTO;JPEG;ENCODING=BASE64:\r\n{rows}\r\n", version="2.1"),
        _card("version_21_bare_types", "TEL;HOME;VOICE:+49 1", "EMAIL;PREF;INTERNET:a@outside.example", version="2.1"),
        _card("version_4", "BDAY:--0415", "TEL;VALUE=uri;TYPE=cell:tel:+49-1", "GENDER:F", version="4.0"),
        _card("version_4_photo", f"PHOTO:data:image/jpeg;base64,{small}", version="4.0"),
        _card("version_4_group", "KIND:group", "MEMBER:urn:uuid:odd-photo_url", version="4.0"),
        _card("photo_url", "PHOTO;VALUE=URI:https://lab.example/photo.jpg?size=2&x=1"),
        _card("big_photo", f"PHOTO;ENCODING=b;TYPE=JPEG:{big}"),
        _card("bad_photo", "PHOTO;ENCODING=b;TYPE=JPEG:this is not base64!"),
        _card("apple_group", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:odd-photo_url"),
        _card("labels", "item1.EMAIL;type=INTERNET:b@outside.example", "item1.X-ABLabel:Büro; 2"),
        _card("empty_values", "EMAIL:", "TEL;TYPE=HOME:", "ADR:;;;;;;", "NOTE:"),
        _card("agent", "AGENT:BEGIN:VCARD\\nVERSION:3.0\\nFN:Agent\\nEND:VCARD\\n"),
        _card("emoji_and_hostile_words", "NOTE:🧨 {{ 7*7 }} ' \" \\; DROP TABLE Abook\\; --"),
        _card("long_note", "NOTE:" + "é" * 30000),
        _raw_card("missing_uid", ["VERSION:3.0", "FN:Nobody", "N:Nobody;;;;"]),
        _raw_card("missing_fn", ["VERSION:3.0", "UID:odd-no-fn", "N:Only;Name;;;"]),
        _raw_card("missing_n", ["VERSION:3.0", "UID:odd-no-n", "FN:Only Name"]),
        _raw_card("missing_version", ["UID:odd-no-version", "FN:No Version", "N:Version;No;;;"]),
        _raw_card("duplicate_uid", ["VERSION:3.0", "UID:odd-twice", "FN:One", "N:One;;;;"]),
        _raw_card("duplicate_uid_again", ["VERSION:3.0", "UID:odd-twice", "FN:Two", "N:Two;;;;"]),
        _raw("latin1", _vcard(["VERSION:3.0", "UID:odd-l1", "FN:Jürgen", "N:J;;;;"]).decode().encode("latin-1"), "vcf"),
        _raw("control_bytes", _vcard(["VERSION:3.0", "UID:odd-c0", "FN:a\x00b\x0bc", "N:a;;;;"]), "vcf"),
        _raw("bare_line_feeds", _vcard(["VERSION:3.0", "UID:odd-lf", "FN:L", "N:L;;;;"]).replace(b"\r", b""), "vcf"),
        _raw("two_cards", _vcard(["VERSION:3.0", "UID:odd-1", "FN:1", "N:1;;;;"]) * 2, "vcf"),
        _raw("no_end_line", b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:odd-cut\r\nFN:Cut\r\n", "vcf"),
        _raw("empty", b"", "vcf"),
        _raw("no_card", b"Not Found", "vcf"),
    ]


def _plain(uid: str, *more: str) -> list[str]:
    summary = [] if any(line.startswith("SUMMARY") for line in more) else ["SUMMARY:Café"]
    return ["BEGIN:VEVENT", f"UID:{uid}", _STAMP, *_TIMES, *summary, *more, "END:VEVENT"]


def _override(uid: str) -> list[str]:
    return _plain(uid, "RECURRENCE-ID:20260303T100000Z")


def _calendar(lines: Sequence[str]) -> bytes:
    return _lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lab//EN", *lines, "END:VCALENDAR")


def _lines(*lines: str) -> bytes:
    return text(lines)


def _in(zone: str) -> tuple[str, str]:
    return (f"DTSTART;TZID={zone}:20260301T100000", f"DTEND;TZID={zone}:20260301T110000")


def _zone_lines(name: str, offset: str) -> list[str]:
    return _ZONE.format(name=name, offset=offset).splitlines()


def _event(oddity: str, *more: str, times: Sequence[str] = _TIMES, around: Sequence[str] = ()) -> Thing:
    head = ["BEGIN:VEVENT", f"UID:odd-{oddity}", _STAMP, *times]
    summary = [] if any(line.startswith("SUMMARY") for line in more) else [f"SUMMARY:{oddity}"]
    return _raw(oddity, _calendar([*around, *head, *summary, *more, "END:VEVENT"]))


def _raw(oddity: str, data: bytes, extension: str = "ics") -> Thing:
    return Thing(f"odd-{oddity}.{extension}", data, oddity)


def _vcard(lines: Sequence[str]) -> bytes:
    return text(["BEGIN:VCARD", *lines, "END:VCARD"])


def _raw_card(oddity: str, lines: Sequence[str]) -> Thing:
    return _raw(oddity, _vcard(lines), "vcf")


def _card(oddity: str, *more: str, version: str = "3.0") -> Thing:
    head = [f"VERSION:{version}", f"UID:odd-{oddity}", f"FN:{oddity}", f"N:{oddity};;;;"]
    if version != "2.1":
        return _raw_card(oddity, [*head, *more])
    # a value of 2.1 is folded as it stands
    return _raw(oddity, "\r\n".join(["BEGIN:VCARD", *head, *more, "END:VCARD", ""]).encode("latin-1"), "vcf")


def _old(value: str, charset: str) -> tuple[str, str]:
    """A note as phones of 2005 wrote it."""
    return (f"NOTE;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:{value}", "X-LAB:1")
