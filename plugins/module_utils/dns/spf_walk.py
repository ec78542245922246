# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What an SPF record costs whoever checks it: look-ups, and those that find nothing (RFC 7208 section 4.6.4).

Counted for a message that matches nothing, which is the worst case: then every term is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..transport.nameserver import Told
from .spf import COSTLY, LOOKUPS, MX_NAMES, VOIDS, Spf, Term, is_spf, parse

#: Asks for a name and a type.
Look = Callable[[str, str], Told]
#: Where counting ends: the verdict stands long before.
_ENOUGH = 40


@dataclass
class Walk:
    """What was counted: look-ups, void ones with their terms, what each term of the record itself costs, problems."""

    lookups: int = 0
    voids: list[str] = field(default_factory=list)
    costs: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def verdicts(self) -> list[str]:
        """What is wrong, in sentences."""
        found = list(dict.fromkeys(self.problems))
        if self.lookups > LOOKUPS:
            dearest = sorted(self.costs.items(), key=lambda item: -item[1])
            shown = ", ".join(f"{term} {cost}" for term, cost in dearest if cost)
            number = f"more than {_ENOUGH}" if self.lookups > _ENOUGH else str(self.lookups)
            found.append(f"it costs {number} look-ups, {LOOKUPS} are allowed ({shown})")
        if len(self.voids) > VOIDS:
            found.append(
                f"{len(self.voids)} look-ups find nothing, {VOIDS} may ({', '.join(dict.fromkeys(self.voids))})"
            )
        return found


def walk(record: Spf, domain: str, look: Look) -> Walk:
    """Follow a domain's record through all includes."""
    counted = Walk()
    _follow(record, domain, (domain,), look, counted)
    return counted


def _follow(record: Spf, domain: str, path: tuple[str, ...], look: Look, counted: Walk) -> None:
    for term in record.effective:
        if term.name not in COSTLY:
            continue
        if counted.lookups > _ENOUGH:
            return
        before = counted.lookups
        counted.lookups += 1
        if term.name in {"include", "redirect"}:
            _include(term, path, look, counted)
        elif term.name in {"a", "mx", "exists"} and not term.macros:
            _address(term, domain, look, counted)
        if len(path) == 1:
            counted.costs[str(term)] = counted.lookups - before


def _include(term: Term, path: tuple[str, ...], look: Look, counted: Walk) -> None:
    if term.macros:
        return
    target = term.target
    if target in path:
        counted.problems.append(f"{' includes '.join([*path, target])}: a loop")
        return
    told = look(target, "TXT")
    if not told.answered:
        counted.unchecked.append(f"{target} ({told.reason})")
        return
    found = [text for text in told.texts if is_spf(text)]
    if len(found) != 1:
        what = f"{len(found)} SPF records" if found else "no SPF record"
        counted.problems.append(f"{term} in {path[-1]}: {target} has {what}")
        return
    inner = parse(found[0].decode("latin-1"))
    counted.problems += [f"{target} is broken: {problem}" for problem in inner.problems]
    _follow(inner, target, (*path, target), look, counted)


def _address(term: Term, domain: str, look: Look, counted: Walk) -> None:
    name = term.target or domain
    kinds = ("MX",) if term.name == "mx" else ("A",) if term.name == "exists" else ("A", "AAAA")
    answers = [look(name, kind) for kind in kinds]
    if any(not told.answered for told in answers):
        counted.unchecked.append(f"{name} ({next(told.reason for told in answers if not told.answered)})")
    elif not any(told.values for told in answers):
        counted.voids.append(str(term))
    elif term.name == "mx" and len(answers[0].values) > MX_NAMES:
        counted.problems.append(f"{term}: {name} has {len(answers[0].values)} MX records, {MX_NAMES} are allowed")
