# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Random customers for property tests: any text that a source may hold, in things that are valid."""

from __future__ import annotations

from datetime import date

from ansible_collections.atmail.migration.plugins.module_utils.addresses import (
    address_fault,
    canonical_address,
    canonical_pattern,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    Domain,
    ExternalAccount,
    Finding,
    Password,
    Permission,
    SharedContact,
    SiteSenders,
    Source,
)
from hypothesis import strategies as st

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
LOCAL = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=12)
DOMAINS = ("a.example", "b.example", "xn--bcher-kva.example")
TIMES = st.none() | st.dates(min_value=date(1970, 1, 2)).map(lambda day: f"{day.isoformat()}T08:30:00Z")


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """A canonical address in one of a few domains."""
    domain = draw(st.sampled_from(DOMAINS))
    address = canonical_address(f"{draw(LOCAL)}@{domain}")
    return f"plain@{domain}" if address_fault(address) or not address.islower() else address


PATTERNS = (addresses() | st.sampled_from(["*@spam.example", "a?@*.example", "@c.example"])).map(
    lambda text: canonical_pattern(text) or "*@d.example"
)
EXTERNAL = st.builds(
    ExternalAccount,
    protocol=st.sampled_from(["imap", "pop3"]),
    host=st.sampled_from(["mail.far.example", "pop.far.example"]),
    user=TEXT,
    port=st.none() | st.integers(min_value=1, max_value=65535),
    tls=st.booleans(),
    password=st.none() | TEXT,
)
REPLIES = st.builds(AutoReply, text=TEXT, subject=TEXT, enabled=st.booleans(), starts=TIMES, ends=TIMES)


def _some(things: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(things, max_size=most, unique=True).map(tuple)


ACCOUNTS = st.builds(
    Account,
    address=addresses(),
    source_user=TEXT,
    display_name=TEXT,
    enabled=st.booleans(),
    quota_bytes=st.none() | st.integers(min_value=1, max_value=2**63),
    password=st.none() | st.builds(Password, st.just("PLAIN"), TEXT.filter(bool)),
    forwards=_some(addresses()),
    keep_copy=st.booleans(),
    auto_reply=st.none() | REPLIES,
    reply_to=TEXT,
    signature=TEXT,
    time_zone=TEXT,
    language=TEXT,
    allowed=_some(PATTERNS),
    blocked=_some(PATTERNS),
    external=st.lists(EXTERNAL, max_size=2, unique_by=lambda each: each.key).map(tuple),
)
ALIASES = st.builds(
    Alias,
    address=addresses() | st.sampled_from(DOMAINS).map(lambda domain: f"@{domain}"),
    targets=st.lists(addresses(), min_size=1, max_size=4, unique=True).map(tuple),
    enabled=st.booleans(),
)
CONTACTS = st.builds(
    SharedContact,
    key=TEXT,
    name=TEXT,
    owner=st.just("") | addresses(),
    emails=_some(addresses()),
    fields=st.lists(st.tuples(st.sampled_from(["TEL;TYPE=work", "NOTE", "ORG"]), TEXT), max_size=3).map(tuple),
    permissions=st.lists(
        st.builds(Permission, st.sampled_from(["everyone", "domain:a.example"]), st.sampled_from(["read", "write"])),
        max_size=2,
        unique=True,
    ).map(tuple),
)
SENDERS = st.builds(
    SiteSenders, domain=st.sampled_from(["", *DOMAINS]), allowed=_some(PATTERNS), blocked=_some(PATTERNS)
)
CUSTOMERS = st.builds(
    Customer,
    name=TEXT,
    source=st.builds(Source, TEXT, TEXT),
    domains=st.lists(
        st.builds(Domain, st.sampled_from(DOMAINS), st.booleans()), max_size=3, unique_by=lambda domain: domain.name
    ).map(tuple),
    accounts=st.lists(ACCOUNTS, max_size=4, unique_by=lambda account: account.address).map(tuple),
    aliases=st.lists(ALIASES, max_size=4, unique_by=lambda alias: alias.address).map(tuple),
    senders=st.lists(SENDERS, max_size=3, unique_by=lambda each: each.domain).map(tuple),
    contacts=st.lists(CONTACTS, max_size=3, unique_by=lambda each: each.key).map(tuple),
    findings=st.lists(st.builds(Finding, TEXT, TEXT, TEXT, st.just("note")), max_size=3).map(tuple),
)
