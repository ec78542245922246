# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether what a selector's name tells is the key that signs (RFC 6376 section 3.6.1, RFC 8463). Pure."""

from __future__ import annotations

import re

from ..transport.nameserver import Told
from .finding import MISSING, OK, WARNING, WRONG, Verdict, readable
from .tags import parse_tags

_AGAIN = "Set the record as it stands in the zone lines."
#: What panels of providers do to a text: they keep the quotes, or the backslashes of a zone file.
_MANGLED = re.compile(r'^"|"$|" "|\\;')
#: The longest string of a TXT record (RFC 1035 section 3.3.14).
_STRING = 255


def judge_key(wanted: str, told: Told) -> Verdict:
    """What is thought of a server's answer for the selector; ``wanted`` is the record whole."""
    if not told.texts:
        return Verdict(MISSING, "the key is not published", _AGAIN)
    if len(told.texts) > 1:
        text = f"{len(told.texts)} records, which one counts is chance (RFC 6376 section 3.6.2.2)"
        return Verdict(WRONG, text, "Remove all but the one of the zone lines.")
    text = readable(told.texts[0])
    if text == wanted:
        return Verdict(OK, "the key is published")
    return _compared(wanted, text)


def _compared(wanted: str, text: str) -> Verdict:
    ours, _none = parse_tags(wanted)
    theirs, problems = parse_tags(text)
    wrong = next((word for holds, word in _differences(ours, theirs, text) if holds), "")
    if wrong or problems:
        return Verdict(WRONG, wrong or f"it can't be read: {problems[0]}", _AGAIN)
    if "y" in _flags(theirs):
        return Verdict(WARNING, "t=y: receivers take the key for a test only", "Take t=y out once mail is signed well.")
    return Verdict(OK, "the key is published")


def _differences(ours: dict[str, str], theirs: dict[str, str], text: str) -> list[tuple[bool, str]]:
    """Everything that makes another key of it, the likeliest cause first."""
    key, seen = _bare(ours.get("p", "")), _bare(theirs.get("p", ""))
    hashes = theirs.get("h", "sha256").replace(" ", "").split(":")
    services = theirs.get("s", "*").replace(" ", "").split(":")
    return [
        (bool(_MANGLED.search(text)), "quotes or backslashes of a zone file stand in the text itself"),
        ("p" not in theirs, "there is no key in it (p=)"),
        (not seen and bool(key), "the key is revoked (an empty p=)"),
        (
            seen != key and key.startswith(seen),
            f"the key is cut off after {len(seen)} of {len(key)} characters"
            + (f": no more than {_STRING} fit into one string" if len(text) == _STRING else ""),
        ),
        (seen != key, "it is another key than the one that signs"),
        (next(iter(theirs)) != "v" if "v" in theirs else False, "v= does not stand first"),
        (theirs.get("v", "DKIM1") != "DKIM1", f"its version is {theirs.get('v')!r}, not DKIM1"),
        (theirs.get("k", "rsa") != ours.get("k", "rsa"), f"k={theirs.get('k', 'rsa')} is not the key's type"),
        ("sha256" not in hashes, "h= does not allow sha256"),
        (not {"*", "email"} & set(services), "s= does not allow email"),
    ]


def _flags(tags: dict[str, str]) -> list[str]:
    return tags.get("t", "").replace(" ", "").split(":")


def _bare(value: str) -> str:
    return re.sub(r"[ \t\r\n]", "", value)
