# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a stored password is taken for, and that a rerun knows its own hash again."""

from __future__ import annotations

import base64
import hashlib
import string

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings import schemes
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Password
from hypothesis import given
from hypothesis import strategies as st

MD5 = hashlib.md5(b"secret").hexdigest()
SSHA256 = base64.b64encode(hashlib.sha256(b"secretsalt").digest() + b"salt").decode()

CASES = [
    # stored, the site's setting, scheme, value (None: as stored), kinds of remarks
    ("Secret1!", "PLAIN", "PLAIN", None, []),
    ("secret", "PLAIN", "PLAIN", None, ["password_policy"]),
    ("Secret1!", "UNKNOWN", "PLAIN", None, []),
    ("Secret1!", "MD5", "PLAIN", None, ["password_scheme_mixed"]),
    (MD5, "MD5", "PLAIN-MD5", None, []),
    (MD5.upper(), "MD5", "PLAIN-MD5", None, []),
    (MD5, "PLAIN", "PLAIN", None, ["password_ambiguous", "password_policy"]),
    (MD5, "UNKNOWN", "PLAIN-MD5", None, ["password_ambiguous"]),
    (MD5, "CRYPT", "PLAIN-MD5", None, ["password_ambiguous"]),
    (MD5[:-1], "MD5", "PLAIN", None, ["password_scheme_mixed", "password_policy"]),
    ("$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", "CRYPT", "MD5-CRYPT", None, []),
    ("$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", "PLAIN", "MD5-CRYPT", None, ["password_scheme_mixed"]),
    ("$1$abcdefgh$tooshort", "PLAIN", "PLAIN", None, ["password_policy"]),
    ("$2y$10$" + "a" * 53, "OTHER", "BLF-CRYPT", None, []),
    ("$5$salt$" + "a" * 43, "CRYPT", "SHA256-CRYPT", None, []),
    ("$6$rounds=5000$salt$" + "a" * 86, "CRYPT", "SHA512-CRYPT", None, []),
    ("$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA", "OTHER", "ARGON2ID", None, []),
    ("abJnggxhB/yWI", "CRYPT", "DES-CRYPT", None, []),
    ("abJnggxhB/yWI", "PLAIN", "PLAIN", None, ["password_policy"]),
    ("{SSHA256}" + SSHA256, "MD5", "SSHA256", SSHA256, []),
    ("{SSHA512.HEX}abcd", "PLAIN", "SSHA512.HEX", "abcd", []),
    ("{PLAIN}Secret1!", "MD5", "PLAIN", "Secret1!", []),
    ("{CLEARTEXT}Secret1!", "MD5", "PLAIN", "Secret1!", []),
    ("{ssha256}" + SSHA256, "UNKNOWN", "SSHA256", SSHA256, []),
    ("{crypt}$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", "UNKNOWN", "CRYPT", "$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", []),
    ("{md5raw}" + MD5, "UNKNOWN", "PLAIN-MD5", MD5, []),
    ("{braces}Are1fine", "PLAIN", "PLAIN", None, []),
    ("{MOON}Secret1!", "PLAIN", "PLAIN", None, []),
    ("0123456789abcdef" * 4, "AES", None, None, ["password_unreadable"]),
    ("", "PLAIN", None, None, ["password_empty"]),
    (None, "MD5", None, None, ["password_empty"]),
]


@pytest.mark.parametrize(("stored", "site", "scheme", "value", "kinds"), CASES)
def test_the_shape_and_the_site_say_what_it_is(
    stored: str | None, site: str, scheme: str | None, value: str | None, kinds: list[str]
) -> None:
    found = schemes.identify(stored, site)
    assert (found.password and found.password.scheme) == scheme
    if scheme:
        assert found.password
        assert found.password.value == (value or stored)
    assert sorted(remark.kind for remark in found.remarks) == sorted(kinds)
    if stored:
        assert not any(stored in remark.message for remark in found.remarks)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("PLAIN", "PLAIN"),
        ("PASSWORD_PLAIN", "PLAIN"),
        (" md5 ", "MD5"),
        ("MD5_CRYPT", "CRYPT"),
        ("md5-crypt", "CRYPT"),
        ("PASSWORD_ENCRYPTED", "AES"),
        ("hexaes", "AES"),
        ("SSHA512", "OTHER"),
        ("", "UNKNOWN"),
        (None, "UNKNOWN"),
    ],
)
def test_the_setting_in_its_spellings(setting: str | None, word: str) -> None:
    assert schemes.site_scheme(setting) == word


@given(plain=st.text(min_size=1), scheme=st.sampled_from(schemes.HASHES), salt=st.binary(min_size=1, max_size=32))
def test_a_hash_is_known_again_and_no_other_password_fits(plain: str, scheme: str, salt: bytes) -> None:
    stored = schemes.hashed(plain, scheme, salt)
    assert schemes.verify(plain, stored)
    assert schemes.same(Password("PLAIN", plain), stored)
    assert not schemes.verify(plain + "x", stored)
    found = schemes.identify(stored, "PLAIN").password
    assert found == Password(scheme, stored.removeprefix(f"{{{scheme}}}"))


@given(stored=st.text(), site=st.sampled_from(["PLAIN", "MD5", "CRYPT", "AES", "OTHER", "UNKNOWN"]))
def test_whatever_is_stored_is_carried_unchanged_or_not_at_all(stored: str, site: str) -> None:
    found = schemes.identify(stored, site).password
    assert found is None or stored.endswith(found.value)
    assert found is not None or not stored or set(stored) <= set(string.hexdigits)


@pytest.mark.parametrize(
    ("plain", "stored", "expected"),
    [
        ("secret", "{PLAIN}secret", True),
        ("secret", "{PLAIN-MD5}" + MD5, True),
        ("secret", "{PLAIN-MD5}" + MD5.upper(), True),
        ("secret", "{SSHA256}" + SSHA256, True),
        ("secret", "{SSHA256}not base64!", False),
        ("secret", "{SSHA256}", False),
        ("secret", "{MD5-CRYPT}$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", False),
        ("secret", "secret", False),
        ("secret", "", False),
    ],
)
def test_verify(plain: str, stored: str, expected: bool) -> None:
    assert schemes.verify(plain, stored) is expected


@pytest.mark.parametrize(
    ("plain", "good"),
    [
        ("Abcdef1!", True),
        ("Abcde1!", False),
        ("abcdef1!", False),
        ("ABCDEF1!", False),
        ("Abcdefg!", False),
        ("Abcdefg1", False),
        ("Äbcdef1 ", True),
    ],
)
def test_policy(plain: str, good: bool) -> None:
    assert schemes.meets_policy(plain) is good


@pytest.mark.parametrize(("stored", "shown"), [("{SSHA512}x", "{SSHA512}"), (None, "none"), ("x", "unknown")])
def test_only_the_scheme_is_shown(stored: str | None, shown: str) -> None:
    assert schemes.scheme_of(stored) == shown


def test_a_password_does_not_show_in_its_repr() -> None:
    assert "geheim" not in repr(Password("PLAIN", "geheim"))
