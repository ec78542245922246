# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Mail sent by real SMTP to the cloud after settings_apply: each ends exactly where it should, and once."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings import snapshot
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    Domain,
    SiteSenders,
    Source,
)

from tests.integration.delivery_lab import Post, at
from tests.integration.settings_lab import VAULT_PASSWORD, SettingsLab
from tests.lab.lab import Lab
from tests.lab.state import RegionOptions

IDN = "xn--bcher-kva.example"
NOW = datetime.now(UTC)


def _time(days: int) -> str:
    return f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def _account(name: str, **values: Any) -> Account:
    address = name if "@" in name else f"{name}@acme.example"
    return Account(address, address, **values)


AWAY = AutoReply("I'm away: {{ x }} ${pid} 漢😀\n.\nAnn", "Abwesend – 漢 ${pid}", starts=_time(-2), ends=_time(2))
ACCOUNTS = (
    _account("ann"),
    _account("bob"),
    _account("disabled", enabled=False, forwards=("disabled@partner.example",)),
    _account("copy", forwards=("copy@partner.example", "o'neil@partner.example")),
    _account("gone", forwards=("gone@partner.example", "bob@acme.example"), keep_copy=False),
    _account("away", auto_reply=AWAY),
    _account("early", auto_reply=AutoReply("not yet", starts=_time(1))),
    _account("late", auto_reply=AutoReply("no longer", ends=_time(-1))),
    _account("off", auto_reply=AutoReply("off", enabled=False)),
    _account("forever", auto_reply=AutoReply("always")),
    _account(
        "picky",
        allowed=("friend@blocked.example", "boss@evil.example"),
        blocked=("spam@evil.example", "*@worse.example", "?%_'|\\x@odd.example"),
    ),
    _account("chosen", blocked=("*@trusted.example", "*@evil.example"), allowed=("boss@evil.example",)),
    _account("full", quota_bytes=20000),
    _account("ann+own@catch.example"),
    _account(f"kim@{IDN}"),
    _account("lea@off.example"),
)
ALIASES = (
    Alias("sales@acme.example", ("ann@acme.example",)),
    Alias("team@acme.example", ("ann@acme.example", "bob@acme.example", "zed@partner.example")),
    Alias("all@acme.example", ("team@acme.example", "sales@acme.example", f"kim@{IDN}")),
    Alias("remote@acme.example", ("zed@partner.example",)),
    Alias("tagged@acme.example", ("ann+sales@acme.example",)),
    Alias("ann+own@acme.example", ("bob@acme.example",)),
    Alias("old@acme.example", ("ann@acme.example",), enabled=False),
    Alias("o'neil@acme.example", ("bob@acme.example",)),
    Alias("|`${x}#:fail:@acme.example", ("bob@acme.example",)),
    Alias("pickies@acme.example", ("picky@acme.example", "bob@acme.example")),
    Alias("someoff@acme.example", ("disabled@acme.example", "bob@acme.example")),
    Alias("@other-acme.example", ("@acme.example",)),
    Alias("@catch.example", ("ann@acme.example", "zed@partner.example")),
    Alias("info@catch.example", ("bob@acme.example",)),
    Alias("hidden@catch.example", ("bob@acme.example",), enabled=False),
)
CUSTOMER = Customer(
    "acme",
    Source("atmail", "7.8.0"),
    (
        Domain("acme.example"),
        Domain("other-acme.example"),
        Domain("catch.example"),
        Domain(IDN),
        Domain("off.example", enabled=False),
    ),
    ACCOUNTS,
    ALIASES,
    (
        SiteSenders("acme.example", allowed=("*@trusted.example",), blocked=("*@blocked.example",)),
        SiteSenders("", allowed=("*@blocked.example",), blocked=("*@everywhere.example", "*@trusted.example")),
    ),
).sorted()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    options = {"eu": RegionOptions(delivery=True)}
    with Lab.temporary(sites=("acme",), regions=("eu",), region_options=options) as made:
        lab = SettingsLab(made, tmp_path_factory.mktemp("snapshots"))
        snapshot.write(lab.snapshot, snapshot.render(CUSTOMER, VAULT_PASSWORD, random=os.urandom))
        assert lab.apply().changed
        assert not lab.apply().changed
        yield lab


