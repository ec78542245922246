# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Every generation of Atmail, from real tables, by a user who may only read."""

from __future__ import annotations

import imaplib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import DatabaseError, MissingTableError
from ansible_collections.atmail.migration.plugins.module_utils.settings import snapshot
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    ExternalAccount,
    Permission,
    SiteSenders,
)

from tests.integration.generations_lab import PASSWORD, READER, Generations
from tests.integration.settings_lab import run_module
from tests.lab.atmail import AtmailAccount
from tests.lab.lab import Lab
from tests.lab.state import SiteOptions

SEVEN = ("7", "7-early", "6")
FIVE = ("5", "5-large", "open-whole")
COMMERCIAL = (*SEVEN, *FIVE)
EVERY = (*COMMERCIAL, "open")
HOSTILE = "O'Brien \"{{ lookup('env', 'HOME') }}\" \\ %s `x` -- ; \x00 漢"


@pytest.fixture(scope="module")
def generations() -> Iterator[Generations]:
    with Generations.temporary() as found:
        yield found


def of(customer: Customer, address: str) -> Account:
    (found,) = [account for account in customer.accounts if account.address == address]
    return found


def kinds(customer: Customer, account: str = "") -> set[str]:
    return {finding.kind for finding in customer.findings if finding.account == account}


