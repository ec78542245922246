# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whatever a file holds, it is judged; a parser of what strangers send never gives up on them with a traceback."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.tls.judge import Wishes, judge
from ansible_collections.atmail.migration.plugins.module_utils.tls.pem import MOST_CERTIFICATES, from_text, read_bundle
from ansible_collections.atmail.migration.plugins.module_utils.tls.roots import trusted_roots
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.authorities import authority

ROOT = authority("Root")
LEAF = ROOT.server(["mail.acme.example"])
BUNDLE = LEAF.key_pem + LEAF.pem + ROOT.pem
NOW = datetime.now(UTC)
WISHES = Wishes(("mail.acme.example",), [ROOT.certificate])
PIECES = st.sampled_from(
    [LEAF.key_pem, LEAF.pem, ROOT.pem, b"-----BEGIN CERTIFICATE-----", b"-----END PRIVATE KEY-----"]
)
CHANGES = st.lists(st.tuples(st.integers(0, len(BUNDLE) - 1), st.binary(max_size=3)), min_size=1, max_size=4)


def changed(changes: list[tuple[int, bytes]]) -> bytes:
    data = bytearray(BUNDLE)
    for at, instead in changes:
        data[at : at + len(instead)] = instead
    return bytes(data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=20)).map(b"".join) | CHANGES.map(changed))
def test_whatever_a_file_holds_it_is_judged(data: bytes) -> None:
    found = judge(data, WISHES, NOW, "a passphrase")
    if not found.usable:
        assert any(finding.level == "error" for finding in found.findings)
    else:
        assert found.content == LEAF.pem + LEAF.key_pem


@given(st.text(alphabet="-BEGINCRTFAKY PVD\n\r\x00é😀", max_size=60))
def test_whatever_text_is_given_it_is_read(text: str) -> None:
    read_bundle(from_text(text))


def test_a_bundle_may_come_as_base64_of_a_file() -> None:
    assert from_text(base64.b64encode(LEAF.der).decode()) == LEAF.der
    assert from_text(base64.encodebytes(BUNDLE).decode()) == BUNDLE
    assert from_text(BUNDLE.decode()) == BUNDLE


def test_more_certificates_than_any_chain_has_are_refused() -> None:
    many = b"".join(ROOT.server([f"{number}.example"]).pem for number in range(MOST_CERTIFICATES + 1))
    assert [finding.kind for finding in read_bundle(many).findings] == ["too_many"]


def test_a_web_of_authorities_that_vouch_for_each_other_costs_no_time() -> None:
    names = [f"A{number}" for number in range(9)]
    keys = [authority(name).key for name in names]
    nodes = [authority(name, key=key) for name, key in zip(names, keys, strict=True)]
    web = [authority(names[lower], nodes[upper], key=keys[lower]) for lower in range(9) for upper in range(9)]
    leaf = nodes[0].server(["mail.acme.example"])
    found = judge(leaf.key_pem + leaf.pem + b"".join(one.pem for one in web[:60]), WISHES, NOW)
    assert "untrusted_root" in {finding.kind for finding in found.findings}


def test_authorities_to_trust(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"# ours\n" + ROOT.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert trusted_roots(str(file)) == (ROOT.certificate,)
    assert len(trusted_roots()) > 50
    file.write_text("nothing")
    for path in (file, tmp_path / "none.pem"):
        with pytest.raises(InputError):
            trusted_roots(str(path))
