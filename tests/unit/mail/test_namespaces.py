# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose folder a name is, and where it belongs."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import (
    OTHER_USERS,
    PERSONAL,
    SHARED,
    Namespace,
    Space,
    read_namespace,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Value

DOVECOT: list[Value] = [
    [[b"", b"/"], [b"Archive/", b"/"]],
    [[b"user/", b"/"]],
    [[b"Public/", b"/"], [b"#news.", b"."]],
]
CYRUS: list[Value] = [[[b"INBOX.", b"."]], [[b"user.", b"."]], [[b"", b"."]]]
COURIER: list[Value] = [[[b"INBOX.", b"."]], None, [[b"#shared.", b"."], [b"shared.", b"."]]]
WASHINGTON: list[Value] = [[[b"", b"/"], [b"#mhinbox", None], [b"#mh/", b"/"]], [[b"~", b"/"]], [[b"#public/", b"/"]]]


@pytest.mark.case(65)
@pytest.mark.parametrize(
    ("server", "name", "kind", "path"),
    [
        (DOVECOT, b"Work/2019", PERSONAL, (b"Work", b"2019")),
        (DOVECOT, b"Archive/2019", PERSONAL, (b"Archive", b"2019")),
        (DOVECOT, b"Archive", PERSONAL, (b"Archive",)),
        (DOVECOT, b"user/bob/Sent", OTHER_USERS, (b"user", b"bob", b"Sent")),
        (DOVECOT, b"user", OTHER_USERS, (b"user",)),
        (DOVECOT, b"users/bob", PERSONAL, (b"users", b"bob")),
        (DOVECOT, b"Public/team", SHARED, (b"Public", b"team")),
        (DOVECOT, b"Publicity", PERSONAL, (b"Publicity",)),
        (DOVECOT, b"#news.comp.mail", SHARED, (b"news", b"comp", b"mail")),
        (CYRUS, b"INBOX", PERSONAL, (b"INBOX",)),
        (CYRUS, b"inbox", PERSONAL, (b"INBOX",)),
        (CYRUS, b"INBOX.Sent", PERSONAL, (b"Sent",)),
        (CYRUS, b"user.bob.Sent", OTHER_USERS, (b"user", b"bob", b"Sent")),
        (CYRUS, b"team.plans", SHARED, (b"Shared Folders", b"team", b"plans")),
        (COURIER, b"#shared.bob.x", SHARED, (b"shared", b"bob", b"x")),
        (COURIER, b"shared.x", SHARED, (b"shared", b"x")),
        (COURIER, b"INBOX.shared.x", PERSONAL, (b"shared", b"x")),
        (WASHINGTON, b"~fred/mail", OTHER_USERS, (b"Other Users", b"fred", b"mail")),
        (WASHINGTON, b"#mh/drafts", PERSONAL, (b"mh", b"drafts")),
        (WASHINGTON, b"#mhinbox", PERSONAL, (b"mhinbox",)),
        (WASHINGTON, b"#mine", PERSONAL, (b"#mine",)),
    ],
)
def test_the_longest_prefix_tells_whose_a_folder_is(
    server: list[Value], name: bytes, kind: str, path: tuple[bytes, ...]
) -> None:
    namespace = read_namespace(server)
    assert (namespace.kind(name), namespace.path(name)) == (kind, path)
    assert namespace.owns(name) == (kind == PERSONAL)


@pytest.mark.case(65)
def test_the_namespace_with_the_inbox_is_the_main_one() -> None:
    namespace = read_namespace([[[b"Archive/", b"/"], [b"", b"."]], None, None])
    assert (namespace.prefix, namespace.separator) == (b"", b".")
    assert namespace.others == (Space(PERSONAL, b"Archive/", b"/"),)
    assert read_namespace([None, None, None]) == Namespace()
    assert read_namespace([[[b"", None]], None, None]).separator == b""


@pytest.mark.parametrize("answer", [[], [None], [None, None], [None] * 4])
def test_an_answer_that_is_none(answer: list[Value]) -> None:
    with pytest.raises(ProtocolError):
        read_namespace(answer)


@pytest.mark.case(52)
@pytest.mark.parametrize(
    ("prefix", "separator", "name", "path"),
    [
        (b"INBOX.", b".", b"INBOX", (b"INBOX",)),
        (b"INBOX.", b".", b"INBOX.Sent", (b"Sent",)),
        (b"INBOX.", b".", b"INBOX.INBOX", (b"INBOX", b"INBOX")),
        (b"INBOX.", b".", b"INBOX.INBOX.Sent", (b"INBOX", b"INBOX", b"Sent")),
        (b"INBOX.", b".", b"INBOX.Inbox", (b"INBOX", b"Inbox")),
        (b"mail/", b"/", b"mail/Sent", (b"Sent",)),
        (b"mail/", b"/", b"mail/INBOX", (b"mail", b"INBOX")),
        (b"", b"/", b"INBOX/INBOX", (b"INBOX", b"INBOX")),
        (b"", b"", b"a.b/c", (b"a.b/c",)),
        (b"", b"\\", b"a\\b", (b"a", b"b")),
    ],
)
def test_inbox_below_the_prefix_is_not_inbox(
    prefix: bytes, separator: bytes, name: bytes, path: tuple[bytes, ...]
) -> None:
    """Two folders that a server tells apart have different paths, and each path gives back its name."""
    namespace = Namespace(prefix, separator)
    assert namespace.path(name) == path
    assert namespace.name(path) == name


@pytest.mark.case(60)
@pytest.mark.parametrize("name", [b"INBOX", b"inbox", b"Inbox", b"iNbOx"])
@pytest.mark.parametrize("prefix", [b"", b"INBOX."])
def test_inbox_in_any_case(prefix: bytes, name: bytes) -> None:
    assert Namespace(prefix, b".").path(name) == (b"INBOX",)
    assert Namespace(prefix, b".").path(b"Inbox.Old") == (b"INBOX", b"Old")
