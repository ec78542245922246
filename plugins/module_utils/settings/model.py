# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The canonical customer: what every source is read into and every target is written from.

Plain values only. A new kind of thing (forwards, aliases, lists) is a new field with an empty default here, a new key
in the snapshot's next version, and a new table in the profiles that have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Level = Literal["error", "warning", "note"]

# An address is local@domain; what is refused here has no place in a login name or a path on either side.
_REFUSED = frozenset('/\\"<>,;()[]')
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255  # octets: RFC 5321, 4.5.3.1


@dataclass(frozen=True)
class Password:
    """A stored password: ``scheme`` in Dovecot's words, ``PLAIN`` when ``value`` is the password itself."""

    scheme: str
    value: str = field(repr=False)

    @property
    def stored(self) -> str:
        """As Dovecot takes it: ``{SCHEME}value``."""
        return f"{{{self.scheme}}}{self.value}"


@dataclass(frozen=True)
class Domain:
    """A mail domain, its name in lower case."""

    name: str
    enabled: bool = True


@dataclass(frozen=True)
class Account:
    """A mail account. ``quota_bytes`` None is unlimited; ``password`` None: none that could be carried over.

    ``address`` is in lower case; ``source_user`` is what the source itself calls the account.
    """

    address: str
    source_user: str
    display_name: str = ""
    enabled: bool = True
    quota_bytes: int | None = None
    password: Password | None = None

    @property
    def domain(self) -> str:
        """The part after the last @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, order=True)
class Finding:
    """Something an operator should know; ``account`` is empty for the whole site.

    ``error``: the account was left out. ``warning``: it was not, but look at it. ``note``: good to know.
    """

    account: str
    kind: str
    message: str
    level: Level = "note"

    def as_dict(self) -> dict[str, str]:
        """The finding as a plain value for results and the snapshot."""
        return {"account": self.account, "kind": self.kind, "level": self.level, "message": self.message}


@dataclass(frozen=True)
class Source:
    """Where a customer was read from: the profile, and the version that the site says it is (may be empty)."""

    profile: str
    version: str = ""


@dataclass(frozen=True)
class Customer:
    """Everything that is migrated of a customer besides mail, calendars and contacts."""

    name: str
    source: Source
    domains: tuple[Domain, ...] = ()
    accounts: tuple[Account, ...] = ()
    findings: tuple[Finding, ...] = ()

    def sorted(self) -> Customer:
        """The same in the one order that makes two readings of the same data equal."""
        return replace(
            self,
            domains=tuple(sorted(self.domains, key=lambda domain: domain.name)),
            accounts=tuple(sorted(self.accounts, key=lambda account: account.address)),
            findings=tuple(sorted(set(self.findings))),
        )

    def only(self, domains: Iterable[str]) -> Customer:
        """The part of these domains; all of it when none is named. Findings of the whole site stay."""
        wanted = {name.strip().lower() for name in domains}
        if not wanted:
            return self
        return replace(
            self,
            domains=tuple(domain for domain in self.domains if domain.name in wanted),
            accounts=tuple(account for account in self.accounts if account.domain in wanted),
            findings=tuple(f for f in self.findings if not f.account or f.account.rpartition("@")[2] in wanted),
        )


def address_fault(address: str) -> str | None:
    """What is wrong with an address (in a few words), or None."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        return "it is not of the form name@domain"
    if "@" in local:
        return "it has more than one @"
    if any(character.isspace() or not character.isprintable() or character in _REFUSED for character in address):
        return "it has a character that no login name can have"
    if len(local.encode()) > _LONGEST_LOCAL or len(domain.encode()) > _LONGEST_DOMAIN:
        return "it is too long"
    return None


def failing(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which a run ends failed."""
    return [finding for finding in findings if finding.level == "error"]
