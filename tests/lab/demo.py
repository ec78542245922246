# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill sites with believable customers: people with their passwords and mail, aliases, forwards, spam lists.

Everything comes out the same on every machine, the passwords included.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from . import atmail, mailgen
from .atmail import AtmailAccount, AtmailAlias, SpamSetting
from .atmail_dav import Amount, fill_account
from .errors import LabError
from .maildir import write_mailbox
from .site import Site

#: Part of the demo's messages that each scale has, and the size of its largest message in bytes.
SCALES = {"demo": (1.0, mailgen.MAX_SIZE), "test": (0.08, 256 << 10)}


_USUAL = Amount({"Personal": 6}, 5)


@dataclass(frozen=True)
class Person:
    """Somebody with a mailbox: the local part of the address, the name, how Atmail stores the password, and how much
    mail there is at the demo's scale.
    """

    local: str
    first: str
    last: str
    stored: str
    messages: int
    folders: int
    enabled: bool = True
    password: str = ""
    forward: str = ""
    auto_reply: str = ""
    quota_kb: int = 2097152
    time_zone: str = "Australia/Melbourne"
    kept: Amount = _USUAL


_AWAY = """I'm away until Monday <the 30th> & read no mail. Grüße!
In urgent cases: "Bob" on +61 3 5550 0199."""

#: One cast for every site; whoever has a site of one's own sees other mail, since that depends on the address.
PEOPLE = (
    Person("ann", "Ann", "Lee", "plain", 900, 12, kept=Amount({"Work": 40, "Family": 20}, 80, groups=2)),
    Person(
        *("bob", "Bob", "O'Brien", "md5", 700, 9),
        forward="o'brien&sons@phone.example.net",
        kept=Amount({"Personal": 15}, 20, groups=1),
    ),
    Person("chloe.martin", "Chloé", "Martin", "md5_crypt", 450, 10, time_zone="Europe/Paris"),
    Person("dieter", "Dieter", "Müller", "md5", 380, 8, password="summer", time_zone="Europe/Berlin"),
    Person("erin", "Erin", "Walsh", "plain", 260, 7, auto_reply=_AWAY, password='Pa ss"w\\ör{d}$1'),
    Person("frank_former", "Frank", "Former", "md5_crypt", 120, 6, enabled=False),
    Person("postmaster", "", "", "md5", 60, 5, quota_kb=0, kept=Amount({}, 0)),
    Person("7sales", "Sales", "Team", "md5_crypt", 40, 5, quota_kb=51200, forward="ann@{domain}"),
)


def fill(site: Site, scale: str, say: Callable[[str], None]) -> bool:
    """Give a running site its customer; gives back False when it has one already. Raises LabError.

    What an interrupted run has left is replaced. Accounts that were added by hand stay.
    """
    if scale not in SCALES:
        raise LabError(f"scale is one of {', '.join(SCALES)}, not {scale}")
    if site.state.scale:
        return False
    messages = folders = 0
    for number, person in enumerate(PEOPLE):
        more = _fill_mailbox(site, person, scale, huge_gap=number == 0)
        messages, folders = messages + more[0], folders + more[1]
    share = SCALES[scale][0]
    with site.database.session() as cursor:
        atmail.put_aliases(cursor, _aliases(site.domain))
        atmail.put_spam_settings(cursor, _spam_settings(site.domain))
        for person in PEOPLE:
            fill_account(cursor, f"{person.local}@{site.domain}", _scaled(person.kept, share), site.generation)
    site.state.scale = scale
    say(f"{site.name}: {len(PEOPLE)} accounts, {folders} folders, {messages} messages")
    return True


def password(address: str) -> str:
    """A password that meets the usual policy, the same one every time."""
    chance = random.Random(f"password {address}")
    words = chance.sample(("Orange", "Kite", "Harbour", "Violet", "Tram", "Magpie", "Lantern", "Quartz"), 2)
    return f"{words[0]}-{words[1]}-{chance.randint(10, 99)}{chance.choice('!%+=?')}"


