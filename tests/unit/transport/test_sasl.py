# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SASL mechanisms say, which way a password takes, and which options fit together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import AuthError, InputError
from ansible_collections.atmail.migration.plugins.module_utils.mail.options import check_preauth
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.progress import MAILBOXES
from ansible_collections.atmail.migration.plugins.module_utils.tasks import tasks
from ansible_collections.atmail.migration.plugins.module_utils.transport import sasl
from ansible_collections.atmail.migration.plugins.module_utils.transport.imap import ImapServer
from ansible_collections.atmail.migration.plugins.module_utils.transport.login import way

PLAIN, LOGIN, OFF = b"AUTH=PLAIN", b"AUTH=LOGIN", b"LOGINDISABLED"


def test_what_is_said() -> None:
    assert sasl.plain(b"ann", b"p w").answers == (b"\0ann\0p w",)
    assert sasl.plain(b"master", b"pw", b"ann").answers == (b"ann\0master\0pw",)
    assert sasl.login(b"ann", b"pw").answers == (b"ann", b"pw")
    assert sasl.xoauth2(b"ann@a.example", b"t").answers == (b"user=ann@a.example\1auth=Bearer t\1\1",)
    bearer = sasl.oauthbearer(b"a=b,c", b"t", "mail.example", 143)
    assert bearer.answers == (b"n,a=a=3Db=2Cc,\1host=mail.example\1port=143\1auth=Bearer t\1\1",)
    assert (bearer.closing, sasl.xoauth2(b"a", b"t").closing, sasl.plain(b"a", b"b").closing) == (b"\1", b"", None)


def test_the_example_of_rfc_7628() -> None:
    """Section 4.1."""
    said = sasl.oauthbearer(
        b"user@example.com", b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143
    )
    (answer,) = said.answers
    assert answer.split(b"\1") == [
        b"n,a=user@example.com,",
        b"host=server.example.com",
        b"port=143",
        b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
        b"",
        b"",
    ]


def test_secrets_do_not_show() -> None:
    assert "geheim" not in repr(sasl.plain(b"ann", b"geheim"))
    assert "geheim" not in repr(ImapServer("source", "h", oauth_token="geheim", admin_password="geheim"))


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        (b'{"status":"invalid_token","scope":"mail"}', "invalid_token"),
        (b'{"status":"400","schemes":"Bearer"}', "400"),
        (b'{"status":5}', ""),
        (b'{"status":"a\\nb"}', ""),
        (b'"status"', ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_the_reason_of_a_refused_token(challenge: bytes, status: str) -> None:
    assert sasl.oauth_status(challenge) == status


@pytest.mark.case(85)
@pytest.mark.parametrize(
    ("auth", "offered", "simple", "chosen"),
    [
        ("auto", {PLAIN, LOGIN}, True, "command"),
        ("auto", {PLAIN, LOGIN}, False, "plain"),
        ("auto", {LOGIN}, False, "login"),
        ("auto", set(), False, "command"),
        ("auto", {OFF, PLAIN, LOGIN}, True, "plain"),
        ("auto", {OFF, LOGIN}, True, "login"),
        ("plain", {PLAIN}, True, "plain"),
        ("login", {PLAIN}, False, "command"),
        ("login", {OFF, LOGIN, PLAIN}, True, "login"),
    ],
)
def test_the_way_of_a_password(auth: str, offered: set[bytes], simple: bool, chosen: str) -> None:
    assert way(auth, offered, simple=simple) == chosen


@pytest.mark.case(85)
@pytest.mark.parametrize(
    ("auth", "offered", "behalf"),
    [
        ("auto", {OFF}, False),
        ("auto", {OFF, b"AUTH=GSSAPI"}, False),
        ("plain", {LOGIN}, False),
        ("login", {OFF, PLAIN}, False),
        ("auto", {LOGIN}, True),
    ],
)
def test_no_way_is_an_error_that_names_what_there_is(auth: str, offered: set[bytes], behalf: bool) -> None:
    with pytest.raises(AuthError) as caught:
        way(auth, offered, simple=True, behalf=behalf)
    for one in offered - {OFF}:
        assert one.decode() in caught.value.message
    assert ("LOGINDISABLED" in caught.value.message) == (OFF in offered)
    assert "no password has been sent" in caught.value.safe_next


ADMIN = {"admin_user": "master", "admin_password": "x"}


@pytest.mark.parametrize(
    ("name", "options", "option"),
    [
        ("source", {"security": "plain"}, "security"),
        ("source", {"admin_user": "master"}, "admin_password"),
        ("source", {"max_connections": 0}, "max_connections"),
        ("source", {"timeout": 0}, "timeout"),
        ("target", {"min_tls": "1.0"}, "min_tls"),
        ("target", {"min_tls": "1.1"}, "min_tls"),
        ("source", {"oauth_token": "t"}, "oauth_token"),
        ("source", {"auth": "xoauth2", "oauth_token": "t", "oauth_token_file": "/t"}, "oauth_token_file"),
        ("source", {"auth": "oauthbearer", **ADMIN}, "admin_user"),
        ("source", {"auth": "preauth", **ADMIN}, "admin_user"),
        ("source", {"auth": "login", "admin_method": "sasl_plain", **ADMIN}, "auth"),
    ],
)
def test_options_that_do_not_fit_together(name: str, options: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        Server.from_options(name, {"host": "h", **options})
    assert caught.value.where["option"] == f"{name}.{option}"


@pytest.mark.case(85)
def test_a_server_that_knows_us_by_itself_has_one_mailbox() -> None:
    server = Server.from_options("source", {"host": "h", "auth": "preauth"})
    target = Server.from_options("target", {"host": "h"})
    todo = tasks({"mailboxes": [{"source_user": "ann"}, {"source_user": "bob"}]}, MAILBOXES)
    check_preauth(todo[:1], server, target)
    check_preauth(todo, target, target)
    with pytest.raises(InputError) as caught:
        check_preauth(todo, target, server)
    assert caught.value.where["option"] == "source.auth"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("source", {"min_tls": "1.0"}),
        ("target", {"min_tls": "1.3"}),
        ("source", {"auth": "xoauth2", "oauth_token_command": ["token", "{user}"]}),
        ("source", {"auth": "plain", "admin_method": "sasl_plain", **ADMIN}),
        ("source", {"auth": "login", "admin_method": "proxyauth", **ADMIN}),
    ],
)
def test_options_that_do(name: str, options: dict[str, Any]) -> None:
    server = Server.from_options(name, {"host": "h", **options})
    assert server.port == 993
    assert server.oauth_token_command == tuple(options.get("oauth_token_command", ()))
