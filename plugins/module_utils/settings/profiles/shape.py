# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a profile is made of, and how it meets a real database.

A profile speaks of tables and columns by keys of its own (``users``, ``quota``); each key has the names it may go by.
An operator's override replaces these names. :func:`bind` finds out which of them a database really has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import InputError, MissingColumnError, MissingTableError
from ...transport.database import quoted
from ..stays import STAYS


@dataclass(frozen=True)
class Column:
    """A column: the names it may go by, best first, and whether nothing works without it.

    ``html``: the platform stores its text with HTML entities.
    """

    names: tuple[str, ...]
    required: bool = True
    html: bool = False


@dataclass(frozen=True)
class Table:
    """A table: the names it may go by, best first, and its columns by key.

    ``required_with`` are keys of other tables: where one of them is there, this one has to be there too. ``sharded``:
    where there is no table of these names, there may be many, each with a part of the rows (:mod:`.shards`).
    """

    names: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    required: bool = True
    required_with: tuple[str, ...] = ()
    sharded: bool = False


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


@dataclass(frozen=True)
class BoundTable:
    """A table of a real database: its name, and its columns by key, with their names, character sets and widths.

    A width is in characters; a column without one is not text, or its width is not known.
    """

    name: str
    columns: Mapping[str, str]
    charsets: Mapping[str, str]
    widths: Mapping[str, int] = field(default_factory=dict)

    def select(self, *keys: str) -> str:
        """``SELECT`` with these columns in this order; a column that is not there is NULL.

        Columns declared as latin1 come as the bytes that they hold: programs put UTF-8 into them too.
        """
        return f"SELECT {', '.join(map(self._expression, keys))} FROM {quoted(self.name)}"  # noqa: S608 -- quoted names

    def column(self, key: str) -> str:
        """The quoted name of a column that is there."""
        return quoted(self.columns[key])

    def has(self, key: str) -> bool:
        """Is the column there?"""
        return key in self.columns

    def _expression(self, key: str) -> str:
        if key not in self.columns:
            return "NULL"
        name = self.column(key)
        return f"CAST({name} AS BINARY)" if self.charsets[key] == "latin1" else name


@dataclass(frozen=True)
class Overrides:
    """An operator's own names: table key → name, table key → column key → name, setting → value."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


Schema = Mapping[str, Mapping[str, str]]
Widths = Mapping[str, Mapping[str, int]]


def bind(tables: Mapping[str, Table], overrides: Overrides, schema: Schema) -> dict[str, BoundTable]:
    """The profile's tables as they are in a database whose ``schema`` is table → column → character set.

    Tables and columns that are not required and not there are left out. Raises MissingTableError, MissingColumnError,
    and InputError for an override with a key that the profile does not know.
    """
    check_keys(tables, overrides)
    found = {key: find_table(key, table, overrides.tables.get(key), schema) for key, table in tables.items()}
    return {
        key: bind_columns(tables[key], name, overrides.columns.get(key, {}), schema[name], key)
        for key, name in found.items()
        if name is not None
    }


def check_keys(tables: Mapping[str, Table], overrides: Overrides) -> None:
    """Raises InputError for an override of a table or a column that the profile does not know."""
    _known("tables", overrides.tables, tables)
    _known("columns", overrides.columns, tables)
    for key, own in overrides.columns.items():
        _known(f"columns.{key}", own, tables[key].columns)


def find_table(key: str, table: Table, own: str | None, schema: Schema) -> str | None:
    """The table's spelling in the database: as given, else in another case, which differs between versions.

    Raises MissingTableError.
    """
    names = (own,) if own else table.names
    lower = {name.lower(): name for name in schema}
    found = next((name for name in names if name in schema), None)
    found = found or next((lower[name.lower()] for name in names if name.lower() in lower), None)
    if found is None and (table.required or own):
        raise missing_table(key, names[0])
    return found


def missing_table(key: str, name: str) -> MissingTableError:
    """The error for a table that has to be there."""
    return MissingTableError(f"there is no table {name} ({key})", table=name)


def bind_columns(
    table: Table,
    name: str,
    own: Mapping[str, str],
    columns: Mapping[str, str],
    key: str,
    widths: Mapping[str, int] | None = None,
) -> BoundTable:
    """The columns of the table ``name``; those not required and not there are left out. Raises MissingColumnError."""
    lower = {column.lower(): column for column in columns}
    found: dict[str, str] = {}
    for column_key, column in table.columns.items():
        names = (own[column_key],) if column_key in own else column.names
        match = next((lower[alias.lower()] for alias in names if alias.lower() in lower), None)
        if match is not None:
            found[column_key] = match
        elif column.required or column_key in own:
            message = f"there is no column {names[0]} in the table {name} ({key}.{column_key})"
            raise MissingColumnError(message, table=name, column=names[0])
    charsets = {column_key: columns[column] for column_key, column in found.items()}
    known = widths or {}
    return BoundTable(name, found, charsets, {each: known[column] for each, column in found.items() if column in known})


def _known(what: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    for key in given:
        if key not in known:
            raise InputError(
                f"overrides.{what} knows no {key!r}, only {', '.join(sorted(known))}", option=f"overrides.{what}"
            )
