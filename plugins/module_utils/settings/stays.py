# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What stays behind, in words: the same ones in an assessment, in a snapshot's findings and on the page (H40).

A finding about something that stays has the name here as its ``kind``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .model import Finding, Level


@dataclass(frozen=True)
class Stay:
    """What it is (in the plural, after a number), why it stays, and what to ask where it can't be seen."""

    label: str
    reason: str
    ask: str = ""


_NO_PLACE = "the cloud has no place for them"
_NOT_HERE = "they are not in what is read here"

#: Name → words. The names are stable: they are kinds of findings and keys of results.
STAYS: dict[str, Stay] = {
    "archive_vault": Stay(
        "messages of the archive vault",
        "the archive vault is a product of its own that keeps its messages on disk, and no part of a mailbox",
        "Is there an archive vault (/usr/local/archivevault), how large is it, and what is to become of it?",
    ),
    "storage_files": Stay(
        "files of the webmail's storage", _NO_PLACE, "Do users keep files in the webmail's storage? They save them."
    ),
    "tasks": Stay(
        "tasks", "the cloud's calendars hold events only", "Do users keep tasks? They are to write them down."
    ),
    "user_defaults": Stay(
        "accounts with settings of the webmail",
        "display, dates, colours and the like are settings of a webmail that is another one on the cloud",
        "Nothing to do: users choose their display settings anew.",
    ),
    "administrators": Stay(
        "administrators",
        "administrators are made anew on the cloud",
        "Who administers the customer's accounts on the cloud?",
    ),
    "subadministrators": Stay(
        "subadministrators",
        "administrators are made anew on the cloud",
        "Who besides the administrator may administer which domains?",
    ),
    "plugins": Stay(
        "plug-ins",
        "plug-ins are programs of the old webmail",
        "Which plug-ins of the webmail are in use, and for what?",
    ),
    "classes_of_service": Stay("classes of service", "the cloud has its own"),
    "learned_senders": Stay(
        "senders that the spam filter has learned", "the cloud's filter learns by itself", "Nothing to do."
    ),
    "filters": Stay("filter rules", "filters are of another kind on the cloud: users write them anew"),
    "folder_rules": Stay("rules that sort mail into folders", "rules are of another kind on the cloud"),
    "sms": Stay("entries of the SMS service", "the cloud has no SMS service"),
    "billing": Stay("billing records", "the cloud's subscription has its own billing"),
    "relay_entries": Stay(
        "addresses that may send after POP (POP before SMTP)", "the cloud asks for a log-in when mail is sent"
    ),
    "mail_in_sql": Stay(
        "messages kept in the database",
        "only mail that the server gives by IMAP or POP3 is copied; compare its counts with this number",
    ),
    "pgp_keys": Stay("PGP keys of users", "the cloud's webmail has no PGP: users export their keys"),
    "contact_pgp_keys": Stay("PGP keys of contacts", "the cloud's address books have no place for them"),
    "calendar_shares": Stay(
        "calendars shared with others", "a calendar is copied for its owner, who shares it anew on the cloud"
    ),
    "shared_groups": Stay("members of shared groups of contacts", "the cloud has no place for groups that are shared"),
    "address_lookups": Stay("directories that the webmail looks addresses up in", _NO_PLACE),
    "app_passwords": Stay("passwords of single programs", "users make new ones, or use their own password"),
    "second_factors": Stay("second factors", "users set their second factor up anew"),
    "signing_keys": Stay("DKIM keys", "new ones are made for the cloud, and the old ones stay valid until the end"),
    "vacation_senders": Stay("senders that have had an auto-reply", "an auto-reply is sent to each once more"),
    "usage_records": Stay("counts of used space", "the cloud counts by itself"),
    "log_entries": Stay("log entries", "a log belongs to the server that wrote it"),
    "contacts_elsewhere": Stay(
        "contacts", _NOT_HERE, "Where are the users' contacts, and can they be reached by CardDAV or exported?"
    ),
    "calendars_elsewhere": Stay(
        "calendars", _NOT_HERE, "Where are the users' calendars, and can they be reached by CalDAV or exported?"
    ),
    "filters_elsewhere": Stay(
        "filters and other settings of users",
        _NOT_HERE,
        "Which filters, signatures and auto-replies do users have that are kept elsewhere?",
    ),
}


def finding(account: str, what: str, count: int, level: Level = "note") -> Finding:
    """The finding that ``count`` things of this kind stay behind; ``account`` is empty for the whole site."""
    stay = STAYS[what]
    return Finding(account, what, f"{count} {stay.label} are not migrated: {stay.reason}", level)
