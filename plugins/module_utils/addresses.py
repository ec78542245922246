# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Addresses, domains and patterns of senders in the one form in which they are compared.

Everything is in lower case, as every server of mail in practice compares it (RFC 5321, 2.4 leaves the local part to the
receiving host), and internationalised domains are A-labels (RFC 5890): ``bücher.example`` is ``xn--bcher-kva.example``.
"""

from __future__ import annotations

import re

from .domain_names import a_labels

# What is refused here has no place in a login name or a path on either side.
_REFUSED = frozenset('/\\"<>,;()[]')
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255  # octets: RFC 5321, 4.5.3.1
_LONGEST_PATTERN = 320
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PATTERN = re.compile(r"[^\s@,;<>\"\\()\[\]]*@[^\s@,;<>\"\\()\[\]]+")


def canonical_domain(name: str) -> str:
    """The domain in lower case and A-labels; what can't be encoded comes back as it is, for :func:`domain_fault`.

    :raises MissingLibraryError: the library idna is not installed; it is needed for names that are not ASCII.
    """
    try:
        return a_labels(name)
    except ValueError:
        return name.strip().rstrip(".").lower()


def canonical_address(address: str) -> str:
    """The address in lower case, its domain as :func:`canonical_domain` has it; an empty local part is allowed."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local.lower()}{at}{canonical_domain(domain)}" if at else address.strip().lower()


def domain_of(address: str) -> str:
    """The part after the last @."""
    return address.rpartition("@")[2]


def without_tag(address: str) -> str:
    """The address without its detail: ``ann+lists@a.example`` is ``ann@a.example`` (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    name = local.partition("+")[0]
    return f"{name}{at}{domain}" if name else address


def domain_fault(name: str) -> str | None:
    """What is wrong with a canonical domain (in a few words), or None."""
    if not name.isascii():
        return "the domain can't be written in A-labels"
    if len(name) > _LONGEST_DOMAIN:
        return "it is too long"
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return "the domain has a label that no host name can have"
    return None


def address_fault(address: str) -> str | None:
    """What is wrong with a canonical address (in a few words), or None."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        return "it is not of the form name@domain"
    if "@" in local:
        return "it has more than one @"
    if " " in address or not address.isprintable() or not _REFUSED.isdisjoint(address):  # no other space is printable
        return "it has a character that no login name can have"
    if len(local.encode()) > _LONGEST_LOCAL or len(domain.encode()) > _LONGEST_DOMAIN:
        return "it is too long"
    return domain_fault(domain)


def alias_fault(address: str) -> str | None:
    """What is wrong with the name of an alias, or None: an address, or ``@domain`` for a whole domain."""
    if address.startswith("@"):
        return domain_fault(address[1:]) if address[1:] else "it is not of the form name@domain or @domain"
    return address_fault(address)


def canonical_pattern(text: str) -> str | None:
    """A pattern of senders as it is compared, or None for what is none.

    An address with ``*`` and ``?`` as SpamAssassin's ``whitelist_from`` has them (Mail::SpamAssassin::Conf). A bare
    ``@domain`` and a bare domain stand for everybody there: ``*@domain``.
    """
    pattern = text.strip().lower()
    local, at, domain = pattern.rpartition("@")
    if not at and "." not in domain:
        return None
    # label by label: those with wildcards can't be encoded
    pattern = f"{local or '*'}@{'.'.join(map(canonical_domain, domain.rstrip('.').split('.')))}"
    if len(pattern) > _LONGEST_PATTERN or not pattern.isprintable() or not _PATTERN.fullmatch(pattern):
        return None
    return pattern
