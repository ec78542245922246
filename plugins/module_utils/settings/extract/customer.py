# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""All readers together: the whole customer of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ...platforms.shards import shard_names
from ...transport.database import Database
from ..model import Account, Customer, Domain, ExternalAccount, Finding, SiteSenders, Source
from .accounts import read_accounts
from .aliases import read_aliases
from .contacts import People, read_contacts
from .domains import read_domains
from .external import read_external
from .routing import add_routing
from .sender_rules import Lists, Senders
from .senders import read_senders
from .site import Site

_NONE: Mapping[str, str | None] = MappingProxyType({})


def extract(database: Database, site: Site, customer: str, originals: Mapping[str, str | None] = _NONE) -> Customer:
    """The whole customer, sorted. What could not be read, or has no place, is in its findings.

    ``originals``: stored password → the one that stands behind it while another is in use.
    """
    domains, findings = read_domains(database, site)
    accounts = read_accounts(database, site, domains, originals)
    aliases = read_aliases(database, site, domains, accounts.by_address, accounts.profiles.folders())
    domains |= {name: Domain(name) for name in aliases.domains}
    senders = read_senders(database, site, accounts.by_address, domains)
    external, polled = read_external(database, site, accounts.by_address)
    routed, ways, remarks = add_routing(database, site, accounts.by_address, domains)
    whole = [_whole(account, aliases.forwards, senders, external) for account in routed.values()]
    people = People({account.address: account for account in whole}, domains, accounts.profiles.groups)
    contacts = read_contacts(database, site, people)
    findings += [*accounts.findings, *aliases.findings, *senders.findings, *contacts.findings]
    findings += [*polled, *remarks, *_unread(site)]
    return Customer(
        name=customer,
        source=Source(site.profile.name, site.settings.get("version", "")),
        domains=tuple(domains.values()),
        accounts=tuple(whole),
        aliases=(*aliases.aliases, *ways),
        senders=tuple(
            SiteSenders(domain, tuple(lists.allowed), tuple(lists.blocked))
            for domain, lists in senders.domains.items()
            if lists.allowed or lists.blocked
        ),
        contacts=tuple(contacts.contacts.values()),
        findings=tuple(findings),
    ).sorted()


def _unread(site: Site) -> list[Finding]:
    """Shards beside a table that holds all, which is read."""
    found = []
    for key, table in site.profile.tables.items():
        if table.sharded and key in site.tables:
            read = {shard.name for shard in site.tables[key].shards}
            left = [name for name in shard_names(table.names, site.schema) if name not in read]
            if left:
                message = f"{len(left)} tables like {left[0]} are not read, as there is {min(read)}, too"
                found.append(Finding("", "shards_unread", message))
    return found


def _whole(
    account: Account,
    forwards: Mapping[str, tuple[str, ...]],
    senders: Senders,
    external: Mapping[str, tuple[ExternalAccount, ...]],
) -> Account:
    """The account with what other tables say of it."""
    lists = senders.accounts.get(account.address, Lists())
    account = replace(
        account,
        allowed=tuple(lists.allowed),
        blocked=tuple(lists.blocked),
        external=(*account.external, *external.get(account.address, ())),
    )
    if account.address not in forwards:
        return account
    return replace(account, forwards=(*account.forwards, *forwards[account.address]), keep_copy=True)
