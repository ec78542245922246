# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Generated passwords: good ones, in the form that is asked for, and known again by their data alone."""

from __future__ import annotations

import hashlib
import os

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.escrow_forms import (
    FORMS,
    Form,
    companion,
    form_for,
    generate,
    marked,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Password
from ansible_collections.atmail.migration.plugins.module_utils.settings.schemes import identify, meets_policy
from hypothesis import given
from hypothesis import strategies as st
from passlib import hash as hashes

MD5 = hashlib.md5(b"x").hexdigest()


@pytest.mark.parametrize("scheme", FORMS)
@pytest.mark.parametrize("prefix", ["", "{}"])
def test_every_form_is_what_it_says_and_meets_the_policy(scheme: str, prefix: str) -> None:
    made = generate(Form(prefix and f"{{{scheme}}}", scheme), os.urandom)
    assert meets_policy(made.plain)
    found = identify(made.stored.decode(), "MD5" if scheme == "PLAIN-MD5" else "UNKNOWN").password
    if prefix or not scheme.startswith("SSHA"):
        assert found
        assert found.scheme == scheme
    if scheme == "MD5-CRYPT":
        assert hashes.md5_crypt.verify(made.plain, made.stored.decode().removeprefix("{MD5-CRYPT}"))
    if scheme == "SHA512-CRYPT":
        assert hashes.sha512_crypt.verify(made.plain, made.stored.decode().removeprefix("{SHA512-CRYPT}"))
    if scheme == "PLAIN-MD5":
        assert hashlib.md5(made.plain.encode()).hexdigest() == made.stored.decode().removeprefix("{PLAIN-MD5}")
    assert made.plain not in repr(made)


def test_no_two_are_the_same() -> None:
    assert len({generate(Form("", "PLAIN"), os.urandom).plain for _unused in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("stored", "site", "stored_as", "prefix", "scheme"),
    [
        ("x", "PLAIN", None, "", "PLAIN"),
        (MD5, "PLAIN", None, "", "PLAIN"),
        (None, "PLAIN", None, "", "PLAIN"),
        (MD5, "MD5", None, "", "PLAIN-MD5"),
        ("x", "MD5", None, "", "PLAIN-MD5"),
        ("", "CRYPT", None, "", "MD5-CRYPT"),
        ("abJnggxhB/yWI", "CRYPT", None, "", "MD5-CRYPT"),
        ("$2y$10$" + "a" * 53, "OTHER", None, "", "SHA512-CRYPT"),
        ("x", "UNKNOWN", None, "", "PLAIN"),
        (MD5, "UNKNOWN", None, "", "PLAIN-MD5"),
        ("{SHA256}abc", "MD5", None, "{SSHA256}", "SSHA256"),
        ("{cram-md5}abc", "MD5", None, "{SSHA512}", "SSHA512"),
        ("{md5raw}" + MD5, "UNKNOWN", None, "{md5raw}", "PLAIN-MD5"),
        ("{crypt}$1$abcdefgh$G4gVvDcRPhA4DNbg9CAsp1", "UNKNOWN", None, "{crypt}", "MD5-CRYPT"),
        ("{ssha}abc", "UNKNOWN", None, "{ssha}", "SSHA"),
        ("{SHA512-CRYPT}$6$s$" + "a" * 86, "UNKNOWN", None, "{SHA512-CRYPT}", "SHA512-CRYPT"),
        ("{PLAIN}x", "AES", None, "{PLAIN}", "PLAIN"),
        ("{PLAIN}x", "AES", "SSHA", "{SSHA}", "SSHA"),
        ("0" * 64, "AES", "PLAIN-MD5", "", "PLAIN-MD5"),
    ],
)
def test_the_form_follows_the_row_then_the_site(
    stored: str | None, site: str, stored_as: str | None, prefix: str, scheme: str
) -> None:
    assert form_for(stored, site, stored_as) == Form(prefix, scheme)


@pytest.mark.parametrize(
    ("stored", "site"),
    [("0" * 64, "AES"), (None, "AES"), ("x", "AES"), (None, "UNKNOWN"), ("$argon2id$v=19$m=1,t=1,p=1$YQ$YQ", "OTHER")],
)
def test_what_nobody_can_tell_has_no_form(stored: str | None, site: str) -> None:
    assert form_for(stored, site) is None


@pytest.mark.parametrize("scheme", FORMS)
def test_a_swapped_source_is_recognised(scheme: str) -> None:
    made = [generate(Form(f"{{{scheme}}}", scheme), os.urandom).stored.decode() for _unused in range(2)]
    found = [identify(each, "MD5").password for each in made]
    ordinary = [Password("PLAIN-MD5", hashlib.md5(b"%d" % number).hexdigest()) for number in range(14)]
    assert (
        marked([each for each in found if each] + [each for each in ordinary if not each.value.startswith("e5c")]) == 2
    )


@given(st.lists(st.text(min_size=1), max_size=50))
def test_no_ordinary_password_is_taken_for_one_of_ours(plains: list[str]) -> None:
    found = [identify(plain, "PLAIN").password for plain in plains if "mIgr8" not in plain]
    assert marked(each for each in found if each) == 0


def test_the_md5_of_many_users_is_no_alarm() -> None:
    """10,000 users: a few MD5s begin with the mark by chance."""
    many = [Password("PLAIN-MD5", hashlib.md5(b"user %d" % number).hexdigest()) for number in range(10_000)]
    assert any(each.value.startswith("e5c") for each in many)
    assert marked(many) == 0
    assert marked([Password("PLAIN-MD5", "e5c" + "0" * 29)]) == 0


def test_the_companion_is_the_md5_of_what_is_stored() -> None:
    assert companion(b"stored") == hashlib.md5(b"stored").hexdigest().encode()
