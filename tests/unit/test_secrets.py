# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The vault format, against Ansible's own code in both directions."""

from __future__ import annotations

import os

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.atmail.migration.plugins.module_utils import secrets
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError, SnapshotError
from hypothesis import given, settings
from hypothesis import strategies as st

PASSWORD = "päss word"


def ansible_vault(password: str, label: str = "default") -> VaultLib:
    return VaultLib([(label, VaultSecret(password.encode()))])


@settings(max_examples=25, deadline=None)
@given(plaintext=st.binary(max_size=300), password=st.text(min_size=1, max_size=20).filter(lambda p: p.strip() == p))
def test_ansible_opens_what_we_write_and_we_open_what_ansible_writes(plaintext: bytes, password: str) -> None:
    try:
        password.encode()
    except UnicodeEncodeError:
        return
    assert ansible_vault(password).decrypt(secrets.encrypt(plaintext, password, random=os.urandom)) == plaintext
    theirs = ansible_vault(password).encrypt(plaintext, VaultSecret(password.encode())).decode()
    assert secrets.decrypt(theirs, password) == plaintext


def test_the_label_is_in_the_header_and_ansible_knows_it() -> None:
    ours = secrets.encrypt(b"x", PASSWORD, random=os.urandom, label="acme")
    assert ours.startswith("$ANSIBLE_VAULT;1.2;AES256;acme\n")
    assert secrets.label_of(ours) == "acme"
    assert ansible_vault(PASSWORD, "acme").decrypt(ours) == b"x"
    theirs = ansible_vault(PASSWORD).encrypt(b"y", VaultSecret(PASSWORD.encode()), vault_id="globex").decode()
    assert secrets.label_of(theirs) == "globex"
    assert secrets.decrypt(theirs, PASSWORD) == b"y"


def test_the_same_random_bytes_give_the_same_text() -> None:
    def fixed(count: int) -> bytes:
        return bytes(range(count))

    assert secrets.encrypt(b"x", "p", random=fixed) == secrets.encrypt(b"x", "p", random=fixed)
    assert all(len(line) <= 80 for line in secrets.encrypt(b"x" * 500, "p", random=fixed).splitlines())


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:0],
        lambda text: "no vault" + text[8:],
        lambda text: text.replace("1.1", "1.3"),
        lambda text: text.replace("AES256", "AES"),
        lambda text: text[:-5] + "\n",
        lambda text: text.replace("\n", "\nzz", 1),
        lambda text: text[:-3] + ("1\n" if text[-3] != "1" else "2\n"),
        lambda text: text.splitlines()[0],
    ],
    ids=["empty", "other text", "version", "cipher", "cut", "not hex", "changed", "header only"],
)
def test_damage_is_one_clear_error(damage: object) -> None:
    assert callable(damage)
    text = secrets.encrypt(b"geheim", PASSWORD, random=os.urandom)
    with pytest.raises(SnapshotError) as caught:
        secrets.decrypt(damage(text), PASSWORD)
    assert "geheim" not in str(caught.value)


def test_a_wrong_password_does_not_open_it() -> None:
    with pytest.raises(SnapshotError, match="password"):
        secrets.decrypt(secrets.encrypt(b"x", "one", random=os.urandom), "two")


@pytest.mark.parametrize(("password", "label"), [("", None), ("p", ""), ("p", "a;b"), ("p", "a b")])
def test_an_empty_password_or_a_bad_label_is_refused(password: str, label: str | None) -> None:
    with pytest.raises(InputError):
        secrets.encrypt(b"x", password, random=os.urandom, label=label)
