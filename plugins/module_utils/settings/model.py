# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The canonical customer: what every source is read into and every target is written from.

Plain values only. Addresses, domains and patterns are in the form of :mod:`.addresses`. A new kind of thing is a new
field with an empty default here, a new key in the snapshot's next version, and a new table in the profiles that have
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from ..addresses import domain_of

Level = Literal["error", "warning", "note"]
AliasKind = Literal["address", "list", "domain", "catch_all"]
Protocol = Literal["imap", "pop3"]
Rights = Literal["read", "write"]


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
    """A mail domain."""

    name: str
    enabled: bool = True


@dataclass(frozen=True)
class AutoReply:
    """An answer sent for the user (RFC 3834). ``starts`` and ``ends``: UTC, ``2026-11-23T18:00:00Z``; None is open."""

    text: str
    subject: str = ""
    enabled: bool = True
    starts: str | None = None
    ends: str | None = None


@dataclass(frozen=True)
class ExternalAccount:
    """A mailbox elsewhere that the user polls; ``port`` None is the protocol's own, ``password`` None is not known."""

    protocol: Protocol
    host: str
    user: str
    port: int | None = None
    tls: bool = True
    password: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """What names it among the user's."""
        return f"{self.protocol}://{self.user}@{self.host}"


@dataclass(frozen=True)
class Account:
    """A mail account. ``quota_bytes`` None is unlimited; ``password`` None: none that could be carried over.

    ``source_user`` is what the source itself calls the account. ``forwards`` are addresses; ``keep_copy`` says whether
    mail that is forwarded stays in the mailbox, too. ``signature`` may be HTML. ``time_zone`` is a name of the IANA
    database or what the source has instead, ``language`` a tag (RFC 5646) or what the source has. ``allowed`` and
    ``blocked`` are patterns of senders.
    """

    address: str
    source_user: str
    display_name: str = ""
    enabled: bool = True
    quota_bytes: int | None = None
    password: Password | None = None
    forwards: tuple[str, ...] = ()
    keep_copy: bool = True
    auto_reply: AutoReply | None = None
    reply_to: str = ""
    signature: str = ""
    time_zone: str = ""
    language: str = ""
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    external: tuple[ExternalAccount, ...] = ()

    @property
    def domain(self) -> str:
        """The part after the last @."""
        return domain_of(self.address)


@dataclass(frozen=True)
class Alias:
    """Another name for mail to go by: ``address`` is one, or ``@domain`` for all that a domain has no name for.

    ``targets`` are addresses; that of a whole domain may be ``@other``, too: every local part keeps its name there.
    """

    address: str
    targets: tuple[str, ...]
    enabled: bool = True

    @property
    def domain(self) -> str:
        """The domain that the alias is in."""
        return domain_of(self.address)

    @property
    def kind(self) -> AliasKind:
        """``domain`` maps a domain to another, ``catch_all`` takes the rest of one; ``list`` has several targets."""
        if self.address.startswith("@"):
            return "domain" if any(target.startswith("@") for target in self.targets) else "catch_all"
        return "list" if len(self.targets) > 1 else "address"


@dataclass(frozen=True)
class SiteSenders:
    """Senders that a whole domain lets through or refuses; an empty ``domain`` is the whole site."""

    domain: str
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Permission:
    """Who may do what with a shared contact: ``everyone``, ``domain:…``, ``group:…`` or ``account:…``."""

    subject: str
    rights: Rights = "read"


@dataclass(frozen=True)
class SharedContact:
    """An entry of a shared or global address book. ``key`` names it on the source and never changes.

    ``owner`` is an account's address, or empty. ``fields`` are further properties by their vCard names (RFC 6350), as
    ``("TEL;TYPE=work", "…")``, in order.
    """

    key: str
    name: str
    owner: str = ""
    emails: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    permissions: tuple[Permission, ...] = ()


@dataclass(frozen=True, order=True)
class Finding:
    """Something an operator should know; ``account`` is empty for the whole site.

    ``error``: the thing was left out. ``warning``: it was not, but look at it. ``note``: good to know.
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
    """Everything that is migrated of a customer besides mail, calendars and the users' own contacts."""

    name: str
    source: Source
    domains: tuple[Domain, ...] = ()
    accounts: tuple[Account, ...] = ()
    aliases: tuple[Alias, ...] = ()
    senders: tuple[SiteSenders, ...] = ()
    contacts: tuple[SharedContact, ...] = ()
    findings: tuple[Finding, ...] = ()

    def sorted(self) -> Customer:
        """The same in the one order that makes two readings of the same data equal."""
        return replace(
            self,
            domains=tuple(sorted(self.domains, key=lambda domain: domain.name)),
            accounts=tuple(sorted(map(_account_sorted, self.accounts), key=lambda account: account.address)),
            aliases=tuple(
                sorted(
                    (replace(alias, targets=_set(alias.targets)) for alias in self.aliases),
                    key=lambda alias: alias.address,
                )
            ),
            senders=tuple(sorted(map(_senders_sorted, self.senders), key=lambda senders: senders.domain)),
            contacts=tuple(
                sorted(
                    (replace(contact, permissions=_set(contact.permissions)) for contact in self.contacts),
                    key=lambda contact: contact.key,
                )
            ),
            findings=_set(self.findings),
        )

    def only(self, domains: Iterable[str]) -> Customer:
        """The part of these domains; all of it when none is named. What belongs to the whole site stays."""
        wanted = {name.strip().lower() for name in domains}
        if not wanted:
            return self
        return replace(
            self,
            domains=tuple(domain for domain in self.domains if domain.name in wanted),
            accounts=tuple(account for account in self.accounts if account.domain in wanted),
            aliases=tuple(alias for alias in self.aliases if alias.domain in wanted),
            senders=tuple(each for each in self.senders if not each.domain or each.domain in wanted),
            contacts=tuple(each for each in self.contacts if not each.owner or domain_of(each.owner) in wanted),
            findings=tuple(f for f in self.findings if not f.account or domain_of(f.account) in wanted),
        )


Thing = TypeVar("Thing", str, "Permission", "Finding")


def failing(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which a run ends failed."""
    return [finding for finding in findings if finding.level == "error"]


def _account_sorted(account: Account) -> Account:
    return replace(
        account,
        forwards=_set(account.forwards),
        allowed=_set(account.allowed),
        blocked=_set(account.blocked),
        external=tuple(sorted(account.external, key=lambda external: external.key)),
    )


def _senders_sorted(senders: SiteSenders) -> SiteSenders:
    return replace(senders, allowed=_set(senders.allowed), blocked=_set(senders.blocked))


def _set(values: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(sorted(set(values)))
