# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of an Atmail database, with the oddities that real ones have."""

from __future__ import annotations

import html.entities
from collections.abc import Sequence
from dataclasses import dataclass

from pymysql.cursors import Cursor

from . import passwords
from .generations import GENERATIONS, Generation


@dataclass(frozen=True)
class AtmailAccount:
    """An account with what Atmail keeps about it. Passwords as for `passwords.atmail`; the quota in KB, 0 is none.

    `forward` and `auto_reply` are given as the user typed them; Atmail stores them with HTML entities.
    """

    address: str
    password: str
    stored: str = "plain"
    enabled: bool = True
    first_name: str = ""
    last_name: str = ""
    quota_kb: int = 51200
    group: str = "Default"
    forward: str = ""
    auto_reply: str = ""
    time_zone: str = "Australia/Melbourne"
    language: str = "english"
    signature: str = ""


@dataclass(frozen=True)
class AtmailAlias:
    """One row of MailAliases; `maildir` only for the kind that leads to a folder."""

    name: str
    target: str
    domain: str
    maildir: str = ""


@dataclass(frozen=True)
class SpamSetting:
    """One row of SpamSettings; the user GLOBAL stands for the whole site."""

    user: str
    preference: str
    value: str


def htmlentities(text: str) -> str:
    """Entities as PHP wrote them before version 8.1: a name for every character that has one, and `'` stays."""
    names = html.entities.codepoint2name
    return "".join(f"&{names[ord(each)]};" if ord(each) in names else each for each in text)


def put_account(
    cursor: Cursor, account: AtmailAccount, maildir: str, generation: Generation = GENERATIONS["7"]
) -> None:
    """Add the rows of an account, its domain and the classes of service; what the address had before is replaced."""
    remove_account(cursor, account.address, generation)
    domain = account.address.rpartition("@")[2]
    if not generation.is_open:
        put_groups(cursor)
        cursor.execute("INSERT IGNORE INTO Domains (Hostname, Enable) VALUES (%s, '1')", (domain,))
    cursor.execute(
        "INSERT INTO UserSession (Account, Password, LastLogin, ChangePass) VALUES (%s, %s, 0, 0)",
        (account.address, passwords.atmail(account.password, account.stored)),
    )
    cursor.execute(
        "INSERT INTO Users (Account, FirstName, LastName, DateCreate, Ugroup, UserStatus, MailDir, Forward, AutoReply,"
        " UserQuota) VALUES (%s, %s, %s, '2014-03-01 09:00:00', %s, %s, %s, %s, %s, %s)",
        (
            account.address,
            account.first_name,
            account.last_name,
            account.group,
            0 if account.enabled else 1,
            maildir + "/",
            htmlentities(account.forward),
            htmlentities(account.auto_reply),
            account.quota_kb,
        ),
    )
    real_name = f"{account.first_name} {account.last_name}".strip()
    settings = generation.table("UserSettings", account.address)
    cursor.execute(
        f"INSERT INTO `{settings}` (Account, RealName, TimeZone, Language, Signature, MailType, Mode)"
        " VALUES (%s, %s, %s, %s, %s, 'imap', 'imap')",
        (account.address, real_name[:40], account.time_zone, account.language, account.signature),
    )
    if not generation.knows_global_entries:
        return
    cursor.execute(
        "INSERT INTO Abook (Account, UserEmail, UserFirstName, UserLastName, `Global`) VALUES (%s, %s, %s, %s, 1)",
        (account.address, account.address, account.first_name, account.last_name),
    )


def remove_account(cursor: Cursor, address: str, generation: Generation = GENERATIONS["7"]) -> None:
    """Remove the rows of an account, as the webadmin does; its aliases and spam settings stay."""
    for table in ("UserSession", "Users", "UserSettings", "Abook"):
        cursor.execute(f"DELETE FROM `{generation.table(table, address)}` WHERE Account = %s", (address,))


def put_aliases(cursor: Cursor, aliases: Sequence[AtmailAlias]) -> None:
    """Make these the aliases of their domains."""
    for domain in sorted({alias.domain for alias in aliases}):
        cursor.execute("DELETE FROM MailAliases WHERE Domain = %s", (domain,))
    cursor.executemany(
        "INSERT INTO MailAliases (AliasName, AliasTo, Domain, DateCreate, AliasMailDir)"
        " VALUES (%s, %s, %s, '2015-06-01 12:00:00', %s)",
        [(alias.name, alias.target, alias.domain, alias.maildir or None) for alias in aliases],
    )


def put_spam_settings(cursor: Cursor, settings: Sequence[SpamSetting]) -> None:
    """Make these the spam settings of their users."""
    for user in sorted({setting.user for setting in settings}):
        cursor.execute("DELETE FROM SpamSettings WHERE username = %s", (user,))
    cursor.executemany(
        "INSERT INTO SpamSettings (username, preference, value, domain) VALUES (%s, %s, %s, %s)",
        [(each.user, each.preference, each.value, each.user.rpartition("@")[2] or None) for each in settings],
    )


def put_groups(cursor: Cursor) -> None:
    """The classes of service that accounts refer to."""
    cursor.executemany(
        "INSERT IGNORE INTO `Groups` (GroupName, GroupDescription, GroupQuota, MailForwarding, POP3Support,"
        " IMAPSupport, PersonalSpam, SpamSupport) VALUES (%s, %s, %s, %s, 1, 1, 1, 1)",
        [("Default", "Default group", 51200, 1), ("Premium", "Large mailboxes", 2097152, 1), ("Basic", "", 20480, 0)],
    )
