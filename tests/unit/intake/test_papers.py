# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Certificates in the intake check: the verdict is the one that is given when they are to be installed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.intake.items import Answer
from ansible_collections.atmail.migration.plugins.module_utils.intake.papers import check_certificates

from tests.lab.authorities import Issued, Life, authority, private_pem

ROOT = authority("Root")
INNER = ROOT.authority("Inner")
NAME = "mail.acme.example"


@pytest.fixture
def ca(tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(ROOT.pem)
    return str(file)


def answer(folder: Path, bundle: bytes, **options: Any) -> Answer:
    file = folder / "bundle.pem"
    file.write_bytes(bundle)
    params = {"certificates": [{"file": str(file), "names": [NAME], **options}]}
    (found,) = check_certificates(params, None, datetime.now(UTC))
    assert found.about == str(file)
    return found


def whole(leaf: Issued) -> bytes:
    return INNER.pem + leaf.key_pem + leaf.pem


def test_a_good_bundle_in_any_order_is_there(tmp_path: Path, ca: str) -> None:
    leaf = INNER.server([NAME], life=Life(-1, 12))
    found = answer(tmp_path, whole(leaf), ca_path=ca)
    assert (found.item, found.state) == ("certificate", "ok")
    assert found.reason.startswith(f"valid until {leaf.certificate.not_valid_after_utc:%Y-%m-%d} for {NAME}; ")
    assert "expires on" in found.reason
    assert "expires on" not in answer(tmp_path, whole(leaf), ca_path=ca, warn_days=5).reason


def test_all_that_is_wrong_with_a_bundle_is_said_with_what_helps(tmp_path: Path, ca: str) -> None:
    leaf = INNER.server(["www.acme.example"], life=Life(-9, -1))
    found = answer(tmp_path, leaf.key_pem + leaf.pem, ca_path=ca)
    assert (found.state, found.kind) == ("invalid", "bundle_unusable")
    for words in (f"not for {NAME}", "expired on", "the intermediate CN=Inner is missing"):
        assert words in found.reason
    assert "the whole chain" in found.next
    assert answer(tmp_path, whole(leaf)).state == "invalid"  # a root that this machine does not know
    for broken in (b"", b"\x30\x82\x01", b"-----BEGIN CERTIFICATE-----"):
        assert answer(tmp_path, broken, ca_path=ca).state == "invalid"


def test_an_encrypted_key_needs_its_passphrase_and_nothing_of_it_is_said(tmp_path: Path, ca: str) -> None:
    leaf = INNER.server([NAME])
    sealed = INNER.pem + private_pem(leaf.key, "a passphrase") + leaf.pem
    assert answer(tmp_path, sealed, ca_path=ca).reason == "the private key is encrypted"
    wrong = answer(tmp_path, sealed, ca_path=ca, passphrase="another passphrase")
    assert "does not open" in wrong.reason
    assert "another" not in repr(wrong).replace("another key", "")
    assert answer(tmp_path, sealed, ca_path=ca, passphrase="a passphrase").state == "ok"