@pytest.mark.parametrize("name", EVERY)
def test_what_an_account_has_in_every_generation(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account(
        "john@acme.example",
        first_name="John",
        last_name="Miller",
        quota_kb=2048,
        forward="ann@far.example, john@acme.example; bob@far.example",
        auto_reply="Zurück am Montag & gesund <bald>\r\n— J",
        signature="<b>John</b>",
        language="german",
    )
    site.account("ann@acme.example", enabled=False)
    site.account("1st@acme.example", quota_kb=0)
    customer = site.extract()
    john = of(customer, "john@acme.example")
    assert (john.display_name, john.quota_bytes, john.enabled) == ("John Miller", 2048 * 1024, True)
    assert (john.forwards, john.keep_copy) == (("ann@far.example", "bob@far.example"), True)
    assert john.auto_reply == AutoReply("Zurück am Montag & gesund <bald>\n— J")
    assert (john.signature, john.time_zone, john.language) == ("<b>John</b>", "Australia/Melbourne", "de")
    assert john.password
    assert john.password.value == "Pw-john@acme.example"
    assert not of(customer, "ann@acme.example").enabled
    assert of(customer, "1st@acme.example").quota_bytes is None
    assert [domain.name for domain in customer.domains] == ["acme.example"]
    assert ("domains_derived" in kinds(customer)) == (name == "open")
    assert customer.source.version.startswith("" if name == "open" else name[0] if name[0].isdigit() else "5")


@pytest.mark.parametrize("name", EVERY)
def test_reading_twice_is_the_same_and_writes_nothing(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    for number, letter in enumerate("zajö9"):
        site.account(f"{letter}{number}@acme.example", forward="x@far.example", first_name=HOSTILE.rstrip("漢"))
    before = site.checksums()
    texts = [snapshot.render(site.extract(), "vault", random=lambda count: b"s" * count) for _unused in range(2)]
    assert texts[0] == texts[1]
    assert site.checksums() == before


def test_the_user_of_the_tests_may_only_read(generations: Generations) -> None:
    site = generations.fresh("5")
    granted = site.sql("SHOW GRANTS FOR migration@127.0.0.1")
    assert not [grant for (grant,) in granted if "SELECT" not in grant and "USAGE" not in grant]
    with site.reader() as database, pytest.raises(DatabaseError):
        database.execute("DELETE FROM Users")


@pytest.mark.parametrize("name", COMMERCIAL)
def test_aliases_of_all_kinds(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account("ann@acme.example")
    site.account("bob@acme.example")
    site.sql("INSERT INTO Domains (Hostname, Enable) VALUES ('shop.example', '1'), ('old.example', '1')")
    folder = "/usr/local/atmail/users/b/o/bob@acme.example"
    for row in (
        ("sales@acme.example", "ann@acme.example", "acme.example", ""),
        ("sales@acme.example", "bob@acme.example, eve@far.example", "acme.example", ""),
        ("Info", "ann", "acme.example", ""),
        ("@shop.example", "@acme.example", "shop.example", ""),
        ("*@old.example", "ann@acme.example", "old.example", ""),
        ("brand.example", "acme.example", "", ""),
        ("files@acme.example", "", "acme.example", f"{folder}/.Files"),
        ("bobby@acme.example", None, "acme.example", f"{folder}/"),
        ("ann@acme.example", "eve@far.example", "acme.example", ""),
        ("self@acme.example", "self@acme.example", "acme.example", ""),
        ("none@acme.example", "", "acme.example", ""),
        ("bad name@acme.example", "ann@acme.example", "acme.example", ""),
        ("x@other.example", "ann@acme.example", "other.example", ""),
        ("postmaster@acme.example", "admin@far.example", "acme.example", ""),
    ):
        site.sql("INSERT INTO MailAliases (AliasName, AliasTo, Domain, AliasMailDir) VALUES (%s, %s, %s, %s)", *row)
    customer = site.extract()
    assert customer.aliases == (
        Alias("@brand.example", ("@acme.example",)),
        Alias("@old.example", ("ann@acme.example",)),
        Alias("@shop.example", ("@acme.example",)),
        Alias("bobby@acme.example", ("bob@acme.example",)),
        Alias("info@acme.example", ("ann@acme.example",)),
        Alias("postmaster@acme.example", ("admin@far.example",)),
        Alias("sales@acme.example", ("ann@acme.example", "bob@acme.example", "eve@far.example")),
    )
    ann = of(customer, "ann@acme.example")
    assert (ann.forwards, ann.keep_copy) == (("eve@far.example",), True)
    assert "alias_is_account" in kinds(customer, "ann@acme.example")
    assert kinds(customer, "@brand.example") == {"domain_added"}
    assert kinds(customer, "files@acme.example") == {"alias_folder"}
    assert kinds(customer, "self@acme.example") == {"alias_loop"}
    assert kinds(customer, "none@acme.example") == {"alias_empty"}
    assert kinds(customer, "bad name@acme.example") == {"alias_invalid"}
    assert kinds(customer, "x@other.example") == {"domain_missing"}
    assert "alias_of_installer" in kinds(customer)
    assert {domain.name for domain in customer.domains} >= {"brand.example"}


@pytest.mark.parametrize("name", COMMERCIAL)
def test_white_and_blacklists(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account("jo@acme.example")
    long = "x" * 88 + "@far.example"
    for owner, preference, value in (
        ("jo@acme.example", "whitelist_from", "Friend@Far.example\r"),
        ("JO@acme.example", "whitelist_from", "@news.example *@b?g.example\r\n"),
        ("jo@acme.example", "whitelist_from", ""),
        ("jo@acme.example", "whitelist_from", "\r"),
        ("jo@acme.example", "blacklist_from", long),
        ("jo@acme.example", "blacklist_from", "nonsense"),
        ("jo@acme.example", "whitelist_to", "list@acme.example"),
        ("jo@acme.example", "required_score", "5"),
        ("GLOBAL", "blacklist_from", "*@spam.example"),
        ("%acme.example", "whitelist_from", "partner.example"),
        ("gone@acme.example", "whitelist_from", "x@y.example"),
    ):
        site.insert("SpamSettings", "", username=owner, preference=preference, value=value)
    if name not in SEVEN:
        site.insert("SpamDB", "jo@acme.example", SpamEmail="pest@far.example", Account="jo@acme.example")
    customer = site.extract()
    jo = of(customer, "jo@acme.example")
    assert jo.allowed == ("*@b?g.example", "*@news.example", "friend@far.example")
    assert jo.blocked == ((long,) if name in SEVEN else ("pest@far.example", long))
    assert customer.senders == (
        SiteSenders("", (), ("*@spam.example",)),
        SiteSenders("acme.example", ("*@partner.example",), ()),
    )
    assert kinds(customer, "jo@acme.example") >= {"value_cut", "pattern_invalid", "allowed_recipient"}
    messages = {finding.kind: finding.message for finding in customer.findings if not finding.account}
    assert messages["list_empty"].startswith("2 rows")
    assert messages["list_orphaned"].startswith("1 rows")
    assert messages["spam_preference"].startswith("1 rows of required_score")


@pytest.mark.parametrize("name", COMMERCIAL)
def test_polled_mailboxes_shared_contacts_and_classes_of_service(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account("ann@acme.example", first_name="Ann", last_name="Bolt", quota_kb=0, group="Premium")
    site.account("bob@acme.example", first_name="Bob", last_name="Cox")
    site.sql("UPDATE Users SET UserQuota = NULL WHERE Account LIKE 'ann@%%'")
    site.sql(
        "INSERT INTO Accounts (Account, UserAccount, Type, MailServer, UseSSL) VALUES"
        " ('ann@acme.example', 'ann', 'pop3', 'POP.Far.example', 1), ('ann@acme.example', 'x', 'news', 'far', 0),"
        " ('gone@acme.example', 'y', 'imap', 'far.example', 0)"
    )
    shared = "Abook" if name in SEVEN else "Abook_shared"
    site.sql(
        f"INSERT INTO {shared} (id, Account, UserFirstName, UserLastName, UserEmail, UserEmail2, UserWorkPhone,"
        " UserWorkCompany, UserDOB) VALUES (70001, 'bob@acme.example', 'Eve', 'Far', 'Eve@Far.example', 'bad address',"
        " '+61 3', 'Far; Ltd', '1980-02-03 00:00:00'), (70002, 'bob@acme.example', '', '', '', NULL, NULL, NULL, NULL)"
    )
    subjects = ("All Users", "ann@acme.example", "Premium", "acme.example", "x")
    for subject, rights in (*((subject, 1) for subject in subjects), ("ann@acme.example", 7)):
        site.sql("INSERT INTO AbookPermissions (AbookID, Account, Permissions) VALUES (70001, %s, %s)", subject, rights)
    site.sql("INSERT INTO AbookPermissions (AbookID, Account, Permissions) VALUES (70002, 'All Users', 1)")
    customer = site.extract()
    ann = of(customer, "ann@acme.example")
    assert ann.quota_bytes == 2097152 * 1024
    assert ann.external == (ExternalAccount("pop3", "pop.far.example", "ann"),)
    assert "external_invalid" in kinds(customer, "ann@acme.example")
    (eve,) = customer.contacts
    assert (eve.name, eve.owner, eve.emails) == ("Eve Far", "bob@acme.example", ("eve@far.example",))
    assert ("TEL;TYPE=work", "+61 3") in eve.fields
    assert ("BDAY", "1980-02-03") in eve.fields
    assert ("ORG", "Far\\; Ltd;") in eve.fields
    assert eve.permissions == tuple(
        Permission(who) for who in ("account:ann@acme.example", "domain:acme.example", "everyone", "group:Premium")
    )
    assert kinds(customer) >= {"quota_of_group", "external_orphaned", "permission_unknown", "contact_address"}
    assert "contact_empty" in kinds(customer, "bob@acme.example")


@pytest.mark.parametrize("name", SEVEN)
def test_an_own_entry_of_the_global_address_book_that_says_more_than_the_account(
    generations: Generations, name: str
) -> None:
    site = generations.fresh(name)
    site.account("ann@acme.example", first_name="Ann", last_name="Bolt")
    site.account("bob@acme.example", first_name="Bob")
    site.sql("UPDATE Abook SET UserWorkPhone = '42' WHERE Account LIKE 'ann@%%'")
    (ann,) = site.extract().contacts
    assert (ann.name, ann.emails) == ("Ann Bolt", ("ann@acme.example",))
    assert ann.fields == (("N", "Bolt;Ann;;;"), ("TEL;TYPE=work", "42"))
    assert ann.permissions == (Permission("domain:acme.example"),)


@pytest.mark.parametrize("name", FIVE)
def test_what_stays_is_said_of_each_account_with_its_number(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account("jo@acme.example")
    for _unused in range(3):
        site.insert("MailSort", "jo@acme.example", Account="jo@acme.example", EmailAddress="x@y.example")
    site.insert("Filter", "", Account="Jo@acme.example", Header="Subject", Value="free", Score=5)
    site.insert("MailSort", "zed@acme.example", Account="zed@acme.example", EmailAddress="x@y.example")
    customer = site.extract()
    assert kinds(customer, "jo@acme.example") >= {"folder_rules", "filters"}
    messages = {(finding.account, finding.kind): finding.message for finding in customer.findings}
    assert messages["jo@acme.example", "folder_rules"].startswith("3 rules")
    assert messages["", "folder_rules"].startswith("1 rules")


@pytest.mark.parametrize("name", FIVE)
def test_hostile_values_in_latin1_tables_come_through(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    emoji = "😀 漢 é"
    for account, real_name, signature in (
        ("jo@acme.example", "Jürgen".encode(), emoji.encode()),
        ("Jolly@acme.example", "Jürgen".encode("latin-1"), b"\x93quoted\x94 \x80 5"),
        ("o'neil@acme.example", b"J&Atilde;&frac14;rgen &amp; Co", HOSTILE.encode()),
    ):
        site.account(account)
        table = site.generation.table("UserSettings", account)
        site.sql(f"DELETE FROM {table} WHERE Account = %s", account)
        site.insert(
            "UserSettings", account, Account=account, RealName=real_name, Signature=signature, ReplyTo="x@y.example"
        )
    customer = site.extract()
    assert [account.display_name for account in customer.accounts] == ["Jürgen", "Jürgen", "Jürgen & Co"]
    assert of(customer, "jo@acme.example").signature == emoji
    assert of(customer, "jolly@acme.example").signature == "\u201cquoted\u201d € 5"
    assert of(customer, "o'neil@acme.example").signature == HOSTILE
    assert {account.reply_to for account in customer.accounts} == {"x@y.example"}
    text = snapshot.render(customer, "vault", random=os.urandom)
    assert snapshot.parse(text, "vault") == customer


def test_any_name_can_be_overridden_in_shards_too(generations: Generations) -> None:
    site = generations.fresh("5")
    site.account("jo@acme.example", signature="Jo")
    site.insert("MailSort", "jo@acme.example", Account="jo@acme.example", EmailAddress="x@y.example")
    renamed = [table for table in site.tables() if table.startswith(("UserSettings_", "MailSort_"))]
    for table in renamed:
        if table.startswith("UserSettings_"):
            site.sql(f"ALTER TABLE {table} CHANGE Signature Sig text")
        site.sql(f"RENAME TABLE {table} TO my{table}")
    site.sql("ALTER TABLE Users ADD COLUMN CopyKept int DEFAULT 0")
    site.sql("UPDATE Users SET Forward = 'x@far.example'")
    try:
        customer = site.extract()
        assert not of(customer, "jo@acme.example").signature
        assert "folder_rules" not in kinds(customer, "jo@acme.example")
        assert "forward_copy_assumed" in kinds(customer)
        customer = site.extract(
            tables={"preferences": "myUserSettings_*", "folder_rules": "myMailSort_*"},
            columns={"preferences": {"signature": "Sig"}, "users": {"keep_copy": "CopyKept"}},
        )
        assert of(customer, "jo@acme.example").signature == "Jo"
        assert not of(customer, "jo@acme.example").keep_copy
        assert "folder_rules" in kinds(customer, "jo@acme.example")
        assert not of(site.extract(settings={"forward_keeps_copy": "no"}), "jo@acme.example").keep_copy
        with pytest.raises(MissingTableError):
            site.extract(tables={"preferences": "none_*"})
    finally:
        site.sql("ALTER TABLE Users DROP COLUMN CopyKept")
        for table in renamed:
            site.sql(f"RENAME TABLE my{table} TO {table}")
            if table.startswith("UserSettings_"):
                site.sql(f"ALTER TABLE {table} CHANGE Sig Signature text")


def test_settings_in_two_shards_that_differ_are_reported(generations: Generations) -> None:
    """A site that went from one letter to two, and kept the old tables."""
    site = generations.fresh("5-large")
    site.account("jo@acme.example", signature="old")
    site.sql("INSERT INTO UserSettings_Jo (Account, Signature) VALUES ('Jo@acme.example', 'new')")
    customer = site.extract()
    assert "settings_ambiguous" in kinds(customer, "jo@acme.example")
    assert customer == site.extract()


def test_shards_that_an_upgrade_has_left_are_not_read_but_said(generations: Generations) -> None:
    site = generations.fresh("7")
    site.account("jo@acme.example", signature="new")
    site.sql("CREATE TABLE UserSettings_j LIKE UserSettings")
    site.sql("INSERT INTO UserSettings_j (Account, Signature) VALUES ('jo@acme.example', 'old')")
    try:
        customer = site.extract()
        assert of(customer, "jo@acme.example").signature == "new"
        assert "shards_unread" in kinds(customer)
        older = site.extract(tables={"preferences": "UserSettings_*"})
        assert of(older, "jo@acme.example").signature == "old"
    finally:
        site.sql("DROP TABLE UserSettings_j")


def test_what_fills_its_column_may_be_cut(generations: Generations) -> None:
    site = generations.fresh("7")
    site.account("ann@acme.example", forward="x")
    site.sql("UPDATE Users SET Forward = %s", "x@far.example," + "y" * 104 + "@f.example")
    customer = site.extract()
    assert kinds(customer, "ann@acme.example") >= {"value_cut", "forward_invalid"}
    assert of(customer, "ann@acme.example").forwards == ("x@far.example",)


def test_profiles_without_logins_and_the_rest_belong_to_nobody(generations: Generations) -> None:
    site = generations.fresh("5")
    site.account("jo@acme.example")
    site.sql("INSERT INTO UserSettings_z (Account, RealName) VALUES ('zed@acme.example', 'Zed')")
    site.sql("INSERT INTO Users (Account, MailDir) VALUES ('ghost@acme.example', '/x')")
    customer = site.extract()
    assert "settings_orphaned" in kinds(customer)
    assert kinds(customer, "ghost@acme.example") == {"account_missing"}
    assert len(customer.accounts) == 1


def test_a_commercial_site_without_its_domains_is_refused(generations: Generations) -> None:
    site = generations.fresh("5")
    site.sql("RENAME TABLE Domains TO Vhosts")
    try:
        with pytest.raises(MissingTableError):
            site.extract()
        assert site.extract(tables={"domains": "Vhosts"}).accounts == ()
    finally:
        site.sql("RENAME TABLE Vhosts TO Domains")


@pytest.mark.parametrize("name", EVERY)
def test_an_assessment_counts_whose_it_is_and_says_what_it_could_not_read(generations: Generations, name: str) -> None:
    site = generations.fresh(name)
    site.account("john@acme.example")
    site.insert("Abook", "john@acme.example", Account="John@acme.example", UserEmail="x@far.example", UserPgpKey="k")
    five = name in (*FIVE, "open")
    if five:
        site.insert("MailSort", "john@acme.example", Account="john@acme.example", EmailAddress="x@y.example")
        site.insert(
            "AbookGroup", "john@acme.example", Account="john@acme.example", GroupName="g", GroupEmail="x@y.example"
        )
    else:
        todo = {"calendardata": "BEGIN:VCALENDAR\r\nBEGIN:VTODO", "uri": "t", "calendarid": 7}
        event = {**todo, "calendardata": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT", "uri": "e"}
        new = {"size": 1, "componenttype": "VTODO"} if name == "7" else {}
        objects = "calendarobjects" if "calendarobjects" in site.tables() else "calendarObjects"
        site.insert("calendars", "", id=7, principaluri="principals/users/john@acme.example", uri="c")
        site.insert(objects, "", **todo, **new)
        site.insert(objects, "", **event, **{**new, **({"componenttype": "VEVENT"} if new else {})})
    if name in FIVE:
        site.insert("Calander", "john@acme.example", UserTo="john@acme.example", Title="Do it", Task=1)
        site.insert("Calander", "john@acme.example", UserTo="john@acme.example", Title="Meet", Task=0)
    server = {"host": "127.0.0.1", "port": site.server.setup.port, "name": site.database, "user": READER}
    outcome = run_module(
        "source_info", {"customer": "acme", "database": {**server, "password": PASSWORD, "tls": False}}
    )
    assert outcome.code == 0, outcome.output
    result = outcome.result
    assert result["platform"]["generation"] == ("5" if five else "7" if name == "7" else "6/7")
    # Nothing is known to be read below 7.8, nor where nobody says which version it is.
    assert result["support"]["settings"] == ("supported" if name == "7" else "tried")
    assert {"passwords", "users"} <= set(result["support"]["tried"])
    assert ("Abook.Global" in result["support"]["not_read"]) == five
    counts = result["accounts"][0]["counts"]
    assert (counts["contacts"], counts["contact_pgp_keys"], counts["user_defaults"]) == (1, 1, 1)
    expected = {"folder_rules": 1, "contact_groups": 1} if five else {"calendars": 1}
    expected |= {"tasks": 1, "events": 1} if name != "open" else {}
    assert {key: counts[key] for key in expected} == expected
    stays = {each["what"]: each["count"] for each in result["not_migrated"]}
    assert (stays["archive_vault"], stays["plugins"]) == (None, None)
    assert stays.get("tasks", 0) == expected.get("tasks", 0)


def test_a_whole_site_of_an_old_generation(tmp_path: Path) -> None:
    """Its Dovecot asks the old tables, and the module reads them through SSH."""
    with Lab.temporary(regions=(), site_options={"acme": SiteOptions(generation="5")}) as lab:
        site = lab.site("acme")
        site.add_account("jo@acme.example", "Old-Secret-1", details=AtmailAccount("", "", signature="Jo"))
        shown = lab.describe()["sites"]["acme"]
        context = ssl.create_default_context(cafile=lab.describe()["ca"])
        with imaplib.IMAP4_SSL("127.0.0.1", shown["imap"]["port"], ssl_context=context, timeout=30) as client:
            assert client.login("jo@acme.example", "Old-Secret-1")[0] == "OK"
        options = {
            "customer": "acme",
            "ssh": shown["ssh"],
            "database": {key: value for key, value in shown["database"].items() if key != "socket"},
            "snapshot": str(tmp_path / "acme.json"),
            "vault_password": "vault",
        }
        assert run_module("settings_snapshot", options).changed
        assert not run_module("settings_snapshot", options).changed
        assert (
            run_module("source_info", {key: options[key] for key in ("customer", "ssh", "database")}).result[
                "platform"
            ]["generation"]
            == "5"
        )
    customer = snapshot.load(tmp_path / "acme.json", "vault")
    assert of(customer, "jo@acme.example").signature == "Jo"
    assert customer.source.version == "5.6.3"
