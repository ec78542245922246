# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of a CalDAV and CardDAV server, and log-ins with tokens and by administrators."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import OPTIONS, WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import open_web
from ansible_collections.atmail.migration.plugins.module_utils.errors import AuthError, InputError

from tests.unit.transport.http_peer import Reply, Request, serving

from .odd import Odd, multistatus, odd, response

URL = "https://dav.example/"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://DAV.example", "https://dav.example/"),
        ("https://dav.example:443/dav?x=1", "https://dav.example/dav?x=1"),
        ("https://dav.example:8443/", "https://dav.example:8443/"),
        ("https://dav.käse.example/", "https://dav.xn--kse-qla.example/"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
        (" Käse.example ", "xn--kse-qla.example"),
    ],
)
def test_addresses_are_kept_in_one_form(url: str, kept: str) -> None:
    server = WebServer.from_options("source", {"url": url})
    assert server.url == kept
    assert server.domain == (None if "://" in kept else kept)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "url"),
        ({"url": "http://dav.example/"}, "url"),
        ({"url": "ftp://dav.example/"}, "url"),
        ({"url": "https://ann:secret@dav.example/"}, "url"),
        ({"url": "https:///x"}, "url"),
        ({"url": "https://dav.example:port/"}, "url"),
        ({"url": "dav.example:8443"}, "url"),
        ({"url": "dav.example/dav"}, "url"),
        ({"url": URL, "admin_user": "a"}, "admin_password"),
        ({"url": URL, "admin_password": "a"}, "admin_user"),
        ({"url": URL, "admin_user": "a", "admin_password": "b", "admin_method": "direct"}, "principal"),
        ({"url": URL, "principal": "/ann/"}, "principal"),
        ({"url": URL, "max_connections": 0}, "max_connections"),
        ({"url": URL, "timeout": 0}, "timeout"),
        ({"url": URL, "min_tls": "1.0"}, "min_tls"),
        ({"url": URL, "oauth_token": "x"}, "oauth_token"),
        ({"url": URL, "auth": "bearer", "oauth_token": "x", "oauth_token_file": "y"}, "oauth_token_file"),
        ({"url": URL, "auth": "bearer", "admin_user": "a", "admin_password": "b"}, "admin_user"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        WebServer.from_options("target", options)
    assert caught.value.where["option"] == f"target.{option}"
    assert "secret" not in str(caught.value.as_dict())


def test_every_option_is_a_field_and_secrets_are_kept_out_of_sight() -> None:
    assert set(OPTIONS) <= set(WebServer.__dataclass_fields__)
    assert all(OPTIONS[name].get("no_log") for name in ("admin_password", "oauth_token"))
    server = WebServer.from_options("source", {"url": URL, "admin_user": "root", "admin_password": "secret"})
    assert "secret" not in repr(server)


def test_an_account_without_a_password_is_named() -> None:
    with pytest.raises(InputError) as caught:
        open_web(WebServer.from_options("target", {"url": URL}), "ann", None)
    assert (caught.value.where["account"], caught.value.where["option"]) == ("ann", "accounts.target_password")
    with pytest.raises(InputError):
        open_web(WebServer.from_options("target", {"url": URL}), "ann", "x", scheduling="never")  # type: ignore[arg-type]  # as a caller may


def basic(request: Request) -> str:
    return base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


@pytest.mark.parametrize(
    ("method", "login", "header"),
    [("separator", "ann%root:pw", None), ("direct", "root:pw", None), ("authorize_as", "root:pw", "ann")],
)
def test_an_administrator_logs_in_for_an_account(method: str, login: str, header: str | None) -> None:
    options = {
        "admin_user": "root", "admin_password": "pw", "admin_method": method, "admin_separator": "%",
        "principal": "/p/{user}/", "auth": "basic",
    }  # fmt: skip
    with odd({"PROPFIND": multistatus(response("/p/ann/"))}, name="source", **options) as (side, peer):
        side.survey()
        assert {basic(one) for one in peer.seen} == {login}
        assert {one.headers.get("Authorize-As") for one in peer.seen} == {header}
        assert {one.path for one in peer.seen} == {"/p/ann/"}


def test_a_token_that_grew_old_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "token-ann"
    path.write_text("old\n")
    answers = Odd({"PROPFIND": multistatus(response("/p/ann/"))})

    def answer(request: Request) -> Reply:
        if request.headers.get("Authorization") == "Bearer new":
            return answers(request)
        path.write_text("new\n")
        return Reply(401, headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),))

    with serving(answer) as peer:
        options = {"url": peer.url, "allow_plaintext": True, "auth": "bearer", "principal": "/p/{user}/"}
        given = WebServer.from_options("source", {**options, "oauth_token_file": str(tmp_path / "token-{user}")})
        side = open_web(given, "ann", None)
        assert side.survey().collections == ()
        side.close()
        assert [one.headers["Authorization"] for one in peer.seen][:2] == ["Bearer old", "Bearer new"]


def test_a_token_that_stays_refused_is_tried_once() -> None:
    refusal = Reply(401, headers=(("WWW-Authenticate", "Bearer"),))
    with odd({"PROPFIND /": refusal}, auth="bearer", oauth_token="refused") as (side, peer):
        for _number in range(2):
            with pytest.raises(AuthError) as caught:
                side.survey()
            assert "refused" not in caught.value.message.replace("the server refused user", "")
        assert len(peer.seen) == 1