@pytest.fixture(scope="module")
def post(lab: SettingsLab) -> Post:
    return Post(lab.region)


PLACES = [
    ("ann@acme.example", at("ann")),
    ("ANN@Acme.EXAMPLE", at("ann")),
    ("ann+lists@acme.example", at("ann")),
    ("ann+a+b@acme.example", at("ann")),
    ("sales@acme.example", at("ann")),
    ("Sales+x@acme.example", at("ann")),
    ("team@acme.example", at("ann", "bob", "outside: zed@partner.example")),
    ("all@acme.example", at("ann", "bob", "outside: zed@partner.example", f"kim@{IDN}")),
    ("remote@acme.example", at("outside: zed@partner.example")),
    ("tagged@acme.example", at("ann")),
    ("ann+own@acme.example", at("bob")),
    ("o'neil@acme.example", at("bob")),
    ('"|`${x}#:fail:"@acme.example', at("bob")),
    ("ann@other-acme.example", at("ann")),
    ("ann+x@other-acme.example", at("ann")),
    ("team@other-acme.example", at("ann", "bob", "outside: zed@partner.example")),
    ("copy@acme.example", at("copy", "outside: copy@partner.example", "outside: o'neil@partner.example")),
    ("gone@acme.example", at("bob", "outside: gone@partner.example")),
    ("info@catch.example", at("bob")),
    ("anything@catch.example", at("ann", "outside: zed@partner.example")),
    ("hidden@catch.example", at("ann", "outside: zed@partner.example")),
    ("ann+own@catch.example", at("ann+own@catch.example")),
    (f"kim@{IDN}", at(f"kim@{IDN}")),
    (f"Kim@{IDN.upper()}", at(f"kim@{IDN}")),
]


@pytest.mark.parametrize(("recipient", "places"), PLACES)
def test_mail_ends_where_it_should(post: Post, recipient: str, places: dict[str, int]) -> None:
    sent = post.send(recipient)
    assert sent.refused == {}
    assert sent.places == places
    assert sent.answers == []


REFUSED = [
    ("nobody@acme.example", "no such address"),
    ("nobody+x@acme.example", "no such address"),
    ("nobody@other-acme.example", "no such address"),
    ("old@acme.example", "no such address"),
    ("disabled@acme.example", "account takes no mail"),
    ("disabled@other-acme.example", "account takes no mail"),
    ("lea@off.example", "domain takes no mail"),
    ("nobody@off.example", "domain takes no mail"),
    ("joe@far.example", "relaying is not permitted"),
    ("ann@partner.example", "relaying is not permitted"),
    ("ann%acme.example@far.example", "relaying is not permitted"),
    ("@acme.example:ann@far.example", "relaying is not permitted"),
]


@pytest.mark.parametrize(("recipient", "said"), REFUSED)
def test_mail_that_nobody_is_to_get_is_refused_at_once(post: Post, recipient: str, said: str) -> None:
    sent = post.send(recipient)
    assert sent.refused[recipient].startswith("550 ")
    assert said in sent.refused[recipient]
    assert sent.places == {}


def test_several_recipients_get_it_once_each_and_only_the_wrong_ones_are_refused(post: Post) -> None:
    wanted = ["ann@acme.example", "sales@acme.example", "team@acme.example", "remote@acme.example"]
    sent = post.send([*wanted, "nobody@acme.example", "disabled@acme.example"])
    assert set(sent.refused) == {"nobody@acme.example", "disabled@acme.example"}
    assert sent.places == at("ann", "bob", "outside: zed@partner.example")


def test_a_suspended_tenant_takes_no_mail(lab: SettingsLab, post: Post) -> None:
    with lab.target_sql() as cursor:
        cursor.execute("UPDATE tenants SET status = 'suspended' WHERE subscription = 'acme'")
    try:
        assert "550" in post.send("ann@acme.example").refused["ann@acme.example"]
    finally:
        with lab.target_sql() as cursor:
            cursor.execute("UPDATE tenants SET status = 'active' WHERE subscription = 'acme'")
    assert post.send("ann@acme.example").places == at("ann")


