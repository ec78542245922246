# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whatever form a password is stored in: its user logs in on the cloud with the original one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import passlib.hash
import pytest

from tests.integration.settings_lab import SettingsLab
from tests.lab import passwords
from tests.lab.lab import Lab

hashes: Any = passlib.hash
SALT = b"saltsalt"
#: A password that keeps no policy, with a letter that is no ASCII.
WORD = "geheim-ö"


def salted(scheme: str, name: str) -> str:
    return f"{{{scheme}}}" + base64.b64encode(hashlib.new(name, WORD.encode() + SALT).digest() + SALT).decode()


def digest(scheme: str, name: str) -> str:
    return f"{{{scheme}}}" + base64.b64encode(hashlib.new(name, WORD.encode()).digest()).decode()


#: The site's setting → accounts and what is stored of WORD.
FORMS: dict[str, dict[str, str | None]] = {
    "PLAIN": {"plain": WORD, "prefixed": f"{{PLAIN}}{WORD}", "cleartext": f"{{cleartext}}{WORD}"},
    "MD5": {
        "md5": hashlib.md5(WORD.encode()).hexdigest(),
        "upper": hashlib.md5(WORD.encode()).hexdigest().upper(),
        "mixed": passwords.atmail(WORD, "md5_crypt"),
        "raw": "{md5raw}" + hashlib.md5(WORD.encode()).hexdigest(),
        "hex": "{SSHA256.HEX}" + hashlib.sha256(WORD.encode() + SALT).hexdigest() + SALT.hex(),
    },
    "MD5_CRYPT": {
        "crypt1": passwords.atmail(WORD, "md5_crypt"),
        "crypt2": hashes.bcrypt.using(rounds=4, ident="2y").hash(WORD),
        "crypt5": hashes.sha256_crypt.using(rounds=1000).hash(WORD),
        "crypt6": hashes.sha512_crypt.using(rounds=5000).hash(WORD),
        "des": hashes.des_crypt.hash(WORD),
    },
    "OTHER": {
        "ssha": salted("SSHA", "sha1"),
        "ssha256": salted("SSHA256", "sha256"),
        "ssha512": salted("SSHA512", "sha512"),
        "lower": salted("ssha256", "sha256"),
        "sha": digest("SHA", "sha1"),
        "sha256": digest("SHA256", "sha256"),
        "sha512": digest("SHA512", "sha512"),
        "ldapmd5": digest("LDAP-MD5", "md5"),
        "smd5": salted("SMD5", "md5"),
        "wrapped": "{CRYPT}" + passwords.atmail(WORD, "md5_crypt"),
        "blf": "{BLF-CRYPT}" + hashes.bcrypt.using(rounds=4, ident="2y").hash(WORD),
    },
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as made:
        yield SettingsLab(made, tmp_path_factory.mktemp("snapshots"))


def fill(lab: SettingsLab, setting: str, stored: dict[str, str | None]) -> None:
    """These accounts alone on both sides to be."""
    lab.clear()
    for name in stored:
        lab.site.add_account(f"{name}@acme.example", "to be replaced")
    with lab.source_sql() as cursor:
        cursor.execute("UPDATE Config SET keyValue = %s WHERE keyName = 'userPasswordEncryptionType'", (setting,))
        for name, value in stored.items():
            cursor.execute("UPDATE UserSession SET Password = %s WHERE Account = %s", (value, f"{name}@acme.example"))


@pytest.mark.parametrize("setting", FORMS)
def test_the_original_password_logs_in_on_the_cloud(lab: SettingsLab, setting: str) -> None:
    fill(lab, setting, FORMS[setting])
    extracted = lab.extract()
    assert extracted.changed
    assert lab.apply().changed
    refused = [name for name in FORMS[setting] if not lab.logs_in(f"{name}@acme.example", WORD)]
    assert refused == []
    # The policy (H17) is reported where the password is known, and the password appears nowhere.
    plain = {f"{name}@acme.example" for name, stored in FORMS[setting].items() if stored and WORD in stored}
    kinds = [(finding["account"], finding["kind"]) for finding in extracted.result["findings"]]
    assert {account for account, kind in kinds if kind == "password_policy"} == plain
    for text in (extracted.output, lab.snapshot.read_text()):
        assert WORD not in text
        assert json.dumps(WORD)[1:-1] not in text
    assert not re.search(r"geheim", "".join(str(row) for row in lab.target_rows("address, password")))


def test_what_can_not_be_carried_over_is_named_and_lets_nobody_in(lab: SettingsLab) -> None:
    aes = "0123456789abcdef" * 4
    fill(lab, "ENCRYPTED", {"aes": aes, "empty": "", "none": None, "plain": WORD})
    extracted = lab.extract()
    assert "password_unreadable" in extracted.kinds("aes@acme.example")
    assert "password_empty" in extracted.kinds("empty@acme.example")
    assert "password_empty" in extracted.kinds("none@acme.example")
    said = [finding["message"] for finding in extracted.result["findings"] if finding["kind"] == "password_unreadable"]
    assert "escrow" in said[0]
    assert lab.apply().changed
    for name, tried in (("aes", aes), ("empty", ""), ("none", ""), ("none", WORD)):
        assert not lab.logs_in(f"{name}@acme.example", tried)
    assert lab.logs_in("plain@acme.example", WORD)


def test_a_site_that_asks_a_directory(lab: SettingsLab) -> None:
    fill(lab, "PLAIN", {"ann": WORD})
    with lab.source_sql() as cursor:
        cursor.execute("UPDATE Config SET keyValue = 'ldap' WHERE keyName = 'authType'")
    assert "password_elsewhere" in lab.extract().kinds("")
    assert lab.apply().changed
    assert not lab.logs_in("ann@acme.example", WORD)
