# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What rows of white- and blacklists mean; decided here without any I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from ...addresses import canonical_address, canonical_domain, canonical_pattern
from ...platforms.texts import is_on, shown
from ..model import Finding, Level
from ..profiles.shape import SenderWords
from .lists import words

Verdict = Literal["allowed", "blocked"]


@dataclass(frozen=True)
class Rule:
    """A row: the owner in the source's words, which preference, and its value."""

    owner: str
    preference: str
    value: str
    cut: bool = False


@dataclass
class Lists:
    """Patterns by verdict, each once, in order."""

    allowed: dict[str, None] = field(default_factory=dict)
    blocked: dict[str, None] = field(default_factory=dict)


@dataclass
class Senders:
    """What came of the rows: lists by account, by domain, and of the whole site (an empty domain)."""

    accounts: dict[str, Lists] = field(default_factory=dict)
    domains: dict[str, Lists] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def say(self, owner: str, kind: str, message: str, level: Level = "warning") -> None:
        """Add a finding."""
        self.findings.append(Finding(owner, kind, message, level))


def sort_rules(
    rules: Iterable[Rule], senders: SenderWords, accounts: Collection[str], domains: Collection[str]
) -> Senders:
    """The lists of all rules: every row is in one of them, in a finding, or counted in one."""
    found = Senders()
    counts: Counter[tuple[str, str]] = Counter()
    for rule in rules:
        preference = rule.preference.strip().lower()
        verdict: Verdict | None = None
        if preference in senders.allowed:
            verdict = "allowed"
        elif preference in senders.blocked:
            verdict = "blocked"
        owner = _owner(rule.owner, senders, accounts, domains)
        if owner is None:
            counts["orphan", preference if verdict is None else ""] += 1
        elif verdict is None:
            _no_place(found, counts, senders, owner, preference, rule.value)
        elif not words(rule.value):
            counts["empty", ""] += 1
        else:
            _add(found, owner, verdict, rule)
    found.findings += _counted(counts)
    return found


def _owner(name: str, senders: SenderWords, accounts: Collection[str], domains: Collection[str]) -> str | None:
    """An account's address, ``@domain``, or an empty text for the whole site; None for who is none of them.

    SpamAssassin knows ``%domain`` as the owner of a domain's rules (Mail::SpamAssassin::Conf::SQL).
    """
    if name.strip() in senders.whole_site:
        return ""
    address = canonical_address(name)
    if address in accounts:
        return address
    domain = canonical_domain(name.strip().lstrip("%@"))
    return f"@{domain}" if domain in domains else None


def _add(found: Senders, owner: str, verdict: Verdict, rule: Rule) -> None:
    by_owner = found.domains if owner.startswith("@") or not owner else found.accounts
    lists = by_owner.setdefault(owner.removeprefix("@"), Lists())
    patterns = lists.allowed if verdict == "allowed" else lists.blocked
    for word in words(rule.value):
        pattern = canonical_pattern(word)
        if pattern is None:
            message = f"{shown(word)} among the {verdict} senders is no pattern of addresses; it is left out"
            found.say(owner, "pattern_invalid", message)
        else:
            patterns[pattern] = None
    if rule.cut:
        message = f"{shown(rule.value.strip())} among the {verdict} senders fills its column: its end may be missing"
        found.say(owner, "value_cut", message)


def _no_place(
    found: Senders, counts: Counter[tuple[str, str]], senders: SenderWords, owner: str, preference: str, value: str
) -> None:
    if preference in senders.recipients and value.strip():
        message = f"{shown(value.strip())} as a recipient whose mail is never taken for spam has no place on the target"
        found.say(owner, "allowed_recipient", message, "note")
    elif preference in senders.only_allowed and is_on(value):
        message = "only mail from allowed senders is taken, which has no place on the target: all mail will be"
        found.say(owner, "allowed_only", message)
    else:
        counts["preference", preference] += 1


def _counted(counts: Counter[tuple[str, str]]) -> Iterable[Finding]:
    for (what, preference), number in counts.items():
        if what == "empty":
            yield Finding("", "list_empty", f"{number} rows of allowed and blocked senders are empty")
        elif what == "orphan":
            name = f"of {shown(preference)}" if preference else "of allowed and blocked senders"
            yield Finding("", "list_orphaned", f"{number} rows {name} belong to no account of the site")
        else:
            message = f"{number} rows of {shown(preference)} have no place on the target, which has its own rules"
            yield Finding("", "spam_preference", message)
