# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a zone on a real name server: check, run, run again, put back, and everything that stands against it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.atmail.migration.plugins.module_utils.dns.records import OPTIONS, dns_records
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    ConnectError,
    DnsChangedError,
    DnsRefusedError,
    InputError,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport import nameupdate

from tests.lab.knot import Knot, TsigKey, Zone

KEY = TsigKey()
OLD = Zone(
    [
        "@ 3600 MX 10 mail",
        "mail A 192.0.2.10",
        '@ TXT "v=spf1 mx -all"',
        '@ TXT "google-site-verification=abc"',
        "webmail 7200 A 192.0.2.10",
        "webmail AAAA 2001:db8::10",
        "busy A 192.0.2.11",
        'busy TXT "hello"',
    ],
    ttl=900,
)
MX = {
    "zone": "acme.example",
    "name": "acme.example",
    "type": "MX",
    "ttl": 300,
    "values": ["10 mx1-eu.atmailcloud.com.", "20 MX2-eu.atmailcloud.com."],
    "when": "cut_over",
}
ALIAS = [
    {"zone": "acme.example", "name": "webmail.acme.example", "type": "A", "values": [], "when": "cut_over"},
    {"zone": "acme.example", "name": "webmail.acme.example", "type": "AAAA", "values": [], "when": "cut_over"},
    {
        "zone": "acme.example",
        "name": "webmail.acme.example",
        "type": "CNAME",
        "values": ["acme.atmailcloud.com."],
        "when": "cut_over",
    },
]
SPF = {
    "zone": "acme.example",
    "name": "acme.example",
    "type": "TXT",
    "values": ['"v=spf1 include:_spf.atmailcloud.com mx -all"'],
    "replaces": "v=spf1",
    "when": "now",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Knot]:
    zones = {
        "acme.example": OLD,
        "signed.example": Zone(["@ MX 10 mail"], signed=True),
        "shut.example": Zone(updates=False),
    }
    with Knot.temporary(zones, keys=[KEY]) as made:
        yield made


@pytest.fixture
def knot(server: Knot) -> Knot:
    server.publish("acme.example", OLD)
    return server


def _params(knot: Knot, folder: Path, *records: dict[str, Any], key: TsigKey = KEY, **more: Any) -> dict[str, Any]:
    found = ArgumentSpecValidator(OPTIONS).validate(
        {
            "customer": "acme",
            "server": "127.0.0.1",
            "port": knot.port,
            "key": {"name": key.name, "algorithm": key.algorithm, "secret": key.secret},
            "records": list(records),
            "backup": str(folder / "dns-before.json"),
            **more,
        }
    )
    assert not found.error_messages
    validated: dict[str, Any] = found.validated_parameters
    return validated


def _there(knot: Knot, kind: str, name: str = "acme.example") -> list[str]:
    answer = knot.ask(name, kind).answer
    return sorted(f"{rrset.ttl} {record.to_text()}" for rrset in answer for record in rrset)


def test_check_run_and_run_again(knot: Knot, tmp_path: Path) -> None:
    params = _params(knot, tmp_path, MX, *ALIAS, SPF)
    planned = dns_records(params, check_mode=True, diff_mode=True)
    assert planned["changed"]
    assert not (tmp_path / "dns-before.json").exists()
    assert _there(knot, "MX") == ["3600 10 mail.acme.example."]

    done = dns_records(params, check_mode=False, diff_mode=True)
    assert done == planned
    assert "acme.example. 3600 IN MX 10 mail.acme.example.\n" in done["diff"]["before"]
    assert "acme.example. 300 IN MX 10 mx1-eu.atmailcloud.com.\n" in done["diff"]["after"]
    assert _there(knot, "MX") == ["300 10 mx1-eu.atmailcloud.com.", "300 20 mx2-eu.atmailcloud.com."]
    assert _there(knot, "CNAME", "webmail.acme.example") == ["300 acme.atmailcloud.com."]
    # the other text stays, and the TTL of the set, which is not ours
    assert _there(knot, "TXT") == [
        '900 "google-site-verification=abc"',
        '900 "v=spf1 include:_spf.atmailcloud.com mx -all"',
    ]
    again = dns_records(params, check_mode=False, diff_mode=True)
    assert (again["changed"], again["records"]) == (False, [])
    assert (tmp_path / "dns-before.json").stat().st_mode & 0o777 == 0o600


