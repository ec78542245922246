# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""OpenDKIM and rspamd read the tables that dkim_key writes, and sign what verifiers accept, through a rotation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import DkimTableError, UnsupportedError

from tests.integration.dkim_lab import USER, Keys, message, publish, selectors, verify
from tests.lab import ports
from tests.lab.errors import LabError
from tests.lab.knot import Knot
from tests.lab.signers import OpenDkim, Rspamd


@pytest.fixture(scope="module")
def knot() -> Iterator[Knot]:
    with Knot.temporary({}) as made:
        yield made


def rotated(keys: Keys, knot: Knot, selector: str) -> None:
    """Let this key take over, published beside all that are there."""
    keys.run(selector=selector, state="rotated")
    publish(knot, *(key["record"] for key in keys.results[-1]["keys"]))
    assert keys.run(selector=selector, state="rotated")["signing"] == [selector]


def test_opendkim(knot: Knot, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    keys = Keys({"directory": str(tables), "signer": "opendkim", "authoritative": [f"127.0.0.1:{knot.port}"]})
    keys.run(domain="globex.example", selector="g", sign="always")
    rotated(keys, knot, "old")
    opendkim = OpenDkim(tmp_path, tables, "example", knot.port)
    before = opendkim.sign(message("by OpenDKIM"))
    assert verify(before, knot).signatures == {"old": True}
    rotated(keys, knot, "new")
    said = opendkim.check_keys()
    assert "key old._domainkey.acme.example: OK" in said
    assert "key new._domainkey.acme.example: OK" in said
    assert "key g._domainkey.globex.example: OK" not in said
    assert verify(opendkim.sign(message("rotated")), knot).signatures == {"new": True}
    assert verify(before, knot).signatures == {"old": True}
    assert selectors(opendkim.sign(message("of nobody", "bob@other.example"))) == []
    assert selectors(opendkim.sign(message("of a subdomain", "bob@sub.acme.example"))) == []
    keys.run(state="absent")
    assert selectors(opendkim.sign(message("no more"))) == []


def test_opendkim_would_refuse_all_mail_for_an_ed25519_key(knot: Knot, tmp_path: Path) -> None:
    """So it never gets one: here it does, by hand."""
    tables = tmp_path / "tables"
    keys = Keys({"directory": str(tables), "signer": "opendkim", "type": "ed25519", "sign": "always"})
    with pytest.raises(UnsupportedError, match="opendkim can't sign with keys of type ed25519"):
        keys.run(selector="e")
    assert not keys.file("e").exists()
    Keys({**keys.options, "signer": "exim"}).run(selector="e")
    (tables / "signing.table").write_text("*@acme.example e._domainkey.acme.example\n")
    (tables / "key.table").write_text(f"e._domainkey.acme.example acme.example:e:{keys.file('e')}\n")
    with pytest.raises(LabError, match="EVP_PKEY_get1_RSA"):
        OpenDkim(tmp_path, tables, "example", knot.port).sign(message("refused"))


@pytest.fixture
def rspamd(tmp_path: Path) -> Iterator[Rspamd]:
    (tmp_path / "tables").mkdir()
    for name in ("signing.table", "key.table"):
        (tmp_path / "tables" / name).touch()
    (port,) = ports.claim(tmp_path, 1)
    made = Rspamd(tmp_path / "rspamd", tmp_path / "tables", port)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        ports.release(tmp_path)


def signed_by(rspamd: Rspamd, selector: str, sender: str = USER) -> bytes:
    """A mail signed by this key; rspamd looks at its maps from time to time."""
    end = time.monotonic() + 20
    while True:
        mail = rspamd.sign(message("by rspamd", sender), sender)
        if selectors(mail) == [selector]:
            return mail
        assert time.monotonic() < end, f"signed by {selectors(mail)}, not by {selector}"
        time.sleep(0.1)


def test_rspamd(knot: Knot, rspamd: Rspamd) -> None:
    options = {"directory": str(rspamd.tables), "signer": "rspamd"}
    keys = Keys({**options, "authoritative": [f"127.0.0.1:{knot.port}"]})
    assert rspamd.checks_configuration().endswith("syntax OK")
    assert selectors(rspamd.sign(message("by nothing"), USER)) == []
    rotated(keys, knot, "old")
    before = signed_by(rspamd, "old")
    assert verify(before, knot).signatures == {"old": True}
    rotated(keys, knot, "new")
    assert verify(signed_by(rspamd, "new"), knot).signatures == {"new": True}
    assert verify(before, knot).signatures == {"old": True}
    with pytest.raises(DkimTableError, match="rspamd signs with one key for a domain"):
        keys.run(type="ed25519", selector="e")
    globex = Keys({**options, "domain": "globex.example", "type": "ed25519", "sign": "always"})
    publish(knot, globex.run(selector="e")["record"], domain="globex.example")
    assert verify(signed_by(rspamd, "e", "gil@globex.example"), knot).signatures == {"e": True}
