# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Atmail in all generations.

* 7 and 6: one table of each kind. Late 7 has another layout of ``Config``.
* 5 and Open: ``UserSettings_a`` … ``UserSettings_z`` and ``UserSettings_other``, on large sites by two letters
  (``UserSettings_jo``), and so ``Abook``, ``SpamDB`` and others; shared contacts have a table of their own. Open knows
  no domains, aliases and classes of service.
"""

from __future__ import annotations

from . import atmail_contacts
from .atmail_extras import ATMAIL_EXTRAS
from .shape import Capability, Column, PermissionWords, SenderWords, SourceProfile, Table


def _columns(**names: str) -> dict[str, Column]:
    """Columns that are there in every generation, by key."""
    return {key: Column((name,)) for key, name in names.items()}


def _optional(*, html: bool = False, **names: str) -> dict[str, Column]:
    """Columns that are not everywhere; ``html``: they went through PHP's htmlentities() or htmlspecialchars()."""
    return {key: Column((name,), required=False, html=html) for key, name in names.items()}


_TABLES = {
    "passwords": Table(
        ("UserSession",),
        {
            "account": Column(("Account",)),
            "password": Column(("Password",)),
            "password_md5": Column(("PasswordMD5",), required=False),
        },
    ),
    "users": Table(
        ("Users",),
        _columns(account="Account", disabled="UserStatus", quota="UserQuota")
        | _optional(maildir="MailDir", group="Ugroup")
        | {"keep_copy": Column((), required=False)}  # no generation is known to have one, but an operator's may
        | _optional(html=True, first_name="FirstName", last_name="LastName", forward="Forward", auto_reply="AutoReply"),
    ),
    "preferences": Table(
        ("UserSettings",),
        _columns(account="Account")
        | _optional(signature="Signature")
        | _optional(html=True, name="RealName", reply_to="ReplyTo", time_zone="TimeZone", language="Language"),
        required=False,
        sharded=True,
    ),
    "groups": Table(("Groups",), _columns(name="GroupName") | _optional(quota="GroupQuota"), required=False),
    # Commercial sites have both; Open has neither.
    "domains": Table(
        ("Domains",),
        _columns(name="Hostname") | _optional(enabled="Enable"),
        required=False,
        required_with=("aliases",),
    ),
    "aliases": Table(
        ("MailAliases",),
        _columns(name="AliasName", target="AliasTo") | _optional(domain="Domain", folder="AliasMailDir"),
        required=False,
    ),
    "sender_rules": Table(
        ("SpamSettings",), _columns(owner="username", preference="preference", value="value"), required=False
    ),
    "blocked_senders": Table(
        ("SpamDB",), _columns(account="Account", sender="SpamEmail"), required=False, sharded=True
    ),
    "external": Table(
        ("Accounts",),
        _columns(account="Account", user="UserAccount", protocol="Type", host="MailServer") | _optional(tls="UseSSL"),
        required=False,
    ),
    # A 7.x user's own entry in the global address book holds the name that others see.
    "contacts": Table(("Abook",), atmail_contacts.COLUMNS, required=False, sharded=True),
    "shared_contacts": Table(("Abook_shared",), atmail_contacts.COLUMNS, required=False),
    "permissions": Table(
        ("AbookPermissions",),
        _columns(contact="AbookID", subject="Account", rights="Permissions"),
        required=False,
    ),
    "config": Table(
        ("Config",),
        {
            "section": Column(("section",), required=False),
            "key": Column(("keyName", "key")),
            "value": Column(("keyValue", "value")),
        },
        required=False,
    ),
}

ATMAIL = SourceProfile(
    name="atmail",
    tables=_TABLES,
    quota_unit=1024,
    companions=("password_md5",),
    settings={
        "version": ("global", "version"),
        "password_type": ("global", "userPasswordEncryptionType"),
        "auth_type": ("dovecot", "authType"),
    },
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
