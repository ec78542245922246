# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud as a target (docs/cloud-schema.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from ...platforms.shape import BoundTable, Overrides, bind
from ...transport.database import Database
from ..plan import Change
from ..profiles.cloud import CLOUD
from ..profiles.shape import TargetProfile
from ..target import Capacity, Place, State, Writing, by_kind
from ..tenant import check_tenant
from ..things import ACCOUNTS, ALIASES, CONTACTS, DOMAINS, KINDS, SENDERS
from .cloud_survey import Survey
from .cloud_writes import Writes

# Kind and attribute → the table and column without which there is no place for it.
_HOMES: Mapping[tuple[str, str], tuple[str, str]] = {
    (ACCOUNTS, "reply_to"): ("accounts", "reply_to"),
    (ACCOUNTS, "signature"): ("accounts", "signature"),
    (ACCOUNTS, "time_zone"): ("accounts", "time_zone"),
    (ACCOUNTS, "language"): ("accounts", "language"),
    (ACCOUNTS, "keep_copy"): ("accounts", "keep_copy"),
    (ACCOUNTS, "forwards"): ("forwards", "target"),
    (ACCOUNTS, "auto_reply"): ("auto_replies", "body"),
    (ACCOUNTS, "allowed"): ("account_rules", "pattern"),
    (ACCOUNTS, "blocked"): ("account_rules", "pattern"),
    (ACCOUNTS, "external"): ("external", "host"),
    (ALIASES, "targets"): ("aliases", "target"),
    (ALIASES, "enabled"): ("aliases", "target"),
    (SENDERS, "allowed"): ("domain_rules", "pattern"),
    (SENDERS, "blocked"): ("domain_rules", "pattern"),
    (SENDERS, "site"): ("tenant_rules", "pattern"),
    (CONTACTS, "permissions"): ("permissions", "subject"),
    **{(CONTACTS, name): ("contacts", "name") for name in ("name", "owner", "emails", "fields")},
}


class CloudTarget:
    """A region's database of accounts; a :class:`..target.TargetAdapter`."""

    def __init__(self, database: Database, profile: TargetProfile, tables: Mapping[str, BoundTable]) -> None:
        self.database, self.profile, self.tables = database, profile, tables
        self.capacity = Capacity(_places(tables), profile.limits)

    @classmethod
    def open(cls, database: Database, overrides: Overrides) -> CloudTarget:
        """Find the profile's tables. Raises MissingTableError, MissingColumnError, InputError for a wrong override."""
        return cls(database, CLOUD, bind(CLOUD.tables, overrides, database.columns()))

    def check(self, place: Place) -> None:
        """Raises TenantError unless the subscription is known, in that region, active and enabled (H16)."""
        check_tenant(self.database, self.tables, place.subscription, place.region)

    def survey(self, place: Place, domains: Iterable[str], *, lock: bool) -> State:
        """All that the subscription has, and which of these domains are somebody else's.

        With ``lock`` nobody disables the subscription meanwhile.
        """
        if lock:
            check_tenant(self.database, self.tables, place.subscription, place.region, lock=True)
        reader = Survey(self.database, self.profile, self.tables, lock=lock)
        own, foreign = reader.domains(place.subscription, sorted(set(domains)))
        names = [each.key for each in own]
        things = by_kind(
            [
                *own,
                *reader.accounts(names),
                *reader.aliases(place.subscription, names),
                *reader.senders(place.subscription, names),
                *reader.contacts(place.subscription),
            ]
        )
        gone = {
            kind: {
                key: note
                for key, note in reader.notes(place.subscription, kind).items()
                if key not in things.get(kind, {})
            }
            for kind in (ALIASES, SENDERS)
        }
        return State(things, frozenset(foreign), gone)

    def write(self, changes: Sequence[Change], writing: Writing) -> None:
        """Carry the changes out, many rows at a time."""
        Writes(self.database, self.profile, self.tables, writing).write(changes)

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside is written at its end, or not at all."""
        return self.database.transaction()


def _places(tables: Mapping[str, BoundTable]) -> dict[str, frozenset[str]]:
    found = {ACCOUNTS: {"display_name", "enabled", "quota_bytes", "password"}, DOMAINS: {"enabled"}}
    for (kind, attribute), (table, column) in _HOMES.items():
        if table in tables and tables[table].has(column):
            found.setdefault(kind, set()).add(attribute)
    if "contacts" not in tables:
        found.pop(CONTACTS, None)
    if not found.get(SENDERS, set()) & {each.name for each in KINDS[SENDERS]}:
        found.pop(SENDERS, None)
    return {kind: frozenset(names) for kind, names in found.items()}