def test_the_zone_is_found_where_none_is_said(knot: Knot, tmp_path: Path) -> None:
    record = {"name": "s1._domainkey.acme.example", "type": "TXT", "values": ['"v=DKIM1; p=abc"']}
    result = dns_records(_params(knot, tmp_path, record), check_mode=False)
    assert result["records"][0]["zone"] == "acme.example"
    assert knot.texts("s1._domainkey.acme.example") == [b"v=DKIM1; p=abc"]
    with pytest.raises(DnsRefusedError, match="has no zone"):
        dns_records(_params(knot, tmp_path, {**record, "name": "s1._domainkey.nowhere.test"}), check_mode=False)


def test_a_ttl_is_lowered_and_nothing_else(knot: Knot, tmp_path: Path) -> None:
    keep = {**MX, "values": None, "when": "now"}
    assert dns_records(_params(knot, tmp_path, keep), check_mode=False)["changed"]
    assert _there(knot, "MX") == ["300 10 mail.acme.example."]
    assert not dns_records(_params(knot, tmp_path, keep), check_mode=False)["changed"]


def test_everything_is_put_back_as_it_was_at_first(knot: Knot, tmp_path: Path) -> None:
    kinds = [
        ("MX", "acme.example"),
        ("TXT", "acme.example"),
        *((kind, "webmail.acme.example") for kind in ("A", "AAAA")),
    ]
    before = [_there(knot, *one) for one in kinds]
    dns_records(_params(knot, tmp_path, {**MX, "values": None, "when": "now"}), check_mode=False)
    dns_records(_params(knot, tmp_path, MX, *ALIAS, SPF), check_mode=False)
    back = _params(knot, tmp_path, state="restored")
    planned = dns_records(back, check_mode=True)
    assert planned["changed"]
    assert dns_records(back, check_mode=False) == planned
    assert [_there(knot, *one) for one in kinds] == before
    assert not dns_records(back, check_mode=False)["changed"]


def test_mail_is_put_back_alone_and_with_a_low_ttl(knot: Knot, tmp_path: Path) -> None:
    dns_records(_params(knot, tmp_path, MX, SPF), check_mode=False)
    back = _params(knot, tmp_path, state="restored", only=["cut_over"], max_ttl=300)
    assert dns_records(back, check_mode=False)["changed"]
    assert _there(knot, "MX") == ["300 10 mail.acme.example."]
    assert '900 "v=spf1 include:_spf.atmailcloud.com mx -all"' in _there(knot, "TXT")
    assert not dns_records(back, check_mode=False)["changed"]
    # the TTL of before is still known, and so is the SPF record
    assert dns_records(_params(knot, tmp_path, state="restored"), check_mode=False)["changed"]
    assert _there(knot, "MX") == ["3600 10 mail.acme.example."]
    assert '900 "v=spf1 mx -all"' in _there(knot, "TXT")


def test_what_somebody_else_has_set_meanwhile_is_left_alone(knot: Knot, tmp_path: Path) -> None:
    dns_records(_params(knot, tmp_path, MX), check_mode=False)
    knot.publish("acme.example", Zone(["@ 300 MX 10 third"]))
    with pytest.raises(DnsChangedError, match="somebody else has changed"):
        dns_records(_params(knot, tmp_path, state="restored"), check_mode=False)
    assert _there(knot, "MX") == ["300 10 third.acme.example."]


