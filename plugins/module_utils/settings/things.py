# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Every object of a customer in one form, so that one planner does for all kinds and all targets.

A thing has a kind, a key within it, and attributes: single values, sets of words, or named values. :func:`things_of`
makes things of a customer and :func:`customer_of` a customer of things; the second is how a target is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..addresses import domain_of
from .merge import Applied
from .model import (
    Account,
    Alias,
    Customer,
    Domain,
    Password,
    Permission,
    SharedContact,
    SiteSenders,
    Source,
)

Shape = Literal["value", "set", "map"]
_NOTHING = object()


@dataclass(frozen=True)
class Attribute:
    """An attribute: the word that conflict policies have for it, its shape, and the value that says nothing."""

    name: str
    word: str
    shape: Shape = "value"
    silent: Any = _NOTHING

    def says_nothing(self, value: Any) -> bool:
        """Is there nothing in the value that a target would need a place for?"""
        return not value if self.shape != "value" else value == self.silent


DOMAINS, ACCOUNTS, ALIASES, SENDERS, CONTACTS = "domains", "accounts", "aliases", "senders", "contacts"

#: The kinds in the order in which they are written, each with its attributes.
KINDS: Mapping[str, tuple[Attribute, ...]] = {
    DOMAINS: (Attribute("enabled", "domains"),),
    ACCOUNTS: (
        Attribute("display_name", "accounts", silent=""),
        Attribute("enabled", "accounts"),
        Attribute("quota_bytes", "accounts"),
        Attribute("reply_to", "accounts", silent=""),
        Attribute("signature", "accounts", silent=""),
        Attribute("time_zone", "accounts", silent=""),
        Attribute("language", "accounts", silent=""),
        Attribute("forwards", "forwards", "set"),
        Attribute("keep_copy", "forwards"),
        Attribute("auto_reply", "auto_replies", silent=None),
        Attribute("allowed", "lists", "set"),
        Attribute("blocked", "lists", "set"),
        Attribute("external", "external_accounts", "map"),
    ),
    ALIASES: (Attribute("targets", "aliases", "set"), Attribute("enabled", "aliases")),
    SENDERS: (Attribute("allowed", "lists", "set"), Attribute("blocked", "lists", "set")),
    CONTACTS: (
        Attribute("name", "contacts"),
        Attribute("owner", "contacts", silent=""),
        Attribute("emails", "contacts", silent=()),
        Attribute("fields", "contacts", silent=()),
        Attribute("permissions", "contacts", "map"),
    ),
}

#: What conflict policies can be given for.
WORDS = (
    "domains",
    "accounts",
    "passwords",
    "forwards",
    "auto_replies",
    "aliases",
    "lists",
    "contacts",
    "external_accounts",
)


@dataclass(frozen=True)
class Thing:
    """Something wanted on the target; ``password`` is an account's, None when none could be carried over."""

    kind: str
    key: str
    fields: Mapping[str, Any]
    password: Password | None = None


@dataclass(frozen=True)
class There:
    """Something on the target.

    ``applied`` is what a migration wrote last; ``password`` is as stored, with its prefix, and ``password_changed`` the
    target's own word that its user chose it. ``due`` are further columns to write whenever a migration meets the thing:
    name → (before, after).
    """

    kind: str
    key: str
    fields: Mapping[str, Any]
    applied: Applied = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    password_changed: bool = False
    due: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def place_of(kind: str, key: str, fields: Mapping[str, Any]) -> str:
    """The domain that a thing is in; empty for what belongs to the whole site."""
    if kind in (DOMAINS, SENDERS):
        return key
    return domain_of(str(fields.get("owner", ""))) if kind == CONTACTS else domain_of(key)


def shown_as(kind: str, key: str, fields: Mapping[str, Any] | None = None) -> str:
    """Under which name findings speak of a thing."""
    if kind in (DOMAINS, SENDERS):
        return f"@{key}" if key else ""
    return str((fields or {}).get("owner", "")) if kind == CONTACTS else key


def things_of(customer: Customer) -> list[Thing]:
    """All that is wanted of a customer, in the order of :data:`KINDS`."""
    return [
        *(Thing(DOMAINS, each.name, {"enabled": each.enabled}) for each in customer.domains),
        *map(_account, customer.accounts),
        *(
            Thing(ALIASES, each.address, {"targets": each.targets, "enabled": each.enabled})
            for each in customer.aliases
        ),
        *(Thing(SENDERS, each.domain, {"allowed": each.allowed, "blocked": each.blocked}) for each in customer.senders),
        *map(_contact, customer.contacts),
    ]


def customer_of(name: str, source: Source, things: Iterable[There]) -> Customer:
    """What the things make together, sorted; every account is its own ``source_user``."""
    by_kind: dict[str, list[There]] = {kind: [] for kind in KINDS}
    for each in things:
        by_kind[each.kind].append(each)
    return Customer(
        name,
        source,
        domains=tuple(Domain(each.key, each.fields["enabled"]) for each in by_kind[DOMAINS]),
        accounts=tuple(map(_as_account, by_kind[ACCOUNTS])),
        aliases=tuple(Alias(each.key, **each.fields) for each in by_kind[ALIASES]),
        senders=tuple(SiteSenders(each.key, **each.fields) for each in by_kind[SENDERS]),
        contacts=tuple(
            SharedContact(each.key, **{**each.fields, "permissions": _permissions(each.fields["permissions"])})
            for each in by_kind[CONTACTS]
        ),
    ).sorted()


def _account(account: Account) -> Thing:
    fields = {attribute.name: getattr(account, attribute.name) for attribute in KINDS[ACCOUNTS]}
    fields["external"] = {each.key: each for each in account.external}
    return Thing(ACCOUNTS, account.address, fields, account.password)


def _contact(contact: SharedContact) -> Thing:
    fields = {attribute.name: getattr(contact, attribute.name) for attribute in KINDS[CONTACTS]}
    fields["permissions"] = {each.subject: each.rights for each in contact.permissions}
    return Thing(CONTACTS, contact.key, fields)


def _as_account(there: There) -> Account:
    known = {name: value for name, value in there.fields.items() if name != "external"}
    return Account(
        there.key,
        there.key,
        **{**known, "keep_copy": known.get("keep_copy", True) or not known.get("forwards")},
        external=tuple(there.fields.get("external", {}).values()),
        password=_password(there.password),
    )


def _password(stored: str | None) -> Password | None:
    if not stored:
        return None
    scheme, _brace, value = stored.removeprefix("{").partition("}")
    return Password(scheme, value)


def _permissions(rights: Mapping[str, Any]) -> tuple[Permission, ...]:
    return tuple(Permission(subject, each) for subject, each in rights.items())
