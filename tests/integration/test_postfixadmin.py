# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin's own database, made and filled by its own programs, as a source."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.integration.postfixadmin_lab import PASSWORDS, VACATION_DOMAIN, PostfixAdminLab
from tests.integration.settings_lab import Outcome, run_here
from tests.lab.postfixadmin import PostfixAdmin

ANN = "ann@acme.example"


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixAdminLab]:
    with PostfixAdmin.temporary() as host:
        yield PostfixAdminLab(host, tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def lab(module_lab: PostfixAdminLab) -> PostfixAdminLab:
    module_lab.clear()
    module_lab.fill()
    return module_lab


def account(lab: PostfixAdminLab, address: str) -> dict[str, object]:
    (found,) = [each for each in lab.document()["accounts"] if each["address"] == address]
    return dict(found)


def said(outcome: Outcome, address: str) -> set[tuple[str, str]]:
    """Kind and level of all findings about an address."""
    return {(each["kind"], each["level"]) for each in outcome.result["findings"] if each["account"] == address}


def test_what_its_own_programs_wrote_is_read(lab: PostfixAdminLab) -> None:
    lab.host.cli("alias", "add", "info@acme.example", "--goto", f"{ANN},far@away.example")
    lab.host.cli("alias", "add", "@other.example", "--goto", ANN)
    lab.host.cli("domain", "add", "alias.example", "--description", "", "--aliases", "0", "--mailboxes", "0")
    lab.host.cli("aliasdomain", "add", "alias.example", "--target-domain", "acme.example")
    lab.host.cli("mailbox", "update", "bob@acme.example", "--active", "0")
    lab.host.cli("alias", "update", "cy@acme.example", "--goto", "far@away.example", "--goto-mailbox", "1")
    assert lab.extract(check=True).changed
    assert not lab.snapshot.exists()
    assert lab.extract().changed
    assert not lab.extract().changed
    document = lab.document()
    assert document["source"] == {"profile": "postfixadmin", "version": "1847"}
    assert [each["name"] for each in document["domains"]] == ["acme.example", "alias.example", "other.example"]
    assert [each["address"] for each in document["accounts"]] == sorted(PASSWORDS)
    ann = account(lab, ANN)
    assert (ann["display_name"], ann["quota_bytes"], ann["enabled"]) == ("Ann", 100 << 20, True)
    schemes = [account(lab, address)["password_scheme"] for address in PASSWORDS]
    assert schemes == ["SHA512-CRYPT", "MD5-CRYPT", "BLF-CRYPT", "SSHA256"]
    assert account(lab, "bob@acme.example")["enabled"] is False
    cy = account(lab, "cy@acme.example")
    assert (cy["forwards"], cy["keep_copy"]) == (["far@away.example"], True)
    aliases = {each["address"]: each["targets"] for each in document["aliases"]}
    assert aliases["info@acme.example"] == [ANN, "far@away.example"]
    assert aliases["@other.example"] == [ANN]
    assert aliases["@alias.example"] == ["@acme.example"]
    assert "postmaster@acme.example" in aliases
    assert ANN not in aliases


def test_a_user_who_is_away(lab: PostfixAdminLab) -> None:
    text = "I'm away.\r\n{{ lookup('env', 'HOME') }} 😀 \\ % '"
    lab.go_away(ANN, "Änn is away", text, "2026-11-01 00:00:00", "2026-12-24 23:59:00")
    lab.go_away("bob@acme.example", "Re: $SUBJECT", "x", "2000-01-01 00:00:00", "2038-01-18 00:00:00")
    lab.go_away("cy@acme.example", "Off", "not led to", "2026-01-01 00:00:00", "2026-02-01 00:00:00")
    lab.sql("UPDATE alias SET goto = address WHERE address = 'cy@acme.example'")
    lab.sql("UPDATE vacation SET interval_time = 86400 WHERE email = %s", ANN)
    lab.go_away("gone@acme.example", "Gone", "no such mailbox", "2026-01-01 00:00:00", "2026-02-01 00:00:00")
    outcome = lab.extract()
    ann = account(lab, ANN)
    assert ann["auto_reply"] == {
        "text": text.replace("\r\n", "\n"),
        "subject": "Änn is away",
        "enabled": True,
        "starts": "2026-11-01T00:00:00Z",
        "ends": "2026-12-24T23:59:00Z",
    }
    assert (ann["forwards"], ann["keep_copy"]) == ([], True)
    assert said(outcome, ANN) == {("no_place", "note")}
    bob = account(lab, "bob@acme.example")["auto_reply"]
    assert isinstance(bob, dict)
    assert (bob["starts"], bob["ends"], bob["enabled"]) == (None, None, True)
    assert ("no_place", "warning") in said(outcome, "bob@acme.example")
    cy = account(lab, "cy@acme.example")["auto_reply"]
    assert isinstance(cy, dict)
    assert cy["enabled"] is False
    assert said(outcome, "cy@acme.example") == {("auto_reply_off", "warning")}
    assert said(outcome, "gone@acme.example") == {("account_missing", "warning")}


def test_dates_are_told_in_utc_whatever_the_servers_time_zone_is(lab: PostfixAdminLab) -> None:
    lab.go_away(ANN, "Away", "x", "2026-11-01 12:00:00", "2026-12-24 12:00:00")
    lab.go_away("bob@acme.example", "Away", "x", "2000-01-01 00:00:00", "2038-01-18 00:00:00")
    lab.sql("SET GLOBAL time_zone = '+09:30'")
    try:
        assert lab.extract().changed
    finally:
        lab.sql("SET GLOBAL time_zone = 'SYSTEM'")
    ann, bob = account(lab, ANN)["auto_reply"], account(lab, "bob@acme.example")["auto_reply"]
    assert isinstance(ann, dict)
    assert isinstance(bob, dict)
    assert (ann["starts"], ann["ends"]) == ("2026-11-01T12:00:00Z", "2026-12-24T12:00:00Z")
    assert (bob["starts"], bob["ends"]) == (None, None)


def test_polled_mailboxes(lab: PostfixAdminLab) -> None:
    secret = "elsewhere's Pa\u00df {{ y }}"
    rows = [
        # mailbox, server, user, password, protocol, tls, auth, folder, active
        (ANN, "mail.far.example", "ann", secret, "IMAP", 1, "password", "", 1),
        (ANN, "pop.far.example", "ann2", "x", "POP3", 0, "password", "", 1),
        (ANN, "etrn.far.example", "ann", "x", "ETRN", 0, "password", "", 1),
        (ANN, "krb.far.example", "ann", "x", "IMAP", 0, "gssapi", "", 1),
        (ANN, "off.far.example", "ann", "x", "IMAP", 0, "password", "", 0),
        (ANN, "folder.far.example", "ann", "x", "IMAP", 0, "any", "Archive", 1),
        ("no@acme.example", "mail.far.example", "no", "x", "IMAP", 1, "password", "", 1),
    ]
    for mailbox, server, user, password, protocol, tls, auth, folder, active in rows:
        lab.sql(
            "INSERT INTO fetchmail (domain, mailbox, src_server, src_user, src_password, protocol, usessl, src_auth,"
            " src_folder, active, mda) VALUES ('acme.example', %s, %s, %s, %s, %s, %s, %s, %s, %s, '')",
            *(mailbox, server, user, base64.b64encode(password.encode()).decode()),
            *(protocol, tls, auth, folder, active),
        )
    lab.sql("UPDATE fetchmail SET src_port = 995, src_password = 'no base64!' WHERE src_user = 'ann2'")
    outcome = lab.extract()
    found = account(lab, ANN)["external"]
    assert isinstance(found, list)
    shown = {each["host"]: (each["protocol"], each["user"], each["port"], each["tls"]) for each in found}
    assert shown == {
        "folder.far.example": ("imap", "ann", None, False),
        "mail.far.example": ("imap", "ann", None, True),
        "pop.far.example": ("pop3", "ann2", 995, False),
    }
    assert said(outcome, ANN) == {("no_place", "warning"), ("no_place", "note"), ("password_unreadable", "warning")}
    assert said(outcome, "no@acme.example") == {("account_missing", "warning")}
    assert secret not in lab.snapshot.read_text(encoding="utf-8") + outcome.output


def test_every_row_without_a_place_is_a_finding(lab: PostfixAdminLab) -> None:
    for name, active, backup, transport in (
        ("ALL", 1, 0, ""),
        ("backup.example", 1, 1, "virtual"),
        ("relay.example", 1, 0, "smtp:[192.0.2.1]"),
        ("off.example", 0, 0, "virtual"),
        ("bad domain", 1, 0, "virtual"),
    ):
        lab.sql(
            "INSERT INTO domain (domain, description, transport, backupmx, active) VALUES (%s, '', %s, %s, %s)",
            *(name, transport, backup, active),
        )
    for address, goto in (
        ("prog@acme.example", "|/usr/bin/procmail"),
        ("mixed@acme.example", f"root,{ANN}"),
        ("lost@nowhere.example", ANN),
        ("self@acme.example", "self@acme.example"),
        ("@alias.example", ANN),
    ):
        domain = address.partition("@")[2]
        lab.sql("INSERT INTO alias (address, goto, domain) VALUES (%s, %s, %s)", address, goto, domain)
    lab.sql("INSERT INTO domain (domain, description, transport) VALUES ('alias.example', '', 'virtual')")
    for name, target in (
        ("alias.example", "acme.example"),
        ("nowhere.example", "acme.example"),
        ("other.example", "other.example"),
    ):
        lab.sql("INSERT INTO alias_domain (alias_domain, target_domain) VALUES (%s, %s)", name, target)
    lab.sql("UPDATE mailbox SET quota = -1, phone = '+1 555' WHERE username = %s", ANN)
    lab.sql("UPDATE domain SET mailboxes = 10 WHERE domain LIKE '%%.example' AND domain REGEXP '^(acme|other)'")
    lab.sql("UPDATE mailbox SET quota = 0 WHERE username = 'bob@acme.example'")
    lab.sql("UPDATE alias SET active = 0, goto = 'far@away.example' WHERE address = 'cy@acme.example'")
    outcome = lab.extract()
    assert outcome.kind == "several_failures"
    expected = {
        "@backup.example": {("domain_backup", "warning")},
        "@relay.example": {("domain_transport", "warning")},
        "@off.example": {("domain_disabled", "note")},
        "@bad domain": {("domain_invalid", "error")},
        "prog@acme.example": {("target_invalid", "warning"), ("alias_invalid", "error")},
        "mixed@acme.example": {("target_invalid", "warning")},
        "lost@nowhere.example": {("domain_missing", "error")},
        "self@acme.example": {("target_invalid", "warning"), ("alias_invalid", "error")},
        "@alias.example": {("duplicate", "warning")},
        "@nowhere.example": {("domain_missing", "error")},
        "@other.example": {("alias_invalid", "error")},
        ANN: {("value_invalid", "warning")},
        "bob@acme.example": set(),
        "cy@acme.example": {("forward_disabled", "warning")},
    }
    assert {address: said(outcome, address) for address in expected} == expected
    homeless = {each["message"] for each in outcome.result["findings"] if not each["account"]}
    assert "a telephone number: 1 of users have one, which has no place on the target" in homeless
    assert "a limit of mailboxes: 2 of domains have one, which has no place on the target" in homeless
    assert not any("limit of aliases" in message for message in homeless)
    names = [each["name"] for each in lab.document()["domains"]]
    assert names == ["acme.example", "alias.example", "off.example", "other.example", "relay.example"]
    assert (account(lab, ANN)["quota_bytes"], account(lab, "bob@acme.example")["quota_bytes"]) == (None, None)


def test_passwords_by_shape_and_by_prefix(lab: PostfixAdminLab) -> None:
    stored = {
        "{SHA512-CRYPT}$6$emcsNNrzGZSN64mI$A/bmacTGSp2UrdcPvaROrR2": "SHA512-CRYPT",
        "{SHA512-CRYPT.B64}JDYkZW1jc05OcnpHWlNONjRtSSRBL2JtY": "SHA512-CRYPT.B64",
        "{CRAM-MD5}9186d855e11eba527a7a52ca82b313e180d62234f0acc9051b527243d41e2740": "CRAM-MD5",
        "blfqitzeBpyAE": "DES-CRYPT",
        "{crypt}blfqitzeBpyAE": "CRYPT",
        "{md5raw}5f4dcc3b5aa765d61d8327deb882cf99": "PLAIN-MD5",
        "5f4dcc3b5aa765d61d8327deb882cf99": "PLAIN-MD5",
        "in the clear": "PLAIN",
        "": None,
    }
    for number, value in enumerate(stored):
        lab.add_mailbox(f"u{number}@acme.example", "Secret1!", "md5crypt")
        lab.sql("UPDATE mailbox SET password = %s WHERE username = %s", value, f"u{number}@acme.example")
    lab.extract()
    found = [account(lab, f"u{number}@acme.example")["password_scheme"] for number in range(len(stored))]
    assert found == list(stored.values())


def test_what_is_there_and_what_stays(lab: PostfixAdminLab) -> None:
    lab.host.cli(
        "admin", "add", "boss@acme.example", "--superadmin", "1", *("--password", "a1b2c3d4"), "--password2", "a1b2c3d4"
    )
    options = {"customer": "acme", "profile": "postfixadmin", "database": lab.host.options("postfix")}
    outcome = run_here("source_info", options)
    assert not outcome.changed
    assert outcome.result["platform"]["profile"] == "postfixadmin"
    assert outcome.result["read_only_enforced"] is True
    assert outcome.result["counts"]["accounts"] == len(PASSWORDS)
    assert ("administrators", 1) in {(each["what"], each["count"]) for each in outcome.result["not_migrated"]}
    assert VACATION_DOMAIN not in outcome.output
