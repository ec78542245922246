# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Atmail in all generations: what the values of its tables mean (the tables: :mod:`...platforms.atmail`)."""

from __future__ import annotations

from ...platforms import atmail, atmail_contacts, atmail_dav
from .atmail_extras import ATMAIL_EXTRAS
from .shape import Capability, PermissionWords, SenderWords, SourceProfile

ATMAIL = SourceProfile(
    name="atmail",
    tables=atmail.TABLES,
    quota_unit=1024,
    companions=("password_md5",),
    settings=atmail.SETTINGS,
    others=frozenset(atmail_dav.TABLES),
    other_settings=atmail_dav.SETTINGS,
    installer_aliases=("postmaster", "mailer-daemon"),
    sender_words=SenderWords(
        allowed=("whitelist_from",),
        blocked=("blacklist_from",),
        recipients=("whitelist_to",),
        only_allowed=("whitelist_only",),
        whole_site=("GLOBAL", "$GLOBAL", "@GLOBAL"),
    ),
    permission_words=PermissionWords(everyone=("All Users",), read=("1",)),
    languages={
        "chinese": "zh",
        "dutch": "nl",
        "english": "en",
        "espanol": "es",
        "french": "fr",
        "german": "de",
        "italiano": "it",
        "japanese": "ja",
        "portuguese": "pt",
        "russian": "ru",
    },
    contact_names=atmail_contacts.NAMES,
    contact_emails=atmail_contacts.EMAILS,
    contact_fields=atmail_contacts.FIELDS,
    capabilities=(
        Capability("global_address_book", "Abook", "Global"),
        Capability("contact_groups", "AbookGroupNames"),
        Capability("aliases", "MailAliases"),
        Capability("spam_lists", "SpamSettings"),
        Capability("classes_of_service", "Groups"),
        Capability("calendars", "calendars"),
        Capability("calendar_sync_tokens", "calendars", "synctoken"),
        Capability("calendar_changes", "calendarchanges"),
        Capability("external_accounts", "Accounts"),
        Capability("late_config", "Config", "keyName"),
        Capability("sharded_tables", "Abook_shared"),
    ),
    generations=(
        ("late_config", "7"),
        ("calendar_sync_tokens", "7"),
        ("global_address_book", "6/7"),
        ("sharded_tables", "5"),
    ),
    extras=ATMAIL_EXTRAS,
    supported_from="7.8",
)
