# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer as plain values and back: the body of a snapshot, as docs/snapshot.schema.json describes it.

What is secret is kept apart: :func:`public` never holds any, :func:`hidden` holds nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..addresses import address_fault, alias_fault
from .model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    Domain,
    ExternalAccount,
    Finding,
    Level,
    Password,
    Permission,
    Protocol,
    Rights,
    SharedContact,
    SiteSenders,
    Source,
)

_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "note": "note"}
_PROTOCOLS: Mapping[str, Protocol] = {"imap": "imap", "pop3": "pop3"}
_RIGHTS: Mapping[str, Rights] = {"read": "read", "write": "write"}
Plain = dict[str, Any]


def public(customer: Customer) -> Plain:
    """What may be seen of a customer: of a password only its scheme."""
    return {
        "customer": customer.name,
        "source": {"profile": customer.source.profile, "version": customer.source.version},
        "domains": [{"name": domain.name, "enabled": domain.enabled} for domain in customer.domains],
        "accounts": [public_account(account) for account in customer.accounts],
        "aliases": [public_alias(alias) for alias in customer.aliases],
        "senders": [
            {"domain": each.domain, "allowed": list(each.allowed), "blocked": list(each.blocked)}
            for each in customer.senders
        ],
        "contacts": [public_contact(contact) for contact in customer.contacts],
        "findings": [finding.as_dict() for finding in customer.findings],
    }


def public_account(account: Account) -> Plain:
    """What may be seen of an account."""
    return {
        "address": account.address,
        "source_user": account.source_user,
        "display_name": account.display_name,
        "enabled": account.enabled,
        "quota_bytes": account.quota_bytes,
        "password_scheme": account.password.scheme if account.password else None,
        "forwards": list(account.forwards),
        "keep_copy": account.keep_copy,
        "auto_reply": _public_reply(account.auto_reply),
        "reply_to": account.reply_to,
        "signature": account.signature,
        "time_zone": account.time_zone,
        "language": account.language,
        "allowed": list(account.allowed),
        "blocked": list(account.blocked),
        "external": [_public_external(external) for external in account.external],
    }


def public_alias(alias: Alias) -> Plain:
    """An alias with its kind, which follows from the rest."""
    return {
        "address": alias.address,
        "kind": alias.kind,
        "targets": list(alias.targets),
        "enabled": alias.enabled,
    }


def public_contact(contact: SharedContact) -> Plain:
    """An entry of a shared address book."""
    return {
        "key": contact.key,
        "name": contact.name,
        "owner": contact.owner,
        "emails": list(contact.emails),
        "fields": [[name, value] for name, value in contact.fields],
        "permissions": [{"subject": each.subject, "rights": each.rights} for each in contact.permissions],
    }


def hidden(customer: Customer) -> Plain:
    """The secrets: passwords by address, and those of external accounts by address and key."""
    external = {
        account.address: {each.key: each.password for each in account.external if each.password is not None}
        for account in customer.accounts
    }
    return {
        "accounts": {
            account.address: {"scheme": account.password.scheme, "value": account.password.value}
            for account in customer.accounts
            if account.password
        },
        "external": {address: found for address, found in external.items() if found},
    }


def customer_of(document: Mapping[str, Any], secrets: Mapping[str, Any]) -> Customer:
    """The customer in a document of the present version.

    :raises ValueError, TypeError, KeyError, AttributeError: it is not as :func:`public` and :func:`hidden` write it.
    """
    passwords = {address: Password(entry["scheme"], entry["value"]) for address, entry in secrets["accounts"].items()}
    return Customer(
        name=document["customer"],
        source=Source(text(document["source"]["profile"]), text(document["source"]["version"])),
        domains=_unique(
            tuple(Domain(text(each["name"]), flag(each["enabled"])) for each in document["domains"]), "name"
        ),
        accounts=_unique(
            tuple(_account(each, passwords, secrets["external"]) for each in document["accounts"]), "address"
        ),
        aliases=_unique(tuple(map(_alias, document["aliases"])), "address"),
        senders=_unique(
            tuple(
                SiteSenders(text(each["domain"]), texts(each["allowed"]), texts(each["blocked"]))
                for each in document["senders"]
            ),
            "domain",
        ),
        contacts=_unique(tuple(map(_contact, document["contacts"])), "key"),
        findings=tuple(map(_finding, document["findings"])),
    )


