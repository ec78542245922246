# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The SPF record to propose: the cloud's include, and whoever else sends for the customer today (H28). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from .spf import Spf, Term, write


@dataclass(frozen=True)
class Merged:
    """The record to set, what to know about it, and whether every sender of before is in it.

    One that is not complete must be looked at by a person: a word that can't be read may be a sender.
    """

    text: str
    notes: tuple[str, ...] = ()
    complete: bool = True


def merged(records: Sequence[Spf], include: str, addresses: Sequence[str] = ()) -> Merged:
    """One record out of all that there are: ``include`` first, then their terms, ``-all`` last.

    ``addresses`` are those of today's MX hosts: where a record allows ``mx``, they are named, since that will mean the
    cloud's. A redirect becomes an include, as one that stands beside ``all`` is never followed (RFC 7208 section 6.1).
    """
    kept: list[Term] = [Term("include", f":{include}")]
    modifiers: list[Term] = []
    notes: list[str] = []
    for record in records:
        for term in record.effective:
            if term.modifier and term.name != "redirect":
                modifiers += [] if any(one.name == term.name for one in modifiers) else [term]
            elif term.name != "all":
                kept += _kept(term, kept, include)
        notes += [f"{word} can't be read, and is left out" for word in record.broken]
        notes += [f"{term} stands behind all, never counted, and is left out" for term in record.idle if _sends(term)]
    if any(term.name == "mx" and not term.target and term.qualifier == "+" for term in kept):
        extra = [term for term in dict.fromkeys(map(_by_address, addresses)) if term not in kept]
        kept += extra
        notes += [f"{term} is a mail server of today, which mx does not mean after the switch" for term in extra]
    notes += [f"all had {record.all}, now -" for record in records if record.all not in {"-", None}]
    text = write([*kept, *modifiers, Term("all", qualifier="-")])
    return Merged(text, tuple(dict.fromkeys(notes)), complete=not any(record.broken for record in records))


def _kept(term: Term, kept: Sequence[Term], include: str) -> list[Term]:
    """The term as it goes into the record; nothing where it is there."""
    if term.name == "redirect":
        term = Term("include", f":{term.target}")
    if term.name == "include" and term.target == include:
        return []
    return [] if term in kept else [term]


def _sends(term: Term) -> bool:
    return not term.modifier and term.name != "all"


def _by_address(address: str) -> Term:
    return Term(f"ip{ipaddress.ip_address(address).version}", f":{address}")
