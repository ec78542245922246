# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which columns each file may have, and the names that they go by in the exports of others, best first.

Names are compared without case, blanks and punctuation: ``E-Mail Address`` is ``emailaddress``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Names = Mapping[str, tuple[str, ...]]

ACCOUNTS: Names = {
    "address": (
        *("emailaddress", "email", "primaryemail", "primarysmtpaddress", "primaryaddress", "mailaddress", "mail"),
        *("address", "mailbox", "account", "userprincipalname", "username", "user", "login"),
    ),
    "source_user": ("sourceuser", "sourcelogin", "imapuser", "imaplogin", "oldlogin"),
    "display_name": ("displayname", "name", "fullname", "realname"),
    "first_name": ("firstname", "givenname", "forename"),
    "last_name": ("lastname", "surname", "familyname"),
    "password": ("password", "passwd", "passwordhash", "userpassword", "pass"),
    "scheme": ("scheme", "passwordscheme", "hashtype", "passwordtype"),
    "quota": ("quota", "quotabytes", "mailboxquota", "maxquota", "mailboxsizelimit", "sizelimit"),
    "enabled": ("enabled", "active", "status", "state", "accountstatus", "isactive", "isenabled"),
    "disabled": ("disabled", "suspended", "locked", "isdisabled"),
    "forwards": ("forwards", "forward", "forwardto", "forwardsto", "forwardingaddress", "forwardingaddresses"),
    "keep_copy": ("keepcopy", "keepcopies", "keepacopy", "keepforwarded", "delivertomailboxandforward"),
    "aliases": ("aliases", "alias", "emailaliases", "aliasaddresses"),
    "auto_reply": ("autoreply", "autoreplytext", "autoresponder", "vacation", "vacationmessage", "outofoffice"),
    "auto_reply_subject": ("autoreplysubject", "vacationsubject", "outofofficesubject"),
    "auto_reply_enabled": ("autoreplyenabled", "vacationenabled", "outofofficeenabled"),
    "auto_reply_starts": ("autoreplystarts", "autoreplystart", "autoreplyfrom", "vacationfrom", "vacationstart"),
    "auto_reply_ends": ("autoreplyends", "autoreplyend", "autoreplyuntil", "vacationuntil", "vacationend"),
    "reply_to": ("replyto", "replytoaddress"),
    "signature": ("signature",),
    "time_zone": ("timezone", "tz"),
    "language": ("language", "lang", "locale"),
    "allowed": ("allowed", "allowedsenders", "whitelist", "safesenders", "allow"),
    "blocked": ("blocked", "blockedsenders", "blacklist", "block"),
}
ALIASES: Names = {
    "address": ("alias", "aliasaddress", "emailaddress", "email", "address", "list", "from", "source", "name"),
    "targets": (
        *("targets", "target", "to", "goto", "destination", "destinations", "forwardto", "account", "mailbox"),
        *("member", "members", "recipient", "recipients"),
    ),
    "enabled": ("enabled", "active", "status", "state"),
    "disabled": ("disabled", "suspended"),
}
FORWARDS: Names = {
    "address": ("emailaddress", "email", "account", "mailbox", "address", "username", "user", "from", "source"),
    "forwards": (*ACCOUNTS["forwards"], "to", "goto", "target", "targets", "destination", "destinations"),
    "keep_copy": ACCOUNTS["keep_copy"],
}
LISTS: Names = {
    "owner": ("owner", "account", "user", "username", "mailbox", "emailaddress", "email", "domain", "for"),
    "list": ("list", "type", "kind", "action", "preference", "verdict"),
    "sender": ("sender", "senders", "pattern", "patterns", "value", "entry", "from", "fromaddress", "address"),
}
DOMAINS: Names = {
    "name": ("name", "domain", "domainname", "hostname"),
    "enabled": ("enabled", "active", "status", "state"),
    "disabled": ("disabled", "suspended"),
}
#: Every file that there can be: its columns, and those of them that it must have.
FILES: Mapping[str, tuple[Names, tuple[str, ...]]] = {
    "accounts": (ACCOUNTS, ("address",)),
    "aliases": (ALIASES, ("address", "targets")),
    "forwards": (FORWARDS, ("address", "forwards")),
    "lists": (LISTS, ("list", "sender")),
    "domains": (DOMAINS, ("name",)),
}

_UNIT = re.compile(r"(quota|mailboxquota|maxquota|sizelimit|mailboxsizelimit)(in)?([kmgt]i?b?)")


def plain(name: str) -> str:
    """A column's name as it is compared. Google's exports put ``[Required]`` behind theirs."""
    return re.sub(r"[\W_]+", "", name.casefold().replace("[required]", ""))


def unit_of(name: str) -> str:
    """The unit in the name of a column of quotas (``Quota (MB)``), or nothing."""
    match = _UNIT.fullmatch(plain(name))
    return match[3] if match else ""


def key_of(name: str, known: Names) -> str | None:
    """The key of the column that goes by this name, None when none does."""
    wanted = plain(name)
    if "quota" in known and unit_of(name):
        return "quota"
    return next((key for key, names in known.items() if wanted in names), None)