def test_a_list_with_a_disabled_member_reaches_the_others_and_says_so_to_the_sender(post: Post) -> None:
    sent = post.send("someoff@acme.example")
    assert sent.places == at("bob")
    (bounce,) = sent.answers
    assert bounce.recipient == "joe@far.example"
    assert "this account takes no mail" in bounce.message.as_string()


HOSTILE = [
    "\"' OR '1'='1\"@{domain}",
    "\"x' UNION SELECT 'bob@acme.example' -- \"@{domain}",
    '"\\\\\' OR 1=1 -- "@{domain}',
    '"|touch {file}"@{domain}',
    '"${{run{{/bin/touch {file}}}}}"@{domain}',
    '"{file}"@{domain}',
    '":include:{file}"@{domain}',
    '":blackhole:"@{domain}',
    '"bob@acme.example, x"@{domain}',
    "*@{domain}",
    "%@{domain}",
    "a_n@{domain}",
    '"ann;Junk"@{domain}',
]


def test_a_hostile_name_is_a_name(lab: SettingsLab, post: Post) -> None:
    file = lab.region.folder / "mx" / "spool" / "hostile"

    def names(domain: str) -> list[str]:
        return [name.format(domain=domain, file=file) for name in HOSTILE]

    before = lab.target_rows("address, status")
    unknown = [*names("acme.example"), *names("other-acme.example")]
    sent = post.send(unknown)
    assert sorted(sent.refused) == sorted(unknown)
    assert all("no such address" in said for said in sent.refused.values())
    assert sent.places == {}
    caught = post.send(names("catch.example"))
    assert caught.refused == {}
    assert caught.places == at("ann", "outside: zed@partner.example")
    assert not file.exists()
    assert lab.target_rows("address, status") == before


SENDERS = [
    # whose rule is meant, sender, recipient, whether it comes
    ("the account's block", "spam@evil.example", "picky@acme.example", False),
    ("by an alias of the domain", "spam@evil.example", "picky@other-acme.example", False),
    ("in any case", "Spam@EVIL.example", "picky@acme.example", False),
    ("a whole domain", "anybody@worse.example", "picky@acme.example", False),
    ("nobody else's rule", "spam@evil.example", "ann@acme.example", True),
    ("a pattern is no regular expression", "spamXevil.example@far.example", "picky@acme.example", True),
    ("LIKE's own characters are plain", "a%_'|x@odd.example", "picky@acme.example", True),
    ("the domain's block", "x@blocked.example", "ann@acme.example", False),
    ("the domain's block holds for the domain alone", "x@blocked.example", f"kim@{IDN}", True),
    ("the account's word before the domain's", "friend@blocked.example", "picky@acme.example", True),
    ("the domain's word before the tenant's", "x@trusted.example", "ann@acme.example", True),
    ("the account's block before the domain's word", "x@trusted.example", "chosen@acme.example", False),
    ("allowing before blocking", "boss@evil.example", "chosen@acme.example", True),
    ("the whole site's block", "x@everywhere.example", "ann@acme.example", False),
    ("the whole site's block, in every domain", "x@everywhere.example", f"kim@{IDN}", False),
    ("a bounce is nobody's", "", "picky@acme.example", True),
]


@pytest.mark.parametrize(("why", "sender", "recipient", "comes"), SENDERS)
def test_a_blocked_sender_is_refused_and_an_allowed_one_is_not(
    post: Post, why: str, sender: str, recipient: str, comes: bool
) -> None:
    sent = post.send(recipient, sender=sender)
    assert bool(sent.refused) != comes, why
    if comes:
        assert sent.places == at(recipient)
    else:
        assert "sender is not wanted" in sent.refused[recipient]
        assert sent.places == {}
    assert sent.answers == []


def test_what_cannot_be_refused_goes_to_junk_and_nobody_is_told(post: Post) -> None:
    in_a_list = post.send("pickies@acme.example", sender="spam@evil.example")
    assert in_a_list.places == {"picky@acme.example Junk": 1, "bob@acme.example": 1}
    by_its_author = post.send("picky@acme.example", headers={"From": "Mr. Spam <spam@evil.example>"})
    assert by_its_author.places == {"picky@acme.example Junk": 1}
    assert in_a_list.answers == by_its_author.answers == []


