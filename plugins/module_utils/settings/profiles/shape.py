# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a profile is made of: tables of a platform, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...platforms.shape import Table
from ..stays import STAYS


@dataclass(frozen=True)
class Capability:
    """Something that a site has when a table (and a column of it) is there."""

    name: str
    table: str
    column: str | None = None


@dataclass(frozen=True)
class Extra:
    """Rows that are counted for the assessment; ``reason`` says why they do not migrate, None when they do.

    ``table`` stands for itself and for its shards by letters; one that ends in ``*`` is a beginning; an empty one can't
    be seen in a database. ``owner`` is the column with the account, after a ``prefix``; with ``through`` (table, our
    column, its key) it is the other table's. Only rows are counted whose ``column`` is ``only``: ``set`` (to anything
    but 0), ``unset``, ``=`` or ``<>`` a word, or has a text in it (``~``) or not (``!~``); a table without the column
    has no such rows, but those that are unset. ``distinct`` counts the different values of a column for each owner.
    Nothing is counted where the table ``unless`` is there, nor in a table that has the column ``lacking``.
    """

    name: str
    table: str
    reason: str | None = None
    owner: str = ""
    prefix: str = ""
    through: tuple[str, str, str] | None = None
    column: str = ""
    only: str = "set"
    distinct: str = ""
    unless: str = ""
    lacking: str = ""


def staying(name: str, table: str, **how: Any) -> Extra:
    """Rows that do not migrate, for the reason that :mod:`..stays` has under this name."""
    return Extra(name, table, STAYS[name].reason, **how)


def unseen(name: str) -> Extra:
    """Something that does not migrate and that no database shows."""
    return Extra(name, "", STAYS[name].reason)


@dataclass(frozen=True)
class SenderWords:
    """What the values of ``sender_rules`` mean: names of preferences, and owners that are no account.

    ``recipients`` are lists of own addresses, ``only_allowed`` a switch; neither has a place in the canonical customer.
    """

    allowed: tuple[str, ...] = ("allowed",)
    blocked: tuple[str, ...] = ("blocked",)
    recipients: tuple[str, ...] = ()
    only_allowed: tuple[str, ...] = ()
    whole_site: tuple[str, ...] = ()


@dataclass(frozen=True)
class PermissionWords:
    """What the values of ``permissions`` mean: who is everyone, and which number allows what."""

    everyone: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceProfile:
    """A platform to read from.

    ``tables`` by key, with the columns that readers ask for; all but ``passwords`` and ``users`` may be missing:

    * ``passwords``: account, password; ``users``: account, disabled or enabled, quota, first_name, last_name, maildir,
      forward, keep_copy, auto_reply, group; ``groups``: name, quota, which counts where ``users.quota`` is empty
    * ``preferences``: account, name, reply_to, signature, time_zone, language
    * ``domains``: name, enabled; without this table the domains of the addresses are all there are
    * ``aliases``: name, target, domain, folder
    * ``sender_rules``: owner, preference, value (see :class:`SenderWords`); ``blocked_senders``: account, sender
    * ``external``: account, user, protocol, host, tls
    * ``contacts``, ``shared_contacts``: id, account, own, and what ``contact_names``, ``contact_emails`` and
      ``contact_fields`` name; ``permissions``: contact, subject, rights, of the contacts in ``shared_contacts``, else
      in ``contacts``
    * ``config``: section, key, value, of which ``settings`` names rows by (section, key)

    ``quota_unit`` is the bytes of a unit of a quota. ``installer_aliases`` are local parts of aliases that every site
    has. ``languages``: the platform's words → tags (RFC 5646). ``contact_fields``: vCard property (RFC 6350) → the
    columns of its components, in order. ``companions`` are columns of ``passwords`` that hold the MD5 of the stored
    password. ``defaults`` are settings that count where neither the site nor the operator says anything.

    Where all ways of mail are rows of one table, that is ``ways`` (address, goto, enabled; :mod:`..gotos`), with
    ``alias_domains`` (name, target, enabled), ``vacations`` (account, subject, body, starts, ends, enabled, pause) and
    ``polled`` (what fetchmail needs). ``domains`` may have ``backup`` (the site is only a backup for the domain) and
    ``transport`` (transport(5)); ``no_domains`` are words in the place of a domain's name. ``homeless`` are columns
    that no target has a place for: table, column, and what they are in words.

    ``others`` are keys of tables that are read elsewhere (:mod:`...dav.rows`) and that an operator may name, too;
    ``other_settings`` likewise.

    From the version ``supported_from`` on settings are known to be read, below it they are tried; empty: always known.
    """

    name: str
    tables: Mapping[str, Table]
    quota_unit: int
    settings: Mapping[str, tuple[str, str]]
    defaults: Mapping[str, str] = field(default_factory=dict)
    no_domains: frozenset[str] = frozenset()
    homeless: tuple[tuple[str, str, str], ...] = ()
    capabilities: tuple[Capability, ...] = ()
    generations: tuple[tuple[str, str], ...] = ()
    extras: tuple[Extra, ...] = ()
    companions: tuple[str, ...] = ()
    supported_from: str = ""
    installer_aliases: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    other_settings: tuple[str, ...] = ()
    sender_words: SenderWords = SenderWords()
    permission_words: PermissionWords = PermissionWords()
    languages: Mapping[str, str] = field(default_factory=dict)
    contact_names: tuple[str, ...] = ()
    contact_emails: tuple[str, ...] = ()
    contact_fields: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class TargetProfile:
    """A platform to write to: tables ``tenants``, ``domains``, ``accounts``, and the words and widths of its columns.

    The words are values of status columns: ``active``, ``disabled`` of domains and accounts; ``migrated_word``,
    ``changed_word`` and ``none_word`` of passwords; the other two of an account's migration. ``limits``: characters.
    """

    name: str
    tables: Mapping[str, Table]
    active: str
    disabled: str
    migrated_word: str
    changed_word: str
    none_word: str
    unprovisioned_word: str
    provisioned_word: str
    limits: Mapping[str, int]
