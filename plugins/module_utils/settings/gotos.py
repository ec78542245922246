# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin's one table for all ways of mail: ``address`` → ``goto``, a list with commas between.

An address that is a mailbox's own names that mailbox among its targets when a copy stays there, and
``user#domain@`` the vacation domain while the user is away (PostfixAdmin's AliasHandler and vacation.pl). Postfix looks
``address`` up in it before it looks for a mailbox (virtual(5)): a row that is not active is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..addresses import address_fault, alias_fault, canonical_address, domain_fault, domain_of, without_tag
from .model import Alias, Finding, Level

_BETWEEN = re.compile(r"[,\r\n]")
_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class GotoRow:
    """A row as it is stored."""

    address: str
    goto: str
    enabled: bool = True


@dataclass(frozen=True)
class Way:
    """What a mailbox's own row says; ``away`` when mail is answered by vacation.pl."""

    forwards: tuple[str, ...] = ()
    keep_copy: bool = True
    away: bool = False


@dataclass(frozen=True)
class Ways:
    """All rows, understood: by mailbox, and the aliases."""

    mailboxes: Mapping[str, Way] = field(default_factory=dict)
    aliases: tuple[Alias, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_ways(rows: Iterable[GotoRow], mailboxes: Mapping[str, bool], domains: Collection[str]) -> Ways:
    """Understand all rows. ``mailboxes`` are canonical addresses and whether each is enabled; ``domains`` canonical."""
    work = _Reader(mailboxes, domains)
    for row in rows:
        work.row(row)
    return Ways(work.ways, tuple(work.aliases.values()), tuple(work.findings))


def written(address: str, way: Way, vacation_domain: str | None) -> str:
    """The ``goto`` of a mailbox's own row: its targets sorted, then itself, then the address of vacation.pl.

    Mail that would go nowhere stays in the mailbox. ``vacation_domain`` None: nobody can be away.
    """
    parts = sorted(way.forwards)
    if way.keep_copy or not parts:
        parts.append(address)
    if way.away and vacation_domain:
        parts.append(vacation_address(address, vacation_domain))
    return ",".join(parts)


@dataclass(frozen=True)
class Edit:
    """What of a mailbox's row is to become otherwise; None: as it is."""

    removed: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    keep_copy: bool | None = None
    away: bool | None = None


def edited(address: str, goto: str, edit: Edit, vacation_domain: str | None) -> str:
    """The row of a mailbox with an edit; whatever else is in it stays as it is spelt.

    Mail that would go nowhere stays in the mailbox.
    """
    own = canonical_address(address)
    kept = [(part.strip(), canonical_address(part)) for part in _BETWEEN.split(goto) if part.strip()]
    there = {canonical for _part, canonical in kept}
    keep = own in there if edit.keep_copy is None else edit.keep_copy
    away = any(_is_vacation(each, own) for each in there) if edit.away is None else edit.away
    parts = [
        part
        for part, canonical in kept
        if canonical not in edit.removed and canonical != own and not _is_vacation(canonical, own)
    ]
    parts += sorted(edit.added - there)
    if keep or not parts:
        parts.append(own)
    if away and vacation_domain:
        parts.append(vacation_address(own, vacation_domain))
    return ",".join(dict.fromkeys(parts))


def targets_of(address: str, goto: str) -> tuple[tuple[str, ...], bool, bool]:
    """All that a row names, whether the address is among it, and whether vacation.pl is; programs and files, too."""
    parts = set(_parts(goto))
    away = {part for part in parts if _is_vacation(part, address)}
    return tuple(sorted(parts - away - {address})), address in parts, bool(away)


def vacation_address(address: str, vacation_domain: str) -> str:
    """Where vacation.pl gets mail for a user: ``user#domain@vacation.domain``."""
    return f"{address.replace('@', '#')}@{vacation_domain}"


def vacation_domain(gotos: Iterable[str]) -> str | None:
    """The vacation domain that the most targets show, None when none shows one."""
    seen: dict[str, int] = {}
    for goto in gotos:
        for part in _parts(goto):
            local, at, domain = part.rpartition("@")
            if at and "#" in local:
                seen[domain] = seen.get(domain, 0) + 1
    return min(seen, key=lambda domain: (-seen[domain], domain)) if seen else None


class _Reader:
    """Gathers what the rows say."""

    def __init__(self, mailboxes: Mapping[str, bool], domains: Collection[str]) -> None:
        self.mailboxes = mailboxes
        self.domains = domains
        self.ways: dict[str, Way] = {}
        self.aliases: dict[str, Alias] = {}
        self.findings: list[Finding] = []
        self._seen: set[str] = set()

    def row(self, row: GotoRow) -> None:
        """One row; it ends as a way, an alias or a finding."""
        address = canonical_address(row.address)
        wrong = alias_fault(address)
        if wrong is not None:
            self._say(_shown(address), "alias_invalid", f"this is not the address of an alias: {wrong}", "error")
        elif address in self._seen:
            self._say(address, "duplicate", "there are several aliases of this address; the first counts", "error")
        elif address in self.mailboxes:
            self._mailbox(address, row)
        elif domain_of(address) not in self.domains:
            message = f"the alias's domain {domain_of(address)} is not among the site's domains"
            self._say(address, "domain_missing", message, "error")
        else:
            self._alias(address, row)
        self._seen.add(address)

    def _mailbox(self, address: str, row: GotoRow) -> None:
        targets = self._targets(address, row.goto)
        away = any(_is_vacation(target, address) for target in targets)
        forwards = {target for target in targets if not _is_vacation(target, address)}
        # A tag in the own address chooses a folder; it is the same mailbox.
        own = {target for target in forwards if without_tag(target) == address}
        if own - {address}:
            self._say(address, "forward_to_folder", "a forward to the account's own folder is a copy that is kept")
        forwards -= own
        if not row.enabled and self.mailboxes[address] and forwards:
            message = "the account's row of aliases is switched off, so its forwards are not in use; they are left out"
            self._say(address, "forward_disabled", message, "warning")
            forwards = set()
        keep = bool(own) or not forwards
        if targets and not own and not forwards and row.enabled:
            message = "mail was answered, but neither kept nor forwarded; from now on it is kept"
            self._say(address, "copy_kept", message, "warning")
        self.ways[address] = Way(tuple(sorted(forwards)), keep, away and row.enabled)

    def _alias(self, address: str, row: GotoRow) -> None:
        targets = set(self._targets(address, row.goto))
        away = {target for target in targets if _is_vacation(target, address)}
        if away:
            message = "an alias that answers mail by itself: only accounts have automatic replies"
            self._say(address, "no_place", message, "warning")
        if address in targets:
            self._say(address, "target_invalid", "the alias is its own target; that target is left out", "warning")
        targets -= away | {address}
        if targets:
            self.aliases[address] = Alias(address, tuple(sorted(targets)), row.enabled)
        else:
            self._say(address, "alias_invalid", "the alias has no target that mail can be sent to", "error")

    def _targets(self, address: str, goto: str) -> list[str]:
        """The targets that are addresses; what else is there becomes a finding."""
        found = []
        for part in _parts(goto):
            wrong = domain_fault(part[1:]) if part.startswith("@") and address.startswith("@") else address_fault(part)
            if wrong is None:
                found.append(part)
                continue
            what = "a local user, a program or a file" if "@" not in part else wrong
            message = f"the target {_shown(part)} is left out: {what}"
            self._say(address, "target_invalid", message, "warning")
        return found

    def _say(self, account: str, kind: str, message: str, level: Level = "note") -> None:
        self.findings.append(Finding(account, kind, message, level))


def _parts(goto: str) -> list[str]:
    return [canonical_address(part) for part in _BETWEEN.split(goto) if part.strip()]


def _is_vacation(target: str, address: str) -> bool:
    return target.rpartition("@")[0] == address.replace("@", "#")


def _shown(value: str) -> str:
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]