def test_an_account_that_is_full_gets_no_more_and_the_sender_is_told(post: Post) -> None:
    small = post.send("full@acme.example")
    assert small.places == at("full")
    large = post.send("full@acme.example", text="x" * 60 + "\n" + ("y" * 70 + "\n") * 400)
    assert large.places == {}
    (bounce,) = large.answers
    assert bounce.recipient == "joe@far.example"
    assert "full@acme.example" in bounce.message.as_string()
    assert "uota" in bounce.message.as_string()


def test_an_automatic_reply_comes_once_to_a_sender_and_in_full(post: Post) -> None:
    first = post.send("away@acme.example", sender="eva@far.example")
    assert first.places == at("away")
    replies = [each for each in post.outside() if each.recipient == "eva@far.example"]
    assert len(replies) == 1
    reply = replies[0]
    assert reply.sender == ""
    assert reply.message["From"] == "away@acme.example"
    assert reply.message["To"] == "eva@far.example"
    assert reply.message["Subject"] == AWAY.subject
    assert reply.message.get_all("Auto-Submitted") == ["auto-replied"]
    assert reply.message.get_content().strip() == AWAY.text
    second = post.send("away@acme.example", sender="eva@far.example")
    assert second.places == at("away")
    assert len([each for each in post.outside() if each.recipient == "eva@far.example"]) == 1
    post.send("away@acme.example", sender="max@far.example")
    assert len([each for each in post.outside() if each.recipient == "max@far.example"]) == 1


REPLIES = [
    ("forever@acme.example", True),
    ("forever@other-acme.example", True),
    ("early@acme.example", False),
    ("late@acme.example", False),
    ("off@acme.example", False),
]


@pytest.mark.parametrize(("recipient", "answered"), REPLIES)
def test_an_automatic_reply_keeps_to_its_dates(post: Post, recipient: str, answered: bool) -> None:
    sender = f"reader-of-{recipient.replace('@', '-')}@far.example"
    assert len(post.send(recipient, sender=sender).places) == 1
    assert len([each for each in post.outside() if each.recipient == sender]) == (1 if answered else 0)


ROBOTS = [
    ("", {}),
    ("owner-list@far.example", {}),
    ("list-request@far.example", {}),
    ("MAILER-DAEMON@far.example", {}),
    ("list@far.example", {"List-Id": "<list.far.example>"}),
    ("list@far.example", {"Precedence": "bulk"}),
    ("robot@far.example", {"Auto-Submitted": "auto-generated"}),
    ("quiet@far.example", {"To": "undisclosed-recipients:;"}),
    ("forever@acme.example", {}),
]


@pytest.mark.parametrize(("sender", "headers"), ROBOTS)
def test_lists_bounces_and_other_robots_get_no_automatic_reply(
    post: Post, sender: str, headers: dict[str, str]
) -> None:
    before = len(post.outside())
    assert post.send("forever@acme.example", sender=sender, headers=headers).places == at("forever")
    assert len(post.outside()) == before


def test_circles_made_on_the_cloud_end_in_a_mailbox(lab: SettingsLab, post: Post) -> None:
    def forward(account: str, target: str) -> None:
        cursor.execute("INSERT INTO forwards SELECT id, %s FROM accounts WHERE address = %s", (target, account))
        cursor.execute("UPDATE accounts SET keep_forwarded = 0 WHERE address = %s", (account,))

    with lab.target_sql() as cursor:
        forward("early@acme.example", "late@acme.example")
        forward("late@acme.example", "early@acme.example")
    sent = post.send("early@acme.example")
    assert sent.places == at("early")


def test_a_message_of_any_form_comes(lab: SettingsLab, post: Post) -> None:
    data = b"Subject: odd\r\n\r\n..dot\r\n.\r\n\xff\xfe {{ x }} \xf0\x9f\x98\x80\r\nFrom here\r\n"
    with smtplib.SMTP("127.0.0.1", lab.region.state.ports["smtp"], timeout=30) as client:
        assert client.sendmail("joe@far.example", ["bob@acme.example"], data) == {}
    lab.region.mx.settle()
    assert post.places("odd") == at("bob")
