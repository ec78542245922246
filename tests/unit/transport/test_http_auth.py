# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Basic, Digest and Bearer, by the examples of their RFCs."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import AuthError
from ansible_collections.atmail.migration.plugins.module_utils.transport.http_auth import (
    Authorizer,
    Challenge,
    Digest,
    Login,
    basic,
    challenges,
)
from hypothesis import given
from hypothesis import strategies as st

URL = "http://www.example.org/dir/index.html"
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#: RFC 7616 section 3.9.1.
EXAMPLE = {
    "realm": "http-auth@example.org",
    "qop": "auth, auth-int",
    "nonce": NONCE,
    "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
}
CLIENT = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def digest(**changes: str) -> Digest:
    return Digest(Challenge("digest", {**EXAMPLE, **changes}), lambda: CLIENT)


def test_what_a_server_offers_is_read_whatever_stands_in_one_header() -> None:
    headers = ['Digest realm="a, \\"b\\"", nonce="n==", qop="auth,auth-int", Basic realm="x"', "Negotiate", "Bearer"]
    assert challenges(headers) == [
        Challenge("digest", {"realm": 'a, "b"', "nonce": "n==", "qop": "auth,auth-int"}),
        Challenge("basic", {"realm": "x"}),
        Challenge("negotiate"),
        Challenge("bearer"),
    ]


@given(st.lists(st.text(max_size=80), max_size=3))
def test_no_header_is_too_odd_to_be_read(values: list[str]) -> None:
    for one in challenges(values):
        assert one.scheme == one.scheme.lower()
        Digest.fits(one)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_answers_as_in_rfc_7616(algorithm: str, response: str) -> None:
    said = digest(algorithm=algorithm).header("Mufasa", "Circle of Life", "GET", "/dir/index.html")
    assert f'response="{response}"' in said
    assert f"algorithm={algorithm}, qop=auth, nc=00000001" in said
    assert f'opaque="{EXAMPLE["opaque"]}"' in said


def test_digest_answers_in_utf_8_with_a_hashed_name_as_in_rfc_7616() -> None:
    asked = {
        "realm": "api@example.org",
        "qop": "auth",
        "algorithm": "SHA-512-256",
        "nonce": "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        "opaque": "HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS",
        "charset": "UTF-8",
        "userhash": "true",
    }
    who, cnonce = ("Jäsøn Doe", "Secret, or not?", "GET", "/doe.json"), "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    said = Digest(Challenge("digest", asked), lambda: cnonce).header(*who)
    assert 'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"' in said
    response = 'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"'  # as erratum 4897 has it
    assert response in said
    bare = Digest(Challenge("digest", {**asked, "userhash": "false"}), lambda: cnonce).header(*who)
    assert bare.startswith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, ")
    assert response in bare


def test_digest_of_a_server_that_knows_no_qop_is_that_of_rfc_2069() -> None:
    said = digest(qop="").header("Mufasa", "Circle of Life", "GET", "/dir/index.html")
    assert "qop" not in said
    assert "cnonce" not in said


def test_a_nonce_is_counted() -> None:
    answers = digest()
    assert "nc=00000001" in answers.header("u", "p", "GET", "/")
    assert "nc=00000002" in answers.header("u", "p", "GET", "/")


def test_a_quote_in_a_name_does_not_end_it() -> None:
    assert 'username="a\\"b\\\\"' in digest().header('a"b\\', "p", "GET", "/")


@pytest.mark.parametrize("missing", [{"algorithm": "TOKEN"}, {"qop": "auth-int"}, {"nonce": ""}])
def test_a_digest_that_can_not_be_answered_is_not_chosen(missing: dict[str, str]) -> None:
    assert not Digest.fits(Challenge("digest", {**EXAMPLE, **missing}))


def offered(*which: str) -> list[str]:
    known = {
        "basic": 'Basic realm="x"',
        "md5": 'Digest realm="x", nonce="1", qop="auth", algorithm=MD5',
        "sha": 'Digest realm="x", nonce="2", qop="auth", algorithm=SHA-256',
        "bearer": "Bearer",
        "ntlm": "NTLM",
    }
    return [known[one] for one in which]


@pytest.mark.parametrize(
    ("method", "offers", "chosen"),
    [
        ("auto", ("basic",), "Basic "),
        ("auto", ("basic", "md5", "sha"), "Digest "),
        ("digest", ("basic", "md5"), "Digest "),
        ("basic", ("md5",), "Basic "),
    ],
)
def test_the_way_is_chosen_by_the_servers_offer(method: str, offers: tuple[str, ...], chosen: str) -> None:
    who = Authorizer(Login("u", "p"), method)
    first = who.header("GET", URL)
    assert who.again(offered(*offers), first) is (first is None)
    assert str(who.header("GET", URL)).startswith(chosen)


def test_the_safest_digest_is_chosen() -> None:
    who = Authorizer(Login("u", "p"))
    assert who.again(offered("md5", "sha"), None)
    assert "algorithm=SHA-256" in str(who.header("GET", URL))


@pytest.mark.parametrize(
    ("method", "offers"), [("auto", ("ntlm",)), ("auto", ()), ("digest", ("basic",)), ("auto", ("bearer",))]
)
def test_an_offer_that_does_not_fit_is_no_wrong_password(method: str, offers: tuple[str, ...]) -> None:
    with pytest.raises(AuthError, match="offers no way") as caught:
        Authorizer(Login("u", "p"), method).again(offered(*offers), None)
    assert not caught.value.credentials


def test_a_nonce_that_grew_old_is_no_wrong_password() -> None:
    who = Authorizer(Login("u", "p"))
    who.again(offered("md5"), None)
    stale = 'Digest realm="x", nonce="new", qop="auth", stale=TRUE'
    sent = who.header("GET", URL)
    assert who.again([stale], sent)
    assert 'nonce="new"' in str(who.header("GET", URL))
    assert not who.again(['Digest realm="x", nonce="newer", qop="auth"'], sent)  # never let in: it is the password
    who.proved = True
    assert who.again(['Digest realm="x", nonce="newer", qop="auth"'], sent)


def test_a_token_that_was_refused_is_sent_again_only_as_another_one() -> None:
    given: list[str | None] = []

    def token(refused: str | None) -> str | None:
        given.append(refused)
        return {None: "one", "one": "two"}.get(refused)

    who = Authorizer(Login("u", token=token), "bearer")
    assert who.header("GET", URL) == "Bearer one"
    assert who.again([], "Bearer one")
    assert who.header("GET", URL) == "Bearer two"
    assert who.again([], "Bearer one")  # another thread had sent the old one
    assert not who.again([], "Bearer two")
    assert given == [None, "one", "two"]


def test_a_colon_in_a_name_can_not_be_said_by_basic() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    with pytest.raises(AuthError):
        basic("a:b", "c")
