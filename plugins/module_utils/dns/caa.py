# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether CAA records let an authority issue a certificate for a name (RFC 8659). Pure but for the look-ups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..transport.nameserver import Told
from .spf_walk import Look

_PROPERTY = re.compile(r'(?P<flags>[0-9]+) (?P<tag>[A-Za-z0-9]+) (?:"(?P<quoted>.*)"|(?P<bare>\S*))', re.DOTALL)
_KNOWN = frozenset({"issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone", "issuevmc"})
_CRITICAL = 128


@dataclass(frozen=True)
class Caa:
    """The record set that counts for a name, where it stands, and the one who has said so."""

    place: str
    told: Told

    @property
    def properties(self) -> list[tuple[int, str, str]]:
        """Flags, tag and value of each."""
        found = [_PROPERTY.fullmatch(value) for value in self.told.values]
        return [(int(one["flags"]), one["tag"].lower(), one["quoted"] or one["bare"] or "") for one in found if one]


def relevant(name: str, look: Look) -> Caa:
    """The closest set at the name or above it (section 3); where there is none, the last one asked, without values."""
    labels = name.removeprefix("*.").split(".")
    found = Caa(".".join(labels), look(".".join(labels), "CAA"))
    for start in range(1, len(labels)):
        if found.told.values or not found.told.answered:
            break
        place = ".".join(labels[start:])
        found = Caa(place, look(place, "CAA"))
    return found


def forbids(caa: Caa, name: str, issuers: Sequence[str]) -> str:
    """Why the set forbids a certificate for the name; empty where one of the issuers may (any, where none is known)."""
    properties = caa.properties
    strange = [tag for flags, tag, _value in properties if flags & _CRITICAL and tag not in _KNOWN]
    if strange:
        return f"{strange[0]} is marked critical, and no authority knows it"
    wild = [value for _flags, tag, value in properties if tag == "issuewild"]
    allowed = wild if wild and name.startswith("*.") else [value for _f, tag, value in properties if tag == "issue"]
    if not allowed:
        return ""
    named = sorted({value.partition(";")[0].strip().lower() for value in allowed} - {""})
    if not named:
        return "no authority may issue one"
    if issuers and not {issuer.lower() for issuer in issuers} & set(named):
        return f"only {', '.join(named)} may issue one"
    return ""
