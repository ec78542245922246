# SPDX-License-Identifier: GPL-3.0-or-later
"""OAuth tokens: given, from a file, from a command; a refused one is asked for anew and never tried twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account
from ansible_collections.atmail.migration.plugins.module_utils.transport.imap import ImapServer
from ansible_collections.atmail.migration.plugins.module_utils.transport.tokens import renewed, token_for

ANN = Account("ann@acme.example")


def server(**options: object) -> ImapServer:
    return ImapServer("source", "h", auth="xoauth2", **options)  # type: ignore[arg-type] # options of several types


def counting(folder: Path, last: str = "") -> tuple[str, ...]:
    """A command that prints `token-1`, `token-2` and so on, with its argument before it."""
    program = (
        "import pathlib, sys; file = pathlib.Path(sys.argv[1]);"
        "number = int(file.read_text()) + 1 if file.exists() else 1;"
        "file.write_text(str(number)); print(sys.argv[2] + 'token-' + str(number))"
    )
    return (sys.executable, "-c", program, str(folder / "count"), last)


def test_a_mailboxes_own_token_comes_first() -> None:
    assert token_for(server(oauth_token="for-all"), Account("ann", "own")) == "own"
    assert token_for(server(oauth_token="for-all"), ANN) == "for-all"
    assert renewed(server(oauth_token="for-all"), ANN, "for-all") is None
    assert renewed(server(oauth_token_file="/none"), Account("ann", "own"), "own") is None


def test_a_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "ann@acme.example.token"
    path.write_text("first\n")
    side = server(oauth_token_file=str(tmp_path / "{user}.token"))
    assert token_for(side, ANN) == "first"
    assert renewed(side, ANN, "first") is None
    path.write_text("second\n")
    assert renewed(side, ANN, "first") == "second"
    assert token_for(side, ANN) == "second"


@pytest.mark.case(102)
def test_a_command_is_run_once_for_all_and_again_for_a_refused_token(tmp_path: Path) -> None:
    side = server(oauth_token_command=counting(tmp_path))
    bob = Account("bob@acme.example")
    assert [token_for(side, one) for one in (ANN, bob, ANN)] == ["token-1"] * 3
    assert renewed(side, ANN, "token-1") == "token-2"
    assert renewed(side, bob, "token-1") == "token-2", "somebody else has fetched it already"
    assert token_for(side, bob) == "token-2"


def test_a_command_for_each_user(tmp_path: Path) -> None:
    side = server(oauth_token_command=counting(tmp_path, "{user}"))
    with pytest.raises(InputError, match="no OAuth access token"):
        token_for(side, ANN)  # an address is no token: it is what the command printed first
    bob = Account("bob")
    assert token_for(side, bob) == "bobtoken-2"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("/no/such/program",), "cannot be run"),
        ((sys.executable, "-c", "print('geheim'); import sys; sys.exit('geheim')"), "status 1"),
        ((sys.executable, "-c", "print('geheim and more')"), "no OAuth access token"),
        ((sys.executable, "-c", "pass"), "no OAuth access token"),
        (("a\0b",), "cannot be run"),
    ],
)
def test_commands_that_are_no_use(command: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        token_for(server(oauth_token_command=command), ANN)
    assert caught.value.where["option"] == "source.oauth_token_command"
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nb", "é", "a\1b"])
def test_what_is_no_token(token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    for side in (server(oauth_token=token), server(oauth_token_file=str(tmp_path / "token"))):
        with pytest.raises(InputError, match="no OAuth access token"):
            token_for(side, ANN)


def test_files_that_are_no_use(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name in ("none", "bytes"):
        with pytest.raises(InputError, match="cannot be read"):
            token_for(server(oauth_token_file=str(tmp_path / name)), ANN)
    with pytest.raises(InputError, match="slash"):
        token_for(server(oauth_token_file=str(tmp_path / "{user}")), Account("../ann"))


def test_no_token_at_all() -> None:
    with pytest.raises(InputError, match=r"no token for ann@acme\.example"):
        token_for(server(), ANN)