def upgraded(document: Mapping[str, Any], secrets: Mapping[str, Any]) -> tuple[Plain, Plain]:
    """A document of version 1, and its secrets, as the present version has them: it knew accounts and domains only."""
    new = public_account(Account("", ""))
    accounts = [{**new, **account} for account in document["accounts"]]
    empty: Plain = {"aliases": [], "senders": [], "contacts": []}
    return {**empty, **document, "accounts": accounts}, {"accounts": dict(secrets), "external": {}}


def text(value: object) -> str:
    """The value, which has to be a text."""
    if not isinstance(value, str):
        raise TypeError
    return value


def texts(values: object) -> tuple[str, ...]:
    """The values of a list of texts."""
    if not isinstance(values, list):
        raise TypeError
    return tuple(map(text, values))


def flag(value: object) -> bool:
    """The value, which has to be true or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def _public_reply(reply: AutoReply | None) -> Plain | None:
    if reply is None:
        return None
    return {
        "enabled": reply.enabled,
        "subject": reply.subject,
        "text": reply.text,
        "starts": reply.starts,
        "ends": reply.ends,
    }


def _public_external(external: ExternalAccount) -> Plain:
    return {
        "protocol": external.protocol,
        "host": external.host,
        "user": external.user,
        "port": external.port,
        "tls": external.tls,
        "has_password": external.password is not None,
    }


def _account(entry: Mapping[str, Any], passwords: Mapping[str, Password], external: Mapping[str, Any]) -> Account:
    address = text(entry["address"])
    if address_fault(address) or address != address.lower():
        raise ValueError
    password = passwords.get(address)
    if (password.scheme if password else None) != entry["password_scheme"]:
        raise ValueError
    hidden_here = external.get(address, {})
    return Account(
        address=address,
        source_user=text(entry["source_user"]),
        display_name=text(entry["display_name"]),
        enabled=flag(entry["enabled"]),
        quota_bytes=_positive(entry["quota_bytes"]),
        password=password,
        forwards=texts(entry["forwards"]),
        keep_copy=flag(entry["keep_copy"]),
        auto_reply=_reply(entry["auto_reply"]),
        reply_to=text(entry["reply_to"]),
        signature=text(entry["signature"]),
        time_zone=text(entry["time_zone"]),
        language=text(entry["language"]),
        allowed=texts(entry["allowed"]),
        blocked=texts(entry["blocked"]),
        external=tuple(_external(each, hidden_here) for each in entry["external"]),
    )


def _reply(entry: Mapping[str, Any] | None) -> AutoReply | None:
    if entry is None:
        return None
    starts, ends = entry["starts"], entry["ends"]
    return AutoReply(
        text=text(entry["text"]),
        subject=text(entry["subject"]),
        enabled=flag(entry["enabled"]),
        starts=None if starts is None else text(starts),
        ends=None if ends is None else text(ends),
    )


def _external(entry: Mapping[str, Any], secrets: Mapping[str, Any]) -> ExternalAccount:
    bare = ExternalAccount(
        protocol=_PROTOCOLS[entry["protocol"]],
        host=text(entry["host"]),
        user=text(entry["user"]),
        port=_positive(entry["port"]),
        tls=flag(entry["tls"]),
    )
    password = secrets.get(bare.key)
    if (password is not None) != flag(entry["has_password"]):
        raise ValueError
    return bare if password is None else ExternalAccount(**{**vars(bare), "password": text(password)})


def _alias(entry: Mapping[str, Any]) -> Alias:
    alias = Alias(text(entry["address"]), texts(entry["targets"]), flag(entry["enabled"]))
    if alias_fault(alias.address) or not alias.targets or alias.kind != entry["kind"]:
        raise ValueError
    return alias


def _contact(entry: Mapping[str, Any]) -> SharedContact:
    return SharedContact(
        key=text(entry["key"]),
        name=text(entry["name"]),
        owner=text(entry["owner"]),
        emails=texts(entry["emails"]),
        fields=tuple((text(name), text(value)) for name, value in entry["fields"]),
        permissions=tuple(Permission(text(each["subject"]), _RIGHTS[each["rights"]]) for each in entry["permissions"]),
    )


def _finding(entry: Mapping[str, Any]) -> Finding:
    level = _LEVELS[text(entry["level"])]
    return Finding(text(entry["account"]), text(entry["kind"]), text(entry["message"]), level)


def _positive(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if value <= 0:
        raise ValueError
    return value


def _unique(things: tuple[Any, ...], key: str) -> tuple[Any, ...]:
    if len({getattr(thing, key) for thing in things}) != len(things):
        raise ValueError
    return things