def _scaled(amount: Amount, share: float) -> Amount:
    """A part of it, of everything at least something."""
    calendars = {name: max(2, int(count * share)) for name, count in amount.calendars.items()}
    return Amount(calendars, max(4, int(amount.contacts * share)) if amount.contacts else 0, amount.groups)


def _fill_mailbox(site: Site, person: Person, scale: str, *, huge_gap: bool) -> tuple[int, int]:
    share, max_size = SCALES[scale]
    address = f"{person.local}@{site.domain}"
    shutil.rmtree(site.maildir(address), ignore_errors=True)
    secret = person.password or password(address)
    details = AtmailAccount(
        address,
        secret,
        first_name=person.first,
        last_name=person.last,
        quota_kb=person.quota_kb,
        group="Premium" if person.messages > 300 else "Default",
        forward=person.forward.format(domain=site.domain),
        auto_reply=person.auto_reply,
        time_zone=person.time_zone,
        signature=f"<p>-- <br>{person.first} {person.last}</p>" if person.first else "",
    )
    site.add_account(address, secret, stored=person.stored, enabled=person.enabled, details=details)
    plan = mailgen.Plan(
        seed=address,
        messages=max(8, int(person.messages * share)),
        folders=person.folders,
        max_size=max_size,
        huge_gap=huge_gap,
    )
    folders = mailgen.make_mailbox(plan)
    missing = mailgen.MISSING
    counts = write_mailbox(site.maildir(address), folders, owner=site.file_owner, subscribed_but_missing=missing)
    site.count(address, *counts)
    return counts


def _aliases(domain: str) -> list[AtmailAlias]:
    """All five kinds: local, deliver (several targets, and elsewhere), domain, virtual (catch-all), folder."""
    other = f"mail.{domain}"
    return [
        AtmailAlias(f"info@{domain}", f"ann@{domain}", domain),
        AtmailAlias(f"team@{domain}", f"ann@{domain}", domain),
        AtmailAlias(f"team@{domain}", f"bob@{domain}", domain),
        AtmailAlias(f"team@{domain}", "partner@elsewhere.example.net", domain),
        AtmailAlias(f"Abuse@{domain}", f"postmaster@{domain}", domain),
        AtmailAlias(f"mailer-daemon@{domain}", f"postmaster@{domain}", domain),
        AtmailAlias(f"@{other}", f"@{domain}", other),
        AtmailAlias(f"@{domain}", f"postmaster@{domain}", domain),
        AtmailAlias(f"archive@{domain}", "", domain, "/usr/local/atmail/users/a/n/archive/"),
    ]


def _spam_settings(domain: str) -> list[SpamSetting]:
    """Lists with what webmail leaves in them: carriage returns, empty rows, bare domains, patterns, values cut off."""
    ann, bob = f"ann@{domain}", f"bob@{domain}"
    return [
        SpamSetting("GLOBAL", "required_score", "5"),
        SpamSetting("GLOBAL", "whitelist_from", "*@partner.example\r"),
        SpamSetting("GLOBAL", "blacklist_from", "@casino.example"),
        SpamSetting(ann, "required_score", "4.5"),
        SpamSetting(ann, "rewrite_header", "subject [SPAM]"),
        SpamSetting(ann, "whitelist_from", "newsletter@shop.example.com\r"),
        SpamSetting(ann, "whitelist_from", "mum@example.org"),
        SpamSetting(ann, "whitelist_from", "MUM@Example.org\r"),
        SpamSetting(ann, "blacklist_from", "*@spam*.example\r"),
        SpamSetting(bob, "whitelist_from", ""),
        SpamSetting(bob, "blacklist_from", ("long-" * 30 + "@example.com")[:100]),
        SpamSetting(f"gone@{domain}", "blacklist_from", "offers@example.com"),
    ]
