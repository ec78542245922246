# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Small pure pieces: addresses, text from databases, names, profiles meeting schemas, identifiers, overrides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.addresses import (
    address_fault,
    alias_fault,
    canonical_address,
    canonical_pattern,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    InputError,
    MissingColumnError,
    MissingTableError,
)
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Column, Overrides, Table, bind
from ansible_collections.atmail.migration.plugins.module_utils.platforms.texts import full_name, shown, unescaped
from ansible_collections.atmail.migration.plugins.module_utils.settings import options
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.quotas import quota
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import source_profile, target_profile
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import quoted, text


@pytest.mark.parametrize(
    "address",
    ["ann@a.example", "o'brien+{x}@a.example", "ü@ä.example", "a&b=c@a.example", "a" * 64 + "@a.example"],
)
def test_addresses(address: str) -> None:
    assert address_fault(canonical_address(address)) is None


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (" Ann@A.Example ", "ann@a.example"),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@bücher.example.", "ann@xn--bcher-kva.example"),
        ("@BÜCHER.example", "@xn--bcher-kva.example"),
        ("a@\u202ec", "a@\u202ec"),
        ("ann", "ann"),
    ],
)
def test_one_form_of_an_address(written: str, canonical: str) -> None:
    assert canonical_address(written) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Boss@Far.example\r", "boss@far.example"),
        ("@far.example", "*@far.example"),
        ("far.example", "*@far.example"),
        ("*@*.bücher.example", "*@*.xn--bcher-kva.example"),
        ("a?b@far.example", "a?b@far.example"),
        ("", None),
        ("\r", None),
        ("nonsense", None),
        ("a b@far.example", None),
        ("a@b@far.example", None),
        ("x" * 320 + "@far.example", None),
    ],
)
def test_one_form_of_a_pattern_of_senders(written: str, canonical: str | None) -> None:
    assert canonical_pattern(written) == canonical


@pytest.mark.parametrize(("address", "fine"), [("@a.example", True), ("@", False), ("x@a.example", True), ("x", False)])
def test_names_of_aliases(address: str, fine: bool) -> None:
    assert (alias_fault(address) is None) is fine


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@a.example",
        "ann@",
        "a@b@c",
        "a b@c",
        "a\x00@c",
        "../x@c",
        "a\\b@c",
        '"a"@c',
        "a" * 65 + "@c",
        "a@\u202ec",
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert address_fault(address)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, None),
        (7, "7"),
        (b"", ""),
        ("漢".encode(), "漢"),
        ("ü".encode("latin-1"), "ü"),
        (b"\x93quoted\x94", "\u201cquoted\u201d"),
        (b"\x81\xfc", "\x81ü"),
        (b"a\x00b", "a\x00b"),
    ],
)
def test_text_of_a_column(raw: Any, expected: str | None) -> None:
    assert text(raw) == expected


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("J&ouml;rg", "M&uuml;ller"), "Jörg Müller"),
        (("AT&T", None), "AT&T"),
        (("a&copy", "b"), "a&copy b"),
        (("&#65;&#x42;", ""), "AB"),
        (("&amp;lt;", None), "&lt;"),
        ((" Ann ", " "), "Ann"),
        ((None, None), ""),
    ],
)
def test_names(parts: tuple[str | None, ...], name: str) -> None:
    assert full_name(*(unescaped(part or "") for part in parts)) == name


@pytest.mark.parametrize(
    ("value", "bytes_"), [(None, None), ("", None), ("0", None), ("51200", 52428800), ("many", -1), ("-5", -5120)]
)
def test_quotas(value: str | None, bytes_: int | None) -> None:
    assert quota(value, 1024) == bytes_


def test_values_for_people_have_no_control_characters_and_an_end() -> None:
    assert shown("a\x1b[31mb") == "a\\x1b[31mb"
    assert len(shown("x" * 1000)) < 110


@pytest.mark.parametrize("name", ["Users", "a_1$", "my-table", "x" * 64])
def test_identifiers(name: str) -> None:
    assert quoted(name) == f"`{name}`"


@pytest.mark.parametrize("name", ["", "a`b", "a b", "a;b", "-a", "x" * 65, "a\x00", "ü", "a\n"])
def test_what_is_no_identifier(name: str) -> None:
    with pytest.raises(InputError):
        quoted(name)


TABLES = {
    "users": Table(("Users", "users6"), {"account": Column(("Account",)), "note": Column(("Note",), required=False)})
}


def test_a_profile_meets_a_database() -> None:
    bound = bind(TABLES, Overrides(), {"Users": {"account": "latin1", "Note": "utf8"}})["users"]
    assert bound.select("account", "note") == "SELECT CAST(`account` AS BINARY), `Note` FROM `Users`"
    bound = bind(TABLES, Overrides(), {"USERS6": {"ACCOUNT": "utf8"}})["users"]
    assert bound.select("account", "note") == "SELECT `ACCOUNT`, NULL FROM `USERS6`"
    own = Overrides(tables={"users": "mine"}, columns={"users": {"account": "login"}})
    assert bind(TABLES, own, {"mine": {"login": ""}})["users"].column("account") == "`login`"


@pytest.mark.parametrize(
    ("overrides", "schema", "error"),
    [
        (Overrides(), {}, MissingTableError),
        (Overrides(tables={"users": "mine"}), {"Users": {"Account": ""}}, MissingTableError),
        (Overrides(), {"Users": {"Note": ""}}, MissingColumnError),
        (Overrides(columns={"users": {"note": "mine"}}), {"Users": {"Account": "", "Note": ""}}, MissingColumnError),
        (Overrides(tables={"other": "x"}), {"Users": {"Account": ""}}, InputError),
        (Overrides(columns={"users": {"other": "x"}}), {"Users": {"Account": ""}}, InputError),
    ],
)
def test_what_is_missing_is_named(
    overrides: Overrides, schema: dict[str, dict[str, str]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        bind(TABLES, overrides, schema)


def test_profiles_by_name() -> None:
    assert source_profile("atmail").quota_unit == 1024
    assert target_profile("cloud").active == "active"
    with pytest.raises(InputError):
        source_profile("cloud")
    with pytest.raises(InputError):
        target_profile("atmail")


@pytest.mark.parametrize(
    "imap",
    [{"security": "plain", "allow_plaintext": False}, {"max_connections": 0, "security": "tls"}],
)
def test_imap_options_that_are_refused(imap: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        options.imap_server({"imap": imap})