def test_the_change_is_not_made_when_the_zone_changes_between_reading_and_writing(
    knot: Knot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server itself compares (RFC 2136 section 2.4): the customer edits the zone just before our message comes."""

    def late(*arguments: Any) -> None:
        knot.publish("acme.example", Zone(["@ 300 MX 10 third"]))
        real(*arguments)

    real = nameupdate.send
    monkeypatch.setattr(f"{dns_records.__module__}.send", late)
    with pytest.raises(DnsChangedError):
        dns_records(_params(knot, tmp_path, MX), check_mode=False)
    assert _there(knot, "MX") == ["300 10 third.acme.example."]
    assert json.loads((tmp_path / "dns-before.json").read_text())["records"] == []


def test_a_signed_zone_is_signed_anew(knot: Knot, tmp_path: Path) -> None:
    record = {**MX, "zone": "signed.example", "name": "signed.example"}
    assert dns_records(_params(knot, tmp_path, record), check_mode=False)["changed"]
    assert len(knot.ask("signed.example", "MX", dnssec=True).answer) == 2


@pytest.mark.parametrize(
    ("key", "zone", "words"),
    [
        (TsigKey(), "acme.example", "another secret"),
        (dataclasses.replace(KEY, name="unknown"), "acme.example", "does not know the key"),
        (KEY, "shut.example", "does not know the key|does not take the change"),
        (KEY, "nowhere.example", "does not serve the zone"),
    ],
)
def test_a_server_that_does_not_take_it(knot: Knot, tmp_path: Path, key: TsigKey, zone: str, words: str) -> None:
    record = {**MX, "zone": zone, "name": zone}
    with pytest.raises(DnsRefusedError, match=words) as caught:
        dns_records(_params(knot, tmp_path, record, key=key), check_mode=False)
    assert caught.value.where["customer"] == "acme"
    told = json.dumps([str(caught.value), caught.value.as_dict(), caught.value.done])
    assert key.secret not in told
    backup = tmp_path / "dns-before.json"
    assert not backup.exists() or json.loads(backup.read_text())["records"] == []


def test_a_server_that_is_not_there(knot: Knot, tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        dns_records(_params(knot, tmp_path, MX, port=1, timeout=1.0), check_mode=False)


def test_the_secret_goes_nowhere(knot: Knot, tmp_path: Path) -> None:
    result = dns_records(_params(knot, tmp_path, MX), check_mode=False, diff_mode=True)
    assert KEY.secret not in json.dumps(result)
    assert all(KEY.secret.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_everything_that_is_wrong_with_the_records_is_told_at_once(knot: Knot, tmp_path: Path) -> None:
    records = [
        {**MX, "values": ["10 mx1-eu.atmailcloud.com"]},
        {**MX, "values": ["mail.acme.example."]},
        {**MX, "name": "other.test"},
        {**MX, "type": "CNAME", "values": ["a.test."]},
        {**MX, "ttl": 0},
    ]
    with pytest.raises(InputError) as caught:
        dns_records(_params(knot, tmp_path, *records), check_mode=False)
    for words in ("without its last dot", "is no MX record", "is not in the zone", "can't be an alias", "is no TTL"):
        assert words in str(caught.value)


def test_an_alias_is_not_put_beside_other_records(knot: Knot, tmp_path: Path) -> None:
    """The server would take the address away, leave the alias out, and say that all is well."""
    records = [{**one, "name": "busy.acme.example"} for one in ALIAS]
    with pytest.raises(InputError, match=r"busy\.acme\.example has CNAME, TXT"):
        dns_records(_params(knot, tmp_path, *records), check_mode=False)
    assert _there(knot, "A", "busy.acme.example") == ["900 192.0.2.11"]


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1, "customer": "globex", "records": []}', "\0"])
def test_a_file_that_is_not_ours_is_not_written_over(knot: Knot, tmp_path: Path, content: str) -> None:
    backup = tmp_path / "dns-before.json"
    backup.write_text(content)
    with pytest.raises(InputError):
        dns_records(_params(knot, tmp_path, MX), check_mode=False)
    assert backup.read_text() == content
    assert _there(knot, "MX") == ["3600 10 mail.acme.example."]
